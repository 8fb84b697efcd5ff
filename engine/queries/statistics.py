"""How processes and their tasks went: counts, medians, share in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from sqlalchemy import func, select

from engine.queries.records import ElementStatistics, ProcessStatistics
from engine.store import Reading
from engine.store.context import Context
from engine.store.tables import IS_OPEN, process_definition, process_instance, user_task


def statistics(
    ctx: Context, bpmn_process_id: str, completed_from: datetime | None = None, completed_to: datetime | None = None
) -> ProcessStatistics:
    """Return how a process's cases and tasks went; what ended in the period counts (None = without limit on that side)."""
    with ctx.store.read() as reading:
        name = reading.scalar(
            select(process_definition.c.name)
            .where(process_definition.c.bpmn_process_id == bpmn_process_id)
            .order_by(process_definition.c.version.desc())
            .limit(1)
        )
        cases = reading.all(
            select(process_instance.c.state, process_instance.c.started_at, process_instance.c.ended_at).where(
                process_instance.c.bpmn_process_id == bpmn_process_id
            )
        )
        ended = [row for row in cases if row.ended_at is not None and _within(row.ended_at, completed_from, completed_to)]
        finished = [row for row in ended if row.state == "COMPLETED"]
        return ProcessStatistics(
            bpmn_process_id=bpmn_process_id,
            name=name or bpmn_process_id,
            running=sum(1 for row in cases if row.state == "ACTIVE"),
            started=sum(1 for row in cases if _within(row.started_at, completed_from, completed_to)),
            completed=len(finished),
            terminated=len(ended) - len(finished),
            median_seconds=_median([(row.ended_at - row.started_at).total_seconds() for row in finished]),
            elements=_elements(reading, bpmn_process_id, completed_from, completed_to),
        )


def _elements(
    reading: Reading, bpmn_process_id: str, completed_from: datetime | None, completed_to: datetime | None
) -> tuple[ElementStatistics, ...]:
    mine = user_task.c.bpmn_process_id == bpmn_process_id
    waiting = {
        row.element_id: row
        for row in reading.all(
            select(
                user_task.c.element_id,
                func.max(user_task.c.name).label("name"),
                func.count().label("open"),
                func.sum((user_task.c.due_at <= reading.now).cast(user_task.c.priority.type)).label("overdue"),
            )
            .where(mine, IS_OPEN, user_task.c.ended_at.is_(None))  # which the index says too
            .group_by(user_task.c.element_id)
        )
    }
    done = select(
        user_task.c.element_id, user_task.c.name, user_task.c.created_at, user_task.c.ended_at, user_task.c.due_at
    ).where(mine, user_task.c.state == "COMPLETED")
    if completed_from is not None:
        done = done.where(user_task.c.ended_at >= completed_from)
    if completed_to is not None:
        done = done.where(user_task.c.ended_at < completed_to)
    names: dict[str, str] = {element: row.name for element, row in waiting.items()}
    seconds: dict[str, list[float]] = {}
    timely: dict[str, list[bool]] = {}
    for row in reading.all(done):
        names.setdefault(row.element_id, row.name)
        seconds.setdefault(row.element_id, []).append((row.ended_at - row.created_at).total_seconds())
        if row.due_at is not None:
            timely.setdefault(row.element_id, []).append(row.ended_at <= row.due_at)
    return tuple(
        ElementStatistics(
            bpmn_process_id=bpmn_process_id,
            element_id=element,
            name=names[element],
            open=waiting[element].open if element in waiting else 0,
            overdue=int(waiting[element].overdue or 0) if element in waiting else 0,
            completed=len(seconds.get(element, ())),
            median_seconds=_median(seconds.get(element, [])),
            in_time=sum(timely[element]) / len(timely[element]) if element in timely else None,
        )
        for element in sorted(names)
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _within(moment: datetime, first: datetime | None, end: datetime | None) -> bool:
    return (first is None or moment >= first) and (end is None or moment < end)
