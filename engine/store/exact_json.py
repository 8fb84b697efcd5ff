"""JSON text that keeps numbers exactly: a `Decimal` is written digit for digit and read back as one; an integer stays an `int`.

Floats are never read back: `0.1` in a text is `Decimal("0.1")`. Moments and dates become ISO 8601 texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from engine.errors import InvalidValue

_DEPTH = 200


def dumps(value: Any) -> str:
    """Return the value as compact JSON text; a mapping keeps its order.

    Raises:
        InvalidValue: it holds something JSON has no word for (a function, NaN, a name that is no text), or is nested too deeply.
    """
    try:
        return _FAST.encode(value)  # values without a Decimal take json's own, fast way
    except (TypeError, ValueError, RecursionError):
        parts: list[str] = []
        _write(value, parts.append, 0)
        return "".join(parts)


def loads(text: str) -> Any:
    """Return the value of a JSON text: fractions and exponents as `Decimal`, other numbers as `int`.

    Raises:
        InvalidValue: it is not JSON.
    """
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"not JSON: {error}") from error


_FAST = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def _write(value: Any, put: Any, depth: int) -> None:
    if depth > _DEPTH:
        raise InvalidValue(f"the value is nested deeper than {_DEPTH} levels")
    if value is None or isinstance(value, bool):
        put({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        put(encode_basestring(value))
    elif isinstance(value, int | Decimal | float):
        put(_number(value))
    elif isinstance(value, datetime | date):
        put(encode_basestring(value.isoformat()))
    elif isinstance(value, Mapping):
        _write_mapping(value, put, depth)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            put("," if index else "[")
            _write(item, put, depth + 1)
        put("]" if value else "[]")
    else:
        raise InvalidValue(f"a {type(value).__name__} cannot be a variable's value")


def _write_mapping(value: Mapping[Any, Any], put: Any, depth: int) -> None:
    for index, (name, item) in enumerate(value.items()):
        if not isinstance(name, str):
            raise InvalidValue(f"a name must be a text: {name!r}")
        put("," if index else "{")
        put(encode_basestring(name) + ":")
        _write(item, put, depth + 1)
    put("}" if value else "{}")


def _number(value: int | Decimal | float) -> str:
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(exact, Decimal) and not exact.is_finite():
        raise InvalidValue(f"{value} is not a number that can be stored")
    return str(exact)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
