"""The job type `notify`: tells people, in the app at once, by mail and webhook after commit.

Inputs: `toGroups`, `toUsers` (lists), `kind` (reminder | overdue | escalation | info | signal), `subject`, `text`, `channels`
(list of inbox, mail, webhook; default inbox and mail). One alert per call. Who stands in for a recipient is told too, within the
scope of the substitution; not who has an interest in the case. It carries the due time of the timer behind it beside
the actual time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, insert, select

from engine.commands import work
from engine.definitions import Process
from engine.history import codec, journal
from engine.history.events import AlertRaised
from engine.jobs.service import ServiceTask
from engine.kernel.advance import Change, JobCompleted, JobCreated, TimerFired
from engine.store.directory import ADMIN, find_person, members, standing_in
from engine.store.tables import IS_OPEN, alert, alert_recipient, process_instance, user_task
from engine.store.tables import journal as journal_table

_LONGEST_CHAIN = 8  # service tasks between a timer and the alert that it leads to

KINDS = ("reminder", "overdue", "escalation", "info", "signal")
CHANNELS = ("inbox", "mail", "webhook")

# Whom the open tasks of a case, called processes included, exclude.
_EXCLUDED = (
    select(user_task.c.excluded_users)
    .join(process_instance, process_instance.c.key == user_task.c.instance_key)
    .where(process_instance.c.root_key == bindparam("root"), IS_OPEN, user_task.c.excluded_users.is_not(None))
)


@dataclass(frozen=True, slots=True)
class _Told:
    """How a recipient comes to be one: through a group (None = named), standing in for somebody (None = for themselves)."""

    group: str | None = None
    absent: str | None = None


def notify(task: ServiceTask) -> Mapping[str, Any]:
    """Write the alert, its recipients and what is to be sent."""
    inputs, tx = task.inputs, task.tx
    kind = inputs.text("kind", "info")
    if kind not in KINDS:
        raise inputs.wrong("kind", f"应为 {', '.join(KINDS)} 之一 (must be one of these): {kind}")
    channels = inputs.texts("channels", ("inbox", "mail"))
    if unknown := [name for name in channels if name not in CHANNELS]:
        raise inputs.wrong("channels", f"应为 {', '.join(CHANNELS)} (must be among these): {unknown[0]}")
    groups = inputs.texts("toGroups")
    users = inputs.texts("toUsers")
    recipients = _recipients(task, groups, users)
    subject, text = inputs.text("subject"), inputs.text("text", "")
    due_at = _due_behind(task)
    key = next(task.ctx.keys)
    tx.execute(
        insert(alert),
        {
            "key": key,
            "instance_key": task.unit.key,
            "element_id": task.row.element_id,
            "kind": kind,
            "subject": subject,
            "text": text,
            "groups": list(groups) or None,
            "users": list(users) or None,
            "due_at": due_at,
            "raised_at": tx.now,
            "idempotency_key": f"notify:{task.key}",
        },
    )
    if recipients:
        rows = [
            {"username": name, "alert_key": key, "group_id": told.group, "on_behalf_of": told.absent, "read_at": None}
            for name, told in recipients.items()
        ]
        tx.execute(insert(alert_recipient), rows)
    standing = {name: told.absent for name, told in recipients.items() if told.absent is not None}
    late = int((tx.now - due_at).total_seconds()) if due_at is not None else 0
    raised = AlertRaised(
        key=key,
        element_id=task.row.element_id,
        kind=kind,
        subject=subject,
        text=text,
        recipients=tuple(recipients),
        groups=groups,
        due_at=due_at,
        late_seconds=max(late, 0),
        element_key=task.key,
        substitutes=tuple(standing),
        absent=tuple(standing.values()),
    )
    task.unit.record(raised)
    _leave_deliveries(task, key, channels, recipients)
    return {}


def _recipients(task: ServiceTask, groups: tuple[str, ...], users: tuple[str, ...]) -> dict[str, _Told]:
    """Return who is told, and how each comes to be; administrators where there would be nobody."""
    found: dict[str, _Told] = {}
    for username in users:
        person = find_person(task.tx, username)
        if person is not None and person.active:
            found[username] = _Told()
    for group in groups:
        for username in members(task.tx, group):
            found.setdefault(username, _Told(group))
    if not found:
        found = dict.fromkeys(members(task.tx, ADMIN), _Told(ADMIN))
    return found | _substitutes(task, found)


def _substitutes(task: ServiceTask, told: Mapping[str, _Told]) -> dict[str, _Told]:
    """Return who stands in for those told, where the substitution's scope covers it; never who has an interest in the case."""
    standing = standing_in(task.tx, told)
    if not standing:
        return {}
    rows = task.tx.all(_EXCLUDED, {"root": task.unit.row["root_key"]})
    excluded = {name for row in rows for name in row.excluded_users}
    found: dict[str, _Told] = {}
    for scope in standing:
        group = told[scope.absent].group
        covered = scope.groups is None if group is None else scope.covers_group(group)
        if covered and scope.covers_process(task.unit.row["bpmn_process_id"]) and scope.substitute not in excluded | told.keys():
            found.setdefault(scope.substitute, _Told(group, scope.absent))
    return found


