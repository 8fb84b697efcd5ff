"""Complex gateways, ad-hoc sub-processes, and what starts without a start event."""

from __future__ import annotations

import pytest

from engine import definitions
from engine.errors import Conflict, InvalidValue
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
    message,
    props,
    script,
    start,
    timer,
    user,
    z,
)


def refused(body: str, *root: str) -> str:
    file = definitions.read_bpmn(draw(body, *root), "t.bpmn")
    return "\n".join(f.reason for f in file.findings if f.verdict == "refused")


# --- complex gateways


def gateway(condition: str | None, gateway_id: str = "g", **given: str) -> str:
    inner = f"<b:activationCondition>{condition}</b:activationCondition>" if condition else ""
    return element("complexGateway", gateway_id, inner, **given)


def joined(condition: str, *after: str, tasks: str = "xyz") -> str:
    """Branches of one task each, joined by a complex gateway before the task `v`."""
    body = start() + element("parallelGateway", "f") + gateway(condition) + user("v") + end() + flow("s", "f")
    for name in tasks:
        body += user(name) + flow("f", name) + flow(name, "g", flow_id=f"from_{name}")
    return body + (flow("g", "v") if not after else "".join(after)) + flow("v", "e")


def test_two_of_three() -> None:
    play = Play(joined("activationCount >= 2"))
    play.do("x")
    assert play.names == ["y", "z"]
    play.do("z")
    assert play.names == ["v", "y"]
    play.do("v")
    assert not play.ended, "the third branch still runs"
    play.do("y")
    assert play.completed
    assert play.entered.count("v") == 1
    assert play.nothing_left()


def test_named_flows() -> None:
    play = Play(joined("=from_x >= 1 and from_y + from_z >= 1"))
    play.do("y")
    play.do("z")
    assert "v" not in play.names
    play.do("x")
    assert play.names == ["v"]
    play.do("v")
    assert play.completed, "the token of the third flow came before the start and was taken with the others"


def test_start_and_reset_take_different_flows() -> None:
    late = user("late") + end("e2") + flow("late", "e2")
    after = flow("g", "v", "=waitingForStart"), flow("g", "late", "=not(waitingForStart)"), late
    play = Play(joined("activationCount >= 1", *after))
    play.do("x")
    assert play.names == ["v", "y", "z"]
    play.do("v")
    play.do("y")
    assert play.names == ["z"]
    play.do("z")
    assert play.names == ["late"], "the reset comes when all others have come"
    play.do("late")
    assert play.completed


def test_the_reset_does_not_wait_for_what_cannot_come() -> None:
    late = user("late") + end("e2") + flow("late", "e2")
    after = flow("g", "v", "=waitingForStart"), flow("g", "late", "=not(waitingForStart)"), late
    body = joined("activationCount >= 1", *after, tasks="xy")
    body += boundary("b", "y", timer("PT1H")) + end("e3") + flow("b", "e3")
    play = Play(body)
    play.do("x")
    assert play.names == ["v", "y"]
    play.fire("b")
    assert play.names == ["late", "v"]


def test_a_discriminator_in_a_loop_is_reset() -> None:
    body = start() + element("exclusiveGateway", "m") + element("parallelGateway", "f") + gateway("activationCount >= 1")
    body += user("x") + user("y") + script("c", "n", "n + 1") + element("exclusiveGateway", "again", default="done") + end()
    body += flow("s", "m") + flow("m", "f") + flow("f", "x") + flow("f", "y") + flow("x", "g") + flow("y", "g")
    body += (
        flow("g", "c")
        + flow("c", "again")
        + flow("again", "m", "=n &lt; 3".replace("&lt;", "<"))
        + flow("again", "e", flow_id="done")
    )
    play = Play(body, n=0)
    for n in range(1, 4):
        play.do("x")
        assert play.vars["n"] == n
        play.do("y")
        assert play.vars["n"] == n
    assert play.completed


