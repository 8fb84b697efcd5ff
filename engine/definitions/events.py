"""Event definitions: what starts, catches and throws."""

from __future__ import annotations

from datetime import UTC

from engine.definitions import iso8601
from engine.definitions.cron import cron, is_cron
from engine.definitions.dialect_zeebe import flag
from engine.definitions.model import Event, EventKind, Term, Timer, TimerKind
from engine.definitions.reading import Draft, Reading, check_language, local_name
from engine.definitions.xml import BPMN, CAMUNDA, ZEEBE, Node

NONE = Event("none")
_ALLOWED = {
    "startEvent": {"timer", "message", "signal", "conditional", "error", "escalation", "compensate"},
    "intermediateCatchEvent": {"timer", "message", "signal", "conditional", "link"},
    "intermediateThrowEvent": {"message", "signal", "escalation", "compensate", "link"},
    "boundaryEvent": {"timer", "message", "signal", "conditional", "error", "escalation", "compensate", "cancel"},
    "endEvent": {"message", "signal", "error", "escalation", "compensate", "terminate", "cancel"},
}
_ENDING = {"error", "terminate", "cancel"}
_ALONE = {"link", "none"}  # what cannot be one definition of several
_IMPLICIT = {"signal", "escalation", "error"}
_TIMERS: dict[str, TimerKind] = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
_CATCHING = {"startEvent", "intermediateCatchEvent", "boundaryEvent"}


def read(reading: Reading, draft: Draft) -> Event | None:
    """Read an event's definition; None when it is refused."""
    node = draft.node
    definitions = [c for c in node.children if c.namespace == BPMN and c.name.endswith("EventDefinition")]
    for reference in node.all("eventDefinitionRef"):
        reference.executed()
        target = reading.references.get(reference.text.rpartition(":")[2])
        if target is None or not target.name.endswith("EventDefinition"):
            reading.refuse(reference, f"引用的事件定义不存在：{reference.text} / no such event definition")
            return None
        definitions.append(target)
    if not definitions:
        if draft.tag in {"intermediateCatchEvent", "boundaryEvent"}:
            reading.refuse(node, "没有事件定义 / the event has no event definition")
            return None
        return NONE
    found = [_one(reading, draft, definition) for definition in definitions]
    parts = tuple(event for event in found if event is not None)
    if len(parts) < len(found):
        return None
    parallel = flag(reading, node, "parallelMultiple", False)
    if len(parts) == 1:
        return parts[0]
    event = Event("multiple", parts=parts, parallel=parallel)
    return event if _goes_together(reading, draft, event) else None


def _goes_together(reading: Reading, draft: Draft, event: Event) -> bool:
    """Whether one event may have these definitions; refuses it otherwise."""
    kinds = [part.kind for part in event.parts]
    catching = draft.tag in _CATCHING
    alone = _ALONE | ({"compensate", "cancel"} if catching else set()) | ({"error", "escalation"} if event.parallel else set())
    before = len(reading.problems)
    for kind in kinds:
        if kind in alone:
            reading.refuse(draft.node, f"{kind} 不能与别的事件定义并列 / cannot be one of several event definitions")
    if catching and event.parallel and any(part.timer and part.timer.kind == "cycle" for part in event.parts):
        reading.refuse(draft.node, "并行多重事件不能用周期 / a parallel multiple event cannot have a cycle")
    if not catching and sum(kind in _ENDING for kind in kinds) > 1:
        reading.refuse(draft.node, "只能以一种方式结束 / error, terminate and cancel exclude each other")
    if not catching and max(kinds.count("message"), kinds.count("compensate")) > 1:
        reading.refuse(draft.node, "最多一个消息、一个补偿 / at most one message and one compensation")
    return len(reading.problems) == before


def _one(reading: Reading, draft: Draft, definition: Node) -> Event | None:
    """Read one definition of an event; None when it is refused."""
    definition.executed()
    definition.keep("id")
    kind = definition.name.removesuffix("EventDefinition")
    if kind not in _ALLOWED[draft.tag]:
        reading.refuse(definition, f"{draft.tag} 不支持 {kind} 事件 / a {kind} event is not supported as {draft.tag}")
        return None
    return _READERS[kind](reading, draft, definition)


