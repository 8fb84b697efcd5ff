"""Compiled expressions and unary tests, cached by text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any

import engine.feel.builtins  # noqa: F401  (registers the built-in functions)
from engine.errors import EvaluationFailed, FeelSyntaxError
from engine.feel.closures import Compiled
from engine.feel.compiler import Compiler, Frame
from engine.feel.conditions import UNSURE, Condition, short_condition
from engine.feel.environment import Environment, FeelWarning, Run
from engine.feel.functions import BUILT_IN, BUILT_IN_NAMES
from engine.feel.names import needs_scope
from engine.feel.parser import Parser
from engine.feel.scope import OuterScope, Scope
from engine.feel.values import from_python

NOTHING: Mapping[str, Any] = {}
CACHE_SIZE = 8192
_WITHOUT_NAMES = frozenset({str, int, Decimal, bool, float, type(None)})
_NO_NAMES: frozenset[str] = frozenset()


class Expression:
    """A compiled expression.

    Attributes:
        text: as it was written.
        names: the variables and functions that it needs from the context (built-in functions are not among them).
        functions: those of the names that it calls.
        doubts: what is written down as a date, time or duration but is none, so that it is always null: messages.
    """

    __slots__ = ("_compiled", "_short", "doubts", "functions", "names", "text")

    def __init__(self, text: str, compiled: Compiled, short: Condition | None, compiler: Compiler) -> None:
        self.text = text
        self.names = frozenset(compiler.free)
        self.functions = frozenset(compiler.called)
        self.doubts = tuple(compiler.doubts)
        self._compiled = compiled
        self._short = short

    def evaluate(self, context: Mapping[str, Any] = NOTHING, env: Environment | None = None) -> Any:
        """Return the value; null (None) where FEEL has no result.

        Args:
            context: variables by name, looked up when the expression needs them.
            env: the surroundings; without it there is no present moment, no calendar, no directory.
        Raises:
            EvaluationFailed: a limit was exceeded, or an `assert` does not hold.
        """
        if self._short is not None:
            answer = self._short(context)
            if answer is not UNSURE:
                return answer
        try:
            return self._compiled(OuterScope(context, Run(env)))
        except (RecursionError, DecimalException) as error:
            raise _failed(self.text, error) from None

    def evaluate_with_warnings(
        self, context: Mapping[str, Any] = NOTHING, env: Environment | None = None
    ) -> tuple[Any, tuple[FeelWarning, ...]]:
        """Return the value, and why parts of it became null."""
        if self._short is not None:
            answer = self._short(context)
            if answer is not UNSURE:
                return answer, ()
        run = Run(env)
        try:
            return self._compiled(OuterScope(context, run)), run.warnings
        except (RecursionError, DecimalException) as error:
            raise _failed(self.text, error) from None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests:
    """Compiled unary tests: a cell of a decision table.

    Attributes:
        text: as they were written.
        names: the variables and functions that they need from the context.
        functions: those of the names that they call.
    """

    __slots__ = ("_compiled", "functions", "names", "text")

    def __init__(self, text: str, compiled: Compiled, names: frozenset[str], functions: frozenset[str]) -> None:
        self.text = text
        self.names = names
        self.functions = functions
        self._compiled = compiled

    def test(self, value: Any, context: Mapping[str, Any] = NOTHING, env: Environment | None = None) -> bool | None:
        """Tell whether a value passes; None where FEEL cannot tell.

        Raises:
            EvaluationFailed: a limit was exceeded.
        """
        run = Run(env)
        try:
            result = self._compiled(Scope({"?": from_python(value)}, OuterScope(context, run), run))
        except (RecursionError, DecimalException) as error:
            raise _failed(self.text, error) from None
        return result if isinstance(result, bool) else None

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


def _mapping(context: Any) -> Mapping[str, Any]:
    """Return a context that is one.

    Raises:
        TypeError: it is none.
    """
    if type(context) is not dict and not isinstance(context, Mapping):
        raise TypeError(f"变量应为 Mapping，却是 {type(context).__name__} (the context has to be a mapping)")
    return context


def _text(text: Any) -> str:
    """Return a text that is one.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(text, str):
        raise TypeError(f"表达式应为 str，却是 {type(text).__name__} (the expression has to be a str)")
    return text


