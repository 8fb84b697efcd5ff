"""The journal in the database: one row per command and case, only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Row, Text, bindparam, cast, func, insert, select, type_coerce

from engine.errors import Defect, NotFound
from engine.history import codec
from engine.history.chain import GENESIS, JournalRow
from engine.kernel.advance import Change
from engine.store import Reading, Transaction
from engine.store.tables import blob, journal, user
from engine.store.types import Sha256

NO_INSTANCE = 0
"""The chain of what belongs to no case: deployments, people, the calendar."""

# The newest row of a case: where the next one is tied to.
_HEAD = (
    select(journal.c.seq, journal.c.hash)
    .where(journal.c.instance_key == bindparam("instance"))
    .order_by(journal.c.seq.desc())
    .limit(1)
)
# A case's rows in order, from a sequence number on.
_ROWS = (
    select(journal)
    .where(journal.c.instance_key == bindparam("instance"), journal.c.seq >= bindparam("first"))
    .order_by(journal.c.seq)
)
_LOCK_NO_INSTANCE = select(func.pg_advisory_xact_lock(0x6C69757A6875616E))
_APPEND = insert(journal)
_COLUMNS = tuple(journal.c.keys())
_HAS_BLOB = select(blob.c.digest).where(blob.c.digest == bindparam("digest"))
_BLOB = select(blob.c.content).where(blob.c.digest == bindparam("digest"))
_PUT_BLOB = insert(blob)
_USER_KEY = select(user.c.key).where(user.c.username == bindparam("username"))
_USERNAME = select(user.c.username).where(user.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal row, read: what one command did to one case, with people by username.

    Attributes:
        seq: 1, 2, 3 … within the case.
        at: when it happened (aware, UTC).
        actor: who did it; None = the engine itself.
        on_behalf_of: for whom a substitute acted.
        events: what happened, in order.
        hash: the row's seal.
    """

    seq: int
    at: datetime
    actor: str | None
    on_behalf_of: str | None
    command: str
    events: tuple[Change, ...]
    hash: str = ""


def append(
    tx: Transaction,
    instance_key: int,
    command: str,
    changes: Iterable[Change],
    *,
    actor: str | None = None,
    on_behalf_of: str | None = None,
) -> JournalRow:
    """Write what a command did to a case; its row is tied to the case's row before.

    The case must be locked in `tx`. `tx.heads` holds the heads of the cases written here; where it does not know one yet, the
    journal is asked.

    Args:
        command: the command's name, e.g. `complete_task`.
        actor: username of who did it; None = the engine itself.
        on_behalf_of: username of the absent person a substitute acted for.
    Raises:
        Defect: the actor has no user record.
    """
    writer = _Writer(tx)
    seq, previous = tx.heads.get(instance_key) or _head(tx, instance_key)
    row = JournalRow(
        instance_key=instance_key,
        seq=seq + 1,
        at=tx.now,
        actor_key=writer.actor(actor),
        on_behalf_of_key=writer.actor(on_behalf_of),
        payload=codec.encode(codec.Place(instance_key, tx.now), command, changes, writer.user_key, writer.put_blob),
        previous_hash=previous,
    ).sealed()
    tx.execute(_APPEND, {column: getattr(row, column) for column in _COLUMNS})
    tx.heads[instance_key] = (row.seq, row.hash)
    return row


def rows(reading: Reading, instance_key: int, after: int = 0) -> list[JournalRow]:
    """Return the rows of a case as they are stored, in order, from behind the sequence number `after`."""
    found = list(_tied(reading.execute(_ROWS, {"instance": instance_key, "first": max(after, 1)})))
    return found[1:] if after and found and found[0].seq == after else found


def all_rows(reading: Reading) -> Iterable[JournalRow]:
    """Yield the rows of every case, by case and sequence, in batches of 1,000.

    SQLite keeps whatever somebody put into a column: it comes out as the bytes it is, for verification to find.
    """
    columns = [raw(reading, column) if column.name in {"payload", "hash"} else column for column in journal.c]
    statement = select(*columns).order_by(journal.c.instance_key, journal.c.seq).execution_options(yield_per=1000)
    yield from _tied(reading.execute(statement))


