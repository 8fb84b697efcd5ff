"""Drafts: what somebody typed and did not send yet, kept on the server; never validated, never journalled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from engine.commands.instances import check_may_start
from engine.errors import InvalidValue, NotFound, TaskNotOpen
from engine.store import Reading, exact_json
from engine.store.context import Context
from engine.store.directory import person
from engine.store.library import process_key
from engine.store.rights import check_may_work
from engine.store.tables import draft, start_draft, user_task
from engine.store.transactions import Found
from engine.store.upsert import upsert

MAX_BYTES = 1_000_000

_TASK = select(user_task).where(user_task.c.key == bindparam("task"))
_MARK = update(user_task).where(user_task.c.key == bindparam("task")).values(has_draft=True)
_START_DRAFT = select(start_draft).where(start_draft.c.key == bindparam("draft"))


def save_draft(ctx: Context, task_key: int, data: Mapping[str, Any], by: str) -> None:
    """Keep what a person typed into a task's form.

    Raises:
        TaskNotOpen, NotAllowed, Excluded, NotFound.
        InvalidValue: it is larger than a megabyte.
    """
    _check_size(data)
    with ctx.store.begin() as tx:
        task = tx.one(_TASK, {"task": task_key})
        if task is None:
            raise NotFound(f"没有任务 {task_key}（no such task）")
        if task.state != "OPEN":
            raise TaskNotOpen("任务已办结或已取消（completed or cancelled meanwhile）", element_id=task.element_id)
        check_may_work(tx, person(tx, by), task)
        row = {"task_key": task_key, "username": by, "data": dict(data), "saved_at": tx.now}
        tx.execute(upsert(tx, draft, ("data", "saved_at")), row)
        if not task.has_draft:
            tx.execute(_MARK, {"task": task_key})


def save_start_draft(ctx: Context, bpmn_process_id: str, data: Mapping[str, Any], by: str, draft_key: int | None = None) -> int:
    """Keep what a person typed into a process's start form: the case begins as a draft. Returns the draft's key.

    Args:
        draft_key: the draft to write anew; None = a new one.
    Raises:
        NotAllowed: the person may not start this process.
        NotFound: there is no such process, or no such draft of this person.
    """
    _check_size(data)
    with ctx.store.begin() as tx:
        version = ctx.library.process(tx, process_key(tx, bpmn_process_id))
        check_may_start(person(tx, by), version)
        key, created_at = next(ctx.keys), tx.now
        if draft_key is not None:
            found = own_start_draft(tx, draft_key, by)
            key, created_at = found.key, found.created_at
        row = {"key": key, "bpmn_process_id": bpmn_process_id, "username": by, "data": dict(data), "saved_at": tx.now}
        tx.execute(upsert(tx, start_draft, ("data", "saved_at")), {**row, "created_at": created_at})
    return key


def discard_start_draft(ctx: Context, draft_key: int, by: str) -> None:
    """Throw a draft of a start form away.

    Raises:
        NotFound: there is no such draft of this person.
    """
    with ctx.store.begin() as tx:
        own_start_draft(tx, draft_key, by)
        tx.execute(delete(start_draft).where(start_draft.c.key == draft_key))


def own_start_draft(reading: Reading, draft_key: int, by: str) -> Found:
    """Return a person's draft of a start form.

    Raises:
        NotFound: there is none of this person.
    """
    found = reading.one(_START_DRAFT, {"draft": draft_key})
    if found is None or found.username != by:
        raise NotFound(f"没有草稿 {draft_key}（no such draft）")
    return found


def _check_size(data: Mapping[str, Any]) -> None:
    if not isinstance(data, Mapping):
        raise InvalidValue("草稿应为对象（a draft must be an object）")
    if len(exact_json.dumps(dict(data)).encode()) > MAX_BYTES:
        raise InvalidValue("草稿超过 1 MB（the draft is larger than a megabyte）")
