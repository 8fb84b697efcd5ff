"""Messages find their receivers, by Camunda's rules.

A message correlates to one subscription, or one start event, per process; the oldest subscription first. With a time to live it
waits for receivers that come later. A message start event starts an instance only while none runs that was started with the same
(non-empty) correlation key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, insert, select

from engine.commands import work
from engine.kernel.advance import MessageAwaited
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import IS_ACTIVE, job, message, message_correlation, message_subscription, process_instance, start_event

_SUBSCRIPTIONS = (
    select(message_subscription)
    .where(
        message_subscription.c.message == bindparam("name"), message_subscription.c.correlation_key == bindparam("correlation")
    )
    .order_by(message_subscription.c.key)
)
_STARTS = select(start_event).where(start_event.c.kind == "message", start_event.c.name == bindparam("name"))
_TAKEN = select(message_correlation.c.bpmn_process_id).where(message_correlation.c.message_key == bindparam("message"))
_RUNNING = select(
    exists(
        select(process_instance.c.key).where(
            process_instance.c.bpmn_process_id == bindparam("process"),
            process_instance.c.correlation_key == bindparam("correlation"),
            IS_ACTIVE,
        )
    )
)
_PENDING = select(job.c.key).where(job.c.idempotency_key == bindparam("idempotency"))
_ADD = insert(message)
_ADD_CORRELATION = insert(message_correlation)


def _waiting(by_process: Any) -> Select[Any]:
    """The oldest message of a name and key that waits, and that this process did not get yet."""
    got = exists(
        select(message_correlation.c.message_key).where(
            message_correlation.c.message_key == message.c.key, message_correlation.c.bpmn_process_id == by_process
        )
    )
    return (
        select(message)
        .where(
            message.c.name == bindparam("name"),
            message.c.correlation_key == bindparam("correlation"),
            message.c.expires_at > bindparam("now"),
            ~got,
        )
        .order_by(message.c.key)
        .limit(1)
    )


_WAITING = _waiting(bindparam("process"))


def buffer(
    ctx: Context,
    tx: Transaction,
    name: str,
    correlation_key: str,
    variables: Mapping[str, Any],
    expires_at: datetime,
    *,
    message_id: str | None = None,
    by: str | None = None,
) -> int:
    """Write a message; return its key. Messages whose time is over go away."""
    tx.execute(delete(message).where(message.c.expires_at < tx.now))
    key = next(ctx.keys)
    row = {"key": key, "name": name, "correlation_key": correlation_key, "message_id": message_id, "variables": dict(variables)}
    tx.execute(_ADD, {**row, "published_at": tx.now, "published_by": by, "expires_at": expires_at})
    return key


def correlate(
    ctx: Context, tx: Transaction, message_key: int, name: str, correlation_key: str, variables: Mapping[str, Any]
) -> int:
    """Write the work that hands a message to its receivers now; return to how many processes."""
    _serialise(tx, name, correlation_key)
    taken = {row.bpmn_process_id for row in tx.all(_TAKEN, {"message": message_key})}
    before = len(taken)
    for subscription in tx.all(_SUBSCRIPTIONS, {"name": name, "correlation": correlation_key}):
        if subscription.bpmn_process_id not in taken and not (subscription.interrupting and _is_pending(tx, subscription.key)):
            taken.add(subscription.bpmn_process_id)
            _hand_over(ctx, tx, message_key, subscription, variables)
    for start in tx.all(_STARTS, {"name": name}):
        if start.bpmn_process_id not in taken and not _is_running(tx, start.bpmn_process_id, correlation_key):
            taken.add(start.bpmn_process_id)
            _start(ctx, tx, message_key, start, correlation_key, variables)
    return len(taken) - before


def take_buffered(ctx: Context, tx: Transaction, bpmn_process_id: str, awaited: Iterable[MessageAwaited]) -> None:
    """Hand messages that already wait to subscriptions that were just opened."""
    for subscription in awaited:
        _serialise(tx, subscription.message, subscription.correlation_key)
        row = _next_waiting(tx, subscription.message, subscription.correlation_key, bpmn_process_id)
        if row is not None:
            found = tx.one(select(message_subscription).where(message_subscription.c.key == subscription.key))
            _hand_over(ctx, tx, row.key, found, row.variables)


def start_next(ctx: Context, tx: Transaction, bpmn_process_id: str, correlation_key: str) -> None:
    """An instance that a message started has ended: the next waiting message of its key may start one."""
    for start in tx.all(
        select(start_event).where(start_event.c.kind == "message", start_event.c.bpmn_process_id == bpmn_process_id)
    ):
        row = _next_waiting(tx, start.name, correlation_key, bpmn_process_id)
        if row is not None:
            _start(ctx, tx, row.key, start, correlation_key, row.variables)
            return


def give_back(tx: Transaction, message_key: int, bpmn_process_id: str) -> Any:
    """Take a correlation back whose receiver was gone when the message came; return the message if it still waits, else None."""
    tx.execute(
        delete(message_correlation).where(
            message_correlation.c.message_key == message_key, message_correlation.c.bpmn_process_id == bpmn_process_id
        )
    )
    return tx.one(select(message).where(message.c.key == message_key, message.c.expires_at > tx.now))


def _next_waiting(tx: Transaction, name: str, correlation_key: str, bpmn_process_id: str) -> Any:
    return tx.one(_WAITING, {"name": name, "correlation": correlation_key, "now": tx.now, "process": bpmn_process_id})


def _hand_over(ctx: Context, tx: Transaction, message_key: int, subscription: Any, variables: Mapping[str, Any]) -> None:
    process, instance = subscription.bpmn_process_id, subscription.instance_key
    tx.execute(_ADD_CORRELATION, {"message_key": message_key, "bpmn_process_id": process, "instance_key": instance})
    content = {"message_key": message_key, "subscription_key": subscription.key, "variables": dict(variables)}
    once = _pending_key(subscription.key) if subscription.interrupting else None
    work.add(ctx, tx, [work.Work(work.RECEIVE_MESSAGE, instance, content, idempotency_key=once)])


def _start(
    ctx: Context, tx: Transaction, message_key: int, start: Any, correlation_key: str, variables: Mapping[str, Any]
) -> None:
    process = start.bpmn_process_id
    tx.execute(_ADD_CORRELATION, {"message_key": message_key, "bpmn_process_id": process, "instance_key": None})
    content = {
        "message_key": message_key,
        "definition_key": start.definition_key,
        "element_id": start.element_id,
        "correlation_key": correlation_key or None,
        "variables": dict(variables),
    }
    once = _start_key(process, correlation_key) if correlation_key else None
    work.add(ctx, tx, [work.Work(work.START_BY_MESSAGE, None, content, idempotency_key=once)])


def _is_running(tx: Transaction, process: str, correlation_key: str) -> bool:
    if not correlation_key:
        return False
    if tx.one(_PENDING, {"idempotency": _start_key(process, correlation_key)}) is not None:
        return True
    return bool(tx.scalar(_RUNNING, {"process": process, "correlation": correlation_key}))


def _is_pending(tx: Transaction, subscription_key: int) -> bool:
    return tx.one(_PENDING, {"idempotency": _pending_key(subscription_key)}) is not None


def _pending_key(subscription_key: int) -> str:
    return f"message:{subscription_key}"


def _start_key(process: str, correlation_key: str) -> str:
    return f"start:{process}:{correlation_key}"[:255]


def _serialise(tx: Transaction, name: str, correlation_key: str) -> None:
    # Who publishes and who opens a subscription at the same instant must see each other; SQLite has one writer anyway.
    if tx.dialect == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"{name}\n{correlation_key}"))))
