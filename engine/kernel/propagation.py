"""Errors and escalations on their way out: from the element that throws, through the scopes around it, to who catches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.definitions.model import Event
from engine.kernel import advance as a
from engine.kernel.spiff import CoreTask
from engine.kernel.trouble import UNHANDLED_ERROR_EVENT, Trouble
from engine.kernel.variables import Value

if TYPE_CHECKING:
    from engine.kernel.specs.base import Node


def throw(task: CoreTask, code: str, message: str, variables: Mapping[str, Value], *, ended: bool = False) -> None:
    """Throw a BPMN error from an element; `ended` = it is an end event, which completes by it.

    Raises:
        Trouble: nobody catches it, and the instance was not called by another one.
    """
    tree = task.tree
    found = _catcher(task, "error", code)
    if found is None and not tree.root.memo.get("called"):
        reason = f"：{message}" if message else ""
        raise Trouble(UNHANDLED_ERROR_EVENT, f"没有元素捕获错误 {code}{reason} / nobody catches the error {code}")
    thrower = task.spec.element.id
    if ended:
        tree.finish(task)
    if found is None:
        tree.end("TERMINATED", error=(code, message), by=thrower)
        return
    _catch(*found, code, message, variables)


def escalate(task: CoreTask, code: str, variables: Mapping[str, Value]) -> None:
    """Throw an escalation from an element; when nobody catches it, it goes to the caller, or is over."""
    tree = task.tree
    found = _catcher(task, "escalation", code)
    if found is not None:
        _catch(*found, code, "", variables)
    elif tree.root.memo.get("called"):
        tree.emit(a.Escalated(task.spec.element.id, code, variables))


def _catcher(task: CoreTask, kind: str, code: str) -> tuple[Node, CoreTask] | None:
    """Return who catches (boundary event, host) or (event sub-process, scope): the nearest, and there the exact code first."""
    at = task
    while True:
        boundary = _matching(at.spec.boundaries, kind, code) if "i" not in at.memo else None
        if boundary is not None:
            return boundary, at
        if at.parent_key is None:
            return None
        scope = at.scope
        if not scope.memo.get("interrupted"):
            event_sub = _matching([e for e in scope.spec.event_subs if e is not at.spec], kind, code)
            if event_sub is not None:
                return event_sub, scope
        at = scope


def _matching(candidates: Sequence[Node], kind: str, code: str) -> Node | None:
    found: Node | None = None
    for candidate in candidates:
        event = candidate.listener.event
        if event is None or event.kind != kind:
            continue
        if event.code is None:
            found = found or candidate
        elif event.code.text == code:
            return candidate
    return found


def _catch(catcher: Node, at: CoreTask, code: str, message: str, variables: Mapping[str, Value]) -> None:
    tree = at.tree
    event = catcher.listener.event
    assert event is not None
    brought = {**variables, **_named(event, code, message)}
    if catcher.is_scope:
        task = tree.spawn(at, catcher)
        catcher.trigger(task, brought)
        return
    scope = at.scope
    task = tree.spawn(scope, catcher)
    tree.entered(task)
    if catcher.listener.interrupting:
        tree.kill(at, catcher.element.id)
    tree.receive(task, brought)


def _named(event: Event, code: str, message: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if event.code_variable:
        found[event.code_variable] = code
    if event.message_variable:
        found[event.message_variable] = message
    return found
