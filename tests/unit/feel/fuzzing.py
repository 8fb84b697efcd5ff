"""FEEL texts and contexts out of bytes, and what must hold for every one of them.

Bytes decide every choice, so that hypothesis can shrink a failure and a coverage-guided fuzzer can steer. Where the bytes end,
every choice is the first one, which is always a leaf: generation ends.
"""

from __future__ import annotations

import datetime as python
import time
from decimal import Decimal
from typing import Any

from engine import feel
from engine.errors import EvaluationFailed, FeelSyntaxError
from engine.feel.functions import BUILT_IN
from engine.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.temporal_text import parse_any, parse_date_time
from engine.feel.values import Callable_, Range

LIMITS = feel.Limits(steps=20_000, seconds=0.5, list_items=2_000, string_length=20_000)
SURROUNDINGS = feel.Environment(
    now=python.datetime(2026, 11, 20, 1, 2, 3, tzinfo=python.UTC), limits=LIMITS, random_bits=lambda bits: (1 << bits) // 3
)
MAX_SECONDS = 5.0  # of the processor, for one text: ten times the limit, however slow the machine
NAMES = (
    "a",
    "b",
    "item",
    "partial",
    "?",
    "first name",
    "金额（元）",
    "x-y",
    "list",
    "date",
    "if",
    "null",
    "f",
    "名",
    "A.B",
    "a'b",
)
FUNCTIONS = tuple(sorted(BUILT_IN))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NUMBERS = _words("0 1 2 -1 0.1 10 1e3 1e6144 1e-6176 9999999999999999999999999999999999 0.5 100000 .5 123456789012 -0 1E-7")
STRINGS = _words(
    r""""" "a" "名" "\n\"\\" "\uD83D\uDC0E" "2026-11-20" "P1D" "1" "(a|b)*" "(a)\1" "\p{L}[a-z-[b]]" "[1..2]" "{\"a\":[1]}"
    "T10:00:00Z" "Asia/Shanghai" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" "\ud800" "[\"\\ud800\",1e9999]" "RkVFTA==" """
)
TEMPORALS = _words(
    """2026-11-20 10:00:00 10:00:00+08:00 24:00:00 2026-11-20T10:00:00@Asia/Shanghai 2026-11-20T24:00:00 P1D -PT1S P1Y2M
    999999999-12-31 -999999999-01-01T00:00:00Z 2024-02-29 2026-02-30 0000-01-01T00:00:00@Europe/Paris P999999999999999999D
    -P999999999999999999Y PT0.000000001S 1970-01-01T00:00:00-18:00 10:00:00@Etc/UTC"""
)
PROPERTIES = ("a", "b", "year", "days", "start", "end included", "time offset", "timezone", "first name", "weekday", "__class__")
TYPES = (
    "number", "string", "boolean", "Any", "Null", "date", "time", "date and time", "days and time duration", "list<number>",
    "context<a: list<string>>", "range<date>", "function<number, Any> -> string", "no such type", "list<list<list<Any>>>",
)  # fmt: skip
TOKENS = (
    *_words("( ) [ ] { } , : . .. ... + - * / ** = != < <= > >= -> @ ' // /* */ and or not( if then else for in return some"),
    *_words("every satisfies between instance of function( external null true item partial ? ` $ # % ^ & ~ | ; 9"),
    *_words("__class__ {0.__class__}"),
    *("e9", "1e", '"', "\\", " ", "\n", "\x00", "\u3000", "\u00a0", "\ufeff", "“", "（", "😀", "\ud800", "\u0301", "\u202e"),
)


class Choices:
    """Choices read from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def below(self, count: int) -> int:
        """Return a number from 0 up to (not including) `count`; 0 where no bytes are left."""
        if self.position >= len(self.data):
            return 0
        value = self.data[self.position]
        self.position += 1
        if count > 256 and self.position < len(self.data):
            value = value << 8 | self.data[self.position]
            self.position += 1
        return value % count

    def of(self, options: tuple[Any, ...]) -> Any:
        """Return one of several things."""
        return options[self.below(len(options))]


def expression(choices: Choices, depth: int = 6) -> str:
    """Return an expression by FEEL's grammar."""
    return str(_KINDS[choices.below(len(_KINDS) if depth else _LEAVES)](choices, depth - 1))


def _several(choices: Choices, depth: int, most: int = 4) -> list[str]:
    return [expression(choices, depth) for _ in range(choices.below(most))]


def _call(choices: Choices, depth: int) -> str:
    name = choices.of(FUNCTIONS)
    signature = choices.of(tuple(BUILT_IN[name].signatures))
    style = choices.below(4)
    if style == 3:
        return f"{name}({', '.join(_several(choices, depth, 5))})"
    arguments = [_argument(choices, kind.kinds, depth) for kind in signature.parameters]
    if style == 2:
        named = zip(signature.parameters, arguments, strict=True)
        return f"{name}({', '.join(f'{parameter.name}: {argument}' for parameter, argument in named)})"
    return f"{name}({', '.join(arguments)})"


