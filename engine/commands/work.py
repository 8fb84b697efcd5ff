"""The engine's own jobs: what a command leaves to be done after its commit, in transactions of their own.

One command = one transaction = one instance. What concerns another instance (a called child, a signal's other receivers) is a
row of the table `job`, written in the transaction that causes it and deleted in the one that does it: nothing is lost, nothing
done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from engine.store import Transaction
from engine.store.context import Context
from engine.store.tables import job

PREFIX = "liuzhuan:"
START_CHILD = PREFIX + "start-child"
CHILD_ENDED = PREFIX + "child-ended"
CHILD_ESCALATED = PREFIX + "child-escalated"
CANCEL_INSTANCE = PREFIX + "cancel-instance"
RECEIVE_MESSAGE = PREFIX + "receive-message"
START_BY_MESSAGE = PREFIX + "start-by-message"
RECEIVE_SIGNAL = PREFIX + "receive-signal"
START_BY_SIGNAL = PREFIX + "start-by-signal"
RECOMPUTE = PREFIX + "recompute-deadlines"
BATCH_ITEM = PREFIX + "batch-item"
MAIL = PREFIX + "mail"
WEBHOOK = PREFIX + "webhook"

DELIVERY_FAILED = "DELIVERY_FAILED"
"""Kind of the incident that a mail or webhook leaves which could not be delivered; its element key is that job's key."""

CHAIN_LIMIT = 500
"""Work that leads to work, without a person, a worker or a timer in between: beyond this it is an endless loop across cases.

A piece of work counts 1. A case that a signal or a message starts counts 100: two such starts a case would double at each round.
"""

RETRIES = 5  # of the engine's own work: it fails only where the database does

_ADD = insert(job)


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do after commit.

    Attributes:
        type: one of the constants above.
        instance_key: the instance it will change; None = it starts one.
        input: JSON-able.
        due_at: None = at once.
        held: it waits for its case to be resumed.
    """

    type: str
    instance_key: int | None
    input: Mapping[str, Any]
    due_at: datetime | None = None
    idempotency_key: str | None = None
    held: bool = False


def add(ctx: Context, tx: Transaction, items: Sequence[Work]) -> None:
    """Write work into the transaction; the driver of due work is woken after commit."""
    rows = [
        {
            "key": next(ctx.keys),
            "instance_key": item.instance_key,
            "element_key": None,
            "element_id": None,
            "type": item.type,
            "headers": None,
            "input": dict(item.input),
            "retries": RETRIES,
            "due_at": None if item.held else item.due_at or tx.now,
            "idempotency_key": item.idempotency_key,
            "chain": tx.chain + (100 if item.type in {START_BY_MESSAGE, START_BY_SIGNAL} else 1),
            "created_at": tx.now,
        }
        for item in items
    ]
    if rows:
        tx.execute(_ADD, rows)
        tx.falls_due(min(item.due_at or tx.now for item in items))


def endless(what: str) -> str:
    """Return the sentence for work that led to work too often."""
    return f"{what}：引擎自动接续了 {CHAIN_LIMIT} 次仍未停下，流程之间可能有回路（an endless loop across cases?）"
