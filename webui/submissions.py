"""What people typed into a form: read from a request, kept as a draft, brought back after a session expired under it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import request, url_for

from engine import commands, errors
from engine.store import exact_json
from webui import access
from webui.i18n import is_english, text


@dataclass(frozen=True, slots=True)
class FormOnPage:
    """A form as form-js is handed it: JSON texts, and the hash that a submission names."""

    schema: str
    data: str
    digest: str


def form_on_page(form: Any, *data: Mapping[str, Any] | None) -> FormOnPage | None:
    """Return a form for a page; of several data the later one counts.

    Args:
        form: a query's FormView, or None.
    """
    if form is None:
        return None
    merged: dict[str, Any] = {}
    for values in data:
        merged.update(values or {})
    return FormOnPage(exact_json.dumps(form.schema), exact_json.dumps(merged), form.hash)


def read() -> dict[str, Any]:
    """Return the data of a submitted form, numbers exact.

    Raises:
        InvalidValue: it is not a JSON object.
    """
    return parse(request.form.get("data") or "{}")


def parse(source: str) -> dict[str, Any]:
    """Return the JSON object of a text.

    Raises:
        InvalidValue: it is something else.
    """
    data = exact_json.loads(source)
    if not isinstance(data, dict):
        raise errors.InvalidValue(text("提交的内容不是一张表单。"))
    return data


def read_json() -> dict[str, Any]:
    """Return the JSON object of a request's body; see `parse`."""
    return parse(request.get_data(as_text=True) or "{}")


def problems(error: errors.LiuzhuanError | None) -> list[dict[str, Any]]:
    """Return what is wrong with a submission, as the page and its script show it."""
    if not isinstance(error, errors.InvalidSubmission):
        return []
    return [
        {
            "field": problem.field,
            "label": problem.label,
            "message": problem.message_en if is_english() and problem.message_en else problem.message,
            "rule": problem.rule,
        }
        for problem in error.problems
    ]


def problems_json(found: list[dict[str, Any]]) -> str:
    """Return problems as JSON text for a data attribute."""
    return json.dumps(found, ensure_ascii=False)


# --- a submission that came after its session had expired ---------------------------------------------------------------


def draft_place(endpoint: str | None, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where what was typed can be kept as a draft, None where the request was no form."""
    if endpoint in {"tasks.complete", "tasks.save_draft"}:
        return {"task": str(arguments["key"])}
    if endpoint in {"start.submit", "start.save_draft"}:
        return {"process": arguments["process_id"], "draft": request.args.get("draft")}
    return None


def page_behind(endpoint: str | None, arguments: Mapping[str, Any]) -> str:
    """Return the page that a submission came from."""
    if endpoint and endpoint.startswith("tasks."):
        return url_for("tasks.show", key=arguments["key"])
    if endpoint and endpoint.startswith("start.") and "process_id" in arguments:
        return url_for("start.form", process_id=arguments["process_id"], draft=request.args.get("draft"))
    if endpoint and endpoint.startswith("cases.") and "key" in arguments:
        return url_for("cases.show", key=arguments["key"])
    return url_for("inbox.index")


def keep(place: Mapping[str, Any], source: str, username: str) -> str:
    """Save what was typed as a person's draft; return the page that shows it."""
    data = parse(source)
    if "task" in place:
        key = int(place["task"])
        access.run(commands.save_draft, key, data, username)
        return url_for("tasks.show", key=key)
    known = int(place["draft"]) if place.get("draft") else None
    draft = access.run(commands.save_start_draft, place["process"], data, username, draft_key=known)
    return url_for("start.form", process_id=place["process"], draft=draft)


def shown_value(value: Any) -> str:
    """Return a variable's value as JSON text, for administrators."""
    return str(value) if isinstance(value, Decimal) else exact_json.dumps(value)
