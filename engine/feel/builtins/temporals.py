"""Dates, times and durations. Source: DMN 1.5, 10.3.4.1 (conversion), 10.3.4.7, 10.3.4.8, 10.3.4.12; Camunda 8."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in
from engine.feel.numbers import CONTEXT, is_integer
from engine.feel.temporal import NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time, days_in_month, zone_info
from engine.feel.temporal_text import MAX_OFFSET, parse_date, parse_date_time, parse_duration, parse_time
from engine.feel.values import Range

T = TypeVar("T")
_PARTS = "year: number; month: number; day: number; hour: number; minute: number; second: number"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _int(value: Decimal) -> int:
    if not is_integer(value) or abs(value) > 10**12:
        raise FeelError("应为整数 (a whole number is needed)")
    return int(value)


def _found(value: T | None, what: str) -> T:
    if value is None:
        raise FeelError(f"不是有效的{what}")
    return value


# --- date -----------------------------------------------------------------------------------------------------------------


@built_in("date", "from: string")
def date_of_text(run: Run, text: str) -> Date:
    """Read a date."""
    return _found(parse_date(text), f"日期 (not a date): “{text[:40]}”")


@built_in("date", "from: day")
def date_of(run: Run, moment: Date | DateTime) -> Date:
    """Return the date of a date and time."""
    return moment.date if isinstance(moment, DateTime) else moment


@built_in("date", "year: number; month: number; day: number")
def date_of_parts(run: Run, year: Decimal, month: Decimal, day: Decimal) -> Date:
    """Return the date of a year, month and day."""
    return _found(Date.of(_int(year), _int(month), _int(day)), "日期 (no such date)")


# --- date and time --------------------------------------------------------------------------------------------------------


@built_in("date and time", "from: string")
def date_and_time_of_text(run: Run, text: str) -> DateTime:
    """Read a date and time."""
    return _found(parse_date_time(text), f"日期时间 (not a date and time): “{text[:40]}”")


@built_in("date and time", "from: date and time")
def date_and_time_of(run: Run, moment: DateTime) -> DateTime:
    """Return a date and time as it is; a date as its midnight."""
    return moment


@built_in("date and time", "date: day; time: time")
def date_and_time_of_both(run: Run, day: Date | DateTime, clock: Time) -> DateTime:
    """Return the date and time of a date and a time."""
    return DateTime(date_of(run, day), clock)


@built_in("date and time", "date: date and time; timezone: string")
def date_and_time_in_zone(run: Run, moment: DateTime, zone: str) -> DateTime:
    """Return the same moment in another zone (Camunda)."""
    if zone_info(zone) is None:
        raise FeelError(f"没有时区 {zone[:40]} (no such time zone)")
    return _found(moment.in_zone(zone), "日期时间 (out of range)")


@built_in("date and time", f"{_PARTS}; *offset: days duration?")
@built_in("date and time", f"{_PARTS}; timezone: string")
def date_and_time_of_parts(
    run: Run, year: Decimal, month: Decimal, day: Decimal, hour: Decimal, minute: Decimal, second: Decimal, zone: Any = None
) -> DateTime:
    """Return the date and time of its parts."""
    if isinstance(zone, str):
        if zone_info(zone) is None:
            raise FeelError(f"没有时区 {zone[:40]} (no such time zone)")
        clock = time_of_parts(run, hour, minute, second)
        clock = Time(clock.hour, clock.minute, clock.second, clock.nano, None, zone)
    else:
        clock = time_of_parts(run, hour, minute, second, zone)
    return DateTime(date_of_parts(run, year, month, day), clock)


# --- time -----------------------------------------------------------------------------------------------------------------


@built_in("time", "from: string")
def time_of_text(run: Run, text: str) -> Time:
    """Read a time."""
    return _found(parse_time(text), f"时间 (not a time): “{text[:40]}”")


@built_in("time", "from: time")
def time_as_it_is(run: Run, clock: Time) -> Time:
    """Return a time."""
    return clock


@built_in("time", "from: day")
def time_of(run: Run, moment: Date | DateTime) -> Time:
    """Return the time of a date and time; of a date, midnight UTC."""
    return moment.time if isinstance(moment, DateTime) else Time(0, 0, 0, 0, 0)


@built_in("time", "hour: number; minute: number; second: number; *offset: days duration?")
def time_of_parts(run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None) -> Time:
    """Return the time of an hour, a minute, a second (with fraction), and an offset."""
    hours, minutes, whole = _int(hour), _int(minute), int(second)
    if not (0 <= hours <= 23 and 0 <= minutes <= 59 and 0 <= second < 60):
        raise FeelError("不是有效的时间 (no such time)")
    seconds = None
    if offset is not None:
        seconds = offset.nanos // NANOS
        if abs(seconds) > MAX_OFFSET:
            raise FeelError("时差超出范围 (the offset is out of range)")
    nano = int(CONTEXT.multiply(CONTEXT.subtract(second, Decimal(whole)), Decimal(NANOS)))
    return Time(hours, minutes, whole, nano, seconds)


# --- durations ------------------------------------------------------------------------------------------------------------


@built_in("duration", "from: string")
def duration_of_text(run: Run, text: str) -> DaysDuration | MonthsDuration:
    """Read a duration."""
    found = parse_duration(text)
    if found is None:
        raise FeelError(f"不是有效的时长 (not a duration): “{text[:40]}”")
    return found


@built_in("duration", "from: duration")
def duration_as_it_is(run: Run, duration: Any) -> Any:
    """Return a duration."""
    return duration


@built_in("years and months duration", "from: day; to: day")
def years_and_months(run: Run, start: Date | DateTime, end: Date | DateTime) -> MonthsDuration:
    """Return the whole months between two days, negative if they are in the other order; times of day do not count."""
    first, last = date_of(run, start), date_of(run, end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return MonthsDuration(months)


# --- the present, and days ------------------------------------------------------------------------------------------------


@built_in("now")
def now(run: Run) -> DateTime:
    """Return the present moment in the environment's zone."""
    return DateTime.from_python(run.environment.local_now)


