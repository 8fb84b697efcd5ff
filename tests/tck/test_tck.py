"""The public DMN TCK, where its cases are at hand: value results per level, compared with a floor.

`known_failures.txt` lists every value that differs, with the reason and the standard's paragraph.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tck.runner import run_all

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "tck"
FLOOR = {"2": 1.0, "3": 0.98}


def _known() -> set[str]:
    lines = (HERE / "known_failures.txt").read_text(encoding="utf-8").splitlines()
    return {line.split("|")[0].strip() for line in lines if line.strip() and not line.startswith("#")}


def test_values_are_those_of_the_tck(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_all(CASES)  # none where the cases are not at hand
    for level, floor in FLOOR.items():
        mine = [outcome for outcome in outcomes if outcome.level == level]
        passed = sum(outcome.passed for outcome in mine)
        with capsys.disabled():
            print(f"\nDMN TCK level {level}: {passed} of {len(mine)} values")
        assert passed >= floor * len(mine)
    failing = {outcome.key for outcome in outcomes if not outcome.passed}
    assert failing <= _known()
