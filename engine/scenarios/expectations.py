"""What must hold after a step: compares `then:` with the case as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine import feel
from engine.facade import Engine


def differences(engine: Engine, case: int, then: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each thing that does not hold. `case` is a process instance key."""
    for word, expected in then.items():
        yield from _CHECKS[word](engine, case, expected)
    if "incidents" not in then:
        yield from _incidents(engine, case, 0)


def equal(expected: Any, actual: Any) -> bool:
    """Compare values as a reader of the scenario would: numbers by value, mappings by the keys that are named."""
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return expected is actual
    if isinstance(expected, int | float | Decimal) and isinstance(actual, int | float | Decimal):
        return Decimal(str(expected)) == Decimal(str(actual))
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return all(key in actual and equal(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(map(equal, expected, actual))
    return bool(expected == actual)


def family(engine: Engine, case: int) -> list[int]:
    """Return the keys of a case and of all cases called below it."""
    keys = [case]
    for key in keys:
        keys.extend(child.key for child in engine.children(key))
    return keys


def moment(text: Any) -> datetime:
    """Return the moment a scenario names."""
    return datetime.fromisoformat(str(text))


def _states(engine: Engine, case: int) -> dict[str, set[str]]:
    states: dict[str, set[str]] = {}
    for item in engine.element_instances(case):
        states.setdefault(item.element_id, set()).add(item.state)
    return states


def _list(expected: Any) -> list[str]:
    return [expected] if isinstance(expected, str) else list(expected or ())


def _elements(holds: Callable[[set[str]], bool], sentence: str) -> Callable[[Engine, int, Any], Iterator[str]]:
    def check(engine: Engine, case: int, expected: Any) -> Iterator[str]:
        states = _states(engine, case)
        for element in _list(expected):
            if not holds(states.get(element, set())):
                active = sorted(name for name, found in states.items() if "ACTIVE" in found)
                yield f"{element} {sentence}; active now: {', '.join(active) or 'nothing'}"

    return check


def _tasks(engine: Engine, case: int, expected: Mapping[str, Any]) -> Iterator[str]:
    open_tasks: dict[str, list[Any]] = {}
    for task in engine.tasks(instance=case):
        open_tasks.setdefault(task.element_id, []).append(task)
    for element, wanted in expected.items():
        found = open_tasks.get(element, [])
        wanted = wanted or {}
        count = wanted.get("count")
        if (count is None and not found) or (count is not None and len(found) != count):
            yield f"tasks at {element}: {len(found)}, not {count if count is not None else 'at least 1'}"
        for task in found:
            yield from _task(engine, element, task, wanted)


def _task(engine: Engine, element: str, task: Any, wanted: Mapping[str, Any]) -> Iterator[str]:
    facts: dict[str, Callable[[], Any]] = {
        "groups": lambda: sorted(task.candidate_groups),
        "users": lambda: sorted(task.candidate_users),
        "assignee": lambda: task.assignee,
        "due_at": lambda: task.due_at,
        "suspended": lambda: engine.instance(task.process_instance_key).suspended_reason is not None,
        "name": lambda: task.name,
    }
    for word, value in wanted.items():
        if word in {"for", "not_for"}:
            for username in _list(value):
                if engine.may_work(task.key, username) is not (word == "for"):
                    yield f"{element}: {username} {'may not' if word == 'for' else 'may'} work on it"
        elif word in facts:
            actual = facts[word]()
            if actual != (target := _target(word, value)):
                yield f"{element}: {word} is {actual}, not {target}"
        elif word != "count":
            yield f"tasks: “{word}” is not known"


def _target(word: str, value: Any) -> Any:
    if word in {"groups", "users"}:
        return sorted(_list(value))
    return moment(value) if word == "due_at" and value else value


def _alerts(engine: Engine, case: int, expected: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    keys = set(family(engine, case))
    alerts = [alert for alert in engine.alerts() if alert.process_instance_key in keys]
    for wanted in expected:
        facts = [(word, value) for word, value in wanted.items() if word != "count"]
        hits = [alert for alert in alerts if all(_alert_fits(alert, word, value) for word, value in facts)]
        count = wanted.get("count")
        if (count is None and not hits) or (count is not None and len(hits) != count):
            seen = "; ".join(f"{a.kind} {a.element_id} to {(*a.groups, *a.users)} at {a.raised_at:%d %H:%M:%SZ}" for a in alerts)
            yield f"alerts {dict(wanted)}: {len(hits)} found; all so far: {seen or 'none'}"


def _alert_fits(alert: Any, word: str, value: Any) -> bool:
    if word == "to":
        return set(_list(value)) <= {*alert.groups, *alert.users, *alert.recipients}
    if word == "only_to":
        return set(_list(value)) == {*alert.groups, *alert.users}
    if word in {"at", "due"}:
        actual = alert.raised_at if word == "at" else alert.due_at
        return bool(actual == moment(value))
    if word == "element":
        return bool(alert.element_id == value)
    if word == "text":
        return str(value) in f"{alert.subject} {alert.text}"
    return word == "kind" and bool(alert.kind == value)


def _variables(engine: Engine, case: int, expected: Mapping[str, Any]) -> Iterator[str]:
    variables = engine.variables(case)
    for path, value in expected.items():
        actual = feel.to_json(feel.evaluate(path, variables))
        if not equal(value, actual):
            yield f"{path} is {actual!r}, not {value!r}"


def _state(engine: Engine, case: int, expected: str) -> Iterator[str]:
    instance = engine.instance(case)
    actual = "suspended" if instance.suspended_reason is not None else instance.state.lower()
    if actual != expected:
        yield f"the case is {actual}, not {expected}"


def _incidents(engine: Engine, case: int, expected: int) -> Iterator[str]:
    found = [incident for key in family(engine, case) for incident in engine.incidents(key)]
    if len(found) != expected:
        listing = "; ".join(f"{incident.element_id}: {incident.message}" for incident in found)
        yield f"{len(found)} incidents, not {expected}: {listing}"


def _sees(engine: Engine, case: int, expected: Mapping[str, Any]) -> Iterator[str]:
    for username, elements in expected.items():
        seen = {task.element_id for task in engine.tasks(for_user=username) if task.process_instance_key in family(engine, case)}
        if seen != set(_list(elements)):
            yield f"{username} sees {sorted(seen)}, not {sorted(_list(elements))}"


_Holds = Callable[[Mapping[str, Any], datetime], bool]


def _timers(engine: Engine, case: int, holds: _Holds, expected: Any, sentence: str) -> Iterator[str]:
    fired: dict[str, bool] = {}
    for event in engine.journal(case):
        if event.kind == "TimerFired":
            element = event.payload["element_id"]
            fired[element] = fired.get(element, False) or holds(event.payload, event.at)
    for element in _list(expected):
        if not fired.get(element):
            yield f"{element} {sentence}; timers so far: {', '.join(fired) or 'none'}"


def _recorded(engine: Engine, case: int, expected: Any) -> Iterator[str]:
    return _timers(engine, case, lambda payload, at: bool(payload["recorded_only"]), expected, "was not recorded as past")


def _late(engine: Engine, case: int, expected: Any) -> Iterator[str]:
    return _timers(engine, case, lambda payload, at: moment(payload["due_at"]) < at, expected, "did not fire after its time")


_CHECKS: Mapping[str, Callable[[Engine, int, Any], Iterator[str]]] = {
    "waiting": _elements(lambda states: "ACTIVE" in states, "is not active"),
    "not_waiting": _elements(lambda states: "ACTIVE" not in states, "is active"),
    "passed": _elements(lambda states: "COMPLETED" in states, "was not passed"),
    "not_passed": _elements(lambda states: "COMPLETED" not in states, "was passed"),
    "never": _elements(lambda states: not states, "was entered"),
    "tasks": _tasks,
    "alerts": _alerts,
    "variables": _variables,
    "state": _state,
    "incidents": _incidents,
    "sees": _sees,
    "recorded": _recorded,
    "late": _late,
}