def _argument(choices: Choices, kinds: tuple[type, ...], depth: int) -> str:
    """Return mostly an argument of the kind that a function asks for."""
    if choices.below(4) == 3:
        return expression(choices, depth)
    if Decimal in kinds:
        return str(choices.of(NUMBERS))
    if str in kinds:
        return str(choices.of(STRINGS))
    if list in kinds:
        return f"[{', '.join(_several(choices, depth, 5))}]"
    if dict in kinds:
        return _context(choices, depth)
    if Callable_ in kinds:
        return f"function(x, y) {expression(choices, depth)}"
    if Range in kinds:
        return _interval(choices, depth)
    if Date in kinds or Time in kinds or DateTime in kinds or DaysDuration in kinds:
        return f'@"{choices.of(TEMPORALS)}"'
    return expression(choices, depth)


def _context(choices: Choices, depth: int) -> str:
    entries = []
    for _ in range(choices.below(4)):
        key = choices.of((*NAMES, '"key"', '"a b"', '""'))
        entries.append(f"{key}: {expression(choices, depth)}")
    return "{" + ", ".join(entries) + "}"


def _interval(choices: Choices, depth: int) -> str:
    ends = f"{expression(choices, depth)}..{expression(choices, depth)}"
    return f"{choices.of(('[', '(', ']'))}{ends}{choices.of((']', ')', '['))}"


def _iterators(choices: Choices, depth: int) -> str:
    iterators = []
    for _ in range(1 + choices.below(2)):
        source = expression(choices, depth)
        if choices.below(3) == 2:
            source += f"..{expression(choices, depth)}"
        iterators.append(f"{choices.of(('x', 'i', 'first name', '名'))} in {source}")
    return ", ".join(iterators)


def _conditional(choices: Choices, depth: int) -> str:
    condition, yes, no = (expression(choices, depth) for _ in range(3))
    return f"if {condition} then {yes} else {no}"


def _recursive(choices: Choices, depth: int) -> str:
    return f"{{f: function(n) if n < 1 then {expression(choices, depth)} else f(n - 1), r: f({choices.of(NUMBERS)})}}.r"


_BINARY = ("+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in")
_LEAVES = 5
_KINDS: tuple[Any, ...] = (
    lambda c, d: c.of(("null", "true", "false")),
    lambda c, d: c.of(NUMBERS),
    lambda c, d: c.of(STRINGS),
    lambda c, d: f'@"{c.of(TEMPORALS)}"',
    lambda c, d: c.of(NAMES),
    lambda c, d: f"{expression(c, d)} {c.of(_BINARY)} {expression(c, d)}",
    lambda c, d: f"({expression(c, d)})",
    lambda c, d: f"-{expression(c, d)}",
    _call,
    _call,
    _call,
    lambda c, d: f"[{', '.join(_several(c, d))}]",
    _context,
    _interval,
    lambda c, d: f"({expression(c, d)}).{c.of(PROPERTIES)}",
    lambda c, d: f"({expression(c, d)})[{expression(c, d)}]",
    _conditional,
    lambda c, d: f"for {_iterators(c, d)} return {expression(c, d)}",
    lambda c, d: f"{c.of(('some', 'every'))} {_iterators(c, d)} satisfies {expression(c, d)}",
    lambda c, d: f"{expression(c, d)} between {expression(c, d)} and {expression(c, d)}",
    lambda c, d: f"{expression(c, d)} in ({c.of(('<', '>=', '=', ''))} {expression(c, d)})",
    lambda c, d: f"{expression(c, d)} instance of {c.of(TYPES)}",
    lambda c, d: f"(function(x: {c.of(TYPES)}, y) {expression(c, d)})({', '.join(_several(c, d))})",
    lambda c, d: f"{expression(c, d)}({', '.join(_several(c, d))})",
    _recursive,
    lambda c, d: f"function({c.of(('', 'a', 'x y'))}) external {expression(c, d)}",
)


def unary_tests(choices: Choices) -> str:
    """Return unary tests by FEEL's grammar."""
    kind = choices.below(8)
    if kind == 0:
        return "-"
    tests = ", ".join(
        f"{choices.of(('', '< ', '>= ', '!= ', 'not(1), '))}{expression(choices, 3)}" for _ in range(1 + choices.below(3))
    )
    return f"not({tests})" if kind == 1 else tests


