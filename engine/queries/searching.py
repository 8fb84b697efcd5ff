"""Searches as programs ask them: conditions on named columns, an order, and a page by offset or by cursor.

A family of records describes itself once (`Searchable`: a statement, its columns by name, its key); `search` adds the conditions,
the order (the key last, so that it is total) and the page. What a person may see is either said in the statement (`sees_all`), or
asked for the rows in portions (`visible`), looking at `FARTHEST` at most.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, true

from engine.errors import InvalidValue
from engine.store import Reading
from engine.store.transactions import Found
from engine.store.types import Moment, from_microseconds, to_microseconds

COUNTED = 10_000
"""Totals are counted so far; beyond, a page says that there are more."""
FARTHEST = 4_000
"""Rows that are looked at for a person who may not see all."""
SURELY = 400
"""Rows that are looked at for them in any case, so that totals are exact where there are no more."""
_PORTION = 200

_Term = tuple[ColumnElement[Any], bool, bool]  # column, descending, nullable

OPERATORS = ("eq", "neq", "exists", "in", "not_in", "like", "gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `operator`: one of `OPERATORS`; `like` knows `*` and `?`, and `\\` before them."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Order:
    """By what a search is ordered."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page. `after`, `before`: the sort values and the key of a row (see `Page.first`, `Page.last`)."""

    offset: int = 0
    limit: int = 100
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A search: all `conditions` hold, and of `any_of`, where it is not empty, all conditions of one group."""

    conditions: tuple[Condition, ...] = ()
    any_of: tuple[tuple[Condition, ...], ...] = ()
    order: tuple[Order, ...] = ()
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class Page:
    """What a search found.

    Attributes:
        rows: of the statement.
        total: how many there are, at most `COUNTED`.
        more: there are more than `total`.
        first, last: the places of the first and last row, for `before` and `after`; None = the page is empty.
    """

    rows: Sequence[Found]
    total: int
    more: bool
    first: tuple[Any, ...] | None
    last: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Searchable:
    """A family of records.

    Attributes:
        statement: what is read; a page's rows are its rows.
        columns: what may be searched and sorted by: name → column of the statement's tables.
        key: the column that tells rows apart; it ends every order.
        nullable: names of columns that may be NULL (NULL comes last in ascending order).
        special: conditions that are more than a column, by the condition's field; they come before `columns`.
    """

    statement: Select[*tuple[Any, ...]]
    columns: Mapping[str, ColumnElement[Any]]
    key: ColumnElement[Any]
    nullable: frozenset[str] = frozenset()
    special: Mapping[str, Callable[[Condition], ColumnElement[bool]]] = field(default_factory=dict)


def search(
    reading: Reading,
    family: Searchable,
    wanted: Search,
    *restrictions: ColumnElement[bool],
    visible: Callable[[Sequence[Found]], Sequence[Found]] | None = None,
    farthest: int = FARTHEST,
) -> Page:
    """Return a page of what is found.

    Args:
        restrictions: conditions that hold besides.
        visible: leaves those rows of a portion that the person may see; None = all.
        farthest: rows that are looked at for `visible`; where there are others, the page says that there are more.
    Raises:
        InvalidValue: a field, an operator's value or a cursor does not fit.
    """
    terms = _terms(family, wanted.order)
    places = [column.label(f"sorted_by_{number}") for number, (column, *_) in enumerate(terms)]
    where = [*restrictions, *(_condition(family, item) for item in wanted.conditions)]
    if wanted.any_of:
        where.append(or_(*(and_(true(), *(_condition(family, item) for item in group)) for group in wanted.any_of)))
    statement = family.statement.where(*where)
    page = wanted.page
    backwards = page.before is not None
    cursor = page.before if backwards else page.after
    rows_of = statement.add_columns(*places).order_by(None)
    if cursor is not None:
        rows_of = rows_of.where(_beyond(terms, cursor, backwards))
    for column, descending, nullable in terms:
        down = descending != backwards
        if nullable:
            empty = column.is_(None)
            rows_of = rows_of.order_by(empty.desc() if down else empty)
        rows_of = rows_of.order_by(column.desc() if down else column)
    complete = True
    if visible is None:
        found = list(reading.all(rows_of.limit(page.limit).offset(0 if cursor is not None else page.offset)))
        total = reading.scalar(
            select(func.count()).select_from(
                statement.with_only_columns(literal(1)).order_by(None).limit(COUNTED + 1).subquery("counted")
            )
        )
    else:
        begin = 0 if cursor is not None else page.offset
        seen, complete = _visible(reading, rows_of, visible, begin + page.limit, farthest)
        found = seen[begin : begin + page.limit]
        if cursor is not None:
            seen, complete = _visible(reading, statement.order_by(None), visible, 0, farthest)
        total = len(seen)
    if backwards:
        found.reverse()
    counted = int(total or 0)
    width = len(places)
    return Page(
        rows=found,
        total=min(counted, COUNTED),
        more=counted > COUNTED or not complete,
        first=_place(found[0], width) if found else None,
        last=_place(found[-1], width) if found else None,
    )


def _visible(
    reading: Reading,
    statement: Select[*tuple[Any, ...]],
    visible: Callable[[Sequence[Found]], Sequence[Found]],
    enough: int,
    farthest: int,
) -> tuple[list[Found], bool]:
    """Return what is seen of a statement's rows, and whether that is all; past `SURELY` rows, it stops when it has enough."""
    seen: list[Found] = []
    for offset in range(0, farthest, _PORTION):
        if offset >= SURELY and len(seen) >= enough:
            return seen, False
        portion = reading.all(statement.limit(_PORTION).offset(offset))
        seen += visible(portion) if portion else ()
        if len(portion) < _PORTION:
            return seen, True
    return seen, False


