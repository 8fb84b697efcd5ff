"""What a deployment hears about a table."""

from __future__ import annotations

from typing import Any

import pytest

from engine import dmn
from tests.unit.dmn.models import decision, definitions, input_data, literal, table


def findings(policy: str, inputs: dict[str, str], rules: list[str], **more: Any) -> list[tuple[str, str]]:
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


@pytest.mark.parametrize(
    ("kind", "cells", "codes", "example"),
    [
        ("number", ["> limit"], ["not-analysed"], "规则 1"),  # may match whatever comes
        ("date", ["< today()"], ["not-analysed"], "规则 1"),
        ("number", ["> limit", "5", "[0..10]"], ["overlap", "not-analysed"], "n = 5"),
        ("number", ["? > 5 and ? <= 10"], ["gap"], "n = 4"),
        ("number", ["some x in [1, 5] satisfies x = ?"], ["gap"], "n = 0"),
        ("number", ["not(5)"], ["gap"], "n = 5"),
        ("number", ["< 0", "(0..10]", ">= 10"], ["gap", "overlap"], "n = 0"),
        ("number", ["< -5", ">= -5"], [], ""),
        ("string", ['"x"', 'not("x")'], [], ""),
        ("string", ['starts with(?, "x")'], ["gap"], "（其他）"),
        ("boolean", ["true"], ["gap"], "n = false"),
        ("boolean", ["-"], [], ""),
        ("date", ['< date("2026-01-01")', '> @"2026-01-01"'], ["gap"], "2026-01-01"),
        ("dateTime", ['< @"2026-01-01T00:00:00Z"', '>= @"2026-01-01T00:00:00Z"'], [], ""),
        ("time", ['< @"12:00:00"', '> @"12:00:00"'], ["gap"], "12:00:00"),
        ("dayTimeDuration", ['<= duration("P1D")', '>= duration("P1D")'], ["overlap"], "P1D"),
        ("yearMonthDuration", ['< @"P1Y"', '[@"P1Y"..@"P2Y"]', '> @"P2Y"'], [], ""),
        ("number", ["null", "not(null)"], [], ""),
        ("list", ['list contains(?, "x")'], [], ""),  # no samples: it may match
        ("", ["< 5", ">= 5", '"n/a"'], ["gap"], "（其他）"),
    ],
)
def test_every_kind_of_cell_is_judged_by_real_inputs(kind: str, cells: list[str], codes: list[str], example: str) -> None:
    found = findings("UNIQUE", {"n": kind}, [f'{cell} -> "a"' for cell in cells])
    assert [code for code, _ in found] == codes
    assert example in (found[0][1] if found else "")


def test_what_a_type_does_not_allow_is_no_gap() -> None:
    values = "<allowedValues><text>[0..150]</text></allowedValues>"
    item = f'<itemDefinition name="age"><typeRef>number</typeRef>{values}</itemDefinition>'
    rules = ['< 18 -> "a"', '[18..150] -> "b"']
    for kind, allowed in (("age", {}), ("number", {"n": "[0..150]"})):
        logic = table("UNIQUE", {"n": kind}, {"out": "string"}, rules, allowed=allowed)
        assert dmn.load(definitions(item, decision("d", logic))).check() == ()


def test_cells_of_another_type_than_their_column_are_told() -> None:
    rules = [">= 5 -> 1", '< 5 -> "a"']
    model = dmn.load(definitions(decision("d", table("FIRST", {"n": "string"}, {"out": "string"}, rules))))
    assert [(f.code, f.reason.split(" (")[0]) for f in model.check() if f.code == "type"] == [
        ("type", "规则 1 拿 5 与 string 类型的输入相比，不会命中"),
        ("type", "规则 1 的输出 1 不是 string，结果为 null"),
    ]
    found = findings("FIRST", {"n": "number"}, ['- -> "b"'], allowed={"out": '"a", "c"'})
    assert [code for code, _ in found] == ["type"]


def test_names_are_judged_by_what_the_model_draws() -> None:
    """DMN 1.5, 6.2: without a requirement there is no value; Camunda's models leave process variables undrawn."""

    def codes(*parts: str) -> list[tuple[str, str]]:
        return [(f.verdict, f.reason) for f in dmn.load(definitions(*parts)).check()]

    assert codes(decision("d", literal("amount > 5"))) == []
    assert len(codes(input_data("rate"), decision("d", literal("amount > 5")))) == 1
    ((verdict, reason),) = codes(decision("amounts", literal("1")), decision("d", literal("amount > 5")))
    assert (verdict, "“amounts”" in reason) == ("warning", True)
    ((verdict, reason),) = codes(decision("d", literal("uper case(x)")))
    assert (verdict, "upper case" in reason) == ("refused", True)
    knowledge = (
        f'<businessKnowledgeModel id="k" name="k"><encapsulatedLogic>{literal("x")}</encapsulatedLogic></businessKnowledgeModel>'
    )
    assert len(codes(knowledge)) == 1