def test_tokens_that_come_during_the_reset_count_for_the_next_start() -> None:
    body = start() + element("parallelGateway", "f") + element("exclusiveGateway", "m") + gateway("activationCount >= 2")
    body += user("p") + user("q") + user("r") + user("v") + end() + flow("s", "f") + flow("g", "v") + flow("v", "e")
    body += flow("f", "p") + flow("f", "q") + flow("f", "r") + flow("p", "g") + flow("q", "g") + flow("r", "g")
    body += user("p2") + flow("f", "p2") + flow("p2", "m") + flow("m", "g")
    play = Play(body)
    play.do("p")
    play.do("q")
    assert play.names.count("v") == 1
    play.do("r")
    play.do("p2")
    play.do("v")
    assert play.completed, "both late tokens belong to the reset"


def test_conditions_of_a_complex_split() -> None:
    body = start() + gateway(None, default="d") + user("x") + user("y") + user("z") + end()
    body += flow("s", "g") + flow("g", "x", "=n > 1") + flow("g", "y", "=n > 2") + flow("g", "z", flow_id="d")
    body += "".join(flow(t, "e") for t in "xyz")
    assert Play(body, n=3).names == ["x", "y"]
    assert Play(body, n=2).names == ["x"]
    assert Play(body, n=0).names == ["z"]


def test_nothing_holds_and_wrong_conditions_are_incidents() -> None:
    play = Play(joined("activationCount >= 1", flow("g", "v", "=n > 1")), n=0)
    play.do("x")
    assert [i.kind for i in play.incidents] == ["CONDITION_ERROR"]
    play.resolve("g", n=2)
    assert "v" in play.names
    wrong = Play(joined("enough"))
    wrong.do("x")
    assert [i.kind for i in wrong.incidents] == ["EXTRACT_VALUE_ERROR"]
    wrong.resolve("g", enough=True)
    assert "v" in wrong.names


def test_a_reset_whose_condition_fails_is_an_incident() -> None:
    late = flow("g", "late", "=not(waitingForStart) and n > 0") + user("late") + end("e2") + flow("late", "e2")
    play = Play(joined("activationCount >= 1", flow("g", "v", "=waitingForStart") + late, tasks="xy"))
    play.do("x")
    play.do("v")
    play.do("y")
    assert [i.element_id for i in play.incidents] == ["g"]
    play.resolve("g", n=1)
    assert play.names == ["late"]


def test_nothing_starts_anew_before_a_reset_that_an_incident_holds() -> None:
    late = flow("g", "late", "=not(waitingForStart) and n > 0") + user("late") + end("e2") + flow("late", "e2")
    body = start() + element("parallelGateway", "f") + gateway("activationCount >= 1") + user("x") + user("y") + user("v")
    body += element("exclusiveGateway", "m") + flow("s", "f") + flow("f", "m") + flow("m", "x") + flow("f", "y")
    body += flow("x", "g") + flow("y", "g") + flow("g", "v", "=waitingForStart") + late + flow("v", "m")
    play = Play(body)
    play.do("x")
    play.do("y")
    assert [i.element_id for i in play.incidents] == ["g"]
    play.do("v")
    play.do("x")
    assert play.names == []
    play.resolve("g", n=1)
    assert play.names == ["late", "late", "v"], "the reset, the next start, and its reset: nothing else can come"


def test_a_joining_gateway_needs_its_condition() -> None:
    body = start() + gateway(None) + element("parallelGateway", "f") + end() + flow("s", "f") + flow("g", "e")
    assert "activationCondition" in refused(body + flow("f", "g") + flow("f", "g"))


def test_an_inclusive_join_waits_for_a_complex_one() -> None:
    body = start() + element("inclusiveGateway", "f") + gateway("activationCount >= 1") + element("inclusiveGateway", "j")
    body += user("x") + user("y") + user("w") + user("v") + end() + flow("s", "f")
    body += flow("f", "x", "=true") + flow("f", "y", "=true") + flow("f", "w", "=true") + flow("x", "g") + flow("y", "g")
    body += flow("g", "j") + flow("w", "j") + flow("j", "v") + flow("v", "e")
    play = Play(body)
    play.do("w")
    play.do("x")
    play.do("y")
    assert play.names == ["v"]
    play.do("v")
    assert play.completed


# --- ad-hoc sub-processes


def ad_hoc(inner: str, *extensions: str, until: str = "", more: str = "", **given: str) -> str:
    condition = f"<b:completionCondition>{until}</b:completionCondition>" if until else ""
    return (
        start()
        + element("adHocSubProcess", "h", ext(*extensions) + more + inner + condition, **given)
        + end()
        + chain("s", "h", "e")
    )


