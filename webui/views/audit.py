"""Audit: prove that the history was not changed, and hand it over."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template, request

from engine import errors, queries
from webui import access, sessions
from webui.i18n import text

bp = Blueprint("audit", __name__, url_prefix="/audit")

_TYPES = {"pack": ("application/zip", "zip"), "csv": ("text/csv; charset=utf-8", "csv"), "xes": ("application/xml", "xes")}


@bp.get("")
@sessions.only("admin", "auditor")
def index() -> str:
    """What can be verified and exported."""
    return render_template("audit/index.html", result=None, business="")


@bp.post("/verify")
@sessions.only("admin", "auditor")
def verify() -> str:
    """Compute every hash again and compare."""
    verdict = access.engine().verify()
    result: dict[str, Any] = {
        "ok": verdict.ok,
        "rows": verdict.rows,
        "cases": verdict.instances,
        "checkpoints": verdict.checkpoints,
        "tail": sum(last - first + 1 for _, first, last in verdict.tail),
        "problems": [fault.message for fault in verdict.faults[:200]],
    }
    return render_template("audit/index.html", result=result, business="")


@bp.get("/export")
@sessions.only("admin", "auditor")
def export() -> Response:
    """A case's history, found by its business id."""
    business = request.args.get("business", "").strip()
    found = access.ask(queries.instances, sessions.username(), search=business).instances if business else ()
    exact = [instance for instance in found if instance.business_id == business or str(instance.key) == business]
    if not exact:
        raise errors.NotFound(text("没有业务编号为“%(business)s”的事项。", business=business))
    return _file(exact[0].key, request.args.get("format", "pack"))


@bp.get("/cases/<int:key>/<kind>")
@sessions.only("admin", "auditor")
def evidence(key: int, kind: str) -> Response:
    """A case's history as an evidence pack, CSV or XES."""
    return _file(key, kind)


def _file(key: int, kind: str) -> Response:
    if kind not in _TYPES:
        raise errors.InvalidValue(text("没有这种导出格式。"))
    instance = access.ask(queries.find_instance, key)
    content_type, ending = _TYPES[kind]
    response = make_response(access.engine().export(key, kind))
    response.headers["Content-Type"] = content_type
    name = f"{instance.business_id or key}.{ending}"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
