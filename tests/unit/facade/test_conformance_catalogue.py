"""Activities, flows, gateways and workflow patterns, one small process each, with the traces that BPMN 2.0.2 asks for.

Each is played twice: as Camunda 8 writes it, with a fresh engine on the same database for every command, and in plain BPMN where
the standard alone can say it. Patterns are numbered as in Russell, ter Hofstede, van der Aalst, Mulyar (2006).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.facade.conformance import catch, draw, event_sub, in_plain_bpmn, net, play_stored, sub, throw
from tests.unit.kernel.drawing import (
    boundary,
    each,
    element,
    end,
    event,
    ext,
    message,
    script,
    start,
    timer,
    undone_by,
    user,
    z,
)

M = message("m", "m")
S = '<b:signal id="sg" name="sg"/>'
ERR = '<b:error id="E1" errorCode="E1"/>'
TERMINATE = event("terminate")
COMPENSATE = event("compensate")

Case = tuple[list[str], str] | tuple[list[str], str, bytes]


def loop(condition: str = "", *, maximum: int | str | None = None, before: bool = False) -> str:
    """A standard loop."""
    inner = f"<b:loopCondition>={condition}</b:loopCondition>" if condition else ""
    given = ("" if maximum is None else f' loopMaximum="{maximum}"') + (' testBefore="true"' if before else "")
    return f"<b:standardLoopCharacteristics{given}>{inner}</b:standardLoopCharacteristics>"


def many(number: str, *, sequential: bool = False, until: str = "", more: str = "", **given: str) -> str:
    """A multi-instance by number, in the standard's own words."""
    attributes = "".join(f' {name}="{value}"' for name, value in given.items())
    inner = f"<b:loopCardinality>{number}</b:loopCardinality>{more}"
    inner += f"<b:completionCondition>={until}</b:completionCondition>" if until else ""
    kind = "true" if sequential else "false"
    return f'<b:multiInstanceLoopCharacteristics isSequential="{kind}"{attributes}>{inner}</b:multiInstanceLoopCharacteristics>'


def trace(element_id: str, inner: str = "", **attributes: object) -> str:
    """A task that does nothing but leave a trace."""
    return element("task", element_id, inner, **attributes)


def complex_(element_id: str, condition: str = "", **attributes: object) -> str:
    inner = f"<b:activationCondition>={condition}</b:activationCondition>" if condition else ""
    return element("complexGateway", element_id, inner, **attributes)


def ad_hoc(element_id: str, inner: str, *, condition: str = "", **attributes: object) -> str:
    tail = f"<b:completionCondition>={condition}</b:completionCondition>" if condition else ""
    return element("adHocSubProcess", element_id, inner + tail, **attributes)


TWO_OF = '<b:signal id="sg" name="sg"/><b:signalEventDefinition id="sd" signalRef="sg"/>'
COMPLEX = (
    '<b:complexBehaviorDefinition><b:condition>=numberOfCompletedInstances = 2</b:condition><b:event id="ie">'
    '<b:signalEventDefinition id="sd2" signalRef="sg"/></b:event></b:complexBehaviorDefinition>'
)

