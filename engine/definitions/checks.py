"""What must hold of a process as a whole before it may run."""

from __future__ import annotations

from collections import Counter

from engine.definitions.model import Event
from engine.definitions.reading import Draft, Reading, Scoped

_SPLITTING = {"EXCLUSIVE_GATEWAY", "INCLUSIVE_GATEWAY"}
_NO_CONDITIONS = {"PARALLEL_GATEWAY", "EVENT_BASED_GATEWAY"}


def check(reading: Reading, scoped: Scoped) -> None:
    """Refuse, by name, what could not be executed as drawn; warn of what is never reached."""
    for draft in scoped.drafts.values():
        _task(reading, draft)
        _flows(reading, scoped, draft)
        _conditions(reading, scoped, draft)
        if draft.type == "EVENT_BASED_GATEWAY":
            _event_gateway(reading, scoped, draft)
        if draft.tag in {"startEvent", "boundaryEvent"}:
            _never_interrupting(reading, draft)
        _twice(reading, [scoped.drafts[b] for b in draft.boundaries])
    for scope in (scoped.process, *(d for d in scoped.drafts.values() if d.tag == "subProcess")):
        _starts(reading, scoped, scope)
        _links(reading, scoped, scope)
        _twice(reading, _starting(scoped, scope))


def _task(reading: Reading, draft: Draft) -> None:
    values, node = draft.values, draft.node
    if draft.id in reading.refused:
        return  # said already
    event: Event | None = values.get("event")
    if draft.type in {"SERVICE_TASK", "SEND_TASK"} and "job" not in values:
        reading.refuse(node, "缺少任务定义（zeebe:taskDefinition）/ no task definition: nothing says what to do")
    elif draft.type == "SCRIPT_TASK" and not ("script" in values) ^ ("job" in values):
        reading.refuse(
            node, "脚本任务应有 zeebe:script 或任务定义之一 / a script task has either zeebe:script or a task definition"
        )
    elif draft.type == "BUSINESS_RULE_TASK" and not ("decision" in values) ^ ("job" in values):
        reading.refuse(node, "业务规则任务应有被调用的决策或任务定义之一 / needs either a called decision or a task definition")
    elif draft.type == "CALL_ACTIVITY" and "call" not in values:
        reading.refuse(node, "没有被调用的流程 / no called process")
    elif draft.type in {"INTERMEDIATE_THROW_EVENT", "END_EVENT"} and event is not None:
        if event.part("message") is not None and "job" not in values:
            reading.refuse(
                node,
                "发出消息需要任务定义，如 publish-message / throwing a message needs a task definition, e.g. publish-message",
            )
        if event.part("message") is None and "job" in values:
            reading.refuse(node, "只有消息事件可以有任务定义 / only message events have a task definition")
    catches_message = event is not None and any(
        part.kind == "message" and part.name is not None and part.correlation_key is None for part in event.each
    )
    if reading.dialect == "zeebe" and catches_message and not values.get("offered_to") and not _starts_process(draft):
        reading.refuse(node, "消息没有关联键（correlationKey）/ the message has no correlation key")


def _starts_process(draft: Draft) -> bool:
    parent = draft.node.parent
    return draft.type == "START_EVENT" and parent is not None and parent.name == "process"


