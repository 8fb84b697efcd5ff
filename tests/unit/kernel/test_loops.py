"""Standard loops, behaviours of multi-instances, and quantities of tokens."""

from __future__ import annotations

import pytest

from engine import definitions
from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    draw,
    each,
    element,
    end,
    event,
    ext,
    flow,
    io,
    message,
    read,
    script,
    service,
    start,
    timer,
    user,
    z,
)

SIGNAL = '<b:signal id="S" name="alarm"/>'
ERROR = '<b:error id="E" errorCode="X"/>'
ESCALATION = '<b:escalation id="L" escalationCode="L"/>'


def looped(condition: str | None = None, *, before: bool | None = None, maximum: int | None = None) -> str:
    """Standard loop characteristics."""
    given = f' testBefore="{str(before).lower()}"' if before is not None else ""
    given += f' loopMaximum="{maximum}"' if maximum is not None else ""
    inner = f"<b:loopCondition>{condition}</b:loopCondition>" if condition else ""
    return f"<b:standardLoopCharacteristics{given}>{inner}</b:standardLoopCharacteristics>"


def line(task: str) -> str:
    return start() + task + end() + chain("s", "u", "e")


def refused(body: str, *root: str) -> str:
    file = definitions.read_bpmn(draw(body, *root), "t.bpmn")
    return "\n".join(f.reason for f in file.findings if f.verdict == "refused")


# --- standard loops


@pytest.mark.parametrize(
    ("loop", "times"),
    [
        (looped("=n &lt; 3"), 3),
        (looped("=n &lt; 3", before=True), 3),
        (looped("=n &lt; 0"), 1),  # asked after the first time
        (looped("=n &lt; 0", before=True), 0),
        (looped("=loopCounter &lt; 4"), 4),
        (looped("=loopCounter &lt; 4", before=True), 4),
        (looped("=true", maximum=5), 5),
        (looped("=n &lt; 2", maximum=5), 2),
        (looped(maximum=3), 3),
        (looped(maximum=3, before=True), 3),
        (looped("=false", maximum=3, before=True), 0),
        (looped("loopCounter &lt; 2"), 2),  # plain BPMN writes no `=`
    ],
)
def test_how_often(loop: str, times: int) -> None:
    play = Play(line(script("u", "n", "n + 1", inner=loop)), n=0)
    assert play.completed
    assert play.vars["n"] == times
    assert play.entered.count("u") == times + 1, "the loop itself, and each time"
    assert play.nothing_left()


def test_a_person_repeats_until_it_is_right() -> None:
    play = Play(line(user("u", inner=looped("=not(ok)"))))
    assert [t.loop_counter for t in play.tasks] == [1]
    play.do("u", ok=False)
    assert [t.loop_counter for t in play.tasks] == [2]
    play.do("u", ok=True)
    assert play.completed
    assert play.vars == {"ok": True}


def test_outputs_go_around_the_loop() -> None:
    task = user(
        "u", io({"round": "=loopCounter"}, {"last": "=round", "seen": "=append(seen, loopCounter)"}), inner=looped(maximum=3)
    )
    play = Play(line(task), seen=[])
    for _ in range(3):
        play.do("u")
    assert play.completed
    assert play.vars == {"seen": [1, 2, 3], "last": 3}


def test_a_condition_that_is_none_is_an_incident() -> None:
    play = Play(line(user("u", inner=looped("=again"))))
    play.do("u")
    assert [i.kind for i in play.incidents] == ["EXTRACT_VALUE_ERROR"]
    play.resolve("u", again=True)
    assert play.names == ["u"]
    play.do("u", again=False)
    assert play.completed
    first = Play(line(user("u", inner=looped("=again", before=True))))
    assert len(first.incidents) == 1
    first.resolve("u", again=False)
    assert first.completed


def test_loops_without_end_stop() -> None:
    play = Play(line(script("u", "n", "n + 1", inner=looped("=true"))), n=0, budget=200)
    assert [i.kind for i in play.incidents] == ["STEP_BUDGET"]


