"""Equality, order and arithmetic over all kinds of values.

Source: DMN 1.5, 10.3.2.15 tables 53–56 (comparison), 10.3.2.12 tables 57–61 (arithmetic).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException, localcontext
from typing import Any

from engine.feel.environment import FREE_LENGTH, FeelError, Run
from engine.feel.numbers import CONTEXT, WIDE, ZERO, is_integer, negated
from engine.feel.temporal import DAY_NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.values import Callable_, Range

_kinds: dict[type, str] = {
    Decimal: "number",
    str: "string",
    bool: "boolean",
    list: "list",
    dict: "context",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
    Range: "range",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """Return the name of a value's kind."""
    return _kinds.get(type(value), "function")


# --- equality and order -------------------------------------------------------------------------------------------------


def equal(left: Any, right: Any, run: Run) -> bool | None:
    """Return whether two values are equal; None if their kinds cannot be compared."""
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is not type(right):
        return None
    if kind is list:
        return _equal_lists(left, right, run)
    if kind is dict:
        return _equal_contexts(left, right, run)
    if isinstance(left, Callable_):
        return left is right
    return bool(left == right)


def _equal_lists(left: list[Any], right: list[Any], run: Run) -> bool:
    """Tell whether lists have equal items; items that cannot be compared are not equal."""
    if len(left) != len(right):
        return False
    run.charge(len(left))
    return all(equal(mine, other, run) is True for mine, other in zip(left, right, strict=True))


def _equal_contexts(left: dict[str, Any], right: dict[str, Any], run: Run) -> bool:
    if left.keys() != right.keys():
        return False
    run.charge(len(left))
    return all(equal(mine, right[key], run) is True for key, mine in left.items())


def compare(left: Any, right: Any) -> int | None:
    """Return -1, 0 or 1, or None where there is no order between the two."""
    kind = type(left)
    if kind is not type(right):
        return None
    if kind is Decimal or kind is str:
        return -1 if left < right else int(left > right)
    mine: Any
    other: Any
    if kind is Date:
        mine, other = (left.year, left.month, left.day), (right.year, right.month, right.day)
    elif kind is DateTime or kind is Time:
        if left.is_local != right.is_local:
            return None
        mine, other = (left.instant, right.instant) if kind is DateTime else (left.utc_nanos, right.utc_nanos)
    elif kind is DaysDuration:
        mine, other = left.nanos, right.nanos
    elif kind is MonthsDuration:
        mine, other = left.months, right.months
    else:
        return None
    return -1 if mine < other else int(mine > other)


_outcomes: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def ordered(operator: str, left: Any, right: Any, run: Run) -> bool | None:
    """Return the result of `<`, `<=`, `>`, `>=`; None (with a warning) where there is no order."""
    order = compare(left, right)
    if order is None:
        run.warn(f"{kind_of(left)} 与 {kind_of(right)} 不能比较大小 (no order between them)", operator)
        return None
    return _outcomes[operator](order)


def in_range(value: Any, interval: Range, run: Run) -> bool | None:
    """Return whether a value lies in a range; None where it cannot be compared with its ends."""
    if interval.unequal:
        same = equal(value, interval.low, run)
        return None if same is None else not same
    if interval.undefined or (interval.low is None and interval.high is None):
        return None
    if interval.low is not None:
        order = compare(value, interval.low)
        if order is None:
            return None
        if order < 0 or (order == 0 and not interval.low_closed):
            return False
    if interval.high is not None:
        order = compare(value, interval.high)
        if order is None:
            return None
        if order > 0 or (order == 0 and not interval.high_closed):
            return False
    return True


def satisfies(value: Any, test: Any, run: Run) -> bool | None:
    """Return whether a value passes a test that is a value: it equals it, lies in it, or is an item of it."""
    if isinstance(test, Range):
        if isinstance(value, Range):
            return value == test
        return in_range(value, test, run)
    if isinstance(test, list):
        if type(value) is list and equal(value, test, run) is True:
            return True
        run.charge(len(test))
        result: bool | None = False
        for item in test:
            passed = satisfies(value, item, run) if isinstance(item, Range) else equal(value, item, run)
            if passed is True:
                return True
            if passed is None and isinstance(item, Range):
                result = None
        return result
    return equal(value, test, run)


# --- arithmetic -----------------------------------------------------------------------------------------------------------


def add(left: Any, right: Any, run: Run) -> Any:
    """Return left + right."""
    kind = type(left)
    other = type(right)
    if kind is Decimal and other is Decimal:
        return CONTEXT.add(left, right)
    if kind is str and other is str:
        length = len(left) + len(right)
        if length > FREE_LENGTH:
            run.check_text(length)
        return left + right
    if other in _DURATIONS:
        if kind is other:
            if kind is DaysDuration:
                return DaysDuration(_bounded(left.nanos + right.nanos))
            return MonthsDuration(_bounded(left.months + right.months))
        return _shift(left, right, 1)
    if kind in _DURATIONS:
        return _shift(right, left, 1)
    raise _no_result("+", left, right)


