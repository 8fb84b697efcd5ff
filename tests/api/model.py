"""A small process for tests of the pages: an expense claim that somebody checks, and that the chair decides and signs.

It has what pages must deal with: a start form, candidate groups, an excluded applicant, a due date, a signed decision, a list as
a table, an offered action, a script that fails.
"""

from __future__ import annotations

import json
from typing import Any

_NAMESPACES = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" '
    'id="definitions" targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" '
    'modeler:executionPlatformVersion="8.7.0"'
)
_PROCESS_PROPERTIES = {
    "candidateStarterGroups": "clerk",
    "businessId": "EX-{year}-{sequence:3}",
    "subject": '="报销 " + purpose',
    "summary": "purpose,amount",
    "name:en": "Expense claim",
    "excludedUsers": "=[applicant]",
}
_PLACES = {
    "start": (160, 102, 36, 36),
    "check": (250, 80, 100, 80),
    "decide": (410, 80, 100, 80),
    "pay": (570, 80, 100, 80),
    "end": (732, 102, 36, 36),
    "question": (250, 220, 200, 120),
    "asked": (270, 262, 36, 36),
    "answered": (392, 262, 36, 36),
}
_FLOWS = (
    ("start", "check"),
    ("check", "decide"),
    ("decide", "pay"),
    ("pay", "end"),
    ("asked", "answered"),
)


def bpmn(*, pay: str = "=amount * 1", due: str = '=now() + duration("PT3H")', version: int = 1, **properties: str) -> bytes:
    """Return the process; `pay`: the script, `due`: the due date of the check, `properties`: more of the process's own."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions {_NAMESPACES}>
  <bpmn:message id="question-message" name="expense-question">
    <bpmn:extensionElements><zeebe:subscription correlationKey="=applicant" /></bpmn:extensionElements>
  </bpmn:message>
  <bpmn:process id="expense" name="报销" isExecutable="true">
    <bpmn:documentation>测试用流程，第 {version} 稿</bpmn:documentation>
    <bpmn:extensionElements>{_properties(_PROCESS_PROPERTIES | properties)}</bpmn:extensionElements>
    <bpmn:startEvent id="start" name="提出报销">
      <bpmn:extensionElements>
        <zeebe:formDefinition formId="expense-start" />
        {_properties({"initiator": "applicant"})}
      </bpmn:extensionElements>
    </bpmn:startEvent>
    <bpmn:userTask id="check" name="核对票据">
      <bpmn:extensionElements>
        <zeebe:userTask />
        <zeebe:formDefinition formId="expense-check" />
        <zeebe:assignmentDefinition candidateGroups="clerk" />
        <zeebe:taskSchedule dueDate="{due.replace('"', "&#34;")}" />
        {_properties({"name:en": "Check receipts"})}
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:userTask id="decide" name="审批">
      <bpmn:extensionElements>
        <zeebe:userTask />
        <zeebe:formDefinition formId="expense-decide" />
        <zeebe:assignmentDefinition candidateGroups="chair" />
        {_properties({"signed": "true"})}
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:scriptTask id="pay" name="计算付款">
      <bpmn:extensionElements><zeebe:script expression="{_escaped(pay)}" resultVariable="paid" /></bpmn:extensionElements>
    </bpmn:scriptTask>
    <bpmn:endEvent id="end" name="已付款" />
    {"".join(f'<bpmn:sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}" />' for a, b in _FLOWS[:4])}
    <bpmn:subProcess id="question" name="答复询问" triggeredByEvent="true">
      <bpmn:startEvent id="asked" name="有人询问" isInterrupting="false">
        <bpmn:extensionElements>
          {_properties({"offeredTo": "chair", "formId": "expense-question", "offerName": "询问申请人"})}
        </bpmn:extensionElements>
        <bpmn:messageEventDefinition id="question-event" messageRef="question-message" />
      </bpmn:startEvent>
      <bpmn:endEvent id="answered" name="已记录" />
      <bpmn:sequenceFlow id="asked-answered" sourceRef="asked" targetRef="answered" />
    </bpmn:subProcess>
  </bpmn:process>
  {_diagram()}
</bpmn:definitions>""".encode()


