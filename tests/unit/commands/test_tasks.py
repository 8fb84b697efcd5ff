"""User tasks: who may, when they are locked, what a completion leaves behind."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine import Engine, commands, queries
from engine.errors import (
    Conflict,
    Excluded,
    InstanceSuspended,
    InvalidSubmission,
    NotAllowed,
    NotFound,
    SignatureRequired,
    SignatureWrong,
    StaleForm,
    TaskAlreadyClaimed,
    TaskNotOpen,
)
from tests.unit.commands.office import NOW, PASSWORD, form, kinds, line, office, one_task, open_task, task, turn
from tests.unit.kernel.drawing import draw, props, script, z


@pytest.fixture
def engine() -> Engine:
    return office()


def started(engine: Engine, *extensions: str, **more: object) -> tuple[int, int]:
    """Deploy and start a process of one task; return the keys of case and task."""
    engine.deploy({"p.bpmn": one_task(*extensions, **more)})
    case = engine.start("P", {"applicant": "anna", "amount": Decimal("10.50")}, by="anna")
    return case, open_task(engine, case).key


# --- claiming


def test_a_candidate_claims_gives_back_and_another_claims(engine: Engine) -> None:
    case, key = started(engine)
    engine.claim(key, by="anna")
    assert open_task(engine, case).assignee == "anna"
    assert open_task(engine, case).claimed_at == NOW
    with pytest.raises(TaskAlreadyClaimed) as refused:
        engine.claim(key, by="bo")
    assert refused.value.by == "anna"
    engine.unclaim(key, by="anna")
    engine.claim(key, by="bo")
    assert kinds(engine, case)[-3:] == ["TaskClaimed", "TaskUnclaimed", "TaskClaimed"]


def test_claiming_again_changes_nothing(engine: Engine) -> None:
    case, key = started(engine)
    engine.claim(key, by="anna")
    before = len(engine.journal(case))
    engine.claim(key, by="anna")
    assert len(engine.journal(case)) == before


def test_who_is_no_candidate_may_not_claim_or_complete(engine: Engine) -> None:
    _, key = started(engine)
    with pytest.raises(NotAllowed):
        engine.claim(key, by="carl")
    with pytest.raises(NotAllowed):
        engine.complete(key, {}, by="carl")
    assert not engine.may_work(key, "carl")
    assert engine.may_work(key, "anna")


def test_only_the_assignee_or_an_administrator_gives_back(engine: Engine) -> None:
    _, key = started(engine)
    engine.claim(key, by="anna")
    with pytest.raises(NotAllowed):
        engine.unclaim(key, by="bo")
    engine.unclaim(key, by="root")


def test_a_task_that_the_model_assigns_is_offered_to_nobody_else(engine: Engine) -> None:
    _, key = started(engine, z("assignmentDefinition", assignee="anna"), group=None)
    with pytest.raises(TaskAlreadyClaimed):
        engine.claim(key, by="bo")
    with pytest.raises(Conflict):
        engine.unclaim(key, by="anna")
    engine.complete(key, {}, by="anna")


def test_what_is_offered_to_nobody_cannot_be_given_back_to_nobody(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task("t", z("assignmentDefinition", assignee="anna"), group=None))))})
    key = open_task(engine, engine.start("P")).key
    for by in ("anna", "root"):
        with pytest.raises(Conflict):
            engine.assign(key, None, by=by)
        with pytest.raises(Conflict):
            engine.unclaim(key, by=by)
    assert engine.tasks()[0].assignee == "anna"


def test_an_administrator_assigns_and_an_assignee_hands_over_to_a_candidate(engine: Engine) -> None:
    case, key = started(engine)
    with pytest.raises(NotAllowed):
        engine.assign(key, "bo", by="anna")
    engine.assign(key, "anna", by="root", reason="请您办")
    engine.assign(key, "bo", by="anna")
    with pytest.raises(NotAllowed):
        engine.assign(key, "carl", by="bo")
    assert open_task(engine, case).assignee == "bo"
    engine.assign(key, None, by="root")
    assert engine.tasks(group="clerk")[0].assignee is None


def test_unknown_tasks_and_people(engine: Engine) -> None:
    _, key = started(engine)
    with pytest.raises(NotFound):
        engine.claim(1, by="anna")
    with pytest.raises(NotFound):
        commands.claim_task(engine.context, key, "nobody")


def test_whom_a_program_vouches_for_works_without_a_group(engine: Engine) -> None:
    case, key = started(engine)
    engine.complete(key, {"ok": True}, by="somebody-of-the-program")
    assert engine.instance(case).state == "COMPLETED"


# --- exclusion


def test_the_excluded_never_get_the_task_by_any_way(engine: Engine) -> None:
    case, key = started(engine, props(excludedUsers="=[applicant]"))
    with pytest.raises(Excluded):
        engine.claim(key, by="anna")
    with pytest.raises(Excluded):
        engine.complete(key, {}, by="anna")
    with pytest.raises(Excluded):
        engine.assign(key, "anna", by="root")
    engine.substitute("bo", by="anna", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    with pytest.raises(Excluded):
        engine.claim(key, by="anna")
    assert not engine.may_work(key, "anna")
    assert engine.tasks(for_user="anna") == ()
    assert [found.key for found in engine.tasks(for_user="bo")] == [key]
    assert open_task(engine, case).excluded_users == ("anna",)


def test_nobody_stands_in_for_the_excluded(engine: Engine) -> None:
    _, key = started(engine, props(excludedUsers="=[applicant]"))
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    with pytest.raises(NotAllowed):
        engine.claim(key, by="carl")


def test_a_program_cannot_vouch_for_the_excluded(engine: Engine) -> None:
    _, key = started(engine, props(excludedUsers='=["stranger"]'))
    with pytest.raises(Excluded):
        engine.complete(key, {}, by="stranger")


# --- substitution


def test_a_substitute_works_for_the_absent_and_it_is_recorded(engine: Engine) -> None:
    case, key = started(engine)
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    engine.claim(key, by="carl")
    engine.complete(key, {}, by="carl")
    claimed, done = (next(e for e in engine.journal(case) if e.kind == kind) for kind in ("TaskClaimed", "TaskCompleted"))
    assert (claimed.actor, claimed.on_behalf_of) == ("carl", "anna")
    assert (done.actor, done.on_behalf_of) == ("carl", "anna")


def test_a_substitute_takes_over_what_the_absent_had_claimed(engine: Engine) -> None:
    case, key = started(engine)
    engine.claim(key, by="anna")
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    engine.complete(key, {}, by="carl", on_behalf_of="anna")
    assert engine.journal(case)[-1].on_behalf_of == "anna"


def test_a_substitute_gives_back_what_was_assigned_to_the_absent_alone(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task("t", z("assignmentDefinition", assignee="anna"), group=None))))})
    key = open_task(engine, engine.start("P")).key
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    engine.claim(key, by="carl")
    turn(engine, hours=1)  # the substitution is over: nobody could work on it
    assert not engine.may_work(key, "carl")
    assert queries.task(engine.context, key, "carl").may_unclaim
    engine.unclaim(key, by="carl")
    assert engine.may_work(key, "anna")
    engine.complete(key, {}, by="anna")


def test_a_substitution_ends(engine: Engine) -> None:
    _, key = started(engine)
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    engine.claim(key, by="carl")
    turn(engine, hours=1)
    with pytest.raises(NotAllowed):
        engine.complete(key, {}, by="carl")
    assert not engine.may_work(key, "carl")


@pytest.mark.parametrize("scope", [{"groups": ["chair"]}, {"processes": ["other"]}])
def test_a_substitution_holds_within_its_scope_only(engine: Engine, scope: dict[str, list[str]]) -> None:
    _, key = started(engine)
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1), **scope)
    with pytest.raises(NotAllowed):
        engine.claim(key, by="carl")


def test_only_the_absent_or_an_administrator_names_a_substitute(engine: Engine) -> None:
    span = (NOW, NOW + timedelta(days=1))
    with pytest.raises(NotAllowed):
        commands.add_substitution(engine.context, "anna", "carl", *span, by="carl")
    key = commands.add_substitution(engine.context, "anna", "carl", *span, by="anna")
    commands.end_substitution(engine.context, key, by="root")
    _, task_key = started(engine)
    with pytest.raises(NotAllowed):
        engine.claim(task_key, by="carl")


# --- completing


def test_a_completion_sets_variables_and_ends_the_case(engine: Engine) -> None:
    case, key = started(engine)
    engine.claim(key, by="anna")
    engine.complete(key, {"approved": True, "share": 0.1}, by="anna")
    assert engine.instance(case).state == "COMPLETED"
    assert engine.variables(case) == {"applicant": "anna", "amount": Decimal("10.50"), "approved": True, "share": Decimal("0.1")}


def test_completing_twice_is_refused_and_changes_nothing(engine: Engine) -> None:
    case, key = started(engine)
    engine.complete(key, {}, by="anna")
    before = len(engine.journal(case))
    with pytest.raises(TaskNotOpen):
        engine.complete(key, {}, by="anna")
    assert len(engine.journal(case)) == before


def test_the_same_idempotency_key_completes_once(engine: Engine) -> None:
    case, key = started(engine)
    engine.complete(key, {}, by="anna", idempotency_key="k1")
    engine.complete(key, {}, by="anna", idempotency_key="k1")
    assert kinds(engine, case).count("TaskCompleted") == 1


def test_a_models_failure_does_not_undo_the_completion(engine: Engine) -> None:
    engine.deploy(
        {"p.bpmn": draw(line(("t", task()), ("x", script("x", "y", "assert(missing.value, missing.value != null) + 1"))))}
    )
    case = engine.start("P")
    key = open_task(engine, case).key
    engine.complete(key, {"answer": 42}, by="anna")
    (incident,) = engine.incidents(case)
    assert incident.element_id == "x"
    assert engine.variables(case)["answer"] == 42
    assert engine.tasks(instance=case) == ()
    engine.resolve_incident(incident.key, by="root", variables={"missing": {"value": 1}})
    assert engine.incidents(case) == ()
    assert engine.variables(case)["y"] == 2


# --- signatures


def test_a_signed_task_needs_the_password_and_the_journal_says_so(engine: Engine) -> None:
    case, key = started(engine, props(signed="true"), name="批准申请")
    engine.set_password("anna", PASSWORD)
    engine.claim(key, by="anna")
    with pytest.raises(SignatureRequired):
        engine.complete(key, {}, by="anna")
    with pytest.raises(SignatureWrong):
        engine.complete(key, {}, by="anna", password="wrong password")
    engine.complete(key, {}, by="anna", password=PASSWORD)
    (signed,) = [event for event in engine.journal(case) if event.kind == "Signed"]
    assert signed.payload == {
        "key": key,
        "element_id": "t",
        "user": "anna",
        "name": "Anna",
        "meaning": "批准申请",
        "at": NOW.isoformat(),
    }


def test_the_system_cannot_sign(engine: Engine) -> None:
    _, key = started(engine, props(signed="true"))
    with pytest.raises(SignatureRequired):
        engine.complete(key, {})


def test_a_decision_needs_its_reason_every_time(engine: Engine) -> None:
    reason = {"type": "textarea", "key": "reason", "label": "理由", "validate": {"required": True}}
    engine.deploy(
        {"decide.form": form("decide", reason), "p.bpmn": one_task(z("formDefinition", formId="decide"), props(signed="true"))}
    )
    case = engine.start("P", {"reason": "上一次的理由"})
    key = open_task(engine, case).key
    engine.set_password("anna", PASSWORD)
    with pytest.raises(InvalidSubmission) as refused:
        engine.complete(key, {}, by="anna", password=PASSWORD)
    assert [problem.field for problem in refused.value.problems] == ["reason"]
    engine.complete(key, {"reason": "这一次的理由"}, by="anna", password=PASSWORD)
    assert engine.variables(case)["reason"] == "这一次的理由"


# --- suspension


def test_a_suspended_case_locks_its_tasks_with_the_reason(engine: Engine) -> None:
    case, key = started(engine)
    engine.suspend(case, by="root", reason="核查中")
    assert engine.tasks(instance=case)[0].suspended_reason == "核查中"
    for act in (lambda: engine.claim(key, by="anna"), lambda: engine.complete(key, {}, by="anna")):
        with pytest.raises(InstanceSuspended, match="核查中"):
            act()
    engine.resume(case, by="root", reason="核查完毕")
    engine.complete(key, {}, by="anna")
    with pytest.raises(Conflict):
        engine.resume(case, by="root")


# --- forms

AGE = {"type": "number", "key": "age", "label": "年龄", "validate": {"required": True, "min": 18}, "properties": {"rule": "X1.1"}}
NOTE = {"type": "textarea", "key": "note", "label": "说明"}


def with_form(engine: Engine, *components: dict[str, object], **process: str) -> tuple[int, int]:
    engine.deploy({"f.form": form("f", *components), "p.bpmn": one_task(z("formDefinition", formId="f"), process=process)})
    case = engine.start("P", by="anna")
    return case, open_task(engine, case).key


def test_a_wrong_submission_is_refused_by_field_and_rule_and_nothing_changes(engine: Engine) -> None:
    case, key = with_form(engine, AGE)
    before = len(engine.journal(case))
    with pytest.raises(InvalidSubmission) as refused:
        engine.complete(key, {"age": 17, "surprise": 1}, by="anna")
    assert {problem.field for problem in refused.value.problems} == {"age", "surprise"}
    assert {problem.rule for problem in refused.value.problems} == {"X1.1", None}
    assert len(engine.journal(case)) == before
    assert open_task(engine, case).key == key


def test_an_accepted_submission_names_the_form_by_hash(engine: Engine) -> None:
    case, key = with_form(engine, AGE)
    engine.complete(key, {"age": 18}, by="anna", reason="符合条件")
    (submitted,) = [event for event in engine.journal(case) if event.kind == "FormSubmitted"]
    assert (submitted.payload["form_id"], submitted.payload["reason"]) == ("f", "符合条件")
    assert engine.variables(case) == {"age": 18}


def test_a_task_keeps_the_form_it_was_created_with(engine: Engine) -> None:
    case, key = with_form(engine, AGE)
    shown = open_task(engine, case).form_key
    engine.deploy({"f.form": form("f", AGE, NOTE)})
    assert open_task(engine, case).form_key == shown
    with pytest.raises(StaleForm):
        engine.complete(key, {"age": 20}, by="anna", form_hash="0" * 64)
    engine.complete(key, {"age": 20}, by="anna")


def test_forbidden_patterns_of_the_process_hold_in_every_form(engine: Engine) -> None:
    pattern = r'=[{pattern: "(^|\\D)1\\d{10}(\\D|$)", label: "手机号"}]'
    case, key = with_form(engine, NOTE, forbiddenPatterns=pattern)
    with pytest.raises(InvalidSubmission, match="手机号"):
        engine.complete(key, {"note": "请致电 13812345678"}, by="anna")
    engine.complete(key, {"note": "无"}, by="anna")
    assert engine.instance(case).state == "COMPLETED"


def test_files_are_bound_to_the_case_when_they_were_uploaded_by_the_person(engine: Engine) -> None:
    case, key = with_form(engine, {"type": "filepicker", "key": "files", "label": "附件", "multiple": True})
    file = engine.attach("note.pdf", "application/pdf", b"%PDF", by="anna")
    with pytest.raises(InvalidSubmission):
        engine.complete(key, {"files": [file]}, by="bo")
    engine.complete(key, {"files": [file]}, by="anna")
    assert engine.variables(case)["files"][0]["digest"] == file["digest"]


# --- drafts


def test_a_draft_is_kept_until_the_task_is_completed(engine: Engine) -> None:
    _, key = with_form(engine, AGE)
    with pytest.raises(NotAllowed):
        engine.save_draft(key, {"age": 1}, by="carl")
    engine.save_draft(key, {"age": 1}, by="anna")
    engine.save_draft(key, {"age": 2}, by="anna")
    assert engine.tasks()[0].has_draft
    engine.complete(key, {"age": 30}, by="anna")
    with pytest.raises(TaskNotOpen):
        engine.save_draft(key, {"age": 3}, by="anna")
