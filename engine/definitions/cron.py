"""Cron texts of six fields (second, minute, hour, day of month, month, day of week), as Camunda 8's timer cycles take them.

`*` and `?` any; `a,b` a list; `a-b` a range; `*/n`, `a/n`, `a-b/n` steps; months and days of the week by their first three
English letters; 0 and 7 are Sunday. Day of month: `L` the last, `L-3` three before it, `15W` the working day (Monday to Friday)
nearest to the 15th in its month, `LW` the last one. Day of week: `5L` or `FRIL` the last Friday of the month, `MON#2` the second
Monday. Both day fields must hold. `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly` stand for the
usual ones.

Fields are local to a time zone. A time that the clocks jump over comes that much later; one that comes twice counts once.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: n for n, name in enumerate(("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"), 1)}
_YEARS = 40
"""How many years ahead a moment is looked for; 29 February on a given day of the week comes at least once in that time."""

_PART = re.compile(r"(?:\*|\?|(?P<low>\d{1,2})(?:-(?P<high>\d{1,2}))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)
_Holds = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    """When it fires. `days`: conditions on a day, one of each group must hold."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    of_month: tuple[_Holds, ...]
    of_week: tuple[_Holds, ...]

    def after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """Return the first moment (UTC) behind one (aware); None when none comes within forty years.

        Args:
            zone: the time zone that the fields are local to.
        """
        local = moment.astimezone(zone)
        day: date | None = local.date()
        at: time | None = local.time()
        last = day.year + _YEARS if day else 0
        while day is not None and day.year <= min(last, date.max.year):
            found = self._time_after(at) if self._holds(day) else None
            while found is not None:
                due = datetime.combine(day, found, zone).astimezone(UTC)
                if due > moment:
                    return due
                found = self._time_after(found)
            day, at = self._next_day(day), None
        return None

    def _holds(self, day: date) -> bool:
        return day.month in self.months and any(h(day) for h in self.of_month) and any(h(day) for h in self.of_week)

    def _next_day(self, day: date) -> date | None:
        try:
            if day.month in self.months:
                return day + timedelta(days=1)
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        except OverflowError:
            return None

    def _time_after(self, at: time | None) -> time | None:
        """Return the first time of day behind one; None = from midnight on, that included."""
        first_minute, first_second = self.minutes[0], self.seconds[0]
        if at is None:
            return time(self.hours[0], first_minute, first_second)
        if at.hour in self.hours:
            if at.minute in self.minutes and (second := _above(self.seconds, at.second)) is not None:
                return time(at.hour, at.minute, second)
            if (minute := _above(self.minutes, at.minute)) is not None:
                return time(at.hour, minute, first_second)
        hour = _above(self.hours, at.hour)
        return None if hour is None else time(hour, first_minute, first_second)


def is_cron(text: str) -> bool:
    """Whether a text looks like cron rather than like an ISO 8601 cycle."""
    return text.strip().startswith("@") or len(text.split()) == 6


@lru_cache(maxsize=256)
def cron(text: str) -> Cron:
    """Read a cron text.

    Raises:
        ValueError: it is none, or it never fires.
    """
    fields = _MACROS.get(text.strip().lower(), text).upper().split()
    if len(fields) != 6:
        raise ValueError(f"不是 6 段的 cron：{text!r} / not a cron text of six fields")
    try:
        second, minute, hour, of_month, month, of_week = fields
        found = Cron(
            _numbers(second, 0, 59),
            _numbers(minute, 0, 59),
            _numbers(hour, 0, 23),
            frozenset(_numbers(_named(month, _MONTHS), 1, 12)),
            tuple(_day_of_month(part) for part in of_month.split(",")),
            tuple(_day_of_week(_named(part, _DAYS)) for part in of_week.split(",")),
        )
    except ValueError as error:
        raise ValueError(f"cron 有误：{text!r}（{error}）/ not a cron text") from error
    if found.after(datetime(2000, 1, 1, tzinfo=UTC), UTC) is None:
        raise ValueError(f"cron 永远不会触发：{text!r} / it never fires")
    return found


def _above(values: tuple[int, ...], value: int) -> int | None:
    place = bisect_right(values, value)
    return values[place] if place < len(values) else None


def _named(text: str, names: dict[str, int]) -> str:
    return re.sub("[A-Z]{3}", lambda match: str(names.get(match.group(), match.group())), text)


def _numbers(text: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or match["step"] == "0":
            raise ValueError(part)
        step = int(match["step"] or 1)
        first = int(match["low"]) if match["low"] else low
        open_end = match["low"] is None or (match["step"] is not None and match["high"] is None)
        last = high if open_end else int(match["high"] or first)
        if not low <= first <= last <= high:
            raise ValueError(part)
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _day_of_month(text: str) -> _Holds:
    if match := re.fullmatch(r"L(?:-(\d{1,2}))?", text, re.ASCII):
        before = int(match[1] or 0)
        return lambda day: day.day == _last(day) - before
    if match := re.fullmatch(r"(L|\d{1,2})W", text, re.ASCII):
        return _working_day(match[1])
    days = frozenset(_numbers(text, 1, 31))
    return lambda day: day.day in days


def _working_day(text: str) -> _Holds:
    if text != "L":
        _numbers(text, 1, 31)

    def holds(day: date) -> bool:
        last = _last(day)
        wanted = last if text == "L" else int(text)
        return wanted <= last and day.day == _nearest(day.replace(day=wanted), last)

    return holds


def _nearest(wanted: date, last: int) -> int:
    """Return the day of the month of the working day nearest to a date, in the same month."""
    weekday = wanted.isoweekday()
    if weekday == 6:
        return wanted.day - 1 if wanted.day > 1 else 3
    if weekday == 7:
        return wanted.day + 1 if wanted.day < last else wanted.day - 2
    return wanted.day


def _day_of_week(text: str) -> _Holds:
    if match := re.fullmatch(r"([0-7])L", text, re.ASCII):
        weekday = int(match[1]) or 7
        return lambda day: day.isoweekday() == weekday and day.day > _last(day) - 7
    if match := re.fullmatch(r"([0-7])#([1-5])", text, re.ASCII):
        weekday, which = int(match[1]) or 7, int(match[2])
        return lambda day: day.isoweekday() == weekday and (day.day + 6) // 7 == which
    if re.fullmatch(r"7-[0-6].*", text, re.ASCII):
        text = "0" + text[1:]  # from Sunday on
    days = frozenset(n or 7 for n in _numbers(text, 0, 7))
    return lambda day: day.isoweekday() in days


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
