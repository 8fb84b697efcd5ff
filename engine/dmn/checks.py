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
from typing import TYPE_CHECKING

from engine.dmn import elements as e
from engine.dmn.cells import check_cells, without_quotes
from engine.dmn.coverage import Coverage, coverage
from engine.dmn.findings import Finding
from engine.dmn.tables import CompiledTable
from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.functions import BUILT_IN, BUILT_IN_NAMES
from engine.feel.lexer import doubtful_marks
from engine.feel.parser import Parser

if TYPE_CHECKING:
    from engine.dmn.model import Element, Model

MANY_NAMES = 500  # with more, names that are spelt alike are not looked for


def check(model: Model) -> Iterator[Finding]:
    """Yield what is wrong with a model beyond what reading it has found."""
    yield from _element_names(model)
    draws_inputs = any(isinstance(source, e.InputData) for source in model.sources.values())
    for element in model.elements.values():
        unquoted = dict(_unquoted(element))
        yield from unquoted.values()
        yield from _names(element, draws_inputs, unquoted)
        for table in element.tables:
            yield from check_cells(table)
            if not table.broken:  # refused already; what is left of it would only seem to have gaps
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


def _seen(element: Element) -> set[str]:
    """Return the names that an element's requirements give it."""
    seen = {element.source.name}
    for prefix, required in element.model.requirements(element):
        seen |= {prefix} if prefix else {required.source.name, required.source.id}
    return seen


def _unquoted(element: Element) -> Iterator[tuple[str, Finding]]:
    """Yield the names that are texts without quotes."""
    unknown = element.free.keys() - _seen(element) - element.model.declared - element.called
    for table in element.tables:
        yield from without_quotes(table, unknown)


def _names(element: Element, draws_inputs: bool, unquoted: Collection[str]) -> Iterator[Finding]:
    model = element.model
    seen = _seen(element)
    encloses = isinstance(element.source, e.KnowledgeModel)
    for name, text in element.free.items():
        if name in seen or name in unquoted:
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
        elif marks := doubtful_marks(name):
            reason = f"“{name}” 含全角的 {marks}，整个是一个变量名；若是符号，请改用半角 (full-width marks are part of a name)"
            yield Finding("warning", *where, reason, text.line, None, "unknown-name")
        elif near or draws_inputs or encloses:
            reason = f"模型里没有 “{name}”，将取同名的流程变量{advice} (nothing in the model has this name: a process variable)"
            yield Finding("warning", *where, reason, text.line, None, "unknown-name")


# --- tables -------------------------------------------------------------------------------------------------------------


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
