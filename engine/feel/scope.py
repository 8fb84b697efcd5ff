"""Scopes while an expression runs: variables by name, linked outward to the root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.feel.environment import Run
from engine.feel.values import from_python

MISSING: Any = object()


class Scope:
    """Variables, the scope around them, and the run they belong to. `item` is what a filter looks at."""

    __slots__ = ("item", "parent", "run", "vars")

    def __init__(self, variables: Mapping[str, Any], parent: Scope | None, run: Run, item: Any = None) -> None:
        self.vars = variables
        self.parent: Any = parent  # never None where the compiler goes outward
        self.run = run
        self.item = item

    def resolve(self, name: str, value: Any, fallback: Any) -> Any:
        """Return what a root scope has for a name, or the fallback (a built-in function), or null with a warning."""
        if value is not MISSING:
            return value
        if fallback is None:
            self.run.warn(f"没有变量 {name} (no such variable)", name)
        return fallback


class OuterScope(Scope):
    """A root scope over values from outside: Python values become FEEL's when they are first looked at."""

    __slots__ = ("converted",)
    converted: dict[str, Any]

    def __init__(self, variables: Mapping[str, Any], run: Run) -> None:
        self.vars = variables
        self.parent = None
        self.run = run

    def resolve(self, name: str, value: Any, fallback: Any) -> Any:
        if value is MISSING:
            return super().resolve(name, value, fallback)
        try:
            known = self.converted
        except AttributeError:  # the first value that needs it
            known = self.converted = {}
        if name not in known:
            known[name] = from_python(value)
        return known[name]
