"""What a table's hit policy makes of the rows that matched (one at least).

Source: DMN 1.5, 8.2.10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.feel.functions import BUILT_IN
from engine.feel.operations import equal
from engine.feel.scope import Scope

if TYPE_CHECKING:
    from engine.dmn.tables import CompiledTable

Row = tuple[Any, ...]


class NoResult(Exception):
    """The policy is broken by the rows: the table has no result."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The rows that matched, in the table's order."""

    table: CompiledTable
    rows: list[Row]
    scope: Scope

    def by_priority(self) -> list[Row]:
        """Return the rows in the order of the outputs' allowed values, the first output weighing most."""
        outputs = self.table.outputs

        def key(row: Row) -> list[int]:
            return [self.table.priority(output, cell, self.scope) for output, cell in zip(outputs, row, strict=True)]

        return sorted(self.rows, key=key)


def _unique(matches: Matches) -> Any:
    if len(matches.rows) > 1:
        raise NoResult(f"只应命中一条规则，命中了 {len(matches.rows)} 条 (more than one rule matches)")
    return matches.table.value(matches.rows[0])


def _first(matches: Matches) -> Any:
    return matches.table.value(matches.rows[0])


def _any(matches: Matches) -> Any:
    first = list(matches.rows[0])
    if any(equal(first, list(row), matches.scope.run) is not True for row in matches.rows[1:]):
        raise NoResult("命中的规则输出不一致 (matching rules differ)")
    return matches.table.value(matches.rows[0])


def _priority(matches: Matches) -> Any:
    return matches.table.value(matches.by_priority()[0])


def _output_order(matches: Matches) -> Any:
    return [matches.table.value(row) for row in matches.by_priority()]


def _rule_order(matches: Matches) -> Any:
    return [matches.table.value(row) for row in matches.rows]


def _collect(matches: Matches) -> Any:
    aggregation = matches.table.table.aggregation
    if aggregation is None:
        return _rule_order(matches)
    if aggregation == "COUNT":
        return Decimal(len(matches.rows))
    if aggregation not in AGGREGATIONS:
        raise NoResult(f"不认识的汇总 {aggregation} (unknown aggregation)")
    function = BUILT_IN[aggregation.lower()]
    run = matches.scope.run
    return matches.table.value(tuple(function.invoke(run, [list(column)]) for column in zip(*matches.rows, strict=True)))


def unknown(matches: Matches) -> Any:
    """Have no result: the policy is none of the standard's."""
    raise NoResult(f"不认识的命中策略 {matches.table.policy} (unknown hit policy)")


POLICIES: dict[str, Callable[[Matches], Any]] = {
    "UNIQUE": _unique,
    "FIRST": _first,
    "ANY": _any,
    "PRIORITY": _priority,
    "OUTPUT ORDER": _output_order,
    "RULE ORDER": _rule_order,
    "COLLECT": _collect,
}
AGGREGATIONS = frozenset({"SUM", "COUNT", "MIN", "MAX"})
