"""Reads a BPMN file into the executable model; what is not right is a finding, never an exception."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.definitions import (
    checks,
    compensation,
    dialect_camunda7,
    dialect_plain,
    dialect_zeebe,
    events,
    loops,
    own_properties,
)
from engine.definitions.model import CalledElement, Event, Flow, Process, Term
from engine.definitions.reading import Draft, Reading, Scoped, child_expression, local_name
from engine.definitions.report import Finding
from engine.definitions.verdicts import CORRELATION, DOCUMENTARY, judge_the_rest
from engine.definitions.xml import BPMN, CAMUNDA, MODELER, ZEEBE, Node, UnreadableXml, read

TYPES = {
    "startEvent": "START_EVENT",
    "intermediateCatchEvent": "INTERMEDIATE_CATCH_EVENT",
    "intermediateThrowEvent": "INTERMEDIATE_THROW_EVENT",
    "boundaryEvent": "BOUNDARY_EVENT",
    "endEvent": "END_EVENT",
    "task": "TASK",
    "userTask": "USER_TASK",
    "serviceTask": "SERVICE_TASK",
    "sendTask": "SEND_TASK",
    "receiveTask": "RECEIVE_TASK",
    "scriptTask": "SCRIPT_TASK",
    "businessRuleTask": "BUSINESS_RULE_TASK",
    "manualTask": "MANUAL_TASK",
    "callActivity": "CALL_ACTIVITY",
    "subProcess": "SUB_PROCESS",
    "transaction": "SUB_PROCESS",
    "adHocSubProcess": "AD_HOC_SUB_PROCESS",
    "exclusiveGateway": "EXCLUSIVE_GATEWAY",
    "inclusiveGateway": "INCLUSIVE_GATEWAY",
    "parallelGateway": "PARALLEL_GATEWAY",
    "eventBasedGateway": "EVENT_BASED_GATEWAY",
    "complexGateway": "COMPLEX_GATEWAY",
}
UNSUPPORTED = {
    "implicitThrowEvent": "隐式抛出事件 / implicit throw events",
}
SCOPES = {"subProcess", "adHocSubProcess"}
EVENTS = {"startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "endEvent"}
_INTERRUPTIBLE = {"boundaryEvent": "cancelActivity", "startEvent": "isInterrupting"}

REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class BpmnFile:
    """A BPMN file, read.

    Attributes:
        sha256: of the file's bytes, hexadecimal.
        processes: its executable processes; those with refusals are there as far as they could be read, and must not run.
    """

    name: str
    sha256: str
    processes: tuple[Process, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not any(f.verdict == "refused" for f in self.findings)


_remembered: dict[tuple[str, str], BpmnFile] = {}
_lock = threading.Lock()


def read_bpmn(data: bytes, name: str) -> BpmnFile:
    """Read a BPMN file; every refusal is a finding.

    The last files that were not refused are remembered: a deployment asks for its report, and then for its processes.
    """
    key = hashlib.sha256(data).hexdigest(), name
    with _lock:
        file = _remembered.get(key)
    if file is None:
        file = read_anew(data, name, key[0])
        if file.ok:
            with _lock:
                _remembered[key] = file
                if len(_remembered) > REMEMBERED:
                    del _remembered[next(iter(_remembered))]
    return file


def read_anew(data: bytes, name: str, sha256: str = "") -> BpmnFile:
    """Read a BPMN file, whatever is remembered."""
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    try:
        root = read(data)
    except UnreadableXml as error:
        return BpmnFile(name, sha256, (), (Finding("refused", name, reason=error.message, line=error.line or 0),))
    if (root.namespace, root.name) != (BPMN, "definitions"):
        reason = f"不是 BPMN 2.0 文件，根元素是 {root.name} / not a BPMN 2.0 file"
        return BpmnFile(name, sha256, (), (Finding("refused", name, element_type=root.name, reason=reason, line=root.line),))
    reading = Reading(name, root, _dialect(root))
    processes = _definitions(reading)
    judge_the_rest(reading)
    findings = reading.findings()
    return BpmnFile(name, sha256, tuple(processes), findings)


def _dialect(root: Node) -> str:
    platform = root.attributes.get((MODELER, "executionPlatform"))
    if platform in {"Camunda Cloud", "Camunda Platform"}:
        return "zeebe" if platform == "Camunda Cloud" else "camunda"
    for node in root.walk():
        if node.namespace == ZEEBE:
            return "zeebe"
        if node.namespace == CAMUNDA or any(key[0] == CAMUNDA for key in node.attributes):
            return "camunda"
    return "plain"


def _definitions(reading: Reading) -> list[Process]:
    root = reading.root.executed()
    seen: dict[str, Node] = {}
    for node in root.walk():
        if node.id is None or node.namespace != BPMN:
            continue
        if node.id in seen:
            reading.refuse(node, f"标识 {node.id} 重复，第 {seen[node.id].line} 行已有 / duplicate id", "id")
        seen.setdefault(node.id, node)
    reading.references.update({c.id: c for c in root.children if c.id})
    processes: list[Process] = []
    for node in root.children:
        if node.namespace != BPMN:
            continue
        if node.name == "process":
            if not dialect_zeebe.flag(reading, node, "isExecutable", False):
                node.keep_all("isExecutable 不为 true，不执行 / not executable")
            else:
                processes.append(_process(reading, node))
        elif node.name == "import":
            reading.refuse(node, "不支持 import / imports are not supported")
        elif node.name in DOCUMENTARY:
            _keep(node)
    if not processes:
        reading.refuse(root, "没有可执行的流程（isExecutable=true）/ no executable process in the file")
    return processes


def _keep(node: Node) -> None:
    """Keep documentation, all but the keys by which messages would be correlated."""
    if not any(child.name in CORRELATION for child in node.children):
        node.keep_all("")
        return
    node.judge("kept")
    node.keep(*(name for namespace, name in node.attributes if not namespace))
    for child in node.children:
        if child.name not in CORRELATION:
            child.keep_all("")


def _process(reading: Reading, node: Node) -> Process:
    node.executed().keep("processType", "isClosed", "definitionalCollaborationRef")
    node.get("name")
    process_id = node.get("id") or ""
    if not process_id:
        reading.refuse(node, "流程没有 id / the process has no id")
    draft = Draft(node, process_id, node.attributes.get(("", "name"), ""), "PROCESS", None)
    scoped = Scoped(draft)
    _extensions(reading, draft)
    _scope(reading, scoped, draft)
    for flow_id, flow_node in scoped.flow_nodes.items():
        _flow(reading, scoped, flow_id, flow_node)
    _attach(reading, scoped)
    compensation.find_handlers(reading, scoped)
    for each in (draft, *scoped.drafts.values()):
        own_properties.apply(reading, scoped, each)
    own_properties.check_clocks(reading, scoped)
    checks.check(reading, scoped)
    compensation.check(reading, scoped)
    extensions = node.child("extensionElements")
    tag = extensions.child("versionTag", ZEEBE) if extensions else None
    version_tag = tag.get("value") if tag else node.get("versionTag", CAMUNDA)
    elements = {process_id: draft.freeze(), **{d.id: d.freeze() for d in scoped.drafts.values()}}
    return Process(
        id=process_id,
        name=draft.name,
        elements=MappingProxyType(elements),
        flows=MappingProxyType(scoped.flows),
        version_tag=version_tag,
        dialect=reading.dialect,
        **scoped.extras,
    )


def _scope(reading: Reading, scoped: Scoped, scope: Draft) -> None:
    for number, node in enumerate(scope.node.children):
        if node.namespace != BPMN:
            continue
        if node.name in TYPES:
            _element(reading, scoped, scope, node)
        elif node.name == "sequenceFlow":
            source, target = node.attributes.get(("", "sourceRef"), ""), node.attributes.get(("", "targetRef"), "")
            flow_id = node.get("id") or f"#flow:{source}:{target}:{number}"
            scoped.flow_nodes[flow_id] = node
        elif node.name in UNSUPPORTED:
            reading.refuse(node, f"不支持{UNSUPPORTED[node.name]} are not supported")
            reading.dropped.update(n.id for n in node.walk() if n.id)
        elif node.name == "association":
            scoped.associations.append(node)
        elif node.name in DOCUMENTARY:
            node.keep_all("")


def _element(reading: Reading, scoped: Scoped, scope: Draft, node: Node) -> None:
    node.executed()
    element_id, name = node.get("id"), node.get("name") or ""
    if not element_id:
        reading.refuse(node, f"{node.name}「{name}」没有 id / the element has no id")
        return
    if element_id in scoped.drafts or element_id == scoped.process.id:
        return  # refused as a duplicate
    kind = TYPES[node.name]
    draft = Draft(node, element_id, name, kind, scope.id)
    if draft.tag == "subProcess" and dialect_zeebe.flag(reading, node, "triggeredByEvent", False):
        draft.type = "EVENT_SUB_PROCESS"
    scoped.drafts[element_id] = draft
    scope.children.append(element_id)
    if attribute := _INTERRUPTIBLE.get(node.name):
        draft.values["interrupting"] = dialect_zeebe.flag(reading, node, attribute, True)
    _extensions(reading, draft)
    if reading.dialect == "plain":
        dialect_plain.apply(reading, draft)
    if node.name in EVENTS:
        node.keep("parallelMultiple")
        draft.values["event"] = events.read(reading, draft)
    elif node.name == "receiveTask":
        draft.values["event"] = events.message_of(reading, draft, node)
        node.keep("implementation", "operationRef")
    elif node.name in {"serviceTask", "sendTask", "businessRuleTask", "userTask"}:
        node.keep("implementation", "operationRef", "messageRef")
    elif node.name == "callActivity" and reading.dialect == "plain" and node.get("calledElement"):
        draft.values["call"] = CalledElement(Term(local_name(node.attributes["", "calledElement"])))
    if node.name == "boundaryEvent":
        draft.values["attached_to"] = local_name(node.get("attachedToRef"))
    elif node.name not in EVENTS and not node.name.endswith("Gateway"):
        draft.values["for_compensation"] = dialect_zeebe.flag(reading, node, "isForCompensation", False)
    node.keep("gatewayDirection")
    if node.get("default"):
        draft.values["default"] = node.get("default")
    loops.read(reading, draft)
    if (special := _SPECIAL.get(node.name)) is not None:
        special(reading, draft)
    if draft.tag in SCOPES:
        _scope(reading, scoped, draft)


def _transaction(reading: Reading, draft: Draft) -> None:
    draft.values["transaction"] = True
    if draft.type == "EVENT_SUB_PROCESS":
        reading.refuse(draft.node, "事件子流程不能是事务 / an event sub-process cannot be a transaction", "triggeredByEvent")
    if draft.node.get("method") not in {None, "##Compensate", "compensate"}:
        reading.refuse(draft.node, "事务只以补偿取消 / a transaction is cancelled by compensation only", "method")


def _complex_gateway(reading: Reading, draft: Draft) -> None:
    draft.values["activation"] = child_expression(reading, draft.node, "activationCondition")


def _instantiating(reading: Reading, draft: Draft) -> None:
    """Read what starts a process without being a start event: receive tasks and event-based gateways."""
    node = draft.node
    if dialect_zeebe.flag(reading, node, "instantiate", False):
        draft.values["instantiates"] = True
    kind = node.get("eventGatewayType") or "Exclusive"
    if kind not in {"Exclusive", "Parallel"}:
        reading.refuse(node, "eventGatewayType 应为 Exclusive 或 Parallel / must be Exclusive or Parallel", "eventGatewayType")
    draft.values["parallel_start"] = kind == "Parallel"


def _extensions(reading: Reading, draft: Draft) -> None:
    if reading.dialect == "camunda":
        dialect_camunda7.attributes(reading, draft)
    texts = [d.text for d in draft.node.all("documentation")]
    if texts:
        draft.values["documentation"] = "\n".join(texts)
    extensions = draft.node.child("extensionElements")
    if extensions is None:
        return
    extensions.judge("kept")
    for node in extensions.children:
        if node.namespace == ZEEBE:
            dialect_zeebe.read(reading, draft, node)
        elif node.namespace == CAMUNDA:
            dialect_camunda7.read(reading, draft, node)
    headers = draft.values.pop("headers", None)
    if headers and "job" in draft.values:
        draft.values["job"] = replace(draft.values["job"], headers=MappingProxyType(headers))
    elif headers and draft.tag == "userTask":
        reading.warn(draft.node, "用户任务的任务头不执行 / task headers of a user task have no effect")


def _flow(reading: Reading, scoped: Scoped, flow_id: str, node: Node) -> None:
    node.executed().keep("isImmediate")
    source, target = node.get("sourceRef"), node.get("targetRef")
    for attribute, value in (("sourceRef", source), ("targetRef", target)):
        if value not in scoped.drafts and value not in reading.dropped:
            reading.refuse(node, f"连线 {flow_id} 的 {attribute} 指向不存在的元素：{value} / dangling {attribute}", attribute)
    if source not in scoped.drafts or target not in scoped.drafts:
        reading.incomplete.update((source or "", target or ""))
        return
    start, end = scoped.drafts[source], scoped.drafts[target]
    if start.parent_id != end.parent_id:
        reading.refuse(node, f"连线 {flow_id} 跨越了子流程边界 / the flow crosses the border of a sub-process")
        return
    condition = child_expression(reading, node, "conditionExpression")
    extensions = node.child("extensionElements")
    holder = extensions.child("properties", ZEEBE) if extensions else None
    given = dialect_zeebe.properties(reading, holder.executed()) if holder else {}
    scoped.flows[flow_id] = Flow(flow_id, source, target, node.get("name") or "", condition, MappingProxyType(given))
    start.outgoing.append(flow_id)
    end.incoming.append(flow_id)


def _attach(reading: Reading, scoped: Scoped) -> None:
    for draft in scoped.drafts.values():
        host_id = draft.values.get("attached_to")
        if draft.tag != "boundaryEvent" or host_id in reading.dropped:
            continue
        host = scoped.drafts.get(host_id or "")
        event: Event | None = draft.values.get("event")
        if host is None or host.parent_id != draft.parent_id:
            reading.refuse(draft.node, f"附着的元素不存在：{host_id} / attachedToRef is dangling", "attachedToRef")
        elif not (host.type.endswith("TASK") or host.type in {"TASK", "SUB_PROCESS", "AD_HOC_SUB_PROCESS", "CALL_ACTIVITY"}):
            reading.refuse(draft.node, f"边界事件不能附着在 {host.tag} 上 / cannot be attached to a {host.tag}", "attachedToRef")
        elif event is not None:
            host.boundaries.append(draft.id)


_SPECIAL = {
    "transaction": _transaction,
    "adHocSubProcess": loops.ad_hoc,
    "complexGateway": _complex_gateway,
    "receiveTask": _instantiating,
    "eventBasedGateway": _instantiating,
}
