"""Jobs of service tasks: taken by workers, completed, failed with retries and back-off, ended by a BPMN error."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from engine.commands.instance_unit import LOCK, InstanceUnit
from engine.commands.instances import check_active
from engine.commands.values import clean
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import JobActivated, JobFailed, JobRetriesSet, JobTimeoutSet
from engine.kernel.advance import IncidentRaised
from engine.store import Reading, Transaction
from engine.store.context import Context
from engine.store.tables import job, process_instance
from engine.store.transactions import Found
from engine.store.variables import view

LONGEST = timedelta(days=366)
"""Longest timeout and back-off of a job."""

_SURPLUS = 32  # jobs looked at beyond those asked for: on PostgreSQL another worker may be taking the first ones

_JOB = select(job).where(job.c.key == bindparam("job"), job.c.element_key.is_not(None))
_FREE = or_(job.c.locked_until.is_(None), job.c.locked_until <= bindparam("now"))
_OFFERED = (
    job.c.type == bindparam("type"),
    job.c.due_at <= bindparam("now"),
    job.c.retries > 0,
    job.c.element_key.is_not(None),
    _FREE,
)
# Jobs of a type that a worker may take, the longest due first. A job that was taken is due again when its lock ends, so that the
# index on type and due time leads to free ones at once, however many are locked.
_ACTIVATABLE = select(job).where(*_OFFERED).order_by(job.c.due_at, job.c.key).limit(bindparam("most"))
_ACTIVATABLE_IN = _ACTIVATABLE.where(
    job.c.instance_key.in_(
        select(process_instance.c.key)
        .where(
            process_instance.c.key == job.c.instance_key,
            process_instance.c.bpmn_process_id.in_(bindparam("processes", expanding=True)),
        )
        .correlate(job)
    )
)
# As all that changes jobs, taking one locks its instance first; an instance that is busy is passed over, never waited for.
_TRY_LOCK = LOCK.with_for_update(skip_locked=True)
_TAKE = (
    update(job)
    .where(job.c.key == bindparam("job"), job.c.due_at <= bindparam("now"), job.c.retries > 0, _FREE)
    .values(worker=bindparam("who"), locked_until=bindparam("until"), due_at=bindparam("until"))
)
_RETRY = (
    update(job)
    .where(job.c.key == bindparam("job"))
    .values(retries=bindparam("left"), due_at=bindparam("at"), error_message=bindparam("why"), worker=None, locked_until=None)
)
_SET_RETRIES = update(job).where(job.c.key == bindparam("job")).values(retries=bindparam("left"))
_SET_LOCK = update(job).where(job.c.key == bindparam("job")).values(locked_until=bindparam("until"), due_at=bindparam("until"))


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
    root_instance_key: int
    process_definition_key: int
    bpmn_process_id: str
    version: int
    business_id: str | None
    element_id: str
    headers: Mapping[str, str]
    retries: int
    worker: str
    locked_until: datetime
    variables: Mapping[str, Any] = field(default_factory=dict)


def activate_jobs(ctx: Context, job_type: str, worker: str, most: int, timeout: timedelta) -> list[ActivatedJob]:
    """Take up to `most` jobs of a type for a worker; they are its own until the timeout is over."""
    jobs = take_jobs(ctx, job_type, worker, most, timeout)
    if not jobs:
        return jobs
    with ctx.store.read() as reading:
        return [replace(item, variables=view(reading, item.process_instance_key, item.key)) for item in jobs]


def take_jobs(
    ctx: Context,
    job_type: str,
    worker: str,
    most: int,
    timeout: timedelta,
    by: str | None = None,
    *,
    processes: Collection[str] | None = None,
) -> list[ActivatedJob]:
    """Do as `activate_jobs`, without the variables; each case's journal says who took what.

    Args:
        by: username of whom the worker is signed in as; that they may work on jobs was checked where they came in.
        processes: only jobs of these processes; None = all.
    """
    if most < 1 or not timedelta(0) < timeout <= LONGEST:
        raise InvalidValue("数量与超时必须大于 0（the number of jobs and the timeout must be greater than 0）")
    with ctx.store.begin() as tx:
        rows = _activatable(tx, job_type, most + _SURPLUS, processes)
        return _take(ctx, tx, rows, worker, most, tx.now + timeout, by)


def are_offered(ctx: Context, job_type: str, processes: Collection[str] | None = None) -> bool:
    """Whether there are jobs of a type that a worker could take now; looks only, so that who waits for jobs holds nobody up."""
    with ctx.store.read() as reading:
        return bool(_activatable(reading, job_type, 1, processes))


def _activatable(reading: Reading, job_type: str, most: int, processes: Collection[str] | None) -> Sequence[Found]:
    wanted = {"type": job_type, "now": reading.now, "most": most}
    if processes is None:
        return reading.all(_ACTIVATABLE, wanted)
    return reading.all(_ACTIVATABLE_IN, {**wanted, "processes": sorted(processes)})


def _take(
    ctx: Context, tx: Transaction, rows: Sequence[Found], worker: str, most: int, until: datetime, by: str | None
) -> list[ActivatedJob]:
    units: dict[int, InstanceUnit | None] = {}
    taken: list[ActivatedJob] = []
    for row in rows:
        if row.instance_key not in units:
            found = tx.one(_TRY_LOCK, {"instance": row.instance_key})
            units[row.instance_key] = InstanceUnit(ctx, tx, found._asdict()) if found is not None else None
        unit = units[row.instance_key]
        if unit is None or not unit.active:
            continue
        if tx.execute(_TAKE, {"job": row.key, "now": tx.now, "who": worker, "until": until}).rowcount != 1:
            continue  # another worker was faster
        unit.record(JobActivated(row.key, row.element_id, worker, until))
        taken.append(_activated(unit, row, worker, until))
        if len(taken) == most:
            break
    for unit in units.values():
        if unit is not None and unit.changes:
            unit.commit("activate_jobs", actor=by)
    return taken


def complete_job(ctx: Context, job_key: int, variables: Mapping[str, Any] | None = None, by: str | None = None) -> None:
    """Complete a job: its element goes on with the variables.

    As in Camunda, whoever says so first completes it: a worker whose lock has ended may do so too, until another has. A job whose
    retries were used up may be completed late; its incident is gone then.

    Raises:
        NotFound: there is no such job (it was completed or cancelled before).
    """
    with ctx.store.begin() as tx:
        unit, _ = _open(ctx, tx, job_key)
        unit.apply(unit.kernel.complete_job(job_key, clean(variables)))
        unit.commit("complete_job", actor=by)


def fail_job(
    ctx: Context,
    job_key: int,
    retries: int | None = None,
    message: str = "",
    back_off: timedelta | None = None,
    variables: Mapping[str, Any] | None = None,
    by: str | None = None,
) -> None:
    """Say that a job failed. With retries left it is offered again, after the back-off; without, its element holds an incident.

    Args:
        retries: how many are left now; None = one fewer than before.
        variables: set in the job's element.
    Raises:
        NotFound: there is no such job.
        Conflict: its element holds an incident already.
    """
    if back_off is not None and not timedelta(0) <= back_off <= LONGEST:
        raise InvalidValue("重试间隔不能为负，也不能超过一年（a back-off is 0 to 366 days）", field="back_off")
    with ctx.store.begin() as tx:
        unit, row = _open(ctx, tx, job_key)
        _check_tried(row)
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
        unit.commit("fail_job", actor=by)


def throw_job_error(
    ctx: Context,
    job_key: int,
    code: str,
    message: str = "",
    variables: Mapping[str, Any] | None = None,
    by: str | None = None,
) -> None:
    """End a job by a BPMN error, which the model may catch; uncaught, its element holds an incident, and nobody gets the job.

    Raises:
        NotFound: there is no such job.
        Conflict: its element holds an incident already.
    """
    with ctx.store.begin() as tx:
        unit, row = _open(ctx, tx, job_key)
        _check_tried(row)
        unit.apply(unit.kernel.throw_error(job_key, code, message, clean(variables)))
        if any(isinstance(change, IncidentRaised) and change.element_key == job_key for change in unit.changes):
            tx.execute(_RETRY, {"job": job_key, "left": row.retries, "at": None, "why": message[:2000]})
        unit.commit("throw_job_error", actor=by)


def update_job(
    ctx: Context, job_key: int, *, retries: int | None = None, timeout: timedelta | None = None, by: str | None = None
) -> None:
    """Give a job other retries, or the worker that has it another timeout, from now.

    A job that an incident holds is offered again when that is resolved.

    Raises:
        NotFound: there is no such job.
        Conflict: a timeout is given, and no worker has it.
        InvalidValue: nothing is given, fewer than one retry, or a timeout that is not greater than 0.
    """
    if retries is None and timeout is None:
        raise InvalidValue("没有要更改的内容（retries or a timeout is needed）", field="changeset")
    if retries is not None and retries < 1:
        raise InvalidValue("重试次数必须大于 0（must be greater than 0）", field="retries")
    if timeout is not None and not timedelta(0) < timeout <= LONGEST:
        raise InvalidValue("超时必须大于 0，不超过一年（must be greater than 0, at most 366 days）", field="timeout")
    with ctx.store.begin() as tx:
        unit, row = _open(ctx, tx, job_key)
        if timeout is not None:
            if row.locked_until is None or row.locked_until <= tx.now:
                raise Conflict(f"作业 {job_key} 未被领取（no worker has the job）", element_id=row.element_id)
            until = tx.now + timeout
            tx.execute(_SET_LOCK, {"job": job_key, "until": until})
            tx.falls_due(until)
            unit.record(JobTimeoutSet(job_key, row.element_id, until))
        if retries is not None:
            tx.execute(_SET_RETRIES, {"job": job_key, "left": retries})
            unit.record(JobRetriesSet(job_key, row.element_id, retries))
        unit.commit("update_job", actor=by)


def offer_again(unit: InstanceUnit, row: Found) -> None:
    """Offer a job whose incident is resolved, once more where its retries were used up."""
    left = max(row.retries, 1)
    unit.tx.execute(_RETRY, {"job": row.key, "left": left, "at": unit.tx.now, "why": row.error_message})
    unit.tx.falls_due(unit.tx.now)
    if left != row.retries:
        unit.record(JobRetriesSet(row.key, row.element_id, left))


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


def _check_tried(row: Found) -> None:
    if row.due_at is None:
        raise Conflict(f"作业 {row.key} 出错待处理（an incident holds the job）", element_id=row.element_id)


def _activated(unit: InstanceUnit, row: Found, worker: str, until: datetime) -> ActivatedJob:
    return ActivatedJob(
        key=row.key,
        type=row.type,
        process_instance_key=row.instance_key,
        root_instance_key=unit.row["root_key"],
        process_definition_key=unit.row["definition_key"],
        bpmn_process_id=unit.row["bpmn_process_id"],
        version=unit.version.version,
        business_id=unit.row["business_id"],
        element_id=row.element_id,
        headers=row.headers or {},
        retries=row.retries,
        worker=worker,
        locked_until=until,
    )