def test_everything_that_no_flow_leads_to_starts_once() -> None:
    play = Play(ad_hoc(user("x") + user("y") + user("z") + flow("y", "z")))
    assert play.names == ["x", "y"]
    play.do("y")
    assert play.names == ["x", "z"]
    play.do("z")
    play.do("x")
    assert play.completed


def test_one_after_the_other() -> None:
    play = Play(ad_hoc(user("x") + user("y") + user("z") + flow("x", "z"), ordering="Sequential"))
    for name in "xzy":
        assert play.names == [name]
        play.do(name)
    assert play.completed


@pytest.mark.parametrize("cancel", ["true", "false"])
def test_its_condition_ends_it(cancel: str) -> None:
    play = Play(ad_hoc(user("x") + user("y"), until="=ok", cancelRemainingInstances=cancel), ok=False)
    play.do("x", ok=True)
    if cancel == "false":
        assert play.names == ["y"]
        play.do("y")
    assert play.completed
    assert play.nothing_left()


def test_a_condition_that_does_not_hold_keeps_it_open() -> None:
    play = Play(ad_hoc(user("x") + user("y"), until="=ok"), ok=False)
    play.do("x")
    play.do("y")
    assert not play.ended
    (key,) = [k for k, r in play.rows.items() if r.element_id == "h"]
    play.take(play.instance.start_in_ad_hoc(key, ["x"]))
    assert [c.elements for c in play.of(a.AdHocStarted)] == [("x",)]
    assert play.names == ["x"]
    play.do("x", ok=True)
    assert play.completed


def test_people_start_elements() -> None:
    inner = user("x") + user("y") + user("z") + flow("y", "z")
    play = Play(ad_hoc(inner, z("adHoc", activeElementsCollection='=["x"]')))
    assert play.names == ["x"]
    (key,) = [k for k, r in play.rows.items() if r.element_id == "h"]
    play.take(play.instance.start_in_ad_hoc(key, ["y", "x"]))
    assert play.names == ["x", "x", "y"]
    with pytest.raises(InvalidValue):
        play.instance.start_in_ad_hoc(key, ["z"])
    with pytest.raises(InvalidValue):
        play.instance.start_in_ad_hoc(play.tasks[0].key, ["x"])


def test_people_queue_elements_in_a_sequential_one() -> None:
    play = Play(ad_hoc(user("x") + user("y"), z("adHoc", activeElementsCollection='=["x"]'), ordering="Sequential"))
    (key,) = [k for k, r in play.rows.items() if r.element_id == "h"]
    play.take(play.instance.start_in_ad_hoc(key, ["y", "y"]))
    for name in "xyy":
        assert play.names == [name]
        play.do(name)
    assert play.completed


def test_nothing_new_starts_in_one_that_is_about_to_complete() -> None:
    play = Play(ad_hoc(user("x") + user("y"), until="=true", cancelRemainingInstances="false"))
    play.do("x")
    (key,) = [k for k, r in play.rows.items() if r.element_id == "h"]
    with pytest.raises(Conflict):
        play.instance.start_in_ad_hoc(key, ["x"])


def test_the_collection_may_be_empty_or_wrong() -> None:
    assert Play(ad_hoc(user("x"), z("adHoc", activeElementsCollection="=[]"))).completed
    play = Play(ad_hoc(user("x"), z("adHoc", activeElementsCollection="=names")), names=["x", "nobody"])
    assert [i.kind for i in play.incidents] == ["EXTRACT_VALUE_ERROR"]
    play.resolve("h", names=["x"])
    assert play.names == ["x"]


def test_what_each_leaves_is_collected() -> None:
    collected = z("adHoc", outputCollection="results", outputElement="=result")
    play = Play(ad_hoc(user("x") + user("y") + user("z") + flow("y", "z"), collected, until="=count(results) = 2"))
    play.do("y", result=0)
    play.do("z", result=1)
    play.do("x", result=2)
    assert play.completed
    assert play.vars == {"results": [1, 2]}, "a path leaves what its last element left"


def test_a_boundary_event_and_many_of_them() -> None:
    play = Play(ad_hoc(user("x") + user("y")) + boundary("b", "h", timer("PT1H")) + end("e2") + flow("b", "e2"))
    play.do("x")
    play.fire("b")
    assert play.completed
    assert play.nothing_left()
    many = Play(ad_hoc(user("x"), more=each("[1,2]", "i", collect="all", result="i")))
    assert many.names == ["x", "x"]
    many.do("x")
    many.do("x")
    assert many.vars["all"] == [1, 2]


def test_events_and_gateways_in_it() -> None:
    inner = element("intermediateCatchEvent", "w", event("message", "M")) + element("exclusiveGateway", "g", default="d")
    inner += user("x") + user("y") + flow("w", "g") + flow("g", "x", "=n > 1") + flow("g", "y", flow_id="d")
    play = Play(ad_hoc(inner), message("M", "m"), n=2)
    play.send("w")
    assert play.names == ["x"]
    play.do("x")
    assert play.completed


# --- what starts without a start event


def test_a_process_without_start_event() -> None:
    play = Play(user("x") + user("y") + end() + flow("x", "e"), n=1)
    assert play.names == ["x", "y"]
    play.do("x")
    play.do("y")
    assert play.completed
    assert play.vars == {"n": 1}


def test_a_sub_process_without_start_event() -> None:
    play = Play(start() + element("subProcess", "p", user("x") + user("y")) + end() + chain("s", "p", "e"))
    assert play.names == ["x", "y"]
    play.do("x")
    play.do("y")
    assert play.completed


def test_a_receive_task_that_starts_the_process() -> None:
    body = element("receiveTask", "r", messageRef="M", instantiate="true") + user("u") + end() + chain("r", "u", "e")
    play = Play(body, message("M", "m", None), event="r", n=1)
    assert play.names == ["u"]
    assert play.vars == {"n": 1}
    assert "r" in play.entered
    assert not play.of(a.MessageAwaited)
    assert "without incoming" in refused(start() + body + flow("s", "r"), message("M", "m"))


def gate(kind: str = "Exclusive") -> str:
    body = element("eventBasedGateway", "g", instantiate="true", eventGatewayType=kind)
    body += element("intermediateCatchEvent", "c1", event("message", "M1")) + element("receiveTask", "c2", messageRef="M2")
    body += user("x") + user("y") + end() + flow("g", "c1") + flow("g", "c2") + flow("c1", "x") + flow("c2", "y")
    return body + flow("x", "e") + flow("y", "e")


MESSAGES = message("M1", "one", "=k"), message("M2", "two", "=k")


@pytest.mark.parametrize(("came", "task"), [("c1", "x"), ("c2", "y")])
def test_the_first_event_of_an_exclusive_gateway_starts_the_process(came: str, task: str) -> None:
    play = Play(gate(), *MESSAGES, event=came, k="1")
    assert play.names == [task]
    assert not play.of(a.MessageAwaited)
    assert len(play.of(a.FlowTaken)) == 2
    play.do(task)
    assert play.completed


@pytest.mark.parametrize(("came", "first", "other", "then"), [("c1", "x", "c2", "y"), ("c2", "y", "c1", "x")])
def test_a_parallel_gateway_waits_for_the_others_too(came: str, first: str, other: str, then: str) -> None:
    play = Play(gate("Parallel"), *MESSAGES, event=came, k="1")
    assert play.names == [first]
    assert [(m.element_id, m.correlation_key) for m in play.messages] == [(other, "1")]
    play.do(first)
    assert not play.ended
    play.send(other)
    play.do(then)
    assert play.completed


def test_gateways_that_cannot_start_a_process() -> None:
    late = element("eventBasedGateway", "g", instantiate="true") + element("intermediateCatchEvent", "t", timer("PT1H"))
    assert "can start a process here" in refused(late + end() + chain("g", "t", "e"))
    key = message("M1", "one", None), message("M2", "two", None)
    assert not refused(gate(), *key)
    assert "correlation" in refused(gate("Parallel"), *key), "the others must find their case"
    assert refused(start() + gate("Parallel").replace('instantiate="true"', "") + flow("s", "g"), *MESSAGES)


def test_somebody_may_be_asked_in_an_ad_hoc_sub_process() -> None:
    play = Play(ad_hoc(user("x"), props(offeredTo="office")))
    assert play.process.elements["h"].offered_to is not None
