"""Every change of state: one function each, one transaction each, the instance locked first.

A command's first argument is the engine's `Context`. `by` is a username; None = the engine itself. Commands raise the errors of
`engine.errors`; what they raise has changed nothing.
"""

from __future__ import annotations

from engine.commands.adhoc import start_in_ad_hoc
from engine.commands.alerts import mark_alerts_read
from engine.commands.attachments import stage_attachment
from engine.commands.batches import Change, cancel_batch, resume_batch, start_batch, suspend_batch
from engine.commands.calendar import enter_year, set_day
from engine.commands.creating import Created, Which, create_instance
from engine.commands.deletion import delete_definition
from engine.commands.deploy import Definition, Deployment, check_resources, deploy
from engine.commands.drafts import discard_start_draft, save_draft, save_start_draft
from engine.commands.incidents import resolve_incident
from engine.commands.instances import cancel_instance, modify_instance, preview_modification, set_variables, start_instance
from engine.commands.jobs import ActivatedJob, activate_jobs, complete_job, fail_job, throw_job_error, update_job
from engine.commands.messages import publish_message, trigger_subscription
from engine.commands.migrations import migrate_instance
from engine.commands.passwords import sign_in
from engine.commands.people import (
    add_group,
    add_user,
    end_sessions,
    join_group,
    leave_group,
    set_active,
    set_attributes,
    set_groups,
    set_name,
    set_password,
    vouch_for,
)
from engine.commands.signals import broadcast_signal
from engine.commands.starting import submit_start_form
from engine.commands.substitutions import add_substitution, end_substitution
from engine.commands.suspensions import resume_instance, suspend_instance
from engine.commands.tasks import assign_task, claim_task, complete_task, unclaim_task
from engine.commands.timers import fire_start_timer, fire_timer
from engine.commands.tokens import issue_token, note_use, revoke_token

__all__ = [
    "ActivatedJob",
    "Change",
    "Created",
    "Definition",
    "Deployment",
    "Which",
    "activate_jobs",
    "add_group",
    "add_substitution",
    "add_user",
    "assign_task",
    "broadcast_signal",
    "cancel_batch",
    "cancel_instance",
    "check_resources",
    "claim_task",
    "complete_job",
    "complete_task",
    "create_instance",
    "delete_definition",
    "deploy",
    "discard_start_draft",
    "end_sessions",
    "end_substitution",
    "enter_year",
    "fail_job",
    "fire_start_timer",
    "fire_timer",
    "issue_token",
    "join_group",
    "leave_group",
    "mark_alerts_read",
    "migrate_instance",
    "modify_instance",
    "note_use",
    "preview_modification",
    "publish_message",
    "resolve_incident",
    "resume_batch",
    "resume_instance",
    "revoke_token",
    "save_draft",
    "save_start_draft",
    "set_active",
    "set_attributes",
    "set_day",
    "set_groups",
    "set_name",
    "set_password",
    "set_variables",
    "sign_in",
    "stage_attachment",
    "start_batch",
    "start_in_ad_hoc",
    "start_instance",
    "submit_start_form",
    "suspend_batch",
    "suspend_instance",
    "throw_job_error",
    "trigger_subscription",
    "unclaim_task",
    "update_job",
    "vouch_for",
]