@pytest.mark.parametrize("maximum", [0, -1])
def test_a_maximum_that_cannot_be(maximum: int) -> None:
    assert "loopMaximum" in refused(line(user("u", inner=looped("=true", maximum=maximum))))
    assert "loopCondition" in refused(line(user("u", inner=looped())))
    assert "either a loop" in refused(line(user("u", inner=looped("=true") + each("[1]", "x"))))


def test_a_sub_process_loops() -> None:
    inside = start("s2") + user("t") + script("c", "n", "n + loopCounter") + end("e2") + chain("s2", "t", "c", "e2")
    play = Play(line(element("subProcess", "u", looped("=loopCounter &lt; 3") + inside)), n=0)
    for _ in range(3):
        play.do("t")
    assert play.completed
    assert play.vars["n"] == 6


def test_a_call_activity_loops() -> None:
    call = element("callActivity", "u", ext(z("calledElement", processId="child")) + looped("=n &lt; 2"))
    play = Play(line(call), n=0)
    for n in (1, 2):
        (waiting,) = play.calls
        play.take(play.instance.child_ended(waiting.key, a.InstanceEnded("COMPLETED", {"n": n})))
    assert play.completed


def test_a_boundary_event_stands_on_the_whole_loop() -> None:
    body = line(user("u", inner=looped("=true"))) + boundary("b", "u", timer("PT1H")) + end("x") + flow("b", "x")
    play = Play(body)
    play.do("u")
    assert len(play.timers) == 1
    assert len(play.of(a.TimerArmed)) == 1
    play.fire("b")
    assert play.completed
    assert play.nothing_left()


def test_loops_in_loops_and_in_multi_instances() -> None:
    inner = start("s2") + script("c", "n", "n + 1", inner=looped(maximum=3)) + end("e2") + chain("s2", "c", "e2")
    assert Play(line(element("subProcess", "u", looped(maximum=4) + inner)), n=0).vars["n"] == 12
    assert Play(line(element("subProcess", "u", each("[1,2]", "x") + inner)), n=0).vars["n"] == 6


# --- multi-instances


@pytest.mark.parametrize("sequential", [True, False])
def test_a_cardinality_in_every_dialect(sequential: bool) -> None:
    many = (
        f'<b:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"><b:loopCardinality>3</b:loopCardinality>'
    )
    play = Play(line(user("u", inner=many + "</b:multiInstanceLoopCharacteristics>")))
    for _ in range(3):
        play.do("u")
    assert play.completed
    assert "cannot stand together" in refused(
        line(user("u", inner=each("[1]", "x").replace("<b:ext", "<b:loopCardinality>3</b:loopCardinality><b:ext")))
    )


def test_data_references_beside_a_number_are_kept_and_alone_refused() -> None:
    data = "<b:loopDataInputRef>d</b:loopDataInputRef>"
    many = "<b:multiInstanceLoopCharacteristics>{}</b:multiInstanceLoopCharacteristics>"
    number = "<b:loopCardinality>2</b:loopCardinality>"
    assert not refused(line(user("u", inner=many.format(number + data))))
    assert "loopDataInputRef" in refused(line(user("u", inner=many.format(data))))


def behaving(behaviour: str, ref: str = "", more: str = "", *, sequential: bool = False, number: int = 3) -> str:
    attribute = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}.get(behaviour, "")
    given = f' {attribute}="{ref}"' if ref and attribute else ""
    tag = "b:multiInstanceLoopCharacteristics"
    inner = f"<b:loopCardinality>{number}</b:loopCardinality>{more}"
    return f'<{tag} behavior="{behaviour}" isSequential="{str(sequential).lower()}"{given}>{inner}</{tag}>'


DEFINITIONS = (
    SIGNAL,
    ERROR,
    ESCALATION,
    '<b:signalEventDefinition id="SD" signalRef="S"/>',
    '<b:escalationEventDefinition id="LD" escalationRef="L"/>',
    '<b:errorEventDefinition id="ED" errorRef="E"/>',
)


def watched(task: str, caught: str, *, interrupting: bool) -> str:
    """An activity whose boundary event counts what it catches."""
    count = script("c", "caught", "caught + 1") + end("x") + chain("b", "c", "x")
    return line(task) + boundary("b", "u", caught, interrupting=interrupting) + count


