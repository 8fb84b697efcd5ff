"""More shapes, mixed: what single families of elements do not show."""

from __future__ import annotations

import pytest

from tests.unit.facade.conformance import catch, draw, event_sub, net, play, sub, throw
from tests.unit.facade.test_conformance_scopes import CHILD, call
from tests.unit.kernel.drawing import boundary, each, element, event, ext, io, message, script, service, start, timer, user

M = message("m", "m")
S = '<b:signal id="sg" name="sg"/>'
ERR = '<b:error id="E1" errorCode="E1"/>'
ESC = '<b:escalation id="X1" escalationCode="X1"/>'


def case(body: str, script_: str, *root: str, others: tuple[bytes, ...] = ()) -> tuple[bytes, str, tuple[bytes, ...]]:
    return draw(body, *root), script_, others


CASES = {
    "gateway with signal": case(
        net("s > g > c1 > t1 > e", "g > c2 > t2 > e", more=catch("c1", event("signal", "sg")) + catch("c2", timer("PT1H"))),
        "start\nsignal sg\nopen t1\nturn PT2H\nopen t1\nstart\nturn PT1H\nopen t2",
        S,
    ),
    "gateway in loop": case(
        net(
            "s > x > g > c1 > x2",
            "x2 > x ? n < 2",
            "x2 > e default",
            "g > c2 > t2 > e",
            more=catch("c1", event("message", "m")) + catch("c2", timer("PT1H")),
        ),
        "start n=0\nsend m k n=1\nactive\nsend m k n=2\nended",
        M,
    ),
    "gateway in loop w/ ttl": case(
        net(
            "s > x > g > c1 > x2",
            "x2 > x ? n < 2",
            "x2 > e default",
            "g > c2 > t2 > e",
            more=catch("c1", event("message", "m")) + catch("c2", timer("PT1H")),
        ),
        "keep m k n=1\nkeep m k n=2\nstart n=0\nended",
        M,
    ),
    "terminate in child": case(
        net("s > c > t9 > e", more=call("c", "T")),
        "start\ncase >\ndo t1\nended\ncase <\nopen t9",
        others=(draw(net("s > p > t1 > e", "p > t2 > e2", more=element("endEvent", "e", event("terminate"))), process_id="T"),),
    ),
    "message boundary on subprocess w/ child call": case(
        net(
            "s > u > e",
            "b > t9 > e9",
            more=sub("u", net("s1 > c > e1", more=call("c", "C"))) + boundary("b", "u", event("message", "m")),
        ),
        "start given=1\nsend m k\nopen t9\ndo t9\nended",
        M,
        others=(CHILD,),
    ),
    "two catches same key same case": case(
        net(
            "s > p > c1 > t1 > e", "p > c2 > t2 > e", more=catch("c1", event("message", "m")) + catch("c2", event("message", "m"))
        ),
        "start\nsend m k\nopen t1\nsend m k\nopen t1 t2",
        M,
    ),
    "parent and child both wait": case(
        net("s > p > c > e", "p > c1 > t1 > e", more=call("c", "K") + catch("c1", event("message", "m"))),
        "start\nsend m k\nopen t1\ncase >\nopen t5",
        M,
        others=(draw(net("s > c1 > t5 > e", more=catch("c1", event("message", "m"))), M, process_id="K"),),
    ),
    "now + duration": case(
        net("s > c > e", more=catch("c", timer('=now() + duration("PT1H")', "timeDate"))), "start\nactive\nturn PT1H\nended"
    ),
    "date local no zone": case(
        net("s > c > e", more=catch("c", timer("2026-11-02T10:00:00", "timeDate"))),
        "start\nactive\nturn PT59M\nactive\nturn PT1M\nended",
    ),
    "P1DT2H": case(net("s > c > e", more=catch("c", timer("P1DT2H"))), "start\nturn P1D\nactive\nturn PT2H\nended"),
    "PT0S": case(net("s > c > t1 > e", more=catch("c", timer("PT0S"))), "start\nturn PT0S\nopen t1"),
    "-PT1H": case(net("s > c > t1 > e", more=catch("c", timer("-PT1H"))), "start\nturn PT0S\nopen t1"),
    "R1": case(
        net("s > t1 > e", "b > e2", more=boundary("b", "t1", timer("R1/PT1H", "timeCycle"), interrupting=False)),
        "start\nturn P1D\ndone b 1\nturn P1D\ndone b 1",
    ),
    "end month 31": case(
        net("s > t1 > e", "b > e2", more=boundary("b", "t1", timer("R/P1M", "timeCycle"), interrupting=False)),
        "start\nto 2026-12-02T01:00:00Z\ndone b 1\nto 2027-01-02T01:00:00Z\ndone b 2",
    ),
    "downtime of R3 fires once": case(
        net("s > t1 > e", "b > e2", more=boundary("b", "t1", timer("R3/PT1H", "timeCycle"), interrupting=False)),
        "start\nturn P1D\ndone b 1\nturn P1D\ndone b 1",
    ),
    "suspended receives message": case(
        net("s > c > t1 > e", more=catch("c", event("message", "m"))), "start\nsuspend\nsend m k\nresume\nopen t1", M
    ),
    "error w/ variables and outputs": case(
        net(
            "s > w > e",
            "b > t9 > e2",
            more=service("w")
            + element("boundaryEvent", "b", ext(io(None, {"y": "=x"})) + event("error", "E1"), attachedToRef="w"),
        ),
        "start\nerror w E1 x=5\nopen t9\nvars y=5\nunset x",
        ERR,
    ),
    "error in MI subprocess caught inside by event sub": case(
        net(
            "s > u > t9 > e",
            more=sub(
                "u",
                each("[1,2]", "i")
                + net("s1 > w > e1", more=service("w") + event_sub("v", net("s2 > t2 > e2", more=start("s2", event("error"))))),
            ),
        ),
        "start\nerror w E1\nopen t2\njob w\ndo t2\nopen t9",
    ),
    "escalation twice from child MI": case(
        net(
            "s > c > t9 > e",
            "b > t8 > e2",
            more=call("c", "X", inner=each("[1,2]", "i")) + boundary("b", "c", event("escalation"), interrupting=False),
        ),
        "start\nopen t8 t8",
        ESC,
        others=(draw(net("s > i > t1 > e", more=throw("i", event("escalation", "X1"))), ESC, process_id="X"),),
    ),
    "escalation through two levels": case(
        net("s > c > t9 > e", "b > t8 > e2", more=call("c", "Y") + boundary("b", "c", event("escalation"), interrupting=False)),
        "start\nopen t8",
        ESC,
        others=(
            draw(net("s > i > t1 > e", more=throw("i", event("escalation", "X1"))), ESC, process_id="X"),
            draw(net("s > c > e", more=call("c", "X")), process_id="Y"),
        ),
    ),
    "error in event sub of root caught by caller": case(
        net("s > c > t9 > e", "b > t8 > e2", more=call("c", "Z") + boundary("b", "c", event("error", "E1"))),
        "start\nsignal sg\nopen t8",
        ERR,
        S,
        others=(
            draw(
                net(
                    "s > t1 > e",
                    more=event_sub(
                        "v",
                        net(
                            "s1 > e1",
                            more=start("s1", event("signal", "sg"), isInterrupting="false")
                            + element("endEvent", "e1", event("error", "E1")),
                        ),
                    ),
                ),
                ERR,
                S,
                process_id="Z",
            ),
        ),
    ),
    "retry gone incident": case(
        net("s > u > e", "b > t9 > e2", more=sub("u", net("s1 > x", "x > e1 ? a")) + boundary("b", "u", event("message", "m"))),
        "start\nsend m k\ncalm\nopen t9",
        M,
    ),
    "implicit end multiple + gateway no out": case(net("s > p"), "start\nended"),
    "exclusive with single outgoing condition false": case(net("s > x", "x > e ? false"), "start\nrefused calm"),
    "condition non bool": case(net("s > x", "x > e ? 5"), "start\nrefused calm"),
    "user task in MI until any veto sequential": case(
        net("s > t1 > t9 > e", more=user("t1", inner=each("[1,2,3]", "i", sequential=True, until='vote = "no"'))),
        'start\ndo t1 vote="yes"\ndo t1 vote="no"\nopen t9',
    ),
    "MI input scoped var": case(
        net(
            "s > u > t9 > e",
            more=sub(
                "u", each("[1,2]", "i", collect="out", result="acc") + net("s1 > n > t1 > e1", more=script("n", "acc", "i * 10"))
            ),
        ),
        "start\ndo t1\ndo t1\nopen t9\nvars out=[10,20]\nunset acc",
    ),
    "loopCounter": case(
        net("s > n > t9 > e", more=script("n", "v", "loopCounter * i", inner=each("[5,6]", "i", collect="out", result="v"))),
        "start\nvars out=[5,12]",
    ),
    "inclusive default none": case(
        net("s > o1", "o1 > t1 ? a", "o1 > t2 ? b"), "start a=false b=false\nincident o1 CONDITION_ERROR"
    ),
    "signal during incident": case(
        net("s > p > x", "p > c > t1 > e", "x > e ? gone", more=catch("c", event("signal", "sg"))), "start\nsignal sg\nopen t1", S
    ),
    "message ends itself subscription on case end": case(
        net(
            "s > p > c > e", "p > t1 > e2", more=catch("c", event("message", "m")) + element("endEvent", "e2", event("terminate"))
        ),
        "start\ndo t1\nended\nsend m k\nended",
        M,
    ),
    "due order of two timers in one turn": case(
        net(
            "s > p > c1 > n1 > e",
            "p > c2 > n2 > e",
            more=catch("c1", timer("PT2H"))
            + catch("c2", timer("PT1H"))
            + script("n1", "log", "concatenate(log,[2])")
            + script("n2", "log", "concatenate(log,[1])"),
        ),
        "start log=[]\nturn PT3H\nvars log=[1,2]",
    ),
    "chained timers in one turn": case(
        net("s > c1 > c2 > e", more=catch("c1", timer("PT1H")) + catch("c2", timer("PT1H"))),
        "start\nturn PT5H\nactive\nturn PT1H\nended",
    ),
    "event sub message start vars local": case(
        net(
            "s > t1 > e",
            more=event_sub(
                "v",
                ext(io({"a": "=null"})) + net("s2 > t2 > e2", more=start("s2", event("message", "m"), isInterrupting="false")),
            ),
        ),
        "start\nsend m k a=1\nunset a",
        M,
    ),
    "link in subprocess": case(
        net(
            "s > u > t9 > e",
            more=sub(
                "u",
                net(
                    "s1 > l",
                    "c > e1",
                    more=catch("c", '<b:linkEventDefinition name="L"/>')
                    + element("intermediateThrowEvent", "l", '<b:linkEventDefinition name="L"/>'),
                ),
            ),
        ),
        "start\nopen t9",
    ),
    "inclusive + link": case(
        net(
            "s > p > t1 > o > t9 > e",
            "p > t2 > l",
            "c > o",
            more=catch("c", '<b:linkEventDefinition name="L"/>')
            + element("intermediateThrowEvent", "l", '<b:linkEventDefinition name="L"/>'),
        ),
        "start\ndo t1\nopen t2\ndo t2\nopen t9",
    ),
    "inclusive, token inside event gateway target after": case(
        net("s > p > t1 > o > t9 > e", "p > c > o", more=catch("c", timer("PT1H"))), "start\ndo t1\nopen -\nturn PT1H\nopen t9"
    ),
    "nonint boundary token then inclusive join": case(
        net("s > t1 > o > t9 > e", "b > t2 > o", more=boundary("b", "t1", timer("PT1H"), interrupting=False)),
        "start\nturn PT1H\ndo t2\nopen t1\ndo t1\nopen t9\ndone o 1",
    ),
    "loop feeding parallel join": case(
        net("s > p1 > x > t1 > p2 > e", "p1 > t2 > x2", "x2 > x ? again", "x2 > p2 default"),
        "start again=true\ndo t2\nopen t1 t1\ndo t1\ndo t1\nactive",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mixed_shapes(name: str) -> None:
    model, script_, others = CASES[name]
    play(model, script_, *others)
