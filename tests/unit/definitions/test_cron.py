"""Cron texts: what they mean, compared with an enumeration of all seconds, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.cron import cron, is_cron

SHANGHAI = ZoneInfo("Asia/Shanghai")
FROM = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # Monday, 09:00 in Shanghai


def next_ones(text: str, count: int = 3, zone: str = "Asia/Shanghai", since: datetime = FROM) -> list[str]:
    found, at = [], since
    for _ in range(count):
        due = cron(text).after(at, ZoneInfo(zone))
        assert due is not None
        at = due
        found.append(at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 9-17 * * MON-FRI", ["2026-11-02T10:00:00", "2026-11-02T11:00:00", "2026-11-02T12:00:00"]),
        ("0 0 9 * * *", ["2026-11-03T09:00:00", "2026-11-04T09:00:00", "2026-11-05T09:00:00"]),
        ("*/20 30 8 * * ?", ["2026-11-03T08:30:00", "2026-11-03T08:30:20", "2026-11-03T08:30:40"]),
        ("0 15/20 9 * * *", ["2026-11-02T09:15:00", "2026-11-02T09:35:00", "2026-11-02T09:55:00"]),
        ("0 0 0 29 2 *", ["2028-02-29T00:00:00", "2032-02-29T00:00:00", "2036-02-29T00:00:00"]),
        ("0 0 0 L * *", ["2026-11-30T00:00:00", "2026-12-31T00:00:00", "2027-01-31T00:00:00"]),
        ("0 0 0 L-3 * *", ["2026-11-27T00:00:00", "2026-12-28T00:00:00", "2027-01-28T00:00:00"]),
        ("0 0 0 LW * *", ["2026-11-30T00:00:00", "2026-12-31T00:00:00", "2027-01-29T00:00:00"]),
        ("0 0 0 15W * *", ["2026-11-16T00:00:00", "2026-12-15T00:00:00", "2027-01-15T00:00:00"]),
        ("0 0 0 1W * *", ["2026-12-01T00:00:00", "2027-01-01T00:00:00", "2027-02-01T00:00:00"]),
        ("0 0 0 ? * 5L", ["2026-11-27T00:00:00", "2026-12-25T00:00:00", "2027-01-29T00:00:00"]),
        ("0 0 0 ? * FRIL", ["2026-11-27T00:00:00", "2026-12-25T00:00:00", "2027-01-29T00:00:00"]),
        ("0 0 0 ? * MON#2", ["2026-11-09T00:00:00", "2026-12-14T00:00:00", "2027-01-11T00:00:00"]),
        ("0 0 0 13 * FRI", ["2026-11-13T00:00:00", "2027-08-13T00:00:00", "2028-10-13T00:00:00"]),
        ("0 0 0 1 JAN,JUL SUN-MON", ["2029-01-01T00:00:00", "2029-07-01T00:00:00", "2030-07-01T00:00:00"]),
        ("@monthly", ["2026-12-01T00:00:00", "2027-01-01T00:00:00", "2027-02-01T00:00:00"]),
        ("@weekly", ["2026-11-08T00:00:00", "2026-11-15T00:00:00", "2026-11-22T00:00:00"]),
        ("@yearly", ["2027-01-01T00:00:00", "2028-01-01T00:00:00", "2029-01-01T00:00:00"]),
        ("@hourly", ["2026-11-02T10:00:00", "2026-11-02T11:00:00", "2026-11-02T12:00:00"]),
    ],
)
def test_the_next_ones(text: str, expected: list[str]) -> None:
    assert next_ones(text) == expected


def test_clocks_that_jump() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next_ones("0 30 2 * * *", 2, "Europe/Berlin", spring) == ["2026-03-29T03:30:00", "2026-03-30T02:30:00"]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert next_ones("0 30 2 * * *", 2, "Europe/Berlin", autumn) == ["2026-10-25T02:30:00", "2026-10-26T02:30:00"]


@given(
    st.sampled_from(["*", "0", "*/15", "5,50", "10-20", "30/10"]),
    st.sampled_from(["*", "0", "*/7", "59", "3-5"]),
    st.sampled_from(["*", "9-17", "23", "*/6"]),
    st.integers(0, 3 * 86_400),
)
def test_it_is_the_first_second_that_fits(second: str, minute: str, hour: str, start: int) -> None:
    rule = cron(f"{second} {minute} {hour} * * *")
    since = FROM + timedelta(seconds=start)
    due = rule.after(since, SHANGHAI)
    assert due is not None
    at = since
    while True:
        at += timedelta(seconds=1)
        local = at.astimezone(SHANGHAI)
        if local.hour not in rule.hours:
            at = at.replace(minute=59, second=59)
        elif local.minute not in rule.minutes:
            at = at.replace(second=59)
        elif local.second in rule.seconds:
            break
    assert due == at


@pytest.mark.parametrize(
    "bad",
    ["", "0 0 9 * *", "60 0 9 * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 32 * *", "0 0 0 * 13 *", "0 0 0 * * 8",
     "0 0 0 * * XYZ", "0 0 5-3 * * *", "*/0 * * * * *", "0 0 0 * * MON#6", "0 0 0 30 2 *",
     "@sometimes", "a b c d e f", "0 0 0 40W * *"],
)  # fmt: skip
def test_what_is_none(bad: str) -> None:
    with pytest.raises(ValueError, match="cron"):
        cron(bad)


def test_what_looks_like_cron() -> None:
    assert is_cron("0 0 9 * * *")
    assert is_cron("@daily")
    assert not is_cron("R3/PT1H")
