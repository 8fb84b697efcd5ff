"""What happens around a case: restarts at every step, several threads and engines, new versions, people, and tampering."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, jobs
from engine.clock import TurnedClock
from engine.errors import Conflict, DeploymentRefused, LiuzhuanError, NotFound
from tests.unit.facade.conformance import NOW, Player, catch, draw, engine_with, net, sub
from tests.unit.kernel.drawing import boundary, each, element, event, ext, message, props, script, start, timer, user, z

HOUR = timedelta(hours=1)
LATE = boundary("b", "t1", timer("PT1H"), interrupting=False)


def refused(command: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    with pytest.raises(LiuzhuanError):
        command(*args, **kwargs)


def turn(engine: Engine, by: timedelta = HOUR) -> None:
    assert isinstance(engine.clock, TurnedClock)
    engine.clock.advance(by)
    engine.run_due()


def open_elements(engine: Engine, case: int | None = None) -> list[str]:
    return sorted(task.element_id for task in engine.tasks(instance=case))


# --- restarts and concurrency


def test_the_engine_is_opened_anew_at_every_step(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cases.db"
    inner = (
        LATE
        + user("t9", inner=each("[1,2]", "i", collect="out", result="r"))
        + sub("u", net("s1 > t3 > e1"))
        + catch("c", event("message", "m"))
    )
    body = net("s > p > t1 > o > u > c > x", "p > t2 > o", "b > t8 > e8", "x > t9 > e", more=inner)
    engine = engine_with(draw(body, message("m", "m")), url=url)
    key = engine.start("P")
    engine.close()
    now = NOW
    script_ = "turn PT1H|do t1|do t2|open t3 t8|do t3|send m k q=1|open t8 t9 t9|do t9 r=5|do t8|do t9 r=6|ended|vars out=[5,6]"
    for line in script_.split("|"):
        with Engine.open(url, clock=TurnedClock(now)) as engine:
            player = Player(engine)
            player.key = key
            player.line(line)
            now = engine.clock.now()
            assert engine.verify().ok


def test_of_many_completions_one_counts(tmp_path: Path) -> None:
    engine = engine_with(draw(net("s > t1 > t2 > e", "b > t3 > e2", more=LATE)), url=f"sqlite:///{tmp_path}/cases.db")
    case = engine.start("P")
    (task,) = engine.tasks(instance=case)
    won: list[int] = []

    def complete(number: int) -> None:
        try:
            engine.complete(task.key, {"winner": number}, by=f"user-{number}")
        except LiuzhuanError:
            return
        won.append(number)

    together([lambda number=number: complete(number) for number in range(4)])  # type: ignore[misc]  # mypy: lambda defaults
    assert won == [engine.variables(case)["winner"]]
    assert open_elements(engine, case) == ["t2"]
    engine.close()


def test_two_engines_fire_each_timer_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cases.db"
    with engine_with(draw(net("s > c > t1 > e", more=catch("c", timer("PT1H")))), url=url) as engine:
        cases = [engine.start("P") for _ in range(10)]
    engines = [Engine.open(url, clock=NOW + HOUR) for _ in range(2)]
    together([lambda engine=engine: engine.run_due() for engine in engines])  # type: ignore[misc]  # mypy: lambda defaults
    for case in cases:
        assert sum(event.kind == "TimerFired" for event in engines[0].journal(case)) == 1
        assert open_elements(engines[0], case) == ["t1"]
    for engine in engines:
        engine.close()


def together(acts: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- versions


def test_running_cases_keep_their_version() -> None:
    engine = engine_with(draw(net("s > t1 > t2 > e")))
    old = engine.start("P")
    newer = {"f0.bpmn": draw(net("s > t1 > t3 > e"))}
    engine.deploy(newer)
    engine.deploy(newer)  # the same content is no new version
    cases = [old, engine.start("P"), engine.start("P", version=1)]
    for case in cases:
        engine.complete(engine.tasks(instance=case)[0].key)
    assert [open_elements(engine, case) for case in cases] == [["t2"], ["t3"], ["t2"]]
    assert [engine.instance(case).version for case in cases] == [1, 2, 1]
    with pytest.raises(DeploymentRefused):
        engine.deploy({"f0.bpmn": b"<x/>"})
    with pytest.raises(NotFound):
        engine.start("P", version=3)


def test_a_new_version_takes_the_start_events_over() -> None:
    def model(name: str, start_event: str) -> bytes:
        return draw(net(f"s > {name} > e", more=start("s", start_event)), message("m", "m", None))

    engine = engine_with(model("t1", event("message", "m")), model("t2", timer("R/PT1H", "timeCycle")))
    engine.publish("m")
    assert open_elements(engine) == []
    turn(engine)
    assert open_elements(engine) == ["t2"]
    engine.deploy({"f.bpmn": model("t3", "")})
    turn(engine, 5 * HOUR)
    assert open_elements(engine) == ["t2"]


@pytest.mark.parametrize(("binding", "runs"), [("latest", "t2"), ("deployment", "t1"), ("versionTag", "t1")])
def test_bindings_of_call_activities(binding: str, runs: str) -> None:
    def child(task: str, tag: str) -> bytes:
        return draw(ext(z("versionTag", value=tag)) + net(f"s > {task} > e"), process_id="C")

    tag = {"versionTag": "v1"} if binding == "versionTag" else {}
    called = ext(z("calledElement", processId="C", bindingType=binding, **tag))
    engine = Engine.open("sqlite://", clock=TurnedClock(NOW))
    engine.deploy({"c.bpmn": child("t1", "v1"), "p.bpmn": draw(net("s > c > e", more=element("callActivity", "c", called)))})
    engine.deploy({"c.bpmn": child("t2", "v2")})
    engine.start("P")
    assert open_elements(engine) == [runs]


def test_the_same_command_again_is_done_once() -> None:
    engine = engine_with(draw(net("s > t1 > t2 > e")))
    case = engine.start("P", {"x": 1}, by="program", idempotency_key="start")
    assert engine.start("P", {"x": 2}, by="program", idempotency_key="start") == case
    (task,) = engine.tasks(instance=case)
    for _ in range(2):
        engine.complete(task.key, by="program", idempotency_key="complete")
    assert open_elements(engine, case) == ["t2"]
    engine.publish("m", "k", message_id="once", ttl=HOUR)
    with pytest.raises(Conflict):
        engine.publish("m", "k", message_id="once", ttl=HOUR)


# --- people


OFFERED = z("assignmentDefinition", candidateGroups="g")


def office(*extensions: str, **variables: object) -> tuple[Engine, int, int]:
    """An engine with one open task, which is offered to the group of anna and ben, not of carl."""
    engine = engine_with(draw(net("s > t1 > e", more=user("t1", *(extensions or (OFFERED,))))))
    engine.add_group("g")
    engine.add_user("anna", groups=["g"], password="Anna-password-1")
    engine.add_user("ben", groups=["g"])
    engine.add_user("carl")
    case = engine.start("P", variables)
    (task,) = engine.tasks(instance=case)
    return engine, case, task.key


def test_who_may_claim_and_complete() -> None:
    engine, _, task = office()
    refused(engine.claim, task, by="carl")
    engine.claim(task, by="anna")
    for act in (engine.claim, engine.unclaim, engine.complete):
        refused(act, task, by="ben")
    engine.complete(task, by="anna")
    for act in (engine.claim, engine.complete):
        refused(act, task, by="anna")


def test_the_excluded_never_get_it() -> None:
    engine, _, task = office(OFFERED, props(excludedUsers="=[applicant]"), applicant="anna")
    engine.substitute("ben", by="anna", starts_at=NOW, ends_at=NOW + HOUR)
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + HOUR)
    for name in ("anna", "carl"):
        refused(engine.claim, task, by=name)
        refused(engine.complete, task, by=name)
    refused(engine.complete, task, by="anna", on_behalf_of="ben")
    refused(engine.assign, task, "anna", by="admin")
    assert not engine.may_work(task, "anna")
    assert engine.tasks(for_user="anna") == ()
    engine.complete(task, by="ben")


def test_the_model_cannot_assign_the_excluded_either() -> None:
    assigned = z("assignmentDefinition", assignee="anna", candidateGroups="g")
    engine, case, task = office(assigned, props(excludedUsers='=["anna"]'))
    assert engine.tasks(instance=case)[0].assignee is None
    engine.complete(task, by="ben")


def test_a_substitute_acts_for_the_absent_while_it_lasts() -> None:
    engine, case, task = office()
    later = engine.start("P")
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + HOUR)
    engine.complete(task, by="carl")
    (done,) = [event for event in engine.journal(case) if event.kind == "TaskCompleted"]
    assert (done.actor, done.on_behalf_of) == ("carl", "anna")
    turn(engine)
    refused(engine.complete, engine.tasks(instance=later)[0].key, by="carl")


def test_a_signature_is_the_persons_own_password() -> None:
    engine, _, task = office(OFFERED, props(signed="true"))
    for name, password in (("anna", None), ("anna", "wrong"), ("ben", "Anna-password-1")):
        refused(engine.complete, task, by=name, password=password)
    engine.complete(task, by="anna", password="Anna-password-1")


# --- tampering


def test_every_changed_or_missing_row_of_the_journal_is_found(tmp_path: Path) -> None:
    path, copy = tmp_path / "cases.db", tmp_path / "copy.db"
    more = script("n", "y", "x + 1") + LATE
    engine = engine_with(draw(net("s > t1 > n > e", "b > e2", more=more)), url=f"sqlite:///{path}")
    case = engine.start("P", {"x": 1, "big": "y" * 20_000}, by="anna")
    turn(engine)
    engine.complete(engine.tasks(instance=case)[0].key, {"z": 2}, by="ben")
    jobs.write_checkpoint(engine.context)
    assert engine.verify().ok
    engine.close()
    with sqlite3.connect(path) as database:
        columns = [row[1] for row in database.execute("pragma table_info(journal)")]
        rows = [row[0] for row in database.execute("select rowid from journal")]
    other = "case typeof({0}) when 'integer' then {0} + 100 when 'null' then 1 when 'blob' then x'00' else {0} || ' ' end"
    changes = [f"update journal set {c} = {other.format(c)} where rowid = {row}" for row in rows for c in columns]
    changes += [f"delete from journal where rowid = {row}" for row in rows]
    changes.append("update blob set content = x'00'")
    changes.append("update checkpoint set heads = heads + 1")
    for change in changes:
        shutil.copy(path, copy)
        with sqlite3.connect(copy) as database:
            database.execute(change)
        database.close()
        with Engine.open(f"sqlite:///{copy}", clock=NOW) as opened:
            assert not opened.verify().ok, change