ACTIVITIES: dict[str, Case] = {
    "a loop with a condition": (
        [net("s > t1 > n9 > e", more=user("t1", inner=loop("again")))],
        ("start\ndo t1 again=true\nopen t1\ndo t1 again=true\ndo t1 again=false\nran n9\nended\ndone t1 4"),
    ),
    "a loop whose condition is false runs once": (
        [net("s > n1 > n9 > e", more=trace("n1", loop("false")))],
        "start\nran n1 n1 n9\nended",
    ),
    "a loop that asks before runs never": (
        [net("s > n1 > n9 > e", more=trace("n1", loop("false", before=True)))],
        "start\nended\ndone n9 1",
    ),
    "a loop with a maximum": ([net("s > n1 > n9 > e", more=trace("n1", loop(maximum=3)))], "start\nran n1 n1 n1 n1 n9\nended"),
    "a loop with a maximum that comes before the condition ends": (
        [net("s > n1 > n9 > e", more=trace("n1", loop("true", maximum=2)))],
        "start\nran n1 n1 n1 n9\nended",
    ),
    "a loop with a condition that ends before the maximum": (
        [net("s > n1 > n9 > e", more=script("n1", "i", "i + 1", inner=loop("i &lt; 2", maximum=9)))],
        "start i=0\nran n1 n1 n1 n9\nvars i=2\nended",
    ),
    "a loop without end is an incident": (
        [net("s > n1 > n9 > e", more=trace("n1", loop("true")))],
        "start\nincident n1 STEP_BUDGET\ndone n9 0\ncancel\nterminated",
    ),
    "a looping sub-process": (
        [net("s > u > n9 > e", more=sub("u", loop("again") + net("s1 > n1 > t1 > n2 > e1")))],
        "start\ndo t1 again=true\nopen t1\ndo t1 again=false\nran n1 n2 n1 n2 n9\nended\ndone u 3",
    ),
    "a looping call activity": (
        [net("s > c > n9 > e", more=element("callActivity", "c", ext(z("calledElement", processId="C")) + loop(maximum=2)))],
        "start\nran n9\nended\ndone c 3\ncases C 2",
        draw(net("s > n1 > e"), process_id="C"),
    ),
    "a boundary event stands on the whole loop": (
        [net("s > t1 > n9 > e", "b > n2 > e2", more=user("t1", inner=loop("again")) + boundary("b", "t1", timer("PT2H")))],
        "start\nturn PT1H\ndo t1 again=true\nturn PT1H\nran n2\nended",
    ),
    "instances side by side": (
        [net("s > t1 > n9 > e", more=user("t1", inner=many("3")))],
        ("start\nopen t1 t1 t1\ndo t1\ndo t1\nran -\ndo t1\nran n9\nended"),
    ),
    "instances one after the other": (
        [net("s > t1 > n9 > e", more=user("t1", inner=many("3", sequential=True)))],
        ("start\nopen t1\ndo t1\nopen t1\ndo t1\ndo t1\nran n9\nended"),
    ),
    "no instances": ([net("s > n1 > n9 > e", more=trace("n1", many("0")))], "start\nended\ndone n9 1"),
    "a negative number of instances": ([net("s > n1 > n9 > e", more=trace("n1", many("0 - 1")))], "start\nrefused ran n1 n1 n9"),
    "sub-processes side by side": (
        [net("s > u > n9 > e", more=sub("u", many("2") + net("s1 > n1 > t1 > n2 > e1")))],
        ("start\nran n1 n1\ndo t1\nran n1 n1 n2\ndo t1\nran n1 n1 n2 n2 n9\nended"),
    ),
    "sub-processes one after the other": (
        [net("s > u > n9 > e", more=sub("u", many("2", sequential=True) + net("s1 > n1 > n2 > e1")))],
        "start\nran n1 n2 n1 n2 n9\nended",
    ),
    "enough instances": (
        [net("s > t1 > n9 > e", more=user("t1", inner=many("3", until="numberOfCompletedInstances = 2")))],
        "start\ndo t1\nopen t1 t1\ndo t1\nran n9\nended",
    ),
    "each instance throws (behavior None)": (
        [
            net(
                "s > t1 > n9 > e",
                "b > n1 > e1",
                more=user("t1", inner=many("3", behavior="None", noneBehaviorEventRef="sd"))
                + boundary("b", "t1", event("signal", "sg"), interrupting=False),
            ),
            TWO_OF,
        ],
        "start\ndo t1\nran n1\ndo t1\ndo t1\nran n1 n1 | n1 n9\nended",
    ),
    "the first instance throws (behavior One)": (
        [
            net(
                "s > t1 > n9 > e",
                "b > n1 > e1",
                more=user("t1", inner=many("3", behavior="One", oneBehaviorEventRef="sd"))
                + boundary("b", "t1", event("signal", "sg"), interrupting=False),
            ),
            TWO_OF,
        ],
        "start\ndo t1\nran n1\ndo t1\ndo t1\nran n1 n9\nended",
    ),
    "a condition lets it throw (behavior Complex)": (
        [
            net(
                "s > t1 > n9 > e",
                "b > n1 > e1",
                more=user("t1", inner=many("3", behavior="Complex", more=COMPLEX))
                + boundary("b", "t1", event("signal", "sg"), interrupting=False),
            ),
            S,
        ],
        "start\ndo t1\nran -\ndo t1\nran n1\ndo t1\nran n1 n9\nended",
    ),
    "what it throws ends it (behavior One, interrupting)": (
        [
            net(
                "s > t1 > n9 > e",
                "b > n1 > e1",
                more=user("t1", inner=many("3", behavior="One", oneBehaviorEventRef="sd"))
                + boundary("b", "t1", event("signal", "sg")),
            ),
            TWO_OF,
        ],
        "start\ndo t1\nopen -\nran n1\nended",
    ),
    "ad hoc, side by side": (
        [net("s > a > n9 > e", more=ad_hoc("a", element("userTask", "t1") + element("userTask", "t2")))],
        "start\nopen t1 t2\ndo t2\nran -\ndo t1\nran n9\nended",
    ),
    "ad hoc, one after the other": (
        [net("s > a > n9 > e", more=ad_hoc("a", element("userTask", "t1") + element("userTask", "t2"), ordering="Sequential"))],
        "start\nopen t1\ndo t1\nopen t2\nran -\ndo t2\nran n9\nended",
    ),
    "ad hoc until enough is done": (
        [net("s > a > n9 > e", more=ad_hoc("a", element("userTask", "t1") + element("userTask", "t2"), condition="ok"))],
        "start ok=false\ndo t1\nopen t2\ndo t2 ok=true\nran n9\nended",
    ),
    "ad hoc, what still runs is ended": (
        [net("s > a > n9 > e", more=ad_hoc("a", element("userTask", "t1") + element("userTask", "t2"), condition="ok"))],
        "start ok=false\ndo t1 ok=true\nopen -\nran n9\nended",
    ),
    "ad hoc, what still runs is awaited": (
        [
            net(
                "s > a > n9 > e",
                more=ad_hoc(
                    "a", element("userTask", "t1") + element("userTask", "t2"), condition="ok", cancelRemainingInstances="false"
                ),
            )
        ],
        "start ok=false\ndo t1 ok=true\nopen t2\nran -\ndo t2\nran n9\nended",
    ),
    "ad hoc with flows in it": (
        [net("s > a > n9 > e", more=ad_hoc("a", net("n1 > t1 > n2", "n3")))],
        "start\nran | n1 n3\ndo t1\nran | n1 n3 | n2 | n9\nended",
    ),
    "a sub-process without start events begins with what nothing leads to": (
        [net("s > u > n9 > e", more=sub("u", net("n1 > t1", "n2 > t1")))],
        "start\nopen t1 t1\ndo t1\ndo t1\nran n1 n2 n9\nended",
    ),
    "a process without start events": ([net("t1 > n1", "t2 > n2")], "start\nopen t1 t2\ndo t2\nran n2\ndo t1\nran n2 n1\nended"),
    "start quantity: tokens gather": (
        [net("s > p > n1 > n3 > e", "p > n2 > n3", more=trace("n3", startQuantity="2"))],
        "start\nran | n1 n2 | n3\nended",
    ),
    "start quantity: too few tokens": ([net("s > n1 > n2 > e", more=trace("n2", startQuantity="2"))], "start\nran n1\nstuck"),
    "completion quantity: tokens part": (
        [net("s > n1 > n2 > e", more=trace("n1", completionQuantity="3"))],
        "start\nran n1 n2 n2 n2\nended",
    ),
    "quantities meet": (
        [net("s > n1 > n2 > e", more=trace("n1", completionQuantity="4") + trace("n2", startQuantity="2"))],
        "start\nran n1 n2 n2\nended",
    ),
    "a transaction that ends well": (
        [
            net(
                "s > v > n9 > e",
                "b > n8 > e2",
                more=element("transaction", "v", net("s1 > t1 > e1")) + boundary("b", "v", event("cancel")),
            )
        ],
        "start\ndo t1\nran n9\nended",
    ),
    "a receive task that starts the process": (
        [net("r > n1 > e", more=element("receiveTask", "r", messageRef="m", instantiate="true")), message("m", "m", None)],
        "send m\ncases P 1\nsend m\ncases P 2",
    ),
    "gateways that start the process": (
        [
            net(
                "g1 > c > n1 > e",
                "g1 > d > n2 > e",
                more=element("eventBasedGateway", "g1", instantiate="true")
                + catch("c", event("message", "m"))
                + catch("d", event("signal", "sg")),
            ),
            message("m", "m", None),
            S,
        ],
        "send m\ncases P 1\nsignal sg\ncases P 2",
    ),
    "a process that calls itself until it is enough (WCP-22)": (
        [
            net(
                "s > n1 > x",
                "x > c ? i < 3",
                "x > e default",
                "c > n2 > e",
                more=element(
                    "callActivity",
                    "c",
                    ext(z("calledElement", processId="P"), z("ioMapping", z("input", source="=i + 1", target="i"))),
                ),
            )
        ],
        "start i=0\nended\nran n1 n2\ncases P 4\ncase >\nran n1 n2\ncase >\ncase >\nran n1",
    ),
}

