"""`value.name`: entries of contexts, of the contexts in a list, and the properties of temporals and ranges.

Source: DMN 1.5, 10.3.2.8 table 53 (properties).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel.environment import Run
from engine.feel.numbers import CONTEXT
from engine.feel.operations import kind_of
from engine.feel.temporal import DAY_NANOS, NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.values import Range


def member(value: Any, name: str, run: Run) -> Any:
    """Return the property of a value; null (with a warning, except of null) where it has none."""
    if isinstance(value, dict):
        if name not in value:
            run.warn(f"没有项 {name} (no such entry)", name)
        return value.get(name)
    if isinstance(value, list):
        run.charge(len(value))
        return [member(item, name, run) for item in value]
    found = _properties.get(type(value), {}).get(name)
    if found is None:
        run.warn(f"{kind_of(value)} 没有属性 {name} (no such property)", name)
        return None
    return found(value)


def _seconds(clock: Time) -> Decimal:
    return CONTEXT.add(Decimal(clock.second), CONTEXT.divide(Decimal(clock.nano), Decimal(NANOS)))


def _offset(offset: int | None) -> DaysDuration | None:
    return None if offset is None else DaysDuration.of_seconds(offset)


def _part(duration: DaysDuration, unit: int, modulo: int | None) -> Decimal:
    amount = abs(duration.nanos) // unit
    if modulo is not None:
        amount %= modulo
    return Decimal(-amount if duration.nanos < 0 else amount)


def _duration_seconds(duration: DaysDuration) -> Decimal:
    rest = abs(duration.nanos) % (60 * NANOS)
    seconds = CONTEXT.divide(Decimal(rest), Decimal(NANOS))
    return -seconds if duration.nanos < 0 and rest else seconds


def _months(duration: MonthsDuration, years: bool) -> Decimal:
    parts = divmod(abs(duration.months), 12)
    amount = parts[0] if years else parts[1]
    return Decimal(-amount if duration.months < 0 else amount)


_date: dict[str, Callable[[Any], Any]] = {
    "year": lambda d: Decimal(d.year),
    "month": lambda d: Decimal(d.month),
    "day": lambda d: Decimal(d.day),
    "weekday": lambda d: Decimal(d.weekday),
}
_time: dict[str, Callable[[Any], Any]] = {
    "hour": lambda t: Decimal(t.hour),
    "minute": lambda t: Decimal(t.minute),
    "second": _seconds,
    "time offset": lambda t: _offset(t.utc_offset),
    "timezone": lambda t: t.zone,
}


def _inner(getter: Callable[[Any], Any], part: Callable[[DateTime], Any]) -> Callable[[Any], Any]:
    return lambda moment: getter(part(moment))


_properties: dict[type, dict[str, Callable[[Any], Any]]] = {
    Date: _date,
    Time: _time,
    DateTime: {
        **{name: _inner(getter, lambda m: m.date) for name, getter in _date.items()},
        **{name: _inner(getter, lambda m: m.time) for name, getter in _time.items()},
        "time offset": lambda m: _offset(m.utc_offset),
    },
    DaysDuration: {
        "days": lambda d: _part(d, DAY_NANOS, None),
        "hours": lambda d: _part(d, 3600 * NANOS, 24),
        "minutes": lambda d: _part(d, 60 * NANOS, 60),
        "seconds": _duration_seconds,
    },
    MonthsDuration: {"years": lambda d: _months(d, True), "months": lambda d: _months(d, False)},
    Range: {
        "start": lambda r: None if r.unequal else r.low,
        "end": lambda r: r.high,
        "start included": lambda r: r.low_closed,
        "end included": lambda r: r.high_closed,
    },
}
