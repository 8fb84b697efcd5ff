"""A runaway expression ends: by steps, items, characters or depth, whatever it is made of."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine import feel
from engine.errors import EvaluationFailed, FeelSyntaxError
from engine.feel.environment import Run

SMALL = feel.Environment(limits=feel.Limits(steps=20_000, list_items=1000, string_length=10_000, depth=20))


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..1000000000 return i",
        "count(for i in 1..1e6000 return i)",
        "for a in 1..1000, b in 1..1000, c in 1..1000 return 1",
        "some a in 1..1e9 satisfies a < 0",
        "every a in [1..1e9] satisfies a > 0",
        "{f: function(n) f(n + 1), r: f(1)}.r",
        "{f: function(n) [f(n), f(n)], r: f(1)}.r",
        'for i in 1..40 return if i = 1 then "ab" else partial[-1] + partial[-1]',
        "for i in 1..40 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
        "sort(for i in 1..900 return i, function(x, y) count((for j in 1..900 return j)[item > x]) > 0)",
        "(for i in 1..900 return i)[some j in 1..900 satisfies j < 0]",
        'replace(replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaa")',
        "for i in 1..900 return distinct values(for j in 1..900 return [j])",
        "for i in 1..900 return modulo(1e6000, 7)",
        "{s: for i in 1..900 return i, r: for i in 1..900 return sublist(s, 1)}.r",
        'for i in 1..900 return if i < 10 then "aaaaaaaaaaaaaaaaaaaa" else partial[-1] + "aaaaaaaaaa"',
        "string(for i in 1..40 return if i = 1 then [1] else [partial[-1], partial[-1]])",
        "to json(for i in 1..40 return if i = 1 then {a: 1} else {a: partial[-1], b: partial[-1]})",
        "string(for i in 1..900 return 10**6000)",
        "to json(for i in 1..900 return 10**6000)",
        "{x: for i in 1..40 return if i = 1 then [1] else [partial[-1], partial[-1]], r: x[40] = x[40]}.r",
        'string join(["a"], "", string(10**6000), string(10**6000))',
        "for i in 1..900 return if i = 1 then {a: 1} else context put(partial[-1], string(i), partial[-1])",
        "string(for i in 1..300 return if i = 1 then [1] else append([], partial[-1]))",
    ],
)
def test_runaway_expressions_are_stopped(text: str) -> None:
    with pytest.raises(EvaluationFailed):
        feel.evaluate(text, {}, SMALL)


@pytest.mark.parametrize(
    "operator", ["> ", "= ", "-", "(", "[", "not(", "a.", "if ", "for i in ", "{a: ", "x instance of list<", "function() "]
)
def test_texts_nested_too_deeply_are_refused(operator: str) -> None:
    with pytest.raises(FeelSyntaxError):
        feel.compile_expression(operator * 9_000)
    with pytest.raises(FeelSyntaxError):
        feel.compile_unary_tests(operator * 9_000)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9 ** 9 ** 9",
        "9 ** (9 ** 9)",
        "1e6144 * 10",
        "0 ** -1",
        "exp(1e6000)",
        'duration("P999999999999999999Y") * 1e30',
        'date("2020-01-01") + duration("P999999999999999999D")',
        "date(1e12, 1, 1)",
        "time(1e6000, 0, 0)",
        'matches("a", "((a{1,100}){1,100}){1,100}")',
        'context put({}, for i in 1..1000 return "a", 1)',
    ],
)
def test_what_has_no_representable_value_is_null(text: str) -> None:
    assert feel.evaluate(text) is None


@pytest.mark.parametrize(
    "text", ["[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "[" * 100_000, "1e99999", "-" + "9" * 7000]
)
def test_json_that_no_value_can_hold_is_null(text: str) -> None:
    assert feel.evaluate("from json(text)", {"text": text}) is None


def test_half_characters_do_not_come_in_by_json() -> None:
    assert feel.evaluate("from json(text)", {"text": '["\\ud800", "\\ud83d\\ude00"]'}) == ["\ufffd", "\U0001f600"]


def test_a_large_pattern_on_a_long_text_is_stopped() -> None:
    with pytest.raises(EvaluationFailed, match="pattern"):
        feel.evaluate('matches(text, "(a|b)*a(a|b){900}x")', {"text": "ab" * 100_000})


def test_numbers_from_outside_have_the_digits_of_feel() -> None:
    assert feel.evaluate("[x][1] = 1/3 and -x = -(1/3)", {"x": Decimal("0." + "3" * 50)})
    assert feel.evaluate("x", {"x": Decimal("1E+999999999")}) is None
    assert feel.evaluate("x", {"x": Decimal("1E-999999999")}) == 0
    assert feel.evaluate("-(1/3)") == Decimal("-0.3333333333333333333333333333333333")


def test_time_is_looked_at_now_and_then() -> None:
    run = Run(feel.Environment(limits=feel.Limits(seconds=-1)))
    run.charge()
    with pytest.raises(EvaluationFailed, match="too long"):
        run.charge(1000)


def test_deeply_nested_values_are_refused_not_a_crash() -> None:
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(EvaluationFailed):
        feel.evaluate("v = v", {"v": value})
    with pytest.raises(EvaluationFailed):
        feel.to_json(value)


def test_values_that_share_their_parts_are_not_stored_many_times_over() -> None:
    value = feel.evaluate("for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]]")
    with pytest.raises(EvaluationFailed, match="too many"):
        feel.to_json(value)
    with pytest.raises(EvaluationFailed, match="too much"):
        feel.to_json(["x" * 100_000] * 1000)
    with pytest.raises(EvaluationFailed):
        feel.to_text(value)


def test_huge_numbers_are_stored_as_they_are() -> None:
    assert feel.to_json(feel.evaluate("10 ** 6000")) == Decimal("1E+6000")
    assert type(feel.to_json(feel.evaluate("10 ** 6000"))) is Decimal


def test_an_assertion_that_does_not_hold_fails_the_evaluation() -> None:
    assert feel.evaluate("assert(x, x > 1)", {"x": 2}) == 2
    with pytest.raises(EvaluationFailed, match="金额"):
        feel.evaluate('assert(x, x != null, "缺少金额")', {})


def test_warnings_are_kept_up_to_a_hundred() -> None:
    _, warnings = feel.compile_expression("for i in 1..500 return i + null").evaluate_with_warnings()
    assert len(warnings) == 100
