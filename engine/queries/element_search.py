"""Element instances of a case as programs search them, live and past, with the incidents in them: told from the journal.

The journal is kept case by case: a search names its process instance, or an element instance that leads to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from engine import history
from engine.errors import NotFound
from engine.history import codec, journal
from engine.history.replay import replay
from engine.history.state import State
from engine.queries.variable_search import instance_of_element
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import Actor, actor, may_see_instance
from engine.store.tables import process_instance
from engine.store.transactions import Found

LOOKED_THROUGH = 300
"""Journals that are looked through, the newest first, for an element instance that has ended."""

_CASE = select(process_instance).where(process_instance.c.key == bindparam("instance"))
# The instances begun before something, the newest first: it is in one of them.
_BEFORE = (
    select(process_instance.c.key)
    .where(process_instance.c.key < bindparam("key"))
    .order_by(process_instance.c.key.desc())
    .limit(LOOKED_THROUGH)
)


@dataclass(frozen=True, slots=True)
class ElementFound:
    """An element instance.

    Attributes:
        type, state: Camunda's words; the instance itself is a PROCESS.
        scope_key: of what it lives in; None = it is the instance itself.
        incident_key: the incident that it holds now, or one in what lives in it.
    """

    key: int
    element_id: str
    name: str
    type: str
    state: str
    scope_key: int | None
    entered_at: datetime
    ended_at: datetime | None
    incident_key: int | None
    case: Found


@dataclass(frozen=True, slots=True)
class IncidentFound:
    """An incident, waiting or resolved; `message` is empty where the person may not read it yet."""

    key: int
    element_key: int
    element_id: str
    kind: str
    message: str
    raised_at: datetime
    resolved_at: datetime | None
    case: Found


def elements_of(
    ctx: Context, instance_key: int, who: str, *, processes: Collection[str] | None = None
) -> tuple[ElementFound, ...]:
    """Return the element instances of a process instance in order of entering, itself first; () = the person may not see it."""
    with ctx.store.read() as reading:
        case = _seen(reading, actor(reading, who), instance_key, processes)
        return () if case is None else _elements(ctx, reading, case, _state(reading, instance_key))


def find_element(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> ElementFound:
    """Return one element instance.

    Raises:
        NotFound: there is none, the person may not know of it, or it ended long ago in a case that is not named.
    """
    with ctx.store.read() as reading:
        instance_key = instance_of(reading, key)
        case = _seen(reading, actor(reading, who), instance_key, processes) if instance_key is not None else None
        if case is not None and instance_key is not None:
            for found in _elements(ctx, reading, case, _state(reading, instance_key)):
                if found.key == key:
                    return found
    raise _missing(key)


def incidents_in(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> tuple[IncidentFound, ...]:
    """Return the incidents of an element instance and of what lives or lived in it, called instances included, the oldest first.

    Raises:
        NotFound: there is no such element instance, or the person may not know of it.
    """
    found = find_element(ctx, key, who, processes=processes)
    with ctx.store.read() as reading:
        told = _incidents(ctx, reading, actor(reading, who), found.case.key, key)
        return tuple(sorted(told, key=lambda item: item.key))


def instance_of(reading: Reading, key: int) -> int | None:
    """Return the process instance of an element instance, None where there is none to be found."""
    found = instance_of_element(reading, key)
    if found is not None:
        return found
    for row in reading.all(_BEFORE, {"key": key}):
        for entry in journal.rows(reading, row.key):
            if codec.may_name(entry.place, entry.payload, key) and key in _state(reading, row.key).elements:
                return int(row.key)
    return None


def _seen(reading: Reading, acting: Actor, instance_key: int, processes: Collection[str] | None) -> Found | None:
    case = reading.one(_CASE, {"instance": instance_key})
    if case is None or (processes is not None and case.bpmn_process_id not in processes):
        return None
    return case if may_see_instance(reading, acting, instance_key) else None


def _state(reading: Reading, instance_key: int) -> State:
    return replay(instance_key, history.entries(reading, instance_key))


def _elements(ctx: Context, reading: Reading, case: Found, state: State) -> tuple[ElementFound, ...]:
    names = ctx.library.process(reading, case.definition_key).process
    held: dict[int, int] = {}
    for incident in state.incidents.values():
        at: int | None = incident.element_key if incident.resolved_at is None else None
        while at is not None and at in state.elements:
            held.setdefault(at, incident.key)
            at = state.elements[at].scope_key
    found = []
    for item in state.elements.values():
        element = names.elements.get(item.element_id)
        name = names.name if item.key == case.key else element.name if element is not None else ""
        found.append(
            ElementFound(
                key=item.key,
                element_id=item.element_id,
                name=name or item.element_id,
                type=item.type,
                state=item.state,
                scope_key=item.scope_key,
                entered_at=item.entered_at,
                ended_at=item.ended_at,
                incident_key=held.get(item.key),
                case=case,
            )
        )
    return tuple(found)


def _incidents(ctx: Context, reading: Reading, acting: Actor, instance_key: int, within: int) -> list[IncidentFound]:
    case = reading.one(_CASE, {"instance": instance_key})
    if case is None:
        return []
    state = _state(reading, instance_key)
    version = ctx.library.process(reading, case.definition_key)
    hidden = hidden_scopes(ctx, reading, version, instance_key, acting.person)
    inside = {within}
    for element in state.elements.values():  # a scope is entered before what lives in it
        if element.scope_key in inside:
            inside.add(element.key)
    found = [
        IncidentFound(
            key=item.key,
            element_key=item.element_key,
            element_id=item.element_id,
            kind=item.kind,
            message="" if item.element_key in hidden else item.message,
            raised_at=item.raised_at,
            resolved_at=item.resolved_at,
            case=case,
        )
        for item in state.incidents.values()
        if item.element_key in inside
    ]
    for call, child in state.children.items():
        if call in inside:
            found += _incidents(ctx, reading, acting, child, child)
    return found


def _missing(key: int) -> NotFound:
    return NotFound(
        f"没有元素实例 {key}（no such element instance; one that ended long ago is found by a search that names its"
        " processInstanceKey）"
    )
