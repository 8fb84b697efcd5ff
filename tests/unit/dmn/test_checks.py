"""What a deployment hears about a table."""

from __future__ import annotations

import pytest

from engine import dmn
from tests.unit.dmn.models import decision, definitions, literal, table


def findings(policy: str, inputs: dict[str, str], rules: list[str], **more: dict[str, str]) -> list[tuple[str, str]]:
    model = dmn.load(definitions(decision("d", table(policy, inputs, {"out": "string"}, rules, **more))))
    return [(finding.code, finding.reason) for finding in model.check()]


def test_a_complete_table_has_no_findings() -> None:
    assert findings("UNIQUE", {"n": "number"}, ['< 10 -> "a"', '[10..20) -> "b"', '>= 20 -> "c"']) == []
    assert findings("UNIQUE", {"b": "boolean"}, ['true -> "a"', 'false -> "b"']) == []
    assert findings("UNIQUE", {"d": "date"}, ['< date("2026-01-01") -> "a"', '>= date("2026-01-01") -> "b"']) == []


def test_gaps_come_with_an_example() -> None:
    ((code, reason),) = findings("UNIQUE", {"n": "number"}, ['< 10 -> "a"', '> 10 -> "b"'])
    assert code == "gap"
    assert "n = 10" in reason
    inputs = {"s": "string", "n": "number"}
    ((code, reason),) = findings("UNIQUE", inputs, ['"x"; - -> "a"', '"y"; > 5 -> "b"'], allowed={"s": '"x", "y"'})
    assert 's = "y"' in reason
    assert "n = 4" in reason


def test_defaults_close_gaps() -> None:
    assert findings("UNIQUE", {"n": "number"}, ['< 10 -> "a"'], defaults={"out": '"z"'}) == []


def test_overlaps_come_with_an_example_where_the_policy_forbids_them() -> None:
    rules = ['<= 10 -> "a"', '>= 10 -> "b"']
    ((code, reason),) = findings("UNIQUE", {"n": "number"}, rules)
    assert code == "overlap"
    assert "规则 1 与规则 2" in reason
    assert "n = 10" in reason
    assert findings("FIRST", {"n": "number"}, rules) == []
    assert [code for code, _ in findings("ANY", {"n": "number"}, rules)] == ["overlap"]
    assert findings("ANY", {"n": "number"}, ['<= 10 -> "a"', '>= 10 -> "a"']) == []


@pytest.mark.parametrize("cell", ["> limit", 'contains(?, "x")', "? > 5"])
def test_tables_that_cannot_be_judged_are_left_alone(cell: str) -> None:
    assert findings("UNIQUE", {"n": "number"}, [f'{cell} -> "a"']) == []


def test_unknown_functions_types_policies_and_misshapen_rules() -> None:
    model = dmn.load(definitions(decision("d", literal("nofunction(1)"), type_ref="nothing")))
    assert {(f.code, f.verdict) for f in model.check()} == {("unknown-name", "refused"), ("type", "warning")}
    assert [code for code, _ in findings("BEST", {"n": "number"}, ['- -> "a"'])] == ["structure"]
    assert [code for code, _ in findings("COLLECT", {"n": "number"}, ['-; - -> "a"'])] == ["structure"]


def test_huge_tables_are_judged_within_the_budget() -> None:
    inputs = {f"n{i}": "number" for i in range(12)}
    rules = [";".join(f"[{r}..{r + i}]" for i in range(12)) + ' -> "a"' for r in range(60)]
    assert any(code == "gap" for code, _ in findings("UNIQUE", inputs, rules))