FLOWS: dict[str, Case] = {
    "a condition on a flow that leaves a task": (
        [net("s > n0", "n0 > n1 ? a", "n0 > n2 ? not(a)", "n1 > e", "n2 > e")],
        "start a=true\nran n0 n1\nended\nstart a=false\nran n0 n2",
    ),
    "condition, default, and a flow with neither": (
        [net("s > n0", "n0 > n1 ? a", "n0 > n2 default", "n0 > n3", "n1 > e", "n2 > e", "n3 > e")],
        "start a=true\nran n0 | n1 n3\nended\nstart a=false\nran n0 | n2 n3\nended",
    ),
    "a condition on the default flow does not count": (
        [
            net("s > x", "x > n1 ? a", "x > n2 default", "n1 > e", "n2 > e").replace(
                '<b:sequenceFlow id="x_n2" sourceRef="x" targetRef="n2">',
                '<b:sequenceFlow id="x_n2" sourceRef="x" targetRef="n2"><b:conditionExpression>=false</b:conditionExpression>',
            )
        ],
        "start a=false\nran n2\nended\nstart a=true\nran n1",
    ),
    "conditions behind a parallel gateway do not count": (
        [net("s > p", "p > n1 ? false", "p > n2 ? a", "n1 > p2", "n2 > p2", "p2 > n9 > e")],
        "start\nran | n1 n2 | n9\nended",
    ),
    "a flow from a sub-process with a condition": (
        [net("s > u", "u > n1 ? a", "u > n2 default", "n1 > e", "n2 > e", more=sub("u", net("s1 > t1 > e1")))],
        "start\ndo t1 a=false\nran n2\nended",
    ),
    "a boundary event splits": (
        [net("s > t1 > e", "b > n1 > e1", "b > n2 > e2", more=boundary("b", "t1", timer("PT1H")))],
        "start\nturn PT1H\nran | n1 n2\nended",
    ),
    "a boundary event without a flow ends the path": (
        [net("s > t1 > n1 > e", more=boundary("b", "t1", timer("PT1H")))],
        "start\nturn PT1H\nended\ndone n1 0",
    ),
    "several flows into an end event": ([net("s > p > n1 > e", "p > n2 > e")], "start\nran n1 n2\nended\ndone e 2"),
    "two flows between the same elements": ([net("s > n1 > n2 > e", "n1 > n2")], "start\nran n1 n2 n2\nended"),
    "two flows between the same gateways": ([net("s > p1 > p2 > n1 > e", "p1 > p2")], "start\nran n1\nended"),
    "a flow back to the same task": (
        [net("s > n1", "n1 > n1 ? i < 2", "n1 > e default", more=script("n1", "i", "i + 1"))],
        "start i=0\nran n1 n1\nended",
    ),
}

