"""Requirement graphs: inputs, decisions, knowledge models, services, imports, item definitions."""

from __future__ import annotations

import pytest

from engine import dmn, feel
from engine.dmn import loading
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


SERVICE = (
    '<decisionService id="svc" name="my svc"><variable name="my svc"/><outputDecision href="#out_1"/>'
    '<outputDecision href="#out2"/><encapsulatedDecision href="#inner"/><inputDecision href="#given"/><inputData href="#a"/>'
    "</decisionService>"
)
SERVED = (
    input_data("a", "number"),
    decision("given", literal("1000"), type_ref="number"),
    decision("inner", literal("a + given"), "input:a decision:given"),
    decision("out 1", literal("inner * 2"), "decision:inner"),
    decision("out2", literal("inner * 3"), "decision:inner"),
    SERVICE,
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("my svc(1, 2)", {"out 1": 6, "out2": 9}),
        ("my svc(given: 2, a: 1)", {"out 1": 6, "out2": 9}),
        ("my svc([1], 2)", {"out 1": 6, "out2": 9}),
        ('my svc("x", 2)', {"out 1": None, "out2": None}),
        ("my svc(1)", None),
        ("my svc(1, 2, 3)", None),
        ("my svc(a: 1)", None),
        ("my svc(a: 1, b: 2)", None),
    ],
)
def test_services_are_functions_of_input_data_then_input_decisions(call: str, expected: object) -> None:
    """DMN 1.5, 10.4 (decision services: parameters, one or several outputs), 10.3.2.13 (invocations)."""
    result = dmn.load(definitions(*SERVED, decision("d", literal(call), "knowledge:svc"))).explain("d")
    assert result.value == expected
    assert bool(result.warnings) is (expected is None or None in dict(result.value).values())


def test_a_service_is_closed() -> None:
    """DMN 1.5, 10.4: inside it there are its inputs and nothing else; what it does not decide is not worked out."""
    model = dmn.load(
        definitions(*SERVED, decision("free", literal("b")), decision("d", literal("my svc(1, 2)"), "knowledge:svc"))
    )
    assert model.variables("d") == set()
    assert model.variables("my svc") == {"a", "given"}
    assert [step["name"] for step in model.explain("d").trace] == ["inner", "out 1", "out2", "d"]


def test_one_imported_model_is_used_twice_with_inputs_of_its_own() -> None:
    """DMN 1.5, 6.3.3, 10.4: inputs of imported models are entries of contexts named like the imports."""

    def model(namespace: str, *parts: str) -> bytes:
        return definitions(*parts).replace(b"urn:test", namespace.encode())

    def requiring(name: str, text: str, *hrefs: str) -> str:
        lines = "".join(f'<informationRequirement><requiredDecision href="{href}"/></informationRequirement>' for href in hrefs)
        return f'<decision id="{name}" name="{name}"><variable name="{name}"/>{lines}{literal(text)}</decision>'

    imports = '<import name="{}" namespace="urn:{}" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'.format
    files = {
        "urn:a": model("urn:a", input_data("full name"), decision("greet", literal('"Hi " + full name'), "input:full_name")),
        "urn:b": model("urn:b", imports("A", "a"), requiring("one", "A.greet", "urn:a#greet")),
        "urn:c": model("urn:c", imports("A", "a"), requiring("two", "A.greet", "urn:a#greet")),
    }
    top = definitions(imports("m b", "b"), imports("", "c"), requiring("d", 'm b.one + "/" + two', "urn:b#one", "urn:c#two"))
    loaded = dmn.load(top, lambda namespace, _: files.get(namespace))
    assert loaded.check() == ()
    given = {"m b": {"A": {"full name": "X"}}, "A": {"full name": "Y"}}
    assert loaded.evaluate("d", given) == "Hi X/Hi Y"
    assert loaded.evaluate("m b.one", given) == "Hi X"
    assert loaded.evaluate("two", given) == "Hi Y"


def test_models_that_import_each_other_are_refused_by_name() -> None:
    xml = definitions('<import name="me" namespace="urn:test" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>')
    (found,) = dmn.load(xml, lambda namespace, _: xml).check()
    assert (found.verdict, found.attribute, "urn:test → urn:test" in found.reason) == ("refused", "import", True)


