"""Timers: fired once, by whichever driver comes first. A timer whose row is gone was fired or disarmed before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from engine import kernel
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import begin, new_unit
from engine.commands.surroundings import without_instance
from engine.commands.taking import taken_for_instance
from engine.history.events import DeadlineRecomputed
from engine.kernel.advance import TaskUpdated, TimerArmed
from engine.store.context import Context
from engine.store.suspension import suspension
from engine.store.tables import IS_OPEN, start_event, timer, user_task

_TIMER = select(timer).where(timer.c.key == bindparam("timer"))
_HOLD = update(timer).where(timer.c.key == bindparam("timer")).values(held=True)
_START = select(start_event).where(start_event.c.key == bindparam("timer")).with_for_update()
_NEXT = update(start_event).where(start_event.c.key == bindparam("timer")).values(due_at=bindparam("at"), state=bindparam("memo"))
_TIMERS = select(timer.c.key, timer.c.due_at).where(timer.c.instance_key == bindparam("instance"))
_TASKS = select(user_task.c.key, user_task.c.due_at).where(user_task.c.instance_key == bindparam("instance"), IS_OPEN)
_SETTLE_TIMERS = (
    update(timer).where(timer.c.instance_key == bindparam("instance"), timer.c.provisional).values(provisional=bindparam("still"))
)
_SETTLE_TASKS = (
    update(user_task)
    .where(user_task.c.instance_key == bindparam("instance"), user_task.c.provisional)
    .values(provisional=bindparam("still"))
)
_LAST = delete(start_event).where(start_event.c.key == bindparam("timer"))


def fire_timer(ctx: Context, timer_key: int) -> bool:
    """Fire a timer that is due; False = it was fired or disarmed before, or is not due (any more).

    While its case is suspended it is kept, and fires when the case is resumed, with its due time beside the actual one.
    """
    with ctx.store.begin() as tx:
        row = tx.one(_TIMER, {"timer": timer_key})
        if row is None:
            return False
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        row = tx.one(_TIMER, {"timer": timer_key})  # again, under the lock
        if row is None or row.due_at > tx.now or not unit.active:
            return False
        if suspension(tx, unit.row, timer_key) is not None:
            tx.execute(_HOLD, {"timer": timer_key})
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
        process = ctx.library.process(tx, row.definition_key).process
        state = kernel.start_timer(process, row.element_id, without_instance(ctx, tx), row.state)
        if state is None:
            tx.execute(_LAST, {"timer": key})
        else:
            due_at = datetime.fromisoformat(state["due"])
            tx.execute(_NEXT, {"timer": key, "at": due_at, "memo": state})
            tx.falls_due(due_at)
        unit = new_unit(ctx, tx, row.definition_key)
        begin(unit, {}, start_event_id=row.element_id)
        unit.commit("fire_start_timer")
    return unit.key


def recompute_deadlines(ctx: Context, job_key: int) -> None:
    """Compute a case's deadlines anew that were counted in a year without a published calendar."""
    with taken_for_instance(ctx, job_key) as found:
        if found is None:
            return
        tx, unit = found.tx, found.unit
        mine = {"instance": unit.key}
        before = {row.key: row.due_at for statement in (_TIMERS, _TASKS) for row in tx.all(statement, mine)}
        advance = unit.kernel.recompute_deadlines()
        unit.apply(advance)
        for change in advance.changes:
            if isinstance(change, TimerArmed | TaskUpdated):
                last = before.get(change.key)
                unit.record(DeadlineRecomputed(change.key, change.element_id, last, change.due_at, unit.provisional))
        if unit.changes:
            unit.commit("recompute_deadlines")
        for statement in (_SETTLE_TIMERS, _SETTLE_TASKS):
            tx.execute(statement, {**mine, "still": unit.provisional})
