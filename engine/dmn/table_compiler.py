"""Decision tables as they were written → tables that are ready to be evaluated (`tables`).

Source: DMN 1.5, chapter 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.dmn import elements as e
from engine.dmn.findings import Finding
from engine.dmn.hit_policies import AGGREGATIONS, POLICIES
from engine.dmn.tables import CompiledInput, CompiledOutput, CompiledRule, CompiledTable
from engine.feel.closures import Compiled

if TYPE_CHECKING:
    from engine.dmn.boxed import BoxedCompiler


class TableCompiler:
    """Compiles the tables of one element, with the compiler of its expressions."""

    def __init__(self, boxed: BoxedCompiler) -> None:
        self.boxed = boxed
        self.findings = boxed.findings

    def table(self, table: e.DecisionTable) -> CompiledTable:
        """Return a table that is ready to be evaluated."""
        before = len(self.findings)
        self._check_shape(table)
        inputs = tuple(self._input(table, index) for index in range(len(table.inputs)))
        outputs = tuple(self._output(table, index, self.boxed.result_type) for index in range(len(table.outputs)))
        if table.hit_policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.order for output in outputs):
            reason = "此命中策略按输出的允许值排序，而输出没有允许值 (the outputs have no allowed values to order by)"
            self.findings.append(Finding("warning", table.id, self.boxed.owner[1], "outputValues", reason, table.line))
        rules: list[CompiledRule] = []
        known: dict[tuple[str, str, tuple[str, ...]], Compiled] = {}  # cells of a table repeat each other

        def test_of(cell: e.Text, names: tuple[str, ...]) -> Compiled:
            key = (cell.source, cell.language, names)
            return known.get(key) or known.setdefault(key, self.boxed.tests(cell, names))

        for index, rule in enumerate(table.rules, 1):
            tests = tuple(
                (position, test_of(test, inputs[position].names))
                for position, test in enumerate(rule.tests[: len(inputs)])
                if test.source.strip() not in ("", "-")
            )
            cells = [self.boxed.text(cell) for cell in rule.outputs[: len(outputs)]]
            cells += [lambda scope: None] * (len(outputs) - len(cells))
            rules.append(CompiledRule(index, rule, tests, tuple(cells)))
        broken = any(finding.verdict == "refused" for finding in self.findings[before:])
        return CompiledTable(table, self.boxed.owner, inputs, outputs, tuple(rules), broken=broken)

    def _check_shape(self, table: e.DecisionTable) -> None:
        def refuse(attribute: str, reason: str, line: int, identifier: str = table.id) -> None:
            self.findings.append(Finding("refused", identifier, self.boxed.owner[1], attribute, reason, line))

        if table.hit_policy not in POLICIES:
            refuse("hitPolicy", f"不认识的命中策略 {table.hit_policy} (unknown hit policy)", table.line)
        if table.aggregation is not None and table.aggregation not in AGGREGATIONS:
            refuse("aggregation", f"不认识的汇总 {table.aggregation} (unknown aggregation)", table.line)
        if table.aggregation is not None and (table.hit_policy != "COLLECT" or len(table.outputs) > 1):
            reason = "汇总只用于单输出的 COLLECT 表 (an aggregation is for COLLECT with one output)"
            self.findings.append(Finding("warning", table.id, self.boxed.owner[1], "aggregation", reason, table.line))
        if not table.outputs:
            refuse("output", "决策表没有输出 (the table has no output)", table.line)
        for rule in table.rules:
            if len(rule.tests) != len(table.inputs) or len(rule.outputs) != len(table.outputs):
                cells, columns = f"{len(rule.tests)}+{len(rule.outputs)}", f"{len(table.inputs)}+{len(table.outputs)}"
                reason = f"规则有 {cells} 个单元格，表有 {columns} 列，应当相同 (a rule has other cells than the table's columns)"
                refuse("rule", reason, rule.line, rule.id)

    def _input(self, table: e.DecisionTable, index: int) -> CompiledInput:
        column = table.inputs[index]
        kind = self.boxed.declared(column.type_ref, column.id, column.expression.line)
        names = ("?",) if column.variable is None else ("?", column.variable)
        text = column.expression.source.strip()
        if not text:
            used = any(rule.tests[index].source.strip() not in ("", "-") for rule in table.rules if index < len(rule.tests))
            reason = "输入列没有表达式" + ("，规则却要检验它" if used else "，各规则也不看它") + " (an input without expression)"
            line = column.expression.line
            self.findings.append(Finding("refused" if used else "warning", column.id, column.label, "text", reason, line))
        allowed = None if column.allowed is None else self.boxed.tests(column.allowed, names)
        value, type_allowed = self.boxed.text(column.expression), self.boxed.types.allowed(column.type_ref)
        return CompiledInput(column.label, text, value, allowed, kind, names, type_allowed)

    def _output(self, table: e.DecisionTable, index: int, type_ref: str | None) -> CompiledOutput:
        column = table.outputs[index]
        single = len(table.outputs) == 1
        name = column.name or column.label or (self.boxed.owner[1] if single else f"output {index + 1}")
        kind = self.boxed.declared(column.type_ref, column.id, table.line)
        allowed = column.allowed or self.boxed.types.allowed(column.type_ref)
        if allowed is None and column.type_ref is None:
            allowed = self.boxed.types.allowed(table.type_ref or type_ref, None if single else name)
        order = () if allowed is None else self.boxed.test_each(allowed)
        return CompiledOutput(name, kind, order, None if column.default is None else self.boxed.text(column.default))
