"""Users, groups and attributes, changed by administrators alone. Nobody is deleted: a user who leaves is deactivated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, insert, select, update

from engine import history
from engine.commands import passwords
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import Event, GroupChanged, UserChanged
from engine.store import Transaction
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import group, membership, user, user_attribute
from engine.store.upsert import insert_new, upsert

_NAME = re.compile(r"[^\s,/:]{1,100}")

_USER = select(user)
_ADD_USER = insert(user)
_ADD_MEMBERSHIP = insert(membership)
_ADD_ATTRIBUTE = insert(user_attribute)


def add_user(
    ctx: Context,
    username: str,
    name: str | None = None,
    *,
    groups: Collection[str] = (),
    attributes: Mapping[str, Sequence[str]] | None = None,
    email: str | None = None,
    password: str | None = None,
    by: str | None = None,
) -> int:
    """Add a user and return the key that the journal names them by.

    Args:
        username: what the user signs in with and models name them by; 1 to 100 characters without blanks, commas, / and :.
        password: None = cannot sign in.
        attributes: name → values, for models (expertise, team).
    Raises:
        Conflict: the username is taken.
        InvalidValue: the username or the password is not allowed.
        NotFound: a group does not exist.
    """
    if not _NAME.fullmatch(username):
        raise InvalidValue(f"用户名不合规：{username!r}（1 to 100 characters, no blanks, commas, / or :）", field="username")
    secret = passwords.hashed(password) if password is not None else None
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        found = tx.one(_USER.where(user.c.username == username))
        if found is not None and not found.external:
            raise Conflict(f"用户名 {username} 已存在（the username is taken）", field="username")
        if found is not None:  # somebody whom a program vouched for gets an account
            key: int = found.key
            _change(tx, username, {"name": name or username, "email": email, "password_hash": secret, "external": False})
        else:
            key = _insert(tx, ctx, username, name or username, email, secret, external=False)
        _set_groups(tx, username, groups)
        _set_attributes(tx, username, attributes or {})
        details = {"groups": sorted(groups), "name": name or username}
        _record(tx, by, "add_user", UserChanged(username, "added", details))
    return key


def vouch_for(ctx: Context, username: str | None) -> None:
    """Make a record for a person whom an embedding program names and vouches for; who is known stays as they are."""
    if username is None:
        return
    with ctx.store.read() as reading:
        known = reading.one(_USER.where(user.c.username == username)) is not None
    if not known:
        with ctx.store.begin() as tx:
            if tx.one(_USER.where(user.c.username == username)) is None:
                _insert(tx, ctx, username, username, None, None, external=True)
                _record(tx, None, "vouch_for", UserChanged(username, "vouched-for"))


def set_name(ctx: Context, username: str, name: str, email: str | None = None, by: str | None = None) -> None:
    """Set the name that people see, and the address for mails (None = no mail)."""
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _change(tx, username, {"name": name, "email": email})
        _record(tx, by, "set_name", UserChanged(username, "name", {"name": name}))


def set_password(ctx: Context, username: str, password: str, by: str | None = None) -> None:
    """Set a password; all the user's sessions end. Users set their own, administrators everybody's.

    Raises:
        InvalidValue: the password is too short.
    """
    secret = passwords.hashed(password)
    with ctx.store.begin() as tx:
        check_administers(tx, None if by == username else by)
        _change(tx, username, {"password_hash": secret, "external": False, "session_epoch": user.c.session_epoch + 1})
        _record(tx, by, "set_password", UserChanged(username, "password"))


def set_groups(ctx: Context, username: str, groups: Collection[str], by: str | None = None) -> None:
    """Set the groups that a user belongs to.

    Raises:
        NotFound: the user or a group does not exist.
    """
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _change(tx, username, {"external": False})
        _set_groups(tx, username, groups)
        _record(tx, by, "set_groups", UserChanged(username, "groups", {"groups": sorted(groups)}))


def join_group(ctx: Context, username: str, group_id: str, by: str | None = None) -> None:
    """Let a user belong to a group besides.

    Raises:
        NotFound: the user or the group does not exist.
        Conflict: they belong to it already.
    """
    _change_membership(ctx, username, group_id, by, joins=True)


def leave_group(ctx: Context, username: str, group_id: str, by: str | None = None) -> None:
    """Let a user belong to a group no longer.

    Raises:
        NotFound: the user does not exist, or does not belong to the group.
    """
    _change_membership(ctx, username, group_id, by, joins=False)


def _change_membership(ctx: Context, username: str, group_id: str, by: str | None, *, joins: bool) -> None:
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _change(tx, username, {"external": False})
        groups = {row.group_id for row in tx.all(select(membership.c.group_id).where(membership.c.username == username))}
        if joins and group_id in groups:
            raise Conflict(f"{username} 已在组 {group_id} 中（belongs to the group already）", field="groupId")
        if not joins and group_id not in groups:
            raise NotFound(f"{username} 不在组 {group_id} 中（does not belong to the group）", field="groupId")
        _set_groups(tx, username, groups ^ {group_id})
        _record(tx, by, "set_groups", UserChanged(username, "groups", {"groups": sorted(groups ^ {group_id})}))


def set_attributes(ctx: Context, username: str, attributes: Mapping[str, Sequence[str]], by: str | None = None) -> None:
    """Set all attributes of a user: name → values."""
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _change(tx, username, {"username": username})
        _set_attributes(tx, username, attributes)
        details = {name: list(values) for name, values in attributes.items()}
        _record(tx, by, "set_attributes", UserChanged(username, "attributes", details))


def set_active(ctx: Context, username: str, active: bool, by: str | None = None) -> None:
    """Let a user in, or lock them out: their sessions end, what they did stays."""
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _change(tx, username, {"active": active, "session_epoch": user.c.session_epoch + 1})
        _record(tx, by, "set_active", UserChanged(username, "activated" if active else "deactivated"))


def end_sessions(ctx: Context, username: str, by: str | None = None) -> None:
    """End all sessions of a user: they sign in anew. Users end their own, administrators everybody's."""
    with ctx.store.begin() as tx:
        check_administers(tx, None if by == username else by)
        _change(tx, username, {"session_epoch": user.c.session_epoch + 1})
        _record(tx, by, "end_sessions", UserChanged(username, "sessions-ended"))


