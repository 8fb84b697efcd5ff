"""What a command on one instance leaves to be done in others: children, parents, receivers of signals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select

from engine.commands import work
from engine.kernel.advance import CallCancelled, CallStarted, Change, Escalated, InstanceEnded
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import IS_ACTIVE, job, process_instance, signal_subscription, start_event

if TYPE_CHECKING:
    from engine.commands.instance_unit import InstanceUnit

_LIVE_CHILD = select(process_instance.c.key).where(
    process_instance.c.parent_key == bindparam("parent"),
    process_instance.c.parent_element_key == bindparam("element"),
    IS_ACTIVE,
)
_RECEIVERS = (
    select(signal_subscription.c.instance_key, signal_subscription.c.key)
    .where(signal_subscription.c.signal == bindparam("signal"))
    .order_by(signal_subscription.c.key)
)
_STARTS = select(start_event).where(start_event.c.kind == "signal", start_event.c.name == bindparam("signal"))


def follow_calls(unit: InstanceUnit, calls: Mapping[int, Change], created: Collection[int]) -> None:
    """Leave the starting of called instances, and the cancelling of those that are not wanted any more."""
    wanted = []
    for key, change in calls.items():
        if isinstance(change, CallStarted):
            content = {
                "element_key": key,
                "element_id": change.element_id,
                "process_id": change.called_process_id,
                "binding": change.binding,
                "version_tag": change.version_tag,
                "variables": dict(change.variables),
                "business_id": change.business_id,
            }
            wanted.append(work.Work(work.START_CHILD, unit.key, content, idempotency_key=_child_key(key)))
        elif isinstance(change, CallCancelled) and key not in created:
            # Not started yet: it never will be. Started: it is cancelled in its own transaction.
            unit.tx.execute(delete(job).where(job.c.idempotency_key == _child_key(key)))
            for row in unit.tx.all(_LIVE_CHILD, {"parent": unit.key, "element": key}):
                wanted.append(work.Work(work.CANCEL_INSTANCE, row.key, {"element_id": change.element_id}))
    work.add(unit.ctx, unit.tx, wanted)


def tell_parent(unit: InstanceUnit, news: Collection[Change]) -> None:
    """Leave a called instance's end or escalation to be told to its call activity."""
    parent, element = unit.row["parent_key"], unit.row["parent_element_key"]
    if parent is None:
        return
    wanted = []
    for change in news:
        content: dict[str, Any] = {"element_key": element, "child_key": unit.key, "variables": {}}
        if isinstance(change, InstanceEnded):
            content |= {"state": change.state, "variables": dict(change.variables)}
            content |= {"error_code": change.error_code, "error_message": change.error_message}
            wanted.append(work.Work(work.CHILD_ENDED, parent, content, idempotency_key=f"ended:{unit.key}"))
        elif isinstance(change, Escalated):
            content |= {"element_id": change.element_id, "code": change.code, "variables": dict(change.variables)}
            wanted.append(work.Work(work.CHILD_ESCALATED, parent, content))
    work.add(unit.ctx, unit.tx, wanted)


def spread_signal(
    ctx: Context, tx: Transaction, name: str, variables: Mapping[str, Any], *, but: int | None = None, by: str | None = None
) -> int:
    """Leave a signal to be delivered to every instance that waits for it (not to `but`) and to signal start events.

    Returns:
        how many instances get it or are started by it.
    """
    receivers: dict[int, list[int]] = {}
    for row in tx.all(_RECEIVERS, {"signal": name}):
        if row.instance_key != but:
            receivers.setdefault(row.instance_key, []).append(row.key)
    content = {"signal": name, "variables": dict(variables), "by": by}
    wanted = [work.Work(work.RECEIVE_SIGNAL, instance, {**content, "keys": keys}) for instance, keys in receivers.items()]
    for start in tx.all(_STARTS, {"signal": name}):
        begin = {"definition_key": start.definition_key, "element_id": start.element_id}
        wanted.append(work.Work(work.START_BY_SIGNAL, None, {**content, **begin}))
    work.add(ctx, tx, wanted)
    return len(wanted)


def _child_key(element_key: int) -> str:
    return f"child:{element_key}"
