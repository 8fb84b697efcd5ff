"""Events: timers, messages, signals, errors, escalations, terminate; on the boundary, inside, starting and ending."""

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
    service,
    start,
    timer,
    z,
)

M = message("m", "m")
MX = message("m", "m", "=kk")
S = '<b:signal id="sg" name="sg"/>'
ERR = '<b:error id="E1" errorCode="E1"/>'
ERR2 = '<b:error id="E2" errorCode="E2"/>'
ESC = '<b:escalation id="X1" escalationCode="X1"/>'
ESC2 = '<b:escalation id="X2" escalationCode="X2"/>'


def sends(element_id: str, tag: str = "intermediateThrowEvent", name: str = "m", key: str = "k") -> str:
    """A message event that publishes by the built-in job."""
    job = z("taskDefinition", type="publish-message")
    return element(tag, element_id, ext(job, io({"messageName": name, "correlationKey": key})) + event("message"))


TIMERS = {
    "catch: duration": ([net("s > c > e", more=catch("c", timer("PT1H")))], "start\nturn PT59M\nactive\nturn PT1M\nended"),
    "catch: duration by expression": (
        [net("s > c > e", more=catch("c", timer('=duration("PT" + string(h) + "H")')))],
        "start h=2\nturn PT1H\nactive\nturn PT1H\nended",
    ),
    "catch: a FEEL duration value, and a date from a variable": (
        [net("s > c > d > e", more=catch("c", timer('=duration("P1D")')) + catch("d", timer("=due", "timeDate")))],
        'start due="2026-11-05T00:00:00Z"\nturn P1D\nactive\nto 2026-11-05T00:00:00Z\nended',
    ),
    "catch: a date in the past fires at once": (
        [net("s > c > e", more=catch("c", timer("2020-01-01T00:00:00Z", "timeDate")))],
        "start\nturn PT0S\nended",
    ),
    "catch: a month is counted on the calendar": (
        [net("s > c > e", more=catch("c", timer("P1M")))],
        "start\nto 2026-12-02T00:59:59Z\nactive\nto 2026-12-02T01:00:00Z\nended",
    ),
    "catch: a wrong duration is an incident": (
        [net("s > c > e", more=catch("c", timer("=d")))],
        ('start d="soon"\nincident c EXTRACT_VALUE_ERROR\nset d="PT1M"\nretry c\ncalm\nturn PT1M\nended'),
    ),
    "boundary: interrupting timer": (
        [net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", timer("PT1H")))],
        ("start\nturn PT1H\nopen t2\ndo t2\nended\ndone b 1\nstart\nturn PT59M\ndo t1\nended\nturn P1D\ndone b 0"),
    ),
    "boundary: non-interrupting fires once": (
        [net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", timer("PT1H"), interrupting=False))],
        "start\nturn PT1H\nopen t1 t2\nturn P1D\nopen t1 t2\ndo t1\nactive\ndo t2\nended",
    ),
    "boundary: a cycle of three": (
        [net("s > t1 > e", "b > e2", more=boundary("b", "t1", timer("R3/PT1H", "timeCycle"), interrupting=False))],
        ("start\nturn PT1H\ndone b 1\nturn PT1H\nturn PT1H\ndone b 3\nturn P1D\ndone b 3\nopen t1\ndo t1\nended"),
    ),
    "boundary: an endless cycle stops with its host": (
        [net("s > t1 > t2 > e", "b > e2", more=boundary("b", "t1", timer("R/PT1H", "timeCycle"), interrupting=False))],
        ("start\nturn PT1H\nturn PT1H\nturn PT1H\nturn PT1H\ndone b 4\ndo t1\nturn P1D\ndone b 4\ndo t2\nended"),
    ),
    "boundary: monthly from a date": (
        [
            net(
                "s > t1 > e",
                "b > e2",
                more=boundary("b", "t1", timer("R/2026-12-31T00:00:00Z/P1M", "timeCycle"), interrupting=False),
            )
        ],
        (
            "start\nto 2026-12-30T00:00:00Z\ndone b 0\nto 2026-12-31T00:00:00Z\ndone b 1\nto 2027-01-31T00:00:00Z\ndone b 2\n"
            "to 2027-02-27T00:00:00Z\ndone b 2\nto 2027-02-28T00:00:00Z\ndone b 3\nto 2027-03-31T00:00:00Z\ndone b 4"
        ),
    ),
    "boundary: interrupting and non-interrupting at the same instant": (
        [
            net(
                "s > t1 > e",
                "b > t2 > e2",
                "c > t3 > e3",
                more=boundary("b", "t1", timer("PT1H"), interrupting=False) + boundary("c", "t1", timer("PT1H")),
            )
        ],
        "start\nturn PT1H\nopen t2 t3\ndo t2\ndo t3\nended",
    ),
    "boundary: two interrupting at the same instant: only one": (
        [
            net(
                "s > t1 > e",
                "b > t2 > e2",
                "c > t3 > e3",
                more=boundary("b", "t1", timer("PT1H")) + boundary("c", "t1", timer("PT1H")),
            )
        ],
        "start\nturn PT1H\nopen t2\ndo t2\nended",
    ),
    "boundary: inner and outer timer at the same instant": (
        [
            net(
                "s > u > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > t1 > e1", "c > t3 > e4", more=boundary("c", "t1", timer("PT1H"))))
                + boundary("b", "u", timer("PT1H")),
            )
        ],
        "start\nturn PT1H\nopen t2\ndo t2\nended",
    ),
    "event sub-process with a timer, interrupting": (
        [net("s > t1 > e", more=event_sub("v", net("s1 > t2 > e1", more=start("s1", timer("PT1H")))))],
        "start\nturn PT1H\nopen t2\ndo t2\nended\nstart\ndo t1\nended",
    ),
    "event sub-process with a cycle, not interrupting": (
        [
            net(
                "s > t1 > e",
                more=event_sub("v", net("s1 > t2 > e1", more=start("s1", timer("R2/PT1H", "timeCycle"), isInterrupting="false"))),
            )
        ],
        ("start\nturn PT1H\nopen t1 t2\nturn PT1H\nopen t1 t2 t2\nturn PT1H\nopen t1 t2 t2\ndo t1\nactive\ndo t2\ndo t2\nended"),
    ),
}

