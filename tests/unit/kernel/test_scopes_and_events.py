"""Sub-processes, boundary events, event sub-processes, errors, escalations, signals, messages, calls."""

from __future__ import annotations

import pytest

from engine.errors import TaskNotOpen
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
    io,
    message,
    service,
    start,
    timer,
    user,
    z,
)

ERROR = '<b:error id="E" errorCode="LOST"/><b:error id="E2" errorCode="OTHER"/>'
ESCALATION = '<b:escalation id="X" escalationCode="LATE"/>'
SIGNAL = '<b:signal id="S" name="alarm"/>'


def sub(element_id: str, inner: str, **attributes: object) -> str:
    return element("subProcess", element_id, inner, **attributes)


def event_sub(element_id: str, trigger: str, *, interrupting: bool = True, extra: str = "") -> str:
    inner = (
        element("startEvent", f"{element_id}-s", trigger, isInterrupting=str(interrupting).lower())
        + user(f"{element_id}-u")
        + extra
    )
    return sub(
        element_id,
        inner + end(f"{element_id}-e") + chain(f"{element_id}-s", f"{element_id}-u", f"{element_id}-e"),
        triggeredByEvent="true",
    )


INNER = start("s2") + user("i1") + user("i2") + end("e2") + chain("s2", "i1", "e2") + chain("s2", "i2", "e2")


def test_a_sub_process_completes_when_nothing_lives_in_it() -> None:
    play = Play(start() + sub("sp", INNER) + user("after") + end() + chain("s", "sp", "after", "e"))
    assert play.names == ["i1", "i2"]
    play.do("i1")
    assert play.names == ["i2"]
    play.do("i2")
    assert play.names == ["after"]


def test_an_interrupting_boundary_event_acts_at_once() -> None:
    play = Play(
        start()
        + sub("sp", INNER)
        + boundary("b", "sp", timer("PT1H"))
        + user("alt")
        + end()
        + chain("s", "sp", "e")
        + chain("b", "alt", "e")
    )
    play.fire("b")
    assert play.names == ["alt"]
    assert [(c.element_id, c.by) for c in play.of(a.ElementTerminated)] == [("i1", "b"), ("i2", "b"), ("sp", "b")]
    assert len(play.of(a.TaskCancelled)) == 2
    play.do("alt")
    assert play.completed
    assert play.nothing_left()


def test_boundary_events_several_and_rearmed() -> None:
    body = (
        start()
        + user("u")
        + boundary("remind", "u", timer("R/PT1H", "timeCycle"), interrupting=False)
        + boundary("late", "u", timer("PT9H"))
    )
    body += boundary("m", "u", event("message", "M"), interrupting=False) + user("n") + user("esc") + end()
    play = Play(
        body + chain("s", "u", "e") + chain("remind", "n", "e") + chain("late", "esc", "e") + chain("m", "n"), message("M", "ask")
    )
    play.fire("remind")
    play.send("m", question=1)
    play.fire("remind")
    play.send("m", question=2)
    assert play.names == ["n", "n", "n", "n", "u"]
    assert [t.due_at.hour for t in play.timers if t.element_id == "remind"] == [4]
    play.fire("late")
    assert play.names == ["esc", "n", "n", "n", "n"]
    assert not play.timers
    assert not play.messages


def test_completing_disarms_boundary_events() -> None:
    play = Play(
        start() + user("u") + boundary("b", "u", timer("PT1H")) + end() + end("e2") + chain("s", "u", "e") + chain("b", "e2")
    )
    play.do("u")
    assert play.completed
    assert play.nothing_left()
    assert [type(c) for c in play.last].index(a.TimerDisarmed) < len(play.last)


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize("kind", ["timer", "message", "signal"])
def test_event_sub_processes_that_wait(kind: str, interrupting: bool) -> None:
    trigger = {"timer": timer("PT5H"), "message": event("message", "M"), "signal": event("signal", "S")}[kind]
    inner = INNER + event_sub("ev", trigger, interrupting=interrupting)
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), message("M", "stop"), SIGNAL)
    act = {
        "timer": lambda: play.fire("ev-s"),
        "message": lambda: play.send("ev-s", why="x"),
        "signal": lambda: play.signal("ev-s", why="x"),
    }[kind]
    act()
    if interrupting:
        assert play.names == ["ev-u"]
        assert not play.timers
        assert not play.messages
        assert not play.signals
        play.do("ev-u")
        assert play.names == ["after"]
        return
    assert play.names == ["ev-u", "i1", "i2"]
    if kind != "timer":
        act()
        assert play.names == ["ev-u", "ev-u", "i1", "i2"]
        play.do("ev-u")
    play.do("i1")
    play.do("i2")
    assert play.names == ["ev-u"], "the sub-process waits for its event sub-process"
    play.do("ev-u")
    assert play.names == ["after"]
    assert not play.messages
    assert not play.signals


