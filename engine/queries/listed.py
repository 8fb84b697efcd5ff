"""Searches of records that are at hand as a whole: conditions, order and pages as `searching` puts them to the database."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from engine.errors import InvalidValue
from engine.queries.searching import COUNTED, Condition, Order, Page, Search
from engine.store.types import from_microseconds, to_microseconds

T = TypeVar("T")


def fulfilling(records: Iterable[T], wanted: Search, read: Callable[[T, str], Any] = getattr) -> list[T]:
    """Return the records that a search means, in their order.

    Args:
        read: returns a field of a record.
    """

    def all_hold(record: T, conditions: Iterable[Condition]) -> bool:
        return all(holds(item, read(record, item.field)) for item in conditions)

    return [
        record
        for record in records
        if all_hold(record, wanted.conditions) and (not wanted.any_of or any(all_hold(record, group) for group in wanted.any_of))
    ]


def search_listed(records: Iterable[T], wanted: Search, *, key: str) -> tuple[list[T], Page]:
    """Return the records of a page, and the page (its rows are empty: the records are no rows).

    Args:
        key: the field that tells records apart; it ends every order.
    Raises:
        InvalidValue: a cursor does not fit.
    """
    order = (*wanted.order, Order(key))
    found = fulfilling(records, wanted)
    for item in reversed(order):
        found.sort(key=lambda record, name=item.field: _place(getattr(record, name)), reverse=item.descending)  # type: ignore[misc]
    page = wanted.page
    begin, end = page.offset, page.offset + page.limit
    if page.after is not None:
        begin = sum(not _before(order, _values(order, page.after), record) for record in found)
        end = begin + page.limit
    elif page.before is not None:
        end = sum(_before(order, record, _values(order, page.before)) for record in found)
        begin = max(end - page.limit, 0)
    shown = found[begin:end]
    return shown, Page(
        rows=(),
        total=min(len(found), COUNTED),
        more=len(found) > COUNTED,
        first=_cursor(order, shown[0]) if shown else None,
        last=_cursor(order, shown[-1]) if shown else None,
    )


def _place(value: Any) -> tuple[bool, Any]:
    """Return by what a value is sorted: None is the greatest."""
    return (True, 0) if value is None else (False, value)


def _before(order: tuple[Order, ...], one: Any, other: Any) -> bool:
    """Whether a record (or the values of a cursor) comes before another."""
    for number, item in enumerate(order):
        left, right = (_place(side[number] if isinstance(side, tuple) else getattr(side, item.field)) for side in (one, other))
        try:
            if left != right:
                return left > right if item.descending else left < right
        except TypeError as error:
            raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field="page") from error
    return False


def _cursor(order: tuple[Order, ...], record: Any) -> tuple[Any, ...]:
    values = (getattr(record, item.field) for item in order)
    return tuple([to_microseconds(value)] if isinstance(value, datetime) else value for value in values)


def _values(order: tuple[Order, ...], cursor: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(cursor) != len(order):
        raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field="page")
    try:
        return tuple(from_microseconds(int(value[0])) if isinstance(value, list) else value for value in cursor)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise InvalidValue("游标不属于这次查询（the cursor belongs to another search）", field="page") from error


def holds(item: Condition, value: Any) -> bool:
    """Whether a condition holds for a value; None is unequal to everything, and neither greater nor less."""
    if item.operator == "exists":
        return (value is not None) == bool(item.value)
    if value is None:
        return item.operator in {"neq", "not_in"}
    return _HOLDS[item.operator](value, item.value)


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str]:
    parts = re.findall(r"\\[*?\\]|.", words, re.DOTALL)
    meaning = {"*": ".*", "?": "."}
    text = "".join(meaning.get(part) or re.escape(part[1:] if len(part) > 1 else part) for part in parts)
    return re.compile(text, re.DOTALL)


_HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "like": lambda value, wanted: _pattern(wanted).fullmatch(str(value)) is not None,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
