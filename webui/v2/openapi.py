"""The OpenAPI 3.1 document of what is registered, made from the operations' own schemas; served at /v2/openapi.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, get_args, get_origin

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.alias_generators import to_snake
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from engine.commands.tokens import SCOPES
from engine.store import exact_json
from webui.v2.routing import PLACE, Operation
from webui.v2.schemas import Model

_REF = "#/components/schemas/{model}"
_REASONS = {
    400: "The request is not understood; `field` names what is wrong.",
    401: "Nobody is signed in.",
    403: "The person or the token may not do this.",
    404: "There is no such thing, or the person may not know of it.",
    405: "The path does not take this method.",
    409: "The thing is in a state that does not allow this.",
    413: "The body is too large.",
    415: "The body is of another type.",
    429: "Too many failed attempts to sign in.",
    500: "A defect of ours; nothing was changed.",
    501: "Not implemented.",
    503: "Too much is asked at once.",
    504: "It took longer than asked for.",
}


class FieldProblem(Model):
    """One thing wrong with a request."""

    field: str
    message: str


class ProblemDetail(Model):
    """Problem details (RFC 9457). `field`: path of what is wrong."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = None
    errors: list[FieldProblem] | None = None


def register(bp: Blueprint, operations: Sequence[Operation]) -> None:
    """Serve the document: made when it is first asked for, the same until the program changes."""

    @cache
    def text() -> str:
        return exact_json.dumps(document(operations))

    bp.add_url_rule("/openapi.json", "openapi", lambda: Response(text(), content_type="application/json"), methods=["GET"])


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ProblemDetail, "serialization")]
    for operation in operations:
        wanted += [(model, "validation") for model in _models(operation.body_type)]
        wanted += [(model, "validation") for model in _models(operation.query)]
        wanted += [(model, "serialization") for model in _models(operation.response)]
    names, schemas = models_json_schema(list(dict.fromkeys(wanted)), by_alias=True, ref_template=_REF)
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Liuzhuan",
            "version": version("liuzhuan"),
            "description": "The part of the Camunda 8 Orchestration Cluster REST API that Liuzhuan implements.",
        },
        "servers": [{"url": "/v2"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Scopes: " + "; ".join(f"{name}: {meaning}" for name, meaning in SCOPES.items()),
                },
            },
        },
    }


Names = Mapping[Any, Any]
"""(model, mode) → its schema, or a reference to it."""


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _operation(operation: Operation, names: Names) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": _responses(operation, names),
        "security": [] if operation.scope == "open" else [{"basic": []}, {"token": []}],
    }
    parameters = [_parameter(operation, name) for name in PLACE.findall(operation.path)]
    if operation.query is not None:
        schema = operation.query.model_json_schema(by_alias=True, ref_template=_REF)
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": each}
            for name, each in schema.get("properties", {}).items()
        ]
    if parameters:
        described["parameters"] = parameters
    if operation.accepts == "json":
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": _reference(operation.body_type, names, "validation")}},
        }
    elif operation.accepts == "multipart":
        schema = {
            "type": "object",
            "required": ["resources"],
            "additionalProperties": False,
            "properties": {
                "resources": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
                "tenantId": {"type": "string"},
            },
        }
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return described


def _parameter(operation: Operation, name: str) -> dict[str, Any]:
    schema = operation.parameters[to_snake(name)].json_schema()
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _responses(operation: Operation, names: Names) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if operation.response is not None:
        schema = _reference(operation.response, names, "serialization")
        success["content"] = {operation.media_type: {"schema": schema or {"type": "string"}}}
    found: dict[str, Any] = {str(operation.success): success}
    if operation.may_be_empty:
        found["204"] = {"description": "There is none."}
    possible = {400, 500, 503, *operation.errors}
    if operation.scope != "open":
        possible |= {401, 403, 429}
    if operation.accepts:
        possible |= {413, 415}
    content = {"application/problem+json": {"schema": _reference(ProblemDetail, names, "serialization")}}
    for status in sorted(possible):
        found[str(status)] = {"description": _REASONS[status], "content": content}
    return found


def _reference(annotation: Any, names: Names, mode: JsonSchemaMode) -> dict[str, Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return dict(names[annotation, mode])
    if get_origin(annotation) is list:
        return {"type": "array", "items": _reference(get_args(annotation)[0], names, mode)}
    parts = [_reference(model, names, mode) for model in _models(annotation)]
    if len(parts) > 1:
        return {"anyOf": parts}
    return parts[0] if parts else {}
