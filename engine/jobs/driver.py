"""The embedded driver of due work: one process, APScheduler, woken at the earliest due row and by new rows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from engine.jobs import due, housekeeping
from engine.store.context import Context

POLL = timedelta(seconds=1)
"""Longest sleep: rows of other processes (the command line) wake nobody here, and are still done within a second."""

BATCH = 20
"""Timers or jobs done between two looks at what else is due."""

TIDY_SECONDS = 600

_log = logging.getLogger(__name__)


class Driver:
    """Fires timers and does the engine's own jobs while the process lives.

    Three lanes, so that a slow mail server holds no timer up: `due` (timers, built-in service tasks, work between cases; each a
    short transaction), `batches` (one thing done to many cases) and `deliveries` (mail, webhooks). Errors are logged and never
    end the driver.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._lanes = (
            _Lane(ctx, self._scheduler, "due", due.INNER, with_timers=True),
            _Lane(ctx, self._scheduler, "batches", due.BATCHES, with_timers=False),
            _Lane(ctx, self._scheduler, "deliveries", due.DELIVERIES, with_timers=False),
        )
        self._listening = False

    def start(self) -> None:
        """Start; what fell due while the process was down is done first, in order of due time."""
        if not self._listening:
            self._ctx.store.on_due(self._woken)
            self._listening = True
        _survive(lambda: housekeeping.write_checkpoint(self._ctx, everything=True))
        every = timedelta(seconds=min(self._ctx.settings.checkpoint_seconds, 60))
        self._every(every, "checkpoint", lambda: housekeeping.write_checkpoint(self._ctx))
        self._every(timedelta(seconds=TIDY_SECONDS), "tidy", lambda: housekeeping.tidy(self._ctx))
        self._scheduler.start()
        for lane in self._lanes:
            lane.open()

    def stop(self) -> None:
        """Stop: what is under way is finished, the rest stays as rows; the journal's tail is covered by a last checkpoint."""
        for lane in self._lanes:
            lane.close()
        if self._scheduler.running:
            # Shut down in the middle of a look through its jobs, the scheduler's thread would end with an error. Paused, it
            # begins no new look; asking for the jobs waits for the one under way.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=True)
        _survive(lambda: housekeeping.write_checkpoint(self._ctx))

    def _woken(self, moment: datetime) -> None:
        for lane in self._lanes:
            lane.wake(moment)

    def _every(self, interval: timedelta, name: str, act: Callable[[], object]) -> None:
        self._scheduler.add_job(
            _survive, "interval", (act,), id=name, seconds=interval.total_seconds(), coalesce=True, misfire_grace_time=None
        )


class _Lane:
    """One line of work: a single scheduler job that plans its own next run."""

    def __init__(
        self, ctx: Context, scheduler: BackgroundScheduler, name: str, types: Collection[str], *, with_timers: bool
    ) -> None:
        self._ctx = ctx
        self._scheduler = scheduler
        self._name = name
        self._types = types
        self._with_timers = with_timers
        self._lock = threading.Lock()
        self._open = False
        self._running = False
        self._planned: datetime | None = None
        self._hint: datetime | None = None  # the earliest moment that was told while a run was under way
        self._set_aside: dict[int, float] = {}  # timers that could not be fired → monotonic time of the next try

    def open(self) -> None:
        with self._lock:
            self._open = True
        self._plan(self._ctx.clock.now())

    def close(self) -> None:
        with self._lock:
            self._open = False

    def wake(self, moment: datetime) -> None:
        """Something falls due at `moment`: run then, if that is earlier than planned."""
        with self._lock:
            self._hint = moment if self._hint is None else min(moment, self._hint)
            sooner = self._open and not self._running and (self._planned is None or moment < self._planned)
        if sooner:
            self._plan(moment)

    def _plan(self, moment: datetime | None) -> None:
        now = self._ctx.clock.now()
        latest = now + POLL
        at = latest if moment is None else min(max(moment, now), latest)
        with self._lock:
            if not self._open:
                return
            self._planned = at
            self._scheduler.add_job(
                self._run,
                "date",
                run_date=datetime.now(UTC) + (at - now),  # the scheduler knows the machine's clock only
                id=self._name,
                replace_existing=True,
                misfire_grace_time=None,
                max_instances=2,  # the run that plans the next one is still counted
            )

    def _run(self) -> None:
        with self._lock:
            if self._running or not self._open:
                return
            self._running, self._hint = True, None
        following: datetime | None = None
        try:
            self._work()
            following = due.next_due(self._ctx, self._types, with_timers=self._with_timers)
        except Exception:  # the database may be away for a while: the driver stays
            _log.exception("the driver's lane %s stumbled; it goes on", self._name)
        with self._lock:
            self._running = False
            told = [moment for moment in (following, self._hint) if moment is not None]
        self._plan(None if self._set_aside else min(told, default=None))

    def _work(self) -> None:
        done = True
        while done and self._open:
            done = due.drain(self._ctx, BATCH, self._types) > 0
            if self._with_timers:
                done = self._fire() or done

    def _fire(self) -> bool:
        fired = False
        for key, starts in due.due_timers(self._ctx, BATCH + len(self._set_aside)):
            if not self._open or self._set_aside.get(key, 0.0) > time.monotonic():
                continue
            try:
                due.fire(self._ctx, key, starts)
                self._set_aside.pop(key, None)
                fired = True
            except Exception:  # one broken timer must not hold the others up
                _log.exception("timer %s could not be fired; it is tried again in a minute", key)
                self._set_aside[key] = time.monotonic() + 60
            due.drain(self._ctx, BATCH, self._types)
        return fired


def _survive(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # housekeeping is done again at its next turn
        _log.exception("housekeeping failed")
