"""Reading BPMN: the forms a file can have, what is executed, what is refused and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import definitions
from engine.definitions import Finding
from engine.definitions.juel import to_feel
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    draw,
    each,
    element,
    end,
    event,
    ext,
    flow,
    io,
    message,
    props,
    script,
    service,
    start,
    timer,
    undone_by,
    user,
    z,
)

DATA = Path(__file__).parent / "data"
PLAIN = start() + user("u") + end() + chain("s", "u", "e")


def refused(body: str, *root: str) -> list[Finding]:
    """The refusals of a drawing."""
    return [f for f in definitions.read_bpmn(draw(body, *root), "t.bpmn").findings if f.verdict == "refused"]


def says(body: str, *root: str) -> str:
    """All refusals of a drawing as one text."""
    return "\n".join(f"{f.element_type} {f.element_id} {f.element_name} {f.attribute}: {f.reason}" for f in refused(body, *root))


# --- forms of a file


def test_any_prefix_and_the_default_namespace() -> None:
    bpmn = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    inner = '<{p}startEvent id="s"/><{p}userTask id="u"/><{p}sequenceFlow sourceRef="s" targetRef="u"/>'
    body = '<{p}process id="P" isExecutable="true">' + inner + "</{p}process>"
    for prefix, declared in (("", f'xmlns="{bpmn}"'), ("bpmn2:", f'xmlns:bpmn2="{bpmn}"'), ("x:", f'xmlns:x="{bpmn}"')):
        file = definitions.read_bpmn(
            f"<{prefix}definitions {declared}>{body.format(p=prefix)}</{prefix}definitions>".encode(), "t.bpmn"
        )
        assert file.ok
        assert Play(file.processes[0]).names == ["u"]


def test_other_encodings() -> None:
    text = draw(start() + user("u", name="审查") + end() + chain("s", "u", "e")).decode()
    for encoding in ("utf-8", "utf-16", "gb18030"):
        data = text.replace('version="1.0"', f'version="1.0" encoding="{encoding}"').encode(encoding)
        file = definitions.read_bpmn(data, "t.bpmn")
        assert file.processes[0].elements["u"].name == "审查"


def test_the_hash_is_of_the_bytes() -> None:
    first, second = definitions.read_bpmn(draw(PLAIN), "a.bpmn"), definitions.read_bpmn(draw(PLAIN) + b"\n", "a.bpmn")
    assert len(first.sha256) == 64
    assert first.sha256 != second.sha256


def test_event_definitions_by_reference() -> None:
    body = (
        start()
        + element("intermediateCatchEvent", "t", "<b:eventDefinitionRef>T</b:eventDefinitionRef>")
        + end()
        + chain("s", "t", "e")
    )
    root = '<b:timerEventDefinition id="T"><b:timeDuration>PT1H</b:timeDuration></b:timerEventDefinition>'
    assert len(Play(body, root).timers) == 1
    assert "no such event definition" in says(body)


def test_lanes_pools_annotations_and_data_objects_are_kept() -> None:
    lanes = '<b:laneSet id="L"><b:lane id="l1" name="室"><b:flowNodeRef>u</b:flowNodeRef></b:lane></b:laneSet>'
    notes = '<b:textAnnotation id="n"><b:text>x</b:text></b:textAnnotation><b:association id="as" sourceRef="n" targetRef="u"/>'
    objects = '<b:dataObject id="d"/><b:dataObjectReference id="dr" dataObjectRef="d"/><b:group id="gr"/>'
    pool = '<b:collaboration id="C"><b:participant id="pa" processRef="P"/></b:collaboration>'
    file = definitions.read_bpmn(draw(lanes + notes + objects + PLAIN, pool), "t.bpmn")
    assert file.ok
    kept = {f.element_id for f in file.findings if f.verdict == "kept"}
    assert {"L", "l1", "n", "as", "d", "dr", "gr", "C", "pa"} <= kept


def test_a_pool_that_is_not_executable_is_kept() -> None:
    other = '<b:process id="Q" isExecutable="false"><b:userTask id="zz"/><b:complexGateway id="cg"/></b:process>'
    file = definitions.read_bpmn(draw(PLAIN, other), "t.bpmn")
    assert file.ok
    assert [p.id for p in file.processes] == ["P"]


def test_everything_in_a_file_has_a_verdict() -> None:
    file = definitions.read_bpmn(draw(PLAIN), "t.bpmn")
    found = {(f.element_type, f.element_id, f.attribute): f.verdict for f in file.findings}
    assert found["userTask", "u", None] == "executed"
    assert found["zeebe:userTask", "u", None] == "executed"
    assert found["sequenceFlow", "P", "sourceRef"] == "executed"
    assert found["definitions", "D", None] == "executed"


def test_the_model() -> None:
    body = (
        start("s", ext(z("formDefinition", formId="apply"), props(initiator="who")))
        + user("u", props(rule="T1.1, C4"))
        + end()
        + chain("s", "u", "e")
    )
    head = ext(
        z("versionTag", value="v2"),
        props(
            candidateStarterGroups="researcher, office",
            businessId="SAE-{year}-{sequence:4}",
            subject="=title",
            summary="title, amount",
        ),
    )
    process = definitions.read_bpmn(draw(head + "<b:documentation>Why.</b:documentation>" + body), "t.bpmn").processes[0]
    assert process.version_tag == "v2"
    assert process.candidate_starter_groups == ("researcher", "office")
    assert process.business_id == "SAE-{year}-{sequence:4}"
    assert process.subject is not None
    assert process.summary == ("title", "amount")
    assert process.documentation == "Why."
    assert [e.id for e in process.start_events] == ["s"]
    assert process.elements["s"].form_id == "apply"
    assert process.elements["s"].initiator == "who"
    assert process.elements["u"].rules == ("T1.1", "C4")
    with pytest.raises(TypeError):
        process.elements["u"] = process.elements["s"]  # type: ignore[index]


# --- samples of Camunda Modeler's own panels


def test_what_modeler_writes_for_camunda_8() -> None:
    file = definitions.read_bpmn((DATA / "modeler-c8.bpmn").read_bytes(), "modeler-c8.bpmn")
    found = {(f.element_id, f.element_type) for f in file.findings if f.verdict == "refused"}
    assert found == {
        ("UT", "zeebe:input"),
        ("UT", "zeebe:output"),
        ("UT", "zeebe:header"),
        ("UT", "zeebe:taskListener"),
        ("UT", "zeebe:executionListener"),
        ("BR", "zeebe:calledDecision"),
        ("SC", "scriptTask"),
        ("SD", "sendTask"),
        ("TI", "timeDate"),
        ("MI", "zeebe:loopCharacteristics"),
        ("BT", "timeDuration"),
        ("Escalation_0opnanb", "escalation"),
    }
    first = next(f for f in file.findings if f.verdict == "refused")
    assert (first.element_id, first.element_name, first.line) == ("UT", "审查", 12)


def test_what_modeler_writes_for_camunda_7() -> None:
    file = definitions.read_bpmn((DATA / "modeler-c7.bpmn").read_bytes(), "modeler-c7.bpmn")
    assert {(f.element_id, f.element_type) for f in file.findings if f.verdict == "refused"} == {
        ("UT", "camunda:taskListener"),
        ("UT", "camunda:executionListener"),
        ("SC", "scriptTask"),
        ("SD", "sendTask"),
    }
    process = file.processes[0]
    task = process.elements["UT"]
    assert task.user is not None
    assert task.user.assignee is not None
    assert task.user.assignee.text == "=pi"
    assert task.form_id == "ethics"
    assert process.elements["MI"].form_id == "vote"
    loop = process.elements["MI"].loop
    assert loop is not None
    assert loop.condition is not None
    assert loop.condition.text == "=numberOfCompletedInstances >= 3"
    call = process.elements["CA"].call
    assert call is not None
    assert (call.variables_in, call.variables_out) == (True, False)
    assert process.elements["ST"].job is not None


# --- what is refused, by name


def condition(text: str, **filtered: str) -> str:
    given = ext(z("conditionalFilter", **filtered)) if filtered else ""
    return f"<b:conditionalEventDefinition>{given}<b:condition>{text}</b:condition></b:conditionalEventDefinition>"


def sub_with(inner: str) -> str:
    return element("subProcess", "sp", start("sp-s") + inner)


UNSUPPORTED = {
    "has no cancel boundary event": element("transaction", "t", start("y") + end("x", event("cancel")) + flow("y", "x")),
    "only in a transaction": end("x", event("cancel")),
    "compensation only": element("transaction", "x", start("y"), method="##Store"),
    "only a transaction has": boundary("x", "u", event("cancel")),
    "adHocSubProcess": element("adHocSubProcess", "x"),
    "cannot start by a condition": start("x", condition("=a")),
    "has no condition": element("intermediateCatchEvent", "x", "<b:conditionalEventDefinition/>"),
    "must be create or update": element("intermediateCatchEvent", "x", condition("=a", variableEvents="delete")),
    "needs one association": boundary("x", "u", event("compensate")),
    "is no activity for compensation in": undone_by("u", user("v"), "v", "x"),
    "has no outgoing flow": undone_by("u", user("v", isForCompensation="true"), "v", "x") + flow("x", "w") + user("w"),
    "has one already": undone_by("u", user("v", isForCompensation="true"), "v", "y")
    + undone_by("u", user("w", isForCompensation="true"), "w", "x"),
    "has no sequence flows": user("x", isForCompensation="true") + flow("x", "y") + user("y"),
    "put it into a sub-process": user("x", isForCompensation="true") + boundary("y", "x", timer("PT1H")),
    "is not in its scope": element("endEvent", "x", '<b:compensateEventDefinition activityRef="y"/>') + sub_with(user("y")),
    "nobody compensates a process": element(
        "subProcess", "y", start("x", event("compensate")) + end("z") + flow("x", "z"), triggeredByEvent="true"
    ),
    "cannot be one of several": element("intermediateCatchEvent", "x", timer("PT1H") + '<b:linkEventDefinition name="L"/>'),
    "cannot have a cycle": element(
        "boundaryEvent",
        "x",
        timer("R/PT1H", "timeCycle") + timer("PT1H"),
        attachedToRef="u",
        parallelMultiple="true",
        cancelActivity="false",
    ),
    "exclude each other": end("x", event("terminate") + event("cancel")),
    "at most one message": end("x", event("compensate") + event("compensate")),
    "by several events together": start("x", timer("PT1H") + timer("PT2H"), parallelMultiple="true"),
    "at most one timer": start("x", timer("PT1H") + timer("PT2H")),
    "no start or end events": element("adHocSubProcess", "y", end("x") + user("z")),
    "activationCondition": element("complexGateway", "x") + flow("u", "x") + flow("u", "x"),
    "instantiate": element("receiveTask", "x", messageRef="M", instantiate="true") + flow("u", "x"),
    "standard": element("userTask", "x", "<b:standardLoopCharacteristics/>"),
    "loopMaximum": element("userTask", "x", '<b:standardLoopCharacteristics loopMaximum="0"/>'),
    "behavior": element("userTask", "x", '<b:multiInstanceLoopCharacteristics behavior="One"/>'),
    "startQuantity": element("userTask", "x", startQuantity="0"),
    "completionQuantity": element("userTask", "x", completionQuantity="many"),
    "only activities": element("parallelGateway", "x", startQuantity="2"),
    "eventGatewayType": element("eventBasedGateway", "x", eventGatewayType="Parallel"),
    "no task definition": element("serviceTask", "x"),
    "zeebe:script": element("scriptTask", "x", "<b:script>1+1</b:script>"),
    "called decision": element("businessRuleTask", "x"),
    "no called process": element("callActivity", "x"),
    "needs a task definition": element("intermediateThrowEvent", "x", event("message")),
    "the event has no event definition": element("intermediateCatchEvent", "x"),
    "exactly one none start event": element("subProcess", "x", start("y") + start("z")),
    "no start event": element("subProcess", "x"),
    "exactly one start event with a trigger": element("subProcess", "x", start("y"), triggeredByEvent="true"),
    "cannot have outgoing": end("x") + flow("x", "u"),
    "has no code": element("endEvent", "x", event("error", "NOCODE")),
    "cannot repeat": boundary("x", "u", timer("R/PT1H", "timeCycle")),
    "always interrupt": boundary("x", "u", event("error"), interrupting=False),
    "no correlation key": element("receiveTask", "x", messageRef="NOKEY"),
    "cron": boundary("x", "u", timer("0 0 25 * * *", "timeCycle"), interrupting=False),
    "no input collection": user("x", inner="<b:multiInstanceLoopCharacteristics/>"),
    "not one of its own": user("x", default="nowhere"),
    "no catch event": element("intermediateThrowEvent", "x", '<b:linkEventDefinition name="L"/>'),
    "listeners": user("x", z("taskListeners", z("taskListener", eventType="creating", type="t"))),
    "is not a catch event": element("eventBasedGateway", "x") + flow("x", "u"),
    "cannot be attached": boundary("x", "s", timer("PT1H")),
    "attachedToRef is dangling": boundary("x", "nobody", timer("PT1H")),
    "no meaning on a": element("userTask", "x", ext(z("script", expression="=1", resultVariable="r"))),
    "embedded forms": user("x", z("formDefinition", formKey="camunda-forms:bpmn:f")),
    "FEEL": script("x", "r", "1 +"),
    "there is no function": script("x", "r", "frobnicate(1) + count([1])"),
    "escalationRef is missing": element("endEvent", "x", event("escalation")),
    "this element is not supported": element("userTask", "x", "<b:nonsense/>"),
    "this attribute is not supported": element("userTask", "x", nonsense="1"),
}
REFS = ('<b:error id="NOCODE" name="n"/>', message("NOKEY", "n", None), message("M", "m"))


@pytest.mark.parametrize("word", UNSUPPORTED)
def test_refused_by_name(word: str) -> None:
    said = says(PLAIN + UNSUPPORTED[word], *REFS)
    assert said, "it must be refused"
    assert " x " in said or "x-" in said or " NOCODE" in said or " t " in said, said


@pytest.mark.parametrize(
    "word",
    [
        "standard",
        "cron",
        "FEEL",
        "cannot repeat",
        "listeners",
        "no correlation key",
        "no catch event",
        "has no cancel boundary event",
        "only in a transaction",
        "compensation only",
        "only a transaction has",
        "cannot start by a condition",
        "has no condition",
        "must be create or update",
        "needs one association",
        "is no activity for compensation in",
        "has no outgoing flow",
        "has one already",
        "has no sequence flows",
        "put it into a sub-process",
        "is not in its scope",
        "nobody compensates a process",
        "cannot be one of several",
        "cannot have a cycle",
        "exclude each other",
        "at most one message",
        "by several events together",
        "at most one timer",
    ],
)
def test_a_refusal_says_why(word: str) -> None:
    assert word.casefold() in says(PLAIN + UNSUPPORTED[word], *REFS).casefold()


def test_references_that_dangle() -> None:
    said = says(PLAIN + flow("u", "nowhere", flow_id="f9") + element("endEvent", "x", event("error", "Nope")))
    assert "f9" in said
    assert "Nope" in said
    assert says(PLAIN + flow("gone", "u")).startswith("sequenceFlow P")


def test_duplicate_ids() -> None:
    assert "duplicate id" in says(PLAIN + user("u"))
    assert "duplicate id" in says(PLAIN + element("subProcess", "sp", start("s") + chain("s", "u")))


def test_flows_that_cross_a_sub_process() -> None:
    assert "crosses" in says(start() + element("subProcess", "sp", start("s2") + user("u")) + flow("s", "u"))


def test_an_exclusive_gateway_without_condition() -> None:
    body = (
        start()
        + element("exclusiveGateway", "g")
        + user("a")
        + user("b")
        + flow("s", "g")
        + flow("g", "a", "=x")
        + flow("g", "b", flow_id="fb")
    )
    assert "fb" in says(body)


def test_no_executable_process_and_other_files() -> None:
    assert "no executable process" in refused_text(b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>')
    assert "not a BPMN" in refused_text(b"<html/>")
    assert "not well-formed" in refused_text(b"<a>")
    assert refused_text(b"")
    assert refused_text(b"\x00\xff\xfe")


def refused_text(data: bytes) -> str:
    file = definitions.read_bpmn(data, "t.bpmn")
    assert not file.ok
    return "\n".join(f.reason for f in file.findings if f.verdict == "refused")


def test_zeebe_in_detail() -> None:
    task = user("u", io({"a": "=1"}), z("assignmentDefinition", assignee="=1 +"), z("priorityDefinition", priority="high"))
    said = says(start() + task + end() + chain("s", "u", "e"))
    assert "assignee" in said
    assert "line 1, column" in said
    assert "priority" in said
    assert "messages" not in says(start() + service("w", job="=kind") + end() + chain("s", "w", "e"))
    assert "must be given together" in says(
        start() + user("u", inner=each("xs", "x", collect="o")) + end() + chain("s", "u", "e")
    )


@pytest.mark.parametrize(
    "bad",
    [
        user("u", props(signed="maybe")),
        user("u", props(stops="no-such-clock")),
        user("u", props(excludedUsers="=[")),
        user("u", props(pastDue="fire")),
        user("u", props(offeredTo="x")),
        user("u", props(initiator="x")),
        user("u", props(businessId="x")),
        user("u", props(rule="")),
        user("u", props(clock="=x")),
        user("u", props(formId="f")),
    ],
)
def test_our_own_properties_are_checked(bad: str) -> None:
    assert "zeebe:property u" in says(start() + bad + end() + chain("s", "u", "e"))


def test_past_due_on_an_intermediate_event_would_wait_for_ever() -> None:
    on = element("intermediateCatchEvent", "t", ext(props(pastDue="record")) + timer("PT1H"))
    assert "wait for ever" in says(start() + on + end() + chain("s", "t", "e"))


def test_unknown_extensions_are_said_not_hidden() -> None:
    other = '<x:thing xmlns:x="http://example.org/x" a="1"/>'
    file = definitions.read_bpmn(draw(start() + user("u", other) + end() + chain("s", "u", "e")), "t.bpmn")
    assert file.ok
    assert [f.element_type for f in file.findings if f.verdict == "warning"] == ["thing"]


def test_unreached_elements_are_said() -> None:
    file = definitions.read_bpmn(draw(PLAIN + user("lost")), "t.bpmn")
    assert [(f.element_id, f.verdict) for f in file.findings if f.verdict == "warning"] == [("lost", "warning")]


# --- plain BPMN and Camunda 7


def test_plain_bpmn_conditions_are_feel_without_a_sign() -> None:
    gate = '<b:exclusiveGateway id="g" default="d"/>'
    body = (
        '<b:startEvent id="s"/><b:userTask id="a"/><b:userTask id="b"/>'
        + gate
        + flow("s", "g")
        + flow("g", "a", "x > 1")
        + flow("g", "b", flow_id="d")
    )
    assert Play(body, x=2).names == ["a"]
    assert Play(body, x=1).names == ["b"]


@pytest.mark.parametrize(
    ("juel", "feel"),
    [
        ("${a.b >= 3 && c == 'x'}", 'a.b >= 3 and c = "x"'),
        ("#{not ok or !done}", "not ( ok ) or not ( done )"),
        ("${nrOfInstances}", "numberOfInstances"),
        ("${empty}", "empty"),
        ("${a != null}", "a != null"),
        ("${!(a lt 3)}", "not ( a < 3 )"),
    ],
)
def test_simple_juel(juel: str, feel: str) -> None:
    assert to_feel(juel) == feel


@pytest.mark.parametrize(
    "juel",
    [
        *("${execution.getVariable('x')}", "text ${x}", "${x[0]}", "${}", "${a ? b : c}", "${loopCounter}", "${!}"),
        *("${empty x}", "${empty x || y}", "${a mod 2 == 0}", "${x instanceof y}", "${a b}"),
    ],
)
def test_juel_that_is_refused(juel: str) -> None:
    with pytest.raises(ValueError, match="/"):
        to_feel(juel)


def test_camunda_7_code_is_refused() -> None:
    said = says(start() + '<b:serviceTask id="w" c:class="com.example.Send"/>' + end() + chain("s", "w", "e"))
    assert "camunda:class" in said
    assert " w " in said


def test_a_plain_call_activity() -> None:
    body = '<b:startEvent id="s"/><b:callActivity id="c" calledElement="child"/>' + flow("s", "c")
    assert [c.called_process_id for c in Play(body).calls] == ["child"]


def test_properties_of_a_flow() -> None:
    given = ext(props(rule="T1"))
    body = start() + user("u") + f'<b:sequenceFlow id="f" sourceRef="s" targetRef="u">{given}</b:sequenceFlow>'
    file = definitions.read_bpmn(draw(body), "t.bpmn")
    assert file.ok
    assert file.processes[0].flows["f"].properties == {"rule": "T1"}


@pytest.mark.parametrize("language", ["groovy", "http://www.java.com/java"])
def test_expressions_of_other_languages(language: str) -> None:
    gate = element("exclusiveGateway", "g", default="d")
    inner = f'<b:conditionExpression language="{language}">x</b:conditionExpression>'
    condition = element("sequenceFlow", "f", inner, sourceRef="g", targetRef="u")
    assert "only FEEL" in says(start() + gate + user("u") + end() + flow("s", "g") + condition + flow("g", "e", flow_id="d"))


@pytest.mark.parametrize("kind", ["error", "escalation", "message"])
def test_two_catchers_of_the_same_at_one_place_are_refused(kind: str) -> None:
    trigger = event(kind, "m" if kind == "message" else None)
    ends = end("e1") + flow("b1", "e1") + flow("b2", "e1")
    body = start() + user("u") + chain("s", "u") + boundary("b1", "u", trigger) + boundary("b2", "u", trigger) + ends
    assert [f.element_id for f in refused(body, message("m", "paid"))] == ["b2"]
    subs = "".join(
        element("subProcess", f"v{i}", start(f"s{i}", trigger) + end(f"x{i}") + chain(f"s{i}", f"x{i}"), triggeredByEvent="true")
        for i in (1, 2)
    )
    assert [f.element_id for f in refused(PLAIN + subs, message("m", "paid"))] == ["s2"]


def test_two_start_events_for_one_message_are_refused() -> None:
    body = start("s1", event("message", "m")) + start("s2", event("message", "m")) + end() + flow("s1", "e") + flow("s2", "e")
    assert [f.element_id for f in refused(body, message("m", "paid", None))] == ["s2"]


def test_booleans_are_those_of_xml() -> None:
    body = PLAIN + boundary("b", "u", timer("PT1H")).replace('"true"', '"0"') + end("e1") + flow("b", "e1")
    data = draw(body).replace(b'isExecutable="true"', b'isExecutable="1"')
    (process,) = definitions.read_bpmn(data, "t.bpmn").processes
    assert not process.elements["b"].interrupting