def add_group(ctx: Context, group_id: str, name: str, name_en: str = "", by: str | None = None, *, new: bool = False) -> None:
    """Add a group, or change its names (`new`: refuse one that is there).

    Raises:
        Conflict: there is such a group, and it was to be new.
        InvalidValue: the id is not allowed.
    """
    if not _NAME.fullmatch(group_id):
        raise InvalidValue(f"组编号不合规：{group_id!r}（1 to 100 characters, no blanks, commas, / or :）", field="group")
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        if new and tx.one(select(group.c.id).where(group.c.id == group_id)) is not None:
            raise Conflict(f"组 {group_id} 已存在（there is such a group）", field="groupId")
        tx.execute(upsert(tx, group, ("name", "name_en")), {"id": group_id, "name": name, "name_en": name_en})
        _record(tx, by, "add_group", GroupChanged(group_id, name))


def _insert(
    tx: Transaction, ctx: Context, username: str, name: str, email: str | None, secret: str | None, *, external: bool
) -> int:
    key = next(ctx.keys)
    tx.execute(
        _ADD_USER,
        {
            "key": key,
            "username": username,
            "name": name,
            "email": email,
            "password_hash": secret,
            "active": True,
            "external": external,
            "session_epoch": 0,
            "created_at": tx.now,
        },
    )
    return key


def _change(tx: Transaction, username: str, values: Mapping[str, object]) -> None:
    if tx.execute(update(user).where(user.c.username == username).values(dict(values))).rowcount == 0:
        raise NotFound(f"没有用户 {username}（no such user）", field="username")


def _set_groups(tx: Transaction, username: str, groups: Collection[str]) -> None:
    known = {row.id for row in tx.all(select(group.c.id).where(group.c.id.in_(sorted(groups))))}
    if missing := sorted(set(groups) - known):
        raise NotFound(f"没有组 {', '.join(missing)}（no such group）", field="groups")
    tx.execute(delete(membership).where(membership.c.username == username))
    if groups:
        tx.execute(_ADD_MEMBERSHIP, [{"username": username, "group_id": group_id} for group_id in sorted(set(groups))])


def _set_attributes(tx: Transaction, username: str, attributes: Mapping[str, Sequence[str]]) -> None:
    tx.execute(delete(user_attribute).where(user_attribute.c.username == username))
    rows = [{"username": username, "name": name, "value": str(value)} for name, values in attributes.items() for value in values]
    if rows:
        tx.execute(insert_new(tx, user_attribute), rows)


def _record(tx: Transaction, by: str | None, command: str, event: Event) -> None:
    history.append(tx, history.NO_INSTANCE, command, [event], actor=by)
