"""Decision tables: hit policies, defaults, allowed values, types, and why (DMN 1.5, chapter 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine import dmn
from tests.unit.dmn.models import decision, definitions, table

AGE = {"age": "number"}
RULES = ['>= 18 -> "adult"', '>= 60 -> "senior"', '< 18 -> "minor"']


def value(policy: str, age: object, rules: list[str] | None = None, **more: Any) -> Any:
    xml = definitions(decision("d", table(policy, AGE, {"out": "string"}, rules or RULES, **more)))
    return dmn.load(xml).evaluate("d", {"age": age})


def test_unique_takes_one_match_and_no_more() -> None:
    assert value("UNIQUE", 20) == "adult"
    assert value("UNIQUE", 70) is None
    assert value("UNIQUE", None) is None


def test_first_takes_the_first() -> None:
    assert value("FIRST", 70) == "adult"


def test_any_wants_equal_outputs() -> None:
    assert value("ANY", 70) is None
    assert value("ANY", 70, ['> 1 -> "x"', '> 2 -> "x"']) == "x"


def test_priority_and_output_order_follow_the_allowed_outputs() -> None:
    allowed = {"out": '"senior", "adult", "minor"'}
    assert value("PRIORITY", 70, allowed=allowed) == "senior"
    assert value("OUTPUT ORDER", 70, allowed=allowed) == ["senior", "adult"]


def test_rule_order_and_collect_list_the_matches() -> None:
    assert value("RULE ORDER", 70) == ["adult", "senior"]
    assert value("COLLECT", 70) == ["adult", "senior"]
    assert value("COLLECT", 70, ['> 100 -> "x"']) == []


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 30), ("MIN", 10), ("MAX", 20), ("COUNT", 2)])
def test_collect_aggregates(aggregation: str, expected: int) -> None:
    xml = definitions(
        decision("d", table("COLLECT", AGE, {"n": "number"}, ["> 1 -> 10", "> 2 -> 20", "> 90 -> 40"], aggregation))
    )
    model = dmn.load(xml)
    assert model.evaluate("d", {"age": 50}) == Decimal(expected)
    assert model.evaluate("d", {"age": 0}) == (0 if aggregation == "COUNT" else None)


def test_several_outputs_are_a_context() -> None:
    rules = ['< 18 -> "minor"; 1 + 1', '- -> "adult"; age * 2']
    xml = definitions(decision("d", table("FIRST", AGE, {"name": "string", "n": "number"}, rules)))
    assert dmn.load(xml).evaluate("d", {"age": 20}) == {"name": "adult", "n": 40}


def test_default_outputs_stand_in_where_nothing_matches() -> None:
    assert value("UNIQUE", 5, ['> 10 -> "x"'], defaults={"out": '"none"'}) == "none"


def test_values_that_are_not_allowed_have_no_result() -> None:
    assert value("UNIQUE", 200, allowed={"age": "[0..150]"}) is None
    assert value("UNIQUE", 20, allowed={"age": "[0..150]"}) == "adult"
    assert value("UNIQUE", 20, allowed={"out": '"minor"'}) is None


def test_outputs_of_another_type_are_null_with_a_warning() -> None:
    result = dmn.load(definitions(decision("d", table("UNIQUE", AGE, {"out": "number"}, ['- -> "x"'])))).explain("d", {"age": 1})
    assert result.value is None
    assert "number" in result.warnings[0].message


def test_dates_in_process_variables_are_read_where_the_column_says_so() -> None:
    rules = ['< date("2026-07-01") -> "early"', '>= date("2026-07-01") -> "late"']
    xml = definitions(decision("d", table("UNIQUE", {"filed": "date"}, {"out": "string"}, rules)))
    assert dmn.load(xml).evaluate("d", {"filed": "2026-08-01"}) == "late"


def test_explain_tells_inputs_rules_and_annotations() -> None:
    rules = ['< 18 -> "minor" # T6.3, C4 未成年', '>= 18 -> "adult" # S1: 成年']
    model = dmn.load(definitions(decision("d", table("UNIQUE", AGE, {"out": "string"}, rules))))
    result = model.explain("d", {"age": 12})
    assert result.value == "minor"
    assert result.trace == [
        {
            "kind": "decision table",
            "id": "d",
            "name": "d",
            "table": "table",
            "hitPolicy": "UNIQUE",
            "inputs": [{"label": "age", "expression": "age", "value": 12}],
            "matched": [
                {
                    "index": 1,
                    "id": "rule1",
                    "annotations": ["T6.3, C4 未成年"],
                    "rules": ["T6.3", "C4"],
                    "outputs": {"out": "minor"},
                }
            ],
            "value": "minor",
        }
    ]
    assert [rule.rules for rule in model.decisions["d"].rules] == [("T6.3", "C4"), ("S1",)]
    assert model.variables("d") == {"age"}


def test_missing_variables_match_nothing_and_say_so() -> None:
    model = dmn.load(definitions(decision("d", table("UNIQUE", AGE, {"out": "string"}, RULES))))
    result = model.explain("d", {})
    assert result.value is None
    assert any("age" in warning.message for warning in result.warnings)
