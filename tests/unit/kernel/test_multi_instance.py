"""Multi-instance: parallel and sequential, results, completion condition, counters; a thousand siblings."""

from __future__ import annotations

import time

from engine import definitions
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
    io,
    script,
    service,
    start,
    timer,
    user,
    z,
)  # fmt: skip


def loop(inner: str, **given: object) -> str:
    return start() + user("u", inner=inner, **given) + end() + chain("s", "u", "e")


def test_parallel_collects_in_the_order_of_the_items() -> None:
    play = Play(loop(each("xs", "x", collect="out", result="x * y")), xs=[1, 2, 3], y=10)
    assert [t.loop_counter for t in play.tasks] == [1, 2, 3]
    for task in reversed(play.tasks):
        play.take(play.instance.complete_task(task.key, {}))
    assert play.completed
    assert play.vars["out"] == [10, 20, 30]
    assert set(play.vars) == {"xs", "y", "out"}, "loop variables are local"
    assert [c.type for c in play.of(a.ElementEntered) if c.element_id == "u"] == [
        "MULTI_INSTANCE_BODY",
        "USER_TASK",
        "USER_TASK",
        "USER_TASK",
    ]


def test_an_empty_collection_passes_with_an_empty_result() -> None:
    play = Play(loop(each("xs", "x", collect="out", result="x")), xs=[])
    assert play.completed
    assert play.vars["out"] == []


def test_sequential_goes_on_past_a_null_item() -> None:
    play = Play(loop(each("xs", "x", sequential=True, collect="out", result="x")), xs=[1, None, 3])
    for _ in range(3):
        assert play.names == ["u"]
        play.do("u")
    assert play.completed
    assert play.vars["out"] == [1, None, 3]


def test_interleaved_results_do_not_mix() -> None:
    inner = (
        each("xs", "x", collect="out", result="y")
        + start("s2")
        + user("i1")
        + script("sc", "y", "x + 1")
        + user("i2")
        + end("e2")
    )
    sub = element("subProcess", "sp", inner + chain("s2", "i1", "sc", "i2", "e2"))
    play = Play(start() + sub + end() + chain("s", "sp", "e"), xs=[1, 2, 3])
    for name in ("i1", "i1", "i1", "i2", "i2", "i2"):
        play.do(name)
    assert play.completed
    assert play.vars["out"] == [2, 3, 4]


def test_what_people_vote_is_collected_although_a_variable_outside_has_that_name() -> None:
    play = Play(loop(each("people", "who", collect="votes", result="vote")), people=["a", "b"], vote="outer")
    play.take(play.instance.complete_task(play.tasks[1].key, {"vote": "no"}))
    play.take(play.instance.complete_task(play.tasks[0].key, {"vote": "yes"}))
    assert play.vars["votes"] == ["yes", "no"]
    assert play.vars["vote"] == "outer"


def test_the_assignee_comes_from_the_item_and_inner_tasks_have_their_own_input() -> None:
    task = user("u", z("assignmentDefinition", assignee="=who"), io({"hint": '="for " + who'}), inner=each("people", "who"))
    play = Play(start() + task + end() + chain("s", "u", "e"), people=["a", "b"])
    assert [t.assignee for t in play.tasks] == ["a", "b"]
    assert play.instance.view(play.tasks[1].key)["hint"] == "for b"


def test_output_mappings_of_inner_instances_stay_inside() -> None:
    task = user("u", io(outputs={"vote.result": "=answer"}), inner=each("xs", "x", collect="votes", result="vote.result"))
    play = Play(start() + task + end() + chain("s", "u", "e"), xs=[1, 2])
    play.do("u", answer="yes")
    play.do("u", answer="no")
    assert play.vars == {"xs": [1, 2], "votes": ["yes", "no"]}


def test_a_completion_condition_terminates_the_rest() -> None:
    play = Play(loop(each("xs", "x", collect="votes", result="vote", until="numberOfCompletedInstances >= 2")), xs=[1, 2, 3, 4])
    play.do("u", vote="a")
    assert len(play.tasks) == 3
    play.do("u", vote="b")
    assert play.completed
    assert play.vars["votes"] == ["a", "b", None, None]
    assert len(play.of(a.TaskCancelled)) == 2


