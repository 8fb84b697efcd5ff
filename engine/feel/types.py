"""FEEL's types: what `instance of` asks, what typed parameters and DMN's item definitions demand.

Source: DMN 1.5, 10.3.2.9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.values import Callable_, Range


class FeelType:
    """Base of types."""

    __slots__ = ()

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type (null is not, except of Any and Null)."""
        raise NotImplementedError


_python: dict[str, tuple[type, ...]] = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "days and time duration": (DaysDuration,),
    "years and months duration": (MonthsDuration,),
    "duration": (DaysDuration, MonthsDuration),
    "list": (list,),
    "context": (dict,),
    "function": (Callable_,),
    "range": (Range,),
    "Null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Simple(FeelType):
    """A type without parts."""

    name: str

    def accepts(self, value: Any) -> bool:
        if self.name == "Any":
            return True
        return isinstance(value, _python[self.name])

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType(FeelType):
    """`list<item>`."""

    item: FeelType

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list) and all(accepts_or_null(self.item, item) for item in value)

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class ContextType(FeelType):
    """`context<name: type, …>`: at least these entries."""

    entries: tuple[tuple[str, FeelType], ...]

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict) and all(
            name in value and accepts_or_null(kind, value[name]) for name, kind in self.entries
        )

    def __str__(self) -> str:
        return "context<" + ", ".join(f"{name}: {kind}" for name, kind in self.entries) + ">"


@dataclass(frozen=True, slots=True)
class FunctionType(FeelType):
    """`function<parameters> -> result`."""

    parameters: tuple[FeelType, ...]
    result: FeelType

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, Callable_):
            return False
        kinds = value.parameter_types
        if kinds is None or len(kinds) != len(self.parameters):
            return False
        fits = all(conforms(mine, kind or ANY) for mine, kind in zip(self.parameters, kinds, strict=True))
        return fits and (value.result_type is None or conforms(value.result_type, self.result))

    def __str__(self) -> str:
        return "function<" + ", ".join(map(str, self.parameters)) + f"> -> {self.result}"


@dataclass(frozen=True, slots=True)
class RangeType(FeelType):
    """`range<item>`."""

    item: FeelType

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, Range):
            return False
        return all(end is None or self.item.accepts(end) for end in (value.low, value.high))

    def __str__(self) -> str:
        return f"range<{self.item}>"


@dataclass(frozen=True, slots=True, eq=False)
class Restricted(FeelType):
    """An item definition: a base type, and perhaps a test that its values pass (allowed values).

    The base may be set later, because item definitions refer to each other.
    """

    name: str
    base: list[FeelType] = field(default_factory=list)
    test: list[Callable[[Any], bool]] = field(default_factory=list)

    def accepts(self, value: Any) -> bool:
        return all(base.accepts(value) for base in self.base) and all(test(value) for test in self.test)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Unknown(FeelType):
    """A name that is no type; nothing is of it."""

    name: str

    def accepts(self, value: Any) -> bool:
        return False

    def __str__(self) -> str:
        return self.name


ANY = Simple("Any")
SIMPLE: Mapping[str, FeelType] = {
    **{name: Simple(name) for name in (*_python, "Any")},
    "dateTime": Simple("date and time"),
    "dayTimeDuration": Simple("days and time duration"),
    "yearMonthDuration": Simple("years and months duration"),
    "any": ANY,
}


def accepts_or_null(kind: FeelType, value: Any) -> bool:
    """Tell whether a value is of a type or null (null conforms to every type)."""
    return value is None or kind.accepts(value)


def plain(kind: FeelType) -> FeelType:
    """Return a type without the name and restriction of its item definition."""
    while isinstance(kind, Restricted) and kind.base:
        kind = kind.base[0]
    return kind


def conforms(kind: FeelType, to: FeelType) -> bool:
    """Tell whether every value of `kind` is one of `to` (DMN 1.5, 10.3.2.9.2), as far as types without values show."""
    kind, to = plain(kind), plain(to)
    if to == ANY or kind == to or kind == SIMPLE["Null"]:
        return True
    if isinstance(kind, ListType):
        return to == SIMPLE["list"] or (isinstance(to, ListType) and conforms(kind.item, to.item))
    if isinstance(kind, RangeType):
        return to == SIMPLE["range"] or (isinstance(to, RangeType) and conforms(kind.item, to.item))
    if isinstance(kind, ContextType):
        if to == SIMPLE["context"]:
            return True
        mine = dict(kind.entries)
        return isinstance(to, ContextType) and all(n in mine and conforms(mine[n], k) for n, k in to.entries)
    if isinstance(kind, FunctionType):
        if to == SIMPLE["function"]:
            return True
        return (
            isinstance(to, FunctionType)
            and len(kind.parameters) == len(to.parameters)
            and all(conforms(theirs, mine) for mine, theirs in zip(kind.parameters, to.parameters, strict=True))
            and conforms(kind.result, to.result)
        )
    return False


def coerce(value: Any, kind: FeelType) -> tuple[Any, bool]:
    """Return a value as a type wants it, and whether it could be had (else the value is null).

    A list of one item becomes the item, an item becomes a list of one, a date the midnight (UTC) of a date and time
    (DMN 1.5, 10.3.2.9.4).
    """
    if value is None or kind.accepts(value):
        return value, True
    target = plain(kind)
    if isinstance(value, list) and len(value) == 1 and not isinstance(target, ListType):
        only = value[0]
        if only is not None and kind.accepts(only):
            return only, True
    if isinstance(target, ListType) and not isinstance(value, list):
        listed = [value]
        if kind.accepts(listed):
            return listed, True
    if isinstance(value, Date) and target == SIMPLE["date and time"]:
        return DateTime(value, Time(0, 0, 0, 0, 0)), True
    return None, False
