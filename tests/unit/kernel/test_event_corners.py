"""Corners of events: scopes inside scopes, interrupts at the very moment, what outlives what, and links."""

from __future__ import annotations

import pytest

from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    each,
    element,
    end,
    event,
    ext,
    flow,
    message,
    script,
    service,
    start,
    timer,
    user,
    z,
)

ERRORS = '<b:error id="E" errorCode="LOST"/><b:error id="E2" errorCode="OTHER"/><b:error id="E3" errorCode="=code"/>'
ESCALATION = '<b:escalation id="X" escalationCode="LATE"/>'
SIGNAL = '<b:signal id="S" name="alarm"/>'
M = message("M", "m")
CONDITION = "<b:conditionalEventDefinition><b:condition>=alarm</b:condition></b:conditionalEventDefinition>"


def sub(element_id: str, *parts: str, **attributes: object) -> str:
    return element("subProcess", element_id, "".join(parts), **attributes)


def handler(element_id: str, trigger: str, *steps: str, interrupting: bool = True, more: str = "") -> str:
    """An event sub-process; its steps are ids of user tasks, or drawn in `more`."""
    begin = element("startEvent", f"{element_id}-s", trigger, isInterrupting=str(interrupting).lower())
    drawn = "".join(user(step) for step in steps if f'id="{step}"' not in more)
    last = "" if f'id="{element_id}-e"' in more else end(f"{element_id}-e")
    return sub(element_id, begin, drawn, more, last, chain(f"{element_id}-s", *steps, f"{element_id}-e"), triggeredByEvent="true")


# --- signals at the moment they are thrown


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_signal_end_event_is_heard_by_an_event_sub_process_of_its_own_scope(interrupting: bool) -> None:
    heard = handler("h", event("signal", "S"), "h-u", interrupting=interrupting)
    inner = start("s2") + user("i") + end("e2", event("signal", "S")) + chain("s2", "i", "e2") + heard
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), SIGNAL)
    play.do("i")
    assert play.names == ["h-u"]
    assert "e2" in {c.element_id for c in play.of(a.ElementCompleted)}
    play.do("h-u")
    assert play.names == ["after"]
    play.do("after")
    assert play.nothing_left()


def test_a_signal_thrown_inside_interrupts_at_once() -> None:
    inner = start("s2") + element("intermediateThrowEvent", "x", event("signal", "S")) + script("n", "ran", "true") + end("e2")
    body = (
        start() + sub("sp", inner + chain("s2", "x", "n", "e2")) + boundary("b", "sp", event("signal", "S")) + user("out") + end()
    )
    play = Play(body + chain("s", "sp", "e") + chain("b", "out", "e"), SIGNAL)
    assert play.names == ["out"]
    assert "ran" not in play.vars


def test_a_signal_comes_to_all_who_wait_in_the_case() -> None:
    body = start() + user("t") + end("x", event("signal", "S")) + chain("s", "t", "x")
    for name in ("c", "d"):
        body += element("intermediateCatchEvent", name, event("signal", "S")) + user(f"{name}-u") + chain("s", name, f"{name}-u")
    play = Play(body + handler("h", event("signal", "S"), "h-u", interrupting=False), SIGNAL)
    play.do("t")
    assert play.names == ["c-u", "d-u", "h-u"]


@pytest.mark.parametrize("first", ["throw", "catch"])
def test_a_signal_is_heard_by_who_begins_to_wait_at_the_same_moment(first: str) -> None:
    body = start() + element("parallelGateway", "p") + element("parallelGateway", "j") + end()
    body += element("intermediateCatchEvent", "c", event("signal", "S")) + element(
        "intermediateThrowEvent", "x", event("signal", "S")
    )
    body += script("n", "n", "1") + script("m", "m", "2")
    ways = {"throw": chain("p", "x", "j"), "catch": chain("p", "n", "m", "c", "j")}
    play = Play(body + flow("s", "p") + ways.pop(first) + "".join(ways.values()) + flow("j", "e"), SIGNAL)
    assert play.completed
    assert play.nothing_left()


