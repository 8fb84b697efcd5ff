"""Tasks, and the flows between them."""

from __future__ import annotations

import pytest

from engine.errors import TaskNotOpen
from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play, chain, element, end, ext, flow, io, props, read, script, service, start, user, z


def test_a_case_from_start_to_end() -> None:
    play = Play(start() + user("u") + end() + chain("s", "u", "e"), amount=1)
    assert play.names == ["u"]
    play.do("u", verdict="yes")
    assert play.completed
    assert play.ended is not None
    assert play.ended.variables == {"amount": 1, "verdict": "yes"}
    assert play.nothing_left()
    assert play.vars == {"amount": 1, "verdict": "yes"}, "what an ended instance held stays readable"


def test_changes_stand_in_the_order_of_what_happened() -> None:
    play = Play(start() + user("u") + end() + flow("s", "u", flow_id="f1") + flow("u", "e", flow_id="f2"))
    play.do("u", x=1)
    kinds = [(type(c).__name__, getattr(c, "element_id", getattr(c, "flow_id", getattr(c, "name", "")))) for c in play.last]
    assert kinds == [
        ("TaskCompleted", "u"),
        ("VariableSet", "x"),
        ("ElementCompleted", "u"),
        ("FlowTaken", "f2"),
        ("ElementEntered", "e"),
        ("ElementCompleted", "e"),
        ("ElementCompleted", "P"),
        ("InstanceEnded", ""),
    ]


def test_a_task_cannot_be_completed_twice() -> None:
    play = Play(start() + user("u") + user("v") + end() + chain("s", "u", "v", "e"))
    key = play.tasks[0].key
    play.do("u")
    with pytest.raises(TaskNotOpen):
        play.instance.complete_task(key, {})
    with pytest.raises(TaskNotOpen):
        play.instance.complete_job(play.tasks[0].key, {})


def test_who_may_do_a_task_and_until_when() -> None:
    task = user(
        "u",
        z("assignmentDefinition", assignee="=lead", candidateGroups='=["a", "b"]', candidateUsers="x, y"),
        z("taskSchedule", dueDate='=now() + duration("P1D")', followUpDate="2026-12-01T09:00:00Z"),
        z("priorityDefinition", priority="60"),
        z("formDefinition", formId="f", bindingType="deployment"),
        props(rule="T1.1", signed="=amount > 5", excludedUsers="=[applicant]", visibleTo="chair", note="kept"),
    )
    inner = start("s2") + task + end("e2") + chain("s2", "u", "e2")
    sub = element("subProcess", "sp", ext(props(excludedUsers='=["z"]')) + inner)
    play = Play(start() + sub + end() + chain("s", "sp", "e"), lead="li", amount=10, applicant="zhao")
    made = play.tasks[0]
    assert made.assignee == "li"
    assert made.candidate_groups == ("a", "b")
    assert made.candidate_users == ("x", "y")
    assert made.excluded_users == ("zhao", "z"), "inner exclusions add to outer ones"
    assert made.due_at is not None
    assert made.due_at.isoformat() == "2026-11-03T01:00:00+00:00"
    assert made.follow_up_at is not None
    assert made.priority == 60
    assert (made.form_id, made.form_binding) == ("f", "deployment")
    assert made.signed
    assert made.visible_to == ("chair",)
    assert made.properties["note"] == "kept"


def test_a_plain_bpmn_user_task_is_a_user_task() -> None:
    assert Play(start() + element("userTask", "u") + end() + chain("s", "u", "e")).names == ["u"]


def test_manual_and_undefined_tasks_pass() -> None:
    play = Play(start() + element("task", "t") + element("manualTask", "m") + end() + chain("s", "t", "m", "e"))
    assert play.completed
    assert play.entered == ["P", "s", "t", "m", "e"]


def test_a_job_has_its_type_headers_and_local_input() -> None:
    headers = z("taskHeaders", z("header", key="to", value="office"))
    play = Play(
        start() + service("w", io({"text": '="hello"'}), headers, job='="no" + "tify"') + end() + chain("s", "w", "e"), big="x"
    )
    job = play.jobs[0]
    assert (job.type, job.retries, dict(job.headers), dict(job.input)) == ("notify", 3, {"to": "office"}, {"text": "hello"})
    play.work("w", done=True)
    assert play.completed
    assert play.vars == {"big": "x", "done": True}


