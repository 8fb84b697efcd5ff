"""What cannot be read is refused with line, column and what was expected; nothing crashes the parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel
from engine.errors import EvaluationFailed, FeelSyntaxError


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, "a value, a name or an expression"),
        ("1 +", 1, 4, "a value, a name or an expression"),
        ("(1", 1, 3, '")"'),
        ("if a then 1", 1, 12, '"else"'),
        ("if a\nthen b\nelse", 3, 5, "a value, a name or an expression"),
        ("for x in y", 1, 11, '"return"'),
        ("for in y return 1", 1, 5, "a variable name"),
        ("some x in y", 1, 12, '"satisfies"'),
        ("1 between 2", 1, 12, '"and"'),
        ("[1, 2", 1, 6, '"]"'),
        ("[1..2", 1, 6, "the end of the range"),
        ("{a 1}", 1, 5, '":"'),
        ("a.", 1, 3, "a name after the dot"),
        ("@1", 1, 2, "a string"),
        ("1 instance of 2", 1, 15, "the name of a type"),
        ("f(a: 1, 2)", 1, 9, "all named or all without names"),
        ("1 2", 1, 3, "an operator or the end"),
        ('"abc', 1, 1, "no closing"),
        ("“abc”", 1, 1, '请写 "'),
        ("a ≥ 5", 1, 3, "write >="),
        ("a == 5", 1, 4, "请写 = "),
        ("a <> 5", 1, 4, "请写 !="),
        ("a && b", 1, 3, "请写 and"),
        ("a > 1 并且 b", 1, 7, "请写 and"),
        ('"a"，"b"', 1, 4, "请写 ,"),
        ("'a'", 1, 1, '请写 "'),
        ("/* abc", 1, 1, "not closed"),
        ("1e99999", 1, 1, "too large"),
        ("]1, 2[", 1, 3, '".."'),
    ],
)
def test_syntax_errors_say_where_and_what(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        feel.compile_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert expected in caught.value.message


@pytest.mark.parametrize("text", ["(" * 5000, "[" * 5000, "-" * 5001 + "(1", "a" + ".b" * 5000, "f" + "(1)" * 5000, "{a:" * 900])
def test_deep_nesting_is_refused_and_overflows_no_stack(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        feel.compile_expression(text)


def test_long_flat_expressions_are_read() -> None:
    assert feel.evaluate("+".join(["1"] * 5000)) == 5000
    assert feel.evaluate(" and ".join(["true"] * 5000)) is True
    assert feel.evaluate("if false then 1 else " * 50 + "7") == 7


@settings(max_examples=400)
@given(st.text(max_size=60))
def test_random_text_is_read_or_refused(text: str) -> None:
    _try(text)


PIECES = """
a 1 "x" ( ) [ ] { } , . .. : + - * / ** = < >= != ? @ and or in not if then else for return some every satisfies between
instance of function date time count sort item partial null true list< context< // /*
"""
pieces = st.sampled_from([*PIECES.split(), "date and time", "instance of"])


@settings(max_examples=600)
@given(st.lists(pieces, max_size=25))
def test_random_pieces_are_read_or_refused(words: list[str]) -> None:
    _try(" ".join(words))


def _try(text: str) -> None:
    environment = feel.Environment(limits=feel.Limits(steps=5000))
    for attempt in (
        lambda: feel.evaluate(text, {"a": [1, {"b": "x"}]}, environment),
        lambda: feel.unary_test(text, 1, {}, environment),
    ):
        try:
            attempt()
        except FeelSyntaxError as error:
            assert error.message  # noqa: PT017  (any text may be refused)
        except EvaluationFailed as error:
            assert error.message  # noqa: PT017


def test_names_that_are_needed_are_known() -> None:
    expression = feel.compile_expression("for x in items[price > limit] return f(x) + count(x) + a.b")
    assert expression.names == {"items", "f", "a"}
    assert expression.functions == {"f"}
    assert feel.compile_unary_tests("> limit, f(?)").names == {"limit", "f"}


def test_compiled_expressions_are_cached_by_text() -> None:
    assert feel.compile_expression("a + 1") is feel.compile_expression("a + 1", ["b"])
    assert feel.compile_expression("a + 1") is not feel.compile_expression("a + 1", ["a + 1"])