GATEWAYS: dict[str, Case] = {
    "parallel split, exclusive join": ([net("s > p > n1 > x > n9 > e", "p > n2 > x")], "start\nran | n1 n2 | n9 n9\nended"),
    "parallel split, inclusive join": ([net("s > p > n1 > o > n9 > e", "p > n2 > o")], "start\nran | n1 n2 | n9\nended"),
    "inclusive split, parallel join: all": (
        [net("s > o", "o > n1 ? a", "o > n2 ? b", "n1 > p", "n2 > p", "p > n9 > e")],
        "start a=true b=true\nran | n1 n2 | n9\nended",
    ),
    "inclusive split, parallel join: one stays": (
        [net("s > o", "o > n1 ? a", "o > n2 ? b", "n1 > p", "n2 > p", "p > n9 > e")],
        "start a=true b=false\nran n1\nstuck",
    ),
    "inclusive split, exclusive join": (
        [net("s > o", "o > n1 ? a", "o > n2 ? b", "n1 > x", "n2 > x", "x > n9 > e")],
        "start a=true b=true\nran | n1 n2 | n9 n9\nended\nstart a=false b=true\nran n2 n9\nended",
    ),
    "exclusive split, parallel join stays": (
        [net("s > x", "x > n1 ? a", "x > n2 default", "n1 > p", "n2 > p", "p > n9 > e")],
        "start a=true\nran n1\nstuck",
    ),
    "exclusive split, inclusive join": (
        [net("s > x", "x > n1 ? a", "x > n2 default", "n1 > o", "n2 > o", "o > n9 > e")],
        "start a=true\nran n1 n9\nended\nstart a=false\nran n2 n9\nended",
    ),
    "exclusive gateway that joins and splits": (
        [net("s > p > n1 > x", "p > n2 > x", "x > n3 ? a", "x > n4 default", "n3 > e", "n4 > e")],
        "start a=true\nran | n1 n2 | n3 n3\nended",
    ),
    "parallel gateway that joins and splits": (
        [net("s > p > n1 > p1 > n3 > e", "p > n2 > p1 > n4 > e")],
        "start\nran | n1 n2 | n3 n4\nended",
    ),
    "inclusive gateway that joins and splits": (
        [net("s > p > n1 > o", "p > t1 > o", "o > n3 ? a", "o > n4 ? b", "n3 > e", "n4 > e")],
        "start a=true b=true\nran n1\ndo t1\nran n1 | n3 n4\nended",
    ),
    "inclusive: default only when nothing else": (
        [net("s > o", "o > n1 ? a", "o > n2 ? b", "o > n3 default", "n1 > o1", "n2 > o1", "n3 > o1", "o1 > n9 > e")],
        "start a=true b=false\nran n1 n9\nended\nstart a=false b=false\nran n3 n9\nended\nstart a=true b=true\nran | n1 n2 | n9",
    ),
    "exclusive: the first in the file's order": (
        [net("s > x", "x > n1 ? a", "x > n2 ? a", "n1 > e", "n2 > e")],
        "start a=true\nran n1\nended",
    ),
    "a split nested in a split": (
        [net("s > p1 > p2 > n1 > p3 > p4 > n9 > e", "p2 > n2 > p3", "p1 > n3 > p4")],
        "start\nran | n3 n1 n2 | n9\nended",
    ),
    "splits that cross": (
        [net("s > p1 > n1 > p3 > n9 > e", "p1 > p2 > n2 > p3", "p2 > n3 > p4", "p1 > n4 > p4 > n8 > e")],
        "start\nran | n1 n4 n2 n3 | n9 n8\nended",
    ),
    "complex: two of three": (
        [net("s > p > t1 > c > n9 > e", "p > t2 > c", "p > t3 > c", more=complex_("c", "activationCount &gt;= 2"))],
        "start\ndo t3\nran -\ndo t1\nran n9\nopen t2\ndo t2\nran n9\nended",
    ),
    "complex: all of three": (
        [net("s > p > n1 > c > n9 > e", "p > n2 > c", "p > n3 > c", more=complex_("c", "activationCount = 3"))],
        "start\nran | n1 n2 n3 | n9\nended",
    ),
    "complex: by the flows": (
        [net("s > p > t1", "t1 > c ? true", "p > t2", "t2 > c ? true", "c > n9 > e", more=complex_("c", "t1_c = 1"))],
        "start\ndo t2\nran -\ndo t1\nran n9\nended",
    ),
    "complex as a split": (
        [
            net(
                "s > c",
                "c > n1 ? a",
                "c > n2 ? b",
                "c > n3 default",
                "n1 > e",
                "n2 > e",
                "n3 > e",
                more=complex_("c", default="c_n3"),
            )
        ],
        "start a=true b=true\nran | n1 n2\nended\nstart a=false b=true\nran n2\nstart a=false b=false\nran n3",
    ),
    "events: signals": (
        [
            net(
                "s > g > c > n1 > e", "g > d > n2 > e", more=catch("c", event("signal", "sg")) + catch("d", event("signal", "s2"))
            ),
            S,
            '<b:signal id="s2" name="s2"/>',
        ],
        "start\nsignal s2\nran n2\nended\nstart\nsignal sg\nran n1\nended",
    ),
    "events: a receive task and a timer": (
        [
            net(
                "s > g > r > n1 > e",
                "g > d > n2 > e",
                more=element("receiveTask", "r", messageRef="m") + catch("d", timer("PT1H")),
            ),
            M,
        ],
        "start\nsend m k\nran n1\nended\nstart\nturn PT1H\nran n2\nended",
    ),
    "events: a condition": (
        [
            net(
                "s > g > c > n1 > e",
                "g > d > n2 > e",
                more=catch("d", timer("PT1H"))
                + catch("c", "<b:conditionalEventDefinition><b:condition>=a</b:condition></b:conditionalEventDefinition>"),
            )
        ],
        "start a=false\nactive\nset a=true\nran n1\nended",
    ),
    "events: the flows that leave the gateway are not joined": (
        [net("s > g > c > p > n1 > e", "g > d > p", more=catch("c", event("signal", "sg")) + catch("d", timer("PT1H"))), S],
        "start\nsignal sg\nran -\nstuck",
    ),
}

