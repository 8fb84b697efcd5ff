"""What `for`, `some` and `every` go through: lists, ranges of numbers and of days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from engine.feel.numbers import is_integer
from engine.feel.operations import kind_of
from engine.feel.scope import Scope
from engine.feel.temporal import Date
from engine.feel.values import Range

Compiled = Callable[[Scope], Any]
Level = tuple[str, Compiled, Compiled | None]


class NotIterable(Exception):
    """A value that cannot be gone through."""


def iterate(levels: tuple[Level, ...], scope: Scope) -> Iterator[Scope]:
    """Yield a scope for every combination of the iterators' values, the last iterator running fastest."""
    (name, source, end), *rest = levels
    run = scope.run
    values = items_of(source(scope)) if end is None else sequence(source(scope), end(scope))
    for value in values:
        run.charge()
        inner = Scope({name: value}, scope, run)
        if rest:
            yield from iterate(tuple(rest), inner)
        else:
            yield inner


def items_of(value: Any) -> Iterable[Any]:
    """Return what `in value` goes through."""
    if isinstance(value, list):
        return value
    if isinstance(value, Range):
        return _range_items(value)
    if value is None:
        raise NotIterable("不能遍历 null (null cannot be iterated)")
    return (value,)


def _range_items(interval: Range) -> Iterable[Any]:
    low, high = interval.low, interval.high
    if isinstance(low, Decimal) and isinstance(high, Decimal) and is_integer(low) and is_integer(high):
        first, last = int(low) + (not interval.low_closed), int(high) - (not interval.high_closed)
        return (Decimal(number) for number in range(first, last + 1))
    if isinstance(low, Date) and isinstance(high, Date):
        first, last = low.days + (not interval.low_closed), high.days - (not interval.high_closed)
        return (Date.from_days(day) for day in range(first, last + 1))
    raise NotIterable("这个区间不能遍历 (this range cannot be iterated)")


def sequence(first: Any, last: Any) -> Iterable[Any]:
    """Return the whole numbers, or days, from first to last, upward or downward."""
    if isinstance(first, Decimal) and isinstance(last, Decimal) and is_integer(first) and is_integer(last):
        start, end = int(first), int(last)
        step = 1 if start <= end else -1
        return (Decimal(number) for number in range(start, end + step, step))
    if isinstance(first, Date) and isinstance(last, Date):
        start, end = first.days, last.days
        step = 1 if start <= end else -1
        return (Date.from_days(day) for day in range(start, end + step, step))
    raise NotIterable(f"{kind_of(first)}..{kind_of(last)} 不能遍历 (cannot be iterated)")
