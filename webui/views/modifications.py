"""Correcting where a case stands: enter before an element, terminate what is active, see the effect, say why, do it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.kernel import Activation
from engine.kernel.advance import Change, ElementEntered, ElementTerminated, InstanceEnded, TaskCancelled, TaskCreated
from engine.store import exact_json
from webui import access, casework, naming, problems, sessions
from webui.i18n import text

bp = Blueprint("modifications", __name__, url_prefix="/cases/<int:key>/modify")

_NOT_ENTERED = {"PROCESS", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}


@bp.before_request
@sessions.only("admin")
def guard() -> None:
    """Let administrators in, and nobody else."""


@bp.get("")
def show(key: int) -> str:
    """The diagram, what is active, and what may be entered."""
    return _page(key)


@bp.post("")
def run(key: int) -> Response:
    """Show the effect, or do it."""
    try:
        activate, terminate = _wanted()
        if request.form.get("act") != "run":
            effect = commands.preview_modification(
                access.context(), key, sessions.username(), activate=activate, terminate=terminate
            )
            return make_response(_page(key, effect=effect))
        access.run(
            commands.modify_instance,
            key,
            sessions.username(),
            request.form.get("reason", ""),
            activate=activate,
            terminate=terminate,
        )
    except (errors.Refused, errors.NotFound) as error:
        response = make_response(_page(key, problem=problems.sentence(error)))
        response.status_code = 422
        return response
    flash(text("已更正所处位置。"), "ok")
    return make_response(redirect(url_for("cases.show", key=key), 303))


def _wanted() -> tuple[list[Activation], list[int | str]]:
    element, scope = request.form.get("activate", ""), request.form.get("scope", "")
    terminate: list[int | str] = [int(item) for item in request.form.getlist("terminate") if item.isdigit()]
    if not element:
        return [], terminate
    variables: dict[str, Any] = {}
    source = request.form.get("variables", "")
    for line in filter(None, map(str.strip, source.splitlines())):
        name, mark, value = line.partition("=")
        if not mark or not name.strip():
            raise errors.InvalidValue(text("“%(line)s”不是“名称 = JSON 值”。", line=line))
        variables[name.strip()] = exact_json.loads(value.strip())
    process = request.form.get("process", "")
    return [Activation(element, int(scope) if scope.isdigit() else None, {process: variables} if variables else {})], terminate


def _page(key: int, problem: str | None = None, effect: tuple[Change, ...] = ()) -> str:
    found = access.ask(queries.instance, key, sessions.username())
    definition = found.instance.process_definition_key
    names = naming.elements(definition)
    active = [item for item in found.elements if item.state == "ACTIVE" and item.key != key]
    scopes = [item for item in active if item.type in {"SUB_PROCESS", "EVENT_SUB_PROCESS", "AD_HOC_SUB_PROCESS"}]
    tasks = {task.key: task for task in found.tasks if task.state == "OPEN"}
    return render_template(
        "cases/modify.html",
        case=casework.summary_of_case(found.instance, elements=found.elements, tasks=found.tasks, incidents=found.incidents),
        active=[
            {
                "key": item.key,
                "name": names.get(item.element_id) or item.element_id,
                "id": item.element_id,
                "since": item.entered_at,
                "who": naming.person_name(tasks[item.key].assignee) if item.key in tasks else None,
                "draft": item.key in tasks and tasks[item.key].has_draft,
            }
            for item in active
        ],
        elements=access.ask(queries.elements_to_enter, definition),
        scopes=[(item.key, names.get(item.element_id) or item.element_id, item.entered_at) for item in scopes],
        chosen={
            "activate": request.form.get("activate", ""),
            "scope": request.form.get("scope", ""),
            "terminate": request.form.getlist("terminate"),
            "variables": request.form.get("variables", ""),
            "reason": request.form.get("reason", ""),
        },
        effect=_told(effect, names),
        problem=problem,
    )


def _told(effect: tuple[Change, ...], names: Any) -> list[str]:
    told = []
    for change in effect:
        if isinstance(change, InstanceEnded):
            told.append(text("事项终止") if change.state == "TERMINATED" else text("事项完成"))
        elif isinstance(change, ElementTerminated | ElementEntered | TaskCancelled | TaskCreated):
            name = names.get(change.element_id) or change.element_id
            sentences = {
                ElementTerminated: text("终止：%(element)s", element=name),
                ElementEntered: text("进入：%(element)s", element=name),
                TaskCancelled: text("任务取消：%(task)s", task=name),
                TaskCreated: text("任务到达：%(task)s", task=name),
            }
            told.append(sentences[type(change)])
    return told