# --- errors on their way out


def test_an_error_in_an_event_sub_process_that_interrupts_nothing_is_caught_by_its_scope() -> None:
    failing = handler("v", event("message", "M"), "v-u", interrupting=False, more=end("v-e", event("error", "E")))
    inner = start("s2") + user("i") + end("e2") + chain("s2", "i", "e2") + failing + handler("h", event("error", "E"), "h-u")
    play = Play(start() + sub("sp", inner) + end() + chain("s", "sp", "e"), ERRORS, M)
    play.send("v-s")
    play.do("v-u")
    assert play.names == ["h-u"]
    play.do("h-u")
    assert play.completed


def test_an_error_from_deep_inside_an_error_event_sub_process_goes_outwards() -> None:
    deep = sub("deep", start("d-s") + user("d-u") + end("d-e", event("error", "E")) + chain("d-s", "d-u", "d-e"))
    begin = element("startEvent", "h-s", event("error", "E"))
    catcher = sub("h", begin, deep, end("h-e"), chain("h-s", "deep", "h-e"), triggeredByEvent="true")
    inner = start("s2") + end("e2", event("error", "E")) + flow("s2", "e2") + catcher
    body = start() + sub("sp", inner) + boundary("b", "sp", event("error", "E")) + user("out") + end()
    play = Play(body + chain("s", "sp", "e") + chain("b", "out", "e"), ERRORS)
    play.do("d-u")
    assert play.names == ["out"]
    play.do("out")
    assert play.nothing_left()


def test_an_error_inside_an_event_sub_process_is_caught_by_the_one_inside_it() -> None:
    inmost = handler("i", event("error", "E"), "i-u")
    outer = handler("h", event("message", "M"), "h-u", interrupting=False, more=end("h-e", event("error", "E")) + inmost)
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + outer + handler("o", event("error"), "o-u"), ERRORS, M)
    play.send("h-s")
    play.do("h-u")
    assert play.names == ["i-u", "u"]
    play.do("i-u")
    play.do("u")
    assert play.completed


def test_of_several_error_event_sub_processes_the_exact_one_catches() -> None:
    inner = start("s2") + user("i") + end("e2", event("error", "E3")) + chain("s2", "i", "e2")
    inner += handler("any", event("error"), "any-u") + handler("lost", event("error", "E"), "lost-u")
    body = start() + sub("sp", inner) + end() + chain("s", "sp", "e")
    for code, found in (("LOST", "lost-u"), ("OTHER", "any-u")):
        play = Play(body, ERRORS)
        play.do("i", code=code)
        assert play.names == [found]


def test_an_uncaught_error_can_be_corrected() -> None:
    inner = start("s2") + user("i") + end("e2", event("error", "E3")) + chain("s2", "i", "e2")
    body = start() + sub("sp", inner) + boundary("b", "sp", event("error", "E")) + user("out") + end() + chain("b", "out", "e")
    play = Play(body + chain("s", "sp", "e"), ERRORS)
    play.do("i", code="MISSPELT")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("e2", "UNHANDLED_ERROR_EVENT")]
    play.resolve("e2", code="LOST")
    assert play.names == ["out"]
    play.do("out")
    assert play.completed


def test_an_error_from_one_instance_of_a_multi_instance_sub_process() -> None:
    inner = start("s2") + user("i") + end("e2", event("error", "E")) + chain("s2", "i", "e2")
    body = start() + sub("sp", each("[1,2,3]", "x"), inner) + boundary("b", "sp", event("error", "E")) + user("out") + end()
    play = Play(body + chain("s", "sp", "e") + chain("b", "out", "e"), ERRORS)
    play.do("i")
    assert play.names == ["out"]
    play = Play(
        start() + sub("sp", each("[1,2]", "x"), inner + handler("h", event("error"), "h-u")) + end() + chain("s", "sp", "e"),
        ERRORS,
    )
    play.do("i")
    assert play.names == ["h-u", "i"], "caught inside, the other instances go on"
    play.do("h-u")
    play.do("i")
    play.do("h-u")
    assert play.completed