MESSAGES = {
    "catch correlates by key": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m"))), MX],
        (
            'start kk="1"\nstart kk="2"\nsend m 2 x=1\nopen t1\nvars x=1\ncase A\nopen -\nunset x\n'
            "send m 3\nopen -\nsend m 1\nopen t1"
        ),
    ),
    "a number is a key": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m"))), MX],
        "start kk=17\nsend m 17\nopen t1",
    ),
    "no key is an incident": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m"))), MX],
        'start\nincident c EXTRACT_VALUE_ERROR\nset kk="k"\nretry c\nsend m k\nopen t1',
    ),
    "without time to live it is lost, with it waits": (
        [net("s > t1 > c > t2 > e", more=catch("c", event("message", "m"))), M],
        ("start\nsend m k\ndo t1\nopen -\nstart\nkeep m k x=1\ncase B\ndo t1\nopen -\ncase A\nopen t2"),
    ),
    "a message whose time is over is gone": (
        [net("s > t1 > c > t2 > e", more=catch("c", event("message", "m"))), M],
        "start\nkeep m k\nturn P1D\nturn PT1S\ndo t1\nopen -",
    ),
    "of several cases of one process, one gets it": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m"))), M],
        "start\nstart\nsend m k\ncase A\nopen t1\ncase B\nopen -\nsend m k\nopen t1",
    ),
    "a kept message goes once to a process": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m"))), M],
        "start\nkeep m k\nopen t1\nstart\nopen -",
    ),
    "two kept messages for two catches": (
        [net("s > c > d > t1 > e", more=catch("c", event("message", "m")) + catch("d", event("message", "m"))), M],
        "start\nkeep m k x=1\nactive\nopen -\nkeep m k x=2\nopen t1\nvars x=2",
    ),
    "boundary: interrupting message": (
        [net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", event("message", "m"))), M],
        "start\nsend m k y=2\nopen t2\nvars y=2\ndo t2\nended",
    ),
    "boundary: non-interrupting message again and again": (
        [net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", event("message", "m"), interrupting=False)), M],
        ("start\nsend m k\nsend m k\nsend m k\nopen t1 t2 t2 t2\ndo t1\nsend m k\nopen t2 t2 t2\ndo t2\ndo t2\ndo t2\nended"),
    ),
    "boundary: kept message acts when the host is entered": (
        [net("s > t0 > t1 > e", "b > t2 > e2", more=boundary("b", "t1", event("message", "m"))), M],
        "start\nkeep m k\nopen t0\ndo t0\nopen t2",
    ),
    "receive task with boundary timer": (
        [
            net(
                "s > r > t1 > e",
                "b > t2 > e2",
                more=element("receiveTask", "r", messageRef="m") + boundary("b", "r", timer("PT1H")),
            ),
            M,
        ],
        "start\nsend m k\nopen t1\nstart\nturn PT1H\nopen t2\nsend m k\nopen t2",
    ),
    "message starts a case, with its variables": (
        [net("s > t1 > e", more=start("s", event("message", "m"))), message("m", "m", None)],
        ("send m a x=1\nsend m b x=2\ncases P 2\nsend m a\ncases P 2\nsend m\nsend m\ncases P 4"),
    ),
    "a kept start message starts when the case before it is over": (
        [net("s > c > e", more=start("s", event("message", "m")) + catch("c", timer("PT1H"))), message("m", "m", None)],
        "send m a\nkeep m a\nkeep m a\ncases P 1\nturn PT1H\ncases P 2\nturn PT1H\ncases P 3",
    ),
    "none and message start side by side": (
        [net("s > t1 > e", "s2 > t2 > e", more=start("s2", event("message", "m"))), message("m", "m", None)],
        "start\nopen t1\nsend m a\ncases P 2",
    ),
    "event sub-process with message, not interrupting, twice": (
        [
            net(
                "s > t1 > e",
                more=event_sub("v", net("s1 > t2 > e1", more=start("s1", event("message", "m"), isInterrupting="false"))),
            ),
            M,
        ],
        ("start\nsend m k\nsend m k\nopen t1 t2 t2\ndo t1\nactive\ndo t2\nsend m k\nopen t2 t2\ndo t2\ndo t2\nended"),
    ),
    "event sub-process with message, interrupting, in a sub-process": (
        [
            net(
                "s > u > t9 > e",
                more=sub(
                    "u", net("s1 > t1 > e1", more=event_sub("v", net("s2 > t2 > e2", more=start("s2", event("message", "m")))))
                ),
            ),
            M,
        ],
        "start\nsend m k\nopen t2\nsend m k\nopen t2\ndo t2\nopen t9\nsend m k\ndo t9\nended",
    ),
    "throwing a message to another case and at the end": (
        [
            net("s > i > e", more=sends("i") + sends("e", "endEvent", "n")),
        ],
        "start\nended\ndone i 1\ndone e 1",
    ),
}

SIGNALS = {
    "signal catch in every case": (
        [net("s > c > t1 > e", more=catch("c", event("signal", "sg"))), S],
        "start\nstart\nsignal sg x=1\nopen t1\nvars x=1\ncase A\nopen t1",
    ),
    "signal boundary, interrupting and not": (
        [
            net(
                "s > t1 > e",
                "b > t2 > e2",
                "c > t3 > e3",
                more=boundary("b", "t1", event("signal", "sg"), interrupting=False) + boundary("c", "t1", event("signal", "sg2")),
            ),
            S,
            '<b:signal id="sg2" name="sg2"/>',
        ],
        ("start\nsignal sg\nsignal sg\nopen t1 t2 t2\nsignal sg2\nopen t2 t2 t3\nsignal sg\nopen t2 t2 t3"),
    ),
    "signal starts": (
        [net("s > t1 > e", more=start("s", event("signal", "sg"))), S],
        "signal sg x=1\nsignal sg\ncases P 2\nsignal other\ncases P 2",
    ),
    "signal throw reaches the same case": (
        [
            net(
                "s > p > c > t1 > e", "p > i > t2 > e", more=catch("c", event("signal", "sg")) + throw("i", event("signal", "sg"))
            ),
            S,
        ],
        "start\nopen t1 t2",
    ),
    "signal end event": (
        [
            net(
                "s > p > c > t1 > e",
                "p > t2 > e9",
                more=catch("c", event("signal", "sg")) + element("endEvent", "e9", event("signal", "sg")),
            ),
            S,
        ],
        "start\nstart\ndo t2\nopen t1\ncase A\nopen t1 t2",
    ),
    "signal is not kept": (
        [net("s > t0 > c > t1 > e", more=catch("c", event("signal", "sg"))), S],
        "start\nsignal sg\ndo t0\nopen -",
    ),
    "signal event sub-process": (
        [net("s > t1 > e", more=event_sub("v", net("s1 > t2 > e1", more=start("s1", event("signal", "sg"))))), S],
        "start\nsignal sg\nopen t2\nsignal sg\nopen t2\ndo t2\nended",
    ),
    "signal thrown inside interrupts its own scope": (
        [
            net(
                "s > u > t1 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > i > t3 > e1", more=throw("i", event("signal", "sg"))))
                + boundary("b", "u", event("signal", "sg")),
            ),
            S,
        ],
        "start\nopen t2\ndo t2\nended",
    ),
}

