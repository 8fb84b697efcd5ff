"""Who may do what, as far as it is said apart from cases: by the two roles, and by each process's candidate starter groups.

These rights are not kept as records: they are in `engine.store.rights` and in the models. What comes from taking part in a case
(having started it, working in it, having been told) is asked case by case and stands in no list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from engine.errors import NotFound
from engine.queries.listed import search_listed
from engine.queries.searching import Page, Search
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import ADMIN, AUDITOR, person
from engine.store.rights import check_administers
from engine.store.tables import process_definition

_THERE = (
    select(process_definition.c.bpmn_process_id, process_definition.c.key)
    .where(process_definition.c.deleted_at.is_(None))
    .order_by(process_definition.c.bpmn_process_id, process_definition.c.version)
)
_BY_ROLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    ADMIN: {
        "BATCH": ("CREATE", "READ", "UPDATE"),
        "DECISION_DEFINITION": ("CREATE_DECISION_INSTANCE", "READ_DECISION_DEFINITION", "READ_DECISION_INSTANCE"),
        "EXPRESSION": ("EVALUATE",),
        "GROUP": ("CREATE", "READ", "UPDATE"),
        "PROCESS_DEFINITION": (
            "CANCEL_PROCESS_INSTANCE",
            "CREATE_PROCESS_INSTANCE",
            "MODIFY_PROCESS_INSTANCE",
            "READ_PROCESS_DEFINITION",
            "READ_PROCESS_INSTANCE",
            "READ_USER_TASK",
            "SUSPEND_PROCESS_INSTANCE",
            "UPDATE_PROCESS_INSTANCE",
        ),
        "RESOURCE": ("CREATE", "READ"),
        "ROLE": ("READ", "UPDATE"),
        "USER": ("CREATE", "READ", "UPDATE"),
    },
    AUDITOR: {
        "AUDIT_LOG": ("READ",),
        "DECISION_DEFINITION": ("READ_DECISION_DEFINITION", "READ_DECISION_INSTANCE"),
        "PROCESS_DEFINITION": ("READ_PROCESS_DEFINITION", "READ_PROCESS_INSTANCE", "READ_USER_TASK"),
    },
}


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the members of a role or a group may do.

    Attributes:
        owner_type: ROLE | GROUP.
        resource_id: a process's id; `*` = all of the type.
        permission_types: Camunda's words.
    """

    owner_id: str
    owner_type: str
    resource_type: str
    resource_id: str
    permission_types: tuple[str, ...]
    resource_property_name: str | None = None

    @property
    def authorization_key(self) -> int:
        """A number that is always the same for the same owner and resource."""
        text = "\n".join((self.owner_type, self.owner_id, self.resource_type, self.resource_id))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2


def search_authorizations(ctx: Context, who: str, wanted: Search) -> tuple[list[Authorization], Page]:
    """Return authorizations.

    Raises:
        NotAllowed: the person is no administrator.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        return search_listed(_all(ctx, reading), wanted, key="authorization_key")


def search_own_authorizations(ctx: Context, who: str, wanted: Search) -> tuple[list[Authorization], Page]:
    """Return a person's own authorizations: those of their groups, and of the roles that these give."""
    with ctx.store.read() as reading:
        groups = person(reading, who).groups
        return search_listed([item for item in _all(ctx, reading) if item.owner_id in groups], wanted, key="authorization_key")


def find_authorization(ctx: Context, who: str, key: int) -> Authorization:
    """Return one authorization.

    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such authorization.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        for item in _all(ctx, reading):
            if item.authorization_key == key:
                return item
    raise NotFound(f"没有授权 {key}（no such authorization）")


def _all(ctx: Context, reading: Reading) -> Iterator[Authorization]:
    for role, rights in _BY_ROLE.items():
        for resource_type, permissions in rights.items():
            yield Authorization(role, "ROLE", resource_type, "*", permissions)
    newest = {row.bpmn_process_id: row.key for row in reading.all(_THERE)}
    for process_id, key in newest.items():
        for group in sorted(ctx.library.process(reading, key).process.candidate_starter_groups):
            yield Authorization(group, "GROUP", "PROCESS_DEFINITION", process_id, ("CREATE_PROCESS_INSTANCE",))
