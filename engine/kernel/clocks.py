"""Clocks that stand still: while an element with `stops` is active, the timers and due dates of those clocks keep what remains.

A timer belongs to the clocks named after itself, after its host (boundary event) or its enclosing sub-process, and to those in
its and their property `clock`. An element never stops the clocks of what stands on or in itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.definitions.model import Element, Process
from engine.errors import Conflict
from engine.kernel import advance as a
from engine.kernel.spiff import STARTED, WAITING, CoreTask

if TYPE_CHECKING:
    from engine.kernel.tree import Tree


def names(process: Process, element: Element) -> frozenset[str]:
    """Return the names of the clocks that an element's timer or due date belongs to."""
    found = {element.id, *element.clocks}
    around = process.elements.get(element.attached_to or element.parent_id or "")
    if around is not None:
        found |= {around.id, *around.clocks}
        if (
            element.type == "START_EVENT" and around.parent_id is not None
        ):  # the start of an event sub-process belongs around that
            outer = process.elements[around.parent_id]
            found |= {outer.id, *outer.clocks}
    return frozenset(found)


def arm(tree: Tree, task: CoreTask, state: Mapping[str, Any]) -> None:
    """Arm a timer, or keep what remains when its clock stands still."""
    memo = dict(state)
    task.memo["timer"] = memo
    tree.clocked.add(task.key)
    tree.touch(task)
    due = datetime.fromisoformat(memo["due"])
    if _is_held(tree, task):
        memo["held"] = (due - tree.surroundings.now).total_seconds()
        return
    element = task.spec.listener
    clock = tuple(sorted(task.spec.clock_names))
    tree.emit(a.TimerArmed(task.key, element.id, due, int(memo["left"]), str(memo["text"]), clock))


def arm_due(tree: Tree, task: CoreTask, change: a.TaskCreated) -> a.TaskCreated:
    """Note a user task's due date; return the change with no due date while its clock stands still."""
    assert change.due_at is not None
    now = tree.surroundings.now
    task.memo["due"] = {"due": change.due_at.isoformat(), "at": now.isoformat()}
    tree.clocked.add(task.key)
    if _is_held(tree, task):
        task.memo["due"]["held"] = (change.due_at - now).total_seconds()
        return replace(change, due_at=None)
    return change


def set_due(tree: Tree, task: CoreTask, due_at: datetime | None) -> None:
    """Give a waiting user task another due date, which the calendar does not change any more; None takes it away.

    Raises:
        Conflict: its clock stands still.
    """
    if _is_held(tree, task):
        message = "任务的时钟已停，不能改期限（its clock stands still: the due date cannot be changed now）"
        raise Conflict(message, element_id=task.spec.listener.id)
    if due_at is None:
        task.memo.pop("due", None)
        tree.clocked.discard(task.key)
    else:
        task.memo["due"] = {"due": due_at.isoformat(), "at": tree.surroundings.now.isoformat(), "shifted": True}
        tree.clocked.add(task.key)
    tree.touch(task)
    tree.emit(a.TaskUpdated(task.key, task.spec.listener.id, due_at))


def stop(tree: Tree, stopper: CoreTask) -> None:
    """An element became active: the clocks it stops stand still."""
    tree.stoppers[stopper.key] = stopper
    stopper.memo["stops"] = True
    tree.touch(stopper)
    for clock in stopper.spec.element.stops:
        remaining: dict[str, float] = {}
        held: list[CoreTask] = []
        for task in _clocked(tree):
            if clock not in task.spec.clock_names or "held" in _state(task) or _within(task, stopper):
                continue
            remaining[str(task.key)] = _hold(tree, task)
            held.append(task)
        tree.emit(a.ClockStopped(clock, stopper.key, remaining))
        for task in held:
            _say_held(tree, task)


