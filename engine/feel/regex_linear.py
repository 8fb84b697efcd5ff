"""Patterns without back references, on RE2: their time is linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import re2

from engine.errors import EvaluationFailed
from engine.feel.environment import FREE_LENGTH, FeelError, Run
from engine.feel.regex_syntax import Anchor, Characters, Choice, Group, Part, Repeat, Sequence, Syntax

MAX_MEMORY = 4 << 20  # bytes; what needs more is given up after less than half a second
MAX_WORK = 150_000_000  # size of the compiled pattern × characters of the text: at RE2's slowest, about two seconds


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
        self._check_work(text, run)
        return self._compiled.search(text) is not None

    def matches(self, text: str, run: Run) -> Iterator[Any]:
        """Yield all matches; each costs the run a step."""
        self._check_work(text, run)
        for match in self._compiled.finditer(text):
            run.charge()
            run.check_time()
            yield match

    def _check_work(self, text: str, run: Run) -> None:
        """Refuse a pattern and a text that together would take too long: linear time can still be long."""
        if len(text) > FREE_LENGTH:
            run.check_time()
        if self._compiled.programsize * len(text) > MAX_WORK:
            raise EvaluationFailed("正则表达式和文本都太长，已停止 (the pattern is too large for so long a text)")


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
