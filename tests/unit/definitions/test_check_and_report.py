"""All files of a deployment together, and the report as people and programs read it."""

from __future__ import annotations

import json

from engine import definitions
from tests.unit.kernel.drawing import chain, draw, element, end, ext, start, user, z

FORM = {
    "id": "f",
    "type": "default",
    "components": [{"id": "c", "type": "textfield", "key": "k", "label": "名称", "conditional": {"hide": "=a = 1"}}],
}
BODY = start() + user("u", z("formDefinition", formId="f"), name="审查") + end() + chain("s", "u", "e")


def form(**changes: object) -> bytes:
    return json.dumps({**FORM, **changes}).encode()


def test_what_a_process_asks_for_is_there() -> None:
    report = definitions.check({"p.bpmn": draw(BODY), "f.form": form()})
    assert report.ok
    assert not report.warnings


def test_what_is_not_in_the_deployment_is_a_warning() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    rule = element("businessRuleTask", "r", ext(z("calledDecision", decisionId="d", resultVariable="x")))
    body = start() + user("u", z("formDefinition", formId="f")) + call + rule + end() + chain("s", "u", "c", "r", "e")
    report = definitions.check({"p.bpmn": draw(body)})
    assert report.ok
    assert {(w.element_id, w.attribute) for w in report.warnings} == {("u", "formId"), ("c", "processId"), ("r", "decisionId")}
    both = definitions.check(
        {"p.bpmn": draw(body), "f.form": form(), "c.bpmn": draw(start() + end() + chain("s", "e"), process_id="child")}
    )
    assert {w.element_id for w in both.warnings} == {"r"}


def test_a_process_in_two_files_and_a_form_in_two_files() -> None:
    report = definitions.check({"a.bpmn": draw(BODY), "b.bpmn": draw(BODY), "f.form": form(), "g.form": form()})
    assert [(f.resource, f.element_id) for f in report.refusals] == [("g.form", "f"), ("b.bpmn", "P")]


def test_files_that_are_no_forms() -> None:
    assert not definitions.check({"f.form": b"{"}).ok
    assert not definitions.check({"f.form": b"[]"}).ok
    assert not definitions.check({"f.form": b"[" * 100_000}).ok
    assert not definitions.check({"f.form": b'{"components": []}'}).ok
    assert not definitions.check({"f.form": b'{"id": "f", "components": []}' + b" " * 2_000_000}).ok


def test_a_decision_that_calls_what_is_not_there_is_refused() -> None:
    head = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="D" name="D" namespace="n">'
    head += '<decision id="d" name="d">'
    data = f'{head}<literalExpression id="l"><text>nonsense(1)</text></literalExpression></decision></definitions>'.encode()
    report = definitions.check({"d.dmn": data})
    assert not report.ok
    assert ("d.dmn", "executed") in {(f.resource, f.verdict) for f in report.findings}


def test_other_files_and_none() -> None:
    assert not definitions.check({"run.sh": b"rm"}).ok
    assert not definitions.check({}).ok


def test_a_broken_decision_table_is_a_refusal() -> None:
    assert [f.resource for f in definitions.check({"d.dmn": b"<x/>"}).refusals] == ["d.dmn"]


def test_the_report_for_people_and_programs() -> None:
    report = definitions.check({"p.bpmn": draw(start() + user("u", z("nonsense"), name="审查") + end() + chain("s", "u", "e"))})
    text = report.as_text("zh")
    assert text.startswith("不能部署")
    assert "[拒绝] p.bpmn" in text
    assert "「审查」" in text
    assert report.as_text("en").startswith("cannot be deployed")
    assert len(report.as_text(everything=True).splitlines()) > len(text.splitlines())
    data = json.loads(json.dumps(report.as_json()))
    assert data["ok"] is False
    assert {"verdict", "resource", "element_id", "element_name", "element_type", "attribute", "reason", "line"} == set(
        data["findings"][0]
    )
