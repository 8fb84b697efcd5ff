"""Events: catching, throwing, ending, on the boundary; and event sub-processes."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kernel import advance as a
from engine.kernel import propagation, subscriptions, timers
from engine.kernel.specs.base import Node
from engine.kernel.specs.tasks import JobTask
from engine.kernel.spiff import STARTED, WAITING, CoreTask
from engine.kernel.trouble import Trouble
from engine.kernel.variables import Value

LISTENING = {"timer", "message", "signal"}


class Catching(Node):
    """Intermediate catch events and receive tasks: wait for a timer, a message or a signal."""

    def enter(self, task: CoreTask) -> bool:
        if "gate" in task.memo:  # it becomes active only when it is the first of its event-based gateway
            subscriptions.subscribe(task, task.tree.view(task))
            task.become(WAITING)
            return False
        return super().enter(task)

    def activate(self, task: CoreTask) -> bool:
        if not subscriptions.subscribe(task, task.tree.view(task)):
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


class Throwing(Node):
    """Throws a signal or an escalation, intermediate or at an end."""

    def produce(self, task: CoreTask) -> None:
        tree, event = task.tree, self.element.event
        assert event is not None
        if event.kind == "signal":
            assert event.name is not None
            view = tree.view(task)
            name = tree.evaluation.text(event.name, view)
            local = {n: v for n, v in tree.variables.get(task.key, {}).items() if not n.startswith("#")}
            tree.emit(a.SignalThrown(self.element.id, name, local))
            keys = tuple(t.key for t in tree.waiting() if t.memo["wait"] == "signal" and t.memo["name"] == name)
            tree.signals.append((name, local, keys))
        elif event.kind == "escalation":
            assert event.code is not None
            propagation.escalate(task, tree.evaluation.text(event.code, tree.view(task)), {})


class ErrorEnd(Node):
    """Throws a BPMN error. Nobody catches it: an incident, or in a called instance its caller's affair. Never a success."""

    def complete(self, task: CoreTask) -> None:
        tree, event = task.tree, self.element.event
        assert event is not None
        assert event.code is not None
        code = tree.evaluation.text(event.code, tree.view(task))
        propagation.throw(task, code, self.element.name, {}, ended=True)


class TerminateEnd(Node):
    """Ends everything in its scope, which then completes."""

    def complete(self, task: CoreTask) -> None:
        tree, scope = task.tree, task.scope
        tree.finish(task)
        tree.kill_children(scope, self.element.id)
        tree.scope_is_quiet(scope)


class MessageThrow(JobTask):
    """Sends a message by a job."""


class Boundary(Node):
    """A boundary event. It lives beside its host and waits with it; errors and escalations come to it without waiting."""

    @property
    def listens(self) -> bool:
        """Whether it waits for something from outside."""
        return self.element.event is not None and self.element.event.kind in LISTENING

    def enter(self, task: CoreTask) -> bool:
        if "on" in task.memo:
            return True
        host = task.tree.tasks[task.memo["host"]]
        if subscriptions.subscribe(task, task.tree.view(host)):
            task.become(WAITING)
        else:
            task.tree.drop(task)
        return False

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
        """Whether it waits for something from outside."""
        return self.listener.event is not None and self.listener.event.kind in LISTENING

    def enter(self, task: CoreTask) -> bool:
        if "on" in task.memo:  # its input mappings failed when its event came
            self._begin(task, task.tree.variables[task.key]["#brought"])
        elif subscriptions.subscribe(task, task.tree.view(task.scope)):
            task.become(WAITING)
        else:
            task.tree.drop(task)
        return False

    def trigger(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        tree, scope = task.tree, task.scope
        state = task.memo.get("timer")
        subscriptions.caught(task)
        if self.listener.interrupting:
            for key in tuple(scope.child_keys):
                other = tree.tasks.get(key)
                if other is not None and other is not task:
                    tree.kill(other, self.listener.id)
            scope.memo["interrupted"] = True
            tree.touch(scope)
        else:
            rearm(task, self, state, scope)
        tree.entered(task)
        task.become(STARTED)
        try:
            self._begin(task, variables)
        except Trouble as trouble:
            tree.set_local(task, "#brought", dict(variables))
            tree.incident(task, trouble.kind, trouble.message, "enter")

    def _begin(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        """Start it, with the variables that its event brought."""
        tree = task.tree
        tree.map_inputs(task)
        task.become(STARTED)
        tree.variables.setdefault(task.key, {})
        tree.open_scope(task, with_start=False)
        assert self.start is not None
        tree.receive(tree.spawn(task, self.start), variables)

    def is_passive(self, task: CoreTask) -> bool:
        return "on" not in task.memo

    def ran_dry(self, task: CoreTask) -> None:
        task.tree.kill_children(task, None)
        task.go_on()


def rearm(task: CoreTask, spec: Node, state: Mapping[str, object] | None, scope: CoreTask, **memo: int) -> None:
    """Let a non-interrupting event wait again; a timer only when its cycle goes on."""
    tree = task.tree
    event = spec.listener.event
    assert event is not None
    if event.kind not in LISTENING:
        return
    if event.kind != "timer":
        tree.spawn(scope, spec, **memo)
        return
    assert state is not None
    due = timers.following(state, tree.evaluation, tree.surroundings.now)
    if due is not None:
        tree.spawn(scope, spec, timer=due.memo(tree.surroundings.now), **memo)
