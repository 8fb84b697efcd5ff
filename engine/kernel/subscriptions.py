"""What a task waits for: a timer, a message, a signal, a condition, or several of these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.definitions.model import Event
from engine.errors import Defect
from engine.kernel import advance as a
from engine.kernel import clocks, conditions, timers
from engine.kernel.spiff import CoreTask
from engine.kernel.trouble import STEP_BUDGET, Trouble
from engine.kernel.variables import View

if TYPE_CHECKING:
    from engine.kernel.specs.base import Node

LISTENING = {"timer", "message", "signal", "conditional"}


def listens(spec: Node) -> bool:
    """Whether an event waits: what is thrown inside (errors, escalations, compensation) comes without waiting."""
    event = spec.listener.event
    return event is not None and any(part.kind in LISTENING for part in event.each)


def subscribe(task: CoreTask) -> bool:
    """Evaluate and open the subscription of a task's event; False when nothing is waited for (a past timer, only recorded).

    Raises:
        Trouble: an expression failed; nothing is open then.
    """
    event = task.spec.listener.event
    if event is None:
        raise Defect(f"{task.spec.listener.id} has no event")
    view = task.tree.view(task.spec.waits_in(task))
    if event.kind == "timer":
        return _timer(task, event, view)
    if event.kind == "multiple":
        for number, part in task.spec.parts.items():
            task.tree.spawn(task, part, part=number, whole=task.key)
    elif event.kind == "conditional":
        conditions.arm(task, event)
    elif event.kind == "message":
        _message(task, event, view)
    elif event.kind == "signal":
        assert event.name is not None
        name = task.tree.evaluation.text(event.name, view)
        task.memo["wait"] = "signal"
        task.memo["name"] = name
        task.tree.emit(a.SignalAwaited(task.key, task.spec.listener.id, name))
    else:
        raise Defect(f"nobody waits for a {event.kind} event")
    task.tree.touch(task)
    return True


def caught(task: CoreTask) -> None:
    """The event came: nothing is waited for any more. (The change that says so was recorded by who delivered it.)"""
    task.memo.pop("wait", None)
    task.memo.pop("timer", None)
    task.memo.pop("name", None)
    task.memo.pop("was", None)
    task.tree.conditions.discard(task.key)
    task.tree.unseen.discard(task.key)
    task.tree.clocked.discard(task.key)
    task.tree.touch(task)


def _timer(task: CoreTask, event: Event, view: View) -> bool:
    tree, element = task.tree, task.spec.listener
    now = tree.surroundings.now
    state = task.memo.pop("timer", None)  # the rest of a cycle that went on
    if state is None:
        assert event.timer is not None
        due: timers.Due | None = timers.first(event.timer, view, tree.evaluation, now)
        while due is not None and due.at < now and element.past_due == "record":
            tree.emit(a.TimerFired(task.key, element.id, due.at, recorded_only=True))
            due = timers.following(due.memo(now), tree.evaluation, now)
        if due is None:
            return False
        state = due.memo(now)
        hurried = tree.root.memo.get("hurried", 0) >= tree.surroundings.step_budget
        if hurried and is_hurried(state):
            times = tree.root.memo["hurried"]
            message = f"定时器接连 {times} 次不到一秒就触发，图中可能有回路 / {times} timers without a wait: an endless loop?"
            raise Trouble(STEP_BUDGET, message)
    task.memo["wait"] = "timer"
    clocks.arm(tree, task, state)
    return True


def _message(task: CoreTask, event: Event, view: View) -> None:
    tree, element = task.tree, task.spec.listener
    assert event.name is not None
    name = tree.evaluation.text(event.name, view)
    key = tree.evaluation.text(event.correlation_key, view) if event.correlation_key else ""
    offered_to = tree.evaluation.words(element.offered_to, view)
    shown = element.properties.get("offerName") or element.name or task.spec.element.name or name
    tree.emit(a.MessageAwaited(task.key, element.id, name, key, element.interrupting, offered_to, element.form_id, shown))
    task.memo["wait"] = "message"
    task.memo["name"] = name


def is_hurried(state: Mapping[str, Any]) -> bool:
    """Whether a timer hardly waits: due less than a second after it was armed, or already past then."""
    return (datetime.fromisoformat(state["due"]) - datetime.fromisoformat(state["at"])).total_seconds() < 1


def due_of(task: CoreTask) -> datetime:
    """Return when a task's timer is due."""
    return datetime.fromisoformat(task.memo["timer"]["due"])
