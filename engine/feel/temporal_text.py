"""Reading dates, times and durations from text. Every function answers None for what is not one."""

from __future__ import annotations

import re

from engine.feel.temporal import DAY_NANOS, NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time, zone_info

_DATE = r"(?P<year>-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9})[0-9]*)?"
_OFFSET = r"(?P<sign>[+-])(?P<oh>[0-9]{2}):(?P<om>[0-9]{2})(?::(?P<os>[0-9]{2}))?"
_ZONE = rf"(?:(?P<utc>[Zz])|{_OFFSET}|@(?P<zone>[A-Za-z][A-Za-z0-9_+/-]*))?"
_date = re.compile(_DATE, re.ASCII).fullmatch
_time = re.compile("T?" + _TIME + _ZONE, re.ASCII).fullmatch
# Forms write moments to the minute, 2026-11-20T18:00+08:00, and so does ISO 8601: seconds may be left out beside a date.
_MOMENT = _TIME.replace(":(?P<second>", "(?::(?P<second>").removesuffix("?") + "?)?"
_date_time = re.compile(_DATE + "T" + _MOMENT + _ZONE, re.ASCII).fullmatch
_COUNT = "0*([0-9]{1,18})"
_months = re.compile(rf"(-)?P(?:{_COUNT}Y)?(?:{_COUNT}M)?", re.ASCII).fullmatch
_days = re.compile(
    rf"(-)?P(?:{_COUNT}D)?(?:(T)(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}(?:\.([0-9]{{1,9}})[0-9]*)?S)?)?", re.ASCII
).fullmatch
MAX_OFFSET = 18 * 3600


def parse_date(text: str) -> Date | None:
    """Read `2026-11-20`."""
    match = _date(text)
    return None if match is None else _date_of(match)


def parse_time(text: str) -> Time | None:
    """Read `18:00:00`, with a fraction, an offset or a zone: `18:00:00.5+08:00`, `18:00:00@Asia/Shanghai`."""
    match = _time(text)
    return None if match is None else _time_of(match)


def parse_date_time(text: str) -> DateTime | None:
    """Read a date and time, `2026-11-20T18:00:00@Asia/Shanghai`; a bare date is its midnight, 24:00:00 the next day's."""
    match = _date_time(text)
    if match is None:
        day = parse_date(text)
        return None if day is None else DateTime(day, Time(0, 0, 0))
    date, time = _date_of(match), _time_of(match)
    if date is None or time is None:
        return None
    if match["hour"] == "24":
        following = date.plus_days(1)
        return None if following is None else DateTime(following, time)
    return DateTime(date, time)


def parse_duration(text: str) -> DaysDuration | MonthsDuration | None:
    """Read `P1Y2M` or `P3DT4H5M6.7S`, with a leading minus if negative; years and days cannot be mixed."""
    if match := _months(text):
        sign, years, months = match.groups()
        if years is None and months is None:
            return None
        total = int(years or 0) * 12 + int(months or 0)
        return MonthsDuration(-total if sign else total)
    match = _days(text)
    if match is None:
        return None
    sign, days, clock, hours, minutes, seconds, fraction = match.groups()
    if (days is None and clock is None) or (clock is not None and hours is None and minutes is None and seconds is None):
        return None
    nanos = int(days or 0) * DAY_NANOS + (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * NANOS
    nanos += int((fraction or "0").ljust(9, "0"))
    return DaysDuration(-nanos if sign else nanos)


def parse_any(text: str) -> Date | Time | DateTime | DaysDuration | MonthsDuration | None:
    """Read whatever temporal value the text is, as `@"…"` does."""
    return parse_date(text) or _date_time_only(text) or parse_time(text) or parse_duration(text)


def _date_time_only(text: str) -> DateTime | None:
    return parse_date_time(text) if "T" in text else None


def _date_of(match: re.Match[str]) -> Date | None:
    return Date.of(int(match["year"]), int(match["month"]), int(match["day"]))


def _time_of(match: re.Match[str]) -> Time | None:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    nano = int((match["fraction"] or "0").ljust(9, "0"))
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or nano)):
        return None
    offset: int | None = None
    zone: str | None = match["zone"]
    if zone is not None and zone_info(zone) is None:
        return None
    if match["utc"]:
        offset = 0
    elif match["sign"]:
        if int(match["om"]) > 59 or int(match["os"] or 0) > 59:
            return None
        offset = int(match["oh"]) * 3600 + int(match["om"]) * 60 + int(match["os"] or 0)
        if offset > MAX_OFFSET:
            return None
        offset = -offset if match["sign"] == "-" else offset
    return Time(hour % 24, minute, second, nano, offset, zone)
