"""The inbox: mine, my groups', overdue, done."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for

from engine import queries
from engine.queries.records import InboxPage, Task
from engine.store.directory import Person
from webui import access, formats, naming, sessions
from webui.i18n import text

bp = Blueprint("inbox", __name__)


@bp.get("/")
def index() -> str:
    """A page of the inbox; htmx gets the list alone."""
    person = sessions.person()
    tab = request.args.get("tab", "mine")
    search = request.args.get("q", "").strip()[:200]
    found = access.ask(queries.inbox, person.username, tab, search, _page_number())
    template = "inbox/_list.html" if request.headers.get("HX-Request") else "inbox/index.html"
    return render_template(template, **_view(found, person))


def _view(found: InboxPage, person: Person) -> dict[str, Any]:
    def page_url(page: int) -> str:
        return url_for("inbox.index", tab=found.tab, q=found.search or None, page=page)

    return {
        "tab": found.tab,
        "tabs": _tabs(found, person),
        "search": found.search,
        "rows": [_row(task, person) for task in found.tasks],
        "page": found.page,
        "pages": found.page + found.has_next,
        "page_url": page_url,
        "here": page_url(found.page),
        "empty_text": _empty(found.tab),
        "complete": found.complete,
    }


def _tabs(found: InboxPage, person: Person) -> list[dict[str, Any]]:
    labels = {"mine": text("我的"), "groups": text("组内待认领"), "overdue": text("已逾期"), "done": text("已办")}
    if person.is_admin or person.is_auditor:
        labels["all"] = text("全部")
    counts = {tab: found.counts[tab].value if tab in found.counts else None for tab in labels}
    return [{"id": tab, "label": label, "count": counts[tab]} for tab, label in labels.items()]


def _row(task: Task, person: Person) -> dict[str, Any]:
    mine = task.assignee == person.username
    open_ = task.state == "OPEN"
    return {
        "key": task.key,
        "name": naming.localized(task.name, task.name_en),
        "business_id": task.business_id or str(task.process_instance_key),
        "process_name": naming.process(task.process_definition_key, task.process_name),
        "subject": task.subject,
        "assignee": task.assignee_name or task.assignee,
        "groups": naming.group_names(task.candidate_groups),
        "due": formats.due(task.due_at, access.now()),
        "still": False,
        "ended_at": task.ended_at,
        "has_draft": task.has_draft and open_,
        "suspended": task.suspended_reason is not None,
        "behalf": naming.person_name(task.on_behalf_of),
        "may_claim": open_
        and task.assignee is None
        and task.suspended_reason is None
        and person.username not in task.excluded_users,
        "may_unclaim": open_ and mine and task.suspended_reason is None and bool(task.candidate_groups or task.candidate_users),
    }


def _empty(tab: str) -> str:
    return {
        "mine": text("没有您要办的任务。看看“组内待认领”，或发起新的事项。"),
        "groups": text("您所在的组没有待认领的任务。"),
        "overdue": text("没有逾期的任务。"),
        "done": text("您还没有办结的任务。"),
    }.get(tab, text("没有任务。"))


def _page_number() -> int:
    return max(1, request.args.get("page", 1, type=int))
