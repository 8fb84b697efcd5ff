"""The working-day calendar: administrators enter a year's notice; provisional deadlines are computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from engine import history
from engine.commands import work
from engine.errors import InvalidValue
from engine.history.events import CalendarChanged
from engine.store import Transaction
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import IS_OPEN, calendar_day, calendar_year, timer, user_task
from engine.store.upsert import upsert
from engine.store.working_days import WorkingDays


def enter_year(
    ctx: Context,
    year: int,
    days: Mapping[date, bool],
    *,
    source: str,
    names: Mapping[date, str] | None = None,
    by: str | None = None,
) -> int:
    """Enter a year's notice; return the number of cases whose provisional deadlines are computed anew.

    Args:
        days: the days that are not what their weekday says: False = holiday, True = make-up working day.
        source: the notice, e.g. 国办发明电〔2026〕7 号.
        names: what the days are called.
    Raises:
        InvalidValue: a day lies outside the year.
        NotAllowed: `by` is no administrator.
    """
    if outside := [on for on in days if on.year != year]:
        raise InvalidValue(f"{outside[0]} 不在 {year} 年（lies outside the year）", field="days")
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        tx.execute(
            upsert(tx, calendar_year, ("source", "entered_at", "entered_by")),
            {"year": year, "source": source, "entered_at": tx.now, "entered_by": by},
        )
        _put_days(tx, days, names or {})
        event = CalendarChanged(year, source, {on.isoformat(): working for on, working in sorted(days.items())})
        history.append(tx, history.NO_INSTANCE, "enter_year", [event], actor=by)
        return _recompute(ctx, tx)


def set_day(ctx: Context, on: date, working: bool, *, name: str = "", by: str | None = None) -> int:
    """Enter or correct one day; return the number of cases whose provisional deadlines are computed anew."""
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        _put_days(tx, {on: working}, {on: name})
        event = CalendarChanged(on.year, name, {on.isoformat(): working})
        history.append(tx, history.NO_INSTANCE, "set_day", [event], actor=by)
        return _recompute(ctx, tx)


def _put_days(tx: Transaction, days: Mapping[date, bool], names: Mapping[date, str]) -> None:
    rows = [{"day_on": on, "working": working, "name": names.get(on, "")} for on, working in days.items()]
    if rows:
        tx.execute(upsert(tx, calendar_day, ("working", "name")), rows)
    WorkingDays.changed(tx)


def _recompute(ctx: Context, tx: Transaction) -> int:
    timers = select(timer.c.instance_key).where(timer.c.provisional)
    tasks = select(user_task.c.instance_key).where(user_task.c.provisional, IS_OPEN)
    keys = sorted({row.instance_key for statement in (timers, tasks) for row in tx.all(statement.distinct())})
    work.add(ctx, tx, [work.Work(work.RECOMPUTE, key, {}) for key in keys])
    return len(keys)