def forms() -> dict[str, bytes]:
    """Return the forms of the process."""
    choice = [{"label": "同意", "value": "approve"}, {"label": "不同意", "value": "reject"}]
    item = [_field("textfield", "what", "名目"), _field("number", "price", "金额", required=False)]
    return {
        "expense-start.form": _form(
            "expense-start",
            _field("textfield", "purpose", "事由", properties={"label:en": "Purpose"}),
            {**_field("number", "amount", "总额（元）"), "validate": {"required": True, "min": 1}, "decimalDigits": 2},
            {"type": "dynamiclist", "id": "items", "path": "items", "label": "明细", "isRepeating": True, "components": item,
             "defaultRepetitions": 1, "allowAddRemove": True},
            {"type": "filepicker", "id": "receipts", "key": "receipts", "label": "票据", "multiple": True},
        ),
        "expense-check.form": _form(
            "expense-check",
            {"type": "text", "id": "intro", "text": "# 核对\n事由：{{purpose}}"},
            _field("textarea", "opinion", "核对意见"),
            _field("datetime", "checked_at", "核对时间", required=False, subtype="datetime", dateLabel="核对时间",
                   timeSerializingFormat="utc_offset", timeInterval=1),
        ),
        "expense-decide.form": _form(
            "expense-decide",
            {**_field("radio", "decision", "决定"), "values": choice},
            _field("textarea", "reason", "理由") | {"validate": {"required": True, "minLength": 2}, "properties": {"rule": "C4"}},
        ),
        "expense-question.form": _form("expense-question", _field("textfield", "question_text", "问题")),
    }  # fmt: skip


def resources(**changes: Any) -> dict[str, bytes]:
    """Return everything to deploy."""
    return {"expense.bpmn": bpmn(**changes), **forms()}


def _field(kind: str, key: str, label: str, *, required: bool = True, **more: Any) -> dict[str, Any]:
    validate = {"validate": {"required": True}} if required else {}
    return {"type": kind, "id": f"field-{key}", "key": key, "label": label, **validate, **more}


def _form(form_id: str, *components: dict[str, Any]) -> bytes:
    schema = {
        "id": form_id,
        "type": "default",
        "schemaVersion": 18,
        "executionPlatform": "Camunda Cloud",
        "executionPlatformVersion": "8.7.0",
        "components": list(components),
    }
    return json.dumps(schema, ensure_ascii=False).encode()


def _properties(values: dict[str, str]) -> str:
    inner = "".join(f'<zeebe:property name="{name}" value="{_escaped(value)}" />' for name, value in values.items())
    return f"<zeebe:properties>{inner}</zeebe:properties>"


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&#34;").replace("<", "&lt;")


def _diagram() -> str:
    shapes = ""
    for name, (x, y, width, height) in _PLACES.items():
        expanded = ' isExpanded="true"' if name == "question" else ""
        shapes += (
            f'<bpmndi:BPMNShape id="{name}-shape" bpmnElement="{name}"{expanded}>'
            f'<dc:Bounds x="{x}" y="{y}" width="{width}" height="{height}" /></bpmndi:BPMNShape>'
        )
    edges = ""
    for a, b in _FLOWS:
        ax, ay, aw, ah = _PLACES[a]
        bx, by, _, bh = _PLACES[b]
        edges += (
            f'<bpmndi:BPMNEdge id="{a}-{b}-edge" bpmnElement="{a}-{b}"><di:waypoint x="{ax + aw}" y="{ay + ah // 2}" />'
            f'<di:waypoint x="{bx}" y="{by + bh // 2}" /></bpmndi:BPMNEdge>'
        )
    return (
        '<bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="expense">'
        f"{shapes}{edges}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )
