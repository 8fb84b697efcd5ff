"""Ad-hoc sub-processes that people steer, and processes that start by other things than start events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine
from engine.errors import InstanceSuspended, InvalidValue, NotAllowed
from tests.unit.commands.office import kinds, line, office, task, turn
from tests.unit.kernel.drawing import chain, draw, element, end, event, ext, flow, message, props, start, timer, z

DAY = timedelta(days=1)


@pytest.fixture
def engine() -> Engine:
    return office()


def ad_hoc(*extensions: str) -> bytes:
    inner = ext(props(offeredTo="chair"), *extensions) + task("x") + task("y") + element("task", "z") + flow("y", "z")
    return draw(line(("h", element("adHocSubProcess", "h", inner + "<b:completionCondition>=enough</b:completionCondition>"))))


def steered(engine: Engine) -> tuple[int, int]:
    engine.deploy({"p.bpmn": ad_hoc(z("adHoc", activeElementsCollection="=[]"))})
    case = engine.start("P", {"enough": False})
    return case, next(e.key for e in engine.element_instances(case) if e.element_id == "h")


def test_those_it_is_offered_to_start_elements(engine: Engine) -> None:
    case, key = steered(engine)
    assert engine.tasks(instance=case) == ()
    with pytest.raises(NotAllowed):
        engine.start_in_ad_hoc(case, key, ["x"], by="anna")
    with pytest.raises(InvalidValue):
        engine.start_in_ad_hoc(case, key, ["z"], by="carl")
    engine.start_in_ad_hoc(case, key, ["x", "y"], by="carl")
    engine.start_in_ad_hoc(case, key, ["x"], by="root")
    assert sorted(t.element_id for t in engine.tasks(instance=case)) == ["x", "x", "y"]
    assert kinds(engine, case).count("AdHocStarted") == 2
    assert list(dict.fromkeys(e.actor for e in engine.journal(case) if e.command == "start_in_ad_hoc")) == ["carl", "root"]
    assert [e.state for e in engine.element_instances(case) if e.element_id == "x"] == ["ACTIVE", "ACTIVE"], "by replay"
    engine.complete(next(t.key for t in engine.tasks(instance=case) if t.element_id == "y"), {"enough": True}, by="anna")
    assert engine.instance(case).state == "COMPLETED"


def test_a_suspended_case_starts_nothing(engine: Engine) -> None:
    case, key = steered(engine)
    engine.suspend(case, by="root", reason="audit")
    with pytest.raises(InstanceSuspended):
        engine.start_in_ad_hoc(case, key, ["x"], by="carl")


def test_a_process_without_start_event_starts_by_hand_of_a_program(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(task("x") + task("y") + end() + flow("x", "e"))})
    case = engine.start("P", {"n": 1})
    assert sorted(t.element_id for t in engine.tasks(instance=case)) == ["x", "y"]


def test_a_message_starts_a_process_by_its_receive_task(engine: Engine) -> None:
    body = element("receiveTask", "r", messageRef="m", instantiate="true") + task() + end() + chain("r", "t", "e")
    engine.deploy({"p.bpmn": draw(body, message("m", "paid", None))})
    engine.publish("paid", "A", {"amount": 5}, ttl=DAY)
    engine.publish("paid", "A", {"amount": 6}, ttl=DAY)
    (first,) = engine.tasks()
    assert engine.variables(first.process_instance_key)["amount"] == 5
    engine.complete(first.key, {}, by="anna")
    (second,) = engine.tasks()
    assert engine.variables(second.process_instance_key)["amount"] == 6, "the waiting one starts the next case of its key"


def gate(kind: str) -> bytes:
    body = element("eventBasedGateway", "g", instantiate="true", eventGatewayType=kind)
    body += element("intermediateCatchEvent", "c", event("message", "m")) + element("receiveTask", "r", messageRef="n")
    body += element("parallelGateway", "j") + task() + end() + flow("g", "c") + flow("g", "r")
    merge = "j" if kind == "Parallel" else "t"
    body += flow("c", merge) + flow("r", merge) + (flow("j", "t") if kind == "Parallel" else flow("j", "e")) + flow("t", "e")
    return draw(body, message("m", "paid", "=order"), message("n", "packed", "=order"))


@pytest.mark.parametrize("first", ["paid", "packed"])
def test_a_parallel_gateway_gathers_the_messages_of_one_key(engine: Engine, first: str) -> None:
    engine.deploy({"p.bpmn": gate("Parallel")})
    second = {"paid": "packed", "packed": "paid"}[first]
    engine.publish(first, "A", {"order": "A"}, ttl=DAY)
    engine.publish(first, "B", {"order": "B"}, ttl=DAY)
    assert engine.tasks() == ()
    engine.publish(second, "B", ttl=DAY)
    (found,) = engine.tasks()
    assert engine.variables(found.process_instance_key)["order"] == "B"
    engine.publish(second, "A", ttl=DAY)
    assert len(engine.tasks()) == 2


def test_each_message_of_an_exclusive_gateway_starts_a_case(engine: Engine) -> None:
    engine.deploy({"p.bpmn": gate("Exclusive").replace(b'<b:parallelGateway id="j"></b:parallelGateway>', b'<b:task id="j"/>')})
    engine.publish("paid", "A", {"order": "A"}, ttl=DAY)
    engine.publish("packed", "B", {"order": "B"}, ttl=DAY)
    assert len(engine.tasks()) == 2


def test_the_oldest_waiting_message_of_several_starts_comes_next(engine: Engine) -> None:
    body = start("s1", event("message", "m")) + start("s2", event("message", "n")) + task() + end()
    body += flow("s1", "t") + flow("s2", "t") + flow("t", "e")
    engine.deploy({"p.bpmn": draw(body, message("m", "paid", None), message("n", "packed", None))})
    engine.publish("packed", "A", {"n": 1}, ttl=DAY)
    engine.publish("packed", "A", {"n": 2}, ttl=DAY)
    engine.publish("paid", "A", {"n": 3}, ttl=DAY)
    for expected in (1, 2, 3):
        (found,) = engine.tasks()
        assert engine.variables(found.process_instance_key)["n"] == expected
        engine.complete(found.key, {}, by="anna")


def test_several_kinds_of_starts(engine: Engine) -> None:
    body = start() + start("s1", event("message", "m")) + start("s2", event("signal", "S"))
    body += start("s3", timer("0 0 12 * * *", "timeCycle")) + task() + end()
    body += "".join(flow(s, "t") for s in ("s", "s1", "s2", "s3")) + flow("t", "e")
    engine.deploy({"p.bpmn": draw(body, message("m", "paid", None), '<b:signal id="S" name="alarm"/>')})
    engine.start("P")
    engine.publish("paid", "A")
    engine.broadcast("alarm")
    assert len(engine.tasks()) == 3
    turn(engine, hours=2)
    assert len(engine.tasks()) == 3, "it is eleven"
    turn(engine, hours=1)
    assert len(engine.tasks()) == 4
    turn(engine, hours=49)
    assert len(engine.tasks()) == 5, "two noons have passed, missed ones fire once"
    turn(engine, hours=23)
    assert len(engine.tasks()) == 6
