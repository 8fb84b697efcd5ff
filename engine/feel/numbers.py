"""FEEL numbers: decimals of 34 digits, rounded half even (DMN 1.5, 10.3.2.3.1)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

DIGITS = 34
CONTEXT = Context(
    prec=DIGITS, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow]
)
WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[InvalidOperation])

ZERO = Decimal(0)


def from_python(number: int | float | Decimal) -> Decimal | None:
    """Return a Python number as a FEEL number; None for infinities, not-a-numbers, and what exceeds decimal128."""
    try:
        value = CONTEXT.create_decimal(repr(number) if isinstance(number, float) else number)
    except (InvalidOperation, Overflow, ValueError):
        return None
    return value if value.is_finite() else None


def negated(value: Decimal) -> Decimal:
    """Return a number with the other sign, all its digits kept (Python's `-` rounds); zero has no sign."""
    return value.copy_negate() if value else value


def is_integer(value: Decimal) -> bool:
    """Tell whether the number has no fraction."""
    return value.as_tuple().exponent >= 0 or value == value.to_integral_value()  # type: ignore[operator]  # always finite


def to_text(value: Decimal) -> str:
    """Write a number without exponent and without trailing zeros of the fraction: `1.50` is "1.5", `1E3` is "1000"."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
