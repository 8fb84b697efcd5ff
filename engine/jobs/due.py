"""Due work: timers in order of due time, and what the engine does itself – built-in service tasks and its own jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal, or_, select, union_all, update

from engine.commands import batches, calls, messages, signals, timers, work
from engine.jobs import service
from engine.jobs.cross_case import collect_instances, count_instances
from engine.jobs.deliveries import deliver
from engine.jobs.notify import notify
from engine.jobs.telling import publish_message, resume_instance, suspend_instance
from engine.store.context import Context
from engine.store.tables import job, start_event, timer

BUILT_IN: dict[str, service.Handler] = {
    "notify": notify,
    "publish-message": publish_message,
    "count-instances": count_instances,
    "collect-instances": collect_instances,
    "suspend-instance": suspend_instance,
    "resume-instance": resume_instance,
}
"""Job types of service tasks that the engine does itself; all others wait for a worker."""

OWN: dict[str, Callable[[Context, int], object]] = {
    work.START_CHILD: calls.start_child,
    work.CHILD_ENDED: calls.child_ended,
    work.CHILD_ESCALATED: calls.child_escalated,
    work.CANCEL_INSTANCE: calls.cancel_called,
    work.RECEIVE_MESSAGE: messages.receive_message,
    work.START_BY_MESSAGE: messages.start_by_message,
    work.RECEIVE_SIGNAL: signals.receive_signal,
    work.START_BY_SIGNAL: signals.start_by_signal,
    work.RECOMPUTE: timers.recompute_deadlines,
}
"""The engine's own work between cases, each one transaction."""

DELIVERIES = frozenset({work.MAIL, work.WEBHOOK})
"""Work that waits for other machines; the driver does it apart, so that it holds nothing up."""

_BATCHES: dict[str, Callable[[Context, int], object]] = {work.BATCH_ITEM: batches.perform_item}
BATCHES = frozenset(_BATCHES)
"""What is done to many cases at once, each one transaction; the driver does it apart, so that thousands hold nobody up."""

INNER = frozenset(BUILT_IN) | frozenset(OWN)
"""Work that waits for nobody outside: what a command leaves behind is done before its caller gets an answer."""

EVERYTHING = INNER | BATCHES | DELIVERIES

LIMIT = 100_000
"""Pieces of work in one call: a case that makes work without end must not hold the caller for ever."""

_BATCH = 50

_log = logging.getLogger(__name__)

_UNLOCKED = or_(job.c.locked_until.is_(None), job.c.locked_until <= bindparam("now"))
_FREE_AT = case((job.c.locked_until > job.c.due_at, job.c.locked_until), else_=job.c.due_at)


def _of(types: frozenset[str]) -> ColumnElement[bool]:
    # Word by word, not a list: a statement with a list in it is made anew at every call.
    return or_(*(job.c.type == name for name in sorted(types)))


@lru_cache(maxsize=32)
def _jobs(types: frozenset[str]) -> Select[Any]:
    """Jobs of some types that are due, the longest due first."""
    return (
        select(job.c.key, job.c.type)
        .where(job.c.due_at <= bindparam("now"), _of(types), _UNLOCKED)
        .order_by(job.c.due_at, job.c.key)
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=32)
def _next_job(types: frozenset[str]) -> Select[Any]:
    """When the next job of some types is free."""
    return select(func.min(_FREE_AT)).where(job.c.due_at.is_not(None), _of(types))


# Timers of cases and of start events that are due, in order of due time.
_TIMERS = (
    union_all(
        select(timer.c.due_at, timer.c.key, literal(False).label("starts")).where(
            timer.c.due_at <= bindparam("now"), ~timer.c.held
        ),
        select(start_event.c.due_at, start_event.c.key, literal(True)).where(start_event.c.due_at <= bindparam("now")),
    )
    .order_by("due_at", "key")
    .limit(bindparam("most"))
)
# Not min(): with the condition that would look at all of them; the first in order of the index is found at once.
_NEXT_TIMER = select(timer.c.due_at).where(~timer.c.held).order_by(timer.c.due_at).limit(1)
_NEXT_START = select(func.min(start_event.c.due_at)).where(start_event.c.due_at.is_not(None))
_OWN_RETRY = (
    update(job)
    .where(job.c.key == bindparam("job"))
    .values(due_at=bindparam("at"), error_message=bindparam("why"), retries=job.c.retries - 1)
)
_CREATED = select(job.c.created_at).where(job.c.key == bindparam("job"))


