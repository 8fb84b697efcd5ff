"""Camunda 7's simple forms and plain BPMN, executed."""

from __future__ import annotations

from engine import definitions
from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play, boundary, chain, draw, element, end, event, flow, start


def c7(tag: str, element_id: str, attributes: str = "", inner: str = "") -> str:
    return f'<b:{tag} id="{element_id}" {attributes}>{inner}</b:{tag}>'


def loop(attributes: str) -> str:
    return f"<b:multiInstanceLoopCharacteristics {attributes}/>"


def test_a_camunda_7_case() -> None:
    task = c7(
        "userTask",
        "u",
        'c:assignee="${pi}" c:candidateGroups="office,ethics" c:priority="60" c:formRef="f" c:formRefBinding="latest"',
    )
    gate = element("exclusiveGateway", "g", default="d")
    votes = c7("userTask", "v", 'c:assignee="${who}"', loop('c:collection="people" c:elementVariable="who"'))
    mail = c7("serviceTask", "w", 'c:type="external" c:topic="mail"')
    body = c7("startEvent", "s", 'c:initiator="starter"') + task + gate + votes + mail + end()
    play = Play(body + chain("s", "u", "g") + flow("g", "v", "${amount >= 10 && kind == 'a'}") + flow("g", "w", flow_id="d")
                + chain("v", "e") + chain("w", "e"), pi="zhao", people=["qian", "sun"])  # fmt: skip
    made = play.tasks[0]
    assert (made.assignee, made.candidate_groups, made.priority, made.form_id) == ("zhao", ("office", "ethics"), 60, "f")
    play.do("u", amount=10, kind="a")
    assert [t.assignee for t in play.tasks] == ["qian", "sun"]
    again = Play(play.process, pi="zhao", people=[])
    again.do("u", amount=1, kind="a")
    assert [j.type for j in again.jobs] == ["mail"]
    assert play.process.elements["s"].initiator == "starter"


def test_camunda_7_calls_and_parameters() -> None:
    call = c7(
        "callActivity",
        "k",
        'calledElement="child"',
        '<b:extensionElements><c:in source="x" target="y"/><c:out source="r" target="result"/></b:extensionElements>',
    )
    play = Play(start() + call + end() + chain("s", "k", "e"), x=1)
    assert dict(play.calls[0].variables) == {"y": 1}
    play.take(play.instance.child_ended(play.calls[0].key, a.InstanceEnded("COMPLETED", {"r": 5, "noise": 1})))
    assert play.vars == {"x": 1, "result": 5}


def test_camunda_7_error_variables() -> None:
    caught = boundary("b", "w", '<b:errorEventDefinition c:errorCodeVariable="code" c:errorMessageVariable="text"/>')
    body = start() + c7("serviceTask", "w", 'c:type="external" c:topic="t"') + caught + element("userTask", "u") + end()
    play = Play(body + chain("s", "w", "e") + chain("b", "u", "e"))
    play.fail("w", "LOST", "gone")
    assert play.names == ["u"]
    assert play.vars == {"code": "LOST", "text": "gone"}


def test_a_feel_script_in_camunda_7() -> None:
    script = c7("scriptTask", "k", 'scriptFormat="feel" c:resultVariable="y"', "<b:script>x * 2</b:script>")
    assert Play(start() + script + end() + chain("s", "k", "e"), x=4).vars["y"] == 8


def test_plain_bpmn_messages_wait_without_key() -> None:
    body = '<b:startEvent id="s"/><b:receiveTask id="r" messageRef="M"/><b:endEvent id="e"/>' + chain("s", "r", "e")
    play = Play(body, '<b:message id="M" name="paid"/>')
    assert [(m.message, m.correlation_key) for m in play.messages] == [("paid", "")]
    play.send("r", amount=5)
    assert play.completed
    assert play.vars == {"amount": 5}


def test_plain_bpmn_timers_may_be_feel_without_a_sign() -> None:
    catch = element(
        "intermediateCatchEvent", "t", "<b:timerEventDefinition><b:timeDuration>wait</b:timeDuration></b:timerEventDefinition>"
    )
    body = '<b:startEvent id="s"/>' + catch + '<b:endEvent id="e"/>' + chain("s", "t", "e")
    assert Play(body, wait="PT1H").timers[0].text == "PT1H"


def test_element_templates_leave_their_marks() -> None:
    body = start() + '<b:userTask id="u" z:modelerTemplate="x" z:modelerTemplateVersion="1"/>' + end() + chain("s", "u", "e")
    play = Play(body)
    assert play.names == ["u"]
    assert isinstance(play.process, definitions.Process)


def test_an_error_of_any_code() -> None:
    body = start() + element("serviceTask", "w", '<b:extensionElements><z:taskDefinition type="t"/></b:extensionElements>')
    body += boundary("b", "w", event("error")) + element("userTask", "u") + end() + chain("s", "w", "e") + chain("b", "u", "e")
    play = Play(body)
    play.fail("w", "ANYTHING")
    assert play.names == ["u"]


def test_a_plain_script_sets_the_entries_of_its_context() -> None:
    script = element("scriptTask", "w", "<b:script>{a: 1 + 1, b: a * x}</b:script>", scriptFormat="FEEL")
    play = Play(start() + script + end() + chain("s", "w", "e"), x=5)
    assert play.vars == {"x": 5, "a": 2, "b": 10}
    quiet = element("scriptTask", "w", "<b:script>x + 1</b:script>", scriptFormat="application/feel")
    assert Play(start() + quiet + end() + chain("s", "w", "e"), x=5).vars == {"x": 5}


def test_a_plain_script_in_another_language_is_refused() -> None:
    script = element("scriptTask", "w", "<b:script>x = 1</b:script>", scriptFormat="python")
    report = definitions.check({"p.bpmn": draw(start() + script + end() + chain("s", "w", "e"))})
    assert [(f.element_id, "python" in f.reason) for f in report.refusals] == [("w", True)]
