"""Lists. Source: DMN 1.5, 10.3.4.4 and 10.3.4.10 (sort); Camunda 8's `duplicate values`, `is empty`, `partition`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in
from engine.feel.numbers import CONTEXT, ZERO
from engine.feel.operations import add, compare, equal
from engine.feel.temporal import Date, DateTime, Time
from engine.feel.values import Callable_


def _list_or_items(name: str, kind: str = "any") -> Callable[[Callable[[Run, list[Any]], Any]], Callable[..., Any]]:
    """Register a function of a list that can also be called with the items as arguments."""

    def register(function: Callable[[Run, list[Any]], Any]) -> Callable[..., Any]:
        def of_list(run: Run, items: list[Any]) -> Any:
            run.charge(len(items))
            return function(run, items)

        def of_items(run: Run, *items: Any) -> Any:
            return of_list(run, list(items))

        built_in(name, "list: list")(of_list)
        built_in(name, "items: any...")(of_items)
        return function

    return register


def _some(items: list[Any]) -> list[Any]:
    if not items:
        raise FeelError("空列表没有结果 (an empty list has no result)")
    return items


def _numbers(items: Iterable[Any]) -> list[Decimal]:
    numbers = list(items)
    if not all(isinstance(number, Decimal) for number in numbers):
        raise FeelError("列表应只有数字 (the list may only have numbers)")
    return numbers


def _key(value: Any, run: Run) -> Hashable | None:
    """Return something that equal values share, or None where only comparing tells."""
    if value is None or isinstance(value, (Decimal, str, bool)):
        return (type(value), value)
    if isinstance(value, Date):
        return (Date, value.year, value.month, value.day)
    if isinstance(value, DateTime):
        return (DateTime, value.is_local, value.instant)
    if isinstance(value, Time):
        return (Time, value.is_local, value.utc_nanos)
    return None


class _Seen:
    """Values met so far; finds equals quickly where they can be hashed."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.keys: set[Hashable] = set()
        self.others: list[Any] = []

    def __contains__(self, value: Any) -> bool:
        key = _key(value, self.run)
        if key is not None:
            return key in self.keys
        self.run.charge(len(self.others))
        return any(equal(value, other, self.run) is True for other in self.others)

    def add(self, value: Any) -> None:
        key = _key(value, self.run)
        if key is not None:
            self.keys.add(key)
        else:
            self.others.append(value)


@built_in("list contains", "list: list; element: any")
def list_contains(run: Run, items: list[Any], element: Any) -> bool:
    """Tell whether a list has an item."""
    run.charge(len(items))
    return any(equal(item, element, run) is True for item in items)


@built_in("count", "list: list")
def count(run: Run, items: list[Any]) -> Decimal:
    """Return the number of items."""
    return Decimal(len(items))


@built_in("count", "items: any...")
def count_items(run: Run, *items: Any) -> Decimal:
    """Return the number of arguments; null of a lone null."""
    if items == (None,):
        raise FeelError("null 不是列表 (null is not a list)")
    return Decimal(len(items))


def _extreme(sign: int) -> Callable[[Run, list[Any]], Any]:
    def function(run: Run, items: list[Any]) -> Any:
        best = _some(items)[0]
        for item in items:
            order = compare(item, best)
            if order is None:
                raise FeelError("列表的项之间不能比较 (the items cannot be compared)")
            if order == sign:
                best = item
        return best

    return function


_list_or_items("min")(_extreme(-1))
_list_or_items("max")(_extreme(1))


@_list_or_items("sum")
def total(run: Run, items: list[Any]) -> Any:
    """Return the sum of numbers or durations; null of none."""
    result = _some(items)[0]
    if isinstance(result, str) or not (isinstance(result, Decimal) or type(result).__name__.endswith("Duration")):
        raise FeelError("列表应只有数字或时长 (the list may only have numbers or durations)")
    for item in items[1:]:
        if type(item) is not type(result):
            raise FeelError("列表应只有数字 (the list may only have numbers)")
        result = add(result, item, run)
    return result