def mutated(choices: Choices, text: str) -> str:
    """Return a text with parts cut out, doubled, moved or replaced."""
    for _ in range(1 + choices.below(4)):
        start = choices.below(len(text) + 1)
        end = min(len(text), start + choices.below(12))
        part = text[start:end]
        piece = choices.of(
            ("", part * 2, part * 40, choices.of(TOKENS), chr(choices.below(0x3000)), part[::-1], expression(choices, 1))
        )
        text = text[:start] + piece + text[end:]
    return text


def value(choices: Choices, depth: int = 3) -> Any:
    """Return a Python value, of kinds that callers hand over and of kinds that they should not."""
    kind = choices.below(16 if depth else 12)
    if kind >= 14:
        return {choices.of(NAMES): value(choices, depth - 1) for _ in range(choices.below(4))}
    if kind >= 12:
        return [value(choices, depth - 1) for _ in range(choices.below(4))]
    if kind == 11:
        return choices.of(_ODD)
    if kind == 10:
        return parse_any(choices.of(TEMPORALS))
    if kind >= 8:
        return feel.evaluate(choices.of(NUMBERS))
    return choices.of((None, True, False, 0, 1, -5, 2.5, 10**40, "", "a", "2026-11-20", "😀名", "x" * 300))


_ODD: tuple[Any, ...] = (
    *map(Decimal, ("NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "-0", "1" * 60)),
    *(float("nan"), float("-inf"), 1e308, 5e-324, 1j),
    *(python.date(2026, 1, 1), python.datetime(2026, 1, 1, tzinfo=python.UTC), python.time(1, 2, 3), python.timedelta.max),
    *(b"bytes", object(), len, ..., {1: 2}, {None: 1}, (1, 2), {3}, type, python, range(3)),
)


def context(choices: Choices) -> dict[str, Any]:
    """Return variables."""
    return {name: value(choices) for name in NAMES if choices.below(2)}


# --- what must hold -------------------------------------------------------------------------------------------------------


def check_expression(text: str, variables: dict[str, Any]) -> None:
    """Compile and evaluate a text; nothing but FEEL's own errors comes out, and only FEEL's own values."""
    began = time.process_time()
    try:
        compiled = feel.compile_expression(text, feel.special_names(variables))
    except FeelSyntaxError:
        return
    finally:
        assert time.process_time() - began < MAX_SECONDS, text
    try:
        result, _ = compiled.evaluate_with_warnings(variables, SURROUNDINGS)
    except EvaluationFailed:
        return
    finally:
        assert time.process_time() - began < MAX_SECONDS, text
    check_value(result)


def check_unary_tests(text: str, subject: Any, variables: dict[str, Any]) -> None:
    """The same for unary tests: they say yes, no or cannot tell."""
    try:
        compiled = feel.compile_unary_tests(text, feel.special_names(variables))
        assert compiled.test(subject, variables, SURROUNDINGS) in (True, False, None)
    except (FeelSyntaxError, EvaluationFailed):
        return


def check_value(result: Any) -> None:
    """A result is made of FEEL's values only, is written and stored, and what was stored is read back as it was."""
    _check_kinds(result, [20_000])
    try:
        stored = feel.to_json(result)
        feel.to_text(result)
        written = feel.evaluate("to json(v)", {"v": stored})
    except EvaluationFailed:
        return
    assert feel.to_json(feel.from_python(stored)) == stored
    assert feel.to_json(feel.evaluate("from json(v)", {"v": written})) == stored


def _check_kinds(result: Any, left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0 or result is None or type(result) is bool or isinstance(result, Callable_):
        return
    if type(result) is Decimal:
        assert result.is_finite()
        assert len(result.as_tuple().digits) <= 34
        assert -6176 <= result.adjusted() <= 6144 or not result
    elif type(result) is str:
        result.encode()
    elif type(result) is list:
        for item in result:
            _check_kinds(item, left)
    elif type(result) is dict:
        for key, entry in result.items():
            assert type(key) is str
            _check_kinds(entry, left)
    elif type(result) is Range:
        _check_kinds(result.low, left)
        _check_kinds(result.high, left)
    elif type(result) is DateTime:
        assert parse_date_time(str(result)) == result
    else:
        assert type(result) in (Date, Time, DaysDuration, MonthsDuration), type(result)
        if not isinstance(result, (DaysDuration, MonthsDuration)) or len(str(result)) < 16:
            assert parse_any(str(result)) == result


def check_bytes(data: bytes) -> None:
    """Make texts and a context out of bytes and check them all."""
    choices = Choices(data)
    variables = context(choices)
    kind = choices.below(5)
    if kind < 2:
        check_expression(expression(choices), variables)
    elif kind == 2:
        check_expression(mutated(choices, expression(choices)), variables)
    elif kind == 3:
        check_unary_tests(unary_tests(choices), value(choices), variables)
    else:
        check_unary_tests(mutated(choices, unary_tests(choices)), value(choices), variables)
