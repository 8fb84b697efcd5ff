"""Substitution during absence: B does A's work, within a time and a scope, recorded as "A for B"."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert, select, update

from engine import history
from engine.errors import InvalidValue, NotAllowed, NotFound
from engine.history.events import SubstitutionChanged
from engine.store import Transaction
from engine.store.context import Context
from engine.store.directory import person
from engine.store.tables import substitution

_ADD = insert(substitution)


def add_substitution(
    ctx: Context,
    absent: str,
    substitute: str,
    from_at: datetime,
    until_at: datetime,
    *,
    groups: Collection[str] | None = None,
    processes: Collection[str] | None = None,
    by: str | None = None,
) -> int:
    """Let `substitute` do the work of `absent` from a moment until (not including) another; return the substitution's key.

    Args:
        groups: only work offered to these groups; None = all of it.
        processes: only cases of these processes (bpmn_process_id); None = all.
        by: the absent person themselves or an administrator; None = the system.
    Raises:
        InvalidValue: the period is empty, or somebody would stand in for themselves.
        NotAllowed: `by` is neither the absent person nor an administrator.
        NotFound: one of the two is not an active user.
    """
    if until_at <= from_at:
        raise InvalidValue("结束时间必须晚于开始时间（the period is empty）", field="until_at")
    if absent == substitute:
        raise InvalidValue("不能由本人代理本人（nobody stands in for themselves）", field="substitute")
    key = next(ctx.keys)
    with ctx.store.begin() as tx:
        person(tx, absent), person(tx, substitute)
        _check_by(tx, absent, by)
        scope = {"groups": sorted(groups) if groups else None, "processes": sorted(processes) if processes else None}
        row = {"key": key, "absent": absent, "substitute": substitute, "from_at": from_at, "until_at": until_at, **scope}
        tx.execute(_ADD, {**row, "created_at": tx.now, "created_by": by, "ended_at": None})
        event = SubstitutionChanged(
            key, absent, substitute, from_at, until_at, tuple(groups) if groups else None, tuple(processes) if processes else None
        )
        history.append(tx, history.NO_INSTANCE, "add_substitution", [event], actor=by)
    return key


def end_substitution(ctx: Context, key: int, by: str | None = None) -> None:
    """End a substitution now; ending it twice changes nothing.

    Raises:
        NotAllowed: `by` is neither the absent person nor an administrator.
        NotFound: there is no such substitution.
    """
    with ctx.store.begin() as tx:
        row = tx.one(select(substitution).where(substitution.c.key == key))
        if row is None:
            raise NotFound(f"no substitution {key}")
        _check_by(tx, row.absent, by)
        if row.ended_at is None:
            tx.execute(update(substitution).where(substitution.c.key == key).values(ended_at=tx.now))
            event = SubstitutionChanged(key, row.absent, row.substitute, row.from_at, row.until_at, ended=True)
            history.append(tx, history.NO_INSTANCE, "end_substitution", [event], actor=by)


def _check_by(tx: Transaction, absent: str, by: str | None) -> None:
    if by is not None and by != absent and not person(tx, by).is_admin:
        raise NotAllowed("只有本人或管理员可以设置代理（only the absent person or an administrator）")
