"""A case in whose ad-hoc sub-process clerks choose what starts."""

from __future__ import annotations

from engine.facade import Engine

_TASK = """<bpmn:userTask id="{0}" name="{0}"><bpmn:extensionElements><zeebe:userTask />
 <zeebe:assignmentDefinition candidateGroups="clerk" /></bpmn:extensionElements></bpmn:userTask>"""
BPMN = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
 xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="http://bpmn.io/schema/bpmn"
 modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="chosen" name="自选" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="choose" />
    <bpmn:adHocSubProcess id="choose" name="可选工作">
      <bpmn:extensionElements>
        <zeebe:adHoc activeElementsCollection="=[&#34;wait&#34;]" />
        <zeebe:properties><zeebe:property name="offeredTo" value="clerk" /></zeebe:properties>
      </bpmn:extensionElements>
      {_TASK.format("call")}
      {_TASK.format("visit")}
      {_TASK.format("wait")}
    </bpmn:adHocSubProcess>
    <bpmn:sequenceFlow id="b" sourceRef="choose" targetRef="end" />
    <bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>"""


def start(engine: Engine) -> tuple[int, int]:
    """Deploy it, start a case by Chris; return the keys of the case and of the sub-process."""
    engine.deploy({"chosen.bpmn": BPMN}, by="root")
    case = engine.start("chosen", by="chris")
    engine.set_variables(case, {"seen": True}, by="root")
    return case, next(item.key for item in engine.element_instances(case) if item.element_id == "choose")
