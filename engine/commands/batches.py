"""One thing done to many cases: a job for each, each in a transaction of its own; what fails is listed and the others go on.

An item's state: WAITING (its job is due), SUSPENDED (its job is held), CANCELED (its job is gone), DONE, FAILED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from engine.commands import incidents, instances, migrations, suspensions, work
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import check_active
from engine.commands.taking import taken
from engine.errors import Conflict, InvalidValue, LiuzhuanError, NotFound
from engine.kernel import Instructions, Move
from engine.store import Transaction
from engine.store.cases import CaseFilter, running
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import batch, batch_item, job

MOST = 100_000
"""Cases in one batch."""

_ADD = insert(batch)
_ADD_ITEM = insert(batch_item)
_BATCH = select(batch).where(batch.c.key == bindparam("batch"))
_JOBS = (
    select(job.c.key, job.c.input)
    .join(batch_item, batch_item.c.instance_key == job.c.instance_key)
    .where(batch_item.c.batch_key == bindparam("batch"), job.c.type == work.BATCH_ITEM)
)
_TURN = (
    update(batch_item)
    .where(batch_item.c.batch_key == bindparam("batch"), batch_item.c.state.in_(bindparam("before", expanding=True)))
    .values(state=bindparam("now_is"), done_at=bindparam("at"))
)
_HOLD = update(job).where(job.c.key == bindparam("job")).values(due_at=bindparam("due"))
_REMOVE = delete(job).where(job.c.key == bindparam("job"))
_DONE = (
    update(batch_item)
    .where(batch_item.c.batch_key == bindparam("batch"), batch_item.c.instance_key == bindparam("instance"))
    .values(state=bindparam("now_is"), message=bindparam("why"), done_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to each case.

    Attributes:
        kind: migrate | modify | cancel | suspend | resume | retry.
        definition_key, instructions: of a migration, see `migrate_instance`.
        element_id: of a retry: only incidents at this element.
        incident_kind: of a retry: only incidents of this kind.
        moves: of a modification: source element id → target element id.
    """

    kind: str
    definition_key: int | None = None
    instructions: Instructions = field(default_factory=dict)
    element_id: str | None = None
    incident_kind: str | None = None
    moves: Sequence[tuple[str, str]] = ()

    def stored(self) -> dict[str, Any] | None:
        """Return what is kept of it in the batch's row."""
        if self.kind == "migrate":
            return {"definition_key": str(self.definition_key), "instructions": dict(self.instructions)}
        if self.kind == "modify":
            return {"moves": [list(move) for move in self.moves]}
        if self.kind == "retry":
            return {"element_id": self.element_id, "incident_kind": self.incident_kind}
        return None


