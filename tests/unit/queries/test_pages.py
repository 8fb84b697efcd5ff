"""Task page, case page, lists, alerts, statistics – and what one may not see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine, commands, queries
from engine.errors import NotFound
from tests.unit.commands.office import NOW, form, line, office, one_task, open_task, task, turn
from tests.unit.kernel.drawing import (
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
    service,
    start,
    timer,
    undone_by,
    z,
)


@pytest.fixture
def engine() -> Engine:
    return office()


def with_form(engine: Engine) -> int:
    sheet = form("f", {"type": "textfield", "key": "title", "label": "标题", "properties": {"label:en": "Title"}})
    engine.deploy({"f.form": sheet, "p.bpmn": one_task(z("formDefinition", formId="f"), process={"summary": "title,missing"})})
    return engine.start("P", {"title": "一"}, by="anna")


def test_a_task_page(engine: Engine) -> None:
    case = with_form(engine)
    key = open_task(engine, case).key
    engine.save_draft(key, {"title": "二"}, by="bo")
    page = queries.task(engine.context, key, "bo")
    assert page.form is not None
    assert (page.form.form_id, page.variables, page.draft) == ("f", {"title": "一"}, {"title": "二"})
    assert [(fact.name, fact.label, fact.label_en, fact.value) for fact in page.facts] == [("title", "标题", "Title", "一")]
    assert (page.may_claim, page.may_complete, page.may_unclaim, page.may_assign, page.reason) == (
        True,
        False,
        False,
        False,
        None,
    )
    engine.claim(key, by="bo")
    page = queries.task(engine.context, key, "bo")
    assert (page.may_claim, page.may_complete, page.may_unclaim, page.may_assign) == (False, True, True, True)
    assert [found.command for found in page.history] == ["start_instance", "claim_task"]
    assert page.history[1].actor_name == "Bo"


def test_who_has_nothing_to_do_with_it_does_not_see_it(engine: Engine) -> None:
    case = with_form(engine)
    key = open_task(engine, case).key
    for read in (queries.task, queries.instance, queries.journal, queries.attachments):
        with pytest.raises(NotFound):
            read(engine.context, key if read is queries.task else case, "carl")
    for who in ("anna", "bo", "root", "audrey"):
        assert queries.instance(engine.context, case, who).instance.key == case
    page = queries.task(engine.context, key, "audrey")
    assert (page.may_claim, page.variables, page.reason) == (False, {}, "任务未分配给您")
    assert queries.instances(engine.context, "carl").instances == ()
    assert [found.key for found in queries.instances(engine.context, "bo").instances] == [case]


def test_the_due_clock_without_the_time_it_stood_still(engine: Engine) -> None:
    body = line(("t", task("t", z("taskSchedule", dueDate="=due"), props(clock="review"))))
    body += boundary("b", "t", event("message", "m"), interrupting=False) + task("u", props(stops="review")) + flow("b", "u")
    engine.deploy({"p.bpmn": draw(body, message("m", "question", '="k"'))})
    case = engine.start("P", {"due": (NOW + timedelta(hours=10)).isoformat()})
    turn(engine, hours=1)
    engine.publish("question", "k")
    turn(engine, hours=2)
    key = open_task(engine, case, "t").key
    clock = queries.task(engine.context, key, "anna").clock
    assert (clock.due_at, clock.gross_seconds, clock.net_seconds, clock.stopped) == (None, 3 * 3600, 3600, True)
    engine.complete(open_task(engine, case, "u").key, by="anna")
    turn(engine, hours=1)
    clock = queries.task(engine.context, key, "anna").clock
    assert (clock.gross_seconds, clock.net_seconds, clock.stopped) == (4 * 3600, 2 * 3600, False)
    assert clock.due_at == NOW + timedelta(hours=12)


def test_a_case_page(engine: Engine) -> None:
    offered = draw(
        line(("t", task("t", props(name_="x"))))
        + '<b:boundaryEvent id="b" name="补充" attachedToRef="t" cancelActivity="false"><b:extensionElements>'
        + props(offeredTo="user:bo")
        + '</b:extensionElements><b:messageEventDefinition messageRef="m"/></b:boundaryEvent>'
        + boundary("w", "t", timer("PT1H"), interrupting=False)
        + end("x")
        + end("y")
        + flow("b", "x")
        + flow("w", "y"),
        message("m", "more", '="k"'),
    )
    engine.deploy({"p.bpmn": offered})
    case = engine.start("P", {"x": 1}, by="anna")
    page = queries.instance(engine.context, case, "bo")
    assert [(found.element_id, found.state) for found in page.elements if found.state == "ACTIVE"][-1] == ("t", "ACTIVE")
    assert [(found.element_id, found.due_at) for found in page.timers] == [("w", NOW + timedelta(hours=1))]
    assert [(found.scope_element_id, found.name, found.value) for found in page.variables] == [("P", "x", 1)]
    assert [found.name for found in page.offers] == ["补充"]
    assert queries.instance(engine.context, case, "anna").offers == ()
    sheet = queries.offer(engine.context, page.offers[0].key, "bo")
    assert (sheet.form, sheet.variables) == (None, {"x": 1})
    with pytest.raises(NotFound):
        queries.offer(engine.context, page.offers[0].key, "anna")


def test_votes_are_hidden_until_the_round_is_closed(engine: Engine) -> None:
    round_ = each("voters", "voter", collect="votes", result="{who: voter, vote: vote}")
    vote = task("t", props(visibleTo="chair"), io({"vote": "=null"}), inner=round_)
    engine.deploy({"p.bpmn": draw(line(("t", vote), ("u", task("u"))))})
    case = engine.start("P", {"voters": ["anna", "bo"]}, by="anna")
    first, second = engine.tasks(instance=case)
    engine.complete(first.key, {"vote": "no"}, by="anna")

    def seen(who: str) -> str:
        page = queries.instance(engine.context, case, who)
        told = [event for entry in queries.journal(engine.context, case, who) for event in entry.events]
        return f"{page.variables} {told}"

    engine.set_groups("carl", ["chair", "clerk"])
    assert "'no'" not in seen("bo")
    assert "'no'" in seen("carl")
    engine.complete(second.key, {"vote": "yes"}, by="bo")
    assert "'no'" in seen("bo")
    assert engine.variables(case)["votes"] == [{"who": "anna", "vote": "no"}, {"who": "bo", "vote": "yes"}]


def test_what_can_be_undone_of_a_hidden_round_is_hidden_until_it_is_closed(engine: Engine) -> None:
    vote = task("t", props(visibleTo="chair"), io({"vote": "=null"}), inner=each("voters", "voter"))
    taken_back = task("-t").replace("<b:userTask", '<b:userTask isForCompensation="true"')
    engine.deploy({"p.bpmn": draw(line(("t", vote), ("u", task("u"))) + undone_by("t", taken_back, "-t"))})
    case = engine.start("P", {"voters": ["anna", "bo"]}, by="anna")
    first, second = engine.tasks(instance=case)
    engine.complete(first.key, {"vote": "no"}, by="anna")
    engine.set_groups("carl", ["chair", "clerk"])
    assert "'no'" not in str(queries.instance(engine.context, case, "bo").variables)
    assert "'no'" in str(queries.instance(engine.context, case, "carl").variables)
    engine.complete(second.key, {"vote": "yes"}, by="bo")
    assert "'no'" in str(queries.instance(engine.context, case, "bo").variables)


def test_nothing_in_a_hidden_round_is_told_and_nothing_it_called(engine: Engine) -> None:
    """A round whose members write reasons, hand in files and call a process: none of it is seen before it closes."""
    parts = {"type": "filepicker", "key": "files", "label": "附件"}, {"type": "textfield", "key": "vote", "label": "意见"}
    called = element(
        "callActivity", "call", ext(z("calledElement", processId="C", propagateAllChildVariables="false"), io({"vote": "=vote"}))
    )
    inner = start("is") + task("t", z("formDefinition", formId="f")) + called + end("ie") + chain("is", "t", "call", "ie")
    hidden = props(visibleTo="chair")
    round_ = element("subProcess", "r", ext(hidden, io({"vote": "=null", "files": "=null"})) + each("voters", "voter") + inner)
    child = draw(line(("ct", task("ct", group="chair"))), process_id="C")
    engine.deploy({"f.form": form("f", *parts), "c.bpmn": child, "p.bpmn": draw(line(("r", round_), ("u", task("u"))))})
    case = engine.start("P", {"voters": ["anna", "bo"]}, by="bo")
    first, second = engine.tasks(instance=case)
    file = engine.attach("secret.pdf", "application/pdf", b"%PDF", by="anna")
    engine.complete(first.key, {"vote": "secret vote", "files": [file]}, by="anna", reason="secret reason")
    (sub,) = engine.children(case)
    engine.set_groups("carl", ["chair", "clerk"])

    def seen(who: str) -> str:
        pages = [queries.instance(engine.context, key, who) for key in (case, sub.key)]
        told = [queries.journal(engine.context, key, who) for key in (case, sub.key)]
        files = [queries.attachments(engine.context, key, who) for key in (case, sub.key)]
        task_page = queries.task(engine.context, first.key, who)
        return f"{[(page.facts, page.variables) for page in pages]} {told} {files} {task_page.facts} {task_page.history}"

    def told_to(who: str) -> set[str]:
        return {word for word in ("secret vote", "secret reason", "secret.pdf") if word in seen(who)}

    everything = {"secret vote", "secret reason", "secret.pdf"}
    for _ in ("while it runs", "when the called case has ended"):
        assert (told_to("bo"), told_to("carl"), told_to("audrey")) == (set(), everything, everything)
        with pytest.raises(NotFound):
            queries.attachment_content(engine.context, file["digest"], "bo")
        for waiting in engine.tasks(instance=sub.key):
            engine.complete(waiting.key, by="carl")
    engine.complete(second.key, {"vote": "no"}, by="bo")
    engine.complete(open_task(engine, engine.children(case)[1].key).key, by="carl")
    assert (told_to("bo"), told_to("carl")) == (everything, everything)
    assert queries.attachment_content(engine.context, file["digest"], "bo").content == b"%PDF"


def notifying() -> bytes:
    told = io({"toGroups": '=["chair"]', "kind": '="overdue"', "subject": '="逾期"', "text": '="请办理"'})
    return draw(line(("n", service("n", told, job="notify")), ("t", task())))


def test_alerts(engine: Engine) -> None:
    engine.deploy({"p.bpmn": notifying()})
    case = engine.start("P", by="anna")
    (found,), more = queries.alerts(engine.context, "carl")
    assert (found.kind, found.subject, found.recipients, found.read_at, more) == ("overdue", "逾期", ("carl",), None, False)
    assert str(queries.unread_alerts(engine.context, "carl")) == "1"
    assert queries.instance(engine.context, case, "carl").alerts[0].key == found.key
    assert commands.mark_alerts_read(engine.context, "carl", [found.key]) == 1
    assert commands.mark_alerts_read(engine.context, "carl") == 0
    assert str(queries.unread_alerts(engine.context, "carl")) == "0"
    assert queries.alerts(engine.context, "carl", unread=True) == ((), False)
    assert engine.alerts(case)[0].groups == ("chair",)


def test_lists_of_cases(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task()})
    cases = [engine.start("P", by="anna", business_id=f"B-{number}") for number in range(3)]
    engine.cancel(cases[0], by="root", reason="x")
    engine.suspend(cases[1], by="root", reason="y")

    def listed(**more: object) -> list[int]:
        return [found.key for found in queries.instances(engine.context, "root", **more).instances]

    assert listed() == cases[::-1]
    assert listed(state="TERMINATED") == [cases[0]]
    assert listed(state="suspended") == [cases[1]]
    assert listed(search="b-2") == [cases[2]]
    assert listed(bpmn_process_id="Q") == []
    assert listed(started_from=NOW + timedelta(seconds=1)) == []
    assert listed(started_to=NOW + timedelta(seconds=1)) == cases[::-1]


def test_statistics(engine: Engine) -> None:
    engine.deploy({"p.bpmn": one_task(z("taskSchedule", dueDate="=due"), name="审查")})
    due = (NOW + timedelta(hours=2)).isoformat()
    cases = [engine.start("P", {"due": due}) for _ in range(4)]
    for case in cases[:3]:
        turn(engine, hours=1)
        engine.complete(open_task(engine, case).key, by="anna")
    found = queries.statistics(engine.context, "P")
    assert (found.running, found.started, found.completed, found.terminated, found.median_seconds) == (1, 4, 3, 0, 7200)
    (element,) = found.elements
    assert (element.name, element.open, element.overdue, element.completed, element.median_seconds) == ("审查", 1, 1, 3, 7200)
    assert element.in_time == pytest.approx(2 / 3)
    assert queries.statistics(engine.context, "P", NOW + timedelta(days=1)).completed == 0


def test_definitions_and_their_files(engine: Engine) -> None:
    case = with_form(engine)
    (version,) = queries.definitions(engine.context)
    assert (version.running, version.newest, version.version, version.resource_name) == (1, True, 1, "p.bpmn")
    assert queries.definition_xml(engine.context, version.key).startswith("<?xml")
    assert queries.deployment_report(engine.context, version.deployment_key)["ok"] is True
    assert [(item.kind, item.id) for item in queries.resources(engine.context, "form")] == [("form", "f")]
    assert queries.process_names(engine.context) == {"P": "P"}
    with pytest.raises(NotFound):
        queries.definition_file(engine.context, case)


def test_attachments_are_for_those_who_may_see_the_case(engine: Engine) -> None:
    engine.deploy(
        {
            "f.form": form("f", {"type": "filepicker", "key": "files", "label": "附件"}),
            "p.bpmn": one_task(z("formDefinition", formId="f")),
        }
    )
    case = engine.start("P", by="anna")
    file = engine.attach("a.pdf", "application/pdf", b"%PDF", by="bo")
    with pytest.raises(NotFound):
        queries.attachment_content(engine.context, file["digest"], "anna")
    engine.complete(open_task(engine, case).key, {"files": [file]}, by="bo")
    assert queries.attachment_content(engine.context, file["digest"], "anna").content == b"%PDF"
    assert [found.name for found in queries.attachments(engine.context, case, "anna")] == ["a.pdf"]
    with pytest.raises(NotFound):
        queries.attachment_content(engine.context, file["digest"], "carl")


def test_substitutions(engine: Engine) -> None:
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1), groups=["clerk"])
    (found,) = queries.substitutions(engine.context, "carl")
    assert (found.absent_name, found.substitute_name, found.groups, found.active) == ("Anna", "Carl", ("clerk",), True)
    assert queries.substitutions(engine.context, "bo") == ()


def test_a_process_names_its_variables_and_their_values_itself(engine: Engine) -> None:
    sheet = form("f", {"type": "textfield", "key": "title", "label": "标题（如有变化请更新）"})
    own = {
        "summary": "title,stage",
        "label:title": "标题",
        "label:stage": "阶段",
        "label:stage:en": "Stage",
        "option:stage:final": "已列入",
    }
    engine.deploy({"f.form": sheet, "p.bpmn": one_task(z("formDefinition", formId="f"), process=own)})
    case = engine.start("P", {"title": "一", "stage": "final"}, by="anna")
    definition = engine.instance(case).process_definition_key
    labels = queries.variable_labels(engine.context, definition)
    assert (labels["title"], labels["stage"]) == (("标题", "标题"), ("阶段", "Stage"))
    assert queries.option_labels(engine.context, definition)["stage"] == {"final": "已列入"}
