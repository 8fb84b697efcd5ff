"""Cells of decision tables."""

from __future__ import annotations

import pytest

from engine import feel


@pytest.mark.parametrize(
    ("tests", "value", "expected"),
    [
        ("-", None, True),
        ("5", 5, True),
        ("5", 6, False),
        ('"a", "b"', "b", True),
        ("< 5", 4, True),
        ("<5, >= 10", 10, True),
        ("[1..5)", 5, False),
        ("]1..5], 7", 7, True),
        ("not(5, 6)", 5, False),
        ("not(5, 6)", 7, True),
        ("not(< 5)", 5, True),
        ("null", None, True),
        ("null", 1, False),
        ("5", None, False),
        ("< 5", None, None),
        ("true", True, True),
        ("false", False, True),
        ("true", None, False),
        ("? > 5", 6, True),
        ("? > 5 and ? < 7", 8, False),
        ('contains(?, "x")', "axb", True),
        ("count(?) > 1", [1, 2], True),
        ("limit", 10, True),
        ("> limit", 11, True),
        ("flag", 5, True),
        ("[1, 2, 3]", 2, True),
        ("[1, 2, 3]", [1, 2, 3], True),
        ("!= 5", 6, True),
        ('date("2026-01-01")', "2026-01-01", None),
        ('>= date("2026-01-01")', feel.Date(2026, 1, 2), True),
        ("limit + 1", 11, True),
        ("if ? > 5 then 7 else 8", 7, True),
    ],
)
def test_a_value_passes_or_not(tests: str, value: object, expected: bool | None) -> None:
    assert feel.unary_test(tests, value, {"limit": 10, "flag": True}) is expected
