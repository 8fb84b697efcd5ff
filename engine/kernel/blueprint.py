"""A process, wired into specs once and shared by all its instances: nothing in it changes while they run."""

from __future__ import annotations

from functools import lru_cache

from engine.definitions.model import Element, Process, StandardLoop
from engine.errors import Defect
from engine.kernel import clocks
from engine.kernel.specs import adhoc, events, gateways, loops, scopes, tasks
from engine.kernel.specs.base import Node
from engine.kernel.spiff import graph

_CLASSES: dict[str, type[Node]] = {
    "TASK": Node,
    "MANUAL_TASK": Node,
    "USER_TASK": tasks.UserTask,
    "SERVICE_TASK": tasks.JobTask,
    "SEND_TASK": tasks.JobTask,
    "RECEIVE_TASK": events.Catching,
    "CALL_ACTIVITY": tasks.CallActivity,
    "SUB_PROCESS": scopes.SubProcess,
    "EVENT_SUB_PROCESS": events.EventSubProcess,
    "AD_HOC_SUB_PROCESS": adhoc.AdHocSubProcess,
    "EXCLUSIVE_GATEWAY": gateways.ExclusiveGateway,
    "PARALLEL_GATEWAY": gateways.ParallelGateway,
    "INCLUSIVE_GATEWAY": gateways.InclusiveGateway,
    "EVENT_BASED_GATEWAY": gateways.EventBasedGateway,
    "COMPLEX_GATEWAY": gateways.ComplexGateway,
    "START_EVENT": Node,
    "BOUNDARY_EVENT": events.Boundary,
}


