"""What a text itself shows of its contexts: which entries they have, so that names such as `a-b` are found in them.

In `{limits: {soft-limit: 5}, r: limits.soft-limit}` only the entries of `limits` tell that no subtraction is meant.
Source: DMN 1.5, 10.3.1.2 (names), 10.3.2.5 (the entries of items are in scope inside a filter).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.feel import nodes as n

MAX_STEPS = 20


class Shapes:
    """The variables in scope while a text is read, with the expressions that they stand for (None: not known)."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, n.Node | None]] = []

    def open(self) -> None:
        """Begin a scope."""
        self._scopes.append({})

    def close(self) -> None:
        """End a scope."""
        self._scopes.pop()

    def add(self, name: str, value: n.Node | None) -> None:
        """Note what a variable stands for; an iterator's is the list that it goes through."""
        self._scopes[-1][name] = value

    def entries(self, value: n.Node) -> Iterable[str]:
        """Return the names of the entries of a context, or of the contexts in a list, as far as the text shows them."""
        context = self._context(value, MAX_STEPS)
        return () if context is None else [key for key, _ in context.entries]

    def _context(self, value: n.Node | None, steps: int) -> n.Context | None:
        while value is not None and steps:
            steps -= 1
            if isinstance(value, n.Context):
                return value
            if isinstance(value, n.Name):
                value = next((scope[value.name] for scope in reversed(self._scopes) if value.name in scope), None)
            elif isinstance(value, n.Path):
                base = self._context(value.base, steps)
                value = None if base is None else dict(base.entries).get(value.name)
            elif isinstance(value, n.List):
                value = value.items[0] if value.items else None
            elif isinstance(value, n.Filter):
                value = value.base
            else:
                return None
        return None
