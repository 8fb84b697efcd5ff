"""Patterns without back references, on RE2: their time is linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import re2

from engine.feel.environment import FeelError, Run
from engine.feel.regex_syntax import Anchor, Characters, Choice, Group, Part, Repeat, Sequence, Syntax

MAX_MEMORY = 8 << 20


class LinearPattern:
    """A pattern compiled by RE2.

    Raises:
        FeelError: RE2 cannot do it, because it becomes too large.
    """

    def __init__(self, syntax: Syntax) -> None:
        self.groups = syntax.groups
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MAX_MEMORY
        try:
            self._compiled: Any = re2.compile(_written(syntax.part), options)
        except re2.error as error:
            raise FeelError(f"正则表达式无效 (invalid pattern): {_reason(error)}") from None

    def found(self, text: str, run: Run) -> bool:
        """Tell whether the pattern matches anywhere in a text."""
        return self._compiled.search(text) is not None

    def matches(self, text: str, run: Run) -> Iterator[Any]:
        """Yield all matches; each costs the run a step."""
        for match in self._compiled.finditer(text):
            run.charge()
            yield match


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _written(part: Part) -> str:
    """Return a part in RE2's syntax."""
    if isinstance(part, Characters):
        return part.set.for_re2()
    if isinstance(part, Sequence):
        return "".join(f"(?:{_written(p)})" if isinstance(p, Choice) else _written(p) for p in part.parts)
    if isinstance(part, Choice):
        return "|".join(map(_written, part.parts))
    if isinstance(part, Group):
        return f"({'' if part.number else '?:'}{_written(part.part)})"
    if isinstance(part, Repeat):
        most = "" if part.most is None else part.most
        return f"(?:{_written(part.part)}){{{part.least},{most}}}{'?' if part.lazy else ''}"
    if isinstance(part, Anchor):
        return ("(?m:^)" if part.start else "(?m:$)") if part.lines else (r"\A" if part.start else r"\z")
    raise FeelError("RE2 不支持反向引用 (RE2 has no back references)")
