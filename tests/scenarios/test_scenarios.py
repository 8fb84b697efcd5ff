"""Every scenario of `processes/` on a turned clock through the real engine; the 24 of the domain pages are among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.scenarios import Scenario, read_scenarios, run
from engine.scenarios.organisation import read_organisation
from engine.scenarios.runner import Template, resources_below

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = ROOT / "processes"
SCENARIOS = list(read_scenarios([PROCESSES]))


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    made = Template(resources_below([PROCESSES, ROOT / "forms"]), read_organisation(PROCESSES / "organisation.yaml"))
    yield made
    made.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.main.process}:{scenario.name}")
def test_scenario(scenario: Scenario, template: Template) -> None:
    outcome = run(scenario, template)
    assert outcome.passed, "\n".join(outcome.failures)


@pytest.mark.parametrize(("process", "prefix"), [("data-transfer", "s"), ("iit-review", "s"), ("sae-escalation", "s")])
def test_the_eight_scenarios_of_each_page_are_there(process: str, prefix: str) -> None:
    names = {path.stem for path in (PROCESSES / process / "scenarios").glob("*.yaml")}
    missing = [number for number in range(1, 9) if not any(name.startswith(f"{prefix}{number}-") for name in names)]
    assert missing == []
