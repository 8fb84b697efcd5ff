"""Incidents: all, or those of some cases."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from engine.queries.records import Incident
from engine.store import Reading
from engine.store.context import Context
from engine.store.tables import incident, process_definition, process_instance
from engine.store.transactions import Found

_INCIDENTS = (
    select(
        incident,
        process_instance.c.bpmn_process_id,
        process_instance.c.business_id,
        process_instance.c.definition_key,
        process_definition.c.name.label("process_name"),
    )
    .join(process_instance, process_instance.c.key == incident.c.instance_key)
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
    .order_by(incident.c.key)
)


def incidents(ctx: Context, instance_key: int | None = None, most: int = 1000) -> tuple[Incident, ...]:
    """Return the incidents of an instance, or all, the oldest first: for administrators and programs."""
    statement = _INCIDENTS.limit(most)
    if instance_key is not None:
        statement = statement.where(incident.c.instance_key == instance_key)
    with ctx.store.read() as reading:
        return _records(ctx, reading, reading.all(statement))


def incidents_of(ctx: Context, reading: Reading, instance_keys: Collection[int]) -> tuple[Incident, ...]:
    """Return the incidents of some instances."""
    return _records(ctx, reading, reading.all(_INCIDENTS.where(incident.c.instance_key.in_(sorted(instance_keys)))))


def _records(ctx: Context, reading: Reading, rows: Iterable[Found]) -> tuple[Incident, ...]:
    found = []
    for row in rows:
        element = ctx.library.process(reading, row.definition_key).process.elements.get(row.element_id)
        found.append(
            Incident(
                key=row.key,
                process_instance_key=row.instance_key,
                bpmn_process_id=row.bpmn_process_id,
                process_name=row.process_name,
                business_id=row.business_id,
                element_key=row.element_key,
                element_id=row.element_id,
                element_name=element.name if element is not None else "",
                kind=row.kind,
                message=row.message,
                raised_at=row.raised_at,
            )
        )
    return tuple(found)
