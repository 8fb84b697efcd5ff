"""The state of a case at a moment of its history, as replay rebuilds it from the journal alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Counts:
    """How many instances of one element are active, completed and terminated."""

    active: int = 0
    completed: int = 0
    terminated: int = 0


@dataclass(slots=True)
class ElementState:
    """One element instance. `state`: ACTIVE | COMPLETED | TERMINATED; `ended_by` is the interrupting element's id."""

    key: int
    element_id: str
    type: str
    scope_key: int | None
    entered_at: datetime
    state: str = "ACTIVE"
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(slots=True)
class TaskState:
    """One user task. `state`: OPEN | COMPLETED | CANCELLED; people by username."""

    key: int
    element_id: str
    name: str
    created_at: datetime
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    due_at: datetime | None = None
    state: str = "OPEN"
    ended_at: datetime | None = None
    completed_by: str | None = None
    on_behalf_of: str | None = None
    form_id: str | None = None
    form_hash: str | None = None
    reason: str = ""


@dataclass(slots=True)
class TimerState:
    """One timer. `state`: ARMED | FIRED | DISARMED | RECORDED (already past when armed, written down only).

    `firings` holds (due, actual) of every time it fired.
    """

    key: int
    element_id: str
    due_at: datetime
    armed_at: datetime
    clock: tuple[str, ...] = ()
    state: str = "ARMED"
    firings: list[tuple[datetime, datetime]] = field(default_factory=list)


@dataclass(slots=True)
class WaitState:
    """An open subscription or a job: `kind` is message | signal | conditional | job | call, `name` what it waits for."""

    key: int
    element_id: str
    kind: str
    name: str
    since: datetime
    correlation_key: str = ""


@dataclass(slots=True)
class IncidentState:
    """Trouble that holds an element until `resolved_at`."""

    key: int
    element_id: str
    kind: str
    message: str
    raised_at: datetime
    resolved_at: datetime | None = None
    element_key: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed decision: who, by which name, when, and what it stands for."""

    seq: int
    task_key: int
    element_id: str
    user: str
    name: str
    meaning: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """People were told something; `due_at` is when they should have been."""

    seq: int
    key: int
    element_id: str
    kind: str
    subject: str
    recipients: tuple[str, ...]
    raised_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision table was evaluated: which rules matched, with which inputs."""

    seq: int
    element_id: str
    decision_id: str
    version: int
    result: Any
    trace: Any
    at: datetime


@dataclass(slots=True)
class State:
    """A case as it stood behind one journal row.

    Attributes:
        seq, at: the row replayed last; 0 and None before the first.
        actor, on_behalf_of, command: who did it, for whom, and what.
        status: ACTIVE | COMPLETED | TERMINATED.
        suspended: the reason, while the case is suspended.
        elements: every element instance so far, by key, in order of entry.
        counts: by element id.
        flows: how often each sequence flow was taken.
        variables: by scope key (the case's own key for its variables); a scope's go when it ends.
        waits: open subscriptions, jobs and calls by element instance key.
        stopped_clocks: clocks that stand still, and since when.
        children: instance keys of called cases by call activity's element instance key.
        definitions: (sequence number, definition key) of the start and of each migration.
    """

    instance_key: int
    seq: int = 0
    at: datetime | None = None
    actor: str | None = None
    on_behalf_of: str | None = None
    command: str = ""
    status: str = "ACTIVE"
    bpmn_process_id: str = ""
    version: int = 0
    definition_key: int = 0
    business_id: str | None = None
    suspended: str | None = None
    elements: dict[int, ElementState] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    flows: dict[str, int] = field(default_factory=dict)
    variables: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[int, TaskState] = field(default_factory=dict)
    timers: dict[int, TimerState] = field(default_factory=dict)
    waits: dict[int, WaitState] = field(default_factory=dict)
    incidents: dict[int, IncidentState] = field(default_factory=dict)
    signatures: list[Signature] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    stopped_clocks: dict[str, datetime] = field(default_factory=dict)
    children: dict[int, int] = field(default_factory=dict)
    definitions: list[tuple[int, int]] = field(default_factory=list)

    @property
    def active(self) -> list[ElementState]:
        """The element instances that are active, in order of entry."""
        return [element for element in self.elements.values() if element.state == "ACTIVE"]

    @property
    def open_tasks(self) -> list[TaskState]:
        """The user tasks that wait for somebody."""
        return [task for task in self.tasks.values() if task.state == "OPEN"]

    @property
    def armed_timers(self) -> list[TimerState]:
        """The timers that run, the earliest first."""
        return sorted((timer for timer in self.timers.values() if timer.state == "ARMED"), key=lambda timer: timer.due_at)
