"""Scopes: sub-processes, multi-instances, call activities, variables, incidents; nested into each other."""

from __future__ import annotations

import pytest

from tests.unit.facade.conformance import catch, draw, event_sub, net, play, sub, throw
from tests.unit.kernel.drawing import (
    boundary,
    each,
    element,
    event,
    ext,
    io,
    message,
    script,
    service,
    start,
    timer,
    user,
    z,
)

M = message("m", "m")
ERR = '<b:error id="E1" errorCode="E1"/>'
ESC = '<b:escalation id="X1" escalationCode="X1"/>'
S = '<b:signal id="sg" name="sg"/>'


def call(element_id: str, process: str, *extensions: str, inner: str = "", **attributes: object) -> str:
    return element("callActivity", element_id, ext(z("calledElement", processId=process, **attributes), *extensions) + inner)


CHILD = draw(net("s > t1 > n > e", more=script("n", "out", "assert(given, given != null) + 1")), process_id="C")
FAILING = draw(
    net("s > w > x", "x > e ? ok", "x > e2 default", more=service("w") + element("endEvent", "e2", event("error", "E1"))),
    ERR,
    process_id="C",
)
ESCALATING = draw(net("s > i > t1 > e", more=throw("i", event("escalation", "X1"))), ESC, process_id="C")

SCOPES = {
    "a sub-process completes when nothing in it lives": (
        [net("s > u > t9 > e", more=sub("u", net("s1 > p > t1 > e1", "p > t2 > e2")))],
        "start\ndo t1\nopen t2\ndo t2\nopen t9\ndo t9\nended",
    ),
    "in three levels, interrupted from outside": (
        [
            net(
                "s > u > e",
                "b > t9 > e9",
                more=sub(
                    "u",
                    net("s1 > w > e1", more=sub("w", net("s2 > p > t1 > e2", "p > v > e3", more=sub("v", net("s3 > t2 > e4"))))),
                )
                + boundary("b", "u", timer("PT1H")),
            )
        ],
        "start\nopen t1 t2\nturn PT1H\nopen t9\ndo t9\nended",
    ),
    "a boundary event in a loop arms anew": (
        [
            net(
                "s > x > u > x2",
                "x2 > x ? again",
                "x2 > e default",
                "b > t9 > e9",
                more=sub("u", net("s1 > t1 > e1")) + boundary("b", "u", timer("PT1H"), interrupting=False),
            )
        ],
        (
            "start\nturn PT1H\nopen t1 t9\ndo t1 again=true\nopen t1 t9\nturn PT1H\nopen t1 t9 t9\n"
            "do t1 again=false\ndo t9\ndo t9\nended"
        ),
    ),
    "event sub-process in a multi-instance sub-process": (
        [
            net(
                "s > u > t9 > e",
                more=sub(
                    "u",
                    each('["a","b"]', "kk")
                    + net("s1 > t1 > e1", more=event_sub("v", net("s2 > t2 > e2", more=start("s2", event("message", "m"))))),
                ),
            ),
            message("m", "m", "=kk"),
        ],
        (
            "start\nopen t1 t1\nsend m a\nopen t1 t2\nsend m a\nopen t1 t2\nsend m b\nopen t2 t2\ndo t2\n"
            "do t2\nopen t9\ndo t9\nended"
        ),
    ),
    "sub-process in a multi-instance in an event sub-process": (
        [
            net(
                "s > t1 > e",
                more=event_sub(
                    "v",
                    net(
                        "s1 > u > e1",
                        more=start("s1", event("message", "m"), isInterrupting="false")
                        + sub("u", each("list", "i") + net("s2 > w > e2", more=sub("w", net("s3 > t2 > e3")))),
                    ),
                ),
            ),
            M,
        ],
        (
            "start list=[1,2]\nsend m k\nopen t1 t2 t2\nsend m k list=[1]\nopen t1 t2 t2 t2\ndo t1\ndo t2\n"
            "do t2\nactive\ndo t2\nended"
        ),
    ),
    "an event sub-process starts while another runs; the interrupting one ends all": (
        [
            net(
                "s > t1 > e",
                more=event_sub("v", net("s1 > t2 > e1", more=start("s1", event("signal", "sg"), isInterrupting="false")))
                + event_sub("w", net("s2 > t3 > e2", more=start("s2", event("message", "m")))),
            ),
            M,
            S,
        ],
        ("start\nsignal sg\nsignal sg\nopen t1 t2 t2\nsend m k\nopen t3\nsignal sg\nopen t3\ndo t3\nended"),
    ),
    "an event sub-process inside an event sub-process": (
        [
            net(
                "s > t1 > e",
                more=event_sub(
                    "v",
                    net(
                        "s1 > t2 > e1",
                        more=start("s1", event("signal", "sg"), isInterrupting="false")
                        + event_sub("w", net("s2 > t3 > e2", more=start("s2", event("message", "m")))),
                    ),
                ),
            ),
            M,
            S,
        ],
        ("start\nsend m k\nopen t1\nsignal sg\nsend m k\nopen t1 t3\ndo t3\nsend m k\nopen t1\ndo t1\nended"),
    ),
}

