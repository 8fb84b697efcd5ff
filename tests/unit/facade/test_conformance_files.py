"""Files as the world writes them run; what cannot be run rightly is refused by the element's id; hostile ones at once."""

from __future__ import annotations

import time

import pytest

from tests.unit.facade.conformance import Player, catch, draw, engine_with, net, play, refusals, sub, throw
from tests.unit.kernel.drawing import boundary, chain, each, element, end, event, ext, message, script, start, timer, user, z

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
M = message("m", "m")


def plain(inner: str, root: str = "", more: str = "") -> bytes:
    """A file in the default namespace, as generators other than Camunda's write it."""
    process = f'<process id="P" isExecutable="true">{inner}</process>'
    return f'<definitions xmlns="{BPMN}" {XSI} {more} targetNamespace="urn:x">{root}{process}</definitions>'.encode()


def flows(*pairs: str) -> str:
    return "".join('<sequenceFlow sourceRef="{}" targetRef="{}"/>'.format(*pair.split()) for pair in pairs)


ONE_TASK = '<startEvent id="s"/><userTask id="t1"/><endEvent id="e"/>' + flows("s t1", "t1 e")
SORTED = (
    '<startEvent id="s"/><exclusiveGateway id="x" default="f3" gatewayDirection="Diverging"/><userTask id="t1"/>'
    '<userTask id="t2"/><sequenceFlow id="f2" sourceRef="x" targetRef="t1"><conditionExpression xsi:type="tFormalExpression">{}'
    '</conditionExpression></sequenceFlow><sequenceFlow id="f3" sourceRef="x" targetRef="t2"/>' + flows("s x")
)
TWICE = (
    '<multiInstanceLoopCharacteristics isSequential="1"><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>'
)
CAUGHT = '<startEvent id="s"/><intermediateCatchEvent id="c">{}</intermediateCatchEvent><endEvent id="e"/>' + flows("s c", "c e")
ARTEFACTS = (
    '<laneSet id="ls"><lane id="l1"><flowNodeRef>s</flowNodeRef><childLaneSet><lane id="l2"><flowNodeRef>t1</flowNodeRef></lane>'
    '</childLaneSet></lane></laneSet><dataObject id="do"/><dataObjectReference id="dor" dataObjectRef="do"/>'
    '<textAnnotation id="ta"><text>note</text></textAnnotation><association id="as" sourceRef="t1" targetRef="ta"/>'
    '<group id="g" categoryValueRef="cv"/>'
)
POOLS = (
    '<collaboration id="co"><participant id="pa" processRef="P"/><participant id="pb" name="black box"/>'
    '<messageFlow id="mf" sourceRef="t1" targetRef="pb"/></collaboration><category id="ca"><categoryValue id="cv"/></category>'
)
CAMUNDA7 = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'

