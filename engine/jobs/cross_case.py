"""The job types `count-instances` and `collect-instances`: what a model may know of other cases.

Inputs: `processId`, `states` (list of ACTIVE, COMPLETED, TERMINATED; default all), `elementId` (entered at least once), `where`
(context: variable → value), `startedFrom`, `startedTo` (ISO; from included, to excluded), `variables` (list of names to collect),
`resultVariable`. Results: `count`, a number; `instances`, a list of contexts {businessId, key, state, startedAt, endedAt,
<variables>} in order of start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from engine.history import canonical, codec
from engine.history.journal import get_blob
from engine.jobs.service import ServiceTask
from engine.kernel.advance import ElementEntered
from engine.store import Reading, exact_json
from engine.store.tables import blob, journal, process_instance, variable

STATES = ("ACTIVE", "COMPLETED", "TERMINATED")
MAX_INSTANCES = 10_000
"""Cases in one collection: what is more belongs in a narrower question."""

_CHUNK = 500  # cases whose variables are read by one statement


def count_instances(task: ServiceTask) -> Mapping[str, Any]:
    """Count the cases that match."""
    return {task.inputs.text("resultVariable", "count"): sum(1 for _ in _matching(task))}


def collect_instances(task: ServiceTask) -> Mapping[str, Any]:
    """Collect the cases that match, with some of their variables."""
    names = task.inputs.texts("variables")
    collected: list[dict[str, Any]] = []
    for row, variables in _matching(task):
        if len(collected) == MAX_INSTANCES:
            raise task.inputs.wrong("processId", f"匹配的案件超过 {MAX_INSTANCES} 个，请缩小范围 (too many cases match)")
        case = {
            "businessId": row.business_id,
            "key": str(row.key),
            "state": row.state,
            "startedAt": canonical.moment(row.started_at),
            "endedAt": canonical.moment(row.ended_at) if row.ended_at is not None else None,
        }
        collected.append(case | {name: variables.get(name) for name in names})
    return {task.inputs.text("resultVariable", "instances"): collected}


def _matching(task: ServiceTask) -> Iterator[tuple[Row[Any], dict[str, Any]]]:
    inputs = task.inputs
    zone = ZoneInfo(task.unit.row["time_zone"])
    states = inputs.texts("states", STATES)
    if unknown := [state for state in states if state not in STATES]:
        raise inputs.wrong("states", f"应为 {', '.join(STATES)} (must be among these): {unknown[0]}")
    statement = select(process_instance).where(
        process_instance.c.bpmn_process_id == inputs.text("processId"), process_instance.c.state.in_(states)
    )
    if (start := inputs.moment("startedFrom", zone)) is not None:
        statement = statement.where(process_instance.c.started_at >= start)
    if (end := inputs.moment("startedTo", zone)) is not None:
        statement = statement.where(process_instance.c.started_at < end)
    wanted = inputs.context("where")
    names = {*wanted, *inputs.texts("variables")}
    element_id = inputs.text("elementId", "")
    rows = task.tx.all(statement.order_by(process_instance.c.started_at, process_instance.c.key))
    for chunk in (rows[place : place + _CHUNK] for place in range(0, len(rows), _CHUNK)):
        keys = [row.key for row in chunk]
        variables = _variables(task.tx, keys, names)
        reached = _reached(task.tx, keys, element_id) if element_id else set(keys)
        for row in chunk:
            known = variables.get(row.key, {})
            if row.key in reached and all(name in known and known[name] == value for name, value in wanted.items()):
                yield row, known


def _variables(reading: Reading, keys: Sequence[int], names: set[str]) -> dict[int, dict[str, Any]]:
    if not names:
        return {}
    statement = (
        select(variable.c.instance_key, variable.c.name, variable.c.value, blob.c.content)
        .join_from(variable, blob, blob.c.digest == variable.c.digest, isouter=True)
        .where(variable.c.instance_key.in_(keys), variable.c.scope_key == variable.c.instance_key, variable.c.name.in_(names))
    )
    found: dict[int, dict[str, Any]] = {}
    for key, name, value, content in reading.execute(statement):
        found.setdefault(key, {})[name] = value if content is None else exact_json.loads(bytes(content).decode())
    return found


def _reached(reading: Reading, keys: Sequence[int], element_id: str) -> set[int]:
    """Return the cases that entered an element at least once, as their journals say."""
    written = canonical.dumps(element_id)
    statement = select(journal.c.instance_key, journal.c.at, journal.c.payload).where(journal.c.instance_key.in_(keys))
    found: set[int] = set()
    for key, at, payload in reading.execute(statement):
        if key not in found and written in codec.text(payload):  # what the search finds is then read properly
            _, events = codec.decode(codec.Place(key, at), payload, str, partial(get_blob, reading))
            if any(isinstance(event, ElementEntered) and event.element_id == element_id for event in events):
                found.add(key)
    return found
