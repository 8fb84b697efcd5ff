"""The verdicts that no reader gives: documentation and layout are kept, and what nobody understood is refused by name."""

from __future__ import annotations

from engine.definitions.reading import Reading
from engine.definitions.xml import BPMN, BPMNDI, CAMUNDA, MODELER, XSI, ZEEBE, Node

DOCUMENTARY = {
    "documentation", "laneSet", "textAnnotation", "association", "group", "category", "dataObject", "dataObjectReference",
    "dataStore", "dataStoreReference", "collaboration", "dataInput", "dataOutput", "itemDefinition", "interface", "resource",
    "participant", "messageFlow", "conversation", "relationship", "partnerEntity", "partnerRole", "endPoint", "auditing",
    "monitoring", "correlationProperty", "choreography",
    "globalConversation", "extension", "dataState", "categoryValueRef", "ioBinding", "supportedInterfaceRef",
}  # fmt: skip
GLOBAL_TASKS = {"globalTask", "globalManualTask", "globalUserTask", "globalScriptTask", "globalBusinessRuleTask"}
DATA = {"ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation", "inputSet", "outputSet"}
CORRELATION = {"correlationKey", "correlationSubscription"}
ROOT_REFERENCES = {"message", "signal", "error", "escalation"}
_FOREIGN_ENGINES = ("http://activiti.org/bpmn", "http://flowable.org/bpmn")
_LAYOUT = (
    "http://bpmn.io/schema/bpmn", "http://www.omg.org/spec/BPMN/non-normative/color", "http://www.omg.org/spec/DD/",
)  # fmt: skip


def judge_the_rest(reading: Reading) -> None:
    """Give a verdict to every element and attribute that has none."""
    stack = [reading.root]
    while stack:
        node = stack.pop()
        if _judge(reading, node):
            _attributes(reading, node)
            stack.extend(reversed(node.children))


def _judge(reading: Reading, node: Node) -> bool:
    """Judge one element; return whether what is in it has to be judged too."""
    known = node.verdicts.get(None)
    if known is not None:
        return known[0] != "refused"
    if node.namespace == BPMNDI:
        node.judge("kept", "图形布局 / layout")
        return False
    if node.namespace == BPMN and (
        node.name in DOCUMENTARY or node.name in {"incoming", "outgoing", "script", "extensionElements"}
    ):
        return _kept(node)
    if node.namespace == BPMN and node.name in DATA:
        node.keep_all("数据关联不执行 / data associations are not executed")
        reading.warn(
            node, "数据关联不执行，变量请用输入输出映射 / data associations are not executed: use input and output mappings"
        )
        return False
    if node.namespace == BPMN and node.name in CORRELATION:
        reading.refuse(
            node,
            f"消息不按 {node.name} 关联，请用 zeebe:subscription 的 correlationKey / messages are not correlated by this: "
            "use a correlationKey in zeebe:subscription",
        )
        return False
    if node.namespace == BPMN and node.name in GLOBAL_TASKS and node.parent is reading.root:
        node.keep_all("全局任务不执行，也不能调用 / global tasks are not executed and cannot be called")
        return False
    if node.namespace == BPMN and node.name in ROOT_REFERENCES:
        node.keep_all("没有元素引用 / not referred to")
        return False
    if node.namespace == BPMN and node.name.endswith("EventDefinition") and node.parent is reading.root:
        node.keep_all("没有元素引用 / not referred to")
        return False
    if node.namespace in {BPMN, ZEEBE, CAMUNDA} or node.namespace.startswith(_FOREIGN_ENGINES):
        reading.refuse(node, f"不支持的元素 {node.name} / this element is not supported here")
        return False
    node.keep_all("未知扩展，不执行 / unknown extension, not executed")
    if not node.namespace.startswith(_LAYOUT) and node.namespace != MODELER:
        reading.warn(node, f"未知扩展（{node.namespace}），不执行 / unknown extension, not executed")
    return False


def _kept(node: Node) -> bool:
    node.judge("kept")
    if node.name in {"script", "extensionElements"}:
        node.keep("id")
        return True
    for key in node.attributes:
        node.verdicts.setdefault(key, ("kept", ""))
    return node.name not in DOCUMENTARY


def _attributes(reading: Reading, node: Node) -> None:
    for namespace, name in list(node.attributes):
        if (namespace, name) in node.verdicts:
            continue
        if (
            node is reading.root
            or namespace in {MODELER, XSI}
            or (not namespace and name == "id")
            or namespace.startswith(_LAYOUT)
        ) or (namespace in {ZEEBE, CAMUNDA} and name.startswith("modelerTemplate")):
            node.keep(name, namespace=namespace)
        elif namespace in {"", BPMN, ZEEBE, CAMUNDA} or namespace.startswith(_FOREIGN_ENGINES):
            reading.refuse(node, f"不支持的属性 {name} / this attribute is not supported here", name, namespace)
        else:
            node.keep(name, namespace=namespace, reason="未知扩展，不执行 / unknown extension, not executed")
            reading.warn(node, f"未知扩展属性 {name}（{namespace}），不执行 / unknown extension attribute, not executed", name)
