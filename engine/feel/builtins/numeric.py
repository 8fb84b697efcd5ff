"""Numbers. Source: DMN 1.5, 10.3.4.5; `random number` is Camunda's, `round half up` also ours for money."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from engine.feel.environment import FeelError, Run
from engine.feel.functions import built_in
from engine.feel.numbers import CONTEXT, DIGITS, WIDE, ZERO, is_integer

MIN_SCALE, MAX_SCALE = -6111, 6176


def rounded(number: Decimal, scale: Decimal, mode: str) -> Decimal:
    """Round to so many digits after the point.

    Raises:
        FeelError: the scale is out of range.
    """
    places = int(scale)
    if not MIN_SCALE <= places <= MAX_SCALE:
        raise FeelError(f"小数位数应在 {MIN_SCALE} 与 {MAX_SCALE} 之间 (the scale is out of range)")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return number
    unit = Decimal((0, (1,), -places))
    if number.adjusted() < -places - 1:  # smaller than half a unit: quantize cannot hold the digits
        number = Decimal((number.as_tuple().sign, (1,), -places - 2)) if number else number
    return CONTEXT.plus(number.quantize(unit, rounding=mode, context=WIDE))


def _rounding(name: str, mode: str) -> None:
    def function(run: Run, n: Decimal, scale: Decimal) -> Decimal:
        return rounded(n, scale, mode)

    built_in(name, "n: number; scale: number")(function)


_rounding("decimal", ROUND_HALF_EVEN)
_rounding("round up", ROUND_UP)
_rounding("round down", ROUND_DOWN)
_rounding("round half up", ROUND_HALF_UP)
_rounding("round half down", ROUND_HALF_DOWN)


def _whole(name: str, mode: str) -> None:
    def function(run: Run, n: Decimal, scale: Decimal = ZERO) -> Decimal:
        return rounded(n, scale, mode)

    built_in(name, "n: number; *scale: number")(function)


_whole("floor", ROUND_FLOOR)
_whole("ceiling", ROUND_CEILING)


@built_in("abs", "n: number")  # no other name: abs(number: 1) is null in the TCK
@built_in("abs", "n: duration")
def absolute(run: Run, n: Any) -> Any:
    """Return a number or duration without its sign."""
    if isinstance(n, Decimal):
        return n.copy_abs()
    return type(n)(abs(n.nanos if hasattr(n, "nanos") else n.months))


@built_in("modulo", "dividend: number; divisor: number")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the remainder of a division rounded down; it has the divisor's sign."""
    if divisor == ZERO:
        raise FeelError("除数为零 (division by zero)")
    wide = WIDE.copy()
    wide.prec = max(80, abs(dividend.adjusted()) + abs(divisor.adjusted()) + 80)
    if wide.prec > 13_000:
        raise FeelError("数字超出范围 (the number is out of range)")
    run.charge(wide.prec // 80)
    remainder = wide.remainder(dividend, divisor)
    if remainder and (remainder < 0) != (divisor < 0):
        remainder = wide.add(remainder, divisor)
    return CONTEXT.plus(remainder)


@built_in("sqrt", "number: number")
def square_root(run: Run, number: Decimal) -> Decimal:
    """Return the square root."""
    if number < 0:
        raise FeelError("负数没有平方根 (no square root of a negative number)")
    return CONTEXT.sqrt(number)


@built_in("log", "number: number")
def logarithm(run: Run, number: Decimal) -> Decimal:
    """Return the natural logarithm."""
    if number <= 0:
        raise FeelError("只有正数有对数 (no logarithm of a number that is not positive)")
    return CONTEXT.ln(number)


@built_in("exp", "number: number")
def exponential(run: Run, number: Decimal) -> Decimal:
    """Return Euler's number raised to a power."""
    return CONTEXT.exp(number)


def _parity(remainder: int) -> Callable[[Run, Decimal], bool]:
    def function(run: Run, number: Decimal) -> bool:
        return is_integer(number) and int(number) % 2 == remainder

    return function


built_in("odd", "number: number")(_parity(1))
built_in("even", "number: number")(_parity(0))


@built_in("random number")
def random_number(run: Run) -> Decimal:
    """Return a number from 0 up to 1, drawn from the environment's source."""
    return CONTEXT.divide(Decimal(run.environment.random_bits(53)), Decimal(1 << 53))


@built_in("largest remainder", "total: number; weights: list")
def largest_remainder(run: Run, total: Decimal, weights: list[Any]) -> list[Decimal]:
    """Divide an amount in proportion to weights, in hundredths, so that the shares add up to it exactly.

    Each share is rounded down; what is left goes, a hundredth each, to the largest remainders, ties in list order.
    """
    if not weights or not all(isinstance(weight, Decimal) and weight >= 0 for weight in weights):
        raise FeelError("权重应为非负数的列表 (weights are numbers, not negative)")
    run.charge(len(weights))
    parts = _integral(weights)
    whole = sum(parts)
    cents = total.scaleb(2, WIDE)
    if not whole or not is_integer(cents) or cents.adjusted() >= DIGITS:
        raise FeelError("权重之和为零，或总额不足一分的部分不能分 (weights add up to zero, or the total is not in hundredths)")
    divided = [divmod(int(cents.copy_abs()) * part, whole) for part in parts]
    shares = [share for share, _ in divided]
    left = int(cents.copy_abs()) - sum(shares)
    for index in sorted(range(len(parts)), key=lambda index: -divided[index][1])[:left]:
        shares[index] += 1
    sign = -1 if cents < 0 else 1
    return [Decimal(sign * share).scaleb(-2, CONTEXT) for share in shares]


def _integral(weights: list[Decimal]) -> list[int]:
    """Return whole numbers in the same proportion."""
    places = [int(weight.as_tuple().exponent) for weight in weights if weight]
    shift = -min(places, default=0)
    if shift + max(places, default=0) > 100:
        raise FeelError("权重相差太大 (the weights are too far apart)")
    return [int(weight.scaleb(shift, WIDE)) if weight else 0 for weight in weights]
