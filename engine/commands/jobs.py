"""Jobs of service tasks: taken by workers, completed, failed with retries and back-off, ended by a BPMN error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import check_active
from engine.commands.values import clean
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import JobFailed, JobRetriesSet
from engine.store import Transaction
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import job, process_instance
from engine.store.transactions import Found
from engine.store.variables import view

_JOB = select(job).where(job.c.key == bindparam("job"), job.c.element_key.is_not(None))
_FREE = or_(job.c.locked_until.is_(None), job.c.locked_until <= bindparam("now"))
_ACTIVATABLE = (
    select(job, process_instance.c.bpmn_process_id, process_instance.c.definition_key)
    .join(process_instance, process_instance.c.key == job.c.instance_key)
    .where(
        job.c.type == bindparam("type"),
        job.c.due_at <= bindparam("now"),
        job.c.retries > 0,
        job.c.element_key.is_not(None),
        _FREE,
    )
    .order_by(job.c.due_at, job.c.key)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=job)
)
_LOCK = update(job).where(job.c.key == bindparam("job")).values(worker=bindparam("who"), locked_until=bindparam("until"))
_RETRY = (
    update(job)
    .where(job.c.key == bindparam("job"))
    .values(retries=bindparam("left"), due_at=bindparam("at"), error_message=bindparam("why"), worker=None, locked_until=None)
)


@dataclass(frozen=True, slots=True)
class ActivatedJob:
    """A job that a worker took.

    Attributes:
        variables: what the element sees, its inputs included.
        locked_until: after this another worker may take it.
    """

    key: int
    type: str
    process_instance_key: int
    process_definition_key: int
    bpmn_process_id: str
    element_id: str
    headers: Mapping[str, str]
    variables: Mapping[str, Any]
    retries: int
    worker: str
    locked_until: datetime


def activate_jobs(ctx: Context, job_type: str, worker: str, most: int, timeout: timedelta) -> list[ActivatedJob]:
    """Take up to `most` jobs of a type for a worker; they are its own until the timeout is over."""
    if most < 1 or timeout <= timedelta(0):
        raise InvalidValue("数量与超时必须大于 0（the number of jobs and the timeout must be greater than 0）")
    with ctx.store.begin() as tx:
        until = tx.now + timeout
        rows = tx.all(_ACTIVATABLE, {"type": job_type, "now": tx.now, "most": most})
        if rows:
            tx.execute(_LOCK, [{"job": row.key, "who": worker, "until": until} for row in rows])
        return [_activated(tx, row, worker, until) for row in rows]


def complete_job(ctx: Context, job_key: int, variables: Mapping[str, Any] | None = None) -> None:
    """Complete a job: its element goes on with the variables.

    Raises:
        NotFound: there is no such job (it was completed or cancelled before).
    """
    with ctx.store.begin() as tx:
        unit, _ = _open(ctx, tx, job_key)
        unit.apply(unit.kernel.complete_job(job_key, clean(variables)))
        unit.commit("complete_job")


def fail_job(
    ctx: Context,
    job_key: int,
    retries: int | None = None,
    message: str = "",
    back_off: timedelta | None = None,
    variables: Mapping[str, Any] | None = None,
) -> None:
    """Say that a job failed. With retries left it is offered again, after the back-off; without, its element holds an incident.

    Args:
        retries: how many are left now; None = one fewer than before.
    Raises:
        NotFound: there is no such job.
    """
    with ctx.store.begin() as tx:
        unit, row = _open(ctx, tx, job_key)
        left = max(row.retries - 1 if retries is None else retries, 0)
        retry_at = tx.now + (back_off or timedelta(0)) if left else None
        tx.execute(_RETRY, {"job": job_key, "left": left, "at": retry_at, "why": message[:2000]})
        unit.record(JobFailed(job_key, row.element_id, left, message, retry_at))
        if variables:
            unit.apply(unit.kernel.set_variables(job_key, clean(variables)))
        if retry_at is None:
            unit.apply(unit.kernel.raise_incident(job_key, "JOB_NO_RETRIES", message or "没有剩余重试次数（no retries left）"))
        else:
            tx.falls_due(retry_at)
        unit.commit("fail_job")


def throw_job_error(ctx: Context, job_key: int, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
    """End a job by a BPMN error, which the model may catch; uncaught it becomes an incident.

    Raises:
        NotFound: there is no such job.
    """
    with ctx.store.begin() as tx:
        unit, _ = _open(ctx, tx, job_key)
        unit.apply(unit.kernel.throw_error(job_key, code, message, clean(variables)))
        unit.commit("throw_job_error")


def set_job_retries(ctx: Context, job_key: int, retries: int, by: str | None = None) -> None:
    """Give a job new tries; it is offered again when its incident, if it has one, is resolved.

    Raises:
        NotFound: there is no such job.
        NotAllowed: `by` is no administrator.
        InvalidValue: fewer than one.
    """
    if retries < 1:
        raise InvalidValue("重试次数必须大于 0（must be greater than 0）", field="retries")
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        unit, row = _open(ctx, tx, job_key)
        give_retries(unit, row, retries)
        unit.commit("set_job_retries", actor=by)


def give_retries(unit: InstanceUnit, row: Found, retries: int) -> None:
    """Offer a job again, now."""
    unit.tx.execute(_RETRY, {"job": row.key, "left": retries, "at": unit.tx.now, "why": row.error_message})
    unit.tx.falls_due(unit.tx.now)
    unit.record(JobRetriesSet(row.key, row.element_id, retries))


def find_job(tx: Transaction, job_key: int) -> Found | None:
    """Return a service task's job, or None."""
    return tx.one(_JOB, {"job": job_key})


def _open(ctx: Context, tx: Transaction, job_key: int) -> tuple[InstanceUnit, Found]:
    row = find_job(tx, job_key)
    if row is None:
        raise NotFound(f"没有作业 {job_key}（no such job: completed or cancelled before?）")
    unit = InstanceUnit.lock(ctx, tx, row.instance_key)
    row = find_job(tx, job_key)  # again, under the lock
    if row is None:
        raise Conflict(f"作业 {job_key} 已完成（completed meanwhile）")
    check_active(unit)
    return unit, row


def _activated(tx: Transaction, row: Found, worker: str, until: datetime) -> ActivatedJob:
    return ActivatedJob(
        key=row.key,
        type=row.type,
        process_instance_key=row.instance_key,
        process_definition_key=row.definition_key,
        bpmn_process_id=row.bpmn_process_id,
        element_id=row.element_id,
        headers=row.headers or {},
        variables=view(tx, row.instance_key, row.key),
        retries=row.retries,
        worker=worker,
        locked_until=until,
    )