DEAD = "p > t2 > e2"
PATTERNS: dict[str, Case] = {
    "8 multi-merge": ([net("s > p > n1 > x > n3 > n4 > e", "p > n2 > x")], "start\nran | n1 n2 | n3 n3 | n4 n4\nended"),
    "9 discriminator in a loop": (
        [
            net(
                "s > x > p > t1 > c > x2",
                "p > t2 > c",
                "x2 > x ? again",
                "x2 > n9 default",
                "n9 > e",
                more=complex_("c", "activationCount = 1"),
            )
        ],
        "start\ndo t1 again=true\nopen t1 t2 t2\ndo t2\nopen t1 t2\ndo t1 again=false\nran n9\ndo t2\nran n9\nended",
    ),
    "10 arbitrary cycles": (
        [
            net(
                "s > x1 > n1 > x2 > n2 > x3",
                "x3 > x1 ? i = 1",
                "x3 > x4 default",
                "x4 > x2 ? i = 2",
                "x4 > n3 default",
                "n3 > e",
                more=script("n2", "i", "i + 1"),
            )
        ],
        "start i=0\nran n1 n2 n1 n2 n2 n3\nended",
    ),
    "11 implicit termination": ([net("s > p > t1", "p > t2")], "start\ndo t2\nactive\ndo t1\nended"),
    "12 instances without synchronisation": (
        [net("s > x > p > t1 > e", "p > x2", "x2 > n1 ? i < 3", "x2 > e2 default", "n1 > x", more=script("n1", "i", "i + 1"))],
        "start i=1\nopen t1 t1 t1\ndo t1\ndo t1\nactive\ndo t1\nended",
    ),
    "14 as many as is known at run time": (
        [net("s > t1 > n9 > e", more=user("t1", inner=each("list", "i")))],
        "start list=[1,2]\nopen t1 t1\ndo t1\ndo t1\nran n9\nended",
    ),
    "16 deferred choice": (
        [net("s > g > c > n1 > e", "g > d > n2 > e", more=catch("c", event("message", "m")) + catch("d", timer("PT1H"))), M],
        "start\nturn PT1H\nran n2\nended\nstart\nsend m k\nran n1",
    ),
    "17 interleaved parallel routing": (
        [net("s > a > n9 > e", more=ad_hoc("a", net("t1 > t2", "t3"), ordering="Sequential"))],
        "start\nopen t1\ndo t1\nopen t2\ndo t2\nopen t3\ndo t3\nran n9\nended",
    ),
    "18 milestone": (
        [
            net(
                "s > p > u > n9 > e",
                "p > t2 > e2",
                more=sub(
                    "u",
                    net(
                        "s1 > t1 > e1",
                        more=event_sub("v", net("s2 > n2 > e3", more=start("s2", event("signal", "sg"), isInterrupting="false"))),
                    ),
                ),
            ),
            S,
        ],
        "start\nsignal sg\nran n2\ndo t1\nsignal sg\nran n2 n9\ndo t2\nended",
    ),
    "19 cancel task": (
        [
            net(
                "s > p > t1 > n9 > e",
                "b > n8 > e2",
                "p > t2 > i > e3",
                more=boundary("b", "t1", event("signal", "sg")) + throw("i", event("signal", "sg")),
            ),
            S,
        ],
        "start\nopen t1 t2\ndo t2\nran n8\nended",
    ),
    "20 cancel case": ([net("s > p > t1 > e", DEAD, more=end("e", TERMINATE))], "start\ndo t1\nopen -\nended\ndone e2 0"),
    "21 structured loop, tested first": (
        [net("s > x1 > x2", "x2 > n1 ? i < 2", "x2 > e default", "n1 > x1", more=script("n1", "i", "i + 1"))],
        "start i=2\nended\ndone n1 0\nstart i=0\nran n1 n1",
    ),
    "23 transient trigger": (
        [net("s > t1 > c > n1 > e", more=catch("c", event("signal", "sg"))), S],
        "start\nsignal sg\ndo t1\nran -\nsignal sg\nran n1\nended",
    ),
    "24 persistent trigger": (
        [net("s > t1 > c > n1 > e", more=catch("c", event("message", "m"))), M],
        "start\nkeep m k\ndo t1\nran n1\nended",
    ),
    "25 cancel region": (
        [
            net(
                "s > p > u > n9 > e",
                "b > n8 > e2",
                "p > t3 > i > e3",
                more=sub("u", net("s1 > p1 > t1 > e1", "p1 > t2 > e4"))
                + boundary("b", "u", event("signal", "sg"))
                + throw("i", event("signal", "sg")),
            ),
            S,
        ],
        "start\ndo t1\nopen t2 t3\ndo t3\nran n8\nopen -\nended",
    ),
    "26 cancel all instances": (
        [net("s > t1 > n9 > e", "b > n8 > e2", more=user("t1", inner=many("3")) + boundary("b", "t1", event("message", "m"))), M],
        "start\ndo t1\nsend m k\nopen -\nran n8\nended",
    ),
    "29 cancelling discriminator": (
        [net("s > u > n9 > e", more=sub("u", net("s1 > p > t1 > e1", "p > t2 > e1", more=end("e1", TERMINATE))))],
        "start\ndo t2\nopen -\nran n9\nended",
    ),
    "30 partial join in a loop": (
        [
            net(
                "s > x > p > t1 > c > x2",
                "p > t2 > c",
                "p > t3 > c",
                "x2 > x ? again",
                "x2 > n9 default",
                "n9 > e",
                more=complex_("c", "activationCount = 2"),
            )
        ],
        (
            "start\ndo t1\ndo t3 again=true\nopen t1 t2 t2 t3\ndo t2\ndo t1\nopen t2 t3\n"
            "do t2 again=false\nran n9\ndo t3\nran n9\nended"
        ),
    ),
    "33 generalised join": (
        [net("s > p > n1 > x > p2 > n9 > e", "p > n2 > x", "p > t1 > x3 > p2", "p > t2 > x3")],
        "start\nran n1 n2\ndo t1\nran n1 n2 n9\nactive\ndo t2\nran n1 n2 n9 n9\nended",
    ),
    "34 partial join of instances": (
        [
            net(
                "s > t1 > n9 > e",
                "b > n1 > e1",
                more=user("t1", inner=many("3", behavior="Complex", more=COMPLEX))
                + boundary("b", "t1", event("signal", "sg"), interrupting=False),
            ),
            S,
        ],
        "start\ndo t1\ndo t1\nran n1\nopen t1\ndo t1\nran n1 n9\nended",
    ),
    "35 cancelling partial join of instances": (
        [net("s > t1 > n9 > e", more=user("t1", inner=many("4", until="numberOfCompletedInstances &gt;= 2")))],
        "start\ndo t1\ndo t1\nopen -\nran n9\nended",
    ),
    "37 acyclic synchronising merge": (
        [
            net(
                "s > o1",
                "o1 > t1 ? a",
                "o1 > x ? b",
                "x > t2 ? c",
                "x > n1 default",
                "t1 > o2",
                "t2 > o2",
                "n1 > e2",
                "o2 > n9 > e",
            )
        ],
        (
            "start a=true b=true c=true\ndo t1\nran -\ndo t2\nran n9\nended\n"
            "start a=true b=true c=false\nran n1\ndo t1\nran n1 n9\nended"
        ),
    ),
    "38 general synchronising merge": (
        [net("s > p > x1 > t1 > x2", "x2 > x1 ? again", "x2 > o default", "p > t2 > o > n9 > e")],
        "start\ndo t2\nran -\ndo t1 again=true\nran -\nopen t1\ndo t1 again=false\nran n9\nended",
    ),
    "40 interleaved routing": (
        [net("s > a > n9 > e", more=ad_hoc("a", net("n1", "n2", "n3"), ordering="Sequential"))],
        "start\nran | n1 n2 n3 | n9\nended",
    ),
    "41 thread merge": (
        [net("s > n1 > n2 > n3 > e", more=trace("n1", completionQuantity="3") + trace("n3", startQuantity="3"))],
        "start\nran n1 n2 n2 n2 n3\nended",
    ),
    "43 explicit termination in a sub-process": (
        [
            net(
                "s > p > u > n9 > e",
                "p > t3 > e3",
                more=sub("u", net("s1 > p1 > t1 > e1", "p1 > t2 > e2", more=end("e1", TERMINATE))),
            )
        ],
        "start\ndo t1\nopen t3\nran n9\ndo t3\nended",
    ),
}

