"""What must hold of a process as a whole before it may run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from engine.definitions.model import CalledElement, Event, Flow, UserTask
from engine.definitions.reading import Draft, Reading, Scoped
from engine.definitions.verdicts import GLOBAL_TASKS

_SPLITTING = {"EXCLUSIVE_GATEWAY", "INCLUSIVE_GATEWAY"}
_SCOPES = {"subProcess", "adHocSubProcess"}
_NEVER_FIRST = {"START_EVENT", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}


def check(reading: Reading, scoped: Scoped) -> None:
    """Refuse, by name, what could not be executed as drawn; warn of what is never reached."""
    begun = {d.parent_id for d in scoped.drafts.values() if d.type == "START_EVENT" or d.values.get("instantiates")}
    for draft in scoped.drafts.values():
        _task(reading, scoped, draft)
        _flows(reading, draft, begun)
        _conditions(reading, scoped, draft)
        if draft.type == "EVENT_BASED_GATEWAY":
            _event_gateway(reading, scoped, draft)
        if draft.values.get("instantiates") or draft.values.get("parallel_start"):
            _instantiates(reading, scoped, draft)
        if draft.tag in {"startEvent", "boundaryEvent"}:
            _never_interrupting(reading, draft)
        _twice(reading, [scoped.drafts[b] for b in draft.boundaries])
    for scope in (scoped.process, *(d for d in scoped.drafts.values() if d.tag in _SCOPES)):
        _scope_starts(reading, scoped, scope)
        _links(reading, scoped, scope)
        _twice(reading, _starting(scoped, scope), scope.id if scope.type == "PROCESS" else "")


def _task(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    values, node = draft.values, draft.node
    if draft.id in reading.refused:
        return  # said already
    event: Event | None = values.get("event")
    if draft.type in {"SERVICE_TASK", "SEND_TASK"} and "job" not in values:
        wanted = "（zeebe:taskDefinition）" if reading.dialect != "plain" else "，普通 BPMN 的发送任务需要 messageRef"
        reading.refuse(node, f"缺少任务定义{wanted} / no task definition: nothing says what to do")
    elif draft.type == "SCRIPT_TASK" and not ("script" in values) ^ ("job" in values):
        reading.refuse(
            node, "脚本任务应有 zeebe:script 或任务定义之一 / a script task has either zeebe:script or a task definition"
        )
    elif draft.type == "BUSINESS_RULE_TASK" and not ("decision" in values) ^ ("job" in values):
        reading.refuse(node, "业务规则任务应有被调用的决策或任务定义之一 / needs either a called decision or a task definition")
    elif draft.type == "CALL_ACTIVITY" and "call" not in values:
        reading.refuse(node, "没有被调用的流程 / no called process")
    elif draft.type == "CALL_ACTIVITY" and (task := _global_task(reading, values["call"])) is not None:
        reading.refuse(node, f"不能调用全局任务 {task}，请调用流程 / global tasks cannot be called, call a process")
    elif draft.type == "COMPLEX_GATEWAY" and len(draft.incoming) > 1 and values.get("activation") is None:
        reading.refuse(node, "汇合的复杂网关缺少 activationCondition / a complex gateway that joins needs an activationCondition")
    elif draft.type == "USER_TASK" and not _is_offered(values.get("user")):
        node.verdicts[None] = (
            "executed",
            "没有受理人，也没有候选人，只有管理员能办 / nobody is named: only administrators can do it",
        )
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
    if reading.dialect == "zeebe" and catches_message and not values.get("offered_to") and not _starts(scoped, draft):
        reading.refuse(node, "消息没有关联键（correlationKey）/ the message has no correlation key")


def _is_offered(user: UserTask | None) -> bool:
    return user is not None and any((user.assignee, user.candidate_groups, user.candidate_users))


def _global_task(reading: Reading, call: CalledElement) -> str | None:
    """Return the id of the global task that a call activity calls; None where it calls none."""
    called = reading.references.get((call.process_id.static or "").rpartition(":")[2])
    return called.id if called is not None and called.name in GLOBAL_TASKS else None


def _starts(scoped: Scoped, draft: Draft) -> bool:
    """Whether an event or receive task starts the process: it needs no correlation key, there is no case yet."""
    if draft.parent_id != scoped.process.id:
        return False
    before = [scoped.drafts[scoped.flows[f].source].values for f in draft.incoming]
    exclusive = any(v.get("instantiates") and not v.get("parallel_start") for v in before)
    return draft.type == "START_EVENT" or bool(draft.values.get("instantiates")) or exclusive


def _flows(reading: Reading, draft: Draft, begun: set[str | None]) -> None:
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
    if _is_first(draft) and draft.parent_id in begun and draft.id not in reading.incomplete:
        reading.warn(node, "没有流入的连线，永远到不了 / no incoming flow: it is never reached")


def _is_first(draft: Draft) -> bool:
    """Whether nothing leads to an element, so that it starts with its scope where that has no start event."""
    event: Event | None = draft.values.get("event")
    is_link = draft.type == "INTERMEDIATE_CATCH_EVENT" and event is not None and event.kind == "link"
    never = draft.type in _NEVER_FIRST or draft.values.get("for_compensation") or draft.values.get("instantiates")
    return not draft.incoming and not never and not is_link


def _conditions(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    default = draft.values.get("default")
    if default is not None and default not in draft.outgoing and draft.id not in reading.incomplete:
        reading.refuse(draft.node, f"默认连线 {default} 不是它的流出连线 / the default flow is not one of its own", "default")
    flows = [scoped.flows[f] for f in draft.outgoing]
    for flow in flows:
        node = scoped.flow_nodes[flow.id]
        if flow.condition is not None and flow.id == default:
            _ignore_condition(
                reading, scoped, flow, f"默认连线 {flow.id} 的条件不起作用 / a condition on the default flow is ignored"
            )
        elif flow.condition is not None and draft.type == "PARALLEL_GATEWAY":
            reason = (
                f"并行网关不看条件，连线 {flow.id} 总会走 / a parallel gateway checks no conditions: the flow is always taken"
            )
            _ignore_condition(reading, scoped, flow, reason)
        elif flow.condition is not None and (draft.type == "EVENT_BASED_GATEWAY" or draft.tag == "startEvent"):
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


def _ignore_condition(reading: Reading, scoped: Scoped, flow: Flow, reason: str) -> None:
    """Keep a condition that the standard has ignored, and say so. Source: BPMN 2.0.2, 10.6.2 (`default`), 10.6.4."""
    node = scoped.flow_nodes[flow.id]
    for child in node.all("conditionExpression"):
        child.verdicts[None] = ("kept", reason)
    reading.warn(node, reason)
    scoped.flows[flow.id] = replace(flow, condition=None)


def _event_gateway(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    if not draft.outgoing and draft.id not in reading.incomplete:
        reading.refuse(draft.node, "事件网关没有流出的连线 / the event-based gateway has no outgoing flow")
    for flow_id in draft.outgoing:
        target = scoped.drafts[scoped.flows[flow_id].target]
        event: Event | None = target.values.get("event")
        waits = target.type == "RECEIVE_TASK" or (
            target.type == "INTERMEDIATE_CATCH_EVENT" and (event is None or event.kind != "link")
        )
        if not waits or target.boundaries or target.values.get("loop") or target.values.get("start_quantity", 1) > 1:
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


def _instantiates(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    """Check what starts the process without being a start event."""
    node, values = draft.node, draft.values
    if not values.get("instantiates"):
        reading.refuse(
            node, "eventGatewayType=Parallel 只用于启动流程的网关 / only a gateway that instantiates", "eventGatewayType"
        )
        return
    if draft.parent_id != scoped.process.id or draft.incoming:
        reading.refuse(
            node,
            "instantiate 只用于流程中没有流入连线的元素 / only for elements of the process itself without incoming flows",
            "instantiate",
        )
    if values.get("loop") or values.get("start_quantity", 1) > 1:
        reading.refuse(node, "启动流程的任务不能循环或多实例 / what starts the process cannot be repeated", "instantiate")
    allowed = {"message"} if values.get("parallel_start") else {"message", "signal"}
    waiting = [scoped.drafts[scoped.flows[f].target] for f in draft.outgoing] if draft.type == "EVENT_BASED_GATEWAY" else [draft]
    for each in waiting:
        event: Event | None = each.values.get("event")
        if event is None:
            continue  # refused already
        if event.kind not in allowed:
            words = "、".join(sorted(allowed))
            reading.refuse(each.node, f"启动流程的网关之后只能是 {words} 事件 / only {words} events can start a process here")
        elif event.name is not None and event.name.static is None:
            _static_start(reading, each, event)


def _scope_starts(reading: Reading, scoped: Scoped, scope: Draft) -> None:
    starts = [scoped.drafts[c] for c in scope.children if scoped.drafts[c].type == "START_EVENT"]
    kinds = Counter(e.kind for d in starts if (e := d.values.get("event")) is not None)
    if scope.type == "AD_HOC_SUB_PROCESS":
        _ad_hoc(reading, scoped, scope)
        return
    if len(starts) > sum(kinds.values()):
        return  # an event was refused already
    if scope.type == "EVENT_SUB_PROCESS" and (len(starts) != 1 or kinds["none"]):
        reading.refuse(scope.node, "事件子流程应有且只有一个带触发的开始事件 / needs exactly one start event with a trigger")
    elif not starts:
        children = [scoped.drafts[c] for c in scope.children]
        if not any(_is_first(c) or c.values.get("instantiates") for c in children) and scope.id not in reading.incomplete:
            reading.refuse(
                scope.node, "没有开始事件，也没有可以开始的元素 / there is no start event, and nothing else to start with"
            )
    elif scope.type == "SUB_PROCESS" and (len(starts) != 1 or not kinds["none"]):
        reading.refuse(scope.node, "子流程只能有一个空白开始事件 / a sub-process has exactly one none start event")
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


def _ad_hoc(reading: Reading, scoped: Scoped, scope: Draft) -> None:
    children = [scoped.drafts[c] for c in scope.children]
    for child in children:
        if child.tag in {"startEvent", "endEvent"}:
            reading.refuse(child.node, "临时子流程中没有开始与结束事件 / an ad-hoc sub-process has no start or end events")
    if not any(_is_first(c) for c in children) and scope.id not in reading.incomplete:
        reading.refuse(scope.node, "临时子流程中没有可以开始的元素 / nothing in the ad-hoc sub-process can start")


def _starting(scoped: Scoped, scope: Draft) -> list[Draft]:
    """Return the events that wait while a scope lives: of its event sub-processes; of a process, those that start it too."""
    children = [scoped.drafts[c] for c in scope.children]
    inner = [scoped.drafts[c] for d in children if d.type == "EVENT_SUB_PROCESS" for c in d.children]
    own = children if scope.type == "PROCESS" else []
    events = [d for d in own if d.values.get("instantiates")]
    behind = [scoped.drafts[scoped.flows[f].target] for d in events if d.type == "EVENT_BASED_GATEWAY" for f in d.outgoing]
    return [*(d for d in (*own, *inner) if d.type == "START_EVENT"), *(d for d in events if d.type == "RECEIVE_TASK"), *behind]


def _twice(reading: Reading, catchers: list[Draft], process: str = "") -> None:
    """Refuse a second catcher of the same error, escalation or message at one place: only one of them would ever get it."""
    seen: dict[tuple[object, ...], Draft] = {}
    for draft in catchers:
        event: Event | None = draft.values.get("event")
        for part in event.each if event is not None and not event.parallel else ():
            if part.kind not in {"error", "escalation", "message"}:
                continue
            what = part.code if part.kind != "message" else part.name
            key = part.correlation_key.text if part.correlation_key else None
            place = None if draft.tag == "startEvent" and draft.parent_id != process else process
            first = seen.setdefault((part.kind, what.text if what else None, key, place), draft)
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
