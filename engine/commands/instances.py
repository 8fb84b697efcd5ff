"""Starting, cancelling and correcting process instances."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from engine.commands import idempotency
from engine.commands.instance_unit import InstanceUnit
from engine.commands.values import clean
from engine.errors import Conflict, InvalidValue, NotAllowed, NotFound
from engine.history.chain import GENESIS
from engine.history.events import Cancelled, Corrected, Event, InstanceStarted
from engine.kernel import Activation, Move, activation
from engine.kernel.advance import Change
from engine.store import Reading, Transaction
from engine.store.context import Context
from engine.store.directory import Person
from engine.store.library import ProcessVersion, process_key, resolve
from engine.store.rights import check_administers, may_start
from engine.store.tables import counter
from engine.store.upsert import upsert

_PLACE = re.compile(r"\{(year|month|day|sequence)(?::(\d{1,2}))?\}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The call activity that starts an instance. `business_id` is its case's: a called process without a pattern inherits it."""

    instance_key: int
    element_key: int
    root_key: int
    depth: int
    business_id: str | None = None


def start_instance(
    ctx: Context,
    bpmn_process_id: str,
    variables: Mapping[str, Any] | None = None,
    business_id: str | None = None,
    by: str | None = None,
    version: int | None = None,
    *,
    at: Sequence[str] = (),
    start_event_id: str | None = None,
    idempotency_key: str | None = None,
) -> int:
    """Start an instance of a process's newest version (or the one named) and return its key.

    Args:
        variables: JSON values; numbers are exact.
        business_id: the case's number; None = made by the process's pattern, where it has one.
        by: username of who starts it; None = the system.
        at: ids of elements to start before, instead of the start event.
        idempotency_key: the caller's; the same key again gives the first answer.
    Raises:
        NotFound: there is no such process or version, or no such element.
        InvalidValue: a variable's value cannot be stored.
    """
    with ctx.store.begin() as tx:
        if (answer := idempotency.answer(tx, by, idempotency_key)) is not None:
            return int(answer)
        unit = new_unit(ctx, tx, process_key(tx, bpmn_process_id, version), business_id=business_id, by=by)
        begin(unit, variables or {}, by=by, at=at, start_event_id=start_event_id)
        unit.commit("start_instance", actor=by)
        idempotency.remember(tx, by, idempotency_key, unit.key)
    return unit.key


def new_unit(
    ctx: Context,
    tx: Transaction,
    definition_key: int,
    *,
    business_id: str | None = None,
    by: str | None = None,
    caller: Caller | None = None,
    correlation_key: str | None = None,
    key: int | None = None,
) -> InstanceUnit:
    """Return a new instance, not yet begun; its first journal event says what it runs. `key`: where it was told before."""
    version = ctx.library.process(tx, definition_key)
    key = key or next(ctx.keys)
    number = business_id or make_business_id(tx, version, ctx.settings.time_zone) or (caller.business_id if caller else None)
    bindings = fixed_bindings(tx, version)
    row: dict[str, Any] = {
        "key": key,
        "definition_key": definition_key,
        "bpmn_process_id": version.process.id,
        "business_id": number,
        "subject": "",
        "state": "ACTIVE",
        "started_at": tx.now,
        "started_by": by,
        "ended_at": None,
        "parent_key": caller.instance_key if caller else None,
        "parent_element_key": caller.element_key if caller else None,
        "root_key": caller.root_key if caller else key,
        "depth": caller.depth if caller else 0,
        "deployment_key": version.deployment_key,
        "correlation_key": correlation_key,
        "bindings": bindings or None,
        "time_zone": ctx.settings.time_zone,
        "suspended_at": None,
        "suspended_by": None,
        "suspended_reason": None,
        "suspended_except": None,
        "revision": 1,
        "journal_seq": 0,
        "journal_hash": GENESIS,
    }
    unit = InstanceUnit(ctx, tx, row, new=True)
    unit.record(
        InstanceStarted(
            bpmn_process_id=version.process.id,
            version=version.version,
            definition_key=definition_key,
            business_id=number,
            definition_hash=version.digest,
            parent_key=row["parent_key"],
            parent_element_key=row["parent_element_key"],
            root_key=row["root_key"],
            bindings={name: str(value) for name, value in bindings.items()},
        )
    )
    return unit


