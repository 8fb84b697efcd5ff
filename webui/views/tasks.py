"""A task: its form, the facts of its case, where it stands; claimed, given back, handed on, completed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.queries.records import TaskPage
from webui import access, casework, formats, naming, problems, sessions, submissions, telling
from webui.i18n import text

bp = Blueprint("tasks", __name__, url_prefix="/tasks")


@bp.get("/<int:key>")
def show(key: int) -> Response:
    """The task's page."""
    return _page(key)


@bp.post("/<int:key>/claim")
def claim(key: int) -> Response:
    """Take the task."""
    access.run(commands.claim_task, key, by=sessions.username())
    flash(text("已认领。"), "ok")
    return redirect_to(request.form.get("back"), url_for("tasks.show", key=key))


@bp.post("/<int:key>/unclaim")
def unclaim(key: int) -> Response:
    """Give the task back to its candidates."""
    access.run(commands.unclaim_task, key, by=sessions.username())
    flash(text("已退回给组。"), "ok")
    return redirect_to(request.form.get("back"), url_for("inbox.index"))


@bp.post("/<int:key>/assign")
def assign(key: int) -> Response:
    """Hand the task to somebody else it is offered to."""
    access.run(commands.assign_task, key, request.form.get("to") or None, by=sessions.username())
    flash(text("已转交。"), "ok")
    return redirect_to(None, url_for("inbox.index"))


@bp.post("/<int:key>/draft")
def save_draft(key: int) -> Response:
    """Keep what was typed so far."""
    access.run(commands.save_draft, key, submissions.read_json(), by=sessions.username())
    return jsonify(saved=True)


@bp.post("/<int:key>/complete")
def complete(key: int) -> Response:
    """Complete the task; where that is refused, the page comes back with what was typed."""
    typed = submissions.read()
    try:
        access.run(
            commands.complete_task,
            key,
            typed,
            by=sessions.username(),
            password=request.form.get("password") or None,
            form_hash=request.form.get("form_hash") or None,
        )
    except (errors.Refused, errors.Conflict, errors.NotAllowed) as error:
        return _page(key, error=error, typed=typed)
    flash(text("任务已完成。"), "ok")
    return redirect_to(None, url_for("inbox.index"))


def redirect_to(asked: str | None, otherwise: str) -> Response:
    """Redirect to a page of ours that was asked for, or to another."""
    place = asked if asked and asked.startswith("/") and not asked.startswith(("//", "/\\")) else otherwise
    return make_response(redirect(place, 303))


def _page(key: int, *, error: errors.LiuzhuanError | None = None, typed: dict[str, Any] | None = None) -> Response:
    person = sessions.person()
    found = access.ask(queries.task, key, person.username)
    if typed and error is not None:
        _keep_as_draft(key, typed, person.username)
    wrong = submissions.problems(error)
    signature = isinstance(error, errors.SignatureRequired | errors.SignatureWrong | errors.SignInThrottled)
    page = render_template(
        "tasks/show.html",
        task=_view(found),
        case=casework.summary_of_case(
            found.instance,
            facts=found.facts,
            elements=access.ask(queries.element_states, found.instance.key),
            tasks=access.ask(queries.find_tasks, instance=found.instance.key),
            incidents=access.ask(queries.incidents, found.instance.key),
        ),
        form=submissions.form_on_page(found.form, found.variables, found.draft if typed is None else None, typed),
        editable=found.may_complete,
        problems=wrong,
        problems_json=submissions.problems_json(wrong),
        conflict=problems.sentence(error) if error and not wrong and not signature else None,
        kept_note=text("您填写的内容仍在下面，没有丢失。") if typed else None,
        signature_error=problems.sentence(error) if error and signature else None,
        draft_saved_at=None,
        delegates=_delegates(found, person.username),
        history=telling.course(found.history, lambda _: naming.names(found.task.process_definition_key)),
    )
    response = make_response(page)
    response.status_code = problems.status_of(error) if error else 200
    return response


def _keep_as_draft(key: int, typed: dict[str, Any], username: str) -> None:
    """Keep what was refused, where the task still allows it: it is there again when the page was closed."""
    try:
        access.run(commands.save_draft, key, typed, by=username)
    except errors.LiuzhuanError:
        return  # completed or cancelled meanwhile: it is shown on the page that follows, once


def _view(found: TaskPage) -> dict[str, Any]:
    task, clock = found.task, found.clock
    return {
        "key": task.key,
        "element_id": task.element_id,
        "name": naming.localized(task.name, task.name_en),
        "instance_key": task.process_instance_key,
        "state": task.state,
        "assignee": task.assignee_name or task.assignee,
        "groups": naming.group_names(task.candidate_groups),
        "due": formats.due(task.due_at, access.now()),
        "provisional": task.provisional,
        "still": clock.stopped,
        "gross": clock.gross_seconds,
        "net": clock.net_seconds if clock.net_seconds != clock.gross_seconds else None,
        "created_at": task.created_at,
        "ended_at": task.ended_at,
        "signed": task.signed,
        "behalf": naming.person_name(task.on_behalf_of),
        "documentation": "",
        "may_claim": found.may_claim,
        "may_unclaim": found.may_unclaim,
        "locked": found.reason,
    }


def _delegates(found: TaskPage, username: str) -> list[Any]:
    """Whom the task can be handed to: the active people it is offered to, but for those excluded."""
    if not found.may_assign:
        return []
    groups, users = set(found.task.candidate_groups), set(found.task.candidate_users)
    return [
        user
        for user in access.ask(queries.users)
        if user.active
        and user.username != username
        and user.username not in found.task.excluded_users
        and (user.username in users or not groups.isdisjoint(user.groups))
    ]
