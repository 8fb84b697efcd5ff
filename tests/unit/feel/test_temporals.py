"""Dates, times and durations: our own arithmetic against Python's, and what Python's types cannot hold."""

from __future__ import annotations

import datetime as python
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel

dates = st.dates(python.date(1, 1, 2), python.date(9999, 12, 30))
moments = st.datetimes().filter(lambda moment: 2 < moment.year < 9998)
seconds = st.integers(-(10**9), 10**9)


@given(dates, st.integers(-3000, 3000))
def test_adding_days_is_as_in_python(day: python.date, days: int) -> None:
    expected = python.date.toordinal(day) + days
    if 1 <= expected <= python.date.max.toordinal():
        value = feel.evaluate('d + duration("P1D") * n', {"d": day, "n": days})
        assert value == python.date.fromordinal(expected)


@given(dates, dates)
def test_the_difference_of_days_is_as_in_python(left: python.date, right: python.date) -> None:
    assert feel.evaluate("a - b", {"a": left, "b": right}) == left - right
    assert feel.evaluate("a < b", {"a": left, "b": right}) is (left < right)


@given(dates)
def test_facts_of_a_day_are_as_in_python(day: python.date) -> None:
    context = {"d": day}
    assert feel.evaluate("[d.year, d.month, d.day, d.weekday]", context) == [day.year, day.month, day.day, day.isoweekday()]
    assert feel.evaluate("week of year(d)", context) == day.isocalendar().week
    assert feel.evaluate("day of year(d)", context) == day.timetuple().tm_yday
    assert feel.evaluate("day of week(d)", context) == day.strftime("%A")
    assert feel.evaluate("month of year(d)", context) == day.strftime("%B")
    assert str(feel.evaluate("d", context)) == day.isoformat()


@given(moments, seconds)
def test_adding_seconds_is_as_in_python(moment: python.datetime, amount: int) -> None:
    expected = moment + python.timedelta(seconds=amount) if 3000 < moment.year < 7000 else moment
    shift = amount if 3000 < moment.year < 7000 else 0
    assert feel.evaluate('m + duration("PT1S") * n', {"m": moment, "n": shift}) == expected


@given(st.integers(800_000_000, 2_000_000_000), st.integers(-(10**7), 10**7))
def test_moments_in_a_zone_move_on_the_time_line(moment: int, amount: int) -> None:
    start = python.datetime.fromtimestamp(moment, ZoneInfo("Europe/Paris"))
    value = feel.evaluate('m + duration("PT1S") * n', {"m": start, "n": amount})
    assert value == start.astimezone(python.UTC) + python.timedelta(seconds=amount)
    assert str(value).endswith("@Europe/Paris")


@given(st.timedeltas())
def test_durations_are_written_and_read_back(duration: python.timedelta) -> None:
    value = feel.from_python(duration)
    assert feel.evaluate("duration(text)", {"text": str(value)}) == value
    assert value == duration
    assert value.to_python() == duration


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('date("999999999-12-31")', "999999999-12-31"),
        ('date("-0044-03-15")', "-0044-03-15"),
        ('date and time("2011-12-31T10:15:30.987654321@Europe/Paris")', "2011-12-31T10:15:30.987654321@Europe/Paris"),
        ('time("11:22:33.5+01:30")', "11:22:33.5+01:30"),
        ('time(11, 59, 45, duration("-PT2H45M55S"))', "11:59:45-02:45:55"),
        ('@"2020-02-29" + @"P1Y"', "2021-02-28"),
        ('@"2021-01-31" + @"P1M"', "2021-02-28"),
        ('@"2026-11-20T18:00:00" + @"P1DT6H"', "2026-11-22T00:00:00"),
        ('time("23:00:00+08:00") + duration("PT2H")', "01:00:00+08:00"),
        ('date("2016-12-25") - duration("PT1H")', "2016-12-24"),
        ('date and time("2012-12-24T24:00:00")', "2012-12-25T00:00:00"),
        ('date and time("2016-12-24T23:59:00-08:00") - date("2016-12-25")', "PT7H59M"),
        ('date and time(2017, 8, 10, 10, 20, 0, "Europe/Paris")', "2017-08-10T10:20:00@Europe/Paris"),
        ('date and time(date("2017-01-01"), time("23:59:01Z"))', "2017-01-01T23:59:01Z"),
        ('date and time(@"2020-07-31T14:27:30@Europe/Berlin", "America/Los_Angeles")', "2020-07-31T05:27:30@America/Los_Angeles"),
        ('years and months duration(date("2011-12-22"), date("2013-08-24"))', "P1Y8M"),
        ('years and months duration(date("2013-08-24"), date("2011-12-22"))', "-P1Y8M"),
        ('@"P1Y" * 2.5', "P2Y6M"),
        ('@"P1D" / 2', "PT12H"),
        ('-duration("P1DT2H")', "-P1DT2H"),
        ('duration("P0Y")', "P0M"),
        ('duration("PT0.1S") * 5', "PT0.5S"),
        ('last day of month(date("2024-02-03"))', "2024-02-29"),
        ('time("10:00:00@Europe/Paris").timezone', "Europe/Paris"),
        ('date and time("2018-07-10T10:30:00@Europe/Paris").time offset', "PT2H"),
    ],
)
def test_temporal_text(expression: str, text: str) -> None:
    assert str(feel.evaluate(expression)) == text


@pytest.mark.parametrize(
    "expression",
    [
        'date("2026-02-29")',
        'date("998-12-31")',
        'date("01211-12-31")',
        'date("9999999999-12-27")',
        'date("2012-12-25T11:00:00Z")',
        "date(2026, 13, 1)",
        'time("24:00:01")',
        'time("7:00:00")',
        'time("13:20:00+19:00")',
        'time("13:20:00@xyz/abc")',
        'time("13:20:00+02:00@Europe/Paris")',
        'duration("P1Y1D")',
        'duration("P")',
        'duration("PT")',
        'date("999999999-12-31") + duration("P1D")',
        'date and time("2018-12-08T10:30:00") < date and time("2018-12-08T10:30:00Z")',
        'duration("P1M") > duration("P30D")',
        'time("10:00:00") + duration("P1M")',
        '@"foo"',
    ],
)
def test_what_is_no_temporal_value_is_null(expression: str) -> None:
    assert feel.evaluate(expression) is None


def test_python_values_are_taken_and_given_back() -> None:
    moment = python.datetime(2026, 11, 20, 18, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert str(feel.evaluate("m", {"m": moment})) == "2026-11-20T18:00:00@Asia/Shanghai"
    assert feel.evaluate("m", {"m": moment}).to_python() == moment
    assert feel.evaluate("t", {"t": python.time(18, 30)}) == python.time(18, 30)
    assert feel.evaluate("m", {"m": moment}) == moment
    assert len({feel.Date(2026, 1, 1), python.date(2026, 1, 1)}) == 1


def test_now_and_today_are_the_environments() -> None:
    environment = feel.Environment(now=python.datetime(2026, 11, 20, 17, 30, tzinfo=python.UTC))
    assert str(feel.evaluate("today()", {}, environment)) == "2026-11-21"
    assert str(feel.evaluate("now()", {}, environment)) == "2026-11-21T01:30:00@Asia/Shanghai"
