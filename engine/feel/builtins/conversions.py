"""Conversions, and what Camunda 8 adds around null. Source: DMN 1.5, 10.3.4.1, 10.3.4.2."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from engine.errors import EvaluationFailed
from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in
from engine.feel.lexer import whole
from engine.feel.numbers import CONTEXT
from engine.feel.operations import kind_of
from engine.feel.text import MAX_DEPTH, Text, to_text
from engine.feel.values import to_json

_number = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII).fullmatch
_SEPARATORS = {" ", ",", "."}


@built_in("number", "from: string")
@built_in("number", "from: number")
def number(run: Run, text: str | Decimal) -> Decimal:
    """Read a number."""
    if isinstance(text, Decimal):
        return text
    if _number(text) is None:
        raise FeelError(f"“{text[:40]}” 不是数字 (not a number)")
    return CONTEXT.create_decimal(text)


@built_in("number", "from: string; grouping separator: string?; *decimal separator: string?")
def number_with_separators(run: Run, text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    """Read a number written with separators, such as `1 000,00`."""
    if grouping is not None and grouping not in _SEPARATORS:
        raise FeelError("分组符应为空格、逗号或句点 (a space, a comma or a point groups digits)")
    if point is not None and (point not in {",", "."} or point == grouping):
        raise FeelError("小数点应为句点或逗号，且不同于分组符 (the decimal separator is a point or a comma)")
    if grouping is not None:
        text = text.replace(grouping, "")
    if point is not None and point != ".":
        if "." in text:
            raise FeelError(f"“{text[:40]}” 不是数字 (not a number)")
        text = text.replace(point, ".")
    return number(run, text)  # type: ignore[no-any-return]  # registered functions are untyped


@built_in("string", "from: any")
def string(run: Run, value: Any) -> str | None:
    """Return the text of a value; of null: null."""
    if value is None:
        return None
    text = to_text(value, limit=run.limits.string_length)
    run.check_text(len(text))
    return text


@built_in("not", "negand: any")
def negation(run: Run, negand: Any) -> bool | None:
    """Return the opposite of a boolean; null of anything else."""
    if not isinstance(negand, bool) and negand is not None:
        raise FeelError(f"应为布尔值，却是 {kind_of(negand)} (a boolean is needed)")
    return None if negand is None else not negand


@built_in("is defined", "value: any")
def is_defined(run: Run, value: Any) -> bool:
    """Tell whether a value is not null."""
    return value is not None


@built_in("get or else", "value: any; default: any")
def get_or_else(run: Run, value: Any, default: Any) -> Any:
    """Return a value, or the default where it is null."""
    return default if value is None else value


@built_in("assert", "value: any; condition: any; *cause: string?")
def assertion(run: Run, value: Any, condition: Any, cause: str | None = None) -> Any:
    """Return a value if a condition holds.

    Raises:
        EvaluationFailed: it does not; the process gets an incident.
    """
    if condition is not True:
        raise EvaluationFailed(cause or "表达式中的断言不成立 (an assertion does not hold)")
    return value


@built_in("from json", "value: string")
def from_json(run: Run, text: str) -> Any:
    """Read JSON; null of a text that is not JSON."""
    try:
        value = json.loads(text, parse_float=_json_number, parse_int=_json_number, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise FeelError("不是有效的 JSON (not valid JSON)") from None
    run.charge(len(text) // 16)
    return _read(value, 0)


_json_number = CONTEXT.create_decimal


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _read(value: Any, depth: int) -> Any:
    """Return what JSON held as FEEL has it: halves of characters, which no text can hold, are replaced."""
    if depth > MAX_DEPTH:
        raise FeelError(f"JSON 嵌套超过 {MAX_DEPTH} 层 (nested too deeply)")
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_read(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_read(key, depth): _read(entry, depth + 1) for key, entry in value.items()}
    return value


@built_in("to json", "value: any")
def to_json_text(run: Run, value: Any) -> str:
    """Write a value as JSON."""
    text = Text(run.limits.string_length)
    _write(value, text, 0)
    written = str(text)
    run.check_text(len(written))
    return written


def _write(value: Any, text: Text, depth: int) -> None:
    if isinstance(value, list):
        text.check_depth(depth)
        text.put("[")
        for index, item in enumerate(value):
            if index:
                text.put(",")
            _write(item, text, depth + 1)
        text.put("]")
    elif isinstance(value, dict):
        text.check_depth(depth)
        text.put("{")
        for index, (key, entry) in enumerate(value.items()):
            text.put(f"{',' if index else ''}{json.dumps(key, ensure_ascii=False)}:")
            _write(entry, text, depth + 1)
        text.put("}")
    elif isinstance(value, Decimal):
        text.put(to_text(value))
    else:
        text.put(json.dumps(to_json(value), ensure_ascii=False))
