"""Migrations and tables say the same, on both databases."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from engine.store import Store, migration
from engine.store.tables import metadata


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
    assert set(sa.inspect(store.engine).get_table_names()) == {*metadata.tables, "alembic_version"}
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
