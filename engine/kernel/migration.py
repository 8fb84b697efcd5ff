"""Moves a running instance to another definition: what goes where, what cannot and why, and the move itself.

The rules are those of Camunda 8's process instance migration: an active element goes to an element of the same type in the
same (mapped) flow scope; a multi-instance stays one of its kind; what waits for an event keeps its subscription (a timer its due
time, a message its name and key) where it is mapped. Two things are added: an element whose id is the same in both is mapped by
itself, and the target None for a boundary event, an event sub-process or an event behind an event-based gateway closes its
subscription and opens the target's anew.

A plan is made from rows alone: nothing is evaluated, nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.definitions.model import Element, Process
from engine.errors import InvalidValue, MigrationRefused, Obstacle
from engine.kernel import advance as a
from engine.kernel import clocks, subscriptions
from engine.kernel.blueprint import Blueprint, blueprint
from engine.kernel.people import form_of
from engine.kernel.specs.base import Node
from engine.kernel.spiff import CoreTask
from engine.kernel.trouble import Trouble

if TYPE_CHECKING:
    from engine.kernel.tree import Tree

Instructions = Mapping[str, str | None]
"""Source element (or sequence flow) id → target id; what is not named goes to the same id. None: see the module's words."""


@dataclass(frozen=True, slots=True)
class Move:
    """A live element instance and where it goes.

    Attributes:
        key: of the element instance; tasks, timers, jobs and subscriptions have the same.
        element_id, name, type: where it stands now; of an event sub-process that waits, its start event.
        target_id, target_name: where it goes.
        instruction: the id by which an instruction names it: of an event sub-process that waits, its own.
        waits: for what: task | job | timer | message | signal | …; empty = for its children, or it holds an incident.
        listens: an event attached to something that is active: a boundary event, an event sub-process, an event behind a gateway.
        incident: it holds one, and keeps it.
    """

    key: int
    element_id: str
    name: str
    type: str
    target_id: str
    target_name: str
    instruction: str
    waits: str = ""
    listens: bool = False
    incident: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """A subscription that the target does not have (any more), or that is opened anew; `instruction` as in `Move`."""

    key: int
    element_id: str
    name: str
    instruction: str
    waits: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A subscription that the target has and the source has not: opened at the migration, timers counted from then.

    `owner_key`: the element instance on which (boundary event), in which (event sub-process) or behind which (gateway) it stands.
    """

    owner_key: int
    element_id: str
    name: str
    waits: str


@dataclass(slots=True)
class Plan:
    """What a migration does with one instance.

    Attributes:
        obstacles: why it cannot be migrated; empty = it can.
        memos: what of the kernel's own data about an element instance names other ids in the target, by its key.
    """

    moves: list[Move] = field(default_factory=list)
    closed: list[Closing] = field(default_factory=list)
    opened: list[Opening] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    memos: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def possible(self) -> bool:
        """Whether nothing stands against it."""
        return not self.obstacles


def plan(source: Process, target: Process, rows: Iterable[a.ElementRow], instructions: Instructions | None = None) -> Plan:
    """Return what migrating an instance would do.

    Args:
        rows: all live rows of the instance.
        instructions: where elements go whose ids differ.
    Raises:
        InvalidValue: an instruction names an element that is not in the source or not in the target.
    """
    chosen = dict(instructions or {})
    _check(source, target, chosen)
    return _Planner(source, target, {row.key: row for row in rows}, chosen).plan()


def _check(source: Process, target: Process, instructions: Instructions) -> None:
    for before, after in instructions.items():
        if before not in source.elements and before not in source.flows:
            raise InvalidValue(f"原流程没有元素 {before} / the source has no such element", element_id=before)
        if after is not None and after not in target.elements and after not in target.flows:
            raise InvalidValue(f"目标流程没有元素 {after} / the target has no such element", element_id=after)


def candidates(source: Process, target: Process, element_id: str) -> list[Element]:
    """Return the target's elements that can stand for one of the source, wherever they stand, in the file's order."""
    element = source.elements[element_id]
    return [goal for goal in target.elements.values() if _difference(element, goal) is None]


class _Planner:
    """Makes the plan of one instance."""

    def __init__(
        self, source: Process, target: Process, rows: Mapping[int, a.ElementRow], instructions: Mapping[str, str | None]
    ) -> None:
        self.source, self.target, self.rows = source, target, rows
        self.before: Blueprint = blueprint(source)
        self.after: Blueprint = blueprint(target)
        self.instructions = {source.id: target.id, **instructions}
        self.found = Plan()
        self.listening: dict[int, list[a.ElementRow]] = {}  # owner → events that wait on it, in it, or behind it
        self.moved: dict[int, Node] = {}  # by key: the spec in the target
        self.taken: dict[tuple[int, str], str] = {}  # (owner, target) → the source that goes there

    def plan(self) -> Plan:
        for row in self.rows.values():
            owner = self._owner(row)
            if owner is not None:
                self.listening.setdefault(owner, []).append(row)
        for row in sorted(self.rows.values(), key=lambda r: r.key):
            if "part" in row.data:
                self._part(row)
            elif self._owner(row) is not None:
                self._listener(row)
            else:
                self._element(row)
        return self.found

    # --- what a row is

    def _owner(self, row: a.ElementRow) -> int | None:
        """The element instance that a waiting event belongs to; None for an element that is active itself."""
        if "on" in row.data or "kept" in row.data:
            return None
        attached = row.data.get("host") or row.data.get("gate") or row.data.get("whole")
        if attached is not None:
            return int(attached)
        is_event_sub = self.source.elements[row.element_id].type == "EVENT_SUB_PROCESS"
        return row.parent_key if is_event_sub else None

    def _spec(self, row: a.ElementRow) -> Node:
        return self.before.spec(row.element_id, inner="i" in row.data, part=row.data.get("part"))

    def _to(self, element_id: str) -> str | None:
        return self.instructions.get(element_id, element_id)

    def _target(self, row: a.ElementRow) -> Node | None:
        """The spec that a row goes to; None where the target has none of its kind."""
        to = self._to(row.element_id)
        element = self.target.elements.get(to or "")
        if element is None or ("i" in row.data and element.loop is None):
            return None
        return self.after.spec(element.id, inner="i" in row.data)

    def _goal(self, row: a.ElementRow) -> Node:
        """The spec that a row that can be moved goes to."""
        goal = self._target(row)
        assert goal is not None
        return goal

    # --- active elements

    def _element(self, row: a.ElementRow) -> None:
        element, to = self.source.elements[row.element_id], self._to(row.element_id)
        if to is None:
            self._obstacle(row, element, "正在进行，不能不映射 / is active: it needs a target")
            return
        goal = self.target.elements.get(to)
        if goal is None:
            self._obstacle(row, element, f"目标流程没有元素 {to} / the target has no such element")
            return
        why = _difference(element, goal)
        spec = self._spec(row)
        if why is None and element.parent_id is not None:
            scope = self._to(element.parent_id)
            if goal.parent_id != scope:
                why = f"所在范围变了：应在 {scope} 中，目标在 {goal.parent_id} 中 / its flow scope changed"
        if why is None and type(spec) is not type(self._target(row)):
            why = f"执行方式变了（如由脚本改为作业）：{_named(goal)} / it is executed in another way there"
        if why is not None:
            self._obstacle(row, element, why)
            return
        why = self._undone(row, element, goal) or self._tokens(row, element, goal) or self._still_to_start(row, goal)
        if why is not None:
            self._obstacle(row, element, why)
            return
        self._move(row, element, goal)
        self._openings(row)

    def _undone(self, row: a.ElementRow, element: Element, goal: Element) -> str | None:
        """Why what completed could not be undone any more."""
        if "kept" not in row.data or element.attached_to is None or goal.attached_to == self._to(element.attached_to):
            return None
        return f"应附着在 {self._to(element.attached_to)} 上，目标附着在 {goal.attached_to} 上 / attached elsewhere"

    def _tokens(self, row: a.ElementRow, element: Element, goal: Element) -> str | None:
        """Why a token that waits for others here cannot; notes by which flow it, or those taken before, came."""
        if "gathers" in row.data and element.start_quantity != goal.start_quantity:
            return "所需令牌数变了 / tokens wait here, and the target needs another number of them"
        if not self._spec(row).joins or "on" in row.data:
            return None
        if len(goal.incoming) < len(element.incoming):
            return "等待汇合，而目标网关的入线更少 / a token waits at this join, whose target has fewer flows"
        if (element.activation is None) != (goal.activation is None):
            return "汇合的条件有无变了 / a token waits at this join, which has an activation condition in one of them only"
        for name in ("via", "reset"):
            if name in row.data and row.data[name] is not None:
                given = row.data[name]
                flows = [self._flow(via, goal.incoming) for via in ([given] if isinstance(given, str) else given)]
                if None in flows:
                    return f"等待汇合：经 {given} 到达，目标网关没有对应的入线 / the flow by which it came is not in the target"
                self._note(row.key, name, flows[0] if isinstance(given, str) else flows)
        return None

    def _still_to_start(self, row: a.ElementRow, goal: Element) -> str | None:
        """Why elements that an ad-hoc sub-process has still to start could not be."""
        todo = row.data.get("todo")
        if not todo:
            return None
        there = {node.element.id for node in self.after.spec(goal.id, inner="i" in row.data).firsts}
        names = [self._to(name) for name in todo]
        if missing := [name for name, to in zip(todo, names, strict=True) if to not in there]:
            return f"待开始的 {missing[0]} 在目标中不能开始 / an element that is still to start cannot start there"
        self._note(row.key, "todo", names)
        return None

    def _note(self, key: int, name: str, value: Any) -> None:
        self.found.memos.setdefault(key, {})[name] = value

    def _flow(self, via: str, candidates: Iterable[str]) -> str | None:
        """The target's flow for a source's: named by an instruction, of the same id, or the only one between the same ends."""
        among = list(candidates)
        named = self._to(via)
        if named in among:
            return named
        old = self.source.flows.get(via)
        if old is None:
            return None
        between = [f for f in among if self.target.flows[f].source == self._to(old.source)]
        between = [f for f in between if self.target.flows[f].target == self._to(old.target)]
        return between[0] if len(between) == 1 else None

    # --- what waits on, in or behind an active element

    def _listener(self, row: a.ElementRow) -> None:
        element, to = self.source.elements[row.element_id], self._to(row.element_id)
        spec = self._spec(row)
        goal = self.target.elements.get(to or "")
        if goal is None:
            self.found.closed.append(Closing(row.key, spec.listener.id, _name(spec), element.id, str(row.data.get("wait", ""))))
            return
        after = self.after.spec(goal.id)
        why = _difference(element, goal) or _difference(spec.listener, after.listener) or self._moved(row, element, goal)
        owner = self._owner(row) or 0
        if why is None and (other := self.taken.setdefault((owner, goal.id), element.id)) != element.id:
            why = f"{other} 也映射到 {goal.id} / another event goes there, too"
        if why is not None:
            self._obstacle(row, element, f"{why}；不保留时请选“重新订阅” / or let it be opened anew")
            return
        if row.data.get("via") is not None and (flow := self._flow(str(row.data["via"]), goal.incoming)) is not None:
            self._note(row.key, "via", flow)
        self._move(row, spec.listener, after.listener, listens=True)

    def _part(self, row: a.ElementRow) -> None:
        """One definition of a multiple event goes where the event goes."""
        whole = self.rows[row.data["whole"]]
        listens = self._owner(whole) is not None
        if whole.key not in self.moved:
            return  # closed with it, or what stands against it has been said
        spec, after = self._spec(row), self.moved[whole.key].parts[row.data["part"]]
        self._move(row, spec.listener, after.listener, listens=listens)

    def _moved(self, row: a.ElementRow, element: Element, goal: Element) -> str | None:
        """Why an event's place is another one in the target."""
        if "host" in row.data:
            host = self._to(element.attached_to or "")
            return (
                None if goal.attached_to == host else f"应附着在 {host} 上，目标附着在 {goal.attached_to} 上 / attached elsewhere"
            )
        if "gate" in row.data:
            gate = self._to(self.rows[row.data["gate"]].element_id)
            led = {self.target.flows[f].source for f in goal.incoming}
            return None if gate in led else f"目标中不再跟在网关 {gate} 之后 / does not follow its gateway there"
        scope = self._to(element.parent_id or "")
        return None if goal.parent_id == scope else f"所在范围变了：应在 {scope} 中 / its flow scope changed"

    def _openings(self, row: a.ElementRow) -> None:
        """Note what the target listens for at an element that the source does not."""
        before, after = self._spec(row), self._target(row)
        if after is None:
            return
        pairs: list[tuple[list[Node], list[Node]]] = []
        if _is_armed(row, bool(self.listening.get(row.key))):
            pairs.append((list(before.boundaries), list(after.boundaries)))
        if before.is_scope and row.state == "STARTED" and "on" in row.data and "interrupted" not in row.data:
            pairs.append((list(before.event_subs), list(after.event_subs)))
        if before.type == "EVENT_BASED_GATEWAY" and row.state == "WAITING":
            pairs.append(([n for _, n in before.out], [n for _, n in after.out]))
        for old, new in pairs:
            # One that fired before and waits no more is not new: only what the source never listened for is opened.
            kept = {self._to(node.element.id): node for node in old if _listens(node)}
            for node in new:
                known = kept.get(node.element.id)
                if _listens(node) and (known is None or not _same_event(known.listener, node.listener)):
                    kind = node.listener.event.kind if node.listener.event else ""
                    self.found.opened.append(Opening(row.key, node.element.id, _name(node), kind))

    # --- writing down

    def _move(self, row: a.ElementRow, element: Element, goal: Element, *, listens: bool = False) -> None:
        shown = element.type if "i" in row.data or element.loop is None else "MULTI_INSTANCE_BODY"
        waits = str(row.data.get("wait", "")) or ("join" if "via" in self.found.memos.get(row.key, {}) and not listens else "")
        if "part" not in row.data:
            self.moved[row.key] = self._goal(row)
        move = Move(
            key=row.key,
            element_id=element.id,
            name=element.name,
            type=shown,
            target_id=goal.id,
            target_name=goal.name,
            instruction=self.rows[row.data["whole"]].element_id if "part" in row.data else row.element_id,
            waits=waits,
            listens=listens,
            incident="incident" in row.data,
        )
        self.found.moves.append(move)

    def _obstacle(self, row: a.ElementRow, element: Element, why: str) -> None:
        self.found.obstacles.append(Obstacle(element.id, element.name, f"{_named(element)}：{why}", row.key))


