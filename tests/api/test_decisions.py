"""A business rule task's decision says why: in the journal, on the case's page, on the task's page, in the replay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.facade import Engine
from tests.unit.dmn.models import decision, definitions, table

from .conftest import Visitor

Visit = Callable[..., Visitor]

BPMN = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="http://bpmn.io/schema/bpmn"
  modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="graded" name="Graded" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:businessRuleTask id="grade">
      <bpmn:extensionElements><zeebe:calledDecision decisionId="path" resultVariable="path" /></bpmn:extensionElements>
    </bpmn:businessRuleTask>
    <bpmn:userTask id="look">
      <bpmn:extensionElements>
        <zeebe:userTask /><zeebe:assignmentDefinition candidateGroups="clerk" />
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:endEvent id="end" />
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="grade" />
    <bpmn:sequenceFlow id="f2" sourceRef="grade" targetRef="look" />
    <bpmn:sequenceFlow id="f3" sourceRef="look" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>"""
RISK = table("UNIQUE", {"amount": "number"}, {"risk": "string"}, ['< 1000 -> "low"', '>= 1000 -> "high" # T6.3 <b>'])
PATH = table("UNIQUE", {"risk": "string", "kind": "string"}, {"who": "string"}, ['"low";- -> "office"', '"high";"a" -> "board"'])
DMN = definitions(decision("risk", RISK), decision("path", PATH, "decision:risk"))


@pytest.fixture
def graded(engine: Engine) -> Callable[[dict[str, object]], int]:
    report = engine.deploy({"graded.bpmn": BPMN, "graded.dmn": DMN}, by="root")
    assert report.ok, report.as_text()
    return lambda variables: engine.start("graded", variables, by="anna")


def test_the_pages_name_the_rules_that_matched(visit: Visit, engine: Engine, graded: Callable[[dict[str, object]], int]) -> None:
    case = graded({"amount": 5000, "kind": "a"})
    (task,) = engine.tasks(instance=case)
    told = (
        "决策 path（第 1 版）：board",
        "「risk」规则 2 命中：amount = 5000 → risk = high（T6.3 &lt;b&gt;）",
        "「path」规则 2 命中：risk = high，kind = a → who = board",
    )
    for page in (visit("anna").get(f"/cases/{case}").text, visit("ben").get(f"/tasks/{task.key}").text):
        assert [line for line in told if line not in page] == []
    (event,) = [event for event in engine.journal(case) if event.kind == "DecisionEvaluated"]
    assert [step["name"] for step in event.payload["trace"]] == ["risk", "path"]
    assert engine.verify().ok


def test_no_match_and_warnings_are_told(visit: Visit, graded: Callable[[dict[str, object]], int]) -> None:
    page = visit("anna").get(f"/cases/{graded({'amount': '?', 'kind': 'a'})}").text
    assert "「risk」没有规则命中（amount = —）" in page
    assert "注意：输入 “amount” 的值 ? 应为 number" in page
