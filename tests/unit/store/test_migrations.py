"""Migrations and tables say the same, on both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from engine import history
from engine.history.chain import GENESIS, JournalRow
from engine.history.events import NoteAdded
from engine.history.evidence import DatabaseSource
from engine.history.verification import verify
from engine.store import Store, migration
from engine.store.tables import metadata, process_instance
from engine.store.types import to_microseconds


def test_migrations_and_tables_agree(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/agree.db")
    store.migrate()
    migration.check(store.engine)
    assert migration.is_current(store.engine)
    store.close()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/twice.db")
    store.migrate()
    store.migrate()
    tables = {name for name in sa.inspect(store.engine).get_table_names() if not name.startswith("case_search")}
    assert tables == {*metadata.tables, "alembic_version"}
    store.close()


def test_a_new_file_is_not_current(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new.db")
    assert not migration.is_current(store.engine)
    store.close()


def test_every_table_compiles_on_both_databases() -> None:
    for dialect in (postgresql.dialect(), sqlite.dialect()):
        for table in metadata.sorted_tables:
            assert str(CreateTable(table).compile(dialect=dialect))
            for index in table.indexes:
                assert str(CreateIndex(index).compile(dialect=dialect))


def test_the_migrations_write_sql_for_postgresql(capsys) -> None:
    config = migration.configuration()
    config.set_main_option("sqlalchemy.url", "postgresql+psycopg://nobody@localhost/nothing")
    command.upgrade(config, "head", sql=True)
    statements = capsys.readouterr().out
    assert all(f"CREATE TABLE {name} " in statements for name in metadata.tables)


def test_every_constraint_has_a_name() -> None:
    for table in metadata.sorted_tables:
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)
        assert all(index.name and len(index.name) <= 63 for index in table.indexes), table.name


def test_a_journal_of_the_first_release_is_proved_after_the_migration(tmp_path: Path) -> None:
    at, said = datetime(2026, 9, 24, 1, tzinfo=UTC), '[{"event":"NoteAdded","text":"引号"}]'
    first = JournalRow(7, 1, at, None, None, b"\x01note\n" + said.encode(), GENESIS).sealed()
    second = JournalRow(7, 2, at, None, None, b"\x01note\n" + said.encode(), first.hash).sealed()
    file = hashlib.sha256(b"\0").hexdigest()
    store = Store(f"sqlite:///{tmp_path}/old.db")
    config = migration.configuration()
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in (first, second):
            values = (row.instance_key, row.seq, to_microseconds(at), said, row.previous_hash, row.hash)
            connection.exec_driver_sql(
                "INSERT INTO journal (instance_key, seq, at, command, payload, previous_hash, hash) "
                "VALUES (?, ?, ?, 'note', ?, ?, ?)",
                values,
            )
        connection.exec_driver_sql("INSERT INTO deployment VALUES (1, 1, NULL, '{}')")
        connection.exec_driver_sql("INSERT INTO blob VALUES (?, 1, X'00')", (file,))
        connection.exec_driver_sql("INSERT INTO process_definition VALUES (1, 'p', 1, NULL, '', ?, 'p.bpmn', 1, 1)", (file,))
        connection.exec_driver_sql(
            "INSERT INTO process_instance (key, definition_key, bpmn_process_id, state, started_at, root_key, deployment_key, "
            "time_zone, revision, journal_seq, journal_hash) VALUES (7, 1, 'p', 'ACTIVE', 1, 7, 1, 'Asia/Shanghai', 2, 2, ?)",
            (second.hash,),
        )
        connection.exec_driver_sql("INSERT INTO element_instance VALUES (7, 7, NULL, 'p', 'STARTED', '{}')")
    store.migrate()
    with store.read() as reading:
        verdict = verify(DatabaseSource(reading))
        assert (verdict.ok, verdict.rows) == (True, 2), verdict.as_text()
        assert reading.scalar(sa.select(process_instance.c.journal_hash)) == second.hash
        assert [entry.events[0] for entry in history.entries(reading, 7)] == [NoteAdded("引号")] * 2
    with store.begin() as tx:
        history.append(tx, 7, "note", [NoteAdded("后")])
    with store.read() as reading:
        assert verify(DatabaseSource(reading)).ok
        assert reading.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    store.close()
