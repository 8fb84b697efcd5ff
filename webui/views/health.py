"""Whether the server runs, for those who start it and for a load balancer."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webui import access

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """Answer 200 as soon as pages are served and the database answers."""
    return _answer()


@bp.get("/readyz")
def readyz() -> Response:
    """The same, by the name that load balancers ask for."""
    return _answer()


def _answer() -> Response:
    ready = access.is_ready()
    response = jsonify(status="ok" if ready else "unavailable")
    response.status_code = 200 if ready else 503
    return response
