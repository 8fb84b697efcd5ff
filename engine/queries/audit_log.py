"""The audit log: what people and programs did, told from the journal in Camunda's words.

An entry is one operation: a row of the journal may hold several, or none (what the engine did by itself, deadlines, alerts).
Entries of a case are for whoever may see it, those of no case (deployments, people) for administrators and auditors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine import history
from engine.errors import NotFound
from engine.history import events
from engine.kernel import advance
from engine.kernel.advance import Change
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import actor, may_see_instance
from engine.store.tables import process_instance
from engine.store.transactions import Found

_ORDINAL_BITS = 20

_CASE = select(process_instance).where(process_instance.c.key == bindparam("instance"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        key: the case's key and the how many-th operation of its journal; at most 25 digits.
        entity, operation, category: Camunda's words.
        entity_key: of what was changed; a text, since users and groups have names.
        description: which: a variable's name, a file's, a task's.
        case: row of `process_instance`; None = it belongs to no case.
    """

    key: int
    entity: str
    operation: str
    category: str
    entity_key: str
    description: str | None
    at: datetime
    actor: str | None
    element_key: int | None
    task_key: int | None
    job_key: int | None
    deployment_key: int | None
    case: Found | None


def operations_of_case(
    ctx: Context, instance_key: int, who: str, *, processes: Collection[str] | None = None
) -> tuple[Operation, ...]:
    """Return the operations on a case in order; () = there is none, or the person may not know of it."""
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        case = reading.one(_CASE, {"instance": instance_key})
        if case is None or (processes is not None and case.bpmn_process_id not in processes):
            return ()
        if not may_see_instance(reading, acting, instance_key):
            return ()
        version = ctx.library.process(reading, case.definition_key)
        hidden = hidden_scopes(ctx, reading, version, instance_key, acting.person)
        return tuple(_operations(reading, instance_key, case, hidden))


def operations_of_none(ctx: Context, who: str, *, processes: Collection[str] | None = None) -> tuple[Operation, ...]:
    """Return the operations that belong to no case, in order; () = the person is neither administrator nor auditor.

    Args:
        processes: what the token is confined to; None = nothing.
    """
    with ctx.store.read() as reading:
        person = actor(reading, who).person
        if processes is not None or not (person.is_admin or person.is_auditor):
            return ()
        return tuple(_operations(reading, history.NO_INSTANCE, None, frozenset()))


