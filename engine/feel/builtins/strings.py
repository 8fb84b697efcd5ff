"""Strings, counted in characters (code points). Source: DMN 1.5, 10.3.4.3; Camunda 8's `trim`, `extract`, `is blank`, …."""

from __future__ import annotations

import base64
import uuid as python_uuid
from decimal import Decimal
from typing import Any

from engine.feel import regex
from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in


@built_in("substring", "string: string; start position: number; *length: number?")
def substring(run: Run, string: str, start: Decimal, length: Decimal | None = None) -> str:
    """Return the part from a position (from 1; negative: from the end), of a length or to the end."""
    first = int(start)
    if first == 0 or abs(first) > len(string) or (length is not None and length < 1):
        raise FeelError("起始位置或长度超出字符串 (the position or the length is outside the string)")
    begin = first - 1 if first > 0 else len(string) + first
    return string[begin:] if length is None else string[begin : begin + int(length)]


@built_in("string length", "string: string")
def string_length(run: Run, string: str) -> Decimal:
    """Return the number of characters."""
    return Decimal(len(string))


@built_in("upper case", "string: string")
def upper_case(run: Run, string: str) -> str:
    """Return the string in capitals."""
    return string.upper()


@built_in("lower case", "string: string")
def lower_case(run: Run, string: str) -> str:
    """Return the string in small letters."""
    return string.lower()


@built_in("substring before", "string: string; match: string")
def substring_before(run: Run, string: str, match: str) -> str:
    """Return what stands before the first occurrence; "" if there is none."""
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@built_in("substring after", "string: string; match: string")
def substring_after(run: Run, string: str, match: str) -> str:
    """Return what stands after the first occurrence; "" if there is none."""
    return string.partition(match)[2] if match else string


@built_in("contains", "string: string; match: string")
def contains(run: Run, string: str, match: str) -> bool:
    """Tell whether a string contains another."""
    return match in string


@built_in("starts with", "string: string; match: string")
def starts_with(run: Run, string: str, match: str) -> bool:
    """Tell whether a string starts with another."""
    return string.startswith(match)


@built_in("ends with", "string: string; match: string")
def ends_with(run: Run, string: str, match: str) -> bool:
    """Tell whether a string ends with another."""
    return string.endswith(match)


@built_in("matches", "input: string; pattern: string; *flags: string?")
def matches(run: Run, string: str, pattern: str, flags: str | None = None) -> bool:
    """Tell whether a pattern is found in a string."""
    return regex.compiled(pattern, flags or "", run).found(string, run)


@built_in("replace", "input: string; pattern: string; replacement: string; *flags: string?")
def replace(run: Run, string: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """Replace every match of a pattern; `$1` in the replacement is the first group."""
    result = regex.replace(string, pattern, replacement, flags or "", run)
    run.check_text(len(result))
    return result


@built_in("split", "string: string; delimiter: string")
def split(run: Run, string: str, delimiter: str) -> list[str]:
    """Split at every match of a pattern."""
    parts = regex.split(string, delimiter, run)
    run.check_items(len(parts))
    return parts


@built_in("extract", "string: string; pattern: string")
def extract(run: Run, string: str, pattern: str) -> list[str]:
    """Return all matches of a pattern."""
    found = [match.group() or "" for match in regex.compiled(pattern, "", run).matches(string, run)]
    run.check_items(len(found))
    return found


@built_in("string join", "list: list; *delimiter: string?")
def string_join(run: Run, items: list[Any], delimiter: str | None = None) -> str:
    """Join strings; nulls are left out."""
    if not all(item is None or isinstance(item, str) for item in items):
        raise FeelError("只能连接字符串 (only strings can be joined)")
    run.charge(len(items))
    texts = [item for item in items if item is not None]
    run.check_text(sum(map(len, texts)) + len(delimiter or "") * len(texts))
    return (delimiter or "").join(texts)


@built_in("string join", "list: list; delimiter: string?; prefix: string; suffix: string")
def string_join_around(run: Run, items: list[Any], delimiter: str | None, prefix: str, suffix: str) -> str:
    """Join strings between a prefix and a suffix (Camunda)."""
    joined: str = string_join(run, items, delimiter)
    run.check_text(len(prefix) + len(joined) + len(suffix))
    return prefix + joined + suffix


@built_in("trim", "string: string")
def trim(run: Run, string: str) -> str:
    """Return the string without white space at its ends."""
    return string.strip()


@built_in("is blank", "string: string")
def is_blank(run: Run, string: str) -> bool:
    """Tell whether a string is empty or white space."""
    return not string.strip()


@built_in("uuid")
def uuid(run: Run) -> str:
    """Return a random UUID (version 4), drawn from the environment's source."""
    return str(python_uuid.UUID(int=run.environment.random_bits(128), version=4))


@built_in("to base64", "value: string")
def to_base64(run: Run, value: str) -> str:
    """Return the string's UTF-8 bytes in Base64."""
    run.check_text(len(value) * 16 // 3)  # at most: four bytes a character
    return base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")


@built_in("from base64", "value: string")
def from_base64(run: Run, value: str) -> str:
    """Return the string whose UTF-8 bytes a Base64 text holds; null of any other text."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        raise FeelError(f"“{value[:40]}” 不是文本的 Base64 (not Base64 of a text)") from None
