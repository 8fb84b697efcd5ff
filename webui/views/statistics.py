"""Statistics: how many tasks were completed, how long they took, how many in time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from engine import queries
from engine.queries.records import ElementStatistics
from webui import access, sessions

bp = Blueprint("statistics", __name__, url_prefix="/statistics")


@bp.get("")
@sessions.only("admin", "auditor", "leadership")
def index() -> str:
    """All processes."""
    processes = []
    for item in access.ask(queries.definitions):
        if item.newest:
            found = access.ask(queries.statistics, item.bpmn_process_id)
            if found.started:
                processes.append({"figures": found, "name": found.name, "rows": [_row(element) for element in found.elements]})
    return render_template("statistics/index.html", processes=processes)


def _row(element: ElementStatistics) -> dict[str, Any]:
    return {
        "name": element.name,
        "open": element.open,
        "overdue": element.overdue,
        "count": element.completed,
        "median": element.median_seconds,
        "in_time": "—" if element.in_time is None else f"{element.in_time:.0%}",
    }
