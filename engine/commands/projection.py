"""What an advance leaves in the live tables. Changes are netted first, so that each table is written by one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, Table, bindparam, delete, insert, select, update
from sqlalchemy.sql.dml import Delete

from engine.commands import correlation, follow_ups
from engine.errors import NotFound
from engine.kernel import advance as kernel
from engine.kernel.advance import Advance, Change, ElementRow
from engine.store import Transaction, exact_json
from engine.store.library import resolve
from engine.store.tables import blob as blobs
from engine.store.tables import (
    draft,
    element_instance,
    form_definition,
    incident,
    job,
    message_subscription,
    signal_subscription,
    task_candidate,
    timer,
    user_task,
    variable,
)
from engine.store.types import to_microseconds
from engine.store.upsert import insert_new, upsert

if TYPE_CHECKING:
    from engine.commands.instance_unit import InstanceUnit

LARGE = 4096
"""Length in bytes from which a variable's text is stored once, by digest, as the journal does."""

NEVER = 1 << 60
"""Sorts behind every due date, in microseconds; a higher priority (0 to 100) sorts before a lower one."""


@dataclass(slots=True)
class Moves:
    """The difference in live rows that the advances of one command make together."""

    rows: dict[int, ElementRow] = field(default_factory=dict)
    rows_gone: set[int] = field(default_factory=set)
    variables: dict[tuple[int, str], Any] = field(default_factory=dict)
    scopes_gone: set[int] = field(default_factory=set)

    def add(self, advance: Advance) -> None:
        """Take over a further advance."""
        for key in advance.rows_gone:
            self.rows.pop(key, None)
        self.rows_gone |= advance.rows_gone
        self.rows.update(advance.rows_put)
        self.variables.update(advance.variables_put)
        self.scopes_gone |= advance.scopes_gone


def due_sort(due_at: datetime | None, priority: int) -> int:
    """Return by what a task is sorted in an inbox: by its due date; without one, behind all that have one, by priority."""
    return to_microseconds(due_at) if due_at is not None else NEVER + 100 - priority


def candidates(task_key: int, sort: int, groups: Iterable[str] | None, users: Iterable[str] | None) -> list[dict[str, Any]]:
    """Return the candidate rows of an open task that nobody has claimed."""
    offered = [*(("group", name) for name in groups or ()), *(("user", name) for name in users or ())]
    return [{"kind": kind, "name": name, "due_sort": sort, "task_key": task_key} for kind, name in dict.fromkeys(offered)]


INSTANCE = 20
"""What an instance in memory weighs by itself, without its rows and variables."""


def weight(rows: Collection[ElementRow], variables: Mapping[tuple[int, str], Any]) -> int:
    """Return what live rows and variables weigh in memory, in about 150 bytes; for what is kept of them."""
    return 8 * len(rows) + len(variables) + sum(map(_heaviness, variables.values()))


