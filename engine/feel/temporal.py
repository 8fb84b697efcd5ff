"""FEEL's dates, times and durations: any year up to nine digits, nanoseconds, offsets and named zones.

Python's own types end at year 9999 and at microseconds and cannot keep a zone's name beside a time, so these are ours.
Reading them from text is in `temporal_text`.
Source: DMN 1.5, 10.3.2.3.4–10.3.2.3.8; ISO 8601.
"""

from __future__ import annotations

import datetime as python
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

NANOS = 1_000_000_000
DAY_NANOS = 86_400 * NANOS
MAX_YEAR = 999_999_999


def is_leap(year: int) -> bool:
    """Tell whether the (proleptic Gregorian) year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Return the length of a month in days."""
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the number of days since 1970-01-01 (Hinnant's algorithm, any year)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Return year, month, day of a number of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


@lru_cache(maxsize=512)
def zone_info(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def timedelta_nanos(value: python.timedelta) -> int:
    """Return a timedelta's length in nanoseconds."""
    return (value.days * 86_400 + value.seconds) * NANOS + value.microseconds * 1000


def _fraction(nano: int) -> str:
    return f".{nano:09d}".rstrip("0") if nano else ""


def offset_text(offset: int) -> str:
    """Write an offset in seconds: `Z`, `+08:00`, `-02:45:55`."""
    if offset == 0:
        return "Z"
    minutes, seconds = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


@dataclass(frozen=True, slots=True)
class DaysDuration:
    """A days and time duration. `nanos` is its length in nanoseconds (negative: backwards). Equal to the same `timedelta`."""

    nanos: int

    @classmethod
    def of_seconds(cls, seconds: int) -> DaysDuration:
        """Return a duration of whole seconds."""
        return cls(seconds * NANOS)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DaysDuration):
            return self.nanos == other.nanos
        if isinstance(other, python.timedelta):
            return self.nanos == timedelta_nanos(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __str__(self) -> str:
        if not self.nanos:
            return "PT0S"
        seconds, nano = divmod(abs(self.nanos), NANOS)
        days, seconds = divmod(seconds, 86_400)
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        if seconds or nano:
            clock += f"{seconds}{_fraction(nano)}S"
        return ("-P" if self.nanos < 0 else "P") + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")

    isoformat = __str__

    def to_python(self) -> python.timedelta:
        """Return a timedelta (rounded down to microseconds).

        Raises:
            OverflowError: longer than a timedelta can be.
        """
        return python.timedelta(microseconds=self.nanos // 1000)


@dataclass(frozen=True, slots=True)
class MonthsDuration:
    """A years and months duration. `months` is its length (negative: backwards)."""

    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-P" if self.months < 0 else "P") + text

    isoformat = __str__


@dataclass(frozen=True, slots=True)
class Date:
    """A day. Equal to a `datetime.date` of the same day."""

    year: int
    month: int
    day: int

    @classmethod
    def of(cls, year: int, month: int, day: int) -> Date | None:
        """Return the day, or None where there is no such day."""
        if -MAX_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month):
            return cls(year, month, day)
        return None

    @classmethod
    def from_days(cls, days: int) -> Date | None:
        """Return the day that is so many days after 1970-01-01, or None beyond the years that FEEL has."""
        return cls.of(*civil_from_days(days))

    @classmethod
    def from_python(cls, value: python.date) -> Date:
        """Return a Python date as FEEL has it."""
        return cls(value.year, value.month, value.day)

    @property
    def days(self) -> int:
        """Days since 1970-01-01."""
        return days_from_civil(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """1 (Monday) to 7 (Sunday)."""
        return (self.days + 3) % 7 + 1

    def plus_months(self, months: int) -> Date | None:
        """Return the day so many months later; the day of the month is cut to the month's length."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        if abs(year) > MAX_YEAR:
            return None
        return Date.of(year, month + 1, min(self.day, days_in_month(year, month + 1)))

    def plus_days(self, days: int) -> Date | None:
        """Return the day so many days later."""
        return Date.from_days(self.days + days)

    def to_python(self) -> python.date:
        """Return a `datetime.date`.

        Raises:
            ValueError: the year is not between 1 and 9999.
        """
        return python.date(self.year, self.month, self.day)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Date, python.date)) and not isinstance(other, python.datetime):
            return self.year == other.year and self.month == other.month and self.day == other.day
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_python()) if 1 <= self.year <= 9999 else hash((self.year, self.month, self.day))

    def __str__(self) -> str:
        return f"{'-' if self.year < 0 else ''}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"

    isoformat = __str__


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: local, with an offset from UTC in seconds, or in a named zone (then `offset` is None)."""

    hour: int
    minute: int
    second: int
    nano: int = 0
    offset: int | None = None
    zone: str | None = None

    @classmethod
    def of_nanos(cls, nanos: int, offset: int | None = None, zone: str | None = None) -> Time:
        """Return the time so many nanoseconds after midnight (modulo one day)."""
        seconds, nano = divmod(nanos % DAY_NANOS, NANOS)
        return cls(seconds // 3600, seconds // 60 % 60, seconds % 60, nano, offset, zone)

    @classmethod
    def from_python(cls, value: python.time) -> Time:
        """Return a Python time as FEEL has it."""
        offset, zone = _python_zone(value.tzinfo, value.utcoffset())
        return cls(value.hour, value.minute, value.second, value.microsecond * 1000, offset, zone)

    @property
    def is_local(self) -> bool:
        """Neither offset nor zone."""
        return self.offset is None and self.zone is None

    @property
    def nanos(self) -> int:
        """Nanoseconds since midnight, as the clock on the wall shows it."""
        return ((self.hour * 60 + self.minute) * 60 + self.second) * NANOS + self.nano

    @property
    def utc_offset(self) -> int | None:
        """The offset in seconds; of a named zone: its offset on 1 January 1970; None for a local time."""
        return self.offset if self.zone is None else offset_of(self.zone, Date(1970, 1, 1), self)

    @property
    def utc_nanos(self) -> int:
        """Nanoseconds since midnight UTC (of a local time: since midnight)."""
        return self.nanos - (self.utc_offset or 0) * NANOS

    def plus(self, nanos: int) -> Time:
        """Return the time of day so much later."""
        return Time.of_nanos(self.nanos + nanos, self.offset, self.zone)

    def to_python(self) -> python.time:
        """Return a `datetime.time` (rounded down to microseconds)."""
        zone: python.tzinfo | None = None
        if self.zone is not None:
            zone = zone_info(self.zone)
        elif self.offset is not None:
            zone = python.timezone(python.timedelta(seconds=self.offset))
        return python.time(self.hour, self.minute, self.second, self.nano // 1000, zone)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, python.time):
            other = Time.from_python(other)
        if isinstance(other, Time):
            return self.is_local == other.is_local and self.utc_nanos == other.utc_nanos
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.utc_nanos)

    def __str__(self) -> str:
        text = f"{self.hour:02d}:{self.minute:02d}:{self.second:02d}{_fraction(self.nano)}"
        if self.zone is not None:
            return f"{text}@{self.zone}"
        return text if self.offset is None else text + offset_text(self.offset)

    isoformat = __str__


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and time: local, with an offset, or in a named zone (as its time has it)."""

    date: Date
    time: Time

    @classmethod
    def from_python(cls, value: python.datetime) -> DateTime:
        """Return a Python datetime as FEEL has it; a ZoneInfo keeps its name."""
        offset, zone = _python_zone(value.tzinfo, value.utcoffset())
        clock = Time(value.hour, value.minute, value.second, value.microsecond * 1000, offset, zone)
        return cls(Date.from_python(value), clock)

    @classmethod
    def from_instant(cls, nanos: int, offset: int | None, zone: str | None) -> DateTime | None:
        """Return the moment so many nanoseconds after 1970-01-01T00:00 (UTC, or local if neither offset nor zone)."""
        shift = offset or 0
        if zone is not None:
            shift = _offset_at(zone, nanos // NANOS)
        days, rest = divmod(nanos + shift * NANOS, DAY_NANOS)
        day = Date.from_days(days)
        return None if day is None else cls(day, Time.of_nanos(rest, offset, zone))

    @property
    def is_local(self) -> bool:
        """Neither offset nor zone."""
        return self.time.is_local

    @property
    def local_nanos(self) -> int:
        """Nanoseconds since 1970-01-01T00:00 on the wall."""
        return self.date.days * DAY_NANOS + self.time.nanos

    @property
    def utc_offset(self) -> int | None:
        """The offset in seconds at this moment; None for a local one."""
        return self.time.offset if self.time.zone is None else offset_of(self.time.zone, self.date, self.time)

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01T00:00 UTC (of a local one: on the wall)."""
        return self.local_nanos - (self.utc_offset or 0) * NANOS

    def plus(self, nanos: int) -> DateTime | None:
        """Return the moment so much later, in the same zone."""
        return DateTime.from_instant(self.instant + nanos, self.time.offset, self.time.zone)

    def plus_months(self, months: int) -> DateTime | None:
        """Return the same time of day so many months later."""
        day = self.date.plus_months(months)
        return None if day is None else DateTime(day, self.time)

    def in_zone(self, name: str) -> DateTime | None:
        """Return the same moment in another zone; a local one keeps its clock."""
        if self.is_local:
            clock = self.time
            return DateTime(self.date, Time(clock.hour, clock.minute, clock.second, clock.nano, None, name))
        return DateTime.from_instant(self.instant, None, name)

    def to_python(self) -> python.datetime:
        """Return a `datetime.datetime` (rounded down to microseconds; naive for a local one).

        Raises:
            ValueError: the year is not between 1 and 9999.
        """
        return python.datetime.combine(self.date.to_python(), self.time.to_python())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, python.datetime):
            other = DateTime.from_python(other)
        if isinstance(other, DateTime):
            return self.is_local == other.is_local and self.instant == other.instant
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.instant)

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"

    isoformat = __str__


def _python_zone(zone: python.tzinfo | None, offset: python.timedelta | None) -> tuple[int | None, str | None]:
    if isinstance(zone, ZoneInfo) and zone.key is not None:
        return None, zone.key
    return (None if offset is None else int(offset.total_seconds())), None


def _era(year: int) -> int:
    """Return a year of Python's range with the same calendar; zones know no rules of far years."""
    return year if 1 < year < 9999 else 2000 + year % 400


def offset_of(zone: str, day: Date, clock: Time) -> int:
    """Return a zone's offset in seconds at a local date and time."""
    info = zone_info(zone)
    local = python.datetime(_era(day.year), day.month, day.day, clock.hour, clock.minute, clock.second, tzinfo=info)
    offset = local.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _offset_at(zone: str, seconds: int) -> int:
    """Return a zone's offset in seconds at a moment, given in seconds since 1970 UTC."""
    days, rest = divmod(seconds, 86_400)
    year, month, day = civil_from_days(days)
    moment = python.datetime(_era(year), month, day, tzinfo=python.UTC) + python.timedelta(seconds=rest)
    info = zone_info(zone)
    offset = None if info is None else moment.astimezone(info).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


Temporal = Date | Time | DateTime | DaysDuration | MonthsDuration
