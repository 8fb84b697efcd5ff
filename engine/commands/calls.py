"""Called instances: each is an instance of its own, started, ended and cancelled in transactions of their own."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from engine.commands import work
from engine.commands.instances import Caller, begin, binding_name, new_unit
from engine.commands.taking import TakenFor, taken_for_instance
from engine.errors import NotFound
from engine.history.events import Cancelled, ChildStarted
from engine.kernel.advance import Escalated, InstanceEnded
from engine.store.context import Context
from engine.store.library import resolve
from engine.store.tables import IS_ACTIVE, element_instance, process_instance

MAX_DEPTH = 25
"""How deep processes may call each other: a process that calls itself without end becomes an incident."""

MAX_RECURSIVE = 100
"""How many instances of a process that calls itself may live in one case: two calls at once would double at each depth."""

_LIVE = select(element_instance.c.key).where(
    element_instance.c.instance_key == bindparam("instance"), element_instance.c.key == bindparam("element")
)

_CALLER = select(process_instance.c.bpmn_process_id, process_instance.c.parent_key).where(
    process_instance.c.key == bindparam("instance")
)
_OF_PROCESS = select(func.count()).where(
    process_instance.c.bpmn_process_id == bindparam("process"), process_instance.c.root_key == bindparam("root"), IS_ACTIVE
)


def start_child(ctx: Context, job_key: int) -> None:
    """Start the instance that a call activity asks for; where that cannot be, the call activity holds an incident."""
    with taken_for_instance(ctx, job_key) as found:
        if found is None or not _lives(found):
            return
        parent, content = found.unit, found.content
        try:
            if found.tx.chain > work.CHAIN_LIMIT:
                raise NotFound(work.endless(content["element_id"]))
            definition_key = _called(found)
        except NotFound as error:
            parent.apply(parent.kernel.raise_incident(content["element_key"], "CALLED_ELEMENT_ERROR", error.message))
            parent.commit("start_child")
            return
        child = new_unit(
            ctx,
            found.tx,
            definition_key,
            business_id=content["business_id"],
            by=parent.row["started_by"],
            caller=Caller(
                parent.key, content["element_key"], parent.row["root_key"], parent.row["depth"] + 1, parent.row["business_id"]
            ),
        )
        begin(child, content["variables"])
        child.commit("start_child")
        process, version = child.version.process, child.version.version
        parent.record(ChildStarted(content["element_key"], content["element_id"], child.key, process.id, version, definition_key))
        parent.commit("start_child")


def child_ended(ctx: Context, job_key: int) -> None:
    """Tell a call activity that its instance has ended."""
    with taken_for_instance(ctx, job_key) as found:
        if found is not None and _lives(found):
            content = found.content
            ended = InstanceEnded(content["state"], content["variables"], content["error_code"], content["error_message"])
            found.unit.apply(found.unit.kernel.child_ended(content["element_key"], ended))
            found.unit.commit("child_ended")


def child_escalated(ctx: Context, job_key: int) -> None:
    """Tell a call activity that its instance threw an escalation."""
    with taken_for_instance(ctx, job_key) as found:
        if found is not None and _lives(found):
            content = found.content
            thrown = Escalated(content["element_id"], content["code"], content["variables"])
            found.unit.apply(found.unit.kernel.child_escalated(content["element_key"], thrown))
            found.unit.commit("child_escalated")


def cancel_called(ctx: Context, job_key: int) -> None:
    """Cancel an instance whose call activity was interrupted."""
    with taken_for_instance(ctx, job_key) as found:
        if found is not None:
            unit = found.unit
            unit.record(Cancelled(f"调用它的活动 {found.content['element_id']} 已中止（its call activity was interrupted）"))
            unit.apply(unit.kernel.cancel())
            unit.commit("cancel_called")


def _lives(found: TakenFor) -> bool:
    place = {"instance": found.unit.key, "element": found.content["element_key"]}
    return found.tx.one(_LIVE, place) is not None


def _called(found: TakenFor) -> int:
    parent, content = found.unit.row, found.content
    if parent["depth"] >= MAX_DEPTH:
        raise NotFound(f"调用层数超过 {MAX_DEPTH}，流程可能在无限调用自己（processes call each other too deeply）")
    process_id, binding, tag = content["process_id"], content["binding"], content["version_tag"]
    if parent["depth"] >= 2 and _calls_itself(found, parent["root_key"], process_id):
        raise NotFound(f"流程 {process_id} 调用自己，已有 {MAX_RECURSIVE} 个实例未结束（it calls itself too often）")
    fixed = (parent["bindings"] or {}).get(binding_name(process_id, binding, tag))
    if fixed is not None:
        return int(fixed)
    return resolve(found.tx, "process", process_id, binding, version_tag=tag, deployment_key=parent["deployment_key"])


def _calls_itself(found: TakenFor, root_key: int, process_id: str) -> bool:
    """Whether a process is among those that led to this call, and too many instances of it live in this case."""
    row = found.tx.one(_CALLER, {"instance": found.unit.key})
    while row is not None:
        if row.bpmn_process_id == process_id:
            return int(found.tx.scalar(_OF_PROCESS, {"process": process_id, "root": root_key}) or 0) >= MAX_RECURSIVE
        row = found.tx.one(_CALLER, {"instance": row.parent_key})
    return False
