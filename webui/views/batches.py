"""What is done to many cases at once: start it for those that a filter means, watch it, see what was refused."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.store.cases import CaseFilter
from webui import access, casework, problems, sessions
from webui.i18n import text
from webui.views import admin

bp = Blueprint("batches", __name__, url_prefix="/admin/batches")
bp.context_processor(admin.tabs)

KINDS = ("suspend", "resume", "cancel", "retry")


@bp.before_request
@sessions.only("admin")
def guard() -> None:
    """Let administrators in, and nobody else."""


@bp.get("")
def index() -> str:
    """The newest batches."""
    return render_template("admin/batches.html", batches=[_shown(item) for item in access.ask(queries.batches)])


@bp.get("/new")
def new() -> str:
    """What would be done, to which cases; asks for the reason."""
    return _new_page({name: request.args.get(name, "").strip()[:200] for name in ("kind", "q", "process", "state", "element")})


@bp.post("/new")
def start() -> Response:
    """Do it, one case after the other."""
    typed = {name: request.form.get(name, "").strip()[:200] for name in ("kind", "q", "process", "state", "element")}
    change = commands.Change(typed["kind"], element_id=typed["element"] or None)
    try:
        if typed["kind"] not in KINDS:
            raise errors.InvalidValue(text("请选择要做什么。"))
        key = commands.start_batch(
            access.context(), change, sessions.username(), request.form.get("reason", ""), cases=_filter(typed)
        )
    except errors.Refused as error:
        response = make_response(_new_page(typed, problem=problems.sentence(error)))
        response.status_code = 422
        return response
    return make_response(redirect(url_for("batches.show", key=key), 303))


@bp.get("/<int:key>")
def show(key: int) -> str:
    """How far a batch is; the page asks again while it is under way."""
    found = access.ask(queries.find_batch, key)
    template = "admin/_batch.html" if request.headers.get("HX-Request") == "true" else "admin/batch.html"
    failures = [(casework.summary_of_case(item.instance), problems.one_language(item.message or "")) for item in found.failures]
    target = int(found.parameters.get("definition_key", 0) or 0)
    return render_template(template, batch=_shown(found), failures=failures, target=target)


def _new_page(typed: dict[str, str], problem: str | None = None) -> str:
    wanted = _filter(typed)
    count, more = access.ask(queries.count_running, wanted)
    return render_template(
        "admin/batch_new.html",
        typed=typed,
        kinds=[(kind, _words(kind)) for kind in KINDS],
        count=count,
        more=more,
        processes=sorted(access.ask(queries.process_names).items(), key=lambda item: item[1]),
        states=[("", text("全部进行中")), ("suspended", text("已暂停"))],
        problem=problem,
    )


def _filter(typed: dict[str, str]) -> CaseFilter:
    retry = typed["kind"] == "retry"
    return CaseFilter(
        search=typed["q"],
        bpmn_process_id=typed["process"] or None,
        state="suspended" if typed["state"] == "suspended" or typed["kind"] == "resume" else None,
        element_id=typed["element"] or None,
        incident=True if retry else None,
        called=retry,
    )


def _words(kind: str) -> str:
    words = {
        "migrate": text("迁移到其他版本"),
        "suspend": text("暂停事项"),
        "resume": text("恢复事项"),
        "cancel": text("终止事项"),
        "modify": text("更正所处位置"),
        "retry": text("重试出错的步骤"),
    }
    return words.get(kind, kind)


def _shown(item: queries.Batch) -> dict[str, Any]:
    return {
        "key": item.key,
        "what": _words(item.kind),
        "kind": item.kind,
        "reason": item.reason,
        "at": item.created_at,
        "by": item.created_by_name or item.created_by or text("系统"),
        "total": item.total,
        "done": item.done,
        "failed": item.failed,
        "waiting": item.waiting,
    }
