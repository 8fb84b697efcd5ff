"""Called processes: instances of their own, started and ended in transactions of their own."""

from __future__ import annotations

import pytest

from engine import Engine, commands, jobs
from engine.commands.calls import MAX_DEPTH, MAX_RECURSIVE
from tests.unit.commands.office import kinds, line, office, open_task, task, turn
from tests.unit.kernel.drawing import boundary, draw, element, end, event, ext, flow, timer, z


def call(process_id: str = "child", inner: str = "", **more: str) -> str:
    return element("callActivity", "a", ext(z("calledElement", processId=process_id, **more)) + inner)


CHILD = draw(line(("u", task("u"))), process_id="child")


@pytest.fixture
def engine() -> Engine:
    engine = office()
    engine.deploy({"child.bpmn": CHILD, "p.bpmn": draw(line(("a", call()), ("t", task())))})
    return engine


def test_a_child_is_an_instance_of_its_own_and_hands_its_variables_back(engine: Engine) -> None:
    case = engine.start("P", {"x": 1}, business_id="B-1", by="anna")
    (child,) = engine.children(case)
    assert (child.parent_key, child.root_key, child.business_id, child.started_by) == (case, case, "B-1", "anna")
    assert engine.variables(child.key) == {"x": 1}
    assert "ChildStarted" in kinds(engine, case)
    engine.complete(open_task(engine, child.key).key, {"y": 2}, by="anna")
    assert engine.instance(child.key).state == "COMPLETED"
    assert engine.variables(case) == {"x": 1, "y": 2}
    assert open_task(engine, case).element_id == "t"


def test_between_two_transactions_nothing_is_lost_and_nothing_done_twice(engine: Engine) -> None:
    case = commands.start_instance(engine.context, "P")  # as if the process died right after the commit
    assert engine.children(case) == ()
    engine.run_due()
    (child,) = engine.children(case)
    commands.complete_task(engine.context, open_task(engine, child.key).key)
    assert engine.tasks(instance=case) == ()
    assert jobs.drain(engine.context) == 1
    assert jobs.drain(engine.context) == 0
    assert len(engine.tasks(instance=case)) == 1
    assert len(engine.children(case)) == 1


def test_an_interrupt_cancels_the_child(engine: Engine) -> None:
    body = line(("a", call())) + boundary("b", "a", timer("PT1H")) + end("late") + flow("b", "late")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    (child,) = engine.children(case)
    turn(engine, hours=1)
    assert engine.instance(case).state == "COMPLETED"
    assert engine.instance(child.key).state == "TERMINATED"
    assert engine.tasks() == ()


def test_an_interrupt_before_the_child_started_leaves_none(engine: Engine) -> None:
    case = commands.start_instance(engine.context, "P")
    commands.cancel_instance(engine.context, case, None, "错了")
    engine.run_due()
    assert engine.children(case) == ()


def test_cancelling_the_caller_cancels_the_called(engine: Engine) -> None:
    case = engine.start("P")
    (child,) = engine.children(case)
    engine.cancel(case, by="root", reason="撤回")
    assert engine.instance(child.key).state == "TERMINATED"


def test_a_cancelled_child_is_an_incident_of_its_caller_and_a_retry_calls_anew(engine: Engine) -> None:
    case = engine.start("P")
    (child,) = engine.children(case)
    engine.cancel(child.key, by="root", reason="错了")
    (incident,) = engine.incidents(case)
    engine.resolve_incident(incident.key, by="root")
    assert [found.state for found in engine.children(case)] == ["TERMINATED", "ACTIVE"]


def test_a_childs_error_reaches_the_callers_boundary(engine: Engine) -> None:
    failing = line(("u", task("u"))).replace('<b:endEvent id="e">', '<b:endEvent id="e">' + event("error", "E"))
    body = line(("a", call())) + boundary("b", "a", event("error", "E")) + task("repair") + flow("b", "repair")
    root = '<b:error id="E" errorCode="BAD"/>'
    engine.deploy({"child.bpmn": draw(failing, root, process_id="child"), "p.bpmn": draw(body, root)})
    case = engine.start("P")
    (child,) = engine.children(case)
    engine.complete(open_task(engine, child.key).key, by="anna")
    assert open_task(engine, case).element_id == "repair"


def test_a_missing_process_is_an_incident_until_it_is_deployed(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("a", call("later"))))})
    case = engine.start("P")
    (incident,) = engine.incidents(case)
    assert (incident.kind, incident.element_id) == ("CALLED_ELEMENT_ERROR", "a")
    engine.deploy({"later.bpmn": draw(line(("u", task("u"))), process_id="later")})
    engine.resolve_incident(incident.key, by="root")
    assert len(engine.children(case)) == 1


def test_a_process_that_calls_itself_without_end_stops_with_an_incident(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("a", call("P"))))})
    engine.start("P")
    (incident,) = engine.incidents()
    assert incident.kind == "CALLED_ELEMENT_ERROR"
    assert str(MAX_DEPTH) in incident.message


def test_what_is_called_is_fixed_when_the_caller_starts(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task()), ("a", call())))})
    case = engine.start("P")
    started = next(event for event in engine.journal(case) if event.kind == "InstanceStarted")
    assert list(started.payload["bindings"]) == ["child"]
    engine.deploy({"child.bpmn": draw(line(("v", task("v"))), process_id="child")})
    engine.complete(open_task(engine, case).key, by="anna")
    (child,) = engine.children(case)
    assert child.version == 1
    assert engine.start("P") != case


def test_bindings_by_deployment_and_version_tag(engine: Engine) -> None:
    tagged = draw(line(("w", task("w")), process_properties=z("versionTag", value="v9")), process_id="child")
    engine.deploy({"child.bpmn": tagged})
    engine.deploy({"child.bpmn": CHILD + b"<!-- newest -->"})
    by_tag = draw(line(("a", call(bindingType="versionTag", versionTag="v9"))), process_id="tagged")
    with_it = draw(line(("a", call(bindingType="deployment"))), process_id="together")
    engine.deploy({"tagged.bpmn": by_tag})
    engine.deploy({"together.bpmn": with_it, "child.bpmn": CHILD})
    engine.deploy({"child.bpmn": CHILD + b"<!-- newer still -->"})
    (child,) = engine.children(engine.start("tagged"))
    assert open_task(engine, child.key).element_id == "w"
    (child,) = engine.children(engine.start("together"))
    assert child.version == 4


def test_suspending_the_caller_locks_the_called(engine: Engine) -> None:
    case = engine.start("P")
    (child,) = engine.children(case)
    engine.suspend(case, by="root", reason="核查")
    assert open_task(engine, child.key).suspended_reason == "核查"
    assert engine.instance(child.key).suspended_reason == "核查"
    assert engine.instance(case).state == "ACTIVE"


def test_a_process_that_calls_itself_twice_stops_before_it_doubles_for_ever(engine: Engine) -> None:
    call_again = ext(z("calledElement", processId="P"))
    body = element("startEvent", "s") + element("callActivity", "a", call_again) + element("callActivity", "b", call_again)
    engine.deploy({"p.bpmn": draw(body + flow("s", "a") + flow("s", "b"))})
    case = engine.start("P")
    incidents = engine.incidents()
    assert {i.kind for i in incidents} == {"CALLED_ELEMENT_ERROR"}
    assert len({i.process_instance_key for i in incidents}) <= MAX_RECURSIVE
    engine.cancel(case, reason="a loop")
    assert engine.incidents() == ()
