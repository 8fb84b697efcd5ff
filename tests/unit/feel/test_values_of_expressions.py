"""What expressions are worth: each line is an expression and one that must have the same value (DMN 1.5, chapter 10)."""

from __future__ import annotations

import pytest

from engine import feel
from engine.errors import FeelSyntaxError

SAME = """
1 + 2 * 3                                                    | 7
(1 + 2) * 3                                                  | 9
-5 ** 2                                                      | 25
2 ** 3 ** 2                                                  | 64
10 - 4 - 3                                                   | 3
0.1 + 0.2                                                    | 0.3
1.5E-2                                                       | 0.015
1 / 3                                                        | 0.3333333333333333333333333333333333
1 / 0                                                        | null
10 ** 7000                                                   | null
"a" + "b"                                                    | "ab"
"a" + 1                                                      | null
null + 1                                                     | null
1 = 1.00                                                     | true
1 = "1"                                                      | null
null = null                                                  | true
1 != null                                                    | true
"a" < "b"                                                    | true
true < false                                                 | null
[1, 2] = [1, 2.0]                                            | true
{a: 1} = {a: 1, b: 2}                                        | false
true and null                                                | null
false and null                                               | false
true or null                                                 | true
null or null                                                 | null
1 or true                                                    | true
not(null)                                                    | null
if null then 1 else 2                                        | 2
if 1 > 0 then if 2 > 3 then "a" else "b" else "c"            | "b"
1 between 0 and 2 and true                                   | true
5 between 1 and null                                         | null
5 in (1..5]                                                  | true
5 in ]1..5[                                                  | false
5 in (< 3, > 4)                                              | true
5 in [1, 5]                                                  | true
5 in (null..10]                                              | null
10 in != 11                                                  | true
[1, 2] in [[1, 2], [3]]                                      | true
[1, 2, 3][-1]                                                | 3
[1, 2, 3][4]                                                 | null
[1, 2, 3][item >= 2]                                         | [2, 3]
100[1]                                                       | 100
100[item > 5]                                                | [100]
null[item = 1]                                               | []
[{a: 1}, {a: 2}][a > 1]                                      | [{a: 2}]
[{a: 1, b: 5}, {a: 2, b: 6}][a = 2].b                        | [6]
[{item: 5}][item > 1]                                        | [{item: 5}]
{a: {b: [{c: 1}, {c: 2}]}}.a.b.c                             | [1, 2]
{a: 1, b: a + 1}.b                                           | 2
{"a b": 1, c: a b + 1}.c                                     | 2
{a: 1, a: 2}                                                 | null
for i in [1, 2], j in [3, 4] return i + j                    | [4, 5, 5, 6]
for i in 3..1 return i                                       | [3, 2, 1]
for i in [1..3) return i                                     | [1, 2]
for i in 0..4 return if i = 0 then 1 else i * partial[-1]    | [1, 1, 2, 6, 24]
for i in 1..3 return count(partial)                          | [0, 1, 2]
for x in [[1], [2, 3]], y in x return y                      | [1, 2, 3]
for d in @"2020-02-28"..@"2020-03-01" return d.day           | [28, 29, 1]
for i in null return i                                       | null
some x in [1, null] satisfies x > 0                          | true
some x in [null] satisfies x > 0                             | null
every x in [] satisfies x                                    | true
every x in [1, 2], y in [3] satisfies x < y                  | true
(function(a, b) a + b)(1, 2)                                 | 3
(function(a) a)(1, 2)                                        | null
(function(a: number) a)("x")                                 | null
{f: function(x: number) x * 2, g: f(x: 4)}.g                 | 8
{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(5)}.r | 120
{add: function(a) function(b) a + b, r: add(1)(2)}.r         | 3
1 instance of number                                         | true
null instance of number                                      | false
null instance of Null                                        | true
[1, "a"] instance of list<number>                            | false
{a: 1, b: 2} instance of context<a: number>                  | true
@"P1D" instance of days and time duration                    | true
[1..3] instance of range<number>                             | true
(function(a: number) a) instance of function<number> -> Any  | true
1 instance of nothing known                                  | null
[1, "a"] = [1, 2]                                            | false
(1..5].start included                                        | false
(< 5).end                                                    | 5
string length("\\uD83D\\uDC0Eab")                            | 3
"\\u0041\\t"                                                 | "A	"
1 + /* one */ 2 // three                                     | 3
"""


def lines(table: str) -> list[tuple[str, str]]:
    found = []
    for line in table.strip().splitlines():
        left, right = line.rsplit(" | ", 1)
        found.append((left.strip(), right.strip()))
    return found


@pytest.mark.parametrize(("expression", "expected"), lines(SAME))
def test_expression_has_the_value(expression: str, expected: str) -> None:
    value, wanted = feel.evaluate(expression.replace("\\\\", "\\")), feel.evaluate(expected)
    assert value == wanted
    assert type(value) is type(wanted)


def test_names_with_spaces_and_symbols_are_resolved_against_the_context() -> None:
    context = {"first name": "Li", "a-b": 5, "a": 9, "b": 1, "terms and conditions": True, "金额（元）": 100}
    assert feel.evaluate('first name = "Li"', context) is True
    assert feel.evaluate("a-b", context) == 5
    assert feel.evaluate("a - b", {"a": 9, "b": 1}) == 8
    assert feel.evaluate("if terms and conditions then 金额（元） else 0", context) == 100
    assert feel.evaluate("person.first name", {"person": {"first name": "Wu"}}) == "Wu"
    assert feel.evaluate("count(items[unit price > 2])", {"items": [{"unit price": 3}, {"unit price": 1}]}) == 1


def test_a_variable_does_not_hide_a_function_that_is_called() -> None:
    assert str(feel.evaluate('date("2026-01-01")', {"date": "2020-02-02"})) == "2026-01-01"


def test_warnings_say_why_a_value_became_null() -> None:
    value, warnings = feel.compile_expression("amount + 1").evaluate_with_warnings({})
    assert value is None
    assert [warning.source for warning in warnings] == ["amount", "+"]


def test_a_leading_equals_sign_is_tolerated_and_keeps_the_columns() -> None:
    assert feel.evaluate("= 1 + 1") == 2
    with pytest.raises(FeelSyntaxError) as caught:
        feel.evaluate("= 1 +* 2")
    assert (caught.value.line, caught.value.column) == (1, 6)
