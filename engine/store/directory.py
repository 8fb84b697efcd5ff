"""People, groups and attributes, read from the tables: for rights, and for FEEL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from engine.errors import NotFound
from engine.store.tables import group, membership, substitution, user, user_attribute
from engine.store.transactions import Found, Reading

ADMIN = "admin"
"""The group whose members administer: users, calendar, incidents, deployments."""
AUDITOR = "auditor"
"""The group whose members may read every case and the journal."""

# A user with the groups, one row per group.
_PERSON = (
    select(user, membership.c.group_id)
    .join_from(user, membership, membership.c.username == user.c.username, isouter=True)
    .where(user.c.username == bindparam("username"))
)
_IN_FORCE = (
    substitution.c.from_at <= bindparam("now"),
    substitution.c.until_at > bindparam("now"),
    or_(substitution.c.ended_at.is_(None), substitution.c.ended_at > bindparam("now")),
)
# Whom a user stands in for now, and who stands in for some users now.
_ABSENT = select(substitution).where(substitution.c.substitute == bindparam("username"), *_IN_FORCE)
_STANDING_IN = (
    select(substitution)
    .join(user, user.c.username == substitution.c.substitute)
    .where(substitution.c.absent.in_(bindparam("usernames", expanding=True)), user.c.active, *_IN_FORCE)
    .order_by(substitution.c.key)
)
_IN_GROUP = (
    select(user.c.username, user.c.name)
    .join(membership, membership.c.username == user.c.username)
    .where(membership.c.group_id == bindparam("group"), user.c.active)
    .order_by(user.c.username)
)
_GROUPS = select(membership.c.username, membership.c.group_id).order_by(membership.c.group_id)
_ATTRIBUTES = select(user_attribute).order_by(user_attribute.c.name, user_attribute.c.value)


@dataclass(frozen=True, slots=True)
class Substitution:
    """B stands in for A: within a time, and within a scope of groups and processes (None = all)."""

    key: int
    absent: str
    substitute: str
    groups: frozenset[str] | None
    processes: frozenset[str] | None

    def covers_group(self, group_id: str) -> bool:
        """Whether the scope holds this group."""
        return self.groups is None or group_id in self.groups

    def covers_process(self, bpmn_process_id: str) -> bool:
        """Whether the scope holds this process."""
        return self.processes is None or bpmn_process_id in self.processes


@dataclass(frozen=True, slots=True)
class Person:
    """A user with the groups.

    Attributes:
        key: what the journal names the user by.
        external: named by an embedding program, which vouches for the person's groups.
        session_epoch: a session of another epoch is over.
    """

    key: int
    username: str
    name: str
    groups: frozenset[str] = field(default_factory=frozenset)
    email: str | None = None
    active: bool = True
    external: bool = False
    session_epoch: int = 0

    @property
    def is_admin(self) -> bool:
        """Whether the user administers."""
        return ADMIN in self.groups

    @property
    def is_auditor(self) -> bool:
        """Whether the user may read every case."""
        return AUDITOR in self.groups


def find_person(reading: Reading, username: str) -> Person | None:
    """Return a user with the groups, or None."""
    rows = reading.all(_PERSON, {"username": username})
    if not rows:
        return None
    first = rows[0]
    reading.user_keys[first.username] = first.key
    groups = frozenset(row.group_id for row in rows if row.group_id is not None)
    return Person(first.key, first.username, first.name, groups, first.email, first.active, first.external, first.session_epoch)


def person(reading: Reading, username: str) -> Person:
    """Return an active user with the groups.

    Raises:
        NotFound: there is none of this name, or the account is not active.
    """
    found = find_person(reading, username)
    if found is None or not found.active:
        raise NotFound(f"没有用户 {username}（no such user）", field="username")
    return found


def substitutions(reading: Reading, username: str) -> list[Substitution]:
    """Return for whom a user stands in at this moment."""
    return [_substitution(row) for row in reading.all(_ABSENT, {"username": username, "now": reading.now})]


def standing_in(reading: Reading, usernames: Iterable[str]) -> list[Substitution]:
    """Return who stands in for these users at this moment: active users, the oldest substitution first."""
    rows = reading.all(_STANDING_IN, {"usernames": sorted(usernames), "now": reading.now})
    return [_substitution(row) for row in rows]


def members(reading: Reading, group_id: str) -> list[str]:
    """Return the usernames of a group's active members, in order."""
    return [row.username for row in reading.all(_IN_GROUP, {"group": group_id})]


def group_ids(reading: Reading) -> frozenset[str]:
    """Return the ids of all groups."""
    return frozenset(row.id for row in reading.all(select(group.c.id)))


class Directory:
    """What FEEL may ask about people (`users in group`, `user`); answers are kept while one command runs."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._members: dict[str, list[dict[str, Any]]] = {}

    def users_in_group(self, group_id: str) -> Sequence[Mapping[str, Any]]:
        """Return the active members of a group, ordered by username: contexts of id, name, groups, attributes."""
        if group_id not in self._members:
            self._members[group_id] = self._contexts(self._reading.all(_IN_GROUP, {"group": group_id}))
        return self._members[group_id]

    def user(self, username: str) -> Mapping[str, Any] | None:
        """Return one active user, or None."""
        statement = select(user.c.username, user.c.name).where(user.c.username == bindparam("username"), user.c.active)
        found = self._contexts(self._reading.all(statement, {"username": username}))
        return found[0] if found else None

    def _contexts(self, rows: Sequence[Found]) -> list[dict[str, Any]]:
        names = [row.username for row in rows]
        groups = _by_user(self._reading, _GROUPS.where(membership.c.username.in_(names)))
        attributes: dict[str, dict[str, list[str]]] = {}
        for row in self._reading.all(_ATTRIBUTES.where(user_attribute.c.username.in_(names))):
            attributes.setdefault(row.username, {}).setdefault(row.name, []).append(row.value)
        return [
            {
                "id": row.username,
                "name": row.name,
                "groups": groups.get(row.username, []),
                "attributes": attributes.get(row.username, {}),
            }
            for row in rows
        ]


def _by_user(reading: Reading, statement: Select[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for username, value in reading.all(statement):
        found.setdefault(username, []).append(value)
    return found


def _substitution(row: Found) -> Substitution:
    return Substitution(row.key, row.absent, row.substitute, _scope(row.groups), _scope(row.processes))


def _scope(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