def begin(
    unit: InstanceUnit,
    variables: Mapping[str, Any],
    *,
    by: str | None = None,
    at: Sequence[str] = (),
    start_event_id: str | None = None,
    events: Sequence[Event] = (),
) -> None:
    """Start a new instance in the kernel.

    The start event's `initiator` variable gets who started it, the process's `businessIdVariable` the business id.
    """
    process = unit.version.process
    if missing := [element for element in at if element not in process.elements]:
        raise NotFound(f"流程 {process.id} 没有元素 {missing[0]}（no such element）", element_id=missing[0])
    values = clean(variables)
    starts = [event for event in process.start_events if start_event_id in {None, event.id}]
    begins_by_itself = start_event_id is None and process.starts_by_itself(process.root)
    if not starts and not at and not begins_by_itself:
        raise NotFound(f"流程 {process.id} 没有可用的开始事件（no such start event）", element_id=start_event_id)
    if (variable := process.properties.get("businessIdVariable")) and unit.row["business_id"]:
        values.setdefault(variable, unit.row["business_id"])
    for event in starts:
        if event.initiator and by is not None:
            values.setdefault(event.initiator, by)
    unit.record(*events)
    unit.apply(unit.kernel.start(values, start_event_id=start_event_id, at=at))


def cancel_instance(ctx: Context, key: int, by: str | None, reason: str) -> None:
    """End an instance and everything in it, with a reason; called instances are cancelled after commit.

    Raises:
        InvalidValue: there is no reason.
        NotAllowed: `by` is no administrator.
        Conflict: it has ended already.
    """
    if not reason.strip():
        raise InvalidValue("请填写终止原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, key, by)
        cancel(unit, reason)
        unit.commit("cancel_instance", actor=by)


def cancel(unit: InstanceUnit, reason: str) -> None:
    """End a locked instance, within a command of its own or a batch's."""
    unit.record(Cancelled(reason))
    unit.apply(unit.kernel.cancel())


def set_variables(
    ctx: Context, instance_key: int, variables: Mapping[str, Any], by: str | None, *, scope_key: int | None = None
) -> None:
    """Set variables in an instance (or in a scope within it).

    Raises:
        NotFound: there is no such instance or scope.
        NotAllowed: `by` is no administrator.
        Conflict: the instance has ended.
    """
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, instance_key, by)
        unit.apply(unit.kernel.set_variables(scope_key or instance_key, clean(variables)))
        unit.commit("set_variables", actor=by)


