"""Checkpoints: a global chain over the heads of all cases, so that a cut tail or a lost case is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, delete, func, insert, literal_column, select

from engine.errors import InvalidValue
from engine.history import canonical
from engine.history.chain import GENESIS, Checkpoint
from engine.history.journal import as_stored, raw
from engine.store import Reading, Transaction
from engine.store.tables import checkpoint, checkpoint_head, journal
from engine.store.transactions import Found

MARGIN = timedelta(minutes=10)
"""How far back of the last checkpoint rows are looked for: a transaction may have begun before it and ended after it."""

MAX_HEADS = 10_000
"""Heads in one checkpoint; the rest is for the next one."""

_LAST = select(checkpoint).order_by(checkpoint.c.number.desc()).limit(1)
# Cases whose newest row is not covered yet, looked for among all rows: once per start.
_GROWN_EVER = (
    select(journal.c.instance_key, func.max(journal.c.seq).label("seq"))
    .select_from(journal.outerjoin(checkpoint_head, checkpoint_head.c.instance_key == journal.c.instance_key))
    .where(journal.c.seq > func.coalesce(checkpoint_head.c.seq, 0))
    .group_by(journal.c.instance_key)
    .order_by(journal.c.instance_key)
    .limit(MAX_HEADS)
)
# The same among the rows written since a moment.
_GROWN = _GROWN_EVER.where(journal.c.at >= bindparam("since"))
# On SQLite the order of writing is the order of row numbers: the first of those rows is found by bisection, without an index.
_ROWID = literal_column("journal.rowid", Integer)
_GROWN_LATELY = _GROWN.where(bindparam("first") <= _ROWID)
_NEWEST = select(func.max(_ROWID)).select_from(journal)
_AT = select(journal.c.at).where(bindparam("place") <= _ROWID).order_by(_ROWID).limit(1)
_HASH = select(journal.c.hash).where(journal.c.instance_key == bindparam("instance"), journal.c.seq == bindparam("seq"))


def write(tx: Transaction, *, everything: bool = False) -> Checkpoint | None:
    """Write a checkpoint over the cases that went on since the last one; None when none did.

    Args:
        everything: look at the whole journal instead of its newest rows.
    """
    last = tx.one(_LAST)
    grown = tx.all(_GROWN_EVER) if last is None or everything else _grown(tx, last.at - MARGIN)
    if not grown:
        return None
    heads = tuple((row.instance_key, row.seq, tx.scalar(_HASH, {"instance": row.instance_key, "seq": row.seq})) for row in grown)
    number, previous = (0, GENESIS) if last is None else (last.number, last.hash)
    written = Checkpoint(number + 1, tx.now, heads, previous).sealed()
    tx.execute(
        insert(checkpoint),
        {
            "number": written.number,
            "at": written.at,
            "heads": canonical.loads(canonical.dumps(heads)),
            "previous_hash": written.previous_hash,
            "hash": written.hash,
        },
    )
    tx.execute(
        delete(checkpoint_head).where(checkpoint_head.c.instance_key == bindparam("key")), [{"key": head[0]} for head in heads]
    )
    covered = [{"instance_key": instance, "seq": seq, "number": written.number} for instance, seq, _ in heads]
    tx.execute(insert(checkpoint_head), covered)
    return written


def _grown(reading: Reading, since: datetime) -> Sequence[Found]:
    """Return the cases that went on since a moment and are not covered yet: (instance_key, seq)."""
    if reading.dialect != "sqlite":
        return reading.all(_GROWN, {"since": since})
    first, behind = 1, (reading.scalar(_NEWEST) or 0) + 1
    while first < behind:
        middle = (first + behind) // 2
        if reading.scalar(_AT, {"place": middle}) >= since:
            behind = middle
        else:
            first = middle + 1
    return reading.all(_GROWN_LATELY, {"since": since, "first": first})


def all_checkpoints(reading: Reading) -> Iterable[Checkpoint]:
    """Yield every checkpoint, in order."""
    texts = [raw(reading, column) for column in (checkpoint.c.heads, checkpoint.c.previous_hash, checkpoint.c.hash)]
    statement = select(checkpoint.c.number, checkpoint.c.at, *texts).order_by(checkpoint.c.number)
    for row in reading.execute(statement):
        yield Checkpoint(row.number, row.at, _heads(row.heads), as_stored(row.previous_hash), as_stored(row.hash))


def _heads(content: bytes | str) -> tuple[tuple[int, int, str], ...]:
    """Read a list of heads; what is none comes out empty, so that the checkpoint's hash does not agree."""
    try:
        return tuple((int(instance), int(seq), str(head)) for instance, seq, head in canonical.loads(as_stored(content)))
    except (InvalidValue, TypeError, ValueError):
        return ()
