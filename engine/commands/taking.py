"""Takes one piece of the engine's own work, in one transaction: lock its instance, see that it is still to be done, do it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select

from engine import history
from engine.commands import work
from engine.commands.instance_unit import InstanceUnit
from engine.history.events import StartRefused
from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import job

_log = logging.getLogger(__name__)

_JOB = select(job).where(job.c.key == bindparam("job"))
_DONE = delete(job).where(job.c.key == bindparam("job"))


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that this transaction does: `content` is its input, `unit` the instance it changes (None = it starts one)."""

    tx: Transaction
    content: Mapping[str, Any]
    unit: InstanceUnit | None


@dataclass(frozen=True, slots=True)
class TakenFor:
    """Work on one instance, which is locked."""

    tx: Transaction
    content: Mapping[str, Any]
    unit: InstanceUnit


@contextmanager
def taken(ctx: Context, job_key: int) -> Iterator[Taken | None]:
    """Open the transaction of a piece of work; None where it was done before or is not wanted any more."""
    with ctx.store.begin() as tx:
        row = tx.one(_JOB, {"job": job_key})
        unit = InstanceUnit.lock(ctx, tx, row.instance_key) if row is not None and row.instance_key is not None else None
        # Asked again under the lock: another driver may have been faster.
        if row is None or tx.execute(_DONE, {"job": job_key}).rowcount != 1:
            yield None
        else:
            tx.chain = row.chain
            yield Taken(tx, row.input or {}, unit)


def within_chain(found: Taken) -> bool:
    """Say whether a case may be started by this work; where not, write down why it is not."""
    if found.tx.chain <= work.CHAIN_LIMIT:
        return True
    content = found.content
    refused = StartRefused(content["definition_key"], content["element_id"], work.endless(content["element_id"]))
    _log.error("%s", refused.message)
    history.append(found.tx, history.NO_INSTANCE, "start_refused", [refused])
    return False


@contextmanager
def taken_for_instance(ctx: Context, job_key: int) -> Iterator[TakenFor | None]:
    """The same for work on an instance; None also where that instance has ended."""
    with taken(ctx, job_key) as found:
        if found is None or found.unit is None or not found.unit.active:
            yield None
        else:
            yield TakenFor(found.tx, found.content, found.unit)
