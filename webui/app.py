"""The Flask application: its blueprints, what every page needs, how it is protected.

app = create_app(engine, Settings.read())
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, g, request, url_for
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from engine import queries
from engine.settings import Settings
from webui import access, formats, i18n, problems, security
from webui.i18n import text
from webui.v2 import blueprint
from webui.views import (
    account,
    admin,
    alerts,
    audit,
    auth,
    batches,
    cases,
    definitions,
    files,
    health,
    inbox,
    migrations,
    modifications,
    replay,
    start,
    statistics,
    tasks,
    tokens,
)

if TYPE_CHECKING:
    from engine.facade import Engine

DIST = Path(__file__).parent / "static" / "dist"
_VIEWS = (
    *(health, auth, inbox, tasks, start, cases, modifications, replay, alerts),
    *(definitions, migrations, files, audit, admin, batches, tokens, account, statistics),
)
_YEAR = 365 * 24 * 3600


def create_app(engine: Engine, settings: Settings) -> Flask:
    """Return the application on an engine; the engine outlives it and is closed by whoever opened it."""
    app = Flask("webui", root_path=str(Path(__file__).parent))
    app.config.update(TIME_ZONE=settings.time_zone, SEND_FILE_MAX_AGE_DEFAULT=_YEAR)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.url_map.strict_slashes = False
    access.attach(engine, app.extensions)
    i18n.init(app, settings.time_zone)
    formats.init(app)
    security.init(app, settings)
    problems.init(app)
    for view in _VIEWS:
        app.register_blueprint(view.bp)
    blueprint.init(app)
    app.context_processor(_shared)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # as Flask's documentation does
    return app


def _shared() -> dict[str, Any]:
    """What every template may use."""
    person: access.Person | None = g.get("person")
    return {
        "asset": asset,
        "english": i18n.is_english(),
        "person": person,
        "navigation": _navigation(person) if person else [],
        "alert_count": access.ask(queries.unread_alerts, person.username).value if person else 0,
        "language_switch": _language_switch,
        "time_zone": access.settings().time_zone,
    }


def asset(name: str) -> str:
    """Return the address of a built asset; it changes with the content, so that browsers may keep it for a year."""
    return url_for("static", filename=f"dist/{name}", v=_digest(name))


@cache
def _digest(name: str) -> str:
    path = DIST / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else ""


def _navigation(person: access.Person) -> list[dict[str, Any]]:
    items = [
        ("inbox", text("收件箱"), "inbox.index", True),
        ("start", text("发起"), "start.index", True),
        ("cases", text("事项"), "cases.index", True),
        ("definitions", text("流程与规则"), "definitions.index", True),
        ("statistics", text("统计"), "statistics.index", not person.groups.isdisjoint({"admin", "auditor", "leadership"})),
        ("audit", text("审计"), "audit.index", person.is_admin or person.is_auditor),
        ("admin", text("管理"), "admin.users", person.is_admin),
    ]
    here = {"tasks": "inbox", "replay": "cases"}.get(request.blueprint or "", request.blueprint)
    return [
        {"label": label, "url": url_for(endpoint), "current": name == here} for name, label, endpoint, shown in items if shown
    ]


def _language_switch() -> Markup:
    """Return the button that switches to the other language and comes back here."""
    from flask_wtf.csrf import generate_csrf

    other = "zh" if i18n.is_english() else "en"
    back = request.full_path.rstrip("?") if request.method == "GET" else request.referrer or "/"
    return Markup(
        '<form method="post" action="{}"><input type="hidden" name="csrf_token" value="{}">'
        '<input type="hidden" name="back" value="{}"><button class="plain" type="submit" lang="{}">{}</button></form>'
    ).format(url_for("auth.switch_language", language=other), generate_csrf(), back, other, i18n.LANGUAGES[other])