ERRORS = {
    "error end in a sub-process, caught on its boundary": (
        [
            net(
                "s > u > t1 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > p > t3 > e1", "p > t4 > e3", more=element("endEvent", "e3", event("error", "E1"))))
                + boundary("b", "u", event("error", "E1")),
            ),
            ERR,
        ],
        "start\ndo t4\nopen t2\ndo t2\nended\ndone e3 1",
    ),
    "the nearest catcher; the exact code before the open one": (
        [
            net(
                "s > u > e",
                "b > t2 > e2",
                "c > t3 > e3",
                more=sub("u", net("s1 > t1 > e1", more=element("endEvent", "e1", event("error", "E1"))))
                + boundary("b", "u", event("error"))
                + boundary("c", "u", event("error", "E1")),
            ),
            ERR,
        ],
        "start\ndo t1\nopen t3",
    ),
    "another code passes": (
        [
            net(
                "s > u > e",
                "c > t3 > e3",
                more=sub(
                    "u",
                    net(
                        "s1 > w > e4",
                        "b > t2 > e2",
                        more=sub("w", net("s2 > t1 > e1", more=element("endEvent", "e1", event("error", "E1"))))
                        + boundary("b", "w", event("error", "E2")),
                    ),
                )
                + boundary("c", "u", event("error")),
            ),
            ERR,
            ERR2,
        ],
        "start\ndo t1\nopen t3\ndo t3\nended",
    ),
    "uncaught: an incident, not a success": (
        [net("s > t1 > e", more=element("endEvent", "e", event("error", "E1"))), ERR],
        "start\ndo t1\nactive\nincident e UNHANDLED_ERROR_EVENT",
    ),
    "a worker's error on the boundary of its job": (
        [net("s > w > e", "b > t2 > e2", more=service("w") + boundary("b", "w", event("error", "E1"))), ERR],
        "start\nerror w E1 why=1\nopen t2\nvars why=1\ndo t2\nended",
    ),
    "a worker's unknown error": (
        [net("s > w > e", "b > t2 > e2", more=service("w") + boundary("b", "w", event("error", "E1"))), ERR],
        "start\nerror w E7\nincident w UNHANDLED_ERROR_EVENT\nretry w\ncalm\njob w\nended",
    ),
    "error event sub-process of the process": (
        [
            net(
                "s > p > t1 > e",
                "p > w > e",
                more=service("w") + event_sub("v", net("s1 > t2 > e1", more=start("s1", event("error", "E1")))),
            ),
            ERR,
        ],
        "start\nerror w E1\nopen t2\ndo t2\nended",
    ),
    "error thrown inside its own event sub-process goes out": (
        [
            net(
                "s > u > e",
                "b > t3 > e3",
                more=sub(
                    "u",
                    net(
                        "s0 > w > e0",
                        more=service("w") + event_sub("v", net("s1 > w2 > e1", more=service("w2") + start("s1", event("error")))),
                    ),
                )
                + boundary("b", "u", event("error")),
            ),
            ERR,
        ],
        "start\nerror w E1\nerror w2 E1\nopen t3\ndo t3\nended",
    ),
    "error out of one instance ends the whole multi-instance": (
        [
            net("s > w > e", "b > t2 > e2", more=service("w", inner=each("[1,2,3]", "i")) + boundary("b", "w", event("error"))),
            ERR,
        ],
        "start\nerror w E1\nopen t2\ndo t2\nended",
    ),
    "terminate in the process": (
        [net("s > p > t1 > e", "p > t2 > e2", more=element("endEvent", "e", event("terminate")))],
        "start\ndo t1\nended",
    ),
    "terminate in a sub-process": (
        [
            net(
                "s > u > t9 > e9",
                more=sub("u", net("s1 > p > t1 > e", "p > t2 > e2", more=element("endEvent", "e", event("terminate")))),
            )
        ],
        "start\ndo t1\nopen t9\ndo t9\nended",
    ),
    "terminate in one instance of a multi-instance sub-process": (
        [
            net(
                "s > u > t9 > e9",
                more=sub(
                    "u",
                    each("[1,2]", "i") + net("s1 > p > t1 > e", "p > t2 > e2", more=element("endEvent", "e", event("terminate"))),
                ),
            )
        ],
        "start\nopen t1 t1 t2 t2\ndo t1\nopen t1 t2\ndo t1\nopen t9",
    ),
    "terminate in an event sub-process ends only that": (
        [
            net(
                "s > t1 > e0",
                more=event_sub(
                    "v",
                    net(
                        "s1 > p > t2 > e",
                        "p > t3 > e3",
                        more=start("s1", event("signal", "sg"), isInterrupting="false")
                        + element("endEvent", "e", event("terminate")),
                    ),
                ),
            ),
            S,
        ],
        "start\nsignal sg\nopen t1 t2 t3\ndo t2\nopen t1\ndo t1\nended",
    ),
}

