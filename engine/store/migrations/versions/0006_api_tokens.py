"""What programs that call the API need: tokens, and tags on process instances."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_token",
        sa.Column("key", _KEY, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("processes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=255), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["username"], ["user_account.username"], name=op.f("fk_api_token_username_user_account")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_index(op.f("ix_api_token_username"), "api_token", ["username"], unique=False)
    op.create_table(
        "instance_tag",
        sa.Column("instance_key", _KEY, nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_instance_tag_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("instance_key", "tag", name=op.f("pk_instance_tag")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_instance_tag_tag"), "instance_tag", ["tag"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("instance_tag")
    op.drop_table("api_token")
