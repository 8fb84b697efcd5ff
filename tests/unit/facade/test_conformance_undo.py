"""Compensation, transactions, conditional and multiple events, through commands, store and journal."""

from __future__ import annotations

import pytest

from engine import history
from engine.history import replay as replaying
from tests.unit.facade.conformance import Player, catch, draw, engine_with, event_sub, net, play, sub, throw
from tests.unit.kernel.drawing import boundary, each, element, end, event, ext, message, service, start, timer, undone_by, user, z

M = message("m", "m")
START = message("m", "m", None)
S = '<b:signal id="sg" name="sg"/>'
ERR = '<b:error id="E1" errorCode="E1"/>'


def undo(host: str, handler: str | None = None) -> str:
    """A user task `u<host>` that undoes an activity."""
    return undone_by(host, handler or user(f"u{host}", isForCompensation="true"), f"u{host}")


def condition(text: str) -> str:
    return f"<b:conditionalEventDefinition><b:condition>{text}</b:condition></b:conditionalEventDefinition>"


COMPENSATE = event("compensate")
ONLY_T1 = '<b:compensateEventDefinition activityRef="t1"/>'
NO_WAIT = '<b:compensateEventDefinition waitForCompletion="false"/>'

COMPENSATION = {
    "in reverse order, then on": (
        [net("s > t1 > t2 > i > t3 > e", more=throw("i", COMPENSATE) + undo("t1") + undo("t2"))],
        "start\ndo t1\ndo t2\nopen ut2\ndo ut2\nopen ut1\nactive\ndo ut1\nopen t3\ndo t3\nended\ndone i 1\ndone ut1 1",
    ),
    "one by its id": (
        [net("s > t1 > t2 > i > e", more=throw("i", ONLY_T1) + undo("t1") + undo("t2"))],
        "start\ndo t1\ndo t2\nopen ut1\ndo ut1\nended\ndone ut2 0",
    ),
    "at the end": (
        [net("s > t1 > e", more=end("e", COMPENSATE) + undo("t1"))],
        "start\ndo t1\nopen ut1\ndo ut1\nended\ndone e 1",
    ),
    "without waiting": (
        [net("s > t1 > i > t2 > e", more=throw("i", NO_WAIT) + undo("t1"))],
        "start\ndo t1\nopen t2 ut1\ndo t2\nactive\ndo ut1\nended",
    ),
    "nothing to undo": ([net("s > i > t1 > e", more=throw("i", COMPENSATE) + undo("t1"))], "start\nopen t1\ndo t1\nended"),
    "a sub-process with its variables": (
        [
            net(
                "s > v > i > e",
                more=sub("v", net("s1 > t1 > t2 > e1", more=undo("t1") + undo("t2"))) + throw("i", COMPENSATE),
            )
        ],
        "start\ndo t1 x=1\ndo t2\nopen ut2\ndo ut2\ndo ut1\nended\ndone v 1",
    ),
    "a compensation event sub-process": (
        [
            net(
                "s > v > i > e",
                more=sub("v", net("s1 > t1 > e1", more=event_sub("c", net("s2 > t3 > e2", more=start("s2", COMPENSATE)))))
                + throw("i", COMPENSATE),
            )
        ],
        "start\ndo t1\nopen t3\ndo t3\nended\ndone c 1\ndone v 1",
    ),
    "a multi-instance": (
        [net("s > t1 > i > e", more=user("t1", inner=each("[1,2]", "k")) + throw("i", COMPENSATE) + undo("t1"))],
        "start\ndo t1\ndo t1\nopen ut1\ndo ut1\nopen ut1\ndo ut1\nended\ndone ut1 2",
    ),
    "a job that fails and is retried": (
        [
            net(
                "s > t1 > i > e",
                more=throw("i", COMPENSATE)
                + undo("t1", element("serviceTask", "ut1", ext(z("taskDefinition", type="x")), isForCompensation="true")),
            )
        ],
        "start\ndo t1\nfail ut1\nincident ut1 JOB_NO_RETRIES\nretry ut1\njob ut1\nended",
    ),
    "of a called process, by the call activity's handler": (
        [
            net(
                "s > ca > i > e",
                more=element("callActivity", "ca", ext(z("calledElement", processId="Q"))) + undo("ca") + throw("i", COMPENSATE),
            )
        ],
        "start\ncase >\ndo t1 x=1\nended\ncase A\nopen uca\nvars x=1\ndo uca\nended",
    ),
    "a case that is cancelled while it undoes": (
        [net("s > t1 > t2 > i > e", more=throw("i", COMPENSATE) + undo("t1") + undo("t2"))],
        "start\ndo t1\ndo t2\nopen ut2\ncancel\nterminated\nopen -",
    ),
    "what can be undone does not outlive its case": (
        [net("s > t1 > t2 > e", more=undo("t1"))],
        "start\ndo t1\ndo t2\nended\ndone ut1 0",
    ),
}


def transaction(inner: str) -> str:
    return element("transaction", "v", inner)


TRANSACTIONS = {
    "cancelled": (
        [
            net(
                "s > v > t8 > e",
                "b > t9 > e9",
                more=transaction(
                    net("s1 > t1 > x > e1 default", "x > e2 ? not(paid)", more=end("e2", event("cancel")) + undo("t1"))
                )
                + boundary("b", "v", event("cancel")),
            )
        ],
        "start\ndo t1 paid=false\nopen ut1\ndo ut1\nopen t9\ndo t9\nended\nstart\ndo t1 paid=true\nopen t8\ndo t8\nended",
    ),
    "a hazard": (
        [
            net(
                "s > v > t8 > e",
                "b > t9 > e9",
                "h > t7 > e7",
                more=transaction(net("s1 > t1 > w > e1", "w > e2", more=service("w") + end("e2", event("cancel")) + undo("t1")))
                + boundary("b", "v", event("cancel"))
                + boundary("h", "v", event("error")),
            ),
        ],
        "start\ndo t1\nerror w E1\nopen t7\ndo t7\nended\ndone ut1 0",
    ),
}

