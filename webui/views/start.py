"""Starting a case: the processes this person may start, their start forms, and drafts of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.queries.records import Startable
from webui import access, naming, problems, sessions, submissions
from webui.i18n import text

bp = Blueprint("start", __name__, url_prefix="/start")


@bp.get("")
def index() -> str:
    """The processes, and the forms begun and not submitted."""
    found = access.ask(queries.start_list, sessions.username())
    unfinished = [
        {
            "key": draft.key,
            "process_id": draft.bpmn_process_id,
            "process_name": _process(item)["name"],
            "saved_at": draft.saved_at,
        }
        for item in found
        for draft in item.drafts
    ]
    return render_template("start/index.html", processes=[_process(item) for item in found], drafts=unfinished)


@bp.get("/<process_id>")
def form(process_id: str) -> Response:
    """The start form, with what was typed before."""
    return _page(process_id, draft_key=_draft_key())


@bp.post("/<process_id>/draft")
def save_draft(process_id: str) -> Response:
    """Keep what was typed so far; the first time, the draft gets a key."""
    known = _draft_key()
    key = access.run(commands.save_start_draft, process_id, submissions.read_json(), sessions.username(), draft_key=known)
    if known is not None:
        return jsonify(saved=True)
    return jsonify(
        saved=True,
        location=url_for("start.form", process_id=process_id, draft=key),
        draft_url=url_for("start.save_draft", process_id=process_id, draft=key),
        submit_url=url_for("start.submit", process_id=process_id, draft=key),
    )


@bp.post("/<process_id>/discard")
def discard(process_id: str) -> Response:
    """Throw a draft away."""
    key = _draft_key()
    if key is not None:
        access.run(commands.discard_start_draft, key, sessions.username())
        flash(text("草稿已放弃。"), "ok")
    return make_response(redirect(url_for("start.index"), 303))


@bp.post("/<process_id>")
def submit(process_id: str) -> Response:
    """Start the case, and open its first task where that is the starter's own."""
    typed = submissions.read()
    person = sessions.person()
    try:
        instance = access.run(
            commands.submit_start_form,
            process_id,
            typed,
            person.username,
            draft_key=_draft_key(),
            form_hash=request.form.get("form_hash") or None,
        )
    except (errors.Refused, errors.Conflict) as error:
        return _page(process_id, draft_key=_keep_as_draft(process_id, typed, person.username), error=error, typed=typed)
    flash(text("已发起。"), "ok")
    mine = access.ask(queries.find_tasks, instance=instance, for_user=person.username)
    if len(mine) == 1:
        return make_response(redirect(url_for("tasks.show", key=mine[0].key), 303))
    return make_response(redirect(url_for("cases.show", key=instance), 303))


def _keep_as_draft(process_id: str, typed: dict[str, Any], username: str) -> int | None:
    """Keep what was refused; return the key of the draft, None where there is none."""
    known = _draft_key()
    if not typed:
        return known
    try:
        return access.run(commands.save_start_draft, process_id, typed, username, draft_key=known)
    except errors.LiuzhuanError:
        return known  # too large to be kept: it is shown on the page that follows, once


def _page(
    process_id: str,
    *,
    draft_key: int | None,
    error: errors.LiuzhuanError | None = None,
    typed: dict[str, Any] | None = None,
) -> Response:
    found = access.ask(queries.start_page, process_id, sessions.username(), draft_key=draft_key)
    shown = submissions.form_on_page(found.form, found.draft.data if found.draft and typed is None else None, typed)
    if shown is None:
        return make_response(redirect(url_for("start.index"), 303))
    wrong = submissions.problems(error)
    page = render_template(
        "start/form.html",
        process=_process(found.startable),
        form=shown,
        problems=wrong,
        problems_json=submissions.problems_json(wrong),
        conflict=problems.sentence(error) if error and not wrong else None,
        draft_key=found.draft.key if found.draft else None,
        draft_saved_at=found.draft.saved_at if found.draft else None,
    )
    response = make_response(page)
    response.status_code = problems.status_of(error) if error else 200
    return response


def _process(item: Startable) -> dict[str, Any]:
    return {
        "id": item.bpmn_process_id,
        "name": naming.localized(item.name, item.name_en),
        "documentation": item.documentation,
        "has_form": item.form_id is not None,
    }


def _draft_key() -> int | None:
    return request.args.get("draft", type=int)
