"""Every prepared statement of commands and queries can be said in both databases' words."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import ClauseElement, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import Dialect

import engine.commands
import engine.history
import engine.jobs
import engine.queries
import engine.store
from engine.jobs import due
from engine.store import Reading
from engine.store.prepared import _prepare
from engine.store.tables import metadata
from engine.store.upsert import insert_new, upsert

PACKAGES = (engine.commands, engine.queries, engine.store, engine.history, engine.jobs)


def statements() -> Iterator[tuple[str, ClauseElement]]:
    for package in PACKAGES:
        for found in pkgutil.iter_modules(package.__path__):
            if found.name != "migrations":
                module = importlib.import_module(f"{package.__name__}.{found.name}")
                for name, value in vars(module).items():
                    if isinstance(value, ClauseElement) and hasattr(value, "compile") and value.supports_execution:
                        yield f"{module.__name__}.{name}", value


STATEMENTS = dict(statements())


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_compile_on_both_databases(name: str) -> None:
    statement = STATEMENTS[name]
    columns = [column.name for column in statement.table.columns] if isinstance(statement, Insert) else None
    for dialect in (postgresql.dialect(), sqlite.dialect()):
        assert str(statement.compile(dialect=dialect, column_keys=columns))


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("dialect", [psycopg.dialect(), pysqlite.dialect()], ids=["psycopg", "sqlite3"])
def test_statements_are_prepared_for_both_drivers(name: str, dialect: Dialect) -> None:
    statement = STATEMENTS[name]
    columns = tuple(column.name for column in statement.table.columns) if isinstance(statement, Insert) else ()
    found = _prepare(statement, dialect, columns)  # type: ignore[arg-type]
    if found is not None:  # lists and streams take SQLAlchemy's way
        assert found.text
        wanted = {slot[1] for slot in found._slots}
        bound = found.bind(dict.fromkeys(wanted))
        assert (
            found.text.count("?") >= len(bound) if isinstance(bound, tuple) else all(f"%({key})s" in found.text for key in bound)
        )


@pytest.mark.parametrize("dialect", [psycopg.dialect(), pysqlite.dialect()], ids=["psycopg", "sqlite3"])
def test_looks_for_due_jobs_are_prepared_for_both_drivers(dialect: Dialect) -> None:
    for statement in (due._jobs(due.INNER), due._next_job(due.EVERYTHING)):
        assert _prepare(statement, dialect, ("now", "most")) is not None


def test_there_are_statements() -> None:
    assert len(STATEMENTS) > 80


class Told(Reading):
    """A reading that is of a dialect, without a connection."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    @property
    def dialect(self) -> str:
        return self._dialect


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=["postgresql", "sqlite"])
def test_upserts_compile_on_both_databases(dialect: object) -> None:
    reading = Told(dialect.name)  # type: ignore[attr-defined]  # a dialect has a name
    for table in metadata.sorted_tables:
        others = [column.name for column in table.columns if not column.primary_key]
        assert "ON CONFLICT DO NOTHING" in str(insert_new(reading, table).compile(dialect=dialect))  # type: ignore[arg-type]
        if others:
            assert "DO UPDATE SET" in str(upsert(reading, table, others).compile(dialect=dialect))  # type: ignore[arg-type]
