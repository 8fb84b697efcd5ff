"""The engine's own extension properties (`zeebe:properties`): read, checked, and turned into what the kernel uses."""

from __future__ import annotations

from collections.abc import Callable

from engine.definitions.model import Event, FormRef, Term
from engine.definitions.reading import Draft, Reading, Scoped
from engine.definitions.xml import ZEEBE, Node

_ACTIVITY = {
    "task",
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "scriptTask",
    "businessRuleTask",
    "manualTask",
    "callActivity",
    "subProcess",
    "adHocSubProcess",
}
_CATCHING = {"startEvent", "intermediateCatchEvent", "boundaryEvent"}


def apply(reading: Reading, scoped: Scoped, draft: Draft) -> None:
    """Turn the properties of one element into values of its draft; a value that cannot be is refused."""
    given: dict[str, str] = draft.values.get("properties", {})
    if not given:
        return
    nodes = _nodes(draft.node)
    for name, value in given.items():
        entry = _KNOWN.get(name)
        node = nodes[name]
        if entry is None:
            node.judge("kept", "")
            continue
        places, handler = entry
        if draft.tag not in places:
            reading.refuse(
                node, f"属性 {name} 在 {draft.tag} 上没有意义 / property {name} has no meaning on a {draft.tag}", "name"
            )
        else:
            handler(reading, scoped, draft, node, value)


def check_clocks(reading: Reading, scoped: Scoped) -> None:
    """Refuse a `stops` that names no clock of the process."""
    known = {scoped.process.id}
    for draft in scoped.drafts.values():
        known.update(draft.values.get("clocks", ()))
        event: Event | None = draft.values.get("event")
        if draft.tag in _ACTIVITY or (event is not None and event.part("timer") is not None):
            known.add(draft.id)
    for draft in scoped.drafts.values():
        for clock in draft.values.get("stops", ()):
            if clock not in known:
                node = _nodes(draft.node)["stops"]
                reading.refuse(node, f"没有名为 {clock} 的时钟 / no timer, activity or clock has this name", "value")


def _nodes(node: Node) -> dict[str, Node]:
    extensions = node.child("extensionElements")
    holder = extensions.child("properties", ZEEBE) if extensions else None
    return {p.attributes.get(("", "name"), ""): p for p in (holder.all("property", ZEEBE) if holder else ())}


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.replace("，", ",").split(",") if word.strip())


Handler = Callable[[Reading, Scoped, Draft, Node, str], None]


def _term(field: str) -> Handler:
    def read(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
        draft.values[field] = reading.term(node, value, "value")

    return read


def _list(field: str) -> Handler:
    def read(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
        words = _words(value)
        if not words or value.startswith("="):
            reading.refuse(node, "应为逗号分隔的名称 / must be names separated by commas", "value")
        draft.values[field] = words

    return read


def _signed(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    if not value.startswith("=") and value not in {"true", "false"}:
        reading.refuse(node, "signed 应为 true、false 或 FEEL / must be true, false or FEEL", "value")
    draft.values["signed"] = reading.term(node, value, "value")


def _past_due(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    event: Event | None = draft.values.get("event")
    if value not in {"fire", "record"}:
        reading.refuse(node, "pastDue 应为 fire 或 record / must be fire or record", "value")
    elif event is not None and event.part("timer") is None:
        reading.refuse(node, "pastDue 只用于定时事件 / only timers can be past due", "name")
    elif value == "record" and draft.tag == "intermediateCatchEvent":
        reading.refuse(
            node, "中间捕获事件若只记录就永远等下去 / an intermediate timer that only records would wait for ever", "value"
        )
    else:
        draft.values["past_due"] = value


def _offered(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    event: Event | None = draft.values.get("event")
    if event is not None and event.part("message") is None:
        reading.refuse(node, "offeredTo 只用于消息事件 / only message events can be offered", "name")
    if draft.tag == "adHocSubProcess" and value.startswith("="):
        reading.refuse(node, "临时子流程的 offeredTo 应为逗号分隔的组 / must be groups separated by commas", "value")
    draft.values["offered_to"] = reading.term(node, value, "value")


def _form_id(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    if "offeredTo" not in draft.values.get("properties", {}):
        reading.refuse(node, "formId 属性只与 offeredTo 一起用 / property formId goes with offeredTo only", "name")
    draft.values["form"] = FormRef(value, "latest")


def _initiator(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    if not value.strip() or value.startswith("="):
        reading.refuse(node, "initiator 应为变量名 / must be the name of a variable", "value")
    draft.values["initiator"] = value.strip()


def _plain(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    if not value.strip():
        reading.refuse(node, "属性没有值 / the property has no value", "value")


def _extra(field: str, kind: str) -> Handler:
    def read(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
        found: Term | tuple[str, ...] | str | None
        if kind == "feel":
            found = reading.expression(node, value, "value")
        elif kind == "list":
            found = _words(value)
        else:
            found = value.strip()
        if not value.strip():
            reading.refuse(node, "属性没有值 / the property has no value", "value")
        scoped.extras[field] = found

    return read


def _patterns(reading: Reading, scoped: Scoped, draft: Draft, node: Node, value: str) -> None:
    term = reading.expression(node, value, "value")
    if draft.tag == "process":
        scoped.extras["forbidden_patterns"] = term


_ANY = {"process", *_ACTIVITY, *_CATCHING, "intermediateThrowEvent", "endEvent"}
_ANY |= {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"}
_KNOWN: dict[str, tuple[set[str], Handler]] = {
    "rule": (_ANY, _plain),
    "name:en": (_ANY, _plain),
    "excludedUsers": ({"userTask", "subProcess", "adHocSubProcess", "process"}, _term("excluded_users")),
    "signed": ({"userTask"}, _signed),
    "forbiddenPatterns": ({"userTask", "process"}, _patterns),
    "visibleTo": ({"userTask", "subProcess", "adHocSubProcess"}, _term("visible_to")),
    "pastDue": (_CATCHING, _past_due),
    "clock": (_CATCHING | _ACTIVITY, _list("clocks")),
    "stops": ({"userTask", "subProcess", "adHocSubProcess"}, _list("stops")),
    "initiator": ({"startEvent"}, _initiator),
    "offeredTo": (_CATCHING | {"receiveTask", "adHocSubProcess"}, _offered),
    "offerName": (_CATCHING | {"receiveTask"}, _plain),
    "offerName:en": (_CATCHING | {"receiveTask"}, _plain),
    "formId": (_CATCHING | {"receiveTask"}, _form_id),
    "candidateStarterGroups": ({"process"}, _extra("candidate_starter_groups", "list")),
    "businessId": ({"process"}, _extra("business_id", "text")),
    "subject": ({"process"}, _extra("subject", "feel")),
    "summary": ({"process"}, _extra("summary", "list")),
}
