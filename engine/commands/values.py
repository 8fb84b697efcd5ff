"""Variables as callers hand them in, made into what is stored: JSON values with exact numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import feel
from engine.errors import EvaluationFailed, InvalidValue

MAX_NAME = 255


def clean(variables: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return variables as JSON values: floats become exact decimals, dates and durations their ISO texts.

    Raises:
        InvalidValue: a name is no text, is too long or begins with `#` (the engine's own), or a value cannot be stored.
    """
    found = {}
    for name, value in (variables or {}).items():
        if not isinstance(name, str) or not name or len(name) > MAX_NAME or name.startswith("#"):
            raise InvalidValue(f"变量名不合规：{name!r}（1 to {MAX_NAME} characters, not beginning with #）", field=str(name))
        try:
            found[name] = feel.to_json(value)
        except (EvaluationFailed, RecursionError) as error:
            raise InvalidValue(f"变量 {name} 的值无法保存（cannot be stored）：{error}", field=name) from error
    return found
