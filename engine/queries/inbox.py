"""The inbox: mine, my groups', overdue, done, all. A page costs the page, not the pile.

A group's open tasks are one range of an index in order of urgency; the ranges of several groups are merged as far as the
page needs.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Select, Text, bindparam, or_, select, tuple_

from engine.errors import InvalidValue
from engine.queries.records import Count, InboxPage, Task
from engine.queries.rows import TASKS, tasks_by_key, tasks_of
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import Actor, actor, may_work
from engine.store.tables import IS_OPEN, process_definition, process_instance, task_candidate, user_task
from engine.store.transactions import Found
from engine.store.types import to_microseconds

PAGE = 50
TABS = ("mine", "groups", "overdue", "done", "all")
_COUNTED = 100
_BATCH = 100
_SEARCHED = 2000

_Place = tuple[int, int]  # (due_sort, task key): where a task stands in order of urgency

_OFFERED = (
    select(task_candidate.c.due_sort, task_candidate.c.task_key)
    .where(
        task_candidate.c.kind == bindparam("kind"),
        task_candidate.c.name == bindparam("name"),
        tuple_(task_candidate.c.due_sort, task_candidate.c.task_key) > tuple_(bindparam("sort"), bindparam("task")),
    )
    .order_by(task_candidate.c.due_sort, task_candidate.c.task_key)
    .limit(_BATCH)
)
_OPEN = (
    select(user_task.c.due_sort, user_task.c.key.label("task_key"))
    .where(IS_OPEN, tuple_(user_task.c.due_sort, user_task.c.key) > tuple_(bindparam("sort"), bindparam("task")))
    .order_by(user_task.c.due_sort, user_task.c.key)
    .limit(_BATCH)
)
_ASSIGNED = _OPEN.where(user_task.c.assignee == bindparam("name"))
# What decides whether a task is somebody's: enough for counting.
_RIGHTS = select(
    user_task.c.key,
    user_task.c.bpmn_process_id,
    user_task.c.assignee,
    user_task.c.on_behalf_of,
    user_task.c.candidate_groups,
    user_task.c.candidate_users,
    user_task.c.excluded_users,
)
_DONE = (
    TASKS.where(user_task.c.ended_by == bindparam("name"))
    .order_by(user_task.c.ended_at.desc(), user_task.c.key.desc())
    .limit(PAGE + 1)
    .offset(bindparam("offset"))
)


def inbox(ctx: Context, who: str, tab: str = "mine", search: str = "", page: int = 1) -> InboxPage:
    """Return a page of a person's tasks, 50 a page, the most urgent first.

    Args:
        tab: mine (assigned to them, or to somebody they stand in for), groups (offered to them and claimed by nobody), overdue
            (both, past their due date), done (completed by them), all (every open task, for administrators and auditors).
        search: words looked for in business id, process, subject and task name.
    Raises:
        InvalidValue: there is no such tab.
        NotFound: there is no such user.
    """
    if tab not in TABS:
        raise InvalidValue(f"没有标签页 {tab}（no such tab）", field="tab")
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        rows = list(_rows(reading, acting, tab, search.strip(), max(page, 1)))
        counts = {name: _count(reading, acting, name) for name in TABS if name not in {"done", "all"}}
        tasks = tasks_of(ctx, reading, rows[:PAGE])
    return InboxPage(tab, search, max(page, 1), tasks, len(rows) > PAGE, counts)


def _rows(reading: Reading, acting: Actor, tab: str, search: str, page: int) -> Iterator[Found]:
    first = (page - 1) * PAGE
    if search:
        yield from islice(_searched(reading, acting, tab, search), first, first + PAGE + 1)
    elif tab == "done":
        yield from reading.all(_DONE, {"name": acting.username, "offset": first})
    else:
        yield from islice(_open(reading, acting, tab), first, first + PAGE + 1)


def _count(reading: Reading, acting: Actor, tab: str) -> Count:
    return Count(sum(1 for _ in islice(_open(reading, acting, tab, _RIGHTS), _COUNTED)))


def _open(reading: Reading, acting: Actor, tab: str, statement: Select[*tuple[Any, ...]] = TASKS) -> Iterator[Found]:
    places = heapq.merge(*_sources(reading, acting, tab))
    limit = to_microseconds(reading.now) if tab == "overdue" else None
    for keys in _batches(places, limit):
        for row in tasks_by_key(reading, keys, statement):
            if _belongs(acting, tab, row):
                yield row


def _belongs(acting: Actor, tab: str, row: Found) -> bool:
    if tab == "all" and (acting.person.is_admin or acting.person.is_auditor):
        return True
    if tab == "mine" and row.assignee is None:
        return False
    if tab == "groups" and row.assignee is not None:
        return False
    return may_work(acting, row) or row.assignee == acting.username


def _sources(reading: Reading, acting: Actor, tab: str) -> list[Iterator[_Place]]:
    if tab == "all" and (acting.person.is_admin or acting.person.is_auditor):
        return [_places(reading, _OPEN, {})]
    names = [acting.username, *(absent.person.username for absent in acting.absent)]
    groups = set(acting.person.groups).union(*(absent.person.groups for absent in acting.absent))
    assigned = [_places(reading, _ASSIGNED, {"name": name}) for name in dict.fromkeys(names)]
    offered = [_places(reading, _OFFERED, {"kind": "group", "name": name}) for name in sorted(groups)]
    offered += [_places(reading, _OFFERED, {"kind": "user", "name": name}) for name in dict.fromkeys(names)]
    return {"mine": assigned, "groups": offered}.get(tab, assigned + offered)


def _places(reading: Reading, statement: Select[*tuple[int, int]], parameters: dict[str, str]) -> Iterator[_Place]:
    """Yield an index range in batches, each beginning behind the last place of the one before."""
    last: _Place = (-1, -1)
    while True:
        rows = reading.all(statement, {**parameters, "sort": last[0], "task": last[1]})
        for row in rows:
            last = (row.due_sort, row.task_key)
            yield last
        if len(rows) < _BATCH:
            return


def _batches(places: Iterator[_Place], limit: int | None) -> Iterator[list[int]]:
    """Yield task keys in order of urgency, without doubles, until the limit of `due_sort`."""
    batch: list[int] = []
    last = None
    for sort, key in places:
        if limit is not None and sort > limit:
            break
        if key != last:
            batch.append(key)
        last = key
        if len(batch) > PAGE:
            yield batch
            batch = []
    if batch:
        yield batch


def _searched(reading: Reading, acting: Actor, tab: str, search: str) -> Iterator[Found]:
    statement = TASKS
    for word in search.split()[:5]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (
            process_instance.c.business_id,
            process_instance.c.subject,
            process_definition.c.name,
            process_definition.c.bpmn_process_id,
            user_task.c.name,
        )
        statement = statement.where(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    if tab == "done":
        statement = statement.where(user_task.c.ended_by == acting.username).order_by(user_task.c.ended_at.desc())
        yield from reading.all(statement.limit(_SEARCHED))
        return
    statement = statement.where(IS_OPEN).order_by(user_task.c.due_sort, user_task.c.key).limit(_SEARCHED)
    for row in reading.all(statement):
        if tab == "overdue" and (row.due_at is None or row.due_at > reading.now):
            continue
        if _belongs(acting, tab, row):
            yield row


def find_tasks(
    ctx: Context,
    *,
    instance: int | None = None,
    assignee: str | None = None,
    group: str | None = None,
    for_user: str | None = None,
    element_id: str | None = None,
    state: str = "OPEN",
    most: int = 1000,
) -> tuple[Task, ...]:
    """Return tasks by what is asked for together, the most urgent first: for programs, without regard to rights.

    Args:
        group: offered to this group, claimed or not.
        for_user: that this person may work on.
    """
    in_state = IS_OPEN if state == "OPEN" else user_task.c.state == state
    statement = TASKS.where(in_state).order_by(user_task.c.due_sort, user_task.c.key)
    if instance is not None:
        statement = statement.where(user_task.c.instance_key == instance)
    if assignee is not None:
        statement = statement.where(user_task.c.assignee == assignee)
    if element_id is not None:
        statement = statement.where(user_task.c.element_id == element_id)
    if group is not None:
        statement = statement.where(user_task.c.candidate_groups.cast(Text).contains(f'"{group}"', autoescape=True))
    with ctx.store.read() as reading:
        if for_user is None:
            return tasks_of(ctx, reading, reading.all(statement.limit(most)))
        acting = actor(reading, for_user)
        rows = (row for row in reading.execute(statement) if may_work(acting, row))
        return tasks_of(ctx, reading, list(islice(rows, most)))


def may_work_on(ctx: Context, task_key: int, who: str) -> bool:
    """Whether a person may claim or complete an open task."""
    with ctx.store.read() as reading:
        rows = tasks_by_key(reading, [task_key])
        return bool(rows) and rows[0].state == "OPEN" and may_work(actor(reading, who), rows[0])
