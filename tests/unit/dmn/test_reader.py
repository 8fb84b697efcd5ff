"""Files as they come: any prefix and version; hostile ones are refused."""

from __future__ import annotations

import pytest

from engine import dmn
from engine.dmn import reader
from engine.errors import InvalidDecisionModel
from tests.unit.dmn.models import decision, definitions, literal


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


def test_other_expression_languages_are_findings() -> None:
    model = dmn.load(definitions(decision("d", literal("1", 'expressionLanguage="groovy"'))))
    assert model.evaluate("d") is None
    assert [finding.verdict for finding in model.check()] == ["refused"]


def test_doubled_ids_are_findings() -> None:
    model = dmn.load(definitions(decision("d", literal("1")), decision("d", literal("2"))))
    assert any(finding.attribute == "id" for finding in model.check())
