"""What is stored comes back exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidValue
from engine.store import exact_json
from engine.store.types import from_microseconds, to_microseconds

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
def test_json_comes_back_exactly(value: object) -> None:
    back = exact_json.loads(exact_json.dumps(value))
    assert back == value
    assert exact_json.dumps(back) == exact_json.dumps(exact_json.loads(exact_json.dumps(back)))


def test_decimals_keep_their_digits() -> None:
    assert exact_json.dumps({"net": Decimal("800000.00")}) == '{"net":800000.00}'
    assert str(exact_json.loads("800000.00")) == "800000.00"
    assert isinstance(exact_json.loads("3"), int)


def test_floats_become_decimals() -> None:
    assert exact_json.loads(exact_json.dumps(0.1)) == Decimal("0.1")
    assert exact_json.loads(exact_json.dumps([0.1, Decimal("0.20")])) == [Decimal("0.1"), Decimal("0.20")]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), {1: "x", "d": Decimal(1)}, [len]])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue):
        exact_json.dumps(value)


def test_deep_nesting_is_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidValue):
        exact_json.dumps(value)
    with pytest.raises(InvalidValue):
        exact_json.loads("[" * 100_000 + "]" * 100_000)


def test_moments_are_utc_microseconds() -> None:
    moment = datetime(2026, 11, 20, 18, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    assert from_microseconds(to_microseconds(moment)) == moment
    assert from_microseconds(to_microseconds(moment)).tzinfo is UTC


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_microseconds(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