def _tied(found: Iterable[Row[Any]]) -> Iterator[JournalRow]:
    """Yield stored rows, each with the hash of the row before, which is not stored twice."""
    case, previous = -1, GENESIS
    for row in found:
        if row.instance_key != case:
            case, previous = row.instance_key, GENESIS
        stored = row.hash if isinstance(row.hash, str) else bytes(row.hash).hex()
        columns = (row.instance_key, row.seq, row.at, row.actor_key, row.on_behalf_of_key)
        yield JournalRow(*columns, bytes(row.payload), previous, stored)
        previous = stored


def raw(reading: Reading, column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as the bytes that are stored, where the database does not check of what kind they are."""
    stored = type_coerce(column, LargeBinary if isinstance(column.type, LargeBinary | Sha256) else Text)
    return (cast(stored, LargeBinary) if reading.dialect == "sqlite" else stored).label(column.name)


def as_stored(content: bytes | str | None) -> str:
    """Return a text as it stands in the database, bytes that are no UTF-8 as lone surrogates."""
    if isinstance(content, bytes):
        return content.decode(errors="surrogateescape")
    return content or ""


def entries(reading: Reading, instance_key: int, after: int = 0) -> list[Entry]:
    """Return what happened to a case, in order, from behind the sequence number `after`."""
    reader = Reader(reading)
    return [reader.entry(row) for row in rows(reading, instance_key, after)]


def all_blobs(reading: Reading) -> Iterable[tuple[str, bytes]]:
    """Yield every content with its digest, in batches."""
    statement = select(blob.c.digest, blob.c.content).execution_options(yield_per=20)
    for row in reading.execute(statement):
        yield row.digest, bytes(row.content)


def get_blob(reading: Reading, digest: str) -> bytes:
    """Return the content of a digest.

    Raises:
        NotFound: there is none.
    """
    content = reading.scalar(_BLOB, {"digest": digest})
    if content is None:
        raise NotFound(f"no content of digest {digest}")
    return bytes(content)


@dataclass(slots=True)
class Reader:
    """Reads journal rows into entries; remembers usernames."""

    reading: Reading
    _names: dict[int, str] = field(default_factory=dict)

    def entry(self, row: JournalRow) -> Entry:
        """Return a row's content with people by username."""
        get = partial(get_blob, self.reading)
        command, events = codec.decode(row.place, row.payload, self.username, get)
        actor, behalf = (None if key is None else self.username(key) for key in (row.actor_key, row.on_behalf_of_key))
        return Entry(row.seq, row.at, actor, behalf, command, events, row.hash)

    def username(self, key: int) -> str:
        """Return a user's name for signing in, or the key as text where the record is gone."""
        if key not in self._names:
            self._names[key] = self.reading.scalar(_USERNAME, {"key": key}) or str(key)
        return self._names[key]


@dataclass(slots=True)
class _Writer:
    tx: Transaction

    def user_key(self, username: str) -> int | None:
        known = self.tx.user_keys
        if username not in known:
            known[username] = self.tx.scalar(_USER_KEY, {"username": username})
        return known[username]

    def actor(self, username: str | None) -> int | None:
        if username is None:
            return None
        key = self.user_key(username)
        if key is None:
            raise Defect(f"{username} acts but has no user record")
        return key

    def put_blob(self, digest: str, content: bytes) -> None:
        if self.tx.scalar(_HAS_BLOB, {"digest": digest}) is None:
            self.tx.execute(_PUT_BLOB, {"digest": digest, "size": len(content), "content": content})


def _head(tx: Transaction, instance_key: int) -> tuple[int, str]:
    if instance_key == NO_INSTANCE and tx.dialect == "postgresql":
        tx.execute(_LOCK_NO_INSTANCE)  # a case is locked by its row; this chain has none
    found = tx.one(_HEAD, {"instance": instance_key})
    return (0, GENESIS) if found is None else (found.seq, found.hash)
