"""A case's journal for reading, and what is derived from it: element instances, how long a task's clock ran."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from engine import history
from engine.history.events import FormSubmitted, JobFailed, MessagePublished, TaskChanged
from engine.history.replay import replay
from engine.kernel.advance import (
    CallStarted,
    Change,
    DecisionEvaluated,
    ElementEntered,
    IncidentRaised,
    InstanceEnded,
    JobCreated,
    MessageAwaited,
    SignalThrown,
    TaskCreated,
    TaskUpdated,
    VariableSet,
)
from engine.queries.records import DueClock, ElementInstance, HistoryLine, JournalEvent
from engine.queries.rows import names_of
from engine.store import Reading


def element_instances(instance_key: int, entries: Iterable[history.Entry]) -> tuple[ElementInstance, ...]:
    """Return the element instances of a case in order of entering, live and past."""
    state = replay(instance_key, entries)
    return tuple(
        ElementInstance(item.key, item.element_id, item.type, item.state, item.scope_key, item.entered_at, item.ended_at)
        for item in state.elements.values()
    )


def visible(entries: Iterable[history.Entry], hidden: Collection[int]) -> tuple[history.Entry, ...]:
    """Return a journal without the variables of hidden scopes, and without what other events in them say of values."""
    found = tuple(entries)
    if not hidden:
        return found
    entered = (event for entry in found for event in entry.events if isinstance(event, ElementEntered))
    elements = {event.element_id if event.scope_key is not None else None for event in entered if event.key in hidden}
    return tuple(
        replace(entry, events=tuple(_veiled(event, hidden, elements) for event in entry.events if not _is_hidden(event, hidden)))
        for entry in found
    )


def lines(reading: Reading, entries: Sequence[history.Entry], hidden: Collection[int] = ()) -> tuple[HistoryLine, ...]:
    """Return a journal for reading, in order.

    Args:
        hidden: scopes whose variables the reader may not see yet.
    """
    names = names_of(reading, [name for entry in entries for name in (entry.actor, entry.on_behalf_of)])
    return tuple(_line(entry, names) for entry in visible(entries, hidden))


def _is_hidden(event: Change, hidden: Collection[int]) -> bool:
    return isinstance(event, VariableSet) and event.scope_key in hidden


# What events say of values, and what stands there for those who may not know them yet.
_VALUES: Mapping[type[Change], Mapping[str, Any]] = {
    CallStarted: {"variables": {}, "business_id": None},
    DecisionEvaluated: {"result": None, "trace": None},
    FormSubmitted: {"reason": ""},
    IncidentRaised: {"message": ""},
    InstanceEnded: {"variables": {}, "error_message": None},  # of no element: goes by the instance
    JobCreated: {"input": {}},
    JobFailed: {"message": ""},
    MessageAwaited: {"correlation_key": ""},
    MessagePublished: {"correlation_key": "", "variables": {}},
    SignalThrown: {"variables": {}},
}


def _veiled(event: Change, hidden: Collection[int], elements: Collection[str | None]) -> Change:
    """Return an event without its values, where it happened in a hidden scope; one that names no scope goes by its element."""
    values = _VALUES.get(type(event))
    if values is None:
        return event
    place = getattr(event, "element_key", getattr(event, "key", None))
    within = getattr(event, "element_id", None) in elements if place is None else place in hidden
    return replace(event, **values) if within else event


def _line(entry: history.Entry, names: dict[str, str]) -> HistoryLine:
    elements = dict.fromkeys(name for event in entry.events if (name := getattr(event, "element_id", None)))
    return HistoryLine(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        actor_name=names.get(entry.actor or ""),
        on_behalf_of=entry.on_behalf_of,
        on_behalf_of_name=names.get(entry.on_behalf_of or ""),
        command=entry.command,
        kinds=tuple(type(event).__name__ for event in entry.events),
        element_ids=tuple(elements),
        events=entry.events,
    )


def events(entries: Iterable[history.Entry]) -> tuple[JournalEvent, ...]:
    """Return the events of a journal one by one."""
    return tuple(
        JournalEvent(
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            on_behalf_of=entry.on_behalf_of,
            command=entry.command,
            kind=type(event).__name__,
            element_id=getattr(event, "element_id", None),
            payload={spec.name: _plain(getattr(event, spec.name)) for spec in fields(event)},
            hash=entry.hash,
        )
        for entry in entries
        for event in entry.events
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def due_clock(task_key: int, created_at: datetime, until: datetime, entries: Iterable[history.Entry]) -> DueClock:
    """Return how long a task has been open, with and without the time in which its clock stood still."""
    due_at, stopped_at, stood = None, None, 0.0
    for entry in entries:
        taken_away = any(isinstance(event, TaskChanged) and event.key == task_key for event in entry.events)
        for event in entry.events:
            if isinstance(event, TaskCreated) and event.key == task_key:
                due_at = event.due_at
            elif isinstance(event, TaskUpdated) and event.key == task_key:
                if event.due_at is None and stopped_at is None and not taken_away:
                    stopped_at = entry.at
                elif event.due_at is not None and stopped_at is not None:
                    stood, stopped_at = stood + (entry.at - stopped_at).total_seconds(), None
                due_at = event.due_at
    if stopped_at is not None:
        stood += (until - stopped_at).total_seconds()
    gross = (until - created_at).total_seconds()
    return DueClock(due_at, gross, max(gross - stood, 0.0), stopped_at is not None)
