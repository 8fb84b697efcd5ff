"""The one transaction: `Store.begin()` to change, `Store.read()` to look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row

from engine.clock import Clock, SystemClock
from engine.store import migration
from engine.store.database import WRITES, connect, in_memory
from engine.store.prepared import Rows, prepared, watched

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Found = Row[*tuple[Any, ...]]
"""A row of any columns."""
Result = CursorResult[*tuple[Any, ...]] | Rows
"""What a statement found: to be gone through once, or asked for its `rowcount`."""


class Reading:
    """A consistent view of the database at one moment.

    Attributes:
        now: the moment it began (aware, UTC); the only time anything in it may use.
        user_keys: keys of the usernames looked up so far; None = there is no such user.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self.now = now
        self.user_keys: dict[str, int | None] = {}
        self._dialect = connection.dialect
        self._watched = watched(connection)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._dialect.name

    def execute(self, statement: Executable, parameters: Parameters | None = None) -> Result:
        """Execute one statement; a sequence of parameters executes it for each."""
        if not self._watched:
            found = prepared(self._dialect, statement, parameters)
            if found is not None:
                return found.execute(self._connection, parameters)
        return self._connection.execute(statement, parameters)

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Found]:
        """Return all rows."""
        return self.execute(statement, parameters).all()

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Found | None:
        """Return the first row, or None."""
        return self.execute(statement, parameters).first()

    def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return the first column of the first row, or None."""
        return self.execute(statement, parameters).scalar()


class Transaction(Reading):
    """A unit of work: all of it is committed when the block ends, nothing when an error leaves it.

    Attributes:
        heads: the journal's head (sequence, hash) of every instance locked here; `history.append` reads and moves it.
        due_at: the earliest moment at which something written here falls due; None = nothing does.
        chain: how much of the engine's own work led here without anything from outside; see `engine.commands.work`.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        super().__init__(connection, now)
        self.heads: dict[int, tuple[int, str]] = {}
        self.due_at: datetime | None = None
        self.chain = 0
        self.committed: list[Callable[[], object]] = []

    def after_commit(self, act: Callable[[], object]) -> None:
        """Do something in memory once this is committed, and only then; it must not fail."""
        self.committed.append(act)

    def falls_due(self, at: datetime) -> None:
        """Note that a row written here falls due, so that the driver of due work can be woken after commit."""
        if self.due_at is None or at < self.due_at:
            self.due_at = at


class Store:
    """The database: opens the transactions, migrates, and tells listeners when due work was written."""

    def __init__(self, url: str = "sqlite://", clock: Clock | None = None, *, synchronous: str = "FULL") -> None:
        """Connect lazily.

        Args:
            url: SQLAlchemy URL; `sqlite://` = in memory, gone when the process ends.
            clock: what `now` of a transaction is read from; the machine's clock by default.
            synchronous: SQLite's mode: FULL, NORMAL or EXTRA.
        """
        self.url = url
        self.clock: Clock = clock or SystemClock()
        self.engine = connect(url, synchronous)
        self._listeners: list[Callable[[datetime], None]] = []
        # SQLite has one writer: waiting here is fair and quick, waiting in SQLite's busy handler sleeps.
        self._writer: threading.Lock | None = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        self._reader = self._writer if in_memory(self.engine) else None  # in memory, all share one connection

    def migrate(self) -> None:
        """Bring the tables to this version's; a new database gets all of them."""
        migration.upgrade(self.engine)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def on_due(self, listener: Callable[[datetime], None]) -> None:
        """Call `listener(earliest moment)` after each commit that wrote due work."""
        self._listeners.append(listener)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Open the transaction of one command; commit when the block ends, roll back when an error leaves it."""
        with _held(self._writer), self.engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                transaction = Transaction(connection, self.clock.now())
                yield transaction
            for act in transaction.committed:
                act()
        if transaction.due_at is not None:
            for listener in self._listeners:
                listener(transaction.due_at)

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Open a consistent view; nothing may be written in it."""
        with _held(self._reader), self.engine.connect() as connection, connection.begin():
            yield Reading(connection, self.clock.now())


@contextmanager
def _held(lock: threading.Lock | None) -> Iterator[None]:
    if lock is None:
        yield
        return
    with lock:
        yield
