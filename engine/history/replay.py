"""Replay: the journal's entries, one after the other, give the state of the case at any moment. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.history import events
from engine.history.journal import Entry
from engine.history.state import (
    Alert,
    Counts,
    Decision,
    ElementState,
    IncidentState,
    Signature,
    State,
    TaskState,
    TimerState,
    WaitState,
)
from engine.kernel import advance
from engine.kernel.advance import Change


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a replay: a journal row and what it moved on the diagram.

    Attributes:
        entry: who did what, when, with all events.
        counts: of the elements that changed, as they stand behind this row.
        flows: of the flows that were taken, how often in all so far.
        definition_key: the definition on whose diagram it is drawn; a migration changes it.
        status: of the case behind this row; `suspended` the reason while it is suspended.
    """

    entry: Entry
    counts: dict[str, Counts]
    flows: dict[str, int]
    status: str
    suspended: str | None
    definition_key: int = 0


def replay(instance_key: int, entries: Iterable[Entry], until: int | datetime | None = None) -> State:
    """Return the state of a case behind its last entry, or at a moment.

    Args:
        entries: the case's journal from its first row, in order.
        until: the last sequence number to replay, or the moment (aware) whose state is wanted; both included.
    """
    state = State(instance_key)
    for entry in entries:
        if _beyond(entry, until):
            break
        apply(state, entry)
    return state


def frames(instance_key: int, entries: Iterable[Entry]) -> Iterator[Frame]:
    """Yield one frame per journal row; what is drawn behind row n is the newest word of frames 1 … n on each element and flow."""
    state = State(instance_key)
    for entry in entries:
        apply(state, entry)
        touched = {change.element_id for change in entry.events if isinstance(change, _MOVES)}
        touched |= {change.before for change in entry.events if isinstance(change, advance.ElementMigrated)}
        touched &= state.counts.keys()
        taken = {change.flow_id for change in entry.events if isinstance(change, advance.FlowTaken)}
        counts = {name: _copy(state.counts[name]) for name in sorted(touched)}
        flows = {name: state.flows[name] for name in sorted(taken)}
        yield Frame(entry, counts, flows, state.status, state.suspended, state.definition_key)


def apply(state: State, entry: Entry) -> None:
    """Bring a state from behind one journal row to behind the next."""
    state.seq, state.at = entry.seq, entry.at
    state.actor, state.on_behalf_of, state.command = entry.actor, entry.on_behalf_of, entry.command
    for change in entry.events:
        act = _ACTS.get(type(change))
        if act is not None:
            act(state, entry, change)


def _beyond(entry: Entry, until: int | datetime | None) -> bool:
    if until is None:
        return False
    return entry.at > until if isinstance(until, datetime) else entry.seq > until


def _copy(counts: Counts) -> Counts:
    return Counts(counts.active, counts.completed, counts.terminated)


# --- the case -------------------------------------------------------------------------------------------------------


def _started(state: State, entry: Entry, change: events.InstanceStarted) -> None:
    state.bpmn_process_id, state.version = change.bpmn_process_id, change.version
    state.definition_key, state.business_id = change.definition_key, change.business_id
    state.definitions.append((entry.seq, change.definition_key))


def _ended(state: State, entry: Entry, change: advance.InstanceEnded) -> None:
    state.status = change.state


def _suspended(state: State, entry: Entry, change: events.Suspended) -> None:
    state.suspended = change.reason


def _resumed(state: State, entry: Entry, change: events.Resumed) -> None:
    state.suspended = None


def _child(state: State, entry: Entry, change: events.ChildStarted) -> None:
    state.children[change.key] = change.child_key


# --- elements -------------------------------------------------------------------------------------------------------


def _entered(state: State, entry: Entry, change: advance.ElementEntered) -> None:
    state.elements[change.key] = ElementState(change.key, change.element_id, change.type, change.scope_key, entry.at)
    state.counts.setdefault(change.element_id, Counts()).active += 1


def _completed(state: State, entry: Entry, change: advance.ElementCompleted) -> None:
    _leave(state, entry, change.key, "COMPLETED", None)


def _terminated(state: State, entry: Entry, change: advance.ElementTerminated) -> None:
    _leave(state, entry, change.key, "TERMINATED", change.by)


def _leave(state: State, entry: Entry, key: int, how: str, by: str | None) -> None:
    element = state.elements[key]
    element.state, element.ended_at, element.ended_by = how, entry.at, by
    counts = state.counts[element.element_id]
    counts.active -= 1
    counts.completed += how == "COMPLETED"
    counts.terminated += how == "TERMINATED"
    state.waits.pop(key, None)
    if key != state.instance_key:
        state.variables.pop(key, None)


