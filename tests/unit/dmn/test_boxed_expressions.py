"""Every other boxed expression."""

from __future__ import annotations

from typing import Any

import pytest

from engine import dmn
from tests.unit.dmn.models import decision, definitions, literal


def value(expression: str, context: dict[str, Any] | None = None) -> Any:
    return dmn.load(definitions(decision("d", expression))).evaluate("d", context or {})


def entry(name: str, expression: str, type_ref: str = "") -> str:
    kind = f' typeRef="{type_ref}"' if type_ref else ""
    return f'<contextEntry><variable name="{name}"{kind}/>{expression}</contextEntry>'


def test_contexts() -> None:
    context = f"<context>{entry('net fee', literal('5'))}{entry('total', literal('net fee * 2'))}</context>"
    assert value(context) == {"net fee": 5, "total": 10}
    assert value(f"<context>{entry('a', literal('5'))}<contextEntry>{literal('a + 1')}</contextEntry></context>") == 6
    assert value(f"<context>{entry('a', literal('5'), 'string')}</context>") == {"a": None}


def test_lists_and_relations() -> None:
    assert value(f"<list>{literal('1')}{literal('2 + a')}</list>", {"a": 1}) == [1, 3]
    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in (("1", '"x"'), ("2", '"y"')))
    assert value(f'<relation><column name="n"/><column name="the text"/>{rows}</relation>') == [
        {"n": 1, "the text": "x"},
        {"n": 2, "the text": "y"},
    ]


def test_functions_and_invocations() -> None:
    function = (
        f'<functionDefinition><formalParameter name="a" typeRef="number"/><formalParameter name="b"/>{literal("a - b")}'
        "</functionDefinition>"
    )
    bindings = "".join(
        f'<binding><parameter name="{name}"/>{literal(text)}</binding>' for name, text in (("b", "1"), ("a", "10"))
    )
    invocation = f"<invocation>{literal('minus')}{bindings}</invocation>"
    assert value(f"<context>{entry('minus', function)}<contextEntry>{invocation}</contextEntry></context>") == 9
    assert value(f"<invocation>{literal('not a function')}{bindings}</invocation>") is None
    java = '<functionDefinition kind="Java"><formalParameter name="a"/><context/></functionDefinition>'
    assert value(f"<context>{entry('f', java)}<contextEntry>{literal('f(1)')}</contextEntry></context>") is None


def test_conditionals() -> None:
    conditional = f"<conditional><if>{literal('a > 1')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>"
    assert value(conditional, {"a": 5}) == 1
    assert value(conditional, {}) == 2


def test_filters() -> None:
    filtered = f"<filter><in>{literal('xs')}</in><match>{literal('n > 1')}</match></filter>"
    assert value(filtered, {"xs": [{"n": 1}, {"n": 2}]}) == [{"n": 2}]
    assert value(f"<filter><in>{literal('xs')}</in><match>{literal('item > 1')}</match></filter>", {"xs": [1, 2]}) == [2]
    assert value(filtered, {}) is None


@pytest.mark.parametrize(("source", "expected"), [("[1, 2]", [2, 4]), ("1..3", [2, 4, 6]), ("3..1", [6, 4, 2]), ("null", None)])
def test_iterations(source: str, expected: object) -> None:
    assert value(f'<for iteratorVariable="x"><in>{literal(source)}</in><return>{literal("x * 2")}</return></for>') == expected


def test_iterations_see_what_came_before() -> None:
    loop = f'<for iteratorVariable="x"><in>{literal("1..4")}</in><return>{literal("x + sum(partial)")}</return></for>'
    assert value(loop) == [None, None, None, None]
    loop = f'<for iteratorVariable="x"><in>{literal("1..4")}</in><return>{literal("count(partial)")}</return></for>'
    assert value(loop) == [0, 1, 2, 3]


def test_quantified_expressions() -> None:
    def quantified(kind: str, test: str, source: str = "[1, 2]") -> object:
        return value(f'<{kind} iteratorVariable="x"><in>{literal(source)}</in><satisfies>{literal(test)}</satisfies></{kind}>')

    assert quantified("some", "x > 1") is True
    assert quantified("every", "x > 1") is False
    assert quantified("every", "x > 0") is True
    assert quantified("some", "null") is None
    assert quantified("every", "x", "[]") is True


def test_a_decision_without_logic_is_null() -> None:
    model = dmn.load(definitions('<decision id="d" name="d"/>'))
    assert model.evaluate("d") is None
    assert [finding.verdict for finding in model.check()] == ["warning"]
