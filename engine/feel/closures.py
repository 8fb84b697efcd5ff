"""Small closures that the compiler puts together: names, logic, arithmetic, positions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException
from typing import Any

from engine.feel.environment import FeelError, Run
from engine.feel.operations import OPERATIONS
from engine.feel.scope import MISSING, Scope

Compiled = Callable[[Scope], Any]
NO_RESULT = (FeelError, DecimalException, OverflowError)


def local(name: str, hops: int) -> Compiled:
    """Return the closure of a variable of a known inner scope, so many scopes outward."""
    if hops == 0:
        return lambda scope: scope.vars.get(name)
    if hops == 1:
        return lambda scope: scope.parent.vars.get(name)

    def lookup(scope: Scope) -> Any:
        for _ in range(hops):
            scope = scope.parent
        return scope.vars.get(name)

    return lookup


def filtered_item(hops: int) -> Compiled:
    """Return the closure of `item` of the filter so many scopes outward."""

    def item(scope: Scope) -> Any:
        for _ in range(hops):
            scope = scope.parent
        return scope.item

    return item


_DIRECT = frozenset({str, bool, type(None)})


def outer(name: str, hops: int, fallback: Any) -> Compiled:
    """Return the closure of a variable of the root scope, so many scopes outward; `fallback` where it has none."""

    def outermost(scope: Scope) -> Any:
        value = scope.vars.get(name, MISSING)
        kind = type(value)
        if kind in _DIRECT:
            return value
        return scope.resolve(name, value, fallback)

    def inward(scope: Scope) -> Any:
        for _ in range(hops):
            scope = scope.parent
        return outermost(scope)

    return inward if hops else outermost


def dynamic(name: str, filters: list[int], otherwise: Compiled) -> Compiled:
    """Return the closure of a name that may be an entry of what the filters (by scopes outward) look at."""
    if not filters:
        return otherwise

    def lookup(scope: Scope) -> Any:
        place, walked = scope, 0
        for hops in filters:
            while walked < hops:
                place = place.parent
                walked += 1
            value = place.vars.get(name, MISSING)
            if value is not MISSING:
                return value
        return otherwise(scope)

    return lookup


def operation(operator: str, left: Compiled, right: Compiled) -> Compiled:
    """Return the closure of one arithmetic operation."""
    function = OPERATIONS[operator]

    def calculate(scope: Scope) -> Any:
        try:
            return function(left(scope), right(scope), scope.run)
        except NO_RESULT as error:
            return _out_of_range(scope.run, operator, error)

    return calculate


def _out_of_range(run: Run, operator: str, error: Exception) -> None:
    run.warn(str(error) if isinstance(error, FeelError) else "数字超出范围 (the number is out of range)", operator)


def conjunction(parts: tuple[Compiled, ...]) -> Compiled:
    """Return the closure of `and` over three truth values."""

    def check(scope: Scope) -> Any:
        result: bool | None = True
        for part in parts:
            value = part(scope)
            if value is False:
                return False
            if value is not True:
                result = None
        return result

    return check


def disjunction(parts: tuple[Compiled, ...]) -> Compiled:
    """Return the closure of `or` over three truth values."""

    def check(scope: Scope) -> Any:
        result: bool | None = False
        for part in parts:
            value = part(scope)
            if value is True:
                return True
            if value is not False:
                result = None
        return result

    return check


def item_at(value: Any, position: Any, run: Run) -> Any:
    """Return the item at a position (from 1, or from the end if negative), or null."""
    items = value if type(value) is list else [] if value is None else [value]
    index = int(position)
    if index != position or index == 0 or abs(index) > len(items):
        run.warn(f"列表没有第 {position} 项 (no such item)", "[…]")
        return None
    return items[index - 1 if index > 0 else index]
