"""Requirement graphs: inputs, decisions, knowledge models, services, imports, item definitions."""

from __future__ import annotations

import pytest

from engine import dmn, feel
from engine.errors import EvaluationFailed, InvalidDecisionModel, NotFound
from tests.unit.dmn.models import decision, definitions, input_data, literal, table

KNOWLEDGE = (
    '<businessKnowledgeModel id="fee" name="fee"><variable name="fee"/><encapsulatedLogic>'
    '<formalParameter name="amount" typeRef="number"/><formalParameter name="rate" typeRef="number"/>'
    f"{literal('amount * rate')}</encapsulatedLogic></businessKnowledgeModel>"
)


def test_decisions_see_what_they_require_by_name_or_id() -> None:
    model = dmn.load(
        definitions(
            input_data("the amount", "number"),
            decision("net amount", literal("the amount - 10"), "input:the_amount"),
            decision("double", literal("net amount * 2"), "decision:net_amount"),
            decision("by id", literal("net_amount * 3"), "decision:net_amount"),
        )
    )
    assert model.evaluate("double", {"the amount": 60}) == 100
    assert model.evaluate("by id", {"the amount": 60}) == 150
    assert model.evaluate("by_id", {"the amount": 60}) == 150
    assert model.variables("double") == {"the amount"}


def test_process_variables_need_no_drawn_input_but_drawn_inputs_need_a_line() -> None:
    model = dmn.load(definitions(input_data("drawn"), decision("d", literal("[drawn, free]"))))
    assert model.evaluate("d", {"drawn": 1, "free": 2}) == [None, 2]
    assert [finding.code for finding in model.check()] == ["unknown-name", "unknown-name"]


def test_inputs_are_checked_against_their_type() -> None:
    item = (
        '<itemDefinition name="status"><typeRef>string</typeRef>'
        '<allowedValues><text>"open", "closed"</text></allowedValues></itemDefinition>'
        '<itemDefinition name="case"><itemComponent name="filed on"><typeRef>date</typeRef></itemComponent></itemDefinition>'
    )
    model = dmn.load(
        definitions(
            item,
            input_data("s", "status"),
            input_data("c", "case"),
            decision("d", literal("s"), "input:s"),
            decision("year", literal("c.filed on.year"), "input:c"),
        )
    )
    assert model.evaluate("d", {"s": "open"}) == "open"
    assert model.evaluate("d", {"s": "lost"}) is None
    assert model.evaluate("year", {"c": {"filed on": "2026-03-01"}}) == 2026


def test_results_are_made_to_fit_their_type() -> None:
    items = '<itemDefinition name="names" isCollection="true"><typeRef>string</typeRef></itemDefinition>'
    model = dmn.load(
        definitions(
            items,
            decision("one", literal('["x"]'), type_ref="string"),
            decision("many", literal('"x"'), type_ref="names"),
            decision("wrong", literal("1"), type_ref="names"),
            decision("moment", literal('date("2026-01-01")'), type_ref="dateTime"),
        )
    )
    assert model.evaluate("one") == "x"
    assert model.evaluate("many") == ["x"]
    assert model.evaluate("wrong") is None
    assert str(model.evaluate("moment")) == "2026-01-01T00:00:00Z"


def test_knowledge_models_are_called_and_call_themselves() -> None:
    factorial = (
        '<businessKnowledgeModel id="f" name="factorial"><variable name="factorial"/><encapsulatedLogic>'
        f'<formalParameter name="n"/>{literal("if n <= 1 then 1 else n * factorial(n - 1)")}'
        "</encapsulatedLogic></businessKnowledgeModel>"
    )
    model = dmn.load(
        definitions(
            KNOWLEDGE,
            factorial,
            decision("d", literal("fee(100, rate: 2)"), "knowledge:fee"),
            decision("e", literal("fee(rate: 0.5, amount: 100)"), "knowledge:fee"),
            decision("g", literal("factorial(5)"), "knowledge:f"),
            decision("endless", literal("factorial(1000)"), "knowledge:f"),
        )
    )
    assert model.evaluate("e") == 50
    assert model.evaluate("g") == 120
    assert model.evaluate("fee", {"amount": 10, "rate": 3}) == 30
    with pytest.raises(EvaluationFailed):
        model.evaluate("endless")
    assert {finding.code for finding in model.check()} == {"syntax"}  # d mixes named and unnamed arguments


def test_an_expression_that_cannot_be_read_is_a_finding_and_null() -> None:
    model = dmn.load(definitions(decision("bad", literal("1 +\n* 2")), decision("good", literal("1"))))
    assert model.evaluate("bad") is None
    assert model.evaluate("good") == 1
    (finding,) = model.check()
    assert (finding.verdict, finding.code, finding.element_name, finding.column) == ("refused", "syntax", "bad", 1)
    assert finding.line == 2