MULTI = {
    "parallel": (
        [net("s > t1 > t9 > e", more=user("t1", inner=each("list", "i")))],
        ("start list=[1,2,3]\nopen t1 t1 t1\ndo t1\ndo t1\nopen t1\ndo t1\nopen t9\nunset i loopCounter"),
    ),
    "sequential": (
        [net("s > t1 > t9 > e", more=user("t1", inner=each("list", "i", sequential=True, collect="out", result="i * v")))],
        ("start list=[1,2,3]\nopen t1\ndo t1 v=1\nopen t1\ndo t1 v=2\ndo t1 v=3\nopen t9\nvars out=[1,4,9]"),
    ),
    "empty collection": (
        [net("s > t1 > t9 > e", more=user("t1", inner=each("[]", "i", collect="out", result="i")))],
        "start\nopen t9\nvars out=[]",
    ),
    "no list is an incident": (
        [net("s > t1 > t9 > e", more=user("t1", inner=each("list", "i")))],
        ('start list="a"\nincident t1 EXTRACT_VALUE_ERROR\nset list=["x"]\nretry t1\nopen t1\ndo t1\nopen t9'),
    ),
    "a collection that is null is an incident": (
        [net("s > t1 > e", more=user("t1", inner=each("gone", "i")))],
        "start\nincident t1 EXTRACT_VALUE_ERROR",
    ),
    "completion condition ends the others": (
        [
            net(
                "s > t1 > t9 > e",
                more=user("t1", inner=each("[1,2,3]", "i", until="numberOfCompletedInstances >= 2", collect="out", result="r")),
            )
        ],
        "start\ndo t1 r=1\nopen t1 t1\ndo t1 r=2\nopen t9\nvars out=[1,2,null]",
    ),
    "completion condition with output variable": (
        [net("s > t1 > t9 > e", more=user("t1", inner=each("[1,2,3]", "i", until="veto", collect="out", result="veto")))],
        "start\ndo t1 veto=false\nopen t1 t1\ndo t1 veto=true\nopen t9\nunset veto",
    ),
    "results keep the order of items": (
        [net("s > w > t9 > e", more=service("w", inner=each("[1,2]", "i", collect="out", result="r")))],
        "start\njob w r=1\njob w r=2\nopen t9\nvars out=[1,2]",
    ),
    "boundary on the whole": (
        [
            net(
                "s > t1 > t9 > e",
                "b > t2 > e2",
                more=user("t1", inner=each("[1,2]", "i", collect="out", result="r")) + boundary("b", "t1", timer("PT1H")),
            )
        ],
        "start\ndo t1 r=1\nturn PT1H\nopen t2\nunset out\ndo t2\nended",
    ),
    "non-interrupting boundary fires once for the whole": (
        [
            net(
                "s > t1 > t9 > e",
                "b > t2 > e2",
                more=user("t1", inner=each("[1,2]", "i")) + boundary("b", "t1", timer("PT1H"), interrupting=False),
            )
        ],
        "start\nturn PT1H\nopen t1 t1 t2",
    ),
    "nested": (
        [
            net(
                "s > u > t9 > e",
                more=sub(
                    "u",
                    each("[[1,2],[3]]", "row", collect="out", result="cells")
                    + net(
                        "s1 > n > e1",
                        more=script("n", "cell", "item * 10", inner=each("row", "item", collect="cells", result="cell")),
                    ),
                ),
            )
        ],
        "start\nopen t9\nvars out=[[10,20],[30]]",
    ),
    "of script tasks": (
        [net("s > n > t9 > e", more=script("n", "v", "i * 2", inner=each("[1,2,3]", "i", collect="out", result="v")))],
        "start\nvars out=[2,4,6]\nunset v",
    ),
    "of call activities": (
        [
            net(
                "s > c > t9 > e",
                more=call(
                    "c",
                    "C",
                    io({"given": "=i"}, {"out": "=out"}),
                    inner=each("[1,2]", "i", collect="all", result="out"),
                    propagateAllParentVariables="false",
                ),
            )
        ],
        "start\ncase >\ndo t1\nvars out=3\ncase <\nopen -\nactive",
        CHILD,
    ),
    "sequential of sub-processes with a message in it": (
        [
            net(
                "s > u > t9 > e",
                more=sub(
                    "u", each('["a","b"]', "kk", sequential=True) + net("s1 > c > e1", more=catch("c", event("message", "m")))
                ),
            ),
            message("m", "m", "=kk"),
        ],
        "start\nsend m b\nopen -\nsend m a\nsend m b\nopen t9",
    ),
    "of receive tasks": (
        [
            net("s > r > t9 > e", more=element("receiveTask", "r", each('["a","b"]', "kk"), messageRef="m")),
            message("m", "m", "=kk"),
        ],
        "start\nsend m b\nopen -\nsend m a\nopen t9",
    ),
    "an incident in one, the others go on": (
        [net("s > n > t9 > e", more=script("n", "v", "assert(i, i < 3)", inner=each("[1,5,2]", "i", collect="out", result="v")))],
        ("start\nincident n EXTRACT_VALUE_ERROR\nopen -\nretry n\nincident n EXTRACT_VALUE_ERROR\ncancel\nterminated"),
    ),
}