def _flow(state: State, entry: Entry, change: advance.FlowTaken) -> None:
    state.flows[change.flow_id] = state.flows.get(change.flow_id, 0) + 1


def _variable(state: State, entry: Entry, change: advance.VariableSet) -> None:
    state.variables.setdefault(change.scope_key, {})[change.name] = change.value


def _decision(state: State, entry: Entry, change: advance.DecisionEvaluated) -> None:
    made = Decision(entry.seq, change.element_id, change.decision_id, change.version, change.result, change.trace, entry.at)
    state.decisions.append(made)


# --- migration ------------------------------------------------------------------------------------------------------


def _migrated(state: State, entry: Entry, change: events.InstanceMigrated) -> None:
    state.bpmn_process_id, state.version, state.definition_key = change.bpmn_process_id, change.version, change.definition_key
    state.definitions.append((entry.seq, change.definition_key))


def _element_migrated(state: State, entry: Entry, change: advance.ElementMigrated) -> None:
    element = state.elements.get(change.key)
    if element is not None and element.state == "ACTIVE":
        state.counts[element.element_id].active -= 1
        element.element_id = change.element_id
        state.counts.setdefault(change.element_id, Counts()).active += 1
    timer = state.timers.get(change.key)
    for waiting in (state.tasks.get(change.key), timer, state.waits.get(change.key)):
        if waiting is not None and (waiting is not timer or timer.state == "ARMED"):
            waiting.element_id = change.element_id
    for incident in state.incidents.values():
        if incident.element_key == change.key and incident.resolved_at is None:
            incident.element_id = change.element_id


def _task_migrated(state: State, entry: Entry, change: advance.TaskMigrated) -> None:
    task = state.tasks[change.key]
    task.element_id, task.name, task.form_id = change.element_id, change.name, change.form_id


# --- tasks ----------------------------------------------------------------------------------------------------------


def _task_created(state: State, entry: Entry, change: advance.TaskCreated) -> None:
    state.tasks[change.key] = TaskState(
        key=change.key,
        element_id=change.element_id,
        name=change.name,
        created_at=entry.at,
        assignee=change.assignee,
        candidate_groups=change.candidate_groups,
        candidate_users=change.candidate_users,
        due_at=change.due_at,
        form_id=change.form_id,
    )


def _task_due(state: State, entry: Entry, change: advance.TaskUpdated) -> None:
    state.tasks[change.key].due_at = change.due_at


def _task_completed(state: State, entry: Entry, change: advance.TaskCompleted) -> None:
    task = state.tasks[change.key]
    task.state, task.ended_at = "COMPLETED", entry.at
    task.completed_by, task.on_behalf_of = entry.actor, entry.on_behalf_of


def _task_cancelled(state: State, entry: Entry, change: advance.TaskCancelled) -> None:
    task = state.tasks[change.key]
    task.state, task.ended_at = "CANCELLED", entry.at


def _assigned(state: State, entry: Entry, change: events.TaskClaimed | events.TaskAssigned) -> None:
    state.tasks[change.key].assignee = change.assignee


def _unclaimed(state: State, entry: Entry, change: events.TaskUnclaimed) -> None:
    state.tasks[change.key].assignee = None


def _changed(state: State, entry: Entry, change: events.TaskChanged) -> None:
    task = state.tasks[change.key]
    if "candidate_groups" in change.changed:
        task.candidate_groups = change.candidate_groups
    if "candidate_users" in change.changed:
        task.candidate_users = change.candidate_users


def _submitted(state: State, entry: Entry, change: events.FormSubmitted) -> None:
    task = state.tasks.get(change.key) if change.key is not None else None
    if task is not None:
        task.form_id, task.form_hash, task.reason = change.form_id, change.form_hash, change.reason


def _signed(state: State, entry: Entry, change: events.Signed) -> None:
    signature = Signature(entry.seq, change.key, change.element_id, change.user, change.name, change.meaning, change.at)
    state.signatures.append(signature)


# --- time -----------------------------------------------------------------------------------------------------------


def _armed(state: State, entry: Entry, change: advance.TimerArmed) -> None:
    before = state.timers.get(change.key)
    firings = before.firings if before is not None else []
    state.timers[change.key] = TimerState(change.key, change.element_id, change.due_at, entry.at, change.clock, firings=firings)


def _disarmed(state: State, entry: Entry, change: advance.TimerDisarmed) -> None:
    timer = state.timers.get(change.key)
    if timer is not None and timer.state == "ARMED":
        timer.state = "DISARMED"