# --- escalations


def test_an_escalation_is_caught_by_the_nearest_only() -> None:
    inner = (
        start("s2")
        + element("intermediateThrowEvent", "x", event("escalation", "X"))
        + user("i")
        + end("e2")
        + chain("s2", "x", "i", "e2")
    )
    inner += handler("h", event("escalation", "X"), "h-u", interrupting=False)
    body = (
        start()
        + sub("sp", inner)
        + boundary("b", "sp", event("escalation"), interrupting=False)
        + user("out")
        + end()
        + flow("b", "out")
    )
    play = Play(body + chain("s", "sp", "e"), ESCALATION)
    assert play.names == ["h-u", "i"]


def test_an_escalation_end_event_that_interrupts_its_own_scope() -> None:
    inner = start("s2") + user("i") + end("e2", event("escalation", "X")) + user("j") + chain("s2", "i", "e2") + flow("s2", "j")
    play = Play(
        start() + sub("sp", inner + handler("h", event("escalation", "X"), "h-u")) + end() + chain("s", "sp", "e"), ESCALATION
    )
    play.do("i")
    assert play.names == ["h-u"]
    assert "e2" in {c.element_id for c in play.of(a.ElementCompleted)}
    play.do("h-u")
    assert play.completed
    assert play.nothing_left()


def test_an_escalation_from_an_event_sub_process_is_not_caught_by_itself() -> None:
    again = end("h-e", event("escalation", "X"))
    inner = start("s2") + user("i") + end("e2", event("escalation", "X")) + chain("s2", "i", "e2")
    inner += handler("h", event("escalation", "X"), "h-u", interrupting=False, more=again)
    body = (
        start()
        + sub("sp", inner)
        + boundary("b", "sp", event("escalation", "X"), interrupting=False)
        + user("out")
        + end()
        + flow("b", "out")
    )
    play = Play(body + chain("s", "sp", "e"), ESCALATION)
    play.do("i")
    play.do("h-u")
    assert play.names == ["out"]


# --- what outlives what


def test_a_boundary_events_handler_goes_on_after_its_host_and_keeps_the_scope_open() -> None:
    inner = start("s2") + user("i") + boundary("b", "i", event("message", "M"), interrupting=False) + user("late") + end("e2")
    inner += chain("s2", "i", "e2") + flow("b", "late")
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), M)
    play.send("b")
    play.do("i")
    assert play.names == ["late"]
    assert not play.messages
    play.do("late")
    assert play.names == ["after"]


@pytest.mark.parametrize("trigger", ["message", "timer", "signal", "conditional", "escalation"])
def test_an_event_sub_process_that_interrupts_nothing_outlives_the_main_flow(trigger: str) -> None:
    drawn = {
        "message": event("message", "M"),
        "timer": timer("PT1H"),
        "signal": event("signal", "S"),
        "conditional": CONDITION,
        "escalation": event("escalation", "X"),
    }[trigger]
    inner = start("s2") + user("i") + element("intermediateThrowEvent", "x", event("escalation", "X")) + user("j") + end("e2")
    inner += chain("s2", "i", "x", "j", "e2") + handler("h", drawn, "h-u", interrupting=False)
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), M, SIGNAL, ESCALATION)
    if trigger == "message":
        play.send("h-s")
    elif trigger == "timer":
        play.fire("h-s")
    elif trigger == "signal":
        play.signal("h-s")
    elif trigger == "conditional":
        play.take(play.instance.set_variables(play.key, {"alarm": True}))
    play.do("i")
    play.do("j")
    assert play.names == ["h-u"]
    play.do("h-u")
    assert play.names == ["after"]
    assert not play.messages
    assert not play.signals
    assert not play.timers


