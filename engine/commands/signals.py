"""Signals: broadcast to everyone who waits, one transaction per instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from engine.commands import work
from engine.commands.follow_ups import spread_signal
from engine.commands.instances import begin, new_unit
from engine.commands.taking import taken, taken_for_instance, within_chain
from engine.commands.values import clean
from engine.errors import InvalidValue
from engine.store.context import Context
from engine.store.suspension import suspension
from engine.store.tables import signal_subscription

_WAITS = select(signal_subscription.c.key).where(signal_subscription.c.instance_key == bindparam("instance"))


def broadcast_signal(ctx: Context, name: str, variables: Mapping[str, Any] | None = None, by: str | None = None) -> int:
    """Broadcast a signal; return how many instances it reaches or starts. They go on after commit.

    Args:
        by: username of who broadcasts it: the receivers' journals name them.
    Raises:
        InvalidValue: the name is empty.
    """
    if not name:
        raise InvalidValue("信号名称不能为空（a signal needs a name）")
    with ctx.store.begin() as tx:
        return spread_signal(ctx, tx, name, clean(variables), by=by)


def receive_signal(ctx: Context, job_key: int) -> None:
    """Hand a signal to one instance: to every subscription that waited when it was broadcast and still waits.

    Where the case is suspended it is kept, and handed over when the case is resumed.
    """
    with taken_for_instance(ctx, job_key) as found:
        if found is None:
            return
        unit, content = found.unit, found.content
        loops = found.tx.chain > work.CHAIN_LIMIT
        waiting = {row.key for row in found.tx.all(_WAITS, {"instance": unit.key})}
        kept = [key for key in content["keys"] if key in waiting and suspension(found.tx, unit.row, key) is not None]
        if kept:
            work.add(ctx, found.tx, [work.Work(work.RECEIVE_SIGNAL, unit.key, {**content, "keys": kept}, held=True)])
        for key in content["keys"]:
            if key not in kept and key in waiting and key in unit.kernel.keys:  # one before it may have interrupted it
                if loops:
                    unit.apply(unit.kernel.raise_incident(key, "STEP_BUDGET", work.endless(content["signal"])))
                else:
                    unit.apply(unit.kernel.receive_signal(key, content["signal"], content["variables"]))
        if unit.changes:
            unit.commit("receive_signal", actor=content["by"])


def start_by_signal(ctx: Context, job_key: int) -> None:
    """Start the instance that a signal start event asks for; not where signals have started cases without end."""
    with taken(ctx, job_key) as found:
        if found is not None and within_chain(found):
            content = found.content
            unit = new_unit(ctx, found.tx, content["definition_key"], by=content["by"])
            begin(unit, content["variables"], by=content["by"], start_event_id=content["element_id"])
            unit.commit("start_by_signal", actor=content["by"])
