"""One process instance: created or loaded, moved on by one call, and asked what changed.

Every method that moves it returns an `Advance`. A method that raises has moved nothing that may be kept: the caller throws the
object away and rolls back. Between calls an instance may be kept in memory; `use` gives it the next call's surroundings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from engine.definitions.model import Element, Process
from engine.errors import Conflict, InvalidValue, NotFound, TaskNotOpen
from engine.kernel import advance as a
from engine.kernel import clocks, deadlines, migration, modification, propagation, subscriptions
from engine.kernel.blueprint import blueprint
from engine.kernel.specs.adhoc import AdHocSubProcess
from engine.kernel.specs.tasks import CallActivity
from engine.kernel.spiff import ERROR, CoreTask
from engine.kernel.tree import Tree
from engine.kernel.trouble import CALLED_ELEMENT_ERROR, Trouble
from engine.kernel.variables import Value

if TYPE_CHECKING:
    from engine.kernel.surroundings import Surroundings


class Instance:
    """The live state of one process instance."""

    def __init__(self, process: Process, surroundings: Surroundings) -> None:
        self.process = process
        self._tree = Tree(blueprint(process), surroundings)

    @classmethod
    def create(cls, process: Process, key: int, surroundings: Surroundings, *, called: bool = False) -> Instance:
        """Return a new instance, not started yet. `called`: a call activity of another instance waits for it."""
        instance = cls(process, surroundings)
        instance._tree.create(key, {"called": True} if called else {})
        return instance

    @classmethod
    def load(
        cls,
        process: Process,
        rows: Iterable[a.ElementRow],
        variables: Mapping[tuple[int, str], Value],
        surroundings: Surroundings,
    ) -> Instance:
        """Return an instance as its rows and variables say; their order does not matter.

        Raises:
            Defect: a row names an element that the process does not have.
        """
        instance = cls(process, surroundings)
        instance._tree.load(rows, variables)
        return instance

    def use(self, surroundings: Surroundings) -> None:
        """Put a kept instance into the surroundings of its next call."""
        self._tree.use(surroundings)

    # --- what it is

    @property
    def key(self) -> int:
        """The process instance's key."""
        return self._tree.root.key

    @property
    def ended(self) -> bool:
        """Whether it ended."""
        return self._tree.ended

    @property
    def keys(self) -> frozenset[int]:
        """Keys of all live element instances."""
        return frozenset(self._tree.tasks)

    def view(self, scope_key: int | None = None) -> Mapping[str, Value]:
        """Return the variables that a scope sees (the instance's own when None)."""
        return self._tree.view(self._task(self.key if scope_key is None else scope_key))

    def element(self, key: int) -> Element:
        """Return what a live element instance is an instance of.

        Raises:
            NotFound: it does not live.
        """
        return self._task(key).spec.element

    # --- moving it

    def start(self, variables: Mapping[str, Value], start_event_id: str | None = None, at: Sequence[str] = ()) -> a.Advance:
        """Start it: at its none start event, at another start event, or right before some elements.

        Args:
            variables: set in the process instance's scope.
            start_event_id: start event whose trigger came (message, timer, signal).
            at: ids of elements to start before instead (start instructions); their scopes are opened without their start events.

        Raises:
            InvalidValue: there is no such start event or element.
            Conflict: it has started already.
        """
        tree, root = self._tree, self._tree.root
        if "on" in root.memo:
            raise Conflict("实例已经开始 / the instance has started already")
        tree.entered(root)
        by_itself = root.spec.firsts if start_event_id is None else ()
        start = self._start_event(start_event_id) if not at and not by_itself else None
        if start is None or start.event is None or start.event.kind == "none":
            for name, value in variables.items():
                tree.set_local(root, name, value)
        tree.open_scope(root, with_start=False)
        for element_id in at:
            modification.activate(tree, modification.Activation(element_id))
        if start is not None:
            task = self._begin_at(start)
            if start.event is not None and start.event.kind != "none":
                tree.receive(task, variables)
        elif not at:
            for first in by_itself:
                tree.spawn(root, first)
        return self._settle()

    def _begin_at(self, start: Element) -> CoreTask:
        """Put a token on what starts the process: a start event, a receive task, or an event behind an event-based gateway."""
        tree, root = self._tree, self._tree.root
        spec = tree.blueprint.spec(start.id)
        gateway = self.process.gateway_before(start)
        if gateway is None:
            return tree.spawn(root, spec, came=True) if start.instantiates else tree.spawn(root, spec)
        gate = tree.blueprint.spec(gateway.id)
        passing = tree.spawn(root, gate)
        tree.entered(passing)
        tree.finish(passing)
        began: CoreTask | None = None
        for flow, target in gate.out:
            assert flow is not None
            if target is spec or gateway.parallel_start:
                tree.emit(a.FlowTaken(flow.id, root.key))
                came = {"came": True} if target is spec else {}
                task = tree.spawn(root, target, via=flow.id, **came)
                began = task if target is spec else began
        assert began is not None
        return began

    def complete_task(self, key: int, variables: Mapping[str, Value]) -> a.Advance:
        """A person completed a user task.

        Raises:
            TaskNotOpen: it does not wait, or holds an incident.
        """
        task = self._waiting(key, "task")
        self._tree.emit(a.TaskCompleted(key, task.spec.element.id))
        return self._go_on(task, variables)

    def complete_job(self, key: int, variables: Mapping[str, Value]) -> a.Advance:
        """A worker completed a job. A job whose retries were used up may be completed late: its incident is gone then.

        Raises:
            TaskNotOpen: it does not wait.
        """
        task = self._waiting(key, "job")
        self._tree.emit(a.JobCompleted(key, task.spec.element.id))
        return self._go_on(task, variables)

    def throw_error(self, key: int, code: str, message: str = "", variables: Mapping[str, Value] | None = None) -> a.Advance:
        """A worker throws a BPMN error from its job. Nobody catches it: an incident at the job's element."""
        task = self._waiting(key, "job")
        self._clear_incident(task)
        try:
            propagation.throw(task, code, message, variables or {})
        except Trouble as trouble:
            self._tree.incident(task, trouble.kind, trouble.message, "job")
        return self._settle()

    def raise_incident(self, key: int, kind: str, message: str) -> a.Advance:
        """Stop an element with an incident that came up outside: a job without retries, a called process that is not there."""
        task = self._task(key)
        stage = {"job": "job", "call": "enter"}.get(task.memo.get("wait", ""))
        if stage is None:
            raise Conflict(f"{task.spec.element.id} waits for no worker and no called instance")
        self._tree.incident(task, kind, message, stage)
        return self._settle()

    def fire_timer(self, key: int) -> a.Advance:
        """A timer is due.

        Raises:
            TaskNotOpen: it waits no more.
        """
        task = self._waiting(key, "timer")
        if "held" in task.memo["timer"]:
            raise TaskNotOpen("定时器的时钟停着 / the timer's clock stands still")
        due = subscriptions.due_of(task)
        hurried = subscriptions.is_hurried(task.memo["timer"])
        self._tree.emit(a.TimerFired(key, task.spec.listener.id, due))
        task.spec.trigger(task, {})
        return self._settle(hurried=hurried)

    def receive_message(self, key: int, name: str, variables: Mapping[str, Value]) -> a.Advance:
        """A message came to a subscription.

        Raises:
            TaskNotOpen: it waits no more.
        """
        return self._event(key, "message", name, variables)

    def receive_signal(self, key: int, name: str, variables: Mapping[str, Value]) -> a.Advance:
        """A signal came to a subscription.

        Raises:
            TaskNotOpen: it waits no more.
        """
        return self._event(key, "signal", name, variables)

    def child_ended(self, key: int, ended: a.InstanceEnded) -> a.Advance:
        """The instance that a call activity called ended: the case goes on, or its error is thrown here."""
        task = self._waiting(key, "call")
        tree = self._tree
        if ended.error_code is not None:
            try:
                propagation.throw(task, ended.error_code, ended.error_message or "", {})
            except Trouble as trouble:
                tree.incident(task, trouble.kind, trouble.message, "enter")
        elif ended.state != "COMPLETED":
            name = task.spec.element.name or task.spec.element.id
            message = f"「{name}」调用的实例被终止；重试会重新调用 / the called instance was terminated: a retry calls it anew"
            tree.incident(task, CALLED_ELEMENT_ERROR, message, "enter")
        else:
            assert isinstance(task.spec, CallActivity)
            task.spec.returned(task, ended.variables)
        return self._settle()

    def child_escalated(self, key: int, escalated: a.Escalated) -> a.Advance:
        """The instance that a call activity called threw an escalation that nobody in it caught."""
        propagation.escalate(self._waiting(key, "call"), escalated.code, escalated.variables)
        return self._settle()

    def resolve_incident(self, element_key: int) -> a.Advance:
        """Take an element's incident away and do again exactly what failed (a job: the caller gives it retries again).

        Raises:
            NotFound: the element holds no incident.
        """
        task = self._task(element_key)
        if "incident" not in task.memo:
            raise NotFound(f"{task.spec.element.id} holds no incident")
        if task.memo["stage"] == "enter":
            self._tree.stop_waiting(task)
        self._tree.resolve(task)
        return self._settle()

    def cancel(self) -> a.Advance:
        """Terminate it and everything in it."""
        self._tree.end("TERMINATED")
        return self._settle()

    def set_variables(self, scope_key: int, variables: Mapping[str, Value]) -> a.Advance:
        """Set variables in a scope, as they are."""
        scope = self._task(scope_key)
        for name, value in variables.items():
            if name.startswith("#"):
                raise InvalidValue(f"变量名不能以 # 开头：{name} / a variable's name cannot start with #", field=name)
            self._tree.set_local(scope, name, value)
        return self._settle()

    def recompute_deadlines(self) -> a.Advance:
        """Compute waiting timers and due dates anew that depend on working days: the calendar changed."""
        deadlines.recompute(self._tree)
        return self._settle()

    def set_due(self, key: int, due_at: datetime | None) -> a.Advance:
        """Give a waiting user task another due date, or take it away (None).

        Raises:
            Conflict: its clock stands still.
        """
        clocks.set_due(self._tree, self._task(key), due_at)
        return self._settle()

    def modify(
        self,
        activate: Sequence[modification.Activation | str] = (),
        terminate: Sequence[int | str] = (),
        moves: Sequence[modification.Move] = (),
    ) -> a.Advance:
        """Start before some elements, then terminate element instances (keys) or all of an element (ids); a move does both.

        See `engine.kernel.modification`.

        Raises:
            InvalidValue: an element is not in the process, cannot be started at, or its scope is not the only one.
            NotFound: an element instance does not live, or none of an element.
        """
        modification.modify(self._tree, [modification.activation(item) for item in activate], terminate, moves)
        return self._settle()

    def migrate(self, target: Process, instructions: migration.Instructions | None = None) -> a.Advance:
        """Move it to another definition (see `engine.kernel.migration`).

        Raises:
            MigrationRefused: something in it cannot be moved.
            InvalidValue: an instruction names an element that is not there.
        """
        migration.migrate(self._tree, target, instructions)
        self.process = target
        return self._settle()

    def start_in_ad_hoc(self, key: int, elements: Sequence[str]) -> a.Advance:
        """Somebody chose which elements of an ad-hoc sub-process start (again).

        Raises:
            NotFound: the ad-hoc sub-process does not live any more.
            InvalidValue: it is none, or an element is not in it or has a flow that leads to it.
            Conflict: it is about to complete, or holds an incident.
        """
        task = self._task(key)
        if not isinstance(task.spec, AdHocSubProcess) or not elements:
            raise InvalidValue(f"{task.spec.element.id} 不是临时子流程，或没有给出元素 / no ad-hoc sub-process, or no elements")
        task.spec.start_by_hand(task, elements)
        return self._settle()

    # --- inside

    def _settle(self, *, hurried: bool = False) -> a.Advance:
        tree, root = self._tree, self._tree.root
        if hurried:  # timers that hardly wait, one after the other with nothing else between, are an endless loop some day
            root.memo["hurried"] = root.memo.get("hurried", 0) + 1
            tree.touch(root)
        elif root.memo.pop("hurried", None):
            tree.touch(root)
        tree.settle()
        tree.freeze_rows()
        return tree.collect()

    def _go_on(self, task: CoreTask, variables: Mapping[str, Value]) -> a.Advance:
        self._clear_incident(task)
        task.memo.pop("wait", None)
        if task.memo.pop("due", None):
            self._tree.clocked.discard(task.key)
        self._tree.receive(task, variables)
        task.go_on()
        return self._settle()

    def _clear_incident(self, task: CoreTask) -> None:
        if "incident" in task.memo:
            self._tree.emit(a.IncidentResolved(task.memo.pop("incident"), task.key, task.spec.element.id))
            del task.memo["stage"]

    def _event(self, key: int, kind: str, name: str, variables: Mapping[str, Value]) -> a.Advance:
        task = self._waiting(key, kind)
        self._tree.emit(a.EventReceived(key, task.spec.listener.id, kind, name))
        task.spec.trigger(task, variables)
        return self._settle()

    def _task(self, key: int) -> CoreTask:
        task = self._tree.tasks.get(key)
        if task is None:
            raise NotFound(f"实例 {self.key} 中没有活动的元素 {key} / no live element {key}")
        return task

    def _waiting(self, key: int, kind: str) -> CoreTask:
        task = self._tree.tasks.get(key)
        if task is None or task.memo.get("wait") != kind:
            raise TaskNotOpen()
        if task.state == ERROR and task.memo.get("stage") != "job":
            raise TaskNotOpen("该元素有故障，先处理故障 / the element holds an incident")
        return task

    def _start_event(self, start_event_id: str | None) -> Element:
        starts = self.process.start_events
        for event in starts:
            if event.id == start_event_id or (start_event_id is None and event.event is not None and event.event.kind == "none"):
                return event
        what = f"开始事件 {start_event_id}" if start_event_id else "空白开始事件"
        raise InvalidValue(f"流程 {self.process.id} 没有{what} / the process has no such start event")
