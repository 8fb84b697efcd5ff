"""Gaps and overlaps of a decision table, found by trying sample values (see `samples`).

A cell whose answer hangs on more than its input (variables, today) may match or not: a gap is named only where no rule can
match, an overlap only where two rules surely do. What was not looked at is said in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.dmn.run import DecisionRun
from engine.dmn.samples import OTHER, Cell, cell_of, samples_of
from engine.dmn.tables import CompiledRule, CompiledTable
from engine.errors import EvaluationFailed
from engine.feel.environment import Environment, Limits
from engine.feel.scope import Scope
from engine.feel.text import to_text

MAX_TESTS = 600_000  # evaluations of cells
MAX_COMBINATIONS = 50_000
MAX_PAIRS = 1_000_000  # pairs of rules times columns
MAX_EXAMPLES = 3
SINGLE = frozenset({"UNIQUE", "FIRST", "ANY", "PRIORITY"})
_LIMITS = Limits(steps=5_000_000, seconds=3.0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was found.

    Attributes:
        labels: of the input columns; "" of one without any test.
        gaps: sample inputs (as FEEL text) that no rule matches.
        overlaps: two rules' numbers and a sample input that both match, against the hit policy.
        unseen: why some gaps or overlaps may have been missed; empty where the samples tell all.
    """

    labels: tuple[str, ...]
    gaps: tuple[tuple[str, ...], ...]
    overlaps: tuple[tuple[int, int, tuple[str, ...]], ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's samples, each with the rules (as bits) that surely and that possibly let it pass."""

    samples: list[Any]
    surely: list[int]
    possibly: list[int]


def coverage(table: CompiledTable) -> Coverage | None:
    """Return a table's gaps and overlaps; None where the policy allows both, or there is nothing to judge."""
    if table.policy not in SINGLE or not table.rules or not table.inputs:
        return None
    tested = {index for rule in table.rules for index, _ in rule.tests}
    labels = tuple(column.label if index in tested else "" for index, column in enumerate(table.inputs))
    try:
        columns, uncertain = _columns(table)
    except (_TooMuch, EvaluationFailed):
        return Coverage(labels, (), (), ("表太大，没有查空缺与重叠 (too large: gaps and overlaps were not looked for)",))
    unseen: list[str] = []
    if uncertain:
        rows = "、".join(map(str, uncertain[:5])) + ("…" if len(uncertain) > 5 else "")
        unseen.append(f"规则 {rows} 的条件含变量或随时间变化，只查了一定成立的情形 (cells with variables are judged in part)")
    gaps: list[tuple[str, ...]] = []
    if not any(output.default is not None for output in table.outputs):
        search = _Gaps(columns)
        search.go(0, (1 << len(table.rules)) - 1, ())
        gaps = [tuple(to_text(value, quoted=True) for value in gap) for gap in search.found]
        if search.left < 0:
            unseen.append(f"输入的组合太多，空缺只查了前 {MAX_COMBINATIONS} 种 (too many combinations for gaps)")
    overlaps = _overlaps(table, columns, unseen) if table.policy in ("UNIQUE", "ANY") else []
    return Coverage(labels, tuple(gaps), tuple(overlaps), tuple(unseen))


class _TooMuch(Exception):
    """The table has more cells and samples than are tried."""


def _columns(table: CompiledTable) -> tuple[list[_Column], list[int]]:
    """Return the columns, and the numbers of rules with cells that cannot be judged by their input alone.

    Raises:
        _TooMuch: there are more tests than are tried.
    """
    run = DecisionRun(Environment(limits=_LIMITS))
    root = Scope({}, None, run)
    uncertain: set[int] = set()
    columns: list[_Column] = []
    left = MAX_TESTS
    for index, column in enumerate(table.inputs):
        cells: dict[str, tuple[Cell, Any, list[int]]] = {}  # by text: what it shows, its test, the rules with it
        free = 0  # rules that do not look at this column
        for position, rule in enumerate(table.rules):
            test = next((test for place, test in rule.tests if place == index), None)
            if test is None:
                free |= 1 << position
                continue
            text = rule.rule.tests[index]
            known = cells.get(text.source)
            if known is None:
                known = cells[text.source] = (cell_of(text, column.names), test, [])
            known[2].append(position)
            if not known[0].certain:
                uncertain.add(rule.index)
        source = table.table.inputs[index]
        allowed = [cell_of(text) for text in (source.allowed, column.type_allowed) if text is not None]
        samples = samples_of((cell for cell, _, _ in cells.values()), allowed, column.kind)
        left -= len(samples) * len(cells)
        if left < 0:
            raise _TooMuch
        columns.append(_masks(samples, column, list(cells.values()), free, root))
    return columns, sorted(uncertain)


def _masks(samples: list[Any], column: Any, cells: list[tuple[Cell, Any, list[int]]], free: int, root: Scope) -> _Column:
    """Return a column with those samples that it may be and that differ in what they match."""
    groups = [(cell, test, sum(1 << position for position in positions)) for cell, test, positions in cells]
    found: dict[tuple[int, int], Any] = {}
    for sample in samples:
        scope = column.scope(sample, root)
        if sample is not None and column.kind is not None and not column.kind.accepts(sample):
            continue
        if sample is not None and column.allowed is not None and column.allowed(scope) is not True:
            continue
        surely = possibly = free
        for cell, test, rules in groups:
            if not cell.certain:
                possibly |= rules
            elif test(scope) is True:
                surely |= rules
                possibly |= rules
        found.setdefault((surely, possibly), sample)
    if not found:  # lists, contexts, ranges: no samples; any test may pass
        everything = free | sum(rules for _, _, rules in groups)
        found[(free, everything)] = OTHER
    return _Column(list(found.values()), [surely for surely, _ in found], [possibly for _, possibly in found])


class _Gaps:
    """Goes through combinations of samples, as far as the budget lasts."""

    def __init__(self, columns: list[_Column]) -> None:
        self.columns = columns
        self.left = MAX_COMBINATIONS
        self.found: list[tuple[Any, ...]] = []
        self.seen: set[tuple[int, int]] = set()

    def go(self, index: int, rules: int, chosen: tuple[Any, ...]) -> None:
        """Look for combinations that no rule matches.

        Args:
            index: the column that comes next.
            rules: those (as bits) that what was chosen may still match.
            chosen: a sample of each column before.
        """
        if not rules:  # whatever follows, nothing matches
            self.found.append((*chosen, *(column.samples[0] for column in self.columns[index:])))
            return
        if index == len(self.columns) or (index, rules) in self.seen:
            return
        self.seen.add((index, rules))
        column = self.columns[index]
        for sample, passed in zip(column.samples, column.possibly, strict=True):
            self.left -= 1
            if self.left < 0 or len(self.found) >= MAX_EXAMPLES:
                return
            self.go(index + 1, rules & passed, (*chosen, sample))


def _overlaps(table: CompiledTable, columns: list[_Column], unseen: list[str]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return pairs of rules that one sample input matches, though the policy forbids it."""
    if len(table.rules) * sum(len(column.samples) for column in columns) > MAX_PAIRS:
        unseen.append("规则太多，没有查重叠 (too many rules: overlaps were not looked for)")
        return []
    passing = [
        [sum(1 << number for number, rules in enumerate(column.surely) if rules >> position & 1) for column in columns]
        for position in range(len(table.rules))
    ]
    found: list[tuple[int, int, tuple[str, ...]]] = []
    left = MAX_PAIRS
    for first, one in enumerate(table.rules):
        left -= (len(table.rules) - first) * len(columns)
        if left < 0:
            unseen.append(f"规则太多，重叠只查到规则 {one.index} (too many rules for overlaps)")
            break
        for second in range(first + 1, len(table.rules)):
            both = [mine & theirs for mine, theirs in zip(passing[first], passing[second], strict=True)]
            if not all(both) or (table.policy == "ANY" and _same_outputs(one, table.rules[second])):
                continue
            sample = (column.samples[(bits & -bits).bit_length() - 1] for column, bits in zip(columns, both, strict=True))
            found.append((one.index, table.rules[second].index, tuple(to_text(value, quoted=True) for value in sample)))
            if len(found) == MAX_EXAMPLES:
                return found
    return found


def _same_outputs(one: CompiledRule, other: CompiledRule) -> bool:
    return [cell.source.strip() for cell in one.rule.outputs] == [cell.source.strip() for cell in other.rule.outputs]
