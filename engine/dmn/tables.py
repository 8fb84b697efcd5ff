"""Decision tables: which rules match, and what the hit policy makes of them.

Source: DMN 1.5, chapter 8 (8.2.11 default outputs); the hit policies are in `hit_policies`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from engine.dmn.elements import DecisionTable, Rule, Text
from engine.dmn.hit_policies import POLICIES, Matches, NoResult, Row, unknown
from engine.dmn.itemtypes import from_outside
from engine.dmn.run import DecisionRun, traceable
from engine.feel.environment import Run
from engine.feel.scope import Scope
from engine.feel.text import to_text
from engine.feel.types import FeelType, coerce

Compiled = Callable[[Scope], Any]
_rule_ids = re.compile(r"\s*([A-Za-z]+[0-9]+(?:\.[0-9]+)*[a-z]?)(?:\s*[,，、;；]\s*|\s*[:：]|\s+|$)").match


def rule_ids(annotations: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of regulations that open the annotations: of "T6.3, C4 金额…" T6.3 and C4."""
    found: list[str] = []
    for annotation in annotations:
        position = 0
        while match := _rule_ids(annotation, position):
            found.append(match[1])
            position = match.end()
            if annotation[:position].rstrip().endswith((":", "：")):
                break
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class CompiledInput:
    """An input column.

    Attributes:
        label: what people call it.
        text: its expression as it was written.
        value: its expression.
        allowed: the tests of the column's own allowed values; None: anything.
        kind: its declared type.
        names: what its value is called in the cells.
        type_allowed: the allowed values that its type brings along, as they were written.
    """

    label: str
    text: str
    value: Compiled
    allowed: Compiled | None
    kind: FeelType | None
    names: tuple[str, ...] = ("?",)
    type_allowed: Text | None = None

    def scope(self, value: Any, outer: Scope) -> Scope:
        """Return the scope of the column's tests."""
        if len(self.names) == 1:
            return Scope({"?": value}, outer, outer.run)
        return Scope(dict.fromkeys(self.names, value), outer, outer.run)

    def fitted(self, value: Any, run: Run) -> Any:
        """Return a value as the column's type wants it; null with a warning if it is of another (10.3.2.9.4)."""
        if self.kind is None or value is None or self.kind.accepts(value):
            return value
        found, fits = coerce(from_outside(value, self.kind), self.kind)
        if not fits:
            reason = f"的值 {to_text(value)[:80]} 应为 {self.kind} (an input of another type, or not an allowed value)"
            run.warn(f"输入 “{self.label}” {reason}", self.label)
        return found


