"""Gateways: exclusive, parallel, inclusive, event-based."""

from __future__ import annotations

from functools import cached_property

from engine.definitions.model import Flow
from engine.kernel.specs.base import Node
from engine.kernel.spiff import WAITING, CoreTask

_ASIDE = {"host", "gate", "kept", "detached"}  # what waits beside the tokens, or is over


class ExclusiveGateway(Node):
    """Takes the first flow whose condition holds, else the default."""

    def choose(self, task: CoreTask) -> list[tuple[Flow | None, Node]]:
        if not self.conditional:
            return self.out
        tree = task.tree
        view = tree.view(task.scope)
        fallback: list[tuple[Flow | None, Node]] = []
        for flow, target in self.out:
            if flow is None or flow.id == self.element.default:
                fallback.append((flow, target))
            elif flow.condition is None or tree.evaluation.boolean(flow.condition, view):
                return [(flow, target)]
        if not fallback:
            raise self.no_way_out()
        return fallback


class _Join(Node):
    """A gateway at which tokens wait for each other, counted by the flow they came by."""

    joins = True

    def enter(self, task: CoreTask) -> bool:
        if len(self.element.incoming) < 2 or "via" not in task.memo:
            task.tree.entered(task)
            return True
        task.become(WAITING)
        task.tree.joining.setdefault((task.scope.key, self.name), {})[task.key] = task
        return self.is_met(task)

    def is_met(self, task: CoreTask) -> bool:
        """Whether the tokens that wait here suffice; takes the others out when they do."""
        raise NotImplementedError

    def waiting(self, task: CoreTask) -> dict[int, CoreTask]:
        """Return the tokens that wait here in this scope."""
        return task.tree.joining[task.scope.key, self.name]

    def merge(self, task: CoreTask, others: list[CoreTask]) -> None:
        """Let one token go on for all."""
        tree = task.tree
        self.waiting(task).pop(task.key, None)
        for other in others:
            tree.drop(other)
        tree.entered(task)


class ParallelGateway(_Join):
    """Waits for a token on every incoming flow, then takes every outgoing flow."""

    def is_met(self, task: CoreTask) -> bool:
        by_flow: dict[str, CoreTask] = {}
        for token in self.waiting(task).values():
            by_flow.setdefault(token.memo["via"], token)
        by_flow[task.memo["via"]] = task
        if len(by_flow) < len(self.element.incoming):
            return False
        self.merge(task, [t for t in by_flow.values() if t is not task])
        return True


class InclusiveGateway(_Join):
    """Waits for every token that can still come; takes every flow whose condition holds, else the default."""

    def is_met(self, task: CoreTask) -> bool:
        return False  # looked at when the scope falls quiet

    def may_pass(self, task: CoreTask) -> bool:
        """Whether no token elsewhere in the scope can reach an empty incoming flow without reaching a waiting one as well."""
        tree, scope = task.tree, task.scope
        waiting = self.waiting(task)
        here = {t.memo["via"] for t in waiting.values()}
        missing = frozenset(self.element.incoming) - here
        if missing:
            for key in scope.child_keys:
                token = tree.tasks[key]
                if key in waiting or ("on" not in token.memo and not _ASIDE.isdisjoint(token.memo)):
                    continue
                if self.reached_from(token.spec) & missing and not self.reached_from(token.spec, by_flows_alone=True) & here:
                    return False
        by_flow: dict[str, CoreTask] = {}
        for token in waiting.values():
            by_flow.setdefault(token.memo["via"], token)
        self.merge(task, [t for t in by_flow.values() if t is not task])
        return True

    def reached_from(self, start: Node, *, by_flows_alone: bool = False) -> frozenset[str]:
        """Return the ids of this gateway's incoming flows that can be reached from an element without passing the gateway.

        Args:
            by_flows_alone: not through boundary events: what may happen beside an element is no way that its own token takes.
        """
        place = start.name, by_flows_alone
        if place not in self._reached:
            found: set[str] = set()
            seen: set[str] = {start.name}
            stack = [start]
            while stack:
                node = stack.pop()
                for flow, target in node.out:
                    if target is self:
                        found.add(flow.id if flow else "")
                    elif target.name not in seen:
                        seen.add(target.name)
                        stack.append(target)
                for boundary in () if by_flows_alone else node.boundaries:
                    if boundary.name not in seen:
                        seen.add(boundary.name)
                        stack.append(boundary)
            self._reached[place] = frozenset(found)
        return self._reached[place]

    @cached_property
    def _reached(self) -> dict[tuple[str, bool], frozenset[str]]:
        return {}


class EventBasedGateway(Node):
    """Waits for the first of the events that follow it."""

    def activate(self, task: CoreTask) -> bool:
        task.become(WAITING)
        if task.key not in task.tree.attached:
            for flow, target in self.out:
                task.tree.spawn(task.scope, target, gate=task.key, via=flow.id if flow else None)
        return False
