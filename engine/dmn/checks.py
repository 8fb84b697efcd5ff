"""Checks of a model at deployment: unknown names and functions, gaps and overlaps of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.dmn.coverage import Coverage, coverage
from engine.dmn.findings import Finding
from engine.dmn.tables import CompiledTable

if TYPE_CHECKING:
    from engine.dmn.model import Element, Model


def check(model: Model) -> Iterator[Finding]:
    """Yield what is wrong with a model beyond what reading it has found."""
    for element in model.elements.values():
        yield from _names(element)
        for table in element.tables:
            yield from _table(table)


def _names(element: Element) -> Iterator[Finding]:
    model = element.model
    seen = {element.source.name}
    for prefix, required in model.requirements(element):
        seen |= {prefix} if prefix else {required.source.name, required.source.id}
    for name, text in element.free.items():
        if name in seen:
            continue
        where = (text.id, text.name, "text")
        if name in model.declared:
            reason = f"“{name}” 没有连到此决策，取不到值：请画出需求连线 (not among the requirements)"
            yield Finding("warning", *where, reason, text.line, None, "unknown-name")
        elif name in element.called:
            yield Finding("refused", *where, f"没有函数 “{name}” (no such function)", text.line, None, "unknown-name")


def _table(table: CompiledTable) -> Iterator[Finding]:
    found = coverage(table)
    if found is None:
        return
    where = (table.table.id or table.owner_id, table.owner_name, "rules")
    if found.gaps:
        examples = "；".join(_shown(found, gap) for gap in found.gaps)
        yield Finding("warning", *where, f"有输入没有规则命中 (no rule matches), 例如 {examples}", table.table.line, None, "gap")
    for first, second, sample in found.overlaps:
        example = _shown(found, sample)
        reason = f"规则 {first} 与规则 {second} 同时命中 (both match), 例如 {example}"
        yield Finding("warning", *where, reason, table.table.line, None, "overlap")


def _shown(found: Coverage, sample: tuple[str, ...]) -> str:
    return "，".join(f"{label} = {value}" for label, value in zip(found.labels, sample, strict=True) if label)