def resume(tree: Tree, stopper: CoreTask) -> None:
    """An element ended: the clocks it stopped go on, unless another one stops them too."""
    for clock in stopper.spec.element.stops:
        if not any(clock in other.spec.element.stops for other in tree.stoppers.values()):
            tree.emit(a.ClockResumed(clock, stopper.key))
    _go_on(tree)


def _go_on(tree: Tree) -> None:
    """Let the timers and due dates go on that nothing holds any more."""
    now = tree.surroundings.now
    for task in _clocked(tree):
        state = _state(task)
        if "held" not in state or _is_held(tree, task):
            continue
        due = now + timedelta(seconds=float(state.pop("held")))
        tree.touch(task)
        state["shifted"] = True
        if "timer" not in task.memo:
            state["due"] = due.isoformat()
            tree.emit(a.TaskUpdated(task.key, task.spec.listener.id, due))
            continue
        state["due"] = due.isoformat()
        if "anchor" in state:  # the grid of a cycle moves with it
            state["anchor"], state["n"] = due.isoformat(), 0
        arm(tree, task, state)


def after_migration(tree: Tree, stopped: Mapping[int, tuple[str, ...]]) -> None:
    """After a migration: what stops clocks, and what belongs to them, may be other than before.

    A timer whose clock stood still goes on with what remained where nothing stops it any more; one that runs stands still where
    something does now.

    Args:
        stopped: the clocks that stood still before, by the key of the element instance that stops them.
    """
    begun: list[tuple[str, int]] = []
    for key, task in tree.tasks.items():
        before, stops = stopped.get(key, ()), task.spec.element.stops if task.spec.body is None else ()
        active = bool(before) or ("on" in task.memo and task.state in {WAITING, STARTED})
        if stops and active:
            tree.stoppers[key], task.memo["stops"] = task, True
            begun += [(clock, key) for clock in stops if clock not in before]
        elif before:
            del tree.stoppers[key], task.memo["stops"]
        if bool(before) != bool(stops):
            tree.touch(task)
    held = [task for task in _clocked(tree) if "held" not in _state(task) and _is_held(tree, task)]
    for task in held:
        _hold(tree, task)
    for clock, key in begun:
        remaining = {str(task.key): float(_state(task)["held"]) for task in held if clock in task.spec.clock_names}
        tree.emit(a.ClockStopped(clock, key, remaining))
    for task in held:
        _say_held(tree, task)
    still = {clock for task in tree.stoppers.values() for clock in task.spec.element.stops}
    for key, clocks in stopped.items():
        for clock in clocks:
            if clock not in still:
                tree.emit(a.ClockResumed(clock, key))
    _go_on(tree)


def _hold(tree: Tree, task: CoreTask) -> float:
    """Note what remains of a timer or due date whose clock stands still now; return it, in seconds."""
    state = _state(task)
    remains = (datetime.fromisoformat(state["due"]) - tree.surroundings.now).total_seconds()
    state["held"] = remains
    tree.touch(task)
    return remains


def _say_held(tree: Tree, task: CoreTask) -> None:
    if "timer" in task.memo:
        tree.emit(a.TimerDisarmed(task.key, task.spec.listener.id))
    else:
        tree.emit(a.TaskUpdated(task.key, task.spec.listener.id, None))


def _clocked(tree: Tree) -> list[CoreTask]:
    return [tree.tasks[key] for key in sorted(tree.clocked)]


def _state(task: CoreTask) -> dict[str, Any]:
    found: dict[str, Any] = task.memo["timer"] if "timer" in task.memo else task.memo["due"]
    return found


def _is_held(tree: Tree, task: CoreTask) -> bool:
    clocks = task.spec.clock_names
    return any(not clocks.isdisjoint(s.spec.element.stops) and not _within(task, s) for s in tree.stoppers.values())


def _within(task: CoreTask, stopper: CoreTask) -> bool:
    """Whether a timer stands on or in the element itself."""
    at: CoreTask | None = task
    while at is not None:
        if at is stopper or at.memo.get("host") == stopper.key:
            return True
        at = at.scope if at.parent_key is not None else None
    return False
