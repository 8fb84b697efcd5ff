"""Texts and searched words as grams: the small pieces by which an index finds a word inside a text.

Chinese has no spaces between words, and people look for two characters of a name or four digits of a number. So a text is cut
into overlapping pieces: pairs where a character beyond ASCII takes part, threes and sixes of ASCII letters and digits (a pair of
digits is in every business id and would tell nothing). Signs and spaces are left out of pieces; what a word's signs say is
compared afterwards, on the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

WORDS = 5
"""Words of a search that are looked at; more are left out."""
LONGEST = 100
"""Characters of a word that are looked at."""
CHOSEN = 4
"""Pieces of a word that the index is asked for; the text is compared anyway."""

_SHORT, _LONG = 3, 6
_RUNS = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """Return a text as it is compared: full-width and half-width alike (NFKC), capitals and small letters alike."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(search: str) -> tuple[str, ...]:
    """Return what is looked for: at most `WORDS` words between spaces, folded, none twice."""
    return tuple(dict.fromkeys(word[:LONGEST] for word in fold(search).split()))[:WORDS]


def grams(*texts: str) -> set[str]:
    """Return all pieces of some texts."""
    found: set[str] = set()
    for text in texts:
        bare = _bare(fold(text))
        found.update(_pairs(bare))
        for run in _RUNS.findall(bare):
            for size in (_SHORT, _LONG):
                found.update(_pieces(run, size))
    return found


def telling(word: str) -> list[str]:
    """Return pieces that a text must have to hold a (folded) word, spread over it; none for a word too short for a piece.

    Too short are one character, and ASCII letters and digits up to two in a row.
    """
    bare = _bare(word)
    found = _pairs(bare)
    for run in _RUNS.findall(bare):
        found.extend(_pieces(run, _LONG if len(run) >= _LONG else _SHORT))
    found = list(dict.fromkeys(found))
    if len(found) <= CHOSEN:
        return found
    step = (len(found) - 1) / (CHOSEN - 1)
    return [found[round(number * step)] for number in range(CHOSEN)]


def _bare(folded: str) -> str:
    return "".join(filter(str.isalnum, folded))


def _pairs(bare: str) -> list[str]:
    return [] if bare.isascii() else [pair for pair in map("".join, pairwise(bare)) if not pair.isascii()]


def _pieces(run: str, size: int) -> Iterator[str]:
    return (run[at : at + size] for at in range(len(run) - size + 1))
