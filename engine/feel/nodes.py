"""The syntax tree. `position` is the offset in the text at which a part starts (for messages)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.feel.types import FeelType


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all parts of an expression."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written down: number, string, boolean, null, `@"…"`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Unreadable(Node):
    """`@"…"` around what is no date, time or duration: null."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable, a function, or `?`."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`base.name`."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`base[condition]`."""

    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`callee(arguments)`; with named arguments, `names` has one name per argument."""

    callee: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """`-operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Operations of one precedence, from left to right: `first op a op b …`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`left op right`; op is one of = != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`value in (tests)`."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a and b and c` (`conjunction`) or `a or b or c`."""

    conjunction: bool
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition then yes else no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """`name in source`, or with `end`: `name in source..end`."""

    name: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for iterators return body`."""

    iterators: tuple[Iterator, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """`every | some iterators satisfies condition`."""

    every: bool
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class Function(Node):
    """`function(parameters) body`; `external` functions have a context that describes them as body."""

    parameters: tuple[tuple[str, FeelType | None], ...]
    body: Node
    external: bool


@dataclass(frozen=True, slots=True)
class Context(Node):
    """`{key: value, …}`."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class List(Node):
    """`[a, b, …]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """`[low..high]` with open or closed ends."""

    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Bound(Node):
    """A simple unary test as a value or test: `< 10`, `>= x`, `!= 5`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """`value instance of type`."""

    value: Node
    type: FeelType


@dataclass(frozen=True, slots=True)
class Tests(Node):
    """Unary tests: any of `tests`, or none of them if `negated`; `-` has no tests and always holds."""

    tests: tuple[Node, ...]
    negated: bool
    any_value: bool
