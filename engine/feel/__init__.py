"""FEEL, the expression language of DMN 1.5: parse → compile to closures → evaluate, on decimals, without eval.

    >>> from engine import feel
    >>> feel.evaluate("amount * 0.06", {"amount": 100})
    Decimal('6.00')
    >>> feel.unary_test("[1..5]", 3)
    True

What has no result is null (None) and leaves a warning; what exceeds the environment's limits raises `EvaluationFailed`;
what cannot be read raises `FeelSyntaxError` with line and column.

Values go in from Python and come out as FEEL has them (`to_json` makes variables of them):

    Python                              FEEL                       comes out as
    None, bool, str                     null, boolean, string      None, bool, str
    int, float, Decimal                 number (34 digits)         Decimal
    date; time; datetime                date; time; date and time  Date, Time, DateTime (`to_python` of a Date)
    timedelta                           days and time duration     DaysDuration
    (none; the text "P1Y2M")            years and months duration  MonthsDuration
    list, tuple, other sequence, set    list                       list
    dict, other mapping                 context                    dict with texts as keys
    anything else                       null, with a warning       None

A float is the number that Python shows (0.1 is 0.1); infinities and not-a-numbers are null. A datetime or time without
`tzinfo` has neither offset nor zone in FEEL, and no order with one that has; `ZoneInfo` keeps its name, another `tzinfo` its
offset. A date in a variable of a decision's type may also be ISO text. The mapping of variables is asked only for the names
that an expression needs.
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
