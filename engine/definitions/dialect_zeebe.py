"""Camunda 8's extensions (`zeebe:`), as Camunda Modeler writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC

from engine.definitions import iso8601
from engine.definitions.model import (
    CalledDecision,
    CalledElement,
    FormRef,
    Job,
    Mapping_,
    Script,
    Term,
    UserTask,
)
from engine.definitions.reading import Draft, Reading
from engine.definitions.xml import ZEEBE, Node

BINDINGS = ("latest", "deployment", "versionTag")
ACTIVITIES = {
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
JOBS = {"serviceTask", "sendTask", "scriptTask", "businessRuleTask", "intermediateThrowEvent", "endEvent"}
EVENTS = {"startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "endEvent"}
GATEWAYS = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"}
EVERYWHERE = {*ACTIVITIES, *EVENTS, *GATEWAYS, "process"}

Handler = Callable[[Reading, Draft, Node], None]


def read(reading: Reading, draft: Draft, node: Node) -> None:
    """Read one `zeebe:` extension element of a flow node or process into its draft."""
    entry = HANDLERS.get(node.name)
    if entry is None:
        reading.refuse(node, f"不支持 zeebe:{node.name} / zeebe:{node.name} is not supported")
        return
    places, handler = entry
    if draft.tag not in places:
        reading.refuse(node, f"zeebe:{node.name} 在 {draft.tag} 上没有意义 / has no meaning on a {draft.tag}")
        return
    node.executed()
    handler(reading, draft, node)


def properties(reading: Reading, node: Node) -> dict[str, str]:
    """Read `zeebe:properties`: names and values."""
    found: dict[str, str] = {}
    for child in node.all("property", ZEEBE):
        child.executed()
        name, value = child.get("name"), child.get("value")
        if not name:
            reading.refuse(child, "属性没有名称 / the property has no name", "name")
        elif name in found:
            reading.refuse(child, f"属性 {name} 重复 / the property is there twice", "name")
        else:
            found[name] = value or ""
    return found


def binding(reading: Reading, node: Node) -> tuple[str, str | None]:
    """Read `bindingType` and `versionTag`."""
    kind, tag = node.get("bindingType") or "latest", node.get("versionTag")
    if kind not in BINDINGS:
        reading.refuse(node, f"bindingType 应为 {'、'.join(BINDINGS)} / must be one of them", "bindingType")
    if kind == "versionTag" and not tag:
        reading.refuse(node, "bindingType 为 versionTag 时必须给出 versionTag / versionTag is missing")
    return kind, tag


def flag(reading: Reading, node: Node, name: str, default: bool) -> bool:
    """Read a boolean attribute (`xsd:boolean`)."""
    text = node.get(name)
    if text not in {None, "true", "false", "1", "0"}:
        reading.refuse(node, f"{name} 应为 true 或 false / must be true or false", name)
    return default if text is None else text in {"true", "1"}


def check_moment(reading: Reading, node: Node, term: Term | None, attribute: str) -> Term | None:
    """Refuse a static text that is no date and time."""
    if term is not None and term.static is not None:
        try:
            iso8601.moment(term.static, UTC)
        except ValueError as error:
            reading.refuse(node, f"{error}；表达式以 = 开头 / an expression starts with =", attribute)
    return term


def check_priority(reading: Reading, node: Node, term: Term | None, attribute: str) -> Term | None:
    """Refuse a static text that is no priority."""
    static = term.static if term else None
    if static is not None and not (static.isascii() and static.isdigit() and int(static) <= 100):
        reading.refuse(node, "优先级应为 0 到 100 的整数 / the priority must be a whole number from 0 to 100", attribute)
    return term


def _user(draft: Draft, **values: Term | None) -> None:
    old = draft.values.get("user") or UserTask()
    known = {n: getattr(old, n) for n in ("assignee", "candidate_groups", "candidate_users", "due", "follow_up", "priority")}
    draft.values["user"] = UserTask(**{**known, **values})


def _user_task(reading: Reading, draft: Draft, node: Node) -> None:
    _user(draft)


def _assignment(reading: Reading, draft: Draft, node: Node) -> None:
    _user(
        draft,
        assignee=reading.term(node, node.get("assignee"), "assignee"),
        candidate_groups=reading.term(node, node.get("candidateGroups"), "candidateGroups"),
        candidate_users=reading.term(node, node.get("candidateUsers"), "candidateUsers"),
    )


def _schedule(reading: Reading, draft: Draft, node: Node) -> None:
    due = check_moment(reading, node, reading.term(node, node.get("dueDate"), "dueDate"), "dueDate")
    follow_up = check_moment(reading, node, reading.term(node, node.get("followUpDate"), "followUpDate"), "followUpDate")
    _user(draft, due=due, follow_up=follow_up)


def _priority(reading: Reading, draft: Draft, node: Node) -> None:
    _user(draft, priority=check_priority(reading, node, reading.term(node, node.get("priority"), "priority"), "priority"))


def _form(reading: Reading, draft: Draft, node: Node) -> None:
    kind, tag = binding(reading, node)
    form_id = node.get("formId")
    external = reading.term(node, node.get("externalReference"), "externalReference")
    if node.get("formKey") is not None:
        reading.refuse(
            node, "formKey（嵌入表单）不支持，请用 formId / embedded forms by formKey are not supported, use formId", "formKey"
        )
    elif form_id is None and external is None:
        reading.refuse(node, "表单定义缺少 formId / the form definition has no formId")
    elif form_id is not None and form_id.startswith("="):
        reading.refuse(node, "formId 不能是表达式 / formId cannot be an expression", "formId")
    draft.values["form"] = FormRef(form_id, kind, tag, external)


def _io_mapping(reading: Reading, draft: Draft, node: Node) -> None:
    found: dict[str, list[Mapping_]] = {"input": [], "output": []}
    for child in node.children:
        if child.namespace != ZEEBE or child.name not in found:
            continue
        child.executed()
        source, target = child.get("source"), child.get("target")
        word = "输入" if child.name == "input" else "输出"
        term = reading.term(child, source, "source")
        path = tuple((target or "").split("."))
        if not source or not source.removeprefix("=").strip():
            reading.refuse(child, f"{word}映射 {target or ''} 缺少 source / the {child.name} mapping has no source")
        elif not all(part.strip() for part in path):
            reading.refuse(child, f"{word}映射缺少 target / the {child.name} mapping has no target")
        elif term is not None:
            found[child.name].append(Mapping_(term, path))
    if found["input"] and draft.tag in {"startEvent", "boundaryEvent", "intermediateCatchEvent"}:
        reading.refuse(node, "事件不能有输入映射 / a catch event has no input mappings")
    draft.values["inputs"] = tuple(found["input"])
    draft.values["outputs"] = tuple(found["output"])


def _headers(reading: Reading, draft: Draft, node: Node) -> None:
    headers: dict[str, str] = {}
    for child in node.all("header", ZEEBE):
        child.executed()
        key, value = child.get("key"), child.get("value")
        if not key:
            reading.refuse(child, "任务头缺少 key / the task header has no key")
        else:
            headers[key] = value or ""
    draft.values["headers"] = headers


def _task_definition(reading: Reading, draft: Draft, node: Node) -> None:
    kind = reading.term(node, node.get("type"), "type")
    retries = reading.term(node, node.get("retries") or "3", "retries")
    if kind is None or retries is None:
        if not node.attributes.get(("", "type"), "").strip():
            reading.refuse(node, "任务定义缺少类型 / the task definition has no type")
        return
    static = retries.static
    if static is not None and not (static.isascii() and static.isdigit() and int(static) <= 1000):
        reading.refuse(node, "retries 应为整数 / retries must be a whole number", "retries")
    draft.values["job"] = Job(kind, retries, {})


def _script(reading: Reading, draft: Draft, node: Node) -> None:
    expression = reading.expression(node, node.get("expression"), "expression")
    result = node.get("resultVariable")
    if not node.attributes.get(("", "expression"), "").strip("= "):
        reading.refuse(node, "脚本缺少表达式 / the script has no expression")
    elif not result:
        reading.refuse(node, "脚本缺少 resultVariable / the script has no resultVariable")
    elif expression is not None:
        draft.values["script"] = Script(expression, result)


def _called_decision(reading: Reading, draft: Draft, node: Node) -> None:
    kind, tag = binding(reading, node)
    decision = reading.term(node, node.get("decisionId"), "decisionId")
    result = node.get("resultVariable")
    if not node.attributes.get(("", "decisionId"), "").strip():
        reading.refuse(node, "缺少 decisionId / the called decision has no decisionId")
    elif not result:
        reading.refuse(node, "缺少 resultVariable / the called decision has no resultVariable")
    elif decision is not None:
        draft.values["decision"] = CalledDecision(decision, result, kind, tag)


def _called_element(reading: Reading, draft: Draft, node: Node) -> None:
    kind, tag = binding(reading, node)
    process_id = reading.term(node, node.get("processId"), "processId")
    variables_in = flag(reading, node, "propagateAllParentVariables", True)
    variables_out = flag(reading, node, "propagateAllChildVariables", True)
    business_id = reading.term(node, node.get("businessId"), "businessId")
    if not node.attributes.get(("", "processId"), "").strip():
        reading.refuse(node, "缺少被调用流程的 processId / the called element has no processId")
    elif process_id is not None:
        draft.values["call"] = CalledElement(process_id, kind, tag, variables_in, variables_out, business_id)


def _properties(reading: Reading, draft: Draft, node: Node) -> None:
    draft.values["properties"] = properties(reading, node)


def _listeners(reading: Reading, draft: Draft, node: Node) -> None:
    for child in node.children:
        reading.refuse(child, f"不支持监听器 zeebe:{child.name} / listeners are not supported: model a service task")


def _version_tag(reading: Reading, draft: Draft, node: Node) -> None:
    if not node.get("value"):
        reading.refuse(node, "versionTag 缺少 value / the version tag has no value")


def _inert(reading: Reading, draft: Draft, node: Node) -> None:
    """What the place it stands in reads itself, or a form embedded by Camunda 8's old way."""


