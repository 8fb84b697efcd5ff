"""A runaway expression ends: by steps, items, characters or depth, whatever it is made of."""

from __future__ import annotations

import pytest

from engine import feel
from engine.errors import EvaluationFailed
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
    ],
)
def test_runaway_expressions_are_stopped(text: str) -> None:
    with pytest.raises(EvaluationFailed):
        feel.evaluate(text, {}, SMALL)


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


def test_an_assertion_that_does_not_hold_fails_the_evaluation() -> None:
    assert feel.evaluate("assert(x, x > 1)", {"x": 2}) == 2
    with pytest.raises(EvaluationFailed, match="金额"):
        feel.evaluate('assert(x, x != null, "缺少金额")', {})


def test_warnings_are_kept_up_to_a_hundred() -> None:
    _, warnings = feel.compile_expression("for i in 1..500 return i + null").evaluate_with_warnings()
    assert len(warnings) == 100