CALLS = {
    "all variables in and out": (
        [net("s > c > t9 > e", more=call("c", "C", propagateAllChildVariables="true"))],
        (
            "start given=1 other=2\ncase >\nopen t1\nvars given=1 other=2\ndo t1 more=5\nended\ncase <\n"
            "open t9\nvars out=2 more=5\ndo t9\nended"
        ),
        CHILD,
    ),
    "the child's variables stay in the child": (
        [net("s > c > t9 > e", more=call("c", "C", propagateAllChildVariables="false"))],
        "start given=1\ncase >\ndo t1\ncase <\nopen t9\nunset out",
        CHILD,
    ),
    "only mapped ones": (
        [
            net(
                "s > c > t9 > e",
                more=call(
                    "c",
                    "C",
                    io({"given": "=a"}, {"result": "=out * 2"}),
                    propagateAllParentVariables="false",
                    propagateAllChildVariables="false",
                ),
            )
        ],
        ("start a=1 b=2\ncase >\nvars given=1\nunset a b\ndo t1\ncase <\nvars result=4\nunset out"),
        CHILD,
    ),
    "a process by expression": (
        [net("s > c > t9 > e", more=call("c", "=which"))],
        'start which="C" given=1\ncase >\nopen t1',
        CHILD,
    ),
    "a process that is not there is an incident, and may come later": (
        [net("s > c > t9 > e", more=call("c", "=which"))],
        ('start which="D" given=1\nincident c CALLED_ELEMENT_ERROR\nset which="C"\nretry c\ncase >\nopen t1'),
        CHILD,
    ),
    "an error of the child is caught by the caller": (
        [net("s > c > t9 > e", "b > t8 > e2", more=call("c", "C") + boundary("b", "c", event("error", "E1"))), ERR],
        (
            "start\ncase >\njob w ok=false\nterminated\ncase <\nopen t8\ndo t8\nended\nstart\ncase >\n"
            "job w ok=true\nended\ncase <\nopen t9"
        ),
        FAILING,
    ),
    "a worker's error of the child too": (
        [net("s > c > t9 > e", "b > t8 > e2", more=call("c", "C") + boundary("b", "c", event("error"))), ERR],
        "start\ncase >\nerror w E1\nterminated\ncase <\nopen t8",
        FAILING,
    ),
    "an escalation of the child": (
        [
            net(
                "s > c > t9 > e",
                "b > t8 > e2",
                more=call("c", "C") + boundary("b", "c", event("escalation", "X1"), interrupting=False),
            ),
            ESC,
        ],
        "start\nopen t8\ncase >\nopen t1\ndo t1\ncase <\nopen t8 t9",
        ESCALATING,
    ),
    "an escalation that interrupts ends the child": (
        [net("s > c > t9 > e", "b > t8 > e2", more=call("c", "C") + boundary("b", "c", event("escalation", "X1"))), ESC],
        "start\nopen t8\ndo t8\nended",
        ESCALATING,
    ),
    "a boundary timer ends the child": (
        [net("s > c > t9 > e", "b > t8 > e2", more=call("c", "C") + boundary("b", "c", timer("PT1H")))],
        "start given=1\nturn PT1H\nopen t8\ndo t8\nended",
        CHILD,
    ),
    "cancelling the caller cancels the child": (
        [net("s > c > t9 > e", more=call("c", "C"))],
        "start given=1\ncase >\nactive\ncase <\ncancel\nterminated\ncase >\nterminated",
        CHILD,
    ),
    "through two levels": (
        [net("s > c > t9 > e", "b > t8 > e2", more=call("c", "B") + boundary("b", "c", event("error", "E1"))), ERR],
        "start\ncase >\ncase >\nerror w E1\nterminated\ncase <\nterminated\ncase <\nopen t8",
        FAILING,
        draw(net("s > c > e", more=call("c", "C")), process_id="B"),
    ),
    "suspending the caller locks the child": (
        [net("s > c > t9 > e", more=call("c", "C"))],
        ("start given=1\nsuspend\ncase >\nrefused do t1\ncase <\nresume\ncase >\ndo t1\nended\ncase <\nopen t9"),
        CHILD,
    ),
    "the child calls its caller's sub-process": (
        [net("s > u > t9 > e", more=sub("u", net("s1 > c > e1", more=call("c", "C", propagateAllChildVariables="true"))))],
        "start given=1\ncase >\ndo t1\ncase <\nvars out=2\nopen t9",
        CHILD,
    ),
}

