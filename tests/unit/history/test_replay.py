"""Replay: the journal alone gives the state at any moment; what it gives at the end is what the live tables hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

from engine import history
from engine.commands import instances, people, tasks
from engine.errors import NotFound
from engine.history.export import Case, as_csv, read_case, xes
from engine.history.replay import frames, replay
from engine.history.state import Counts, State
from engine.store.tables import element_instance, timer, user_task
from engine.store.variables import by_scope
from tests.unit.jobs.cases import NOW, World, boundary, draw, end, flows, service, start, user

PROCESS = draw(
    "review",
    start(),
    user("check"),
    '<b:exclusiveGateway id="good" default="f-good-redo"/>',
    user("redo"),
    end(),
    boundary("late", "check", "R3/PT24H", "timeCycle"),
    service("tell", "notify", {"toGroups": '=["leadership"]', "kind": "overdue", "subject": '="逾期"'}),
    end("told"),
    flows("start", "check", "good", "redo", "check"),
    flows("late", "tell", "told"),
    '<b:sequenceFlow id="f-good-end" sourceRef="good" targetRef="end">'
    "<b:conditionExpression>=ok</b:conditionExpression></b:sequenceFlow>",
)


@pytest.fixture
def world() -> World:
    world = World()
    world.deploy(PROCESS)
    return world


@pytest.fixture
def played(world: World) -> tuple[World, int]:
    """Started, claimed, late twice, done with "not ok", redone by somebody else, open again."""
    key = world.start("review", {"title": "x"}, by="anna", business_id="R-1")
    claim_and_complete(world, "check", "anna", {"ok": False}, hours=49)
    claim_and_complete(world, "redo", "bo", {"title": "y"}, hours=1)
    return world, key


def claim_and_complete(world: World, element_id: str, who: str, variables: Mapping[str, Any], hours: float) -> None:
    (task,) = [row.key for row in world.rows(user_task) if row.state == "OPEN" and row.element_id == element_id]
    tasks.claim_task(world.ctx, task, who)
    world.turn(hours=hours)
    tasks.complete_task(world.ctx, task, variables, who)


def state(world: World, key: int, until: Any = None) -> State:
    return replay(key, world.entries(key), until)


def test_the_end_of_the_replay_is_what_the_live_tables_hold(played: tuple[World, int]) -> None:
    world, key = played
    replayed = state(world, key)
    with world.ctx.store.read() as reading:
        live = {
            row.key: row.element_id for row in reading.all(select(element_instance).where(element_instance.c.instance_key == key))
        }
        timers = {row.key: row.due_at for row in reading.all(select(timer))}
        assert {scope: names for scope, names in by_scope(reading, key).items() if names} == {
            scope: visible
            for scope, names in replayed.variables.items()
            if (visible := {n: v for n, v in names.items() if n[0] != "#"})
        }
    assert {element.key: element.element_id for element in replayed.active}.items() <= live.items()
    assert {timer.key: timer.due_at for timer in replayed.armed_timers} == timers
    assert [(task.element_id, task.state) for task in replayed.tasks.values()] == [
        ("check", "COMPLETED"),
        ("redo", "COMPLETED"),
        ("check", "OPEN"),
    ]


def test_who_did_what_when(played: tuple[World, int]) -> None:
    world, key = played
    replayed = state(world, key)
    assert (replayed.bpmn_process_id, replayed.version, replayed.business_id, replayed.status) == ("review", 1, "R-1", "ACTIVE")
    check, redo, again = replayed.tasks.values()
    assert (check.completed_by, check.ended_at) == ("anna", NOW + timedelta(hours=49))
    assert (redo.assignee, redo.completed_by) == ("bo", "bo")
    assert (again.assignee, again.candidate_groups) == (None, ("office",))
    assert [alert.due_at for alert in replayed.alerts] == [NOW + timedelta(hours=24)]
    assert {(alert.raised_at, alert.recipients) for alert in replayed.alerts} == {(NOW + timedelta(hours=49), ("bo",))}
    assert replayed.counts["check"] == Counts(active=1, completed=1)
    assert replayed.flows["f-redo-check"] == 1
    assert replayed.variables[key]["title"] == "y"


def test_any_moment_between(played: tuple[World, int]) -> None:
    world, key = played
    entries = world.entries(key)
    first = state(world, key, until=1)
    assert (first.seq, [task.assignee for task in first.open_tasks]) == (1, [None])
    claimed = state(world, key, until=NOW + timedelta(hours=1))
    assert [task.assignee for task in claimed.open_tasks] == ["anna"]
    assert claimed.variables[key]["title"] == "x"
    before = state(world, key, until=NOW - timedelta(seconds=1))
    assert (before.seq, before.elements) == (0, {})
    assert state(world, key, until=entries[-1].at).seq == entries[-1].seq


def test_frames_add_up_to_the_state(played: tuple[World, int]) -> None:
    world, key = played
    counts: dict[str, Counts] = {}
    flows_taken: dict[str, int] = {}
    for frame in frames(key, world.entries(key)):
        counts |= frame.counts
        flows_taken |= frame.flows
        assert counts == state(world, key, until=frame.entry.seq).counts
    replayed = state(world, key)
    assert (counts, flows_taken) == (replayed.counts, replayed.flows)


def test_suspension_and_the_end(world: World) -> None:
    from engine.commands import suspensions

    key = world.start("review", by="anna")
    suspensions.suspend_instance(world.ctx, key, "root", "等待")
    assert state(world, key).suspended == "等待"
    suspensions.resume_instance(world.ctx, key, "root")
    assert state(world, key).suspended is None
    instances.cancel_instance(world.ctx, key, "root", "不再需要")
    replayed = state(world, key)
    assert replayed.status == "TERMINATED"
    assert replayed.active == []
    assert replayed.armed_timers == []
    assert replayed.open_tasks == []
    assert [list(frames(key, world.entries(key)))[n].suspended for n in (-3, -2)] == ["等待", None]


def test_a_substitute_stands_in_the_history(world: World) -> None:
    from engine.commands import substitutions

    people.add_user(world.ctx, "eve", "伊芙")
    substitutions.add_substitution(world.ctx, "anna", "eve", NOW, NOW + timedelta(days=9), by="anna")
    key = world.start("review", by="bo")
    (task,) = [row.key for row in world.rows(user_task)]
    tasks.claim_task(world.ctx, task, "eve")
    tasks.complete_task(world.ctx, task, {"ok": True}, "eve")
    done = state(world, key).tasks[task]
    assert (done.completed_by, done.on_behalf_of) == ("eve", "anna")


# --- exports --------------------------------------------------------------------------------------------------------


def exported(world: World, key: int) -> Case:
    with world.ctx.store.read() as reading:
        case = read_case(reading, world.ctx.library, key)
    assert (case.bpmn_process_id, case.version, case.business_id) == ("review", 1, "R-1")
    return replace(case, business_id="=R-1", names={"check": "审查 & <核对>\x00"})


def test_no_such_case_to_export(world: World) -> None:
    with world.ctx.store.read() as reading, pytest.raises(NotFound):
        read_case(reading, world.ctx.library, 1)


def test_xes(played: tuple[World, int]) -> None:
    world, key = played
    log = etree.fromstring(xes([exported(world, key)]).encode())
    space = {"x": "http://www.xes-standard.org/"}
    assert [item.get("prefix") for item in log.findall("x:extension", space)] == ["concept", "time", "lifecycle", "org"]
    (trace,) = log.findall("x:trace", space)
    events = [{item.get("key"): item.get("value") for item in found} for found in trace.findall("x:event", space)]
    check = [
        (found["lifecycle:transition"], found.get("org:resource")) for found in events if found["liuzhuan:elementId"] == "check"
    ]
    assert check[:2] == [("start", "anna"), ("schedule", "anna")]
    assert ("assign", "anna") in check
    assert any(found["concept:name"] == "审查 & <核对>" for found in events)
    assert events[0]["time:timestamp"] == "2026-09-24T01:00:00+00:00"


def test_csv(played: tuple[World, int]) -> None:
    world, key = played
    lines = list(csv.DictReader(io.StringIO(as_csv([exported(world, key)]))))
    assert len(lines) == len(world.events(key))
    assert {line["businessId"] for line in lines} == {"'=R-1"}, "a spreadsheet must not take it for a formula"
    claimed = next(line for line in lines if line["event"] == "TaskClaimed")
    assert (claimed["actor"], claimed["elementId"], claimed["details"]) == ("anna", "check", '{"assignee":"anna"}')


def test_nothing_to_export() -> None:
    assert as_csv([]).count("\n") == 1
    assert etree.fromstring(xes([]).encode()).get("xes.version") == "1849-2016"


def test_the_journal_is_proved_after_all_this(played: tuple[World, int]) -> None:
    from engine.history.evidence import DatabaseSource, Pack, export, verify_pack
    from engine.history.verification import verify

    world, key = played
    with world.ctx.store.read() as reading:
        assert verify(DatabaseSource(reading)).ok
        content = export(reading, [key])
    assert verify_pack(content).ok
    pack = Pack.open(content)
    assert replay(key, pack.entries(key)) == state(world, key)
    assert [case["businessId"] for case in pack.manifest["cases"]] == ["R-1"]
    assert history.NO_INSTANCE not in pack.instance_keys
    assert any(b"isExecutable" in data for _, data in pack.blobs()), "the diagram goes with it"
