"""Statements and rows → records, shared by the queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from engine.queries.records import Instance, Task
from engine.store import Reading
from engine.store.context import Context
from engine.store.suspension import suspension
from engine.store.tables import IS_OPEN, process_definition, process_instance, user, user_task
from engine.store.transactions import Found

_CASE = tuple(
    process_instance.c[name].label(f"case_{name}")
    for name in (
        "key",
        "definition_key",
        "business_id",
        "subject",
        "parent_key",
        "parent_element_key",
        "suspended_at",
        "suspended_by",
        "suspended_reason",
        "suspended_except",
    )
)

TASKS: Select[*tuple[Any, ...]] = (
    select(user_task, *_CASE, process_definition.c.name.label("process_name"), user.c.name.label("assignee_name"))
    .join(process_instance, process_instance.c.key == user_task.c.instance_key)
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
    .join(user, user.c.username == user_task.c.assignee, isouter=True)
)

_SLOTS = 51  # keys in one statement: a page, and one more to know whether another follows


def by_keys(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return a statement on tasks for `tasks_by_key`: the rows of some keys. Places for keys are fixed: compiled once."""
    return statement.where(user_task.c.key.in_([bindparam(f"key{place}", type_=user_task.c.key.type) for place in range(_SLOTS)]))


_TASKS_BY_KEY = by_keys(TASKS)

_OPEN_TASKS = (
    select(func.count())
    .select_from(user_task)
    .where(user_task.c.instance_key == process_instance.c.key, IS_OPEN)
    .correlate(process_instance)
    .scalar_subquery()
)
INSTANCES: Select[*tuple[Any, ...]] = (
    select(
        process_instance,
        process_definition.c.name.label("process_name"),
        process_definition.c.version.label("version"),
        user.c.name.label("started_by_name"),
        _OPEN_TASKS.label("open_tasks"),
    )
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
    .join(user, user.c.username == process_instance.c.started_by, isouter=True)
)


def task_of(ctx: Context, reading: Reading, row: Found) -> Task:
    """Return the record of a row of `TASKS`."""
    process = ctx.library.process(reading, row.case_definition_key).process
    element = process.elements.get(row.element_id)
    return Task(
        key=row.key,
        element_id=row.element_id,
        name=row.name,
        name_en=element.properties.get("name:en", "") if element is not None else "",
        process_instance_key=row.instance_key,
        process_definition_key=row.case_definition_key,
        bpmn_process_id=row.bpmn_process_id,
        process_name=row.process_name,
        business_id=row.case_business_id,
        subject=row.case_subject,
        state=row.state,
        assignee=row.assignee,
        assignee_name=row.assignee_name,
        candidate_groups=tuple(row.candidate_groups or ()),
        candidate_users=tuple(row.candidate_users or ()),
        excluded_users=tuple(row.excluded_users or ()),
        priority=row.priority,
        due_at=row.due_at,
        follow_up_at=row.follow_up_at,
        provisional=row.provisional,
        created_at=row.created_at,
        claimed_at=row.claimed_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        on_behalf_of=row.on_behalf_of,
        loop_counter=row.loop_counter,
        signed=row.signed,
        form_id=row.form_id,
        form_key=row.form_key,
        external_form=row.external_form,
        has_draft=row.has_draft,
        scope_key=row.scope_key,
        suspended_reason=_task_suspended(reading, row),
    )


def tasks_of(ctx: Context, reading: Reading, rows: Iterable[Found]) -> tuple[Task, ...]:
    """Return the records of rows of `TASKS`."""
    return tuple(task_of(ctx, reading, row) for row in rows)


def tasks_by_key(reading: Reading, keys: Sequence[int], statement: Select[*tuple[Any, ...]] = _TASKS_BY_KEY) -> list[Found]:
    """Return rows of `TASKS` (or of another statement `by_keys`) in the order of the keys; keys without a row are left out."""
    found = {}
    for begin in range(0, len(keys), _SLOTS):
        some = keys[begin : begin + _SLOTS]
        filled = [*some, *[None] * (_SLOTS - len(some))]
        found.update({row.key: row for row in reading.all(statement, {f"key{place}": key for place, key in enumerate(filled)})})
    return [found[key] for key in keys if key in found]


def instance_of(reading: Reading, row: Found) -> Instance:
    """Return the record of a row of `INSTANCES`."""
    locked = suspension(reading, row._asdict(), None) if row.state == "ACTIVE" else None
    return Instance(
        key=row.key,
        bpmn_process_id=row.bpmn_process_id,
        process_name=row.process_name,
        process_definition_key=row.definition_key,
        version=row.version,
        business_id=row.business_id,
        subject=row.subject,
        state=row.state,
        started_at=row.started_at,
        started_by=row.started_by,
        started_by_name=row.started_by_name,
        ended_at=row.ended_at,
        parent_key=row.parent_key,
        root_key=row.root_key,
        revision=row.revision,
        open_tasks=row.open_tasks,
        suspended_reason=locked.reason if locked else None,
        suspended_at=locked.since if locked else None,
        suspended_by=locked.by if locked else None,
    )


def names_of(reading: Reading, usernames: Iterable[str | None]) -> dict[str, str]:
    """Return the names of users."""
    wanted = sorted({name for name in usernames if name is not None})
    if not wanted:
        return {}
    return {
        row.username: row.name for row in reading.all(select(user.c.username, user.c.name).where(user.c.username.in_(wanted)))
    }


def _task_suspended(reading: Reading, row: Found) -> str | None:
    if row.state != "OPEN" or (row.case_suspended_at is None and row.case_parent_key is None):
        return None
    names = ("parent_key", "parent_element_key", "suspended_at", "suspended_by", "suspended_reason", "suspended_except")
    instance = {name: getattr(row, f"case_{name}") for name in names} | {"key": row.instance_key}
    locked = suspension(reading, instance, row.scope_key)
    return locked.reason if locked else None
