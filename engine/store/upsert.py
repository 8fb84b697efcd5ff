"""INSERT … ON CONFLICT in the words of both databases; the statements are built once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.transactions import Reading


def upsert(reading: Reading, table: Table, update: Sequence[str]) -> Insert:
    """Return INSERT … ON CONFLICT (primary key) DO UPDATE of the columns named."""
    return _upsert(reading.dialect, table, tuple(update))


def insert_new(reading: Reading, table: Table) -> Insert:
    """Return INSERT … ON CONFLICT DO NOTHING: what is there already stays."""
    return _insert_new(reading.dialect, table)


def _insert(dialect: str, table: Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _upsert(dialect: str, table: Table, update: tuple[str, ...]) -> Insert:
    statement = _insert(dialect, table)
    result: Insert = statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={name: statement.excluded[name] for name in update}
    )
    return result


@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    result: Insert = _insert(dialect, table).on_conflict_do_nothing()
    return result
