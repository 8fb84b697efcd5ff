"""Built-in functions: each line is a call and an expression with the same value (DMN 1.5, 10.3.4; Camunda 8)."""

from __future__ import annotations

import pytest

from engine import feel

SAME = r"""
substring("foobar", 3)                                   | "obar"
substring("foobar", -2, 1)                               | "a"
substring("foobar", 0)                                   | null
substring(string: "abc", start position: 2)              | "bc"
string length("测试")                                    | 2
upper case("aBc4")                                       | "ABC4"
substring before("foobar", "bar")                        | "foo"
substring after("foobar", "xyz")                         | ""
substring after("foobar", "")                            | "foobar"
contains("foobar", "of")                                 | false
starts with("foobar", "fo")                              | true
ends with("foobar", "r")                                 | true
split("John Doe", "\s")                                  | ["John", "Doe"]
split("a;b;c;;", ";")                                    | ["a", "b", "c", "", ""]
string join(["a", "b", null, "c"], "_and_")              | "a_and_b_and_c"
string join(["a", "b"], ",", "<", ">")                   | "<a,b>"
string join([1], "")                                     | null
trim("  a ")                                             | "a"
is blank(" ")                                            | true
extract("references are 1234, 1256", "12[0-9]*")         | ["1234", "1256"]
to base64("FEEL")                                        | "RkVFTA=="
string(1.10)                                             | "1.1"
string(null)                                             | null
string([1, "a", {b: @"2020-01-01"}])                     | "[1, \"a\", {b: 2020-01-01}]"
number("1 000,00", " ", ",")                             | 1000
number("1.000", ".", ".")                                | null
number("1e3")                                            | 1000
number("abc")                                            | null
list contains([1, null], null)                           | true
count(null)                                              | null
count([null])                                            | 1
min("a", "b")                                            | "a"
max([@"2020-01-02", @"2020-01-01"])                      | @"2020-01-02"
min([1, "a"])                                            | null
sum([0.1, 0.2])                                          | 0.3
sum([])                                                  | null
sum([@"P1D", @"PT1H"])                                   | @"P1DT1H"
mean(1, 2, 3)                                            | 2
median([8, 2, 5, 3])                                     | 4
stddev([2, 4, 7, 5])                                     | 2.081665999466132735282297706979931
mode([6, 1, 9, 6, 1])                                    | [1, 6]
product([2, 3, 4])                                       | 24
all([true, null])                                        | null
all([])                                                  | true
any([false, true, null])                                 | true
any("x")                                                 | null
sublist([4, 5, 6], 1, 2)                                 | [4, 5]
sublist([4, 5, 6], -2)                                   | [5, 6]
append([1], 2, 3)                                        | [1, 2, 3]
concatenate([1, 2], [3])                                 | [1, 2, 3]
insert before([1, 3], 1, 2)                              | [2, 1, 3]
remove([1, 2, 3], -1)                                    | [1, 2]
list replace([2, 4, 7], 2, 9)                            | [2, 9, 7]
list replace([2, 4, 7], function(item, newItem) item < newItem, 5) | [5, 5, 7]
reverse([1, 2, 3])                                       | [3, 2, 1]
index of([1, 2, 3, 2], 2)                                | [2, 4]
union([1, 2], [2, 3])                                    | [1, 2, 3]
distinct values([1, 2, 1, null, null, [1], [1]])         | [1, 2, null, [1]]
duplicate values([1, 2, 1, 2, 1])                        | [1, 2]
flatten([[1, 2], [[3]], 4])                              | [1, 2, 3, 4]
sort([3, 1, 2])                                          | [1, 2, 3]
sort([{n: 2}, {n: 1}], function(x, y) x.n < y.n)         | [{n: 1}, {n: 2}]
sort([1, "a"])                                           | null
is empty([])                                             | true
partition([1, 2, 3, 4, 5], 2)                            | [[1, 2], [3, 4], [5]]
decimal(2.5, 0)                                          | 2
decimal(1/3, 2)                                          | 0.33
round half up(-5.125, 2)                                 | -5.13
round half down(5.125, 2)                                | 5.12
round up(5.121, 2)                                       | 5.13
round down(-5.129, 2)                                    | -5.12
floor(-1.5)                                              | -2
ceiling(1.11, 1)                                         | 1.2
round up(1e-50, 2)                                       | 0.01
abs(@"-P1Y")                                             | @"P1Y"
modulo(-12, 5)                                           | 3
modulo(10.1, -4.5)                                       | -3.4
modulo(1, 0)                                             | null
sqrt(-1)                                                 | null
sqrt(16)                                                 | 4
log(1)                                                   | 0
exp(0)                                                   | 1
odd(5)                                                   | true
even(1.5)                                                | false
not(1)                                                   | null
get value({key: 1}, "key")                               | 1
get value({a: {b: 1}}, ["a", "b"])                       | 1
get value({a: 1}, [["a"]])                               | null
get entries({a: 1})                                      | [{key: "a", value: 1}]
context put({x: {y: 0}}, ["x", "y"], 2)                  | {x: {y: 2}}
context put({x: 1}, "y", 2)                              | {x: 1, y: 2}
context merge([{x: 1}, {x: 2, y: 3}])                    | {x: 2, y: 3}
context([{key: "a", value: 1}])                          | {a: 1}
context([{key: "a", value: 1}, {key: "a", value: 2}])    | null
is defined(null)                                         | false
get or else(null, 1)                                     | 1
from json("{\"a\": [1, 2.50, null]}")                    | {a: [1, 2.5, null]}
from json("{")                                           | null
to json({a: [1, "x"], b: @"2020-01-01"})                 | "{\"a\":[1,\"x\"],\"b\":\"2020-01-01\"}"
before(1, 10)                                            | true
before([1..5), [5..10])                                  | true
after((5..10], 5)                                        | true
meets([1..5], [5..10])                                   | true
met by([5..10], [1..5))                                  | false
overlaps([1..5], [5..8])                                 | true
overlaps([1..5], (5..8])                                 | false
overlaps before([1..5], (1..5])                          | true
overlaps before([1..5), [1..5])                          | false
overlaps after([3..8], [1..5])                           | true
finishes(10, [1..10])                                    | true
finishes([5..10], [1..10])                               | true
finished by([1..10], (5..10])                            | true
includes([1..10], 5)                                     | true
includes((< 10), 5)                                      | true
includes([1..10], [1..10))                               | true
during((1..10), [1..10])                                 | true
starts([1..5], [1..10])                                  | true
started by([1..10], 1)                                   | true
coincides([1..5], [1..5))                                | false
before("a", 1)                                           | null
range("[1..5)")                                          | [1..5)
range("[\"a\"..\"c\"]")                                  | ["a".."c"]
range("[5..1]")                                          | null
range("1")                                               | null
is(@"10:00:00Z", @"10:00:00+00:00")                      | true
is(@"10:00:00Z", @"10:00:00")                            | false
abs()                                                    | null
abs(x: 1)                                                | null
no such function(1)                                      | null
"""


@pytest.mark.parametrize("line", SAME.strip().splitlines())
def test_call_has_the_value(line: str) -> None:
    call, expected = line.rsplit(" | ", 1)
    value, wanted = feel.evaluate(call), feel.evaluate(expected)
    assert value == wanted
    assert type(value) is type(wanted)


def test_random_values_come_from_the_environment() -> None:
    environment = feel.Environment(random_bits=lambda bits: (1 << bits) - 1)
    assert feel.evaluate("uuid()", {}, environment) == "ffffffff-ffff-4fff-bfff-ffffffffffff"
    assert 0 < feel.evaluate("random number()", {}, environment) < 1


def test_function_names_are_offered() -> None:
    assert {"add working days", "get or else", "substring before"} <= feel.function_names()
