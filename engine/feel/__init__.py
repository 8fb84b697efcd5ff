"""FEEL, the expression language of DMN 1.5: parse → compile to closures → evaluate, on decimals, without eval.

    >>> from engine import feel
    >>> feel.evaluate("amount * 0.06", {"amount": 100})
    Decimal('6.00')
    >>> feel.unary_test("[1..5]", 3)
    True

What has no result is null (None) and leaves a warning; what exceeds the environment's limits raises `EvaluationFailed`;
what cannot be read raises `FeelSyntaxError` with line and column.
"""

from __future__ import annotations

from engine.feel.api import (
    Expression,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
    evaluate,
    function_names,
    special_names,
    unary_test,
)
from engine.feel.environment import Calendar, Directory, Environment, FeelWarning, Limits
from engine.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.text import to_text
from engine.feel.values import Range, from_python, to_json

__all__ = [
    "Calendar",
    "Date",
    "DateTime",
    "DaysDuration",
    "Directory",
    "Environment",
    "Expression",
    "FeelWarning",
    "Limits",
    "MonthsDuration",
    "Range",
    "Time",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "evaluate",
    "from_python",
    "function_names",
    "special_names",
    "to_json",
    "to_text",
    "unary_test",
]
