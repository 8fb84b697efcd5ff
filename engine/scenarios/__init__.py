"""Scenarios: what a process must do, written by managers in YAML and run on a turned clock through the real engine.

`read_scenarios(folder)` reads them, `run(scenario, files)` runs one, `rules` joins rules, elements and scenarios.
`python -m engine.scenarios PATH…` runs all scenarios below the paths.
"""

from __future__ import annotations

from engine.scenarios.reading import Scenario, ScenarioError, read_scenario, read_scenarios
from engine.scenarios.runner import Outcome, run, run_all

__all__ = ["Outcome", "Scenario", "ScenarioError", "read_scenario", "read_scenarios", "run", "run_all"]
