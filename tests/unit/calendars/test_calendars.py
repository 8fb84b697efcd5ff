"""Working days: the domain's own examples, provisional years, and counting as an inverse of adding."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendars import MAX_WORKING_DAYS, Calendar, Day
from engine.errors import CalendarMissing, InvalidValue

PUBLISHED = Calendar.published()
PLAIN = Calendar()

dates = st.dates(date(2015, 1, 1), date(2035, 12, 31))
calendars = st.sampled_from([PUBLISHED, PLAIN])


@pytest.mark.parametrize(
    ("published_on", "first", "last"),
    [
        (date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 27)),
        (date(2026, 9, 18), date(2026, 9, 20), date(2026, 10, 15)),
    ],
)
def test_public_notice_of_fifteen_working_days_over_national_day(published_on: date, first: date, last: date) -> None:
    """data-transfer, scenario 4."""
    assert PUBLISHED.add_working_days(published_on, 1) == first
    assert PUBLISHED.add_working_days(published_on, 15) == last
    assert PUBLISHED.is_working_day(date(2026, 10, 10))


def test_second_working_day_after_the_holiday() -> None:
    """iit-review, scenario 5: asked on Tuesday 29 September 2026, replaced at the end of Thursday 8 October."""
    assert PUBLISHED.add_working_days(date(2026, 9, 29), 2) == date(2026, 10, 8)


def test_first_working_day_of_2026_is_a_sunday() -> None:
    assert PUBLISHED.add_working_days(date(2025, 12, 31), 1) == date(2026, 1, 4)


def test_days_carry_the_notice_s_name() -> None:
    assert PUBLISHED.days[date(2026, 10, 1)] == Day(date(2026, 10, 1), working=False, name="国庆节")
    assert PUBLISHED.in_year(2026)[0].on == date(2026, 1, 1)
    assert PUBLISHED.in_year(2099) == ()


def test_a_year_without_notice_is_provisional_monday_to_friday() -> None:
    assert PUBLISHED.is_working_day(date(2031, 10, 1))
    assert not PUBLISHED.is_working_day(date(2031, 10, 4))
    assert PUBLISHED.is_provisional(date(2026, 12, 30), date(2031, 1, 5))
    assert PUBLISHED.is_provisional(date(2031, 1, 5), date(2026, 12, 30))
    assert not PUBLISHED.is_provisional(date(2026, 12, 30))


def test_entering_a_year_makes_it_known_and_moves_what_was_computed() -> None:
    entered = PUBLISHED.overlaid([Day(date(2031, 10, 1), working=False, name="国庆节")], [2031])
    assert entered.add_working_days(date(2031, 9, 30), 1) == date(2031, 10, 2)
    assert not entered.is_provisional(date(2031, 9, 30))
    assert PUBLISHED.add_working_days(date(2031, 9, 30), 1) == date(2031, 10, 1)


def test_an_administrator_s_day_replaces_the_published_one() -> None:
    entered = PUBLISHED.overlaid([Day(date(2026, 10, 10), working=False)])
    assert entered.add_working_days(date(2026, 9, 30), 15) == date(2026, 10, 28)


def test_a_strict_calendar_names_the_missing_year() -> None:
    strict = PUBLISHED.strictly()
    assert strict.add_working_days(date(2026, 9, 30), 15) == date(2026, 10, 27)
    for count in (
        lambda: strict.add_working_days(date(2031, 1, 1), 1),
        lambda: strict.working_days_between(date(2031, 1, 1), date(2031, 2, 1)),
        lambda: strict.is_working_day(date(2031, 1, 1)),
    ):
        with pytest.raises(CalendarMissing, match="2031"):
            count()


def test_a_strict_calendar_does_not_ask_for_the_year_of_an_uncounted_start_day() -> None:
    strict = Calendar(years=frozenset({2026})).strictly()
    assert strict.working_days_between(date(2025, 12, 31), date(2026, 1, 2)) == 2
    assert strict.add_working_days(date(2025, 12, 31), 1) == date(2026, 1, 1)


def test_endless_and_overflowing_periods_are_refused() -> None:
    with pytest.raises(InvalidValue, match="at most"):
        PLAIN.add_working_days(date(2026, 1, 1), MAX_WORKING_DAYS + 1)
    with pytest.raises(InvalidValue, match="outside"):
        PLAIN.add_working_days(date.max, 1)
    with pytest.raises(InvalidValue, match="outside"):
        PLAIN.add_working_days(date.min, -1)


@given(calendars, dates, st.integers(1, 400))
def test_the_period_ends_on_a_working_day_and_counts_back_to_its_length(calendar: Calendar, start: date, days: int) -> None:
    end = calendar.add_working_days(start, days)
    assert calendar.is_working_day(end)
    assert calendar.working_days_between(start, end) == days
    assert calendar.working_days_between(end, start) == -days


@given(calendars, dates, st.integers(0, 200), st.integers(0, 200))
def test_periods_add_up(calendar: Calendar, start: date, first: int, second: int) -> None:
    assert calendar.add_working_days(calendar.add_working_days(start, first), second) == calendar.add_working_days(
        start, first + second
    )


@given(calendars, dates, st.integers(0, 500))
def test_the_count_equals_looking_at_every_day(calendar: Calendar, start: date, length: int) -> None:
    end = start + timedelta(days=length)
    by_hand = sum(calendar.is_working_day(start + timedelta(days=n)) for n in range(1, length + 1))
    assert calendar.working_days_between(start, end) == by_hand


@given(calendars, dates, st.integers(1, 200))
def test_counting_back_undoes_counting_on(calendar: Calendar, day: date, days: int) -> None:
    start = calendar.add_working_days(day, 1)
    assert calendar.add_working_days(calendar.add_working_days(start, days), -days) == start


@given(dates, dates)
def test_without_exceptions_working_days_are_weekdays(start: date, end: date) -> None:
    weekdays = sum(date.fromordinal(n).weekday() < 5 for n in range(start.toordinal() + 1, end.toordinal() + 1))
    if start <= end:
        assert PLAIN.working_days_between(start, end) == weekdays
