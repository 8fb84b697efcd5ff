"""The executable model: what a BPMN file means, immutable, with its expressions compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine import feel

EventKind = Literal[
    "none",
    "timer",
    "message",
    "signal",
    "error",
    "escalation",
    "terminate",
    "link",
    "conditional",
    "compensate",
    "cancel",
    "multiple",
]
TimerKind = Literal["date", "duration", "cycle"]


@dataclass(frozen=True, slots=True)
class Term:
    """A value in the model: static text, or a FEEL expression (`expression` is then compiled)."""

    text: str
    expression: feel.Expression | None = None

    @property
    def static(self) -> str | None:
        """The text when it is static, else None."""
        return self.text if self.expression is None else None


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow. Flows without id in the file get one of ours: `#flow:<source>:<target>:<n>`."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: Term | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timer:
    """When a timer event fires."""

    kind: TimerKind
    value: Term


@dataclass(frozen=True, slots=True)
class Event:
    """What an event (or a receive task) throws or waits for.

    Attributes:
        name: message or signal name.
        correlation_key: evaluated when the subscription opens.
        code: error or escalation code; None on a catch event catches every code.
        code_variable, message_variable: variables that get the caught error's code and message.
        link: name of the link.
        condition: of a conditional event.
        variable_names, variable_events: variables, and `create` or `update` of them, that let the condition be looked at again;
            empty = all.
        activity: what a compensation event compensates; None = all that its scope completed.
        waits: whether a compensation event waits until that is done.
        parts: what a multiple event throws or waits for; `parallel` = it waits for all of them, not for one.
    """

    kind: EventKind
    timer: Timer | None = None
    name: Term | None = None
    correlation_key: Term | None = None
    code: Term | None = None
    code_variable: str | None = None
    message_variable: str | None = None
    link: str | None = None
    condition: Term | None = None
    variable_names: tuple[str, ...] = ()
    variable_events: tuple[str, ...] = ()
    activity: str | None = None
    waits: bool = True
    parts: tuple[Event, ...] = ()
    parallel: bool = False

    @property
    def each(self) -> tuple[Event, ...]:
        """The definitions of a multiple event; of any other itself."""
        return self.parts or (self,)

    def part(self, kind: EventKind) -> Event | None:
        """Return its first definition of a kind."""
        return next((event for event in self.each if event.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Mapping_:  # noqa: N801  # `Mapping` is the abstract collection
    """One input or output mapping: `target` may be a path (`a.b`)."""

    source: Term
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Implicit:
    """An event that a multi-instance throws when an inner instance completes: at each, at the first, or when a condition holds.

    Attributes:
        when: each | first | condition.
        event: the signal, escalation or error that is thrown.
        condition: of a complex behaviour; evaluated at each completion.
    """

    when: Literal["each", "first", "condition"]
    event: Event
    condition: Term | None = None


@dataclass(frozen=True, slots=True)
class StandardLoop:
    """A standard loop: repeated while the condition holds, at most `maximum` times.

    Attributes:
        condition: None = repeated up to the maximum.
        before: whether the condition is asked before the first time, too.
        maximum: at least 1; None = no limit.
    """

    condition: Term | None = None
    before: bool = False
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Multi-instance. `cardinality` stands instead of a collection.

    Attributes:
        output_local: the variable that is initialised to null in each inner instance, so that the results do not mix.
        throws: what its `behavior` throws when inner instances complete.
    """

    sequential: bool
    collection: Term | None = None
    cardinality: Term | None = None
    element: str | None = None
    output_collection: str | None = None
    output_element: Term | None = None
    output_local: str | None = None
    condition: Term | None = None
    throws: tuple[Implicit, ...] = ()


@dataclass(frozen=True, slots=True)
class AdHoc:
    """How an ad-hoc sub-process runs the elements that no flow leads to.

    Attributes:
        sequential: one after the other, never two at once.
        active: FEEL list of the ids of the elements that start; None = all of them.
        condition: asked whenever an element in it completed; None = it completes when nothing is active.
        cancel_remaining: whether what still runs is ended when the condition holds.
        output_collection, output_element: what each element that ends its path leaves.
    """

    sequential: bool = False
    active: Term | None = None
    condition: Term | None = None
    cancel_remaining: bool = True
    output_collection: str | None = None
    output_element: Term | None = None
    output_local: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work for a worker or a built-in job type."""

    type: Term
    retries: Term
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormRef:
    """The form of a user task, a start event or an offered event."""

    id: str | None = None
    binding: str = "latest"
    version_tag: str | None = None
    external: Term | None = None


@dataclass(frozen=True, slots=True)
class UserTask:
    """Who does a user task, and until when. Groups and users: static comma lists or FEEL lists."""

    assignee: Term | None = None
    candidate_groups: Term | None = None
    candidate_users: Term | None = None
    due: Term | None = None
    follow_up: Term | None = None
    priority: Term | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A FEEL expression whose result becomes a variable; without a variable's name, its entries become variables."""

    expression: Term
    result: str | None


