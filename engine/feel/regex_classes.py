"""Character classes with subtraction, `[A-Z-[IO]]`, which RE2 does not have: worked out as ranges of code points.

Source: XML Schema part 2, appendix F (regular expressions).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LAST = 0x10FFFF
Spans = list[tuple[int, int]]


def normal(spans: Spans) -> Spans:
    """Return spans in order, touching ones joined."""
    joined: Spans = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def complement(spans: Spans) -> Spans:
    """Return all characters that are not in the spans."""
    rest: Spans = []
    start = 0
    for low, high in normal(spans):
        if low > start:
            rest.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        rest.append((start, LAST))
    return rest


def subtract(spans: Spans, other: Spans) -> Spans:
    """Return the spans without those of another class."""
    return complement([*complement(spans), *other])


@lru_cache(maxsize=64)
def category(name: str) -> tuple[tuple[int, int], ...]:
    """Return the characters of a general category (`L`, `Nd`, …) as spans."""
    spans: Spans = []
    start: int | None = None
    for code in range(LAST + 2):
        inside = code <= LAST and unicodedata.category(chr(code)).startswith(name)
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            spans.append((start, code - 1))
            start = None
    return tuple(spans)


def write(spans: Spans) -> str:
    r"""Return spans as what stands between `[` and `]` in RE2's syntax; nothing at all as a class that never matches."""
    if not spans:
        return r"^\x00-\x{10FFFF}"
    return "".join(f"\\x{{{low:X}}}" + (f"-\\x{{{high:X}}}" if high > low else "") for low, high in spans)
