"""Searches of process definitions, process instances and incidents, as programs ask them (see `searching`).

Definitions are seen by everybody who is signed in, instances and incidents by those who may see the case.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, exists, func, literal, not_, null, select, type_coerce

from engine.errors import InvalidValue, NotFound
from engine.queries.searching import Condition, Page, PageRequest, Search, Searchable, compared, search
from engine.store import Reading, exact_json
from engine.store.context import Context
from engine.store.rights import Actor, actor, sees_every_case, visible_cases
from engine.store.tables import (
    IS_ACTIVE,
    element_instance,
    incident,
    instance_tag,
    process_definition,
    process_instance,
    variable,
)
from engine.store.transactions import Found

TENANT = "<default>"
"""The one tenant there is, as Camunda names it."""

ERROR_TYPES = (
    "AD_HOC_SUB_PROCESS_NO_RETRIES",
    "CALLED_DECISION_ERROR",
    "CALLED_ELEMENT_ERROR",
    "CONDITION_ERROR",
    "DECISION_EVALUATION_ERROR",
    "EXECUTION_LISTENER_NO_RETRIES",
    "EXTRACT_VALUE_ERROR",
    "FORM_NOT_FOUND",
    "IO_MAPPING_ERROR",
    "JOB_NO_RETRIES",
    "MESSAGE_SIZE_EXCEEDED",
    "RESOURCE_NOT_FOUND",
    "TASK_LISTENER_NO_RETRIES",
    "UNHANDLED_ERROR_EVENT",
)
"""Kinds of incidents that Camunda knows by the same word; ours besides are UNKNOWN to it."""

# --- definitions ------------------------------------------------------------------------------------------------------

_other = process_definition.alias("other")
_NEWEST = (
    select(func.max(_other.c.version))
    .where(_other.c.bpmn_process_id == process_definition.c.bpmn_process_id, _other.c.deleted_at.is_(None))
    .correlate(process_definition)
    .scalar_subquery()
)
_DEFINITION_STATE = case((process_definition.c.deleted_at.is_(None), literal("ACTIVE")), else_=literal("DELETED"))
_DEFINITIONS = Searchable(
    statement=select(process_definition, _DEFINITION_STATE.label("state")),
    columns={
        "name": process_definition.c.name,
        "resource_name": process_definition.c.resource_name,
        "version": process_definition.c.version,
        "version_tag": process_definition.c.version_tag,
        "process_definition_id": process_definition.c.bpmn_process_id,
        "process_definition_key": process_definition.c.key,
        "tenant_id": literal(TENANT),
        "state": _DEFINITION_STATE,
    },
    key=process_definition.c.key,
    nullable=frozenset({"version_tag"}),
    special={
        "is_latest_version": lambda item: (
            process_definition.c.version == _NEWEST if item.value else process_definition.c.version != _NEWEST
        )
    },
)


def search_process_definitions(
    ctx: Context, wanted: Search, *, has_start_form: bool | None = None, processes: Collection[str] | None = None
) -> Page:
    """Return versions of processes, rows of `process_definition` with `state`; deleted ones where the state is asked for.

    Args:
        has_start_form: only those whose plain start event has a form, or has none.
        processes: only these process ids; None = all.
    """
    with ctx.store.read() as reading:
        restrictions = _only(process_definition.c.bpmn_process_id, processes)
        if not any(item.field == "state" for item in wanted.conditions):
            restrictions.append(process_definition.c.deleted_at.is_(None))
        if has_start_form is not None:
            keys = [row.key for row in reading.all(select(process_definition.c.key))]
            with_form = [key for key in keys if start_form_id(ctx, reading, key) is not None]
            form = process_definition.c.key.in_(with_form)
            restrictions.append(form if has_start_form else not_(form))
        return search(reading, _DEFINITIONS, wanted, *restrictions)


def start_form_id(ctx: Context, reading: Reading, definition_key: int) -> str | None:
    """Return the form of a process's plain start event, None where it has none."""
    for event in ctx.library.process(reading, definition_key).process.start_events:
        if event.event is None or event.event.kind == "none":
            return event.form_id
    return None


