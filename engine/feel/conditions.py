"""A short way for the commonest conditions: variables beside constants, joined by `and` or by `or`.

Such a condition looks at values from outside as they are: it needs no scope and no run, nothing in it can be costly, and
what became null is nobody's question. Wherever a variable is missing or of another kind, the condition is unsure and the
compiled expression decides.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.feel import nodes as n

UNSURE: Any = object()
Condition = Callable[[Mapping[str, Any]], Any]
_Comparison = Callable[[Any, Any], bool]
_Clause = tuple[str, type, _Comparison, Any]

COMPARISONS: dict[str, _Comparison] = {
    "=": python.eq,
    "!=": python.ne,
    "<": python.lt,
    "<=": python.le,
    ">": python.gt,
    ">=": python.ge,
}
EXACT = 10**34  # larger integers are rounded when they become FEEL's numbers


def short_condition(node: n.Node) -> Condition | None:
    """Return the short way of a condition, which answers true, false or `UNSURE`; None if it is not of that kind."""
    parts = node.parts if isinstance(node, n.Logic) else (node,)
    clauses = tuple(clause for part in parts if (clause := _clause(part)) is not None)
    if len(clauses) < len(parts):
        return None
    decisive = isinstance(node, n.Logic) and not node.conjunction

    def answer(variables: Any) -> Any:
        if type(variables) is not dict and not isinstance(variables, Mapping):
            return UNSURE  # where it is refused
        for name, kind, compare, value in clauses:
            subject: Any = variables.get(name)
            given = type(subject)
            if given is kind:
                if kind is Decimal and not subject.is_finite():
                    return UNSURE
            elif kind is not Decimal or given is not int or not -EXACT < subject < EXACT:
                return UNSURE
            if compare(subject, value) is decisive:
                return decisive
        return not decisive

    return answer


def _clause(node: n.Node) -> _Clause | None:
    """Return the parts of `variable operator constant`; None of anything else."""
    if not isinstance(node, n.Comparison) or not isinstance(node.left, n.Name) or not isinstance(node.right, n.Literal):
        return None
    value = node.right.value
    kind = type(value)
    if kind not in (Decimal, str) and not (kind is bool and node.operator in ("=", "!=")):
        return None
    return node.left.name, kind, COMPARISONS[node.operator], value