def test_a_waiting_event_sub_process_does_not_keep_the_instance_open() -> None:
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + event_sub("ev", timer("PT5H"), interrupting=False))
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_an_event_sub_process_of_one_instance_does_not_start_in_another() -> None:
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + event_sub("ev", timer("PT5H")))
    play.fire("ev-s")
    other = Play(play.process)
    assert other.names == ["u"]


# --- errors


def test_an_error_end_event_in_a_sub_process_is_caught_at_its_boundary() -> None:
    inner = (
        start("s2")
        + user("i1")
        + end("e2", event("error", "E"))
        + user("i2")
        + end("e3")
        + chain("s2", "i1", "e2")
        + chain("s2", "i2", "e3")
    )
    body = start() + sub("sp", inner) + boundary("other", "sp", event("error", "E2")) + boundary("b", "sp", event("error", "E"))
    body += boundary("any", "sp", event("error")) + user("fix") + user("no") + end()
    play = Play(body + chain("s", "sp", "e") + chain("b", "fix", "e") + chain("other", "no", "e") + chain("any", "no"), ERROR)
    play.do("i1")
    assert play.names == ["fix"], "the exact code wins, and the rest of the sub-process is terminated at once"
    play.do("fix")
    assert play.completed


def test_a_job_error_is_caught_by_code_then_by_any_then_further_out() -> None:
    inner = start("s2") + service("w") + boundary("b", "w", event("error", "E")) + user("near") + end("e2")
    inner += chain("s2", "w", "e2") + chain("b", "near", "e2")
    body = (
        start()
        + sub("sp", inner)
        + boundary("any", "sp", event("error"))
        + user("far")
        + end()
        + chain("s", "sp", "e")
        + chain("any", "far", "e")
    )
    play = Play(body, ERROR)
    play.fail("w", "LOST", "gone", reason="fire")
    assert play.names == ["near"]
    assert play.vars["reason"] == "fire"
    play = Play(body, ERROR)
    play.fail("w", "UNKNOWN")
    assert play.names == ["far"]


def test_an_error_event_sub_process_waits_and_catches() -> None:
    inner = (
        start("s2") + user("i1") + end("e2", event("error", "E")) + chain("s2", "i1", "e2") + event_sub("ev", event("error", "E"))
    )
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"), ERROR)
    assert play.names == ["i1"], "it does not start at once"
    play.do("i1")
    assert play.names == ["ev-u"]
    play.do("ev-u")
    assert play.names == ["after"]


def test_an_error_thrown_in_an_event_sub_process_is_not_caught_by_itself() -> None:
    again = end("again", event("error", "E")) + flow("ev-s", "again")
    inner = start("s2") + end("e2", event("error", "E")) + flow("s2", "e2") + event_sub("ev", event("error", "E"), extra=again)
    body = (
        start()
        + sub("sp", inner)
        + boundary("b", "sp", event("error"))
        + user("out")
        + end()
        + chain("s", "sp", "e")
        + chain("b", "out", "e")
    )
    play = Play(body, ERROR)
    assert play.names == ["out"]


def test_an_uncaught_error_is_an_incident_never_a_success() -> None:
    play = Play(start() + user("u") + end("e", event("error", "E")) + chain("s", "u", "e"), ERROR)
    play.do("u", answer=42)
    assert not play.completed
    assert [(i.element_id, i.kind) for i in play.incidents] == [("e", "UNHANDLED_ERROR_EVENT")]
    assert play.vars == {"answer": 42}, "the person's completion stays"
    play = Play(start() + service("w") + end() + chain("s", "w", "e"))
    play.fail("w", "LOST", "gone")
    assert play.incidents[0].kind == "UNHANDLED_ERROR_EVENT"
    play.resolve("w")
    play.work("w")
    assert play.completed


def test_an_error_goes_from_the_called_instance_to_its_caller() -> None:
    child = Play(start() + user("u") + end("e", event("error", "E")) + chain("s", "u", "e"), ERROR, called=True)
    child.do("u")
    assert child.ended is not None
    assert (child.ended.state, child.ended.error_code) == ("TERMINATED", "LOST")
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    body = (
        start()
        + call
        + boundary("b", "c", event("error", "E"))
        + user("fix")
        + end()
        + chain("s", "c", "e")
        + chain("b", "fix", "e")
    )
    play = Play(body, ERROR)
    play.take(play.instance.child_ended(play.calls[0].key, child.ended))
    assert play.names == ["fix"]
    play = Play(start() + call + end() + chain("s", "c", "e"))
    play.take(play.instance.child_ended(play.calls[0].key, child.ended))
    assert [(i.element_id, i.kind) for i in play.incidents] == [("c", "UNHANDLED_ERROR_EVENT")]
    play.resolve("c")
    assert len(play.of(a.CallStarted)) == 2, "a retry calls anew"


