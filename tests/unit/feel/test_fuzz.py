"""Whatever the text and the variables: only FEEL's own errors, only FEEL's own values, within the limits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.feel import fuzzing

SHORT = settings(max_examples=900, derandomize=True, deadline=None, database=None)


@SHORT
@given(st.binary(min_size=8, max_size=300))
def test_texts_by_the_grammar_and_mutated_ones(data: bytes) -> None:
    fuzzing.check_bytes(data)


@SHORT
@given(st.text(max_size=60), st.binary(max_size=40))
def test_any_text(text: str, data: bytes) -> None:
    choices = fuzzing.Choices(data)
    variables = fuzzing.context(choices)
    fuzzing.check_expression(text, variables)
    fuzzing.check_unary_tests(text, fuzzing.value(choices), variables)


@SHORT
@given(st.lists(st.sampled_from((*fuzzing.TOKENS, *fuzzing.NAMES, *fuzzing.NUMBERS, *fuzzing.STRINGS)), max_size=25))
def test_any_tokens(tokens: list[str]) -> None:
    for text in ("".join(tokens), " ".join(tokens)):
        fuzzing.check_expression(text, {"a": [{"b": 1}], "first name": "x"})
        fuzzing.check_unary_tests(text, 1, {})
