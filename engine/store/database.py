"""Connections: SQLAlchemy engines set up for SQLite (WAL, one writer) and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import StaticPool

from engine.errors import SettingsError

WRITES = "liuzhuan_writes"  # execution option of a connection whose transaction writes
BUSY_SECONDS = 30


def connect(url: str, synchronous: str = "FULL") -> Engine:
    """Return an engine for a database URL.

    SQLite: foreign keys on, WAL, `synchronous` as told, writing transactions begin IMMEDIATE; `sqlite://` (in memory) shares one
    connection between threads. PostgreSQL: psycopg 3.

    Raises:
        SettingsError: the URL cannot be read, or names another kind of database.
    """
    try:
        address = make_url(url)
    except Exception as error:
        raise SettingsError("LIUZHUAN_DATABASE_URL: not a database URL", field="database_url") from error
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, synchronous)
    if address.get_backend_name() == "postgresql":
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        return create_engine(address, pool_size=10, max_overflow=10, pool_pre_ping=True)
    raise SettingsError(f"LIUZHUAN_DATABASE_URL: sqlite or postgresql, not {address.get_backend_name()}", field="database_url")


def in_memory(engine: Engine) -> bool:
    """Whether the database lives in this process alone."""
    return engine.dialect.name == "sqlite" and engine.url.database in {None, "", ":memory:"}


def _sqlite(address: URL, synchronous: str) -> Engine:
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": 512}}
    if address.database in {None, "", ":memory:"}:
        options["poolclass"] = StaticPool
    engine = create_engine(address, query_cache_size=2000, **options)
    event.listen(engine, "connect", _prepare(synchronous))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(synchronous: str) -> Callable[[sqlite3.Connection, object], None]:
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "temp_store=MEMORY",
            "cache_size=-1024",  # KiB for each connection: what is read again is in the machine's own cache
            "wal_autocheckpoint=4000",  # pages; a command changes a dozen, most of them the same as the one before
        ):
            connection.execute(f"PRAGMA {pragma}")

    return prepare


def _begin(connection: Connection) -> None:
    # A writer takes SQLite's lock at once: a read that turns into a write later could only fail.
    immediate = connection.get_execution_options().get(WRITES, False)
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")  # SQLite's own short way
