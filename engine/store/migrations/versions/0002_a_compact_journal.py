"""A compact journal: content and hashes as bytes, the hash of the row before not stored twice, no index by time on SQLite.

Two indexes of tasks lose a column that they are found without.

Rows that are there stay as they were sealed (format 1, see `engine.history.packing`): their command's name and their text
become one column, their hashes change from hexadecimal to bytes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BATCH = 500


def _columns(*more: sa.Column[Any]) -> list[sa.Column[Any]]:
    return [
        sa.Column("instance_key", _KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_key", _KEY, nullable=True),
        sa.Column("on_behalf_of_key", _KEY, nullable=True),
        *more,
    ]


def _new() -> list[sa.Column[Any]]:
    return _columns(sa.Column("payload", sa.LargeBinary(), nullable=False), sa.Column("hash", sa.LargeBinary(), nullable=False))


_OLD = sa.Table(
    "journal_0001",
    sa.MetaData(),
    *_columns(sa.Column("command", sa.String(64)), sa.Column("payload", sa.Text()), sa.Column("hash", sa.String(64))),
)
_NEW = sa.Table("journal", sa.MetaData(), *_new())
_INSTANCE = sa.table(
    "process_instance", sa.column("key", _KEY), sa.column("journal_hash", sa.LargeBinary()), sa.column("old_hash", sa.String(64))
)


def upgrade() -> None:
    """A compact journal."""
    postgresql = op.get_context().dialect.name == "postgresql"
    op.drop_index("ix_journal_at", "journal")
    op.rename_table("journal", "journal_0001")
    if postgresql:
        op.execute("ALTER INDEX pk_journal RENAME TO pk_journal_0001")
    constraint = sa.PrimaryKeyConstraint("instance_key", "seq", name=op.f("pk_journal"))
    op.create_table("journal", *_new(), constraint)
    if postgresql:
        op.create_index("ix_journal_at", "journal", ["at"], postgresql_using="brin")
    # Not as a batch: SQLite would make the table anew, and other tables' rows refer to it.
    op.execute("ALTER TABLE process_instance RENAME COLUMN journal_hash TO old_hash")
    empty = sa.text("''" if postgresql else "X''")
    op.add_column("process_instance", sa.Column("journal_hash", sa.LargeBinary(), nullable=False, server_default=empty))
    if postgresql:
        _copy_in_postgresql()
    else:
        _copy()
    op.execute("ALTER TABLE process_instance DROP COLUMN old_hash")
    op.drop_table("journal_0001")
    op.drop_index("ix_user_task_instance_key_state", "user_task")
    op.create_index("ix_user_task_instance_key", "user_task", ["instance_key"])
    op.drop_index("ix_user_task_statistics", "user_task")
    op.create_index("ix_user_task_statistics", "user_task", ["bpmn_process_id", "ended_at"])


def _copy() -> None:
    connection = op.get_bind()
    # In the order in which they were written: checkpoints look for new rows by it.
    written = sa.select(_OLD).order_by(_OLD.c.at, _OLD.c.instance_key, _OLD.c.seq).execution_options(yield_per=_BATCH)
    for rows in connection.execute(written).partitions():
        connection.execute(
            _NEW.insert(),
            [
                {
                    **{name: getattr(row, name) for name in ("instance_key", "seq", "at", "actor_key", "on_behalf_of_key")},
                    "payload": b"\x01" + f"{row.command}\n{row.payload}".encode(),
                    "hash": bytes.fromhex(row.hash),
                }
                for row in rows
            ],
        )
    key = -1
    change = _INSTANCE.update().where(_INSTANCE.c.key == sa.bindparam("case")).values(journal_hash=sa.bindparam("new"))
    instances = sa.select(_INSTANCE.c.key, _INSTANCE.c.old_hash).order_by(_INSTANCE.c.key).limit(_BATCH)
    while found := connection.execute(instances.where(_INSTANCE.c.key > key)).all():
        connection.execute(change, [{"case": row.key, "new": bytes.fromhex(row.old_hash)} for row in found])
        key = found[-1].key


def _copy_in_postgresql() -> None:
    op.execute(
        "INSERT INTO journal (instance_key, seq, at, actor_key, on_behalf_of_key, payload, hash) "
        "SELECT instance_key, seq, at, actor_key, on_behalf_of_key, "
        "'\\x01'::bytea || convert_to(command || E'\\n' || payload, 'UTF8'), decode(hash, 'hex') "
        "FROM journal_0001 ORDER BY at"
    )
    op.execute("UPDATE process_instance SET journal_hash = decode(old_hash, 'hex')")


def downgrade() -> None:
    """There is no way back: rows of the new format cannot be read by the old release.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("a journal cannot be written anew: restore the backup taken before the migration")
