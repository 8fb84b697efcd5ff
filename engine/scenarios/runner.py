"""Runs scenarios on a turned clock through the real engine: nothing is mocked, nothing sleeps.

The processes and people are deployed once into a template database; each scenario starts from a copy of it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.clock import TurnedClock
from engine.errors import InvalidSubmission, LiuzhuanError
from engine.facade import Engine
from engine.scenarios.acts import PASSWORD, duration, perform
from engine.scenarios.expectations import differences
from engine.scenarios.organisation import Organisation, person_of, read_organisation
from engine.scenarios.reading import Scenario, ScenarioError, Start, Step
from engine.settings import Settings

RESOURCES = (".bpmn", ".dmn", ".form")
_BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)
_ENDLESS = 100_000
_SETTINGS = Settings(sqlite_synchronous="NORMAL")  # a scenario's database need not outlive a power cut


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario went. `failures` are sentences with the file's line; empty = all held."""

    scenario: Scenario
    failures: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return not self.failures


@dataclass(slots=True)
class _Stage:
    """A scenario being run."""

    engine: Engine
    clock: TurnedClock
    folder: Path
    cases: dict[str, int] = field(default_factory=dict)
    down: bool = False


def resources_below(folders: Iterable[Path]) -> dict[str, bytes]:
    """Return all BPMN, DMN and form files below the folders, by file name.

    Raises:
        ScenarioError: two files have the same name.
    """
    files: dict[str, bytes] = {}
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in RESOURCES):
            if path.name in files:
                raise ScenarioError(f"{path}: another file has the same name; names must differ within a deployment")
            files[path.name] = path.read_bytes()
    return files


class Template:
    """A database with the processes deployed and the people entered, to be copied for each scenario."""

    def __init__(self, resources: Mapping[str, bytes], organisation: Organisation) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="liuzhuan-scenarios-")
        self._file = Path(self._folder.name) / "template.db"
        engine = Engine.open(f"sqlite:///{self._file}", clock=TurnedClock(_BEFORE_ALL), settings=_SETTINGS)
        organisation.enter(engine, password=PASSWORD)
        engine.deploy(resources, by="admin")
        engine.close()
        self._count = 0

    def copy(self, clock: TurnedClock) -> Engine:
        """Return an engine on a fresh copy."""
        self._count += 1
        copy = self._file.with_name(f"{self._count}.db")
        shutil.copyfile(self._file, copy)
        return Engine.open(f"sqlite:///{copy}", clock=clock, settings=_SETTINGS)

    def close(self) -> None:
        """Remove the template and its copies."""
        self._folder.cleanup()


def run_all(scenarios: Sequence[Scenario], processes: Path, forms: Path) -> Iterator[Outcome]:
    """Run scenarios against all files below `processes` and `forms`, with the people of `processes/organisation.yaml`."""
    template = Template(resources_below([processes, forms]), read_organisation(processes / "organisation.yaml"))
    try:
        for scenario in scenarios:
            yield run(scenario, template)
    finally:
        template.close()


def run(scenario: Scenario, template: Template) -> Outcome:
    """Run one scenario on a copy of the template."""
    begun = time.perf_counter()
    clock = TurnedClock(scenario.now)
    engine = template.copy(clock)
    try:
        failures = tuple(_play(scenario, _Stage(engine, clock, scenario.path.parent)))
    finally:
        engine.close()
    return Outcome(scenario, failures, time.perf_counter() - begun)


def _play(scenario: Scenario, stage: _Stage) -> Iterator[str]:
    for item in scenario.people:
        person = person_of(item)
        stage.engine.add_user(
            person.username, person.name, groups=person.groups, attributes=dict(person.attributes), password=PASSWORD
        )
    try:
        for start in (*scenario.also, scenario.main):
            stage.cases[start.name or "main"] = _begin(stage.engine, start)
    except LiuzhuanError as error:
        yield f"{scenario.path}: the case cannot be started: {_said(error)}"
        return
    for step in scenario.steps:
        try:
            failures = list(_step(step, stage))
        except ScenarioError as error:
            failures = [error.message]
        if failures:
            yield from (f"{scenario.path}:{step.line}: {failure}" for failure in failures)
            return  # what comes after a wrong step would only confuse