def test_decision_services_are_evaluated_and_called() -> None:
    service = (
        '<decisionService id="svc" name="svc"><variable name="svc"/><outputDecision href="#out"/>'
        '<encapsulatedDecision href="#inner"/><inputDecision href="#given"/><inputData href="#a"/></decisionService>'
    )
    model = dmn.load(
        definitions(
            input_data("a", "number"),
            decision("given", literal("1000")),
            decision("inner", literal("a + given"), "input:a decision:given"),
            decision("out", literal("inner * 2"), "decision:inner"),
            service,
            decision("caller", literal("svc(1, 2)"), "knowledge:svc"),
            decision("named", literal("svc(given: 1, a: 4)"), "knowledge:svc"),
        )
    )
    assert model.evaluate("svc", {"a": 1, "given": 2}) == 6
    assert model.evaluate("caller", {"a": 77}) == 6
    assert model.evaluate("named") == 10
    assert model.evaluate("out", {"a": 1}) == 2002
    assert model.decisions["svc"].kind == "decision service"


def test_imports_are_seen_under_their_name() -> None:
    other = definitions(
        '<itemDefinition name="grade"><typeRef>string</typeRef><allowedValues><text>"A"</text></allowedValues></itemDefinition>',
        input_data("who"),
        decision("greeting", literal('"hello " + who'), "input:who"),
        KNOWLEDGE,
    ).replace(b"urn:test", b"urn:other")
    importing = definitions(
        '<import name="my lib" namespace="urn:other" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        '<decision id="d" name="d"><variable name="d"/><informationRequirement><requiredDecision href="urn:other#greeting"/>'
        '</informationRequirement><knowledgeRequirement><requiredKnowledge href="urn:other#fee"/></knowledgeRequirement>'
        + literal("my lib.greeting + string(my lib.fee(2, 3))")
        + "</decision>",
        decision("typed", literal('"B"'), type_ref="my lib.grade"),
    )
    model = dmn.load(importing, lambda namespace, location: other if namespace == "urn:other" else None)
    assert model.evaluate("d", {"my lib": {"who": "Li"}}) == "hello Li6"
    assert model.evaluate("d", {"who": "Wu"}) == "hello Wu6"
    assert model.evaluate("typed") is None
    assert dmn.load(importing).check()[0].code == "reference"


def test_one_budget_for_the_whole_graph() -> None:
    counting = decision("a", literal("count(for i in 1..900 return i)"))
    model = dmn.load(definitions(counting, decision("b", literal("a"), "decision:a")))
    environment = feel.Environment(limits=feel.Limits(steps=500))
    with pytest.raises(EvaluationFailed):
        model.evaluate("b", {}, environment)


def test_long_chains_of_decisions_are_evaluated() -> None:
    parts = [decision("d0", literal("1"))]
    parts += [decision(f"d{n}", literal(f"d{n - 1} + 1"), f"decision:d{n - 1}") for n in range(1, 1500)]
    assert dmn.load(definitions(*parts)).evaluate("d1499") == 1500


def test_unknown_decisions_are_not_found() -> None:
    with pytest.raises(NotFound):
        dmn.load(definitions()).evaluate("nothing")


def test_decisions_that_require_themselves_are_refused() -> None:
    with pytest.raises(InvalidDecisionModel, match="cycle") as caught:
        dmn.load(definitions(decision("a", literal("b"), "decision:b"), decision("b", literal("a"), "decision:a")))
    assert caught.value.element_id in ("a", "b")


def test_dangling_references_are_findings() -> None:
    model = dmn.load(definitions(decision("a", literal("1"), "decision:gone")))
    assert [(f.verdict, f.code) for f in model.check()] == [("refused", "reference")]
    assert model.evaluate("a") == 1


def test_a_table_in_a_knowledge_model_is_traced() -> None:
    knowledge = (
        '<businessKnowledgeModel id="k" name="k"><encapsulatedLogic><formalParameter name="n"/>'
        + table("UNIQUE", {"n": "number"}, {"out": "string"}, ['> 1 -> "big"', '<= 1 -> "small"'])
        + "</encapsulatedLogic></businessKnowledgeModel>"
    )
    model = dmn.load(definitions(knowledge, decision("d", literal("k(5)"), "knowledge:k")))
    result = model.explain("d")
    assert result.value == "big"
    assert [entry["kind"] for entry in result.trace] == ["decision table", "decision"]
