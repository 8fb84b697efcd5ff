"""Moving cases to another version, one and many: what people have in hand stays in hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine import Engine, commands, queries
from engine.commands import Change
from engine.errors import Conflict, InvalidValue, MigrationRefused, NotAllowed, NotFound
from engine.history import entries
from engine.history.events import InstanceMigrated
from engine.history.replay import frames, replay
from engine.store.cases import CaseFilter
from tests.unit.commands.office import form, kinds, line, office, open_task, task, turn
from tests.unit.kernel.drawing import (
    boundary,
    chain,
    draw,
    each,
    element,
    event,
    ext,
    flow,
    message,
    props,
    service,
    timer,
    user,
    z,
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with office() as opened:
        yield opened


def version(*parts: tuple[str, str], more: str = "", root: str = "", **properties: str) -> bytes:
    return draw(line(*parts, process_properties=props(**properties)) + more, root)


FORM = z("formDefinition", formId="f")
DUE = z("taskSchedule", dueDate='=now() + duration("P3D")', followUpDate='=now() + duration("P1D")')
FIRST = version(("t", task("t", FORM, DUE, z("priorityDefinition", priority="70"), name="初审")))
SECOND = version(("t", task("t", z("formDefinition", formId="g"), name="复审", group="chair")), ("u", task("u")))


def deploy(engine: Engine, content: bytes, **forms: bytes) -> int:
    engine.deploy({"P.bpmn": content, **{f"{name}.form": text for name, text in forms.items()}}, by="root")
    return max(item.key for item in queries.definitions(engine.context, "P"))


def test_what_people_have_in_hand_stays(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f", {"type": "textfield", "key": "x"}))
    case = engine.start("P")
    before = open_task(engine, case)
    engine.claim(before.key, by="anna")
    engine.save_draft(before.key, {"x": "写了一半"}, by="anna")
    deploy(engine, SECOND, g=form("g", {"type": "textfield", "key": "x"}))
    turn(engine, hours=1)
    engine.migrate(case, by="root", reason="新规")
    after = open_task(engine, case)
    for name in ("key", "candidate_groups", "due_at", "follow_up_at", "priority", "created_at"):
        assert getattr(after, name) == getattr(before, name)
    assert (after.assignee, after.has_draft) == ("anna", True)
    assert (after.name, after.form_id) == ("复审", "g")
    assert engine.instance(case).version == 2
    engine.complete(after.key, {"x": "好"}, by="anna")
    assert open_task(engine, case).element_id == "u"


def test_the_journal_says_who_moved_it_where_and_why(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f"))
    case = engine.start("P")
    deploy(engine, version(("v", task("v", name="新")), subject="=x"))
    engine.migrate(case, mapping={"t": "v"}, by="root", reason="合并环节")
    with engine.context.store.read() as reading:
        journal = list(entries(reading, case))
    last = journal[-1]
    migrated = last.events[0]
    assert (last.actor, last.command) == ("root", "migrate_instance")
    assert isinstance(migrated, InstanceMigrated)
    assert (migrated.from_version, migrated.version, migrated.reason, migrated.mappings) == (1, 2, "合并环节", {"t": "v"})
    before, after = replay(case, journal, until=last.seq - 1), replay(case, journal)
    assert [(t.element_id, t.name) for t in before.open_tasks] == [("t", "初审")]
    assert [(t.element_id, t.name) for t in after.open_tasks] == [("v", "新")]
    assert (before.version, after.version) == (1, 2)
    assert {e.element_id for e in after.active} == {"P", "v"}
    assert after.counts["t"].active == 0
    shown = list(frames(case, journal))
    assert [frame.definition_key for frame in shown[-2:]] == [migrated.from_definition_key, migrated.definition_key]
    assert engine.verify().ok


def test_an_evidence_pack_holds_every_definition_the_case_went_through(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f", {"type": "textfield", "key": "x"}))
    case = engine.start("P")
    deploy(engine, SECOND, g=form("g", {"type": "textfield", "key": "y"}))
    engine.migrate(case, by="root", reason="新规定")
    with zipfile.ZipFile(io.BytesIO(engine.export(case))) as pack:
        contents = {pack.read(name) for name in pack.namelist() if name.startswith("blobs/")}
    assert {FIRST, SECOND} <= contents


def test_timers_messages_jobs_incidents_and_calls_follow_their_elements(engine: Engine) -> None:
    def content(suffix: str, new: str = "") -> bytes:
        t, w, c = f"t{suffix}", f"w{suffix}", f"c{suffix}"
        body = line((t, task(t) + boundary(f"b{suffix}", t, timer("P2D")) + boundary(f"m{suffix}", t, event("message", "M"))))
        body += (
            service(w)
            + element("callActivity", c, ext(z("calledElement", processId="Q")))
            + element("exclusiveGateway", f"x{suffix}")
        )
        body += "".join(flow("s", one) for one in (w, c, f"x{suffix}")) + flow(w, "e") + flow(c, "e")
        body += flow(f"x{suffix}", "e", "ok = true") + flow(f"b{suffix}", "e") + flow(f"m{suffix}", "e") + new
        return draw(body, message("M", "hello"))

    engine.deploy({"Q.bpmn": draw(line(("q", task("q"))), process_id="Q")}, by="root")
    deploy(engine, content(""))
    case = engine.start("P")
    due = engine.next_due()
    child = engine.children(case)[0].key
    deploy(engine, content("2"))
    mapping: dict[str, str | None] = {one: f"{one}2" for one in ("t", "b", "m", "w", "c", "x")}
    engine.migrate(case, mapping=mapping, by="root", reason="改名")
    assert engine.next_due() == due
    assert [offer.element_id for offer in engine.subscriptions(case)] == ["m2"]
    assert [incident.element_id for incident in engine.incidents(case)] == ["x2"]
    (job,) = engine.activate_jobs("work", "me")
    assert job.element_id == "w2"
    engine.complete_job(job.key)
    engine.resolve_incident(engine.incidents(case)[0].key, by="root", variables={"ok": True})
    engine.complete(open_task(engine, child).key, by="anna")
    turn(engine, days=2)
    assert engine.instance(case).state == "COMPLETED"
    assert engine.verify().ok


def test_to_another_process_and_the_inbox_follows(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f"))
    case = engine.start("P")
    engine.deploy({"Q.bpmn": draw(line(("t", task("t"))), process_id="Q")}, by="root")
    engine.migrate(case, process_id="Q", by="root", reason="并入新流程")
    found = open_task(engine, case)
    assert (found.bpmn_process_id, engine.instance(case).bpmn_process_id) == ("Q", "Q")
    engine.complete(found.key, by="anna")
    assert engine.instance(case).state == "COMPLETED"


def test_calls_go_to_what_is_newest_at_the_migration(engine: Engine) -> None:
    called = element("callActivity", "c", ext(z("calledElement", processId="Q")))
    engine.deploy({"Q.bpmn": draw(line(("q", task("q"))), process_id="Q")}, by="root")
    deploy(engine, version(("t", task("t")), ("c", called)))
    case = engine.start("P")
    engine.deploy({"Q.bpmn": draw(line(("q2", task("q2"))), process_id="Q")}, by="root")
    deploy(engine, version(("t", task("t")), ("c", called), ("u", task("u"))))
    engine.migrate(case, by="root", reason="新版")
    engine.complete(open_task(engine, case).key, by="anna")
    assert open_task(engine, engine.children(case)[0].key).element_id == "q2"


def test_a_preview_changes_nothing_and_says_everything(engine: Engine) -> None:
    late = boundary("b", "t", timer("P2D"))
    deploy(engine, version(("t", task("t") + late), more=flow("b", "e")))
    case = engine.start("P")
    engine.claim(open_task(engine, case).key, by="anna")
    deploy(engine, version(("t", task("t", name="乙") + late), more=flow("b", "e")))
    before = kinds(engine, case)
    found = engine.preview_migration(case)
    moves = {move.element_id: move for move in found.plan.moves}
    assert (moves["t"].waits, moves["t"].target_name) == ("task", "乙")
    assert found.tasks[moves["t"].key].assignee == "anna"
    assert found.due[moves["b"].key] == engine.next_due()
    assert kinds(engine, case) == before
    assert engine.instance(case).version == 1


def test_what_cannot_be_moved_is_refused_and_changes_nothing(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f"))
    case = engine.start("P")
    second = deploy(engine, version(("u", task("u"))))
    before = kinds(engine, case)
    with pytest.raises(MigrationRefused) as refused:
        engine.migrate(case, by="root", reason="新版")
    assert [(o.element_id, o.element_name) for o in refused.value.obstacles] == [("t", "初审")]
    assert [o.message for o in engine.preview_migration(case).plan.obstacles] == [refused.value.obstacles[0].message]
    for reason, by, error in ((" ", "root", InvalidValue), ("x", "anna", NotAllowed)):
        with pytest.raises(error):
            commands.migrate_instance(engine.context, case, second, by, reason)
    with pytest.raises(Conflict):
        engine.migrate(case, 1, by="root", reason="x")
    with pytest.raises(NotFound):
        engine.migrate(case, 9, by="root", reason="x")
    assert kinds(engine, case) == before
    assert engine.instance(case).version == 1


# --- many


def test_many_are_moved_each_by_itself_and_failures_are_listed(engine: Engine) -> None:
    both = version(("t", task("t")), ("u", task("u")))
    first = deploy(engine, both)
    cases = [engine.start("P", business_id=f"C-{n}") for n in range(5)]
    engine.complete(open_task(engine, cases[1]).key, by="anna")
    engine.cancel(cases[2], by="root", reason="x")
    second = deploy(engine, version(("t", task("t"))))
    preview = engine.preview_migrations(first, second)
    assert (preview.cases, preview.possible) == (4, 3)
    rows = {row.element_id: row for row in preview.elements}
    assert (rows["t"].cases, rows["t"].refused, rows["u"].cases, rows["u"].refused) == (3, 0, 1, 1)
    assert rows["u"].choices == (("t", ""),)
    assert [instance.key for instance, _ in preview.refused] == [cases[1]]
    assert engine.preview_migrations(first, second, mapping={"u": "t"}).possible == 4
    batch = engine.change_many(
        Change("migrate", second), cases=CaseFilter(definition_key=first), by="root", reason="升级到第 2 版"
    )
    assert (batch.total, batch.done, batch.failed, batch.waiting) == (4, 3, 1, 0)
    assert [(item.instance.key, "u" in (item.message or "")) for item in batch.failures] == [(cases[1], True)]
    assert [engine.instance(case).version for case in cases] == [2, 1, 1, 2, 2]
    again = engine.change_many(Change("migrate", second, {"u": "t"}), keys=[cases[1]], by="root", reason="升级到第 2 版")
    assert (again.done, engine.instance(cases[1]).version) == (1, 2)
    assert engine.journal(cases[1])[-1].actor == "root"
    assert engine.verify().ok


def test_many_wait_until_somebody_does_due_work(engine: Engine) -> None:
    first = deploy(engine, FIRST, f=form("f"))
    cases = [engine.start("P") for _ in range(3)]
    second = deploy(engine, SECOND, g=form("g"))
    key = commands.start_batch(engine.context, Change("migrate", second), "root", "新版", cases=CaseFilter(definition_key=first))
    engine.drain()  # what a person's request does: it does not do the others' thousands
    assert engine.batch(key).waiting == 3
    engine.cancel(cases[0], by="root", reason="x")
    engine.run_due()
    found = engine.batch(key)
    assert (found.waiting, found.done, found.failed) == (0, 2, 1)
    assert "已结束" in (found.failures[0].message or "")


def test_many_are_cancelled_suspended_and_resumed(engine: Engine) -> None:
    deploy(engine, FIRST, f=form("f"))
    cases = [engine.start("P", business_id=f"C-{n}") for n in range(3)]
    held = engine.change_many("suspend", cases=CaseFilter(bpmn_process_id="P"), by="root", reason="审计")
    assert held.done == 3
    assert engine.instance(cases[0]).suspended_reason == "审计"
    freed = engine.change_many("resume", cases=CaseFilter(state="suspended", search="C-1"), by="root", reason="结束")
    assert (freed.total, freed.done) == (1, 1)
    assert [engine.instance(case).suspended_reason for case in cases] == ["审计", None, "审计"]
    ended = engine.change_many("cancel", keys=cases, by="root", reason="作废")
    assert ended.done == 3
    assert {engine.instance(case).state for case in cases} == {"TERMINATED"}
    with pytest.raises(InvalidValue):
        engine.change_many("cancel", cases=CaseFilter(bpmn_process_id="P"), by="root", reason="再来")
    with pytest.raises(NotAllowed):
        engine.change_many("cancel", keys=cases, by="anna", reason="x")
    for kind, reason in (("explode", "x"), ("cancel", " ")):
        with pytest.raises(InvalidValue):
            engine.change_many(kind, keys=cases, by="root", reason=reason)


def test_many_incidents_are_tried_again(engine: Engine) -> None:
    deploy(engine, version(("w", service("w")), ("u", task("u"))))
    cases = [engine.start("P") for _ in range(3)]
    for job in engine.activate_jobs("work", "me", most=3):
        engine.fail_job(job.key, 0, "网络不通")
    other = engine.change_many(
        Change("retry", incident_kind="CONDITION_ERROR"), cases=CaseFilter(incident=True), by="root", reason="恢复"
    )
    assert (other.done, other.failed) == (0, 3)
    done = engine.change_many(Change("retry", element_id="w"), cases=CaseFilter(incident=True), by="root", reason="恢复")
    assert done.done == 3
    assert not engine.incidents()
    assert len(engine.activate_jobs("work", "me", most=9)) == 3
    assert all("IncidentCorrected" in kinds(engine, case) for case in cases)


# --- suspended: what comes waits


def test_timers_that_fall_due_while_suspended_fire_at_resume(engine: Engine) -> None:
    late = boundary("b", "t", timer("PT1H"), interrupting=False)
    deploy(engine, version(("t", task("t") + late), more=user("x") + chain("b", "x")))
    case = engine.start("P")
    due = engine.next_due()
    engine.suspend(case, by="root", reason="审计")
    turn(engine, hours=5)
    assert [found.element_id for found in engine.tasks(instance=case)] == ["t"]
    assert engine.next_due() is None
    engine.resume(case, by="root", reason="完")
    assert engine.next_due() == due
    engine.run_due()
    assert {found.element_id for found in engine.tasks(instance=case)} == {"t", "x"}
    fired = next(item for item in engine.journal(case) if item.kind == "TimerFired")
    assert fired.payload["due_at"] == due.isoformat()
    assert fired.at - due == timedelta(hours=4)


def test_messages_and_signals_wait_until_the_case_is_resumed(engine: Engine) -> None:
    events = boundary("m", "t", event("message", "M"), interrupting=False) + boundary(
        "g", "t", event("signal", "S"), interrupting=False
    )
    more = user("x") + user("y") + chain("m", "x") + chain("g", "y")
    deploy(engine, version(("t", task("t") + events), more=more, root=message("M", "hello") + '<b:signal id="S" name="alarm"/>'))
    case = engine.start("P")
    engine.suspend(case, by="root", reason="审计")
    engine.publish("hello", "k", {"n": 1})
    engine.broadcast("alarm")
    assert [found.element_id for found in engine.tasks(instance=case)] == ["t"]
    with pytest.raises(Conflict):
        engine.trigger(engine.subscriptions(case)[0].key, by="anna")
    engine.resume(case, by="root")
    assert {found.element_id for found in engine.tasks(instance=case)} == {"t", "x", "y"}
    assert engine.variables(case)["n"] == 1


def test_what_a_suspended_caller_called_waits_too(engine: Engine) -> None:
    late = boundary("b", "q", timer("PT1H"))
    engine.deploy({"Q.bpmn": draw(line(("q", task("q") + late)) + flow("b", "e"), process_id="Q")}, by="root")
    deploy(engine, version(("c", element("callActivity", "c", ext(z("calledElement", processId="Q"))))))
    case = engine.start("P")
    engine.suspend(case, by="root", reason="审计")
    turn(engine, hours=2)
    assert engine.instance(engine.children(case)[0].key).state == "ACTIVE"
    engine.resume(case, by="root")
    engine.run_due()
    assert engine.instance(case).state == "COMPLETED"


# --- modifying


def test_a_modification_is_previewed_and_then_done(engine: Engine) -> None:
    deploy(engine, version(("t", task("t")), ("m", task("m", inner=each("[1,2]", "i"))), ("u", task("u"))))
    case = engine.start("P")
    before = kinds(engine, case)
    effect = commands.preview_modification(engine.context, case, "root", activate=["u"], terminate=["t"])
    assert [type(change).__name__ for change in effect if "Task" in type(change).__name__] == ["TaskCancelled", "TaskCreated"]
    assert kinds(engine, case) == before
    engine.modify(case, activate=["u"], terminate=["t"], by="root", reason="跳过")
    assert open_task(engine, case).element_id == "u"
    assert engine.journal(case)[-1].command == "modify_instance"
    with pytest.raises(InvalidValue):
        engine.modify(case, by="root", reason="什么也不做")
    with pytest.raises(NotAllowed):
        commands.preview_modification(engine.context, case, "anna", activate=["u"])
