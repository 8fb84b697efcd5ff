"""The calendar in force: the published notices with the administrators' table on top."""

from __future__ import annotations

import threading

from sqlalchemy import select

from engine.calendars import Calendar, Day
from engine.store.tables import calendar_day, calendar_year, counter
from engine.store.transactions import Reading, Transaction
from engine.store.upsert import upsert

_COUNTER = "calendar"  # counts the changes of the table, so that every node notices them

_REVISION = select(counter.c.value).where(counter.c.name == _COUNTER)
_DAYS = select(calendar_day)
_YEARS = select(calendar_year.c.year)


class WorkingDays:
    """Answers the calendar; read once and kept until the table changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision: int | None = None
        self._calendar = Calendar.published()

    def calendar(self, reading: Reading) -> Calendar:
        """Return the calendar as it stands in the database now."""
        revision = reading.scalar(_REVISION) or 0
        with self._lock:
            if self._revision == revision:
                return self._calendar
        days = [Day(row.day_on, row.working, row.name) for row in reading.all(_DAYS)]
        calendar = Calendar.published().overlaid(days, [row.year for row in reading.all(_YEARS)])
        with self._lock:
            self._revision, self._calendar = revision, calendar
        return calendar

    @staticmethod
    def changed(tx: Transaction) -> None:
        """Note that the table was changed in this transaction."""
        revision = tx.scalar(_REVISION) or 0
        tx.execute(upsert(tx, counter, ("value",)), {"name": _COUNTER, "value": revision + 1})
