"""Users, groups, substitutions."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from engine.queries.records import Group, SubstitutionView, User
from engine.queries.rows import names_of
from engine.store.context import Context
from engine.store.directory import Person, person
from engine.store.tables import group, membership, substitution, user, user_attribute


def users(ctx: Context) -> tuple[User, ...]:
    """Return all users by username."""
    with ctx.store.read() as reading:
        groups: dict[str, list[str]] = {}
        for row in reading.all(select(membership).order_by(membership.c.group_id)):
            groups.setdefault(row.username, []).append(row.group_id)
        attributes: dict[str, dict[str, list[str]]] = {}
        for row in reading.all(select(user_attribute).order_by(user_attribute.c.name, user_attribute.c.value)):
            attributes.setdefault(row.username, {}).setdefault(row.name, []).append(row.value)
        return tuple(
            User(
                key=row.key,
                username=row.username,
                name=row.name,
                email=row.email,
                active=row.active,
                can_sign_in=row.active and row.password_hash is not None,
                session_epoch=row.session_epoch,
                groups=tuple(groups.get(row.username, ())),
                attributes={name: tuple(values) for name, values in attributes.get(row.username, {}).items()},
            )
            for row in reading.all(select(user).order_by(user.c.username))
        )


def groups(ctx: Context) -> tuple[Group, ...]:
    """Return all groups by id, with the number of their active members."""
    counted = (
        select(group, func.count(user.c.key).label("members"))
        .join(membership, membership.c.group_id == group.c.id, isouter=True)
        .join(user, (user.c.username == membership.c.username) & user.c.active, isouter=True)
        .group_by(group.c.id, group.c.name, group.c.name_en)
        .order_by(group.c.id)
    )
    with ctx.store.read() as reading:
        return tuple(Group(row.id, row.name, row.name_en, row.members) for row in reading.all(counted))


def who_is(ctx: Context, username: str) -> Person:
    """Return an active user with groups and session epoch, for a signed-in session.

    Raises:
        NotFound: there is none, or the account is not active.
    """
    with ctx.store.read() as reading:
        return person(reading, username)


def substitutions(ctx: Context, who: str | None = None) -> tuple[SubstitutionView, ...]:
    """Return all substitutions, or those in which a person is absent or stands in; the newest first."""
    statement = select(substitution).order_by(substitution.c.key.desc())
    if who is not None:
        statement = statement.where(or_(substitution.c.absent == who, substitution.c.substitute == who))
    with ctx.store.read() as reading:
        rows = reading.all(statement)
        names = names_of(reading, [name for row in rows for name in (row.absent, row.substitute)])
        return tuple(
            SubstitutionView(
                key=row.key,
                absent=row.absent,
                absent_name=names.get(row.absent, row.absent),
                substitute=row.substitute,
                substitute_name=names.get(row.substitute, row.substitute),
                from_at=row.from_at,
                until_at=row.until_at,
                groups=None if row.groups is None else tuple(row.groups),
                processes=None if row.processes is None else tuple(row.processes),
                ended_at=row.ended_at,
                active=row.from_at <= reading.now < row.until_at and row.ended_at is None,
            )
            for row in rows
        )