@dataclass(frozen=True, slots=True)
class CompiledOutput:
    """An output column; `order` are the tests of its allowed values, the highest priority first."""

    name: str
    kind: FeelType | None
    order: tuple[Compiled, ...]
    default: Compiled | None


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A row: the tests that are not `-`, by column, and the outputs."""

    index: int
    rule: Rule
    tests: tuple[tuple[int, Compiled], ...]
    outputs: tuple[Compiled, ...]


def _place(rule: int) -> str:
    return f"规则 {rule} 的" if rule else "默认"


class CompiledTable:
    """A table that is ready to be evaluated; a `broken` one has parts that were refused, and says nothing of its rules."""

    def __init__(
        self,
        table: DecisionTable,
        owner: tuple[str, str],
        inputs: tuple[CompiledInput, ...],
        outputs: tuple[CompiledOutput, ...],
        rules: tuple[CompiledRule, ...],
        *,
        broken: bool = False,
    ) -> None:
        self.table = table
        self.owner_id, self.owner_name = owner
        self.inputs = inputs
        self.outputs = outputs
        self.rules = rules
        self.broken = broken
        self.policy = table.hit_policy
        self._combine = POLICIES.get(table.hit_policy, unknown)

    def evaluate(self, scope: Scope) -> Any:
        """Return the table's result in a scope."""
        run = cast(DecisionRun, scope.run)
        run.charge(len(self.rules))
        before = run.warned if run.trace is not None else 0
        values = [column.fitted(column.value(scope), run) for column in self.inputs]
        columns: list[Scope] = []
        refused = False
        for column, value in zip(self.inputs, values, strict=True):
            inner = column.scope(value, scope)
            columns.append(inner)
            if column.allowed is not None and value is not None and column.allowed(inner) is not True:
                run.warn(f"输入 “{column.label}” 的值不在允许值之内 (not an allowed value)", self.owner_name)
                refused = True
        matched = [] if refused else self._matching(columns)
        rows = [self._row(rule, scope) for rule in matched]
        result = None if refused else self._result(rows, scope, run)
        if run.trace is not None:
            run.note(self._explanation(values, matched, rows, result), before)
        return result

    def _matching(self, columns: list[Scope]) -> list[CompiledRule]:
        matched: list[CompiledRule] = []
        for rule in self.rules:
            for index, test in rule.tests:
                if test(columns[index]) is not True:
                    break
            else:
                matched.append(rule)
                if self.policy == "FIRST":
                    break
        return matched

    def _row(self, rule: CompiledRule, scope: Scope) -> Row:
        cells = zip(self.outputs, rule.outputs, strict=True)
        return tuple(self._cell(output, cell(scope), rule.index, scope) for output, cell in cells)

    def _cell(self, output: CompiledOutput, value: Any, rule: int, scope: Scope) -> Any:
        """Return an output's value as its type wants it; null with a warning if it is of another, or not allowed."""
        if output.kind is not None:
            value, fits = coerce(value, output.kind)
            if not fits:
                message = (
                    f"{_place(rule)}输出 “{output.name}” 应为 {output.kind} (an output of another type, or not an allowed value)"
                )
                scope.run.warn(message, self.owner_name)
        if value is not None and output.order and self.priority(output, value, scope) == len(output.order):
            scope.run.warn(f"{_place(rule)}输出 “{output.name}” 不在允许值之内 (not an allowed value)", self.owner_name)
            value = None
        return value

    def priority(self, output: CompiledOutput, value: Any, scope: Scope) -> int:
        """Return the place of a value among an output's allowed values, from 0; their number if it is none of them."""
        inner = Scope({"?": value}, scope, scope.run)
        for position, test in enumerate(output.order):
            if test(inner) is True:
                return position
        return len(output.order)

    def _result(self, rows: list[Row], scope: Scope, run: DecisionRun) -> Any:
        if rows:
            try:
                return self._combine(Matches(self, rows, scope))
            except NoResult as error:
                run.warn(f"决策表 “{self.owner_name}” {error}", self.owner_name)
                return None
        if any(output.default is not None for output in self.outputs):
            return self.value(
                tuple(None if o.default is None else self._cell(o, o.default(scope), 0, scope) for o in self.outputs)
            )
        if self.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
            aggregation = self.table.aggregation if self.policy == "COLLECT" else None
            if aggregation == "COUNT":
                return Decimal(0)
            return [] if aggregation is None else None
        run.warn(f"决策表 “{self.owner_name}” 没有命中任何规则 (no rule matches)", self.owner_name)
        return None

    def value(self, row: Row) -> Any:
        """Return a row as the result: its only output, or a context of outputs."""
        if len(self.outputs) == 1:
            return row[0]
        return {output.name: cell for output, cell in zip(self.outputs, row, strict=True)}

    # --- why --------------------------------------------------------------------------------------------------------

    def _explanation(self, values: list[Any], matched: list[CompiledRule], rows: list[Row], result: Any) -> dict[str, Any]:
        return {
            "kind": "decision table",
            "id": self.owner_id,
            "name": self.owner_name,
            "table": self.table.id,
            "hitPolicy": self.policy + (f" {self.table.aggregation}" if self.table.aggregation else ""),
            "inputs": [
                {"label": column.label, "expression": column.text, "value": traceable(value)}
                for column, value in zip(self.inputs, values, strict=True)
            ],
            "matched": [
                {
                    "index": rule.index,
                    "id": rule.rule.id,
                    "annotations": list(rule.rule.annotations),
                    "rules": list(rule_ids(rule.rule.annotations)),
                    "outputs": {output.name: traceable(cell) for output, cell in zip(self.outputs, row, strict=True)},
                }
                for rule, row in zip(matched, rows, strict=True)
            ],
            "value": traceable(result),
        }
