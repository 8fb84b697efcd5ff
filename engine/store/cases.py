"""Which cases a filter means: the case list shows them, and what is done to many at once is done to the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select

from engine.store.tables import IS_ACTIVE, element_instance, incident, process_definition, process_instance
from engine.store.transactions import Reading

_OTHER = process_instance.alias("other")
# Of its own, so that SQLite reads their index rather than all cases in the order asked for.
_SUSPENDED = select(_OTHER.c.key).where(_OTHER.c.suspended_at.is_not(None))


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Conditions that hold together; what is None or empty is no condition.

    Attributes:
        search: words looked for in business id, subject and process name.
        definition_key: cases that run this version.
        state: ACTIVE | COMPLETED | TERMINATED | suspended.
        started_from, started_to: aware moments, the second excluded.
        element_id: something waits at this element.
        incident: whether it holds an incident.
        called: also instances that others called.
    """

    search: str = ""
    bpmn_process_id: str | None = None
    definition_key: int | None = None
    state: str | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    element_id: str | None = None
    incident: bool | None = None
    called: bool = False


def conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """Return a filter's conditions on `process_instance`, joined with its `process_definition`."""
    found: list[ColumnElement[bool]] = []
    if not wanted.called:
        found.append(process_instance.c.parent_key.is_(None))
    for word in wanted.search.split()[:5]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (process_instance.c.business_id, process_instance.c.subject, process_definition.c.name)
        found.append(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    if wanted.bpmn_process_id is not None:
        found.append(process_instance.c.bpmn_process_id == wanted.bpmn_process_id)
    if wanted.definition_key is not None:
        found.append(process_instance.c.definition_key == wanted.definition_key)
    if wanted.state == "suspended":
        found += [process_instance.c.key.in_(_SUSPENDED), IS_ACTIVE]
    elif wanted.state is not None:
        found.append(process_instance.c.state == wanted.state)
    if wanted.started_from is not None:
        found.append(process_instance.c.started_at >= wanted.started_from)
    if wanted.started_to is not None:
        found.append(process_instance.c.started_at < wanted.started_to)
    if wanted.element_id is not None:
        found.append(
            exists(
                select(element_instance.c.key).where(
                    element_instance.c.instance_key == process_instance.c.key,
                    element_instance.c.element_id == wanted.element_id,
                )
            )
        )
    if wanted.incident is not None:
        holds = exists(select(incident.c.key).where(incident.c.instance_key == process_instance.c.key))
        found.append(holds if wanted.incident else ~holds)
    return found


def matching(wanted: CaseFilter) -> Select[*tuple[Any, ...]]:
    """Return the statement of the keys of the running cases that a filter means, in order."""
    return (
        select(process_instance.c.key)
        .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
        .where(IS_ACTIVE, *conditions(wanted))
        .order_by(process_instance.c.key)
    )


def running(reading: Reading, wanted: CaseFilter, most: int) -> list[int]:
    """Return the keys of the running cases that a filter means, the oldest first, at most so many."""
    return [row.key for row in reading.all(matching(wanted).limit(most))]
