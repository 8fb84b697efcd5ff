"""XPath's patterns (DMN 1.5, 10.3.4.3; XQuery and XPath Functions and Operators, 7.6; XML Schema part 2, appendix F)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel
from engine.errors import EvaluationFailed
from engine.feel.environment import Run
from engine.feel.regex_backtracking import BacktrackingPattern
from engine.feel.regex_linear import LinearPattern
from engine.feel.regex_syntax import parse


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
        # anchors: without m only the ends of the text
        ('matches("abc\\n", "abc$")', False),
        ('replace("a\\nb", "^", "x", "m")', None),
        ('replace("a\\nb", "^b", "x")', "a\nb"),
        ('matches("\\r", "^.$")', False),
        # i: letters and ranges, but not categories; a range less another
        (r'matches("Q", "\p{Ll}", "i")', False),
        (r'matches("q", "[A-Z]", "i")', True),
        (r'matches("i", "[A-Z-[IO]]", "i")', False),
        (r'matches("\u212A", "k", "i")', True),
        # x: no white space but in classes; q: no meaning but the characters'
        (r'matches("a b", "a b", "x")', False),
        (r'matches("a b", "a[ ]b", "x")', True),
        (r'matches("A B", "a b", "qi")', True),
        # multi-character escapes, categories, blocks, subtraction of all
        (r'matches("_", "\w")', False),
        (r'matches("_", "\W")', True),
        (r'matches("\u0378", "\p{Cn}")', True),
        (r'matches("a", "[^\P{L}]")', True),
        (r'matches(":", "^[\i-[:]]$")', False),
        (r'matches("a", "[a-z-[a-z]]")', False),
        (r'matches("x", "[^a-c-[x]]")', False),
        (r'matches("क", "\P{IsDevanagari}")', False),
        (r'matches("a", "[\d\s]")', False),
        (r'matches("-", "[a-]")', True),
        # back references: the group that was closed before; of two digits if there are so many groups
        (r'matches("abab", "^(ab)\1$")', True),
        (r'matches("abba", "^(ab)\1$")', False),
        (r'matches("aBAb", "^(ab)\1$", "i")', True),
        (r'matches("aa1", "^(a)\11$")', True),
        (r'matches("bc", "^(a)?b\1c$")', True),
        (r'matches("abcabc", "^(?:(a)|b|c)*\1bc$")', True),
        (r'replace("helloo wood", "(.)\1", "$1")', "helo wod"),
        (r'split("a--b==c", "([-=])\1")', ["a", "b", "c"]),
        (r'extract("aabbcd", "(.)\1")', ["aa", "bb"]),
        (r'replace("x", "(a*)\1", "y")', None),
        (r'matches("aa", "\1(a)")', None),
        (r'matches("aa", "(a\1)")', None),
        (r'matches("aa", "(a)\0")', None),
        # malformed
        (r'matches("a", "a{2")', None),
        (r'matches("a", "a{,2}")', None),
        (r'matches("a", "a{2,1}")', None),
        (r'matches("}", "}")', None),
        (r'matches("a", "a**")', None),
        (r'matches("a", "*a")', None),
        (r'matches("a", "(a")', None),
        (r'matches("a", "a)")', None),
        (r'matches("a", "\b")', None),
        (r'matches("a", "[a-c-e]")', None),
        (r'matches("a", "(?<n>a)")', None),
        (r'matches("a", "\p{IsNowhere}")', None),
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


def test_a_malformed_pattern_says_why() -> None:
    _, warnings = feel.compile_expression(r'matches("aa", "(?=a)")').evaluate_with_warnings()
    assert [(warning.source, "(?:" in warning.message) for warning in warnings] == [("matches", True)]


def test_time_is_linear_in_the_text() -> None:
    """A pattern that runs away in a backtracking engine; here it is one pass."""
    assert feel.evaluate('matches(text, "^(a+)+$")', {"text": "a" * 50_000 + "b"}) is False


@pytest.mark.parametrize("pattern", [r"^(a+)+\1b$", r"(a*)*(a*)*\2b", r"(x)?(((a|a)*)*)*\1!", r"^(.)(a{0,900}){9}\1b"])
def test_a_pattern_that_goes_back_cannot_run_away(pattern: str) -> None:
    """With a back reference time is not linear; the limits of the run end it."""
    with pytest.raises(EvaluationFailed):
        feel.evaluate("matches(text, pattern)", {"text": "a" * 3000, "pattern": pattern})


SIMPLE = st.sampled_from(["a", "b", "[ab]", "(a|bc)", "(?:ab|a)", "[^a]", "(b)(a)", "."])
PIECE = st.builds("{}{}{}".format, SIMPLE, st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}"]), st.sampled_from(["", "?"]))


@settings(max_examples=300, deadline=None)
@given(pattern=st.lists(PIECE, min_size=1, max_size=4).map("".join), text=st.text("abc", max_size=12))
def test_both_matchers_find_the_same(pattern: str, text: str) -> None:
    syntax = parse(pattern, "")
    found = [
        [(match.start(), match.end()) for match in matcher.matches(text, Run()) if match.group()]
        for matcher in (BacktrackingPattern(syntax), LinearPattern(syntax))
    ]
    assert found[0] == found[1]
