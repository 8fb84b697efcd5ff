"""Ad-hoc sub-processes: elements that no flow leads to start at once, one after the other, or when people say so."""

from __future__ import annotations

from collections.abc import Sequence

from engine.definitions.model import AdHoc
from engine.errors import Conflict, Defect, InvalidValue
from engine.kernel import advance as a
from engine.kernel.specs.base import Node
from engine.kernel.specs.scopes import SubProcess
from engine.kernel.spiff import STARTED, CoreTask
from engine.kernel.trouble import EXTRACT_VALUE_ERROR, Trouble


class AdHocSubProcess(SubProcess):
    """An ad-hoc sub-process. Its memo: `todo`, ids of the elements still to start; `enough`, that its condition held.

    Without a condition it completes when nothing in it is active. With one it completes when the condition holds, and waits
    meanwhile for elements that people start, also when nothing in it is active.
    """

    @property
    def rule(self) -> AdHoc:
        """How it runs."""
        if self.element.ad_hoc is None:
            raise Defect(f"{self.element.id} is no ad-hoc sub-process")
        return self.element.ad_hoc

    def activate(self, task: CoreTask) -> bool:
        tree, rule = task.tree, self.rule
        chosen = self._chosen(task)
        task.become(STARTED)
        tree.variables.setdefault(task.key, {})
        if rule.output_collection:
            tree.set_local(task, rule.output_collection, [])
        if rule.output_local:
            tree.set_local(task, rule.output_local, None)
        tree.open_scope(task, with_start=False)
        task.memo["todo"] = chosen
        self._start(task)
        return not chosen and rule.condition is None

    def _chosen(self, task: CoreTask) -> list[str]:
        """Return the ids of the elements that start with it.

        Raises:
            Trouble: the collection names an element that cannot start.
        """
        active = self.rule.active
        if active is None:
            return [spec.element.id for spec in self.firsts]
        chosen = task.tree.evaluation.items(active, task.tree.view(task))
        if unknown := [name for name in chosen if name not in self._startable]:
            message = f"{active.text} 中的 {unknown[0]!r} 不是可以开始的元素 / is no element that can start here"
            raise Trouble(EXTRACT_VALUE_ERROR, message)
        return chosen

    @property
    def _startable(self) -> dict[str, Node]:
        return {spec.element.id: spec for spec in self.firsts}

    def _start(self, task: CoreTask) -> None:
        """Start what is still to start: all of it, or the next one when nothing is active."""
        tree, todo, startable = task.tree, task.memo["todo"], self._startable
        count = len(todo) if not self.rule.sequential else 0 if self._is_active(task) else min(1, len(todo))
        task.memo["todo"] = todo[count:]
        tree.touch(task)
        for name in todo[:count]:
            tree.spawn(task, startable[name])

    @staticmethod
    def _is_active(task: CoreTask) -> bool:
        tasks = task.tree.tasks
        return any(not tasks[key].spec.is_passive(tasks[key]) for key in task.child_keys)

    def start_by_hand(self, task: CoreTask, names: Sequence[str]) -> None:
        """Start elements because somebody says so; in a sequential one they queue up.

        Raises:
            InvalidValue: an element is not in it, or a flow leads to it.
            Conflict: it is about to complete, or holds an incident.
        """
        for name in names:
            if name not in self._startable:
                raise InvalidValue(f"不能在「{self.element.name or self.element.id}」中开始 {name} / cannot be started in it")
        if task.state != STARTED or task.memo.get("enough"):
            raise Conflict(f"「{self.element.name or self.element.id}」不再开始新的活动 / nothing new starts in it any more")
        task.tree.emit(a.AdHocStarted(task.key, self.element.id, tuple(names)))
        task.memo["todo"] = [*task.memo.get("todo", ()), *names]
        self._start(task)

    def child_leaves(self, scope: CoreTask, task: CoreTask, *, last: bool) -> bool:
        tree, rule = scope.tree, self.rule
        kind = task.spec.element.type
        if kind.endswith("_GATEWAY") or kind == "EVENT_SUB_PROCESS":
            return False
        view = tree.view(scope)
        collected = None
        if last and rule.output_collection and rule.output_element is not None:
            result = tree.evaluation.value(rule.output_element, tree.view(task))
            collected = [*(tree.variables[scope.key].get(rule.output_collection) or ()), result]
            view = view.under({rule.output_collection: collected})
        enough = rule.condition is not None and tree.evaluation.boolean(rule.condition, view)
        if collected is not None:
            assert rule.output_collection is not None
            tree.set_local(scope, rule.output_collection, collected)
        if not enough:
            return False
        scope.memo["enough"], scope.memo["todo"] = True, []
        tree.touch(scope)
        return rule.cancel_remaining

    def ran_dry(self, task: CoreTask) -> None:
        over = "kept" in task.memo or "cancelled" in task.memo
        if task.memo.get("todo") and not over:
            self._start(task)
        elif over or self.rule.condition is None or task.memo.get("enough"):
            super().ran_dry(task)

    def produce(self, task: CoreTask) -> None:
        tree, name = task.tree, self.rule.output_collection
        if name and not self.keeps_outputs:
            tree.set_merged(task.scope, name, tree.variables[task.key].get(name))