UNDOING: dict[str, Case] = {
    "what was not done is not undone": (
        [
            net(
                "s > x",
                "x > n1 ? a",
                "x > n2 default",
                "n1 > x2",
                "n2 > x2",
                "x2 > i > e",
                more=throw("i", COMPENSATE)
                + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u")
                + undone_by("n2", trace("n2u", isForCompensation="true"), "n2u"),
            )
        ],
        "start a=false\nran n2 n2u\nended\nstart a=true\nran n1 n1u\nended",
    ),
    "what still runs is not undone": (
        [
            net(
                "s > p > t1 > e",
                "p > n2 > i > e2",
                more=throw("i", COMPENSATE) + undone_by("t1", trace("n1u", isForCompensation="true"), "n1u"),
            )
        ],
        "start\nran n2\nopen t1\ndo t1\nran n2\nended",
    ),
    "the last first": (
        [
            net(
                "s > n1 > n2 > n3 > e",
                more=end("e", COMPENSATE)
                + "".join(undone_by(n, trace(f"{n}u", isForCompensation="true"), f"{n}u") for n in ("n1", "n2", "n3")),
            )
        ],
        "start\nran n1 n2 n3 n3u n2u n1u\nended",
    ),
    "each instance of a multi-instance": (
        [
            net(
                "s > n1 > i > e",
                more=trace("n1", many("3", sequential=True))
                + throw("i", COMPENSATE)
                + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
            )
        ],
        "start\ndone n1 4\ndone n1u 3\nended",
    ),
    "each round of a loop": (
        [
            net(
                "s > n1 > i > e",
                more=trace("n1", loop(maximum=2))
                + throw("i", COMPENSATE)
                + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
            )
        ],
        "start\ndone n1u 2\nended",
    ),
    "a sub-process by its compensation event sub-process": (
        [
            net(
                "s > u > i > n9 > e",
                more=throw("i", COMPENSATE)
                + sub("u", net("s1 > n1 > e1", more=event_sub("v", net("s2 > n2 > e2", more=start("s2", COMPENSATE))))),
            )
        ],
        "start\nran n1 n2 n9\nended",
    ),
    "a sub-process by what is in it": (
        [
            net(
                "s > u > i > n9 > e",
                more=throw("i", COMPENSATE)
                + sub(
                    "u",
                    net(
                        "s1 > n1 > n2 > e1",
                        more=undone_by("n1", trace("n1u", isForCompensation="true"), "n1u")
                        + undone_by("n2", trace("n2u", isForCompensation="true"), "n2u"),
                    ),
                ),
            )
        ],
        "start\nran n1 n2 n2u n1u n9\nended",
    ),
    "a sub-process by its own handler alone": (
        [
            net(
                "s > u > i > n9 > e",
                more=throw("i", COMPENSATE)
                + undone_by("u", trace("nu", isForCompensation="true"), "nu")
                + sub("u", net("s1 > n1 > e1", more=undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"))),
            )
        ],
        "start\nran n1 nu n9\nended",
    ),
    "a cancelled transaction": (
        [
            net(
                "s > v > n9 > e",
                "b > n8 > e2",
                more=boundary("b", "v", event("cancel"))
                + element(
                    "transaction",
                    "v",
                    net(
                        "s1 > n1 > p > t1 > e1",
                        "p > t2 > e3",
                        more=end("e3", event("cancel")) + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
                    ),
                ),
            )
        ],
        "start\nopen t1 t2\ndo t2\nopen -\nran n1 n1u n8\nended",
    ),
    "an error that leaves a transaction undoes nothing": (
        [
            net(
                "s > v > n9 > e",
                "b > n8 > e2",
                "c > n7 > e4",
                more=boundary("b", "v", event("cancel"))
                + boundary("c", "v", event("error", "E1"))
                + element(
                    "transaction",
                    "v",
                    net(
                        "s1 > n1 > p > t1 > e1",
                        "p > t2 > e3",
                        "p > t3 > e5",
                        more=end("e3", event("error", "E1"))
                        + end("e5", event("cancel"))
                        + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
                    ),
                ),
            ),
            ERR,
        ],
        "start\ndo t2\nran n1 n7\nended",
    ),
}

ERRORS = '<b:error id="E1" errorCode="E1"/><b:error id="E2" errorCode="E2"/>'
ESC = '<b:escalation id="X1" escalationCode="X1"/>'
LINK = '<b:linkEventDefinition name="L"/>'
CALLED = element("callActivity", "c", ext(z("calledElement", processId="C")))
PUBLISH = ext(
    z("taskDefinition", type="publish-message"),
    z("ioMapping", z("input", source="m", target="messageName") + z("input", source="k", target="correlationKey")),
)


def when(condition: str) -> str:
    return f"<b:conditionalEventDefinition><b:condition>={condition}</b:condition></b:conditionalEventDefinition>"


THROWING: dict[str, Case] = {
    "a signal at the end starts another process": (
        [net("s > n1 > e", more=end("e", event("signal", "sg"))), S],
        "start! C\nended\nstart\nended\nran n1\ncases C 2",
        draw(net("s > n1 > e", "s2 > n2 > e", more=start("s2", event("signal", "sg"))), S, process_id="C"),
    ),
    "a signal reaches several catches, whoever comes first": (
        [
            net(
                "s > p > i > n3 > p2",
                "p > c > n1 > p2",
                "p > d > n2 > p2",
                "p2 > n9 > e",
                more=catch("c", event("signal", "sg")) + catch("d", event("signal", "sg")) + throw("i", event("signal", "sg")),
            ),
            S,
        ],
        "start\nran | n1 n2 n3 | n9\nended",
    ),
    "a message to the same case": (
        [
            net(
                "s > p > c > n1 > e",
                "p > i > n2 > e",
                more=catch("c", event("message", "m")) + element("intermediateThrowEvent", "i", PUBLISH + event("message")),
            ),
            M,
        ],
        "start\nran | n1 n2\nended",
    ),
    "a message starts another process": (
        [net("s > i > e", more=element("sendTask", "i", PUBLISH))],
        "start\nended\ncases C 1",
        draw(net("s > n1 > e", more=start("s", event("message", "m"))), message("m", "m", None), process_id="C"),
    ),
    "an error that nobody catches is no success": (
        [net("s > n1 > e", more=end("e", event("error", "E1"))), ERRORS],
        "start\nran n1\nincident e UNHANDLED_ERROR_EVENT\nactive",
    ),
    "an error of a called process that nobody catches": (
        [net("s > c > n9 > e", more=CALLED)],
        "start\ncase >\nterminated\ncase <\nincident c UNHANDLED_ERROR_EVENT\nactive",
        draw(net("s > n1 > e", more=end("e", event("error", "E1"))), ERRORS, process_id="C"),
    ),
    "an error passes who catches another code": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                "c > n2 > e3",
                more=sub(
                    "u",
                    net(
                        "s1 > w > e1",
                        "d > n3 > e5",
                        more=sub("w", net("s2 > n4 > e4", more=end("e4", event("error", "E2"))))
                        + boundary("d", "w", event("error", "E1")),
                    ),
                )
                + boundary("b", "u", event("error", "E1"))
                + boundary("c", "u", event("error", "E2")),
            ),
            ERRORS,
        ],
        "start\nran n4 n2\nended",
    ),
    "an error thrown while handling it goes out": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                more=sub(
                    "u",
                    net(
                        "s1 > e1",
                        more=end("e1", event("error", "E1"))
                        + event_sub("v", net("s2 > n2 > e3", more=start("s2", event("error")) + end("e3", event("error", "E1")))),
                    ),
                )
                + boundary("b", "u", event("error", "E1")),
            ),
            ERRORS,
        ],
        "start\nran n2 n1\nended",
    ),
    "an escalation, then an error, from one sub-process": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                "c > n2 > e3",
                more=sub("u", net("s1 > i > e1", more=throw("i", event("escalation", "X1")) + end("e1", event("error", "E1"))))
                + boundary("b", "u", event("escalation", "X1"), interrupting=False)
                + boundary("c", "u", event("error", "E1")),
            ),
            ERRORS,
            ESC,
        ],
        "start\nran | n1 n2\nended",
    ),
    "an error in one of many ends the others": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                more=sub(
                    "u",
                    many("3") + net("s1 > t1 > x", "x > e1 ? ok", "x > e3 default", more=end("e3", event("error", "E1"))),
                )
                + boundary("b", "u", event("error", "E1")),
            ),
            ERRORS,
        ],
        "start\ndo t1 ok=true\ndo t1 ok=false\nopen -\nran n1\nended",
    ),
    "a condition that a script inside fulfils": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                more=sub("u", net("s1 > n2 > n3 > e1", more=script("n2", "x", "true"))) + boundary("b", "u", when("x")),
            )
        ],
        "start x=false\nran n2 n1\nended",
    ),
    "a condition that holds from the start": (
        [net("s > t1 > e", "b > n1 > e2", more=boundary("b", "t1", when("x")))],
        "start x=true\nran n1\nended",
    ),
    "a condition that holds beside what goes on": (
        [
            net(
                "s > n2 > t1 > e",
                more=script("n2", "x", "true")
                + event_sub("v", net("s1 > n1 > e1", more=start("s1", when("x"), isInterrupting="false"))),
            )
        ],
        "start x=false\nran n2 n1\nopen t1\ndo t1\nended",
    ),
    "several links to one": (
        [
            net(
                "s > x",
                "x > l1 ? a",
                "x > l2 default",
                "c > n1 > e",
                more=catch("c", LINK) + throw("l1", LINK) + throw("l2", LINK),
            )
        ],
        "start a=true\nran n1\nended\nstart a=false\nran n1\nended",
    ),
    "a link back": (
        [
            net(
                "s > x > n1 > x2",
                "x2 > l1 ? i < 2",
                "x2 > e default",
                "c > x",
                more=script("n1", "i", "i + 1") + catch("c", LINK) + throw("l1", LINK),
            )
        ],
        "start i=0\nran n1 n1\nended",
    ),
    "an intermediate event that throws nothing": ([net("s > i > n1 > e", more=throw("i", ""))], "start\nran n1\nended"),
    "starts by timers": (
        [net("s > n1 > e", "s2 > n2 > e", more=start("s", timer("PT1H")) + start("s2", timer("R2/PT3H", "timeCycle")))],
        "turn PT59M\ncases P 0\nturn PT1M\ncases P 1\nturn PT2H\ncases P 2\nturn PT3H\ncases P 3\nturn P1D\ncases P 3",
    ),
    "undoing in an error's handler": (
        [
            net(
                "s > u > n9 > e",
                more=sub(
                    "u",
                    net(
                        "s1 > n1 > e1",
                        more=end("e1", event("error", "E1"))
                        + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u")
                        + event_sub("v", net("s2 > i > n2 > e2", more=start("s2", event("error")) + throw("i", COMPENSATE))),
                    ),
                ),
            ),
            ERRORS,
        ],
        "start\nran n1 n1u n2 n9\nended",
    ),
    "undoing twice undoes once": (
        [
            net(
                "s > n1 > i > j > e",
                more=throw("i", COMPENSATE)
                + throw("j", COMPENSATE)
                + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
            )
        ],
        "start\nran n1 n1u\nended",
    ),
    "undoing at the end of a sub-process leaves what is around": (
        [
            net(
                "s > n0 > u > n9 > e",
                more=undone_by("n0", trace("n0u", isForCompensation="true"), "n0u")
                + sub(
                    "u",
                    net(
                        "s1 > n1 > e1",
                        more=end("e1", COMPENSATE) + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
                    ),
                ),
            )
        ],
        "start\nran n0 n1 n1u n9\nended",
    ),
}

