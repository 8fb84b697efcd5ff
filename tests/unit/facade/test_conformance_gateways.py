"""Gateways, joins and flows as BPMN 2.0 says, through the facade."""

from __future__ import annotations

import pytest

from tests.unit.facade.conformance import catch, draw, net, play, sub
from tests.unit.kernel.drawing import boundary, element, event, message, script, timer

LATE = timer("PT1H")

CASES = {
    "exclusive takes the first that holds": (
        [net("s > x", "x > t1 ? a > 1", "x > t2 ? a > 0", "x > t3 default", "t1 > e", "t2 > e", "t3 > e")],
        "start a=2\nopen t1\nstart a=1\nopen t2\nstart a=0\nopen t3\ndo t3\nended",
    ),
    "exclusive without a way out is an incident and can be corrected": (
        [net("s > x", "x > t1 ? a > 1", "x > t2 ? a < 1", "t1 > e", "t2 > e2")],
        "start a=1\nincident x CONDITION_ERROR\nset a=5\nretry x\nopen t1\ndo t1\nended",
    ),
    "a condition on a missing variable is an incident (Camunda 8)": (
        [net("s > x", "x > t1 ? gone > 1", "x > t2 default", "t1 > e", "t2 > e2")],
        "start\nincident x EXTRACT_VALUE_ERROR\nset gone=0\nretry x\nopen t2",
    ),
    "exclusive merges without waiting": (
        [net("s > p > t1 > x > t3 > e", "p > t2 > x")],
        ("start\nopen t1 t2\ndo t1\nopen t2 t3\ndo t2\nopen t3 t3\ndo t3\nactive\ndo t3\nended\ndone e 2"),
    ),
    "parallel joins wait for one token on every flow": (
        [net("s > p1 > t1 > p2 > t4 > e", "p1 > t2 > p2", "p1 > t3 > p2")],
        "start\ndo t1\ndo t3\nopen t2\ndo t2\nopen t4\ndo t4\nended\ndone p2 1",
    ),
    "parallel: two tokens on one flow are not two flows": (
        [net("s > p1 > t1 > x > p2 > t4 > e", "p1 > t2 > x", "p1 > t3 > p2")],
        "start\ndo t1\ndo t2\nopen t3\ndo t3\nopen t4\nactive\ndo t4\nactive\ndone p2 1",
    ),
    "parallel split and join at one gateway": (
        [net("s > p1 > t1 > p2 > t3 > e", "p1 > t2 > p2 > t4 > e2")],
        "start\ndo t1\ndo t2\nopen t3 t4\ndo t4\nactive\ndo t3\nended",
    ),
    "a parallel block in a loop": (
        [
            net(
                "s > n0 > x1 > p1 > t1 > p2 > n > x2",
                "p1 > t2 > p2",
                "x2 > x1 ? count < 3",
                "x2 > e default",
                more=script("n", "count", "count + 1") + script("n0", "count", "0"),
            )
        ],
        ("start\ndo t1\ndo t2\nopen t1 t2\ndo t2\ndo t1\nopen t1 t2\ndo t1\ndo t2\nended\ndone p2 3\nvars count=3"),
    ),
    "flows leaving a task split": (
        [net("s > t1 > t2 > e", "t1 > t3 > e2")],
        "start\ndo t1\nopen t2 t3\ndo t2\ndo t3\nended",
    ),
    "conditions on flows leaving a task, with default": (
        [net("s > t1", "t1 > t2 ? a = 1", "t1 > t3 ? b = 1", "t1 > t4 default", "t2 > e", "t3 > e", "t4 > e")],
        ("start\ndo t1 a=1 b=1\nopen t2 t3\nstart\ndo t1 a=0 b=0\nopen t4\nstart\ndo t1 a=0 b=1\nopen t3"),
    ),
    "flows into a task do not wait": (
        [net("s > p > t1 > t3 > e", "p > t2 > t3")],
        "start\ndo t1\nopen t2 t3\ndo t2\nopen t3 t3\ndo t3\ndo t3\nended",
    ),
    "inclusive takes all that hold and joins only those": (
        [net("s > o1", "o1 > t1 ? a", "o1 > t2 ? b", "o1 > t3 default", "t1 > o2", "t2 > o2", "t3 > o2", "o2 > t9 > e")],
        (
            "start a=true b=true\nopen t1 t2\ndo t1\nopen t2\ndo t2\nopen t9\ndone o2 1\n"
            "start a=true b=false\nopen t1\ndo t1\nopen t9\nstart a=false b=false\nopen t3\ndo t3\nopen t9\ndo t9\nended"
        ),
    ),
    "inclusive: a token that ends elsewhere is not waited for": (
        [net("s > o1", "o1 > t1 ? true", "o1 > x ? true", "t1 > o2", "x > o2 ? a", "x > t2 default", "t2 > e2", "o2 > t9 > e")],
        "start a=false\nopen t1 t2\ndo t1\nopen t2 t9\ndo t9\ndo t2\nended",
    ),
    "inclusive: a token that may still come is waited for": (
        [
            net(
                "s > o1",
                "o1 > t1 ? true",
                "o1 > t2 ? true",
                "t1 > o2",
                "t2 > x",
                "x > o2 ? a",
                "x > e2 default",
                "o2 > t9 > e",
            )
        ],
        ("start a=false\ndo t1\nopen t2\ndo t2\nopen t9\nstart a=true\ndo t1\ndo t2\nopen t9\ndo t9\nended\ndone o2 1"),
    ),
    "inclusive join behind a parallel split with an exclusive in it": (
        [net("s > p > t1 > o > t9 > e", "p > t2 > x", "x > o ? a", "x > t3 default", "t3 > o")],
        "start a=false\ndo t1\ndo t2\nopen t3\ndo t3\nopen t9\ndo t9\nended\ndone o 1",
    ),
    "inclusive join: the other token sits in a sub-process": (
        [net("s > p > t1 > o > t9 > e", "p > u > o", more=sub("u", net("s1 > t2 > e1")))],
        "start\ndo t1\nopen t2\ndo t2\nopen t9\ndo t9\nended",
    ),
    "inclusive join: a boundary event of a live task leads to it": (
        [net("s > p > t1 > o > t9 > e", "p > t2 > e2", "b > o", more=boundary("b", "t2", LATE))],
        "start\ndo t1\nopen t2\nturn PT1H\nopen t9\ndo t9\nended\ndone o 1",
    ),
    "inclusive join: the live task with the boundary event completes": (
        [net("s > p > t1 > o > t9 > e", "p > t2 > e2", "b > o", more=boundary("b", "t2", LATE))],
        "start\ndo t1\nopen t2\ndo t2\nopen t9\ndo t9\nended",
    ),
    "inclusive join: an event-based gateway upstream": (
        [
            net(
                "s > p > t1 > o > t9 > e",
                "p > g > c1 > o",
                "g > c2 > e2",
                more=catch("c1", event("message", "m")) + catch("c2", LATE),
            ),
            message("m", "m"),
        ],
        ("start\ndo t1\nopen -\nturn PT1H\nopen t9\nstart\ndo t1\nopen -\nsend m k\nopen t9\ndo t9\nended"),
    ),
    "inclusive join in a loop": (
        [
            net(
                "s > x1 > o1",
                "o1 > t1 ? true",
                "o1 > t2 ? again",
                "t1 > o2",
                "t2 > o2",
                "o2 > x2",
                "x2 > x1 ? again",
                "x2 > e default",
            )
        ],
        (
            "start again=true\ndo t1 again=false\nopen t2\ndo t2 again=true\nopen t1 t2\ndo t2\n"
            "do t1 again=false\nended\ndone o2 2"
        ),
    ),
    "inclusive: loop back upstream does not block": (
        [net("s > x1 > p > t1 > o > x2", "p > t2 > o", "x2 > x1 ? again", "x2 > e default")],
        "start again=true\ndo t1\ndo t2\nopen t1 t2\ndo t1\ndo t2 again=false\nended",
    ),
    "two inclusive joins one after the other": (
        [net("s > p > t1 > o1 > o2 > t9 > e", "p > t2 > o1", "p > t3 > o2")],
        "start\ndo t1\ndo t3\nopen t2\ndo t2\nopen t9\ndo t9\nended\ndone o1 1\ndone o2 1",
    ),
    "an inclusive join with one waiting behind a parallel join that will never fire": (
        [net("s > p1 > t1 > o > t9 > e", "p1 > t2 > p2 > o", "p1 > x", "x > p2 ? a", "x > e2 default")],
        "start a=false\ndo t1\ndo t2\nopen -\nactive",
    ),
    "event-based: the first event wins, two timers are apart": (
        [
            net(
                "s > g > c1 > t1 > e",
                "g > c2 > t2 > e",
                "g > c3 > t3 > e",
                more=catch("c1", timer("PT2H")) + catch("c2", timer("PT1H")) + catch("c3", event("message", "m")),
            ),
            message("m", "m"),
        ],
        ("start\nturn PT59M\nopen -\nturn PT1M\nopen t2\nsend m k\nturn PT2H\nopen t2\ndo t2\nended\ndone c1 0\ndone c3 0"),
    ),
    "event-based: both timers due after downtime, the earlier one wins": (
        [net("s > g > c1 > t1 > e", "g > c2 > t2 > e", more=catch("c1", timer("PT2H")) + catch("c2", timer("PT1H")))],
        "start\nturn PT5H\nopen t2\ndo t2\nended",
    ),
    "event-based: two messages, a receive task, each its own": (
        [
            net(
                "s > g > c1 > t1 > e",
                "g > r > t2 > e",
                more=catch("c1", event("message", "m")) + element("receiveTask", "r", messageRef="m2"),
            ),
            message("m", "m"),
            message("m2", "m2"),
        ],
        ("start\nsend m2 k y=3\nopen t2\nvars y=3\nsend m k\nopen t2\nstart\nsend m k\nopen t1"),
    ),
    "event-based: a buffered message acts at once": (
        [
            net("s > g > c1 > t1 > e", "g > c2 > t2 > e", more=catch("c1", event("message", "m")) + catch("c2", LATE)),
            message("m", "m"),
        ],
        "keep m k y=1\nstart\nopen t1\nvars y=1\nturn PT2H\nopen t1",
    ),
    "link events": (
        [
            net(
                "s > t1 > l1",
                "c > t2 > e",
                more=catch("c", '<b:linkEventDefinition name="L"/>')
                + element("intermediateThrowEvent", "l1", '<b:linkEventDefinition name="L"/>'),
            )
        ],
        "start\ndo t1\nopen t2\ndo t2\nended",
    ),
    "two none start... a task without outgoing flow ends its path": (
        [net("s > p > t1", "p > t2 > e")],
        "start\ndo t2\nactive\ndo t1\nended",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_gateways(name: str) -> None:
    model, script = CASES[name]
    play(draw(*model), script)
