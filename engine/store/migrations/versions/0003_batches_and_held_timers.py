"""Batches, and timers that fell due while their case was suspended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One thing done to many cases: a batch with an item for each; timers that wait for their case to be resumed."""
    op.create_table(
        "batch",
        sa.Column("key", _KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_batch")),
    )
    op.create_table(
        "batch_item",
        sa.Column("batch_key", _KEY, nullable=False),
        sa.Column("instance_key", _KEY, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["batch_key"], ["batch.key"], name=op.f("fk_batch_item_batch_key_batch")),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_batch_item_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("batch_key", "instance_key", name=op.f("pk_batch_item")),
    )
    op.create_index(op.f("ix_batch_item_batch_key_state"), "batch_item", ["batch_key", "state"], unique=False)
    op.add_column("timer", sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
