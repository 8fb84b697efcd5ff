"""Decision tables: hit policies, defaults, allowed values, types, and why (DMN 1.5, chapter 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine import dmn, feel
from tests.unit.dmn.models import decision, definitions, literal, table

AGE = {"age": "number"}
RULES = ['>= 18 -> "adult"', '>= 60 -> "senior"', '< 18 -> "minor"']


def value(policy: str, age: object, rules: list[str] | None = None, **more: Any) -> Any:
    xml = definitions(decision("d", table(policy, AGE, {"out": "string"}, rules or RULES, **more)))
    return dmn.load(xml).evaluate("d", {"age": age})


def test_unique_takes_one_match_and_no_more() -> None:
    assert value("UNIQUE", 20) == "adult"
    assert value("UNIQUE", 70) is None
    assert value("UNIQUE", None) is None


def test_what_is_no_policy_or_aggregation_has_no_result() -> None:
    assert value("BEST", 20) is None
    assert value("COLLECT", 20, aggregation="AVERAGE") is None


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


GRADE = (
    '<itemDefinition name="grade"><typeRef>string</typeRef><allowedValues><text>"hi", "lo"</text></allowedValues>'
    "</itemDefinition>"
    '<itemDefinition name="graded"><itemComponent name="o"><typeRef>grade</typeRef></itemComponent>'
    '<itemComponent name="p"><typeRef>number</typeRef></itemComponent></itemDefinition>'
)


@pytest.mark.parametrize(
    ("outputs", "rules", "type_ref", "expected"),
    [
        ({"o": "grade"}, ['- -> "lo"', '- -> "hi"'], "", "hi"),
        ({"o": ""}, ['- -> "lo"', '- -> "hi"'], "grade", "hi"),
        ({"o": "", "p": ""}, ['- -> "lo"; 1', '- -> "hi"; 2'], "graded", {"o": "hi", "p": 2}),
    ],
)
def test_priorities_come_from_types_too(outputs: dict[str, str], rules: list[str], type_ref: str, expected: object) -> None:
    """DMN 1.5, 8.2 (hit policy P): the order of the output values; 8.3 (OutputClause), 7.3 (ItemDefinition)."""
    xml = definitions(GRADE, decision("d", table("PRIORITY", AGE, outputs, rules), type_ref=type_ref))
    assert dmn.load(xml).evaluate("d", {"age": 1}) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("PRIORITY", {"o": "b", "p": "hi"}),
        ("OUTPUT ORDER", [{"o": "b", "p": "hi"}, {"o": "b", "p": "lo"}, {"o": "a", "p": "lo"}]),
        ("RULE ORDER", [{"o": "a", "p": "lo"}, {"o": "b", "p": "lo"}, {"o": "b", "p": "hi"}]),
    ],
)
def test_several_outputs_weigh_from_left_to_right(policy: str, expected: object) -> None:
    """DMN 1.5, 8.2 (hit policies P, O, R with compound outputs)."""
    rules = ['- -> "a"; "lo"', '- -> "b"; "lo"', '- -> "b"; "hi"']
    allowed = {"o": '"b", "a"', "p": '"hi", "lo"'}
    xml = definitions(decision("d", table(policy, AGE, {"o": "", "p": ""}, rules, allowed=allowed)))
    assert dmn.load(xml).evaluate("d", {"age": 1}) == expected


@pytest.mark.parametrize(
    ("cells", "aggregation", "expected"),
    [
        (['duration("P1D")', 'duration("P2D")'], "SUM", 'duration("P3D")'),
        (['"b"', '"a"'], "MIN", '"a"'),
        (['@"2026-01-02"', '@"2026-01-01"'], "MAX", '@"2026-01-02"'),
        (["1", "null"], "SUM", "null"),
        (["1", "null"], "COUNT", "2"),
        (["1; 2", "3; 4"], "SUM", "{o: 4, p: 6}"),
    ],
)
def test_aggregations_are_those_of_the_functions(cells: list[str], aggregation: str, expected: str) -> None:
    """DMN 1.5, 8.2 (hit policy C with an operator), 10.3.4.4 (sum, min, max of lists)."""
    outputs = {"o": "", "p": ""} if ";" in cells[0] else {"o": ""}
    xml = definitions(decision("d", table("COLLECT", AGE, outputs, [f"- -> {cell}" for cell in cells], aggregation)))
    assert dmn.load(xml).evaluate("d", {"age": 1}) == feel.evaluate(expected)


@pytest.mark.parametrize(
    ("kind", "cell", "given", "expected"),
    [
        ("number", "3", [3], 1),  # a list of one is its item
        ("number", "null", "x", 1),  # of another type: null
        ("number", "-", "x", 1),
        ("number", "null", None, 1),
        ("number", "not(null)", None, None),
        ("date", '< @"2026-02-01"', "2026-01-31", 1),
        ("", "list contains(?, 3)", [3, 4], 1),
        ("", "? instance of string", "x", 1),
        ("", "[1, 2, 3]", 2, 1),
        ("", "age", 2, 1),  # a cell may ask for the input by its name
    ],
)
def test_inputs_are_fitted_to_their_type(kind: str, cell: str, given: object, expected: object) -> None:
    """DMN 1.5, 10.3.2.9.4 (type conversions), 8.2 (input entries), 10.3.2.7 (unary tests)."""
    xml = definitions(decision("d", table("UNIQUE", {"age": kind}, {"o": ""}, [f"{cell} -> 1"])))
    assert dmn.load(xml).evaluate("d", {"age": given}) == expected


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        ({"o": '"hi"'}, {"o": "hi", "p": None}),
        ({"o": '"hi"', "p": "[1]"}, {"o": "hi", "p": 1}),
        ({"o": '"no"'}, {"o": None, "p": None}),
    ],
)
def test_each_output_has_its_own_default(defaults: dict[str, str], expected: object) -> None:
    """DMN 1.5, 8.2 (default output values), 8.3 (OutputClause: of its type)."""
    outputs = {"o": "grade", "p": "number"}
    xml = definitions(GRADE, decision("d", table("UNIQUE", AGE, outputs, ['> 9 -> "lo"; 1'], defaults=defaults)))
    assert dmn.load(xml).evaluate("d", {"age": 1}) == expected


def test_tables_without_inputs_and_in_contexts() -> None:
    """DMN 1.5, 8.3 (a table may have no input), 7.2 (a table is an expression like others)."""
    bare = "<decisionTable><output/><rule><outputEntry><text>5</text></outputEntry></rule></decisionTable>"
    result_cell = f"<contextEntry>{literal('a + 1')}</contextEntry>"
    context = f'<context><contextEntry><variable name="a"/>{bare}</contextEntry>{result_cell}</context>'
    model = dmn.load(definitions(decision("d", bare), decision("e", context)))
    assert model.evaluate("d") == 5
    result = model.explain("e")
    assert result.value == 6
    assert [step["kind"] for step in result.trace] == ["decision table", "decision"]


def test_warnings_stand_where_they_arose() -> None:
    model = dmn.load(
        definitions(
            decision("a", table("UNIQUE", AGE, {"o": "number"}, ['- -> "x"'])),
            decision("b", literal("1 + a"), "decision:a"),
        )
    )
    first, second = model.explain("b", {"age": 1}).trace
    assert [len(first["warnings"]), len(second["warnings"])] == [1, 1]
    assert "规则 1" in first["warnings"][0]


def test_long_traces_are_cut() -> None:
    logic = table("FIRST", {"x": ""}, {"o": ""}, ["- -> 1"])
    loop = f'<for iteratorVariable="x"><in>{literal("1..600")}</in><return>{logic}</return></for>'
    trace = dmn.load(definitions(decision("d", loop))).explain("d").trace
    assert len(trace) == 501
    assert trace[-1]["kind"] == "cut"


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
