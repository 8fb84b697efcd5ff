"""An engine in memory on a turned clock, with a few people and small processes drawn as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine import Engine
from engine.clock import TurnedClock
from engine.queries.records import Task
from tests.unit.kernel.drawing import chain, draw, end, props, start, user, z

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)  # Thursday, 09:00 in Shanghai
PASSWORD = "correct horse"


def office(url: str = "sqlite://") -> Engine:
    """An engine with groups `clerk`, `chair`, `admin`, `auditor` and people anna, bo (clerk), carl (chair), root, audrey."""
    engine = Engine.open(url, clock=TurnedClock(NOW))
    for group in ("clerk", "chair", "admin", "auditor"):
        engine.add_group(group)
    for name, group in {"anna": "clerk", "bo": "clerk", "carl": "chair", "root": "admin", "audrey": "auditor"}.items():
        engine.add_user(name, name.title(), groups=[group])
    return engine


def turn(engine: Engine, **by: float) -> None:
    """Turn the clock on and do what fell due."""
    clock = engine.clock
    assert isinstance(clock, TurnedClock)
    clock.advance(timedelta(**by))
    engine.run_due()


def task(element_id: str = "t", *extensions: str, group: str | None = "clerk", **more: Any) -> str:
    """A user task offered to a group."""
    offered = (z("assignmentDefinition", candidateGroups=group),) if group else ()
    return user(element_id, *offered, *extensions, **more)


def line(*elements: tuple[str, str], process_properties: str = "") -> str:
    """The body of a process: start, the elements (id, drawing) one after the other, end."""
    extensions = f"<b:extensionElements>{process_properties}</b:extensionElements>" if process_properties else ""
    return (
        extensions + start() + "".join(drawn for _, drawn in elements) + end() + chain("s", *(name for name, _ in elements), "e")
    )


def one_task(*extensions: str, process_id: str = "P", process: Mapping[str, str] | None = None, **more: Any) -> bytes:
    """A process of one task `t` for clerks."""
    return draw(line(("t", task("t", *extensions, **more)), process_properties=props(**process or {})), process_id=process_id)


def form(form_id: str, *components: Mapping[str, Any]) -> bytes:
    """A Camunda Form."""
    numbered = [{"id": f"c{number}", **component} for number, component in enumerate(components)]
    head = {"schemaVersion": 18, "executionPlatform": "Camunda Cloud", "executionPlatformVersion": "8.7.0", "type": "default"}
    return json.dumps({**head, "id": form_id, "components": numbered}).encode()


def open_task(engine: Engine, instance: int, element_id: str | None = None) -> Task:
    """The only open task of a case (at an element)."""
    (found,) = engine.tasks(instance=instance, element_id=element_id)
    return found


def kinds(engine: Engine, instance: int) -> list[str]:
    """The kinds of a case's events, in order."""
    return [event.kind for event in engine.journal(instance)]
