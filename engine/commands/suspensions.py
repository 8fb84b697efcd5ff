"""Suspend and resume: tasks stay visible, locked, with the reason; what comes from outside waits until the case is resumed.

Deadlines are counted on. A timer that falls due and a message or signal that comes while the case (or a case that called it) is
suspended is kept, and acts at once when it is resumed. Jobs that workers or the engine do go on: what was begun is finished.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from engine.commands import work
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import lock_to_correct
from engine.errors import Conflict, InvalidValue
from engine.history.events import Resumed, Suspended
from engine.store.context import Context
from engine.store.tables import job, process_instance, timer

_FAMILY = select(process_instance.c.key).where(process_instance.c.root_key == bindparam("root"))
# Where another suspension still holds them, they are kept again when their turn comes.
_FIRE = update(timer).where(timer.c.instance_key.in_(_FAMILY), timer.c.held).values(held=False)
_DELIVER = (
    update(job)
    .where(job.c.instance_key.in_(_FAMILY), job.c.type.in_(bindparam("types", expanding=True)), job.c.due_at.is_(None))
    .values(due_at=bindparam("at"))
)


def suspend_instance(
    ctx: Context, key: int, by: str | None, reason: str, except_scope: int | None = None, *, once: bool = False
) -> None:
    """Suspend a case, with everything it called; suspending it again changes the reason.

    Args:
        except_scope: an element instance (a sub-process) that goes on, with all in it.
        once: refuse a case that is suspended already.
    Raises:
        InvalidValue: there is no reason.
        NotAllowed: `by` is no administrator.
        Conflict: the case has ended, or is suspended already and `once` is asked for.
    """
    if not reason.strip():
        raise InvalidValue("请填写暂停原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, key, by)
        if once:
            check_running(unit)
        suspend(unit, by, reason, except_scope)
        unit.commit("suspend_instance", actor=by)


def resume_instance(ctx: Context, key: int, by: str | None, reason: str = "") -> None:
    """Let a suspended case go on.

    Raises:
        NotAllowed: `by` is no administrator.
        Conflict: it is not suspended, or has ended.
    """
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, key, by)
        check_suspended(unit)
        resume(unit, reason)
        unit.commit("resume_instance", actor=by)


def check_running(unit: InstanceUnit) -> None:
    """Check that a case is not suspended itself.

    Raises:
        Conflict: it is.
    """
    if unit.row["suspended_at"] is not None:
        raise Conflict("事项已暂停（the case is suspended already）")


def check_suspended(unit: InstanceUnit) -> None:
    """Check that a case is suspended itself (not only by a caller).

    Raises:
        Conflict: it is not.
    """
    if unit.row["suspended_at"] is None:
        raise Conflict("事项未暂停（the case is not suspended）")


def suspend(unit: InstanceUnit, by: str | None, reason: str, except_scope: int | None) -> None:
    """Suspend a locked case, within a command of its own or a built-in job."""
    unit.row |= {
        "suspended_at": unit.tx.now,
        "suspended_by": by,
        "suspended_reason": reason,
        "suspended_except": except_scope,
    }
    unit.record(Suspended(reason, except_scope))


def resume(unit: InstanceUnit, reason: str) -> None:
    """Let a locked, suspended case go on, within a command of its own or a built-in job."""
    unit.row |= {"suspended_at": None, "suspended_by": None, "suspended_reason": None, "suspended_except": None}
    unit.record(Resumed(reason))
    release(unit)


def release(unit: InstanceUnit) -> None:
    """Let what was kept while a case was suspended act: timers that fell due, messages that came, in it and in what it called."""
    family = {"root": unit.row["root_key"]}
    unit.tx.execute(_FIRE, family)
    unit.tx.execute(_DELIVER, {**family, "types": [work.RECEIVE_MESSAGE, work.RECEIVE_SIGNAL], "at": unit.tx.now})
    unit.tx.falls_due(unit.tx.now)