def _user_task_form(reading: Reading, draft: Draft, node: Node) -> None:
    reading.refuse(
        node, "嵌入式表单不支持，请部署表单并用 formId / embedded forms are not supported: deploy the form and use formId"
    )


HANDLERS: Mapping[str, tuple[set[str], Handler]] = {
    "userTask": ({"userTask"}, _user_task),
    "assignmentDefinition": ({"userTask"}, _assignment),
    "taskSchedule": ({"userTask"}, _schedule),
    "priorityDefinition": ({"userTask"}, _priority),
    "formDefinition": ({"userTask", "startEvent"}, _form),
    "userTaskForm": ({"process"}, _user_task_form),
    "ioMapping": (ACTIVITIES | EVENTS, _io_mapping),
    "taskHeaders": (JOBS | {"userTask"}, _headers),
    "taskDefinition": (JOBS, _task_definition),
    "script": ({"scriptTask"}, _script),
    "calledDecision": ({"businessRuleTask"}, _called_decision),
    "calledElement": ({"callActivity"}, _called_element),
    "properties": (EVERYWHERE, _properties),
    "taskListeners": ({"userTask"}, _listeners),
    "executionListeners": (EVERYWHERE, _listeners),
    "versionTag": ({"process"}, _version_tag),
    "subscription": ({"receiveTask"}, _inert),
    "adHoc": ({"adHocSubProcess"}, _inert),
}
