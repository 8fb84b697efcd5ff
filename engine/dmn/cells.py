"""What is doubtful in the cells of a table: literals of another type, not allowed, without quotes, the wrong way round."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from engine.dmn import elements as e
from engine.dmn.findings import Finding
from engine.dmn.samples import cell_of, comparable
from engine.dmn.tables import CompiledInput, CompiledOutput, CompiledTable
from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.environment import Run
from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.operations import compare
from engine.feel.parser import Parser
from engine.feel.scope import Scope
from engine.feel.text import to_text
from engine.feel.tree import children, mentions
from engine.feel.types import SIMPLE, FeelType, coerce, plain

_TEXT = SIMPLE["string"]


def check_cells(table: CompiledTable) -> Iterator[Finding]:
    """Yield what is doubtful in a table's cells: of each column and kind of doubt, the first."""
    for index, column in enumerate(table.inputs):
        yield from _first_of(_input_literals(table, index, column))
        yield from _first_of(_empty_ranges(table, index, column))
        yield from _first_of(_subtractions(table, index, column))
    for index, output in enumerate(table.outputs):
        yield from _first_of(_output_literals(table, index, output))


def _first_of(findings: Iterator[Finding]) -> Iterator[Finding]:
    found = next(findings, None)
    if found is not None:
        yield found


def _finding(text: e.Text, name: str, reason: str, attribute: str = "text", code: str = "cell") -> Finding:
    return Finding("warning", text.id, name, attribute, reason, text.line, None, code)


def _input_literals(table: CompiledTable, index: int, column: CompiledInput) -> Iterator[Finding]:
    scope = Scope({}, None, Run())
    for rule, text, value in _literals(table, index, outputs=False):
        shown = to_text(value, quoted=True)
        if column.kind is not None and not comparable(value, column.kind):
            reason = f"规则 {rule} 拿 {shown} 与 {column.kind} 类型的输入相比，不会命中 (a cell of another type)"
            yield _finding(text, column.label, reason, "typeRef", "type")
        elif type(value) is str and text.source.strip() == shown:  # of numbers and dates a cell may show but an end
            allowed = column.allowed is None or column.allowed(column.scope(value, scope)) is True
            if not allowed or (column.kind is not None and not column.kind.accepts(value)):
                reason = f"规则 {rule} 的 {shown} 不在输入的允许值之内，不会命中 (not an allowed value)"
                yield _finding(text, column.label, reason, "inputValues", "type")


def _output_literals(table: CompiledTable, index: int, output: CompiledOutput) -> Iterator[Finding]:
    scope = Scope({}, None, Run())
    for rule, text, value in _literals(table, index, outputs=True):
        shown = to_text(value, quoted=True)
        fitted, fits = (value, True) if output.kind is None else coerce(value, output.kind)
        if not fits:
            reason = f"规则 {rule} 的输出 {shown} 不是 {output.kind}，结果为 null (an output of another type)"
            yield _finding(text, _label(table, index), reason, "typeRef", "type")
        elif output.order and table.priority(output, fitted, scope) == len(output.order):
            reason = f"规则 {rule} 的输出 {shown} 不在允许值之内，结果为 null (not an allowed value)"
            yield _finding(text, _label(table, index), reason, "outputValues", "type")


def _label(table: CompiledTable, index: int) -> str:
    return table.table.outputs[index].label or table.outputs[index].name


def _literals(table: CompiledTable, index: int, *, outputs: bool) -> Iterator[tuple[int, e.Text, Any]]:
    """Yield the literals of a column's cells with the rules' numbers."""
    for rule, text in _column(table, index, outputs=outputs):
        for value in cell_of(text).compared:
            if value is not None:
                yield rule, text, value


def _column(table: CompiledTable, index: int, *, outputs: bool) -> Iterator[tuple[int, e.Text]]:
    for rule in table.rules:
        texts = rule.rule.outputs if outputs else rule.rule.tests
        if index < len(texts) and texts[index].source.strip() not in ("", "-"):
            yield rule.index, texts[index]


