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


def check_caught(task: CoreTask, code: str, message: str = "") -> None:
    """Look whether an error from an element would be caught.

    Raises:
        Trouble: nobody catches it, and the instance was not called by another one.
    """
    if _catcher(task, "error", code) is None and not task.tree.root.memo.get("called"):
        reason = f"：{message}" if message else ""
        raise Trouble(UNHANDLED_ERROR_EVENT, f"没有元素捕获错误 {code}{reason} / nobody catches the error {code}")


def throw(task: CoreTask, code: str, message: str, variables: Mapping[str, Value]) -> None:
    """Throw a BPMN error from an element, or from an end event that just completed.

    Raises:
        Trouble: nobody catches it, and the instance was not called by another one.
    """
    check_caught(task, code, message)
    found = _catcher(task, "error", code)
    if found is None:
        task.tree.end("TERMINATED", error=(code, message), by=task.spec.element.id)
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


def _catcher(task: CoreTask, kind: str, code: str) -> tuple[Node, Event, CoreTask] | None:
    """Return who catches: (boundary event, its definition, host) or (event sub-process, its definition, scope).

    The nearest does, and there the exact code first. A sub-process that completed catches nothing of what undoes it.
    """
    at = task
    while True:
        boundary = _matching(at.spec.boundaries, kind, code) if "i" not in at.memo and "kept" not in at.memo else None
        if boundary is not None:
            return *boundary, at
        if at.parent_key is None:
            return None
        scope = at.scope
        if not scope.memo.get("interrupted") and "kept" not in scope.memo:
            event_sub = _matching([e for e in scope.spec.event_subs if e is not at.spec], kind, code)
            if event_sub is not None:
                return *event_sub, scope
        at = scope


def _matching(candidates: Sequence[Node], kind: str, code: str) -> tuple[Node, Event] | None:
    found: tuple[Node, Event] | None = None
    for candidate in candidates:
        event = candidate.listener.event
        for part in event.each if event is not None else ():
            if part.kind != kind:
                continue
            if part.code is None:
                found = found or (candidate, part)
            elif part.code.text == code:
                return candidate, part
    return found


def _catch(catcher: Node, event: Event, at: CoreTask, code: str, message: str, variables: Mapping[str, Value]) -> None:
    fire(catcher, at, {**variables, **_named(event, code, message)})


def fire(catcher: Node, at: CoreTask, variables: Mapping[str, Value]) -> None:
    """Let an event come to one that did not wait for it: to a boundary event of `at`, or an event sub-process in `at`."""
    tree = at.tree
    if catcher.is_scope:
        task = tree.spawn(at, catcher)
        catcher.trigger(task, variables)
        return
    scope = at.scope
    task = tree.spawn(scope, catcher)
    tree.entered(task)
    if catcher.listener.interrupting:
        tree.kill(at, catcher.element.id)
    tree.receive(task, variables)


def _named(event: Event, code: str, message: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if event.code_variable:
        found[event.code_variable] = code
    if event.message_variable:
        found[event.message_variable] = message
    return found
