"""A task's page: its form with what it may read, the case's facts, its history, its clock, and what this person may do."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from engine import history
from engine.errors import NotFound
from engine.queries import forms
from engine.queries.journal import due_clock, lines
from engine.queries.records import Task, TaskPage
from engine.queries.rows import INSTANCES, instance_of, task_of, tasks_by_key
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import Actor, actor, may_see_instance, may_work
from engine.store.tables import draft, process_instance
from engine.store.transactions import Found
from engine.store.variables import view

_DRAFT = select(draft.c.data).where(draft.c.task_key == bindparam("task"), draft.c.username == bindparam("who"))


def task(ctx: Context, key: int, who: str) -> TaskPage:
    """Return what a task's page shows to a person.

    Raises:
        NotFound: there is no such task, or this person may not know of it.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        row = _row(reading, key)
        mine = may_work(acting, row)
        if not mine and not may_see_instance(reading, acting, row.instance_key):
            raise _missing(key)
        found = task_of(ctx, reading, row)
        case = reading.one(INSTANCES.where(process_instance.c.key == row.instance_key))
        if case is None:
            raise _missing(key)
        version = ctx.library.process(reading, row.case_definition_key)
        entries = history.entries(reading, row.instance_key)
        going = found.state == "OPEN" and found.suspended_reason is None
        hidden = hidden_scopes(ctx, reading, version, row.instance_key, acting.person)
        variables = view(reading, row.instance_key, row.key if row.state == "OPEN" else None)
        known = {} if row.instance_key in hidden else view(reading, row.instance_key)
        return TaskPage(
            task=found,
            instance=instance_of(reading, case),
            form=forms.form_view(ctx, reading, row.form_key),
            variables=variables if mine else {},
            draft=reading.scalar(_DRAFT, {"task": key, "who": who}) if row.has_draft else None,
            facts=forms.facts(forms.labels(ctx, reading, version), version.process.summary, known),
            history=lines(reading, entries, hidden),
            clock=due_clock(key, row.created_at, row.ended_at or reading.now, entries),
            may_claim=going and mine and found.assignee != who,
            may_unclaim=going and _may_unclaim(acting, found),
            may_complete=going and mine and found.assignee == who,
            may_assign=going and (found.assignee == who or acting.person.is_admin),
            reason=_reason(acting, found, mine),
        )


def _may_unclaim(acting: Actor, found: Task) -> bool:
    offered = bool(found.candidate_groups or found.candidate_users or found.on_behalf_of)
    return offered and found.assignee is not None and (found.assignee == acting.username or acting.person.is_admin)


def _reason(acting: Actor, found: Task, mine: bool) -> str | None:
    """Why this person cannot work on it, in words; None = nothing is in the way."""
    if found.state != "OPEN":
        return "任务已办结或已取消"
    if found.suspended_reason is not None:
        return f"事项已暂停：{found.suspended_reason}"
    if acting.username in found.excluded_users:
        return "您与本事项有利害关系，不得办理"
    if mine:
        return None
    return f"任务已由 {found.assignee_name or found.assignee} 认领" if found.assignee else "任务未分配给您"


def _row(reading: Reading, key: int) -> Found:
    rows = tasks_by_key(reading, [key])
    if not rows:
        raise _missing(key)
    return rows[0]


def _missing(key: int) -> NotFound:
    return NotFound(f"没有任务 {key}（no such task）")