def _is_armed(row: a.ElementRow, has_events: bool) -> bool:
    """Whether an element has (or had) its boundary events armed: not before it was entered, nor when it passes at once."""
    if row.parent_key is None or "on" not in row.data or "gate" in row.data:
        return False
    return has_events or row.state in {"WAITING", "STARTED"} or row.data.get("stage") == "job"


def _listens(node: Node) -> bool:
    """Whether a boundary event, event sub-process or event behind a gateway waits for something from outside."""
    return subscriptions.listens(node)


def _shape(element: Element) -> tuple[Any, ...]:
    """The kind of an element's event; of a multiple event those of its parts, in order."""
    event = element.event
    return ("none",) if event is None else (event.kind, event.parallel, *(part.kind for part in event.parts))


def _same_event(one: Element, other: Element) -> bool:
    return _shape(one) == _shape(other)


def _difference(element: Element, goal: Element) -> str | None:
    """Why an element cannot stand for another, apart from where it stands."""
    if element.type != goal.type:
        return f"类型变了：{element.type} → {goal.type}（{_named(goal)}）/ the type differs"
    if not _same_event(element, goal):
        kinds = ["+".join(kind for kind in _shape(e) if isinstance(kind, str)) for e in (element, goal)]
        return f"事件类型变了：{kinds[0]} → {kinds[1]}（{_named(goal)}）/ the event type differs"
    if _loop(element) != _loop(goal):
        return f"多实例方式变了（{_named(goal)}）/ the multi-instance kind differs"
    return None