@dataclass(frozen=True, slots=True)
class CalledDecision:
    """The decision of a business rule task."""

    id: Term
    result: str
    binding: str = "latest"
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class CalledElement:
    """The process of a call activity. `variables_in`/`variables_out`: whether all variables are handed over."""

    process_id: Term
    binding: str = "latest"
    version_tag: str | None = None
    variables_in: bool = True
    variables_out: bool = True
    business_id: Term | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """A flow node, or a scope (sub-process, or the process itself as the outermost one).

    Attributes:
        type: Camunda's word: USER_TASK, SUB_PROCESS, EVENT_SUB_PROCESS, PROCESS ...
        parent_id: the scope it stands in; None for the process.
        incoming, outgoing: ids of its flows, in the file's order.
        boundaries: ids of the boundary events attached to it.
        children: ids of the elements in this scope.
        interrupting: of boundary events and of event sub-processes' start events.
        transaction: whether a sub-process is one, which can be cancelled.
        for_compensation: whether it runs only to compensate another activity.
        handler: of a compensation boundary event: the id of the activity that compensates its host.
        clocks: names of clocks (property `clock`); stops: names of the clocks that stand still while it is active.
        past_due: what a timer that is already past when armed does.
        start_quantity, completion_quantity: tokens that an activity needs to start, and that leave it by each flow it takes.
        activation: condition of a complex gateway that joins.
        instantiates: whether a receive task or an event-based gateway starts the process.
        parallel_start: of an event-based gateway that starts the process: whether all its events must come.
        offered_to: people who may trigger this message event by hand.
    """

    id: str
    name: str
    type: str
    parent_id: str | None
    line: int = 0
    documentation: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str | None = None
    boundaries: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    attached_to: str | None = None
    interrupting: bool = True
    transaction: bool = False
    for_compensation: bool = False
    handler: str | None = None
    event: Event | None = None
    inputs: tuple[Mapping_, ...] = ()
    outputs: tuple[Mapping_, ...] = ()
    loop: Loop | StandardLoop | None = None
    ad_hoc: AdHoc | None = None
    start_quantity: int = 1
    completion_quantity: int = 1
    activation: Term | None = None
    instantiates: bool = False
    parallel_start: bool = False
    job: Job | None = None
    user: UserTask | None = None
    form: FormRef | None = None
    script: Script | None = None
    decision: CalledDecision | None = None
    call: CalledElement | None = None
    clocks: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    past_due: str = "fire"
    excluded_users: Term | None = None
    signed: Term | None = None
    visible_to: Term | None = None
    offered_to: Term | None = None
    initiator: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether nothing leads to it, so that it starts with its scope, where that has no start event."""
        is_link = self.event is not None and self.event.link is not None and self.type == "INTERMEDIATE_CATCH_EVENT"
        never = self.type in {"START_EVENT", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"} or self.for_compensation
        return not self.incoming and not never and not is_link and not self.instantiates

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules this element carries (property `rule`)."""
        return tuple(r.strip() for r in self.properties.get("rule", "").split(",") if r.strip())

    @property
    def form_id(self) -> str | None:
        """Id of its Camunda Form."""
        return self.form.id if self.form else None


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """One executable process.

    Attributes:
        elements: every element by id, the process itself (type PROCESS) included.
        flows: every sequence flow by id.
        version_tag: zeebe:versionTag.
        dialect: zeebe, camunda or plain.
        candidate_starter_groups: who may start it by hand; empty = nobody but administrators.
        business_id: pattern of generated business ids.
        subject: FEEL for a case's one-line subject.
        summary: names of the variables shown first.
        forbidden_patterns: FEEL list of contexts {pattern, label}, checked in every free text of its forms.
    """

    id: str
    name: str
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    version_tag: str | None = None
    dialect: str = "plain"
    candidate_starter_groups: tuple[str, ...] = ()
    business_id: str | None = None
    subject: Term | None = None
    summary: tuple[str, ...] = ()
    forbidden_patterns: Term | None = None

    @property
    def root(self) -> Element:
        """The process as the outermost scope."""
        return self.elements[self.id]

    @property
    def properties(self) -> Mapping[str, str]:
        """The process's zeebe:properties."""
        return self.root.properties

    @property
    def documentation(self) -> str:
        """The process's documentation."""
        return self.root.documentation

    @property
    def start_events(self) -> tuple[Element, ...]:
        """What starts the process itself (not its sub-processes), in the file's order.

        Its start events, the receive tasks that instantiate it, and the events behind event-based gateways that do.
        """
        found: list[Element] = []
        for element in (self.elements[i] for i in self.root.children):
            if element.type == "START_EVENT" or (element.instantiates and element.event is not None):
                found.append(element)
            elif element.instantiates:
                found += (self.elements[self.flows[f].target] for f in element.outgoing)
        return tuple(found)

    def gateway_before(self, element: Element) -> Element | None:
        """Return the event-based gateway that an element stands behind and that starts the process; None where there is none."""
        sources = (self.elements[self.flows[f].source] for f in element.incoming)
        return next((s for s in sources if s.instantiates), None)

    def starts_by_itself(self, scope: Element) -> tuple[Element, ...]:
        """Return the elements that start with a scope that has no start event: those that no flow leads to."""
        children = [self.elements[i] for i in scope.children]
        if any(c.type == "START_EVENT" or c.instantiates for c in children):
            return ()
        return tuple(c for c in children if c.is_first)

    @property
    def called_processes(self) -> tuple[CalledElement, ...]:
        """What its call activities call."""
        return tuple(e.call for e in self.elements.values() if e.call)
