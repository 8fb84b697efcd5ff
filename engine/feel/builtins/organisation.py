"""Working days, deadlines, people: this engine's own functions, over the environment's calendar and directory.

A deadline "at the end of day D" is the first instant of D+1 in the environment's zone: there is no gap between the two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.feel.builtins.temporals import date_of
from engine.feel.environment import Calendar, Directory, FeelError, Run
from engine.feel.functions import built_in
from engine.feel.numbers import is_integer
from engine.feel.temporal import Date, DateTime, Time
from engine.feel.temporal_text import parse_date, parse_date_time
from engine.feel.values import from_python


def _calendar(run: Run) -> Calendar:
    if run.environment.calendar is None:
        raise FeelError("此处没有工作日历 (no calendar of working days here)")
    return run.environment.calendar


def _directory(run: Run) -> Directory:
    if run.environment.directory is None:
        raise FeelError("此处没有人员目录 (no directory of people here)")
    return run.environment.directory


def _local(run: Run, value: Date | DateTime | str) -> Date:
    """Return the local day of a date, of a moment, or of either as ISO text (as variables hold them)."""
    moment: Any = value
    if isinstance(value, str):
        moment = parse_date(value) or parse_date_time(value)
        if moment is None:
            raise FeelError(f"“{value[:40]}” 不是日期 (not a date)")
    if isinstance(moment, DateTime) and not moment.is_local:
        moment = moment.in_zone(run.environment.zone.key)
        if moment is None:
            raise FeelError("日期超出范围 (the date is out of range)")
    return date_of(run, moment)  # type: ignore[no-any-return]  # registered functions are untyped


@built_in("add working days", "date: day; days: number")
@built_in("add working days", "date: string; days: number")
def add_working_days(run: Run, start: Date | DateTime | str, days: Decimal) -> Date:
    """Return the last day of a period of working days; the start day is not counted."""
    if not is_integer(days) or not 0 <= days <= 10_000:
        raise FeelError("工作日数应为 0 到 10000 的整数 (the number of working days is a whole one up to 10000)")
    return Date.from_python(_calendar(run).add_working_days(_local(run, start).to_python(), int(days)))


def _between(run: Run, start: Date | DateTime | str, end: Date | DateTime | str) -> Decimal:
    """Return the number of working days after the first day, up to and including the second."""
    return Decimal(_calendar(run).working_days_between(_local(run, start).to_python(), _local(run, end).to_python()))


for _from in ("day", "string"):
    for _to in ("day", "string"):
        built_in("working days between", f"from: {_from}; to: {_to}")(_between)


@built_in("is working day", "date: day")
@built_in("is working day", "date: string")
def is_working_day(run: Run, day: Date | DateTime | str) -> bool:
    """Tell whether people work on a day."""
    return _calendar(run).is_working_day(_local(run, day).to_python())


@built_in("start of day", "date: day")
@built_in("start of day", "date: string")
def start_of_day(run: Run, day: Date | DateTime | str) -> DateTime:
    """Return midnight at the beginning of a day, in the environment's zone."""
    return DateTime(_local(run, day), Time(0, 0, 0, 0, None, run.environment.zone.key))


@built_in("end of day", "date: day")
@built_in("end of day", "date: string")
def end_of_day(run: Run, day: Date | DateTime | str) -> DateTime:
    """Return midnight at the end of a day (24:00, that is 00:00 of the next), in the environment's zone."""
    following = _local(run, day).plus_days(1)
    if following is None:
        raise FeelError("日期超出范围 (the date is out of range)")
    return DateTime(following, Time(0, 0, 0, 0, None, run.environment.zone.key))


@built_in("users in group", "group: string")
def users_in_group(run: Run, group: str) -> list[Any]:
    """Return the users of a group, as contexts with id, name, groups and attributes."""
    users: list[Any] = from_python(list(_directory(run).users_in_group(group)))
    run.charge(len(users))
    return users


@built_in("user", "username: string")
def user(run: Run, username: str) -> Any:
    """Return a user, as a context with id, name, groups and attributes; null if there is none."""
    return from_python(_directory(run).user(username))
