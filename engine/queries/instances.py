"""A case's page, and lists of cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine import history
from engine.errors import NotFound
from engine.history.replay import replay
from engine.queries import forms
from engine.queries import journal as past
from engine.queries.alerts import alerts_of
from engine.queries.case_list import list_cases
from engine.queries.incidents import incidents_of
from engine.queries.records import (
    Choice,
    ElementInstance,
    Instance,
    InstanceList,
    InstancePage,
    JournalEvent,
    Offer,
    ScopeVariable,
    TimerView,
)
from engine.queries.rows import INSTANCES, TASKS, instance_of, tasks_of
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.cases import CaseFilter
from engine.store.context import Context
from engine.store.directory import Person
from engine.store.library import ProcessVersion
from engine.store.rights import actor, is_offered, may_see_instance, may_start_in
from engine.store.tables import (
    element_instance,
    message_subscription,
    process_instance,
    timer,
    user_task,
)
from engine.store.transactions import Found
from engine.store.variables import by_scope, view

PAGE = 50

_BY_KEY = INSTANCES.where(process_instance.c.key == bindparam("instance"))
_CHILDREN = INSTANCES.where(process_instance.c.parent_key == bindparam("parent")).order_by(process_instance.c.key)
_SCOPES = select(element_instance.c.key, element_instance.c.element_id).where(
    element_instance.c.instance_key == bindparam("instance")
)
_TIMERS = select(timer).where(timer.c.instance_key == bindparam("instance")).order_by(timer.c.due_at)
_WAITING = select(message_subscription).where(message_subscription.c.instance_key == bindparam("instance"))
_AD_HOC = (
    select(element_instance.c.key, element_instance.c.element_id, element_instance.c.data)
    .where(
        element_instance.c.instance_key == bindparam("instance"),
        element_instance.c.element_id.in_(bindparam("elements", expanding=True)),
    )
    .order_by(element_instance.c.key)
)
_TASK_PLACE = select(user_task.c.instance_key, user_task.c.state).where(user_task.c.key == bindparam("task"))


def instance(ctx: Context, key: int, who: str) -> InstancePage:
    """Return what a case's page shows to a person.

    Variables of live scopes with `visibleTo` are shown to those groups (and to auditors) alone.

    Raises:
        NotFound: there is no such case, or this person may not know of it.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        if not may_see_instance(reading, acting, key):
            raise _missing(key)
        row = _row(reading, key)
        version = ctx.library.process(reading, row.definition_key)
        hidden = hidden_scopes(ctx, reading, version, key, acting.person)
        labels = forms.labels(ctx, reading, version)
        children = tuple(instance_of(reading, child) for child in reading.all(_CHILDREN, {"parent": key}))
        parent = reading.one(_BY_KEY, {"instance": row.parent_key}) if row.parent_key is not None else None
        tasks = reading.all(TASKS.where(user_task.c.instance_key == key).order_by(user_task.c.state.desc(), user_task.c.due_sort))
        offers = offers_of(version, reading.all(_WAITING, {"instance": key}))
        return InstancePage(
            instance=instance_of(reading, row),
            parent=instance_of(reading, parent) if parent is not None else None,
            children=children,
            facts=forms.facts(labels, version.process.summary, {} if key in hidden else view(reading, key)),
            variables=_variables(reading, version, key, hidden, labels),
            tasks=tasks_of(ctx, reading, tasks),
            elements=past.element_instances(key, history.entries(reading, key)),
            timers=tuple(_timer(version, found) for found in reading.all(_TIMERS, {"instance": key})),
            alerts=alerts_of(reading, [key, *(child.key for child in children)]),
            incidents=incidents_of(ctx, reading, [key, *(child.key for child in children)]),
            offers=tuple(offer for offer in offers if is_offered(acting.person, offer.offered_to)),
            choices=_choices(reading, version, key, acting.person),
        )


def _choices(reading: Reading, version: ProcessVersion, key: int, who: Person) -> tuple[Choice, ...]:
    """Return the ad-hoc sub-processes that live in a case and in which a person may start elements."""
    process = version.process
    ad_hoc = {e.id: e for e in process.elements.values() if e.ad_hoc is not None and may_start_in(who, e)}
    if not ad_hoc:
        return ()
    rows = reading.all(_AD_HOC, {"instance": key, "elements": list(ad_hoc)})
    return tuple(
        Choice(
            row.key,
            ad_hoc[row.element_id].name or row.element_id,
            tuple((e.id, e.name or e.id) for e in process.starts_by_itself(ad_hoc[row.element_id])),
        )
        for row in rows
        if "todo" in row.data and not row.data.get("enough")
    )


