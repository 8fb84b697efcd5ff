"""Workers: locks, races, retries, errors, what the journal says of them, and how jobs are found."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from engine import Engine, history
from engine.commands import jobs
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import JobActivated, JobRetriesSet, JobTimeoutSet
from engine.store.tables import job as job_table
from tests.unit.commands.office import NOW, kinds, line, office, open_task, task, turn
from tests.unit.kernel.drawing import boundary, draw, event, flow, service

MINUTE = timedelta(minutes=1)
ONE_JOB = draw(line(("w", service("w"))))


@pytest.fixture
def engine() -> Engine:
    engine = office()
    engine.deploy({"p.bpmn": ONE_JOB})
    return engine


def row(engine: Engine, key: int) -> object:
    with engine.context.store.read() as reading:
        found = reading.one(job_table.select().where(job_table.c.key == key))
    assert found is not None
    return found


def test_a_worker_that_died_loses_nothing(engine: Engine) -> None:
    case = engine.start("P")
    (first,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    turn(engine, seconds=59)
    assert engine.activate_jobs("work", "w2") == []
    turn(engine, seconds=1)
    (second,) = engine.activate_jobs("work", "w2", timeout=MINUTE)
    assert (second.key, second.worker, second.locked_until, second.retries) == (first.key, "w2", NOW + 2 * MINUTE, 3)
    engine.complete_job(second.key)
    assert engine.instance(case).state == "COMPLETED"


def test_whoever_says_so_first_completes_a_job_as_in_camunda(engine: Engine) -> None:
    case = engine.start("P")
    (late,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    turn(engine, minutes=2)
    (other,) = engine.activate_jobs("work", "w2", timeout=MINUTE)
    engine.complete_job(late.key, {"by": "w1"})
    assert engine.variables(case) == {"by": "w1"}
    with pytest.raises(NotFound):
        engine.complete_job(other.key, {"by": "w2"})


def test_the_journal_says_who_took_what(engine: Engine) -> None:
    case = engine.start("P")
    (taken,) = jobs.take_jobs(engine.context, "work", "w1", 5, MINUTE, "root")
    with engine.context.store.read() as reading:
        entry = history.entries(reading, case)[-1]
    assert (entry.command, entry.actor) == ("activate_jobs", "root")
    assert entry.events == (JobActivated(taken.key, "w", "w1", NOW + MINUTE),)
    assert engine.verify().ok


def test_a_bpmn_error_that_nobody_catches_is_held_until_somebody_resolves_it(engine: Engine) -> None:
    case = engine.start("P")
    (taken,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    engine.throw_error(taken.key, "BAD", "no good")
    turn(engine, minutes=5)
    assert engine.activate_jobs("work", "w1") == []
    with pytest.raises(Conflict):
        engine.fail_job(taken.key)
    with pytest.raises(Conflict):
        engine.throw_error(taken.key, "BAD")
    engine.resolve_incident(engine.incidents(case)[0].key, by="root")
    (again,) = engine.activate_jobs("work", "w1")
    assert (again.key, again.retries) == (taken.key, 3)


def test_a_bpmn_error_that_a_boundary_event_catches_ends_the_job() -> None:
    engine = office()
    body = line(("w", service("w"))) + boundary("b", "w", event("error", "E")) + task() + flow("b", "t")
    engine.deploy({"p.bpmn": draw(body, '<b:error id="E" errorCode="BAD"/>')})
    case = engine.start("P")
    (taken,) = engine.activate_jobs("work", "w1")
    jobs.throw_job_error(engine.context, taken.key, "BAD", "no good", {"why": "x"}, "root")
    assert open_task(engine, case).element_id == "t"
    assert "JobCancelled" in kinds(engine, case)


def test_an_update_gives_retries_and_time_without_taking_the_job_away(engine: Engine) -> None:
    case = engine.start("P")
    (taken,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    jobs.update_job(engine.context, taken.key, retries=7, timeout=10 * MINUTE, by="root")
    turn(engine, minutes=9)
    assert engine.activate_jobs("work", "w2") == []
    turn(engine, minutes=1)
    (again,) = engine.activate_jobs("work", "w2")
    assert again.retries == 7
    with engine.context.store.read() as reading:
        told = [event for entry in history.entries(reading, case) for event in entry.events]
    assert JobTimeoutSet(taken.key, "w", NOW + 10 * MINUTE) in told
    assert JobRetriesSet(taken.key, "w", 7) in told


def test_retries_given_to_a_job_with_an_incident_count_once_it_is_resolved(engine: Engine) -> None:
    case = engine.start("P")
    (taken,) = engine.activate_jobs("work", "w1")
    engine.fail_job(taken.key, 0, "down")
    jobs.update_job(engine.context, taken.key, retries=4)
    assert engine.activate_jobs("work", "w1") == []
    engine.resolve_incident(engine.incidents(case)[0].key, by="root")
    (again,) = engine.activate_jobs("work", "w1")
    assert again.retries == 4


def test_updates_that_make_no_sense_are_refused(engine: Engine) -> None:
    engine.start("P")
    with pytest.raises(NotFound):
        jobs.update_job(engine.context, 1, retries=1)
    (taken,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    for given in ({}, {"retries": 0}, {"timeout": timedelta(0)}):
        with pytest.raises(InvalidValue):
            jobs.update_job(engine.context, taken.key, **given)  # type: ignore[arg-type]
    turn(engine, minutes=1)
    with pytest.raises(Conflict):
        jobs.update_job(engine.context, taken.key, timeout=MINUTE)
    with pytest.raises(InvalidValue):
        engine.fail_job(taken.key, back_off=timedelta(seconds=-1))


def test_jobs_of_other_processes_are_not_for_a_confined_worker(engine: Engine) -> None:
    engine.start("P")
    assert not jobs.are_offered(engine.context, "work", {"other"})
    assert jobs.take_jobs(engine.context, "work", "w", 5, MINUTE, processes={"other"}) == []
    assert jobs.are_offered(engine.context, "work", {"other", "P"})
    assert len(jobs.take_jobs(engine.context, "work", "w", 5, MINUTE, processes={"other", "P"})) == 1
    assert not jobs.are_offered(engine.context, "work")


def test_several_jobs_of_one_case_are_taken_together() -> None:
    engine = office()
    body = line(("w", service("w"))) + service("x") + flow("s", "x")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    taken = engine.activate_jobs("work", "w1", most=5)
    assert {item.element_id for item in taken} == {"w", "x"}
    assert kinds(engine, case)[-2:] == ["JobActivated", "JobActivated"]
    for item in taken:
        engine.complete_job(item.key)
    assert engine.instance(case).state == "COMPLETED"


@pytest.mark.parametrize("engines", [1, 2])
def test_no_two_activations_get_the_same_job(tmp_path: Path, engines: int) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    opened = [office(url)]
    opened += [Engine.open(url, clock=NOW) for _ in range(engines - 1)]
    opened[0].deploy({"p.bpmn": ONE_JOB})
    cases = [opened[0].start("P") for _ in range(60)]
    got: list[list[int]] = [[] for _ in range(6)]
    begin = threading.Barrier(len(got))

    def work(number: int) -> None:
        begin.wait()
        while found := opened[number % engines].activate_jobs("work", f"w{number}", most=4):
            got[number] += [item.process_instance_key for item in found]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(got))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(key for keys in got for key in keys) == Counter(cases)
    for engine in opened:
        engine.close()


def test_jobs_are_found_by_the_index_however_many_are_locked(engine: Engine) -> None:
    text = str(jobs._ACTIVATABLE.compile(dialect=sqlite.dialect()))
    with engine.context.store.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("work", 0, 0, 0, 1, 0)).fetchall()
    assert "SEARCH job USING INDEX ix_job_type_due_at (type=? AND due_at<?)" in str(plan)
    engine.start("P")
    (taken,) = engine.activate_jobs("work", "w1", timeout=MINUTE)
    assert row(engine, taken.key).due_at == NOW + MINUTE  # type: ignore[attr-defined]  # out of the index's way
