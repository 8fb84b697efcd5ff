"""Messages and signals find their receivers by Camunda's rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine
from engine.errors import Conflict, InvalidSubmission, InvalidValue, NotAllowed, NotFound
from tests.unit.commands.office import form, kinds, line, office, open_task, task, turn
from tests.unit.kernel.drawing import boundary, chain, draw, element, end, event, ext, flow, message, props, start

DAY = timedelta(days=1)
CAUGHT = element("intermediateCatchEvent", "c", event("message", "m"))
WAITS = draw(line(("c", CAUGHT), ("t", task())), message("m", "paid", "=order"))
STARTS = draw(
    start(inner=event("message", "m")) + task() + end() + chain("s", "t", "e"), message("m", "paid", None), process_id="Q"
)


@pytest.fixture
def engine() -> Engine:
    engine = office()
    engine.deploy({"p.bpmn": WAITS})
    return engine


def test_a_message_reaches_the_instance_of_its_key_alone(engine: Engine) -> None:
    one, other = engine.start("P", {"order": "A"}), engine.start("P", {"order": "B"})
    engine.publish("paid", "A", {"amount": 5}, by="bo")
    assert engine.journal(one)[-1].actor == "bo"
    assert engine.variables(one) == {"order": "A", "amount": 5}
    assert len(engine.tasks(instance=one)) == 1
    assert engine.tasks(instance=other) == ()
    assert engine.subscriptions(one) == ()
    assert engine.subscriptions(other)[0].correlation_key == "B"


def test_one_receiver_per_process_the_oldest_first(engine: Engine) -> None:
    first, second = engine.start("P", {"order": "A"}), engine.start("P", {"order": "A"})
    engine.publish("paid", "A", ttl=DAY)
    assert len(engine.tasks(instance=first)) == 1
    assert engine.tasks(instance=second) == ()
    engine.publish("paid", "A")
    assert len(engine.tasks(instance=second)) == 1


def test_a_message_waits_as_long_as_it_lives(engine: Engine) -> None:
    engine.publish("paid", "A", {"amount": 1}, ttl=timedelta(hours=2))
    turn(engine, hours=1)
    early = engine.start("P", {"order": "A"})
    assert engine.variables(early)["amount"] == 1
    engine.publish("paid", "A", {"amount": 2}, ttl=timedelta(hours=2))
    turn(engine, hours=2)
    late = engine.start("P", {"order": "A"})
    assert "amount" not in engine.variables(late)


def test_a_message_without_time_to_live_does_not_wait(engine: Engine) -> None:
    engine.publish("paid", "A")
    assert engine.tasks(instance=engine.start("P", {"order": "A"})) == ()


def test_waiting_messages_are_taken_in_order(engine: Engine) -> None:
    for amount in (1, 2):
        engine.publish("paid", "A", {"amount": amount}, ttl=DAY)
    cases = [engine.start("P", {"order": "A"}) for _ in range(2)]
    # A message correlates once per process: the second case gets the second message.
    assert [engine.variables(case)["amount"] for case in cases] == [1, 2]


def test_a_message_id_is_taken_while_the_first_one_waits(engine: Engine) -> None:
    engine.publish("paid", "A", ttl=DAY, message_id="1")
    with pytest.raises(Conflict):
        engine.publish("paid", "A", ttl=DAY, message_id="1")
    turn(engine, days=2)
    engine.publish("paid", "A", ttl=DAY, message_id="1")


def test_nonsense_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidValue):
        engine.publish("", "A")
    with pytest.raises(InvalidValue):
        engine.publish("paid", "A", ttl=-DAY)
    with pytest.raises(InvalidValue):
        engine.broadcast("")


def test_a_message_starts_one_instance_per_key_at_a_time(engine: Engine) -> None:
    engine.deploy({"q.bpmn": STARTS})
    for amount in (1, 2):
        engine.publish("paid", "A", {"amount": amount}, ttl=DAY)
    engine.publish("paid", "B", {"amount": 3}, ttl=DAY)
    running = engine.tasks()
    assert sorted(engine.variables(item.process_instance_key)["amount"] for item in running) == [1, 3]
    first = next(item for item in running if engine.variables(item.process_instance_key)["amount"] == 1)
    engine.complete(first.key, by="anna")
    assert sorted(engine.variables(item.process_instance_key)["amount"] for item in engine.tasks()) == [2, 3]


def test_a_message_without_key_starts_an_instance_each_time(engine: Engine) -> None:
    engine.deploy({"q.bpmn": STARTS})
    engine.publish("paid")
    engine.publish("paid")
    assert len(engine.tasks()) == 2


def test_a_message_reaches_every_process_that_waits(engine: Engine) -> None:
    engine.deploy({"q.bpmn": STARTS})
    case = engine.start("P", {"order": "A"})
    engine.publish("paid", "A")
    assert {item.bpmn_process_id for item in engine.tasks()} == {"P", "Q"}
    assert len(engine.tasks(instance=case)) == 1


def test_a_non_interrupting_event_receives_again_and_again() -> None:
    engine = office()
    body = line(("t", task())) + boundary("b", "t", event("message", "m"), interrupting=False) + task("u") + flow("b", "u")
    engine.deploy({"p.bpmn": draw(body, message("m", "note", '="k"'))})
    case = engine.start("P")
    for _ in range(3):
        engine.publish("note", "k")
    assert [item.element_id for item in engine.tasks(instance=case)].count("u") == 3
    assert len(engine.subscriptions(case)) == 1


# --- triggered by hand


def offering() -> Engine:
    engine = office()
    offered = ext(props(offeredTo="chair", formId="f", offerName="撤回"))
    body = line(("t", task())) + element(
        "boundaryEvent", "b", offered + event("message", "m"), attachedToRef="t", cancelActivity="true"
    )
    engine.deploy(
        {
            "f.form": form("f", {"type": "textfield", "key": "why", "label": "理由", "validate": {"required": True}}),
            "p.bpmn": draw(body + end("x") + flow("b", "x"), message("m", "withdrawn", '="k"')),
        }
    )
    return engine


def test_people_trigger_what_is_offered_to_them_with_its_form() -> None:
    engine = offering()
    case = engine.start("P")
    (offer,) = engine.subscriptions(case)
    assert (offer.name, offer.offered_to, offer.form_id) == ("撤回", ("chair",), "f")
    with pytest.raises(NotAllowed):
        engine.trigger(offer.key, {"why": "x"}, by="anna")
    with pytest.raises(InvalidSubmission):
        engine.trigger(offer.key, {}, by="carl")
    engine.trigger(offer.key, {"why": "不做了"}, by="carl")
    assert engine.instance(case).state == "COMPLETED"
    assert engine.variables(case) == {"why": "不做了"}
    assert {"FormSubmitted", "EventReceived"} <= set(kinds(engine, case))
    with pytest.raises(NotFound):
        engine.trigger(offer.key, {"why": "again"}, by="carl")


# --- signals

HEARS = draw(
    line(("c", element("intermediateCatchEvent", "c", event("signal", "g"))), ("t", task())), '<b:signal id="g" name="alarm"/>'
)
STARTED = draw(
    start(inner=event("signal", "g")) + task() + end() + chain("s", "t", "e"), '<b:signal id="g" name="alarm"/>', process_id="Q"
)


def test_a_signal_reaches_everybody_who_waits_and_starts_who_listens() -> None:
    engine = office()
    engine.deploy({"p.bpmn": HEARS, "q.bpmn": STARTED})
    waiting = [engine.start("P") for _ in range(3)]
    assert engine.broadcast("alarm", {"level": 2}, by="bo") == 4
    assert engine.journal(waiting[0])[-1].actor == "bo"
    assert all(engine.variables(case) == {"level": 2} for case in waiting)
    assert len(engine.tasks()) == 4
    assert engine.broadcast("alarm") == 1


def test_a_thrown_signal_reaches_others() -> None:
    engine = office()
    thrown = element("intermediateThrowEvent", "w", event("signal", "g"))
    engine.deploy(
        {
            "p.bpmn": HEARS,
            "q.bpmn": draw(line(("w", thrown)), '<b:signal id="g" name="alarm"/>', process_id="Q"),
        }
    )
    case = engine.start("P")
    engine.start("Q")
    assert open_task(engine, case).element_id == "t"


def test_the_newest_version_alone_listens() -> None:
    engine = office()
    engine.deploy({"q.bpmn": STARTED})
    engine.deploy({"q.bpmn": STARTED + b"<!-- changed -->"})
    engine.broadcast("alarm")
    (found,) = engine.tasks()
    assert engine.instance(found.process_instance_key).version == 2
    deaf = draw(line(("t", task())), process_id="Q")
    engine.deploy({"q.bpmn": deaf})
    assert engine.broadcast("alarm") == 0
