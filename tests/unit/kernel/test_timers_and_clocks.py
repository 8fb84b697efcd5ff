"""Timers: dates, durations, cycles, past ones, downtime; and clocks that stand still."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from engine.errors import InvalidValue, TaskNotOpen
from engine.kernel import advance as a
from engine.kernel import start_timer
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    each,
    element,
    end,
    event,
    ext,
    flow,
    message,
    props,
    start,
    timer,
    user,
    z,
)


def one(value: str, kind: str, **variables: object) -> Play:
    body = (
        start()
        + user("u")
        + boundary("b", "u", timer(value, kind), interrupting=False)
        + user("n")
        + end()
        + chain("s", "u", "e")
        + chain("b", "n", "e")
    )
    return Play(body, **variables)


def due(play: Play) -> list[str]:
    return [t.due_at.isoformat() for t in play.timers]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("timeDate", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00+00:00"),
        ("timeDate", "2026-12-01T09:00:00+08:00", "2026-12-01T01:00:00+00:00"),
        ("timeDate", "2026-12-01T09:00:00[Asia/Shanghai]", "2026-12-01T01:00:00+00:00"),
        ("timeDate", '=date and time("2026-12-01T09:00:00")', "2026-12-01T01:00:00+00:00"),
        ("timeDate", "=end of day(today())", "2026-11-02T16:00:00+00:00"),
        ("timeDate", "=x", "2026-12-24T00:00:00+00:00"),
        ("timeDuration", "P1D", "2026-11-03T01:00:00+00:00"),
        ("timeDuration", "PT1H30M", "2026-11-02T02:30:00+00:00"),
        ("timeDuration", "P1M", "2026-12-02T01:00:00+00:00"),
        ("timeDuration", '=duration("P2D")', "2026-11-04T01:00:00+00:00"),
        ("timeDuration", '="PT" + string(h) + "H"', "2026-11-02T03:00:00+00:00"),
        ("timeDuration", "-PT1H", "2026-11-02T00:00:00+00:00"),
        ("timeCycle", "R3/PT10H", "2026-11-02T11:00:00+00:00"),
        ("timeCycle", "R/2026-11-05T00:00:00Z/P1D", "2026-11-05T00:00:00+00:00"),
    ],
)
def test_when_a_timer_is_due(kind: str, value: str, expected: str) -> None:
    assert due(one(value, kind, x="2026-12-24T08:00:00+08:00", h=2)) == [expected]


@pytest.mark.parametrize(
    ("kind", "value"), [("timeDate", "=today()"), ("timeDate", "=5"), ("timeDuration", '="P"'), ("timeCycle", '="0 0 99 * * *"')]
)
def test_a_value_that_is_no_time_is_an_incident(kind: str, value: str) -> None:
    play = one(value, kind)
    assert not play.timers
    assert [i.element_id for i in play.incidents] == ["b"]


def test_months_are_counted_on_the_calendar_from_the_first_day() -> None:
    play = one("R/2026-01-31T00:00:00+08:00/P1M", "timeCycle")
    play = Play(play.process, now="2026-01-01T00:00:00+00:00")
    found = []
    for _ in range(4):
        found.append(play.timers[0].due_at.astimezone(play.surroundings().environment.zone).date().isoformat())
        play.fire("b")
    assert found == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_a_cycle_fires_as_often_as_it_says() -> None:
    play = one("R3/PT1H", "timeCycle")
    assert [play.timers[0].repetitions, play.timers[0].text] == [3, "R3/PT1H"]
    for left in (2, 1, 0):
        play.fire("b")
        assert [t.repetitions for t in play.timers] == ([left] if left else [])
    assert play.names == ["n", "n", "n", "u"]


def test_after_downtime_a_cycle_fires_once_and_goes_on_on_its_grid() -> None:
    play = one("R/PT1H", "timeCycle")
    play.turn(timedelta(hours=5, minutes=30))
    play.take(play.instance.fire_timer(play.timers[0].key))
    fired = play.of(a.TimerFired)
    assert [f.due_at.isoformat() for f in fired] == ["2026-11-02T02:00:00+00:00"]
    assert due(play) == ["2026-11-02T07:00:00+00:00"]
    assert play.names == ["n", "u"]


def test_a_counted_cycle_that_ran_out_during_downtime_fires_once() -> None:
    play = one("R3/PT1H", "timeCycle")
    play.turn(timedelta(days=1))
    play.take(play.instance.fire_timer(play.timers[0].key))
    assert not play.timers
    assert play.names == ["n", "u"]


def test_a_fast_cycle_after_a_long_downtime_does_not_burst() -> None:
    play = one("R/PT1S", "timeCycle")
    play.turn(timedelta(days=3650))
    play.take(play.instance.fire_timer(play.timers[0].key))
    assert play.timers[0].due_at > play.now


def test_past_when_armed_fires_or_is_only_recorded() -> None:
    fires = one("2026-11-01T00:00:00Z", "timeDate")
    assert due(fires) == ["2026-11-01T00:00:00+00:00"], "armed in the past: the driver fires it at once"

    def recorded(value: str, kind: str) -> Play:
        on = element(
            "boundaryEvent", "b", ext(props(pastDue="record")) + timer(value, kind), attachedToRef="u", cancelActivity="false"
        )
        return Play(start() + user("u") + on + user("n") + end() + chain("s", "u", "e") + chain("b", "n", "e"))

    play = recorded("2026-11-01T00:00:00Z", "timeDate")
    assert not play.timers
    assert [(f.element_id, f.recorded_only) for f in play.of(a.TimerFired)] == [("b", True)]
    assert play.names == ["u"]
    play.do("u")
    assert play.completed
    cycle = recorded("R/2026-11-01T00:00:00Z/P1D", "timeCycle")
    assert due(cycle) == ["2026-11-03T00:00:00+00:00"]
    assert recorded("2026-11-03T00:00:00Z", "timeDate").timers


def test_a_timer_fires_once() -> None:
    play = one("PT1H", "timeDuration")
    key = play.timers[0].key
    play.fire("b")
    with pytest.raises(TaskNotOpen):
        play.instance.fire_timer(key)


def test_an_intermediate_timer() -> None:
    play = Play(start() + element("intermediateCatchEvent", "t", timer("PT1H")) + user("u") + end() + chain("s", "t", "u", "e"))
    play.fire("t")
    assert play.names == ["u"]


# --- clocks


def review(stops: str = "review", clock: str | None = None) -> Play:
    """A review of 30 days with a reminder, whose clock stands still while the applicant revises."""
    ask = element("boundaryEvent", "ask", event("message", "M"), attachedToRef="judge", cancelActivity="false")
    revise = user("revise", z("taskSchedule", dueDate='=now() + duration("P5D")'), props(stops=stops))
    inner = (
        start("s2")
        + user("judge", z("taskSchedule", dueDate='=now() + duration("P10D")'), props(clock="thirty days"))
        + ask
        + revise
    )
    inner += boundary("hurry", "revise", timer("P3D"), interrupting=False) + end("e2") + end("e3") + end("e4")
    inner += chain("s2", "judge", "e2") + chain("ask", "revise", "e3") + chain("hurry", "e4")
    body = start() + element("subProcess", "review", ext(props(clock="thirty days")) + inner)
    body += boundary("late", "review", timer("P30D"), interrupting=False) + boundary(
        "weekly", "review", timer("R/P7D", "timeCycle"), interrupting=False
    )
    body += (
        user("chase")
        + user("note")
        + end()
        + chain("s", "review", "e")
        + chain("late", "chase", "e")
        + chain("weekly", "note", "e")
    )
    return Play(body, message("M", "ask"))


def test_a_clock_stands_still_and_goes_on_with_what_remained() -> None:
    play = review("thirty days")
    assert {t.element_id: t.due_at.day for t in play.timers} == {"late": 2, "weekly": 9}
    play.turn(timedelta(days=4))
    play.send("ask")
    stopped = play.of(a.ClockStopped)[0]
    assert stopped.clock == "thirty days"
    assert sorted(v / 86400 for v in stopped.remaining.values()) == [3, 6, 26]
    assert {t.element_id for t in play.timers} == {"hurry"}, "what hangs on the task that stops the clock goes on"
    judge = play.one(play.tasks, "judge")
    assert [c.due_at for c in play.of(a.TaskUpdated) if c.key == judge.key] == [None]
    assert play.one(play.tasks, "revise").due_at == play.now + timedelta(days=5)
    play.turn(timedelta(days=10))
    play.do("revise")
    assert [c.clock for c in play.of(a.ClockResumed)] == ["thirty days"]
    now = play.now
    assert {t.element_id: t.due_at - now for t in play.timers} == {"late": timedelta(days=26), "weekly": timedelta(days=3)}
    assert [c.due_at for c in play.of(a.TaskUpdated) if c.key == judge.key][-1] == now + timedelta(days=6)
    play.fire("weekly")
    assert next(t for t in play.timers if t.element_id == "weekly").due_at == now + timedelta(days=10)


def test_two_that_stop_a_clock() -> None:
    play = review("thirty days")
    play.send("ask")
    play.send("ask")
    play.turn(timedelta(days=1))
    play.do("revise")
    assert not play.of(a.ClockResumed)
    play.turn(timedelta(days=1))
    play.do("revise")
    assert len(play.of(a.ClockResumed)) == 1
    assert next(t for t in play.timers if t.element_id == "late").due_at == play.now + timedelta(days=30)


def test_an_element_is_a_clock_by_its_id() -> None:
    play = review("late")
    play.send("ask")
    assert {t.element_id for t in play.timers} == {"weekly", "hurry"}


def test_a_timer_armed_while_its_clock_stands_still_waits_too() -> None:
    body = start() + element("parallelGateway", "p") + user("hold", props(stops="work")) + user("first")
    body += user("work", z("taskSchedule", dueDate='=now() + duration("P2D")')) + boundary("b", "work", timer("P1D")) + end()
    play = Play(body + chain("s", "p", "hold", "e") + chain("p", "first", "work", "e") + flow("b", "e"))
    play.do("first")
    assert play.one(play.tasks, "work").due_at is None
    assert not play.timers
    play.turn(timedelta(days=9))
    play.do("hold")
    assert play.timers[0].due_at == play.now + timedelta(days=1)
    assert play.of(a.TaskUpdated)[-1].due_at == play.now + timedelta(days=2)


def test_a_held_timer_cannot_fire_and_goes_with_its_host() -> None:
    play = review("thirty days")
    key = next(t.key for t in play.timers if t.element_id == "late")
    play.send("ask")
    with pytest.raises(TaskNotOpen):
        play.instance.fire_timer(key)
    play.do("judge")
    play.do("revise")
    assert play.completed
    assert play.nothing_left()


def test_clocks_in_a_multi_instance_stop_once() -> None:
    body = start() + user("u", props(stops="late"), inner=each("[1,2]", "x")) + boundary("late", "u", timer("P1D")) + end()
    play = Play(body + chain("s", "u", "e") + flow("late", "e"))
    assert len(play.of(a.ClockStopped)) == 1
    assert [t.element_id for t in play.timers] == ["late"], "its own boundary timer goes on"


def test_the_moments_are_aware_and_utc() -> None:
    moment = one("P1D", "timeDuration").timers[0].due_at
    assert isinstance(moment, datetime)
    assert moment.utcoffset() == timedelta(0)


# --- working days and start events


class Weekdays:
    """Monday to Friday, except some days."""

    def __init__(self, *holidays: str) -> None:
        self.holidays = holidays

    def is_working_day(self, day: date, /) -> bool:
        return day.weekday() < 5 and day.isoformat() not in self.holidays

    def add_working_days(self, start: date, days: int, /) -> date:
        while days:
            start += timedelta(days=1)
            days -= self.is_working_day(start)
        return start

    def working_days_between(self, start: date, end: date, /) -> int:
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def test_deadlines_are_computed_anew_when_the_calendar_changes() -> None:
    deadline = "=end of day(add working days(today(), 5))"
    body = start() + user("u", z("taskSchedule", dueDate=deadline)) + boundary("b", "u", timer(deadline, "timeDate"))
    play = Play(body + user("v") + end() + chain("s", "u", "e") + chain("b", "v", "e"), calendar=Weekdays())
    assert due(play) == ["2026-11-09T16:00:00+00:00"]
    play.turn(timedelta(days=2))
    play.take(play.instance.recompute_deadlines())
    assert not play.last
    play.calendar = Weekdays("2026-11-04")
    play.turn(play.now)
    play.take(play.instance.recompute_deadlines())
    assert due(play) == ["2026-11-10T16:00:00+00:00"], "counted from the day the task began"
    assert play.of(a.TaskUpdated)[-1].due_at.isoformat() == "2026-11-10T16:00:00+00:00"
    play.fire("b")
    assert play.names == ["v"]


def test_the_timers_of_start_events() -> None:
    play = Play(
        element("startEvent", "t", timer("R2/2026-11-03T00:00:00Z/P1D", "timeCycle")) + user("u") + chain("t", "u"), begin=False
    )
    first = start_timer(play.process, "t", play.surroundings())
    assert first is not None
    assert (first["due"], first["left"]) == ("2026-11-03T00:00:00+00:00", 2)
    play.turn("2026-11-03T00:00:00+00:00")
    second = start_timer(play.process, "t", play.surroundings(), first)
    assert second is not None
    assert (second["due"], second["left"]) == ("2026-11-04T00:00:00+00:00", 1)
    play.turn("2026-11-04T00:00:00+00:00")
    assert start_timer(play.process, "t", play.surroundings(), second) is None
    with pytest.raises(InvalidValue):
        start_timer(play.process, "u", play.surroundings())
