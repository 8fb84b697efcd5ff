"""Names with spaces and symbols: which sequences of tokens are one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.errors import FeelSyntaxError
from engine.feel.lexer import END, Token, tokenize


def needs_scope(name: str) -> bool:
    """Tell whether the parser must be told of a name: it is not a plain word."""
    return not name.isidentifier()


class NameTable:
    """Known names of several tokens, with scopes that open and close while parsing."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._added: list[list[str]] = []
        for name in names:
            self._add(name)

    def learn(self, name: str) -> None:
        """Make a name known for good."""
        self._add(name)

    def _add(self, name: str) -> str | None:
        try:
            words = tuple(token.text for token in tokenize(name) if token.kind != END)
        except FeelSyntaxError:
            return None
        if len(words) < 2:
            return None
        known = self._by_first.setdefault(words[0], [])
        known.append((words, name))
        known.sort(key=lambda entry: -len(entry[0]))
        return words[0]

    def open(self) -> None:
        """Begin a scope."""
        self._added.append([])

    def add(self, name: str) -> None:
        """Make a name known until the present scope closes."""
        if needs_scope(name) and (first := self._add(name)) is not None:
            self._added[-1].append(f"{first}\0{name}")

    def close(self) -> None:
        """End a scope; its names are forgotten."""
        for entry in self._added.pop():
            first, name = entry.split("\0", 1)
            known = self._by_first[first]
            known.remove(next(pair for pair in known if pair[1] == name))

    def match(self, tokens: Sequence[Token], index: int) -> tuple[str, int] | None:
        """Return the longest known name that starts at a token, and how many tokens it takes."""
        for words, name in self._by_first.get(tokens[index].text, ()):
            if index + len(words) < len(tokens) and all(tokens[index + offset].text == word for offset, word in enumerate(words)):
                return name, len(words)
        return None
