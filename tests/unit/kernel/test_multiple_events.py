"""Several definitions on one event: any of them triggers it, or (parallel) all of them; a throw event throws them all."""

from __future__ import annotations

import pytest

from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    element,
    end,
    event,
    ext,
    flow,
    io,
    message,
    service,
    start,
    timer,
    undone_by,
    user,
    z,
)

ERROR = '<b:error id="E" errorCode="LOST"/>'
SIGNAL = '<b:signal id="S" name="alarm"/><b:signal id="S2" name="other"/>'
ESCALATION = '<b:escalation id="X" escalationCode="LATE"/>'
M = message("M", "m")
N = message("N", "n")
BOTH = event("message", "M") + event("message", "N")


def catch(inner: str, **attributes: str) -> str:
    return start() + element("intermediateCatchEvent", "c", inner, **attributes) + user("u") + end() + chain("s", "c", "u", "e")


def send(play: Play, name: str, **variables: object) -> None:
    awaited = next(m for m in play.messages if m.message == name)
    play.take(play.instance.receive_message(awaited.key, name, variables))


@pytest.mark.parametrize("first", ["message", "signal", "timer", "conditional"])
def test_any_of_its_definitions_triggers_a_catch_event(first: str) -> None:
    inner = (
        event("message", "M")
        + event("signal", "S")
        + timer("PT1H")
        + "<b:conditionalEventDefinition><b:condition>=go</b:condition></b:conditionalEventDefinition>"
    )
    play = Play(catch(inner), M, SIGNAL)
    assert (len(play.messages), len(play.signals), len(play.timers), len(play.of(a.ConditionAwaited))) == (1, 1, 1, 1)
    assert {w.element_id for w in (*play.messages, *play.signals, *play.timers)} == {"c"}
    if first == "message":
        play.send("c", x=1)
    elif first == "signal":
        play.signal("c", x=1)
    elif first == "timer":
        play.fire("c")
    else:
        play.take(play.instance.set_variables(play.key, {"go": True}))
    assert play.names == ["u"]
    assert not play.messages
    assert not play.signals
    assert not play.timers
    assert play.entered.count("c") == 1
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_a_parallel_multiple_event_waits_for_all() -> None:
    play = Play(catch(BOTH + timer("PT1H"), parallelMultiple="true"), M, N)
    send(play, "n", x=1)
    assert play.names == []
    assert play.vars == {}
    play.fire("c")
    assert play.names == []
    send(play, "m", y=2)
    assert play.names == ["u"]
    assert play.vars == {"x": 1, "y": 2}
    play.do("u")
    assert play.nothing_left()


def test_an_interrupting_boundary_event() -> None:
    body = start() + user("u") + boundary("b", "u", event("message", "M") + timer("PT1H")) + user("out") + end()
    body += chain("s", "u", "e") + chain("b", "out", "e")
    play = Play(body, M)
    play.fire("b")
    assert play.names == ["out"]
    assert not play.messages
    play = Play(body, M)
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_a_non_interrupting_boundary_event_goes_on_waiting_for_the_others() -> None:
    both = event("message", "M") + timer("PT2H")
    body = start() + user("u") + boundary("b", "u", both, interrupting=False) + user("out") + end()
    play = Play(body + chain("s", "u", "e") + chain("b", "out", "e"), M)
    due = play.timers[0].due_at
    play.send("b")
    play.send("b")
    assert play.names == ["out", "out", "u"]
    assert [t.due_at for t in play.timers] == [due], "the timer does not start anew"
    play.fire("b")
    assert play.names == ["out", "out", "out", "u"]
    assert not play.timers
    play.send("b")
    play.do("u")
    assert not play.messages
    assert play.names == ["out"] * 4


def test_a_parallel_boundary_event_waits_again_for_all() -> None:
    body = (
        start()
        + user("u")
        + boundary("b", "u", BOTH, interrupting=False).replace("<b:boundaryEvent", '<b:boundaryEvent parallelMultiple="true"')
    )
    play = Play(body + user("out") + end() + chain("s", "u", "e") + chain("b", "out", "e"), M, N)
    send(play, "m")
    assert len(play.messages) == 1
    send(play, "n")
    assert play.names == ["out", "u"]
    send(play, "n")
    send(play, "m")
    assert play.names == ["out", "out", "u"]


def test_errors_and_escalations_among_the_definitions() -> None:
    inner = start("s2") + element("intermediateThrowEvent", "x", event("escalation", "X")) + service("w") + end("e2")
    body = start() + element("subProcess", "sp", inner + chain("s2", "x", "w", "e2"))
    one = (
        body
        + boundary("b", "sp", event("error", "E") + timer("PT1H"))
        + user("out")
        + end()
        + chain("s", "sp", "e")
        + chain("b", "out", "e")
    )
    play = Play(one, ERROR, ESCALATION)
    play.fail("w", "LOST")
    assert play.names == ["out"]
    assert not play.timers
    play = Play(one, ERROR, ESCALATION)
    play.fire("b")
    assert play.names == ["out"]
    two = body + boundary("b", "sp", event("escalation", "X") + event("message", "M"), interrupting=False) + user("out") + end()
    play = Play(two + chain("s", "sp", "e") + chain("b", "out", "e"), ESCALATION, M)
    play.send("b")
    assert play.names == ["out", "out"]
    play.work("w")
    assert not play.messages


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process(interrupting: bool) -> None:
    on = element("startEvent", "h-s", event("message", "M") + event("signal", "S"), isInterrupting=str(interrupting).lower())
    handler = element("subProcess", "h", on + user("h-u") + end("h-e") + chain("h-s", "h-u", "h-e"), triggeredByEvent="true")
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + handler, M, SIGNAL)
    play.signal("h-s", x=1)
    assert play.vars == {"x": 1}
    if interrupting:
        assert play.names == ["h-u"]
        assert not play.messages
    else:
        play.send("h-s")
        play.signal("h-s")
        assert play.names == ["h-u"] * 3 + ["u"]
        for _ in range(3):
            play.do("h-u")
        play.do("u")
        assert play.completed
        assert play.nothing_left()