def subtract(left: Any, right: Any, run: Run) -> Any:
    """Return left - right."""
    kind = type(left)
    other = type(right)
    if kind is Decimal and other is Decimal:
        return CONTEXT.subtract(left, right)
    if other in _DURATIONS:
        if kind is other:
            if kind is DaysDuration:
                return DaysDuration(_bounded(left.nanos - right.nanos))
            return MonthsDuration(_bounded(left.months - right.months))
        return _shift(left, right, -1)
    if kind is Time and other is Time and left.is_local == right.is_local:
        return DaysDuration(left.utc_nanos - right.utc_nanos)
    if kind in _DAYS and other in _DAYS:
        mine, theirs = _as_date_time(left), _as_date_time(right)
        if mine.is_local == theirs.is_local:
            return DaysDuration(mine.instant - theirs.instant)
    raise _no_result("-", left, right)


def multiply(left: Any, right: Any, run: Run) -> Any:
    """Return left * right."""
    if type(left) is Decimal:
        if type(right) is Decimal:
            return CONTEXT.multiply(left, right)
        left, right = right, left
    if type(right) is Decimal:
        if type(left) is DaysDuration:
            return DaysDuration(_whole(WIDE.multiply(Decimal(left.nanos), right)))
        if type(left) is MonthsDuration:
            return MonthsDuration(_whole(WIDE.multiply(Decimal(left.months), right)))
    raise _no_result("*", left, right)


def divide(left: Any, right: Any, run: Run) -> Any:
    """Return left / right."""
    if type(right) is Decimal:
        if right == ZERO:
            raise FeelError("除数为零 (division by zero)")
        if type(left) is Decimal:
            return CONTEXT.divide(left, right)
        if type(left) is DaysDuration:
            return DaysDuration(_whole(WIDE.divide(Decimal(left.nanos), right)))
        if type(left) is MonthsDuration:
            return MonthsDuration(_whole(WIDE.divide(Decimal(left.months), right)))
    if type(left) is type(right) and type(left) in _DURATIONS:
        mine, theirs = (left.nanos, right.nanos) if type(left) is DaysDuration else (left.months, right.months)
        if theirs == 0:
            raise FeelError("除数为零 (division by zero)")
        return CONTEXT.divide(Decimal(mine), Decimal(theirs))
    raise _no_result("/", left, right)


def power(left: Any, right: Any, run: Run) -> Any:
    """Return left ** right."""
    if type(left) is Decimal and type(right) is Decimal:
        if left == ZERO and right == ZERO:
            return Decimal(1)
        if left == ZERO and right < 0:
            raise FeelError("除数为零 (division by zero)")
        if is_integer(right) and abs(right) <= 9999:
            with localcontext(WIDE):
                return CONTEXT.plus(left**right)
        return CONTEXT.power(left, right)
    raise _no_result("**", left, right)


def negate(value: Any) -> Any:
    """Return -value."""
    if type(value) is Decimal:
        return negated(value)
    if type(value) is DaysDuration:
        return DaysDuration(-value.nanos)
    if type(value) is MonthsDuration:
        return MonthsDuration(-value.months)
    raise FeelError(f"{kind_of(value)} 没有相反数 (cannot be negated)")


Operation = Callable[[Any, Any, Run], Any]
OPERATIONS: dict[str, Operation] = {"+": add, "-": subtract, "*": multiply, "/": divide, "**": power}
_DURATIONS = (DaysDuration, MonthsDuration)
_DAYS = (Date, DateTime)


def arithmetic(operator: str, left: Any, right: Any, run: Run) -> Any:
    """Return the result of an operator; null with a warning where there is none."""
    try:
        return OPERATIONS[operator](left, right, run)
    except FeelError as error:
        run.warn(str(error), operator)
    except (DecimalException, OverflowError):
        run.warn("数字超出范围 (the number is out of range)", operator)
    return None


def _shift(moment: Any, duration: Any, sign: int) -> Any:
    kind = type(moment)
    result: Any
    if kind not in (Date, DateTime, Time):
        raise _no_result("+" if sign > 0 else "-", moment, duration)
    if type(duration) is MonthsDuration:
        if kind is Time:
            raise _no_result("+" if sign > 0 else "-", moment, duration)
        result = moment.plus_months(sign * duration.months)
    elif kind is Date:
        result = moment.plus_days(sign * duration.nanos // DAY_NANOS)
    else:
        result = moment.plus(sign * duration.nanos)
    if result is None:
        raise FeelError("日期超出范围 (the date is out of range)")
    return result


def _as_date_time(value: Date | DateTime) -> DateTime:
    """Return a date as its midnight in UTC (10.3.2.9.4)."""
    return value if isinstance(value, DateTime) else DateTime(value, Time(0, 0, 0, 0, 0))


LONGEST = 10**40  # of a duration, in nanoseconds or months


def _whole(value: Decimal) -> int:
    return _bounded(int(value) if value.adjusted() <= 40 else LONGEST)


def _bounded(length: int) -> int:
    if not -LONGEST < length < LONGEST:
        raise FeelError("时长超出范围 (the duration is out of range)")
    return length


def _no_result(operator: str, left: Any, right: Any) -> FeelError:
    return FeelError(f"{kind_of(left)} {operator} {kind_of(right)} 没有结果 (has no result)")
