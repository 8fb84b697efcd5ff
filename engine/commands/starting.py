"""Starting a case by hand: the start form is checked like any other, and the starter's groups must allow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete

from engine.commands import attachments, drafts, idempotency, submissions
from engine.commands.instances import begin, check_may_start, new_unit
from engine.commands.surroundings import environment
from engine.commands.values import clean
from engine.definitions import Element, Process
from engine.errors import NotFound
from engine.history.events import FormSubmitted
from engine.store.context import Context
from engine.store.directory import person
from engine.store.library import process_key
from engine.store.tables import start_draft


def submit_start_form(
    ctx: Context,
    bpmn_process_id: str,
    data: Mapping[str, Any],
    by: str,
    *,
    business_id: str | None = None,
    draft_key: int | None = None,
    form_hash: str | None = None,
    idempotency_key: str | None = None,
) -> int:
    """Start a case with its start form and return its key.

    Args:
        draft_key: the draft that this was; it goes away.
        form_hash: the version of the form that the person saw.
    Raises:
        NotAllowed: none of the person's groups is among the process's `candidateStarterGroups`.
        InvalidSubmission: the data break the form's schema.
        StaleForm: the form was another version.
        NotFound: there is no such process, or no such draft of this person.
    """
    with ctx.store.begin() as tx:
        if (answer := idempotency.answer(tx, by, idempotency_key)) is not None:
            return int(answer)
        definition_key = process_key(tx, bpmn_process_id)
        version = ctx.library.process(tx, definition_key)
        check_may_start(person(tx, by), version)
        start = start_by_hand(version.process)
        accepted = submissions.accept(
            ctx,
            tx,
            submissions.latest_form_key(tx, start.form_id),
            clean(data),
            {},
            process=version.process,
            element=start,
            environment=environment(ctx, tx),
            by=by,
            form_hash=form_hash,
        )
        unit = new_unit(ctx, tx, definition_key, business_id=business_id, by=by)
        submitted = (FormSubmitted(None, start.id, accepted.form_id, accepted.form_hash),) if accepted.form_id is not None else ()
        begin(unit, accepted.data, by=by, start_event_id=start.id, events=submitted)
        unit.commit("start_instance", actor=by)
        attachments.bind_attachments(tx, unit.key, unit.key, accepted.data.values(), by)
        if draft_key is not None:
            drafts.own_start_draft(tx, draft_key, by)
            tx.execute(delete(start_draft).where(start_draft.c.key == draft_key))
        idempotency.remember(tx, by, idempotency_key, unit.key)
    return unit.key


def start_by_hand(process: Process) -> Element:
    """Return the start event that people use: the first without a trigger.

    Raises:
        NotFound: the process starts by messages, signals or timers alone.
    """
    for event in process.start_events:
        if event.event is None or event.event.kind == "none":
            return event
    raise NotFound(f"流程 {process.id} 不能手工发起（has no plain start event）", element_id=process.id)