def test_a_send_task_is_a_job() -> None:
    send = element("sendTask", "w", ext(z("taskDefinition", type="publish-message")))
    play = Play(start() + send + end() + chain("s", "w", "e"))
    play.work("w")
    assert play.completed


def test_a_decision() -> None:
    rule = element(
        "businessRuleTask", "r", ext(z("calledDecision", decisionId="grade", resultVariable="grade", bindingType="deployment"))
    )

    def decide(decision_id: str, binding: str, tag: str | None, context: object) -> tuple[object, int, object]:
        assert (decision_id, binding, tag, context["kind"]) == ("grade", "deployment", None, "drug")  # type: ignore[index]
        return "high", 3, {"rules": [1]}

    play = Play(start() + rule + end() + chain("s", "r", "e"), decide=decide, kind="drug")
    assert play.completed
    assert play.vars["grade"] == "high"
    made = play.of(a.DecisionEvaluated)[0]
    assert (made.version, made.result, made.trace) == (3, "high", {"rules": [1]})


def test_several_flows_out_of_a_task_are_a_split() -> None:
    play = Play(start() + user("u") + user("x") + user("y") + end() + chain("s", "u", "x", "e") + chain("u", "y", "e"))
    play.do("u")
    assert play.names == ["x", "y"]
    play.do("x")
    assert not play.completed
    play.do("y")
    assert play.completed
    assert play.entered.count("e") == 2


def test_conditions_and_default_on_flows_that_leave_a_task() -> None:
    body = start() + user("u", default="fd") + user("a") + user("b") + user("c") + end() + flow("s", "u")
    body += (
        flow("u", "a", "=x > 1")
        + flow("u", "b", "=x > 2")
        + flow("u", "c", flow_id="fd")
        + chain("a", "e")
        + chain("b", "e")
        + chain("c", "e")
    )
    for x, names in ((3, ["a", "b"]), (2, ["a"]), (0, ["c"])):
        play = Play(body)
        play.do("u", x=x)
        assert play.names == names


def test_a_task_that_two_flows_lead_to_runs_twice() -> None:
    body = start() + element("parallelGateway", "g") + user("u") + end() + chain("s", "g", "u", "e") + flow("g", "u")
    play = Play(body)
    assert play.names == ["u", "u"]


def test_a_process_without_end_event_ends_where_no_flow_leads_on() -> None:
    play = Play(start() + script("k", "x", "1") + flow("s", "k"))
    assert play.completed


def test_start_before_elements() -> None:
    sub = element("subProcess", "sp", start("s2") + user("a") + user("b") + end("e2") + chain("s2", "a", "b", "e2"))
    play = Play(start() + user("u") + sub + end() + chain("s", "u", "sp", "e"), at=("b", "u"))
    assert play.names == ["b", "u"]
    play.do("b")
    play.do("u")
    assert play.names == ["a"]


def test_an_element_named_start_and_one_named_like_the_process_of_spiff() -> None:
    play = Play(element("startEvent", "Start") + user("Root") + user("End") + end("e") + chain("Start", "Root", "End", "e"))
    play.do("Root")
    play.do("End")
    assert play.completed


def test_cancel() -> None:
    play = Play(start() + user("u") + service("w") + end() + chain("s", "u", "e") + chain("s", "w", "e"))
    play.take(play.instance.cancel())
    assert play.ended is not None
    assert play.ended.state == "TERMINATED"
    assert play.nothing_left()


def test_modify_moves_a_token() -> None:
    play = Play(start() + user("u") + user("v") + end() + chain("s", "u", "v", "e"))
    play.take(play.instance.modify(activate=["v"], terminate=[play.tasks[0].key]))
    assert play.names == ["v"]
    play.do("v")
    assert play.completed


def test_a_shared_model_is_not_changed_by_its_instances() -> None:
    process = read(start() + user("u") + end() + chain("s", "u", "e"))
    first, second = Play(process), Play(process)
    first.do("u", x=1)
    assert second.names == ["u"]
    assert second.vars == {}
