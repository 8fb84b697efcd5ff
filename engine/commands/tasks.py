"""User tasks: claimed, given back, assigned, completed. Who may, and whether it is locked, is decided under the lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from engine.commands import attachments, idempotency, passwords, submissions
from engine.commands.instance_unit import InstanceUnit
from engine.commands.projection import candidates
from engine.commands.surroundings import environment
from engine.commands.values import clean
from engine.errors import (
    Conflict,
    Excluded,
    InstanceSuspended,
    NotAllowed,
    NotFound,
    SignatureRequired,
    TaskAlreadyClaimed,
    TaskNotOpen,
)
from engine.history.events import FormSubmitted, Signed, TaskAssigned, TaskClaimed, TaskUnclaimed
from engine.store import Transaction
from engine.store.context import Context
from engine.store.directory import Person, person
from engine.store.rights import check_may_work
from engine.store.suspension import suspension
from engine.store.tables import draft, process_instance, task_candidate, user_task
from engine.store.transactions import Found

# The task with its instance, locked.
_TASK = (
    select(user_task, *(column.label(f"case_{column.name}") for column in process_instance.c))
    .join(process_instance, process_instance.c.key == user_task.c.instance_key)
    .where(user_task.c.key == bindparam("task"))
    .with_for_update()
)
_INSTANCE_COLUMNS = tuple((column.name, f"case_{column.name}") for column in process_instance.c)
_SIGNED = select(user_task.c.signed).where(user_task.c.key == bindparam("task"))
_ASSIGN = (
    update(user_task)
    .where(user_task.c.key == bindparam("task"))
    .values(assignee=bindparam("who"), claimed_at=bindparam("at"), on_behalf_of=bindparam("absent"))
)
_WITHDRAW = delete(task_candidate).where(task_candidate.c.task_key == bindparam("task"))
_OFFER = insert(task_candidate)
_DELETE_DRAFTS = delete(draft).where(draft.c.task_key == bindparam("task"))


def claim_task(ctx: Context, task_key: int, by: str) -> None:
    """Take a task; claiming one's own task again changes nothing.

    Raises:
        TaskAlreadyClaimed, TaskNotOpen, InstanceSuspended, Excluded, NotAllowed, NotFound.
    """
    with ctx.store.begin() as tx:
        unit, task = open_task(ctx, tx, task_key)
        who = person(tx, by)
        if task.assignee == by:
            return
        on_behalf_of = check_may_work(tx, who, task)
        if task.assignee is not None and task.assignee != on_behalf_of:
            raise TaskAlreadyClaimed(by=task.assignee)
        _assign(tx, task, by, on_behalf_of)
        unit.record(TaskClaimed(task.key, task.element_id, by))
        unit.commit("claim_task", actor=by, on_behalf_of=on_behalf_of)


def unclaim_task(ctx: Context, task_key: int, by: str | None) -> None:
    """Give a claimed task back to those it is offered to, or to the absent person it is assigned to.

    Raises:
        NotAllowed: `by` is neither the assignee nor an administrator.
        Conflict: it is offered to nobody else.
    """
    with ctx.store.begin() as tx:
        unit, task = open_task(ctx, tx, task_key)
        if task.assignee is None:
            return
        if by is not None and task.assignee != by and not person(tx, by).is_admin:
            raise NotAllowed("只有办理人可以退回认领（only the assignee gives it back）", element_id=task.element_id)
        if task.on_behalf_of is not None and not (task.candidate_groups or task.candidate_users):
            _assign(tx, task, task.on_behalf_of, None)
            unit.record(TaskAssigned(task.key, task.element_id, task.on_behalf_of))
        else:
            _check_offered(task)
            _assign(tx, task, None, None)
            unit.record(TaskUnclaimed(task.key, task.element_id))
        unit.commit("unclaim_task", actor=by)


def assign_task(ctx: Context, task_key: int, to: str | None, by: str | None, reason: str = "", *, override: bool = True) -> None:
    """Hand a task to a person; None = back to those it is offered to. The excluded never get it.

    Args:
        override: also where somebody else has it.
    Raises:
        TaskAlreadyClaimed: somebody else has it, and is not to be overridden.
        Excluded: `to` has an interest in the case.
        NotAllowed: `by` may not hand it over, or an assignee hands it to somebody it is not offered to.
        Conflict: it is offered to nobody that it could go back to.
        NotFound: `to` is not an active user.
    """
    with ctx.store.begin() as tx:
        unit, task = open_task(ctx, tx, task_key)
        target = person(tx, to) if to is not None else None
        if target is not None and to in (task.excluded_users or ()):
            raise Excluded(
                f"{target.name} 与本事项有利害关系，不得办理（has an interest in this case）", element_id=task.element_id
            )
        if by is not None:
            _check_may_assign(person(tx, by), target, task)
        if not override and task.assignee not in {None, to}:
            raise TaskAlreadyClaimed(by=task.assignee, element_id=task.element_id)
        if target is None:
            _check_offered(task)
        _assign(tx, task, to, None)
        unit.record(TaskAssigned(task.key, task.element_id, to, reason))
        unit.commit("assign_task", actor=by)


def complete_task(
    ctx: Context,
    task_key: int,
    variables: Mapping[str, Any] | None = None,
    by: str | None = None,
    *,
    password: str | None = None,
    on_behalf_of: str | None = None,
    form_hash: str | None = None,
    reason: str = "",
    idempotency_key: str | None = None,
) -> None:
    """Complete a task; an unclaimed one is completed by whoever may claim it.

    The submission is checked against the task's form. Where the task is signed, every required field must have been submitted (an
    earlier value decides nothing), the password is checked, and the signature's name, time and meaning go into the journal. A
    model's failure afterwards does not undo this: the failing element holds an incident.

    Args:
        by: username; None = the system, which may do everything but sign.
        password: needed where the task is signed.
        on_behalf_of: the absent person `by` acts for; None = found by the substitutions in force where `by` may not act alone.
        form_hash: the version of the form that the person saw.
    Raises:
        InvalidSubmission: the data break the form's schema.
        StaleForm: the form was another version.
        SignatureRequired, SignatureWrong, TaskNotOpen, TaskAlreadyClaimed, InstanceSuspended, Excluded, NotAllowed, NotFound.
    """
    if password is not None and by is not None:
        _check_signature(ctx, task_key, by, password)
    with ctx.store.begin() as tx:
        if idempotency.answer(tx, by, idempotency_key) is not None:
            return
        unit, task = open_task(ctx, tx, task_key)
        who = person(tx, by) if by is not None else None
        absent = check_may_work(tx, who, task, on_behalf_of) if who is not None else None
        if task.signed and (who is None or (password is None and not who.external)):
            raise SignatureRequired(
                "此决定须重新输入密码签名（this decision is signed: enter the password again）", element_id=task.element_id
            )
        data = _submitted(unit, task, clean(variables), by, form_hash, reason)
        if task.signed and who is not None:
            unit.record(Signed(task.key, task.element_id, who.username, who.name, task.name, tx.now))
        unit.apply(unit.kernel.complete_task(task.key, data))
        unit.commit("complete_task", actor=by, on_behalf_of=absent)
        if task.assignee is None:
            tx.execute(_WITHDRAW, {"task": task.key})
        if task.has_draft:
            tx.execute(_DELETE_DRAFTS, {"task": task.key})
        idempotency.remember(tx, by, idempotency_key, True)


def _check_signature(ctx: Context, task_key: int, by: str, password: str) -> None:
    # Before the transaction: hashing takes longer than everything else and must not hold the writer's lock.
    with ctx.store.read() as reading:
        signed = reading.scalar(_SIGNED, {"task": task_key})
    if signed:
        passwords.check_signature(ctx, by, password)


def open_task(ctx: Context, tx: Transaction, task_key: int) -> tuple[InstanceUnit, Found]:
    """Lock the task's instance and check that the task can be worked on.

    Raises:
        NotFound, TaskNotOpen, InstanceSuspended.
    """
    task = tx.one(_TASK, {"task": task_key})
    if task is None:
        raise NotFound(f"没有任务 {task_key}（no such task）")
    if task.state != "OPEN":
        raise TaskNotOpen("任务已办结或已取消（completed or cancelled meanwhile）", element_id=task.element_id)
    values = task._asdict()
    unit = InstanceUnit(ctx, tx, {name: values[label] for name, label in _INSTANCE_COLUMNS})
    locked = suspension(tx, unit.row, task.scope_key)
    if locked is not None:
        raise InstanceSuspended(f"事项已暂停：{locked.reason}（the case is suspended）", element_id=task.element_id)
    return unit, task


def _submitted(
    unit: InstanceUnit, task: Found, variables: Mapping[str, Any], by: str | None, form_hash: str | None, reason: str
) -> dict[str, Any]:
    process = unit.version.process
    accepted = submissions.accept(
        unit.ctx,
        unit.tx,
        task.form_key,
        variables,
        unit.kernel.view(task.key) if task.form_key is not None else {},
        process=process,
        element=process.elements.get(task.element_id),
        environment=environment(unit.ctx, unit.tx, time_zone=unit.row["time_zone"]),
        by=by,
        form_hash=form_hash,
        decides=task.signed,
    )
    if accepted.form_id is not None or reason:
        unit.record(FormSubmitted(task.key, task.element_id, accepted.form_id or "", accepted.form_hash, reason))
        attachments.bind_attachments(unit.tx, unit.key, task.key, accepted.data.values(), by)
    return accepted.data


def _assign(tx: Transaction, task: Found, to: str | None, on_behalf_of: str | None) -> None:
    tx.execute(_ASSIGN, {"task": task.key, "who": to, "at": tx.now if to else None, "absent": on_behalf_of})
    tx.execute(_WITHDRAW, {"task": task.key})
    if to is None and (offered := candidates(task.key, task.due_sort, task.candidate_groups, task.candidate_users)):
        tx.execute(_OFFER, offered)


def _check_offered(task: Found) -> None:
    if not task.candidate_groups and not task.candidate_users:
        raise Conflict("任务没有其他候选人，请转派（offered to nobody else; assign it instead）", element_id=task.element_id)


def _check_may_assign(by: Person, to: Person | None, task: Found) -> None:
    if by.is_admin or by.external:
        return
    if task.assignee != by.username:
        raise NotAllowed("只有管理员或办理人可以转派（only an administrator or the assignee）", element_id=task.element_id)
    offered = to is None or to.username in (task.candidate_users or ()) or not to.groups.isdisjoint(task.candidate_groups or ())
    if not offered:
        raise NotAllowed("只能转派给候选人（only to somebody it is offered to）", element_id=task.element_id)
