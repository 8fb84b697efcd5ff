"""Compensation and cancellation in a drawing: who undoes what, and what cannot be undone as drawn."""

from __future__ import annotations

from engine.definitions.model import Event
from engine.definitions.reading import Draft, Reading, Scoped, local_name


def find_handlers(reading: Reading, scoped: Scoped) -> None:
    """Give each compensation boundary event its handler: the activity for compensation that an association leads to."""
    ends: dict[str, list[str]] = {}
    for node in scoped.associations:
        source, target = (local_name(node.attributes.get(("", name), "")) for name in ("sourceRef", "targetRef"))
        for one, other in ((source, target), (target, source)):
            if one in scoped.drafts and _catches(scoped.drafts[one]) and scoped.drafts[one].tag == "boundaryEvent":
                node.executed()
                for attribute in ("sourceRef", "targetRef", "associationDirection"):
                    node.get(attribute)
                ends.setdefault(one, []).append(other)
        node.keep_all("")
    for draft in scoped.drafts.values():
        if draft.tag == "boundaryEvent" and _catches(draft):
            _handler(reading, scoped, draft, ends.get(draft.id, []))


def _handler(reading: Reading, scoped: Scoped, boundary: Draft, ends: list[str]) -> None:
    if len(ends) != 1:
        reading.refuse(
            boundary.node, "补偿边界事件应以一条关联连到补偿活动 / needs one association to the activity that compensates"
        )
        return
    handler = scoped.drafts.get(ends[0])
    if handler is None or handler.parent_id != boundary.parent_id or not handler.values.get("for_compensation"):
        reading.refuse(
            boundary.node,
            f"{ends[0]} 不是同一范围内的补偿活动（isForCompensation）/ is no activity for compensation in the same scope",
        )
        return
    boundary.values["handler"] = handler.id


def check(reading: Reading, scoped: Scoped) -> None:
    """Refuse, by name, what could not be compensated or cancelled as drawn."""
    called = {draft.values.get("handler") for draft in scoped.drafts.values()}
    for draft in scoped.drafts.values():
        event: Event | None = draft.values.get("event")
        if draft.values.get("for_compensation"):
            _compensating(reading, draft)
            if draft.id not in called:
                reading.warn(draft.node, "没有补偿边界事件连到它，永远不执行 / no compensation boundary event leads to it")
        if event is None:
            continue
        if draft.tag == "boundaryEvent":
            _boundary(reading, scoped, draft, event)
        elif draft.tag == "startEvent" and event.kind == "compensate":
            _start(reading, scoped, draft)
        elif draft.tag in {"intermediateThrowEvent", "endEvent"}:
            if (thrown := event.part("compensate")) is not None and thrown.activity is not None:
                _referred(reading, scoped, draft, thrown.activity)
            if event.part("cancel") is not None:
                _cancel_end(reading, scoped, draft)


def _compensating(reading: Reading, draft: Draft) -> None:
    if draft.incoming or draft.outgoing:
        reading.refuse(draft.node, "补偿活动不能有连线 / an activity for compensation has no sequence flows")
    if draft.boundaries:
        reading.refuse(
            draft.node, "补偿活动不能有边界事件，请放在子流程里 / cannot have boundary events: put it into a sub-process"
        )
    if draft.type == "EVENT_SUB_PROCESS":
        reading.refuse(
            draft.node, "事件子流程不能是补偿活动 / an event sub-process cannot be for compensation", "isForCompensation"
        )


