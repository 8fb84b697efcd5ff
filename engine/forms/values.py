"""What was submitted for one field, brought into the form in which it is kept: text, Decimal, ISO dates, options, files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from engine.forms.model import Component

MAX_DIGITS = 34
"""Digits of a number: what FEEL computes with."""

MAX_TEXT = 100_000
"""Characters of a text where the form names no limit."""

MAX_CHOICES = 1_000
"""Choices in one field: each is compared with each."""


class Unreadable(Exception):
    """The submitted value is of the wrong kind; `key` names the message (see `messages`)."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def read_value(component: Component, value: Any, zone: ZoneInfo) -> Any:
    """Return a field's value as it is kept; None and empty values stay what they are.

    Args:
        component: a component that holds a value.
        value: JSON; numbers may be int, Decimal, float or (as a browser's text) digits.
        zone: the zone that local dates and times without offset are meant in.
    Raises:
        Unreadable: the value is of the wrong kind.
    """
    if value is None or value == "":
        return value
    return _READERS[component.type](component, value, zone)


def same(left: Any, right: Any) -> bool:
    """Say whether two JSON values are equal; `true` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _text(component: Component, value: Any, zone: ZoneInfo) -> str:
    if not isinstance(value, str):
        raise Unreadable("not_text")
    if len(value) > MAX_TEXT:
        raise Unreadable("too_long", limit=MAX_TEXT, length=len(value))
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n\r" for character in value):
        raise Unreadable("bad_characters")
    return value


def _number(component: Component, value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unreadable("not_number")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        raise Unreadable("not_number") from None
    if not number.is_finite():
        raise Unreadable("not_number")
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise Unreadable("number_range")
    kept = _within_decimals(component, number)
    if component.attributes.get("serializeToString") is True:
        return f"{kept:f}"
    whole = kept == kept.to_integral_value() and kept.as_tuple().exponent == 0
    return int(kept) if whole else Decimal(f"{kept:f}")


def _within_decimals(component: Component, number: Decimal) -> Decimal:
    limit = component.attributes.get("decimalDigits")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit <= MAX_DIGITS:
        return number
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= limit:
        return number
    step = Decimal(1).scaleb(-limit)
    if number % step:
        raise Unreadable("decimals", limit=limit)
    return number.quantize(step)


def _boolean(component: Component, value: Any, zone: ZoneInfo) -> bool:
    if not isinstance(value, bool):
        raise Unreadable("not_boolean")
    return value


def _choice(component: Component, value: Any, zone: ZoneInfo) -> Any:
    return _exact(value)


def _choices(component: Component, value: Any, zone: ZoneInfo) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > MAX_CHOICES:
        raise Unreadable("not_choices")
    chosen = [_exact(item) for item in value]
    if any(same(item, other) for place, item in enumerate(chosen) for other in chosen[:place]):
        raise Unreadable("repeated")
    return chosen


def _exact(value: Any) -> Any:
    """Turn floats into decimals, at any depth."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {str(key): _exact(item) for key, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else value


def _temporal(component: Component, value: Any, zone: ZoneInfo) -> str:
    subtype = component.attributes.get("subtype", "date")
    pattern, wrong = _TEMPORALS.get(subtype, _TEMPORALS["datetime"])
    if isinstance(value, datetime | date | time):
        value = value.isoformat()
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unreadable(wrong)
    serializing = component.attributes.get("timeSerializingFormat", "utc_offset")
    try:
        if subtype == "date":
            return date.fromisoformat(value).isoformat()
        if subtype == "time":
            return _read_time(value, serializing)
        return _read_moment(value, serializing, zone)
    except (ValueError, OverflowError):
        raise Unreadable(wrong) from None


def _read_time(value: str, serializing: str) -> str:
    read = time.fromisoformat(value)
    return read.replace(tzinfo=None).isoformat() if serializing == "no_timezone" else _iso(read.isoformat())


def _read_moment(value: str, serializing: str, zone: ZoneInfo) -> str:
    read = datetime.fromisoformat(value)
    if serializing == "no_timezone":
        local = read if read.tzinfo is None else read.astimezone(zone)
        return local.replace(tzinfo=None).isoformat()
    aware = read.replace(tzinfo=zone) if read.tzinfo is None else read
    if serializing == "utc_normalized":
        aware = aware.astimezone(UTC)
    return _iso(aware.isoformat())


def _iso(text: str) -> str:
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _files(component: Component, value: Any, zone: ZoneInfo) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple):
        raise Unreadable("not_files")
    files = []
    for item in value:
        if not isinstance(item, Mapping) or not isinstance(item.get("digest"), str) or not isinstance(item.get("name"), str):
            raise Unreadable("not_files")
        files.append({"name": _text(component, item["name"], zone), "digest": item["digest"].lower()})
    return files


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_TEMPORALS = {  # of a subtype: what is accepted, and what is said otherwise
    "date": (re.compile(_DATE), "not_date"),
    "time": (re.compile(_TIME), "not_time"),
    "datetime": (re.compile(f"{_DATE}T{_TIME}"), "not_date_time"),
}

_READERS: dict[str, Callable[[Component, Any, ZoneInfo], Any]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "checkbox": _boolean,
    "radio": _choice,
    "select": _choice,
    "checklist": _choices,
    "taglist": _choices,
    "datetime": _temporal,
    "filepicker": _files,
}
