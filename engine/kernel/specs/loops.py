"""Standard loops: one instance of an activity after the other, while a condition holds."""

from __future__ import annotations

from collections.abc import Mapping

from engine.definitions import model
from engine.errors import Defect
from engine.kernel.specs.scopes import Body
from engine.kernel.spiff import STARTED, CoreTask
from engine.kernel.variables import Value


class StandardLoop(Body):
    """A standard loop: one body, and below it the instance that runs now. Its memo: `done`, how often the activity completed.

    `loopCounter` is 1 in the first instance; the condition sees how many instances have completed, 0 before the first. What an
    instance leaves, by output mappings or without, is written around the loop, as without a loop.
    """

    separate = False

    @property
    def rule(self) -> model.StandardLoop:
        """The loop's settings."""
        if not isinstance(self.element.loop, model.StandardLoop):
            raise Defect(f"{self.element.id} is no standard loop")
        return self.element.loop

    def enter(self, task: CoreTask) -> bool:
        tree = task.tree
        tree.entered(task)
        task.memo["done"] = 0
        if self.rule.before and not self._goes_on(task, 0, tree.view(task)):
            return True
        tree.variables.setdefault(task.key, {})
        task.become(STARTED)
        self._next(task)
        self.arm(task)
        return False

    def _goes_on(self, body: CoreTask, done: int, view: Mapping[str, Value]) -> bool:
        rule = self.rule
        if rule.maximum is not None and done >= rule.maximum:
            return False
        return rule.condition is None or body.tree.evaluation.boolean(rule.condition, view)

    def _next(self, body: CoreTask) -> None:
        tree, i = body.tree, body.memo["done"]
        tree.set_local(tree.spawn(body, self.inner, i=i), "loopCounter", i + 1)

    def inner_done(self, body: CoreTask, task: CoreTask) -> None:
        tree, done = body.tree, body.memo["done"] + 1
        again = self._goes_on(body, done, tree.view(task))
        body.memo["done"] = done
        tree.touch(body)
        tree.finish(task)
        if again:
            self._next(body)
        else:
            body.go_on()

    def inner_gone(self, body: CoreTask) -> None:
        body.go_on()

    def complete(self, task: CoreTask) -> None:
        """A loop collects nothing."""

    def counters(self, task: CoreTask) -> Mapping[str, Value] | None:
        done = task.memo.get("done")
        return None if done is None else {"loopCounter": done}