def _loop(element: Element) -> tuple[Any, ...] | None:
    """What of an element's loop must stay."""
    return None if element.loop is None else (type(element.loop).__name__, getattr(element.loop, "sequential", None))


def _name(node: Node) -> str:
    return node.listener.name or node.element.name


def _named(element: Element) -> str:
    return f"「{element.name}」{element.id}" if element.name else element.id


# --- the move itself --------------------------------------------------------------------------------------------------


def migrate(tree: Tree, target: Process, instructions: Instructions | None = None) -> Plan:
    """Move an instance's tree to another definition; what follows from it goes on when the tree is settled.

    Raises:
        MigrationRefused: something cannot be moved; nothing was changed.
        InvalidValue: an instruction names what is not there.
    """
    source = tree.blueprint.process
    found = plan(source, target, tree.all_rows(), instructions)
    if found.obstacles:
        raise MigrationRefused(found.obstacles)
    for closing in found.closed:
        tree.drop(tree.tasks[closing.key])
    stopped = {key: task.spec.element.stops for key, task in tree.stoppers.items()}
    asked = {key: _condition(tree.tasks[key]) for key in tree.conditions}
    after = blueprint(target)
    goals = {move.key: move for move in found.moves}
    specs: dict[int, Node] = {}
    for key, task in sorted(tree.tasks.items()):  # a multiple event has a lower key than its parts
        move = goals[key]
        if "part" in task.memo:
            specs[key] = specs[task.memo["whole"]].parts[task.memo["part"]]
        elif task.spec.listener is not task.spec.element and move.listens:
            specs[key] = _event_sub(after, move)
        else:
            specs[key] = after.spec(move.target_id, inner="i" in task.memo)
    for key, memo in found.memos.items():
        task = tree.tasks[key]
        if any(task.memo.get(name) != value for name, value in memo.items()):
            task.memo.update(memo)
            tree.touch(task)
    tree.rewire(after, specs)
    for move in found.moves:
        if move.target_id != move.element_id:
            tree.emit(a.ElementMigrated(move.key, move.target_id, move.element_id))
        _say(tree.tasks[move.key])
    for key, text in asked.items():
        if key in tree.conditions and _condition(tree.tasks[key]) != text:
            tree.unseen.add(key)  # another condition may hold already
    clocks.after_migration(tree, stopped)
    for opening in found.opened:
        _open(tree, opening)
    return found


