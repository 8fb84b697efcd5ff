"""Deployments, versions, starting cases, business ids, timers of start events."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine import Engine, commands, queries
from engine.errors import DeploymentRefused, InvalidSubmission, InvalidValue, NotAllowed, NotFound, StaleForm
from engine.store.library import Library
from tests.unit.commands.office import NOW, form, line, office, one_task, open_task, task, turn
from tests.unit.dmn.models import decision, definitions, literal
from tests.unit.kernel.drawing import chain, draw, end, ext, props, start, timer, user, z


@pytest.fixture
def engine() -> Engine:
    return office()


def test_the_same_content_is_the_same_version(engine: Engine) -> None:
    first = commands.deploy(engine.context, {"p.bpmn": one_task()}, "root")
    again = commands.deploy(engine.context, {"p.bpmn": one_task()}, "root")
    other = commands.deploy(engine.context, {"p.bpmn": one_task(name="neu")}, "root")
    assert [(d.definitions[0].version, d.definitions[0].new) for d in (first, again, other)] == [(1, True), (1, False), (2, True)]
    assert first.definitions[0].key == again.definitions[0].key
    assert [version.version for version in queries.definitions(engine.context, "P")] == [2, 1]
    assert queries.definition_file(engine.context, first.definitions[0].key) == ("p.bpmn", one_task())


def test_a_refused_file_changes_nothing(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy({"p.bpmn": one_task(name="new"), "bad.bpmn": b"<not-bpmn/>"})
    assert not refused.value.report.ok
    (version,) = queries.definitions(engine.context)
    assert version.version == 1
    assert engine.start("P")


def test_administrators_deploy_and_what_a_program_vouches_for(engine: Engine) -> None:
    with pytest.raises(NotAllowed):
        engine.deploy({"p.bpmn": one_task()}, by="anna")
    assert queries.definitions(engine.context) == ()
    for by in ("root", "some program", None):
        engine.deploy({"p.bpmn": one_task()}, by=by)


def test_a_wrong_form_is_refused_by_its_component(engine: Engine) -> None:
    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy({"f.form": form("f", {"type": "hologram", "label": "全息"})})
    assert any(finding.element_id == "c0" for finding in refused.value.report.refusals)


def test_running_cases_keep_their_version(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    old = engine.start("P")
    engine.deploy({"p.bpmn": draw(line(("t", task()), ("u", task("u"))))})
    new = engine.start("P")
    for case in (old, new):
        engine.complete(open_task(engine, case).key, by="anna")
    assert engine.instance(old).state == "COMPLETED"
    assert open_task(engine, new).element_id == "u"
    assert engine.instance(engine.start("P", version=1)).version == 1
    with pytest.raises(NotFound):
        engine.start("P", version=7)


def test_starting_what_is_not_there(engine: Engine) -> None:
    with pytest.raises(NotFound):
        engine.start("nothing")
    engine.deploy({"p.bpmn": one_task()})
    with pytest.raises(NotFound):
        engine.start("P", at=["nowhere"])
    with pytest.raises(InvalidValue):
        engine.start("P", {"x": object()})
    assert engine.tasks() == ()


def test_the_same_idempotency_key_starts_one_case(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    assert engine.start("P", by="anna", idempotency_key="1") == engine.start("P", by="anna", idempotency_key="1")
    assert engine.start("P", by="bo", idempotency_key="1") != engine.start("P", by="anna", idempotency_key="1")
    assert len(engine.tasks()) == 2


def test_starting_before_an_element(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task()), ("u", task("u"))))})
    assert open_task(engine, engine.start("P", at=["u"])).element_id == "u"


def test_business_ids_are_numbered_by_pattern(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task(process={"businessId": "A-{year}-{sequence:3}", "businessIdVariable": "number"})})
    cases = [engine.start("P") for _ in range(2)] + [engine.start("P", business_id="own")]
    assert [engine.instance(case).business_id for case in cases] == ["A-2026-001", "A-2026-002", "own"]
    assert [engine.variables(case)["number"] for case in cases] == ["A-2026-001", "A-2026-002", "own"]
    turn(engine, days=120)
    assert engine.instance(engine.start("P")).business_id == "A-2027-001"


def test_the_subject_follows_the_variables(engine: Engine) -> None:
    engine.deploy({"p.bpmn": draw(line(("t", task()), ("u", task("u")), process_properties=props(subject='="病例 " + code')))})
    case = engine.start("P", {"code": "S-1"})
    assert engine.instance(case).subject == "病例 S-1"
    engine.complete(open_task(engine, case).key, {"code": "S-2"}, by="anna")
    assert engine.instance(case).subject == "病例 S-2"
    assert engine.tasks(instance=case)[0].subject == "病例 S-2"


# --- by hand


def by_hand() -> tuple[bytes, bytes]:
    first = start(inner=ext(z("formDefinition", formId="f"), props(initiator="applicant")))
    body = ext(props(candidateStarterGroups="clerk")) + first + task() + end() + chain("s", "t", "e")
    return draw(body), form("f", {"type": "textfield", "key": "title", "label": "标题", "validate": {"required": True}})


def test_people_start_with_the_form_when_their_group_may(engine: Engine) -> None:
    diagram, sheet = by_hand()
    engine.deploy({"p.bpmn": diagram, "f.form": sheet})
    assert [item.bpmn_process_id for item in queries.start_list(engine.context, "anna")] == ["P"]
    assert queries.start_list(engine.context, "carl") == ()
    with pytest.raises(NotAllowed):
        engine.submit("P", {"title": "x"}, by="carl")
    with pytest.raises(InvalidSubmission):
        engine.submit("P", {}, by="anna")
    with pytest.raises(StaleForm):
        commands.submit_start_form(engine.context, "P", {"title": "x"}, "anna", form_hash="0")
    case = engine.submit("P", {"title": "一"}, by="anna")
    assert engine.variables(case) == {"title": "一", "applicant": "anna"}


def test_a_start_form_is_a_draft_until_it_is_sent(engine: Engine) -> None:
    diagram, sheet = by_hand()
    engine.deploy({"p.bpmn": diagram, "f.form": sheet})
    ctx = engine.context
    draft = commands.save_start_draft(ctx, "P", {"title": "半"}, "anna")
    assert commands.save_start_draft(ctx, "P", {"title": "半成"}, "anna", draft) == draft
    page = queries.start_page(ctx, "P", "anna", draft)
    assert page.draft is not None
    assert page.draft.data == {"title": "半成"}
    assert page.form is not None
    with pytest.raises(NotFound):
        commands.save_start_draft(ctx, "P", {}, "bo", draft)
    commands.submit_start_form(ctx, "P", {"title": "成"}, "anna", draft_key=draft)
    with pytest.raises(NotFound):
        commands.discard_start_draft(ctx, draft, "anna")


# --- start timers


def test_a_start_timer_fires_on_its_grid_and_the_newest_version_alone(engine: Engine) -> None:
    def every(period: str) -> bytes:
        return draw(start(inner=timer(period, "timeCycle")) + user("t") + end() + chain("s", "t", "e"))

    engine.deploy({"p.bpmn": every("R/P1D")})
    assert engine.next_due() == NOW + timedelta(days=1)
    for _ in range(3):
        turn(engine, days=1)
    assert len(engine.tasks()) == 3
    engine.deploy({"p.bpmn": every("R2/PT1H")})
    for _ in range(4):
        turn(engine, hours=1)
    assert len(engine.tasks()) == 5
    assert engine.next_due() is None


def test_a_start_date_that_is_past_never_comes(engine: Engine) -> None:
    body = start(inner=timer("2020-01-01T00:00:00Z", "timeDate")) + user("t") + end() + chain("s", "t", "e")
    engine.deploy({"p.bpmn": draw(body)})
    assert engine.next_due() is None


def test_a_start_timer_that_cannot_be_read_is_refused(engine: Engine) -> None:
    body = start(inner=timer("=nothing", "timeDate")) + user("t") + end() + chain("s", "t", "e")
    with pytest.raises(DeploymentRefused) as refused:
        engine.deploy({"p.bpmn": draw(body)})
    assert refused.value.element_id in {"s", None}
    assert queries.definitions(engine.context) == ()


def imported_rate(rate: str) -> bytes:
    """A file with one decision, which another file imports."""
    return definitions(decision("rate", literal(rate))).replace(b"urn:test", b"urn:rates")


def test_files_deployed_together_import_each_other_and_a_change_of_one_is_a_version_of_both(engine: Engine) -> None:
    """DMN 1.5, 6.3.3: what a file imports is part of what its decisions mean."""
    kind = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    fee = definitions(
        f'<import name="r" namespace="urn:rates" importType="{kind}"/>',
        decision("fee", literal("100 * r.rate")).replace(
            "<literalExpression",
            '<informationRequirement><requiredDecision href="urn:rates#rate"/></informationRequirement><literalExpression',
        ),
    )
    with pytest.raises(DeploymentRefused, match="urn:rates"):
        engine.deploy({"fee.dmn": fee})
    versions, results = [], []
    for rate in ("0.1", "0.1", "0.2"):
        deployed = commands.deploy(engine.context, {"fee.dmn": fee, "rates.dmn": imported_rate(rate)}, "root")
        versions.append({d.id: (d.version, d.new) for d in deployed.definitions})
        with engine.context.store.read() as reading:
            key = next(d.key for d in deployed.definitions if d.id == "fee")
            results.append(Library().decision(reading, key).model.evaluate("fee"))
    assert versions == [
        {"fee": (1, True), "rate": (1, True)},
        {"fee": (1, False), "rate": (1, False)},
        {"fee": (2, True), "rate": (2, True)},
    ]
    assert results == [Decimal("10"), Decimal("10"), Decimal("20")]


def test_of_two_files_of_one_namespace_the_location_names_the_imported_one(engine: Engine) -> None:
    fee = definitions(
        '<import name="r" namespace="urn:rates" locationURI="b/rates.dmn"/>',
        decision("fee", literal("r.rate")).replace(
            "<literalExpression",
            '<informationRequirement><requiredDecision href="urn:rates#rate"/></informationRequirement><literalExpression',
        ),
    )
    other = imported_rate("5").replace(b'id="rate"', b'id="other"')
    files = {"fee.dmn": fee, "rates.dmn": imported_rate("3"), "others.dmn": other}
    deployed = commands.deploy(engine.context, files, "root")
    with engine.context.store.read() as reading:
        key = next(d.key for d in deployed.definitions if d.id == "fee")
        assert Library().decision(reading, key).model.evaluate("fee") == 3
    with pytest.raises(DeploymentRefused, match="urn:rates"):
        engine.deploy({**files, "fee.dmn": fee.replace(b"b/rates.dmn", b"b/elsewhere.dmn")})
