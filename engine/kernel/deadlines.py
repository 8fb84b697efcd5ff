"""Deadlines computed anew when the calendar of working days changes, as of the moment they were first computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.definitions.model import Process, Term
from engine.errors import InvalidValue
from engine.kernel import advance as a
from engine.kernel import timers
from engine.kernel.evaluation import Evaluation
from engine.kernel.spiff import CoreTask
from engine.kernel.surroundings import Surroundings
from engine.kernel.tree import Tree
from engine.kernel.trouble import Trouble

_CALENDAR_FUNCTIONS = ("working days", "working day")


def depends_on_calendar(term: Term | None) -> bool:
    """Whether a term asks for working days."""
    return term is not None and term.expression is not None and any(f in term.text for f in _CALENDAR_FUNCTIONS)


def recompute(tree: Tree) -> None:
    """Compute the waiting timers and due dates that depend on working days anew; those whose clock ever stood still stay."""
    for key in sorted(tree.clocked):
        task = tree.tasks[key]
        state: dict[str, Any] = task.memo["timer"] if "timer" in task.memo else task.memo["due"]
        if "held" in state or "shifted" in state:
            continue
        try:
            _recompute(tree, task, state)
        except Trouble:
            continue  # the deadline that stands is better than none


def _recompute(tree: Tree, task: CoreTask, state: dict[str, Any]) -> None:
    at = datetime.fromisoformat(state["at"])
    evaluation = Evaluation(replace(tree.surroundings.environment, now=at))
    element = task.spec.listener
    due: datetime | None
    if "timer" in task.memo:
        timer = element.event.timer if element.event else None
        if timer is None or timer.kind == "cycle" or not depends_on_calendar(timer.value):
            return
        due = timers.first(timer, tree.view(task.spec.waits_in(task)), evaluation, at).at
    else:
        term = element.user.due if element.user else None
        if not depends_on_calendar(term):
            return
        due = evaluation.optional_moment(term, tree.view(task))
    if due is None or due.isoformat() == state["due"]:
        return
    state["due"] = due.isoformat()
    tree.touch(task)
    if "timer" in task.memo:
        clock = tuple(sorted(task.spec.clock_names))
        tree.emit(a.TimerArmed(task.key, element.id, due, int(state["left"]), str(state["text"]), clock))
    else:
        tree.emit(a.TaskUpdated(task.key, element.id, due))


def start_timer(
    process: Process, element_id: str, surroundings: Surroundings, state: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return the state of a process's timer start event: its first firing, or the one after `state`; None when it fires no more.

    Args:
        state: what an earlier call returned, for the firing that was just done.

    Returns:
        JSON with `due` (ISO moment, UTC), `left` (firings that remain, -1 = without end), `text`, and the cycle's grid.

    Raises:
        InvalidValue: the element is no timer start event, or its expression fails.
    """
    element = process.elements.get(element_id)
    event = element.event.part("timer") if element and element.event and element.type == "START_EVENT" else None
    timer = event.timer if event is not None else None
    if timer is None:
        raise InvalidValue(f"{element_id} 不是定时开始事件 / is no timer start event", element_id=element_id)
    evaluation = Evaluation(surroundings.environment)
    try:
        if state is not None:
            due = timers.following(state, evaluation, surroundings.now)
        else:
            due = timers.first(timer, {}, evaluation, surroundings.now)
    except Trouble as trouble:
        raise InvalidValue(trouble.message, element_id=element_id) from trouble
    return due.memo(surroundings.now) if due is not None else None
