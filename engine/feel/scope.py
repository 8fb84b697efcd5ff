"""Scopes while an expression runs: variables by name, linked outward to the root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import EvaluationFailed
from engine.feel.environment import Run
from engine.feel.values import NATIVE, from_python

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

    def __init__(self, variables: Mapping[str, Any], run: Run) -> None:
        if type(variables) is not dict and not isinstance(variables, Mapping):
            raise TypeError(f"变量应为 Mapping，却是 {type(variables).__name__} (the variables have to be a mapping)")
        self.vars = variables
        self.parent = None
        self.run = run
        self.converted: dict[str, Any] | None = None

    def resolve(self, name: str, value: Any, fallback: Any) -> Any:
        if value is MISSING:
            return super().resolve(name, value, fallback)
        known = self.converted
        if known is None:
            known = self.converted = {}
        elif name in known:
            return known[name]
        found = known[name] = value if type(value) in NATIVE else self._converted(name, value)
        return found

    def _converted(self, name: str, value: Any) -> Any:
        lost: list[str] = []
        try:
            found = from_python(value, lost)
        except EvaluationFailed as error:
            raise EvaluationFailed(f"变量 {name}：{error}") from None
        if lost:
            kinds = ", ".join(dict.fromkeys(lost))
            self.run.warn(f"变量 {name} 含有 FEEL 没有的值（{kinds}），作 null (a value of a kind that FEEL has not)", name)
        return found
