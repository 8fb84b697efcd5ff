"""Working days and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine import feel
from engine.errors import CalendarMissing


class Weekdays:
    """Monday to Friday are worked; 2028 is not published."""

    def is_working_day(self, day: date) -> bool:
        if day.year == 2028:
            raise CalendarMissing
        return day.isoweekday() <= 5

    def add_working_days(self, start: date, days: int) -> date:
        while days:
            start += timedelta(days=1)
            days -= self.is_working_day(start)
        return start

    def working_days_between(self, start: date, end: date) -> int:
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


class People:
    """Two people."""

    def users_in_group(self, group_id: str) -> Sequence[Mapping[str, Any]]:
        people = [{"id": "li", "groups": ["ethics"]}, {"id": "wu", "groups": ["ethics", "leadership"]}]
        return [person for person in people if group_id in person["groups"]]

    def user(self, username: str) -> Mapping[str, Any] | None:
        return next((person for person in self.users_in_group("ethics") if person["id"] == username), None)


ENVIRONMENT = feel.Environment(now=datetime(2026, 11, 20, 10, tzinfo=UTC), calendar=Weekdays(), directory=People())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('add working days(date("2026-11-20"), 1)', "2026-11-23"),
        ('add working days("2026-11-20", 0)', "2026-11-20"),
        ('add working days(date and time("2026-11-20T17:00:00Z"), 1)', "2026-11-23"),
        ('working days between(date("2026-11-20"), date("2026-11-27"))', "5"),
        ('working days between("2026-11-20", date("2026-11-27"))', "5"),
        ('is working day(date("2026-11-21"))', "False"),
        ('start of day(date("2026-11-20"))', "2026-11-20T00:00:00@Asia/Shanghai"),
        ('end of day(date("2026-11-20"))', "2026-11-21T00:00:00@Asia/Shanghai"),
        ('end of day(date and time("2026-11-20T17:00:00Z"))', "2026-11-22T00:00:00@Asia/Shanghai"),
        ("end of day(add working days(today(), 15)) - start of day(today())", "P22D"),
        ('add working days(date("2026-11-20"), -1)', "None"),
        ('add working days(date("2026-11-20"), 1.5)', "None"),
        ('add working days("soon", 1)', "None"),
        ('end of day(@"999999999-12-31")', "None"),
        ('users in group("ethics").id', "['li', 'wu']"),
        ('user("wu").groups', "['ethics', 'leadership']"),
        ('user("nobody")', "None"),
        ("largest remainder(100, [1, 1, 1])", "[Decimal('33.34'), Decimal('33.33'), Decimal('33.33')]"),
        ("largest remainder(-0.05, [1, 1])", "[Decimal('-0.03'), Decimal('-0.02')]"),
        ("largest remainder(1, [0, 0])", "None"),
        ("largest remainder(0.001, [1])", "None"),
        ("round half up(2.345, 2)", "2.35"),
    ],
)
def test_our_own_functions(text: str, expected: str) -> None:
    assert str(feel.evaluate(text, {}, ENVIRONMENT)) == expected


@pytest.mark.parametrize("text", ["is working day(today())", 'users in group("x")'])
def test_without_calendar_or_directory_they_are_null(text: str) -> None:
    value, warnings = feel.compile_expression(text).evaluate_with_warnings()
    assert value is None
    assert len(warnings) == 1


def test_a_missing_calendar_is_an_error_not_a_null_deadline() -> None:
    with pytest.raises(CalendarMissing):
        feel.evaluate('is working day(date("2028-01-01"))', {}, ENVIRONMENT)
