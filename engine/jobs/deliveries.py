"""Mail and webhooks: sent outside any transaction, at least once, with the same idempotency key at every try."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, delete, or_, select, update

from engine.commands import work
from engine.commands.instance_unit import InstanceUnit
from engine.history import canonical
from engine.history.events import DeliveryFailed, DeliverySent
from engine.jobs.service import back_off
from engine.kernel.advance import IncidentRaised
from engine.ports import Mail
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import Person, find_person
from engine.store.tables import alert, process_instance
from engine.store.tables import job as job_table

LEASE = timedelta(minutes=5)
"""How long a delivery is one driver's own: longer than any adapter's timeout."""

_log = logging.getLogger(__name__)

_JOB = select(job_table).where(job_table.c.key == bindparam("job"))
_FREE = or_(job_table.c.locked_until.is_(None), job_table.c.locked_until <= bindparam("now"))
_LEASE = (
    update(job_table)
    .where(job_table.c.key == bindparam("job"), job_table.c.due_at <= bindparam("now"), job_table.c.retries > 0, _FREE)
    .values(locked_until=bindparam("until"), worker="deliveries")
)
_DONE = delete(job_table).where(job_table.c.key == bindparam("job"))
_RETRY = (
    update(job_table)
    .where(job_table.c.key == bindparam("job"), job_table.c.locked_until == bindparam("lease"))
    .values(retries=bindparam("left"), due_at=bindparam("at"), error_message=bindparam("why"), worker=None, locked_until=None)
)
_ALERT = (
    select(alert, process_instance.c.business_id, process_instance.c.subject.label("case_subject"))
    .join_from(alert, process_instance, process_instance.c.key == alert.c.instance_key)
    .where(alert.c.key == bindparam("alert"))
)


@dataclass(frozen=True, slots=True)
class _Delivery:
    channel: str
    send: Callable[[], None]
    recipient: str


def deliver(ctx: Context, job_key: int) -> bool:
    """Send one mail or webhook; False = it was sent before, or another driver is at it.

    A failure is tried again after a back-off that doubles; the last one leaves an incident that an administrator can retry.
    """
    with ctx.store.begin() as tx:
        if tx.execute(_LEASE, {"job": job_key, "now": tx.now, "until": tx.now + LEASE}).rowcount != 1:
            return False
    with ctx.store.read() as reading:
        row = reading.one(_JOB, {"job": job_key})
        delivery = None if row is None else _prepare(ctx, reading, row)
    if row is None:
        return False
    if delivery is None:  # no way out is configured any more, or nobody to send it to
        _settle(ctx, row)
        return True
    try:
        delivery.send()
    except Exception as error:  # an adapter of any kind: the delivery must not be lost
        _log.warning("delivery %s failed: %s", row.idempotency_key, error)
        _retry(ctx, row, delivery, str(error) or type(error).__name__)
    else:
        _settle(ctx, row, delivery)
    return True


def _prepare(ctx: Context, reading: Reading, row: Row[Any]) -> _Delivery | None:
    told = reading.one(_ALERT, {"alert": row.input["alert_key"]})
    if told is None:
        return None
    if row.type == work.MAIL:
        person = find_person(reading, row.input["username"])
        mailer = ctx.ports.mailer
        if mailer is None or person is None or not person.active or not person.email:
            return None
        absent = find_person(reading, row.input["on_behalf_of"]) if row.input.get("on_behalf_of") else None
        mail = Mail(person.email, _subject(told), _text(ctx, told, absent), row.idempotency_key)
        return _Delivery("mail", lambda: mailer.send(mail), person.username)
    webhook, url = ctx.ports.webhook, ctx.settings.webhook_url
    if webhook is None or not url:
        return None
    body = _body(told)
    return _Delivery("webhook", lambda: webhook.post(url, body, row.idempotency_key), "")


def _settle(ctx: Context, row: Row[Any], delivery: _Delivery | None = None) -> None:
    with ctx.store.begin() as tx:
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        if tx.execute(_DONE, {"job": row.key}).rowcount == 1 and delivery is not None:
            unit.record(DeliverySent(row.input["alert_key"], delivery.channel, delivery.recipient))
            unit.commit("deliver")


def _retry(ctx: Context, row: Row[Any], delivery: _Delivery, message: str) -> None:
    with ctx.store.begin() as tx:
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        left = row.retries - 1
        at = tx.now + back_off(row.created_at, tx.now) if left > 0 else None
        retried = {"job": row.key, "lease": row.locked_until, "left": left, "at": at, "why": message[:2000]}
        if tx.execute(_RETRY, retried).rowcount != 1:
            return  # the lease ran out meanwhile: another driver is at it, or was done with it
        if at is not None:
            tx.falls_due(at)
            return
        alert_key = row.input["alert_key"]
        element_id = tx.scalar(select(alert.c.element_id).where(alert.c.key == alert_key))
        text = f"提醒未能送达（{delivery.channel} {delivery.recipient}）：{message} (an alert could not be delivered)"
        unit.record(
            DeliveryFailed(alert_key, delivery.channel, delivery.recipient, message),
            IncidentRaised(next(ctx.keys), row.key, element_id, work.DELIVERY_FAILED, text),
        )
        unit.commit("deliver")


def _subject(told: Row[Any]) -> str:
    return f"[{told.business_id}] {told.subject}" if told.business_id else str(told.subject)


def _text(ctx: Context, told: Row[Any], absent: Person | None) -> str:
    lines = [told.text, "", f"案件 Case: {told.business_id or told.instance_key} {told.case_subject}".rstrip()]
    if told.due_at is not None:
        lines.append(f"应提醒 Due: {_local(ctx, told.due_at)}")
    lines.append(f"实际提醒 Raised: {_local(ctx, told.raised_at)}")
    if absent is not None:
        lines.append(f"您代理{absent.name}收到此提醒 You stand in for {absent.name}")
    return "\n".join(lines)


def _local(ctx: Context, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(ctx.settings.time_zone)).strftime("%Y-%m-%d %H:%M %z")


def _body(told: Row[Any]) -> bytes:
    return canonical.dumps(
        {
            "alertKey": str(told.key),
            "processInstanceKey": str(told.instance_key),
            "businessId": told.business_id,
            "elementId": told.element_id,
            "kind": told.kind,
            "subject": told.subject,
            "text": told.text,
            "dueAt": told.due_at,
            "raisedAt": told.raised_at,
        }
    ).encode()
