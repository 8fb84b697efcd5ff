"""The driver on the machine's clock: it fires in time, is woken by new rows, survives errors, and stops cleanly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from engine import jobs
from engine.clock import SystemClock
from engine.jobs import due
from engine.kernel.advance import TimerFired
from engine.ports import Ports
from tests.unit.jobs.cases import Mailbox, World, boundary, catch, draw, end, flows, service, start, user


class Watch:
    """Waits until something is true, looking again after each commit."""

    def __init__(self, world: World) -> None:
        self._changed = threading.Condition()
        event.listen(world.ctx.store.engine, "commit", self._committed)

    def _committed(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, timeout=20), "it did not happen in time"


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def world(tmp_path: Path, box: Mailbox) -> Iterator[World]:
    world = World(url=f"sqlite:///{tmp_path / 'x.db'}", clock=SystemClock(), ports=Ports(mailer=box))
    yield world
    world.ctx.store.close()


@pytest.fixture
def watch(world: World) -> Watch:
    return Watch(world)


@pytest.fixture
def driver(world: World) -> Iterator[jobs.Driver]:
    driver = jobs.Driver(world.ctx)
    driver.start()
    yield driver
    driver.stop()


def waiting(process_id: str = "waiting") -> str:
    return draw(process_id, start(), catch("wait", "=d"), end(), flows("start", "wait", "end"))


def lateness(world: World, key: int) -> list[float]:
    return [
        (entry.at - change.due_at).total_seconds()
        for entry in world.entries(key)
        for change in entry.events
        if isinstance(change, TimerFired)
    ]


def test_timers_fire_within_a_second_of_their_time(world: World, watch: Watch, driver: jobs.Driver) -> None:
    world.deploy(waiting())
    keys = [world.start("waiting", {"d": f"PT{seconds}S"}) for seconds in ("0.3", "0.6", "0.1")]
    watch.until(lambda: all(world.state(key) == "COMPLETED" for key in keys))
    late = [seconds for key in keys for seconds in lateness(world, key)]
    assert len(late) == 3
    assert all(0 <= seconds < 1 for seconds in late), late


def test_what_fell_due_while_down_fires_once_in_order(world: World, watch: Watch) -> None:
    world.deploy(
        draw(
            "two",
            start(),
            user("work"),
            end(),
            *(boundary(f"at-{n}", "work", f"PT0.00{n}S") for n in (2, 1)),
            *(service(f"tell-{n}", "notify", {"subject": f"{n}", "toUsers": '=["bo"]'}) for n in (2, 1)),
            *(end(f"end-{n}") for n in (2, 1)),
            flows("start", "work", "end"),
            *(flows(f"at-{n}", f"tell-{n}", f"end-{n}") for n in (2, 1)),
        )
    )
    world.start("two")
    driver = jobs.Driver(world.ctx)
    driver.start()
    watch.until(lambda: len(world.alerts) == 2)
    driver.stop()
    assert [alert.subject for alert in world.alerts] == ["1", "2"]
    assert all(alert.due_at < alert.raised_at for alert in world.alerts)


def test_built_in_jobs_and_mails_are_done_in_the_background(
    world: World, watch: Watch, driver: jobs.Driver, box: Mailbox
) -> None:
    from engine.commands import instances

    tell = service("tell", "notify", {"subject": "x", "toUsers": '=["bo"]'})
    world.deploy(draw("p", start(), tell, end(), flows("start", "tell", "end")))
    key = instances.start_instance(world.ctx, "p")
    watch.until(lambda: len(box.mails) == 1)
    assert world.state(key) == "COMPLETED"


def test_a_slow_mail_server_holds_no_timer_up(
    world: World, watch: Watch, driver: jobs.Driver, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.commands import instances

    answered = threading.Event()
    monkeypatch.setattr(Mailbox, "send", lambda self, mail: answered.wait(20))
    tell = service("tell", "notify", {"subject": "x", "toUsers": '=["bo"]'})
    world.deploy(draw("p", start(), tell, end(), flows("start", "tell", "end")), waiting())
    instances.start_instance(world.ctx, "p")
    watch.until(lambda: any(row.worker for row in world.jobs))
    key = instances.start_instance(world.ctx, "waiting", {"d": "PT0.1S"})
    watch.until(lambda: world.state(key) == "COMPLETED")
    assert not answered.is_set()
    answered.set()


def test_one_broken_timer_does_not_hold_the_others_up(
    world: World, watch: Watch, driver: jobs.Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.deploy(waiting("bad"), waiting("good"))
    fire = due.fire
    broken: list[int] = []
    stumbled = threading.Event()

    def sometimes(ctx: Any, key: int, starts: bool) -> None:
        if not broken or key in broken:
            broken.append(key)
            stumbled.set()
            raise OSError("disk")
        fire(ctx, key, starts)

    monkeypatch.setattr(due, "fire", sometimes)
    world.start("bad", {"d": "PT0.05S"})
    assert stumbled.wait(20)
    good = world.start("good", {"d": "PT0.05S"})
    watch.until(lambda: world.state(good) == "COMPLETED")
    assert len(broken) == 1
    assert "could not be fired" in caplog.text


def test_the_driver_goes_on_after_the_database_was_away(
    world: World, watch: Watch, driver: jobs.Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()
    look = due.due_timers

    def away(ctx: Any, most: int) -> Any:
        if not failed.is_set():
            failed.set()
            raise OSError("database is away")
        return look(ctx, most)

    monkeypatch.setattr(due, "due_timers", away)
    world.deploy(waiting())
    key = world.start("waiting", {"d": "PT0.05S"})
    watch.until(lambda: world.state(key) == "COMPLETED")
    assert failed.is_set()
    assert "stumbled" in caplog.text


def test_stopping_covers_the_journal_s_tail_and_leaves_no_thread(world: World) -> None:
    from engine.store.tables import checkpoint

    before = threading.active_count()
    driver = jobs.Driver(world.ctx)
    driver.start()
    world.deploy(waiting())
    world.start("waiting", {"d": "PT1H"})
    driver.stop()
    driver.stop()
    assert threading.active_count() == before
    assert world.rows(checkpoint)
    world.start("waiting", {"d": "PT1H"})  # its wake-up finds nobody, and nothing breaks


def test_next_due(world: World) -> None:
    assert jobs.next_due(world.ctx) is None
    world.deploy(waiting())
    world.start("waiting", {"d": "PT1H"})
    moment = jobs.next_due(world.ctx)
    assert moment is not None
    assert timedelta(minutes=59) < moment - world.ctx.clock.now() <= timedelta(hours=1)
