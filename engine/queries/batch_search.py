"""Searches of batches and of their items; only administrators see them, as on the pages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, exists, func, literal, null, select
from sqlalchemy.types import String

from engine.errors import NotFound
from engine.queries.searching import Condition, Page, PageRequest, Search, Searchable, search
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import batch, batch_item, process_instance
from engine.store.transactions import Found

TYPES = {
    "cancel": "CANCEL_PROCESS_INSTANCE",
    "migrate": "MIGRATE_PROCESS_INSTANCE",
    "modify": "MODIFY_PROCESS_INSTANCE",
    "resume": "RESUME_PROCESS_INSTANCE",
    "retry": "RESOLVE_INCIDENT",
    "suspend": "SUSPEND_PROCESS_INSTANCE",
}
"""Kinds of batches in Camunda's words."""


def _having(*states: str) -> ColumnElement[bool]:
    return exists(
        select(batch_item.c.instance_key).where(batch_item.c.batch_key == batch.c.key, batch_item.c.state.in_(states))
    ).correlate(batch)


def _count(*states: str) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(batch_item)
        .where(batch_item.c.batch_key == batch.c.key, *([batch_item.c.state.in_(states)] if states else []))
        .correlate(batch)
        .scalar_subquery()
    )


_TYPE = case(*((batch.c.kind == kind, literal(name)) for kind, name in TYPES.items()), else_=batch.c.kind)
_STATE = case(
    (_having("WAITING"), literal("ACTIVE")),
    (_having("SUSPENDED"), literal("SUSPENDED")),
    (_having("CANCELED"), literal("CANCELED")),
    else_=literal("COMPLETED"),
)
_LAST = select(func.max(batch_item.c.done_at)).where(batch_item.c.batch_key == batch.c.key).correlate(batch).scalar_subquery()
_ENDED = case((_having("WAITING", "SUSPENDED"), null()), else_=_LAST)
_ACTOR = case((batch.c.created_by.is_not(None), literal("USER")), else_=null())
_BATCHES = Searchable(
    statement=select(
        batch.c.key,
        batch.c.created_at,
        batch.c.created_by,
        _TYPE.label("operation_type"),
        _STATE.label("state"),
        _ENDED.label("ended_at"),
        _count().label("total"),
        _count("FAILED").label("failed"),
        _count("DONE").label("done"),
    ),
    columns={
        "batch_operation_key": batch.c.key,
        "operation_type": _TYPE,
        "state": _STATE,
        "actor_type": _ACTOR,
        "actor_id": batch.c.created_by,
        "start_date": batch.c.created_at,
        "end_date": _ENDED,
    },
    key=batch.c.key,
    nullable=frozenset({"actor_type", "actor_id", "end_date"}),
)
_ITEM_STATE = case(
    (batch_item.c.state == "DONE", literal("COMPLETED")),
    (batch_item.c.state.in_(["WAITING", "SUSPENDED"]), literal("ACTIVE")),
    else_=batch_item.c.state,
)
# One text that tells items apart; keys have at most 19 digits.
_PLACE = cast(batch_item.c.batch_key, String).concat("-").concat(cast(batch_item.c.instance_key, String))
_ITEMS = Searchable(
    statement=select(
        batch_item.c.batch_key,
        batch_item.c.instance_key,
        process_instance.c.root_key,
        _TYPE.label("operation_type"),
        _ITEM_STATE.label("state"),
        batch_item.c.message,
        batch_item.c.done_at,
    )
    .join(batch, batch.c.key == batch_item.c.batch_key)
    .join(process_instance, process_instance.c.key == batch_item.c.instance_key),
    columns={
        "batch_operation_key": batch_item.c.batch_key,
        "item_key": batch_item.c.instance_key,
        "process_instance_key": batch_item.c.instance_key,
        "state": _ITEM_STATE,
        "operation_type": _TYPE,
        "processed_date": batch_item.c.done_at,
    },
    key=_PLACE,
    nullable=frozenset({"processed_date"}),
)


def search_batches(ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None) -> Page:
    """Return batches: rows of key, operation_type, state, created_at, created_by, ended_at, total, failed, done.

    Args:
        processes: only batches all of whose cases are of these process ids; None = all.
    Raises:
        NotAllowed: the person is no administrator.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        return search(reading, _BATCHES, wanted, *_only(processes))


def find_batch(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> Found:
    """Return one batch; see `search_batches`.

    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such batch.
    """
    wanted = Search((Condition("batch_operation_key", "eq", key),), page=PageRequest(limit=1))
    rows = search_batches(ctx, who, wanted, processes=processes).rows
    if not rows:
        raise NotFound(f"没有批量操作 {key}（no such batch）")
    return rows[0]


def search_batch_items(ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None) -> Page:
    """Return items of batches: rows of batch_key, instance_key, root_key, operation_type, state, message, done_at.

    Args:
        processes: only cases of these process ids; None = all.
    Raises:
        NotAllowed: the person is no administrator.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        restrictions = [] if processes is None else [process_instance.c.bpmn_process_id.in_(sorted(processes))]
        return search(reading, _ITEMS, wanted, *restrictions)


def _only(processes: Collection[str] | None) -> list[Any]:
    if processes is None:
        return []
    others = and_(batch_item.c.batch_key == batch.c.key, process_instance.c.bpmn_process_id.not_in(sorted(processes)))
    statement = select(batch_item.c.instance_key).join(process_instance, process_instance.c.key == batch_item.c.instance_key)
    return [~exists(statement.where(others)).correlate(batch)]
