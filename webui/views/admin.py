"""Administration: users, groups, the calendar, incidents, the settings in force."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.queries.records import Incident, User
from engine.store import exact_json
from webui import access, naming, problems, sessions, submissions
from webui.i18n import text

bp = Blueprint("admin", __name__, url_prefix="/admin")

_DAY = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})\s+(休|班|holiday|work)\s*(.*)")


@bp.before_request
@sessions.only("admin")
def guard() -> None:
    """Let administrators in, and nobody else."""


@bp.context_processor
def tabs() -> dict[str, Any]:
    """The parts of administration, with the number of incidents."""
    parts = [
        ("users", text("人员"), url_for("admin.users"), None),
        ("groups", text("组"), url_for("admin.groups"), None),
        ("calendar", text("工作日历"), url_for("admin.calendar_page"), None),
        ("incidents", text("出错"), url_for("admin.incidents_page"), len(access.ask(queries.incidents))),
        ("batches", text("批量操作"), url_for("batches.index"), None),
        ("tokens", text("令牌"), url_for("tokens.index"), None),
        ("settings", text("设置"), url_for("admin.settings"), None),
    ]
    here = (request.endpoint or "").removeprefix("admin.")
    current = {"user": "users", "add_user": "users", "calendar_page": "calendar", "enter_year": "calendar"}.get(here, here)
    current = "incidents" if current.startswith(("incident", "resolve")) else current
    current = current.partition(".")[0] if current.startswith(("batches.", "tokens.")) else current
    return {
        "admin_tabs": [
            {"label": label, "url": url, "count": count, "current": name == current} for name, label, url, count in parts
        ]
    }


# --- users --------------------------------------------------------------------------------------------------------------


@bp.get("/")
@bp.get("/users")
def users() -> str:
    """All users."""
    return _users_page()


@bp.post("/users")
def add_user() -> Response:
    """Add a user."""
    typed = {name: request.form.get(name, "").strip() for name in ("username", "name", "email")}
    groups = request.form.getlist("groups")
    try:
        access.run(
            commands.add_user,
            typed["username"],
            typed["name"] or None,
            groups=groups,
            email=typed["email"] or None,
            password=request.form.get("password") or None,
            by=sessions.username(),
        )
    except (errors.Refused, errors.Conflict) as error:
        response = make_response(_users_page(problem=problems.sentence(error), typed={**typed, "groups": groups}))
        response.status_code = problems.status_of(error)
        return response
    flash(text("已添加 %(name)s。", name=typed["name"] or typed["username"]), "ok")
    return _to("admin.user", username=typed["username"])


@bp.get("/users/<username>")
def user(username: str) -> str:
    """One user."""
    found = _user(username)
    lines = [f"{name}={','.join(values)}" for name, values in sorted(found.attributes.items())]
    return render_template("admin/user.html", user=found, attributes_text="\n".join(lines), groups=_groups())


@bp.post("/users/<username>/name")
def set_name(username: str) -> Response:
    """Set name and mail address."""
    name, email = (request.form.get(field, "").strip() for field in ("name", "email"))
    return _change(
        username, lambda: access.run(commands.set_name, username, name or username, email or None, by=sessions.username())
    )


@bp.post("/users/<username>/groups")
def set_groups(username: str) -> Response:
    """Set the groups."""
    chosen = request.form.getlist("groups")
    if username == sessions.username() and "admin" not in chosen:
        raise errors.InvalidValue(text("不能把自己移出系统管理员组：请由另一位管理员操作。"))
    return _change(username, lambda: access.run(commands.set_groups, username, chosen, by=sessions.username()))


@bp.post("/users/<username>/attributes")
def set_attributes(username: str) -> Response:
    """Set the attributes: a line each, `name=value,value`."""
    attributes: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, request.form.get("attributes", "").splitlines())):
        name, mark, values = line.partition("=")
        if not mark or not name.strip():
            raise errors.InvalidValue(text("属性“%(line)s”不是“名称=值”。", line=line))
        attributes[name.strip()] = [value.strip() for value in re.split("[,，]", values) if value.strip()]
    return _change(username, lambda: access.run(commands.set_attributes, username, attributes, by=sessions.username()))


@bp.post("/users/<username>/password")
def set_password(username: str) -> Response:
    """Set a password; the user's sessions end."""
    password = request.form.get("password", "")
    return _change(username, lambda: access.run(commands.set_password, username, password, by=sessions.username()))


