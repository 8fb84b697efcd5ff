"""One's own account: who stands in during absence, and the password."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.commands.passwords import check_signature
from engine.queries.records import SubstitutionView
from webui import access, formats, naming, problems, sessions
from webui.i18n import text

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
def show() -> str:
    """The person's page."""
    return _page()


@bp.post("/password")
def set_password() -> Response:
    """Change the password; all other sessions end."""
    username = sessions.username()
    try:
        access.run(check_signature, username, request.form.get("current", ""))
        access.run(commands.set_password, username, request.form.get("new", ""), by=username)
    except (errors.Refused, errors.NotAllowed) as error:
        return _refused(error)
    sessions.sign_in(username, access.ask(queries.who_is, username).session_epoch)
    flash(text("密码已修改，其他设备上的会话已结束。"), "ok")
    return _back()


@bp.post("/substitutions")
def add_substitution() -> Response:
    """Let somebody do one's work for a time; administrators may do so for others."""
    try:
        access.run(
            commands.add_substitution,
            request.form.get("absent") or sessions.username(),
            request.form.get("substitute", ""),
            _moment("from"),
            _moment("until"),
            groups=request.form.getlist("groups") or None,
            processes=request.form.getlist("processes") or None,
            by=sessions.username(),
        )
    except (errors.Refused, errors.NotFound) as error:
        return _refused(error)
    flash(text("代理已设置。"), "ok")
    return _back()


@bp.post("/substitutions/<int:key>/end")
def end_substitution(key: int) -> Response:
    """End a substitution now."""
    access.run(commands.end_substitution, key, by=sessions.username())
    flash(text("代理已结束。"), "ok")
    return _back()


def _moment(field: str) -> datetime:
    try:
        return datetime.fromisoformat(request.form.get(field, "")).replace(tzinfo=formats.zone())
    except ValueError as error:
        raise errors.InvalidValue(text("请填写代理的起止时间。")) from error


def _back() -> Response:
    return make_response(redirect(url_for("account.show"), 303))


def _refused(error: errors.LiuzhuanError) -> Response:
    response = make_response(_page(problem=problems.sentence(error), typed=request.form.to_dict()))
    response.status_code = problems.status_of(error)
    return response


def _page(problem: str | None = None, typed: dict[str, str] | None = None) -> str:
    person = sessions.person()
    users = [user for user in access.ask(queries.users) if user.active]
    found = access.ask(queries.substitutions, None if person.is_admin else person.username)
    names = naming.groups()
    return render_template(
        "account/show.html",
        group_names=naming.group_names(sorted(person.groups)),
        substitutions=[_substitution(item, person) for item in found if item.ended_at is None and item.until_at > access.now()],
        colleagues=[user for user in users if user.username != person.username or person.is_admin],
        absentees=users if person.is_admin else [],
        scope_groups=[{"id": group_id, "name": names.get(group_id, group_id)} for group_id in sorted(person.groups)],
        processes=[{"id": item.bpmn_process_id, "name": item.name} for item in access.ask(queries.definitions) if item.newest],
        problem=problem,
        typed=typed or {},
    )


def _substitution(item: SubstitutionView, person: access.Person) -> dict[str, Any]:
    scope = [naming.group_names(item.groups) if item.groups else "", text("、").join(item.processes or ())]
    return {
        "key": item.key,
        "absent": item.absent_name,
        "substitute": item.substitute_name,
        "from_at": item.from_at,
        "until_at": item.until_at,
        "scope": text("、").join(part for part in scope if part),
        "may_end": person.is_admin or item.absent == person.username,
    }