def _boundary(reading: Reading, scoped: Scoped, draft: Draft, event: Event) -> None:
    host = scoped.drafts.get(draft.values.get("attached_to") or "")
    if host is None:
        return
    if event.kind == "compensate":
        if draft.outgoing:
            reading.refuse(draft.node, "补偿边界事件用关联，不用连线 / a compensation boundary event has no outgoing flow")
        if any(_catches(scoped.drafts[b]) and b != draft.id for b in host.boundaries) and host.boundaries[0] != draft.id:
            reading.refuse(draft.node, f"{host.id} 已有补偿边界事件 / the activity has one already")
    if event.kind == "cancel" and not host.values.get("transaction"):
        reading.refuse(draft.node, "取消边界事件只能附着在事务上 / only a transaction has cancel boundary events")
    if event.kind == "cancel" and not draft.values.get("interrupting", True):
        reading.refuse(draft.node, "取消事件总是中断的 / cancel events always interrupt")
    if event.kind == "cancel" and [b for b in host.boundaries if _kind(scoped, b) == "cancel"][:1] != [draft.id]:
        reading.refuse(draft.node, f"{host.id} 已有取消边界事件 / the transaction has one already")


def _start(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    own = scoped.drafts.get(draft.parent_id or "")
    around = scoped.drafts.get(own.parent_id or "") if own is not None else None
    if own is None or own.type != "EVENT_SUB_PROCESS" or around is None:
        reading.refuse(
            draft.node,
            "补偿开始事件只能在子流程的事件子流程中：流程结束后没有谁来补偿它 / only in an event sub-process of a sub-process: "
            "nobody compensates a process that has ended",
        )
        return
    others = [c for c in around.children if scoped.drafts[c].type == "EVENT_SUB_PROCESS" and _undoes(scoped, c)]
    if others[0] != own.id:
        reading.refuse(draft.node, f"{around.id} 已有补偿事件子流程 / the sub-process has one already")
    if any(_catches(scoped.drafts[b]) for b in around.boundaries):
        reading.refuse(
            draft.node,
            f"{around.id} 已有补偿边界事件 / the sub-process has a compensation boundary event: it needs one or the other",
        )


def _referred(reading: Reading, scoped: Scoped, draft: Draft, activity: str) -> None:
    target = scoped.drafts.get(activity)
    visible = [draft.parent_id]
    while (scope := scoped.drafts.get(visible[-1] or "")) is not None and scope.type == "EVENT_SUB_PROCESS":
        visible.append(scope.parent_id)
    if target is None or target.parent_id not in visible or not _is_activity(target):
        reading.refuse(draft.node, f"要补偿的活动 {activity} 不在同一范围内 / the activity to compensate is not in its scope")
    elif target.values.get("for_compensation") or target.type == "EVENT_SUB_PROCESS":
        reading.refuse(draft.node, f"{activity} 不能补偿 / cannot be compensated")
    elif not (target.children or any(_catches(scoped.drafts[b]) for b in target.boundaries)):
        reading.warn(draft.node, f"{activity} 没有补偿活动，什么也不发生 / has no compensation: nothing happens")


def _cancel_end(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    around = scoped.drafts.get(draft.parent_id or "")
    while around is not None and around.type == "EVENT_SUB_PROCESS":
        around = scoped.drafts.get(around.parent_id or "")
    if around is None or not around.values.get("transaction"):
        reading.refuse(draft.node, "取消结束事件只能在事务中 / a cancel end event is only in a transaction")
    elif not any(_kind(scoped, b) == "cancel" for b in around.boundaries):
        reading.refuse(draft.node, f"事务 {around.id} 没有取消边界事件 / the transaction has no cancel boundary event")
    elif around.values.get("loop") is not None:
        reading.refuse(
            around.node, f"{around.id} 多次执行，不能取消 / a transaction that runs several times cannot have a cancel end event"
        )


def _is_activity(draft: Draft) -> bool:
    return draft.type.endswith("TASK") or draft.type.endswith("SUB_PROCESS") or draft.type == "CALL_ACTIVITY"


def _kind(scoped: Scoped, element_id: str) -> str | None:
    event: Event | None = scoped.drafts[element_id].values.get("event")
    return event.kind if event is not None else None


def _catches(draft: Draft) -> bool:
    event: Event | None = draft.values.get("event")
    return event is not None and event.kind == "compensate" and draft.tag in {"boundaryEvent", "startEvent"}


def _undoes(scoped: Scoped, event_sub: str) -> bool:
    return any(_catches(scoped.drafts[child]) for child in scoped.drafts[event_sub].children)