@pytest.mark.parametrize("kind", ["signal", "escalation"])
@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize(("behaviour", "times"), [("None", 3), ("One", 1), ("All", 0)])
def test_what_a_multi_instance_throws(kind: str, sequential: bool, behaviour: str, times: int) -> None:
    ref = {"signal": "SD", "escalation": "LD"}[kind]
    loop = behaving(behaviour, ref, sequential=sequential)
    caught = event(kind, {"signal": "S", "escalation": "L"}[kind])
    by_itself = Play(watched(script("u", "n", "n + 1", inner=loop), caught, interrupting=False), *DEFINITIONS, n=0, caught=0)
    assert by_itself.completed
    assert by_itself.vars["caught"] == times
    assert by_itself.vars["n"] == 3
    by_people = Play(watched(user("u", inner=loop), caught, interrupting=False), *DEFINITIONS, caught=0)
    for done in range(3):
        by_people.do("u")
        assert by_people.vars["caught"] == min(times, done + 1)
    assert by_people.completed
    assert by_people.nothing_left()


@pytest.mark.parametrize(("kind", "ref", "root"), [("signal", "SD", "S"), ("escalation", "LD", "L"), ("error", "ED", "E")])
def test_what_is_thrown_may_interrupt_the_rest(kind: str, ref: str, root: str) -> None:
    body = watched(user("u", inner=behaving("One", ref)), event(kind, root), interrupting=True)
    play = Play(body, *DEFINITIONS, caught=0)
    play.do("u")
    assert play.completed
    assert play.vars["caught"] == 1
    assert play.nothing_left()


def test_an_error_that_nobody_would_catch_is_an_incident() -> None:
    play = Play(line(user("u", inner=behaving("None", "ED"))), *DEFINITIONS)
    play.do("u")
    assert [i.kind for i in play.incidents] == ["UNHANDLED_ERROR_EVENT"]
    assert len(play.tasks) == 2


def test_an_enclosing_scope_catches_it() -> None:
    inside = start("s2") + script("m", "n", "n + 1", inner=behaving("None", "LD")) + end("e2") + chain("s2", "m", "e2")
    begin = element("startEvent", "w", event("escalation"), isInterrupting="false")
    inside += element("subProcess", "v", begin + script("c", "caught", "caught + 1") + flow("w", "c"), triggeredByEvent="true")
    play = Play(line(element("subProcess", "u", inside)), *DEFINITIONS, n=0, caught=0)
    assert play.completed
    assert play.vars == {"n": 3, "caught": 3}


def test_a_signal_reaches_others_too() -> None:
    play = Play(line(user("u", inner=behaving("One", "SD"))), *DEFINITIONS)
    play.do("u")
    assert [t.signal for t in play.of(a.SignalThrown)] == ["alarm"]


def test_complex_behaviour() -> None:
    def when(condition: str, ref: str) -> str:
        definition = f'<b:{ref}EventDefinition {ref}Ref="{ref[0].upper() if ref == "signal" else "L"}"/>'
        inner = f'<b:condition>{condition}</b:condition><b:event id="i-{ref}">{definition}</b:event>'
        return f"<b:complexBehaviorDefinition>{inner}</b:complexBehaviorDefinition>"

    more = when("numberOfCompletedInstances = 2", "signal") + when("loopCounter = 3", "escalation")
    body = watched(user("u", inner=behaving("Complex", more=more, number=4)), event("signal", "S"), interrupting=False)
    body += boundary("b2", "u", event("escalation", "L"), interrupting=True) + end("y") + flow("b2", "y")
    play = Play(body, *DEFINITIONS, caught=0)
    play.do("u")
    assert play.vars["caught"] == 0
    play.do("u")
    assert play.vars["caught"] == 1
    assert len(play.tasks) == 2
    play.do("u")
    assert play.completed, "the third one's escalation interrupts the fourth"
    assert "needs a complexBehaviorDefinition" in refused(line(user("u", inner=behaving("Complex"))))
    assert "has no event" in refused(
        line(
            user(
                "u",
                inner=behaving(
                    "Complex", more="<b:complexBehaviorDefinition><b:condition>true</b:condition></b:complexBehaviorDefinition>"
                ),
            )
        )
    )


