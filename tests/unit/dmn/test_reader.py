"""Files as they come: any prefix and version; hostile ones are refused."""

from __future__ import annotations

import pytest

from engine import dmn
from engine.dmn import reader
from engine.errors import InvalidDecisionModel
from tests.unit.dmn.models import decision, definitions, literal, table


@pytest.mark.parametrize("namespace", sorted(reader.NAMESPACES))
def test_every_version_and_any_prefix(namespace: str) -> None:
    xml = (
        f'<dmn:definitions xmlns:dmn="{namespace}" xmlns:other="urn:x" name="m" namespace="n">'
        '<dmn:extensionElements><other:decision id="d"/></dmn:extensionElements>'
        '<dmn:decision id="d" name="d"><!-- note --><dmn:literalExpression><dmn:text>1 <![CDATA[< 2]]></dmn:text>'
        "</dmn:literalExpression></dmn:decision></dmn:definitions>"
    )
    assert dmn.load(xml).evaluate("d") is True


def test_ids_are_optional() -> None:
    xml = definitions(decision("d", literal("1"))).replace(b'<decision id="d"', b"<decision")
    assert dmn.load(xml).evaluate("d") == 1


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<definitions",
        b"<definitions/>",
        b"<html xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/'/>",
        b"<!DOCTYPE d [<!ENTITY x 'y'>]>" + definitions(),
        b"<!DOCTYPE d SYSTEM 'file:///etc/passwd'>" + definitions(),
        definitions("<context>" * 200 + "</context>" * 200),
        definitions("<context/>" * 100_001),
        b" " * 10_000_001,
        b"<definitions>\x00</definitions>",
    ],
)
def test_what_is_no_model_is_refused(xml: bytes) -> None:
    with pytest.raises(InvalidDecisionModel):
        dmn.load(xml)


FEEL = "https://www.omg.org/spec/DMN/20230324/FEEL/"


@pytest.mark.parametrize(
    ("language", "refused"),
    [("groovy", True), ("http://www.omg.org/spec/FEEL/20140401", False), (FEEL, False), ("feel", False), ("juel", True)],
)
def test_other_expression_languages_are_refused_by_name(language: str, refused: bool) -> None:
    """DMN 1.5, 7.3.1 (expressionLanguage of an expression), 6.3.2 (of the whole file), 7.3.2 (of unary tests)."""
    cells = table("UNIQUE", {"n": "number"}, {"out": "number"}, ["1 -> 1", "not(1) -> 2"])
    tests = definitions(decision("d", cells)).replace(b"<inputEntry>", f'<inputEntry expressionLanguage="{language}">'.encode())
    whole = definitions(decision("d", literal("1"))).replace(b' id="model"', f' expressionLanguage="{language}"'.encode())
    for xml in (definitions(decision("d", literal("1", f'expressionLanguage="{language}"'))), whole, tests):
        model = dmn.load(xml)
        assert model.evaluate("d", {"n": 1}) == (None if refused else 1)
        assert all(language in finding.reason for finding in model.check() if finding.verdict == "refused")
        assert any(finding.verdict == "refused" for finding in model.check()) is refused


NO_NAME = "<context><contextEntry><variable/><literalExpression><text>1</text></literalExpression></contextEntry></context>"


