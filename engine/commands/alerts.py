"""Alerts: read by those who got them. They are written by the built-in job `notify`."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update

from engine.store.context import Context
from engine.store.tables import alert_recipient


def mark_alerts_read(ctx: Context, who: str, keys: Collection[int] | None = None) -> int:
    """Mark a person's alerts as read (None = all of them); return how many were unread."""
    unread = alert_recipient.c.username == who, alert_recipient.c.read_at.is_(None)
    statement = update(alert_recipient).where(*unread)
    if keys is not None:
        statement = statement.where(alert_recipient.c.alert_key.in_(sorted(keys)))
    with ctx.store.begin() as tx:
        return tx.execute(statement.values(read_at=tx.now)).rowcount