def drain(ctx: Context, limit: int = LIMIT, types: Collection[str] = EVERYTHING) -> int:
    """Do the engine's own work that is due now, until none is left; return how many pieces were done.

    What fails is tried again later by itself, and does not come out here as an error.

    Args:
        limit: most pieces of work.
        types: only jobs of these types.
    """
    done: set[int] = set()
    due = _jobs(frozenset(types))
    stuck = 0  # rows that another process is about to remove: looked at once, not for ever
    while len(done) < limit:
        with ctx.store.read() as reading:
            found = reading.all(due, {"now": reading.now, "most": min(_BATCH, limit - len(done)) + stuck})
        rows = [row for row in found if row.key not in done]
        if not rows:
            break
        stuck = len(found) - len(rows)
        for row in rows:
            perform(ctx, row.key, row.type)
        done.update(row.key for row in rows)
    return len(done)


def run_due(ctx: Context, limit: int = LIMIT) -> int:
    """Fire due timers in order of due time, each followed by the work it causes, until nothing is due; return how many fired.

    A timer that was due while nothing ran fires once, with its due time beside the actual one. What it arms for a time that has
    come too fires in the same call.

    Raises:
        Defect: a timer cannot be fired.
    """
    drain(ctx, limit)
    fired = 0
    while fired < limit:
        found = due_timers(ctx, 1)
        if not found:
            break
        for key, starts in found:
            fire(ctx, key, starts)
        fired += 1
        drain(ctx, limit)
    return fired


def due_timers(ctx: Context, most: int) -> list[tuple[int, bool]]:
    """Return (key, whether it is a start event's) of timers that are due, the longest due first."""
    with ctx.store.read() as reading:
        return [(row.key, bool(row.starts)) for row in reading.all(_TIMERS, {"now": reading.now, "most": most})]


def fire(ctx: Context, key: int, starts: bool) -> None:
    """Fire one due timer of a case or of a start event."""
    if starts:
        timers.fire_start_timer(ctx, key)
    else:
        timers.fire_timer(ctx, key)


def perform(ctx: Context, job_key: int, job_type: str) -> None:
    """Do one job that is due; a failure is written down and tried again later."""
    if job_type in BUILT_IN:
        service.run(ctx, job_key, BUILT_IN[job_type])
    elif job_type in DELIVERIES:
        deliver(ctx, job_key)
    else:
        _perform_own(ctx, job_key, (OWN | _BATCHES)[job_type])


def next_due(ctx: Context, types: Collection[str] = EVERYTHING, *, with_timers: bool = True) -> datetime | None:
    """Return when the next timer or job of these types is due (perhaps past); None = nothing waits."""
    with ctx.store.read() as reading:
        moments = [reading.scalar(_next_job(frozenset(types)))]
        if with_timers:
            moments += [reading.scalar(_NEXT_TIMER), reading.scalar(_NEXT_START)]
    return min((moment for moment in moments if moment is not None), default=None)


def _perform_own(ctx: Context, job_key: int, act: Callable[[Context, int], object]) -> None:
    try:
        act(ctx, job_key)
    except Exception as error:  # it must be done one day: nobody is told otherwise, so it never gives up
        _log.exception("%s (job %s) failed; it is tried again", act.__name__, job_key)
        with ctx.store.begin() as tx:
            created_at = tx.scalar(_CREATED, {"job": job_key})
            if created_at is not None:
                at = tx.now + service.back_off(created_at, tx.now)
                tx.execute(_OWN_RETRY, {"job": job_key, "at": at, "why": str(error)[:2000]})
                tx.falls_due(at)
