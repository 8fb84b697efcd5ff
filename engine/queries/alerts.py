"""Alerts: a person's own, a case's, all."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from engine.queries.records import Alert, Count
from engine.store import Reading
from engine.store.context import Context
from engine.store.tables import alert, alert_recipient, process_instance
from engine.store.transactions import Found

PAGE = 50

_ALERTS = select(alert, process_instance.c.bpmn_process_id, process_instance.c.business_id).join(
    process_instance, process_instance.c.key == alert.c.instance_key
)


def alerts(ctx: Context, who: str, *, unread: bool = False, page: int = 1) -> tuple[tuple[Alert, ...], bool]:
    """Return a page of a person's alerts, the newest first, and whether there are more."""
    statement = (
        _ALERTS.add_columns(alert_recipient.c.read_at, alert_recipient.c.on_behalf_of)
        .join(alert_recipient, alert_recipient.c.alert_key == alert.c.key)
        .where(alert_recipient.c.username == who)
        .order_by(alert_recipient.c.alert_key.desc())
        .limit(PAGE + 1)
        .offset((max(page, 1) - 1) * PAGE)
    )
    if unread:
        statement = statement.where(alert_recipient.c.read_at.is_(None))
    with ctx.store.read() as reading:
        rows = reading.all(statement)
        return _records(reading, rows[:PAGE]), len(rows) > PAGE


def unread_alerts(ctx: Context, who: str) -> Count:
    """Return how many alerts a person has not read."""
    unread = (
        select(alert_recipient.c.alert_key)
        .where(alert_recipient.c.username == who, alert_recipient.c.read_at.is_(None))
        .limit(100)
        .subquery()
    )
    with ctx.store.read() as reading:
        return Count(reading.scalar(select(func.count()).select_from(unread)) or 0)


def all_alerts(ctx: Context, instance_key: int | None = None, most: int = 10_000) -> tuple[Alert, ...]:
    """Return an instance's alerts, or all, in the order in which they were raised: for programs, without regard to rights."""
    statement = _ALERTS.order_by(alert.c.key).limit(most)
    if instance_key is not None:
        statement = statement.where(alert.c.instance_key == instance_key)
    with ctx.store.read() as reading:
        return _records(reading, reading.all(statement))


def alerts_of(reading: Reading, instance_keys: Collection[int]) -> tuple[Alert, ...]:
    """Return the alerts of some instances, the newest first."""
    statement = _ALERTS.where(alert.c.instance_key.in_(sorted(instance_keys))).order_by(alert.c.key.desc())
    return _records(reading, reading.all(statement))


def _records(reading: Reading, rows: Sequence[Found]) -> tuple[Alert, ...]:
    keys = [row.key for row in rows]
    got: dict[int, list[Found]] = {}
    if keys:
        recipients = select(alert_recipient).where(alert_recipient.c.alert_key.in_(keys)).order_by(alert_recipient.c.username)
        for recipient in reading.all(recipients):
            got.setdefault(recipient.alert_key, []).append(recipient)
    return tuple(_record(row, got.get(row.key, [])) for row in rows)


def _record(row: Found, recipients: list[Found]) -> Alert:
    through = dict.fromkeys(item.group_id for item in recipients if item.group_id is not None)  # administrators, say
    return Alert(
        key=row.key,
        process_instance_key=row.instance_key,
        bpmn_process_id=row.bpmn_process_id,
        business_id=row.business_id,
        element_id=row.element_id,
        kind=row.kind,
        subject=row.subject,
        text=row.text,
        due_at=row.due_at,
        raised_at=row.raised_at,
        groups=tuple(row.groups if row.groups is not None else through),
        users=tuple(row.users or ()),
        recipients=tuple(item.username for item in recipients),
        read_at=getattr(row, "read_at", None),
        on_behalf_of=getattr(row, "on_behalf_of", None),
    )
