"""Messages: published, correlated, received; and events that people may trigger by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select

from engine.commands import attachments, correlation, idempotency, submissions
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import begin, check_active, new_unit
from engine.commands.surroundings import environment
from engine.commands.taking import taken, within_chain
from engine.commands.values import clean
from engine.errors import Conflict, InstanceSuspended, InvalidValue, NotAllowed, NotFound
from engine.history.events import FormSubmitted
from engine.store.context import Context
from engine.store.directory import person
from engine.store.rights import is_offered
from engine.store.suspension import suspension
from engine.store.tables import message, message_subscription

_SUBSCRIPTION = select(message_subscription).where(message_subscription.c.key == bindparam("subscription"))
_SAME = select(message.c.key).where(
    message.c.name == bindparam("name"),
    message.c.correlation_key == bindparam("correlation"),
    message.c.message_id == bindparam("id"),
    message.c.expires_at > bindparam("now"),
)


def publish_message(
    ctx: Context,
    name: str,
    correlation_key: str = "",
    variables: Mapping[str, Any] | None = None,
    ttl: timedelta | None = None,
    message_id: str | None = None,
    by: str | None = None,
    *,
    idempotency_key: str | None = None,
) -> int:
    """Publish a message; return its key. Its receivers go on after commit, each in a transaction of its own.

    Args:
        ttl: how long it waits for receivers that come later; None = it does not wait.
        message_id: the same id of the same name and key is refused while the first one waits.
    Raises:
        Conflict: a message of this id waits already.
        InvalidValue: the name is empty, or the time to live is negative.
    """
    lasts = ttl or timedelta(0)
    if not name or lasts < timedelta(0):
        raise InvalidValue("消息名称不能为空，有效期不能为负（a name and a time to live >= 0 are needed）")
    with ctx.store.begin() as tx:
        if (answer := idempotency.answer(tx, by, idempotency_key)) is not None:
            return int(answer)
        if message_id is not None:
            same = {"name": name, "correlation": correlation_key, "id": message_id, "now": tx.now}
            if tx.one(_SAME, same) is not None:
                raise Conflict(f"消息 {message_id} 已发布（already published）")
        published = correlation.publish(
            ctx, tx, name, correlation_key, clean(variables), tx.now + lasts, message_id=message_id, by=by
        )
        idempotency.remember(tx, by, idempotency_key, published.key)
    return published.key


def correlate_message(
    ctx: Context, name: str, correlation_key: str = "", variables: Mapping[str, Any] | None = None, by: str | None = None
) -> tuple[int, int]:
    """Hand a message to who waits for it now, or start what it starts; return its key, and the first receiver's instance's.

    Raises:
        NotFound: nobody waits for it, and it starts nothing.
        InvalidValue: the name is empty.
    """
    if not name:
        raise InvalidValue("消息名称不能为空（a message needs a name）", field="name")
    with ctx.store.begin() as tx:
        published = correlation.publish(ctx, tx, name, correlation_key, clean(variables), tx.now, by=by)
        if not published.receivers:
            raise NotFound(f"没有流程等待消息 {name}（nobody waits for a message of this name and correlation key）")
    return published.key, published.receivers[0]


def trigger_subscription(
    ctx: Context,
    subscription_key: int,
    data: Mapping[str, Any] | None = None,
    by: str | None = None,
    *,
    form_hash: str | None = None,
) -> None:
    """Trigger an event that is offered to people (`offeredTo`) by hand, with its form.

    Raises:
        NotFound: the event does not wait any more.
        NotAllowed: it is not offered to this person.
        InstanceSuspended: the case is suspended.
        InvalidSubmission: the data break the form's schema.
    """
    with ctx.store.begin() as tx:
        found = tx.one(_SUBSCRIPTION, {"subscription": subscription_key})
        if found is None:
            raise NotFound(f"事件 {subscription_key} 已不再等待（the event does not wait any more）")
        unit = InstanceUnit.lock(ctx, tx, found.instance_key)
        check_active(unit)
        locked = suspension(tx, unit.row, subscription_key)
        if locked is not None:
            raise InstanceSuspended(f"事项已暂停：{locked.reason}（the case is suspended）", element_id=found.element_id)
        if by is not None:
            who = person(tx, by)
            if not (is_offered(who, found.offered_to) or who.external):
                raise NotAllowed("您不能触发此事件（the event is not offered to you）", element_id=found.element_id)
        process = unit.version.process
        accepted = submissions.accept(
            ctx,
            tx,
            submissions.latest_form_key(tx, found.form_id),
            clean(data),
            unit.kernel.view(found.key),
            process=process,
            element=process.elements.get(found.element_id),
            environment=environment(ctx, tx, time_zone=unit.row["time_zone"]),
            by=by,
            form_hash=form_hash,
        )
        if accepted.form_id is not None:
            unit.record(FormSubmitted(found.key, found.element_id, accepted.form_id, accepted.form_hash))
            attachments.bind_attachments(tx, unit.key, unit.key, accepted.data.values(), by)
        unit.apply(unit.kernel.receive_message(found.key, found.message, accepted.data))
        unit.commit("trigger_subscription", actor=by)


def receive_message(ctx: Context, job_key: int) -> None:
    """Hand a correlated message to its subscription. Where that is gone meanwhile, the message looks for another receiver.

    While the case is suspended the message is kept for it, and handed over when the case is resumed.
    """
    with taken(ctx, job_key) as found:
        if found is None or found.unit is None:
            return
        tx, unit, content = found.tx, found.unit, found.content
        subscription = tx.one(_SUBSCRIPTION, {"subscription": content["subscription_key"]})
        if subscription is not None and unit.active:
            if suspension(tx, unit.row, subscription.key) is not None:
                correlation.keep(ctx, tx, subscription, content)
                return
            unit.apply(unit.kernel.receive_message(subscription.key, subscription.message, content["variables"]))
            unit.commit("receive_message", actor=content["by"])
            return
        waiting = correlation.give_back(tx, content["message_key"], unit.row["bpmn_process_id"])
        if waiting is not None:
            correlation.correlate(ctx, tx, waiting)


def start_by_message(ctx: Context, job_key: int) -> None:
    """Start the instance that a message start event asks for; not where messages have started cases without end."""
    with taken(ctx, job_key) as found:
        if found is not None and within_chain(found):
            content = found.content
            unit = new_unit(
                ctx,
                found.tx,
                content["definition_key"],
                by=content["by"],
                correlation_key=content["correlation_key"],
                key=content.get("instance_key"),
            )
            begin(unit, content["variables"], by=content["by"], start_event_id=content["element_id"])
            unit.commit("start_by_message", actor=content["by"])
