"""Every table of the product.

Live rows (instance, element instance, variable, user task, candidate, timer, subscription, job, incident) stand apart from
what is only ever added to (journal, checkpoint) and from contents by SHA-256 (blob). Rows of an instance are keyed by the
instance first, so that reading one instance is one range and a distributed database can be sharded by `instance_key`.

`_at` = aware UTC moment, `_on` = local date, `_key` = 64-bit integer id. Users stand in live rows by username, as models name
them, and in the journal by key.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)

from engine.store.types import ExactJson, Key, Moment, Sha256

ID = String(255)  # ids of models, names of groups and users
DIGEST = String(64)  # SHA-256 in hexadecimal

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(name: str, condition: str, *columns: str) -> Index:
    """An index of the rows that fulfil a condition."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


# --- contents ---------------------------------------------------------------------------------------------------------

blob = Table(
    "blob",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# --- definitions ------------------------------------------------------------------------------------------------------

deployment = Table(
    "deployment",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("deployed_at", Moment, nullable=False),
    Column("deployed_by", ID),
    Column("report", ExactJson, nullable=False),
)

deployment_resource = Table(
    "deployment_resource",
    metadata,
    Column("deployment_key", Key, ForeignKey("deployment.key"), primary_key=True),
    Column("name", ID, primary_key=True),
    Column("digest", DIGEST, ForeignKey("blob.digest"), nullable=False),
)


def _definition(name: str, id_column: str) -> Table:
    """A table of versions: the same content is the same version, another content is the next."""
    return Table(
        name,
        metadata,
        Column("key", Key, primary_key=True, autoincrement=False),
        Column(id_column, ID, nullable=False),
        Column("version", Integer, nullable=False),
        Column("version_tag", ID),
        Column("name", Text, nullable=False, server_default=""),
        Column("digest", DIGEST, ForeignKey("blob.digest"), nullable=False),
        Column("resource_name", ID, nullable=False),
        Column("deployment_key", Key, ForeignKey("deployment.key"), nullable=False),
        Column("deployed_at", Moment, nullable=False),
        Column("deleted_at", Moment),  # nothing starts on it any more; what ran on it still finds it by its key
        UniqueConstraint(id_column, "version"),
    )


process_definition = _definition("process_definition", "bpmn_process_id")
decision_definition = _definition("decision_definition", "decision_id")
form_definition = _definition("form_definition", "form_id")

# What cases and tasks are found by that their definition says; folded, one name a line (see `engine.store.search`).
definition_text = Table(
    "definition_text",
    metadata,
    Column("definition_key", Key, ForeignKey("process_definition.key"), primary_key=True, autoincrement=False),
    Column("process", Text, nullable=False),  # id and name
    Column("tasks", Text, nullable=False),  # names of its user tasks
)

# Which definitions a deployment held, unchanged ones included: what `bindingType="deployment"` looks up.
deployment_definition = Table(
    "deployment_definition",
    metadata,
    Column("deployment_key", Key, ForeignKey("deployment.key"), primary_key=True),
    Column("kind", String(16), primary_key=True),  # process | decision | form
    Column("definition_id", ID, primary_key=True),
    Column("definition_key", Key, nullable=False),
)

# Start events of the newest versions that wait for something.
start_event = Table(
    "start_event",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("definition_key", Key, ForeignKey("process_definition.key"), nullable=False),
    Column("bpmn_process_id", ID, nullable=False),
    Column("element_id", ID, nullable=False),
    Column("kind", String(16), nullable=False),  # timer | message | signal
    Column("name", ID, nullable=False, server_default=""),
    Column("due_at", Moment),
    Column("state", ExactJson),  # of a timer: what its next firing is computed from
    Index(None, "kind", "name"),
    Index(None, "bpmn_process_id"),
    _partial("ix_start_event_due_at", "due_at IS NOT NULL", "due_at"),
)

# --- instances: what is live ------------------------------------------------------------------------------------------

process_instance = Table(
    "process_instance",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("definition_key", Key, ForeignKey("process_definition.key"), nullable=False),
    Column("bpmn_process_id", ID, nullable=False),
    Column("business_id", ID),
    Column("subject", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),  # ACTIVE | COMPLETED | TERMINATED
    Column("started_at", Moment, nullable=False),
    Column("started_by", ID),
    Column("ended_at", Moment),
    Column("parent_key", Key),
    Column("parent_element_key", Key),
    Column("root_key", Key, nullable=False),
    Column("depth", Integer, nullable=False, server_default="0"),
    Column("deployment_key", Key, nullable=False),
    Column("correlation_key", ID),  # of the message that started it
    Column("bindings", ExactJson),  # what its call activities call: process id → definition key, fixed when it started
    Column("time_zone", String(64), nullable=False),  # in which its deadlines are computed
    Column("suspended_at", Moment),
    Column("suspended_by", ID),
    Column("suspended_reason", Text),
    Column("suspended_except", Key),  # the scope that goes on
    Column("revision", Integer, nullable=False),
    Column("journal_seq", Integer, nullable=False),  # the journal's head: of the last row
    Column("journal_hash", Sha256, nullable=False),
    Index(None, "bpmn_process_id", "state", "started_at"),
    Index(None, "definition_key", "state"),
    Index(None, "business_id"),
    Index(None, "root_key"),
    _partial("ix_process_instance_started_by", "started_by IS NOT NULL", "started_by"),
    _partial("ix_process_instance_suspended_at", "suspended_at IS NOT NULL", "suspended_at"),
    _partial("ix_process_instance_parent_key", "parent_key IS NOT NULL", "parent_key"),
    _partial(
        "ix_process_instance_correlation",
        "correlation_key IS NOT NULL AND state = 'ACTIVE'",
        "bpmn_process_id",
        "correlation_key",
    ),
)

# Words that whoever starts an instance puts on it, for searches.
instance_tag = Table(
    "instance_tag",
    metadata,
    Column("instance_key", Key, ForeignKey("process_instance.key"), primary_key=True),
    Column("tag", ID, primary_key=True),
    Index(None, "tag"),
    sqlite_with_rowid=False,
)

element_instance = Table(
    "element_instance",
    metadata,
    Column("instance_key", Key, ForeignKey("process_instance.key"), primary_key=True),
    Column("key", Key, primary_key=True),
    Column("parent_key", Key),
    Column("element_id", ID, nullable=False),
    Column("state", String(32), nullable=False),
    Column("data", ExactJson, nullable=False),
    sqlite_with_rowid=False,
)

variable = Table(
    "variable",
    metadata,
    Column("instance_key", Key, ForeignKey("process_instance.key"), primary_key=True),
    Column("scope_key", Key, primary_key=True),
    Column("name", ID, primary_key=True),
    Column("value", ExactJson),
    Column("digest", DIGEST, ForeignKey("blob.digest")),  # a large value: its JSON text is a blob, `value` is NULL
    _partial("ix_variable_digest", "digest IS NOT NULL", "digest"),
    sqlite_with_rowid=False,
)

user_task = Table(
    "user_task",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("bpmn_process_id", ID, nullable=False),
    Column("element_id", ID, nullable=False),
    Column("scope_key", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),  # OPEN | COMPLETED | CANCELLED
    Column("assignee", ID),
    Column("candidate_groups", ExactJson),  # lists; NULL = none
    Column("candidate_users", ExactJson),
    Column("excluded_users", ExactJson),
    Column("visible_to", ExactJson),
    Column("priority", Integer, nullable=False),
    Column("due_at", Moment),
    Column("follow_up_at", Moment),
    Column("due_sort", Key, nullable=False),  # microseconds of due_at; far future without one
    Column("form_id", ID),
    Column("form_key", Key),  # the version in force when the task was created
    Column("external_form", Text),
    Column("loop_counter", Integer),
    Column("signed", Boolean, nullable=False),
    Column("has_draft", Boolean, nullable=False),
    Column("provisional", Boolean, nullable=False),  # due_at was computed on a year without a published calendar
    Column("created_at", Moment, nullable=False),
    Column("claimed_at", Moment),
    Column("ended_at", Moment),
    Column("ended_by", ID),
    Column("on_behalf_of", ID),
    Index(None, "instance_key"),
    _partial("ix_user_task_assignee", "state = 'OPEN' AND assignee IS NOT NULL", "assignee", "due_sort"),
    _partial("ix_user_task_ended_by", "ended_by IS NOT NULL", "ended_by", "ended_at"),
    _partial("ix_user_task_open", "state = 'OPEN'", "due_sort"),
    Index("ix_user_task_statistics", "bpmn_process_id", "ended_at"),
)

# Who may claim: rows exist while the task is open and nobody has claimed it, so that a group's inbox is one index range.
task_candidate = Table(
    "task_candidate",
    metadata,
    Column("kind", String(8), primary_key=True),  # group | user
    Column("name", ID, primary_key=True),
    Column("due_sort", Key, primary_key=True),
    Column("task_key", Key, ForeignKey("user_task.key"), primary_key=True),
    Index(None, "task_key"),
    sqlite_with_rowid=False,
)

# Written out, not bound: SQLite uses a partial index only where the statement says its condition word for word.
IS_OPEN = user_task.c.state == literal_column("'OPEN'")
IS_ACTIVE = process_instance.c.state == literal_column("'ACTIVE'")

timer = Table(
    "timer",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("element_id", ID, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("repetitions", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("clock", ExactJson),  # names of the clocks it belongs to
    Column("provisional", Boolean, nullable=False),  # computed on a year without a published calendar
    Column("held", Boolean, nullable=False, server_default=false()),  # fell due while its case was suspended: fires at resume
    Index(None, "due_at"),
    Index(None, "instance_key"),
)

message_subscription = Table(
    "message_subscription",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("bpmn_process_id", ID, nullable=False),
    Column("element_id", ID, nullable=False),
    Column("message", ID, nullable=False),
    Column("correlation_key", ID, nullable=False),
    Column("interrupting", Boolean, nullable=False),
    Column("offered_to", ExactJson),
    Column("form_id", ID),
    Column("name", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Index(None, "message", "correlation_key"),
    Index(None, "instance_key"),
)

signal_subscription = Table(
    "signal_subscription",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("element_id", ID, nullable=False),
    Column("signal", ID, nullable=False),
    Index(None, "signal"),
    Index(None, "instance_key"),
)

# Messages that wait for a receiver until their time to live is over.
message = Table(
    "message",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("name", ID, nullable=False),
    Column("correlation_key", ID, nullable=False),
    Column("message_id", ID),
    Column("variables", ExactJson, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("published_by", ID),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("name", "correlation_key", "message_id"),
    Index(None, "name", "correlation_key", "key"),
    Index(None, "expires_at"),
)

# A message correlates at most once to a process.
message_correlation = Table(
    "message_correlation",
    metadata,
    Column("message_key", Key, ForeignKey("message.key", ondelete="CASCADE"), primary_key=True),
    Column("bpmn_process_id", ID, primary_key=True),
    Column("instance_key", Key),
)

# Work to be done after commit: service tasks (key = the element instance's), and the engine's own (children, signals, mails).
job = Table(
    "job",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key),
    Column("element_key", Key),  # NULL = the engine's own
    Column("element_id", ID),
    Column("type", ID, nullable=False),
    Column("headers", ExactJson),
    Column("input", ExactJson),
    Column("retries", Integer, nullable=False),
    Column("due_at", Moment),  # NULL = not to be tried: an incident holds it, or no retries are left
    Column("worker", ID),
    Column("locked_until", Moment),
    Column("error_message", Text),
    Column("idempotency_key", ID, unique=True),
    Column("chain", Integer, nullable=False, server_default="0"),  # how far it stands from what came from outside
    Column("created_at", Moment, nullable=False),
    _partial("ix_job_due_at", "due_at IS NOT NULL", "due_at"),
    Index(None, "type", "due_at"),
    _partial("ix_job_instance_key", "instance_key IS NOT NULL", "instance_key"),
)

incident = Table(
    "incident",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("element_key", Key, nullable=False),
    Column("element_id", ID, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Index(None, "instance_key"),
)

# --- one thing done to many cases -------------------------------------------------------------------------------------

batch = Table(
    "batch",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),  # migrate | modify | cancel | suspend | resume | retry
    Column("reason", Text, nullable=False),
    Column("parameters", ExactJson),  # of a migration: target definition and instructions
    Column("created_at", Moment, nullable=False),
    Column("created_by", ID),
)

batch_item = Table(
    "batch_item",
    metadata,
    Column("batch_key", Key, ForeignKey("batch.key"), primary_key=True),
    Column("instance_key", Key, ForeignKey("process_instance.key"), primary_key=True),
    Column("state", String(16), nullable=False),  # WAITING | SUSPENDED | CANCELED | DONE | FAILED
    Column("message", Text),  # why it failed
    Column("done_at", Moment),
    Index(None, "batch_key", "state"),
)

# --- history: only ever added to --------------------------------------------------------------------------------------

# The hash of the row before is not stored again; the first byte of the payload names the format (see `engine.history.packing`).
# What was written lately is found by the order of rows on SQLite, by `at` on PostgreSQL: no index entry a row.
journal = Table(
    "journal",
    metadata,
    Column("instance_key", Key, primary_key=True),  # 0 = what belongs to no instance: deployments, people, calendar
    Column("seq", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor_key", Key),  # NULL = the engine itself
    Column("on_behalf_of_key", Key),
    Column("payload", LargeBinary, nullable=False),
    Column("hash", Sha256, nullable=False),
    Index(None, "at", postgresql_using="brin", info={"only": "postgresql"}).ddl_if(dialect="postgresql"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("heads", ExactJson, nullable=False),  # [[instance_key, seq, hash], …] of the chains that grew since the one before
    Column("previous_hash", DIGEST, nullable=False),
    Column("hash", DIGEST, nullable=False),
)

# How far each chain is covered: so that the next checkpoint finds what grew.
checkpoint_head = Table(
    "checkpoint_head",
    metadata,
    Column("instance_key", Key, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("number", Integer, nullable=False),
)

# --- alerts, drafts, attachments --------------------------------------------------------------------------------------

alert = Table(
    "alert",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("instance_key", Key, ForeignKey("process_instance.key"), nullable=False),
    Column("element_id", ID, nullable=False),
    Column("kind", String(32), nullable=False),  # reminder | overdue | escalation | info | signal
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("groups", ExactJson),  # to whom it was addressed: group ids, usernames; NULL = none
    Column("users", ExactJson),
    Column("due_at", Moment),  # when the timer behind it was due
    Column("raised_at", Moment, nullable=False),
    Column("idempotency_key", ID, unique=True),
    Index(None, "instance_key"),
)

alert_recipient = Table(
    "alert_recipient",
    metadata,
    Column("username", ID, primary_key=True),
    Column("alert_key", Key, ForeignKey("alert.key"), primary_key=True),
    Column("group_id", ID),  # through which group; NULL = named
    Column("on_behalf_of", ID),  # told as the substitute of this absent person; NULL = for themselves
    Column("read_at", Moment),
    Index(None, "alert_key"),
)

draft = Table(
    "draft",
    metadata,
    Column("task_key", Key, ForeignKey("user_task.key"), primary_key=True),
    Column("username", ID, primary_key=True),
    Column("data", ExactJson, nullable=False),
    Column("saved_at", Moment, nullable=False),
)

start_draft = Table(
    "start_draft",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("bpmn_process_id", ID, nullable=False),
    Column("username", ID, nullable=False),
    Column("form_key", Key),
    Column("data", ExactJson, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Index(None, "username", "bpmn_process_id"),
)

# An upload, staged by digest before the command that binds it; orphans are collected later.
attachment = Table(
    "attachment",
    metadata,
    Column("digest", DIGEST, ForeignKey("blob.digest"), primary_key=True),
    Column("staged_by", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content_type", ID, nullable=False),
    Column("size", Integer, nullable=False),
    Column("staged_at", Moment, nullable=False),
)

attachment_binding = Table(
    "attachment_binding",
    metadata,
    Column("instance_key", Key, ForeignKey("process_instance.key"), primary_key=True),
    Column("digest", DIGEST, ForeignKey("blob.digest"), primary_key=True),
    Column("scope_key", Key, primary_key=True),  # the task it came with; the instance for a start form
    Column("name", Text, nullable=False),
    Column("content_type", ID, nullable=False),
    Column("size", Integer, nullable=False),
    Column("bound_by", ID),
    Column("bound_at", Moment, nullable=False),
    Index(None, "digest"),
)

# --- people -----------------------------------------------------------------------------------------------------------

user = Table(
    "user_account",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("username", ID, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("email", ID),
    Column("password_hash", Text),  # argon2id; NULL = cannot sign in
    Column("active", Boolean, nullable=False),
    Column("external", Boolean, nullable=False),  # named by an embedding program, which vouches for the person's groups
    Column("session_epoch", Integer, nullable=False),  # raised to end all sessions
    Column("created_at", Moment, nullable=False),
)

group = Table(
    "user_group",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False, server_default=""),
)

membership = Table(
    "membership",
    metadata,
    Column("username", ID, ForeignKey("user_account.username"), primary_key=True),
    Column("group_id", ID, ForeignKey("user_group.id"), primary_key=True),
    Index(None, "group_id"),
)

user_attribute = Table(
    "user_attribute",
    metadata,
    Column("username", ID, ForeignKey("user_account.username"), primary_key=True),
    Column("name", ID, primary_key=True),
    Column("value", ID, primary_key=True),
)

substitution = Table(
    "substitution",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("absent", ID, ForeignKey("user_account.username"), nullable=False),
    Column("substitute", ID, ForeignKey("user_account.username"), nullable=False),
    Column("from_at", Moment, nullable=False),
    Column("until_at", Moment, nullable=False),
    Column("groups", ExactJson),  # scope: lists; NULL = all
    Column("processes", ExactJson),
    Column("created_at", Moment, nullable=False),
    Column("created_by", ID),
    Column("ended_at", Moment),
    Index(None, "substitute"),
    Index(None, "absent"),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("username", ID, primary_key=True),  # as typed: also of nobody
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("blocked_until", Moment),
)

# What a program signs in with to /v2: the token itself is shown once, and kept as its SHA-256 alone.
api_token = Table(
    "api_token",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=False),
    Column("digest", Sha256, nullable=False, unique=True),
    Column("name", ID, nullable=False),
    Column("username", ID, ForeignKey("user_account.username"), nullable=False),  # whose it is: it acts as this person
    Column("scopes", ExactJson, nullable=False),  # see `engine.commands.tokens.SCOPES`
    Column("processes", ExactJson),  # those it is confined to; NULL = all
    Column("created_at", Moment, nullable=False),
    Column("created_by", ID),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", ID),
    Column("used_at", Moment),  # the last time, to within some minutes
    Index(None, "username"),
)

# --- calendar, counters, nodes ----------------------------------------------------------------------------------------

calendar_year = Table(
    "calendar_year",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),  # the notice it was entered from
    Column("entered_at", Moment, nullable=False),
    Column("entered_by", ID),
)

calendar_day = Table(
    "calendar_day",
    metadata,
    Column("day_on", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
)

counter = Table(
    "counter",
    metadata,
    Column("name", ID, primary_key=True),
    Column("value", Integer, nullable=False),
)

# Answers already given: a caller that repeats a command with its key gets the first answer.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", ID, primary_key=True),
    Column("key", ID, primary_key=True),
    Column("answer", ExactJson),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
)

node_lease = Table(
    "node_lease",
    metadata,
    Column("node", Integer, primary_key=True, autoincrement=False),
    Column("owner", ID, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