@pytest.mark.parametrize(
    ("name", "told"), [("for", 1), ("1st", 1), ("a b", 0), ("a - b", 0), ("Größe", 0), ("🐎", 0), ("it's", 0)]
)
def test_names_that_no_expression_can_write_are_told(name: str, told: int) -> None:
    """DMN 1.5, 10.3.1.2, rules 25 to 29; the id stands in."""
    drawn = f'<inputData id="i" name="{name}"/>'
    model = dmn.load(definitions(drawn, decision("d", literal("i + 1"), "input:i")))
    assert [f.code for f in model.check()] == ["name"] * told
    assert model.evaluate("d", {name: 1}) == 2


def test_two_elements_of_one_name_are_told() -> None:
    parts = (decision("a", literal("1")), decision("a", literal("2")).replace('id="a"', 'id="b"'))
    assert [f.code for f in dmn.load(definitions(*parts)).check()] == ["name"]


def test_unknown_functions_types_policies_and_misshapen_rules() -> None:
    model = dmn.load(definitions(decision("d", literal("nofunction(1)"), type_ref="nothing")))
    assert {(f.code, f.verdict) for f in model.check()} == {("unknown-name", "refused"), ("type", "warning")}
    assert [code for code, _ in findings("BEST", {"n": "number"}, ['- -> "a"'])] == ["structure"]
    assert [code for code, _ in findings("COLLECT", {"n": "number"}, ['-; - -> "a"'])] == ["structure"]


def test_wide_models_are_judged_in_time_that_grows_with_them() -> None:
    parts = [decision(f"d{n}", literal(f"x{n} + 1")) for n in range(1500)]
    assert len(dmn.load(definitions(*map(input_data, ["a", "b"]), *parts)).check()) == 1500


@pytest.mark.parametrize(("columns", "rows", "codes"), [(12, 60, {"gap"}), (4, 2000, {"not-analysed"})])
def test_huge_tables_are_judged_within_the_budget(columns: int, rows: int, codes: set[str]) -> None:
    inputs = {f"n{i}": "number" for i in range(columns)}
    rules = [";".join(f"[{r}..{r + i}]" for i in range(columns)) + ' -> "a"' for r in range(rows)]
    assert {code for code, _ in findings("UNIQUE", inputs, rules)} == codes


@pytest.mark.parametrize(
    ("kind", "rules", "code", "words"),
    [
        ("number", ["500-1000", "-"], "cell", "[500..1000]"),
        ("number", ["[10..5]", "-"], "cell", "规则 1 的 [10..5]"),
        ("number", ["(5..5]", "-"], "cell", "不会命中"),
        ("date", ['[date("2026-02-01")..date("2026-02-30")]', "-"], "value", "2026-02-30"),
        ("date", ['< @"2026-13-01"', "-"], "value", "2026-13-01"),
        ("string", ["药物", "-"], "unknown-name", '请写 "药物"'),
        ("string", ["药物（儿童）", "-"], "unknown-name", '请写 "药物（儿童）"'),
        ("number", ["sum（1，2）", "-"], "unknown-name", "全角的 （，）"),
    ],
)
def test_doubtful_cells_are_named_once_with_what_to_write(kind: str, rules: list[str], code: str, words: str) -> None:
    found = findings("FIRST", {"n": kind}, [f'{cell} -> "a"' for cell in rules])
    assert [mine for mine, _ in found if mine != "not-analysed"] == [code]
    assert words in found[0][1]


def test_cells_that_are_in_order_are_not_doubted() -> None:
    assert findings("FIRST", {"n": "number"}, ['[5..5] -> "a"', '5 - 1 + 2 -> "b"', '- -> "c"']) == []
    assert findings("FIRST", {"d": "date"}, ['< date("2026-02-28") -> "a"', '< date(other) -> "b"', '- -> "c"'])[0][0] != "value"


def test_a_text_that_the_input_may_not_be_is_named() -> None:
    found = findings("FIRST", {"s": "string"}, ['"x" -> "a"', '"z" -> "b"', '- -> "c"'], allowed={"s": '"x", "y"'})
    assert [code for code, _ in found] == ["type"]
    assert '规则 2 的 "z" 不在输入的允许值之内' in found[0][1]


def test_a_variable_in_a_column_of_texts_is_not_a_text_without_quotes() -> None:
    rules = ['"x" -> s', "- -> kind"]
    assert [reason for code, reason in findings("FIRST", {"s": "string"}, rules) if "s 没有引号" in reason] == []
    assert ["kind 没有引号" in reason for _, reason in findings("FIRST", {"s": "string"}, rules)] == [True]


def test_cells_are_looked_at_beside_one_that_cannot_be_read() -> None:
    found = findings("FIRST", {"n": "number"}, ['≥ 5 -> "a"', '500-1000 -> "b"', "- -> 低"])
    assert [code for code, _ in found] == ["syntax", "unknown-name", "cell"]


def test_an_output_says_whether_its_type_or_its_allowed_values_are_broken() -> None:
    rules = ['< 5 -> "x"', '- -> "y"']
    (only,) = findings("FIRST", {"n": "number"}, rules, allowed={"out": '"x"'})
    assert '规则 2 的输出 "y" 不在允许值之内' in only[1]
    (only,) = findings("FIRST", {"n": "number"}, ["< 5 -> 1", '- -> "y"'])
    assert "规则 1 的输出 1 不是 string" in only[1]
