"""Corrects where an instance stands: tokens are put before elements and taken away, by Camunda 8's rules.

What is activated is entered first, so that moving a token (activate here, terminate there) never leaves a scope empty in between.
A scope in which everything was terminated is terminated too, up to the process instance: it was not completed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.definitions.model import Element
from engine.errors import InvalidValue, NotFound
from engine.kernel import compensation
from engine.kernel.specs.scopes import Body, SubProcess
from engine.kernel.spiff import STARTED, CoreTask
from engine.kernel.trouble import Trouble
from engine.kernel.variables import Value

if TYPE_CHECKING:
    from engine.kernel.tree import Tree


@dataclass(frozen=True, slots=True)
class Activation:
    """Start before an element.

    Attributes:
        ancestor_key: the element instance in which its scope is looked for or opened, where several live.
        variables: set before it is entered, by the id of the scope they belong to; the process's id = the instance's own.
    """

    element_id: str
    ancestor_key: int | None = None
    variables: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """Take tokens from one place to another: each instance of the source ends, and the target is entered for it.

    Attributes:
        source: the element instance's key, or an element's id (all of it).
        scope: where the target's scope is looked for: a live scope's key; `source` = the scope that the source lives in;
            `inferred` = the nearest scope around the source that is also around the target; `only` = the only one there is.
        variables: as of an activation.
    """

    source: int | str
    target_id: str
    scope: int | str = "inferred"
    variables: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


def activation(item: Activation | str) -> Activation:
    """Return an activation; a text is the element's id."""
    return Activation(item) if isinstance(item, str) else item


def modify(tree: Tree, activations: Sequence[Activation], terminate: Sequence[int | str], moves: Sequence[Move] = ()) -> None:
    """Put tokens before elements, then take element instances away; a move does both.

    Raises:
        InvalidValue, NotFound: see `Instance.modify`; the tree must be thrown away then.
    """
    doomed = [task for item in terminate for task in _named(tree, item)]
    moved = [(move, task) for move in moves for task in _named(tree, move.source)]
    for item in activations:
        activate(tree, item)
    for move, task in moved:
        activate(tree, Activation(move.target_id, _ancestor_of(tree, move, task), move.variables))
        doomed.append(task)
    for task in doomed:
        if task.key in tree.tasks:
            _terminate(tree, task)


def activate(tree: Tree, item: Activation) -> None:
    """Put a token before an element; its scopes are opened, without their start events, where they do not live yet.

    Raises:
        InvalidValue: the element is not in the process, cannot be started at, or its scope is not the only one.
    """
    process = tree.blueprint.process
    element = process.elements.get(item.element_id)
    if element is None or element.type in {"PROCESS", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}:
        raise InvalidValue(f"不能从元素 {item.element_id} 开始 / cannot start at this element", element_id=item.element_id)
    ancestor = None
    if item.ancestor_key is not None:
        ancestor = tree.tasks.get(item.ancestor_key)
        if ancestor is None or not ancestor.spec.is_scope:
            raise InvalidValue(f"没有活动的范围 {item.ancestor_key} / no such live scope", element_id=item.element_id)
    try:
        scope = _scope_for(tree, element, ancestor, item.variables)
    except Trouble as trouble:
        raise InvalidValue(trouble.message, element_id=item.element_id) from trouble
    _set_variables(tree, scope, item)
    tree.spawn(scope, tree.blueprint.spec(item.element_id))


def _ancestor_of(tree: Tree, move: Move, source: CoreTask) -> int | None:
    """Return in which live scope the target of a move is entered; None = in the only one."""
    if isinstance(move.scope, int):
        return move.scope
    if source is tree.root or move.scope == "source":
        return source.scope.key if source is not tree.root else None
    if move.scope != "inferred":
        return None
    elements = tree.blueprint.process.elements
    target = elements.get(move.target_id)
    around: set[str] = set()
    while target is not None and target.parent_id is not None:
        around.add(target.parent_id)
        target = elements.get(target.parent_id)
    at = source
    while at is not tree.root:
        at = at.scope
        if at.spec.is_scope and not isinstance(at.spec, Body) and at.spec.element.id in around:
            return int(at.key)
    return None


