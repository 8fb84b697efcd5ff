"""Definitions that were deleted: nothing starts on them, their history stays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("process_definition", "decision_definition", "form_definition")


def upgrade() -> None:
    """Note when a version was deleted."""
    for table in _TABLES:
        op.add_column(table, sa.Column("deleted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    for table in _TABLES:
        op.drop_column(table, "deleted_at")
