"""Regular expressions from models and forms: RE2 alone, so that none can run away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from engine.errors import EvaluationFailed, InvalidValue

MAX_PATTERN = 2000

# What a browser accepts (form-js), and national numbers besides.
EMAIL = r"^[^\s@]+@[^\s@]+\.[^\s@]+$"
PHONE = r"^(\+|00)?\(?[0-9]{1,4}\)?[0-9 \-()]{3,24}$"

_JS_UNICODE = re.compile(r"\\u\{?([0-9A-Fa-f]{1,6})\}?")


@dataclass(frozen=True, slots=True)
class ForbiddenPattern:
    """What no free text may contain.

    Attributes:
        pattern: RE2; looked for anywhere in the text, after full-width characters became ordinary ones (NFKC).
        label: what it is, as people call it: 居民身份证号.
    """

    pattern: str
    label: str

    def is_in(self, text: str) -> bool:
        """Say whether a text contains it."""
        return contains(self.pattern, unicodedata.normalize("NFKC", text)) or contains(self.pattern, text)


def forbidden_patterns(value: Any) -> tuple[ForbiddenPattern, ...]:
    """Read the value of a model's `forbiddenPatterns`: a list of contexts `{pattern, label}`, or None.

    Raises:
        EvaluationFailed: it is something else, or a pattern is no RE2 expression.
    """
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise EvaluationFailed("forbiddenPatterns 应为列表 (must be a list of contexts {pattern, label})")
    found = []
    for item in value:
        if not isinstance(item, Mapping) or not isinstance(item.get("pattern"), str):
            raise EvaluationFailed("forbiddenPatterns 的每一项应有 pattern 和 label (each item needs pattern and label)")
        try:
            compiled(item["pattern"])
        except InvalidValue as error:
            raise EvaluationFailed(f"forbiddenPatterns: {error}") from error
        found.append(ForbiddenPattern(item["pattern"], str(item.get("label") or item["pattern"])))
    return tuple(found)


def contains(pattern: str, text: str) -> bool:
    """Say whether the text contains the pattern anywhere, as JavaScript's `RegExp.test` does."""
    return compiled(pattern).search(text) is not None


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> Any:
    r"""Return a compiled pattern; JavaScript's `\u4e00` is understood.

    Raises:
        InvalidValue: RE2 does not know it (look-around, back references), or it is too long or too large.
    """
    if len(pattern) > MAX_PATTERN:
        raise InvalidValue(f"正则表达式超过 {MAX_PATTERN} 个字符 (the pattern is too long)")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_JS_UNICODE.sub(lambda found: f"\\x{{{found[1]}}}", pattern), options)
    except re2.error as error:
        raise InvalidValue(f"正则表达式无法执行 (no RE2 pattern): {pattern}: {error}") from error
