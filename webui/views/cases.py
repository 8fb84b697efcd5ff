"""A case: diagram, facts, tasks, history, called processes, alerts, offered actions; administrators suspend and end it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from engine import commands, errors, queries
from engine.queries.records import Alert, InstancePage, Offer
from webui import access, casework, formats, naming, problems, sessions, submissions, telling
from webui.i18n import text

bp = Blueprint("cases", __name__, url_prefix="/cases")


@bp.get("")
def index() -> str:
    """Search cases: those the person may see."""
    search, process, state = (request.args.get(name, "").strip()[:200] for name in ("q", "process", "state"))
    page = max(1, request.args.get("page", 1, type=int))
    found = access.ask(
        queries.instances, sessions.username(), search=search, bpmn_process_id=process or None, state=state or None, page=page
    )

    def page_url(number: int) -> str:
        return url_for("cases.index", q=search or None, process=process or None, state=state or None, page=number)

    return render_template(
        "cases/index.html",
        rows=[casework.summary_of_case(instance) for instance in found.instances],
        search=search,
        process=process,
        state=state,
        states=casework.state_choices(),
        processes=_processes(),
        page=found.page,
        pages=found.page + found.has_next,
        complete=found.complete,
        page_url=page_url,
        may_administer=sessions.person().is_admin,
        kinds=[("suspend", text("暂停")), ("resume", text("恢复")), ("cancel", text("终止"))],
    )


@bp.get("/<int:key>")
def show(key: int) -> str:
    """The case's page."""
    person = sessions.person()
    found = access.ask(queries.instance, key, person.username)
    course = telling.course(access.ask(queries.journal, key, person.username), naming.names)
    return render_template(
        "cases/show.html",
        case=_case(found),
        facts=casework.facts_of(found),
        tasks=[casework.task_row(task, may_open=True) for task in found.tasks],
        children=[casework.summary_of_case(child) for child in found.children],
        incidents=found.incidents,
        alerts=[_alert(alert) for alert in found.alerts],
        offers=[_offer(offer) for offer in found.offers],
        choices=found.choices,
        attachments=access.ask(queries.attachments, key, person.username),
        clocks=_clocks(found),
        history=course,
        history_more=len(course) >= telling.NEWEST,
        may_administer=person.is_admin,
        may_audit=person.is_admin or person.is_auditor,
        dialogs=_dialogs(),
    )


@bp.get("/<int:key>/tables/<name>.csv")
def table_csv(key: int, name: str) -> Response:
    """A list of the case as CSV."""
    found = casework.table_named(access.ask(queries.instance, key, sessions.username()), name)
    if found is None:
        raise errors.NotFound(f"没有表格 {name}（no such table）")
    response = make_response(casework.csv_of(found))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.csv')}"
    return response


# --- offered actions ----------------------------------------------------------------------------------------------------


@bp.get("/<int:key>/offers/<int:subscription>")
def offer(key: int, subscription: int) -> Response:
    """The form of an action that the person may take."""
    return _offer_page(key, subscription)


@bp.post("/<int:key>/offers/<int:subscription>")
def trigger(key: int, subscription: int) -> Response:
    """Take the action."""
    typed = submissions.read()
    try:
        access.run(commands.trigger_subscription, subscription, typed, sessions.username())
    except errors.Refused as error:
        return _offer_page(key, subscription, error=error, typed=typed)
    flash(text("已提交。"), "ok")
    return _back(key)


def _offer_page(
    key: int, subscription: int, *, error: errors.LiuzhuanError | None = None, typed: dict[str, Any] | None = None
) -> Response:
    found = access.ask(queries.offer, subscription, sessions.username())
    wrong = submissions.problems(error)
    page = render_template(
        "cases/offer.html",
        case=casework.summary_of_case(found.instance),
        offer=_offer(found.offer),
        form=submissions.form_on_page(found.form, found.variables, typed),
        problems=wrong,
        problems_json=submissions.problems_json(wrong),
        conflict=problems.sentence(error) if error and not wrong else None,
    )
    response = make_response(page)
    response.status_code = problems.status_of(error) if error else 200
    return response


@bp.post("/<int:key>/ad-hoc/<int:ad_hoc>")
def start_in_ad_hoc(key: int, ad_hoc: int) -> Response:
    """Start an element of an ad-hoc sub-process."""
    access.run(commands.start_in_ad_hoc, key, ad_hoc, [request.form.get("element", "")], sessions.username())
    flash(text("已开始。"), "ok")
    return _back(key)


# --- administration -----------------------------------------------------------------------------------------------------


@bp.post("/<int:key>/suspend")
@sessions.only("admin")
def suspend(key: int) -> Response:
    """Suspend the case, with a reason."""
    access.run(commands.suspend_instance, key, sessions.username(), request.form.get("reason", ""))
    flash(text("事项已暂停。"), "ok")
    return _back(key)


@bp.post("/<int:key>/resume")
@sessions.only("admin")
def resume(key: int) -> Response:
    """Let the case go on."""
    access.run(commands.resume_instance, key, sessions.username(), request.form.get("reason", ""))
    flash(text("事项已恢复。"), "ok")
    return _back(key)


@bp.post("/<int:key>/cancel")
@sessions.only("admin")
def cancel(key: int) -> Response:
    """End the case, with a reason."""
    access.run(commands.cancel_instance, key, sessions.username(), request.form.get("reason", ""))
    flash(text("事项已终止。"), "ok")
    return _back(key)


def _back(key: int) -> Response:
    return make_response(redirect(url_for("cases.show", key=key), 303))


def _dialogs() -> list[tuple[str, str, str, str]]:
    return [
        (
            "suspend",
            text("暂停事项"),
            text("任务会锁定并显示原因。期限照常计算；到点的计时和收到的消息先保留，恢复时立即处理。"),
            text("暂停"),
        ),
        ("resume", text("恢复事项"), text("任务解除锁定，可以继续办理。"), text("恢复")),
        ("cancel", text("终止事项"), text("所有未完成的任务都会取消，不能撤回。已有的历史全部保留。"), text("终止事项")),
    ]


# --- parts of the page --------------------------------------------------------------------------------------------------


def _case(found: InstancePage) -> dict[str, Any]:
    case = casework.summary_of_case(
        found.instance, facts=found.facts, elements=found.elements, tasks=found.tasks, incidents=found.incidents
    )
    parent = found.parent
    names = {"key": parent.key, "business_id": parent.business_id, "process_name": parent.process_name} if parent else None
    return {**case, "parent": names}


def _clocks(found: InstancePage) -> list[dict[str, Any]]:
    now, names = access.now(), naming.elements(found.instance.process_definition_key)
    return [
        {"label": names.get(timer.element_id) or timer.element_id, "due": formats.due(timer.due_at, now), "still": False}
        for timer in sorted(found.timers, key=lambda timer: timer.due_at)[:8]
    ]


def _alert(alert: Alert) -> dict[str, Any]:
    word, tone = telling.alert_kind(alert.kind)
    people = text("、").join(
        filter(None, [naming.group_names(alert.groups), *(naming.person_name(user) or "" for user in alert.users)])
    )
    return {
        "kind_text": word,
        "tone": tone,
        "subject": alert.subject,
        "raised_at": alert.raised_at,
        "due_at": alert.due_at,
        "recipients": people,
    }


def _offer(found: Offer) -> dict[str, Any]:
    return {"key": found.key, "name": naming.localized(found.name or found.element_name, found.name_en)}


def _processes() -> list[dict[str, str]]:
    return [{"id": process_id, "name": name} for process_id, name in access.ask(queries.process_names).items()]