def test_behaviours_that_cannot_be() -> None:
    message_definition = '<b:messageEventDefinition id="MD" messageRef="M"/>'
    assert "cannot throw a message" in refused(
        line(user("u", inner=behaving("One", "MD"))), message_definition, message("M", "m")
    )
    assert "event definition" in refused(line(user("u", inner=behaving("None"))))
    assert "must be one of them" in refused(line(user("u", inner=behaving("Some"))))


@pytest.mark.parametrize("sequential", [True, False])
def test_every_activity_may_be_multiple(sequential: bool) -> None:
    many = each("[1,2]", "x", sequential=sequential)
    sent = ext(z("taskDefinition", type="send"))
    kinds = {
        "work": service("u", inner=many),
        "send": element("sendTask", "u", sent + many),
        "message": element("receiveTask", "u", many, messageRef="M"),
        "call": element("callActivity", "u", ext(z("calledElement", processId="c")) + many),
    }
    for kind, task in kinds.items():
        play = Play(line(task), message("M", "m"))
        for _ in range(2):
            if kind == "message":
                play.send("u")
            elif kind == "call":
                play.take(play.instance.child_ended(play.calls[0].key, a.InstanceEnded("COMPLETED", {})))
            else:
                play.work("u")
        assert play.completed, kind
        assert play.nothing_left(), kind
    decision = ext(z("calledDecision", decisionId="d", resultVariable="r"))
    task = element("businessRuleTask", "u", decision + each("[1,2]", "x", sequential=sequential, collect="rs", result="r"))
    play = Play(line(task), decide=lambda *_: (7, 1, None))
    assert play.vars["rs"] == [7, 7]


def test_a_thousand_at_once() -> None:
    process = read(line(user("u", inner=each("for i in 1..1000 return i", "x", collect="xs", result="x"))))
    play = Play(process)
    assert len(play.tasks) == 1000
    for task in play.tasks[:5]:
        play.take(play.instance.complete_task(task.key, {}))
    assert len(play.tasks) == 995


# --- quantities


def test_tokens_gather_before_an_activity_starts() -> None:
    body = start() + element("parallelGateway", "g") + user("u", startQuantity=3) + end()
    body += flow("s", "g") + "".join(flow("g", "u") for _ in range(7)) + flow("u", "e")
    play = Play(body)
    assert len(play.tasks) == 2, "seven tokens start it twice, the seventh waits"
    play.do("u")
    play.do("u")
    assert not play.ended
    assert [r.data.get("gathers") for r in play.rows.values() if r.element_id == "u"] == [True]


def test_tokens_of_different_flows_gather() -> None:
    body = start() + element("parallelGateway", "g") + user("x") + user("y") + user("u", startQuantity=2) + end()
    body += flow("s", "g") + flow("g", "x") + flow("g", "y") + flow("x", "u") + flow("y", "u") + flow("u", "e")
    play = Play(body)
    play.do("x")
    assert play.names == ["y"]
    play.do("y")
    assert play.names == ["u"]
    play.do("u")
    assert play.completed


def test_many_tokens_leave() -> None:
    body = start() + user("u", completionQuantity=3) + user("v") + end() + chain("s", "u", "v", "e")
    play = Play(body)
    play.do("u")
    assert play.names == ["v", "v", "v"]
    for _ in range(3):
        play.do("v")
    assert play.completed


def test_quantities_together_with_loops_and_incidents() -> None:
    body = start() + script("p", "p", "1") + user("u", inner=looped(maximum=2), startQuantity=2, completionQuantity=2)
    body += user("v", startQuantity=2) + end() + chain("s", "p", "u", "v", "e") + flow("s", "u")
    play = Play(body)
    play.do("u")
    play.do("u")
    assert play.names == ["v"], "two tokens leave and gather again"
    play.do("v")
    assert play.completed
    failing = start() + element("parallelGateway", "g") + user("u", z("assignmentDefinition", assignee="=1 + 1"), startQuantity=2)
    play = Play(failing + end() + flow("s", "g") + flow("g", "u") + flow("g", "u") + flow("u", "e"))
    assert len(play.incidents) == 1
    play.resolve("u")
    assert len(play.incidents) == 1, "it was gathered once and tries again alone"
