"""Conditional events: looked at when they are armed, and whenever a variable is set that they see; nothing polls.

A condition fires at its change to true; it has to be false (or null) in between to fire again. The memo of who waits says how
it stood last (`was`). What is no variable does not wake it: the clock, or the counters of a multi-instance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.definitions.model import Event
from engine.kernel import advance as a
from engine.kernel.evaluation import shown
from engine.kernel.spiff import WAITING, CoreTask
from engine.kernel.trouble import EXTRACT_VALUE_ERROR, Trouble

if TYPE_CHECKING:
    from engine.kernel.tree import Tree


def arm(task: CoreTask, event: Event) -> None:
    """Let a task wait for its condition; it is looked at when what armed it is done."""
    tree = task.tree
    assert event.condition is not None
    task.memo["wait"] = "conditional"
    task.memo.setdefault("was", False)
    tree.conditions.add(task.key)
    tree.unseen.add(task.key)
    tree.emit(a.ConditionAwaited(task.key, task.spec.listener.id, event.condition.text))


def look(tree: Tree) -> None:
    """Look at the conditions that were armed, or whose variables were set, since the last look; fire those that became true."""
    while (changes := tree.set_since) or tree.unseen:
        wanted, tree.set_since, tree.unseen = tree.unseen, [], set()
        if changes:
            wanted = wanted | {key for key in tree.conditions if _sees(tree, tree.tasks[key], changes)}
        for key in sorted(wanted):
            task = tree.tasks.get(key)
            if task is not None and key in tree.conditions and task.state == WAITING:
                _look_at(tree, task)


def _sees(tree: Tree, task: CoreTask, changes: Iterable[tuple[int, str, bool]]) -> bool:
    """Whether one of the variables is in a scope that the condition sees, and is one that it asks for."""
    event = task.spec.listener.event
    assert event is not None
    scopes: set[int] = set()
    at: CoreTask | None = task.spec.waits_in(task)
    while at is not None:
        scopes.add(at.key)
        at = at.scope if at.parent_key is not None else None
    names, on = event.variable_names, event.variable_events
    return any(
        scope in scopes and (not names or name in names) and (not on or ("create" if is_new else "update") in on)
        for scope, name, is_new in changes
    )


def _look_at(tree: Tree, task: CoreTask) -> None:
    event = task.spec.listener.event
    assert event is not None
    try:
        holds = _holds(tree, task, event)
    except Trouble as trouble:
        tree.incident(task, trouble.kind, trouble.message, "enter")
        return
    was = task.memo["was"]
    if holds != was:
        task.memo["was"] = holds
        tree.touch(task)
    if holds and not was:
        assert event.condition is not None
        tree.emit(a.EventReceived(task.key, task.spec.listener.id, "conditional", event.condition.text))
        task.spec.trigger(task, {})


def _holds(tree: Tree, task: CoreTask, event: Event) -> bool:
    assert event.condition is not None
    value = tree.evaluation.value(event.condition, tree.view(task.spec.waits_in(task)))
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Trouble(
        EXTRACT_VALUE_ERROR, f"条件 {event.condition.text} 应为真或假，结果是 {shown(value)} / the condition is not a boolean"
    )