def _failed(text: str, error: Exception) -> EvaluationFailed:
    reason = "嵌套太深 (nested too deeply)" if isinstance(error, RecursionError) else "数字无效 (an invalid number)"
    return EvaluationFailed(f"表达式 “{text[:80]}” {reason}")


def compile_expression(text: str, names: Collection[str] = ()) -> Expression:
    """Compile an expression; compiled ones are cached by text.

    Args:
        text: FEEL; a leading `=` (as Camunda Modeler writes it) is tolerated.
        names: variables in scope; only those with spaces or symbols matter.
    Raises:
        FeelSyntaxError: it cannot be read; line and column say where.
    """
    return _expression(text, frozenset(filter(needs_scope, names)))


def compile_unary_tests(text: str, names: Collection[str] = ()) -> UnaryTests:
    """Compile unary tests, such as `"a", "b"`, `not(< 5)`, `[1..5]` or `-`.

    Raises:
        FeelSyntaxError: they cannot be read; line and column say where.
    """
    return _unary_tests(text, frozenset(filter(needs_scope, names)))


@lru_cache(maxsize=CACHE_SIZE)
def _expression(text: str, names: frozenset[str]) -> Expression:
    stripped = _text(text).lstrip()
    source = " " * (len(text) - len(stripped) + 1) + stripped[1:] if stripped.startswith("=") else text
    compiler = Compiler()
    try:
        node = Parser(source, names, BUILT_IN_NAMES).expression_only()
        compiled = compiler.compile(node)
    except RecursionError:
        raise FeelSyntaxError("表达式嵌套太深 (nested too deeply)", text=text[:200]) from None
    return Expression(text, compiled, short_condition(node), compiler)


@lru_cache(maxsize=CACHE_SIZE)
def _unary_tests(text: str, names: frozenset[str]) -> UnaryTests:
    compiler = Compiler([Frame(("?",))])
    try:
        compiled = compiler.tests(Parser(_text(text), names, BUILT_IN_NAMES).unary_tests_only())
    except RecursionError:
        raise FeelSyntaxError("单元格嵌套太深 (nested too deeply)", text=text[:200]) from None
    return UnaryTests(text, compiled, frozenset(compiler.free), frozenset(compiler.called))


def evaluate(text: str, context: Mapping[str, Any] = NOTHING, env: Environment | None = None) -> Any:
    """Return the value of an expression; null (None) where FEEL has no result.

    Raises:
        FeelSyntaxError: it cannot be read.
        EvaluationFailed: a limit was exceeded, or an `assert` does not hold.
    """
    return _expression(text, special_names(_mapping(context))).evaluate(context, env)


def unary_test(text: str, value: Any, context: Mapping[str, Any] = NOTHING, env: Environment | None = None) -> bool | None:
    """Tell whether a value passes unary tests; None where FEEL cannot tell.

    Raises:
        FeelSyntaxError: they cannot be read.
        EvaluationFailed: a limit was exceeded.
    """
    return _unary_tests(text, special_names(_mapping(context))).test(value, context, env)


def special_names(context: Mapping[str, Any], depth: int = 4) -> frozenset[str]:
    """Return the names with spaces or symbols of a context and of the contexts inside it (of a list: its first item's)."""
    names: list[str] = []
    for name, value in context.items():
        if type(name) is str and not name.isidentifier():
            names.append(name)
        if type(value) in _WITHOUT_NAMES or not depth:
            continue
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, Mapping):
            names += special_names(inner, depth - 1)
    return frozenset(names) if names else _NO_NAMES


def function_names() -> frozenset[str]:
    """Return the names of all built-in functions."""
    return frozenset(BUILT_IN)
