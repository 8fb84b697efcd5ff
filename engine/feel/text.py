"""Values as text: `string(x)`, and as they read inside lists and contexts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.errors import EvaluationFailed
from engine.feel import numbers
from engine.feel.values import Callable_

_escapes = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


MAX_LENGTH = 1_000_000
MAX_DEPTH = 200


class Text:
    """A text put together piece by piece, which refuses to become longer than allowed."""

    __slots__ = ("_left", "_limit", "_pieces")

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._pieces: list[str] = []

    def put(self, piece: str) -> None:
        """Add a piece.

        Raises:
            EvaluationFailed: the text becomes too long.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise EvaluationFailed(f"字符串超过 {self._limit} 个字符 (a string becomes longer than allowed)")
        self._pieces.append(piece)

    def check_depth(self, depth: int) -> None:
        """Refuse a value that is nested too deeply."""
        if depth > MAX_DEPTH:
            raise EvaluationFailed(f"值嵌套超过 {MAX_DEPTH} 层 (a value is nested too deeply)")

    def __str__(self) -> str:
        return "".join(self._pieces)


def to_text(value: Any, quoted: bool = False, limit: int = MAX_LENGTH) -> str:
    """Return a value as FEEL writes it; strings get quotes where `quoted` (inside lists and contexts).

    Raises:
        EvaluationFailed: the text becomes longer than the limit (in characters), or the value is nested too deeply.
    """
    text = Text(limit)
    _write(value, quoted, text, 0)
    return str(text)


def _write(value: Any, quoted: bool, text: Text, depth: int) -> None:
    if isinstance(value, list):
        text.check_depth(depth)
        text.put("[")
        for index, item in enumerate(value):
            if index:
                text.put(", ")
            _write(item, True, text, depth + 1)
        text.put("]")
    elif isinstance(value, dict):
        text.check_depth(depth)
        text.put("{")
        for index, (key, entry) in enumerate(value.items()):
            text.put(f"{', ' if index else ''}{_key(key)}: ")
            _write(entry, True, text, depth + 1)
        text.put("}")
    else:
        text.put(_simple(value, quoted))


def _simple(value: Any, quoted: bool) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_escapes)}"' if quoted else value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return numbers.to_text(value)
    if isinstance(value, Callable_):
        return "function"
    return str(value)


def _key(key: str) -> str:
    return key if all(part.isidentifier() for part in key.split(" ")) else f'"{key.translate(_escapes)}"'