def _leave_deliveries(task: ServiceTask, alert_key: int, channels: tuple[str, ...], recipients: Mapping[str, _Told]) -> None:
    ctx, wanted = task.ctx, []
    if "mail" in channels and ctx.ports.mailer is not None:
        for username, told in recipients.items():
            person = find_person(task.tx, username)
            if person is not None and person.email:
                content: dict[str, Any] = {"alert_key": alert_key, "username": username, "on_behalf_of": told.absent}
                key = f"mail:{alert_key}:{username}"
                wanted.append(work.Work(work.MAIL, task.unit.key, content, idempotency_key=key))
    if "webhook" in channels and ctx.ports.webhook is not None and ctx.settings.webhook_url:
        content = {"alert_key": alert_key}
        wanted.append(work.Work(work.WEBHOOK, task.unit.key, content, idempotency_key=f"webhook:{alert_key}"))
    work.add(ctx, task.tx, wanted)


def _due_behind(task: ServiceTask) -> datetime | None:
    """Return when the timer that led to this job was due; None where none did.

    Looked for in the command that created the job and, where that was the end of another job from which the flows lead here, in
    the command that created that one, and so on, up to a few jobs back: a case that goes round must not look ever further.
    """
    process = task.unit.version.process
    key, element_id, before = task.key, str(task.row.element_id), task.unit.row["journal_seq"]
    for _ in range(_LONGEST_CHAIN):
        seq, changes = _creation(task, key, before)
        nearest = _nearest(process, element_id, changes)
        if nearest is None:
            return None
        if isinstance(nearest, TimerFired):
            return nearest.due_at
        key, element_id, before = nearest.key, nearest.element_id, seq - 1
    return None


def _creation(task: ServiceTask, job_key: int, before: int) -> tuple[int, list[Change]]:
    """Return the journal row (its number and events) that created a job, not later than row `before`."""
    rows = (
        select(journal_table)
        .where(journal_table.c.instance_key == task.unit.key, journal_table.c.seq <= before)
        .order_by(journal_table.c.seq.desc())
    )
    for row in task.tx.execute(rows):
        place = codec.Place(task.unit.key, row.at)
        if not codec.may_name(place, row.payload, job_key):
            continue
        changes = list(codec.decode(place, row.payload, str, partial(journal.get_blob, task.tx))[1])
        if any(isinstance(change, JobCreated) and change.key == job_key for change in changes):
            return row.seq, changes
    return 0, []


def _nearest(process: Process, element_id: str, changes: list[Change]) -> TimerFired | JobCompleted | None:
    """Return what led to an element within one command: the timer that fired or the job that ended, nearest against the flows."""
    causes = {change.element_id: change for change in changes if isinstance(change, TimerFired | JobCompleted)}
    waiting, seen = [element_id], {element_id}
    while waiting and causes:
        element = process.elements[waiting.pop(0)]
        if element.id in causes:
            return causes[element.id]
        before = [process.flows[flow].source for flow in element.incoming]
        if not before and element.parent_id is not None:  # a start: what led to its scope
            before = [element.parent_id]
        for other in before:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return None
