"""The live state of one instance: its tasks, its variables, and what goes on with them in one call.

The tree holds live element instances and open scopes, nothing else; parent = flow scope = where variables are looked up. What an
element did is in `advance.changes`; what has to be written is in its rows. Work waits in a queue, never on Python's stack.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import Defect
from engine.kernel import advance as a
from engine.kernel import clocks, compensation, conditions
from engine.kernel.evaluation import Evaluation
from engine.kernel.spiff import COMPLETED, ERROR, FUTURE, READY, STARTED, STATE_NAMES, STATES, WAITING, CoreTask, CoreTree
from engine.kernel.surroundings import Surroundings
from engine.kernel.trouble import STEP_BUDGET, Trouble
from engine.kernel.variables import Value, View, with_path

if TYPE_CHECKING:
    from engine.kernel.blueprint import Blueprint
    from engine.kernel.specs.base import Node

_STAGES = {FUTURE: "enter", READY: "complete", COMPLETED: "leave"}
_STATES = {"enter": FUTURE, "complete": READY, "leave": COMPLETED, "job": WAITING}
_CANCELLED = {"task": a.TaskCancelled, "job": a.JobCancelled, "call": a.CallCancelled, "timer": a.TimerDisarmed}


class Tree(CoreTree):
    """The live tasks and variables of one instance."""

    def __init__(self, blueprint: Blueprint, surroundings: Surroundings) -> None:
        super().__init__(blueprint.graph)
        self.blueprint = blueprint
        self.use(surroundings)
        self.root: CoreTask = None  # type: ignore[assignment]  # set by `create` or `load`, at once
        self.variables: dict[int, dict[str, Value]] = {}
        self.ended = False
        self.advance = a.Advance()
        self.attached: dict[int, set[int]] = {}  # host or event-based gateway -> its waiting events
        self.joining: dict[tuple[int, str], dict[int, CoreTask]] = {}  # (scope, gateway) -> tokens that wait there
        self.stoppers: dict[int, CoreTask] = {}  # active elements that stop clocks
        self.clocked: set[int] = set()  # tasks with a timer or a due date
        self.conditions: set[int] = set()  # tasks that wait for a condition
        self.unseen: set[int] = set()  # those among them whose condition was not looked at yet
        self.to_undo: dict[int, list[int]] = {}  # who asked for compensation -> what is left to undo, the last first to go
        self.set_since: list[tuple[int, str, bool]] = []  # (scope, variable, is new), for who waits for a condition
        self._queue: deque[CoreTask] = deque()
        self._throwing: deque[CoreTask] = deque()  # about to throw a signal: those who will wait for it at this moment come first
        self._new: set[int] = set()
        self._budget = 0
        self._until = 0.0

    def use(self, surroundings: Surroundings) -> None:
        """Put the instance into the surroundings of the next call."""
        self.surroundings = surroundings
        self.evaluation = Evaluation(surroundings.environment)

    # --- load and save

    def create(self, key: int, memo: dict[str, Any]) -> None:
        """Make the root scope of a new instance."""
        self.root = self._put(self.blueprint.root, None, STARTED, key, memo)
        self._new.add(key)
        self.variables[key] = {}
        self.touch(self.root)

    def load(self, rows: Iterable[a.ElementRow], variables: Mapping[tuple[int, str], Value]) -> None:
        """Restore live tasks and variables; the order of the rows does not matter."""
        for row in sorted(rows, key=lambda r: r.key):
            memo = dict(row.data)
            spec = self.blueprint.spec(row.element_id, inner="i" in memo, part=memo.get("part"))
            task = CoreTask(self, spec, row.parent_key, STATES[row.state], row.key, memo)
            if row.parent_key is None:
                self.root = task
        if not self.tasks:
            raise Defect("an instance without rows cannot be loaded")
        for task in self.tasks.values():
            if task.parent_key is not None:
                task.scope.child_keys[task.key] = None
            self._index(task)
            if task.spec.is_scope:
                self.variables.setdefault(task.key, {})
        for (scope_key, name), value in variables.items():
            self.variables.setdefault(scope_key, {})[name] = value

    def all_rows(self) -> list[a.ElementRow]:
        """Return the rows of all live tasks, as they are now."""
        return [
            a.ElementRow(key, task.parent_key, task.spec.element.id, STATE_NAMES[task.state], task.memo)
            for key, task in self.tasks.items()
        ]

    def rewire(self, blueprint: Blueprint, specs: Mapping[int, Node]) -> None:
        """Put every live task on a spec of another blueprint (migration)."""
        self.blueprint, self.spec = blueprint, blueprint.graph
        for index in (self.attached, self.joining, self.stoppers, self.clocked):
            index.clear()
        self.conditions.clear()
        for key, task in self.tasks.items():
            if task.spec.element.id != specs[key].element.id:
                self.touch(task)
            task.move_to(specs[key])
        for task in self.tasks.values():
            self._index(task)

    def _index(self, task: CoreTask) -> None:
        owner = _owner(task.memo)
        if owner is not None:
            self.attached.setdefault(owner, set()).add(task.key)
        if task.memo.get("wait") == "conditional":
            self.conditions.add(task.key)
        if "timer" in task.memo or "due" in task.memo:
            self.clocked.add(task.key)
        if (task.state == WAITING and task.spec.joins) or "gathers" in task.memo:
            self.joining.setdefault((task.scope.key, task.spec.name), {})[task.key] = task
        if "stops" in task.memo:
            self.stoppers[task.key] = task

    def collect(self) -> a.Advance:
        """Return what happened since the last call, and start anew."""
        done, self.advance = self.advance, a.Advance()
        self._new.clear()
        return done

    def touch(self, task: CoreTask) -> None:
        """Note that a task's row changed."""
        if task.key in self.tasks:
            self.advance.rows_put[task.key] = None  # type: ignore[assignment]  # filled by `freeze_rows`

    def freeze_rows(self) -> None:
        """Write down the rows that changed, as they are now."""
        for key in self.advance.rows_put:
            task = self.tasks[key]
            memo = dict(task.memo)
            self.advance.rows_put[key] = a.ElementRow(key, task.parent_key, task.spec.element.id, STATE_NAMES[task.state], memo)

    def emit(self, change: a.Change) -> None:
        """Record a change."""
        self.advance.changes.append(change)

    # --- tasks

    def _put(self, spec: Node, parent_key: int | None, state: int, key: int, memo: dict[str, Any]) -> CoreTask:
        return CoreTask(self, spec, parent_key, state, key, memo)

    def spawn(self, scope: CoreTask, spec: Node, **memo: Any) -> CoreTask:
        """Put a new element instance into a scope; it is entered when its turn comes."""
        task = self.place(scope, spec, FUTURE, **memo)
        self.enqueue(task)
        return task

    def place(self, scope: CoreTask, spec: Node, state: int, **memo: Any) -> CoreTask:
        """Put a new element instance into a scope, in a state."""
        key = next(self.surroundings.keys)
        task = self._put(spec, scope.key, state, key, memo)
        scope.child_keys[key] = None
        self._new.add(key)
        self.touch(task)
        owner = _owner(memo)
        if owner is not None:
            self.attached.setdefault(owner, set()).add(key)
        return task

    def move(self, task: CoreTask, scope: CoreTask) -> None:
        """Put an element instance into another scope."""
        del task.scope.child_keys[task.key]
        task.move_into(scope.key)
        scope.child_keys[task.key] = None
        self.touch(task)

    def enqueue(self, task: CoreTask) -> None:
        """Put a task to those that go on."""
        (self._throwing if task.spec.throws_signals and task.state == READY else self._queue).append(task)

    def drop(self, task: CoreTask) -> None:
        """Take a task out of the tree, with its variables, what it waited for, and the events attached to it."""
        if task.key not in self.tasks:
            return
        self.release(task)
        owner = _owner(task.memo)
        if owner in self.attached:
            self.attached[owner].discard(task.key)
        if task.spec.joins or "gathers" in task.memo:
            self.joining.get((task.scope.key, task.spec.name), {}).pop(task.key, None)
        del self.tasks[task.key]
        if task.parent_key is not None:
            del task.scope.child_keys[task.key]
        self._forget(task.key)

    def release(self, task: CoreTask) -> None:
        """Let a task wait for nothing any more, and hold no incident and no clock, its own or another's."""
        self.detach(task)
        self.stop_waiting(task)
        if "incident" in task.memo:
            self.emit(a.IncidentResolved(task.memo.pop("incident"), task.key, task.spec.element.id))
        self.clocked.discard(task.key)
        if self.stoppers.pop(task.key, None):
            clocks.resume(self, task)

    def detach(self, task: CoreTask) -> None:
        """Drop the events attached to a task."""
        for key in tuple(self.attached.pop(task.key, ())):
            self.drop(self.tasks[key])

    def _forget(self, key: int) -> None:
        self.advance.rows_put.pop(key, None)
        stored = key not in self._new
        if stored:
            self.advance.rows_gone.add(key)
        if key == self.root.key:
            return  # what an ended instance held stays readable
        variables = self.variables.pop(key, None)
        for name in variables or ():
            self.advance.variables_put.pop((key, name), None)
        if variables and stored:
            self.advance.scopes_gone.add(key)

    def stop_waiting(self, task: CoreTask) -> None:
        """Say that whatever the task waited for is not needed any more."""
        waits = task.memo.pop("wait", None)
        timer = task.memo.pop("timer", None)
        if waits is None or (waits == "timer" and timer is not None and "held" in timer):
            return
        self.conditions.discard(task.key)
        self.unseen.discard(task.key)
        change = _CANCELLED.get(waits, a.SubscriptionClosed)
        self.emit(change(task.key, task.spec.listener.id))

    def kill(self, task: CoreTask, by: str | None) -> None:
        """Terminate an element instance and everything in it."""
        if task.key not in self.tasks:
            return
        self._kill_all_in(task, by)
        entered = task.memo.get("on", False)
        self.drop(task)
        if entered:
            self.emit(a.ElementTerminated(task.key, task.spec.element.id, by))

    def _kill_all_in(self, task: CoreTask, by: str | None) -> None:
        for key in tuple(task.child_keys):
            child = self.tasks.get(key)
            if child is not None:
                self.kill(child, by)

    def kill_children(self, task: CoreTask, by: str | None, spare: CoreTask | None = None) -> None:
        """Terminate everything in a scope, except one; what it completed can still be undone."""
        for key in tuple(task.child_keys):
            child = self.tasks.get(key)
            if child is None or child is spare:
                continue
            if not compensation.is_done(child):
                self.kill(child, by)
            elif child.state != WAITING:
                compensation.interrupt(self, child, by)

    def entered(self, task: CoreTask) -> None:
        """Record that an element became active; once."""
        if task.memo.get("on"):
            return
        task.memo["on"] = True
        self.touch(task)
        spec = task.spec
        flow_id = task.memo.get("via")
        self.emit(a.ElementEntered(task.key, spec.element.id, spec.type, task.parent_key, flow_id))

    def finish(self, task: CoreTask) -> None:
        """Record that an element ended normally, and take it out of the tree."""
        if task.spec.undoable and compensation.remember(self, task):
            self.release(task)
        else:
            if task.child_keys:
                self._kill_all_in(task, None)
            self.drop(task)
        self.emit(a.ElementCompleted(task.key, task.spec.element.id))

    def take(self, scope: CoreTask, flow_id: str | None, target: Node) -> None:
        """Send a token along a flow (None: a link)."""
        if flow_id is None:
            self.spawn(scope, target)
            return
        self.emit(a.FlowTaken(flow_id, scope.key))
        self.spawn(scope, target, via=flow_id)

    def open_scope(self, scope: CoreTask, *, with_start: bool = True) -> None:
        """Let the event sub-processes of a scope wait, and put a token on its start event."""
        for event_sub in scope.spec.event_subs:
            if event_sub.listens:
                self.spawn(scope, event_sub)
        if with_start:
            for first in (scope.spec.start,) if scope.spec.start is not None else scope.spec.firsts:
                self.spawn(scope, first)

    def end(self, state: str, *, error: tuple[str, str] | None = None, by: str | None = None) -> None:
        """End the instance; what still lives in it is terminated."""
        root = self.root
        self._kill_all_in(root, by)
        handed = {} if error else {n: v for n, v in self.variables[root.key].items() if not n.startswith("#")}
        self.ended = True
        self.drop(root)
        final = a.ElementCompleted(root.key, root.spec.element.id) if state == "COMPLETED" else None
        self.emit(final or a.ElementTerminated(root.key, root.spec.element.id, by))
        code, message = error or (None, None)
        self.emit(a.InstanceEnded(state, handed, code, message))

    # --- variables

    def view(self, task: CoreTask) -> View:
        """Return what a scope sees."""
        layers: list[Mapping[str, Value]] = []
        at: CoreTask | None = task
        while at is not None:
            own = self.variables.get(at.key)
            if own:
                layers.append(own)
            counted = at.spec.counters(at)
            if counted:
                layers.append(counted)
            at = self.tasks.get(at.parent_key) if at.parent_key is not None else None
        return View(tuple(layers))

    def set_local(self, scope: CoreTask, name: str, value: Value) -> None:
        """Set a variable in a scope, whatever the scopes around it hold."""
        if self.conditions and not name.startswith("#"):
            self.set_since.append((scope.key, name, name not in self.variables.get(scope.key, ())))
        self.put(scope, name, value)
        if not name.startswith("#"):
            self.emit(a.VariableSet(scope.key, name, value))

    def put(self, scope: CoreTask, name: str, value: Value) -> None:
        """Store a variable of a scope, and say nothing of it."""
        self.variables.setdefault(scope.key, {})[name] = value
        self.advance.variables_put[scope.key, name] = value

    def set_merged(self, task: CoreTask, name: str, value: Value) -> None:
        """Set a variable in the nearest scope that has it, or else in the root."""
        at = task
        while at.parent_key is not None and name not in self.variables.get(at.key, ()):
            at = at.scope
        self.set_local(at, name, value)

    def receive(self, task: CoreTask, variables: Mapping[str, Value]) -> None:
        """Take variables from outside: local when output mappings follow, else merged."""
        for name, value in variables.items():
            if name.startswith("#"):
                continue
            if task.spec.element.outputs:
                self.set_local(task, name, value)
            else:
                self.set_merged(task, name, value)

    def map_outputs(self, task: CoreTask) -> None:
        """Apply output mappings: evaluated in the element, written around it (in a multi-instance: to the inner instance)."""
        outputs = task.spec.element.outputs
        if not outputs:
            return
        view = self.view(task)
        found: dict[str, Value] = {}
        overlaid = view.under(found)
        target_scope = task if task.spec.keeps_outputs or task.parent_key is None else task.scope
        around = self.view(target_scope).under(found)
        for mapping in outputs:
            value = self.evaluation.value(mapping.source, overlaid, "IO_MAPPING_ERROR")
            name, whole = with_path(around, mapping.target, value)
            found[name] = whole
        for name, value in found.items():
            self.set_merged(target_scope, name, value)

    def map_inputs(self, task: CoreTask) -> None:
        """Apply input mappings: evaluated around the element (and what was mapped before), local to it."""
        inputs = task.spec.element.inputs
        if not inputs:
            return
        found: dict[str, Value] = {}
        view = self.view(task).under(found)
        for mapping in inputs:
            value = self.evaluation.value(mapping.source, view, "IO_MAPPING_ERROR")
            name, whole = with_path(found, mapping.target, value)
            found[name] = whole
        for name, value in found.items():
            self.set_local(task, name, value)

    # --- going on

    def settle(self) -> None:
        """Let everything go on until all that is left waits."""
        self._budget = self.surroundings.step_budget
        self._until = time.thread_time() + self.surroundings.seconds
        while True:
            while (self._queue or self._throwing) and not self.ended:
                self._go_on((self._queue or self._throwing).popleft())
                if self.conditions:
                    conditions.look(self)
            if self.ended:
                self._queue.clear()
                self._throwing.clear()
                return
            if self.conditions:
                conditions.look(self)
            if not self._queue and not self._throwing and not (self.blueprint.patient and self._pass_on()):
                return

    def _go_on(self, task: CoreTask) -> None:
        if task.key not in self.tasks or task.state not in _STAGES:
            return
        if task.state == FUTURE:  # an element counts when it is entered, not again when it is left
            if self._budget <= 0 or time.thread_time() > self._until:
                self._out_of_budget(task)
                return
            self._budget -= 1
        try:
            task.restart()
        except Trouble as trouble:
            self.incident(task, trouble.kind, trouble.message)

    def _out_of_budget(self, task: CoreTask) -> None:
        passed, name = self.surroundings.step_budget - self._budget, task.spec.element.name or task.spec.element.id
        message = (
            f"一次操作经过了 {passed} 个元素仍未停下，图中可能有回路：{name} / {passed} elements in one command: an endless loop?"
        )
        self.incident(task, STEP_BUDGET, message)
        for other in (*self._queue, *self._throwing):
            if other.key in self.tasks and other.state in _STAGES and other is not task:
                other.memo["parked"] = task.key
                self.touch(other)
        self._queue.clear()
        self._throwing.clear()

    def _pass_on(self) -> bool:
        for (_, name), tokens in tuple(self.joining.items()):
            if tokens and name in self.blueprint.patient and next(iter(tokens.values())).spec.pass_on(tokens):
                return True
        return False

    def hear(self, name: str, variables: Mapping[str, Value]) -> None:
        """Deliver a signal thrown in this instance to those who wait for it here."""
        waiting = tuple(t.key for t in self.waiting() if t.memo["wait"] == "signal" and t.memo["name"] == name)
        for key in waiting:
            task = self.tasks.get(key)
            if task is not None and task.memo.get("wait") == "signal":
                self.emit(a.EventReceived(key, task.spec.listener.id, "signal", name))
                task.spec.trigger(task, variables)

    def act_now(self, task: CoreTask) -> None:
        """Let one task go on before its turn: what waits for an event must wait before the next one is thrown."""
        try:
            task.restart()
        except Trouble as trouble:
            self.incident(task, trouble.kind, trouble.message)

    def scope_is_quiet(self, scope: CoreTask) -> None:
        """Complete a scope in which nothing lives any more but subscriptions of its event sub-processes."""
        if scope.key not in self.tasks or scope.state != STARTED:
            return
        for key in scope.child_keys:
            if not self.tasks[key].spec.is_passive(self.tasks[key]):
                return
        scope.spec.ran_dry(scope)

    # --- incidents

    def incident(self, task: CoreTask, kind: str, message: str, stage: str | None = None) -> None:
        """Stop a task with an incident; one at a time."""
        if task.key not in self.tasks or "incident" in task.memo:
            return
        key = next(self.surroundings.keys)
        task.memo["incident"] = key
        task.memo["stage"] = stage or _STAGES[task.state]
        task.become(ERROR)
        self.emit(a.IncidentRaised(key, task.key, task.spec.element.id, kind, message))

    def resolve(self, task: CoreTask) -> None:
        """Take the incident away and do again exactly what failed."""
        key = task.memo.pop("incident")
        stage = task.memo.pop("stage")
        self.emit(a.IncidentResolved(key, task.key, task.spec.element.id))
        task.become(_STATES[stage])
        self.enqueue(task)
        for other in tuple(self.tasks.values()):
            if other.memo.get("parked") == task.key:
                del other.memo["parked"]
                self.touch(other)
                self.enqueue(other)

    def waiting(self) -> Iterator[CoreTask]:
        """Yield the tasks that wait for something outside."""
        return (t for t in tuple(self.tasks.values()) if "wait" in t.memo)


def _owner(memo: Mapping[str, Any]) -> int | None:
    """Return the key of the host, event-based gateway or multiple event that an event waits for."""
    found: int | None = memo.get("host") or memo.get("gate") or memo.get("whole")
    return found
