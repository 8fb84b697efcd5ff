"""Comparisons and tests as closures, with short ways for what conditions mostly are: a variable beside a constant."""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel.conditions import COMPARISONS, EXACT
from engine.feel.operations import equal, kind_of, ordered, satisfies
from engine.feel.scope import MISSING, Scope
from engine.feel.values import Range

Compiled = Callable[[Scope], Any]
_COMPARABLE = frozenset({Decimal, str})


def comparison(
    operator: str, left: Compiled, right: Compiled, known: tuple[Any] | None, outer: str | None, asked: str | None = None
) -> Compiled:
    """Return the closure of `left operator right`.

    Args:
        operator: one of = != < <= > >=.
        left: the closure of the left side.
        right: the closure of the right side.
        known: the right side's value, if it is constant.
        outer: the left side's name, if it is a variable of the scope in which the closure runs.
        asked: the same, for a name of an inner scope whose values are FEEL's already (`?`).
    """
    simple = COMPARISONS[operator]
    general = _general(operator, left, right)
    if known is None or type(known[0]) not in _COMPARABLE:
        return general
    value = known[0]
    kind = type(value)
    name = outer or asked
    if name is None:

        def with_constant(scope: Scope) -> Any:
            subject = left(scope)
            if type(subject) is kind:
                return simple(subject, value)
            return compare_values(operator, subject, value, scope)

        return with_constant
    if kind is Decimal and outer is not None:

        def variable_with_number(scope: Scope) -> Any:
            subject = scope.vars.get(name, MISSING)
            if type(subject) is Decimal:
                if subject.is_finite():
                    return simple(subject, value)
            elif type(subject) is int and -EXACT < subject < EXACT:
                return simple(subject, value)
            return general(scope)

        return variable_with_number

    def variable_with_constant(scope: Scope) -> Any:
        subject = scope.vars.get(name, MISSING)
        if type(subject) is kind:
            return simple(subject, value)
        return general(scope)

    return variable_with_constant


def _general(operator: str, left: Compiled, right: Compiled) -> Compiled:
    simple = COMPARISONS[operator]

    def compare(scope: Scope) -> Any:
        subject, other = left(scope), right(scope)
        kind = type(subject)
        if kind is type(other) and kind in _COMPARABLE:
            return simple(subject, other)
        return compare_values(operator, subject, other, scope)

    return compare


def compare_values(operator: str, left: Any, right: Any, scope: Scope) -> bool | None:
    """Return the result of a comparison of two values of any kinds."""
    if operator == "=" or operator == "!=":
        same = equal(left, right, scope.run)
        if same is None:
            scope.run.warn(f"{kind_of(left)} 与 {kind_of(right)} 不能比较 (cannot be compared)", operator)
            return None
        return same if operator == "=" else not same
    return ordered(operator, left, right, scope.run)


def in_tests(value: Compiled, tests: tuple[tuple[str, Compiled], ...]) -> Compiled:
    """Return the closure of `value in (tests)`; a test is an operator (or "") and its operand."""

    def check(scope: Scope) -> Any:
        subject = value(scope)
        result: bool | None = False
        for operator, operand in tests:
            other = operand(scope)
            test = compare_values(operator, subject, other, scope) if operator else satisfies(subject, other, scope.run)
            if test is True:
                return True
            if test is None:
                result = None
        return result

    return check


def _number_in_range(interval: Range) -> Compiled:
    """Return the closure of whether `?` lies in a range of numbers."""
    low, high = interval.low, interval.high
    above = python.ge if interval.low_closed else python.gt
    below = python.le if interval.high_closed else python.lt

    def inside(scope: Scope) -> Any:
        subject = scope.vars["?"]
        if type(subject) is Decimal:
            return above(subject, low) and below(subject, high)
        return satisfies(subject, interval, scope.run)

    return inside


def unary_test(test: Compiled, known: tuple[Any] | None, asks: bool) -> Compiled:
    """Return the closure of one unary test over `?`.

    Args:
        test: the closure of the test.
        known: its value, if it is constant: then `?` is compared with it.
        asks: whether the test mentions `?`: then its value is the answer.
    """
    if known is not None:
        value = known[0]
        kind = type(value)
        if kind is Range and type(value.low) is Decimal:
            return _number_in_range(value)

        def same(scope: Scope) -> Any:
            subject = scope.vars["?"]
            if kind is type(subject) and kind in _COMPARABLE:
                return subject == value
            return satisfies(subject, value, scope.run)

        return same
    if asks:

        def answer(scope: Scope) -> Any:
            result = test(scope)
            if result is True or result is False or result is None:
                return result
            return satisfies(scope.vars["?"], result, scope.run)

        return answer

    def compare(scope: Scope) -> Any:
        result, subject = test(scope), scope.vars["?"]
        if type(result) is bool and type(subject) is not bool:
            return result
        return satisfies(subject, result, scope.run)

    return compare