@_list_or_items("mean")
def mean(run: Run, items: list[Any]) -> Decimal:
    """Return the arithmetic mean; null of none."""
    numbers = _numbers(_some(items))
    return CONTEXT.divide(_sum(numbers), Decimal(len(numbers)))


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    result = ZERO
    for number in numbers:
        result = CONTEXT.add(result, number)
    return result


@_list_or_items("product")
def product(run: Run, items: list[Any]) -> Decimal:
    """Return the product; null of none."""
    numbers = _numbers(_some(items))
    result = Decimal(1)
    for number in numbers:
        result = CONTEXT.multiply(result, number)
    return result


@_list_or_items("median")
def median(run: Run, items: list[Any]) -> Decimal:
    """Return the middle number, or the mean of the two in the middle; null of none."""
    numbers = sorted(_numbers(_some(items)))
    half = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[half]
    return CONTEXT.divide(CONTEXT.add(numbers[half - 1], numbers[half]), Decimal(2))


@_list_or_items("stddev")
def standard_deviation(run: Run, items: list[Any]) -> Decimal:
    """Return the standard deviation of a sample; null of fewer than two."""
    numbers = _numbers(items)
    if len(numbers) < 2:
        raise FeelError("至少要有两个数字 (two numbers at least are needed)")
    middle = CONTEXT.divide(_sum(numbers), Decimal(len(numbers)))
    squares = [CONTEXT.power(CONTEXT.subtract(number, middle), Decimal(2)) for number in numbers]
    return CONTEXT.sqrt(CONTEXT.divide(_sum(squares), Decimal(len(numbers) - 1)))


