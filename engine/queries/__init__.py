"""Reads: frozen records out. What a person may not see is `NotFound`; functions "for programs" do not ask who reads."""

from __future__ import annotations

from engine.queries.alerts import alerts, all_alerts, unread_alerts
from engine.queries.attachments import attachment_content, attachments
from engine.queries.definitions import (
    definition_file,
    definition_xml,
    definitions,
    deployment_report,
    process_names,
    resources,
    start_list,
    start_page,
)
from engine.queries.forms import option_labels, variable_labels
from engine.queries.inbox import find_tasks, inbox, may_work_on
from engine.queries.incidents import incidents
from engine.queries.instances import (
    children,
    element_states,
    find_instance,
    instance,
    instances,
    journal,
    journal_events,
    subscriptions,
    variables,
)
from engine.queries.migrations import (
    Batch,
    ElementPreview,
    InstancePreview,
    MigrationPreview,
    batches,
    count_running,
    elements_to_enter,
    find_batch,
    preview_migration,
    preview_migrations,
)
from engine.queries.offers import offer
from engine.queries.people import groups, substitutions, users, who_is
from engine.queries.statistics import statistics
from engine.queries.tasks import task
from engine.queries.tokens import ApiToken, find_token, tokens

__all__ = [
    "ApiToken",
    "Batch",
    "ElementPreview",
    "InstancePreview",
    "MigrationPreview",
    "alerts",
    "all_alerts",
    "attachment_content",
    "attachments",
    "batches",
    "children",
    "count_running",
    "definition_file",
    "definition_xml",
    "definitions",
    "deployment_report",
    "element_states",
    "elements_to_enter",
    "find_batch",
    "find_instance",
    "find_tasks",
    "find_token",
    "groups",
    "inbox",
    "incidents",
    "instance",
    "instances",
    "journal",
    "journal_events",
    "may_work_on",
    "offer",
    "option_labels",
    "preview_migration",
    "preview_migrations",
    "process_names",
    "resources",
    "start_list",
    "start_page",
    "statistics",
    "subscriptions",
    "substitutions",
    "task",
    "tokens",
    "unread_alerts",
    "users",
    "variable_labels",
    "variables",
    "who_is",
]
