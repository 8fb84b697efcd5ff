"""Due work on a turned clock: order, timer start events, cycles, and deadlines that move with the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine import jobs
from engine.commands import calendar
from engine.history.events import DeadlineRecomputed, InstanceStarted
from engine.jobs import due
from engine.kernel.advance import TimerArmed, TimerFired
from engine.store.tables import process_instance
from tests.unit.jobs.cases import NOW, World, boundary, catch, draw, end, flows, service, start, timer_definition, user


@pytest.fixture
def world() -> World:
    return World()


def test_timers_fire_in_order_of_due_time_over_all_cases(world: World) -> None:
    tell = service("tell", "notify", {"subject": "=d"})
    world.deploy(draw("p", start(), catch("wait", "=d"), tell, end(), flows("start", "wait", "tell", "end")))
    keys = {world.start("p", {"d": f"PT{hours}H"}): hours for hours in (3, 1, 2)}
    assert world.turn(hours=5) == 3
    assert [alert.subject for alert in world.alerts] == ["PT1H", "PT2H", "PT3H"]
    for key, hours in keys.items():
        (entry,) = [entry for entry in world.entries(key) if entry.command == "fire_timer"]
        (fired,) = [event for event in entry.events if isinstance(event, TimerFired)]
        assert fired.due_at == NOW + timedelta(hours=hours)
        assert (entry.at, entry.actor) == (NOW + timedelta(hours=5), None)


def test_a_timer_is_not_fired_twice_nor_early(world: World) -> None:
    world.deploy(draw("p", start(), catch("wait", "PT1H"), end(), flows("start", "wait", "end")))
    world.start("p")
    (timer,) = world.timers
    due.fire(world.ctx, timer.key, False)
    assert world.turn(minutes=59) == 0
    assert world.turn(minutes=1) == 1
    due.fire(world.ctx, timer.key, False)
    assert world.turn(hours=9) == 0


def test_a_timer_start_event_starts_a_case_each_time(world: World) -> None:
    event = f'<b:startEvent id="daily">{timer_definition("R2/PT24H", "timeCycle")}</b:startEvent>'
    world.deploy(draw("p", event, user("look"), end(), flows("daily", "look", "end")))
    assert jobs.next_due(world.ctx) == NOW + timedelta(hours=24)
    world.turn(hours=24)
    world.turn(hours=24)
    world.turn(hours=24)
    started = world.rows(process_instance)
    assert [row.started_at for row in started] == [NOW + timedelta(hours=24), NOW + timedelta(hours=48)]
    assert any(isinstance(event, InstanceStarted) for event in world.events(started[0].key))
    assert jobs.next_due(world.ctx) is None


def test_a_cycle_does_not_burst_after_downtime(world: World) -> None:
    world.deploy(
        draw(
            "p",
            start(),
            user("work"),
            end(),
            boundary("daily", "work", "R/PT24H", "timeCycle"),
            end("rung"),
            flows("start", "work", "end"),
            flows("daily", "rung"),
        )
    )
    key = world.start("p")
    assert world.turn(hours=24 * 5 + 1) == 1
    assert world.turn(hours=24) == 1
    fired = [event.due_at for event in world.events(key) if isinstance(event, TimerFired)]
    assert len(fired) == 2
    assert fired[0] == NOW + timedelta(hours=24)


def test_a_provisional_deadline_is_computed_anew_when_the_year_is_entered(world: World) -> None:
    deadline = '=end of day(add working days(date("2027-02-26"), 3))'
    world.deploy(draw("p", start(), catch("wait", deadline, "timeDate"), end(), flows("start", "wait", "end")))
    key = world.start("p")
    assert [(row.due_at, row.provisional) for row in world.timers] == [(datetime(2027, 3, 3, 16, tzinfo=UTC), True)]
    calendar.enter_year(world.ctx, 2027, {date(2027, 3, 1): False}, source="test")
    jobs.drain(world.ctx)
    assert [(row.due_at, row.provisional) for row in world.timers] == [(datetime(2027, 3, 4, 16, tzinfo=UTC), False)]
    assert [event.due_at for event in world.events(key) if isinstance(event, TimerArmed | DeadlineRecomputed)][-1] == datetime(
        2027, 3, 4, 16, tzinfo=UTC
    )


def test_a_job_that_stays_due_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deploy(draw("p", start(), service("tell", "notify", {"subject": "x"}), end(), flows("start", "tell", "end")))
    seen: list[int] = []
    monkeypatch.setattr(due, "perform", lambda ctx, key, kind: seen.append(key))
    world.start("p")
    assert len(seen) == 1
    monkeypatch.undo()
    assert jobs.drain(world.ctx) == 1
    assert jobs.drain(world.ctx) == 0
