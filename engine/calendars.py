"""Working days: which days are worked, and counting them.

A `Calendar` is an immutable snapshot. Weekdays are worked and weekends are not, except for the days it names: public
holidays and the make-up working days that pay for them. Years whose notice is published are *known*; in any other year
Monday to Friday are taken as worked, and whatever is computed with such a year is *provisional* (or, with a strict
calendar, an error).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

from engine.errors import CalendarMissing, InvalidValue

MAX_WORKING_DAYS = 20_000
"""The longest period that is counted, about 80 years: a runaway expression must not count for minutes."""

_ONE_DAY = timedelta(days=1)
_WEEKEND = 5  # date.weekday() from Saturday on


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A day that is not what its weekday says, or that has a name.

    Attributes:
        on: the local date.
        working: True for a make-up working day, False for a holiday.
        name: what the notice calls it, e.g. 国庆节.
    """

    on: date
    working: bool
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """An immutable snapshot of the working-day calendar, compared by identity.

    Attributes:
        days: the exceptional days by date.
        years: the years whose holidays are published; others are computed as Monday to Friday.
        strict: refuse to count in a year that is not known, instead of computing it provisionally.
    """

    days: Mapping[date, Day] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    strict: bool = False

    @classmethod
    def published(cls) -> Calendar:
        """Return the calendar of the notices that `chinesecalendar` carries.

        Source: yearly holiday notices of the General Office of the State Council (国务院办公厅关于部分节假日安排的通知).
        """
        return _published()

    def overlaid(self, days: Iterable[Day], years: Iterable[int] = ()) -> Calendar:
        """Return this calendar with what administrators entered on top of it.

        Args:
            days: exceptional days; each replaces this calendar's word on its date.
            years: further years that are known now.
        """
        merged = dict(self.days)
        merged.update((day.on, day) for day in days)
        return replace(self, days=MappingProxyType(merged), years=self.years | frozenset(years))

    def strictly(self) -> Calendar:
        """Return the same calendar, refusing years that are not known."""
        return replace(self, strict=True)

    def is_working_day(self, on: date) -> bool:
        """Say whether a local date is worked.

        Raises:
            CalendarMissing: the calendar is strict and the year is not known.
        """
        if self.strict:
            self._check_year(on.year)
        exception = self.days.get(on)
        return exception.working if exception is not None else on.weekday() < _WEEKEND

    def add_working_days(self, start: date, days: int) -> date:
        """Return the last day of a period of working days; the start day is not counted.

        Args:
            start: local date the period starts on; it may be a holiday.
            days: length in working days; negative counts back; 0 gives `start` itself.
        Raises:
            CalendarMissing: the calendar is strict and a year on the way is not known.
            InvalidValue: the period is longer than `MAX_WORKING_DAYS`, or leaves the calendar's range.
        Source: Civil Code of China, arts. 201 and 203; holiday notices of the State Council.
        """
        if abs(days) > MAX_WORKING_DAYS:
            raise InvalidValue(f"at most {MAX_WORKING_DAYS} working days can be counted, not {days}")
        step = _ONE_DAY if days > 0 else -_ONE_DAY
        left, day = abs(days), start
        try:
            while left:
                day += step
                left -= self.is_working_day(day)
        except OverflowError:
            raise InvalidValue(f"{days} working days from {start} lie outside the calendar") from None
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`.

        The inverse of `add_working_days`: the count from `start` to `add_working_days(start, n)` is n. An `end` before
        `start` gives the negative count of the days after `end` up to and including `start`.

        Raises:
            CalendarMissing: the calendar is strict and a year between them is not known.
        """
        if end < start:
            return -self.working_days_between(end, start)
        if self.strict and start < end:
            for year in range((start + _ONE_DAY).year, end.year + 1):
                self._check_year(year)
        count = _weekdays_until(end) - _weekdays_until(start)
        for day in self.days.values():
            if start < day.on <= end:
                count += day.working - (day.on.weekday() < _WEEKEND)
        return count

    def is_provisional(self, start: date, end: date | None = None) -> bool:
        """Say whether counting from `start` to `end` (either order) touches a year that is not known."""
        last = start if end is None else end
        years = range(min(start, last).year, max(start, last).year + 1)
        return any(year not in self.years for year in years)

    def in_year(self, year: int) -> tuple[Day, ...]:
        """Return the exceptional days of a year, in order."""
        return tuple(sorted(day for day in self.days.values() if day.on.year == year))

    def _check_year(self, year: int) -> None:
        if year not in self.years:
            raise CalendarMissing(f"{year} 年的节假日安排尚未录入（the calendar of {year} has not been entered）")


def _weekdays_until(day: date) -> int:
    """Count Mondays to Fridays from 0001-01-01, a Monday, up to and including `day`."""
    weeks, rest = divmod(day.toordinal(), 7)
    return weeks * 5 + min(rest, 5)


@cache
def _published() -> Calendar:
    from chinese_calendar.constants import Holiday, holidays, workdays  # half a megabyte that `import engine.feel` can do without

    names = {holiday.value: holiday.chinese for holiday in Holiday}
    days = {on: Day(on, working=False, name=names.get(name, name)) for on, name in holidays.items()}
    days.update((on, Day(on, working=True, name=names.get(name, name))) for on, name in workdays.items())
    return Calendar(days=MappingProxyType(days), years=frozenset(on.year for on in holidays))
