"""Indexes for lists of cases: the family of a case, what a person started, what is suspended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STARTED, _SUSPENDED = sa.text("started_by IS NOT NULL"), sa.text("suspended_at IS NOT NULL")


def upgrade() -> None:
    """Find a case's called instances, a person's cases and the suspended ones without going through all."""
    op.create_index("ix_process_instance_root_key", "process_instance", ["root_key"])
    op.create_index(
        "ix_process_instance_started_by",
        "process_instance",
        ["started_by"],
        sqlite_where=_STARTED,
        postgresql_where=_STARTED,
    )
    op.create_index(
        "ix_process_instance_suspended_at",
        "process_instance",
        ["suspended_at"],
        sqlite_where=_SUSPENDED,
        postgresql_where=_SUSPENDED,
    )


def downgrade() -> None:
    """Drop the indexes."""
    for column in ("root_key", "started_by", "suspended_at"):
        op.drop_index(f"ix_process_instance_{column}", "process_instance")