def _set_variables(tree: Tree, scope: CoreTask, item: Activation) -> None:
    around: dict[str, CoreTask] = {}
    at: CoreTask | None = scope
    while at is not None:
        around.setdefault(at.spec.element.id, at)
        at = at.scope if at.parent_key is not None else None
    for scope_id, variables in item.variables.items():
        if scope_id not in around:
            raise InvalidValue(f"{item.element_id} 不在范围 {scope_id} 中 / is not in that scope", element_id=item.element_id)
        for name, value in variables.items():
            if name.startswith("#"):
                raise InvalidValue(f"变量名不能以 # 开头：{name} / a variable's name cannot start with #", field=name)
            tree.set_local(around[scope_id], name, value)


def _scope_for(tree: Tree, element: Element, ancestor: CoreTask | None, variables: Mapping[str, Mapping[str, Value]]) -> CoreTask:
    """Return the live scope that an element belongs in, opened where it does not live yet."""
    process = tree.blueprint.process
    assert element.parent_id is not None
    if element.parent_id == process.id:
        return tree.root
    parent = process.elements[element.parent_id]
    many = parent.loop is not None and isinstance(tree.blueprint.spec(parent.id), Body)
    spec = tree.blueprint.spec(parent.id, inner=many)
    found = [t for t in tree.tasks.values() if t.spec is spec and "on" in t.memo and t.state == STARTED]
    if ancestor is not None:
        found = [t for t in found if _is_within(t, ancestor)]
    if len(found) == 1:
        return found[0]
    if found or many or parent.type == "EVENT_SUB_PROCESS" or not isinstance(spec, SubProcess):
        keys = "、".join(str(t.key) for t in found[:10]) or "—"
        raise InvalidValue(
            f"不能从 {element.id} 开始：{parent.id} 不唯一，请指定在哪一个中（{keys}）/ its scope is not the only one: name one",
            element_id=element.id,
        )
    return spec.open_empty(_scope_for(tree, parent, ancestor, variables))


def _is_within(task: CoreTask, ancestor: CoreTask) -> bool:
    at: CoreTask | None = task
    while at is not None:
        if at is ancestor:
            return True
        at = at.scope if at.parent_key is not None else None
    return False


def _named(tree: Tree, item: int | str) -> list[CoreTask]:
    """The element instances that a key, or an element's id, names: of a multi-instance the bodies."""
    if isinstance(item, int):
        task = tree.tasks.get(item)
        if task is None:
            raise NotFound(f"实例 {tree.root.key} 中没有活动的元素 {item} / no live element {item}")
        return [task]
    found = [t for t in tree.tasks.values() if t.spec.element.id == item and "i" not in t.memo and _is_active(t)]
    if not found:
        raise NotFound(f"元素 {item} 现在没有活动的实例 / nothing is active at this element", element_id=item)
    return found


def _is_active(task: CoreTask) -> bool:
    """Whether it was entered, or waits at a join; what only listens is not active."""
    return "on" in task.memo or (task.spec.joins and "host" not in task.memo)


def _terminate(tree: Tree, task: CoreTask) -> None:
    while True:
        if task is tree.root:
            tree.end("TERMINATED")
            return
        scope, asked_by = task.scope, task.memo.get("by")
        tree.kill(task, None)
        if asked_by is not None:  # it was being undone: who asked for that goes on with the next
            compensation.is_undone(task, asked_by)
            return
        if isinstance(scope.spec, Body):
            scope.spec.inner_gone(scope)
            return
        if any(not child.spec.is_passive(child) for child in map(tree.tasks.__getitem__, scope.child_keys)):
            return
        task = scope
