"""Timers: fired once, by whichever driver comes first. A timer whose row is gone was fired or disarmed before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from engine import feel
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import begin, new_unit
from engine.commands.surroundings import environment
from engine.commands.taking import taken_for_instance
from engine.definitions import Element
from engine.kernel import timers as due_dates
from engine.kernel.evaluation import Evaluation
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import start_event, timer

_TIMER = select(timer).where(timer.c.key == bindparam("timer"))
_START = select(start_event).where(start_event.c.key == bindparam("timer")).with_for_update()
_NEXT = update(start_event).where(start_event.c.key == bindparam("timer")).values(due_at=bindparam("at"), state=bindparam("memo"))
_LAST = delete(start_event).where(start_event.c.key == bindparam("timer"))


def fire_timer(ctx: Context, timer_key: int) -> bool:
    """Fire a timer that is due; False = it was fired or disarmed before, or is not due (any more)."""
    with ctx.store.begin() as tx:
        row = tx.one(_TIMER, {"timer": timer_key})
        if row is None:
            return False
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        row = tx.one(_TIMER, {"timer": timer_key})  # again, under the lock
        if row is None or row.due_at > tx.now or not unit.active:
            return False
        unit.apply(unit.kernel.fire_timer(timer_key))
        unit.commit("fire_timer")
    return True


def fire_start_timer(ctx: Context, key: int) -> int | None:
    """Start the instance that a timer start event asks for; return its key, None = another driver was faster."""
    with ctx.store.begin() as tx:
        row = tx.one(_START, {"timer": key})
        if row is None or row.due_at is None or row.due_at > tx.now:
            return None
        following = due_dates.following(row.state, Evaluation(environment(ctx, tx)), tx.now)
        if following is None:
            tx.execute(_LAST, {"timer": key})
        else:
            tx.execute(_NEXT, {"timer": key, "at": following.at, "memo": following.memo(tx.now)})
            tx.falls_due(following.at)
        unit = new_unit(ctx, tx, row.definition_key)
        begin(unit, {}, start_event_id=row.element_id)
        unit.commit("fire_start_timer")
    return unit.key


def first_due(tx: Transaction, event: Element, surroundings: feel.Environment) -> tuple[datetime, dict[str, object]] | None:
    """Return when a timer start event fires first, and its state; None for a date that is past.

    Raises:
        Trouble: its expression has no such value.
    """
    if event.event is None or event.event.timer is None:
        return None
    due = due_dates.first(event.event.timer, {}, Evaluation(surroundings), tx.now)
    if due.at < tx.now and due.anchor is None:
        return None
    return due.at, due.memo(tx.now)


def recompute_deadlines(ctx: Context, job_key: int) -> None:
    """Compute a case's provisional deadlines anew, after the calendar was changed."""
    with taken_for_instance(ctx, job_key) as found:
        if found is None:
            return
        unit = found.unit
        keys = [row.key for row in found.tx.all(select(timer.c.key).where(timer.c.instance_key == unit.key, timer.c.provisional))]
        unit.apply(unit.kernel.recompute(keys))
        if unit.changes:
            unit.commit("recompute_deadlines")