def thrown(reading: Reading, draft: Draft, definition: Node) -> Event | None:
    """Read an event that an activity throws without drawing it (a multi-instance's behaviour); None when it is refused."""
    kind = definition.executed().name.removesuffix("EventDefinition")
    definition.keep("id")
    if kind not in _IMPLICIT:
        reading.refuse(draft.node, f"多实例不能抛出 {kind} 事件 / a multi-instance cannot throw a {kind} event")
        return None
    return _READERS[kind](reading, draft, definition)


def message_of(reading: Reading, draft: Draft, node: Node) -> Event | None:
    """Read the message (`messageRef`) that an event or a receive task waits for."""
    message = reading.reference(node, "messageRef", "message")
    if message is None:
        if "messageRef" not in {key[1] for key in node.attributes}:
            reading.refuse(node, "没有指定消息 / no message is given")
        return None
    message.executed()
    name = reading.term(message, message.get("name"), "name")
    if name is None:
        if not message.attributes.get(("", "name"), "").strip():
            reading.refuse(message, "消息没有名称 / the message has no name")
        return None
    message.keep("id", "itemRef")
    key: Term | None = None
    extensions = message.child("extensionElements")
    subscription = extensions.child("subscription", ZEEBE) if extensions else None
    if subscription is not None:
        subscription.executed()
        key = reading.term(subscription, subscription.get("correlationKey"), "correlationKey")
    for other in extensions.all("properties", ZEEBE) if extensions else ():
        other.keep_all("")
    return Event("message", name=name, correlation_key=key)


def _message(reading: Reading, draft: Draft, node: Node) -> Event | None:
    if draft.tag in _CATCHING:
        return message_of(reading, draft, node)
    if reading.dialect != "plain" and "messageRef" in {key[1] for key in node.attributes}:
        message = reading.reference(node, "messageRef", "message")
        if message is not None:
            message.keep_all("消息由任务定义发出 / the task definition says what is sent")
    for child in node.children:
        if child.name == "operationRef":
            reading.refuse(child, "不支持 operationRef / operations are not supported")
    extensions = node.child("extensionElements")
    if extensions is not None:
        for child in extensions.children:
            reading.refuse(child, f"不支持 {child.name}，请写在事件上 / not supported here")
    return Event("message")


def _signal(reading: Reading, draft: Draft, node: Node) -> Event | None:
    signal = reading.reference(node, "signalRef", "signal")
    if signal is None:
        if ("", "signalRef") not in node.attributes:
            reading.refuse(node, "没有指定信号 / no signal is given")
        return None
    signal.executed().keep("id", "structureRef")
    name = reading.term(signal, signal.get("name"), "name")
    if name is None and not signal.attributes.get(("", "name"), "").strip():
        reading.refuse(signal, "信号没有名称 / the signal has no name")
    return Event("signal", name=name) if name else None


def _error(reading: Reading, draft: Draft, node: Node) -> Event | None:
    event = _coded(reading, draft, node, "error", "errorRef", "errorCode")
    if event is None or reading.dialect != "camunda":
        return event
    code_variable = node.get("errorCodeVariable", CAMUNDA)
    message_variable = node.get("errorMessageVariable", CAMUNDA)
    return Event("error", code=event.code, code_variable=code_variable, message_variable=message_variable)


def _escalation(reading: Reading, draft: Draft, node: Node) -> Event | None:
    event = _coded(reading, draft, node, "escalation", "escalationRef", "escalationCode")
    if event is None or reading.dialect != "camunda":
        return event
    return Event("escalation", code=event.code, code_variable=node.get("escalationCodeVariable", CAMUNDA))


def _coded(reading: Reading, draft: Draft, node: Node, kind: EventKind, attribute: str, code: str) -> Event | None:
    if ("", attribute) not in node.attributes:
        if draft.tag in _CATCHING:
            return Event(kind)  # catches every code
        reading.refuse(node, f"没有指定 {attribute} / {attribute} is missing")
        return None
    target = reading.reference(node, attribute, kind)
    if target is None:
        return None
    target.executed().keep("id", "name", "structureRef")
    if reading.dialect == "camunda":
        target.keep("errorMessage", namespace=CAMUNDA)
    term = reading.term(target, target.get(code), code)
    if term is None:
        if not target.attributes.get(("", code), "").strip():
            name = target.attributes.get(("", "name"), "")
            reading.refuse(target, f"{kind}「{name}」没有 {code} / the {kind} has no {code}")
        return None
    if term.static is None and draft.tag in _CATCHING:
        reading.refuse(target, f"捕获事件的 {code} 不能是表达式 / a caught {code} cannot be an expression", code)
        return None
    return Event(kind, code=term)


