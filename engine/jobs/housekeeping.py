"""What the engine does for itself now and then: checkpoints of the journal, what is over and what nobody wanted goes away."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update

from engine.commands import attachments, work
from engine.history import checkpoints
from engine.history.chain import Checkpoint
from engine.store.context import Context
from engine.store.tables import idempotency, job, message, process_instance

_NOT_WANTED = (
    update(job)
    .where(
        job.c.due_at.is_(None),
        job.c.type.in_([work.RECEIVE_MESSAGE, work.RECEIVE_SIGNAL]),
        job.c.instance_key.in_(select(process_instance.c.key).where(process_instance.c.state != "ACTIVE")),
    )
    .values(due_at=bindparam("at"))
)

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
    """Remove messages whose time to live is over, answers to old idempotency keys, and orphaned uploads; return how many went.

    Messages and signals kept for a suspended case that has ended meanwhile look for another receiver.
    """
    with ctx.store.begin() as tx:
        if tx.execute(_NOT_WANTED, {"at": tx.now}).rowcount:
            tx.falls_due(tx.now)
        gone = tx.execute(delete(message).where(message.c.expires_at < tx.now)).rowcount
        gone += tx.execute(delete(idempotency).where(idempotency.c.at < tx.now - ANSWERS_KEPT)).rowcount
    return gone + attachments.discard_orphans(ctx)