VARIABLES = {
    "input mappings are local, outputs reach out": (
        [net("s > t1 > t9 > e", more=user("t1", io({"a": "=x + 1", "b": "=a + 1"}, {"y": "=a + b + c"})))],
        "start x=1\nunset a b\ndo t1 c=10\nunset a b c\nvars y=15",
    ),
    "without outputs what comes is merged where it is": (
        [net("s > u > t9 > e", more=sub("u", ext(io({"v": "=0"})) + net("s1 > t1 > e1")))],
        "start w=1\ndo t1 v=5 w=6 z=7\nopen t9\nvars w=6 z=7\nunset v",
    ),
    "outputs of a sub-process": (
        [net("s > u > t9 > e", more=sub("u", ext(io({"v": "=0"}, {"out": "=v"})) + net("s1 > t1 > e1")))],
        "start\ndo t1 v=5\nvars out=5\nunset v",
    ),
    "nested targets": (
        [net("s > t1 > t9 > e", more=user("t1", io(None, {"order.total": "=sum", "order.by": '="me"'})))],
        'start order={"id":1}\ndo t1 sum=3\nvars order={"id":1,"total":3,"by":"me"}',
    ),
    "a missing variable in a mapping is null": (
        [net("s > t1 > t9 > e", more=user("t1", io({"a": "=gone"}, {"y": "=a"})))],
        "start\ncalm\ndo t1\nvars y=null",
    ),
    "a text without = is a text": (
        [net("s > t1 > t9 > e", more=user("t1", io({"a": "hello"}, {"y": "=a"})))],
        'start\ndo t1\nvars y="hello"',
    ),
    "a runtime failure in a mapping is an incident": (
        [net("s > t1 > t9 > e", more=user("t1", io({"a": "=assert(x, x != null)"}, {"y": "=a"})))],
        "start\nincident t1 IO_MAPPING_ERROR\nset x=1\nretry t1\ndo t1\nvars y=1",
    ),
    "message variables go through the output mappings of the catch": (
        [net("s > c > t9 > e", more=catch("c", ext(io(None, {"y": "=x"})) + event("message", "m"))), M],
        "start\nsend m k x=3 z=4\nvars y=3\nunset x z",
    ),
    "boundary event's output mappings": (
        [
            net(
                "s > t1 > e",
                "b > t9 > e2",
                more=user("t1")
                + element("boundaryEvent", "b", ext(io(None, {"y": "=x"})) + event("message", "m"), attachedToRef="t1"),
            ),
            M,
        ],
        "start\nsend m k x=3\nopen t9\nvars y=3\nunset x",
    ),
    "end event's and start event's output mappings": (
        [
            net(
                "s > t9 > e",
                more=element("startEvent", "s", ext(io(None, {"y": "=x + 1"})))
                + element("endEvent", "e", ext(io(None, {"z": "=y + 1"}))),
            )
        ],
        "start x=1\nvars y=2\ndo t9\nvars z=3\nended",
    ),
    "script result through outputs": (
        [net("s > n > t9 > e", more=script("n", "r", "x * 2", io({"x": "=21"}, {"y": "=r"})))],
        "start\nvars y=42\nunset r x",
    ),
    "money stays exact": (
        [net("s > n > x", "x > t9 ? r = 0.3", "x > e default", "t9 > e", more=script("n", "r", "0.1 + 0.2"))],
        "start\nopen t9",
    ),
}

