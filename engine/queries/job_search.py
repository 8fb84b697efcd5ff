"""Jobs of service tasks that wait, as programs search them, and what a worker is shown of those that it took."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Boolean, ColumnElement, Integer, Select, String, and_, bindparam, case, literal, select

from engine.queries.searching import Page, Search, Searchable, search
from engine.queries.visibility import hidden_scopes, in_hidden_scopes
from engine.store.context import Context
from engine.store.rights import actor, sees_every_case, visible_cases
from engine.store.tables import instance_tag, job, process_instance
from engine.store.transactions import Found
from engine.store.types import Moment
from engine.store.variables import by_scope, scopes

TENANT = "<default>"
"""The one tenant there is, as Camunda names it."""

_OF_SERVICE_TASKS = job.c.element_key.is_not(None)
_PLACE = (
    select(job.c.type, process_instance.c.bpmn_process_id)
    .join(process_instance, process_instance.c.key == job.c.instance_key)
    .where(job.c.key == bindparam("job"), _OF_SERVICE_TASKS)
)
_TAGS = select(instance_tag.c.tag).where(instance_tag.c.instance_key == bindparam("instance")).order_by(instance_tag.c.tag)


class Taken(Protocol):
    """A job that a worker took."""

    @property
    def key(self) -> int:
        """Its key, which is its element instance's."""

    @property
    def process_instance_key(self) -> int:
        """Its instance."""

    @property
    def process_definition_key(self) -> int:
        """What that runs."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a worker is shown of a job besides the job's own fields."""

    variables: Mapping[str, Any]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs. `veiled`: keys of those whose messages the person may not read, because their scopes are hidden."""

    page: Page
    veiled: frozenset[int]


def search_jobs(ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None) -> JobPage:
    """Return jobs of service tasks that wait, in the cases that a person may see; those that ended are in the journal.

    Args:
        processes: only jobs of these processes; None = all.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        probes = any(item.field == "error_message" for item in wanted.conditions) or any(
            item.field == "error_message" for item in wanted.order
        )

        def visible(rows: Sequence[Found]) -> Sequence[Found]:
            seen = visible_cases(reading, acting, sorted({row.root_key for row in rows}))
            rows = [row for row in rows if row.root_key in seen]
            hidden = in_hidden_scopes(ctx, reading, rows, acting.person) if probes else frozenset()
            return [row for row in rows if row.key not in hidden]

        everything = sees_every_case(acting) and (acting.person.is_auditor or not probes)
        restrictions = [] if processes is None else [process_instance.c.bpmn_process_id.in_(sorted(processes))]
        family = _family(reading.now)
        page = search(reading, family, wanted, *restrictions, visible=None if everything else visible)
        return JobPage(page, in_hidden_scopes(ctx, reading, page.rows, acting.person))


def job_place(ctx: Context, key: int) -> tuple[str, str] | None:
    """Return (job type, process id) of a service task's job, None where there is none (any more); for programs."""
    with ctx.store.read() as reading:
        row = reading.one(_PLACE, {"job": key})
        return None if row is None else (row.type, row.bpmn_process_id)


def shown_to_worker(ctx: Context, who: str, jobs: Sequence[Taken], names: Collection[str] | None = None) -> dict[int, Shown]:
    """Return by key what a worker is shown of jobs that it took: no variables of scopes that its person may not read yet.

    Args:
        names: only these variables; None = all.
    """
    shown: dict[int, Shown] = {}
    with ctx.store.read() as reading:
        person = actor(reading, who).person
        hidden: dict[int, frozenset[int]] = {}
        for item in jobs:
            instance = item.process_instance_key
            if instance not in hidden:
                version = ctx.library.process(reading, item.process_definition_key)
                hidden[instance] = hidden_scopes(ctx, reading, version, instance, person)
            known = by_scope(reading, instance)
            seen: dict[str, Any] = {}
            for scope in reversed(scopes(reading, instance, item.key)):
                if scope not in hidden[instance]:
                    seen.update(known.get(scope, {}))
            wanted = seen if names is None else {name: seen[name] for name in names if name in seen}
            shown[item.key] = Shown(wanted, tuple(row.tag for row in reading.all(_TAGS, {"instance": instance})))
    return shown


def _family(now: datetime) -> Searchable:
    """Return what may be searched; whether a lock has ended depends on the moment."""
    timed_out = and_(job.c.worker.is_not(None), job.c.locked_until <= now)
    locked = job.c.locked_until > now
    failed = and_(job.c.error_message.is_not(None), job.c.retries > 0)
    state: ColumnElement[str] = case(
        (and_(job.c.due_at.is_(None), job.c.retries > 0), literal("ERROR_THROWN", String)),
        (job.c.due_at.is_(None), literal("FAILED", String)),
        (locked, literal("CREATED", String)),
        (timed_out, literal("TIMED_OUT", String)),
        (job.c.error_message.is_not(None), literal("FAILED", String)),
        else_=literal("CREATED", String),
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            job,
            process_instance.c.bpmn_process_id,
            process_instance.c.definition_key,
            process_instance.c.root_key,
            process_instance.c.business_id,
            state.label("state"),
            case((failed, True), else_=False).label("failed_with_retries"),
        )
        .join(process_instance, process_instance.c.key == job.c.instance_key)
        .where(_OF_SERVICE_TASKS)
    )
    return Searchable(
        statement=statement,
        columns={
            "job_key": job.c.key,
            "type": job.c.type,
            "worker": job.c.worker,
            "state": state,
            "kind": literal("BPMN_ELEMENT", String),
            "listener_event_type": literal("UNSPECIFIED", String),
            "process_definition_id": process_instance.c.bpmn_process_id,
            "process_definition_key": process_instance.c.definition_key,
            "process_instance_key": job.c.instance_key,
            "element_id": job.c.element_id,
            "element_instance_key": job.c.element_key,
            "retries": job.c.retries,
            "deadline": job.c.locked_until,
            "error_message": job.c.error_message,
            "has_failed_with_retries_left": case((failed, True), else_=False),
            "creation_time": job.c.created_at,
            "priority": literal(0, Integer),
            # What jobs of service tasks that wait never have.
            "denied_reason": literal(None, String),
            "is_denied": literal(None, Boolean),
            "end_time": literal(None, Moment),
            "error_code": literal(None, String),
            "tenant_id": literal(TENANT, String),
        },
        key=job.c.key,
        nullable=frozenset({"worker", "deadline", "error_message", "denied_reason", "is_denied", "end_time", "error_code"}),
    )
