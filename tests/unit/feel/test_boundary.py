"""Between Python and FEEL only values pass: no object can be reached, and what cannot be stored is refused."""

from __future__ import annotations

import datetime as python
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

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


def test_values_as_json() -> None:
    value = feel.evaluate('{a: 1.0, b: 2.50, c: @"2026-01-01", d: @"P1D", e: [@"10:00:00Z", null, true]}')
    stored = feel.to_json(value)
    assert stored == {"a": 1, "b": Decimal("2.50"), "c": "2026-01-01", "d": "P1D", "e": ["10:00:00Z", None, True]}
    assert type(stored["a"]) is int
    assert feel.to_json(python.date(2026, 1, 1)) == "2026-01-01"


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
