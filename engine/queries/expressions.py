"""FEEL expressions as programs ask for them, with the engine's limits; administrators only, since they may ask for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from engine import feel
from engine.errors import NotFound
from engine.queries.decisions import environment
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import actor, check_administers, may_see_instance
from engine.store.tables import element_instance, process_instance
from engine.store.variables import by_scope, scopes

_INSTANCE = select(process_instance.c.key, process_instance.c.definition_key, process_instance.c.bpmn_process_id)
_WITHIN = select(element_instance.c.instance_key).where(element_instance.c.key == bindparam("scope")).limit(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value as JSON, and why parts of it became null."""

    value: Any
    warnings: tuple[str, ...]


def evaluate_expression(
    ctx: Context,
    who: str,
    text: str,
    variables: Mapping[str, Any],
    *,
    scope_key: int | None = None,
    processes: Collection[str] | None = None,
) -> Outcome:
    """Evaluate an expression; nothing is written.

    Args:
        text: FEEL, with or without the `=` before it.
        variables: hide those of the scope.
        scope_key: a process instance, or a live element instance, whose variables the expression sees.
        processes: the scope must be of one of these process ids; None = any.
    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such scope.
        FeelSyntaxError, EvaluationFailed: see `engine.feel`.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        seen = _seen(ctx, reading, who, scope_key, processes) if scope_key is not None else {}
        context = {**seen, **variables}
        expression = feel.compile_expression(text, list(context))
        value, warnings = expression.evaluate_with_warnings(context, environment(ctx, reading))
        return Outcome(feel.to_json(value), tuple(warning.message for warning in warnings))


def _seen(ctx: Context, reading: Reading, who: str, scope_key: int, processes: Collection[str] | None) -> dict[str, Any]:
    """Return the variables that a scope sees, without those that the person may not know yet."""
    row = reading.one(_INSTANCE.where(process_instance.c.key == scope_key))
    if row is None:
        instance_key = reading.scalar(_WITHIN, {"scope": scope_key})
        row = reading.one(_INSTANCE.where(process_instance.c.key == instance_key)) if instance_key is not None else None
    acting = actor(reading, who)
    if (
        row is None
        or (processes is not None and row.bpmn_process_id not in processes)
        or not may_see_instance(reading, acting, row.key)
    ):
        raise NotFound(f"没有范围 {scope_key}（no such scope）", field="scopeKey")
    hidden = hidden_scopes(ctx, reading, ctx.library.process(reading, row.definition_key), row.key, acting.person)
    known = by_scope(reading, row.key)
    found: dict[str, Any] = {}
    for key in reversed(scopes(reading, row.key, scope_key)):
        if key not in hidden:
            found.update(known.get(key, {}))
    return found