def modify_instance(
    ctx: Context,
    instance_key: int,
    by: str | None,
    reason: str,
    *,
    activate: Sequence[Activation | str] = (),
    terminate: Sequence[int | str] = (),
    moves: Sequence[Move] = (),
) -> None:
    """Correct where an instance stands, with a reason.

    Args:
        activate: elements to start before, with variables and the scope where several live.
        terminate: element instances (keys), or all of an element (ids).
        moves: both at once, for each instance of an element.
    Raises:
        InvalidValue: there is no reason, nothing to do, or an element cannot be started at.
        NotAllowed: `by` is no administrator.
        NotFound: there is nothing of that to terminate.
        Conflict: the instance has ended.
    """
    if not reason.strip():
        raise InvalidValue("请填写修改原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, instance_key, by)
        modify(unit, reason, activate, terminate, moves)
        unit.commit("modify_instance", actor=by)


def modify(
    unit: InstanceUnit,
    reason: str,
    activate: Sequence[Activation | str] = (),
    terminate: Sequence[int | str] = (),
    moves: Sequence[Move] = (),
) -> None:
    """Correct where a locked instance stands, within a command of its own or a batch's."""
    unit.record(Corrected(reason))
    _modify(unit, activate, terminate, moves)


def preview_modification(
    ctx: Context,
    instance_key: int,
    by: str | None,
    *,
    activate: Sequence[Activation | str] = (),
    terminate: Sequence[int | str] = (),
) -> tuple[Change, ...]:
    """Return what a modification would do: it is done, and undone by rolling back.

    Raises:
        InvalidValue, NotAllowed, NotFound, Conflict: as `modify_instance`.
    """
    try:
        with ctx.store.begin() as tx:
            unit = lock_to_correct(ctx, tx, instance_key, by)
            _modify(unit, activate, terminate)
            raise _Undone(tuple(unit.changes))
    except _Undone as undone:
        return undone.changes


class _Undone(Exception):
    """Rolls a preview back."""

    def __init__(self, changes: tuple[Change, ...]) -> None:
        self.changes = changes
        super().__init__()


def _modify(
    unit: InstanceUnit, activate: Sequence[Activation | str], terminate: Sequence[int | str], moves: Sequence[Move] = ()
) -> None:
    if not activate and not terminate and not moves:
        raise InvalidValue("请选择要进入或终止的元素（choose an element to activate or to terminate）", field="activate")
    wanted = [replace(item, variables=_clean(item.variables)) for item in map(activation, activate)]
    moved = [replace(item, variables=_clean(item.variables)) for item in moves]
    unit.apply(unit.kernel.modify(wanted, terminate, moved))


def _clean(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {scope: clean(values) for scope, values in variables.items()}


def lock_to_correct(ctx: Context, tx: Transaction, key: int, by: str | None) -> InstanceUnit:
    """Lock an instance that an administrator (None = the system) corrects.

    Raises:
        NotFound: there is no such instance.
        NotAllowed: `by` is no administrator.
        Conflict: it has ended.
    """
    check_administers(tx, by)
    unit = InstanceUnit.lock(ctx, tx, key)
    check_active(unit)
    return unit


def check_active(unit: InstanceUnit) -> None:
    """Check that the instance still runs.

    Raises:
        Conflict: it has ended.
    """
    if not unit.active:
        raise Conflict(f"实例 {unit.key} 已结束（the process instance has ended）")


def check_may_start(who: Person, version: ProcessVersion) -> None:
    """Check that a person may start a process by hand.

    Raises:
        NotAllowed: none of the person's groups is among the process's `candidateStarterGroups`.
    """
    if not may_start(who, version):
        raise NotAllowed(f"您不能发起「{version.process.name}」（you may not start this process）")


def make_business_id(tx: Transaction, version: ProcessVersion, time_zone: str) -> str | None:
    """Make a case number by the process's pattern, e.g. `SAE-{year}-{sequence:4}`; the sequence runs per text before it."""
    pattern = version.process.business_id
    if not pattern:
        return None
    today = tx.now.astimezone(ZoneInfo(time_zone))
    dates = {"year": today.year, "month": today.month, "day": today.day}

    def written(match: re.Match[str]) -> str:
        word, width = match.group(1), int(match.group(2) or (2 if match.group(1) in {"month", "day"} else 1))
        return match.group(0) if word == "sequence" else f"{dates[word]:0{width}d}"

    series = _PLACE.sub(written, pattern)
    found = re.search(r"\{sequence(?::(\d{1,2}))?\}", series)
    if found is None:
        return series
    name = f"business-id:{series}"[:255]
    number = (tx.scalar(select(counter.c.value).where(counter.c.name == name).with_for_update()) or 0) + 1
    tx.execute(upsert(tx, counter, ("value",)), {"name": name, "value": number})
    return series.replace(found.group(0), f"{number:0{int(found.group(1) or 1)}d}")


def binding_name(process_id: str, binding: str, version_tag: str | None) -> str:
    """Return by what a call activity's binding is remembered: the process id, and how it is bound where not to the latest."""
    return process_id if binding == "latest" else f"{process_id}@{version_tag or binding}"


def fixed_bindings(reading: Reading, version: ProcessVersion) -> dict[str, int]:
    """Return what the call activities call, as it is now: a case that runs is not changed by what is deployed later."""
    found: dict[str, int] = {}
    for called in version.process.called_processes:
        name = called.process_id.static
        if name is None:
            continue  # named by an expression: resolved when it is called
        try:
            found[binding_name(name, called.binding, called.version_tag)] = resolve(
                reading, "process", name, called.binding, version_tag=called.version_tag, deployment_key=version.deployment_key
            )
        except NotFound:
            continue  # not deployed yet: looked for again when it is called
    return found
