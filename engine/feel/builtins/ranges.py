"""Allen's relations of points and ranges, and `range`. Source: DMN 1.5, 10.3.4.9 (range functions), 10.3.4.1 (range)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.environment import FeelError, Run
from engine.feel.functions import BUILT_IN_NAMES, built_in
from engine.feel.operations import compare, kind_of
from engine.feel.values import Range


def _order(left: Any, right: Any) -> int:
    order = compare(left, right)
    if order is None:
        raise FeelError("这些值之间没有先后 (no order between these values)")
    return order


def _low(interval: Range) -> Any:
    if interval.unequal:
        raise FeelError("“!=” 不是区间 (!= is not a range)")
    return interval.low


def _ends(left: Any, left_closed: bool, right: Any, right_closed: bool, upper: bool) -> int:
    """Compare two low (or `upper`) ends: -1 if the first admits an earlier point than the second … of low ends."""
    if left is None or right is None:
        if left is None and right is None:
            return 0
        return (1 if upper else -1) * (1 if left is None else -1)
    order = _order(left, right)
    if order or left_closed == right_closed:
        return order
    return (1 if left_closed else -1) * (1 if upper else -1)


def _low_ends(left: Range, right: Range) -> int:
    return _ends(_low(left), left.low_closed, _low(right), right.low_closed, upper=False)


def _high_ends(left: Range, right: Range) -> int:
    return _ends(left.high, left.high_closed, right.high, right.high_closed, upper=True)


def _point_before(point: Any, interval: Range) -> bool:
    if _low(interval) is None:
        return False
    order = _order(point, interval.low)
    return order < 0 or (order == 0 and not interval.low_closed)


def _point_after(point: Any, interval: Range) -> bool:
    _low(interval)
    if interval.high is None:
        return False
    order = _order(point, interval.high)
    return order > 0 or (order == 0 and not interval.high_closed)


def _includes(interval: Range, point: Any) -> bool:
    if point is None:
        raise FeelError("null 不在任何区间中 (null is in no range)")
    return not _point_before(point, interval) and not _point_after(point, interval)


def _range_before(left: Range, right: Range) -> bool:
    if left.high is None or _low(right) is None:
        _low(left)
        return False
    order = _order(left.high, right.low)
    return order < 0 or (order == 0 and not (left.high_closed and right.low_closed))


def _meets(left: Range, right: Range) -> bool:
    if left.high is None or _low(right) is None:
        return False
    return left.high_closed and right.low_closed and _order(left.high, right.low) == 0


def _overlap(left: Range, right: Range) -> bool:
    return not _range_before(left, right) and not _range_before(right, left)


def _overlaps_before(left: Range, right: Range) -> bool:
    return _overlap(left, right) and _low_ends(left, right) < 0 and _high_ends(left, right) <= 0


def _starts(left: Range, right: Range) -> bool:
    return _low_ends(left, right) == 0 and _high_ends(left, right) <= 0


def _finishes(left: Range, right: Range) -> bool:
    return _high_ends(left, right) == 0 and _low_ends(left, right) >= 0


def _point_starts(point: Any, interval: Range) -> bool:
    return interval.low_closed and _low(interval) is not None and _order(point, interval.low) == 0


def _point_finishes(point: Any, interval: Range) -> bool:
    return interval.high_closed and interval.high is not None and _order(point, interval.high) == 0


def _range_includes(left: Range, right: Range) -> bool:
    return _low_ends(left, right) <= 0 and _high_ends(left, right) >= 0


def _coincide(left: Range, right: Range) -> bool:
    return _low_ends(left, right) == 0 and _high_ends(left, right) == 0


_RELATIONS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("before", "range1: range; range2: range", _range_before),
    ("before", "point: any; range: range", _point_before),
    ("before", "range: range; point: any", lambda interval, point: _point_after(point, interval)),
    ("before", "point1: any; point2: any", lambda left, right: _order(left, right) < 0),
    ("after", "range1: range; range2: range", lambda left, right: _range_before(right, left)),
    ("after", "point: any; range: range", _point_after),
    ("after", "range: range; point: any", lambda interval, point: _point_before(point, interval)),
    ("after", "point1: any; point2: any", lambda left, right: _order(left, right) > 0),
    ("meets", "range1: range; range2: range", _meets),
    ("met by", "range1: range; range2: range", lambda left, right: _meets(right, left)),
    ("overlaps", "range1: range; range2: range", _overlap),
    ("overlaps before", "range1: range; range2: range", _overlaps_before),
    ("overlaps after", "range1: range; range2: range", lambda left, right: _overlaps_before(right, left)),
    ("finishes", "range1: range; range2: range", _finishes),
    ("finishes", "point: any; range: range", _point_finishes),
    ("finished by", "range1: range; range2: range", lambda left, right: _finishes(right, left)),
    ("finished by", "range: range; point: any", lambda interval, point: _point_finishes(point, interval)),
    ("includes", "range1: range; range2: range", _range_includes),
    ("includes", "range: range; point: any", _includes),
    ("during", "range1: range; range2: range", lambda left, right: _range_includes(right, left)),
    ("during", "point: any; range: range", lambda point, interval: _includes(interval, point)),
    ("starts", "range1: range; range2: range", _starts),
    ("starts", "point: any; range: range", _point_starts),
    ("started by", "range1: range; range2: range", lambda left, right: _starts(right, left)),
    ("started by", "range: range; point: any", lambda interval, point: _point_starts(point, interval)),
    ("coincides", "range1: range; range2: range", _coincide),
    ("coincides", "point1: any; point2: any", lambda left, right: _order(left, right) == 0),
)


def _register(name: str, signature: str, relation: Callable[[Any, Any], bool]) -> None:
    def function(run: Run, left: Any, right: Any) -> bool:
        return relation(left, right)

    built_in(name, signature)(function)


for _entry in _RELATIONS:
    _register(*_entry)


@built_in("range", "from: string")
def range_of_text(run: Run, text: str) -> Range:
    """Read a range such as `[1..10)` whose ends are literals; one end may be left out if it is open: `(..2]`, `[2..)`."""
    from engine.feel.compiler import Compiler
    from engine.feel.parser import Parser
    from engine.feel.scope import Scope

    unreadable = FeelError(f"“{text[:40]}” 不是区间 (not a range)")
    try:
        low_end, high_end, low_closed, high_closed = Parser(text, built_in=BUILT_IN_NAMES).range_only()
    except FeelSyntaxError:
        raise unreadable from None
    if not (_is_end(low_end) and _is_end(high_end)):
        raise unreadable

    def value_of(end: n.Node | None) -> Any:
        value = None if end is None else Compiler().compile(end)(Scope({}, None, run))
        if end is not None and kind_of(value) not in _END_KINDS:
            raise unreadable
        return value

    low, high = value_of(low_end), value_of(high_end)
    if low is not None and high is not None and _order(low, high) > 0:
        raise FeelError(f"“{text[:40]}” 的两端颠倒 (the ends are in the wrong order)")
    return Range(low, high, low_closed, high_closed)


_CONSTRUCTORS = {"date", "time", "date and time", "duration"}
_END_KINDS = {"number", "string", "date", "time", "date and time", "days and time duration", "years and months duration"}


def _is_end(node: n.Node | None) -> bool:
    if isinstance(node, n.Call):
        return (
            isinstance(node.callee, n.Name)
            and node.callee.name in _CONSTRUCTORS
            and all(isinstance(argument, n.Literal) for argument in node.arguments)
        )
    return node is None or isinstance(node, n.Literal)
