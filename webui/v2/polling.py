"""Long polls: requests that wait for something to do, a bounded number of them, holding a thread each and nothing else.

A poll looks, and where there is nothing, waits until something falls due in this process (`Store.on_due`), and looks again; what
other processes wrote, and locks that end, it sees within `RECHECK` seconds. While it waits it holds no connection and no lock.
Where all places are taken, the poll that has waited longest (`SHORTEST` at least) gives its place up and is answered empty.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import Flask, request

from engine.facade import Engine
from webui.v2.problems import Overloaded

T = TypeVar("T")

RECHECK = 1.0
SHORTEST = 1.0
LONGEST = 60.0
"""Longest wait in seconds, whatever a client asks for."""
PLACES = 4
"""Polls that wait at once: half of the threads that `liuzhuan serve` has by default."""

_EXTENSION = "liuzhuan-v2-polls"
_making = threading.Lock()


class Polls:
    """The places in which polls wait; safe for threads."""

    def __init__(self, places: int = PLACES, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._changed = threading.Condition()
        self._rounds = 0  # how often something fell due
        self._waiting: dict[object, float] = {}  # a poll → since when it waits, the oldest first

    @property
    def waiting(self) -> int:
        """How many polls wait now."""
        with self._changed:
            return len(self._waiting)

    def wake(self, _: datetime | None = None) -> None:
        """Something falls due: all look again."""
        with self._changed:
            self._rounds += 1
            self._changed.notify_all()

    def poll(self, look: Callable[[], list[T]], seconds: float, gone: Callable[[], bool] = lambda: False) -> list[T]:
        """Return what a look finds, waiting for it; nothing, where the time is over or the place was given up.

        Args:
            seconds: how long to wait at most; 0 or less = look once.
            gone: whether the client has gone: then nothing is taken for it any more.
        Raises:
            Overloaded: all places are taken, and by polls that have just begun.
        """
        with self._changed:
            seen: int | None = self._rounds
        found = look()
        if found or seconds <= 0:
            return found
        me, end = object(), self._clock() + min(seconds, LONGEST)
        with self._changed:
            self._sit_down(me)
        try:
            while seen is not None and (left := end - self._clock()) > 0:
                seen = self._wait(me, seen, min(left, RECHECK))
                if seen is None or gone():
                    break
                if found := look():
                    return found
            return []
        finally:
            with self._changed:
                self._waiting.pop(me, None)

    def _wait(self, me: object, seen: int, seconds: float) -> int | None:
        """Wait for something to fall due after `seen`; return how far it was counted, None where the place was given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._rounds != seen or me not in self._waiting, seconds)
            return self._rounds if me in self._waiting else None

    def _sit_down(self, me: object) -> None:
        now = self._clock()
        if len(self._waiting) >= self._places:
            oldest, since = next(iter(self._waiting.items()))
            if now - since < SHORTEST:
                raise Overloaded("too many requests wait for jobs; try again")
            del self._waiting[oldest]
            self._changed.notify_all()
        self._waiting[me] = now


def polls(app: Flask, engine: Engine) -> Polls:
    """Return the application's places; they are woken by what falls due in this engine."""
    with _making:
        found = app.extensions.get(_EXTENSION)
        if not isinstance(found, Polls):
            found = app.extensions[_EXTENSION] = Polls()
            engine.context.store.on_due(found.wake)
        return found


def client_gone() -> Callable[[], bool]:
    """Return what tells whether the present request's client has gone, where the server says so (waitress with lookahead)."""
    asked = request.environ.get("waitress.client_disconnected")
    return asked if callable(asked) else lambda: False