# --- escalations


def test_an_escalation_leaves_the_thrower_running_unless_interrupted() -> None:
    inner = (
        start("s2")
        + element("intermediateThrowEvent", "x", event("escalation", "X"))
        + user("i1")
        + end("e2")
        + chain("s2", "x", "i1", "e2")
    )

    def body(interrupting: bool) -> str:
        caught = boundary("b", "sp", event("escalation", "X"), interrupting=interrupting) + user("chief")
        return start() + sub("sp", inner) + caught + end() + chain("s", "sp", "e") + chain("b", "chief", "e")

    assert Play(body(False), ESCALATION).names == ["chief", "i1"]
    assert Play(body(True), ESCALATION).names == ["chief"]


def test_an_escalation_is_caught_by_an_event_sub_process_each_time() -> None:
    inner = start("s2") + user("i1") + end("e2", event("escalation", "X")) + user("i2") + end("e3", event("escalation", "X"))
    inner += chain("s2", "i1", "e2") + chain("s2", "i2", "e3") + event_sub("ev", event("escalation"), interrupting=False)
    play = Play(start() + sub("sp", inner) + end() + chain("s", "sp", "e"), ESCALATION)
    play.do("i1")
    play.do("i2")
    assert play.names == ["ev-u", "ev-u"]


def test_an_uncaught_escalation_goes_on_and_up_to_the_caller() -> None:
    body = (
        start() + element("intermediateThrowEvent", "x", event("escalation", "X")) + user("u") + end() + chain("s", "x", "u", "e")
    )
    assert Play(body, ESCALATION).names == ["u"]
    child = Play(body, ESCALATION, called=True)
    thrown = child.of(a.Escalated)[0]
    assert (thrown.element_id, thrown.code) == ("x", "LATE")
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    caught = boundary("b", "c", event("escalation"), interrupting=False) + user("chief")
    play = Play(start() + call + caught + end() + chain("s", "c", "e") + chain("b", "chief", "e"))
    play.take(play.instance.child_escalated(play.calls[0].key, thrown))
    assert play.names == ["chief"]
    assert len(play.calls) == 1


# --- signals, messages, terminate, calls


def test_a_signal_end_event_is_thrown_and_heard_in_its_own_instance() -> None:
    waits = element("intermediateCatchEvent", "c", event("signal", "S")) + user("heard")
    throws = element("endEvent", "t", ext(io({"why": '="fire"'})) + event("signal", "S"))
    body = start() + element("parallelGateway", "p") + waits + user("u") + throws + end()
    play = Play(body + chain("s", "p", "c", "heard", "e") + chain("p", "u", "t"), SIGNAL)
    play.do("u")
    assert [(c.signal, dict(c.variables)) for c in play.of(a.SignalThrown)] == [("alarm", {"why": "fire"})]
    assert play.names == ["heard"]
    assert play.vars == {"why": "fire"}


def test_a_message_throw_event_is_a_job() -> None:
    throw = element("intermediateThrowEvent", "m", event("message") + ext(z("taskDefinition", type="publish-message")))
    play = Play(start() + throw + user("u") + end() + chain("s", "m", "u", "e"))
    assert play.jobs[0].type == "publish-message"
    play.work("m")
    assert play.names == ["u"]


def test_only_the_subscription_that_is_told_gets_the_message() -> None:
    body = start() + element("receiveTask", "r", messageRef="M") + end() + chain("s", "r", "e") + flow("s", "r")
    play = Play(body, message("M", "paid", "=order"), order=7)
    assert [m.correlation_key for m in play.messages] == ["7", "7"]
    key = play.messages[0].key
    play.send("r")
    assert len(play.messages) == 1
    with pytest.raises(TaskNotOpen):
        play.instance.receive_message(key, "paid", {})


def test_terminate_ends_its_scope_only() -> None:
    inner = (
        start("s2")
        + user("i1")
        + end("t", "<b:terminateEventDefinition/>")
        + user("i2")
        + end("e2")
        + chain("s2", "i1", "t")
        + chain("s2", "i2", "e2")
    )
    play = Play(start() + sub("sp", inner) + user("after") + end() + chain("s", "sp", "after", "e"))
    play.do("i1")
    assert play.names == ["after"]
    play = Play(
        start() + user("u") + user("v") + end("t", "<b:terminateEventDefinition/>") + chain("s", "u", "t") + chain("s", "v", "t")
    )
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_a_process_started_by_message() -> None:
    body = element("startEvent", "ms", event("message", "M")) + user("u") + end() + chain("ms", "u", "e")
    play = Play(body, message("M", "order", None), event="ms", order=1)
    assert play.names == ["u"]
    assert play.vars == {"order": 1}


