"""ISO 8601 texts of timers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions import iso8601

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("text", ["P", "PT", "", "1D", "P1", "P-1D", "PT1.5H", "P1S", "PT1D", "P1DT", "--P1D", "+P1D", "P１D"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        iso8601.duration(text)


@pytest.mark.parametrize(
    "text", ["R0/PT1H", "R/PT0S", "R/-PT1H", "R/P", "PT1H", "R/x/PT1H", "0 0 9 * * *", "@daily", "R/PT1H/2026-01-01T00:00:00Z"]
)
def test_no_cycle(text: str) -> None:
    with pytest.raises(ValueError, match="/"):
        iso8601.cycle(text)


@pytest.mark.parametrize(
    "text", ["2026-01-01", "2026-13-01T00:00:00Z", "tomorrow", "", "2026-01-01T00:00:00[Mars/Base]", "T10:00:00"]
)
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="/"):
        iso8601.moment(text, UTC)


def test_a_local_moment_is_of_the_zone() -> None:
    assert iso8601.moment("2026-01-01T08:00:00", SHANGHAI) == datetime(2026, 1, 1, tzinfo=UTC)


def test_months_end_on_the_last_day() -> None:
    start = datetime(2026, 1, 31, 1, tzinfo=UTC)
    month = iso8601.duration("P1M")
    assert [month.after(start, SHANGHAI, n).date().isoformat() for n in (1, 2, 13)] == ["2026-02-28", "2026-03-31", "2027-02-28"]


def test_a_day_is_the_same_time_of_day_and_24_hours_are_24_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 11, tzinfo=UTC)  # noon in Berlin, the day before the clocks change
    assert iso8601.duration("P1D").after(before, berlin).hour == 10
    assert iso8601.duration("PT24H").after(before, berlin).hour == 11


def test_dates_beyond_the_calendar() -> None:
    with pytest.raises(ValueError, match="range"):
        iso8601.duration("P999999Y").after(datetime(2026, 1, 1, tzinfo=UTC), UTC)
    with pytest.raises(ValueError, match="range"):
        iso8601.duration("PT9999999999S").after(datetime(9999, 12, 31, tzinfo=UTC), UTC)


@given(st.integers(0, 400), st.integers(0, 50), st.integers(0, 10**6), st.sampled_from(["", "-"]))
def test_back_and_forth(months: int, days: int, seconds: int, sign: str) -> None:
    length = iso8601.duration(f"{sign}P{months}M{days}DT{seconds}S")
    assert (length.months, length.days, length.seconds) == (months, days, seconds)
    start = datetime(2026, 5, 15, tzinfo=UTC)
    assert (length.after(start, SHANGHAI) >= start) == (length.sign > 0 or not (months or days or seconds))
