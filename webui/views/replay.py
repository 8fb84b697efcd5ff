"""Replay: a case played back on its diagram, from the journal."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, url_for

from engine import queries
from webui import access, casework, naming, sessions, telling

bp = Blueprint("replay", __name__, url_prefix="/cases/<int:key>/replay")


@bp.get("")
def show(key: int) -> str:
    """The page with diagram, slider and what happened at each step."""
    found = access.ask(queries.instance, key, sessions.username())
    return render_template("cases/replay.html", case=casework.summary_of_case(found.instance))


@bp.get("/frames")
def frames(key: int) -> Response:
    """The steps, as the page's script plays them."""
    username = sessions.username()
    told = telling.frames(access.ask(queries.journal, key, username), naming.names)
    for frame in told:
        frame["diagram"] = url_for("definitions.file", kind="process", key=frame.pop("definition"))
    return jsonify(frames=told)
