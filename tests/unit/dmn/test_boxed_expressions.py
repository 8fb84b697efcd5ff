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


def test_columns_of_relations_have_types() -> None:
    """DMN 1.5, 10.2 (relations), 10.3.2.9.4."""
    columns = '<column name="n" typeRef="number"/><column name="s" typeRef="string"/>'
    assert value(f"<relation>{columns}<row>{literal('[1]')}{literal('2')}</row></relation>") == [{"n": 1, "s": None}]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("x", "x + 1"), ("y", "x")], {"x": 2, "y": 2}),  # an entry shadows an input once it is there
        ([("a-b", "5"), ("c", "a-b + 1")], {"a-b": 5, "c": 6}),
        ([("f", "function(n) if n <= 1 then 1 else n * f(n - 1)"), ("", "f(4)")], 24),
        ([("y", "z"), ("z", "1")], {"y": None, "z": 1}),  # later entries are not seen
    ],
)
def test_entries_see_those_before_them(entries: list[tuple[str, str]], expected: object) -> None:
    """DMN 1.5, 10.2 (boxed contexts), 10.3.2.6 (scope of context entries)."""
    parts = [entry(n, literal(t)) if n else f"<contextEntry>{literal(t)}</contextEntry>" for n, t in entries]
    assert value(f"<context>{''.join(parts)}</context>", {"x": 1}) == expected


def test_a_type_of_a_function_may_be_that_of_its_result() -> None:
    """DMN 1.5, 7.3 (typeRef of an expression); files of DMN 1.1 and 1.2 give the result's type."""
    for kind, expected in (("number", 3), ("string", None)):
        function = f'<functionDefinition typeRef="{kind}"><formalParameter name="a"/>{literal("a + 1")}</functionDefinition>'
        context = f"<context>{entry('f', function)}<contextEntry>{literal('f(2)')}</contextEntry></context>"
        assert value(context) == expected


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
    for typed in ("", 'typeRef="Any"'):
        loop = f'<for iteratorVariable="x"><in>{literal(source, typed)}</in><return>{literal("x * 2")}</return></for>'
        assert value(loop, {"a": 1, "b": 2}) == expected


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