RUN = {
    "ids that other engines use themselves": (
        plain(
            '<startEvent id="Start"/><task id="Root"/><userTask id="root"/><endEvent id="End"/>'
            + flows("Start Root", "Root root", "root End")
        ),
        "start\nopen root\ndo root\nended",
    ),
    "any prefix": (
        plain(ONE_TASK).replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns=", b"xmlns:x="),
        "start\ndo t1\nended",
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + plain(ONE_TASK), "start\ndo t1\nended"),
    "UTF-16": (plain(ONE_TASK).decode().encode("utf-16"), "start\ndo t1\nended"),
    "formal expressions without =": (plain(SORTED.format("amount &gt; 10")), "start amount=11\nopen t1\nstart amount=1\nopen t2"),
    "character data and line breaks": (
        plain(SORTED.format("<![CDATA[\n = amount > 10\n and amount < 100 ]]>")),
        "start amount=11\nopen t1",
    ),
    "a comment and an instruction inside an expression": (
        plain(SORTED.format("amount <!-- yuan --> &gt; <?x y?> 10")),
        "start amount=11\nopen t1\nstart amount=1\nopen t2",
    ),
    "text on both sides of an element": (
        plain(SORTED.format("amount &gt; 10 <documentation>large</documentation> and amount &lt; 100")),
        "start amount=11\nopen t1\nstart amount=1000\nopen t2",
    ),
    "GBK": (
        f'<?xml version="1.0" encoding="GBK"?>{plain(ONE_TASK).decode()}'.replace('"t1"/>', '"t1" name="审批"/>').encode("gbk"),
        "start\ndo t1\nended",
    ),
    "a timer without =": (
        plain(
            CAUGHT.format(
                '<timerEventDefinition><timeDuration xsi:type="tFormalExpression">PT1H</timeDuration></timerEventDefinition>'
            )
        ),
        "start\nactive\nturn PT1H\nended",
    ),
    "a message without key, by a qualified name": (
        plain(CAUGHT.format('<messageEventDefinition messageRef="tns:m"/>'), '<message id="m" name="m"/>', 'xmlns:tns="urn:x"'),
        "start\nsend m\nended",
    ),
    "an attached event and what it undoes, by qualified names": (
        plain(
            ONE_TASK.replace(
                '<endEvent id="e"/>',
                '<boundaryEvent id="b" attachedToRef="tns:t1"><compensateEventDefinition/></boundaryEvent><userTask id="t2" '
                'isForCompensation="true"/><association sourceRef="tns:b" targetRef="tns:t2"/><endEvent id="e">'
                '<compensateEventDefinition activityRef="tns:t1"/></endEvent>',
            ),
            "",
            'xmlns:tns="urn:x"',
        ),
        "start\ndo t1\nopen t2\ndo t2\nended",
    ),
    "a called process by a qualified name": (
        plain(
            '<startEvent id="s"/><callActivity id="c" calledElement="tns:Q"/><endEvent id="e"/>' + flows("s c", "c e"),
            '<process id="Q" isExecutable="true"><task id="n1"/></process>',
            'xmlns:tns="urn:x"',
        ),
        "start\nended\ncases Q 1",
    ),
    "an event definition that is referred to": (
        plain(
            CAUGHT.format("<eventDefinitionRef>td</eventDefinitionRef>"),
            '<timerEventDefinition id="td"><timeDuration>PT1H</timeDuration></timerEventDefinition>',
        ),
        "start\nactive\nturn PT1H\nended",
    ),
    "pools, lanes, notes, data, groups": (plain(ARTEFACTS + ONE_TASK, POOLS), "start\ndo t1\nended"),
    "a number of instances": (
        plain(
            ONE_TASK.replace(
                '<userTask id="t1"/>',
                f'<userTask id="t1">{TWICE}</userTask>',
            )
        ),
        "start\nopen t1\ndo t1\ndo t1\nended",
    ),
    "Camunda 7": (
        plain(
            SORTED.format("${approved &amp;&amp; amount &gt;= 10}").replace('id="t1"', 'id="t1" camunda:assignee="${who}"'),
            "",
            CAMUNDA7,
        ),
        'start approved=true amount=10 who="anna"\nopen t1\ndo t1\nended',
    ),
}


SIGNAVIO = """<definitions xmlns="{bpmn}" xmlns:signavio="http://www.signavio.com" {xsi} exporter="Signavio Process Editor"
 expressionLanguage="http://www.w3.org/TR/XPath" id="sid-1" targetNamespace="http://www.signavio.com">
<collaboration id="sid-c"><extensionElements><signavio:metaData metaKey="language" metaValue="x"/></extensionElements>
<participant id="sid-p1" name="Pool" processRef="P"><extensionElements/></participant><participant id="sid-p2" processRef="P2"/>
<participant id="sid-p3" name="Black"/><messageFlow id="mf" sourceRef="t1" targetRef="sid-p3"/></collaboration>
<process id="P" isClosed="false" isExecutable="true" name="Pool" processType="None"><extensionElements/>
<laneSet id="ls"><lane id="l1"><flowNodeRef>s</flowNodeRef><childLaneSet id="cl"/></lane><lane id="empty"/></laneSet>
<startEvent id="s" name=""><extensionElements><signavio:metaData metaKey="bgcolor" metaValue="#fff"/></extensionElements>
<outgoing>f1</outgoing></startEvent><userTask completionQuantity="1" id="t1" isForCompensation="false" name="" startQuantity="1">
<ioSpecification><dataOutput id="do1"/><inputSet/><outputSet><dataOutputRefs>do1</dataOutputRefs></outputSet></ioSpecification>
<dataOutputAssociation id="doa"><sourceRef>do1</sourceRef><targetRef>dor</targetRef></dataOutputAssociation></userTask>
<dataObject id="dd" isCollection="false"/><dataObjectReference id="dor" dataObjectRef="dd"/><endEvent id="e" name=""/>
<sequenceFlow id="f1" isImmediate="true" name="" sourceRef="s" targetRef="t1"/><sequenceFlow sourceRef="t1" targetRef="e"/>
<textAnnotation id="ta" textFormat="text/plain"><text>hi</text></textAnnotation></process>
<process id="P2" isClosed="false" isExecutable="false" processType="None"><laneSet id="l2"><lane id="l3"/></laneSet></process>
</definitions>"""
RUN["Signavio"] = (SIGNAVIO.format(bpmn=BPMN, xsi=XSI).encode(), "start\nopen t1\ndo t1\nended")


