"""ISO 8601 moments, durations and cycles, as timer events carry them.

A duration keeps years, months, weeks and days apart from seconds: they are counted on the calendar of a time zone, so `P1M`
from 31 January ends on 28 February, and `P1D` on the same time of day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DURATION = re.compile(
    r"(?P<sign>-?)P(?=[0-9T])(?:(?P<y>\d{1,6})Y)?(?:(?P<m>\d{1,6})M)?(?:(?P<w>\d{1,6})W)?(?:(?P<d>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<h>\d{1,8})H)?(?:(?P<min>\d{1,8})M)?(?:(?P<s>\d{1,10}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_CYCLE = re.compile(r"R(?P<n>\d{0,9})/(?:(?P<start>[^/]+)/)?(?P<duration>-?P[^/]*)", re.ASCII)
_ZONED = re.compile(r"(?P<moment>.*?)(?P<offset>Z|[+-]\d\d:?\d\d)?(?:(?:\[(?P<b>[^\]]+)\])|@(?P<a>.+))?", re.ASCII | re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; `sign` -1 counts backwards."""

    months: int
    days: int
    seconds: float
    sign: int = 1

    def after(self, moment: datetime, zone: tzinfo, times: int = 1) -> datetime:
        """Return the moment (UTC) that lies `times` durations after one, counted on the zone's calendar.

        Raises:
            ValueError: it lies outside the calendar (years 1 to 9999).
        """
        count = self.sign * times
        try:
            local = moment.astimezone(zone)
            if self.months or self.days:
                # Same wall-clock time: aware datetimes of one zone add on the wall clock.
                local = _add_months(local, count * self.months) + timedelta(days=count * self.days)
            return local.astimezone(UTC) + timedelta(seconds=count * self.seconds)
        except OverflowError as error:
            raise ValueError("日期超出范围 / date out of range") from error

    @property
    def positive(self) -> bool:
        """Whether it moves forward at all."""
        return self.sign > 0 and bool(self.months or self.days or self.seconds)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeated duration. `repetitions` -1 = without end; `start` None = from the moment it is armed."""

    repetitions: int
    start: str | None
    duration: Duration


def duration(text: str) -> Duration:
    """Read `P1Y2M3W4DT5H6M7.5S`, with a leading `-` to count backwards.

    Raises:
        ValueError: it is none; `P` and `PT` alone are none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"不是 ISO 8601 时长：{text!r} / not an ISO 8601 duration")
    number = {k: float(v) if k == "s" else int(v) for k, v in match.groupdict().items() if k != "sign" and v}
    if not number:
        raise ValueError(f"不是 ISO 8601 时长：{text!r} / not an ISO 8601 duration")
    return Duration(
        months=int(number.get("y", 0) * 12 + number.get("m", 0)),
        days=int(number.get("w", 0) * 7 + number.get("d", 0)),
        seconds=number.get("h", 0) * 3600 + number.get("min", 0) * 60 + number.get("s", 0),
        sign=-1 if match["sign"] else 1,
    )


def cycle(text: str) -> Cycle:
    """Read `R/PT1H`, `R3/PT10H`, `R/2026-01-01T00:00:00Z/P1D`.

    Raises:
        ValueError: it is none, repeats zero times, or its duration does not move forward. (Cron texts: see `cron`.)
    """
    match = _CYCLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"不是 ISO 8601 周期，也不是 6 段的 cron：{text!r} / neither an ISO 8601 repeating interval nor cron")
    length = duration(match["duration"])
    repetitions = int(match["n"]) if match["n"] else -1
    if not length.positive or repetitions == 0:
        raise ValueError(f"周期必须向前并至少一次：{text!r} / a cycle must move forward and repeat at least once")
    if match["start"]:
        moment(match["start"], UTC)
    return Cycle(repetitions, match["start"], length)


def moment(text: str, zone: tzinfo) -> datetime:
    """Read a date and time as a UTC moment; without an offset it is local to `zone`.

    `2026-12-01T09:00:00Z`, `…+08:00`, `…[Asia/Shanghai]`, `…@Asia/Shanghai`.

    Raises:
        ValueError: it is none; a date alone is none, because it has no time of day.
    """
    text = text.strip()
    if _DATE.fullmatch(text):
        raise ValueError(
            f"{text} 是日期，没有钟点；请写 start of day(…) 或 end of day(…) / a date has no time of day: "
            "use start of day(…) or end of day(…)"
        )
    match = _ZONED.fullmatch(text)
    try:
        if match is None or "T" not in match["moment"]:
            raise ValueError(text)
        value = datetime.fromisoformat(match["moment"] + ("+00:00" if match["offset"] == "Z" else match["offset"] or ""))
        named = match["a"] or match["b"]
        if value.tzinfo is None:
            value = value.replace(tzinfo=ZoneInfo(named) if named else zone)
        return value.astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError, OverflowError) as error:
        raise ValueError(f"不是日期时间：{text!r} / not a date and time") from error


def _add_months(local: datetime, months: int) -> datetime:
    if not months:
        return local
    years, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    if not date.min.year <= years <= date.max.year:
        raise ValueError(f"日期超出范围 / date out of range: {years}")
    last = calendar.monthrange(years, month + 1)[1]
    return local.replace(year=years, month=month + 1, day=min(local.day, last))
