"""Arithmetic against Python's decimals: 34 digits, half even."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine import feel

DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)


@given(decimals, decimals)
def test_operators_are_those_of_decimal128(a: Decimal, b: Decimal) -> None:
    context = {"a": a, "b": b}
    assert feel.evaluate("a + b", context) == DECIMAL128.add(a, b)
    assert feel.evaluate("a - b", context) == DECIMAL128.subtract(a, b)
    assert feel.evaluate("a * b", context) == DECIMAL128.multiply(a, b)
    assert feel.evaluate("a / b", context) == (DECIMAL128.divide(a, b) if b else None)
    assert feel.evaluate("a < b", context) is (a < b)
    assert feel.evaluate("a = b", context) is (a == b)


@given(decimals)
def test_numbers_are_written_and_read_back(a: Decimal) -> None:
    assert feel.evaluate("number(string(a))", {"a": a}) == a
    assert "E" not in feel.evaluate("string(a)", {"a": a})


@given(decimals, st.integers(-5, 5))
def test_rounding_is_pythons(a: Decimal, scale: int) -> None:
    unit = Decimal(1).scaleb(-scale)
    for name, mode in (
        ("decimal", "ROUND_HALF_EVEN"),
        ("round up", "ROUND_UP"),
        ("round down", "ROUND_DOWN"),
        ("round half up", "ROUND_HALF_UP"),
        ("round half down", "ROUND_HALF_DOWN"),
        ("floor", "ROUND_FLOOR"),
        ("ceiling", "ROUND_CEILING"),
    ):
        assert feel.evaluate(f"{name}(a, s)", {"a": a, "s": scale}) == a.quantize(unit, rounding=mode)


@given(st.integers(0, 10**12), st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=20))
def test_largest_remainder_loses_no_cent(cents: int, weights: list[Decimal]) -> None:
    total = Decimal(cents).scaleb(-2)
    shares = feel.evaluate("largest remainder(total, weights)", {"total": total, "weights": weights})
    if sum(weights) == 0:
        assert shares is None
        return
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - total * weight / sum(weights)) < Decimal("0.01")


def test_python_numbers_are_taken_exactly() -> None:
    assert feel.evaluate("a + b", {"a": 0.1, "b": 2}) == Decimal("2.1")
    assert feel.evaluate("a", {"a": float("nan")}) is None
    assert feel.evaluate("a + 1", {"a": float("inf")}) is None
    assert feel.evaluate("a = 9007199254740993", {"a": 9007199254740993}) is True
