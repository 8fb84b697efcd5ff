"""What queries answer: frozen records. Moments are aware, UTC; keys are 64-bit integers; people are usernames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """A user task.

    Attributes:
        state: OPEN | COMPLETED | CANCELLED.
        due_at: None = has none, or its clock stands still.
        provisional: `due_at` was counted in a year without a published calendar.
        loop_counter: 1-based, in a multi-instance.
        ended_by, on_behalf_of: who completed it, and for which absent person.
        suspended_reason: why it is locked; None = it is not.
    """

    key: int
    element_id: str
    name: str
    name_en: str
    process_instance_key: int
    process_definition_key: int
    bpmn_process_id: str
    process_name: str
    business_id: str | None
    subject: str
    state: str
    assignee: str | None
    assignee_name: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    excluded_users: tuple[str, ...]
    priority: int
    due_at: datetime | None
    follow_up_at: datetime | None
    provisional: bool
    created_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    on_behalf_of: str | None
    loop_counter: int | None
    signed: bool
    form_id: str | None
    form_key: int | None
    external_form: str | None
    has_draft: bool
    scope_key: int
    suspended_reason: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is open and its due moment has come."""
        return self.state == "OPEN" and self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Instance:
    """A process instance.

    Attributes:
        state: ACTIVE | COMPLETED | TERMINATED.
        parent_key, root_key: the calling instance, and the outermost one (its own key when nobody called it).
        suspended_reason, suspended_at, suspended_by: while it is suspended, itself or by a caller.
    """

    key: int
    bpmn_process_id: str
    process_name: str
    process_definition_key: int
    version: int
    business_id: str | None
    subject: str
    state: str
    started_at: datetime
    started_by: str | None
    started_by_name: str | None
    ended_at: datetime | None
    parent_key: int | None
    root_key: int
    revision: int
    open_tasks: int = 0
    suspended_reason: str | None = None
    suspended_at: datetime | None = None
    suspended_by: str | None = None


@dataclass(frozen=True, slots=True)
class ElementInstance:
    """An element instance, live or past. `state`: ACTIVE | COMPLETED | TERMINATED; `type`: Camunda's word."""

    key: int
    element_id: str
    type: str
    state: str
    scope_key: int | None
    entered_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormView:
    """A form to be shown: its file's JSON, and the hash that a submission names."""

    form_id: str
    hash: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """A variable with the label that a form gives it."""

    name: str
    label: str
    label_en: str
    value: Any


@dataclass(frozen=True, slots=True)
class DueClock:
    """How long a task has been open.

    Attributes:
        gross_seconds: since it was created.
        net_seconds: the same without the time in which its clock stood still.
        stopped: its clock stands still now.
    """

    due_at: datetime | None
    gross_seconds: float
    net_seconds: float
    stopped: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A row of a case's journal, for reading.

    Attributes:
        actor_name, on_behalf_of_name: the names of today; None = the engine itself, nobody.
        kinds: names of the events in order, e.g. TaskCompleted.
        element_ids: the elements concerned, in order, without doubles.
    """

    seq: int
    at: datetime
    actor: str | None
    actor_name: str | None
    on_behalf_of: str | None
    on_behalf_of_name: str | None
    command: str
    kinds: tuple[str, ...]
    element_ids: tuple[str, ...]
    events: tuple[Any, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One event of a case, for programs.

    Attributes:
        seq: of the journal's row; the events of one command share it.
        kind: e.g. TaskCompleted, TimerFired, VariableSet.
        payload: the event's fields; moments as ISO texts.
        hash: the row's seal.
    """

    seq: int
    at: datetime
    actor: str | None
    on_behalf_of: str | None
    command: str
    kind: str
    element_id: str | None
    payload: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Incident:
    """What stops an element until somebody corrects it."""

    key: int
    process_instance_key: int
    bpmn_process_id: str
    process_name: str
    business_id: str | None
    element_key: int
    element_id: str
    element_name: str
    kind: str
    message: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """What people were told.

    Attributes:
        groups, users: to whom it was addressed; recipients: who got it.
        due_at: when the timer behind it was due; raised_at: when it was written.
        read_at: when the person who asks read it.
        on_behalf_of: the absent person for whom the person who asks got it; None = for themselves.
    """

    key: int
    process_instance_key: int
    bpmn_process_id: str
    business_id: str | None
    element_id: str
    kind: str
    subject: str
    text: str
    due_at: datetime | None
    raised_at: datetime
    groups: tuple[str, ...]
    users: tuple[str, ...]
    recipients: tuple[str, ...]
    read_at: datetime | None = None
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A message event that waits; people it is offered to may trigger it by hand."""

    key: int
    process_instance_key: int
    element_id: str
    element_name: str
    name: str
    name_en: str
    message: str
    correlation_key: str
    offered_to: tuple[str, ...]
    form_id: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file bound to a case."""

    digest: str
    name: str
    content_type: str
    size: int
    bound_by: str | None
    bound_at: datetime


