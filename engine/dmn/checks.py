"""Checks of a model at deployment: unknown names and functions, names and types that do not fit, gaps and overlaps of tables.

What a decision asks for and nobody gives is judged so:
- a function that there is not: refused, because it is never anything but null;
- an element that is there but not drawn as required: a warning, its value is null (DMN 1.5, 6.2: no requirement, no value);
- a name that nothing in the model has: a process variable. Camunda's models leave inputs undrawn, so this is a warning only
  where the model draws its inputs, where a known name is spelt almost alike, or inside a business knowledge model, which
  should see its parameters alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from engine.dmn import elements as e
from engine.dmn.coverage import Coverage, coverage
from engine.dmn.findings import Finding
from engine.dmn.samples import cell_of, comparable
from engine.dmn.tables import CompiledTable
from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.environment import Run
from engine.feel.functions import BUILT_IN, BUILT_IN_NAMES
from engine.feel.parser import Parser
from engine.feel.scope import Scope
from engine.feel.text import to_text
from engine.feel.types import coerce

if TYPE_CHECKING:
    from engine.dmn.model import Element, Model

MANY_NAMES = 500  # with more, names that are spelt alike are not looked for


def check(model: Model) -> Iterator[Finding]:
    """Yield what is wrong with a model beyond what reading it has found."""
    yield from _element_names(model)
    draws_inputs = any(isinstance(source, e.InputData) for source in model.sources.values())
    for element in model.elements.values():
        yield from _names(element, draws_inputs)
        for table in element.tables:
            if table.broken:  # refused already; what is left of it would only seem to have gaps
                continue
            yield from _types(table)
            yield from _coverage(table)


# --- names --------------------------------------------------------------------------------------------------------------


def _element_names(model: Model) -> Iterator[Finding]:
    """Yield names that two elements share, and names that others need but no expression can write."""
    required = {
        found.source.id for element in model.elements.values() for prefix, found in model.requirements(element) if not prefix
    }
    first: dict[str, e.DrgElement] = {}
    for element in model.elements.values():
        source = element.source
        where = (source.id, source.name, "name")
        other = first.setdefault(source.name, source)
        if other is not source:
            reason = f"与 {other.id} 同名 “{source.name}”，按名称只找得到前者：请改名 (two elements of one name)"
            yield Finding("warning", *where, reason, source.line, None, "name")
        if source.id in required and not _can_be_written(source.name):
            reason = f"表达式里写不出名称 “{source.name}”：请改名，或以标识 {source.id} 代替 (no expression can write the name)"
            yield Finding("warning", *where, reason, source.line, None, "name")


def _can_be_written(name: str) -> bool:
    """Tell whether FEEL takes a name, once it is known, for a name (DMN 1.5, 10.3.1.2)."""
    try:
        node = Parser(name, [name], BUILT_IN_NAMES).expression_only()
    except FeelSyntaxError:
        return False
    return isinstance(node, n.Name) and node.name == name


def _names(element: Element, draws_inputs: bool) -> Iterator[Finding]:
    model = element.model
    seen = {element.source.name}
    for prefix, required in model.requirements(element):
        seen |= {prefix} if prefix else {required.source.name, required.source.id}
    encloses = isinstance(element.source, e.KnowledgeModel)
    for name, text in element.free.items():
        if name in seen:
            continue
        where = (text.id, text.name, "text")
        called = name in element.called
        known: Collection[str] = BUILT_IN if called else model.declared
        near = get_close_matches(name, {*seen, *known}, 1, 0.8) if len(known) <= MANY_NAMES else []
        advice = f"，是不是 “{near[0]}” (did you mean this?)" if near else ""
        if name in model.declared:
            reason = f"“{name}” 没有连到此决策，取不到值：请画出需求连线 (not among the requirements)"
            yield Finding("warning", *where, reason, text.line, None, "unknown-name")
        elif called:
            yield Finding("refused", *where, f"没有函数 “{name}”{advice} (no such function)", text.line, None, "unknown-name")
        elif near or draws_inputs or encloses:
            reason = f"模型里没有 “{name}”，将取同名的流程变量{advice} (nothing in the model has this name: a process variable)"
            yield Finding("warning", *where, reason, text.line, None, "unknown-name")


# --- tables -------------------------------------------------------------------------------------------------------------


def _types(table: CompiledTable) -> Iterator[Finding]:
    """Yield columns with literals that their type or their allowed values exclude: one of each column."""
    scope = Scope({}, None, Run())
    for index, column in enumerate(table.inputs):
        for rule, text, value in _literals(table, index, outputs=False):
            if column.kind is not None and not comparable(value, column.kind):
                shown = to_text(value, quoted=True)
                reason = f"规则 {rule} 拿 {shown} 与 {column.kind} 类型的输入相比，不会命中 (a cell of another type)"
                yield Finding("warning", text.id, column.label, "typeRef", reason, text.line, None, "type")
                break
    for index, output in enumerate(table.outputs):
        for rule, text, value in _literals(table, index, outputs=True):
            fitted, fits = (value, True) if output.kind is None else coerce(value, output.kind)
            if fits and output.order:
                fits = table.priority(output, fitted, scope) < len(output.order)
            if not fits:
                reason = f"规则 {rule} 的输出 {to_text(value, quoted=True)} 不是 {output.kind or '允许值'}，结果为 null"
                reason += " (an output of another type, or not an allowed value)"
                yield Finding("warning", text.id, output.name, "typeRef", reason, text.line, None, "type")
                break


def _literals(table: CompiledTable, index: int, *, outputs: bool) -> Iterator[tuple[int, e.Text, Any]]:
    """Yield the literals of a column's cells with the rules' numbers."""
    for rule in table.rules:
        texts = rule.rule.outputs if outputs else rule.rule.tests
        if index < len(texts):
            for value in cell_of(texts[index]).compared:
                if value is not None:
                    yield rule.index, texts[index], value


def _coverage(table: CompiledTable) -> Iterator[Finding]:
    found = coverage(table)
    if found is None:
        return
    where = (table.table.id or table.owner_id, table.owner_name, "rules")
    line = table.table.line
    if found.gaps:
        examples = "；".join(_shown(found, gap) for gap in found.gaps)
        yield Finding("warning", *where, f"有输入没有规则命中 (no rule matches), 例如 {examples}", line, None, "gap")
    for first, second, sample in found.overlaps:
        reason = f"规则 {first} 与规则 {second} 同时命中 (both match), 例如 {_shown(found, sample)}"
        yield Finding("warning", *where, reason, line, None, "overlap")
    for reason in found.unseen:
        yield Finding("warning", *where, reason, line, None, "not-analysed")


def _shown(found: Coverage, sample: tuple[str, ...]) -> str:
    return "，".join(f"{label} = {value}" for label, value in zip(found.labels, sample, strict=True) if label)