def test_event_sub_processes_three_deep() -> None:
    inmost = handler("c", event("signal", "S"), "c-u")
    middle = handler("b", timer("PT1H"), "b-u", interrupting=False, more=inmost)
    outer = handler("h", event("message", "M"), "h-u", more=middle)
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + outer, M, SIGNAL)
    assert not play.timers
    play.send("h-s")
    assert not play.signals
    play.fire("b-s")
    assert play.names == ["b-u", "h-u"]
    play.signal("c-s")
    assert play.names == ["c-u", "h-u"]
    play.do("c-u")
    play.do("h-u")
    assert play.completed
    assert play.nothing_left()


def test_an_interrupting_event_sub_process_takes_the_others_and_boundary_handlers_with_it() -> None:
    inner = start("s2") + user("i") + boundary("b", "i", event("message", "M"), interrupting=False) + user("late") + end("e2")
    inner += chain("s2", "i", "e2") + flow("b", "late")
    inner += (
        handler("n", CONDITION, "n-u", interrupting=False)
        + handler("h", event("signal", "S"), "h-u")
        + handler("o", timer("PT1H"), "o-u")
    )
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), M, SIGNAL)
    play.send("b")
    play.take(play.instance.set_variables(play.key, {"alarm": True}))
    assert play.names == ["i", "late", "n-u"]
    play.signal("h-s")
    assert play.names == ["h-u"]
    assert not play.timers
    assert not play.messages
    assert not play.signals
    play.do("h-u")
    assert play.names == ["after"]


# --- terminate, links


def test_terminate_in_a_called_process_completes_it_and_its_caller_goes_on() -> None:
    child = Play(
        start() + user("u") + user("v") + end("t", event("terminate")) + chain("s", "u", "t") + flow("s", "v"), called=True
    )
    child.do("u", done=1)
    assert child.ended is not None
    assert (child.ended.state, dict(child.ended.variables)) == ("COMPLETED", {"done": 1})
    play = Play(
        start()
        + element("callActivity", "c", ext(z("calledElement", processId="child")))
        + user("after")
        + chain("s", "c", "after")
    )
    play.take(play.instance.child_ended(play.calls[0].key, child.ended))
    assert play.names == ["after"]


def test_terminate_ends_called_instances_and_event_sub_processes() -> None:
    body = (
        start()
        + user("u")
        + element("callActivity", "c", ext(z("calledElement", processId="child")))
        + end("t", event("terminate"))
    )
    play = Play(body + chain("s", "u", "t") + flow("s", "c") + handler("h", event("message", "M"), "h-u", interrupting=False), M)
    play.send("h-s")
    play.do("u")
    assert play.completed
    assert [c.element_id for c in play.of(a.CallCancelled)] == ["c"]
    assert play.nothing_left()


def test_links_lead_from_several_throws_to_one_catch_in_their_own_scope() -> None:
    def link(tag: str, element_id: str) -> str:
        return element(tag, element_id, '<b:linkEventDefinition name="L"/>')

    inner = start("s2") + user("i") + user("j") + link("intermediateThrowEvent", "i-x") + link("intermediateThrowEvent", "j-x")
    inner += link("intermediateCatchEvent", "in") + user("there") + end("e2") + chain("s2", "i", "i-x") + chain("s2", "j", "j-x")
    inner += chain("in", "there", "e2")
    body = (
        start() + sub("sp", inner) + link("intermediateThrowEvent", "x") + link("intermediateCatchEvent", "out") + user("after")
    )
    play = Play(body + chain("s", "sp", "x") + chain("out", "after"))
    play.do("i")
    assert play.names == ["j", "there"]
    play.do("j")
    assert play.names == ["there", "there"]
    play.do("there")
    play.do("there")
    assert play.names == ["after"]


def test_two_boundary_events_one_after_the_other() -> None:
    body = (
        start()
        + service("w")
        + boundary("n", "w", event("message", "M"), interrupting=False)
        + boundary("b", "w", event("error"))
    )
    body += user("told") + user("fix") + end() + chain("s", "w", "e") + flow("n", "told") + chain("b", "fix", "e")
    play = Play(body, M)
    play.send("n")
    play.fail("w", "LOST")
    assert play.names == ["fix", "told"]
    assert not play.messages
