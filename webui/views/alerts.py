"""Alerts: the bell, the list, marking as read."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from engine import commands, queries
from engine.queries.records import Alert
from webui import access, naming, sessions, telling

bp = Blueprint("alerts", __name__, url_prefix="/alerts")


@bp.get("")
def index() -> str:
    """The person's alerts, the newest first."""
    page = max(1, request.args.get("page", 1, type=int))
    found, more = access.ask(queries.alerts, sessions.username(), page=page)

    def page_url(number: int) -> str:
        return url_for("alerts.index", page=number)

    shown = [_row(alert) for alert in found]
    unread = any(alert.read_at is None for alert in found)
    return render_template("alerts/index.html", alerts=shown, unread=unread, page=page, pages=page + more, page_url=page_url)


@bp.get("/bell")
def bell() -> str:
    """The bell with the number of unread alerts, asked for every minute."""
    sessions.person()
    return render_template("alerts/_bell.html")


@bp.post("/read")
def mark_read() -> Response:
    """Mark one alert as read, or all."""
    key = request.args.get("key", type=int)
    access.run(commands.mark_alerts_read, sessions.username(), None if key is None else [key])
    return make_response(redirect(url_for("alerts.index"), 303))


def _row(alert: Alert) -> dict[str, Any]:
    word, tone = telling.alert_kind(alert.kind)
    late = alert.due_at is not None and (alert.raised_at - alert.due_at).total_seconds() >= 60
    return {
        "key": alert.key,
        "instance_key": alert.process_instance_key,
        "business_id": alert.business_id,
        "kind_text": word,
        "tone": tone,
        "subject": alert.subject,
        "text": alert.text,
        "raised_at": alert.raised_at,
        "due_at": alert.due_at,
        "late": late,
        "read_at": alert.read_at,
        "behalf": naming.person_name(alert.on_behalf_of),
    }
