"""Jobs of workers, timers, incidents, corrections."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine, commands
from engine.clock import TurnedClock
from engine.errors import Conflict, InvalidValue, NotFound
from tests.unit.commands.office import NOW, kinds, line, office, one_task, open_task, task, turn
from tests.unit.kernel.drawing import boundary, draw, end, event, flow, io, service, timer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine() -> Engine:
    return office()


# --- jobs


def test_a_worker_takes_completes_and_the_case_goes_on(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("w", service("w", io({"local": "=x * 2"}))), ("t", task())))})
    case = engine.start("P", {"x": 21})
    (job,) = engine.activate_jobs("work", "w1", most=5)
    assert (job.variables["x"], job.variables["local"], job.process_instance_key, job.retries) == (21, 42, case, 3)
    assert engine.activate_jobs("work", "w2") == []
    engine.complete_job(job.key, {"y": 1})
    assert engine.variables(case) == {"x": 21, "y": 1}
    with pytest.raises(NotFound):
        engine.complete_job(job.key)


def test_a_job_of_a_worker_that_died_is_offered_again(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("w", service("w"))))})
    engine.start("P")
    (job,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    turn(engine, minutes=1)
    (again,) = engine.activate_jobs("work", "w2")
    assert again.key == job.key


def test_failures_are_tried_again_after_the_back_off_until_an_incident(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("w", service("w"))))})
    case = engine.start("P")
    (job,) = engine.activate_jobs("work", "w1")
    engine.fail_job(job.key, message="down", back_off=MINUTE)
    assert engine.activate_jobs("work", "w1") == []
    turn(engine, minutes=1)
    (again,) = engine.activate_jobs("work", "w1")
    assert again.retries == 2
    engine.fail_job(job.key, retries=0, message="still down")
    (incident,) = engine.incidents(case)
    assert (incident.kind, incident.message) == ("JOB_NO_RETRIES", "still down")
    assert engine.activate_jobs("work", "w1") == []
    engine.resolve_incident(incident.key, by="root")
    assert engine.incidents(case) == ()
    (third,) = engine.activate_jobs("work", "w1")
    engine.complete_job(third.key)
    assert engine.instance(case).state == "COMPLETED"


def test_a_bpmn_error_of_a_worker_is_caught(engine: Engine) -> None:
    body = line(("w", service("w"))) + boundary("b", "w", event("error", "E")) + task() + flow("b", "t")
    engine.deploy({"p.bpmn": draw(body, '<b:error id="E" errorCode="BAD"/>')})
    case = engine.start("P")
    (job,) = engine.activate_jobs("work", "w1")
    engine.throw_error(job.key, "BAD", "no good", {"why": "x"})
    assert open_task(engine, case).element_id == "t"
    other = engine.start("P")
    (job,) = engine.activate_jobs("work", "w1")
    engine.throw_error(job.key, "OTHER")
    assert engine.incidents(other)[0].kind == "UNHANDLED_ERROR_EVENT"


def test_nonsense_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidValue):
        engine.activate_jobs("work", "w", most=0)
    with pytest.raises(NotFound):
        engine.fail_job(1)
    with pytest.raises(NotFound):
        engine.resolve_incident(1)


# --- timers


def test_a_timer_fires_once_with_due_and_actual_time(engine: Engine) -> None:
    body = line(("t", task())) + boundary("b", "t", timer("PT1H"), interrupting=False) + end("x") + flow("b", "x")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    assert engine.next_due() == NOW + timedelta(hours=1)
    turn(engine, hours=3)
    turn(engine, hours=3)
    (fired,) = [event for event in engine.journal(case) if event.kind == "TimerFired"]
    assert (fired.payload["due_at"], fired.at) == ((NOW + timedelta(hours=1)).isoformat(), NOW + timedelta(hours=3))


def test_firing_what_is_gone_or_not_due_does_nothing(engine: Engine) -> None:
    body = line(("t", task())) + boundary("b", "t", timer("PT1H")) + end("x") + flow("b", "x")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    armed = next(event for event in engine.journal(case) if event.kind == "TimerArmed").payload["key"]
    assert not commands.fire_timer(engine.context, armed)
    clock = engine.clock
    assert isinstance(clock, TurnedClock)
    clock.advance(timedelta(hours=1))
    assert commands.fire_timer(engine.context, armed)
    assert not commands.fire_timer(engine.context, armed)
    assert engine.instance(case).state == "COMPLETED"


def test_a_completed_task_disarms_its_timer(engine: Engine) -> None:
    body = line(("t", task())) + boundary("b", "t", timer("PT1H")) + end("x") + flow("b", "x")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    engine.complete(open_task(engine, case).key, by="anna")
    assert engine.next_due() is None


# --- cases


def test_cancelling_needs_a_reason_and_ends_everything(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    case = engine.start("P")
    with pytest.raises(InvalidValue):
        engine.cancel(case, by="root", reason=" ")
    engine.cancel(case, by="root", reason="重复")
    assert engine.instance(case).state == "TERMINATED"
    assert engine.tasks() == ()
    assert "Cancelled" in kinds(engine, case)
    with pytest.raises(Conflict):
        engine.cancel(case, by="root", reason="again")
    with pytest.raises(Conflict):
        engine.set_variables(case, {"x": 1})


def test_variables_are_corrected_and_a_case_is_moved_with_a_reason(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task()), ("u", task("u"))))})
    case = engine.start("P", {"x": 1})
    engine.set_variables(case, {"x": 2}, by="root")
    assert engine.variables(case) == {"x": 2}
    at = open_task(engine, case)
    with pytest.raises(InvalidValue):
        commands.modify_instance(engine.context, case, "root", "", activate=["u"])
    commands.modify_instance(engine.context, case, "root", "跳过初审", activate=["u"], terminate=[at.key])
    assert open_task(engine, case).element_id == "u"
    (corrected,) = [event for event in engine.journal(case) if event.kind == "Corrected"]
    assert (corrected.actor, corrected.payload) == ("root", {"reason": "跳过初审"})


def test_large_values_are_stored_once(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    large = {"text": "字" * 50_000, "rows": list(range(5000))}
    case = engine.start("P", large)
    assert engine.variables(case) == large
    engine.complete(open_task(engine, case).key, {"text": "短"}, by="anna")
    assert engine.variables(case)["text"] == "短"
    assert engine.variables(case)["rows"] == large["rows"]
