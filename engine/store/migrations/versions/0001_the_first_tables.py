"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first tables."""
    op.create_table(
        "blob",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_blob")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("day_on", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "checkpoint_head",
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instance_key", name=op.f("pk_checkpoint_head")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "deployment",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=False),
        sa.Column("deployed_by", sa.String(length=255), nullable=True),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_deployment")),
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_at"), ["at"], unique=False)

    op.create_table(
        "job",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("element_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("element_id", sa.String(length=255), nullable=True),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("headers", sa.Text(), nullable=True),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("chain", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_job_idempotency_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_job_instance_key",
            ["instance_key"],
            unique=False,
            sqlite_where=sa.text("instance_key IS NOT NULL"),
            postgresql_where=sa.text("instance_key IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_job_type_due_at"), ["type", "due_at"], unique=False)

    op.create_table(
        "journal",
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on_behalf_of_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("command", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("instance_key", "seq", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_at"), ["at"], unique=False)

    op.create_table(
        "message",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("correlation_key", sa.String(length=255), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_message")),
        sa.UniqueConstraint("name", "correlation_key", "message_id", name=op.f("uq_message_name_correlation_key_message_id")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_name_correlation_key_key"), ["name", "correlation_key", "key"], unique=False)

    op.create_table(
        "node_lease",
        sa.Column("node", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_node_lease")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_sign_in_attempt")),
    )
    op.create_table(
        "start_draft",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("form_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_start_draft")),
    )
    with op.batch_alter_table("start_draft", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_start_draft_username_bpmn_process_id"), ["username", "bpmn_process_id"], unique=False
        )

    op.create_table(
        "user_account",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_user_account")),
        sa.UniqueConstraint("username", name=op.f("uq_user_account_username")),
    )
    op.create_table(
        "user_group",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
    )
    op.create_table(
        "attachment",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("staged_by", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("staged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_attachment_digest_blob")),
        sa.PrimaryKeyConstraint("digest", "staged_by", name=op.f("pk_attachment")),
    )
    op.create_table(
        "decision_definition",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_tag", sa.String(length=255), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource_name", sa.String(length=255), nullable=False),
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_key"], ["deployment.key"], name=op.f("fk_decision_definition_deployment_key_deployment")
        ),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_decision_definition_digest_blob")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_decision_definition")),
        sa.UniqueConstraint("decision_id", "version", name=op.f("uq_decision_definition_decision_id_version")),
    )
    op.create_table(
        "deployment_definition",
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("definition_id", sa.String(length=255), nullable=False),
        sa.Column("definition_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_key"], ["deployment.key"], name=op.f("fk_deployment_definition_deployment_key_deployment")
        ),
        sa.PrimaryKeyConstraint("deployment_key", "kind", "definition_id", name=op.f("pk_deployment_definition")),
    )
    op.create_table(
        "deployment_resource",
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_key"], ["deployment.key"], name=op.f("fk_deployment_resource_deployment_key_deployment")
        ),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_deployment_resource_digest_blob")),
        sa.PrimaryKeyConstraint("deployment_key", "name", name=op.f("pk_deployment_resource")),
    )
    op.create_table(
        "form_definition",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("form_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_tag", sa.String(length=255), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource_name", sa.String(length=255), nullable=False),
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_key"], ["deployment.key"], name=op.f("fk_form_definition_deployment_key_deployment")
        ),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_form_definition_digest_blob")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_form_definition")),
        sa.UniqueConstraint("form_id", "version", name=op.f("uq_form_definition_form_id_version")),
    )
    op.create_table(
        "membership",
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("group_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["user_group.id"], name=op.f("fk_membership_group_id_user_group")),
        sa.ForeignKeyConstraint(["username"], ["user_account.username"], name=op.f("fk_membership_username_user_account")),
        sa.PrimaryKeyConstraint("username", "group_id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_group_id"), ["group_id"], unique=False)

    op.create_table(
        "message_correlation",
        sa.Column("message_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_key"], ["message.key"], name=op.f("fk_message_correlation_message_key_message"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_key", "bpmn_process_id", name=op.f("pk_message_correlation")),
    )
    op.create_table(
        "process_definition",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("version_tag", sa.String(length=255), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("resource_name", sa.String(length=255), nullable=False),
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_key"], ["deployment.key"], name=op.f("fk_process_definition_deployment_key_deployment")
        ),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_process_definition_digest_blob")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_process_definition")),
        sa.UniqueConstraint("bpmn_process_id", "version", name=op.f("uq_process_definition_bpmn_process_id_version")),
    )
    op.create_table(
        "substitution",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("absent", sa.String(length=255), nullable=False),
        sa.Column("substitute", sa.String(length=255), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=True),
        sa.Column("processes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["absent"], ["user_account.username"], name=op.f("fk_substitution_absent_user_account")),
        sa.ForeignKeyConstraint(["substitute"], ["user_account.username"], name=op.f("fk_substitution_substitute_user_account")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_substitution")),
    )
    with op.batch_alter_table("substitution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_substitution_absent"), ["absent"], unique=False)
        batch_op.create_index(batch_op.f("ix_substitution_substitute"), ["substitute"], unique=False)

    op.create_table(
        "user_attribute",
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["user_account.username"], name=op.f("fk_user_attribute_username_user_account")),
        sa.PrimaryKeyConstraint("username", "name", "value", name=op.f("pk_user_attribute")),
    )
    op.create_table(
        "process_instance",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("definition_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("business_id", sa.String(length=255), nullable=True),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.String(length=255), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("parent_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_element_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("root_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deployment_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("correlation_key", sa.String(length=255), nullable=True),
        sa.Column("bindings", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_by", sa.String(length=255), nullable=True),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("suspended_except", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("journal_seq", sa.Integer(), nullable=False),
        sa.Column("journal_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_key"], ["process_definition.key"], name=op.f("fk_process_instance_definition_key_process_definition")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_process_instance")),
    )
    with op.batch_alter_table("process_instance", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_process_instance_bpmn_process_id_state_started_at"),
            ["bpmn_process_id", "state", "started_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_process_instance_business_id"), ["business_id"], unique=False)
        batch_op.create_index(
            "ix_process_instance_correlation",
            ["bpmn_process_id", "correlation_key"],
            unique=False,
            sqlite_where=sa.text("correlation_key IS NOT NULL AND state = 'ACTIVE'"),
            postgresql_where=sa.text("correlation_key IS NOT NULL AND state = 'ACTIVE'"),
        )
        batch_op.create_index(batch_op.f("ix_process_instance_definition_key_state"), ["definition_key", "state"], unique=False)
        batch_op.create_index(
            "ix_process_instance_parent_key",
            ["parent_key"],
            unique=False,
            sqlite_where=sa.text("parent_key IS NOT NULL"),
            postgresql_where=sa.text("parent_key IS NOT NULL"),
        )

    op.create_table(
        "start_event",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("definition_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), server_default="", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_key"], ["process_definition.key"], name=op.f("fk_start_event_definition_key_process_definition")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_start_event")),
    )
    with op.batch_alter_table("start_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_start_event_bpmn_process_id"), ["bpmn_process_id"], unique=False)
        batch_op.create_index(
            "ix_start_event_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_start_event_kind_name"), ["kind", "name"], unique=False)

    op.create_table(
        "alert",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=True),
        sa.Column("users", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["instance_key"], ["process_instance.key"], name=op.f("fk_alert_instance_key_process_instance")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alert")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_alert_idempotency_key")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_instance_key"), ["instance_key"], unique=False)

    op.create_table(
        "attachment_binding",
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scope_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("bound_by", sa.String(length=255), nullable=True),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_attachment_binding_digest_blob")),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_attachment_binding_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("instance_key", "digest", "scope_key", name=op.f("pk_attachment_binding")),
    )
    with op.batch_alter_table("attachment_binding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_binding_digest"), ["digest"], unique=False)

    op.create_table(
        "element_instance",
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_element_instance_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("instance_key", "key", name=op.f("pk_element_instance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incident",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("element_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_incident_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_instance_key"), ["instance_key"], unique=False)

    op.create_table(
        "message_subscription",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column("correlation_key", sa.String(length=255), nullable=False),
        sa.Column("interrupting", sa.Boolean(), nullable=False),
        sa.Column("offered_to", sa.Text(), nullable=True),
        sa.Column("form_id", sa.String(length=255), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_message_subscription_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_message_subscription")),
    )
    with op.batch_alter_table("message_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_subscription_instance_key"), ["instance_key"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_message_subscription_message_correlation_key"), ["message", "correlation_key"], unique=False
        )

    op.create_table(
        "signal_subscription",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("signal", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_signal_subscription_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_signal_subscription")),
    )
    with op.batch_alter_table("signal_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signal_subscription_instance_key"), ["instance_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_signal_subscription_signal"), ["signal"], unique=False)

    op.create_table(
        "timer",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("repetitions", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["instance_key"], ["process_instance.key"], name=op.f("fk_timer_instance_key_process_instance")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_timer")),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_timer_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_timer_instance_key"), ["instance_key"], unique=False)

    op.create_table(
        "user_task",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bpmn_process_id", sa.String(length=255), nullable=False),
        sa.Column("element_id", sa.String(length=255), nullable=False),
        sa.Column("scope_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=255), nullable=True),
        sa.Column("candidate_groups", sa.Text(), nullable=True),
        sa.Column("candidate_users", sa.Text(), nullable=True),
        sa.Column("excluded_users", sa.Text(), nullable=True),
        sa.Column("visible_to", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("follow_up_at", sa.BigInteger(), nullable=True),
        sa.Column("due_sort", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("form_id", sa.String(length=255), nullable=True),
        sa.Column("form_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("external_form", sa.Text(), nullable=True),
        sa.Column("loop_counter", sa.Integer(), nullable=True),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("has_draft", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=255), nullable=True),
        sa.Column("on_behalf_of", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_user_task_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_user_task")),
    )
    with op.batch_alter_table("user_task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_user_task_assignee",
            ["assignee", "due_sort"],
            unique=False,
            sqlite_where=sa.text("state = 'OPEN' AND assignee IS NOT NULL"),
            postgresql_where=sa.text("state = 'OPEN' AND assignee IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_user_task_ended_by",
            ["ended_by", "ended_at"],
            unique=False,
            sqlite_where=sa.text("ended_by IS NOT NULL"),
            postgresql_where=sa.text("ended_by IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_user_task_instance_key_state"), ["instance_key", "state"], unique=False)
        batch_op.create_index(
            "ix_user_task_open",
            ["due_sort"],
            unique=False,
            sqlite_where=sa.text("state = 'OPEN'"),
            postgresql_where=sa.text("state = 'OPEN'"),
        )
        batch_op.create_index("ix_user_task_statistics", ["bpmn_process_id", "element_id", "ended_at"], unique=False)

    op.create_table(
        "variable",
        sa.Column("instance_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_variable_digest_blob")),
        sa.ForeignKeyConstraint(
            ["instance_key"], ["process_instance.key"], name=op.f("fk_variable_instance_key_process_instance")
        ),
        sa.PrimaryKeyConstraint("instance_key", "scope_key", "name", name=op.f("pk_variable")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("variable", schema=None) as batch_op:
        batch_op.create_index(
            "ix_variable_digest",
            ["digest"],
            unique=False,
            sqlite_where=sa.text("digest IS NOT NULL"),
            postgresql_where=sa.text("digest IS NOT NULL"),
        )

    op.create_table(
        "alert_recipient",
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("alert_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.String(length=255), nullable=True),
        sa.Column("on_behalf_of", sa.String(length=255), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["alert_key"], ["alert.key"], name=op.f("fk_alert_recipient_alert_key_alert")),
        sa.PrimaryKeyConstraint("username", "alert_key", name=op.f("pk_alert_recipient")),
    )
    with op.batch_alter_table("alert_recipient", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_recipient_alert_key"), ["alert_key"], unique=False)

    op.create_table(
        "draft",
        sa.Column("task_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["task_key"], ["user_task.key"], name=op.f("fk_draft_task_key_user_task")),
        sa.PrimaryKeyConstraint("task_key", "username", name=op.f("pk_draft")),
    )
    op.create_table(
        "task_candidate",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("due_sort", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["task_key"], ["user_task.key"], name=op.f("fk_task_candidate_task_key_user_task")),
        sa.PrimaryKeyConstraint("kind", "name", "due_sort", "task_key", name=op.f("pk_task_candidate")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("task_candidate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_candidate_task_key"), ["task_key"], unique=False)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("task_candidate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_candidate_task_key"))

    op.drop_table("task_candidate")
    op.drop_table("draft")
    with op.batch_alter_table("alert_recipient", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_recipient_alert_key"))

    op.drop_table("alert_recipient")
    with op.batch_alter_table("variable", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_variable_digest",
            sqlite_where=sa.text("digest IS NOT NULL"),
            postgresql_where=sa.text("digest IS NOT NULL"),
        )

    op.drop_table("variable")
    with op.batch_alter_table("user_task", schema=None) as batch_op:
        batch_op.drop_index("ix_user_task_statistics")
        batch_op.drop_index(
            "ix_user_task_open", sqlite_where=sa.text("state = 'OPEN'"), postgresql_where=sa.text("state = 'OPEN'")
        )
        batch_op.drop_index(batch_op.f("ix_user_task_instance_key_state"))
        batch_op.drop_index(
            "ix_user_task_ended_by",
            sqlite_where=sa.text("ended_by IS NOT NULL"),
            postgresql_where=sa.text("ended_by IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_user_task_assignee",
            sqlite_where=sa.text("state = 'OPEN' AND assignee IS NOT NULL"),
            postgresql_where=sa.text("state = 'OPEN' AND assignee IS NOT NULL"),
        )

    op.drop_table("user_task")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timer_instance_key"))
        batch_op.drop_index(batch_op.f("ix_timer_due_at"))

    op.drop_table("timer")
    with op.batch_alter_table("signal_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signal_subscription_signal"))
        batch_op.drop_index(batch_op.f("ix_signal_subscription_instance_key"))

    op.drop_table("signal_subscription")
    with op.batch_alter_table("message_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_subscription_message_correlation_key"))
        batch_op.drop_index(batch_op.f("ix_message_subscription_instance_key"))

    op.drop_table("message_subscription")
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_instance_key"))

    op.drop_table("incident")
    op.drop_table("element_instance")
    with op.batch_alter_table("attachment_binding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_binding_digest"))

    op.drop_table("attachment_binding")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_instance_key"))

    op.drop_table("alert")
    with op.batch_alter_table("start_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_start_event_kind_name"))
        batch_op.drop_index(
            "ix_start_event_due_at", sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL")
        )
        batch_op.drop_index(batch_op.f("ix_start_event_bpmn_process_id"))

    op.drop_table("start_event")
    with op.batch_alter_table("process_instance", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_process_instance_parent_key",
            sqlite_where=sa.text("parent_key IS NOT NULL"),
            postgresql_where=sa.text("parent_key IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_process_instance_definition_key_state"))
        batch_op.drop_index(
            "ix_process_instance_correlation",
            sqlite_where=sa.text("correlation_key IS NOT NULL AND state = 'ACTIVE'"),
            postgresql_where=sa.text("correlation_key IS NOT NULL AND state = 'ACTIVE'"),
        )
        batch_op.drop_index(batch_op.f("ix_process_instance_business_id"))
        batch_op.drop_index(batch_op.f("ix_process_instance_bpmn_process_id_state_started_at"))

    op.drop_table("process_instance")
    op.drop_table("user_attribute")
    with op.batch_alter_table("substitution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_substitution_substitute"))
        batch_op.drop_index(batch_op.f("ix_substitution_absent"))

    op.drop_table("substitution")
    op.drop_table("process_definition")
    op.drop_table("message_correlation")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_group_id"))

    op.drop_table("membership")
    op.drop_table("form_definition")
    op.drop_table("deployment_resource")
    op.drop_table("deployment_definition")
    op.drop_table("decision_definition")
    op.drop_table("attachment")
    op.drop_table("user_group")
    op.drop_table("user_account")
    with op.batch_alter_table("start_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_start_draft_username_bpmn_process_id"))

    op.drop_table("start_draft")
    op.drop_table("sign_in_attempt")
    op.drop_table("node_lease")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_name_correlation_key_key"))
        batch_op.drop_index(batch_op.f("ix_message_expires_at"))

    op.drop_table("message")
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_at"))

    op.drop_table("journal")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_type_due_at"))
        batch_op.drop_index(
            "ix_job_instance_key",
            sqlite_where=sa.text("instance_key IS NOT NULL"),
            postgresql_where=sa.text("instance_key IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_job_due_at", sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL")
        )

    op.drop_table("job")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_at"))

    op.drop_table("idempotency")
    op.drop_table("deployment")
    op.drop_table("counter")
    op.drop_table("checkpoint_head")
    op.drop_table("checkpoint")
    op.drop_table("calendar_year")
    op.drop_table("calendar_day")
    op.drop_table("blob")
