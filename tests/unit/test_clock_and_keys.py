from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.clock import SystemClock, TurnedClock, as_clock
from engine.keys import Keys

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_turned_clock_stands_still_until_it_is_turned() -> None:
    clock = TurnedClock(NOON.astimezone(timezone(timedelta(hours=8))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC
    assert clock.advance(timedelta(hours=1)) == NOON + timedelta(hours=1)
    assert clock.advance(60) == NOON + timedelta(hours=1, minutes=1)
    assert clock.set(NOON) == NOON


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        TurnedClock(datetime(2026, 11, 20, 12))  # noqa: DTZ001


def test_programs_may_hand_in_a_clock_a_function_a_moment_or_nothing() -> None:
    clock = TurnedClock(NOON)
    assert as_clock(clock) is clock
    assert as_clock(lambda: NOON).now() == NOON
    assert as_clock(NOON).now() == NOON
    assert isinstance(as_clock(None), SystemClock)


def test_keys_rise_and_never_repeat_across_threads() -> None:
    keys, made = Keys(node=3), []
    threads = [threading.Thread(target=lambda: made.extend(next(keys) for _ in range(5_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20_000
    assert all(0 < key < 2**63 for key in made)
    single = [next(keys) for _ in range(10_000)]
    assert single == sorted(single)


def test_keys_of_two_nodes_never_meet() -> None:
    assert {next(Keys(node=1)) for _ in range(100)}.isdisjoint({next(Keys(node=2)) for _ in range(100)})


def test_a_node_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="node"):
        Keys(node=1024)
