"""Between Python and FEEL only values pass: no object can be reached, and what cannot be stored is refused."""

from __future__ import annotations

import datetime as python
from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from engine import feel
from engine.errors import EvaluationFailed


class Secret:
    """An object that no expression may look into."""

    password = "x"


class Lazy(Mapping[str, Any]):
    """A context that says which names were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.asked.append(key)
        if key == "known":
            return 5
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["known"])

    def __len__(self) -> int:
        return 1


def test_python_objects_are_null() -> None:
    context = {"s": Secret(), "m": python, "f": len, "d": {"s": Secret()}, "b": b"bytes"}
    for text in ("s", "s.password", "s.__class__", "m.date", "f([1])", "d.s", "d.__class__", '"".__class__', "b", "(1).real"):
        assert feel.evaluate(text, context) is None


def test_a_lazy_context_is_asked_only_for_what_is_needed() -> None:
    context = Lazy()
    assert feel.compile_expression("if known > 1 then known else other").evaluate(context) == 5
    assert set(context.asked) == {"known"}


def test_contexts_may_hold_any_json() -> None:
    context = {"a": {"b": [1, 2.5, None, True, "x", (1, 2)]}, "n": Decimal("NaN")}
    assert feel.evaluate("a.b", context) == [1, Decimal("2.5"), None, True, "x", [1, 2]]
    assert feel.evaluate("n", context) is None


class Colour(StrEnum):
    """A text that Python shows as another in places."""

    RED = "red"


class Named(str, Enum):  # noqa: UP042  (this is what is tested)
    """The same, of the older kind: `str()` of it is "Named.A"."""

    A = "a"


class Level(IntEnum):
    """A number with a name."""

    LOW = 1


SHANGHAI = ZoneInfo("Asia/Shanghai")
FROM_PYTHON: tuple[tuple[Any, str], ...] = (
    (5, "5"),
    (0.1, "0.1"),
    (-0.0, "0"),
    (Decimal("1.50"), "1.5"),
    (10**40, "10 ** 40"),
    (Colour.RED, '"red"'),
    (Named.A, '"a"'),
    (Level.LOW, "1"),
    (python.date(2026, 1, 2), '@"2026-01-02"'),
    (python.datetime.fromisoformat("2026-01-02T10:00:00"), '@"2026-01-02T10:00:00"'),
    (python.datetime(2026, 1, 2, 10, tzinfo=python.UTC), '@"2026-01-02T10:00:00Z"'),
    (python.datetime(2026, 1, 2, 10, tzinfo=SHANGHAI), '@"2026-01-02T10:00:00@Asia/Shanghai"'),
    (python.datetime(2026, 1, 2, tzinfo=python.timezone(python.timedelta(hours=8))), '@"2026-01-02T00:00:00+08:00"'),
    (python.time(10, 0, 0, 5), '@"10:00:00.000005"'),
    (python.time(10, tzinfo=SHANGHAI), '@"10:00:00@Asia/Shanghai"'),
    (python.timedelta(days=-1, microseconds=3), '@"-PT23H59M59.999997S"'),
    ((1, (2,)), "[1, [2]]"),
    (frozenset({1}), "[1]"),
    (range(2), "[0, 1]"),
    (deque([1]), "[1]"),
    (MappingProxyType({"a": (1,)}), "{a: [1]}"),
    ({1: 2, Named.A: 3}, '{"1": 2, a: 3}'),
)


@pytest.mark.parametrize(("value", "text"), FROM_PYTHON)
def test_python_values_come_in_as_feel_has_them(value: Any, text: str) -> None:
    assert feel.evaluate(f"is(x, {text})", {"x": value}) is True
    assert feel.from_python(value) == feel.evaluate(text)


LOST: tuple[Any, ...] = (b"x", Fraction(1, 3), UUID(int=1), 1j, float("nan"), float("inf"), Decimal("sNaN"), 10**7000, iter([1]))


@pytest.mark.parametrize("value", LOST, ids=[type(value).__name__ for value in LOST])
def test_values_that_feel_has_not_are_null_with_a_warning_that_names_them(value: Any) -> None:
    kind = type(value).__name__
    for place, text in ((value, "x"), ([1, {"a": value}], "x"), (value, "x > 1"), (value, "if x > 1 then 1 else null")):
        result, warnings = feel.compile_expression(text).evaluate_with_warnings({"x": place})
        assert result in (None, [1, {"a": None}])
        assert "x" in warnings[0].message
        assert kind in warnings[0].message


def test_a_value_that_holds_itself_is_refused_by_name() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(EvaluationFailed, match="变量 members"):
        feel.evaluate("count(members)", {"members": loop})
    with pytest.raises(EvaluationFailed):
        feel.from_python(loop)
    with pytest.raises(EvaluationFailed):
        feel.to_json(loop)


def test_what_is_no_expression_no_context_and_no_moment_is_refused() -> None:
    wrong: Any
    for wrong in (None, 5, b"1"):
        with pytest.raises(TypeError, match="表达式应为 str"):
            feel.evaluate(wrong)
        with pytest.raises(TypeError, match="表达式应为 str"):
            feel.unary_test(wrong, 1)
    for wrong in (None, [1], "x"):
        for text in ("x", "x > 1", "1 + 1"):
            with pytest.raises(TypeError, match="Mapping"):
                feel.evaluate(text, wrong)
            with pytest.raises(TypeError, match="Mapping"):
                feel.compile_expression(text).evaluate(wrong)
    for wrong in ("2026-01-01", 5):
        with pytest.raises(TypeError, match="datetime"):
            feel.Environment(now=wrong)


def test_values_as_json() -> None:
    value = feel.evaluate('{a: 1.0, b: 2.50, c: @"2026-01-01", d: @"P1D", e: [@"10:00:00Z", null, true]}')
    stored = feel.to_json(value)
    assert stored == {"a": 1, "b": Decimal("2.50"), "c": "2026-01-01", "d": "P1D", "e": ["10:00:00Z", None, True]}
    assert type(stored["a"]) is int
    assert feel.to_json(python.date(2026, 1, 1)) == "2026-01-01"
    assert feel.to_json({1: (2, 1.5)}) == {"1": [2, Decimal("1.5")]}


@pytest.mark.parametrize("text", ["function(a) a", "[1..2]", "{a: abs}", "[(< 5)]"])
def test_functions_and_ranges_cannot_be_stored(text: str) -> None:
    with pytest.raises(EvaluationFailed):
        feel.to_json(feel.evaluate(text))


def test_objects_cannot_be_stored() -> None:
    with pytest.raises(EvaluationFailed):
        feel.to_json(Secret())


PATHS = (
    "__class__",
    "__dict__",
    "__init__.__globals__",
    "__subclasses__()",
    "_compiled",
    "parameters",
    "invoke",
    "real",
    "nanos",
)
VALUES = (
    "1",
    '"a"',
    "true",
    "null",
    "[1]",
    "{a: 1}",
    "[1..2]",
    '@"2026-11-20"',
    '@"P1D"',
    "abs",
    "function(x) x",
    "(< 5)",
    "now()",
)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("path", PATHS)
def test_no_attribute_of_a_value_can_be_reached(value: str, path: str) -> None:
    assert feel.evaluate(f"({value}).{path}") in (None, [], [None])


FORMATS = (
    '"{0.__class__}"',
    '"%s %(a)s"',
    'replace("a", "a", "{0.__class__}")',
    'string join(["{0}", "{}"], "")',
    '"${jndi:x}`id`"',
)


@pytest.mark.parametrize("text", FORMATS)
def test_texts_with_the_look_of_formats_stay_as_they_are(text: str) -> None:
    assert feel.evaluate(text) in ("{0.__class__}", "%s %(a)s", "{0}{}", "${jndi:x}`id`")


PYTHON = (
    'get value({}, "__class__")',
    'get value(abs, "__globals__")',
    "get entries(function(x) x)",
    'context put({}, "a", 1).__class__.__mro__',
    '{"__class__": 1}.__class__.__class__',
    "for i in abs return i.__class__",
    "sort([1, 2], now).__class__",
    '(function(x) external {java: {class: "os", "method signature": "system(str)"}})("id")',
    "__import__",
    '__import__("os")',
    'eval("1")',
    'open("/etc/passwd")',
    "abs.__call__(1)",
)


@pytest.mark.parametrize("text", PYTHON)
def test_nothing_of_python_comes_out(text: str) -> None:
    assert feel.evaluate(text) in (None, [None])


@pytest.mark.parametrize("text", ["abs", "{f: function(x) x}.f", "[sum, abs]", "{a: {b: now}}"])
def test_functions_stay_inside(text: str) -> None:
    value = feel.evaluate(text)
    with pytest.raises(EvaluationFailed):
        feel.to_json(value)
    assert "0x" not in feel.to_text(value)
    assert "engine" not in feel.to_text(value)
