"""Variables in scopes, with Camunda 8's rules; and incidents: raised, corrected, tried again."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from engine.errors import InvalidValue, NotFound, TaskNotOpen
from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    each,
    element,
    end,
    event,
    ext,
    flow,
    io,
    message,
    script,
    service,
    start,
    timer,
    user,
    z,
)


def test_inputs_are_local_and_see_those_before_them() -> None:
    play = Play(
        start() + user("u", io({"a": "=x + 1", "b": "=a * 2", "c.d": '="deep"', "c.e": "=b"})) + end() + chain("s", "u", "e"), x=1
    )
    view = play.instance.view(play.tasks[0].key)
    assert (view["a"], view["b"], view["c"]) == (2, 4, {"d": "deep", "e": 4})
    assert play.vars == {"x": 1}
    play.do("u")
    assert play.vars == {"x": 1}


def test_completion_variables_merge_into_the_nearest_scope_that_has_them() -> None:
    inner = start("s2") + user("u", io({"own": "=1"})) + end("e2") + chain("s2", "u", "e2")
    sub = element("subProcess", "sp", ext(io({"middle": "=1"}, {"kept": "=middle"})) + inner)
    play = Play(start() + sub + end() + chain("s", "sp", "e"), outer=1)
    play.do("u", own=2, middle=2, outer=2, new=2)
    assert play.completed
    assert play.vars == {"outer": 2, "new": 2, "kept": 2}, "locals are gone; what nobody has goes to the root"


def test_with_output_mappings_nothing_else_leaves() -> None:
    play = Play(
        start() + user("u", io(outputs={"verdict": "=answer", "old.b": "=2"})) + end() + chain("s", "u", "e"), old={"a": 1}
    )
    play.do("u", answer="yes", noise=1)
    assert play.vars == {"verdict": "yes", "old": {"a": 1, "b": 2}}


def test_a_script_result_follows_the_same_rules() -> None:
    play = Play(
        start() + script("k", "sum", "x + y", io({"y": "=2"}, {"total": "=sum"})) + end() + chain("s", "k", "e"),
        x=Decimal("0.10"),
    )
    assert play.vars == {"x": Decimal("0.1"), "total": Decimal("2.1")}


def test_exact_numbers_pass_through() -> None:
    play = Play(start() + user("u") + script("k", "net", "amount - cost") + end() + chain("s", "u", "k", "e"))
    play.do("u", amount=Decimal("1000000.00"), cost=Decimal("200000.00"))
    assert play.of(a.VariableSet)[0].value == Decimal("1000000.00")
    assert play.vars["net"] == 800000


def test_message_variables_and_boundary_outputs() -> None:
    on = element("boundaryEvent", "b", ext(io(outputs={"why": "=reason"})) + event("message", "M"), attachedToRef="u")
    body = start() + user("u") + on + user("v") + end() + chain("s", "u", "e") + chain("b", "v", "e")
    play = Play(
        body,
        message("M", "stop", "=n"),
        n=5,
    )
    play.send("b", reason="r", noise=1)
    assert play.names == ["v"]
    assert play.vars == {"n": 5, "why": "r"}


def test_a_variable_cannot_pretend_to_be_the_kernels_own() -> None:
    play = Play(start() + user("u", inner=each("[1,2]", "x", collect="o", result="x")) + end() + chain("s", "u", "e"))
    with pytest.raises(InvalidValue):
        play.instance.set_variables(play.key, {"#result:0": 1})
    play.take(play.instance.complete_task(play.tasks[0].key, {"#result:1": "forged"}))
    play.do("u")
    assert play.vars["o"] == [1, 2]


# --- incidents


def test_a_failing_assignment_is_an_incident_before_the_task_exists() -> None:
    task = user("u", z("assignmentDefinition", candidateGroups="=groups"))
    play = Play(start() + task + boundary("b", "u", timer("PT1H")) + end() + chain("s", "u", "e") + flow("b", "e"), groups=5)
    assert play.names == []
    assert [(i.element_id, i.kind) for i in play.incidents] == [("u", "EXTRACT_VALUE_ERROR")]
    play.resolve("u", groups=["g"])
    assert play.tasks[0].candidate_groups == ("g",)
    assert len(play.timers) == 1
    assert play.entered.count("u") == 1


def test_a_failing_output_mapping_keeps_what_the_person_entered() -> None:
    task = user("u", io(outputs={"due": "=answer.nothing"}))
    broken = start() + task + end() + chain("s", "u", "e")
    play = Play(broken)
    play.do("u", answer="yes")
    assert play.completed, "a null from a mapping is a value, as in Camunda 8"
    loop = (
        start()
        + user("u", io(outputs={"due": "=sum(for i in 1..1000000 return sum(for j in 1..1000000 return j))"}))
        + end()
        + chain("s", "u", "e")
    )
    play = Play(loop)
    play.do("u", answer="yes")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("u", "IO_MAPPING_ERROR")]
    assert len(play.of(a.TaskCompleted)) == 1
    assert not play.tasks
    with pytest.raises(TaskNotOpen):
        play.instance.complete_task(play.incidents[0].element_key, {})
    play.resolve("u")
    assert len(play.of(a.TaskCompleted)) == 1, "the retry is of the mapping, not of the completion"
    assert len(play.incidents) == 1


def test_a_failing_condition_after_a_task_is_tried_again_alone() -> None:
    body = start() + user("u", io(outputs={"count": "=count + 1"}), default="fd") + user("v") + end()
    play = Play(body + flow("s", "u") + flow("u", "v", "=ok") + flow("u", "e", flow_id="fd"), count=0)
    play.do("u")
    assert play.vars["count"] == 1
    play.resolve("u", ok=True)
    assert play.names == ["v"]
    assert play.vars["count"] == 1, "the mapping did not run again"


def test_a_script_without_result_sets_null_and_says_why() -> None:
    play = Play(start() + script("k", "net", "amount - cost") + user("u") + end() + chain("s", "k", "u", "e"), amount=5)
    assert not play.incidents
    assert play.vars["net"] is None
    (warned,) = play.of(a.ExpressionWarned)
    assert warned.element_id == "k"
    assert "amount - cost" in warned.message
    assert play.names == ["u"]
    silent = Play(start() + script("k", "net", "null") + end() + chain("s", "k", "e"))
    assert silent.completed
    assert not silent.of(a.ExpressionWarned)


def test_a_script_whose_assertion_fails_is_an_incident() -> None:
    checked = script("k", "net", "assert(amount - cost, cost != null)")
    play = Play(start() + checked + user("u") + end() + chain("s", "k", "u", "e"), amount=5)
    assert [(i.element_id, i.kind) for i in play.incidents] == [("k", "EXTRACT_VALUE_ERROR")]
    play.resolve("k", cost=2)
    assert play.vars["net"] == 3
    assert play.names == ["u"]


def test_a_failing_timer_is_an_incident_of_the_boundary_event_and_the_task_goes_on() -> None:
    body = (
        start()
        + user("u")
        + boundary("b", "u", timer("=deadline"), interrupting=False)
        + end()
        + end("e2")
        + chain("s", "u", "e")
        + flow("b", "e2")
    )
    play = Play(body)
    assert play.names == ["u"]
    assert [i.element_id for i in play.incidents] == ["b"]
    play.resolve("b", deadline="PT1H")
    assert len(play.timers) == 1
    play = Play(body)
    play.do("u")
    assert play.completed
    assert not play.incidents, "gone with its host"


def test_a_missing_decision_is_an_incident() -> None:
    rule = element("businessRuleTask", "r", ext(z("calledDecision", decisionId="grade", resultVariable="grade")))
    play = Play(start() + rule + end() + chain("s", "r", "e"))
    assert [(i.element_id, i.kind) for i in play.incidents] == [("r", "DECISION_EVALUATION_ERROR")]
    play.decide = lambda *_: ("low", 1, {})
    play.turn(play.now)
    play.resolve("r")
    assert play.vars["grade"] == "low"


def test_a_job_without_retries() -> None:
    play = Play(start() + service("w") + end() + chain("s", "w", "e"))
    key = play.jobs[0].key
    play.take(play.instance.raise_incident(key, "JOB_NO_RETRIES", "refused"))
    assert play.incidents[0].kind == "JOB_NO_RETRIES"
    play.resolve("w")
    assert len(play.of(a.JobCreated)) == 1
    play.take(play.instance.raise_incident(key, "JOB_NO_RETRIES", "refused"))
    play.work("w", late=True)
    assert play.completed
    assert not play.incidents


def test_a_called_process_that_is_not_there() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child"), io({"n": "=x"})))
    play = Play(start() + call + boundary("b", "c", timer("PT1H")) + end() + chain("s", "c", "e") + flow("b", "e"), x=1)
    play.take(play.instance.raise_incident(play.calls[0].key, "CALLED_ELEMENT_ERROR", "no such process"))
    play.resolve("c", x=2)
    assert [dict(c.variables)["n"] for c in play.of(a.CallStarted)] == [1, 2]
    assert len(play.timers) == 1


def test_an_endless_gateway_loop_is_an_incident() -> None:
    gate = element("exclusiveGateway", "g") + element("exclusiveGateway", "h", default="f2")
    body = start() + gate + end() + chain("s", "g", "h") + flow("h", "g", flow_id="f2") + flow("h", "e", "=stop")
    play = Play(body, stop=False)
    assert [i.kind for i in play.incidents] == ["STEP_BUDGET"]
    assert play.incidents[0].element_id in {"g", "h"}
    play.resolve(play.incidents[0].element_id, stop=True)
    assert play.completed


def test_an_exploding_loop_is_one_incident_and_can_be_resolved() -> None:
    gates = element("exclusiveGateway", "m") + element("parallelGateway", "p") + element("exclusiveGateway", "x", default="back")
    body = (
        start()
        + gates
        + end()
        + chain("s", "m", "p", "x")
        + flow("p", "x")
        + flow("x", "m", flow_id="back")
        + flow("x", "e", "=stop")
    )
    play = Play(body, stop=False, budget=500)
    assert [i.kind for i in play.incidents] == ["STEP_BUDGET"]
    play.budget = 100_000
    play.turn(play.now)
    play.resolve(play.incidents[0].element_id, stop=True)
    assert play.completed


def test_the_budget_counts_each_element_once() -> None:
    names = [f"n{i}" for i in range(300)]
    body = start() + "".join(element("task", n) for n in names) + end() + chain("s", *names, "e")
    assert Play(body, budget=302).completed
    short = Play(body, budget=301)
    assert [i.kind for i in short.incidents] == ["STEP_BUDGET"]
    assert "301" in short.incidents[0].message


def test_timers_that_do_not_wait_end_as_an_incident() -> None:
    body = start() + element("exclusiveGateway", "m") + element("intermediateCatchEvent", "t", timer("PT0S"))
    body += element("exclusiveGateway", "x", default="back") + end() + chain("s", "m", "t", "x")
    body += flow("x", "m", flow_id="back") + flow("x", "e", "=stop")
    play = Play(body, stop=False, budget=50)
    for _ in range(60):
        if play.incidents:
            break
        play.fire("t")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("t", "STEP_BUDGET")]
    assert play.of(a.TimerFired)[49:], "fifty of them are no loop yet"
    play.resolve("t", stop=True)
    play.fire("t")
    assert play.completed
    slow = Play(body.replace("PT0S", "PT1S"), stop=False, budget=50)
    for _ in range(60):
        slow.fire("t")
    assert not slow.incidents


def test_no_incident_no_retry() -> None:
    play = Play(start() + user("u") + end() + chain("s", "u", "e"))
    with pytest.raises(NotFound):
        play.instance.resolve_incident(play.tasks[0].key)
    with pytest.raises(NotFound):
        play.instance.resolve_incident(99)


def test_a_loop_of_slow_expressions_is_an_incident_in_time() -> None:
    gate = element("exclusiveGateway", "g") + element("exclusiveGateway", "h", default="out")
    slow = script("k", "x", "count(for i in 1..20000 return i)")
    body = start() + gate + slow + end() + chain("s", "g", "k", "h") + flow("h", "g", "=true") + flow("h", "e", flow_id="out")
    begun = time.thread_time()
    play = Play(body)
    assert time.thread_time() - begun < 3
    assert [i.kind for i in play.incidents] == ["STEP_BUDGET"]