def _timer(reading: Reading, draft: Draft, node: Node) -> Event | None:
    given = [c for c in node.children if c.namespace == BPMN and c.name in _TIMERS]
    if len(given) != 1:
        reading.refuse(node, "定时事件应有且只有一个时间、时长或周期 / a timer has exactly one date, duration or cycle")
        return None
    value = given[0].executed()
    value.keep("id")
    check_language(reading, value)
    kind = _TIMERS[value.name]
    if kind == "cycle" and draft.tag == "intermediateCatchEvent":
        reading.refuse(value, "中间捕获事件不能用周期 / an intermediate catch event cannot repeat")
        return None
    if kind == "cycle" and draft.tag == "boundaryEvent" and draft.values.get("interrupting", True):
        reading.refuse(value, "中断的边界事件不能用周期 / an interrupting boundary event cannot repeat")
        return None
    term = _timer_term(reading, value, kind)
    return Event("timer", timer=Timer(kind, term)) if term else None


def _timer_term(reading: Reading, node: Node, kind: TimerKind) -> Term | None:
    if not node.text:
        reading.refuse(node, "定时事件没有值 / the timer has no value")
        return None
    term = reading.term(node, node.text)
    if term is None or term.static is None:
        return term
    try:
        if kind == "date":
            iso8601.moment(term.text, UTC)
        elif kind == "duration":
            iso8601.duration(term.text)
        elif is_cron(term.text):
            cron(term.text)
        else:
            iso8601.cycle(term.text)
    except ValueError as error:
        if reading.dialect == "plain" and not term.text[:1].isdigit() and not term.text.startswith(("P", "R", "-P")):
            return reading.expression(node, term.text)
        reading.refuse(node, f"{error}；表达式以 = 开头 / an expression starts with =")
        return None
    return term


def _link(reading: Reading, draft: Draft, node: Node) -> Event | None:
    name = node.get("name")
    if not name:
        reading.refuse(node, "链接没有名称 / the link has no name")
        return None
    for child in node.children:
        if child.name in {"source", "target"}:
            child.judge("kept")
    return Event("link", link=name)


def _terminate(reading: Reading, draft: Draft, node: Node) -> Event | None:
    return Event("terminate")


def _cancel(reading: Reading, draft: Draft, node: Node) -> Event | None:
    return Event("cancel")


def _compensate(reading: Reading, draft: Draft, node: Node) -> Event | None:
    if draft.tag in _CATCHING:
        node.keep("activityRef", "waitForCompletion")
        return Event("compensate")
    waits = flag(reading, node, "waitForCompletion", True)
    return Event("compensate", activity=local_name(node.get("activityRef")) or None, waits=waits)


def _conditional(reading: Reading, draft: Draft, node: Node) -> Event | None:
    given = node.child("condition")
    if given is None or not given.text:
        reading.refuse(node, "条件事件没有条件 / the conditional event has no condition")
        return None
    given.executed().keep("id")
    check_language(reading, given)
    condition = reading.expression(given, given.text)
    names, on = _filter(reading, node)
    return Event("conditional", condition=condition, variable_names=names, variable_events=on) if condition else None


def _filter(reading: Reading, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read which variables, and which changes of them, let a condition be looked at again."""
    extensions = node.child("extensionElements")
    given = extensions.child("conditionalFilter", ZEEBE) if extensions else None
    if given is not None:
        given.executed()
        names, on = given.get("variableNames"), given.get("variableEvents")
    elif reading.dialect == "camunda":
        names, on = node.get("variableName", CAMUNDA), node.get("variableEvents", CAMUNDA)
    else:
        return (), ()
    events = _words(on)
    for event in events:
        if event not in {"create", "update"}:
            reading.refuse(
                given or node, f"variableEvents 应为 create、update：{event} / must be create or update", "variableEvents"
            )
    return _words(names), events


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


_READERS = {
    "timer": _timer,
    "message": _message,
    "signal": _signal,
    "error": _error,
    "escalation": _escalation,
    "link": _link,
    "terminate": _terminate,
    "cancel": _cancel,
    "compensate": _compensate,
    "conditional": _conditional,
}
