"""What was read and may be asked for again is kept in memory, within a limit, each with a mark that says of what it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

LIMIT = 16_000
"""Weight that is kept in all: about 2.5 MB, however many instances wait. One with 1,000 live siblings fits."""


class Kept:
    """Values by key, the least recently used forgotten first; safe for threads.

    Nothing here is trusted: a value comes out only for the mark it was kept with, and the caller reads the mark from the
    database, under the instance's lock. Taken out it is gone: whoever changed it keeps it again after the commit, and an error on
    the way leaves nothing behind.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._items: OrderedDict[int, tuple[Hashable, int, Any]] = OrderedDict()
        self._weight = 0

    def take(self, key: int, mark: Hashable) -> tuple[Any, int] | None:
        """Take out what was kept for this mark, with its weight; what was kept for another mark is forgotten."""
        with self._lock:
            found = self._drop(key)
        return None if found is None or found[0] != mark else (found[2], found[1])

    def keep(self, key: int, mark: Hashable, value: Any, weight: int) -> None:
        """Keep a value; the least recently used ones go until all fit. What is too heavy alone is not kept."""
        with self._lock:
            self._drop(key)
            if weight > self._limit:
                return
            self._items[key] = (mark, weight, value)
            self._weight += weight
            while self._weight > self._limit:
                self._drop(next(iter(self._items)))

    def mark_anew(self, key: int, mark: Hashable, new: Hashable) -> None:
        """Let what is kept for a mark be of another: the database says more now, but nothing of this changed."""
        with self._lock:
            found = self._items.get(key)
            if found is not None and found[0] == mark:
                self._items[key] = (new, found[1], found[2])

    @property
    def weight(self) -> int:
        """What is kept weighs this much in all."""
        return self._weight

    def _drop(self, key: int) -> tuple[Hashable, int, Any] | None:
        found = self._items.pop(key, None)
        if found is not None:
            self._weight -= found[1]
        return found
