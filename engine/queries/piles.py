"""A person's open tasks, tab by tab, in order of urgency: read from the ranges of an index as far as somebody asks.

A group's open tasks are one range; the ranges of several groups (and of those whom a person stands in for) are merged. A range
that was read for the page is there for the counts.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select, tuple_, type_coerce

from engine.queries.rows import by_keys, tasks_by_key
from engine.store import Reading, exact_json
from engine.store.rights import Actor, may_work
from engine.store.tables import IS_OPEN, task_candidate, user_task
from engine.store.transactions import Found
from engine.store.types import to_microseconds

STOPS = 100
"""Counts stop here: 100 stands for "99+"."""

_BATCH = STOPS
_NEVER = 1 << 62  # after every due date, and what stands for none
_CHECKED = 51

_EVERYBODY = ""  # nobody's username: excluded from nothing

_Place = tuple[int, int, bool]  # due_sort, task key, whether it is the person's for certain

_EXCLUDED = type_coerce(user_task.c.excluded_users, Text).label("excluded")  # as it is stored: mostly NULL
_OFFERED = (
    select(task_candidate.c.due_sort, task_candidate.c.task_key, _EXCLUDED)
    .join(user_task, user_task.c.key == task_candidate.c.task_key)
    .where(
        task_candidate.c.kind == bindparam("kind"),
        task_candidate.c.name == bindparam("name"),
        tuple_(task_candidate.c.due_sort, task_candidate.c.task_key) > tuple_(bindparam("sort"), bindparam("task")),
    )
    .order_by(task_candidate.c.due_sort, task_candidate.c.task_key)
    .limit(_BATCH)
)
_OPEN = (
    select(user_task.c.due_sort, user_task.c.key.label("task_key"), _EXCLUDED)
    .where(IS_OPEN, tuple_(user_task.c.due_sort, user_task.c.key) > tuple_(bindparam("sort"), bindparam("task")))
    .order_by(user_task.c.due_sort, user_task.c.key)
    .limit(_BATCH)
)
_ASSIGNED = _OPEN.where(user_task.c.assignee == bindparam("name"))
_SIZES = {
    _OFFERED: select(task_candidate.c.task_key).where(
        task_candidate.c.kind == bindparam("kind"), task_candidate.c.name == bindparam("name")
    ),
    _OPEN: select(user_task.c.key).where(IS_OPEN),
    _ASSIGNED: select(user_task.c.key).where(IS_OPEN, user_task.c.assignee == bindparam("name")),
}
_COUNTS = {
    statement: select(func.count()).select_from(places.limit(bindparam("most")).subquery())
    for statement, places in _SIZES.items()
}
# What decides whether a task is somebody's.
_RIGHTS = by_keys(
    select(
        user_task.c.key,
        user_task.c.bpmn_process_id,
        user_task.c.assignee,
        user_task.c.on_behalf_of,
        user_task.c.candidate_groups,
        user_task.c.candidate_users,
        user_task.c.excluded_users,
    )
)


class Piles:
    """The open tasks of a person, by tab.

    Attributes:
        names: usernames that count as theirs: their own, and of those they stand in for.
        groups: group ids, likewise.
        sees_all: whether the tab `all` shows them everything.
    """

    def __init__(self, reading: Reading, acting: Actor) -> None:
        self._reading = reading
        self.acting = acting
        own = acting.person
        self.sees_all = own.is_admin or own.is_auditor
        self.names = list(dict.fromkeys([own.username, *(absent.person.username for absent in acting.absent)]))
        self.groups = sorted(own.groups.union(*(absent.person.groups for absent in acting.absent)))
        self._all = [_Range(reading, _OPEN, {}, _EVERYBODY)]
        self._assigned = [self._range(_ASSIGNED, {"name": name}, own=name == own.username) for name in self.names]
        self._offered = [
            *(self._range(_OFFERED, {"kind": "group", "name": name}, own=name in own.groups) for name in self.groups),
            *(self._range(_OFFERED, {"kind": "user", "name": name}, own=name == own.username) for name in self.names),
        ]

    def _range(self, statement: Select[*tuple[Any, ...]], parameters: dict[str, str], *, own: bool) -> _Range:
        return _Range(self._reading, statement, parameters, self.acting.username if own else None)

    def keys(self, tab: str) -> Iterator[int]:
        """Yield the keys of the tasks in a tab, the most urgent first."""
        places = self._places(tab)
        while batch := list(islice(places, _CHECKED)):
            doubtful = [key for key, certain in batch if not certain]
            theirs = self.theirs(tab, doubtful) if doubtful else ()
            yield from (key for key, certain in batch if certain or key in theirs)

    def count(self, tab: str) -> int:
        """Return how many tasks a tab shows; from `STOPS` on it is not counted further."""
        limit = to_microseconds(self._reading.now) if tab == "overdue" else _NEVER
        certain: set[int] = set()
        known = True
        for part in self._ranges(tab):
            head, ended = part.head()
            shown = head if limit == _NEVER else head[: bisect_right(head, limit, key=itemgetter(0))]
            certain.update(key for _, key, sure in shown if sure)
            known = known and (ended or len(shown) < len(head)) and all(sure for _, _, sure in shown)
            if len(certain) >= STOPS:
                return STOPS
        return len(certain) if known else sum(1 for _ in islice(self.keys(tab), STOPS))

    def size(self, tab: str, most: int) -> int:
        """Return how many tasks a tab has at most; from `most` on it is not counted further."""
        found = 0
        for part in self._ranges(tab):
            if found < most:
                found += part.size(most - found)
        return found

    def theirs(self, tab: str, keys: Iterable[int]) -> set[int]:
        """Return those of some open tasks that a tab shows, by all rules."""
        return {row.key for row in tasks_by_key(self._reading, list(keys), _RIGHTS) if self._belongs(tab, row)}

    def _belongs(self, tab: str, row: Found) -> bool:
        if tab == "all" and self.sees_all:
            return True
        if tab == "mine" and row.assignee is None:
            return False
        if tab == "groups" and row.assignee is not None:
            return False
        return may_work(self.acting, row) or row.assignee == self.acting.username

    def _ranges(self, tab: str) -> list[_Range]:
        if tab == "all" and self.sees_all:
            return self._all
        return {"mine": self._assigned, "groups": self._offered}.get(tab, self._assigned + self._offered)

    def _places(self, tab: str) -> Iterator[tuple[int, bool]]:
        """Yield task keys, each once, until the limit of the tab, and whether it is theirs for certain."""
        limit = to_microseconds(self._reading.now) if tab == "overdue" else None
        for (sort, key), same in groupby(heapq.merge(*self._ranges(tab)), key=itemgetter(0, 1)):
            if limit is not None and sort > limit:
                return
            yield key, any(certain for _, _, certain in same)


class _Range:
    """A range of an index, read in batches, each beginning behind the last place of the one before; what was read is kept.

    Args:
        own: the person whose own group or name it is: all of it is theirs, but what they are excluded from; None = of somebody
            they stand in for, which depends on more.
    """

    def __init__(
        self, reading: Reading, statement: Select[*tuple[Any, ...]], parameters: dict[str, str], own: str | None
    ) -> None:
        self._reading = reading
        self._statement = statement
        self._parameters = parameters
        self._own = own
        self._read: list[_Place] = []
        self._ended = False

    def __iter__(self) -> Iterator[_Place]:
        at = 0
        while at < len(self._read) or self._more():
            yield self._read[at]
            at += 1

    def head(self) -> tuple[list[_Place], bool]:
        """Return the first places, and whether these are all."""
        if not self._read:
            self._more()
        return self._read, self._ended

    def size(self, most: int) -> int:
        """Return how many places there are, counting no further than `most`."""
        return int(self._reading.scalar(_COUNTS[self._statement], {**self._parameters, "most": most}))

    def _more(self) -> bool:
        if self._ended:
            return False
        sort, task, _ = self._read[-1] if self._read else (-1, -1, False)
        rows = self._reading.all(self._statement, {**self._parameters, "sort": sort, "task": task})
        own = self._own
        if own is None:
            self._read += [(sort, task, False) for sort, task, _ in rows]
        else:
            self._read += [
                (sort, task, excluded is None or own not in exact_json.loads(excluded)) for sort, task, excluded in rows
            ]
        self._ended = len(rows) < _BATCH
        return bool(rows)
