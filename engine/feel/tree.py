"""What a syntax tree shows before it is compiled: constant parts, names that occur."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.feel import nodes as n
from engine.feel.operations import kind_of
from engine.feel.types import SIMPLE, FeelType
from engine.feel.values import Range

_TRUTHS = (n.Comparison, n.Between, n.In, n.Logic, n.Quantified, n.InstanceOf)


def constant(node: n.Node) -> tuple[Any] | None:
    """Return the value of a part that needs no running, as a tuple of one; None for others."""
    if isinstance(node, n.Literal):
        return (node.value,)
    if isinstance(node, n.List):
        items: list[Any] = []
        for item in node.items:
            if not isinstance(item, n.Literal):
                return None
            items.append(item.value)
        return (items,)
    if isinstance(node, n.Interval) and isinstance(node.low, n.Literal) and isinstance(node.high, n.Literal):
        low, high = node.low.value, node.high.value
        if low is not None and type(low) is type(high):
            return (Range(low, high, node.low_closed, node.high_closed),)
    return None


def shown_type(node: n.Node) -> FeelType | None:
    """Return the type that a part shows without running: of a literal, and of what is true, false or null; else None."""
    if isinstance(node, n.Literal):
        return SIMPLE["Null" if node.value is None else kind_of(node.value)]
    return SIMPLE["boolean"] if isinstance(node, _TRUTHS) else None


def children(node: Any) -> Iterator[n.Node]:
    """Yield the parts that a part is put together from."""
    for slot in getattr(type(node), "__slots__", ()):
        value = getattr(node, slot)
        for part in value if isinstance(value, tuple) else (value,):
            for piece in part if isinstance(part, tuple) else (part,):
                if isinstance(piece, n.Node):
                    yield piece


def mentions(node: n.Node, name: str) -> bool:
    """Tell whether a name occurs anywhere in a part."""
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, n.Name) and part.name == name:
            return True
        pending.extend(children(part))
    return False