@bp.post("/users/<username>/active")
def set_active(username: str) -> Response:
    """Let a user in, or lock them out."""
    active = bool(request.form.get("active"))
    if username == sessions.username() and not active:
        raise errors.InvalidValue(text("不能停用自己的账号。"))
    return _change(username, lambda: access.run(commands.set_active, username, active, by=sessions.username()))


def _change(username: str, act: Callable[[], object]) -> Response:
    try:
        act()
        flash(text("已保存。"), "ok")
    except errors.Refused as error:
        flash(problems.sentence(error), "error")
    return _to("admin.user", username=username)


def _user(username: str) -> User:
    found = next((user for user in access.ask(queries.users) if user.username == username), None)
    if found is None:
        raise errors.NotFound(f"没有用户 {username}（no such user）")
    return found


def _users_page(problem: str | None = None, typed: dict[str, Any] | None = None) -> str:
    search = request.args.get("q", "").strip().lower()
    rows = [
        {
            "username": item.username,
            "name": item.name,
            "active": item.active,
            "group_names": naming.group_names(item.groups),
        }
        for item in access.ask(queries.users)
    ]
    shown = [row for row in rows if search in f"{row['username']} {row['name']} {row['group_names']}".lower()]
    blank = {"username": "", "name": "", "email": "", "groups": []}
    return render_template(
        "admin/users.html", users=shown, search=search, groups=_groups(), problem=problem, typed=typed or blank
    )


# --- groups -------------------------------------------------------------------------------------------------------------


@bp.get("/groups")
def groups() -> str:
    """All groups with their members."""
    members: dict[str, list[User]] = {}
    for item in access.ask(queries.users):
        for group_id in item.groups:
            members.setdefault(group_id, []).append(item)
    shown = [
        {"id": group.id, "name": group.name, "name_en": group.name_en, "members": members.get(group.id, [])}
        for group in access.ask(queries.groups)
    ]
    return render_template("admin/groups.html", groups=shown)


@bp.post("/groups")
def add_group() -> Response:
    """Add a group, or change its names."""
    group_id, name, name_en = (request.form.get(field, "").strip() for field in ("id", "name", "name_en"))
    access.run(commands.add_group, group_id, name or group_id, name_en, by=sessions.username())
    flash(text("已保存。"), "ok")
    return _to("admin.groups")


def _groups() -> list[dict[str, str]]:
    return [{"id": group_id, "name": name} for group_id, name in sorted(naming.groups().items(), key=lambda item: item[1])]


# --- calendar -----------------------------------------------------------------------------------------------------------


@bp.get("/calendar")
def calendar_page() -> str:
    """The days of a year that are not what their weekday says."""
    return _calendar_page()


@bp.post("/calendar/day")
def set_day() -> Response:
    """Enter or correct one day."""
    try:
        on = date.fromisoformat(request.form.get("on", ""))
    except ValueError as error:
        raise errors.InvalidValue(text("请填写日期。")) from error
    working, name = bool(request.form.get("working")), request.form.get("name", "").strip()
    count = access.run(commands.set_day, on, working, name=name, by=sessions.username())
    flash(text("已保存，重新计算了 %(count)s 个事项的暂定期限。", count=count), "ok")
    return _to("admin.calendar_page", year=on.year)


@bp.post("/calendar/year")
def enter_year() -> Response:
    """Enter a year's notice."""
    typed = {name: request.form.get(name, "").strip() for name in ("year", "source", "days")}
    try:
        days, names = _days(typed["days"])
        year = int(typed["year"])
        count = access.run(commands.enter_year, year, days, source=typed["source"], names=names, by=sessions.username())
    except (errors.Refused, ValueError) as error:
        sentence = problems.sentence(error) if isinstance(error, errors.Refused) else text("请填写年份。")
        response = make_response(_calendar_page(problem=sentence, typed=typed))
        response.status_code = 422
        return response
    flash(text("已录入 %(year)s 年，重新计算了 %(count)s 个事项的暂定期限。", year=year, count=count), "ok")
    return _to("admin.calendar_page", year=year)