def _heaviness(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // 50
    if isinstance(value, Mapping):
        return 2 + sum(1 + _heaviness(item) for item in value.values())
    return 1 + sum(1 + _heaviness(item) for item in value) if isinstance(value, list) else 0


# --- statements -------------------------------------------------------------------------------------------------------


def _delete(table: Table) -> Delete:
    return delete(table).where(table.c.key == bindparam("gone"))


_DELETE_ELEMENT = delete(element_instance).where(
    element_instance.c.instance_key == bindparam("instance"), element_instance.c.key == bindparam("gone")
)
_DELETE_SCOPE = delete(variable).where(
    variable.c.instance_key == bindparam("instance"), variable.c.scope_key == bindparam("gone")
)
# The newest version of the form is the task's: whoever opens it later gets what was in force when it was created.
_ADD_TASK: Insert = insert(user_task).values(
    form_key=select(form_definition.c.key)
    .where(form_definition.c.form_id == bindparam("latest_form"))
    .order_by(form_definition.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
_BIND_FORM = update(user_task).where(user_task.c.key == bindparam("task")).values(form_key=bindparam("form"))
_END_TASK = (
    update(user_task)
    .where(user_task.c.key == bindparam("task"))
    .values(
        state=bindparam("state"),
        ended_at=bindparam("ended_at"),
        ended_by=bindparam("ended_by"),
        on_behalf_of=bindparam("on_behalf_of"),
    )
)
_MOVE_TASK = (
    update(user_task).where(user_task.c.key == bindparam("task")).values(due_at=bindparam("due"), due_sort=bindparam("sort"))
)
_MOVE_CANDIDATE = update(task_candidate).where(task_candidate.c.task_key == bindparam("task")).values(due_sort=bindparam("sort"))
_PRIORITY = select(user_task.c.priority).where(user_task.c.key == bindparam("task"))
_ADD_CANDIDATE = insert(task_candidate)
_DELETE_CANDIDATE = delete(task_candidate).where(task_candidate.c.task_key == bindparam("gone"))
_DELETE_DRAFT = delete(draft).where(draft.c.task_key == bindparam("gone"))
_DELETE_TIMER = _delete(timer)
_DELETE_MESSAGE = _delete(message_subscription)
_DELETE_SIGNAL = _delete(signal_subscription)
_DELETE_JOB = _delete(job)
_DELETE_INCIDENT = _delete(incident)
_ADD_SIGNAL = insert(signal_subscription)
_ADD_INCIDENT = insert(incident)


# --- projecting -------------------------------------------------------------------------------------------------------


def project(unit: InstanceUnit, moves: Moves, *, actor: str | None, on_behalf_of: str | None) -> None:
    """Write what a command changed into the live tables."""
    _elements(unit, moves)
    _variables(unit, moves)
    net = _Net.of(unit.changes)
    if net.tasks or net.tasks_moved:
        _tasks(unit, moves, net, actor, on_behalf_of)
    if net.timers:
        _timers(unit, net)
    if net.subscriptions:
        _subscriptions(unit, net)
    if net.jobs:
        _jobs(unit, net)
    if net.incidents:
        _incidents(unit, net)
    if net.calls:
        follow_ups.follow_calls(unit, net.calls, net.created)
    for thrown in net.signals:
        follow_ups.spread_signal(unit.ctx, unit.tx, thrown.signal, thrown.variables, but=unit.key)
    if net.child_news:
        follow_ups.tell_parent(unit, net.child_news)
    ended = any(isinstance(change, kernel.InstanceEnded) for change in net.child_news)
    if ended and unit.row["correlation_key"] is not None:
        correlation.start_next(unit.ctx, unit.tx, unit.row["bpmn_process_id"], unit.row["correlation_key"])


@dataclass(slots=True)
class _Net:
    """What is left of the changes: per key the last word."""

    tasks: dict[int, Change] = field(default_factory=dict)
    tasks_moved: dict[int, datetime | None] = field(default_factory=dict)
    timers: dict[int, Change] = field(default_factory=dict)
    subscriptions: dict[int, Change] = field(default_factory=dict)
    jobs: dict[int, Change] = field(default_factory=dict)
    incidents: dict[int, Change] = field(default_factory=dict)
    calls: dict[int, Change] = field(default_factory=dict)
    signals: list[kernel.SignalThrown] = field(default_factory=list)
    child_news: list[Change] = field(default_factory=list)
    created: set[int] = field(default_factory=set)  # keys of rows made and perhaps unmade within this command

    @classmethod
    def of(cls, changes: Iterable[Change]) -> _Net:
        """Net the changes of one command."""
        net = cls()
        for change in changes:
            name = _TABLE_OF.get(type(change))
            if name is not None:
                table: dict[int, Change] = getattr(net, name)
                key: int = change.key  # type: ignore[attr-defined]  # every class in _TABLE_OF has one
                if type(change) in _CREATES and key not in table:
                    net.created.add(key)
                table[key] = change
            elif isinstance(change, kernel.TaskUpdated):
                net.tasks_moved[change.key] = change.due_at
            elif isinstance(change, kernel.SignalThrown):
                net.signals.append(change)
            elif isinstance(change, kernel.Escalated | kernel.InstanceEnded):
                net.child_news.append(change)
        return net

    def gone(self, table: Mapping[int, Change], *kinds: type[Change]) -> list[int]:
        """Return the keys of rows that were there before and are not wanted any more."""
        return [key for key, change in table.items() if isinstance(change, kinds) and key not in self.created]


_CREATES: frozenset[type[Change]] = frozenset(
    {
        kernel.TaskCreated,
        kernel.MessageAwaited,
        kernel.SignalAwaited,
        kernel.JobCreated,
        kernel.IncidentRaised,
        kernel.CallStarted,
    }
)
_TABLE_OF: dict[type[Change], str] = {
    kernel.TaskCreated: "tasks",
    kernel.TaskCompleted: "tasks",
    kernel.TaskCancelled: "tasks",
    kernel.TimerArmed: "timers",
    kernel.TimerDisarmed: "timers",
    kernel.TimerFired: "timers",
    kernel.MessageAwaited: "subscriptions",
    kernel.SignalAwaited: "subscriptions",
    kernel.SubscriptionClosed: "subscriptions",
    kernel.EventReceived: "subscriptions",  # what was received does not wait any more
    kernel.JobCreated: "jobs",
    kernel.JobCompleted: "jobs",
    kernel.JobCancelled: "jobs",
    kernel.IncidentRaised: "incidents",
    kernel.IncidentResolved: "incidents",
    kernel.CallStarted: "calls",
    kernel.CallCancelled: "calls",
}


def _elements(unit: InstanceUnit, moves: Moves) -> None:
    gone = [{"instance": unit.key, "gone": key} for key in moves.rows_gone if key not in moves.rows]
    if gone:
        unit.tx.execute(_DELETE_ELEMENT, gone)
    if moves.rows:
        rows = [
            {
                "instance_key": unit.key,
                "key": row.key,
                "parent_key": row.parent_key,
                "element_id": row.element_id,
                "state": row.state,
                "data": row.data,
            }
            for row in moves.rows.values()
        ]
        unit.tx.execute(upsert(unit.tx, element_instance, ("parent_key", "state", "data")), rows)


def _variables(unit: InstanceUnit, moves: Moves) -> None:
    # The instance's own variables stay after its end: reports read them, and nothing is deleted.
    gone = [{"instance": unit.key, "gone": scope} for scope in moves.scopes_gone if scope != unit.key]
    if gone:
        unit.tx.execute(_DELETE_SCOPE, gone)
    kept = [
        (place, value) for place, value in moves.variables.items() if place[0] not in moves.scopes_gone or place[0] == unit.key
    ]
    if kept:
        rows = [
            {"instance_key": unit.key, "scope_key": scope, "name": name, **_stored(unit.tx, value)}
            for (scope, name), value in kept
        ]
        unit.tx.execute(upsert(unit.tx, variable, ("value", "digest")), rows)


def _stored(tx: Transaction, value: Any) -> dict[str, Any]:
    if not isinstance(value, str | list | dict):
        return {"value": value, "digest": None}
    if isinstance(value, str) and len(value) * 4 < LARGE:
        return {"value": value, "digest": None}
    content = exact_json.dumps(value).encode()
    if len(content) < LARGE:
        return {"value": value, "digest": None}
    digest = exact_json.digest(content)
    tx.execute(insert_new(tx, blobs), {"digest": digest, "size": len(content), "content": content})
    return {"value": None, "digest": digest}


def _tasks(unit: InstanceUnit, moves: Moves, net: _Net, actor: str | None, on_behalf_of: str | None) -> None:
    tx = unit.tx
    ended = []
    for key, change in net.tasks.items():
        if isinstance(change, kernel.TaskCompleted) and key not in net.created:
            ended.append({"task": key, "state": "COMPLETED", "ended_at": tx.now, "ended_by": actor, "on_behalf_of": on_behalf_of})
        elif isinstance(change, kernel.TaskCancelled) and key not in net.created:
            ended.append({"task": key, "state": "CANCELLED", "ended_at": tx.now, "ended_by": None, "on_behalf_of": None})
    if ended:
        tx.execute(_END_TASK, ended)
    if cancelled := [{"gone": row["task"]} for row in ended if row["state"] == "CANCELLED"]:
        tx.execute(_DELETE_CANDIDATE, cancelled)
        tx.execute(_DELETE_DRAFT, cancelled)
    created = [change for change in net.tasks.values() if isinstance(change, kernel.TaskCreated)]
    if created:
        _create_tasks(unit, moves, net, created)
    for key, due_at in net.tasks_moved.items():
        if not isinstance(net.tasks.get(key), kernel.TaskCreated | kernel.TaskCompleted | kernel.TaskCancelled):
            sort = due_sort(due_at, tx.scalar(_PRIORITY, {"task": key}) or 0)
            tx.execute(_MOVE_TASK, {"task": key, "due": due_at, "sort": sort})
            tx.execute(_MOVE_CANDIDATE, {"task": key, "sort": sort})


def _create_tasks(unit: InstanceUnit, moves: Moves, net: _Net, created: list[kernel.TaskCreated]) -> None:
    tx = unit.tx
    rows, offered, bound = [], [], []
    for task in created:
        due_at = net.tasks_moved.get(task.key, task.due_at)
        sort = due_sort(due_at, task.priority)
        element = moves.rows.get(task.key)
        rows.append(
            {
                "key": task.key,
                "instance_key": unit.key,
                "bpmn_process_id": unit.row["bpmn_process_id"],
                "element_id": task.element_id,
                "scope_key": element.parent_key if element is not None else unit.key,
                "name": task.name,
                "state": "OPEN",
                "assignee": task.assignee,
                "candidate_groups": task.candidate_groups or None,
                "candidate_users": task.candidate_users or None,
                "excluded_users": task.excluded_users or None,
                "visible_to": task.visible_to,
                "priority": task.priority,
                "due_at": due_at,
                "follow_up_at": task.follow_up_at,
                "due_sort": sort,
                "form_id": task.form_id,
                "latest_form": task.form_id,
                "external_form": task.external_form,
                "loop_counter": task.loop_counter,
                "signed": task.signed,
                "provisional": unit.provisional and due_at is not None,
                "has_draft": False,
                "created_at": tx.now,
                "claimed_at": tx.now if task.assignee is not None else None,
            }
        )
        if task.assignee is None:
            offered.extend(candidates(task.key, sort, task.candidate_groups, task.candidate_users))
        if task.form_id is not None and task.form_binding != "latest":
            bound.append({"task": task.key, "form": _form_key(unit, task)})
    tx.execute(_ADD_TASK, rows)
    if offered:
        tx.execute(_ADD_CANDIDATE, offered)
    if bound:
        tx.execute(_BIND_FORM, bound)


def _form_key(unit: InstanceUnit, task: kernel.TaskCreated) -> int | None:
    try:
        return resolve(
            unit.tx,
            "form",
            task.form_id or "",
            task.form_binding,
            version_tag=task.form_version_tag,
            deployment_key=unit.row["deployment_key"],
        )
    except NotFound:
        return None  # the task's page says that its form is not deployed


def _timers(unit: InstanceUnit, net: _Net) -> None:
    if gone := [{"gone": key} for key, change in net.timers.items() if not isinstance(change, kernel.TimerArmed)]:
        unit.tx.execute(_DELETE_TIMER, gone)
    armed = [change for change in net.timers.values() if isinstance(change, kernel.TimerArmed)]
    if not armed:
        return
    rows = [
        {
            "key": change.key,
            "instance_key": unit.key,
            "element_id": change.element_id,
            "due_at": change.due_at,
            "repetitions": change.repetitions,
            "text": change.text,
            "clock": change.clock or None,
            "provisional": unit.provisional,
        }
        for change in armed
    ]
    unit.tx.execute(upsert(unit.tx, timer, ("due_at", "repetitions", "text", "clock", "provisional")), rows)
    unit.tx.falls_due(min(change.due_at for change in armed))


def _subscriptions(unit: InstanceUnit, net: _Net) -> None:
    if gone := [{"gone": key} for key in net.gone(net.subscriptions, kernel.SubscriptionClosed, kernel.EventReceived)]:
        unit.tx.execute(_DELETE_MESSAGE, gone)
        unit.tx.execute(_DELETE_SIGNAL, gone)
    awaited = [change for change in net.subscriptions.values() if isinstance(change, kernel.MessageAwaited)]
    if awaited:
        rows = [
            {
                "key": change.key,
                "instance_key": unit.key,
                "bpmn_process_id": unit.row["bpmn_process_id"],
                "element_id": change.element_id,
                "message": change.message,
                "correlation_key": change.correlation_key,
                "interrupting": change.interrupting,
                "offered_to": change.offered_to or None,
                "form_id": change.form_id,
                "name": change.name,
                "opened_at": unit.tx.now,
            }
            for change in awaited
        ]
        unit.tx.execute(upsert(unit.tx, message_subscription, ("message", "correlation_key")), rows)
        correlation.take_buffered(unit.ctx, unit.tx, unit.row["bpmn_process_id"], awaited)
    if signalled := [change for change in net.subscriptions.values() if isinstance(change, kernel.SignalAwaited)]:
        signal_rows = [
            {"key": change.key, "instance_key": unit.key, "element_id": change.element_id, "signal": change.signal}
            for change in signalled
        ]
        unit.tx.execute(_ADD_SIGNAL, signal_rows)


def _jobs(unit: InstanceUnit, net: _Net) -> None:
    if gone := [{"gone": key} for key in net.gone(net.jobs, kernel.JobCompleted, kernel.JobCancelled)]:
        unit.tx.execute(_DELETE_JOB, gone)
    created = [change for change in net.jobs.values() if isinstance(change, kernel.JobCreated)]
    if not created:
        return
    rows = [
        {
            "key": change.key,
            "instance_key": unit.key,
            "element_key": change.key,
            "element_id": change.element_id,
            "type": change.type,
            "headers": change.headers or None,
            "input": change.input or None,
            "retries": change.retries,
            "due_at": unit.tx.now,
            "idempotency_key": None,
            "chain": unit.tx.chain + 1,
            "created_at": unit.tx.now,
        }
        for change in created
    ]
    unit.tx.execute(upsert(unit.tx, job, ("headers", "input", "retries", "due_at", "chain")), rows)
    unit.tx.falls_due(unit.tx.now)


def _incidents(unit: InstanceUnit, net: _Net) -> None:
    if gone := [{"gone": key} for key in net.gone(net.incidents, kernel.IncidentResolved)]:
        unit.tx.execute(_DELETE_INCIDENT, gone)
    raised = [change for change in net.incidents.values() if isinstance(change, kernel.IncidentRaised)]
    if raised:
        rows = [
            {
                "key": change.key,
                "instance_key": unit.key,
                "element_key": change.element_key,
                "element_id": change.element_id,
                "kind": change.kind,
                "message": change.message,
                "raised_at": unit.tx.now,
            }
            for change in raised
        ]
        unit.tx.execute(_ADD_INCIDENT, rows)