CONDITIONS = {
    "catch": (
        [net("s > c > t1 > e", more=catch("c", condition("=x > 1")))],
        "start\nset x=1\nopen -\nset x=2\nopen t1\ndo t1\nended",
    ),
    "boundary, by another task's form": (
        [net("s > p > t1 > e", "p > t3 > e3", "b > t2 > e2", more=boundary("b", "t1", condition("=stop")))],
        "start\ndo t3 stop=true\nopen t2\ndo t2\nended",
    ),
    "event sub-process, again and again": (
        [
            net(
                "s > t1 > e",
                more=event_sub("v", net("s1 > t2 > e1", more=start("s1", condition("=x > 1"), isInterrupting="false"))),
            )
        ],
        "start\nset x=2\nset x=3\nopen t1 t2\nset x=0\nset x=2\nopen t1 t2 t2\ndo t1\ndo t2\ndo t2\nended",
    ),
    "behind an event-based gateway": (
        [net("s > g > c > t1 > e", "g > d > t2 > e2", more=catch("c", condition("=x")) + catch("d", timer("PT1H")))],
        "start\nset x=true\nopen t1\nturn P1D\nopen t1\ndo t1\nended\nstart\nturn PT1H\nopen t2",
    ),
}

MULTIPLE = {
    "a process that starts by message, signal or timer": (
        [
            net(
                "s > t1 > e",
                more=start("s", event("message", "m") + event("signal", "sg") + timer("R/2026-11-02T12:00:00Z/P1D", "timeCycle")),
            ),
            START,
            S,
        ],
        "send m a x=1\ncases P 1\nsignal sg\ncases P 2\nturn PT12H\ncases P 3\nturn P1D\ncases P 4",
    ),
    "catch": (
        [net("s > c > t1 > e", more=catch("c", event("message", "m") + event("signal", "sg") + timer("PT1H"))), M, S],
        (
            "start\nturn PT1H\nopen t1\nstart\nsend m k\nopen t1\nstart\nsignal sg\nopen t1\n"
            "turn P1D\nopen t1\ndo t1\nended\ndone c 1"
        ),
    ),
    "parallel catch": (
        [
            net(
                "s > c > t1 > e",
                more=element(
                    "intermediateCatchEvent", "c", event("message", "m") + event("signal", "sg"), parallelMultiple="true"
                ),
            ),
            M,
            S,
        ],
        "start\nsignal sg a=1\nopen -\nsend m k b=2\nopen t1\nvars a=1 b=2\ndo t1\nended",
    ),
    "a kept message comes to one of several": (
        [net("s > t0 > c > t1 > e", more=catch("c", event("message", "m") + timer("PT1H"))), M],
        "start\nkeep m k x=1\ndo t0\nopen t1\nvars x=1",
    ),
    "non-interrupting boundary": (
        [
            net("s > t1 > e", "b > t2 > e2", more=boundary("b", "t1", event("message", "m") + timer("PT2H"), interrupting=False)),
            M,
        ],
        (
            "start\nsend m k\nturn PT1H\nsend m k\nopen t1 t2 t2\nturn PT1H\nopen t1 t2 t2 t2\nturn P1D\nsend m k\n"
            "open t1 t2 t2 t2 t2\ndo t1\ndo t2\ndo t2\ndo t2\ndo t2\nended"
        ),
    ),
    "throws all": (
        [net("s > i > t1 > e", more=element("intermediateThrowEvent", "i", event("signal", "sg") + COMPENSATE)), S],
        "start\nopen t1\ndone i 1",
    ),
}
CASES = {
    f"{kind}: {name}": case
    for kind, cases in (
        ("compensation", COMPENSATION),
        ("transaction", TRANSACTIONS),
        ("condition", CONDITIONS),
        ("multiple", MULTIPLE),
    )
    for name, case in cases.items()
}
CHILD = draw(net("s > t1 > e"), process_id="Q")


@pytest.mark.parametrize("name", CASES)
def test_undoing_and_events(name: str) -> None:
    (body, *root), script = CASES[name]
    play(draw(body, *root), script, CHILD)


def test_replay_shows_what_was_undone() -> None:
    inner = sub("v", net("s1 > t1 > e1", more=undo("t1")))
    engine = engine_with(draw(net("s > v > i > t2 > e", more=inner + throw("i", COMPENSATE))))
    player = Player(engine).play("start\ndo t1 x=1\ndo ut1\ndo t2\nended")
    with engine.context.store.read() as reading:
        entries = list(history.entries(reading, player.key))
    while_undone = next(e.seq for e in entries if any(getattr(c, "element_id", "") == "ut1" for c in e.events))
    state = replaying.replay(player.key, entries, while_undone)
    assert {e.element_id for e in state.active} == {"P", "i", "but1", "ut1"}
    last = replaying.replay(player.key, entries)
    assert not last.active
    assert (last.counts["ut1"].completed, last.counts["v"].completed, last.counts["i"].completed) == (1, 1, 1)
    assert not last.waits
    engine.close()
