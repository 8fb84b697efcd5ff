from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.scenarios.reading import ScenarioError, read_scenario

GOOD = """\
title: 一个场景
rule: [S2.1, C1]
process: p
given:
  now: 2026-11-20T18:05+08:00
  by: anna
  variables: {amount: 800000.00}
steps:
  - at: 2026-11-21T17:59+08:00
    do: {complete: report, by: anna, with: {text: "2026-01-01"}}
    then: {waiting: [check], state: active}
"""


def _read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path)


def test_numbers_stay_exact_and_lines_are_known(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD, encoding="utf-8")
    scenario = read_scenario(path)
    assert scenario.rules == ("S2.1", "C1")
    assert str(scenario.main.variables["amount"]) == "800000.00"
    assert isinstance(scenario.main.variables["amount"], Decimal)
    assert scenario.steps[0].line == 9
    assert scenario.steps[0].act is not None
    assert scenario.steps[0].act.kind == "complete"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("process: p\n", "", "“process” is missing"),
        ("waiting: [check]", "wating: [check]", "“wating” is not known"),
        ("17:59+08:00", "17:59", "needs a zone"),
        ("2026-11-20T18:05+08:00", "yesterday", "not a moment"),
        ("do: {complete: report", "do: {finish: report", "“finish” is not known"),
        ("do: {complete: report", "do: {complete: report, claim: report", "exactly one of"),
        ("steps:", "steps: [", "not YAML"),
        ("state: active", "state: active, state: completed", "stands twice"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        _read(tmp_path, GOOD.replace(old, new))
    assert said in refusal.value.message
    assert "s.yaml" in refusal.value.message


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError):
        _read(tmp_path, GOOD.replace("一个场景", "!!python/object/apply:os.system ['true']"))