@dataclass(frozen=True, slots=True)
class OfferPage:
    """An offered event with its form (None = it is triggered without one) and what the form may read."""

    offer: Offer
    instance: Instance
    form: FormView | None
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer that waits."""

    key: int
    element_id: str
    element_name: str
    due_at: datetime
    provisional: bool


@dataclass(frozen=True, slots=True)
class ScopeVariable:
    """A variable where it lives: `scope_element_id` is the process's id for the case's own."""

    scope_key: int
    scope_element_id: str
    name: str
    label: str
    label_en: str
    value: Any


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Everything a task's page shows.

    Attributes:
        form: None = it has no form, or it is not deployed.
        variables: what the form may read.
        draft: what the person typed before.
        may_*: what this person may do now; `reason` says why the task is locked or not theirs.
    """

    task: Task
    instance: Instance
    form: FormView | None
    variables: Mapping[str, Any]
    draft: Mapping[str, Any] | None
    facts: tuple[Fact, ...]
    history: tuple[HistoryLine, ...]
    clock: DueClock
    may_claim: bool
    may_unclaim: bool
    may_complete: bool
    may_assign: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """An ad-hoc sub-process in which a person may start elements: its key and name, and id and name of each element."""

    key: int
    name: str
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class InstancePage:
    """Everything a case's page shows. `offers`, `choices`: what this person may trigger or start by hand."""

    instance: Instance
    parent: Instance | None
    children: tuple[Instance, ...]
    facts: tuple[Fact, ...]
    variables: tuple[ScopeVariable, ...]
    tasks: tuple[Task, ...]
    elements: tuple[ElementInstance, ...]
    timers: tuple[TimerView, ...]
    alerts: tuple[Alert, ...]
    incidents: tuple[Incident, ...]
    offers: tuple[Offer, ...]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A count that stops: 100 stands for "99+"."""

    value: int

    def __str__(self) -> str:
        return "99+" if self.value > 99 else str(self.value)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of an inbox, the most urgent first (in `done`: the last; found by words: the newest case).

    Attributes:
        counts: by tab.
        complete: False = the words stand in so many cases that only some were looked through; another word narrows the search.
    """

    tab: str
    search: str
    page: int
    tasks: tuple[Task, ...]
    has_next: bool
    counts: Mapping[str, Count]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class InstanceList:
    """A page of cases, the newest first.

    Attributes:
        complete: False = only the newest cases were looked through, and the person's own.
    """

    instances: tuple[Instance, ...]
    page: int
    has_next: bool
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ProcessVersionView:
    """A version of a process, with the number of its running instances."""

    key: int
    bpmn_process_id: str
    name: str
    version: int
    version_tag: str | None
    resource_name: str
    digest: str
    deployment_key: int
    deployed_at: datetime
    deployed_by: str | None
    running: int
    newest: bool


@dataclass(frozen=True, slots=True)
class ResourceVersionView:
    """A version of a decision or a form. `kind`: decision | form."""

    kind: str
    key: int
    id: str
    name: str
    version: int
    version_tag: str | None
    resource_name: str
    digest: str
    deployed_at: datetime


@dataclass(frozen=True, slots=True)
class Startable:
    """A process that a person may start by hand. `drafts`: their unfinished start forms."""

    bpmn_process_id: str
    name: str
    name_en: str
    documentation: str
    version: int
    process_definition_key: int
    form_id: str | None
    drafts: tuple[StartDraft, ...]


@dataclass(frozen=True, slots=True)
class StartDraft:
    """An unfinished start form."""

    key: int
    bpmn_process_id: str
    created_at: datetime
    saved_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StartPage:
    """A process's start form, with what the person typed before."""

    startable: Startable
    form: FormView | None
    draft: StartDraft | None


@dataclass(frozen=True, slots=True)
class User:
    """A user as administrators see them."""

    key: int
    username: str
    name: str
    email: str | None
    active: bool
    can_sign_in: bool
    session_epoch: int
    groups: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """A group with the number of its active members."""

    id: str
    name: str
    name_en: str
    members: int


@dataclass(frozen=True, slots=True)
class SubstitutionView:
    """Who stands in for whom. `active`: at this moment. Scope: None = all."""

    key: int
    absent: str
    absent_name: str
    substitute: str
    substitute_name: str
    from_at: datetime
    until_at: datetime
    groups: tuple[str, ...] | None
    processes: tuple[str, ...] | None
    ended_at: datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class ElementStatistics:
    """How an element's tasks went in a period.

    Attributes:
        completed: how many were completed; open: how many wait now.
        median_seconds: from creation to completion, the middle one; None = none was completed.
        in_time: share (0 to 1) of those with a due date that were completed by it; None = none had one.
    """

    bpmn_process_id: str
    element_id: str
    name: str
    open: int
    overdue: int
    completed: int
    median_seconds: float | None
    in_time: float | None


@dataclass(frozen=True, slots=True)
class ProcessStatistics:
    """How a process's cases went in a period: started, ended, running now, and the median from start to end."""

    bpmn_process_id: str
    name: str
    running: int
    started: int
    completed: int
    terminated: int
    median_seconds: float | None
    elements: tuple[ElementStatistics, ...]
