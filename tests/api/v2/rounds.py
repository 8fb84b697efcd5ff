"""A case with a round of review whose variables only its members may read before it closes."""

from __future__ import annotations

from engine import commands
from engine.facade import Engine

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
 xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="http://bpmn.io/schema/bpmn"
 modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="round" name="盲评" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="review" />
    <bpmn:subProcess id="review" name="评审">
      <bpmn:extensionElements>
        <zeebe:ioMapping><zeebe:input source="=42" target="score" /></zeebe:ioMapping>
        <zeebe:properties><zeebe:property name="visibleTo" value="clerk" /></zeebe:properties>
      </bpmn:extensionElements>
      <bpmn:startEvent id="inner" />
      <bpmn:sequenceFlow id="b" sourceRef="inner" targetRef="judge" />
      <bpmn:userTask id="judge" name="打分">
        <bpmn:extensionElements>
          <zeebe:userTask />
          <zeebe:assignmentDefinition candidateGroups="clerk" />
        </bpmn:extensionElements>
      </bpmn:userTask>
      <bpmn:sequenceFlow id="c" sourceRef="judge" targetRef="done" />
      <bpmn:endEvent id="done" />
    </bpmn:subProcess>
    <bpmn:sequenceFlow id="e" sourceRef="review" targetRef="end" />
    <bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>"""


def start(engine: Engine) -> tuple[int, int]:
    """Deploy it, start a case by Chris, and mark the task of the round; return the keys of case and task."""
    engine.deploy({"round.bpmn": BPMN}, by="root")
    instance = engine.start("round", by="chris")
    task = engine.tasks(instance=instance)[0].key
    commands.set_variables(engine.context, instance, {"mark": 3}, None, scope_key=task)
    return instance, task
