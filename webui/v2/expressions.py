"""Evaluation of FEEL expressions, with the engine's limits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from engine.queries import expressions
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Router
from webui.v2.schemas import Key, Model, OwnTenant, Variables

router = Router("Expression")


class ExpressionEvaluationRequest(Model):
    """A FEEL expression, with variables; `scopeKey`: a process instance or a live element instance whose variables it sees."""

    expression: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    tenant_id: OwnTenant = None
    scope_key: Key | None = None
    variables: Variables | None = None


class ExpressionWarning(Model):
    """Why part of a result is null."""

    message: str


class SecretReference(Model):
    """A secret that an expression names; ours can name none."""

    store_id: str
    secret_name: str


class ExpressionEvaluationResult(Model):
    """The value of an expression."""

    expression: str
    result: Any
    warnings: list[ExpressionWarning]
    referenced_secrets: list[SecretReference]


@router.post("/expression/evaluation", scope="read", errors=(404,))
def evaluate_expression(caller: Caller, body: ExpressionEvaluationRequest) -> ExpressionEvaluationResult:
    """Evaluate a FEEL expression; administrators only, nothing is written."""
    found = access.ask(
        expressions.evaluate_expression,
        caller.username,
        body.expression,
        body.variables or {},
        scope_key=body.scope_key,
        processes=caller.processes,
    )
    return ExpressionEvaluationResult(
        expression=body.expression,
        result=found.value,
        warnings=[ExpressionWarning(message=message) for message in found.warnings],
        referenced_secrets=[],
    )
