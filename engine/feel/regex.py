"""XPath's regular expressions: `matches`, `replace`, `split`.

Patterns run on RE2, whose time is linear in the text; only those with back references run on a matcher of our own,
within the limits of the run.
Source: DMN 1.5, 10.3.4.3 (matches, replace, split → XQuery 1.0 and XPath 2.0 Functions and Operators, 7.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

from engine.feel.environment import FeelError, Run
from engine.feel.regex_backtracking import BacktrackingPattern
from engine.feel.regex_linear import LinearPattern
from engine.feel.regex_syntax import parse

MAX_PATTERN = 10_000


class Match(Protocol):
    """A match of a pattern."""

    def group(self, group: int = 0, /) -> str | None:
        """Return what a group matched."""
        ...

    def start(self) -> int:
        """Return where the match begins."""
        ...

    def end(self) -> int:
        """Return where the match ends."""
        ...


class Pattern(Protocol):
    """A compiled pattern."""

    groups: int

    def found(self, text: str, run: Run, /) -> bool:
        """Tell whether the pattern matches anywhere in a text."""
        ...

    def matches(self, text: str, run: Run, /) -> Iterator[Match]:
        """Yield all matches; each costs the run a step."""
        ...


def compiled(pattern: str, flags: str, run: Run) -> Pattern:
    """Return a compiled pattern; its length is charged to the run.

    Raises:
        FeelError: an unknown flag, a malformed pattern, or one that becomes too large.
    """
    if set(flags) - set("smixq"):
        raise FeelError(f"正则标志应为 s、m、i、x、q (unknown flag): {flags[:40]}")
    if len(pattern) > MAX_PATTERN:
        raise FeelError("正则表达式太长 (the pattern is too long)")
    run.charge(1 + len(pattern) // 8)
    run.check_time()  # a new pattern may take a while to compile
    return _compiled(pattern, "".join(sorted(set(flags))))


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> Pattern:
    syntax = parse(pattern, flags)
    return BacktrackingPattern(syntax) if syntax.refers_back else LinearPattern(syntax)


_reference = re.compile(r"\\([\\$])|\$([0-9]+)|([\\$])", re.ASCII)


def replace(text: str, pattern: str, replacement: str, flags: str, run: Run) -> str:
    """Return a text with every match replaced; a match costs the run a step.

    Raises:
        FeelError: an invalid pattern or replacement, or a pattern that matches the empty string.
    """
    expression = compiled(pattern, flags, run)
    if expression.found("", run):
        raise FeelError("正则表达式匹配空字符串，不能替换 (the pattern matches the empty string)")
    pieces = [(replacement, -1)] if "q" in flags else list(_pieces(replacement, expression.groups))
    out: list[str] = []
    end = size = 0
    for match in expression.matches(text, run):
        out.append(text[end : match.start()])
        for literal, group in pieces:
            out.append(literal if group < 0 else match.group(group) or "")
            size += len(out[-1])
        if size > run.limits.string_length:
            run.check_text(size)
        end = match.end()
    out.append(text[end:])
    return "".join(out)


def _pieces(replacement: str, groups: int) -> Iterator[tuple[str, int]]:
    """Yield the literal parts of a replacement (with group -1) and the groups it refers to."""
    end = 0
    for match in _reference.finditer(replacement):
        yield replacement[end : match.start()], -1
        end = match.end()
        escaped, digits, stray = match.groups()
        if stray:
            raise FeelError("替换文本中的 “\\” 和 “$” 要写成 “\\\\” 和 “\\$” (escape them in the replacement)")
        if escaped:
            yield escaped, -1
            continue
        used = len(digits)
        while used > 1 and int(digits[:used]) > groups:
            used -= 1
        number = int(digits[:used])
        if number <= groups:
            yield "", number
        yield digits[used:], -1
    yield replacement[end:], -1


def split(text: str, pattern: str, run: Run) -> list[str]:
    """Return the parts of a text between the matches of a pattern; a match costs the run a step.

    Raises:
        FeelError: an invalid pattern, or one that matches the empty string.
    """
    expression = compiled(pattern, "", run)
    if expression.found("", run):
        raise FeelError("分隔符匹配空字符串 (the delimiter matches the empty string)")
    parts: list[str] = []
    end = 0
    for match in expression.matches(text, run):
        parts.append(text[end : match.start()])
        end = match.end()
    parts.append(text[end:])
    return parts