class Blueprint:
    """The specs of one process.

    Attributes:
        root: the process as the outermost scope.
        patient: names of the gateways whose tokens may go on although not all have come: inclusive and complex ones.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.graph = graph(process.id)
        self._outer: dict[str, Node] = {}
        self._inner: dict[str, Node] = {}
        for element in process.elements.values():
            self._add(element)
        self._parts: dict[tuple[str, int], events.Part] = {}
        for element in process.elements.values():
            self._wire(element)
        for element in process.elements.values():
            self._wire_parts(element)
            self._let_undo(element)
        self.root = self._outer[process.id]
        patient = gateways.InclusiveGateway | gateways.ComplexGateway
        self.patient = frozenset(s.name for s in self._outer.values() if isinstance(s, patient))

    def spec(self, element_id: str, *, inner: bool = False, part: int | None = None) -> Node:
        """Return an element's spec: of a multi-instance the body's, or the inner instances'; of a multiple event one part's.

        Raises:
            Defect: the element is not in the process.
        """
        try:
            if part is not None:
                return self._parts[element_id, part]
            return (self._inner if inner else self._outer)[element_id]
        except KeyError as error:
            raise Defect(f"process {self.process.id} has no element {element_id}") from error

    def _add(self, element: Element) -> None:
        # A prefix, so that no id of a model meets a name of SpiffWorkflow's own.
        node = _class(element)(self.graph, element, f"e:{element.id}")
        node.clock_names = clocks.names(self.process, element)
        self._outer[element.id] = node
        if element.loop is not None:
            self._inner[element.id] = node
            kind = loops.StandardLoop if isinstance(element.loop, StandardLoop) else scopes.Body
            body = kind(self.graph, element, f"b:{element.id}", node)
            body.clock_names = node.clock_names
            self._outer[element.id] = body

    def _wire(self, element: Element) -> None:
        outer, elements = self._outer[element.id], self.process.elements
        for flow_id in element.outgoing:
            flow = self.process.flows[flow_id]
            outer.out.append((flow, self._outer[flow.target]))
        for boundary_id in element.boundaries:
            boundary = self._outer[boundary_id]
            if isinstance(boundary, events.Undo):
                assert boundary.element.handler is not None
                outer.undo, boundary.handler = boundary, self._outer[boundary.element.handler]
                continue
            assert isinstance(boundary, events.Boundary)
            outer.boundaries.append(boundary)
            if boundary.element.event is not None and boundary.element.event.kind == "cancel":
                outer.cancelled_by = boundary
        scope = self._inner.get(element.id, outer)
        if element.children:
            scope.firsts = [self._outer[first.id] for first in self.process.starts_by_itself(element)]
        for child_id in element.children:
            child, spec = elements[child_id], self._outer[child_id]
            if isinstance(spec, events.EventSubProcess):
                if self._is_undoing(child):
                    scope.undone_by = spec
                else:
                    scope.event_subs.append(spec)
            elif child.type == "START_EVENT" and (
                element.type == "EVENT_SUB_PROCESS" or (child.event and child.event.kind == "none")
            ):
                scope.start = spec
            if element.type == "EVENT_SUB_PROCESS" and child.type == "START_EVENT":
                scope.listener, scope.clock_names = child, clocks.names(self.process, child)
        if element.type == "INTERMEDIATE_THROW_EVENT" and element.event is not None and element.event.link is not None:
            outer.out.append((None, self._link_catch(element, element.event.link)))

    def _wire_parts(self, element: Element) -> None:
        """Give a multiple event that waits its parts; of an event sub-process, those of its start event."""
        spec = self._outer[element.id]
        event = spec.listener.event
        if event is None or not isinstance(spec, events.Catching | events.Boundary | events.EventSubProcess):
            return
        for number, each in enumerate(event.parts):
            if each.kind in events.LISTENING:
                part = events.Part(self.graph, spec.listener, f"p{number}:{element.id}", each)
                part.clock_names = spec.clock_names
                self._parts[spec.listener.id, number] = spec.parts[number] = part

    def _is_undoing(self, event_sub: Element) -> bool:
        starts = (self.process.elements[child] for child in event_sub.children)
        return any(s.type == "START_EVENT" and s.event is not None and s.event.kind == "compensate" for s in starts)

    def _let_undo(self, element: Element) -> None:
        """Note of an activity that can be undone, and of the scopes around it, that they may leave something to undo."""
        outer = self._outer[element.id]
        undoing = element.type == "EVENT_SUB_PROCESS" and self._is_undoing(element)
        if outer.undo is None and not undoing:
            return
        at = self.process.elements[element.parent_id or ""] if undoing else element
        while at.parent_id is not None and not at.for_compensation and not self._is_undoing(at):
            for spec in (self._outer[at.id], self._inner.get(at.id)):
                if spec is not None:
                    spec.undoable = True
            at = self.process.elements[at.parent_id]

    def _link_catch(self, element: Element, link: str) -> Node:
        for other in self.process.elements.values():
            if (
                other.type == "INTERMEDIATE_CATCH_EVENT"
                and other.parent_id == element.parent_id
                and other.event
                and other.event.link == link
            ):
                return self._outer[other.id]
        raise Defect(f"link {link} has no catch event")


def _class(element: Element) -> type[Node]:
    kind = element.event.kind if element.event else "none"
    if element.type == "PROCESS":
        return scopes.Root
    if element.type in {"INTERMEDIATE_THROW_EVENT", "END_EVENT"}:
        return Node if kind in {"none", "link"} else events.Throwing
    if element.type == "BOUNDARY_EVENT" and kind == "compensate":
        return events.Undo
    if element.type == "INTERMEDIATE_CATCH_EVENT":
        return Node if kind == "link" else events.Catching
    if element.type == "SCRIPT_TASK":
        return tasks.ScriptTask if element.script else tasks.JobTask
    if element.type == "BUSINESS_RULE_TASK":
        return tasks.BusinessRuleTask if element.decision else tasks.JobTask
    return _CLASSES[element.type]


@lru_cache(maxsize=512)
def blueprint(process: Process) -> Blueprint:
    """Return a process's blueprint, built once and kept while it is among those used last."""
    return Blueprint(process)
