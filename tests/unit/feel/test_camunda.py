"""What Camunda 8 documents beside the standard: each line is a call and an expression with the same value.

Source: Camunda 8 documentation, FEEL → built-in functions (boolean, string, numeric, list, context, temporal, range, conversion).
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine import feel
from engine.errors import EvaluationFailed

SAME = r"""
not(true)                                                        | false
not(negand: null)                                                | null
is defined(1)                                                    | true
is defined(value: null)                                          | false
is defined(no such variable)                                     | false
is defined({a: 1}.b)                                             | false
get or else("this", "default")                                   | "this"
get or else(value: null, default: "default")                     | "default"
get or else(null, null)                                          | null
assert(1, 1 > 0)                                                 | 1
assert(value: 1, condition: true, cause: "never")                | 1
substring(string: "foobar", start position: -2, length: 1)       | "a"
string length(string: "foo")                                     | 3
upper case(string: "aBc4")                                       | "ABC4"
lower case(string: "aBc4")                                       | "abc4"
substring before(string: "foobar", match: "bar")                 | "foo"
substring after(string: "foobar", match: "ob")                   | "ar"
contains(string: "foobar", match: "of")                          | false
starts with(string: "foobar", match: "fo")                       | true
ends with(string: "foobar", match: "r")                          | true
matches(input: "foobar", pattern: "^fo*bar")                     | true
matches("FooBar", "foo", "i")                                    | true
matches(input: "a\nb", pattern: "a.b", flags: "s")               | true
matches("a\nb", "^b$", "m")                                      | true
matches("helloworld", "hello world", "x")                        | true
replace(input: "abcd", pattern: "(ab)|(a)", replacement: "[1=$1][2=$2]") | "[1=ab][2=]cd"
replace(input: "ABC", pattern: "b", replacement: "-", flags: "i") | "A-C"
replace("0123456789", "(\d{3})(\d{3})(\d{4})", "($1) $2-$3")     | "(012) 345-6789"
split(string: "John Doe", delimiter: "\s")                       | ["John", "Doe"]
extract(string: "references are 1234, 1256, 1378", pattern: "12[0-9]*") | ["1234", "1256"]
extract("abc", "x")                                              | []
trim(string: "  hello world  ")                                  | "hello world"
string length(uuid())                                            | 36
to base64(value: "FEEL")                                         | "RkVFTA=="
to base64("病例")                                                | "55eF5L6L"
from base64(value: "55eF5L6L")                                   | "病例"
from base64("no base64!")                                        | null
is blank(string: " \t\n")                                        | true
is blank("hello")                                                | false
string join(list: ["a", "b", "c"])                               | "abc"
string join(list: ["a", "b"], delimiter: ", ")                   | "a, b"
string join(list: ["a", "b"], delimiter: ", ", prefix: "<", suffix: ">") | "<a, b>"
string join(["a", null, "c"], "-", "", "")                       | "a-c"
decimal(n: 1/3, scale: 2)                                        | 0.33
floor(n: 1.5)                                                    | 1
ceiling(n: -1.5, scale: 0)                                       | -1
round half up(n: 5.5, scale: 0)                                  | 6
round half down(n: 5.5, scale: 0)                                | 5
abs(n: -5)                                                       | 5
abs(n: duration("-PT5H"))                                        | duration("PT5H")
modulo(dividend: 12, divisor: 5)                                 | 2
sqrt(number: 16)                                                 | 4
decimal(log(number: 10), 8)                                      | 2.30258509
decimal(exp(number: 5), 8)                                       | 148.41315910
odd(number: 5)                                                   | true
even(number: 5)                                                  | false
random number() in [0..1)                                        | true
list contains(list: [1, 2, 3], element: 2)                       | true
count(list: [1, 2, 3])                                           | 3
min(list: [1, 2, 3])                                             | 1
max(1, 2, 3)                                                     | 3
sum(list: [1, 2, 3])                                             | 6
product(list: [2, 3, 4])                                         | 24
mean(list: [1, 2, 3])                                            | 2
median(list: [6, 1, 2, 3])                                       | 2.5
stddev(2, 4, 7, 5)                                               | 2.081665999466132735282297706979931
mode(list: [6, 3, 9, 6, 6])                                      | [6]
all(list: [true, false])                                         | false
any(list: [false, true])                                         | true
sublist(list: [1, 2, 3], start position: 1, length: 2)           | [1, 2]
append(list: [1], items: 2)                                      | [1, 2]
append([1], 2, 3)                                                | [1, 2, 3]
concatenate([1], [2], [3])                                       | [1, 2, 3]
insert before(list: [1, 3], position: 1, newItem: 2)             | [2, 1, 3]
remove(list: [1, 2, 3], position: 2)                             | [1, 3]
reverse(list: [1, 2, 3])                                         | [3, 2, 1]
index of(list: [1, 2, 3, 2], match: 2)                           | [2, 4]
union([1, 2], [2, 3])                                            | [1, 2, 3]
distinct values(list: [1, 2, 3, 2, 1])                           | [1, 2, 3]
duplicate values(list: [1, 2, 3, 2, 1])                          | [1, 2]
duplicate values([1, 2])                                         | []
flatten(list: [[1, 2], [[3]], 4])                                | [1, 2, 3, 4]
sort(list: [3, 1, 2], precedes: function(x, y) x < y)            | [1, 2, 3]
is empty(list: [])                                               | true
is empty([1])                                                    | false
partition(list: [1, 2, 3, 4, 5], size: 2)                        | [[1, 2], [3, 4], [5]]
partition([], 2)                                                 | []
partition([1], 0)                                                | null
context(entries: [{"key": "a", "value": 1}, {"key": "b", "value": 2}]) | {a: 1, b: 2}
get value(context: {foo: 123}, key: "foo")                       | 123
get value({a: 1}, "b")                                           | null
get value(context: {x: 1, y: {z: 0}}, keys: ["y", "z"])          | 0
get value({x: 1}, ["y", "z"])                                    | null
get entries(context: {foo: 123})                                 | [{key: "foo", value: 123}]
context put(context: {x: 1}, key: "y", value: 2)                 | {x: 1, y: 2}
context put(context: {x: 1, y: {z: 0}}, keys: ["y", "z"], value: 2) | {x: 1, y: {z: 2}}
context put({x: 1}, ["y", "z"], 2)                               | {x: 1, y: {z: 2}}
context merge(contexts: [{x: 1}, {y: 2}])                        | {x: 1, y: 2}
context merge([{x: 1, y: 0}, {y: 2}])                            | {x: 1, y: 2}
context merge({x: 1}, {y: 2}, {x: 3})                            | {x: 3, y: 2}
put({x: 1}, "y", 2)                                              | {x: 1, y: 2}
put all({x: 1}, {y: 2})                                          | {x: 1, y: 2}
put all([{x: 1}, {y: 2}])                                        | {x: 1, y: 2}
day of week(date: date("2019-09-17"))                            | "Tuesday"
day of year(date: date("2019-09-17"))                            | 260
week of year(date: date("2019-09-17"))                           | 38
month of year(date: date("2019-09-17"))                          | "September"
last day of month(date: date("2022-10-01"))                      | date("2022-10-31")
last day of month(date and time("2024-02-16T12:00:00"))          | date("2024-02-29")
string(from: 1.1)                                                | "1.1"
string(date("2012-12-25"))                                       | "2012-12-25"
string({a: [1, "b", null]})                                      | "{a: [1, \"b\", null]}"
number(from: "1500.5")                                           | 1500.5
number("1 500", " ")                                             | 1500
number(from: "1,500", grouping separator: ",")                   | 1500
number(from: "1 500,5", grouping separator: " ", decimal separator: ",") | 1500.5
date(from: "2018-04-29")                                         | @"2018-04-29"
date(from: date and time("2012-12-25T11:00:00"))                 | @"2012-12-25"
date(year: 2012, month: 12, day: 25)                             | @"2012-12-25"
time(from: "12:00:00")                                           | @"12:00:00"
time(from: date and time("2012-12-25T11:00:00"))                 | @"11:00:00"
time(hour: 14, minute: 30, second: 0, offset: duration("PT1H"))  | @"14:30:00+01:00"
date and time(from: "2018-04-29T09:30:00")                       | @"2018-04-29T09:30:00"
date and time(date: date("2012-12-24"), time: time("23:59:00"))  | @"2012-12-24T23:59:00"
date and time(date: date and time("2012-12-25T11:00:00"), time: time("23:59:00")) | @"2012-12-25T23:59:00"
string(date and time(date: @"2020-07-31T14:27:30@Europe/Berlin", timezone: "Asia/Tokyo")) | "2020-07-31T21:27:30@Asia/Tokyo"
date and time(@"2020-07-31T14:27:30", "no zone")                 | null
duration(from: "P5D")                                            | @"P5D"
years and months duration(from: date("2011-12-22"), to: date("2013-08-24")) | @"P1Y8M"
from json(value: "{\"a\": 1, \"b\": [true, null, 2.5]}")         | {a: 1, b: [true, null, 2.5]}
from json("\"text\"")                                            | "text"
from json("[1, 2")                                               | null
to json(value: {a: 1, b: [true, null, "x"]})                     | "{\"a\":1,\"b\":[true,null,\"x\"]}"
to json(@"2023-06-14")                                           | "\"2023-06-14\""
before(point1: 1, point2: 10)                                    | true
after(range: [1..5], point: 10)                                  | false
before(point: 1, range: [2..5])                                  | true
before(range1: [1..5], range2: [6..10])                          | true
meets(range1: [1..5], range2: [5..10])                           | true
met by(range1: [5..10], range2: [1..5])                          | true
overlaps(range1: [5..10], range2: [1..6])                        | true
overlaps before(range1: [1..5], range2: [4..10])                 | true
overlaps after(range1: [4..10], range2: [1..5])                  | true
finishes(point: 5, range: [1..5])                                | true
finished by(range: [5..10], point: 10)                           | true
includes(range: [5..10], point: 6)                               | true
during(point: 5, range: [1..10])                                 | true
starts(point: 1, range: [1..5])                                  | true
started by(range: [1..10], point: 1)                             | true
coincides(range1: [1..5], range2: [1..5])                        | true
coincides(point1: 5, point2: 5)                                  | true
{`first name`: "Li"}.`first name`                                | "Li"
{`a+b`: 1, c: `a+b` + 1}.c                                       | 2
[{`a-b`: 1}, {`a-b`: 2}][`a-b` = 2].`a-b`                        | [2]
(function(`the x`) `the x` * 2)(3)                               | 6
for `the x` in [1, 2] return `the x` + 1                         | [2, 3]
null.a                                                           | null
{a: null}.a.b                                                    | null
1 < null                                                         | null
null = null                                                      | true
if null then 1 else 2                                            | 2
"a" + null                                                       | null
true and null                                                    | null
false and null                                                   | false
1 / 0                                                            | null
[1, 2, 3][5]                                                     | null
"""


@pytest.mark.parametrize("line", SAME.strip().splitlines())
def test_call_has_the_value(line: str) -> None:
    call, expected = (part.strip() for part in line.rsplit(" | ", 1))
    value, wanted = feel.evaluate(call), feel.evaluate(expected)
    assert value == wanted
    assert type(value) is type(wanted)


def test_the_present_comes_from_the_surroundings() -> None:
    surroundings = feel.Environment(now=datetime(2026, 11, 20, 17, 30, tzinfo=UTC), time_zone="Asia/Shanghai")
    assert feel.evaluate("string(now())", {}, surroundings) == "2026-11-21T01:30:00@Asia/Shanghai"
    assert feel.evaluate("string(today())", {}, surroundings) == "2026-11-21"


def test_assertions_say_why() -> None:
    with pytest.raises(EvaluationFailed, match="没有金额"):
        feel.evaluate('assert(x, x > 0, "没有金额")', {"x": -1})
    with pytest.raises(EvaluationFailed, match="assertion"):
        feel.evaluate("assert(value: x, condition: is defined(x))")


def test_names_in_back_quotes_are_variables() -> None:
    assert feel.compile_expression("`first name` = x").names == {"first name", "x"}
    assert feel.evaluate("`first name` + `if`", {"first name": "a", "if": "b"}) == "ab"
    assert feel.unary_test("`low limit`", 5, {"low limit": 5}) is True
