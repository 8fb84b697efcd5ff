"""What has no result is null and says why (DMN 1.5, 10.3.2: null); what cannot be read says where."""

from __future__ import annotations

import itertools

import pytest

from engine import feel
from engine.errors import EvaluationFailed, FeelSyntaxError
from engine.feel.functions import BUILT_IN

VALUES = {
    "null": None,
    "number": 1,
    "text": "a",
    "truth": True,
    "nothing": [],
    "empty": {},
    "day": feel.evaluate('@"2020-01-01"'),
    "clock": feel.evaluate('@"10:00:00"'),
    "length": feel.evaluate('@"P1D"'),
    "range": feel.evaluate("[1..2]"),
    "function": feel.evaluate("function(x) x"),
    "list": [None],
}
# null is their answer where an argument is null: three truth values, and what hands null on
NULL_IS_AN_ANSWER = {"not", "all", "and", "any", "or", "string", "assert", "get or else"}


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_built_in_function_says_why_it_has_no_result(name: str) -> None:
    for count in (0, 1, 2):
        for arguments in itertools.product(VALUES.values(), repeat=count):
            call = feel.compile_expression(f"{name}({', '.join('xy'[:count])})")
            try:
                value, warnings = call.evaluate_with_warnings(dict(zip("xy", arguments, strict=False)))
            except EvaluationFailed:
                assert name in {"assert", "to json"}  # a condition that does not hold; a function, which JSON cannot hold
                continue
            expected = name in NULL_IS_AN_ANSWER and (None in arguments or [None] in arguments)
            assert value is not None or warnings or expected, (name, arguments)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("1 + null", "+"),
        ("-true", "-"),
        ("2 ** -(-1) / 0", "/"),
        ("0 ** -1", "**"),
        ('1 = "1"', "="),
        ('1 < "1"', "<"),
        ('@"2020-13-01"', "@"),
        ("[1, 2][3]", "[…]"),
        ("{a: 1}.b", "b"),
        ("nobody", "nobody"),
        ("nobody(1)", "nobody"),
        ("1 instance of nothing", "instance of"),
        ("for x in null return x", "for"),
        ("some x in null satisfies x", "some"),
        ('@"2020-01-02" - @"2020-01-01T00:00:00"', "-"),
    ],
)
def test_an_operation_says_why_it_has_no_result(text: str, source: str) -> None:
    value, warnings = feel.compile_expression(text).evaluate_with_warnings()
    assert value is None
    assert warnings[-1].source == source


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("1 +", 1, 4),
        ("= 1 +", 1, 6),
        ("1 + \n  * 2", 2, 3),
        ("if 1 then 2", 1, 12),
        ('1 + "abc', 1, 5),
        ("1 /* abc", 1, 3),
        ("f(a: 1, 2)", 1, 9),
        ("for x 1 return x", 1, 5),
        ("{a: 1, }", 1, 8),
        ("1 === 2", 1, 4),
        ("x = = 2", 1, 5),
        ("1 + < 2", 1, 5),
        ("1 instance of", 1, 14),
        ("🐎 + )", 1, 5),
        ("1 + “a”", 1, 5),
    ],
)
def test_a_syntax_error_says_where(text: str, line: int, column: int) -> None:
    with pytest.raises(FeelSyntaxError) as error:
        feel.compile_expression(text)
    assert (error.value.line, error.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "doubted"),
    [
        ('date("2026-02-30") > x', "2026-02-30"),
        ('@"2026-02-30"', "2026-02-30"),
        ('x + duration("P1Y1D")', "P1Y1D"),
        ('time("18:00")', "18:00"),
        ("date(2026, 2, 30)", "no such date"),
        ('date("2026-02-28")', None),
        ("date(filed)", None),
        ("date(null)", None),
        ('for date in [abs] return date("x")', None),
    ],
)
def test_a_literal_that_is_always_null_is_known_before_running(text: str, doubted: str | None) -> None:
    doubts = feel.compile_expression(text).doubts
    assert [doubted in doubt for doubt in doubts if doubted is not None] == ([] if doubted is None else [True])
    assert bool(doubts) is (doubted is not None)
