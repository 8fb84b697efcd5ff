"""Gaps and overlaps of a decision table, found by trying sample values.

From the literals in a column's cells come sample values that tell all its tests apart: each end of an interval, a value
between two neighbours, one beyond each side; each string that occurs, and one that does not. Cells with anything else in
them (functions, variables) cannot be judged that way; their tables are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.dmn.run import DecisionRun
from engine.dmn.tables import CompiledRule, CompiledTable
from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.compiler import Compiler
from engine.feel.environment import Run
from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.operations import compare
from engine.feel.parser import Parser
from engine.feel.scope import Scope
from engine.feel.temporal import DAY_NANOS, Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.text import to_text

MAX_COMBINATIONS = 50_000
MAX_EXAMPLES = 3
OTHER = "（其他）"
SINGLE = frozenset({"UNIQUE", "FIRST", "ANY", "PRIORITY"})


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was found.

    Attributes:
        labels: of the input columns; "" of one without any test.
        gaps: sample inputs (as FEEL text) that no rule matches.
        overlaps: two rules' numbers and a sample input that both match, against the hit policy.
    """

    labels: tuple[str, ...]
    gaps: tuple[tuple[str, ...], ...]
    overlaps: tuple[tuple[int, int, tuple[str, ...]], ...]


def coverage(table: CompiledTable) -> Coverage | None:
    """Return a table's gaps and overlaps; None where it cannot be judged or the policy allows both."""
    if table.policy not in SINGLE or not table.rules or not table.inputs:
        return None
    columns: list[list[Any]] = []
    for index in range(len(table.inputs)):
        samples = _samples(table, index)
        if samples is None:
            return None
        columns.append(samples)
    masks = [_masks(table, index, samples) for index, samples in enumerate(columns)]
    search = _Search(table, masks)
    search.go(0, (1 << len(table.rules)) - 1, ())
    defaulted = any(output.default is not None for output in table.outputs)
    tested = {index for rule in table.rules for index, _ in rule.tests}
    labels = tuple(column.label if index in tested else "" for index, column in enumerate(table.inputs))
    return Coverage(labels, () if defaulted else tuple(search.gaps), tuple(search.overlaps.values()))


def _masks(table: CompiledTable, index: int, samples: list[Any]) -> list[tuple[Any, int]]:
    """Return, for each sample that behaves differently, the set of rules whose test in this column it passes."""
    run = DecisionRun(None)
    root = Scope({}, None, run)
    found: dict[int, Any] = {}
    for sample in samples:
        scope = Scope({"?": sample}, root, run)
        mask = 0
        for position, rule in enumerate(table.rules):
            test = dict(rule.tests).get(index)
            if test is None or test(scope) is True:
                mask |= 1 << position
        found.setdefault(mask, sample)
    return [(sample, mask) for mask, sample in found.items()]


class _Search:
    """Goes through combinations of samples, as far as the budget lasts."""

    def __init__(self, table: CompiledTable, masks: list[list[tuple[Any, int]]]) -> None:
        self.table = table
        self.masks = masks
        self.left = MAX_COMBINATIONS
        self.gaps: list[tuple[str, ...]] = []
        self.overlaps: dict[tuple[int, int], tuple[int, int, tuple[str, ...]]] = {}

    def go(self, column: int, mask: int, chosen: tuple[Any, ...]) -> None:
        self.left -= 1
        if self.left < 0:
            return
        if column == len(self.masks):
            self._judge(mask, chosen)
            return
        if not mask:  # whatever follows, nothing matches
            if len(self.gaps) < MAX_EXAMPLES:
                self._judge(mask, (*chosen, *(samples[0][0] for samples in self.masks[column:])))
            return
        for sample, passed in self.masks[column]:
            self.go(column + 1, mask & passed, (*chosen, sample))

    def _judge(self, mask: int, chosen: tuple[Any, ...]) -> None:
        sample = tuple(to_text(value, quoted=True) for value in chosen)
        if not mask:
            if len(self.gaps) < MAX_EXAMPLES:
                self.gaps.append(sample)
            return
        rules = [rule for position, rule in enumerate(self.table.rules) if mask >> position & 1]
        if len(rules) > 1 and self.table.policy in ("UNIQUE", "ANY"):
            pair = self._conflict(rules)
            if pair is not None and len(self.overlaps) < MAX_EXAMPLES:
                self.overlaps.setdefault(pair, (*pair, sample))

    def _conflict(self, rules: list[CompiledRule]) -> tuple[int, int] | None:
        first = rules[0]
        if self.table.policy == "UNIQUE":
            return first.index, rules[1].index
        mine = [cell.source.strip() for cell in first.rule.outputs]
        for other in rules[1:]:
            if [cell.source.strip() for cell in other.rule.outputs] != mine:
                return first.index, other.index
        return None