def test_a_completion_condition_sees_the_results_so_far_and_all_counters() -> None:
    counted = "numberOfActiveInstances + numberOfCompletedInstances + numberOfTerminatedInstances"
    until = f'(some v in votes satisfies v = "veto") or {counted} != numberOfInstances'
    play = Play(loop(each("xs", "x", collect="votes", result="vote", until=until)), xs=[1, 2, 3])
    play.do("u", vote="yes")
    assert len(play.tasks) == 2
    play.do("u", vote="veto")
    assert play.completed


def test_a_completion_condition_that_fails_is_an_incident_of_that_instance() -> None:
    play = Play(loop(each("xs", "x", collect="votes", result="vote", until="limit > 5")), xs=[1, 2])
    play.do("u", vote="yes")
    assert [i.kind for i in play.incidents] == ["EXTRACT_VALUE_ERROR"]
    play.take(play.instance.set_variables(play.key, {"limit": 1}))
    play.take(play.instance.resolve_incident(play.incidents[0].element_key))
    assert len(play.tasks) == 1
    play.do("u", vote="no")
    assert play.completed
    assert play.vars["votes"] == ["yes", "no"], "the completed instance was counted once"


def test_an_input_collection_that_is_no_list_is_an_incident() -> None:
    play = Play(loop(each("xs", "x")), xs="abc")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("u", "EXTRACT_VALUE_ERROR")]
    play.resolve("u", xs=[1])
    assert play.names == ["u"]


def test_boundary_events_stand_on_the_body() -> None:
    body = (
        start()
        + user("u", inner=each("xs", "x"))
        + boundary("b", "u", timer("PT1H"))
        + user("late")
        + end()
        + chain("s", "u", "e")
    )
    play = Play(body + chain("b", "late", "e"), xs=[1, 2, 3])
    assert len(play.timers) == 1
    play.fire("b")
    assert play.names == ["late"]
    assert len(play.of(a.TaskCancelled)) == 3


def test_an_error_in_one_instance_terminates_all() -> None:
    body = (
        start()
        + service("w", inner=each("xs", "x"))
        + boundary("b", "w", event("error"))
        + user("fix")
        + end()
        + chain("s", "w", "e")
    )
    play = Play(body + chain("b", "fix", "e"), xs=[1, 2, 3])
    play.fail("w", "LOST")
    assert play.names == ["fix"]
    assert not play.jobs


def test_plain_bpmn_cardinality() -> None:
    inner = (
        "<b:multiInstanceLoopCharacteristics><b:loopCardinality>n + 1</b:loopCardinality></b:multiInstanceLoopCharacteristics>"
    )
    body = start() + element("userTask", "u", inner) + end() + chain("s", "u", "e")
    file = definitions.read_bpmn(draw(body), "t.bpmn")
    assert file.ok
    assert len(Play(file.processes[0], n=2).tasks) == 3


def test_multi_instance_in_multi_instance() -> None:
    inner = start("s2") + user("u", inner=each("x", "y", collect="zs", result="y * 2")) + end("e2") + chain("s2", "u", "e2")
    sub = element("subProcess", "sp", inner + each("xs", "x", collect="out", result="zs"))
    play = Play(start() + sub + end() + chain("s", "sp", "e"), xs=[[1, 2], [3]])
    while not play.completed:
        play.do("u")
    assert play.vars["out"] == [[2, 4], [6]]


def test_terminating_an_inner_instance_by_hand() -> None:
    play = Play(loop(each("xs", "x")), xs=[1, 2])
    play.take(play.instance.modify(terminate=[play.tasks[0].key]))
    assert len(play.tasks) == 1
    play.do("u")
    assert play.completed


def test_a_thousand_siblings_write_only_what_changed() -> None:
    play = Play(loop(each("xs", "x", collect="out", result="x")), xs=list(range(1000)))
    assert len(play.tasks) == 1000
    instance = play.instance
    keys = [t.key for t in play.tasks]
    begun = time.thread_time()
    for key in keys[:200]:
        advance = instance.complete_task(key, {})
        assert len(advance.rows_put) == 1
        assert len(advance.rows_gone) == 1
        assert len(advance.variables_put) == 1
        assert len(advance.changes) < 8
    assert time.thread_time() - begun < 2
