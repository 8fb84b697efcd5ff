"""Messages find their receivers, by Camunda's rules.

A message correlates to one subscription, or one start event, per process; the oldest subscription first. With a time to live it
waits for receivers that come later. A message start event starts an instance only while none runs that was started with the same
(non-empty) correlation key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, insert, select

from engine.commands import work
from engine.kernel.advance import MessageAwaited
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import IS_ACTIVE, job, message, message_correlation, message_subscription, process_instance, start_event
from engine.store.transactions import Found

_SUBSCRIPTIONS = (
    select(message_subscription)
    .where(
        message_subscription.c.message == bindparam("name"), message_subscription.c.correlation_key == bindparam("correlation")
    )
    .order_by(message_subscription.c.key)
)
_STARTS = select(start_event).where(start_event.c.kind == "message", start_event.c.name == bindparam("name"))
_STARTS_OF = select(start_event).where(start_event.c.kind == "message", start_event.c.bpmn_process_id == bindparam("process"))
_SUBSCRIPTION = select(message_subscription).where(message_subscription.c.key == bindparam("subscription"))
_STILL_WAITS = select(message).where(message.c.key == bindparam("message"), message.c.expires_at > bindparam("now"))
_TAKE_BACK = delete(message_correlation).where(
    message_correlation.c.message_key == bindparam("message"), message_correlation.c.bpmn_process_id == bindparam("process")
)
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


@dataclass(frozen=True, slots=True)
class Published:
    """A message on its way.

    Attributes:
        by: who published it (the receivers' journals name them); None = a process or a program.
        receivers: keys of the instances that it was handed to, or that it starts, in this order, when it was published.
    """

    key: int
    name: str
    correlation_key: str
    variables: Mapping[str, Any]
    by: str | None = None
    receivers: tuple[int, ...] = ()

    @classmethod
    def of(cls, row: Found) -> Published:
        """Return the message of a row of the buffer."""
        return cls(row.key, row.name, row.correlation_key, row.variables, row.published_by)


def publish(
    ctx: Context,
    tx: Transaction,
    name: str,
    correlation_key: str,
    variables: Mapping[str, Any],
    expires_at: datetime,
    *,
    message_id: str | None = None,
    by: str | None = None,
) -> Published:
    """Write a message, and the work that hands it to its receivers. Messages whose time is over go away."""
    tx.execute(delete(message).where(message.c.expires_at <= tx.now))
    published = Published(next(ctx.keys), name, correlation_key, dict(variables), by)
    row = {"key": published.key, "name": name, "correlation_key": correlation_key, "message_id": message_id}
    content = {"variables": published.variables, "published_at": tx.now, "published_by": by, "expires_at": expires_at}
    tx.execute(_ADD, {**row, **content})
    return replace(published, receivers=tuple(correlate(ctx, tx, published)))


def correlate(ctx: Context, tx: Transaction, published: Published) -> list[int]:
    """Write the work that hands a message to those of its receivers that did not get it yet; return their instances' keys."""
    receivers: list[int] = []
    name, correlation_key = published.name, published.correlation_key
    _serialise(tx, name, correlation_key)
    taken = {row.bpmn_process_id for row in tx.all(_TAKEN, {"message": published.key})}
    for subscription in tx.all(_SUBSCRIPTIONS, {"name": name, "correlation": correlation_key}):
        if subscription.bpmn_process_id not in taken and not (subscription.interrupting and _is_pending(tx, subscription.key)):
            taken.add(subscription.bpmn_process_id)
            _hand_over(ctx, tx, published, subscription)
            receivers.append(subscription.instance_key)
    for start in tx.all(_STARTS, {"name": name}):
        if start.bpmn_process_id not in taken and not _is_running(tx, start.bpmn_process_id, correlation_key):
            taken.add(start.bpmn_process_id)
            receivers.append(_start(ctx, tx, published, start))
    return receivers


def take_buffered(ctx: Context, tx: Transaction, bpmn_process_id: str, awaited: Iterable[MessageAwaited]) -> None:
    """Hand messages that already wait to subscriptions that were just opened."""
    for subscription in awaited:
        _serialise(tx, subscription.message, subscription.correlation_key)
        published = _next_waiting(tx, subscription.message, subscription.correlation_key, bpmn_process_id)
        found = tx.one(_SUBSCRIPTION, {"subscription": subscription.key}) if published is not None else None
        if published is not None and found is not None:
            _hand_over(ctx, tx, published, found)


def start_next(ctx: Context, tx: Transaction, bpmn_process_id: str, correlation_key: str) -> None:
    """An instance that a message started has ended: the next waiting message of its key may start one."""
    found = [
        (published, start)
        for start in tx.all(_STARTS_OF, {"process": bpmn_process_id})
        if (published := _next_waiting(tx, start.name, correlation_key, bpmn_process_id)) is not None
    ]
    if found:
        _start(ctx, tx, *min(found, key=lambda each: each[0].key))


def give_back(tx: Transaction, message_key: int, bpmn_process_id: str) -> Published | None:
    """Take a correlation back whose receiver was gone when the message came; return the message if it still waits."""
    tx.execute(_TAKE_BACK, {"message": message_key, "process": bpmn_process_id})
    row = tx.one(_STILL_WAITS, {"message": message_key, "now": tx.now})
    return Published.of(row) if row is not None else None


def keep(ctx: Context, tx: Transaction, subscription: Found, content: Mapping[str, Any]) -> None:
    """Keep a message that was handed to a subscription of a suspended case, until the case is resumed."""
    once = _pending_key(subscription.key) if subscription.interrupting else None
    kept = work.Work(work.RECEIVE_MESSAGE, subscription.instance_key, content, idempotency_key=once, held=True)
    work.add(ctx, tx, [kept])


def _next_waiting(tx: Transaction, name: str, correlation_key: str, bpmn_process_id: str) -> Published | None:
    row = tx.one(_WAITING, {"name": name, "correlation": correlation_key, "now": tx.now, "process": bpmn_process_id})
    return Published.of(row) if row is not None else None


def _hand_over(ctx: Context, tx: Transaction, published: Published, subscription: Found) -> None:
    process, instance = subscription.bpmn_process_id, subscription.instance_key
    tx.execute(_ADD_CORRELATION, {"message_key": published.key, "bpmn_process_id": process, "instance_key": instance})
    content = {
        "message_key": published.key,
        "subscription_key": subscription.key,
        "variables": dict(published.variables),
        "by": published.by,
    }
    once = _pending_key(subscription.key) if subscription.interrupting else None
    work.add(ctx, tx, [work.Work(work.RECEIVE_MESSAGE, instance, content, idempotency_key=once)])


def _start(ctx: Context, tx: Transaction, published: Published, start: Found) -> int:
    """Write the work that starts an instance; return the key that it will have."""
    process, correlation_key, key = start.bpmn_process_id, published.correlation_key, next(ctx.keys)
    tx.execute(_ADD_CORRELATION, {"message_key": published.key, "bpmn_process_id": process, "instance_key": key})
    content = {
        "instance_key": key,
        "message_key": published.key,
        "definition_key": start.definition_key,
        "element_id": start.element_id,
        "correlation_key": correlation_key or None,
        "variables": dict(published.variables),
        "by": published.by,
    }
    once = _start_key(process, correlation_key) if correlation_key else None
    work.add(ctx, tx, [work.Work(work.START_BY_MESSAGE, None, content, idempotency_key=once)])
    return key


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