# --- samples ------------------------------------------------------------------------------------------------------------


def _samples(table: CompiledTable, index: int) -> list[Any] | None:
    """Return values that tell a column's tests apart, or None if its cells have more than literals in them."""
    column = table.table.inputs[index]
    ends: list[Any] = []
    ordered = False
    for rule in table.rules:
        text = rule.rule.tests[index].source if index < len(rule.rule.tests) else "-"
        values = _literals(text)
        if values is None:
            return None
        ends += [value for value, _ in values]
        ordered = ordered or any(is_end for _, is_end in values)
    allowed = None if column.allowed is None else _literals(column.allowed.source)
    ends = [end for end in ends if end is not None]
    kinds = {type(end) for end in ends}
    if allowed and not any(is_end for _, is_end in allowed):
        return [value for value, _ in allowed]
    if not kinds:
        return [True, False] if column.type_ref == "boolean" else [OTHER]
    if kinds == {bool}:
        return [True, False]
    if kinds == {str}:
        return None if ordered else [*dict.fromkeys(ends), OTHER]
    if len(kinds) == 1 and kinds < {Decimal, Date, DateTime, Time, DaysDuration, MonthsDuration}:
        return list(_around(ends, whole=column.type_ref in ("integer", "long")))
    return None


def _literals(text: str) -> list[tuple[Any, bool]] | None:
    """Return the literals of a cell, each with whether it is an end of an interval; None if there is anything else."""
    if text.strip() in ("", "-"):
        return []
    try:
        tests = Parser(text, built_in=BUILT_IN_NAMES).unary_tests_only()
    except FeelSyntaxError:
        return None
    found: list[tuple[Any, bool]] = []
    for test in tests.tests:
        for node, is_end in _operands(test):
            value = _value(node)
            if value is None:
                return None
            found.append((value[0], is_end))
    return found


def _operands(test: n.Node) -> Iterator[tuple[n.Node, bool]]:
    if isinstance(test, n.Bound):
        yield test.operand, test.operator not in ("=", "!=")
    elif isinstance(test, n.Interval):
        yield test.low, True
        yield test.high, True
    else:
        yield test, False


def _value(node: n.Node) -> tuple[Any] | None:
    """Return the value of a literal, or of a temporal constructor of literals."""
    if isinstance(node, n.Literal):
        return (node.value,)
    if isinstance(node, n.Call) and all(isinstance(argument, n.Literal) for argument in node.arguments):
        name = node.callee.name if isinstance(node.callee, n.Name) else ""
        if name in ("date", "time", "date and time", "duration"):
            return (Compiler().compile(node)(Scope({}, None, Run())),)
    return None


def _around(ends: Iterable[Any], whole: bool) -> Iterator[Any]:
    """Yield ends in order, a value between every two, and one beyond each side."""
    ordered: list[Any] = []
    for end in ends:
        place = sum(1 for other in ordered if compare(other, end) == -1)
        if place == len(ordered) or compare(ordered[place], end) != 0:
            ordered.insert(place, end)
    yield from _shifted(ordered[0], -1)
    for position, end in enumerate(ordered):
        yield end
        if position + 1 < len(ordered):
            middle = _middle(end, ordered[position + 1], whole)
            if middle is not None:
                yield middle
    yield from _shifted(ordered[-1], 1)


def _shifted(value: Any, sign: int) -> Iterator[Any]:
    if isinstance(value, Decimal):
        yield value + sign
    elif isinstance(value, Date):
        yield value.plus_days(sign)
    elif isinstance(value, DateTime):
        yield value.plus(sign * DAY_NANOS)
    elif isinstance(value, DaysDuration):
        yield DaysDuration(value.nanos + sign * DAY_NANOS)
    elif isinstance(value, MonthsDuration):
        yield MonthsDuration(value.months + sign)
    elif isinstance(value, Time) and 0 < value.nanos < DAY_NANOS - 1:
        yield Time.of_nanos(0 if sign < 0 else DAY_NANOS - 1, value.offset, value.zone)


def _middle(low: Any, high: Any, whole: bool) -> Any:
    if isinstance(low, Decimal):
        if whole:
            return low + 1 if high - low > 1 else None
        return (low + high) / 2
    if isinstance(low, Date):
        return low.plus_days(1) if high.days - low.days > 1 else None
    if isinstance(low, MonthsDuration):
        return MonthsDuration(low.months + 1) if high.months - low.months > 1 else None
    if isinstance(low, DaysDuration):
        return DaysDuration((low.nanos + high.nanos) // 2)
    if isinstance(low, Time):
        return Time.of_nanos((low.nanos + high.nanos) // 2, low.offset, low.zone)
    return low.plus((high.instant - low.instant) // 2)
