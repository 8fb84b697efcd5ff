"""Tokens for programs that call /v2: administrators issue and revoke them; a token is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.commands import tokens as rules
from webui import access, problems, sessions
from webui.i18n import text
from webui.views import admin

bp = Blueprint("tokens", __name__, url_prefix="/admin/tokens")
bp.context_processor(admin.tabs)


@bp.before_request
@sessions.only("admin")
def guard() -> None:
    """Let administrators in, and nobody else."""


@bp.get("")
def index() -> str:
    """All tokens, the newest first."""
    return _page()


@bp.post("")
def issue() -> Response:
    """Issue a token; this page alone shows it."""
    typed: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("username", "name", "processes", "days")}
    typed["scopes"] = request.form.getlist("scopes")
    processes = typed["processes"].replace(",", " ").replace("，", " ").split()
    try:
        days = int(typed["days"]) if typed["days"].isdecimal() and len(typed["days"]) < 5 else 0
        token = access.run(
            commands.issue_token,
            typed["username"],
            typed["name"],
            typed["scopes"],
            access.now() + timedelta(days=days),
            processes=processes or None,
            by=sessions.username(),
        )
    except (errors.Refused, errors.NotFound) as error:
        response = make_response(_page(problem=problems.sentence(error), typed=typed))
        response.status_code = problems.status_of(error)
        return response
    return make_response(_page(token=token))


@bp.post("/<int:key>/revoke")
def revoke(key: int) -> Response:
    """Let a token be good for nothing from now on."""
    access.run(commands.revoke_token, key, sessions.username())
    flash(text("令牌已吊销。"), "ok")
    return make_response(redirect(url_for("tokens.index"), 303))


def _page(problem: str = "", typed: dict[str, Any] | None = None, token: str = "") -> str:
    words = {
        "read": text("读取"),
        "start": text("发起事项、发布消息和信号"),
        "tasks": text("办理任务"),
        "jobs": text("执行作业"),
        "deploy": text("部署"),
        "admin": text("管理操作"),
    }
    blank = {"username": "", "name": "", "processes": "", "days": "90", "scopes": ["read"]}
    return render_template(
        "admin/tokens.html",
        tokens=access.ask(queries.tokens),
        users=[user for user in access.ask(queries.users) if user.active],
        scopes=[(name, words[name]) for name in rules.SCOPES],
        words=words,
        problem=problem,
        typed=typed or blank,
        token=token,
    )
