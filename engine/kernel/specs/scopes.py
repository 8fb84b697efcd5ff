"""Scopes: the process instance itself, embedded sub-processes, and multi-instance bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.definitions.model import Element, Loop
from engine.errors import Defect
from engine.kernel import compensation, implicit, propagation
from engine.kernel.specs.base import Node
from engine.kernel.spiff import STARTED, CoreTask, Graph
from engine.kernel.variables import Value


class SubProcess(Node):
    """An embedded sub-process: a scope that completes when nothing lives in it."""

    is_scope = True

    def activate(self, task: CoreTask) -> bool:
        tree = task.tree
        task.become(STARTED)
        tree.variables.setdefault(task.key, {})
        tree.open_scope(task)
        return False

    def open_empty(self, scope: CoreTask) -> CoreTask:
        """Open the sub-process without its start event, to start in the middle of it."""
        tree = scope.tree
        task = tree.spawn(scope, self)
        tree.entered(task)
        tree.map_inputs(task)
        task.become(STARTED)
        tree.variables.setdefault(task.key, {})
        tree.open_scope(task, with_start=False)
        self.arm(task)
        return task

    def ran_dry(self, task: CoreTask) -> None:
        if "kept" in task.memo or "cancelled" in task.memo:
            compensation.go_on(task)
            return
        task.tree.kill_children(task, None)
        task.go_on()

    def undo_it(self, task: CoreTask) -> None:
        compensation.undo_scope(task)

    def compensated(self, task: CoreTask) -> None:
        if "cancelled" in task.memo:
            assert self.cancelled_by is not None
            propagation.fire(self.cancelled_by, task, {})
        else:
            scope_undone(task)


def scope_undone(task: CoreTask) -> None:
    """A completed sub-process is undone: it goes, with all that was not asked to be undone in it."""
    asked_by = int(task.memo["by"])
    task.tree.kill(task, None)
    compensation.is_undone(task, asked_by)


class Root(Node):
    """The process instance."""

    is_scope = True

    def ran_dry(self, task: CoreTask) -> None:
        task.tree.end("COMPLETED")


class Body(Node):
    """A multi-instance: one body, and below it an instance of the inner spec for each item.

    The body's memo: `n` items, `done` completed, `live` running, `next` index to start (sequential). Results wait as internal
    variables of the body, one each, so that the thousandth does not rewrite the nine hundred and ninety-nine before it.
    """

    is_scope = True
    collects = True
    separate = True  # what its inner instances leave stays apart, until it is collected

    def __init__(self, graph: Graph, element: Element, name: str, inner: Node) -> None:
        super().__init__(graph, element, name)
        self.type = "MULTI_INSTANCE_BODY"
        self.inner = inner
        inner.body = self

    @property
    def loop(self) -> Loop:
        """The multi-instance's settings."""
        if not isinstance(self.element.loop, Loop):
            raise Defect(f"{self.element.id} is no multi-instance")
        return self.element.loop

    def enter(self, task: CoreTask) -> bool:
        tree, loop = task.tree, self.loop
        tree.entered(task)
        items = self._items(task)
        tree.variables.setdefault(task.key, {})
        count = len(items)
        first = 1 if loop.sequential else count
        task.memo.update(n=count, done=0, live=0, next=min(first, count))
        task.become(STARTED)
        if count == 0:
            return True
        if loop.sequential:
            tree.set_local(task, "#items", items)
        for i in range(task.memo["next"]):
            self._begin(task, i, items[i])
        self.arm(task)
        return False

    def _items(self, task: CoreTask) -> list[Value]:
        tree, loop = task.tree, self.loop
        view = tree.view(task.scope)
        if loop.collection is not None:
            return tree.evaluation.items(loop.collection, view)
        assert loop.cardinality is not None
        return list(range(1, tree.evaluation.number(loop.cardinality, view) + 1))

    def _begin(self, body: CoreTask, i: int, item: Value) -> None:
        tree, loop = body.tree, self.loop
        task = tree.spawn(body, self.inner, i=i)
        body.memo["live"] += 1
        if loop.element:
            tree.set_local(task, loop.element, item)
        tree.set_local(task, "loopCounter", i + 1)
        if loop.output_local and loop.output_local != loop.element:
            tree.set_local(task, loop.output_local, None)

    def inner_done(self, body: CoreTask, task: CoreTask) -> None:
        """An inner instance completed: keep its result, look at the completion condition, go on.

        Raises:
            Trouble: the output element or the completion condition failed; nothing was changed.
        """
        tree, loop, memo = body.tree, self.loop, body.memo
        counted = {
            **(self.counters(body) or {}),
            "numberOfCompletedInstances": memo["done"] + 1,
            "numberOfActiveInstances": memo["live"] - 1,
        }
        view = tree.view(task).under(counted)
        result = tree.evaluation.value(loop.output_element, view) if loop.output_element else None
        enough = False
        if loop.condition is not None:
            if loop.output_collection:
                view = view.under({loop.output_collection: self._results(body, {task.memo["i"]: result})})
            enough = tree.evaluation.boolean(loop.condition, view)
        thrown = implicit.due(body, loop.throws, view) if loop.throws else []
        if loop.output_collection:
            tree.set_local(body, f"#result:{task.memo['i']}", result)
        memo["done"] += 1
        memo["live"] -= 1
        tree.touch(body)
        tree.finish(task)
        if not implicit.throw(body, thrown):
            return
        if enough:
            tree.kill_children(body, self.element.id)
            body.go_on()
        elif memo["next"] < memo["n"]:
            i = memo["next"]
            memo["next"] += 1
            self._begin(body, i, tree.variables[body.key]["#items"][i])
        elif not memo["live"]:
            body.go_on()

    def inner_gone(self, body: CoreTask) -> None:
        """An inner instance was terminated by hand."""
        body.memo["live"] -= 1
        body.tree.touch(body)
        if not body.memo["live"]:
            body.go_on()

    def _results(self, body: CoreTask, more: Mapping[int, Value]) -> list[Value]:
        own = body.tree.variables.get(body.key, {})
        return [more[i] if i in more else own.get(f"#result:{i}") for i in range(body.memo["n"])]

    def complete(self, task: CoreTask) -> None:
        if self.loop.output_collection:
            task.tree.set_merged(task.scope, self.loop.output_collection, self._results(task, {}))

    def counters(self, task: CoreTask) -> Mapping[str, Value] | None:
        memo: dict[str, Any] = task.memo
        if "n" not in memo:
            return None
        begun = memo["next"]
        return {
            "numberOfInstances": memo["n"],
            "numberOfActiveInstances": memo["live"],
            "numberOfCompletedInstances": memo["done"],
            "numberOfTerminatedInstances": begun - memo["live"] - memo["done"],
        }
