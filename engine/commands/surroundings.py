"""What the kernel may ask while it moves one instance: time, keys, people, working days, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine import feel, kernel
from engine.calendars import Calendar
from engine.store import Reading, Transaction
from engine.store.context import Context
from engine.store.directory import Directory
from engine.store.library import resolve


class WatchedCalendar:
    """A calendar that notes whether anything was counted in a year without a published notice."""

    def __init__(self, ctx: Context, reading: Reading) -> None:
        self._ctx, self._reading = ctx, reading
        self._calendar: Calendar | None = None
        self.provisional = False

    @property
    def _days(self) -> Calendar:
        # Read when first asked: most commands count no working days.
        if self._calendar is None:
            self._calendar = self._ctx.working_days.calendar(self._reading)
        return self._calendar

    def add_working_days(self, start: date, days: int) -> date:
        """Return the last day of a period of working days; the start day is not counted."""
        end = self._days.add_working_days(start, days)
        self.provisional = self.provisional or self._days.is_provisional(start, end)
        return end

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start`, up to and including `end`."""
        self.provisional = self.provisional or self._days.is_provisional(start, end)
        return self._days.working_days_between(start, end)

    def is_working_day(self, day: date) -> bool:
        """Tell whether a day is worked."""
        self.provisional = self.provisional or self._days.is_provisional(day)
        return self._days.is_working_day(day)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The kernel's surroundings, and what of them commands use themselves."""

    kernel: kernel.Surroundings
    environment: feel.Environment
    calendar: WatchedCalendar

    @property
    def provisional(self) -> bool:
        """Whether a working day was counted in a year without a published notice."""
        return self.calendar.provisional


def environment(
    ctx: Context, reading: Reading, calendar: WatchedCalendar | None = None, time_zone: str | None = None
) -> feel.Environment:
    """Return FEEL's surroundings at the reading's moment."""
    return feel.Environment(
        now=reading.now,
        time_zone=time_zone or ctx.settings.time_zone,
        calendar=calendar or WatchedCalendar(ctx, reading),
        directory=Directory(reading),
    )


def without_instance(ctx: Context, tx: Transaction) -> kernel.Surroundings:
    """Return the kernel's surroundings where there is no instance yet: for the timers of start events."""
    return kernel.Surroundings(now=tx.now, keys=ctx.keys, environment=environment(ctx, tx))


def surroundings(ctx: Context, tx: Transaction, instance: Mapping[str, Any]) -> Surroundings:
    """Return the surroundings of one command on one instance."""
    calendar = WatchedCalendar(ctx, tx)
    evaluation = environment(ctx, tx, calendar, instance["time_zone"])

    def decide(decision_id: str, binding: str, version_tag: str | None, context: Mapping[str, Any]) -> tuple[Any, int, Any]:
        key = resolve(tx, "decision", decision_id, binding, version_tag=version_tag, deployment_key=instance["deployment_key"])
        decision = ctx.library.decision(tx, key)
        result = decision.model.explain(decision_id, context, evaluation)
        return result.value, decision.version, result.trace

    return Surroundings(
        kernel.Surroundings(
            now=tx.now, keys=ctx.keys, environment=evaluation, decide=decide, step_budget=ctx.settings.step_budget
        ),
        evaluation,
        calendar,
    )