def _condition(task: CoreTask) -> str | None:
    event = task.spec.listener.event
    return event.condition.text if event is not None and event.condition is not None else None


def _event_sub(after: Blueprint, move: Move) -> Node:
    """The event sub-process that an event sub-process's waiting start event belongs to."""
    start = after.process.elements[move.target_id]
    return after.spec(start.parent_id or "")


def _say(task: CoreTask) -> None:
    """Tell what an open task or subscription shows to people from now on."""
    tree, waits = task.tree, task.memo.get("wait")
    element = task.spec.listener
    try:
        if waits == "task":
            tree.emit(form_of(task))
        elif waits == "message":
            tree.emit(_offer(task))
    except Trouble as trouble:
        raise MigrationRefused(
            [Obstacle(element.id, element.name, f"{_named(element)}：{trouble.message}", task.key)]
        ) from trouble


def _offer(task: CoreTask) -> a.SubscriptionMigrated:
    tree, element = task.tree, task.spec.listener
    offered_to = tree.evaluation.words(element.offered_to, tree.view(task.spec.waits_in(task)))
    shown = element.properties.get("offerName") or element.name or task.spec.element.name or str(task.memo["name"])
    return a.SubscriptionMigrated(task.key, element.id, element.interrupting, offered_to, element.form_id, shown)


def _open(tree: Tree, opening: Opening) -> None:
    """Open a subscription that only the target has."""
    owner, spec = tree.tasks[opening.owner_key], tree.blueprint.spec(opening.element_id)
    if spec.element.attached_to is not None:
        tree.spawn(owner.scope, spec, host=owner.key)
    elif spec.type == "EVENT_SUB_PROCESS":
        tree.spawn(owner, spec)
    else:
        via = next((flow.id for flow, node in owner.spec.out if flow is not None and node is spec), None)
        tree.spawn(owner.scope, spec, gate=owner.key, via=via)