def start_batch(
    ctx: Context, change: Change, by: str | None, reason: str, *, keys: Sequence[int] = (), cases: CaseFilter | None = None
) -> int:
    """Do something to many running cases; return the batch's key. It is done after commit, one case after the other.

    Args:
        keys: these cases.
        cases: or those that a filter means now; of a retry, those of them that hold an incident.
    Raises:
        InvalidValue: there is no reason, no case, or no such kind of change.
        NotAllowed: `by` is no administrator.
        NotFound: the definition to migrate to is not there.
    """
    if change.kind not in _ACTS:
        raise InvalidValue(f"没有这种批量操作：{change.kind}（{', '.join(_ACTS)}）", field="kind")
    if not reason.strip():
        raise InvalidValue("请填写原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        if change.kind == "modify" and not change.moves:
            raise InvalidValue("请选择要移动的元素（choose elements to move）", field="moves")
        if change.kind == "migrate":
            ctx.library.process(tx, change.definition_key or 0)
        found = dict.fromkeys([*keys, *(running(tx, cases, MOST) if cases is not None else [])])
        if not found:
            raise InvalidValue("没有符合条件的事项（no case fits）", field="cases")
        key = next(ctx.keys)
        row = {"key": key, "kind": change.kind, "reason": reason, "parameters": change.stored()}
        tx.execute(_ADD, {**row, "created_at": tx.now, "created_by": by})
        blank = {"batch_key": key, "state": "WAITING", "message": None, "done_at": None}
        tx.execute(_ADD_ITEM, [{**blank, "instance_key": instance} for instance in found])
        work.add(ctx, tx, [work.Work(work.BATCH_ITEM, instance, {"batch_key": str(key)}) for instance in found])
    return key


def cancel_batch(ctx: Context, key: int, by: str | None) -> None:
    """Leave out the cases that are not done yet.

    Raises:
        NotAllowed: `by` is no administrator.
        NotFound: there is no such batch.
        Conflict: all its cases are done.
    """
    with ctx.store.begin() as tx:
        for row in _held(tx, key, by, {"WAITING", "SUSPENDED"}, "CANCELED", tx.now):
            tx.execute(_REMOVE, {"job": row})


def suspend_batch(ctx: Context, key: int, by: str | None) -> None:
    """Hold the cases that are not done yet, until the batch is resumed or cancelled.

    Raises:
        NotAllowed: `by` is no administrator.
        NotFound: there is no such batch.
        Conflict: nothing of it is under way.
    """
    with ctx.store.begin() as tx:
        for row in _held(tx, key, by, {"WAITING"}, "SUSPENDED", None):
            tx.execute(_HOLD, {"job": row, "due": None})


def resume_batch(ctx: Context, key: int, by: str | None) -> None:
    """Let a suspended batch go on.

    Raises:
        NotAllowed: `by` is no administrator.
        NotFound: there is no such batch.
        Conflict: it is not suspended.
    """
    with ctx.store.begin() as tx:
        for row in _held(tx, key, by, {"SUSPENDED"}, "WAITING", None):
            tx.execute(_HOLD, {"job": row, "due": tx.now})
        tx.falls_due(tx.now)


def _held(tx: Transaction, key: int, by: str | None, before: set[str], after: str, at: datetime | None) -> list[int]:
    """Turn the items of a batch that are in some states into another; return their jobs."""
    check_administers(tx, by)
    if tx.one(_BATCH, {"batch": key}) is None:
        raise NotFound(f"没有批量操作 {key}（no such batch）")
    if tx.execute(_TURN, {"batch": key, "before": sorted(before), "now_is": after, "at": at}).rowcount == 0:
        raise Conflict("批量操作已不在这种状态（nothing of the batch is left in that state）")
    return [row.key for row in tx.all(_JOBS, {"batch": key}) if row.input.get("batch_key") == str(key)]


def perform_item(ctx: Context, job_key: int) -> None:
    """Do to one case what its batch says; a refusal is written down at the item, and nothing in the case is changed then."""
    try:
        with taken(ctx, job_key) as found:
            if found is not None and found.unit is not None:
                unit, batch_key = found.unit, int(found.content["batch_key"])
                row = found.tx.one(_BATCH, {"batch": batch_key})
                if row is None:
                    return
                check_active(unit)
                _ACTS[row.kind](unit, row.created_by, row.reason, row.parameters or {})
                _note(found.tx, batch_key, unit.key, "DONE", None)
    except LiuzhuanError as error:
        if error.code == "defect":
            raise
        _give_up(ctx, job_key, error)


def _give_up(ctx: Context, job_key: int, error: LiuzhuanError) -> None:
    with ctx.store.begin() as tx:
        row = tx.one(select(job.c.instance_key, job.c.input).where(job.c.key == job_key))
        if row is not None and tx.execute(_REMOVE, {"job": job_key}).rowcount == 1:
            _note(tx, int(row.input["batch_key"]), row.instance_key, "FAILED", error.message)


def _note(tx: Transaction, batch_key: int, instance_key: int, state: str, why: str | None) -> None:
    tx.execute(_DONE, {"batch": batch_key, "instance": instance_key, "now_is": state, "why": why, "at": tx.now})


# --- what is done -----------------------------------------------------------------------------------------------------


def _migrate(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    migrations.migrate(unit, int(parameters["definition_key"]), by, reason, parameters["instructions"])


def _modify(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    instances.modify(unit, reason, moves=[Move(source, target) for source, target in parameters["moves"]])
    unit.commit("modify_instance", actor=by)


def _cancel(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    instances.cancel(unit, reason)
    unit.commit("cancel_instance", actor=by)


def _suspend(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    suspensions.check_running(unit)
    suspensions.suspend(unit, by, reason, None)
    unit.commit("suspend_instance", actor=by)


def _resume(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    suspensions.check_suspended(unit)
    suspensions.resume(unit, reason)
    unit.commit("resume_instance", actor=by)


def _retry(unit: InstanceUnit, by: str | None, reason: str, parameters: Mapping[str, Any]) -> None:
    found = incidents.of_instance(unit, parameters.get("element_id"), parameters.get("incident_kind"))
    if not found:
        raise NotFound("事项没有这样的故障（the case holds no such incident any more）")
    incidents.retry(unit, found, reason)
    unit.commit("resolve_incident", actor=by)


_ACTS: dict[str, Callable[[InstanceUnit, str | None, str, Mapping[str, Any]], None]] = {
    "migrate": _migrate,
    "modify": _modify,
    "cancel": _cancel,
    "suspend": _suspend,
    "resume": _resume,
    "retry": _retry,
}
