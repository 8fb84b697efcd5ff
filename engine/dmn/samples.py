"""Sample values that tell the tests of a table's column apart.

Each literal in a column's cells is an end of an interval or a value: the samples are these, one between every two
neighbours, one beyond each side; for strings those that occur, and one that does not; both truth values. What the column
may not be (its type, its allowed values) is left out. Every sample is a real input: a rule that is seen to match it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.dmn.elements import Text
from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.compiler import Compiler, Frame
from engine.feel.environment import Run
from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.operations import compare
from engine.feel.parser import Parser
from engine.feel.scope import Scope
from engine.feel.temporal import DAY_NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.tree import children, mentions
from engine.feel.types import FeelType, Simple, plain

OTHER = "（其他）"
ORDERED = (Decimal, Date, DateTime, Time, DaysDuration, MonthsDuration)
_CONSTRUCTORS = frozenset({"date", "time", "date and time", "duration"})
_KINDS = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "date": (Date,),
    "date and time": (DateTime,),
    "time": (Time,),
    "days and time duration": (DaysDuration,),
    "years and months duration": (MonthsDuration,),
}
# what these say changes with the moment, the people, the working days, or chance
_CHANGING = frozenset(
    {
        "now", "today", "random number", "uuid", "user", "users in group", "add working days", "working days between",
        "is working day",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell's text shows.

    Attributes:
        values: the literals in it.
        compared: those of them that the input itself is compared with (`5`, `< 5`, `[1..5]`).
        certain: whether its answer hangs on the input alone, and not on variables, the moment, or people.
    """

    values: tuple[Any, ...]
    compared: tuple[Any, ...]
    certain: bool


def cell_of(text: Text | None, names: tuple[str, ...] = ("?",)) -> Cell:
    """Return what a cell shows; of one that cannot be read: nothing certain."""
    if text is None or text.source.strip() in ("", "-"):
        return Cell((), (), True)
    try:
        tests = Parser(text.source, built_in=BUILT_IN_NAMES).unary_tests_only()
    except FeelSyntaxError:
        return Cell((), (), False)
    values: list[Any] = []
    plain_only = True
    pending: list[n.Node] = [*tests.tests]
    while pending:
        node = pending.pop()
        known = _value(node)
        if known is not None:
            values.append(known[0])
            continue
        plain_only = plain_only and isinstance(node, (n.Bound, n.Interval))
        pending.extend(children(node))
    compared = [known[0] for test in tests.tests for part in _operands(test) if (known := _value(part)) is not None]
    return Cell(tuple(values), tuple(compared), plain_only or _hangs_on_input(tests, names))


def _hangs_on_input(tests: n.Tests, names: tuple[str, ...]) -> bool:
    compiler = Compiler()
    compiler.frames.append(Frame(names))
    compiler.tests(tests)
    if compiler.free or compiler.maybe:
        return False
    return not any(mentions(test, name) for test in tests.tests for name in _CHANGING)


def comparable(value: Any, kind: FeelType) -> bool:
    """Tell whether a literal can be compared with inputs of a type."""
    target = plain(kind)
    kinds = _KINDS.get(target.name) if isinstance(target, Simple) else None
    return kinds is None or isinstance(value, kinds)


def samples_of(cells: Iterable[Cell], allowed: Iterable[Cell], kind: FeelType | None) -> list[Any]:
    """Return samples for a column, in order; some that it may not be can be among them.

    Args:
        cells: of the column.
        allowed: what its values may be, as cells.
        kind: its declared type.
    """
    found = [value for cell in cells for value in cell.values] + [value for cell in allowed for value in cell.values]
    target = None if kind is None else plain(kind)
    kinds: Any = _KINDS.get(target.name) if isinstance(target, Simple) else None
    if kinds is not None:
        found = [value for value in found if value is None or isinstance(value, kinds)]
    samples: list[Any] = [None] if None in found else []
    if kinds == (bool,) or any(isinstance(value, bool) for value in found):
        samples += [True, False]
    for one in ORDERED:
        ends = [value for value in found if type(value) is one]
        if ends:
            samples += _around(ends)
    texts = [value for value in found if isinstance(value, str)]
    if texts or kinds == (str,):
        samples += [*dict.fromkeys(texts), OTHER]
    return samples


def _operands(test: n.Node) -> Iterator[n.Node]:
    if isinstance(test, n.Bound):
        yield test.operand
    elif isinstance(test, n.Interval):
        yield from (end for end in (test.low, test.high) if end is not None)
    else:
        yield test


def _value(node: n.Node) -> tuple[Any] | None:
    """Return the value of a literal, of a negative number, or of a temporal constructor of literals."""
    if isinstance(node, n.Literal):
        return (node.value,)
    negative = isinstance(node, n.Negate) and isinstance(node.operand, n.Literal)
    call = isinstance(node, n.Call) and isinstance(node.callee, n.Name) and node.callee.name in _CONSTRUCTORS
    if negative or (call and all(isinstance(argument, n.Literal) for argument in getattr(node, "arguments", ()))):
        return (Compiler().compile(node)(Scope({}, None, Run())),)
    return None


def _around(ends: list[Any]) -> Iterator[Any]:
    """Yield ends in order, a value between every two, and one beyond each side."""
    ordered: list[Any] = []
    for end in sorted(ends, key=cmp_to_key(lambda a, b: compare(a, b) or 0)):
        if not ordered or compare(ordered[-1], end) != 0:
            ordered.append(end)
    yield from _shifted(ordered[0], -1)
    for position, end in enumerate(ordered):
        yield end
        if position + 1 < len(ordered):
            yield from _between(end, ordered[position + 1])
    yield from _shifted(ordered[-1], 1)


def _shifted(value: Any, sign: int) -> Iterator[Any]:
    if isinstance(value, Decimal):
        yield value + sign
    elif isinstance(value, Date):
        yield value.plus_days(sign)
    elif isinstance(value, DateTime):
        yield value.plus(sign * DAY_NANOS)
    elif isinstance(value, DaysDuration):
        yield DaysDuration(value.nanos + sign * DAY_NANOS)
    elif isinstance(value, MonthsDuration):
        yield MonthsDuration(value.months + sign)
    elif isinstance(value, Time) and 0 < value.nanos < DAY_NANOS - 1:
        yield Time.of_nanos(0 if sign < 0 else DAY_NANOS - 1, value.offset, value.zone)


def _between(low: Any, high: Any) -> Iterator[Any]:
    if isinstance(low, Decimal):
        middle = (low + high) / 2
        whole = middle.to_integral_value()
        yield whole if low < whole < high else middle
    elif isinstance(low, Date):
        if high.days - low.days > 1:
            yield low.plus_days(1)
    elif isinstance(low, MonthsDuration):
        if high.months - low.months > 1:
            yield MonthsDuration(low.months + 1)
    elif isinstance(low, DaysDuration):
        yield DaysDuration((low.nanos + high.nanos) // 2)
    elif isinstance(low, Time):
        yield Time.of_nanos((low.nanos + high.nanos) // 2, low.offset, low.zone)
    else:
        yield low.plus((high.instant - low.instant) // 2)
