"""Lists of cases: the newest first, read from ranges of an index until the page is full.

Without a condition on process or state, cases are read in the order of their keys; with one, each process and state has a range
of its own, and the ranges are merged. Words are looked for in the full-text index. What a person may see is not a column: cases
are looked at in portions until the page is full, at most `FARTHEST`; beyond, only those that the person started, worked in, has
a task of or was told of are found, and the list says that it was not complete.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select, union

from engine.store import Reading, search
from engine.store.cases import CaseFilter, conditions
from engine.store.rights import Actor, sees_every_case, visible_cases
from engine.store.search import Words
from engine.store.tables import IS_OPEN, alert, alert_recipient, process_definition, process_instance, user_task
from engine.store.transactions import Found

FARTHEST = 1_000
"""Cases that are looked at for a person who may not see all."""

_STATES = ("ACTIVE", "COMPLETED", "TERMINATED")
_PORTION = 120
_OWN = 1_000

_TEXTS = (
    select(
        process_instance.c.key,
        process_instance.c.started_at,
        process_instance.c.business_id,
        process_instance.c.subject,
        process_definition.c.name,
        process_definition.c.bpmn_process_id,
    )
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key)
    .order_by(process_instance.c.key.desc())
)
_PROCESSES = select(process_definition.c.bpmn_process_id).distinct().order_by(process_definition.c.bpmn_process_id)
_NAMES: BindParameter[str] = bindparam("names", expanding=True)


def _roots(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return select(statement.limit(_OWN).subquery())


# What is a person's own: started, worked in, to be worked in, told of; the newest of each.
_MINE = union(
    _roots(
        select(process_instance.c.root_key)
        .where(process_instance.c.started_by.in_(_NAMES))
        .order_by(process_instance.c.key.desc())
    ),
    _roots(
        select(process_instance.c.root_key)
        .join(user_task, user_task.c.instance_key == process_instance.c.key)
        .where(user_task.c.ended_by.in_(_NAMES))
        .order_by(user_task.c.ended_at.desc())
    ),
    _roots(
        select(process_instance.c.root_key)
        .join(user_task, user_task.c.instance_key == process_instance.c.key)
        .where(IS_OPEN, user_task.c.assignee.in_(_NAMES))
        .order_by(user_task.c.due_sort)
    ),
    _roots(
        select(process_instance.c.root_key)
        .join(alert, alert.c.instance_key == process_instance.c.key)
        .join(alert_recipient, alert_recipient.c.alert_key == alert.c.key)
        .where(alert_recipient.c.username.in_(_NAMES))
        .order_by(alert_recipient.c.alert_key.desc())
    ),
)


@dataclass(frozen=True, slots=True)
class Cases:
    """Keys of cases, the newest first; `complete`: nothing may be missing among them."""

    keys: list[int]
    complete: bool


def list_cases(reading: Reading, acting: Actor, wanted: CaseFilter, most: int) -> Cases:
    """Return the first cases that a filter means and a person may see, at most so many."""
    words = Words.of(wanted.search)
    bare = replace(wanted, search="")
    rows = _searched(reading, bare, words) if words else _ranges(reading, bare)
    limited = words or not sees_every_case(acting)
    found: list[int] = []
    looked_at = 0
    while len(found) < most and (not limited or looked_at < FARTHEST):
        portion = list(islice(rows, _PORTION))
        found += _theirs(reading, acting, words, portion)
        looked_at += len(portion)
        if len(portion) < _PORTION:
            return Cases(found[:most], complete=True)
    if len(found) >= most:
        return Cases(found[:most], complete=True)
    return Cases(sorted({*found, *_own(reading, acting, bare, words)}, reverse=True)[:most], complete=False)


def _theirs(reading: Reading, acting: Actor, words: Words, rows: list[Found]) -> list[int]:
    held = [row.key for row in rows if not words or _holds(words, row)]
    seen = visible_cases(reading, acting, held) if held else ()
    return [key for key in held if key in seen]


def _holds(words: Words, row: Found) -> bool:
    return words.in_texts(row.business_id, row.subject, row.name, row.bpmn_process_id)


def _own(reading: Reading, acting: Actor, wanted: CaseFilter, words: Words) -> list[int]:
    names = [acting.username, *(absent.person.username for absent in acting.absent)]
    roots = [row.root_key for row in reading.all(_MINE, {"names": names})]
    found: list[int] = []
    for begin in range(0, len(roots), _PORTION):
        some = _TEXTS.where(process_instance.c.key.in_(roots[begin : begin + _PORTION]), *conditions(wanted))
        found += _theirs(reading, acting, words, list(reading.all(some)))
    return found


def _searched(reading: Reading, wanted: CaseFilter, words: Words) -> Iterator[Found]:
    """Yield cases that may hold the words, the newest first."""
    asked = search.question(reading, words, tasks=False)
    if asked is None:
        yield from _ranges(reading, wanted)
        return
    cases = asked.cases(reading)
    statement = _TEXTS.join(cases, cases.c.instance_key == process_instance.c.key).where(*conditions(wanted))
    keys = select(cases.c.instance_key)
    before = search.NEWEST
    while True:
        given = asked.parameters(reading, before, _PORTION)
        found = reading.all(keys, given)
        yield from reading.all(statement, given)
        if len(found) < _PORTION:
            return
        before = min(row.instance_key for row in found)


def _ranges(reading: Reading, wanted: CaseFilter) -> Iterator[Found]:
    """Yield cases, the newest first."""
    filters = conditions(replace(wanted, bpmn_process_id=None, state=None if wanted.state in _STATES else wanted.state))
    if wanted.state == "suspended":  # few: the process is compared here, so that their own index is used
        rows = _portions(reading, _TEXTS.where(*filters))
        return (row for row in rows if wanted.bpmn_process_id in {None, row.bpmn_process_id})
    if wanted.bpmn_process_id is None and wanted.state is None:
        return _portions(reading, _TEXTS.where(*filters))
    processes = [row.bpmn_process_id for row in reading.all(_PROCESSES)]
    ranges = [
        _range(reading, process, state, filters)
        for process in processes
        if wanted.bpmn_process_id in {None, process}
        for state in _STATES
        if wanted.state in {None, state}
    ]
    return heapq.merge(*ranges, key=lambda row: (row.started_at, row.key), reverse=True)


def _range(reading: Reading, process: str, state: str, filters: list[Any]) -> Iterator[Found]:
    statement = _TEXTS.where(process_instance.c.bpmn_process_id == process, process_instance.c.state == state, *filters).order_by(
        None
    )
    order = (process_instance.c.started_at.desc(), process_instance.c.key.desc())
    return _portions(reading, statement.order_by(*order))


def _portions(reading: Reading, statement: Select[*tuple[Any, ...]]) -> Iterator[Found]:
    offset, size = 0, _PORTION
    while True:
        rows = reading.all(statement.limit(size).offset(offset))
        yield from rows
        if len(rows) < size:
            return
        offset += size