@pytest.mark.parametrize("name", RUN)
def test_runs(name: str) -> None:
    file, script_ = RUN[name]
    engine = engine_with(file)
    Player(engine).play(script_)
    engine.close()


def on_path(tag: str, inner: str = "", **attributes: object) -> str:
    """A path through one element, `y`."""
    return net("s > y > e", more=element(tag, "y", inner, **attributes))


REFUSED = {
    "a transaction that is stored": on_path("transaction", net("s1 > e1"), method="##Store"),
    "ad-hoc sub-process with nothing in it": on_path("adHocSubProcess"),
    "complex gateway that joins without a condition": net(
        "s > f > y > e", "f > y", more=element("parallelGateway", "f") + element("complexGateway", "y")
    ),
    "compensation of what is not there": on_path("intermediateThrowEvent", '<b:compensateEventDefinition activityRef="gone"/>'),
    "a conditional start event": net(
        "y > e", more=start("y", "<b:conditionalEventDefinition><b:condition>x</b:condition></b:conditionalEventDefinition>")
    ),
    "a link and a timer on one event": on_path("intermediateCatchEvent", timer("PT1H") + '<b:linkEventDefinition name="l"/>'),
    "standard loop without end": on_path("userTask", "<b:standardLoopCharacteristics/>"),
    "start quantity": on_path("userTask", startQuantity="0"),
    "a service task without definition": on_path("serviceTask"),
    "an unknown extension": on_path("userTask", ext(z("frobnicate", x="1"))),
    "a listener": on_path("userTask", ext(z("executionListeners", z("executionListener", eventType="start", type="x")))),
    "another script language": on_path("scriptTask", "<b:script>1</b:script>", scriptFormat="javascript"),
    "a cycle where it cannot repeat": on_path("intermediateCatchEvent", timer("R3/PT1H", "timeCycle")),
    "an empty duration": on_path("intermediateCatchEvent", timer("P")),
    "a message that is not there": on_path("intermediateCatchEvent", event("message", "gone")),
    "a default flow of another element": on_path("userTask", default="nope"),
    "a boundary event on a gateway": net("s > x > e", "y > e2", more=boundary("y", "x", timer("PT1H"))),
    "a boundary event on nothing": net("s > t1 > e", "y > e2", more=boundary("y", "gone", timer("PT1H"))),
    "an error that does not interrupt": net("s > t1 > e", "y > e2", more=boundary("y", "t1", event("error"), interrupting=False)),
    "a start event with a flow into it": net("y > t1 > y", more=start("y")),
    "a sub-process without start": on_path("subProcess"),
    "an id twice": net("s > y > e", more=user("y")) + user("y"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str) -> None:
    found = refusals(draw(REFUSED[name]))
    assert "y" in {element_id for element_id, _, _ in found}
    assert all(reason for _, _, reason in found)


CORRELATED = (
    '<message id="m" name="m"/><correlationProperty id="cp"/><collaboration id="co"><participant id="pa" processRef="P"/>'
    '<correlationKey id="{}" name="k"><correlationPropertyRef>cp</correlationPropertyRef></correlationKey></collaboration>'
)
SPIFF = 'xmlns:sw="http://spiffworkflow.org/bpmn/schema/1.0/core"'
FOREIGN = {
    "Flowable": (plain(ONE_TASK.replace('"t1"', '"t1" f:assignee="${a}"'), "", 'xmlns:f="http://flowable.org/bpmn"'), "t1"),
    "Activiti": (plain(ONE_TASK.replace('"t1"', '"t1" f:class="a.B"'), "", 'xmlns:f="http://activiti.org/bpmn"'), "t1"),
    "JUEL outside Camunda 7": (plain(SORTED.format("${amount &gt; 1}")), "f2"),
    "XPath": (plain(SORTED.format("a").replace("xsi:type", 'language="http://www.w3.org/1999/XPath" xsi:type')), "f2"),
    "Python": (plain(ONE_TASK.replace('<userTask id="t1"/>', '<scriptTask id="t1"><script>x = 1</script></scriptTask>')), "t1"),
    "Java": (
        plain(
            ONE_TASK.replace(
                '<userTask id="t1"/>',
                '<scriptTask id="t1" scriptFormat="http://www.java.com/java"><script>x;</script></scriptTask>',
            )
        ),
        "t1",
    ),
    "SpiffArena's service": (
        plain(
            ONE_TASK.replace(
                '<userTask id="t1"/>',
                '<serviceTask id="t1"><extensionElements><sw:serviceTaskOperator id="x"/></extensionElements></serviceTask>',
            ),
            "",
            SPIFF,
        ),
        "t1",
    ),
    "web service": (plain(ONE_TASK.replace('<userTask id="t1"/>', '<serviceTask id="t1" implementation="##WebService"/>')), "t1"),
    "potential owners": (
        plain(
            ONE_TASK.replace(
                '<userTask id="t1"/>',
                '<userTask id="t1"><potentialOwner><resourceRef>r</resourceRef></potentialOwner></userTask>',
            )
        ),
        "t1",
    ),
    "messages correlated by a key": (plain(ONE_TASK, CORRELATED.format("ck")), "ck"),
    "messages correlated by a subscription": (
        plain(ONE_TASK + '<correlationSubscription id="cs" correlationKeyRef="k"/>', CORRELATED.format("ck")),
        "cs",
    ),
    "nothing executable": (plain(ONE_TASK).replace(b' isExecutable="true"', b""), ""),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_other_engines_alone_can_do_is_refused_by_name(name: str) -> None:
    file, element_id = FOREIGN[name]
    found = refusals(file)
    assert element_id in {refused for refused, _, _ in found}
    assert all(reason for _, _, reason in found)


HOSTILE = {
    "entities": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "deep": draw("<b:subProcess>" * 50_000 + "</b:subProcess>" * 50_000),
    "100,000 tasks": draw(net("s > e") + "<b:task/>" * 100_000),
    "flows to nowhere": draw(net("s > e") + '<b:sequenceFlow sourceRef="a" targetRef="b"/>' * 15_000),
    "tasks without definition": draw(net("s > e") + "".join(f'<b:serviceTask id="w{i}"/>' for i in range(9_000))),
    "a nested expression": draw(net("s > x", "x > e ? " + "(" * 5_000 + "1" + ")" * 5_000)),
    "not XML": b"\x00\xff",
    "another file": b"<html/>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_at_once(name: str) -> None:
    begun = time.thread_time()
    assert refusals(HOSTILE[name])
    assert time.thread_time() - begun < 2


RUNAWAY = {
    "a loop": net("s > x1 > n > x1"),
    "a loop that doubles": net("s > x1 > p > x1", "p > x1"),
    "an expression": net("s > n > e", more=script("n", "v", "some i in 1..1000000000 satisfies i < 0")),
    "a value that doubles": net("s > x1 > n > x1", more=script("n", "text", "text + text")),
    "too many instances": net("s > t1 > e", more=user("t1", inner=each("for i in 1..1000000 return i"))),
    "a process that calls itself": net("s > y > e", more=element("callActivity", "y", ext(z("calledElement", processId="P")))),
    "a nested multi-instance": net("s > y > e", more=sub("y", each("[1,2]") + net("s1 > x1 > x1"))),
}


@pytest.mark.parametrize("name", RUNAWAY)
def test_what_runs_away_is_an_incident(name: str) -> None:
    engine = engine_with(draw(RUNAWAY[name]))
    begun = time.thread_time()
    engine.start("P", {"text": "0123456789abcdef"})
    assert time.thread_time() - begun < 2
    assert engine.incidents()
    engine.close()


def test_plain_messages_are_published_by_their_names() -> None:
    """Without an engine's extensions a message has no payload and no key: its name alone says who gets it."""
    to = '<b:messageEventDefinition messageRef="{}"/>'.format
    sender = draw(
        start("s")
        + element("sendTask", "send", messageRef="ask")
        + catch("wait", to("answer"))
        + element("endEvent", "e", to("thanks"))
        + chain("s", "send", "wait", "e"),
        *(message(name, name, None) for name in ("ask", "answer", "thanks")),
    )
    answering = draw(
        start("s", to("ask")) + throw("i", to("answer")) + catch("last", to("thanks")) + end() + chain("s", "i", "last", "e"),
        *(message(name, name, None) for name in ("ask", "answer", "thanks")),
        process_id="B",
    )
    play(sender, "start\nended\ncases B 1", answering)
