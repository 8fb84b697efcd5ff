"""Gateways: exclusive, parallel, inclusive, complex, event-based."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from functools import cached_property

from engine.definitions.model import Flow
from engine.kernel.specs.base import Node
from engine.kernel.spiff import ERROR, FUTURE, WAITING, CoreTask
from engine.kernel.trouble import Trouble


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

    def is_expected(self, scope: CoreTask, missing: Set[str], here: Set[str], tokens: Mapping[int, CoreTask]) -> bool:
        """Whether a token elsewhere in the scope can reach a missing flow without being able to reach one that was served.

        Args:
            missing: incoming flows without a token.
            here: incoming flows with a token, or from which one was taken.
            tokens: those that wait here.
        """
        if not missing:
            return False
        for key in scope.child_keys:
            token = scope.tree.tasks[key]
            if key in tokens or token.spec.is_idle(token):
                continue
            if self.reached_from(token.spec) & missing and not self.reached_from(token.spec, by_flows_alone=True) & here:
                return True
        return False

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

    def pass_on(self, tokens: Mapping[int, CoreTask]) -> bool:
        task = next(iter(tokens.values()))
        here = {t.memo["via"] for t in tokens.values()}
        if self.is_expected(task.scope, frozenset(self.element.incoming) - here, here, tokens):
            return False
        by_flow: dict[str, CoreTask] = {}
        for token in tokens.values():
            by_flow.setdefault(token.memo["via"], token)
        self.merge(task, [t for t in by_flow.values() if t is not task])
        task.go_on()
        return True


class ComplexGateway(_Join):
    """Waits until its activation condition holds (the start); then for the tokens that can still come (the reset); and so on.

    At the start it takes a token from every incoming flow that has one, and the outgoing flows are chosen as by an inclusive
    gateway. While it waits for the reset, a task of its own stands for that (memo `reset`: the flows it took tokens from). At the
    reset it takes the tokens of the other flows, and takes the outgoing flows whose condition holds then and asks for
    `waitingForStart`: a flow that does not ask is taken at the start alone. Source: BPMN 2.0.2, 13.4.5.
    """

    def enter(self, task: CoreTask) -> bool:
        tree = task.tree
        if self.element.activation is None or ("via" not in task.memo and "reset" not in task.memo):
            tree.entered(task)
            return True
        if "taken" in task.memo:
            return True  # it was activated before; choosing its flows failed
        task.become(WAITING)
        tree.joining.setdefault((task.scope.key, self.name), {})[task.key] = task
        return "reset" not in task.memo and self.is_met(task)

    def is_met(self, task: CoreTask) -> bool:
        tree, waiting = task.tree, self.waiting(task)
        if any("reset" in t.memo for t in waiting.values()) or self._in_trouble(task.scope):
            return False  # it counts after the reset
        counts = Counter(t.memo["via"] for t in waiting.values())
        counted = {**dict.fromkeys(self.element.incoming, 0), **counts, "activationCount": counts.total()}
        assert self.element.activation is not None
        try:
            met = tree.evaluation.boolean(self.element.activation, tree.view(task.scope).under(counted))
        except Trouble:
            waiting.pop(task.key, None)
            task.become(FUTURE)
            raise
        if not met:
            return False
        taken = sorted(self._take(task, frozenset(self.element.incoming)))
        task.memo["taken"] = taken
        tree.entered(task)
        if self._resets or set(self.element.incoming) - set(taken):
            keeper = tree.place(task.scope, self, WAITING, reset=taken)
            self.waiting(task)[keeper.key] = keeper
        else:
            self._start_anew(task.scope)
        return True

    def _in_trouble(self, scope: CoreTask) -> bool:
        """Whether the reset is due and held by an incident."""
        children = (scope.tree.tasks[key] for key in scope.child_keys)
        return any(t.spec is self and t.state == ERROR and "reset" in t.memo for t in children)

    def _take(self, task: CoreTask, flows: Set[str]) -> set[str]:
        """Take one token, the oldest, from each of some flows; return the flows that had one."""
        taken: dict[str, CoreTask] = {}
        if "via" in task.memo:
            taken[task.memo["via"]] = task
        for token in self.waiting(task).values():
            via = token.memo.get("via")
            if via is not None and via in flows and via not in taken:
                taken[via] = token
        for token in taken.values():
            if token is not task:
                task.tree.drop(token)
        self.waiting(task).pop(task.key, None)
        return set(taken)

    def choose(self, task: CoreTask) -> list[tuple[Flow | None, Node]]:
        tree, starts = task.tree, "reset" not in task.memo
        view = tree.view(task.scope).under({"waitingForStart": starts})
        chosen: list[tuple[Flow | None, Node]] = []
        fallback: list[tuple[Flow | None, Node]] = []
        for flow, target in self.out:
            if flow is not None and flow.id == self.element.default:
                fallback.append((flow, target))
            elif flow is None or flow.condition is None:
                chosen += [(flow, target)] if starts else []
            elif (starts or _asks(flow)) and tree.evaluation.boolean(flow.condition, view):
                chosen.append((flow, target))
        if starts and not chosen and self.out:
            chosen = fallback
        if starts and not chosen and self.out:
            raise self.no_way_out()
        return chosen

    def pass_on(self, tokens: Mapping[int, CoreTask]) -> bool:
        keeper = next((t for t in tokens.values() if "reset" in t.memo), None)
        if keeper is None:
            return False
        scope, tree, served = keeper.scope, keeper.tree, set(keeper.memo["reset"])
        missing = set(self.element.incoming) - served
        here = {t.memo["via"] for t in tokens.values() if "via" in t.memo} & missing
        if self.is_expected(scope, missing - here, served | here, tokens):
            return False
        try:
            chosen = self.choose(keeper)
        except Trouble as trouble:
            self.waiting(keeper).pop(keeper.key)
            tree.incident(keeper, trouble.kind, trouble.message, "enter")
            return True
        self._take(keeper, missing)
        self._start_anew(scope)
        if chosen:
            tree.entered(keeper)
            keeper.go_on()
        else:
            tree.drop(keeper)
            tree.scope_is_quiet(scope)
        return True

    def _start_anew(self, scope: CoreTask) -> None:
        """After the reset the tokens that are left count for the next start."""
        left = scope.tree.joining[scope.key, self.name]
        if left:
            token = next(iter(left.values()))
            token.become(FUTURE)
            scope.tree.enqueue(token)

    @cached_property
    def _resets(self) -> bool:
        """Whether a flow can be taken at the reset."""
        return any(flow is not None and _asks(flow) for flow, _ in self.out)

    def is_idle(self, task: CoreTask) -> bool:
        return "reset" in task.memo and not self._resets


def _asks(flow: Flow) -> bool:
    """Whether a flow's condition tells the start of a complex gateway from its reset."""
    condition = flow.condition
    return condition is not None and condition.expression is not None and "waitingForStart" in condition.expression.names


class EventBasedGateway(Node):
    """Waits for the first of the events that follow it."""

    def activate(self, task: CoreTask) -> bool:
        task.become(WAITING)
        if task.key not in task.tree.attached:
            for flow, target in self.out:
                task.tree.spawn(task.scope, target, gate=task.key, via=flow.id if flow else None)
        return False
