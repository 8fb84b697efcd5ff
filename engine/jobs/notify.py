"""The job type `notify`: tells people, in the app at once, by mail and webhook after commit.

Inputs: `toGroups`, `toUsers` (lists), `kind` (reminder | overdue | escalation | info | signal), `subject`, `text`, `channels`
(list of inbox, mail, webhook; default inbox and mail). One alert per call. It carries the due time of the timer behind it beside
the actual time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from engine.commands import work
from engine.definitions import Process
from engine.history import codec, journal
from engine.history.events import AlertRaised
from engine.jobs.service import ServiceTask
from engine.kernel.advance import Change, JobCompleted, JobCreated, TimerFired
from engine.store.directory import ADMIN, find_person, members
from engine.store.tables import alert, alert_recipient
from engine.store.tables import journal as journal_table

_LONGEST_CHAIN = 8  # service tasks between a timer and the alert that it leads to

KINDS = ("reminder", "overdue", "escalation", "info", "signal")
CHANNELS = ("inbox", "mail", "webhook")


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
    recipients = _recipients(task, groups, inputs.texts("toUsers"))
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
            "due_at": due_at,
            "raised_at": tx.now,
            "idempotency_key": f"notify:{task.key}",
        },
    )
    if recipients:
        rows = [{"username": name, "alert_key": key, "group_id": group, "read_at": None} for name, group in recipients.items()]
        tx.execute(insert(alert_recipient), rows)
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
    )
    task.unit.record(raised)
    _leave_deliveries(task, key, channels, tuple(recipients))
    return {}


def _recipients(task: ServiceTask, groups: tuple[str, ...], users: tuple[str, ...]) -> dict[str, str | None]:
    """Return usernames with the group through which each is told (None = named); administrators where there would be nobody."""
    found: dict[str, str | None] = {}
    for username in users:
        person = find_person(task.tx, username)
        if person is not None and person.active:
            found[username] = None
    for group in groups:
        for username in members(task.tx, group):
            found.setdefault(username, group)
    if not found:
        found = dict.fromkeys(members(task.tx, ADMIN), ADMIN)
    return found


def _leave_deliveries(task: ServiceTask, alert_key: int, channels: tuple[str, ...], recipients: tuple[str, ...]) -> None:
    ctx, wanted = task.ctx, []
    if "mail" in channels and ctx.ports.mailer is not None:
        for username in recipients:
            person = find_person(task.tx, username)
            if person is not None and person.email:
                content = {"alert_key": alert_key, "username": username}
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
        .where(
            journal_table.c.instance_key == task.unit.key,
            journal_table.c.seq <= before,
            journal_table.c.payload.contains(f'"key":{job_key}', autoescape=True),
        )
        .order_by(journal_table.c.seq.desc())
    )
    for row in task.tx.execute(rows):
        changes = codec.decode(row.payload, str, lambda digest: journal.get_blob(task.tx, digest))
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
