"""Boxed expressions → closures over FEEL's scopes.

Source: DMN 1.5, chapters 7 and 8, 10.2 (boxed expressions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from engine.dmn import elements as e
from engine.dmn.findings import Finding
from engine.dmn.itemtypes import ItemTypes
from engine.dmn.table_compiler import TableCompiler
from engine.dmn.tables import CompiledTable
from engine.errors import FeelSyntaxError
from engine.feel.closures import Compiled
from engine.feel.compiler import Compiler, Frame
from engine.feel.functions import BUILT_IN_NAMES, Closure
from engine.feel.iteration import NotIterable, items_of
from engine.feel.names import NameTable
from engine.feel.parser import Parser
from engine.feel.scope import Scope
from engine.feel.types import FeelType, FunctionType, Unknown, coerce, plain
from engine.feel.values import Callable_

_is_feel = re.compile(r"(^|[/:])(s-)?feel(/|$)", re.IGNORECASE).search


class BoxedCompiler:
    """Compiles the expressions of one element.

    Attributes:
        free: names that the element takes from its requirements or from outside, with the text that first asked.
        result_type: the `typeRef` of the element's variable.
    """

    def __init__(
        self,
        owner: tuple[str, str],
        names: NameTable,
        types: ItemTypes,
        findings: list[Finding],
        result_type: str | None = None,
    ) -> None:
        self.owner = owner
        self.result_type = result_type
        self.names = names
        self.types = types
        self.findings = findings
        self.compiler = Compiler()
        self.free: dict[str, e.Text] = {}
        self.tables: list[CompiledTable] = []

    # --- text -------------------------------------------------------------------------------------------------------

    def _parser(self, text: e.Text) -> Parser:
        return Parser(text.source, self.names, BUILT_IN_NAMES, self.types.by_name, self.types.names)

    @contextmanager
    def _scope(self, frame: Frame) -> Iterator[None]:
        """Compile what is inside an inner scope."""
        self.compiler.frames.append(frame)
        self.names.open()
        for name in frame.names:
            self.names.add(name)
        yield
        self.names.close()
        self.compiler.frames.pop()

    def _compiled(self, text: e.Text, compile_text: Callable[[Parser], Compiled]) -> Compiled:
        """Compile a text; one that cannot be read is a finding, and null with a warning."""
        if text.language and not _is_feel(text.language):
            message = f"不支持表达式语言 {text.language}，请改用 FEEL (only FEEL is supported)"
            return self._refused(text, FeelSyntaxError(message))
        frames, depth = list(self.compiler.frames), self.names.depth
        self.compiler.free = set()
        self.compiler.doubts.clear()
        try:
            compiled = compile_text(self._parser(text))
        except FeelSyntaxError as error:
            self.compiler.frames, self.compiler.height = frames, 0
            self.names.close_to(depth)
            return self._refused(text, error)
        for name in self.compiler.free:
            self.free.setdefault(name, text)
        for doubt in self.compiler.doubts:
            self.findings.append(Finding("warning", text.id, text.name, "text", doubt, text.line, None, "value"))
        return compiled

    def _refused(self, text: e.Text, error: FeelSyntaxError) -> Compiled:
        line = text.line + (error.line or 1) - 1
        self.findings.append(Finding("refused", text.id, text.name, "text", error.message, line, error.column, "syntax"))
        message = f"“{text.name}” 的表达式有语法错误 (a syntax error): {error.message}"

        def broken(scope: Scope) -> None:
            scope.run.warn(message, text.id)

        return broken

    def text(self, text: e.Text) -> Compiled:
        """Return the closure of an expression."""
        if not text.source.strip():
            return lambda scope: None
        return self._compiled(text, lambda parser: self.compiler.compile(parser.expression_only()))

    def tests(self, text: e.Text, names: tuple[str, ...] = ("?",)) -> Compiled:
        """Return the closure of unary tests over `?` (and other names of the same value)."""

        def compile_text(parser: Parser) -> Compiled:
            with self._scope(Frame(names)):
                return self.compiler.tests(parser.unary_tests_only())

        return self._compiled(text, compile_text)

    def test_each(self, text: e.Text) -> tuple[Compiled, ...]:
        """Return the closures of unary tests one by one (allowed values in their order)."""
        each: list[Compiled] = []

        def compile_text(parser: Parser) -> Compiled:
            tests = parser.unary_tests_only()
            parts = [tests] if tests.negated or tests.any_value else [replace(tests, tests=(test,)) for test in tests.tests]
            with self._scope(Frame(("?",))):
                each.extend(self.compiler.tests(part) for part in parts)
            return each[0]

        refused = self._compiled(text, compile_text)
        return tuple(each) or (refused,)

    # --- types ------------------------------------------------------------------------------------------------------

    def declared(self, reference: str | None, identifier: str, line: int) -> FeelType | None:
        """Return a declared type; an unknown one is a finding, and any value is taken."""
        kind = self.types.resolve(reference)
        if isinstance(kind, Unknown):
            reason = f"没有类型 {reference} (no such type)"
            self.findings.append(Finding("warning", identifier, self.owner[1], "typeRef", reason, line, None, "type"))
            return None
        return kind

    def _typed(self, compiled: Compiled, expression: e.Boxed) -> Compiled:
        kind = self.declared(expression.type_ref, expression.id, expression.line)
        return compiled if kind is None else typed(compiled, kind, self.owner[1])

    # --- expressions ------------------------------------------------------------------------------------------------

    def boxed(self, expression: e.Boxed | None) -> Compiled:
        """Return the closure of an expression; of none: null."""
        if expression is None:
            return lambda scope: None
        if isinstance(expression, e.FunctionDefinition):
            return self._function(expression)
        return self._typed(self._handlers[type(expression)](self, expression), expression)

    def _literal(self, expression: e.LiteralExpression) -> Compiled:
        if expression.imported:
            reason = "不读取 importedValues，请写出表达式 (imported values are not read)"
            return self._refused(expression.text, FeelSyntaxError(reason))
        return self.text(expression.text)

    def _context(self, expression: e.ContextExpression) -> Compiled:
        frame = Frame()
        entries: list[tuple[str | None, Compiled]] = []
        with self._scope(frame):
            for entry in expression.entries:
                if entry.name is not None and _is_function(entry.value):  # it may call itself
                    frame.names.add(entry.name)
                value = self.boxed(entry.value)
                kind = self.declared(entry.type_ref, expression.id, expression.line)
                entries.append((entry.name, value if kind is None else typed(value, kind, entry.name or self.owner[1])))
                if entry.name is not None:
                    frame.names.add(entry.name)
                    self.names.add(entry.name)

        def build(scope: Scope) -> Any:
            values: dict[str, Any] = {}
            inner = Scope(values, scope, scope.run)
            for name, value in entries:
                if name is None:
                    return value(inner)
                values[name] = value(inner)
            return values

        return build

    def _list(self, expression: e.ListExpression) -> Compiled:
        items = tuple(self.boxed(item) for item in expression.items)
        return lambda scope: [item(scope) for item in items]

    def _relation(self, expression: e.Relation) -> Compiled:
        names = [column.name or "" for column in expression.columns]
        kinds = [self.declared(column.type_ref, expression.id, expression.line) for column in expression.columns]
        rows: list[tuple[Compiled, ...]] = []
        for number, cells in enumerate(expression.rows, 1):
            if len(cells) != len(names):
                reason = f"第 {number} 行有 {len(cells)} 格，应有 {len(names)} 格 (a row has other cells than the columns)"
                self.findings.append(Finding("refused", expression.id, self.owner[1], "row", reason, expression.line))
            row = [self.boxed(cell) for cell in cells]
            rows.append(
                tuple(
                    cell if kind is None else typed(cell, kind, name) for name, kind, cell in zip(names, kinds, row, strict=False)
                )
            )
        return lambda scope: [{name: cell(scope) for name, cell in zip(names, row, strict=False)} for row in rows]

    def _invocation(self, expression: e.Invocation) -> Compiled:
        function = self.boxed(expression.function)
        bindings = tuple(
            (entry.name or "", self.boxed(entry.value), self.declared(entry.type_ref, expression.id, expression.line))
            for entry in expression.bindings
        )
        label = self.owner[1]

        def invoke(scope: Scope) -> Any:
            target = function(scope)
            if not isinstance(target, Callable_):
                scope.run.warn("被调用的不是函数 (not a function)", label)
                return None
            arguments: dict[str, Any] = {}
            for name, value, kind in bindings:
                arguments[name] = value(scope) if kind is None else typed(value, kind, name)(scope)
            return target.invoke_named(scope.run, arguments) if arguments else target.invoke(scope.run, [])

        return invoke

    def _function(self, expression: e.FunctionDefinition) -> Compiled:
        """Return the closure of a function as a value. Files before DMN 1.3 give the type of its result as its `typeRef`."""
        kind = self.declared(expression.type_ref, expression.id, expression.line)
        if kind is None or isinstance(plain(kind), FunctionType):
            function = self.function(expression)
            return function if kind is None else typed(function, kind, self.owner[1])
        return self.function(expression, result=kind)

    def function(self, expression: e.FunctionDefinition, name: str = "", result: FeelType | None = None) -> Compiled:
        """Return the closure that makes a function value."""
        parameters = tuple(
            (entry.name or "", self.declared(entry.type_ref, expression.id, expression.line)) for entry in expression.parameters
        )
        if expression.kind != "FEEL":
            kind = expression.kind

            def refuse(run: Any, _arguments: dict[str, Any]) -> None:
                run.warn(f"外部函数（{kind}）不执行 (external functions are not run)", name)

            return lambda scope: Closure(name, parameters, refuse, result)
        with self._scope(Frame(parameter for parameter, _ in parameters)):
            body = self.boxed(expression.body)
        return lambda scope: Closure(name, parameters, lambda run, bound: body(Scope(bound, scope, run)), result)

    def _conditional(self, expression: e.Conditional) -> Compiled:
        condition, then = self.boxed(expression.condition), self.boxed(expression.then)
        otherwise = self.boxed(expression.otherwise)
        return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)

    def _filter(self, expression: e.FilterExpression) -> Compiled:
        source = self.boxed(expression.source)
        with self._scope(Frame(is_filter=True)):
            match = self.boxed(expression.match)
        label = self.owner[1]

        def chosen(scope: Scope) -> Any:
            value = source(scope)
            run = scope.run
            if value is None:
                run.warn("不能过滤 null (null cannot be filtered)", label)
                return None
            result: list[Any] = []
            for item in value if isinstance(value, list) else [value]:
                run.charge()
                verdict = match(Scope(item if isinstance(item, dict) else {}, scope, run, item))
                if verdict is True:
                    result.append(item)
                elif verdict is not None and verdict is not False:
                    run.warn("过滤条件应为布尔值 (a filter needs a boolean)", label)
                    return None
            return result

        return chosen

    def _sequence(self, expression: e.Boxed | None) -> Compiled:
        """Return the closure of what an iteration goes through, which may be written `first..last`."""
        if isinstance(expression, e.LiteralExpression) and ".." in expression.text.source:  # no value of a type by itself
            return self._compiled(expression.text, lambda parser: self.compiler.compile(parser.sequence_only()))
        return self.boxed(expression)

    def _iteration(self, expression: e.Iteration) -> Compiled:
        source = self._sequence(expression.source)
        with self._scope(Frame((expression.variable, *(("partial",) if expression.kind == "for" else ())))):
            body = self.boxed(expression.body)
        variable, kind = expression.variable, expression.kind

        def loop(scope: Scope) -> Any:
            run = scope.run
            result: list[Any] = []
            try:
                for item in items_of(source(scope)):
                    run.charge(1 + (len(result) if kind == "for" else 0) // 64)
                    result.append(body(Scope({variable: item, "partial": list(result)}, scope, run)))
                    run.check_items(len(result))
            except NotIterable as error:
                run.warn(str(error), kind)
                return None
            return result if kind == "for" else _verdict(result, kind)

        return loop

    def _table(self, table: e.DecisionTable) -> Compiled:
        compiled = TableCompiler(self).table(table)
        self.tables.append(compiled)
        return compiled.evaluate

    _handlers: ClassVar[dict[type[e.Boxed], Callable[[BoxedCompiler, Any], Compiled]]] = {
        e.LiteralExpression: _literal,
        e.ContextExpression: _context,
        e.ListExpression: _list,
        e.Relation: _relation,
        e.Invocation: _invocation,
        e.Conditional: _conditional,
        e.FilterExpression: _filter,
        e.Iteration: _iteration,
        e.DecisionTable: _table,
    }


def _is_function(expression: e.Boxed | None) -> bool:
    if isinstance(expression, e.LiteralExpression):
        return expression.text.source.lstrip().startswith("function")
    return isinstance(expression, e.FunctionDefinition)


def typed(compiled: Compiled, kind: FeelType, label: str) -> Compiled:
    """Return a closure whose value is made to fit a type, or null with a warning."""

    def fitted(scope: Scope) -> Any:
        value, fits = coerce(compiled(scope), kind)
        if not fits:
            scope.run.warn(f"“{label}” 的值应为 {kind} (a value of another type)", label)
        return value

    return fitted


def _verdict(results: list[Any], kind: str) -> bool | None:
    decisive = kind == "some"
    if any(result is decisive for result in results):
        return decisive
    return (not decisive) if all(isinstance(result, bool) for result in results) else None
