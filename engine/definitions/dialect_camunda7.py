"""Camunda 7's extensions (`camunda:`) in their simple forms; what has no equal here is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from engine.definitions.dialect_zeebe import BINDINGS, check_moment, check_priority
from engine.definitions.model import CalledDecision, CalledElement, FormRef, Job, Loop, Mapping_, Script, Term, UserTask
from engine.definitions.reading import Draft, Reading
from engine.definitions.xml import CAMUNDA, Node

_HARMLESS = {
    "asyncBefore",
    "asyncAfter",
    "async",
    "exclusive",
    "jobPriority",
    "historyTimeToLive",
    "isStartableInTasklist",
    "taskPriority",
    "formRefVersion",
    "versionTag",
}
_FOREIGN_CODE = (
    "class",
    "expression",
    "delegateExpression",
    "resource",
    "variableMappingClass",
    "variableMappingDelegateExpression",
)


def attributes(reading: Reading, draft: Draft) -> None:
    """Read the `camunda:` attributes of a flow node or process."""
    node = draft.node
    for name in _FOREIGN_CODE:
        if (CAMUNDA, name) in node.attributes:
            reading.refuse(
                node, f"不执行 camunda:{name}，请用外部任务 / code is not executed: use an external task", name, CAMUNDA
            )
    node.keep(*_HARMLESS - {"versionTag"}, namespace=CAMUNDA, reason="没有影响 / has no effect here")
    reader = _READERS.get(draft.tag)
    if reader is not None:
        reader(reading, draft, node)


def read(reading: Reading, draft: Draft, node: Node) -> None:
    """Read one `camunda:` extension element."""
    if node.name == "inputOutput" and draft.tag != "process":
        node.executed()
        _input_output(reading, draft, node)
    elif node.name == "properties":
        node.executed()
        found = {}
        for child in node.all("property", CAMUNDA):
            child.executed().keep("id")
            name, value = child.get("name"), child.get("value")
            if name:
                found[name] = value or ""
        draft.values["properties"] = found
    elif node.name in {"in", "out"} and draft.tag == "callActivity":
        node.executed()
        _call_mapping(reading, draft, node)
    elif node.name == "failedJobRetryTimeCycle":
        node.keep_all("重试按引擎的退避 / retries follow the engine's back-off")
    elif node.name in {"taskListener", "executionListener"}:
        reading.refuse(node, f"不支持监听器 camunda:{node.name} / listeners are not supported: model a service task")
    else:
        reading.refuse(node, f"不支持 camunda:{node.name} / camunda:{node.name} is not supported")


def loop(reading: Reading, found: Loop, node: Node) -> Loop:
    """Read the collection of a multi-instance."""
    text = node.get("collection", CAMUNDA)
    element = node.get("elementVariable", CAMUNDA)
    node.keep("asyncBefore", "asyncAfter", "exclusive", namespace=CAMUNDA)
    if text is None:
        return found
    collection = reading.term(node, text if "{" in text else f"${{{text}}}", "collection")
    return replace(found, collection=collection, element=element)


def _user_task(reading: Reading, draft: Draft, node: Node) -> None:
    def term(name: str) -> Term | None:
        return reading.term(node, node.get(name, CAMUNDA), name)

    draft.values["user"] = UserTask(
        assignee=term("assignee"),
        candidate_groups=term("candidateGroups"),
        candidate_users=term("candidateUsers"),
        due=check_moment(reading, node, term("dueDate"), "dueDate"),
        follow_up=check_moment(reading, node, term("followUpDate"), "followUpDate"),
        priority=check_priority(reading, node, term("priority"), "priority"),
    )
    _form(reading, draft, node)


def _form(reading: Reading, draft: Draft, node: Node) -> None:
    form_id, key = node.get("formRef", CAMUNDA), node.get("formKey", CAMUNDA)
    if form_id is not None:
        draft.values["form"] = FormRef(form_id, _binding(reading, node, "formRefBinding"))
    elif key is not None and key.startswith("camunda-forms:"):
        binding, _, file = key.removeprefix("camunda-forms:").rpartition(":")
        draft.values["form"] = FormRef(file.rpartition("/")[2].removesuffix(".form"), binding or "latest")
    elif key is not None:
        reading.refuse(node, f"不支持的表单：{key} / only Camunda Forms are supported", "formKey", CAMUNDA)


def _binding(reading: Reading, node: Node, name: str) -> str:
    binding = node.get(name, CAMUNDA) or "latest"
    if binding not in BINDINGS[:2]:
        reading.refuse(node, f"不支持的绑定：{binding} / this binding is not supported", name, CAMUNDA)
    return binding


def _start(reading: Reading, draft: Draft, node: Node) -> None:
    initiator = node.get("initiator", CAMUNDA)
    if initiator:
        draft.values["initiator"] = initiator
    _form(reading, draft, node)


def _job(reading: Reading, draft: Draft, node: Node) -> None:
    kind, topic = node.get("type", CAMUNDA), node.get("topic", CAMUNDA)
    if kind is None:
        return
    term = reading.term(node, topic, "topic")
    if kind != "external" or term is None:
        reading.refuse(node, f"只支持外部任务（external）及其主题 / only external tasks with a topic: {kind}", "type", CAMUNDA)
    else:
        draft.values["job"] = Job(term, Term("3"), MappingProxyType({}))


def _decision(reading: Reading, draft: Draft, node: Node) -> None:
    decision = reading.term(node, node.get("decisionRef", CAMUNDA), "decisionRef")
    if decision is None:
        _job(reading, draft, node)
        return
    result, shape = node.get("resultVariable", CAMUNDA), node.get("mapDecisionResult", CAMUNDA)
    if shape != "singleEntry":
        reading.refuse(node, "只支持 mapDecisionResult=singleEntry / only singleEntry is supported", "mapDecisionResult", CAMUNDA)
    if not result:
        reading.refuse(node, "缺少 resultVariable / there is no resultVariable")
        return
    draft.values["decision"] = CalledDecision(decision, result, _binding(reading, node, "decisionRefBinding"))


def _script(reading: Reading, draft: Draft, node: Node) -> None:
    language, result = node.get("scriptFormat"), node.get("resultVariable", CAMUNDA)
    script = node.child("script")
    if language is None and script is None:
        return
    if (language or "").lower() != "feel" or script is None or not result:
        reading.refuse(
            node, f"只执行 FEEL 脚本，且需 resultVariable：{language} / only FEEL scripts with a resultVariable are executed"
        )
        return
    expression = Reading.expression(replace_dialect(reading), script.executed(), script.text)
    if expression is not None:
        draft.values["script"] = Script(expression, result)


def replace_dialect(reading: Reading) -> Reading:
    """Return the same reading with texts taken as FEEL, as a FEEL script's are."""
    return replace(reading, dialect="plain")


