"""Timers whose cycle is a cron text."""

from __future__ import annotations

from datetime import timedelta

from engine.kernel import start_timer
from tests.unit.kernel.drawing import Play, boundary, chain, element, end, flow, props, start, timer, user


def watched(text: str) -> str:
    body = start() + user("u") + end() + chain("s", "u", "e")
    return body + boundary("b", "u", timer(text, "timeCycle"), interrupting=False) + user("r") + flow("b", "r")


def test_a_boundary_event_fires_by_the_local_clock() -> None:
    play = Play(watched("0 30 9 * * MON-FRI"))  # it is Monday, 09:00 in Shanghai
    for day in ("02", "03", "04", "05", "06", "09"):
        (armed,) = play.timers
        assert armed.due_at.isoformat() == f"2026-11-{day}T01:30:00+00:00"
        assert armed.repetitions == -1
        play.fire("b")
    assert play.names.count("r") == 6


def test_what_fell_due_meanwhile_fires_once() -> None:
    play = Play(watched("@hourly"))
    play.turn(timedelta(hours=5, minutes=10))
    play.fire("b")
    (armed,) = play.timers
    assert armed.due_at.isoformat() == "2026-11-02T07:00:00+00:00"


def test_a_cron_text_from_an_expression() -> None:
    assert Play(watched("=rule"), rule="0 0 12 * * *").timers[0].due_at.hour == 4
    play = Play(watched("=rule"), rule="0 0 99 * * *")
    assert [i.element_id for i in play.incidents] == ["b"]
    play.resolve("b", rule="@daily")
    assert len(play.timers) == 1


def test_a_start_event_by_cron() -> None:
    body = start("s", timer("0 0 8 1 * *", "timeCycle")) + end() + chain("s", "e")
    play = Play(body, begin=False)
    first = start_timer(play.process, "s", play.surroundings())
    assert first is not None
    assert first["due"] == "2026-12-01T00:00:00+00:00"
    play.turn("2026-12-01T00:00:00+00:00")
    second = start_timer(play.process, "s", play.surroundings(), first)
    assert second is not None
    assert second["due"] == "2027-01-01T00:00:00+00:00"


def test_a_clock_that_stood_still_goes_back_to_its_times() -> None:
    body = start() + element("parallelGateway", "p") + user("u") + end() + flow("s", "p") + flow("p", "u") + flow("u", "e")
    body += boundary("b", "u", timer("0 0 10 * * *", "timeCycle"), interrupting=False) + user("r") + flow("b", "r")
    play = Play(body + user("h", props(stops="u")) + flow("p", "h"))
    play.turn(timedelta(days=1))
    play.do("h")
    (armed,) = play.timers
    assert armed.due_at.isoformat() == "2026-11-03T02:00:00+00:00", "an hour remained"
    play.fire("b")
    assert play.timers[0].due_at.isoformat() == "2026-11-04T02:00:00+00:00"
