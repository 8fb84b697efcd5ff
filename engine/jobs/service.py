"""Runs one built-in service task: handler, completion and journal row in one transaction; what fails is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from engine.commands import jobs, work
from engine.commands.instance_unit import InstanceUnit
from engine.errors import Conflict, LiuzhuanError, NotFound, Refused
from engine.jobs.inputs import Inputs
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import job as job_table
from engine.store.variables import by_scope

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceTask:
    """A built-in job at work: its instance is locked, and what it does is committed with its completion.

    Attributes:
        row: the job's row.
        inputs: local variables from the input mappings, over the task's headers.
    """

    ctx: Context
    tx: Transaction
    unit: InstanceUnit
    row: Row[Any]
    inputs: Inputs

    @property
    def key(self) -> int:
        """The job's key, which is its element instance's."""
        return int(self.row.key)


Handler = Callable[[ServiceTask], Mapping[str, Any]]
"""Does what a job type means and returns the job's result variables. May raise `Refused` (not tried again)."""


def run(ctx: Context, job_key: int, handler: Handler) -> bool:
    """Run a job that is due; False = it was done or cancelled before.

    A failure is written down (`JobFailed`): tried again after a back-off that doubles, and at the last retry, or where the inputs
    are wrong, the element holds an incident.
    """
    try:
        return _complete(ctx, job_key, handler)
    except Refused as error:
        _fail(ctx, job_key, error, retries=0)
    except Exception as error:  # whatever a handler raises, the case must not be lost: it becomes an incident
        if not isinstance(error, LiuzhuanError):
            _log.exception("job %s failed", job_key)
        _fail(ctx, job_key, error, retries=None)
    return True


def back_off(created_at: datetime, now: datetime) -> timedelta:
    """Return how long to wait for the next try: as long as it has been tried so far, so that the pauses double."""
    return min(max(now - created_at, SHORTEST), LONGEST)


def _complete(ctx: Context, job_key: int, handler: Handler) -> bool:
    with ctx.store.begin() as tx:
        row = jobs.find_job(tx, job_key)
        if row is None:
            return False
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        row = jobs.find_job(tx, job_key)  # again, under the lock
        if row is None or row.due_at is None or row.due_at > tx.now or not unit.active:
            return False
        if row.chain > work.CHAIN_LIMIT:
            raise Refused(work.endless(row.element_id))
        tx.chain = row.chain
        # After a failure somebody may have corrected the element's local variables.
        corrected = by_scope(tx, unit.key).get(job_key, {}) if row.error_message else {}
        inputs = Inputs(row.type, row.element_id, {**(row.headers or {}), **(row.input or {}), **corrected})
        result = handler(ServiceTask(ctx, tx, unit, row, inputs))
        unit.apply(unit.kernel.complete_job(job_key, result))
        unit.commit(row.type)
    return True


def _fail(ctx: Context, job_key: int, error: Exception, retries: int | None) -> None:
    message = error.message if isinstance(error, LiuzhuanError) else f"{type(error).__name__}: {error}"
    with ctx.store.read() as reading:
        created_at = reading.scalar(select(job_table.c.created_at).where(job_table.c.key == job_key)) or reading.now
        pause = back_off(created_at, reading.now)
    try:
        jobs.fail_job(ctx, job_key, retries, message, pause)
    except (NotFound, Conflict):
        _log.info("job %s was cancelled or done while it failed: %s", job_key, message)