INCIDENTS = {
    "a job without retries": (
        [net("s > w > e", more=service("w"))],
        "start\nfail w\nincident w JOB_NO_RETRIES\nretry w\ncalm\njob w\nended",
    ),
    "an incident does not hold up another path": (
        [net("s > p > x", "p > t1 > e2", "x > e ? a")],
        ("start\nincident x EXTRACT_VALUE_ERROR\nopen t1\ndo t1\nactive\nset a=true\nretry x\nended"),
    ),
    "retry without correction is the same incident": (
        [net("s > x > e ? a")],
        ("start\nincident x EXTRACT_VALUE_ERROR\nretry x\nincident x EXTRACT_VALUE_ERROR\nretry x a=true\nended"),
    ),
    "on output mapping: the task is not done again": (
        [net("s > t1 > e", more=user("t1", io(None, {"y": "=assert(x, x != null)"})))],
        ("start\ndo t1\nincident t1 IO_MAPPING_ERROR\nopen -\nset x=1\nretry t1\nended\ndone t1 1\nvars y=1"),
    ),
    "on a flow's condition": (
        [net("s > t1", "t1 > t2 ? a", "t1 > t3 default", "t2 > e", "t3 > e")],
        ("start\ndo t1\nincident t1 EXTRACT_VALUE_ERROR\nset a=true\nretry t1\nopen t2\ndone t1 1"),
    ),
    "cancelled with an incident": ([net("s > x > e ? a")], "start\nincident x EXTRACT_VALUE_ERROR\ncancel\nterminated"),
    "a boundary timer takes the element with the incident away": (
        [net("s > u > e", "b > t9 > e2", more=sub("u", net("s1 > x > e1 ? a")) + boundary("b", "u", timer("PT1H")))],
        "start\nincident x EXTRACT_VALUE_ERROR\nturn PT1H\ncalm\nopen t9\ndo t9\nended",
    ),
    "an incident in a called case": (
        [net("s > c > t9 > e", more=call("c", "C", propagateAllChildVariables="true"))],
        ("start given=null\ncase >\ndo t1\nincident n EXTRACT_VALUE_ERROR\nset given=1\nretry n\nended\ncase <\nvars out=2"),
        CHILD,
    ),
    "an endless loop": ([net("s > x1 > n > x1")], "start\nactive\nrefused calm\ncancel\nterminated"),
    "a wrong due date": (
        [net("s > t1 > e", more=user("t1", z("taskSchedule", dueDate="=due")))],
        ('start due="soon"\nincident t1 EXTRACT_VALUE_ERROR\nset due="2026-12-01T00:00:00Z"\nretry t1\ndo t1\nended'),
    ),
    "a boundary event's expression fails when its host is entered": (
        [net("s > t1 > e", "b > e2", more=user("t1") + boundary("b", "t1", timer("=d")))],
        'start d=5\nactive\nset d="PT1H"\nretry b\nturn PT1H\ncalm\nended',
    ),
}

LIFE = {
    "suspended: nobody completes, timers that fall due fire at resume": (
        [net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", timer("PT1H"), interrupting=False))],
        "start\nsuspend\nrefused do t1\nturn PT1H\nopen t1\nresume\nturn PT1S\nopen t1 t2\ndo t1\ndo t2\nended",
    ),
    "cancel twice": ([net("s > t1 > e")], "start\ncancel\nterminated\nrefused cancel"),
    "after the end nothing goes": (
        [net("s > t1 > e", more="")],
        "start\ndo t1\nended\nrefused cancel\nrefused suspend\nrefused set x=1",
    ),
    "start at an element": ([net("s > t1 > t2 > e")], "start\nopen t1"),
}

ALL = {
    f"{kind}: {name}": case
    for kind, cases in (
        ("scope", SCOPES),
        ("multi", MULTI),
        ("call", CALLS),
        ("variable", VARIABLES),
        ("incident", INCIDENTS),
        ("life", LIFE),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_scopes(name: str) -> None:
    model, script_, *others = ALL[name]
    play(draw(*model), script_, *others)