def _terms(family: Searchable, order: Sequence[Order]) -> list[_Term]:
    """Return (column, descending, nullable) of every term of the order."""
    terms = [(_column(family, item.field), item.descending, item.field in family.nullable) for item in order]
    return [*terms, (family.key, False, False)]


def _column(family: Searchable, name: str) -> ColumnElement[Any]:
    if name not in family.columns:
        raise InvalidValue(f"不能按 {name} 查找（there is no such field to search by）", field=name)
    return family.columns[name]


def _condition(family: Searchable, item: Condition) -> ColumnElement[bool]:
    if item.field in family.special:
        return family.special[item.field](item)
    column, value, nullable = _column(family, item.field), item.value, item.field in family.nullable
    made = compared(column, item.operator, value)
    return or_(made, column.is_(None)) if nullable and item.operator in {"neq", "not_in"} else made


_MAKE: Mapping[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "exists": lambda column, value: column.is_not(None) if value else column.is_(None),
    "in": lambda column, value: column.in_(value) if value else false(),
    "not_in": lambda column, value: column.not_in(value) if value else true(),
    "like": lambda column, value: column.like(_pattern(value), escape="\\"),
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def compared(column: ColumnElement[Any], by: str, value: Any) -> ColumnElement[bool]:
    """Return the condition of one operator on a column.

    Raises:
        InvalidValue: there is no such operator.
    """
    make = _MAKE.get(by)
    if make is None:
        raise InvalidValue(f"没有这种比较：{by}（no such operator）")
    return make(column, value)


def _pattern(words: str) -> str:
    """Return SQL's pattern of one with `*` and `?`."""
    parts, escaped = [], False
    for character in words:
        if escaped:
            parts.append("\\" + character if character in "%_\\" else character)
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append({"*": "%", "?": "_", "%": "\\%", "_": "\\_"}.get(character, character))
    return "".join(parts) + ("\\\\" if escaped else "")


def _beyond(
    terms: Sequence[tuple[ColumnElement[Any], bool, bool]], cursor: tuple[Any, ...], backwards: bool
) -> ColumnElement[bool]:
    """Return the condition on rows behind (or before) a place: the first term that differs decides."""
    if len(cursor) != len(terms):
        raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field="page")
    ways: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (column, descending, nullable), raw in zip(terms, cursor, strict=True):
        value = _value(column, raw)
        down = descending != backwards
        if value is None:  # NULL is the greatest
            ways.append(and_(*equal, column.is_not(None)) if down else false())
            equal.append(column.is_(None))
            continue
        behind = column < value if down else or_(column > value, column.is_(None)) if nullable else column > value
        ways.append(and_(*equal, behind))
        equal.append(column == value)
    return or_(*ways)


def _value(column: ColumnElement[Any], raw: Any) -> Any:
    if raw is None:
        return None
    try:
        if isinstance(column.type, Moment):
            (microseconds,) = raw
            return from_microseconds(int(microseconds))
        if isinstance(raw, column.type.python_type):
            return raw
    except (TypeError, ValueError, OverflowError, NotImplementedError):
        pass
    raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field="page")


def _place(row: Found, width: int) -> tuple[Any, ...]:
    return tuple([to_microseconds(value)] if isinstance(value, datetime) else value for value in row[-width:])
