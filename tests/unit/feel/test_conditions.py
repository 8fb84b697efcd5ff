"""The short way of simple conditions says what the whole way says, for values of every kind."""

from __future__ import annotations

import datetime as python
from collections import ChainMap
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from engine import feel

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 5, -5, 10**34, 10**7000, 4.999, float("nan"), float("inf"),
    Decimal("5.0"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+7000"),
    "", "5", "open", "上海", [5], {"a": 5}, python.date(2026, 1, 1), b"open", object(),
)  # fmt: skip
CONSTANTS = ("5", "-5.5", '"open"', "true", "null")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=")


def whole(condition: str, variables: Any) -> Any:
    """Return what a condition says when it is a part of something longer."""
    return feel.evaluate(f"[{condition}]", variables)[0]


@pytest.mark.parametrize(("operator", "constant"), list(product(OPERATORS, CONSTANTS)))
def test_one_comparison(operator: str, constant: str) -> None:
    for value in VALUES:
        condition = f"x {operator} {constant}"
        assert feel.evaluate(condition, {"x": value}) is whole(condition, {"x": value}), type(value)
    assert feel.evaluate(f"x {operator} {constant}") is whole(f"x {operator} {constant}", {})


@pytest.mark.parametrize("word", ["and", "or"])
def test_several_comparisons(word: str) -> None:
    condition = f'x > 1 {word} y = "open" {word} z != true'
    for x, y, z in product((None, 0, 5, "5", Decimal("NaN")), (None, "open", "shut", 5), (None, True, False, "x")):
        variables = {"x": x, "y": y, "z": z}
        assert feel.evaluate(condition, variables) is whole(condition, variables), variables
        assert feel.evaluate(condition, ChainMap({}, variables)) is whole(condition, variables), variables


def test_a_variable_with_the_name_of_a_function_comes_before_it() -> None:
    assert feel.evaluate("count > 1", {"count": 2}) is True
    assert feel.evaluate("count > 1") is None


def test_the_warnings_are_those_of_the_whole_condition() -> None:
    expression = feel.compile_expression("x > 1 and y > 1")
    assert expression.evaluate_with_warnings({"x": 2, "y": 2}) == (True, ())
    assert expression.evaluate_with_warnings({"x": 0}) == (False, ())
    value, warnings = expression.evaluate_with_warnings({"x": 2})
    assert value is None
    assert "没有变量 y" in warnings[0].message