def journal(ctx: Context, key: int, who: str) -> tuple[history.Entry, ...]:
    """Return a case's journal for a person, in order, without variables that they may not see yet.

    Raises:
        NotFound: there is no such case, or this person may not know of it.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        if not may_see_instance(reading, acting, key):
            raise _missing(key)
        version = ctx.library.process(reading, _row(reading, key).definition_key)
        hidden = hidden_scopes(ctx, reading, version, key, acting.person)
        return past.visible(history.entries(reading, key), hidden)


def instances(
    ctx: Context,
    who: str,
    *,
    search: str = "",
    bpmn_process_id: str | None = None,
    state: str | None = None,
    started_from: datetime | None = None,
    started_to: datetime | None = None,
    page: int = 1,
) -> InstanceList:
    """Return a page of the cases that a person may see, the newest first, called ones not listed; see `CaseFilter`."""
    wanted = CaseFilter(search, bpmn_process_id, None, state, started_from, started_to)
    page = max(page, 1)
    first = (page - 1) * PAGE
    with ctx.store.read() as reading:
        found = list_cases(reading, actor(reading, who), wanted, first + PAGE + 1)
        shown = found.keys[first : first + PAGE]
        rows = {row.key: row for row in reading.all(INSTANCES.where(process_instance.c.key.in_(shown)))} if shown else {}
        cases = tuple(instance_of(reading, rows[key]) for key in shown)
    return InstanceList(cases, page, len(found.keys) > first + PAGE, found.complete)


# --- for programs, without regard to rights ---------------------------------------------------------------------------


def find_instance(ctx: Context, key: int) -> Instance:
    """Return an instance.

    Raises:
        NotFound: there is none.
    """
    with ctx.store.read() as reading:
        return instance_of(reading, _row(reading, key))


def children(ctx: Context, key: int) -> tuple[Instance, ...]:
    """Return the instances that an instance called, in order."""
    with ctx.store.read() as reading:
        return tuple(instance_of(reading, row) for row in reading.all(_CHILDREN, {"parent": key}))


def element_states(ctx: Context, key: int) -> tuple[ElementInstance, ...]:
    """Return the element instances of an instance in order of entering, live and past; the instance's own scope is not one.

    Raises:
        NotFound: there is no such instance.
    """
    with ctx.store.read() as reading:
        _row(reading, key)
        return tuple(item for item in past.element_instances(key, history.entries(reading, key)) if item.key != key)


def variables(ctx: Context, key: int) -> dict[str, Any]:
    """Return the variables of an instance, or those that a task sees.

    Raises:
        NotFound: there is no such instance or task.
    """
    with ctx.store.read() as reading:
        if reading.one(_BY_KEY, {"instance": key}) is not None:
            return view(reading, key)
        found = reading.one(_TASK_PLACE, {"task": key})
        if found is None:
            raise _missing(key)
        if found.state == "OPEN":
            return view(reading, found.instance_key, key)
        state = replay(found.instance_key, history.entries(reading, found.instance_key))
        return dict(state.variables.get(found.instance_key, {}))


def journal_events(ctx: Context, key: int) -> tuple[JournalEvent, ...]:
    """Return every event of an instance, in order.

    Raises:
        NotFound: there is no such instance.
    """
    with ctx.store.read() as reading:
        _row(reading, key)
        return past.events(history.entries(reading, key))


def subscriptions(ctx: Context, key: int) -> tuple[Offer, ...]:
    """Return the messages that an instance waits for."""
    with ctx.store.read() as reading:
        version = ctx.library.process(reading, _row(reading, key).definition_key)
        return tuple(offers_of(version, reading.all(_WAITING, {"instance": key})))


def offers_of(version: ProcessVersion, rows: Sequence[Found]) -> list[Offer]:
    """Return the records of message subscriptions."""
    found = []
    for row in rows:
        element = version.process.elements.get(row.element_id)
        properties = element.properties if element is not None else {}
        found.append(
            Offer(
                key=row.key,
                process_instance_key=row.instance_key,
                element_id=row.element_id,
                element_name=element.name if element is not None else "",
                name=row.name or properties.get("offerName") or (element.name if element is not None else row.message),
                name_en=properties.get("offerName:en", ""),
                message=row.message,
                correlation_key=row.correlation_key,
                offered_to=tuple(row.offered_to or ()),
                form_id=row.form_id,
            )
        )
    return found


def _timer(version: ProcessVersion, row: Found) -> TimerView:
    element = version.process.elements.get(row.element_id)
    return TimerView(row.key, row.element_id, element.name if element is not None else "", row.due_at, row.provisional)


def _variables(
    reading: Reading, version: ProcessVersion, key: int, hidden: frozenset[int], labels: dict[str, tuple[str, str]]
) -> tuple[ScopeVariable, ...]:
    elements = {row.key: row.element_id for row in reading.all(_SCOPES, {"instance": key})}
    return tuple(
        ScopeVariable(scope, elements.get(scope, version.process.id), name, *labels.get(name, (name, name)), value)
        for scope, values in sorted(by_scope(reading, key).items())
        if scope not in hidden
        for name, value in values.items()
    )


def _row(reading: Reading, key: int) -> Found:
    row = reading.one(_BY_KEY, {"instance": key})
    if row is None:
        raise _missing(key)
    return row


def _missing(key: int) -> NotFound:
    return NotFound(f"没有案件 {key}（no such case）")
