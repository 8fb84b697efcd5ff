"""Canonical JSON: one text for one value, so that a hash can be taken of it.

UTF-8, no spaces, object keys sorted by code point, no escapes but those JSON demands, decimals as their exact digits,
temporals as ISO 8601 strings (moments in UTC, ending in Z).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from json.encoder import encode_basestring as _encode_text
from typing import Any

from engine.errors import InvalidValue
from engine.store.exact_json import loads

__all__ = ["dumps", "loads", "moment"]


def dumps(value: Any) -> str:
    """Return the canonical JSON text of a value.

    Raises:
        InvalidValue: the value is of no JSON kind, or a number is not finite, or an object's key is no text.
    """
    kind = type(value)
    if kind is str:
        return _encode_text(value)
    if kind is int:
        return repr(value)
    if value is None or kind is bool:
        return _SIMPLE[value]
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    return _scalar(value)


def moment(value: datetime) -> str:
    """Return an aware moment as text in UTC, microseconds only where there are any: `2026-09-24T01:00:00Z`."""
    if value.tzinfo is None:
        raise InvalidValue(f"a moment needs a time zone: {value!r}")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_SIMPLE = {None: "null", True: "true", False: "false"}


def _object(value: Mapping[str, Any]) -> str:
    for key in value:
        if not isinstance(key, str):
            raise InvalidValue(f"an object's key must be text: {key!r}")
    return "{" + ",".join(f"{_encode_text(key)}:{dumps(value[key])}" for key in sorted(value)) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _encode_text(str(value))
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InvalidValue(f"not a number JSON can hold: {value}")
        return str(value)
    if isinstance(value, float):
        return dumps(Decimal(repr(value)))
    if isinstance(value, datetime):
        return _encode_text(moment(value))
    if isinstance(value, (date, time)):
        return _encode_text(value.isoformat())
    raise InvalidValue(f"not a JSON value: {type(value).__name__}")
