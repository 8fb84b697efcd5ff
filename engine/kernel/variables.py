"""Variables in scopes: process instance, sub-process, element. Inner scopes hide outer ones.

Names that start with `#` are the kernel's own (a multi-instance's items and results); no expression sees them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Value = Any


def is_internal(name: str) -> bool:
    """Whether a stored variable is the kernel's own, not the model's."""
    return name.startswith("#")


class View(Mapping[str, Value]):
    """What a scope sees: its own variables, then those of the scopes around it. Read-only, always current."""

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[Mapping[str, Value], ...]) -> None:
        self._layers = layers

    def __getitem__(self, name: str) -> Value:
        if not name.startswith("#"):
            for layer in self._layers:
                if name in layer:
                    return layer[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and not name.startswith("#") and any(name in layer for layer in self._layers)

    def __iter__(self) -> Iterator[str]:
        seen: dict[str, None] = {}
        for layer in reversed(self._layers):
            seen.update(dict.fromkeys(n for n in layer if not n.startswith("#")))
        return iter(seen)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def under(self, layer: Mapping[str, Value]) -> View:
        """Return a view with one more, innermost, layer."""
        return View((layer, *self._layers))


def with_path(view: Mapping[str, Value], target: tuple[str, ...], value: Value) -> tuple[str, Value]:
    """Return the variable and its new value when `value` is written to a path (`a.b.c`); other entries of contexts are kept."""
    head, rest = target[0].strip(), target[1:]
    if not rest:
        return head, value
    old = view.get(head)
    root: dict[str, Value] = dict(old) if isinstance(old, Mapping) else {}
    inner = root
    for part in rest[:-1]:
        below = inner.get(part.strip())
        inner[part.strip()] = dict(below) if isinstance(below, Mapping) else {}
        inner = inner[part.strip()]
    inner[rest[-1].strip()] = value
    return head, root