@_list_or_items("mode")
def mode(run: Run, items: list[Any]) -> list[Decimal]:
    """Return the most frequent numbers, ascending."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(items):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(number for number, times in counts.items() if times == most)


def _all_or_any(decisive: bool) -> Callable[[Run, list[Any]], bool | None]:
    def function(run: Run, items: list[Any]) -> bool | None:
        result: bool | None = not decisive
        for item in items:
            if item is decisive:
                return bool(decisive)
            if item is not (not decisive):
                result = None
        if result is None and any(item is not None and not isinstance(item, bool) for item in items):
            run.warn("列表应只有布尔值 (the list may only have booleans)", "all" if decisive is False else "any")
        return result

    return function


for _name, _decisive in (("all", False), ("and", False), ("any", True), ("or", True)):
    _list_or_items(_name)(_all_or_any(_decisive))


def _position(items: list[Any], position: Decimal, past: int = 0) -> int:
    """Return a position (from 1, or from the end if negative) as an index from 0."""
    index = int(position)
    if index != position or index == 0 or index > len(items) + past or -index > len(items):
        raise FeelError(f"列表没有第 {position} 项 (no such item)")
    return index - 1 if index > 0 else len(items) + index


@built_in("sublist", "list: list; start position: number; *length: number?")
def sublist(run: Run, items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any]:
    """Return the items from a position, so many or all."""
    begin = _position(items, start)
    run.charge(len(items))
    if length is None:
        return items[begin:]
    if length < 1 or begin + int(length) > len(items):
        raise FeelError("长度超出列表 (the length is outside the list)")
    return items[begin : begin + int(length)]


@built_in("append", "list: list; item: any...")
@built_in("append", "list: list; items: any...")
def append(run: Run, items: list[Any], *more: Any) -> list[Any]:
    """Return the list with items at its end."""
    run.charge(len(items))
    run.check_items(len(items) + len(more))
    return [*items, *more]


@built_in("concatenate", "lists: list...")
def concatenate(run: Run, *lists: list[Any]) -> list[Any]:
    """Return the items of all lists, one after the other."""
    size = sum(map(len, lists))
    run.charge(size)
    run.check_items(size)
    return [item for items in lists for item in items]


@built_in("insert before", "list: list; position: number; newItem: any")
def insert_before(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """Return the list with an item before a position."""
    index = _position(items, position)
    run.charge(len(items))
    run.check_items(len(items) + 1)
    return [*items[:index], item, *items[index:]]


@built_in("remove", "list: list; position: number")
def remove(run: Run, items: list[Any], position: Decimal) -> list[Any]:
    """Return the list without the item at a position."""
    index = _position(items, position)
    run.charge(len(items))
    return items[:index] + items[index + 1 :]


@built_in("list replace", "list: list; position: number; newItem: any")
def replace_at(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """Return the list with another item at a position."""
    index = _position(items, position)
    run.charge(len(items))
    return [*items[:index], item, *items[index + 1 :]]


@built_in("list replace", "list: list; match: function; newItem: any")
def replace_matches(run: Run, items: list[Any], match: Callable_, new: Any) -> list[Any]:
    """Return the list with another item wherever match(item, newItem) is true."""
    result: list[Any] = []
    for item in items:
        run.charge()
        verdict = match.invoke(run, [item, new])
        if not isinstance(verdict, bool):
            raise FeelError("函数应返回布尔值 (the function has to return a boolean)")
        result.append(new if verdict else item)
    return result


@built_in("reverse", "list: list")
def reverse(run: Run, items: list[Any]) -> list[Any]:
    """Return the list backwards."""
    run.charge(len(items))
    return items[::-1]


@built_in("index of", "list: list; match: any")
def index_of(run: Run, items: list[Any], match: Any) -> list[Decimal]:
    """Return the positions (from 1) of all items equal to a value."""
    run.charge(len(items))
    return [Decimal(index) for index, item in enumerate(items, 1) if equal(item, match, run) is True]


@built_in("distinct values", "list: list")
def distinct_values(run: Run, items: list[Any]) -> list[Any]:
    """Return the list without repetitions."""
    run.charge(len(items))
    seen, result = _Seen(run), []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


@built_in("duplicate values", "list: list")
def duplicate_values(run: Run, items: list[Any]) -> list[Any]:
    """Return the values that occur more than once, each once, in the order of their first occurrence."""
    run.charge(len(items))
    seen, doubled = _Seen(run), _Seen(run)
    for item in items:
        if item in seen:
            doubled.add(item)
        seen.add(item)
    return distinct_values(run, [item for item in items if item in doubled])  # type: ignore[no-any-return]


@built_in("union", "lists: list...")
def union(run: Run, *lists: list[Any]) -> list[Any]:
    """Return the items of all lists without repetitions."""
    return distinct_values(run, concatenate(run, *lists))  # type: ignore[no-any-return]  # registered functions are untyped


@built_in("flatten", "list: list")
def flatten(run: Run, items: list[Any]) -> list[Any]:
    """Return the list with the lists inside it replaced by their items."""
    result: list[Any] = []
    pending = [iter(items)]
    while pending:
        for item in pending[-1]:
            run.charge()
            if isinstance(item, list):
                pending.append(iter(item))
                break
            result.append(item)
        else:
            pending.pop()
    run.check_items(len(result))
    return result


@built_in("sort", "list: list; *precedes: function?")
def sort(run: Run, items: list[Any], precedes: Callable_ | None = None) -> list[Any]:
    """Return the list in order; precedes(x, y) tells whether x comes before y. Equals keep their order."""

    def order(left: Any, right: Any) -> int:
        run.charge()
        if precedes is None:
            natural = compare(left, right)
            if natural is None:
                raise FeelError("列表的项之间不能比较 (the items cannot be compared)")
            return natural
        before = precedes.invoke(run, [left, right])
        if before is True:
            return -1
        if before is not False:
            raise FeelError("排序函数应返回布尔值 (the function has to return a boolean)")
        return int(precedes.invoke(run, [right, left]) is True)

    if len(items) == 1 and precedes is None:
        return items
    return sorted(items, key=cmp_to_key(order))


@built_in("is empty", "list: list")
def is_empty(run: Run, items: list[Any]) -> bool:
    """Tell whether a list has no items."""
    return not items


@built_in("partition", "list: list; size: number")
def partition(run: Run, items: list[Any], size: Decimal) -> list[list[Any]]:
    """Return the list in pieces of a size, the last one perhaps shorter."""
    length = int(size)
    if length < 1:
        raise FeelError("大小应为正整数 (the size has to be positive)")
    run.charge(len(items))
    return [items[index : index + length] for index in range(0, len(items), length)]
