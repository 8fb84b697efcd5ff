"""What the engine does for itself now and then: checkpoints of the journal, what is over and what nobody wanted goes away."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from engine.commands import attachments
from engine.history import checkpoints
from engine.history.chain import Checkpoint
from engine.store.context import Context
from engine.store.tables import idempotency, message

ANSWERS_KEPT = timedelta(days=30)
"""How long a caller's idempotency key is remembered."""


def write_checkpoint(ctx: Context, *, everything: bool = False) -> Checkpoint | None:
    """Cover the cases that went on since the last checkpoint; None = none did.

    Args:
        everything: look at the whole journal, as is done once per start.
    """
    with ctx.store.begin() as tx:
        return checkpoints.write(tx, everything=everything)


def tidy(ctx: Context) -> int:
    """Remove messages whose time to live is over, answers to old idempotency keys, and orphaned uploads; return how many went."""
    with ctx.store.begin() as tx:
        gone = tx.execute(delete(message).where(message.c.expires_at < tx.now)).rowcount
        gone += tx.execute(delete(idempotency).where(idempotency.c.at < tx.now - ANSWERS_KEPT)).rowcount
    return gone + attachments.discard_orphans(ctx)