def _call(reading: Reading, draft: Draft, node: Node) -> None:
    called = reading.term(node, node.get("calledElement"), "calledElement")
    if called is not None:
        binding = _binding(reading, node, "calledElementBinding")
        draft.values["call"] = CalledElement(called, binding, variables_in=False, variables_out=False)


def _call_mapping(reading: Reading, draft: Draft, node: Node) -> None:
    call: CalledElement | None = draft.values.get("call")
    name = "inputs" if node.name == "in" else "outputs"
    if node.get("variables") == "all":
        if call is not None:
            handed_in = node.name == "in"
            draft.values["call"] = replace(
                call, variables_in=call.variables_in or handed_in, variables_out=call.variables_out or not handed_in
            )
        return
    if node.attributes.get(("", "businessKey")) and call is not None and node.name == "in":
        business_id = reading.term(node, node.get("businessKey"), "businessKey")
        draft.values["call"] = replace(call, business_id=business_id)
        return
    source, target = node.get("source"), node.get("target")
    text = node.get("sourceExpression") or (f"${{{source}}}" if source else None)
    term = reading.term(node, text)
    if term is None or not target:
        reading.refuse(node, f"camunda:{node.name} 缺少 source 或 target / source or target is missing")
    else:
        draft.values[name] = (*draft.values.get(name, ()), Mapping_(term, (target,)))


def _input_output(reading: Reading, draft: Draft, node: Node) -> None:
    for child in node.children:
        if child.name not in {"inputParameter", "outputParameter"}:
            continue
        child.executed()
        target = child.get("name")
        term = reading.term(child, child.text)
        if child.children or term is None or not target:
            reading.refuse(child, f"只支持简单的参数：{target} / only plain values and ${{…}} are supported")
            continue
        key = "inputs" if child.name == "inputParameter" else "outputs"
        draft.values[key] = (*draft.values.get(key, ()), Mapping_(term, (target,)))


_READERS: dict[str, Callable[[Reading, Draft, Node], None]] = {
    "userTask": _user_task,
    "startEvent": _start,
    "serviceTask": _job,
    "sendTask": _job,
    "businessRuleTask": _decision,
    "scriptTask": _script,
    "callActivity": _call,
}
