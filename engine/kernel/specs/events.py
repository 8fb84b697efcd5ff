"""Events: catching, throwing, ending, on the boundary; event sub-processes; several definitions on one event; compensation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.definitions.model import Element, Event
from engine.kernel import advance as a
from engine.kernel import compensation, propagation, subscriptions, timers
from engine.kernel.specs.base import Node
from engine.kernel.specs.scopes import scope_undone
from engine.kernel.specs.tasks import JobTask
from engine.kernel.spiff import STARTED, WAITING, CoreTask, Graph
from engine.kernel.trouble import Trouble
from engine.kernel.variables import Value, is_internal

LISTENING = subscriptions.LISTENING


class Catching(Node):
    """Intermediate catch events and receive tasks: wait for a timer, a message, a signal or a condition."""

    def enter(self, task: CoreTask) -> bool:
        if "gate" in task.memo:  # it becomes active only when it is the first of its event-based gateway
            subscriptions.subscribe(task)
            task.become(WAITING)
            return False
        return super().enter(task)

    def activate(self, task: CoreTask) -> bool:
        if "came" in task.memo:  # its message or signal started the instance
            return True
        if not subscriptions.subscribe(task):
            return True
        task.become(WAITING)
        return False

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree = task.tree
        subscriptions.caught(task)
        gate = tree.tasks.get(task.memo.get("gate", 0))
        if gate is not None:
            flow_id, scope = task.memo["via"], gate.scope
            tree.attached[gate.key].discard(task.key)
            del task.memo["gate"]
            tree.finish(gate)
            tree.emit(a.FlowTaken(flow_id, scope.key))
            tree.entered(task)
        tree.receive(task, variables)
        task.go_on()


class Throwing(JobTask):
    """Throws, intermediate or at an end, all that its definitions say.

    Compensation comes first, which may take its time; then a message, by a job; signals and escalations, which act at once; at
    last, at an end, an error, a termination or a cancellation. An error that nobody catches is an incident, or in a called
    instance its caller's affair, never a success.
    """

    def __init__(self, graph: Graph, element: Element, name: str) -> None:
        super().__init__(graph, element, name)
        self.throws_signals = self._event.part("signal") is not None

    def activate(self, task: CoreTask) -> bool:
        undo = self._event.part("compensate")
        if undo is not None and "undone" not in task.memo:
            task.memo["undone"] = True
            task.become(STARTED)
            if compensation.throw(task, undo.activity, waits=undo.waits):
                return False
        return self._send(task)

    def _send(self, task: CoreTask) -> bool:
        return super().activate(task) if self._event.part("message") is not None else True

    def compensated(self, task: CoreTask) -> None:
        tree = task.tree
        if "detached" in task.memo:  # the event itself went on long since
            scope = task.scope
            tree.drop(task)
            tree.scope_is_quiet(scope)
            return
        try:
            at_once = self._send(task)
        except Trouble as trouble:
            tree.incident(task, trouble.kind, trouble.message, "enter")
            return
        if at_once:
            task.go_on()

    def complete(self, task: CoreTask) -> None:
        tree, scope = task.tree, task.scope
        view = tree.view(task)
        local = {n: v for n, v in tree.variables.get(task.key, {}).items() if not is_internal(n)}
        signals = [tree.evaluation.text(e.name, view) for e in self._event.each if e.kind == "signal" and e.name]
        escalations = [tree.evaluation.text(e.code, view) for e in self._event.each if e.kind == "escalation" and e.code]
        error = self._event.part("error")
        code = tree.evaluation.text(error.code, view) if error is not None and error.code is not None else None
        tree.map_outputs(task)
        if code is not None:
            propagation.check_caught(task, code)
        if self.element.type == "END_EVENT":
            tree.finish(task)
        for name in signals:
            tree.emit(a.SignalThrown(self.element.id, name, local))
            tree.hear(name, local)
        for escalation in escalations:
            if scope.key in tree.tasks:
                propagation.escalate(task, escalation, {})
        if self.element.type == "END_EVENT" and scope.key in tree.tasks:
            self._end(task, scope, code)

    def _end(self, task: CoreTask, scope: CoreTask, code: str | None) -> None:
        tree, kinds = task.tree, {event.kind for event in self._event.each}
        if code is not None:
            propagation.throw(task, code, self.element.name, {})
        elif "terminate" in kinds:
            tree.kill_children(scope, self.element.id)
            tree.scope_is_quiet(scope)
        elif "cancel" in kinds:
            compensation.cancel(_transaction(scope), self.element.id)
        else:
            tree.scope_is_quiet(scope)

    @property
    def _event(self) -> Event:
        assert self.element.event is not None
        return self.element.event


def _transaction(scope: CoreTask) -> CoreTask:
    """Return the transaction that a cancel end event in a scope cancels."""
    while not scope.spec.element.transaction:
        scope = scope.scope
    return scope


class Boundary(Node):
    """A boundary event. It lives beside its host and waits with it; errors and escalations come to it without waiting."""

    @property
    def listens(self) -> bool:
        """Whether it waits for something."""
        return subscriptions.listens(self)

    def enter(self, task: CoreTask) -> bool:
        if "on" in task.memo:
            return True
        if subscriptions.subscribe(task):
            task.become(WAITING)
        else:
            task.tree.drop(task)
        return False

    def waits_in(self, task: CoreTask) -> CoreTask:
        return task.tree.tasks[task.memo["host"]]

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree = task.tree
        host = tree.tasks[task.memo["host"]]
        state = task.memo.get("timer")
        subscriptions.caught(task)
        tree.attached[host.key].discard(task.key)
        del task.memo["host"]
        if self.element.interrupting:
            tree.kill(host, self.element.id)
        else:
            rearm(task, self, state, task.scope, host=host.key)
        tree.entered(task)
        tree.receive(task, variables)
        task.go_on()

    def is_passive(self, task: CoreTask) -> bool:
        return "host" in task.memo


class EventSubProcess(Node):
    """An event sub-process: WAITING it is a subscription, STARTED it runs."""

    is_scope = True

    @property
    def listens(self) -> bool:
        """Whether it waits for something."""
        return subscriptions.listens(self)

    def enter(self, task: CoreTask) -> bool:
        if "on" in task.memo:  # its input mappings failed when its event came
            self._begin(task, task.tree.variables[task.key]["#brought"])
        elif subscriptions.subscribe(task):
            task.become(WAITING)
        else:
            task.tree.drop(task)
        return False

    def waits_in(self, task: CoreTask) -> CoreTask:
        return task.scope

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree, scope = task.tree, task.scope
        state = task.memo.get("timer")
        subscriptions.caught(task)
        if self.listener.interrupting:
            tree.kill_children(scope, self.listener.id, spare=task)
            scope.memo["interrupted"] = True
            tree.touch(scope)
        else:
            rearm(task, self, state, scope)
        tree.entered(task)
        self.start_it(task, variables)

    def start_it(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        """Start it, with the variables that its event brought; input mappings that fail are an incident, and lose nothing."""
        tree = task.tree
        task.become(STARTED)
        try:
            self._begin(task, variables)
        except Trouble as trouble:
            tree.set_local(task, "#brought", dict(variables))
            tree.incident(task, trouble.kind, trouble.message, "enter")

    def _begin(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree = task.tree
        tree.map_inputs(task)
        task.become(STARTED)
        tree.variables.setdefault(task.key, {})
        tree.open_scope(task, with_start=False)
        assert self.start is not None
        tree.receive(tree.spawn(task, self.start), variables)

    def is_passive(self, task: CoreTask) -> bool:
        return "on" not in task.memo and task.state != STARTED

    def ran_dry(self, task: CoreTask) -> None:
        if "kept" in task.memo:
            compensation.go_on(task)
            return
        task.tree.kill_children(task, None)
        task.go_on()

    def undo_it(self, task: CoreTask) -> None:
        compensation.undo_scope(task)

    def compensated(self, task: CoreTask) -> None:
        scope_undone(task)


class Part(Node):
    """One definition of a multiple event. It waits inside the event, and tells it what came."""

    def __init__(self, graph: Graph, element: Element, name: str, event: Event) -> None:
        super().__init__(graph, element, name)
        self.listener = replace(element, event=event)

    def enter(self, task: CoreTask) -> bool:
        if subscriptions.subscribe(task):
            task.become(WAITING)
        else:
            task.tree.drop(task)
        return False

    def waits_in(self, task: CoreTask) -> CoreTask:
        return task.scope.spec.waits_in(task.scope)

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree, whole = task.tree, task.scope
        state = task.memo.get("timer")
        subscriptions.caught(task)
        event = whole.spec.listener.event
        assert event is not None
        brought: Mapping[str, Value] = variables
        if event.parallel:
            tree.drop(task)
            brought = {**tree.variables.get(whole.key, {}).get("#brought", {}), **variables}
            if tree.attached.get(whole.key):
                tree.set_local(whole, "#brought", brought)
                return
        elif not whole.spec.listener.interrupting:  # the event waits on, beside what it started
            rearm(task, self, state, whole, part=task.memo["part"], whole=whole.key)
            tree.drop(task)
            propagation.fire(whole.spec, whole.spec.waits_in(whole), variables)
            return
        tree.detach(whole)
        whole.spec.trigger(whole, brought)

    def is_passive(self, task: CoreTask) -> bool:
        return True


class Undo(Node):
    """A compensation boundary event: it is left by its host when that completes, and waits to be asked to undo it.

    It holds the host's own variables as they were then, and its handler runs in it. What the handler does not find there it
    reads, and writes, in the scope around.
    """

    is_scope = True
    handler: Node

    def undo_it(self, task: CoreTask) -> None:
        tree = task.tree
        tree.entered(task)
        for name, value in tree.variables.get(task.key, {}).items():
            tree.emit(a.VariableSet(task.key, name, value))
        tree.spawn(task, self.handler)

    def ran_dry(self, task: CoreTask) -> None:
        task.go_on()

    def leave(self, task: CoreTask) -> None:
        tree = task.tree
        asked_by = int(task.memo["by"])
        tree.finish(task)
        compensation.is_undone(task, asked_by)


def rearm(task: CoreTask, spec: Node, state: Mapping[str, object] | None, scope: CoreTask, **memo: int) -> None:
    """Let a non-interrupting event wait again; a timer only when its cycle goes on, a condition for its next change to true."""
    tree = task.tree
    event = spec.listener.event
    assert event is not None
    if event.kind == "conditional":
        tree.spawn(scope, spec, was=True, **memo)
    elif event.kind == "multiple":  # of a parallel one all parts came; a timer does not come twice
        if event.parallel and event.part("timer") is None:
            tree.spawn(scope, spec, **memo)
    elif event.kind in LISTENING and event.kind != "timer":
        tree.act_now(tree.spawn(scope, spec, **memo))  # the next one may be thrown in this very command
    elif event.kind == "timer":
        assert state is not None
        due = timers.following(state, tree.evaluation, tree.surroundings.now)
        if due is not None:
            tree.spawn(scope, spec, timer=due.memo(tree.surroundings.now), **memo)
