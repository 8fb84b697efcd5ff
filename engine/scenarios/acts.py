"""What people and programs do in a step of a scenario: `do:` turned into calls of the facade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine import feel
from engine.facade import Engine
from engine.scenarios.reading import Act, ScenarioError

PASSWORD = "scenario-password"  # noqa: S105 - of the people who exist only while a scenario runs


def perform(engine: Engine, act: Act, case: int, folder: Path) -> int | None:
    """Do what the act says to a case (a process instance key); return the key of a case that it started.

    Raises:
        LiuzhuanError: the engine refuses.
        ScenarioError: the act has no object (no such open task, event or incident).
    """
    return _PERFORM[act.kind](engine, act, case, folder)


def _complete(engine: Engine, act: Act, case: int, folder: Path) -> None:
    task = _open_task(engine, act, case)
    by = act.options.get("by") or task.assignee
    if task.assignee is None:
        engine.claim(task.key, by=by)
    values = dict(act.options.get("with") or {})
    for field, names in (act.options.get("files") or {}).items():
        values[field] = [engine.attach(name, "application/pdf", b"%PDF-1.4 scenario", by=by) for name in names]
    engine.complete(task.key, values, by=by, password=PASSWORD)


def _claim(engine: Engine, act: Act, case: int, folder: Path) -> None:
    engine.claim(_open_task(engine, act, case).key, by=act.options["by"])


def _unclaim(engine: Engine, act: Act, case: int, folder: Path) -> None:
    task = _open_task(engine, act, case)
    engine.unclaim(task.key, by=act.options.get("by") or task.assignee)


def _draft(engine: Engine, act: Act, case: int, folder: Path) -> None:
    task = _open_task(engine, act, case)
    engine.save_draft(task.key, dict(act.options.get("with") or {}), by=act.options["by"])


def _message(engine: Engine, act: Act, case: int, folder: Path) -> None:
    ttl = act.options.get("ttl")
    engine.publish(
        act.target, str(act.options.get("key", "")), dict(act.options.get("with") or {}), ttl=duration(ttl) if ttl else None
    )


def _trigger(engine: Engine, act: Act, case: int, folder: Path) -> None:
    found = [item for item in engine.subscriptions(case) if item.element_id == act.target]
    if not found:
        raise ScenarioError(f"nothing waits at the event {act.target}")
    engine.trigger(found[0].key, dict(act.options.get("with") or {}), by=act.options["by"])


def _signal(engine: Engine, act: Act, case: int, folder: Path) -> None:
    engine.broadcast(act.target, dict(act.options.get("with") or {}))


def _start(engine: Engine, act: Act, case: int, folder: Path) -> int:
    at = act.options.get("at")
    return engine.start(
        act.target,
        dict(act.options.get("with") or {}),
        business_id=act.options.get("business_id"),
        by=act.options.get("by"),
        at=(at,) if at else (),
    )


def _find(engine: Engine, act: Act, case: int, folder: Path) -> int:
    """Return the newest case of a process that has an open task: the way to a case that a timer or a message started."""
    keys = [task.process_instance_key for task in engine.tasks() if task.bpmn_process_id == act.target]
    if not keys:
        raise ScenarioError(f"no case of {act.target} has an open task")
    return max(keys)


def _deploy(engine: Engine, act: Act, case: int, folder: Path) -> None:
    files = [folder / name for name in ([act.target] if isinstance(act.target, str) else act.target)]
    engine.deploy({file.name: file.read_bytes() for file in files}, by=act.options.get("by") or "admin")


def _resolve(engine: Engine, act: Act, case: int, folder: Path) -> None:
    found = [incident for incident in engine.incidents(case) if incident.element_id == act.target]
    if not found:
        raise ScenarioError(f"no incident at {act.target}")
    engine.resolve_incident(found[0].key, by=act.options.get("by") or "admin", variables=dict(act.options.get("with") or {}))


def _substitute(engine: Engine, act: Act, case: int, folder: Path) -> None:
    options = act.options
    engine.substitute(
        act.target,
        by=options["by"],
        starts_at=datetime.fromisoformat(str(options["from"])),
        ends_at=datetime.fromisoformat(str(options["to"])),
        groups=tuple(options.get("groups") or ()),
        processes=tuple(options.get("processes") or ()),
    )


def _suspend(engine: Engine, act: Act, case: int, folder: Path) -> None:
    engine.suspend(case, by=act.options.get("by") or "admin", reason=str(act.options.get("reason") or act.target))


def _resume(engine: Engine, act: Act, case: int, folder: Path) -> None:
    engine.resume(case, by=act.options.get("by") or "admin", reason=str(act.options.get("reason") or act.target))


def _cancel(engine: Engine, act: Act, case: int, folder: Path) -> None:
    engine.cancel(case, by=act.options.get("by") or "admin", reason=str(act.options.get("reason") or act.target))


def _open_task(engine: Engine, act: Act, case: int) -> Any:
    """Return the open task at the act's element; `index` (from 1) or `where` picks one of several."""
    tasks = [task for task in engine.tasks(instance=case) if task.element_id == act.target]
    if where := act.options.get("where"):
        tasks = [task for task in tasks if _fits(engine, task, where)]
    elif assigned := [task for task in tasks if task.assignee == act.options.get("by")]:
        tasks = assigned
    index = int(act.options.get("index", 1))
    if len(tasks) < index:
        names = sorted({task.element_id for task in engine.tasks(instance=case)})
        raise ScenarioError(f"no open task {act.target}; open are: {', '.join(names) or 'none'}")
    return tasks[index - 1]


def _fits(engine: Engine, task: Any, where: Mapping[str, Any]) -> bool:
    variables = engine.variables(task.key)
    return all(
        getattr(task, word, None) == value or (word in variables and feel.to_json(variables[word]) == value)
        for word, value in where.items()
    )


def duration(text: str) -> timedelta:
    """Return an ISO 8601 duration of days, hours, minutes and seconds.

    Raises:
        ScenarioError: it is not one.
    """
    value = feel.evaluate('if x instance of days and time duration then x / duration("PT1S") else null', {"x": _duration(text)})
    if value is None:
        raise ScenarioError(f"“{text}” is not a duration like PT24H or P1DT6H")
    return timedelta(seconds=float(value))


def _duration(text: str) -> Any:
    return feel.evaluate("duration(text)", {"text": text})


_PERFORM: Mapping[str, Callable[[Engine, Act, int, Path], int | None]] = {
    "complete": _complete,
    "claim": _claim,
    "unclaim": _unclaim,
    "draft": _draft,
    "message": _message,
    "trigger": _trigger,
    "signal": _signal,
    "start": _start,
    "find": _find,
    "deploy": _deploy,
    "resolve": _resolve,
    "substitute": _substitute,
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
}
