"""The only place that touches SpiffWorkflow: its core (`Workflow`, `Task`, `TaskSpec`, `TaskState`), typed and quietened.

Taken from the core: tasks in a tree, their states, and the way from FUTURE over READY to COMPLETED (`_update`, `_ready`, `run`,
`complete`). Not taken: prediction, polling, data inheritance, logging, iteration over the tree (it stops at depth 1000).
SpiffWorkflow has no type stubs; the `type: ignore` comments below are all there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from SpiffWorkflow.specs import WorkflowSpec
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

if TYPE_CHECKING:
    from engine.kernel.specs.base import Node
    from engine.kernel.tree import Tree

FUTURE: int = TaskState.FUTURE  # to be entered
WAITING: int = TaskState.WAITING  # waits for something outside
READY: int = TaskState.READY  # to be completed
STARTED: int = TaskState.STARTED  # waits for its children, or for a called instance
COMPLETED: int = TaskState.COMPLETED  # to be left
ERROR: int = TaskState.ERROR  # holds an incident
CANCELLED: int = TaskState.CANCELLED

STATE_NAMES: dict[int, str] = {
    FUTURE: "FUTURE",
    WAITING: "WAITING",
    READY: "READY",
    STARTED: "STARTED",
    COMPLETED: "COMPLETED",
    ERROR: "ERROR",
    CANCELLED: "CANCELLED",
}
STATES: dict[str, int] = {name: state for state, name in STATE_NAMES.items()}

Graph: TypeAlias = WorkflowSpec  # one process, wired


class CoreSpec(TaskSpec):  # type: ignore[misc]  # no stubs
    """A task spec that predicts nothing, polls nothing, and catches no exception. Shared by all instances: it holds no state."""

    name: str

    def __init__(self, graph: Graph, name: str) -> None:
        super().__init__(graph, name)

    def admit(self, task: Any) -> bool:
        """Whether a token enters the element now; False when it waits for others first."""
        raise NotImplementedError

    def enter(self, task: Any) -> bool:
        """Enter an element; True when it goes on at once."""
        raise NotImplementedError

    def complete(self, task: Any) -> None:
        """Do what the element does when it completes."""
        raise NotImplementedError

    def leave(self, task: Any) -> None:
        """Take the flows that leave the element."""
        raise NotImplementedError

    # --- what SpiffWorkflow's core calls

    def test(self) -> None:
        """Inputs and outputs are ours; there is nothing to test."""

    def _predict(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is predicted, ever."""

    def _update(self, my_task: Any) -> None:
        if self.admit(my_task) and self.enter(my_task):
            my_task._ready()  # noqa: SLF001  # the core has no other way

    def _on_ready_hook(self, my_task: Any) -> None:
        my_task.workflow.enqueue(my_task)

    def _run(self, my_task: Any) -> bool:
        self.complete(my_task)
        return True

    def _on_complete(self, my_task: Any) -> None:
        self.leave(my_task)


class CoreTask(Task):  # type: ignore[misc]  # no stubs
    """A live element instance. `memo` is its small JSON; children are kept in a dict, so that one leaves at O(1)."""

    def __init__(self, tree: Any, spec: Any, parent_key: int | None, state: int, key: int, data: dict[str, Any]) -> None:
        super().__init__(tree, spec, None, state=state, id=key)
        self.key: int = key
        self.spec: Node = spec
        self.tree: Tree = tree
        self.memo: dict[str, Any] = data
        self.child_keys: dict[int, None] = {}
        self._parent = parent_key
        self._children = self.child_keys

    @property
    def parent_key(self) -> int | None:
        """Key of the scope it lives in."""
        found: int | None = self._parent
        return found

    @property
    def scope(self) -> CoreTask:
        """The scope it lives in; the root has none.

        Raises:
            KeyError: it is the root.
        """
        return self.tree.tasks[self._parent or 0]

    @property
    def state(self) -> int:
        """The task's state."""
        found: int = self._state
        return found

    def move_to(self, spec: Any) -> None:
        """Put it on another spec."""
        self.spec = self.task_spec = spec

    def move_into(self, scope_key: int) -> None:
        """Put it into another scope."""
        self._parent = scope_key

    def become(self, state: int) -> None:
        """Set the state, whatever it was before."""
        self._set_state(state)

    def go_on(self) -> None:
        """Make it READY: it is completed when its turn comes."""
        self._ready()

    def restart(self) -> None:
        """Do again what its state says: enter, complete, or leave."""
        if self._state == FUTURE:
            self.spec._update(self)  # noqa: SLF001
        elif self._state == READY:
            self.run()
        elif self._state == COMPLETED:
            self.spec._on_complete(self)  # noqa: SLF001

    def _set_state(self, value: int) -> None:
        # SpiffWorkflow builds a log record here even when logging is off: 16 % of a step.
        self._state = value
        self.workflow.touch(self)


class CoreTree(Workflow):  # type: ignore[misc]  # no stubs
    """The tree of live tasks; nothing polls."""

    tasks: dict[int, CoreTask]

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph, deserializing=True)

    def update_waiting_tasks(self) -> None:
        """Nothing polls."""

    def enqueue(self, task: Any) -> None:
        """Put a task to those that go on."""
        raise NotImplementedError

    def touch(self, task: Any) -> None:
        """Note that a task's row changed."""
        raise NotImplementedError


def graph(name: str) -> Graph:
    """Return an empty specification."""
    return WorkflowSpec(name)