def _begin(engine: Engine, start: Start) -> int:
    return engine.start(
        start.process, dict(start.variables), business_id=start.business_id, by=start.by, at=(start.at,) if start.at else ()
    )


def _step(step: Step, stage: _Stage) -> Iterator[str]:
    target = step.at or (stage.clock.now() + duration(step.after) if step.after else stage.clock.now())
    if target < stage.clock.now():
        yield f"time would run backwards: it is {stage.clock.now():%Y-%m-%d %H:%M:%SZ}"
        return
    pass_time(stage.engine, stage.clock, target, down=stage.down)
    if step.act and step.act.kind in {"down", "up"}:
        stage.down = step.act.kind == "down"
        if not stage.down:
            stage.engine.run_due()
    elif step.act:
        yield from _act(step, stage)
    if step.then:
        yield from differences(stage.engine, _case(step, stage), step.then)


def pass_time(engine: Engine, clock: TurnedClock, target: datetime, *, down: bool = False) -> None:
    """Turn the clock to a moment; what falls due on the way fires at its own time, in order.

    While the server is `down` nothing fires.
    """
    if not down:
        for _ in range(_ENDLESS):
            due = engine.next_due()
            if due is None or due > target:
                break
            clock.set(max(due, clock.now()))
            engine.run_due()
    clock.set(target)


def _act(step: Step, stage: _Stage) -> Iterator[str]:
    if step.act is None:
        return
    what = f"{step.act.kind} {step.act.target}"
    try:
        started = perform(stage.engine, step.act, _case(step, stage), stage.folder)
    except ScenarioError as error:
        yield f"{what}: {error.message}"
    except LiuzhuanError as error:
        if step.refused is None:
            yield f"{what} was refused: {_said(error)}"
        else:
            yield from (f"{what} was refused, but {difference}" for difference in _refusal(step.refused, error))
    else:
        if started is not None:
            stage.cases[str(step.act.options.get("as") or "started")] = started
        if step.refused is not None:
            yield f"{what} should have been refused: {dict(step.refused)}"


def _refusal(expected: Mapping[str, Any], error: LiuzhuanError) -> Iterator[str]:
    problems = error.problems if isinstance(error, InvalidSubmission) else ()
    said: dict[str, set[str | None]] = {
        "rule": {error.rule, *(problem.rule for problem in problems)},
        "field": {error.field, *(problem.field for problem in problems)},
        "code": {error.code},
    }
    for word, value in expected.items():
        if word == "text":
            if str(value) not in _said(error):
                yield f"“{value}” is not in: {_said(error)}"
        elif word not in said:
            yield f"“{word}” is not known; known are rule, field, code, text"
        elif not any(value == item or value in str(item or "").split(", ") for item in said[word]):
            yield f"{word} is {sorted(map(str, said[word] - {None}))}, not {value}: {_said(error)}"


def _said(error: LiuzhuanError) -> str:
    where = f" [{error.element_id}]" if error.element_id else ""
    return f"{error.code}: {error.message}{where}"


def _case(step: Step, stage: _Stage) -> int:
    name = step.case or "main"
    if name not in stage.cases:
        raise ScenarioError(f"there is no case “{name}”", line=step.line)
    key = stage.cases[name]
    return _child(stage.engine, key, step) if step.child else key


def _child(engine: Engine, key: int, step: Step) -> int:
    level = [key]
    found = []
    while level:
        level = [child.key for parent in level for child in engine.children(parent)]
        found += [child for child in level if engine.instance(child).bpmn_process_id == step.child]
    if not found:
        raise ScenarioError(f"no case of {step.child} was called", line=step.line)
    live = [child for child in found if engine.instance(child).state == "ACTIVE"]
    return max(live or found)