def test_a_parallel_event_sub_process() -> None:
    on = element("startEvent", "h-s", BOTH, parallelMultiple="true")
    handler = element("subProcess", "h", on + user("h-u") + end("h-e") + chain("h-s", "h-u", "h-e"), triggeredByEvent="true")
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + handler, M, N)
    send(play, "n", x=1)
    assert play.names == ["u"]
    send(play, "m", y=1)
    assert play.names == ["h-u"]
    assert play.vars == {"x": 1, "y": 1}
    play.do("h-u")
    assert play.completed


def test_behind_an_event_based_gateway() -> None:
    body = start() + element("eventBasedGateway", "g") + element("intermediateCatchEvent", "c", BOTH) + user("u") + end()
    body += (
        element("intermediateCatchEvent", "t", timer("PT1H")) + chain("s", "g", "c", "u", "e") + flow("g", "t") + flow("t", "e")
    )
    play = Play(body, M, N)
    send(play, "n")
    assert play.names == ["u"]
    assert not play.timers
    assert not play.messages
    play = Play(body, M, N)
    play.fire("t")
    assert play.completed
    assert play.nothing_left()


def test_a_start_event_with_several_definitions() -> None:
    play = Play(
        element("startEvent", "s", event("message", "M") + event("signal", "S")) + user("u") + end() + chain("s", "u", "e"),
        M,
        SIGNAL,
        event="s",
        x=1,
    )
    assert play.names == ["u"]
    assert play.vars == {"x": 1}


def test_a_throw_event_throws_all() -> None:
    thrown = event("signal", "S") + event("message") + event("escalation", "X") + event("compensate") + event("signal", "S2")
    inner = (
        start("s2")
        + user("t")
        + element("intermediateThrowEvent", "x", ext(z("taskDefinition", type="publish-message"), io({"why": "=1"})) + thrown)
    )
    inner += user("u") + end("e2") + chain("s2", "t", "x", "u", "e2") + undone_by("t", user("-t", isForCompensation="true"), "-t")
    body = (
        start()
        + element("subProcess", "sp", inner)
        + boundary("b", "sp", event("escalation"), interrupting=False)
        + user("told")
        + end()
    )
    play = Play(body + chain("s", "sp", "e") + flow("b", "told"), SIGNAL, ESCALATION)
    play.do("t")
    assert play.names == ["-t"]
    assert not play.jobs
    play.do("-t")
    assert [j.type for j in play.jobs] == ["publish-message"]
    assert not play.of(a.SignalThrown)
    play.work("x")
    assert [(c.signal, dict(c.variables)) for c in play.of(a.SignalThrown)] == [("alarm", {"why": 1}), ("other", {"why": 1})]
    assert play.names == ["told", "u"]


def test_an_end_event_throws_all_and_then_ends() -> None:
    inner = (
        start("s2")
        + user("t")
        + user("v")
        + end("x", event("signal", "S") + event("error", "E"))
        + chain("s2", "t", "x")
        + flow("s2", "v")
    )
    body = (
        start()
        + element("subProcess", "sp", inner)
        + boundary("b", "sp", event("error", "E"))
        + user("out")
        + end()
        + flow("b", "out")
    )
    play = Play(body + chain("s", "sp", "e"), SIGNAL, ERROR)
    play.do("t")
    assert [c.signal for c in play.of(a.SignalThrown)] == ["alarm"]
    assert play.names == ["out"]
    alone = start() + user("t") + end("x", event("signal", "S") + event("error", "E")) + chain("s", "t", "x")
    play = Play(alone, SIGNAL, ERROR)
    play.do("t")
    assert [i.kind for i in play.incidents] == ["UNHANDLED_ERROR_EVENT"]
    assert not play.of(a.SignalThrown), "nothing is thrown until all can be"
    play = Play(
        start()
        + user("t")
        + user("v")
        + end("x", event("signal", "S") + event("terminate"))
        + chain("s", "t", "x")
        + flow("s", "v"),
        SIGNAL,
    )
    play.do("t")
    assert play.completed
    assert [c.signal for c in play.of(a.SignalThrown)] == ["alarm"]


def test_a_definition_that_fails_is_an_incident_and_the_others_wait_on() -> None:
    play = Play(catch(event("message", "K") + timer("PT1H")), message("K", "k", "=key"))
    assert [i.element_id for i in play.incidents] == ["c"]
    play.resolve("c", key="1")
    play.send("c")
    assert play.names == ["u"]
    play = Play(catch(event("message", "K") + timer("PT1H")), message("K", "k", "=key"))
    play.fire("c")
    assert play.names == ["u"]
    assert not play.incidents


def test_a_cycle_among_the_definitions_goes_on_at_its_pace() -> None:
    both = event("message", "M") + timer("R3/PT1H", "timeCycle")
    body = start() + user("u") + boundary("b", "u", both, interrupting=False) + user("out") + end()
    play = Play(body + chain("s", "u", "e") + chain("b", "out", "e"), M)
    first = play.timers[0].due_at
    play.fire("b")
    play.send("b")
    assert (play.timers[0].due_at - first).total_seconds() == 3600
    play.fire("b")
    play.fire("b")
    assert play.names == ["out"] * 4 + ["u"]
    assert not play.timers
    assert len(play.messages) == 1
