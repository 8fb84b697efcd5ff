"""Searching an inbox: complete and quick for any word and any number of tasks, or else it says that it was not complete.

What is found stands in the order of cases, the newest first: in this order the full-text index yields them, and a search that
finds thousands costs as much as its page. A pile of few tasks is compared one by one. For others three ways are tried:

1. the newest cases that hold the words, until a page is full or no case is left;
2. the person's pile, where it is not too large (`OWN`): all of it is compared;
3. more cases that hold the words (`FARTHEST`).

Words too short for the index (one Chinese character, one or two letters or digits) are looked for in the second way alone: in
the most urgent tasks of a larger pile.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from engine.queries.piles import Piles
from engine.queries.rows import by_keys, tasks_by_key
from engine.store import Reading, search
from engine.store.search import Question, Words
from engine.store.tables import IS_OPEN, process_definition, process_instance, task_candidate, user_task
from engine.store.transactions import Found
from engine.store.types import to_microseconds

OWN = 1_000
"""Tasks of a person that are compared with the words one by one."""
FARTHEST = 5_000
"""Cases holding the words that are looked through for tasks of the person."""

_STEPS = (128, 1024, 4096)  # cases at once: few suffice where most are the person's
_SLICE = 51
_FEW = 250  # tasks that are compared at once, without asking the index

# What words are looked for in.
_LINE: ColumnElement[str] = literal_column("'\n'", Text)
_TEXT = (
    func.coalesce(process_instance.c.business_id, "")
    + _LINE
    + process_instance.c.subject
    + _LINE
    + process_definition.c.name
    + _LINE
    + process_definition.c.bpmn_process_id
    + _LINE
    + user_task.c.name
)
_TEXTS = by_keys(
    select(user_task.c.key, user_task.c.instance_key, _TEXT.label("text"))
    .join(process_instance, process_instance.c.key == user_task.c.instance_key)
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
)
_DONE = (
    select(user_task.c.key)
    .where(user_task.c.ended_by == bindparam("name"))
    .order_by(user_task.c.ended_at.desc(), user_task.c.key.desc())
    .limit(OWN + 1)
)

_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_ASSIGNED = user_task.c.assignee.in_(_NAMES)
_OFFERED = exists(
    select(task_candidate.c.task_key).where(
        task_candidate.c.task_key == user_task.c.key,
        or_(
            and_(task_candidate.c.kind == "group", task_candidate.c.name.in_(bindparam("groups", expanding=True))),
            and_(task_candidate.c.kind == "user", task_candidate.c.name.in_(_NAMES)),
        ),
    )
)
# Roughly whose a task is; the rules are applied to what is left.
_TAB = {
    "mine": (IS_OPEN, _ASSIGNED),
    "groups": (IS_OPEN, _OFFERED),
    "overdue": (IS_OPEN, user_task.c.due_sort <= bindparam("due"), or_(_ASSIGNED, _OFFERED)),
    "done": (user_task.c.state != "OPEN", user_task.c.ended_by.in_(_NAMES)),
    "all": (IS_OPEN, or_(_ASSIGNED, _OFFERED)),
    "everything": (IS_OPEN,),  # `all`, for those who see everything
}


def _hits(cases: Subquery, tab: str) -> Select[*tuple[Any, ...]]:
    """Tasks of a tab in the cases found, the newest case first."""
    return (
        select(user_task.c.key)
        .join_from(cases, user_task, user_task.c.instance_key == cases.c.instance_key)
        .where(*_TAB[tab])
        .order_by(cases.c.instance_key.desc(), user_task.c.key.desc())
    )


def _extent(cases: Subquery) -> Select[*tuple[Any, ...]]:
    return select(func.count().label("number"), func.min(cases.c.instance_key).label("last")).select_from(cases)


@dataclass(frozen=True, slots=True)
class Hits:
    """Keys of the tasks found, the newest case first; `complete`: nothing may be missing among them."""

    keys: list[int]
    complete: bool


def search_tasks(reading: Reading, piles: Piles, tab: str, words: Words, most: int) -> Hits:
    """Return the first tasks of a tab whose texts hold all words, at most so many."""
    size = len(_done(reading, piles)) if tab == "done" else piles.size(tab, OWN + 1)
    if size <= _FEW:
        return Hits(_own(reading, piles, tab, words)[:most], complete=True)
    asked = search.question(reading, words, tasks=True)
    if asked is None:
        return Hits(_own(reading, piles, tab, words)[:most], complete=size <= OWN)
    walk = _Walk(reading, piles, tab, words, asked)
    if walk.on(most, sum(_STEPS[:2])):
        return Hits(walk.found[:most], complete=True)
    if size <= OWN:
        return Hits(_own(reading, piles, tab, words)[:most], complete=True)
    complete = walk.on(most, FARTHEST)
    return Hits(walk.found[:most], complete)


class _Walk:
    """Going through the cases that hold the words, the newest first."""

    def __init__(self, reading: Reading, piles: Piles, tab: str, words: Words, asked: Question) -> None:
        self.found: list[int] = []
        self._most = 0
        self._reading, self._piles, self._tab, self._words, self._asked = reading, piles, tab, words, asked
        cases = asked.cases(reading)
        self._extent, self._hits = _extent(cases), _hits(cases, "everything" if tab == "all" and piles.sees_all else tab)
        self._given: dict[str, Any] = {"names": piles.names if tab != "done" else piles.names[:1], "groups": piles.groups}
        if tab == "overdue":
            self._given["due"] = to_microseconds(reading.now)
        self._before = search.NEWEST
        self._looked_at = self._step = 0

    def on(self, most: int, farthest: int) -> bool:
        """Go on until so many tasks are found, or no case is left (True), or so many cases were looked at (False)."""
        self._most = most
        while len(self.found) < most:
            if self._before < 0:
                return True
            if self._looked_at >= farthest:
                return False
            self._one(min(_STEPS[min(self._step, len(_STEPS) - 1)], farthest - self._looked_at))
        return True

    def _one(self, size: int) -> None:
        given = self._asked.parameters(self._reading, self._before, size)
        keys = [row.key for row in self._reading.all(self._hits, {**given, **self._given})]
        for begin in range(0, len(keys), _SLICE):
            self.found += self._theirs(keys[begin : begin + _SLICE])
            if len(self.found) >= self._most:
                return  # nobody asks how far this went
        extent = self._reading.one(self._extent, given)
        assert extent is not None  # an aggregate has a row
        self._before = extent.last if extent.number == size else -1
        self._looked_at += size
        self._step += 1

    def _theirs(self, keys: list[int]) -> list[int]:
        held = [row.key for row in _holding(self._reading, self._words, keys)]
        if self._tab == "done" or not held:
            return held
        theirs = self._piles.theirs(self._tab, held)
        return [key for key in held if key in theirs]


def _own(reading: Reading, piles: Piles, tab: str, words: Words) -> list[int]:
    """Compare the first of a person's own pile; return what holds the words, the newest case first."""
    keys = _done(reading, piles)[:OWN] if tab == "done" else list(islice(piles.keys(tab), OWN))
    rows = _holding(reading, words, keys)
    rows.sort(key=lambda row: (-row.instance_key, -row.key))
    return [row.key for row in rows]


def _done(reading: Reading, piles: Piles) -> list[int]:
    return [row.key for row in reading.all(_DONE, {"name": piles.acting.username})]


def _holding(reading: Reading, words: Words, keys: list[int]) -> list[Found]:
    rows = tasks_by_key(reading, keys, _TEXTS)
    return [row for row, holds in zip(rows, words.among([row.text for row in rows]), strict=True) if holds]
