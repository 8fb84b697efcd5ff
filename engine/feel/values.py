"""FEEL's values in Python: None, bool, Decimal, str, list, dict, our temporals, ranges and functions.

Values are never changed once made. What comes from outside goes through `from_python`; what goes out through `to_json`.
"""

from __future__ import annotations

import datetime as python
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.errors import EvaluationFailed
from engine.feel import numbers
from engine.feel.lexer import whole
from engine.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time, timedelta_nanos

if TYPE_CHECKING:
    from engine.feel.environment import Run
    from engine.feel.types import FeelType


class Callable_:  # noqa: N801  (the word `Callable` is Python's)
    """A function value: built in, written in FEEL, a business knowledge model, or a decision service."""

    __slots__ = ()

    @property
    def parameter_types(self) -> tuple[FeelType | None, ...] | None:
        """The types of the parameters (None: any), or None where the number varies."""
        return None

    @property
    def result_type(self) -> FeelType | None:
        """The type of the result, if declared."""
        return None

    def invoke(self, run: Run, arguments: list[Any]) -> Any:
        """Return the result of a call with arguments by position."""
        raise NotImplementedError

    def invoke_named(self, run: Run, arguments: dict[str, Any]) -> Any:
        """Return the result of a call with arguments by name."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is None is open to that side (`< 10` has no low end).

    `unequal` marks the pseudo-range `!= x`, which holds everything but `low`; `undefined` one that was written with
    null as an end, of which nothing can be said.
    """

    low: Any
    high: Any
    low_closed: bool
    high_closed: bool
    unequal: bool = False
    undefined: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        from engine.feel.text import to_text

        if self.unequal:
            return f"!={to_text(self.low, quoted=True)}"
        low = "" if self.low is None and not self.low_closed else to_text(self.low, quoted=True)
        high = "" if self.high is None and not self.high_closed else to_text(self.high, quoted=True)
        return f"{'[' if self.low_closed else '('}{low}..{high}{']' if self.high_closed else ')'}"


NATIVE = frozenset({str, bool, type(None), Date, Time, DateTime, DaysDuration, MonthsDuration, Range})


def from_python(value: Any, lost: list[str] | None = None) -> Any:
    """Return a Python value as FEEL has it; what FEEL has no kind for is null.

    Nothing of a Python object can be reached: only JSON values, temporals and FEEL's own values pass.

    Args:
        value: see the table in `engine.feel`.
        lost: gets the names of the Python types that became null, if given; infinities and not-a-numbers among them.
    Raises:
        EvaluationFailed: nested too deeply, or holding itself.
    """
    try:
        return _from_python(value, lost)
    except RecursionError:
        raise EvaluationFailed("值嵌套太深，或者包含自己 (a value nested too deeply, or holding itself)") from None


def _from_python(value: Any, lost: list[str] | None) -> Any:
    kind = type(value)
    if kind in NATIVE:
        return value
    found: Any = None
    if kind is Decimal or kind is int or kind is float:
        found = numbers.from_python(value)
    elif isinstance(value, str):
        return str.__str__(value)
    elif isinstance(value, Mapping):
        return {_key(key): _from_python(entry, lost) for key, entry in value.items()}
    elif isinstance(value, Callable_):
        return value
    elif isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_from_python(item, lost) for item in value]
    elif isinstance(value, Decimal):
        found = numbers.from_python(value)
    elif isinstance(value, python.datetime):
        return DateTime.from_python(value)
    elif isinstance(value, python.date):
        return Date.from_python(value)
    elif isinstance(value, python.time):
        return Time.from_python(value)
    elif isinstance(value, python.timedelta):
        return DaysDuration(timedelta_nanos(value))
    elif isinstance(value, (int, float)):
        found = numbers.from_python(int(value) if isinstance(value, int) else float(value))
    if found is None and lost is not None:
        lost.append(kind.__name__)
    return found


def _key(key: Any) -> str:
    """Return an entry's name: of a text the text itself, whatever a subclass (an enumeration) shows; of a number its digits."""
    return str.__str__(key) if isinstance(key, str) else str(key)


MAX_DEPTH = 200
MAX_VALUES = 1_000_000
MAX_CHARACTERS = 16_000_000
MAX_INTEGER = 34  # digits; larger ones stay Decimal: Python writes no integer of thousands of digits


class _Size:
    """How much a value may still hold: a small one can be many times a part of a large one, `[x, x]` again and again."""

    __slots__ = ("characters", "values")

    def __init__(self) -> None:
        self.values = MAX_VALUES
        self.characters = MAX_CHARACTERS

    def add(self, count: int) -> None:
        self.values -= count
        if self.values < 0:
            raise EvaluationFailed(f"值多于 {MAX_VALUES} 个，不能存为变量 (too many values to be stored)")

    def text(self, text: str) -> str:
        self.characters -= len(text)
        if self.characters < 0:
            raise EvaluationFailed(f"文本多于 {MAX_CHARACTERS} 个字符，不能存为变量 (too much text to be stored)")
        return whole(text)


def to_json(value: Any) -> Any:
    """Return a FEEL value as JSON: temporals as ISO strings, integral numbers as int, others as Decimal.

    Raises:
        EvaluationFailed: a function or a range, which JSON has no form for; too large, or nested too deeply.
    """
    return _to_json(value, _Size(), 0)


def _to_json(value: Any, size: _Size, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return size.text(value)
    if isinstance(value, Decimal):
        return int(value) if numbers.is_integer(value) and value.adjusted() < MAX_INTEGER else value
    if depth >= MAX_DEPTH:
        raise EvaluationFailed(f"值嵌套超过 {MAX_DEPTH} 层，不能存为变量 (nested too deeply to be stored)")
    if isinstance(value, list):
        size.add(len(value))
        return [_to_json(item, size, depth + 1) for item in value]
    if isinstance(value, dict):
        size.add(len(value))
        return {size.text(_key(key)): _to_json(entry, size, depth + 1) for key, entry in value.items()}
    if isinstance(value, (Date, Time, DateTime, DaysDuration, MonthsDuration)):
        return str(value)
    if isinstance(value, Callable_):
        raise EvaluationFailed("函数不能存为变量 (a function cannot be stored)")
    if isinstance(value, Range):
        raise EvaluationFailed("区间不能存为变量 (a range cannot be stored)")
    converted = from_python(value)
    if converted is None:
        raise EvaluationFailed(f"这种值不能存为变量 (a {type(value).__name__} cannot be stored)")
    return _to_json(converted, size, depth)