def test_importing_ever_more_ends() -> None:
    calls: list[str] = []

    def resolve(namespace: str, _: str | None) -> bytes:
        calls.append(namespace)
        imports = "".join(f'<import name="i{n}" namespace="{namespace}{n}"/>' for n in range(3))
        return definitions(imports).replace(b"urn:test", namespace.encode())

    model = dmn.load(definitions('<import name="i" namespace="x"/>'), resolve)
    assert len(calls) == loading.MAX_IMPORTS
    assert model.check() == ()  # what is wrong in an imported file is that file's


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ('isCollection="true"', '["a", "b"]', ["a", "b"]),
        ('isCollection="true"', '["c"]', None),
        ('isCollection="true"', '["a", "a", "b"]', None),
        ('isCollection="true"', '"a"', ["a"]),
        ("", '["a"]', "a"),
    ],
)
def test_allowed_values_are_of_items_and_constraints_of_the_whole(schema: str, text: str, expected: object) -> None:
    """DMN 1.5, 7.3 (ItemDefinition: allowedValues, typeConstraint, isCollection)."""
    constraint = "<typeConstraint><text>count(?) &lt; 3</text></typeConstraint>"
    values = f'<allowedValues><text>"a", "b"</text></allowedValues>{constraint}'
    item = f'<itemDefinition name="t" {schema}><typeRef>string</typeRef>{values}</itemDefinition>'
    assert dmn.load(definitions(item, decision("d", literal(text), type_ref="t"))).evaluate("d") == expected


TREE = (
    '<itemComponent name="v"><typeRef>number</typeRef></itemComponent><itemComponent name="kids" isCollection="true">'
    "<typeRef>t</typeRef></itemComponent>"
)
FUNCTION = '<functionItem outputTypeRef="number"><parameters name="a" typeRef="number"/></functionItem>'


@pytest.mark.parametrize(
    ("item", "text", "fits"),
    [
        (TREE, "{v: 1, kids: [{v: 2, kids: []}]}", True),
        (TREE, '{v: 1, kids: [{v: "x", kids: []}]}', False),
        (FUNCTION, "function(a: number) a + 1", True),
        (FUNCTION, "function(a: string) a + 1", False),
        ("<typeRef>t</typeRef>", "1", True),  # means nothing but itself: anything
    ],
)
def test_structured_recursive_and_function_types(item: str, text: str, fits: bool) -> None:
    """DMN 1.5, 7.3 (ItemDefinition), 10.3.2.9 (conformance)."""
    model = dmn.load(definitions(f'<itemDefinition name="t">{item}</itemDefinition>', decision("d", literal(text), type_ref="t")))
    assert (model.evaluate("d") is not None) is fits


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


SERVICE_OF_A = '<decisionService id="b" name="b"><outputDecision href="#a"/></decisionService>'


def bkm(name: str, text: str, requires: str = "") -> str:
    knowledge = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{required}"/></knowledgeRequirement>' for required in requires.split()
    )
    logic = f"<encapsulatedLogic>{literal(text)}</encapsulatedLogic>"
    return f'<businessKnowledgeModel id="{name}" name="{name}">{logic}{knowledge}</businessKnowledgeModel>'


@pytest.mark.parametrize(
    "parts",
    [
        (decision("a", literal("b"), "decision:b"), decision("b", literal("a"), "decision:a")),
        (decision("a", literal("a"), "decision:a"),),
        (bkm("a", "b()", "b"), bkm("b", "a()", "a")),
        (
            decision("a", literal("b()"), "knowledge:b"),
            '<decisionService id="b" name="b"><outputDecision href="#a"/></decisionService>',
        ),
    ],
)
def test_cycles_are_refused_by_name(parts: tuple[str, ...]) -> None:
    """DMN 1.5, 6.2 (requirements form no cycle)."""
    with pytest.raises(InvalidDecisionModel, match="“a” →") as caught:
        dmn.load(definitions(*parts))
    assert (caught.value.element_id, caught.value.line) == ("a", 1)


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