def find_operation(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> Operation:
    """Return one operation.

    Raises:
        NotFound: there is none, or the person may not know of it.
    """
    instance_key = key >> _ORDINAL_BITS
    if instance_key == history.NO_INSTANCE:
        found = operations_of_none(ctx, who, processes=processes)
    else:
        found = operations_of_case(ctx, instance_key, who, processes=processes) if instance_key < 1 << 63 else ()
    for item in found:
        if item.key == key:
            return item
    raise NotFound(f"没有操作记录 {key}（no such audit log entry）")


def _operations(reading: Reading, instance_key: int, case: Found | None, hidden: Collection[int]) -> Iterable[Operation]:
    ordinal = 0
    for entry in history.entries(reading, instance_key):
        for event in entry.events:
            told = _TOLD.get(type(event))
            found = told(entry, event) if told is not None else None
            if found is None:
                continue
            ordinal += 1  # counted also where this person may not read it: a key is the same for everybody
            if isinstance(event, advance.VariableSet) and event.scope_key in hidden:
                continue
            yield Operation(
                **({"entity_key": str(instance_key)} | dict(_NOTHING) | found),
                key=instance_key << _ORDINAL_BITS | ordinal,
                at=entry.at,
                actor=entry.actor,
                case=case,
            )


# --- which events are operations --------------------------------------------------------------------------------------

_Told = Callable[[history.Entry, Any], dict[str, Any] | None]
_NOTHING: Mapping[str, Any] = {
    "description": None,
    "element_key": None,
    "task_key": None,
    "job_key": None,
    "deployment_key": None,
    "category": "DEPLOYED_RESOURCES",
}


def _on_case(operation: str) -> _Told:
    def told(entry: history.Entry, event: Any) -> dict[str, Any]:
        return {"entity": "PROCESS_INSTANCE", "operation": operation}

    return told


def _on_task(operation: str) -> _Told:
    def told(entry: history.Entry, event: Any) -> dict[str, Any]:
        said = operation
        if isinstance(event, events.TaskAssigned) and event.assignee is None:
            said = "UNASSIGN"
        return {
            "entity": "USER_TASK",
            "operation": said,
            "category": "USER_TASKS",
            "entity_key": str(event.key),
            "description": event.element_id,
            "element_key": event.key,
            "task_key": event.key,
        }

    return told


def _on_job(operation: str) -> _Told:
    def told(entry: history.Entry, event: Any) -> dict[str, Any]:
        return {
            "entity": "JOB",
            "operation": operation,
            "entity_key": str(event.key),
            "description": event.element_id,
            "element_key": event.key,
            "job_key": event.key,
        }

    return told


def _variable(entry: history.Entry, event: advance.VariableSet) -> dict[str, Any] | None:
    if entry.command != "set_variables":  # what a case sets by itself is no operation of its own
        return None
    return {
        "entity": "VARIABLE",
        "operation": "UPDATE",
        "entity_key": str(event.scope_key),
        "description": event.name,
        "element_key": event.scope_key,
    }


def _incident(entry: history.Entry, event: events.IncidentCorrected) -> dict[str, Any]:
    return {
        "entity": "INCIDENT",
        "operation": "RESOLVE",
        "entity_key": str(event.key),
        "description": event.element_id,
        "element_key": event.element_key,
    }


def _decision(entry: history.Entry, event: advance.DecisionEvaluated) -> dict[str, Any]:
    return {
        "entity": "DECISION",
        "operation": "EVALUATE",
        "entity_key": str(event.key),
        "description": event.decision_id,
        "element_key": event.key,
    }


def _deployed(entry: history.Entry, event: events.Deployed) -> dict[str, Any]:
    return {
        "entity": "RESOURCE",
        "operation": "CREATE",
        "entity_key": str(event.deployment_key),
        "description": ", ".join(sorted(event.resources)),
        "deployment_key": event.deployment_key,
    }


def _user(entry: history.Entry, event: events.UserChanged) -> dict[str, Any]:
    operation = "CREATE" if event.what == "added" else "UPDATE"
    return {
        "entity": "USER",
        "operation": operation,
        "category": "ADMIN",
        "entity_key": event.user,
        "description": event.what,
    }


def _group(entry: history.Entry, event: events.GroupChanged) -> dict[str, Any]:
    return {
        "entity": "GROUP",
        "operation": "UPDATE",
        "category": "ADMIN",
        "entity_key": event.group_id,
        "description": event.name,
    }


_TOLD: Mapping[type[Change], _Told] = {
    events.InstanceStarted: _on_case("CREATE"),
    events.Cancelled: _on_case("CANCEL"),
    events.Corrected: _on_case("MODIFY"),
    events.InstanceMigrated: _on_case("MIGRATE"),
    events.Suspended: _on_case("SUSPEND"),
    events.Resumed: _on_case("RESUME"),
    events.TaskClaimed: _on_task("ASSIGN"),
    events.TaskAssigned: _on_task("ASSIGN"),
    events.TaskUnclaimed: _on_task("UNASSIGN"),
    events.TaskChanged: _on_task("UPDATE"),
    advance.TaskCompleted: _on_task("COMPLETE"),
    advance.JobCompleted: _on_job("COMPLETE"),
    events.JobRetriesSet: _on_job("UPDATE"),
    advance.VariableSet: _variable,
    events.IncidentCorrected: _incident,
    advance.DecisionEvaluated: _decision,
    events.Deployed: _deployed,
    events.UserChanged: _user,
    events.GroupChanged: _group,
}