def _flows(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    node = draft.node
    if draft.incoming and draft.type in {"START_EVENT", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}:
        reading.refuse(node, f"{draft.tag} 不能有流入的连线 / cannot have incoming flows")
    if draft.outgoing and draft.type in {"END_EVENT", "EVENT_SUB_PROCESS"}:
        reading.refuse(node, f"{draft.tag} 不能有流出的连线 / cannot have outgoing flows")
    event: Event | None = draft.values.get("event")
    is_link_catch = draft.type == "INTERMEDIATE_CATCH_EVENT" and event is not None and event.kind == "link"
    if is_link_catch and draft.incoming:
        reading.refuse(node, "链接的入口不能有流入的连线 / a link catch event cannot have incoming flows")
    if event is not None and event.kind == "link" and draft.type == "INTERMEDIATE_THROW_EVENT" and draft.outgoing:
        reading.refuse(node, "链接的出口不能有流出的连线 / a link throw event cannot have outgoing flows")
    starts_itself = draft.type in {"START_EVENT", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"} or draft.values.get("for_compensation")
    if not draft.incoming and not starts_itself and not is_link_catch:
        reading.warn(node, "没有流入的连线，永远到不了 / no incoming flow: it is never reached")


def _conditions(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    default = draft.values.get("default")
    if default is not None and default not in draft.outgoing:
        reading.refuse(draft.node, f"默认连线 {default} 不是它的流出连线 / the default flow is not one of its own", "default")
    flows = [scoped.flows[f] for f in draft.outgoing]
    for flow in flows:
        node = scoped.flow_nodes[flow.id]
        if flow.condition is not None and flow.id == default:
            reading.refuse(node, f"默认连线 {flow.id} 不能有条件 / the default flow cannot have a condition")
        if flow.condition is not None and (draft.type in _NO_CONDITIONS or draft.tag == "startEvent"):
            reading.refuse(node, f"{draft.tag} 的流出连线不能有条件 / flows leaving a {draft.tag} cannot have conditions")
        if (
            draft.type in _SPLITTING
            and len(flows) > 1
            and flow.condition is None
            and flow.id != default
            and node.child("conditionExpression") is None
        ):
            reading.refuse(
                node, f"网关 {draft.id} 的连线 {flow.id} 既无条件也不是默认 / the flow has no condition and is not the default"
            )


def _event_gateway(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    if not draft.outgoing:
        reading.refuse(draft.node, "事件网关没有流出的连线 / the event-based gateway has no outgoing flow")
    for flow_id in draft.outgoing:
        target = scoped.drafts[scoped.flows[flow_id].target]
        event: Event | None = target.values.get("event")
        waits = target.type == "RECEIVE_TASK" or (
            target.type == "INTERMEDIATE_CATCH_EVENT" and (event is None or event.kind != "link")
        )
        if not waits or target.boundaries or target.values.get("loop"):
            reading.refuse(draft.node, f"事件网关只能通向捕获事件，{target.id} 不是 / {target.id} is not a catch event")
        elif len(target.incoming) > 1:
            reading.refuse(
                target.node,
                "事件网关之后的事件只能有一条流入连线 / only one flow may lead to an event after an event-based gateway",
            )


def _never_interrupting(reading: Reading, draft: Draft) -> None:
    event: Event | None = draft.values.get("event")
    if event is not None and event.part("error") is not None and not draft.values.get("interrupting", True):
        reading.refuse(draft.node, "错误事件总是中断的 / error events always interrupt")


def _starts(reading: Reading, scoped: Scoped, scope: Draft) -> None:
    starts = [scoped.drafts[c] for c in scope.children if scoped.drafts[c].type == "START_EVENT"]
    kinds = Counter(e.kind for d in starts if (e := d.values.get("event")) is not None)
    if len(starts) > sum(kinds.values()):
        return  # an event was refused already
    if not starts:
        reading.refuse(scope.node, "没有开始事件 / there is no start event")
    elif scope.type == "EVENT_SUB_PROCESS" and (len(starts) != 1 or kinds["none"]):
        reading.refuse(scope.node, "事件子流程应有且只有一个带触发的开始事件 / needs exactly one start event with a trigger")
    elif scope.type == "SUB_PROCESS" and (len(starts) != 1 or not kinds["none"]):
        reading.refuse(scope.node, "子流程应有且只有一个空白开始事件 / a sub-process needs exactly one none start event")
    elif scope.type == "PROCESS":
        if kinds["none"] > 1:
            reading.refuse(scope.node, "只能有一个空白开始事件 / at most one none start event")
        for start in starts:
            event: Event = start.values["event"]
            _start_of_process(reading, start, event)


def _start_of_process(reading: Reading, start: Draft, event: Event) -> None:
    for part in event.each:
        if part.kind in {"error", "escalation", "compensate"}:
            reading.refuse(start.node, f"流程不能由 {part.kind} 开始 / a process cannot start by it")
        if part.kind == "conditional":
            reading.refuse(
                start.node,
                "流程不能由条件开始：没有实例就没有变量，条件无从成立 / a process cannot start by a condition: before "
                "there is an instance there are no variables that could fulfil it",
            )
        if part.name is not None and part.name.static is None:
            _static_start(reading, start, part)
    if sum(part.kind == "timer" for part in event.each) > 1:
        reading.refuse(start.node, "流程的开始事件最多一个定时 / a process's start event has at most one timer")
    if event.parallel:
        reading.refuse(
            start.node,
            "流程不能由并行多重事件开始：实例还不存在，无处等齐 / a process cannot start by several events together: "
            "before there is an instance, nothing waits for the others",
        )


def _starting(scoped: Scoped, scope: Draft) -> list[Draft]:
    """Return the start events that wait while a scope lives: of its event sub-processes; of a process, its own too."""
    children = [scoped.drafts[c] for c in scope.children]
    inner = [scoped.drafts[c] for d in children if d.type == "EVENT_SUB_PROCESS" for c in d.children]
    own = children if scope.type == "PROCESS" else []
    return [d for d in (*own, *inner) if d.type == "START_EVENT"]


def _twice(reading: Reading, catchers: list[Draft]) -> None:
    """Refuse a second catcher of the same error, escalation or message at one place: only one of them would ever get it."""
    seen: dict[tuple[object, ...], Draft] = {}
    for draft in catchers:
        event: Event | None = draft.values.get("event")
        for part in event.each if event is not None and not event.parallel else ():
            if part.kind not in {"error", "escalation", "message"}:
                continue
            what = part.code if part.kind != "message" else part.name
            key = part.correlation_key.text if part.correlation_key else None
            place = draft.node.parent if draft.tag == "startEvent" and _starts_process(draft) else None
            first = seen.setdefault((part.kind, what.text if what else None, key, id(place)), draft)
            if first is not draft:
                reading.refuse(draft.node, f"与 {first.id} 捕获同一个 {part.kind} / catches the same {part.kind} as {first.id}")


def _static_start(reading: Reading, start: Draft, event: Event) -> None:
    names = event.name.expression.names if event.name and event.name.expression else ()
    if names:
        reading.refuse(start.node, "流程开始事件的名称不能用变量 / the name of a process's start event cannot use variables")


def _links(reading: Reading, scoped: Scoped, scope: Draft) -> None:
    catches: Counter[str] = Counter()
    throws: dict[str, list[Draft]] = {}
    for child in scope.children:
        draft = scoped.drafts[child]
        event: Event | None = draft.values.get("event")
        if event is None or event.link is None:
            continue
        if draft.type == "INTERMEDIATE_CATCH_EVENT":
            catches[event.link] += 1
            if catches[event.link] > 1:
                reading.refuse(draft.node, f"链接 {event.link} 有两个入口 / the link has two catch events")
        else:
            throws.setdefault(event.link, []).append(draft)
    for link, drafts in throws.items():
        for draft in drafts:
            if not catches[link]:
                reading.refuse(draft.node, f"链接 {link} 没有入口 / the link has no catch event")
