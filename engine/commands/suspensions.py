"""Suspend and resume: tasks stay visible, locked, with the reason; clocks and jobs go on unless the model stops them."""

from __future__ import annotations

from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import lock_to_correct
from engine.errors import Conflict, InvalidValue
from engine.history.events import Resumed, Suspended
from engine.store.context import Context


def suspend_instance(ctx: Context, key: int, by: str | None, reason: str, except_scope: int | None = None) -> None:
    """Suspend a case, with everything it called; suspending it again changes the reason.

    Args:
        except_scope: an element instance (a sub-process) that goes on, with all in it.
    Raises:
        InvalidValue: there is no reason.
        NotAllowed: `by` is no administrator.
        Conflict: the case has ended.
    """
    if not reason.strip():
        raise InvalidValue("请填写暂停原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, key, by)
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
        if unit.row["suspended_at"] is None:
            raise Conflict("事项未暂停（the case is not suspended）")
        resume(unit, reason)
        unit.commit("resume_instance", actor=by)


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
