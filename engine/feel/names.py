"""Names with spaces and symbols: which sequences of tokens are one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.errors import FeelSyntaxError
from engine.feel.lexer import END, Token, tokenize

Words = tuple[str, ...]


def needs_scope(name: str) -> bool:
    """Tell whether the parser must be told of a name: it is not a plain word."""
    return not name.isidentifier()


class NameTable:
    """Known names of several tokens, with scopes that open and close while parsing.

    Args:
        names: names to begin with.
        outer: a table that is looked into as well.
    """

    def __init__(self, names: Iterable[str] = (), outer: NameTable | None = None) -> None:
        self._known: dict[str, dict[int, dict[Words, list[str]]]] = {}  # by first word, number of words, words
        self._scopes: list[list[Words]] = []
        self._outer = outer
        for name in names:
            self.learn(name)

    def learn(self, name: str) -> None:
        """Make a name known for good."""
        self._add(name)

    def open(self) -> int:
        """Begin a scope; return how many were open before (for `close_to`)."""
        self._scopes.append([])
        return len(self._scopes) - 1

    def add(self, name: str) -> None:
        """Make a name known until the present scope closes."""
        if needs_scope(name) and (words := self._add(name)):
            self._scopes[-1].append(words)

    def close(self) -> None:
        """End a scope; its names are forgotten."""
        for words in self._scopes.pop():
            by_length = self._known[words[0]]
            same = by_length[len(words)]
            same[words].pop()
            if not same[words]:
                del same[words]
            if not same:
                del by_length[len(words)]

    @property
    def depth(self) -> int:
        """The number of open scopes."""
        return len(self._scopes)

    def close_to(self, depth: int) -> None:
        """End scopes until so many are open."""
        while len(self._scopes) > depth:
            self.close()

    def match(self, tokens: Sequence[Token], index: int) -> tuple[str, int] | None:
        """Return the longest known name that starts at a token, and how many tokens it takes."""
        found = None if self._outer is None else self._outer.match(tokens, index)
        by_length = self._known.get(tokens[index].text)
        if by_length is None:
            return found
        for length in sorted(by_length, reverse=True):
            if found is not None and found[1] > length:
                break
            names = by_length[length].get(tuple(token.text for token in tokens[index : index + length]))
            if names:
                return names[-1], length
        return found

    def _add(self, name: str) -> Words:
        try:
            words = tuple(token.text for token in tokenize(name) if token.kind != END)
        except FeelSyntaxError:
            return ()
        if len(words) < 2:
            return ()
        by_length = self._known.setdefault(words[0], {})
        by_length.setdefault(len(words), {}).setdefault(words, []).append(name)
        return words