def test_several_start_events() -> None:
    body = (
        start()
        + element("startEvent", "ts", timer("R/P1D", "timeCycle"))
        + user("u")
        + user("v")
        + end()
        + chain("s", "u", "e")
        + chain("ts", "v", "e")
    )
    assert Play(body).names == ["u"]
    assert Play(body, event="ts").names == ["v"]


def test_a_call_hands_over_and_takes_back() -> None:
    called = z("calledElement", processId='="chi" + "ld"', bindingType="versionTag", versionTag="v1")
    play = Play(start() + element("callActivity", "c", ext(called)) + end() + chain("s", "c", "e"), x=1)
    call = play.calls[0]
    assert (call.called_process_id, call.binding, call.version_tag, dict(call.variables)) == (
        "child",
        "versionTag",
        "v1",
        {"x": 1},
    )
    play.take(play.instance.child_ended(call.key, a.InstanceEnded("COMPLETED", {"x": 2, "y": 3})))
    assert play.completed
    assert play.vars == {"x": 2, "y": 3}


def test_a_call_that_hands_over_only_what_is_mapped() -> None:
    called = z("calledElement", processId="child", propagateAllParentVariables="false", propagateAllChildVariables="false")
    play = Play(
        start() + element("callActivity", "c", ext(called, io({"a": "=x"}, {"got": "=y"}))) + end() + chain("s", "c", "e"), x=1
    )
    call = play.calls[0]
    assert dict(call.variables) == {"a": 1}
    play.take(play.instance.child_ended(call.key, a.InstanceEnded("COMPLETED", {"y": 3, "z": 4})))
    assert play.vars == {"x": 1, "got": 3}


def test_a_boundary_event_on_a_call_cancels_the_called_instance() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    play = Play(
        start() + call + boundary("b", "c", timer("PT1H")) + user("late") + end() + chain("s", "c", "e") + chain("b", "late", "e")
    )
    play.fire("b")
    assert play.names == ["late"]
    assert [c.element_id for c in play.of(a.CallCancelled)] == ["c"]


def test_a_called_instance_that_was_cancelled_is_an_incident() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    play = Play(start() + call + end() + chain("s", "c", "e"))
    play.take(play.instance.child_ended(play.calls[0].key, a.InstanceEnded("TERMINATED", {})))
    assert play.incidents[0].kind == "CALLED_ELEMENT_ERROR"


def test_calls_in_a_multi_instance() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child")) + each("xs", "x", collect="rs", result="r"))
    play = Play(start() + call + end() + chain("s", "c", "e"), xs=[1, 2, 3])
    for k, made in enumerate(list(play.of(a.CallStarted))):
        assert made.variables["x"] == k + 1
        play.take(play.instance.child_ended(made.key, a.InstanceEnded("COMPLETED", {"r": made.variables["x"] * 10})))
    assert play.completed
    assert play.vars["rs"] == [10, 20, 30]
    assert "r" not in play.vars


def test_input_mappings_of_an_event_sub_process_keep_two_runs_apart() -> None:
    on = element("startEvent", "ev-s", event("message", "M"), isInterrupting="false")
    inner = on + user("ev-u") + end("ev-e") + chain("ev-s", "ev-u", "ev-e")
    kept = ext(io({"risk": "=default_risk"}, {"risks": "=append(risks, risk)"}))
    play = Play(
        start() + user("u") + sub("ev", kept + inner, triggeredByEvent="true") + chain("s", "u"),
        message("M", "m"),
        risks=[],
        default_risk=None,
    )
    play.send("ev-s", risk="price")
    play.send("ev-s", risk="leak")
    assert [play.instance.view(t.key)["risk"] for t in play.tasks if t.element_id == "ev-u"] == ["price", "leak"]
    play.do("ev-u")
    play.do("ev-u")
    assert play.vars["risks"] == ["price", "leak"]
    assert "risk" not in play.vars


def test_input_mappings_of_an_event_sub_process_that_fail_lose_nothing() -> None:
    runaway = "=if ok = true then 1 else count(for a in 1..100000 return for b in 1..100000 return a)"
    inner = element("startEvent", "ev-s", event("message", "M")) + user("ev-u") + end("ev-e") + chain("ev-s", "ev-u", "ev-e")
    body = start() + user("u") + sub("ev", ext(io({"x": runaway})) + inner, triggeredByEvent="true") + chain("s", "u")
    play = Play(body, message("M", "m"))
    play.send("ev-s", why="stop")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("ev", "IO_MAPPING_ERROR")]
    assert not play.tasks
    play.resolve("ev", ok=True)
    assert play.names == ["ev-u"]
    assert play.vars["why"] == "stop"
    play.do("ev-u")
    assert play.completed
