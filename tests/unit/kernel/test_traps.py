"""Ways in which SpiffWorkflow's own BPMN layer executes a diagram wrongly: each has a test, here or elsewhere.

In other files: serial parallel blocks and parallel blocks in loops, inclusive and parallel joins, links (test_gateways); boundary
and event sub-processes, errors, escalations, signals, terminate (test_scopes_and_events); null items and restored siblings
(test_multi_instance); dates, durations, cycles, downtime (test_timers_and_clocks); refusals (tests/unit/definitions).
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine import definitions
from engine.errors import EvaluationFailed, TaskNotOpen
from engine.kernel import Instance
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
    props,
    read,
    start,
    timer,
    user,
    z,
)


def round_trip(rounds: int) -> Play:
    gate = element("exclusiveGateway", "m") + element("exclusiveGateway", "g", default="out")
    body = (
        start() + gate + user("u") + end() + chain("s", "m", "u", "g") + flow("g", "m", "=again") + flow("g", "e", flow_id="out")
    )
    play = Play(body, again=True)
    for _ in range(rounds):
        play.do("u")
        play.changes = play.changes[-20:]
    return play


def test_a_loop_is_not_over_after_250_or_1000_rounds() -> None:
    play = round_trip(1500)
    assert not play.ended
    assert play.names == ["u"]
    play.do("u", again=False)
    assert play.completed


def test_a_completion_writes_the_same_after_ten_and_after_a_thousand_rounds() -> None:
    def written(play: Play) -> tuple[int, int, int, int]:
        advance = play.instance.complete_task(play.tasks[0].key, {})
        return len(advance.changes), len(advance.rows_put), len(advance.rows_gone), len(play.instance.keys)

    assert written(round_trip(10)) == written(round_trip(1000))


def test_a_timer_start_event_beside_another_does_not_keep_the_instance_open() -> None:
    play = Play(start() + element("startEvent", "t", timer("P1D")) + user("u") + end() + chain("s", "u", "e") + flow("t", "u"))
    assert not play.timers
    play.do("u")
    assert play.completed


def test_an_exception_in_a_decision_is_an_incident_and_a_workers_error_a_bpmn_error() -> None:
    def broken(*_: object) -> tuple[object, int, object]:
        raise EvaluationFailed("no such table")

    rule = element("businessRuleTask", "r", ext(z("calledDecision", decisionId="d", resultVariable="x")))
    play = Play(
        start() + rule + boundary("b", "r", event("error")) + end() + chain("s", "r", "e") + flow("b", "e"), decide=broken
    )
    assert [i.kind for i in play.incidents] == ["DECISION_EVALUATION_ERROR"]
    assert "no such table" in play.incidents[0].message


def test_the_second_instance_of_a_multi_instance_process_works_like_the_first() -> None:
    process = read(start() + user("u", inner=each("xs", "x", collect="o", result="x")) + end() + chain("s", "u", "e"))
    for _ in range(3):
        play = Play(process, xs=[1, 2])
        play.do("u")
        play.do("u")
        assert play.vars["o"] == [1, 2]


def test_rows_in_any_order_restore_the_same_instance() -> None:
    inner = start("s2") + user("i", inner=each("xs", "x")) + chain("s2", "i")
    play = Play(start() + element("subProcess", "sp", inner) + end() + chain("s", "sp", "e"), xs=[1, 2, 3])
    rows = list(play.rows.values())
    for shift in range(len(rows)):
        loaded = Instance.load(play.process, rows[shift:] + rows[:shift], play.variables, play.surroundings())
        assert loaded.keys == set(play.rows)


def test_one_message_is_for_one_receiver() -> None:
    receive = element("receiveTask", "r", messageRef="M")
    play = Play(
        start() + element("parallelGateway", "p") + receive + end() + chain("s", "p", "r", "e") + flow("p", "r"),
        message("M", "m"),
    )
    assert len(play.messages) == 2
    play.send("r")
    assert len(play.messages) == 1
    assert not play.completed


def test_what_does_not_wait_cannot_be_moved() -> None:
    play = Play(start() + user("u") + boundary("b", "u", timer("PT1H")) + end() + chain("s", "u", "e") + flow("b", "e"))
    task, armed = play.tasks[0].key, play.timers[0].key
    for act in (
        lambda: play.instance.fire_timer(task),
        lambda: play.instance.complete_task(armed, {}),
        lambda: play.instance.receive_message(task, "m", {}),
        lambda: play.instance.receive_signal(armed, "x", {}),
        lambda: play.instance.complete_job(task, {}),
        lambda: play.instance.fire_timer(12345),
    ):
        with pytest.raises(TaskNotOpen):
            act()
    assert play.instance.keys == set(play.rows)


# --- no Python from a model, wherever an expression can stand

CODE = '=open("pwned", "w")'


def test_no_python_runs_wherever_an_expression_can_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = user(
        "u",
        z("assignmentDefinition", assignee=CODE, candidateGroups=CODE, candidateUsers=CODE),
        z("taskSchedule", dueDate=CODE, followUpDate=CODE),
        io({"a": CODE}, {"b": CODE}),
        props(excludedUsers=CODE, signed=CODE, visibleTo=CODE, forbiddenPatterns=CODE),
    )
    parts = [
        task,
        user("u", z("priorityDefinition", priority=CODE)),
        user("u", z("formDefinition", externalReference=CODE)),
        user("u", inner=each(CODE[1:], "x", collect="o", result=CODE[1:], until=CODE[1:])),
        user("u", inner=each("[1]", "x", collect="o", result=CODE[1:], until=CODE[1:])),
        element("scriptTask", "u", ext(z("script", expression=CODE, resultVariable="r"))),
        element("serviceTask", "u", ext(z("taskDefinition", type=CODE, retries=CODE))),
        element("businessRuleTask", "u", ext(z("calledDecision", decisionId=CODE, resultVariable="r"))),
        element("callActivity", "u", ext(z("calledElement", processId=CODE, businessId=CODE))),
        element("intermediateCatchEvent", "u", timer(CODE, "timeDate")),
        element("intermediateCatchEvent", "u", timer(CODE)),
        user("u") + boundary("b", "u", timer(CODE, "timeCycle"), interrupting=False) + flow("b", "e"),
        element("receiveTask", "u", messageRef="M"),
        element("intermediateCatchEvent", "u", event("signal", "S")),
        element("intermediateThrowEvent", "u", event("escalation", "X")),
    ]
    key = ext(f"<z:subscription correlationKey='{CODE}'/>")
    root = f"<b:message id=\"M\" name='{CODE}'>{key}</b:message>"
    root += f"<b:signal id=\"S\" name='{CODE}'/><b:escalation id=\"X\" escalationCode='{CODE}'/>"
    for part in parts:
        file = definitions.read_bpmn(draw(start() + part + end() + chain("s", "u", "e"), root), "t.bpmn")
        assert all("没有函数" in f.reason for f in file.findings if f.verdict == "refused")  # and would be null if it ran:
        play = Play(file.processes[0])
        if play.tasks:
            play.do("u")
        assert play.of(a.ElementEntered)
    gate = element("exclusiveGateway", "u", default="d")
    said = definitions.read_bpmn(
        draw(start() + gate + end() + chain("s", "u") + flow("u", "e", CODE) + flow("u", "e", flow_id="d")), "t"
    )
    assert not said.ok
    assert not list(tmp_path.iterdir())


def test_a_runaway_expression_is_an_incident_in_time() -> None:

    endless = "=count(for a in 1..100000 return for b in 1..100000 return a * b)"
    begun = time.thread_time()
    play = Play(
        start()
        + element("scriptTask", "k", ext(z("script", expression=endless, resultVariable="x")))
        + end()
        + chain("s", "k", "e")
    )
    assert time.thread_time() - begun < 2
    assert [(i.element_id, i.kind) for i in play.incidents] == [("k", "EXTRACT_VALUE_ERROR")]