def _days(source: str) -> tuple[dict[date, bool], dict[date, str]]:
    days: dict[date, bool] = {}
    names: dict[date, str] = {}
    for line in filter(None, map(str.strip, source.splitlines())):
        found = _DAY.fullmatch(line)
        try:
            on = date(*map(int, found.group(1).split("-"))) if found else None
        except ValueError:
            on = None
        if found is None or on is None:
            raise errors.InvalidValue(text("“%(line)s”不是“日期 休 名称”或“日期 班 名称”。", line=line))
        days[on] = found.group(2) in {"班", "work"}
        names[on] = found.group(3).strip()
    return days, names


def _calendar_page(problem: str | None = None, typed: dict[str, str] | None = None) -> str:
    year = request.args.get("year", access.now().year, type=int)
    with access.context().store.read() as reading:
        known = access.context().working_days.calendar(reading)
    weekdays = [text("周一"), text("周二"), text("周三"), text("周四"), text("周五"), text("周六"), text("周日")]
    days = [
        {"on": day.on.isoformat(), "weekday": weekdays[day.on.weekday()], "working": day.working, "name": day.name}
        for day in known.in_year(year)
    ]
    return render_template(
        "admin/calendar.html", year=year, published=year in known.years, days=days, problem=problem, typed=typed or {}
    )


# --- incidents ----------------------------------------------------------------------------------------------------------


@bp.get("/incidents")
def incidents_page() -> str:
    """What stops a case until somebody corrects it."""
    return render_template("admin/incidents.html", incidents=access.ask(queries.incidents))


@bp.get("/incidents/<int:key>")
def incident(key: int) -> str:
    """One incident, with the variables of its case."""
    return _incident_page(_incident(key))


@bp.post("/incidents/<int:key>/resolve")
def resolve_incident(key: int) -> Response:
    """Correct variables and try again."""
    found = _incident(key)
    typed = request.form.get("variables", "")
    try:
        reason = request.form.get("reason", "").strip()[:1000]
        access.run(commands.resolve_incident, key, sessions.username(), _corrections(typed), reason=reason)
    except errors.Refused as error:
        response = make_response(_incident_page(found, problem=problems.sentence(error), typed=typed))
        response.status_code = 422
        return response
    left = [item for item in access.ask(queries.incidents, found.process_instance_key) if item.element_id == found.element_id]
    if left:
        flash(text("重试后仍然出错：%(message)s", message=left[-1].message), "error")
        return _to("admin.incident", key=left[-1].key)
    flash(text("已处理，流程继续。"), "ok")
    return _to("cases.show", key=found.process_instance_key)


def _corrections(source: str) -> dict[str, Any]:
    values = {}
    for line in filter(None, map(str.strip, source.splitlines())):
        name, mark, value = line.partition("=")
        if not mark or not name.strip():
            raise errors.InvalidValue(text("“%(line)s”不是“名称 = JSON 值”。", line=line))
        values[name.strip()] = exact_json.loads(value.strip())
    return values


def _incident(key: int) -> Incident:
    found = next((item for item in access.ask(queries.incidents) if item.key == key), None)
    if found is None:
        raise errors.NotFound(f"没有异常 {key}（no such incident: resolved before?）")
    return found


def _incident_page(found: Incident, problem: str | None = None, typed: str = "") -> str:
    variables = access.ask(queries.variables, found.process_instance_key)
    shown = [(name, submissions.shown_value(value)) for name, value in sorted(variables.items())]
    return render_template("admin/incident.html", incident=found, variables=shown, problem=problem, typed=typed)


# --- settings -----------------------------------------------------------------------------------------------------------


@bp.get("/settings")
def settings() -> str:
    """The settings in force; secrets are not shown."""
    return render_template("admin/settings.html", settings=access.settings().in_force())


def _to(endpoint: str, **values: Any) -> Response:
    return make_response(redirect(url_for(endpoint, **values), 303))
