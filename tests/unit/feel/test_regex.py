"""XPath's patterns on RE2."""

from __future__ import annotations

import pytest

from engine import feel


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (r'matches("foobar", "^fo*bar$")', True),
        (r'matches("FooBar", "foobar", "i")', True),
        (r'matches("a" + string(1), "a\d")', True),
        ('matches("a\\nb", "a.b")', False),
        ('matches("a\\nb", "a.b", "s")', True),
        ('matches("a\\nb", "^b$", "m")', True),
        (r'matches("hello world", "hello[ ]world ", "x")', True),
        (r'matches("a.b", "a.b", "q")', True),
        (r'matches("axb", "a.b", "q")', False),
        (r'matches("X", "[A-Z-[OI]]")', True),
        (r'matches("O", "[A-Z-[OI]]")', False),
        (r'matches("Q", "[^Q]", "i")', False),
        (r'matches("é", "\p{IsLatin-1Supplement}")', True),
        (r'matches("测试", "^\p{Lo}+$")', True),
        (r'matches("测试", "^[\p{IsCJKUnifiedIdeographs}]+$")', True),
        (r'matches("a-b", "^\i\c*$")', True),
        (r'matches("110101199001011234", "(^|\D)\d{17}[\dXx](\D|$)")', True),
        (r'replace("darted", "^(.*?)d(.*)$", "$1c$2")', "carted"),
        (r'replace("abc", "(b)", "[$1$0$12]")', "a[bbb2]c"),
        (r'replace("abc", "b", "\\$")', "a$c"),
        (r'replace("a.b", ".", "$#", "q")', "a$#b"),
        (r'split("a1b22c", "\d+")', ["a", "b", "c"]),
        (r'matches("aa", "(a)\1")', None),
        (r'matches("a", "[b-a]")', None),
        (r'matches("a", "[a")', None),
        (r'matches("a", "a", "z")', None),
        (r'matches("a", "(?=a)")', None),
        (r'matches("a", "\p{Xx}")', None),
        (r'matches("a", "a]")', None),
        (r'matches("a", "[a-z-[b]c]")', None),
        (r'replace("abc", "x*", "y")', None),
        (r'replace("abc", "b", "$")', None),
        (r'split("abc", "")', None),
    ],
)
def test_patterns(call: str, expected: object) -> None:
    assert feel.evaluate(call) == expected


def test_a_pattern_that_is_not_supported_says_why() -> None:
    _, warnings = feel.compile_expression(r'matches("aa", "(a)\1")').evaluate_with_warnings()
    assert "back references" in warnings[0].message


def test_time_is_linear_in_the_text() -> None:
    """A pattern that runs away in a backtracking engine; here it is one pass."""
    assert feel.evaluate('matches(text, "^(a+)+$")', {"text": "a" * 50_000 + "b"}) is False
