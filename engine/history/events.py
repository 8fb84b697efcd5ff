"""What happens to a case apart from the kernel's changes: claims, signatures, alerts, suspensions, trouble with jobs.

Like the kernel's changes they are frozen dataclasses of JSON-able fields and stand in the journal beside them, in order.
Fields that hold people hold usernames here and user keys in the journal (see `codec`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.kernel.advance import Change, Value


@dataclass(frozen=True, slots=True)
class Event(Change):
    """Base of the events that commands and jobs add."""


# --- the case -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstanceStarted(Event):
    """A case began.

    Attributes:
        bpmn_process_id, version, definition_key: the definition that it runs.
        definition_hash: SHA-256 of the definition's file.
        parent_key, parent_element_key: the calling instance and its call activity, for a called process.
        root_key: the outermost calling instance; its own key when nobody called it.
        bindings: what "latest" meant when it started: resource or called process id → definition key, as text.
    """

    bpmn_process_id: str
    version: int
    definition_key: int
    business_id: str | None = None
    definition_hash: str = ""
    parent_key: int | None = None
    parent_element_key: int | None = None
    root_key: int | None = None
    bindings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChildStarted(Event):
    """The call activity's child instance runs now: which definition its binding named is fixed here."""

    key: int
    element_id: str
    child_key: int
    bpmn_process_id: str
    version: int
    definition_key: int


@dataclass(frozen=True, slots=True)
class Suspended(Event):
    """The case is suspended: tasks are visible but locked. `except_scope` is the scope whose tasks stay open."""

    reason: str
    except_scope: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """The case goes on."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """A person ended the case (InstanceEnded follows)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Corrected(Event):
    """An administrator changed where the case stands: elements were terminated and entered by hand (their changes follow)."""

    reason: str


@dataclass(frozen=True, slots=True)
class InstanceMigrated(Event):
    """The case goes on in another definition; what moved, closed and opened follows.

    Attributes:
        from_definition_key, from_version, from_bpmn_process_id: the definition that it ran until now.
        definition_key, version, bpmn_process_id, definition_hash: the one it runs from now (see InstanceStarted).
        mappings: source element (or flow) id → target id, where they were given; an empty target = opened anew.
        bindings: what "latest" means from now (see InstanceStarted).
    """

    from_definition_key: int
    from_version: int
    from_bpmn_process_id: str
    definition_key: int
    version: int
    bpmn_process_id: str
    definition_hash: str
    reason: str
    mappings: Mapping[str, str] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartRefused(Event):
    """A case was not started by a signal or message, because such starts would never have ended."""

    definition_key: int
    element_id: str
    message: str


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    """A person wrote a note or corrected an earlier entry; nothing is deleted."""

    text: str
    corrects_seq: int | None = None


@dataclass(frozen=True, slots=True)
class MessagePublished(Event):
    """The case sent a message to others; `variables` travel with it."""

    name: str
    correlation_key: str
    variables: Mapping[str, Value] = field(default_factory=dict)
    element_id: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineRecomputed(Event):
    """A provisional deadline was computed again after the calendar changed; `key` is a timer or a task."""

    key: int
    element_id: str
    before: datetime | None
    due_at: datetime | None
    provisional: bool = False


# --- tasks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskClaimed(Event):
    """A person took the task for themselves."""

    key: int
    element_id: str
    assignee: str


@dataclass(frozen=True, slots=True)
class TaskUnclaimed(Event):
    """The person gave the task back to its candidates."""

    key: int
    element_id: str


@dataclass(frozen=True, slots=True)
class TaskAssigned(Event):
    """Somebody handed the task to a person, or (None) back to its candidates."""

    key: int
    element_id: str
    assignee: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskChanged(Event):
    """An administrator changed what a waiting task says; `changed` names the fields, a new due date precedes as TaskUpdated.

    Attributes:
        changed: due_at | follow_up_at | candidate_groups | candidate_users | priority.
    """

    key: int
    element_id: str
    changed: tuple[str, ...]
    follow_up_at: datetime | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    priority: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FormSubmitted(Event):
    """A form was submitted and accepted: by which version of it the data were checked.

    Attributes:
        key: the task's key, the element instance of a triggered event, or None for a start form.
        form_hash: SHA-256 of the form's file.
    """

    key: int | None
    element_id: str
    form_id: str
    form_hash: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Signed(Event):
    """A decision was signed by re-entering the password.

    Attributes:
        user: who signed; `name` is their name as it was then.
        meaning: what the signature stands for, e.g. the task's name.
        at: aware UTC moment.
    """

    key: int
    element_id: str
    user: str
    name: str
    meaning: str
    at: datetime


# --- alerts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """People were told something.

    Attributes:
        key: the alert's key; `element_key` the service task's element instance.
        kind: reminder | overdue | escalation | info | signal.
        recipients: usernames it was addressed to in the end.
        groups: groups that were named.
        due_at: when it should have been sent (the timer behind it); None where no timer stands behind it.
        late_seconds: seconds between `due_at` and the moment it was raised.
        substitutes, absent: recipients who stand in for somebody, and for whom each: `substitutes[i]` for `absent[i]`.
    """

    key: int
    element_id: str
    kind: str
    subject: str
    text: str
    recipients: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    due_at: datetime | None = None
    late_seconds: int = 0
    element_key: int | None = None
    substitutes: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliverySent(Event):
    """A mail or webhook was handed over; `recipient` is a username, empty for a webhook."""

    alert_key: int
    channel: str
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryFailed(Event):
    """A mail or webhook could not be delivered after the last retry."""

    alert_key: int
    channel: str
    recipient: str
    message: str


# --- jobs and incidents ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobActivated(Event):
    """A worker took the job; until `until` no other gets it."""

    key: int
    element_id: str
    worker: str
    until: datetime


@dataclass(frozen=True, slots=True)
class JobTimeoutSet(Event):
    """A job that a worker has is its own until another moment."""

    key: int
    element_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class JobFailed(Event):
    """A worker could not do the job. `retries` are left; it is offered again at `retry_at`."""

    key: int
    element_id: str
    retries: int
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRetriesSet(Event):
    """A job got new tries."""

    key: int
    element_id: str
    retries: int


@dataclass(frozen=True, slots=True)
class IncidentCorrected(Event):
    """An administrator asks the element that holds an incident to go on; corrected variables precede as VariableSet."""

    key: int
    element_key: int
    element_id: str
    reason: str = ""


# --- administration: the chain that belongs to no case --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DefinitionsDeleted(Event):
    """Nothing starts on these versions any more: `process:leave` → version."""

    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Deployed(Event):
    """Files were deployed.

    Attributes:
        resources: name of the file → SHA-256 of its content.
        definitions: `process:<id>` | `decision:<id>` | `form:<id>` → version in force afterwards.
    """

    deployment_key: int
    resources: Mapping[str, str]
    definitions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UserChanged(Event):
    """A user was added or changed.

    `what`: added | vouched-for | name | password | groups | attributes | deactivated | activated | sessions-ended |
    token-issued | token-revoked.
    """

    user: str
    what: str
    details: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupChanged(Event):
    """A group was added or renamed."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SubstitutionChanged(Event):
    """Somebody stands in for an absent person, or (`ended`) does not any more. Scope: None = all groups, all processes."""

    key: int
    user: str
    recipient: str
    from_at: datetime
    until_at: datetime
    groups: tuple[str, ...] | None = None
    processes: tuple[str, ...] | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class CalendarChanged(Event):
    """Working days of a year were entered: `days` are those that are not what their weekday says (ISO date → worked?)."""

    year: int
    source: str
    days: Mapping[str, bool] = field(default_factory=dict)
