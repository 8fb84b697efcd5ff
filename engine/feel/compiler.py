"""Syntax tree → closures. What is known before running (constants, where a name lives) is decided here, once.

A compiled part is a function from a scope to a value. Where a name lives is known by counting scopes outward, except
inside filters, where an item's own entries come first and are only known while running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar

from engine.errors import FeelSyntaxError
from engine.feel import nodes as n
from engine.feel.closures import (
    NO_RESULT,
    Compiled,
    conjunction,
    disjunction,
    dynamic,
    filtered_item,
    item_at,
    local,
    operation,
    outer,
)
from engine.feel.comparisons import comparison, in_tests, unary_test
from engine.feel.environment import Run
from engine.feel.external import external_function
from engine.feel.functions import BUILT_IN, Closure
from engine.feel.iteration import NotIterable, iterate
from engine.feel.operations import arithmetic, compare, kind_of, negate
from engine.feel.properties import member
from engine.feel.scope import MISSING, Scope
from engine.feel.tree import constant, mentions, shown_type
from engine.feel.types import SIMPLE, Unknown
from engine.feel.values import Callable_, Range

MAX_HEIGHT = 150
EMPTY: dict[str, Any] = {}
CONSTRUCTORS = frozenset({"date", "time", "date and time", "duration"})


class Frame:
    """A scope at compile time: its names, or a filter (whose names are the item's entries)."""

    __slots__ = ("is_filter", "names")

    def __init__(self, names: Iterable[str] = (), is_filter: bool = False) -> None:
        self.names = set(names)
        self.is_filter = is_filter


class Compiler:
    """Compiles one text.

    Attributes:
        free: names that the text takes from outside, for certain (built-in functions are not among them).
        called: those of them that it calls as functions.
        maybe: names that may be an item's own entry or come from outside.
        doubts: what is written down but is no date, time or duration, and so always null: messages.
    """

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        self.frames = list(frames)
        self.free: set[str] = set()
        self.called: set[str] = set()
        self.maybe: set[str] = set()
        self.doubts: list[str] = []
        self.height = 0

    def compile(self, node: n.Node) -> Compiled:
        """Return the closure of a part."""
        self.height += 1
        if self.height > MAX_HEIGHT:
            raise FeelSyntaxError("表达式嵌套太深 (nested too deeply)")
        compiled = self._handlers[type(node)](self, node)
        self.height -= 1
        return compiled

    # --- names ------------------------------------------------------------------------------------------------------

    def _name(self, node: n.Name) -> Compiled:
        return self._lookup(node.name)

    def _lookup(self, name: str) -> Compiled:
        filters: list[int] = []
        for hops, frame in enumerate(reversed(self.frames)):
            if frame.is_filter:
                filters.append(hops)
                if name == "item":
                    return dynamic(name, filters, filtered_item(hops))
            elif name in frame.names:
                return dynamic(name, filters, local(name, hops))
        fallback = BUILT_IN.get(name)
        if fallback is None:
            (self.maybe if filters else self.free).add(name)
        return dynamic(name, filters, outer(name, len(self.frames), fallback))

    def inside(self, frame: Frame, node: n.Node) -> Compiled:
        """Return the closure of a part that runs in an inner scope."""
        self.frames.append(frame)
        compiled = self.compile(node)
        self.frames.pop()
        return compiled

    # --- simple parts -----------------------------------------------------------------------------------------------

    def _literal(self, node: n.Literal) -> Compiled:
        value = node.value
        return lambda scope: value

    def _unreadable(self, node: n.Unreadable) -> Compiled:
        message = f"“{node.text[:40]}” 不是日期、时间或时长 (not a date, a time or a duration)"
        self.doubts.append(message)
        return lambda scope: scope.run.warn(message, "@")

    def _path(self, node: n.Path) -> Compiled:
        base, name = self.compile(node.base), node.name

        def path(scope: Scope) -> Any:
            value = base(scope)
            if type(value) is dict:
                found = value.get(name, MISSING)
                if found is not MISSING:
                    return found
            return member(value, name, scope.run)

        return path

    def _negate(self, node: n.Negate) -> Compiled:
        operand = self.compile(node.operand)

        def opposite(scope: Scope) -> Any:
            value = operand(scope)
            if type(value) is Decimal:
                return value.copy_negate() if value else value
            try:
                return negate(value)
            except NO_RESULT as error:
                scope.run.warn(str(error), "-")
                return None

        return opposite

    def _arithmetic(self, node: n.Arithmetic) -> Compiled:
        compiled = self.compile(node.first)
        if len(node.rest) == 1:
            operator, right = node.rest[0]
            return operation(operator, compiled, self.compile(right))
        rest = tuple((operator, self.compile(right)) for operator, right in node.rest)

        def chain(scope: Scope) -> Any:
            value = compiled(scope)
            run = scope.run
            for operator, right in rest:
                value = arithmetic(operator, value, right(scope), run)
            return value

        return chain

    def _comparison(self, node: n.Comparison) -> Compiled:
        root_name = None
        if isinstance(node.left, n.Name) and not self.frames and node.left.name not in BUILT_IN:
            root_name = node.left.name
        return comparison(node.operator, self.compile(node.left), self.compile(node.right), constant(node.right), root_name)

    def _logic(self, node: n.Logic) -> Compiled:
        parts = tuple(self.compile(part) for part in node.parts)
        return conjunction(parts) if node.conjunction else disjunction(parts)

    def _between(self, node: n.Between) -> Compiled:
        value, low, high = self.compile(node.value), self.compile(node.low), self.compile(node.high)

        def between(scope: Scope) -> Any:
            subject, least, most = value(scope), low(scope), high(scope)
            above, below = compare(subject, least), compare(subject, most)
            if (above is not None and above < 0) or (below is not None and below > 0):
                return False
            if above is None or below is None:
                scope.run.warn("between 的各部分不能比较 (its parts cannot be compared)", "between")
                return None
            return True

        return between

    def _in(self, node: n.In) -> Compiled:
        value = self.compile(node.value)
        tests = tuple(self._test_parts(test) for test in node.tests)
        return in_tests(value, tests)

    def _test_parts(self, test: n.Node) -> tuple[str, Compiled]:
        if isinstance(test, n.Bound):
            return test.operator, self.compile(test.operand)
        return "", self.compile(test)

    def tests(self, node: n.Tests) -> Compiled:
        """Return the closure of unary tests: it finds the value under test as `?` in the innermost scope."""
        if node.any_value:
            return lambda scope: True
        compiled = [self._unary_test(test) for test in node.tests]
        if len(compiled) == 1 and not node.negated:
            return compiled[0]
        any_of = disjunction(tuple(compiled))
        if not node.negated:
            return any_of

        def none_of(scope: Scope) -> Any:
            result = any_of(scope)
            return None if result is None else not result

        return none_of

    def _unary_test(self, test: n.Node) -> Compiled:
        if isinstance(test, n.Bound):
            return comparison(test.operator, self._lookup("?"), self.compile(test.operand), constant(test.operand), None, "?")
        return unary_test(self.compile(test), constant(test), asks=mentions(test, "?"))

    def _if(self, node: n.If) -> Compiled:
        condition, yes, no = self.compile(node.condition), self.compile(node.yes), self.compile(node.no)

        def choose(scope: Scope) -> Any:
            return yes(scope) if condition(scope) is True else no(scope)

        return choose

    def _list(self, node: n.List) -> Compiled:
        known = constant(node)
        if known is not None:
            value = known[0]
            return lambda scope: value
        items = tuple(self.compile(item) for item in node.items)
        return lambda scope: [item(scope) for item in items]

    def _context(self, node: n.Context) -> Compiled:
        frame = Frame()
        self.frames.append(frame)
        entries: list[tuple[str, Compiled]] = []
        for key, value in node.entries:
            if isinstance(value, n.Function):
                frame.names.add(key)  # it may call itself
            entries.append((key, self.compile(value)))
            frame.names.add(key)
        self.frames.pop()
        doubled = len({key for key, _ in entries}) < len(entries)

        def build(scope: Scope) -> Any:
            if doubled:
                scope.run.warn("同一个项出现两次 (an entry occurs twice)")
                return None
            values: dict[str, Any] = {}
            inner = Scope(values, scope, scope.run)
            for key, value in entries:
                values[key] = value(inner)
            return values

        return build

    def _interval(self, node: n.Interval) -> Compiled:
        known = constant(node)
        if known is not None:
            value = known[0]
            return lambda scope: value
        low, high = self.compile(node.low), self.compile(node.high)
        low_closed, high_closed = node.low_closed, node.high_closed

        def build(scope: Scope) -> Any:
            least, most = low(scope), high(scope)
            if least is not None and most is not None and type(least) is not type(most):
                scope.run.warn(f"区间两端的类型不同 ({kind_of(least)}, {kind_of(most)}) (ends of different types)")
                return None
            return Range(least, most, low_closed, high_closed, undefined=least is None or most is None)

        return build

    def _bound(self, node: n.Bound) -> Compiled:
        operand, operator = self.compile(node.operand), node.operator

        def build(scope: Scope) -> Any:
            value = operand(scope)
            if operator == "=":
                return Range(value, value, True, True)
            if operator == "!=":
                return Range(value, None, False, False, unequal=True)
            if operator[0] == "<":
                return Range(None, value, False, operator == "<=")
            return Range(value, None, operator == ">=", False)

        return build

    def _instance_of(self, node: n.InstanceOf) -> Compiled:
        value, kind = self.compile(node.value), node.type
        is_null = kind == SIMPLE["Null"]
        if isinstance(kind, Unknown):
            name = kind.name

            def unknown(scope: Scope) -> None:
                scope.run.warn(f"没有类型 {name} (no such type)", "instance of")

            return unknown

        def check(scope: Scope) -> Any:
            subject = value(scope)
            return is_null if subject is None else kind.accepts(subject)

        return check

    # --- filters, loops, functions ----------------------------------------------------------------------------------

    def _filter(self, node: n.Filter) -> Compiled:
        base = self.compile(node.base)
        known = constant(node.condition)
        if known is not None and type(known[0]) is Decimal:
            position = known[0]
            return lambda scope: item_at(base(scope), position, scope.run)
        condition = self.inside(Frame(is_filter=True), node.condition)

        def chosen(scope: Scope) -> Any:
            value = base(scope)
            run = scope.run
            items = value if type(value) is list else [] if value is None else [value]
            run.charge(len(items))
            result: list[Any] = []
            for index, item in enumerate(items or [None]):
                inner = Scope(item if type(item) is dict else EMPTY, scope, run, item)
                verdict = condition(inner)
                if verdict is True and items:
                    result.append(item)
                elif index == 0 and type(verdict) is Decimal:
                    return item_at(value, verdict, run)
                elif index == 0 and verdict is not None and type(verdict) is not bool:
                    run.warn("过滤条件应为布尔值或序号 (a filter needs a boolean or a number)", "[…]")
                    return None
            return result

        return chosen

    def _for(self, node: n.For) -> Compiled:
        uses_partial = mentions(node.body, "partial")
        levels, depth = self._iterators(node.iterators, ("partial",))
        body = self.compile(node.body)
        del self.frames[-depth:]

        def loop(scope: Scope) -> Any:
            run = scope.run
            result: list[Any] = []
            outer: dict[str, Any] = {"partial": []}
            try:
                for inner in iterate(levels, Scope(outer, scope, run)):
                    if uses_partial:
                        run.charge(len(result))
                        outer["partial"] = list(result)
                    result.append(body(inner))
                    run.check_items(len(result))
            except NotIterable as error:
                run.warn(str(error), "for")
                return None
            return result

        return loop

    def _iterators(self, iterators: tuple[n.Iterator, ...], names: tuple[str, ...]) -> tuple[Any, int]:
        """Compile iterators, one scope each after a first one with `names`; the caller removes the scopes."""
        self.frames.append(Frame(names))
        levels = []
        for iterator in iterators:
            end = None if iterator.end is None else self.compile(iterator.end)
            levels.append((iterator.name, self.compile(iterator.source), end))
            self.frames.append(Frame((iterator.name,)))
        return tuple(levels), len(iterators) + 1

    def _quantified(self, node: n.Quantified) -> Compiled:
        levels, depth = self._iterators(node.iterators, ())
        condition = self.compile(node.condition)
        del self.frames[-depth:]
        decisive = not node.every

        def quantified(scope: Scope) -> Any:
            run = scope.run
            result: bool | None = not decisive
            try:
                for inner in iterate(levels, Scope(EMPTY, scope, run)):
                    verdict = condition(inner)
                    if verdict is decisive:
                        return decisive
                    if verdict is not (not decisive):
                        result = None
            except NotIterable as error:
                run.warn(str(error), "every" if not decisive else "some")
                return None
            return result

        return quantified

    def _function(self, node: n.Function) -> Compiled:
        parameters = node.parameters
        if node.external:
            description = self.compile(node.body)
            return lambda scope: external_function(parameters, description(scope), scope.run)
        body = self.inside(Frame(name for name, _ in parameters), node.body)
        shown = shown_type(node.body)

        def define(scope: Scope) -> Any:
            return Closure("", parameters, lambda run, bound: body(Scope(bound, scope, run)), shown=shown)

        return define

    def _call(self, node: n.Call) -> Compiled:
        callee = self.compile(node.callee)
        if isinstance(node.callee, n.Name) and node.callee.name in self.free:
            self.called.add(node.callee.name)
        arguments = tuple(self.compile(argument) for argument in node.arguments)
        names = node.names
        label = node.callee.name if isinstance(node.callee, n.Name) else ""
        fallback = BUILT_IN.get(label)

        def function_of(scope: Scope) -> Any:
            function = callee(scope)
            if isinstance(function, Callable_):
                return function
            if fallback is None:
                scope.run.warn(f"没有函数 {label} (no such function)" if label else "这不是函数 (not a function)", label)
            return fallback

        if names is not None:
            keys = names

            def call_named(scope: Scope) -> Any:
                function = function_of(scope)
                if function is None:
                    return None
                scope.run.charge()
                values = {key: argument(scope) for key, argument in zip(keys, arguments, strict=True)}
                return function.invoke_named(scope.run, values)

            return call_named

        def call(scope: Scope) -> Any:
            function = function_of(scope)
            if function is None:
                return None
            scope.run.charge()
            return function.invoke(scope.run, [argument(scope) for argument in arguments])

        if fallback is not None and label in CONSTRUCTORS and not any(label in frame.names for frame in self.frames):
            self._doubt(fallback, node)
        return call

    def _doubt(self, constructor: Callable_, node: n.Call) -> None:
        """Note a call such as `date("2026-02-30")`, which is always null."""
        values = [argument.value for argument in node.arguments if isinstance(argument, n.Literal)]
        if not values or len(values) < len(node.arguments) or None in values:
            return
        run = Run()
        if constructor.invoke(run, values) is None:
            self.doubts.extend(f"{warning.message}，值总是 null (always null)" for warning in run.warnings[:1])

    _handlers: ClassVar[dict[type[n.Node], Callable[[Compiler, Any], Compiled]]] = {
        n.Literal: _literal,
        n.Unreadable: _unreadable,
        n.Name: _name,
        n.Path: _path,
        n.Filter: _filter,
        n.Call: _call,
        n.Negate: _negate,
        n.Arithmetic: _arithmetic,
        n.Comparison: _comparison,
        n.Between: _between,
        n.In: _in,
        n.Logic: _logic,
        n.If: _if,
        n.For: _for,
        n.Quantified: _quantified,
        n.Function: _function,
        n.Context: _context,
        n.List: _list,
        n.Interval: _interval,
        n.Bound: _bound,
        n.InstanceOf: _instance_of,
    }
