"""Callers' idempotency keys: a command repeated with its key gets the first answer and does nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select

from engine.store import Transaction
from engine.store.tables import idempotency

_FIND = select(idempotency.c.answer).where(idempotency.c.caller == bindparam("who"), idempotency.c.key == bindparam("once"))
_ADD = insert(idempotency)


def answer(tx: Transaction, caller: str | None, key: str | None) -> Any:
    """Return the answer given before, or None."""
    return None if key is None else tx.scalar(_FIND, {"who": caller or "", "once": key})


def remember(tx: Transaction, caller: str | None, key: str | None, value: Any) -> None:
    """Keep the answer, in the transaction that did it."""
    if key is not None:
        tx.execute(_ADD, {"caller": caller or "", "key": key, "answer": value, "at": tx.now})
