"""The job types that reach beyond their element: `publish-message`, `suspend-instance`, `resume-instance`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.commands import correlation, suspensions
from engine.history.events import MessagePublished
from engine.jobs.service import ServiceTask
from engine.store.tables import element_instance


def publish_message(task: ServiceTask) -> Mapping[str, Any]:
    """Publish a message; its receivers go on after commit.

    Inputs: `messageName`, `correlationKey`, `variables` (context), `timeToLive` (duration; without one it does not wait).
    """
    inputs, tx = task.inputs, task.tx
    name, correlation_key = inputs.text("messageName"), inputs.text("correlationKey", "")
    variables = inputs.context("variables")
    expires_at = tx.now + (inputs.duration("timeToLive") or timedelta(0))
    correlation.publish(task.ctx, tx, name, correlation_key, variables, expires_at)
    task.unit.record(MessagePublished(name, correlation_key, variables, task.row.element_id))
    return {}


def suspend_instance(task: ServiceTask) -> Mapping[str, Any]:
    """Suspend the case except the scope that the job stands in (an event sub-process, say). Input: `reason`."""
    place = element_instance.c.instance_key == task.unit.key, element_instance.c.key == task.key
    scope = task.tx.scalar(select(element_instance.c.parent_key).where(*place))
    suspensions.suspend(task.unit, None, task.inputs.text("reason"), scope if scope != task.unit.key else None)
    return {}


def resume_instance(task: ServiceTask) -> Mapping[str, Any]:
    """Let the case go on; nothing happens where it is not suspended. Input: `reason`."""
    if task.unit.row["suspended_at"] is not None:
        suspensions.resume(task.unit, task.inputs.text("reason", ""))
    return {}