def _empty_ranges(table: CompiledTable, index: int, column: CompiledInput) -> Iterator[Finding]:
    for rule, text in _column(table, index, outputs=False):
        pending = list(_tests(text))
        while pending:
            node = pending.pop()
            if isinstance(node, n.Interval) and _holds_nothing(node):
                reason = f"规则 {rule} 的 {text.source.strip()}：区间的下限不小于上限，不会命中 (an empty range)"
                yield _finding(text, column.label, reason)
            pending.extend(children(node))


def _subtractions(table: CompiledTable, index: int, column: CompiledInput) -> Iterator[Finding]:
    """Yield cells with a range written as people write it, `500-1000`, which is a number."""
    for rule, text in _column(table, index, outputs=False):
        for test in _tests(text):
            low, high = _subtraction(test)
            if low is not None and high is not None:
                reason = (
                    f"规则 {rule} 的 {low}-{high} 是减法，等于 {to_text(low - high)}；区间请写 [{low}..{high}] (a subtraction)"
                )
                yield _finding(text, column.label, reason)


def _tests(text: e.Text) -> tuple[n.Node, ...]:
    try:
        return Parser(text.source, built_in=BUILT_IN_NAMES).unary_tests_only().tests
    except FeelSyntaxError:
        return ()


def _holds_nothing(node: n.Interval) -> bool:
    if not isinstance(node.low, n.Literal) or not isinstance(node.high, n.Literal):
        return False
    order = compare(node.low.value, node.high.value)
    return order is not None and (order > 0 or (order == 0 and not (node.low_closed and node.high_closed)))


def _subtraction(node: n.Node) -> tuple[Decimal | None, Decimal | None]:
    """Return the numbers of `low-high`, both written down."""
    if not isinstance(node, n.Arithmetic) or len(node.rest) != 1 or node.rest[0][0] != "-":
        return None, None
    ends = [part.value if isinstance(part, n.Literal) else None for part in (node.first, node.rest[0][1])]
    return (ends[0], ends[1]) if all(isinstance(end, Decimal) for end in ends) else (None, None)


def without_quotes(table: CompiledTable, unknown: Collection[str]) -> Iterator[tuple[str, Finding]]:
    """Yield cells of texts that are a bare name which nothing gives: the quotes were left out. Each name once.

    Args:
        table: it may have parts that were refused.
        unknown: names that the table takes from outside, without an element of that name.
    """
    asked = [_expression(column.expression) for column in table.table.inputs]
    named = {name for name in unknown if not any(node is not None and mentions(node, name) for node in asked)}
    inputs = [(index, False, column.kind, column.label) for index, column in enumerate(table.inputs)]
    outputs = [(index, True, column.kind, _label(table, index)) for index, column in enumerate(table.outputs)]
    for index, written, kind, label in inputs + outputs:
        cells = list(_column(table, index, outputs=written))
        if _of_texts(kind, [text for _, text in cells]):
            for rule, text in cells:
                for test in _tests(text):
                    if isinstance(test, n.Name) and test.name in named:
                        named.discard(test.name)
                        reason = f'规则 {rule} 的 {test.name} 没有引号，会当作变量取值；若是文本，请写 "{test.name}"'
                        yield test.name, _finding(text, label, f"{reason} (a text needs quotes)", code="unknown-name")


def _expression(text: e.Text) -> n.Node | None:
    try:
        return Parser(text.source, built_in=BUILT_IN_NAMES).expression_only()
    except FeelSyntaxError:
        return None


def _of_texts(kind: FeelType | None, cells: list[e.Text]) -> bool:
    """Tell whether a column is of texts: by its type, or by what its cells show."""
    if kind is not None:
        return plain(kind) == _TEXT
    return any(isinstance(value, str) for text in cells for value in cell_of(text).compared)
