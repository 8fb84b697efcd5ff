"""Checks of a model at deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.dmn.findings import Finding

if TYPE_CHECKING:
    from engine.dmn.model import Model


def check(model: Model) -> Iterator[Finding]:
    """Yield what is wrong with a model beyond what reading it has found."""
    for element in model.elements.values():
        seen = {name for _, required in model.requirements(element) for name in (required.source.name, required.source.id)}
        seen |= {prefix for prefix, _ in model.requirements(element)} | {element.source.name}
        for name, text in element.free.items():
            if name in model.declared and name not in seen:
                reason = f"“{name}” 没有连到此决策 (not among the requirements)"
                yield Finding("warning", text.id, text.name, "text", reason, text.line, None, "unknown-name")