ESCALATIONS = {
    "non-interrupting on the boundary: both go on": (
        [
            net(
                "s > u > t9 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > i > t1 > e1", more=throw("i", event("escalation", "X1"))))
                + boundary("b", "u", event("escalation", "X1"), interrupting=False),
            ),
            ESC,
        ],
        "start\nopen t1 t2\ndo t1\nopen t2 t9\ndo t2\ndo t9\nended",
    ),
    "interrupting": (
        [
            net(
                "s > u > t9 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > i > t1 > e1", more=throw("i", event("escalation", "X1"))))
                + boundary("b", "u", event("escalation", "X1")),
            ),
            ESC,
        ],
        "start\nopen t2\ndo t2\nended",
    ),
    "end event": (
        [
            net(
                "s > u > t9 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > e1", more=element("endEvent", "e1", event("escalation", "X1"))))
                + boundary("b", "u", event("escalation"), interrupting=False),
            ),
            ESC,
        ],
        "start\nopen t2 t9\ndone e1 1",
    ),
    "uncaught is no incident": (
        [net("s > i > t1 > e", more=throw("i", event("escalation", "X1"))), ESC],
        "start\nopen t1\ncalm\ndo t1\nended",
    ),
    "another code is not caught": (
        [
            net(
                "s > u > t9 > e",
                "b > t2 > e2",
                more=sub("u", net("s1 > i > t1 > e1", more=throw("i", event("escalation", "X2"))))
                + boundary("b", "u", event("escalation", "X1")),
            ),
            ESC,
            ESC2,
        ],
        "start\nopen t1",
    ),
    "event sub-process": (
        [
            net(
                "s > i > t1 > e",
                more=throw("i", event("escalation", "X1"))
                + event_sub("v", net("s1 > t2 > e1", more=start("s1", event("escalation", "X1"), isInterrupting="false"))),
            ),
            ESC,
        ],
        "start\nopen t1 t2\ndo t1\nactive\ndo t2\nended",
    ),
    "from an event sub-process out to the boundary": (
        [
            net(
                "s > u > e",
                "b > t3 > e3",
                more=sub(
                    "u",
                    net(
                        "s0 > t0 > e0",
                        more=event_sub(
                            "v",
                            net(
                                "s1 > i > t1 > e1",
                                more=start("s1", event("signal", "sg"), isInterrupting="false")
                                + throw("i", event("escalation", "X1")),
                            ),
                        ),
                    ),
                )
                + boundary("b", "u", event("escalation"), interrupting=False),
            ),
            ESC,
            S,
        ],
        "start\nsignal sg\nopen t0 t1 t3\nsignal sg\nopen t0 t1 t1 t3 t3",
    ),
    "from each instance of a multi-instance": (
        [
            net(
                "s > u > t9 > e",
                "b > t3 > e3",
                more=sub("u", each("[1,2]", "i") + net("s1 > i > t1 > e1", more=throw("i", event("escalation", "X1"))))
                + boundary("b", "u", event("escalation"), interrupting=False),
            ),
            ESC,
        ],
        "start\nopen t1 t1 t3 t3\ndo t1\ndo t1\nopen t3 t3 t9",
    ),
}

ALL = {
    f"{kind}: {name}": case
    for kind, cases in (
        ("timer", TIMERS),
        ("message", MESSAGES),
        ("signal", SIGNALS),
        ("error", ERRORS),
        ("escalation", ESCALATIONS),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_events(name: str) -> None:
    model, script_ = ALL[name]
    play(draw(*model), script_)
