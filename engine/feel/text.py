"""Values as text: `string(x)`, and as they read inside lists and contexts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.feel import numbers
from engine.feel.values import Callable_

_escapes = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def to_text(value: Any, quoted: bool = False) -> str:
    """Return a value as FEEL writes it; strings get quotes where `quoted` (inside lists and contexts)."""
    if isinstance(value, str):
        return f'"{value.translate(_escapes)}"' if quoted else value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return numbers.to_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(to_text(item, True) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {to_text(entry, True)}" for key, entry in value.items()) + "}"
    if isinstance(value, Callable_):
        return "function"
    return str(value)


def _key(key: str) -> str:
    return key if all(part.isidentifier() for part in key.split(" ")) else f'"{key.translate(_escapes)}"'
