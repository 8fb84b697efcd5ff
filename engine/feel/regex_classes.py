r"""Sets of characters: what `a`, `[a-z-[aeiou]]`, `\p{Lu}`, `\w` stand for.

A set keeps general categories by name, because written out they are hundreds of ranges; they are worked out only where
RE2 cannot have them by name: in a subtraction, and the unassigned characters.
Source: XML Schema part 2, appendix F (regular expressions).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

LAST = 0x10FFFF
LAST_CASED = 0x1FFFF  # no letters with capital and small forms beyond
Spans = list[tuple[int, int]]
ANY, NONE = r"[\x00-\x{10FFFF}]", r"[^\x00-\x{10FFFF}]"  # of all characters, in RE2's syntax
_UNASSIGNED = frozenset({"C", "Cn"})  # RE2's \p{C} leaves them out


def normal(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return spans in order, touching ones joined."""
    joined: Spans = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def complement(spans: Iterable[tuple[int, int]]) -> Spans:
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


@lru_cache(maxsize=1)
def _categories() -> dict[str, Spans]:
    """Return the spans of every general category of two letters."""
    found: dict[str, Spans] = {}
    start, present = 0, unicodedata.category("\0")
    for code in range(1, LAST + 2):
        name = unicodedata.category(chr(code)) if code <= LAST else ""
        if name != present:
            found.setdefault(present, []).append((start, code - 1))
            start, present = code, name
    return found


def category(name: str) -> Spans:
    """Return the characters of a general category (`L`, `Nd`, …) as spans."""
    return normal(span for key, spans in _categories().items() if key.startswith(name) for span in spans)


@lru_cache(maxsize=1)
def _cases() -> tuple[list[int], dict[int, list[int]]]:
    """Return the characters that have case variants, in order, and the variants of each."""
    related: dict[str, set[int]] = {}
    for code in range(LAST_CASED + 1):
        character = chr(code)
        for form in {character.lower(), character.upper()} - {character}:
            if len(form) == 1:
                related.setdefault(form.lower(), set()).update({code, ord(form)})
    variants: dict[int, set[int]] = {}
    for group in related.values():
        for code in group:
            variants.setdefault(code, set()).update(group)
    return sorted(variants), {code: sorted(others) for code, others in variants.items()}


def with_case_variants(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return the characters with their capital and small forms (flag i; XPath functions and operators, 7.6.1.1)."""
    spans = list(spans)
    cased, variants = _cases()
    added: Spans = []
    for low, high in spans:
        for code in cased[bisect_left(cased, low) : bisect_right(cased, high)]:
            added += [(other, other) for other in variants[code]]
    return normal([*spans, *added])


@dataclass(frozen=True, slots=True)
class CharacterSet:
    r"""A set of characters: those of `spans` and `categories`, or all others if `negated`, but none of `without`.

    A category is a name and whether it is negated (`\P`).
    """

    spans: tuple[tuple[int, int], ...] = ()
    categories: tuple[tuple[str, bool], ...] = ()
    negated: bool = False
    without: CharacterSet | None = None

    def __contains__(self, character: str) -> bool:
        if self.without is not None and character in self.without:
            return False
        return (self._in_spans(ord(character)) or self._in_categories(character)) is not self.negated

    def _in_spans(self, code: int) -> bool:
        return any(low <= code <= high for low, high in self.spans)

    def _in_categories(self, character: str) -> bool:
        if not self.categories:
            return False
        mine = unicodedata.category(character)
        return any(mine.startswith(name) is not negated for name, negated in self.categories)

    def all_spans(self) -> Spans:
        """Return every character of the set."""
        spans: Spans = list(self.spans)
        for name, negated in self.categories:
            spans += complement(category(name)) if negated else category(name)
        if self.negated:
            spans = complement(spans)
        return normal(spans) if self.without is None else complement([*complement(spans), *self.without.all_spans()])

    def for_re2(self) -> str:
        """Return the set in RE2's syntax."""
        if self.without is not None:
            left = self.all_spans()
            return f"[{_written(left)}]" if left else NONE
        spans, named = list(self.spans), ""
        for name, negated in self.categories:
            if name in _UNASSIGNED:
                spans += complement(category(name)) if negated else category(name)
            else:
                named += f"\\{'P' if negated else 'p'}{{{name}}}"
        if not spans and not named:
            return ANY if self.negated else NONE
        return f"[{'^' if self.negated else ''}{named}{_written(normal(spans))}]"


def _written(spans: Spans) -> str:
    """Return spans as what stands between `[` and `]` in RE2's syntax."""
    return "".join(f"\\x{{{low:X}}}" + (f"-\\x{{{high:X}}}" if high > low else "") for low, high in spans)
