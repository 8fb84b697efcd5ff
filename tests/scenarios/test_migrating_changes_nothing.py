"""Moving every case to a version that says the same, after every step of every scenario, changes nothing in the outcome.

In `make test` one scenario of each process is played so; in `make faults` (LIUZHUAN_LONG=1) every one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import queries
from engine.facade import Engine
from engine.scenarios import Scenario, run, runner
from engine.scenarios.organisation import read_organisation
from engine.scenarios.reading import Step
from engine.scenarios.runner import Template, resources_below

from .test_scenarios import PROCESSES, ROOT, SCENARIOS

AGAIN = b"\n<!-- the same again -->\n"
FIRST = {scenario.main.process: scenario for scenario in reversed(SCENARIOS)}
PLAYED = SCENARIOS if os.environ.get("LIUZHUAN_LONG") else list(FIRST.values())


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    resources = resources_below([PROCESSES, ROOT / "forms"])
    made = Template(resources, read_organisation(PROCESSES / "organisation.yaml"))
    again = {name: content + AGAIN for name, content in resources.items() if name.endswith(".bpmn")}
    with made.copy(runner.TurnedClock(runner._BEFORE_ALL)) as engine:
        engine.deploy(again, by="admin")
        made._file = Path(engine.context.store.url.removeprefix("sqlite:///"))
    yield made
    made.close()


def migrate_all(engine: Engine) -> None:
    """Move every running case to the other version of its process."""
    versions: dict[str, list[int]] = {}
    for item in queries.definitions(engine.context):
        versions.setdefault(item.bpmn_process_id, []).append(item.version)
    level = [case.key for case in queries.instances(engine.context, "admin", state="ACTIVE").instances]
    while level:
        for key in level:
            case = engine.instance(key)
            if case.state == "ACTIVE":
                (other,) = [version for version in versions[case.bpmn_process_id] if version != case.version]
                engine.migrate(key, other, by="admin", reason="同样内容的新版本")
                assert engine.instance(key).version == other
        level = [child.key for key in level for child in engine.children(key)]


@pytest.mark.parametrize("scenario", PLAYED, ids=lambda scenario: f"{scenario.main.process}:{scenario.name}")
def test_scenario(scenario: Scenario, template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    played = runner._step

    def step(item: Step, stage: runner._Stage) -> Iterator[str]:
        yield from played(item, stage)
        if not stage.down:
            migrate_all(stage.engine)
        if item is scenario.steps[-1]:
            assert stage.engine.verify().ok

    monkeypatch.setattr(runner, "_step", step)
    outcome = run(scenario, template)
    assert outcome.passed, "\n".join(outcome.failures)