@pytest.mark.parametrize(
    ("parts", "verdict", "words"),
    [
        (decision("d", literal("1")) * 2, "refused", "d 出现两次"),
        (decision("d", '<literalExpression id="x"><text>1</text></literalExpression>', "") + '<inputData id="x" name="y"/>',
         "refused", "x 出现两次"),
        (decision("d", literal("1") * 2), "refused", "2 个表达式"),
        (decision("d", "<literalExpresion><text>1</text></literalExpresion>"), "refused", "literalExpresion"),
        (decision("d", f"<conditional><if>{literal('true')}</if><then>{literal('1')}</then></conditional>"), "refused", "else"),
        (decision("d", f"<filter><match>{literal('true')}</match></filter>"), "refused", "缺少 in"),
        (decision("d", NO_NAME), "refused", "variable 没有名称"),
        (decision("d", "<invocation/>"), "warning", "没有表达式"),
        ('<decision id="d"/>', "warning", "没有名称"),
        ("<decision/>", "refused", "既没有名称也没有标识"),
        ('<decision id="d" name="d"><informationRequirement><requiredInput/></informationRequirement></decision>',
         "refused", "href"),
        ('<decisionService id="d" name="d"/>', "refused", "输出决策"),
        (decision("d", '<literalExpression><importedValues namespace="n"/></literalExpression>'), "refused", "importedValues"),
        (decision("d", f'<relation><column name="a"/><row>{literal("1") * 2}</row></relation>'), "refused", "第 1 行有 2 格"),
        (decision("d", table("UNIQUE", {"": "number"}, {"out": "number"}, ["1 -> 1"])), "refused", "输入列没有表达式"),
        (decision("d", table("FIRST", {"": "number"}, {"out": "number"}, ["- -> 1"])), "warning", "输入列没有表达式"),
    ],
)  # fmt: skip
def test_what_the_schema_forbids_is_told_with_its_place(parts: str, verdict: str, words: str) -> None:
    """DMN 1.5, DMN15.xsd."""
    findings = dmn.load(definitions(parts)).check()
    (found,) = [finding for finding in findings if words in finding.reason]
    assert (found.verdict, found.line) == (verdict, 1)


def test_syntax_errors_have_line_column_and_element() -> None:
    cell = '<inputEntry id="cell">\n\n<text>&lt; 5,\n  )</text></inputEntry>'
    xml = definitions(decision("d", table("UNIQUE", {"n": "number"}, {"out": "number"}, ["1 -> 1"])))
    (found,) = dmn.load(xml.replace(b"<inputEntry><text>1</text></inputEntry>", cell.encode())).check()
    assert (found.code, found.element_id, found.element_name, found.line, found.column) == ("syntax", "cell", "规则 1 n", 4, 3)


def test_camundas_extensions_are_taken() -> None:
    xml = (
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:camunda="http://camunda.org/schema/1.0/dmn" '
        b'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:biodi="http://bpmn.io/schema/dmn/biodi/2.0" id="m" name="m" '
        b'namespace="http://camunda.org/schema/1.0/dmn"><decision id="d" name="D" camunda:historyTimeToLive="P30D">'
        b'<extensionElements><zeebe:versionTag value="v1"/></extensionElements><decisionTable id="t" biodi:annotationsWidth="9">'
        b'<input id="i" biodi:width="192" camunda:inputVariable="amount"><inputExpression id="e" typeRef="integer"><text>n</text>'
        b'</inputExpression></input><output id="o" name="out" typeRef="long" biodi:width="9"/><rule id="r"><inputEntry id="c">'
        b'<text>amount &gt; 5</text></inputEntry><outputEntry id="u"><text>1</text></outputEntry></rule></decisionTable>'
        b"</decision></definitions>"
    )
    model = dmn.load(xml)
    assert model.evaluate("d", {"n": 6}) == 1
    assert model.evaluate("D", {"n": 5}) is None
    assert [finding.code for finding in model.check()] == ["gap"]
    assert model.decisions["d"].version_tag == "v1"


@pytest.mark.parametrize(
    "written", ["feel:number", "f:number", "xs:integer", "mine:amount", "other.rate", "o:rate", "list&lt;number>"]
)
def test_types_are_found_in_whatever_way_they_are_written(written: str) -> None:
    """DMN 1.1 had qualified names (6.3.2, 7.3.2 there), later versions plain ones."""
    other = (
        b'<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" name="o" namespace="urn:o">'
        b'<itemDefinition name="rate"><typeRef>number</typeRef></itemDefinition></definitions>'
    )
    xml = (
        '<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" xmlns:f="http://www.omg.org/spec/FEEL/20140401" '
        'xmlns:feel="http://www.omg.org/spec/FEEL/20140401" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:mine="urn:m" '
        'xmlns:o="urn:o" name="m" namespace="urn:m"><import name="other" namespace="urn:o"/>'
        '<itemDefinition name="amount"><typeRef>feel:number</typeRef></itemDefinition>'
        f'<decision id="d" name="d"><variable name="d" typeRef="{written}"/>{literal("x")}</decision></definitions>'
    )
    model = dmn.load(xml, lambda namespace, _: other if namespace == "urn:o" else None)
    assert model.check() == ()
    assert model.evaluate("d", {"x": 1}) in (1, [1])
    assert model.evaluate("d", {"x": "a"}) is None
