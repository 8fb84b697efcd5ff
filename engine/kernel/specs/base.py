"""What all elements have in common: entering, completing, leaving."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from engine.definitions.model import Element, Flow
from engine.errors import Defect
from engine.kernel import clocks
from engine.kernel.spiff import WAITING, CoreSpec, CoreTask, Graph
from engine.kernel.trouble import CONDITION_ERROR, Trouble
from engine.kernel.variables import Value

if TYPE_CHECKING:
    from engine.kernel.specs.events import Boundary, EventSubProcess, Part, Undo
    from engine.kernel.specs.scopes import Body


_ASIDE = {"host", "gate", "kept", "detached"}  # what waits beside the tokens, or is over


class Node(CoreSpec):
    """An element that passes at once: none events, manual and undefined tasks.

    Attributes:
        listener: the element whose event it waits for: itself, or an event sub-process's start event.
        out: flows that leave it, with where they lead; a link's has None for the flow.
        boundaries: the boundary events attached to it.
        event_subs: event sub-processes in it, when it is a scope.
        start: the none start event, when it is a scope.
        undo: the compensation boundary event attached to it, which waits when it has completed.
        undone_by: the compensation event sub-process in it, when it is a scope.
        undoable: whether it may leave something to undo when it completes (see `engine.kernel.compensation`).
        cancelled_by: the cancel boundary event attached to it, when it is a transaction.
        parts: the definitions of a multiple event that wait, one by one.
        firsts: what starts with a scope that has no start event: the elements that no flow leads to.
        body: the multi-instance whose inner instances these are.
        clock_names: names of the clocks its timer or due date belongs to.
    """

    joins = False  # keeps tokens that wait for each other
    is_scope = False
    throws_signals = False
    collects = False  # holds what its inner instances leave to be undone until it completes itself

    def __init__(self, graph: Graph, element: Element, name: str) -> None:
        super().__init__(graph, name)
        self.element = element
        self.listener = element
        self.type = element.type
        self.out: list[tuple[Flow | None, Node]] = []
        self.boundaries: list[Boundary] = []
        self.event_subs: list[EventSubProcess] = []
        self.start: Node | None = None
        self.undo: Undo | None = None
        self.undone_by: EventSubProcess | None = None
        self.undoable = False
        self.cancelled_by: Boundary | None = None
        self.parts: dict[int, Part] = {}
        self.firsts: list[Node] = []
        self.body: Body | None = None
        self.clock_names: frozenset[str] = frozenset()

    # --- entering

    def admit(self, task: CoreTask) -> bool:
        """Gather tokens until there are as many as the activity needs to start; the last one enters for all."""
        needed = self.element.start_quantity
        if needed == 1 or "via" not in task.memo or "gathered" in task.memo:
            return True
        tree = task.tree
        waiting = tree.joining.setdefault((task.scope.key, self.name), {})
        if len(waiting) + 1 < needed:
            waiting[task.key] = task
            task.memo["gathers"] = True
            task.become(WAITING)
            return False
        for other in tuple(waiting.values()):
            tree.drop(other)
        task.memo["gathered"] = True
        return True

    def enter(self, task: CoreTask) -> bool:
        """Enter: input mappings, what the element does first, then its boundary events. True when it goes on at once."""
        tree = task.tree
        tree.entered(task)
        tree.map_inputs(task)
        at_once = self.activate(task)
        if not at_once:
            self.arm(task)
        return at_once

    def activate(self, task: CoreTask) -> bool:
        """Do what the element does when it becomes active; True when it does not wait."""
        return True

    def arm(self, task: CoreTask) -> None:
        """Arm the boundary events, and stop the clocks that stand still while this is active."""
        if self.body is not None:
            return  # they stand on the multi-instance's body
        tree = task.tree
        if task.key not in tree.attached:
            for boundary in self.boundaries:
                if boundary.listens:
                    tree.spawn(task.scope, boundary, host=task.key)
        if self.element.stops and task.key not in tree.stoppers:
            clocks.stop(tree, task)

    # --- completing and leaving

    def complete(self, task: CoreTask) -> None:
        """Complete: results, then output mappings."""
        self.produce(task)
        task.tree.map_outputs(task)

    def produce(self, task: CoreTask) -> None:
        """Do what the element does when it completes."""

    def leave(self, task: CoreTask) -> None:
        """Leave the tree; tokens take the flows chosen."""
        tree = task.tree
        if task.key not in tree.tasks:
            return  # interrupted by what it did itself
        if self.body is not None:
            self.body.inner_done(task.scope, task)
            return
        chosen = self.choose(task)
        scope = task.scope
        enough = scope.spec.child_leaves(scope, task, last=not chosen)
        tree.finish(task)
        if enough:
            tree.kill_children(scope, scope.spec.element.id)
            scope.go_on()
            return
        for flow, target in chosen:
            for _ in range(self.element.completion_quantity):
                tree.take(scope, flow.id if flow else None, target)
        if not chosen:
            tree.scope_is_quiet(scope)

    def choose(self, task: CoreTask) -> list[tuple[Flow | None, Node]]:
        """Return the flows to take: those without condition and those whose condition holds; else the default."""
        if not self.conditional:
            return self.out
        tree = task.tree
        view = tree.view(task.scope)
        chosen: list[tuple[Flow | None, Node]] = []
        fallback: list[tuple[Flow | None, Node]] = []
        held = False
        for flow, target in self.out:
            if flow is not None and flow.id == self.element.default:
                fallback.append((flow, target))
            elif flow is None or flow.condition is None:
                chosen.append((flow, target))
            elif tree.evaluation.boolean(flow.condition, view):
                chosen.append((flow, target))
                held = True
        if not held:
            chosen += fallback
        if not chosen:
            raise self.no_way_out()
        return chosen

    @cached_property
    def conditional(self) -> bool:
        """Whether a flow that leaves it has a condition or is a default."""
        return self.element.default is not None or any(f is not None and f.condition is not None for f, _ in self.out)

    def no_way_out(self) -> Trouble:
        """Return the trouble of having no flow to take."""
        name = self.element.name or self.element.id
        return Trouble(
            CONDITION_ERROR,
            f"「{name}」的条件都不成立，也没有默认连线 / no condition holds at {self.element.id} and there is no default flow",
        )

    # --- what only some elements do

    @property
    def keeps_outputs(self) -> bool:
        """Whether results stay in the element instance: an inner instance of a multi-instance, whose body collects them."""
        return self.body is not None and self.body.separate

    def child_leaves(self, scope: CoreTask, task: CoreTask, *, last: bool) -> bool:
        """An element in this scope completes; `last` = no token goes on from it. True when the scope is to complete by that.

        Raises:
            Trouble: a condition failed; nothing was changed.
        """
        return False

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        """Take the event it waited for."""
        raise Defect(f"{self.element.id} waits for no event")

    def waits_in(self, task: CoreTask) -> CoreTask:
        """Return the element instance in which the expressions of its event are evaluated."""
        return task

    def undo_it(self, task: CoreTask) -> None:
        """Undo what it left behind."""
        raise Defect(f"{self.element.id} leaves nothing to undo")

    def compensated(self, task: CoreTask) -> None:
        """All is undone that it asked for."""
        raise Defect(f"{self.element.id} asks for no compensation")

    def counters(self, task: CoreTask) -> Mapping[str, Value] | None:
        """Return variables that are computed, not stored."""
        return None

    def is_passive(self, task: CoreTask) -> bool:
        """Whether it does not keep its scope open."""
        return "kept" in task.memo and task.state == WAITING

    def is_idle(self, task: CoreTask) -> bool:
        """Whether no token of it moves: it waits beside another element, or is over."""
        return "on" not in task.memo and not _ASIDE.isdisjoint(task.memo)

    def pass_on(self, tokens: Mapping[int, CoreTask]) -> bool:
        """Let tokens that wait here go on although not all have come; False when they wait on. Asked when nothing else moves."""
        return False

    def ran_dry(self, task: CoreTask) -> None:
        """Nothing lives in the scope any more."""
        raise Defect(f"{self.element.id} is no scope")
