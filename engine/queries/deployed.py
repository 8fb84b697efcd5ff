"""What was deployed, by the key of any definition in it; and files with decisions as Camunda sees them: decision requirements.

Camunda gives a file with decisions a key and versions of its own. Ours have none: the file's first decision lends it both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.store import Reading
from engine.store.context import Context
from engine.store.tables import decision_definition, form_definition, process_definition
from engine.store.transactions import Found

_KINDS = {
    "process": (process_definition, process_definition.c.bpmn_process_id),
    "decision": (decision_definition, decision_definition.c.decision_id),
    "form": (form_definition, form_definition.c.form_id),
}
_BY_KEY = {
    kind: select(table, column.label("id")).where(table.c.key == bindparam("key"), table.c.deleted_at.is_(None))
    for kind, (table, column) in _KINDS.items()
}
_FIRST = (
    select(decision_definition)
    .where(
        decision_definition.c.deployment_key == bindparam("deployment"),
        decision_definition.c.resource_name == bindparam("name"),
    )
    .order_by(decision_definition.c.key)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A definition's file. `kind`: process | decision | form."""

    kind: str
    key: int
    id: str
    version: int
    version_tag: str | None
    resource_name: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """A file with decisions; `key` and `version` are those of the first decision in it."""

    key: int
    id: str
    name: str
    version: int
    resource_name: str


def find(ctx: Context, key: int, *, processes: Collection[str] | None = None) -> Resource:
    """Return the file of the definition with this key.

    Args:
        processes: of processes, only these ids; None = all.
    Raises:
        NotFound: there is none.
    """
    with ctx.store.read() as reading:
        for kind, statement in _BY_KEY.items():
            row = reading.one(statement, {"key": key})
            if row is not None and (kind != "process" or processes is None or row.id in processes):
                return Resource(kind, row.key, row.id, row.version, row.version_tag, row.resource_name)
    raise NotFound(f"没有资源 {key}（no such resource）")


def requirements(ctx: Context, decision_keys: Iterable[int]) -> dict[int, Requirements]:
    """Return the files of decisions by the decisions' keys.

    Raises:
        NotFound: there is no such decision.
    """
    with ctx.store.read() as reading:
        return {key: _requirements(ctx, reading, key) for key in decision_keys}


def _requirements(ctx: Context, reading: Reading, key: int) -> Requirements:
    model = ctx.library.decision(reading, key).model
    row = reading.one(_BY_KEY["decision"], {"key": key})
    first: Found | None = row and reading.one(_FIRST, {"deployment": row.deployment_key, "name": row.resource_name})
    if first is None:
        raise NotFound(f"没有决策 {key}（no such decision）")
    return Requirements(
        key=first.key,
        id=model.id or first.resource_name,
        name=model.name or model.id or first.resource_name,
        version=first.version,
        resource_name=first.resource_name,
    )