def start_forms(ctx: Context, definition_keys: Sequence[int]) -> dict[int, str | None]:
    """Return the start forms of versions of processes."""
    with ctx.store.read() as reading:
        return {key: start_form_id(ctx, reading, key) for key in definition_keys}


# --- instances --------------------------------------------------------------------------------------------------------

_SUSPENDED = and_(IS_ACTIVE, process_instance.c.suspended_at.is_not(None))
_STATE = case((_SUSPENDED, literal("SUSPENDED")), else_=process_instance.c.state)
_HAS_INCIDENT = exists(
    select(incident.c.key).where(incident.c.instance_key == process_instance.c.key).correlate(process_instance)
)
_MESSAGE = (
    select(func.min(incident.c.message))
    .where(incident.c.instance_key == process_instance.c.key)
    .correlate(process_instance)
    .scalar_subquery()
)


def _state(item: Condition) -> ColumnElement[bool]:
    if item.operator == "eq" and item.value == "ACTIVE":  # an index knows the word
        return and_(IS_ACTIVE, process_instance.c.suspended_at.is_(None))
    if item.operator == "eq" and item.value != "SUSPENDED":
        return compared(process_instance.c.state, "eq", item.value)
    if item.operator == "exists":
        return literal(bool(item.value)).is_(True) if item.value else process_instance.c.key.is_(None)
    return compared(_STATE, item.operator, item.value)


def _tag(item: Condition) -> ColumnElement[bool]:
    return exists(
        select(instance_tag.c.tag).where(instance_tag.c.instance_key == process_instance.c.key, instance_tag.c.tag == item.value)
    )


def _variable(item: Condition) -> ColumnElement[bool]:
    """`value`: (name, JSON text or texts) of a variable of the instance itself."""
    name, value = item.value
    stored = type_coerce(variable.c.value, Text)
    if item.operator == "exists":
        holds: ColumnElement[bool] = literal(1) == literal(1)
    else:
        texts = [_json(each) for each in value] if isinstance(value, list) else value if item.operator == "like" else _json(value)
        holds = compared(stored, item.operator, texts)
    found = exists(
        select(variable.c.name).where(
            variable.c.instance_key == process_instance.c.key,
            variable.c.scope_key == process_instance.c.key,
            variable.c.name == name,
            holds,
        )
    )
    return not_(found) if item.operator == "exists" and not value else found


def _json(text: str) -> str:
    try:
        return exact_json.dumps(exact_json.loads(text))
    except InvalidValue as error:
        message = f"变量的值要写成 JSON：{text[:100]}（a value is JSON: a text stands in quotes）"
        raise InvalidValue(message, field="filter.variables") from error


def _live_element(item: Condition) -> ColumnElement[bool]:
    """Something waits at an element."""
    return exists(
        select(element_instance.c.key).where(
            element_instance.c.instance_key == process_instance.c.key,
            compared(element_instance.c.element_id, item.operator, item.value),
        )
    )


_INSTANCE_COLUMNS: dict[str, ColumnElement[Any]] = {
    "process_instance_key": process_instance.c.key,
    "process_definition_id": process_instance.c.bpmn_process_id,
    "process_definition_key": process_instance.c.definition_key,
    "process_definition_name": process_definition.c.name,
    "process_definition_version": process_definition.c.version,
    "process_definition_version_tag": process_definition.c.version_tag,
    "parent_process_instance_key": process_instance.c.parent_key,
    "parent_element_instance_key": process_instance.c.parent_element_key,
    "start_date": process_instance.c.started_at,
    "end_date": process_instance.c.ended_at,
    "suspended_date": process_instance.c.suspended_at,
    "state": _STATE,
    "business_id": process_instance.c.business_id,
    "error_message": _MESSAGE,
    "has_incident": case((_HAS_INCIDENT, literal(1)), else_=literal(0)),
    "tenant_id": literal(TENANT),
}
_INSTANCES = Searchable(
    statement=select(
        process_instance.c.key,
        process_instance.c.root_key,
        process_instance.c.bpmn_process_id,
        process_instance.c.definition_key,
        process_definition.c.name,
        process_definition.c.version,
        process_definition.c.version_tag,
        process_instance.c.parent_key,
        process_instance.c.parent_element_key,
        process_instance.c.started_at,
        process_instance.c.ended_at,
        process_instance.c.suspended_at,
        _STATE.label("state"),
        process_instance.c.business_id,
        _HAS_INCIDENT.label("has_incident"),
    ).join(process_definition, process_definition.c.key == process_instance.c.definition_key),
    columns=_INSTANCE_COLUMNS,
    key=process_instance.c.key,
    nullable=frozenset(
        {
            "process_definition_version_tag",
            "parent_process_instance_key",
            "parent_element_instance_key",
            "end_date",
            "suspended_date",
            "business_id",
            "error_message",
        }
    ),
    special={
        "state": _state,
        "tag": _tag,
        "variable": _variable,
        "live_element_id": _live_element,
        "has_incident": lambda item: _HAS_INCIDENT if item.value else not_(_HAS_INCIDENT),
    },
)


