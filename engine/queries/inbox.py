"""The inbox: mine, my groups', overdue, done, all. A page costs the page, not the pile; see `piles` and `inbox_search`."""

from __future__ import annotations

from itertools import islice

from sqlalchemy import Text, bindparam, select

from engine.errors import InvalidValue
from engine.queries.inbox_search import Hits, search_tasks
from engine.queries.piles import Piles
from engine.queries.records import Count, InboxPage, Task
from engine.queries.rows import TASKS, tasks_by_key, tasks_of
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import actor, may_work
from engine.store.search import Words
from engine.store.tables import IS_OPEN, user_task

PAGE = 50
TABS = ("mine", "groups", "overdue", "done", "all")
_COUNTED = ("mine", "groups", "overdue")

_DONE = (
    select(user_task.c.key)
    .where(user_task.c.ended_by == bindparam("name"))
    .order_by(user_task.c.ended_at.desc(), user_task.c.key.desc())
    .limit(PAGE + 1)
    .offset(bindparam("offset"))
)


def inbox(ctx: Context, who: str, tab: str = "mine", search: str = "", page: int = 1) -> InboxPage:
    """Return a page of a person's tasks, 50 a page: the most urgent first; done, the last first; searched, the newest case first.

    Args:
        tab: mine (assigned to them, or to somebody they stand in for), groups (offered to them and claimed by nobody), overdue
            (both, past their due date), done (completed by them), all (every open task, for administrators and auditors).
        search: words looked for in business id, process, subject and task name, however they are written (capitals, full-width).
    Raises:
        InvalidValue: there is no such tab.
        NotFound: there is no such user.
    """
    if tab not in TABS:
        raise InvalidValue(f"没有标签页 {tab}（no such tab）", field="tab")
    page = max(page, 1)
    with ctx.store.read() as reading:
        piles = Piles(reading, actor(reading, who))
        hits = _hits(reading, piles, tab, Words.of(search), page)
        counts = {name: Count(piles.count(name)) for name in _COUNTED}
        tasks = tasks_of(ctx, reading, tasks_by_key(reading, hits.keys[:PAGE]))
    return InboxPage(tab, search, page, tasks, len(hits.keys) > PAGE, counts, hits.complete)


def _hits(reading: Reading, piles: Piles, tab: str, words: Words, page: int) -> Hits:
    first = (page - 1) * PAGE
    if words:
        found = search_tasks(reading, piles, tab, words, first + PAGE + 1)
        return Hits(found.keys[first:], found.complete)
    if tab == "done":
        rows = reading.all(_DONE, {"name": piles.acting.username, "offset": first})
        return Hits([row.key for row in rows], complete=True)
    return Hits(list(islice(piles.keys(tab), first, first + PAGE + 1)), complete=True)


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
