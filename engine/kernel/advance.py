"""What one call of the kernel did: an ordered list of changes, and the live rows they leave.

`Advance.changes` is at once the journal's content, what replay plays back, and what the store projects into its live
tables. Every change is a frozen dataclass of JSON-able fields (ints, str, bool, None, aware datetimes, FEEL values).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Value = Any  # a variable's value as JSON: None, bool, int, Decimal, str, list, dict


@dataclass(frozen=True, slots=True)
class ElementRow:
    """One live element instance (or the process instance's own root scope), as stored between two commands.

    Attributes:
        key: the element instance's key; the root's key is the process instance's.
        parent_key: key of the flow scope it lives in (for a multi-instance's inner instance: its body); None for the root.
        element_id: id in the model; the process id for the root.
        state: the kernel's own word for its state (WAITING, STARTED, ...).
        data: small JSON of the kernel's own (flow it came by, loop counter, host of a boundary event, ...).
    """

    key: int
    parent_key: int | None
    element_id: str
    state: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Base of all changes."""


# --- elements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ElementEntered(Change):
    """An element instance became active. `type` is Camunda's word: USER_TASK, START_EVENT, MULTI_INSTANCE_BODY, ..."""

    key: int
    element_id: str
    type: str
    scope_key: int | None
    flow_id: str | None = None


@dataclass(frozen=True, slots=True)
class ElementCompleted(Change):
    """An element instance ended normally. `late` data of timers is in TimerFired."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class ElementTerminated(Change):
    """An element instance was ended by an interrupt, a terminate event, or a cancellation. `by`: the id of what interrupted."""

    key: int
    element_id: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class FlowTaken(Change):
    """A sequence flow was taken (for the diagram; waiting joins included)."""

    flow_id: str
    scope_key: int


@dataclass(frozen=True, slots=True)
class VariableSet(Change):
    """A variable was created or changed in a scope (process instance, sub-process or element instance)."""

    scope_key: int
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class DecisionEvaluated(Change):
    """A business rule task evaluated a decision. `trace` says which rules matched with which inputs (see engine.dmn)."""

    key: int
    element_id: str
    decision_id: str
    version: int
    result: Value
    trace: Value


@dataclass(frozen=True, slots=True)
class AdHocStarted(Change):
    """Somebody chose which elements of an ad-hoc sub-process start."""

    key: int
    element_id: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpressionWarned(Change):
    """An expression gave null for a reason that FEEL names; the case went on with null."""

    key: int
    element_id: str
    message: str


# --- what waits -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskCreated(Change):
    """A user task waits for a person.

    Attributes:
        key: the element instance's key; it is also the task's key.
        loop_counter: 1-based, in a multi-instance; else None.
        form_id: id of the Camunda Form; `form_binding` latest | deployment | versionTag.
        excluded_users: usernames who may never get this task, by any way.
        signed: completing needs the password again.
        visible_to: groups that may read this scope's variables before it closes; None = no restriction.
        properties: all zeebe:properties of the element.
    """

    key: int
    element_id: str
    name: str
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    excluded_users: tuple[str, ...] = ()
    due_at: datetime | None = None
    follow_up_at: datetime | None = None
    priority: int = 50
    form_id: str | None = None
    form_binding: str = "latest"
    form_version_tag: str | None = None
    external_form: str | None = None
    loop_counter: int | None = None
    signed: bool = False
    visible_to: tuple[str, ...] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskUpdated(Change):
    """A waiting task's due date changed (a clock stopped or went on). `due_at` None = its clock stands still now."""

    key: int
    element_id: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskCompleted(Change):
    """A person (see the journal row's actor) completed the task."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class TaskCancelled(Change):
    """The task went away without being completed."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class TimerArmed(Change):
    """A timer waits.

    Attributes:
        key: key of the element instance that waits (catch event, boundary event, event sub-process subscription).
        due_at: aware UTC moment at which it fires.
        repetitions: how many more times it fires, this one included; -1 = without end; 1 for dates and durations.
        text: the ISO 8601 text or date it was computed from.
        clock: names of the clocks it belongs to (its element id, its host's id, and the property `clock`).
    """

    key: int
    element_id: str
    due_at: datetime
    repetitions: int = 1
    text: str = ""
    clock: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimerDisarmed(Change):
    """The timer is not needed any more."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class TimerFired(Change):
    """The timer fired. `due_at` is when it should have, the journal row's time is when it did.

    `recorded_only` = it was already past when armed and its `pastDue` is `record`: written down, not acted on.
    """

    key: int
    element_id: str
    due_at: datetime
    recorded_only: bool = False


@dataclass(frozen=True, slots=True)
class ClockStopped(Change):
    """A clock stands still: `remaining` seconds per timer or task key it holds (due_at - now at the stop)."""

    clock: str
    by_key: int
    remaining: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ClockResumed(Change):
    """A clock goes on: its timers are armed anew (TimerArmed / TaskUpdated follow)."""

    clock: str
    by_key: int


@dataclass(frozen=True, slots=True)
class MessageAwaited(Change):
    """A message subscription is open. `offered_to`, `form_id`: people of these groups may trigger it by hand with that form."""

    key: int
    element_id: str
    message: str
    correlation_key: str
    interrupting: bool = True
    offered_to: tuple[str, ...] = ()
    form_id: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class SignalAwaited(Change):
    """A signal subscription is open."""

    key: int
    element_id: str
    signal: str


@dataclass(frozen=True, slots=True)
class ConditionAwaited(Change):
    """A conditional event waits until its condition becomes true."""

    key: int
    element_id: str
    condition: str


@dataclass(frozen=True, slots=True)
class SubscriptionClosed(Change):
    """A message or signal subscription, or the waiting for a condition, is closed, whatever the reason."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class EventReceived(Change):
    """A message or signal arrived at an element (the variables follow as VariableSet), or its condition became true."""

    key: int
    element_id: str
    kind: str  # message | signal | conditional
    name: str


@dataclass(frozen=True, slots=True)
class SignalThrown(Change):
    """A signal is to be broadcast to every other instance and to signal start events, after commit."""

    element_id: str
    signal: str
    variables: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class JobCreated(Change):
    """A service, send, script-by-worker or business-rule-by-worker task waits for a worker."""

    key: int  # the element instance's key; also the job's key
    element_id: str
    type: str
    retries: int
    headers: Mapping[str, str]
    input: Mapping[str, Value]  # local variables from ioMapping inputs


@dataclass(frozen=True, slots=True)
class JobCompleted(Change):
    """The worker finished the job."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class JobCancelled(Change):
    """The job is not needed any more."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class CallStarted(Change):
    """A call activity waits for a child instance, which the command layer starts (binding resolved by it).

    Attributes:
        variables: what is propagated or mapped into the child.
    """

    key: int
    element_id: str
    called_process_id: str
    binding: str  # latest | deployment | versionTag
    version_tag: str | None
    variables: Mapping[str, Value]
    business_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallCancelled(Change):
    """The child instance of this call activity must be cancelled."""

    key: int
    element_id: str


# --- migration ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ElementMigrated(Change):
    """Since a migration a live element instance, or what waits on it, stands at another element; `before`: at which it stood."""

    key: int
    element_id: str
    before: str


@dataclass(frozen=True, slots=True)
class TaskMigrated(Change):
    """An open task goes on in another definition, whose name and form it shows from now; all else of it stays."""

    key: int
    element_id: str
    name: str
    form_id: str | None = None
    form_binding: str = "latest"
    form_version_tag: str | None = None
    external_form: str | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionMigrated(Change):
    """An open message subscription goes on in another definition; its message and correlation key stay (see MessageAwaited)."""

    key: int
    element_id: str
    interrupting: bool = True
    offered_to: tuple[str, ...] = ()
    form_id: str | None = None
    name: str = ""


# --- trouble --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IncidentRaised(Change):
    """An element cannot go on until somebody corrects it.

    Attributes:
        key: the incident's key.
        element_key: the element instance that holds it.
        kind: Camunda's word: EXTRACT_VALUE_ERROR, CONDITION_ERROR, CALLED_ELEMENT_ERROR, UNHANDLED_ERROR_EVENT, JOB_NO_RETRIES,
            IO_MAPPING_ERROR, DECISION_EVALUATION_ERROR, STEP_BUDGET, ...
        message: what is wrong, where, what to do.
    """

    key: int
    element_key: int
    element_id: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class IncidentResolved(Change):
    """The incident is gone."""

    key: int
    element_key: int
    element_id: str


# --- the instance ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstanceEnded(Change):
    """The process instance ended. `state`: COMPLETED or TERMINATED.

    For a called instance `variables` is what it hands to its parent; `error_code` / `escalation_code` say that it ended by an
    error or escalation end event that the parent's boundary events must see.
    """

    state: str
    variables: Mapping[str, Value]
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Escalated(Change):
    """A called instance threw an escalation that nobody in it caught: its parent's call activity must see it."""

    element_id: str
    code: str
    variables: Mapping[str, Value]


@dataclass(slots=True)
class Advance:
    """The result of one call of the kernel: changes in order, and the difference in live rows."""

    changes: list[Change] = field(default_factory=list)
    rows_put: dict[int, ElementRow] = field(default_factory=dict)
    rows_gone: set[int] = field(default_factory=set)
    variables_put: dict[tuple[int, str], Value] = field(default_factory=dict)
    scopes_gone: set[int] = field(default_factory=set)  # all variables of these scopes are gone
