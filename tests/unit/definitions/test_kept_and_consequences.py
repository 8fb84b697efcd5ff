"""What is kept without being executed, and that a refused element brings no findings about what leads to it."""

from __future__ import annotations

import pytest

from engine import definitions
from engine.definitions import BpmnFile
from tests.unit.kernel.drawing import NAMESPACES, boundary, chain, draw, element, end, flow, start, timer, user


def read(body: str, *root: str) -> BpmnFile:
    return definitions.read_bpmn(draw(body, *root), "t.bpmn")


def verdicts(file: BpmnFile, tag: str) -> set[tuple[str, str]]:
    """Verdicts and reasons of the elements of a tag."""
    return {(f.verdict, f.reason) for f in file.findings if f.element_type == tag and f.attribute is None}


IO = (
    '<b:ioSpecification><b:dataInput id="i1"/><b:dataOutput id="o1"/>'
    "<b:inputSet><b:dataInputRefs>i1</b:dataInputRefs></b:inputSet>"
    "<b:outputSet><b:dataOutputRefs>o1</b:dataOutputRefs></b:outputSet></b:ioSpecification>"
)
DATA = {
    "dataObject": '<b:dataObject id="do" isCollection="true"><b:dataState id="ds" name="new"/></b:dataObject>',
    "dataObjectReference": '<b:dataObject id="do"/><b:dataObjectReference id="dor" dataObjectRef="do" name="Form"/>',
    "dataStoreReference": '<b:dataStoreReference id="dsr" dataStoreRef="store"/>',
    "laneSet": '<b:laneSet id="ls"><b:lane id="l" name="Office"><b:flowNodeRef>u</b:flowNodeRef></b:lane></b:laneSet>',
    "textAnnotation": '<b:textAnnotation id="ta"><b:text>why</b:text></b:textAnnotation>'
    '<b:association sourceRef="u" targetRef="ta"/>',
    "group": '<b:group id="gr" categoryValueRef="cv"/>',
}


@pytest.mark.parametrize("tag", DATA)
def test_drawn_data_and_notes_are_kept(tag: str) -> None:
    root = (
        '<b:dataStore id="store" name="Archive" capacity="3"/>',
        '<b:category id="c"><b:categoryValue id="cv" value="x"/></b:category>',
    )
    file = read(DATA[tag] + start() + user("u") + end() + chain("s", "u", "e"), *root)
    assert file.ok, [f.reason for f in file.findings if f.verdict == "refused"]
    assert {verdict for verdict, _ in verdicts(file, tag)} == {"kept"}


@pytest.mark.parametrize("tag", ["ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation"])
def test_data_of_a_task_is_kept_and_the_report_says_that_it_is_not_executed(tag: str) -> None:
    inner = {
        "ioSpecification": IO,
        "property": '<b:property id="p" name="x"/>',
        "dataInputAssociation": '<b:dataInputAssociation id="a"><b:targetRef>i1</b:targetRef></b:dataInputAssociation>',
        "dataOutputAssociation": '<b:dataOutputAssociation id="a"><b:targetRef>do</b:targetRef></b:dataOutputAssociation>',
    }[tag]
    file = read(start() + user("u", inner=inner) + end() + chain("s", "u", "e"))
    assert file.ok, [f.reason for f in file.findings if f.verdict == "refused"]
    said = verdicts(file, tag)
    assert {verdict for verdict, _ in said} == {"kept", "warning"}
    assert all("not executed" in reason for _, reason in said)


def test_pools_message_flows_and_several_processes() -> None:
    one = '<b:process id="A" isExecutable="true">' + start() + end() + chain("s", "e") + "</b:process>"
    other = '<b:process id="B" isExecutable="true">' + start("s2") + end("e2") + chain("s2", "e2") + "</b:process>"
    black = '<b:process id="C" isExecutable="false"><b:task id="t"/></b:process>'
    pools = "".join(f'<b:participant id="P{p}" processRef="{p}"/>' for p in "ABC")
    pools += '<b:participant id="PD"><b:participantMultiplicity maximum="3"/></b:participant>'
    pools += '<b:messageFlow id="mf" sourceRef="PA" targetRef="PB"/>'
    data = (
        f'<b:definitions {NAMESPACES} id="D"><b:collaboration id="K">{pools}</b:collaboration>{one}{other}{black}</b:definitions>'
    )
    file = definitions.read_bpmn(data.encode(), "t.bpmn")
    assert file.ok, [f.reason for f in file.findings if f.verdict == "refused"]
    assert [p.id for p in file.processes] == ["A", "B"]


def test_global_tasks_are_kept_and_calling_one_is_refused_by_name() -> None:
    task = '<b:globalUserTask id="G" name="Ask"/>'
    assert read(start() + end() + chain("s", "e"), task).ok
    call = element("callActivity", "c", calledElement="G")
    data = draw(start() + call + end() + chain("s", "c", "e"), task)
    (said,) = [f for f in definitions.read_bpmn(data, "t.bpmn").findings if f.verdict == "refused"]
    assert (said.element_id, "global tasks cannot be called" in said.reason) == ("c", True)


def test_a_refused_element_is_the_only_finding() -> None:
    odd = element("implicitThrowEvent", "x")
    body = start() + odd + user("u", default="f1") + element("exclusiveGateway", "g", default="f2") + end()
    body += chain("s", "x", "u", "g", "e") + flow("u", "x", flow_id="f1") + flow("g", "x", flow_id="f2")
    body += boundary("b", "x", timer("PT1H")) + flow("b", "u")
    problems = [(f.element_id, f.verdict) for f in read(body).findings if f.verdict in {"refused", "warning"}]
    assert problems == [("x", "refused")]


def test_what_really_dangles_is_still_said() -> None:
    file = read(start() + user("u") + chain("s", "u") + flow("u", "nowhere", flow_id="f9"))
    assert [f.element_id for f in file.findings if f.verdict == "refused"] == ["f9"]


def test_a_user_task_that_nobody_is_named_for_says_so_in_the_full_report() -> None:
    file = read(start() + user("u") + end() + chain("s", "u", "e"))
    assert not [f for f in file.findings if f.verdict == "warning"]
    ((verdict, reason),) = verdicts(file, "userTask")
    assert (verdict, "only administrators" in reason) == ("executed", True)