def search_process_instances(ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None) -> Page:
    """Return process instances that a person may see: rows of key, root_key, bpmn_process_id, definition_key, name, version, ….

    Args:
        processes: only those of these process ids; None = all.
    """
    with ctx.store.read() as reading:
        restrictions = _only(process_instance.c.bpmn_process_id, processes)
        return search(reading, _INSTANCES, wanted, *restrictions, visible=_visible(reading, actor(reading, who)))


def find_process_instance(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> Found:
    """Return one process instance; see `search_process_instances`.

    Raises:
        NotFound: there is none, or the person may not know of it.
    """
    wanted = Search((Condition("process_instance_key", "eq", key),), page=PageRequest(limit=1))
    rows = search_process_instances(ctx, who, wanted, processes=processes).rows
    if not rows:
        raise NotFound(f"没有案件 {key}（no such process instance）")
    return rows[0]


def tags_of(ctx: Context, instance_keys: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of process instances, in order."""
    found: dict[int, list[str]] = {key: [] for key in instance_keys}
    if instance_keys:
        statement = select(instance_tag).where(instance_tag.c.instance_key.in_(instance_keys)).order_by(instance_tag.c.tag)
        with ctx.store.read() as reading:
            for row in reading.all(statement):
                found[row.instance_key].append(row.tag)
    return found


def callers(ctx: Context, key: int) -> list[Found]:
    """Return an instance and those that called it, the outermost first: rows of key, definition_key, name, bpmn_process_id."""
    statement = select(
        process_instance.c.key,
        process_instance.c.parent_key,
        process_instance.c.definition_key,
        process_instance.c.bpmn_process_id,
        process_definition.c.name,
    ).join(process_definition, process_definition.c.key == process_instance.c.definition_key)
    found: list[Found] = []
    at: int | None = key
    with ctx.store.read() as reading:
        while at is not None:
            row = reading.one(statement.where(process_instance.c.key == at))
            if row is None:
                break
            found.append(row)
            at = row.parent_key
    return found[::-1]


# --- incidents --------------------------------------------------------------------------------------------------------

_ERROR_TYPE = case((incident.c.kind.in_(ERROR_TYPES), incident.c.kind), else_=literal("UNKNOWN"))
_JOB = case((incident.c.kind == "JOB_NO_RETRIES", incident.c.element_key), else_=null())
_INCIDENTS = Searchable(
    statement=select(
        incident.c.key,
        incident.c.instance_key,
        incident.c.element_key,
        incident.c.element_id,
        _ERROR_TYPE.label("error_type"),
        incident.c.message,
        incident.c.raised_at,
        _JOB.label("job_key"),
        process_instance.c.root_key,
        process_instance.c.bpmn_process_id,
        process_instance.c.definition_key,
    ).join(process_instance, process_instance.c.key == incident.c.instance_key),
    columns={
        "incident_key": incident.c.key,
        "process_instance_key": incident.c.instance_key,
        "process_definition_id": process_instance.c.bpmn_process_id,
        "process_definition_key": process_instance.c.definition_key,
        "element_instance_key": incident.c.element_key,
        "element_id": incident.c.element_id,
        "error_type": _ERROR_TYPE,
        "error_message": incident.c.message,
        "creation_time": incident.c.raised_at,
        "job_key": _JOB,
        "state": literal("ACTIVE"),
        "tenant_id": literal(TENANT),
    },
    key=incident.c.key,
    nullable=frozenset({"job_key"}),
)


def search_incidents(
    ctx: Context,
    who: str,
    wanted: Search,
    *,
    below: int | None = None,
    element_key: int | None = None,
    processes: Collection[str] | None = None,
) -> Page:
    """Return incidents that wait to be resolved, of cases that a person may see.

    Args:
        below: only of this process instance and those that it called, directly or through others.
        element_key: only of this element instance.
        processes: only of these process ids; None = all.
    """
    with ctx.store.read() as reading:
        restrictions = _only(process_instance.c.bpmn_process_id, processes)
        if below is not None:
            restrictions.append(incident.c.instance_key.in_(_called_below(reading, below)))
        if element_key is not None:
            restrictions.append(incident.c.element_key == element_key)
        return search(reading, _INCIDENTS, wanted, *restrictions, visible=_visible(reading, actor(reading, who)))


def find_incident(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> Found:
    """Return one incident; see `search_incidents`.

    Raises:
        NotFound: there is none (any more), or the person may not know of it.
    """
    wanted = Search((Condition("incident_key", "eq", key),), page=PageRequest(limit=1))
    rows = search_incidents(ctx, who, wanted, processes=processes).rows
    if not rows:
        raise NotFound(f"没有异常 {key}（no such incident: resolved before?）")
    return rows[0]


def _called_below(reading: Reading, key: int) -> list[int]:
    found = [key]
    level = [key]
    while level:
        statement = select(process_instance.c.key).where(process_instance.c.parent_key.in_(level))
        level = [row.key for row in reading.all(statement)]
        found += level
    return found


# --- counts -----------------------------------------------------------------------------------------------------------


def count_active(ctx: Context, who: str, *, processes: Collection[str] | None = None) -> list[Found]:
    """Return, for each version of a process, how many instances run, with an incident and without.

    Rows of key, bpmn_process_id, name, version, with_incident, without_incident; for those who may see every case.

    Raises:
        NotFound: there is no such user.
    """
    holds = case((_HAS_INCIDENT, literal(1)), else_=literal(0))
    running = and_(process_instance.c.definition_key == process_definition.c.key, IS_ACTIVE)
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        restrictions = _only(process_definition.c.bpmn_process_id, processes)
        if not sees_every_case(acting):
            seen = _seen_running(reading, acting)
            running = and_(running, process_instance.c.key.in_(seen))
        statement = (
            select(
                process_definition.c.key,
                process_definition.c.bpmn_process_id,
                process_definition.c.name,
                process_definition.c.version,
                func.coalesce(func.sum(holds), 0).label("with_incident"),
                (func.count(process_instance.c.key) - func.coalesce(func.sum(holds), 0)).label("without_incident"),
            )
            .join_from(process_definition, process_instance, running)
            .where(*restrictions)
            .group_by(
                process_definition.c.key,
                process_definition.c.bpmn_process_id,
                process_definition.c.name,
                process_definition.c.version,
            )
            .order_by(process_definition.c.bpmn_process_id, process_definition.c.version)
        )
        return list(reading.all(statement))


def _seen_running(reading: Reading, acting: Actor) -> list[int]:
    wanted = Search((Condition("state", "in", ["ACTIVE", "SUSPENDED"]),), page=PageRequest(limit=10_000))
    return [row.key for row in search(reading, _INSTANCES, wanted, visible=_visible(reading, acting)).rows]


# --- what a person may see --------------------------------------------------------------------------------------------


def _visible(reading: Reading, acting: Actor) -> Callable[[Sequence[Found]], Sequence[Found]] | None:
    """Return what leaves the rows (with a `root_key`) of cases that a person may see; None = they see all."""
    if sees_every_case(acting):
        return None

    def visible(rows: Sequence[Found]) -> Sequence[Found]:
        seen = visible_cases(reading, acting, sorted({row.root_key for row in rows}))
        return [row for row in rows if row.root_key in seen]

    return visible


def _only(column: ColumnElement[str], processes: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if processes is None else [column.in_(sorted(processes))]


def without(wanted: Search, *fields: str) -> Search:
    """Return a search without its conditions on some fields."""
    return replace(wanted, conditions=tuple(item for item in wanted.conditions if item.field not in fields))