TOGETHER: dict[str, Case] = {
    "an inclusive block in each of many sub-processes": (
        [
            net(
                "s > u > n9 > e",
                more=sub(
                    "u",
                    many("2") + net("s1 > o1", "o1 > t1 ? true", "o1 > n1 ? true", "t1 > o2", "n1 > o2", "o2 > n2 > e1"),
                ),
            )
        ],
        "start\ndo t1\nran | n1 n1 n2\ndo t1\nran | n1 n1 n2 | n2 | n9\nended",
    ),
    "tokens gather before an inclusive join": (
        [net("s > p > n1 > n3 > o > n9 > e", "p > t1 > n3", "p > n2 > o", more=trace("n3", startQuantity="2"))],
        "start\nran | n1 n2\ndo t1\nran | n1 n2 | n3 | n9\nended",
    ),
    "an inclusive join waits for who holds an incident": (
        [net("s > p > n1 > o > n9 > e", "p > x", "x > o ? gone", "x > e2 default")],
        "start\nran n1\nincident x EXTRACT_VALUE_ERROR\nretry x gone=false\nran n1 n9\nended",
    ),
    "an inclusive join waits for what a boundary event began": (
        [
            net(
                "s > p > t1 > o > n9 > e",
                "p > t2 > o",
                "b > t3 > o",
                more=boundary("b", "t1", timer("PT1H"), interrupting=False),
            )
        ],
        "start\nturn PT1H\ndo t1\ndo t2\nran -\ndo t3\nran n9\nended",
    ),
    "an inclusive join does not wait for an event sub-process": (
        [
            net(
                "s > p > n1 > o > n9 > e",
                "p > t1 > o",
                more=event_sub("v", net("s2 > t2 > e2", more=start("s2", event("signal", "sg"), isInterrupting="false"))),
            ),
            S,
        ],
        "start\nsignal sg\ndo t1\nran n1 n9\nactive\ndo t2\nended",
    ),
    "an escalation thrown while handling one goes out": (
        [
            net(
                "s > u > n9 > e",
                "b > n1 > e2",
                more=sub(
                    "u",
                    net(
                        "s1 > i > n3 > e1",
                        more=throw("i", event("escalation", "X1"))
                        + event_sub(
                            "v",
                            net(
                                "s2 > n2 > e3",
                                more=start("s2", event("escalation", "X1"), isInterrupting="false")
                                + end("e3", event("escalation", "X1")),
                            ),
                        ),
                    ),
                )
                + boundary("b", "u", event("escalation", "X1"), interrupting=False),
            ),
            ESC,
        ],
        "start\nran | n2 n3 n1 n9\nended",
    ),
    "a transaction that is tried again": (
        [
            net(
                "s > x > v > n9 > e",
                "b > n8 > x",
                more=boundary("b", "v", event("cancel"))
                + element(
                    "transaction",
                    "v",
                    net(
                        "s1 > n1 > t1 > x1",
                        "x1 > e3 ? bad",
                        "x1 > e1 default",
                        more=end("e3", event("cancel")) + undone_by("n1", trace("n1u", isForCompensation="true"), "n1u"),
                    ),
                ),
            )
        ],
        "start\ndo t1 bad=true\nran n1 n1u n8 n1\ndo t1 bad=false\nran n1 n1u n8 n1 n9\nended",
    ),
    "an interrupted process undoes what it did": (
        [
            net(
                "s > n1 > t1 > e",
                more=undone_by("n1", trace("n1u", isForCompensation="true"), "n1u")
                + event_sub("v", net("s2 > i > n2 > e2", more=start("s2", event("signal", "sg")) + throw("i", COMPENSATE))),
            ),
            S,
        ],
        "start\nsignal sg\nran n1 n1u n2\nended",
    ),
    "an ad-hoc sub-process is interrupted": (
        [
            net(
                "s > a > n9 > e",
                more=ad_hoc("a", net("t1", "t2") + event_sub("v", net("s2 > n2 > e2", more=start("s2", event("signal", "sg"))))),
            ),
            S,
        ],
        "start\nsignal sg\nran n2 n9\nended",
    ),
}

CASES: dict[str, Case] = {
    f"{kind}: {name}": case
    for kind, cases in (
        ("activity", ACTIVITIES),
        ("flow", FLOWS),
        ("gateway", GATEWAYS),
        ("pattern", PATTERNS),
        ("undoing", UNDOING),
        ("throwing", THROWING),
        ("together", TOGETHER),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_as_camunda_8_writes_it(name: str, tmp_path: Path) -> None:
    (body, *root), commands, *others = CASES[name]
    play_stored(tmp_path, [*others, draw(body, *root)], commands)


PLAIN = {
    name: (file, case[1])
    for name, case in CASES.items()
    if len(case) == 2 and (file := in_plain_bpmn(draw(*case[0]))) is not None
}


@pytest.mark.parametrize("name", PLAIN)
def test_in_plain_bpmn(name: str, tmp_path: Path) -> None:
    file, commands = PLAIN[name]
    play_stored(tmp_path, [file], re.sub(r"\b(send|keep) (\w+) k\b", r"\1 \2", commands), restarting=False)
