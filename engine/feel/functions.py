"""Functions: the built-in ones with their signatures, and those written in FEEL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel.environment import FREE_LENGTH, FeelError, Run
from engine.feel.names import NameTable
from engine.feel.operations import kind_of
from engine.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.types import FeelType, coerce
from engine.feel.values import Callable_, Range

_python: dict[str, tuple[type, ...]] = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "day": (Date, DateTime),
    "days duration": (DaysDuration,),
    "duration": (DaysDuration, MonthsDuration),
    "temporal": (Date, Time, DateTime, DaysDuration, MonthsDuration),
    "range": (Range,),
    "function": (Callable_,),
    "any": (object,),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a built-in function.

    Attributes:
        name: as named arguments call it.
        kinds: Python types that it takes.
        nullable: whether it takes null.
        optional: whether it may be left out.
        listed: whether it is a list (a single value becomes a list of one).
    """

    name: str
    kinds: tuple[type, ...]
    nullable: bool
    optional: bool
    listed: bool


MISFIT = object()
_SIZED = frozenset({str, list, dict})


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a built-in function. The last parameter of a variadic one takes all further arguments."""

    parameters: tuple[Parameter, ...]
    required: int
    variadic: bool
    function: Callable[..., Any]

    @property
    def names(self) -> list[str]:
        """The names of the parameters, in order."""
        return [parameter.name for parameter in self.parameters]

    def fit(self, arguments: list[Any]) -> list[Any] | None:
        """Return the arguments as the function takes them, or None if they do not fit."""
        count = len(arguments)
        if count < self.required or (count > len(self.parameters) and not self.variadic):
            return None
        fitted: list[Any] = []
        last = self.parameters[-1] if self.parameters else None
        for index, argument in enumerate(arguments):
            parameter = self.parameters[index] if index < len(self.parameters) else last
            value = _fit(argument, parameter) if parameter is not None else MISFIT
            if value is MISFIT:
                return None
            fitted.append(value)
        return fitted


def _fit(value: Any, parameter: Parameter) -> Any:
    kinds = parameter.kinds
    if value is None:
        return None if parameter.nullable else MISFIT
    if isinstance(value, kinds):
        return value
    if parameter.listed:
        return [value]
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], kinds):
        return value[0]
    if isinstance(value, Date) and kinds == (DateTime,):
        return DateTime(value, Time(0, 0, 0, 0, 0))
    return MISFIT


class BuiltIn(Callable_):
    """A built-in function with its signatures."""

    __slots__ = ("name", "signatures")

    def __init__(self, name: str) -> None:
        self.name = name
        self.signatures: list[Signature] = []

    def invoke(self, run: Run, arguments: list[Any]) -> Any:
        for signature in self.signatures:
            fitted = signature.fit(arguments)
            if fitted is not None:
                return self._call(run, signature, fitted)
        kinds = ", ".join(kind_of(argument) for argument in arguments)
        run.warn(f"函数 {self.name} 不接受参数 ({kinds}) (no such signature)", self.name)
        return None

    def invoke_named(self, run: Run, arguments: dict[str, Any]) -> Any:
        given = list(arguments)
        # before(range, point) and before(point, range) take the same names: the order in which they are written decides
        for signature in sorted(self.signatures, key=lambda signature: signature.names[: len(given)] != given):
            names = signature.names
            if not set(arguments) <= set(names) or any(name not in arguments for name in names[: signature.required]):
                continue
            last = max((names.index(name) for name in arguments), default=-1)
            ordered = [arguments.get(name) for name in names[: last + 1]]
            fitted = signature.fit(ordered)
            if fitted is not None:
                return self._call(run, signature, fitted)
        run.warn(f"函数 {self.name} 没有这样的命名参数 (no such named arguments): {', '.join(arguments)}", self.name)
        return None

    def _call(self, run: Run, signature: Signature, arguments: list[Any]) -> Any:
        for argument in arguments:
            if type(argument) in _SIZED and len(argument) > FREE_LENGTH:
                run.charge(len(argument) // FREE_LENGTH)
        try:
            return signature.function(run, *arguments)
        except FeelError as error:
            run.warn(str(error), self.name)
        except (DecimalException, OverflowError, ValueError):
            run.warn("结果超出范围 (the result is out of range)", self.name)
        return None


BUILT_IN: dict[str, BuiltIn] = {}
BUILT_IN_NAMES = NameTable()


def built_in(name: str, signature: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a built-in one.

    Args:
        name: its name in FEEL.
        signature: its parameters, `name: kind` separated by `; `. A kind ends with `?` where null is taken, a name
            begins with `*` where it may be left out; `...` after the last one: it takes any number of arguments.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters: list[Parameter] = []
        variadic = signature.endswith("...")
        for part in signature.removesuffix("...").split("; ") if signature else []:
            label, kind = part.split(": ")
            base = kind.removesuffix("?")
            parameters.append(
                Parameter(label.lstrip("*"), _python[base], kind.endswith("?") or base == "any", label[0] == "*", base == "list")
            )
        required = sum(not parameter.optional for parameter in parameters)
        known = BUILT_IN.get(name)
        if known is None:
            known = BUILT_IN[name] = BuiltIn(name)
            BUILT_IN_NAMES.learn(name)
        known.signatures.append(Signature(tuple(parameters), required, variadic, function))
        return function

    return register


class Closure(Callable_):
    """A function written in FEEL (or a business knowledge model): parameters, and what to do with them."""

    __slots__ = ("body", "name", "parameters", "result", "shown")

    def __init__(
        self,
        name: str,
        parameters: tuple[tuple[str, FeelType | None], ...],
        body: Callable[[Run, dict[str, Any]], Any],
        result: FeelType | None = None,
        shown: FeelType | None = None,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.body = body
        self.result = result
        self.shown = shown  # the type of the result that the body itself shows, if none is declared

    @property
    def parameter_types(self) -> tuple[FeelType | None, ...] | None:
        return tuple(kind for _, kind in self.parameters)

    @property
    def result_type(self) -> FeelType | None:
        return self.result or self.shown

    def invoke(self, run: Run, arguments: list[Any]) -> Any:
        if len(arguments) != len(self.parameters):
            run.warn(f"函数 {self.name} 需要 {len(self.parameters)} 个参数，得到 {len(arguments)} 个 (wrong number of arguments)")
            return None
        return self._call(run, {name: value for (name, _), value in zip(self.parameters, arguments, strict=True)})

    def invoke_named(self, run: Run, arguments: dict[str, Any]) -> Any:
        if set(arguments) != {name for name, _ in self.parameters}:
            run.warn(f"函数 {self.name} 的参数名不符 (wrong names of arguments): {', '.join(arguments)}")
            return None
        return self._call(run, arguments)

    def _call(self, run: Run, arguments: Mapping[str, Any]) -> Any:
        bound: dict[str, Any] = {}
        for name, kind in self.parameters:
            value = arguments[name]
            if kind is not None:
                value, fits = coerce(value, kind)
                if not fits:
                    run.warn(f"函数 {self.name} 的参数 {name} 应为 {kind} (an argument of another type)")
                    return None
            bound[name] = value
        run.enter()
        try:
            value = self.body(run, bound)
        finally:
            run.leave()
        if self.result is not None:
            value, fits = coerce(value, self.result)
            if not fits:
                run.warn(f"函数 {self.name} 的结果应为 {self.result} (a result of another type)")
        return value