def _fired(state: State, entry: Entry, change: advance.TimerFired) -> None:
    timer = state.timers.get(change.key)
    if timer is None:  # already past when armed: it never waited
        timer = TimerState(change.key, change.element_id, change.due_at, entry.at)
        state.timers[change.key] = timer
    timer.state = "RECORDED" if change.recorded_only else "FIRED"
    timer.firings.append((change.due_at, entry.at))


def _clock_stopped(state: State, entry: Entry, change: advance.ClockStopped) -> None:
    state.stopped_clocks.setdefault(change.clock, entry.at)


def _clock_resumed(state: State, entry: Entry, change: advance.ClockResumed) -> None:
    state.stopped_clocks.pop(change.clock, None)


def _recomputed(state: State, entry: Entry, change: events.DeadlineRecomputed) -> None:
    if change.key in state.timers and change.due_at is not None:
        state.timers[change.key].due_at = change.due_at
    if change.key in state.tasks:
        state.tasks[change.key].due_at = change.due_at


# --- what waits -----------------------------------------------------------------------------------------------------


def _message(state: State, entry: Entry, change: advance.MessageAwaited) -> None:
    wait = WaitState(change.key, change.element_id, "message", change.message, entry.at, change.correlation_key)
    state.waits[change.key] = wait


def _signal(state: State, entry: Entry, change: advance.SignalAwaited) -> None:
    state.waits[change.key] = WaitState(change.key, change.element_id, "signal", change.signal, entry.at)


def _condition(state: State, entry: Entry, change: advance.ConditionAwaited) -> None:
    state.waits[change.key] = WaitState(change.key, change.element_id, "conditional", change.condition, entry.at)


def _job(state: State, entry: Entry, change: advance.JobCreated) -> None:
    state.waits[change.key] = WaitState(change.key, change.element_id, "job", change.type, entry.at)


def _call(state: State, entry: Entry, change: advance.CallStarted) -> None:
    state.waits[change.key] = WaitState(change.key, change.element_id, "call", change.called_process_id, entry.at)


def _done(state: State, entry: Entry, change: Any) -> None:
    state.waits.pop(change.key, None)


# --- trouble and alerts ---------------------------------------------------------------------------------------------


def _incident(state: State, entry: Entry, change: advance.IncidentRaised) -> None:
    state.incidents[change.key] = IncidentState(
        change.key, change.element_id, change.kind, change.message, entry.at, element_key=change.element_key
    )


def _resolved(state: State, entry: Entry, change: advance.IncidentResolved) -> None:
    state.incidents[change.key].resolved_at = entry.at


def _alert(state: State, entry: Entry, change: events.AlertRaised) -> None:
    told = Alert(
        entry.seq, change.key, change.element_id, change.kind, change.subject, change.recipients, entry.at, change.due_at
    )
    state.alerts.append(told)


_MOVES = (advance.ElementEntered, advance.ElementCompleted, advance.ElementTerminated, advance.ElementMigrated)
_ACTS: dict[type[Change], Callable[[State, Entry, Any], None]] = {
    events.InstanceStarted: _started,
    events.InstanceMigrated: _migrated,
    advance.ElementMigrated: _element_migrated,
    advance.TaskMigrated: _task_migrated,
    events.Suspended: _suspended,
    events.Resumed: _resumed,
    events.ChildStarted: _child,
    advance.InstanceEnded: _ended,
    advance.ElementEntered: _entered,
    advance.ElementCompleted: _completed,
    advance.ElementTerminated: _terminated,
    advance.FlowTaken: _flow,
    advance.VariableSet: _variable,
    advance.DecisionEvaluated: _decision,
    advance.TaskCreated: _task_created,
    advance.TaskUpdated: _task_due,
    advance.TaskCompleted: _task_completed,
    advance.TaskCancelled: _task_cancelled,
    events.TaskClaimed: _assigned,
    events.TaskAssigned: _assigned,
    events.TaskUnclaimed: _unclaimed,
    events.TaskChanged: _changed,
    events.FormSubmitted: _submitted,
    events.Signed: _signed,
    advance.TimerArmed: _armed,
    advance.TimerDisarmed: _disarmed,
    advance.TimerFired: _fired,
    advance.ClockStopped: _clock_stopped,
    advance.ClockResumed: _clock_resumed,
    events.DeadlineRecomputed: _recomputed,
    advance.MessageAwaited: _message,
    advance.SignalAwaited: _signal,
    advance.ConditionAwaited: _condition,
    advance.SubscriptionClosed: _done,
    advance.EventReceived: _done,
    advance.JobCreated: _job,
    advance.JobCompleted: _done,
    advance.JobCancelled: _done,
    advance.CallStarted: _call,
    advance.CallCancelled: _done,
    advance.IncidentRaised: _incident,
    advance.IncidentResolved: _resolved,
    events.AlertRaised: _alert,
}