@built_in("today")
def today(run: Run) -> Date:
    """Return the present day in the environment's zone."""
    return now(run).date  # type: ignore[no-any-return]  # registered functions are untyped


@built_in("day of week", "date: day")
def day_of_week(run: Run, day: Date | DateTime) -> str:
    """Return the English name of the day of the week."""
    return _WEEKDAYS[date_of(run, day).weekday - 1]


@built_in("month of year", "date: day")
def month_of_year(run: Run, day: Date | DateTime) -> str:
    """Return the English name of the month."""
    return _MONTHS[date_of(run, day).month - 1]


@built_in("day of year", "date: day")
def day_of_year(run: Run, day: Date | DateTime) -> Decimal:
    """Return the number of the day in its year."""
    date = date_of(run, day)
    return Decimal(date.days - Date(date.year, 1, 1).days + 1)


@built_in("week of year", "date: day")
def week_of_year(run: Run, day: Date | DateTime) -> Decimal:
    """Return the number of the week (ISO 8601)."""
    date = date_of(run, day)
    thursday = date.days - date.weekday + 4
    year = Date.from_days(thursday)
    return Decimal((thursday - Date(_found(year, "日期 (out of range)").year, 1, 1).days) // 7 + 1)


@built_in("last day of month", "date: day")
def last_day_of_month(run: Run, day: Date | DateTime) -> Date:
    """Return the last day of the month (Camunda)."""
    date = date_of(run, day)
    return Date(date.year, date.month, days_in_month(date.year, date.month))


@built_in("is", "value1: any; value2: any")
def same(run: Run, left: Any, right: Any) -> bool:
    """Tell whether two values are the same element of FEEL's domain: kind, and for temporals every part."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (Time, DateTime)):
        return _parts(left) == _parts(right)
    if isinstance(left, list):
        run.charge(len(left))
        return len(left) == len(right) and all(same(run, mine, other) for mine, other in zip(left, right, strict=True))
    if isinstance(left, dict):
        run.charge(len(left))
        return left.keys() == right.keys() and all(same(run, mine, right[key]) for key, mine in left.items())
    if isinstance(left, Range):
        mine, other = ([r.low, r.high, r.low_closed, r.high_closed, r.unequal] for r in (left, right))
        return bool(same(run, mine, other))
    return bool(left == right)


def _parts(value: Time | DateTime) -> tuple[Any, ...]:
    clock = value.time if isinstance(value, DateTime) else value
    day = (value.date.year, value.date.month, value.date.day) if isinstance(value, DateTime) else ()
    return (*day, clock.nanos, clock.offset, clock.zone)
