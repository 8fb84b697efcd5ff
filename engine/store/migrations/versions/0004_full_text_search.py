"""The full-text index of cases, and what definitions are called. Cases and definitions that are there are indexed now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from engine.definitions import read_bpmn
from engine.store import search

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BATCH = 1000
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.table("definition_text", sa.column("definition_key"), sa.column("process"), sa.column("tasks"))
_DEFINITION = sa.table(
    "process_definition", sa.column("key"), sa.column("bpmn_process_id"), sa.column("digest"), sa.column("resource_name")
)
_BLOB = sa.table("blob", sa.column("digest"), sa.column("content"))
_CASE = sa.table(
    "process_instance", sa.column("key"), sa.column("business_id"), sa.column("subject"), sa.column("definition_key")
)
_POSTGRESQL = sa.table("case_search", sa.column("instance_key"), sa.column("grams", postgresql.ARRAY(sa.Text())))


def upgrade() -> None:
    """Create the index, and fill it: what it holds is derived, by the code of the release that runs this."""
    op.create_table(
        "definition_text",
        sa.Column("definition_key", _KEY, autoincrement=False, nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("tasks", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_key"], ["process_definition.key"], name=op.f("fk_definition_text_definition_key_process_definition")
        ),
        sa.PrimaryKeyConstraint("definition_key", name=op.f("pk_definition_text")),
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    for statement in search.SQLITE if sqlite else search.POSTGRESQL:
        op.execute(statement)
    if not context.is_offline_mode():
        _fill_definitions()
        _fill_cases(sqlite)


def _fill_definitions() -> None:
    connection = op.get_bind()
    rows = sa.select(_DEFINITION, _BLOB.c.content).join_from(_DEFINITION, _BLOB, _BLOB.c.digest == _DEFINITION.c.digest)
    for row in connection.execute(rows.order_by(_DEFINITION.c.key)).all():
        for process in read_bpmn(bytes(row.content), row.resource_name).processes:
            if process.id == row.bpmn_process_id:
                connection.execute(_TEXT.insert(), search.named(row.key, process))


def _fill_cases(sqlite: bool) -> None:
    connection = op.get_bind()
    cases = sa.select(_CASE).order_by(_CASE.c.key).limit(_BATCH)
    key = -1
    while found := connection.execute(cases.where(_CASE.c.key > key)).all():
        pieces = [(row.key, search.CaseText(row.business_id, row.subject, row.definition_key).grams()) for row in found]
        if sqlite:
            statement = "INSERT INTO case_search (rowid, grams) VALUES (?, ?)"
            connection.exec_driver_sql(statement, [(key, " ".join(grams)) for key, grams in pieces])
        else:
            connection.execute(_POSTGRESQL.insert(), [{"instance_key": key, "grams": grams} for key, grams in pieces])
        key = found[-1].key


def downgrade() -> None:
    """Drop the index: it is derived from the cases."""
    op.execute("DROP TABLE case_search")
    op.drop_table("definition_text")
