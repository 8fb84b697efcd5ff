"""The only source of time. A moment is an aware `datetime` in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class TurnedClock:
    """A clock that stands still until it is turned: for tests, scenarios and rehearsals."""

    def __init__(self, now: datetime) -> None:
        self._now = _aware(now)

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> datetime:
        """Turn to a moment (aware; forward or back) and return it in UTC."""
        self._now = _aware(moment)
        return self._now

    def advance(self, by: timedelta | float) -> datetime:
        """Turn on by a duration (or seconds) and return the new moment in UTC."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.set(self._now + step)


class CallableClock:
    """A clock made of a function that returns an aware moment."""

    def __init__(self, function: Callable[[], datetime]) -> None:
        self._function = function

    def now(self) -> datetime:
        return _aware(self._function())


def as_clock(clock: Clock | Callable[[], datetime] | datetime | None) -> Clock:
    """Return a clock from what programs hand in: a clock, a function, a fixed moment, or None (the machine's)."""
    if clock is None:
        return SystemClock()
    if isinstance(clock, datetime):
        return TurnedClock(clock)
    if hasattr(clock, "now"):
        return clock
    return CallableClock(clock)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {moment!r}")
    return moment.astimezone(UTC)
