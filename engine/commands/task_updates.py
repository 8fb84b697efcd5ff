"""User tasks as programs hand them over and change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, update

from engine.commands.projection import candidates, due_sort
from engine.commands.tasks import assign_task, claim_task, open_task
from engine.errors import Excluded, NotAllowed, TaskAlreadyClaimed
from engine.history.events import TaskChanged
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import task_candidate, user_task


def hand_over(ctx: Context, task_key: int, to: str, by: str, *, override: bool = True, reason: str = "") -> None:
    """Give a task to a person: who takes it for themselves claims it, whoever gives it to somebody assigns it.

    Args:
        override: whether it is taken from somebody else who has it, where `by` may do so.
    Raises:
        TaskAlreadyClaimed, TaskNotOpen, InstanceSuspended, Excluded, NotAllowed, NotFound.
    """
    if to != by:
        assign_task(ctx, task_key, to, by, reason, override=override)
        return
    try:
        claim_task(ctx, task_key, by)
    except Excluded:
        raise
    except (TaskAlreadyClaimed, NotAllowed) as refusal:  # administrators may also assign themselves
        try:
            assign_task(ctx, task_key, to, by, reason, override=override)
        except NotAllowed:
            raise refusal from None


def update_task(ctx: Context, task_key: int, by: str, changes: Mapping[str, Any], reason: str = "") -> None:
    """Change what a waiting task says; nothing is written where nothing differs.

    Args:
        changes: due_at, follow_up_at (moments, None = none), candidate_groups, candidate_users (lists of names), priority (0 to
            100); what is left out stays.
    Raises:
        NotAllowed: `by` is no administrator.
        Conflict: the due date's clock stands still.
        TaskNotOpen, InstanceSuspended, NotFound.
    """
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        unit, task = open_task(ctx, tx, task_key)
        before = task._asdict()
        found = {name: value for name, value in changes.items() if (value or None) != (before[name] or None)}
        if not found:
            return
        row = before | found
        sort = due_sort(row["due_at"], row["priority"])
        columns = {name: value or None for name, value in found.items() if name not in {"due_at", "priority"}}
        columns |= {"due_sort": sort, "priority": row["priority"]}
        tx.execute(update(user_task).where(user_task.c.key == task_key).values(columns))
        if task.assignee is None:
            tx.execute(delete(task_candidate).where(task_candidate.c.task_key == task_key))
            if offered := candidates(task_key, sort, row["candidate_groups"], row["candidate_users"]):
                tx.execute(insert(task_candidate), offered)
        if "due_at" in found:
            unit.apply(unit.kernel.set_due(task_key, row["due_at"]))
        unit.record(
            TaskChanged(
                task.key,
                task.element_id,
                tuple(sorted(found)),
                follow_up_at=found.get("follow_up_at"),
                candidate_groups=tuple(found.get("candidate_groups") or ()),
                candidate_users=tuple(found.get("candidate_users") or ()),
                priority=found.get("priority", 0),
                reason=reason,
            )
        )
        unit.commit("update_task", actor=by)
