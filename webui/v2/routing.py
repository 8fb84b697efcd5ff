"""Operations and their routes: declared once, from which requests are checked, answers written and the OpenAPI document made.

    router = Router("Incident")

    @router.post("/incidents/search", scope="read", summary="Search incidents.")
    def search_incidents(caller: Caller, body: IncidentSearch) -> SearchResponse[IncidentResult]: ...

    @router.get("/incidents/{incidentKey}", scope="read", errors=(404,))
    def get_incident(caller: Caller, incident_key: Key) -> IncidentResult: ...

Parameters are read from the function: `caller`, then those of the path (snake case of the names in braces, `Key` or `str`),
`query: AModel` for the query string, `body: AModel` for JSON (`AModel | None`: may be left out) or `files: Files` for
multipart. It returns a model (200), None (204), an `Answer`, or a list of models.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Union, get_args, get_origin, get_type_hints

from flask import Blueprint, Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.alias_generators import to_snake
from werkzeug.datastructures import FileStorage

from engine.errors import InvalidValue
from engine.store import exact_json
from webui import access
from webui.v2 import authentication
from webui.v2.problems import ApiProblem, answer_error

PLACE = re.compile(r"\{(\w+)\}")
_MEBIBYTE = 1024 * 1024
_DEEPEST = 100
_FROM_CLIENT = {"from_client": True}


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a multipart request by field, and its other fields."""

    files: dict[str, list[FileStorage]]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no JSON object, or has another status than the operation's.

    Attributes:
        content: text or bytes as they are; a model is written as JSON; None = no body.
    """

    content: BaseModel | bytes | str | None = None
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """What is registered.

    Attributes:
        path: below /v2, places in braces.
        scope: what a token must be allowed (see `authentication.SCOPES`); None = anybody signed in; `open`: nobody need be.
        success: status of a success, with the media type of what is sent.
        errors: statuses besides those that every operation has.
        accepts: "" (no body) | json | multipart.
        may_be_empty: a success may be 204 instead (it returns `AModel | None`).
    """

    method: str
    path: str
    function: Callable[..., Any]
    tag: str
    summary: str
    scope: str | None
    success: int
    errors: tuple[int, ...]
    parameters: dict[str, TypeAdapter[Any]]
    query: type[BaseModel] | None
    body: TypeAdapter[Any] | None
    body_type: Any
    body_optional: bool
    accepts: str
    response: Any
    media_type: str
    may_be_empty: bool

    @property
    def id(self) -> str:
        """The operation's id: the function's name in camelCase."""
        first, *rest = self.function.__name__.split("_")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return PLACE.sub(r"<\1>", self.path)


@dataclass
class Router:
    """Collects a module's operations."""

    tag: str
    operations: list[Operation] = field(default_factory=list)

    def get(self, path: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a GET; see `route`."""
        return self.route("GET", path, **more)

    def post(self, path: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a POST; see `route`."""
        return self.route("POST", path, **more)

    def put(self, path: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a PUT; see `route`."""
        return self.route("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a PATCH; see `route`."""
        return self.route("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a DELETE; see `route`."""
        return self.route("DELETE", path, **more)

    def route(
        self,
        method: str,
        path: str,
        *,
        scope: str | None,
        errors: tuple[int, ...] = (),
        success: int | None = None,
        summary: str = "",
        media_type: str = "application/json",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a function as an operation; what it takes and returns is read from its annotations."""

        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            hints = get_type_hints(function, include_extras=True)
            returned = hints.pop("return", None)
            names = [to_snake(name) for name in PLACE.findall(path)]
            body = hints.get("body")
            known = {"caller", "query", "body", "files", *names}
            if unknown := set(inspect.signature(function).parameters) - known:
                raise TypeError(f"{function.__name__}: no such parameters: {sorted(unknown)}")
            optional = get_origin(body) in {Union, types.UnionType} and type(None) in get_args(body)
            nothing = returned is None or returned is type(None)
            self.operations.append(
                Operation(
                    method=method,
                    path=path,
                    function=function,
                    tag=self.tag,
                    summary=summary or (function.__doc__ or "").strip().split("\n")[0],
                    scope=scope,
                    success=success or (204 if nothing else 200),
                    errors=errors,
                    parameters={name: TypeAdapter(hints[name]) for name in names},
                    query=hints.get("query"),
                    body=TypeAdapter(body) if body is not None else None,
                    body_type=body,
                    body_optional=optional,
                    accepts="json" if body is not None else "multipart" if "files" in hints else "",
                    response=None if nothing else returned,
                    media_type=media_type,
                    may_be_empty=returned is not None and type(None) in get_args(returned),
                )
            )
            return function

        return add


def register(bp: Blueprint, operation: Operation) -> None:
    """Add an operation to the blueprint."""
    takes = set(inspect.signature(operation.function).parameters)
    names = [(name, to_snake(name)) for name in PLACE.findall(operation.path)]

    def view(**places: str) -> Response:
        try:
            caller = None if operation.scope == "open" else authentication.identify()
            if caller is not None and operation.scope is not None:
                caller.check_scope(operation.scope)
            given: dict[str, Any] = {}
            for name, own in names:
                given[own] = _parameter(operation.parameters[own], name, places[name])
            if "caller" in takes:
                given["caller"] = caller
            if operation.query is not None:
                given["query"] = _query(operation.query)
            elif request.args:
                name = next(iter(request.args))
                raise ApiProblem(400, f"{name}: unknown query parameter", field=name)
            if operation.body is not None:
                given["body"] = _body(operation.body)
            elif operation.accepts == "multipart":
                given["files"] = _files()
            return _answer(operation, operation.function(**given))
        except Exception as error:
            return answer_error(error)

    endpoint = f"{operation.method.lower()}_{operation.function.__name__}"
    bp.add_url_rule(operation.rule, endpoint, view, methods=[operation.method], provide_automatic_options=False)


def _parameter(adapter: TypeAdapter[Any], name: str, text: str) -> Any:
    try:
        return adapter.validate_python(text, strict=True, context=_FROM_CLIENT)
    except ValidationError as error:
        said = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        raise ApiProblem(400, f"{name}: {said}", field=name) from error


def _query(model: type[BaseModel]) -> BaseModel:
    """Read the query string: every value is a text; numbers and booleans are read from it."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        given[name] = values[0] if len(values) == 1 else values
    return model.model_validate(given, strict=False, context=_FROM_CLIENT)


def _body(adapter: TypeAdapter[Any]) -> Any:
    request.max_content_length = access.settings().api_json_megabytes * _MEBIBYTE
    content = request.get_data(cache=False)
    if not content.strip():
        value: Any = {}
    elif request.mimetype != "application/json":
        raise ApiProblem(415, f"The body must be application/json, not {request.mimetype or 'untyped'}.")
    else:
        value = _json(content)
    return adapter.validate_python({} if value is None else value, strict=True, context=_FROM_CLIENT)


def _json(content: bytes) -> Any:
    try:
        value = exact_json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ApiProblem(400, "The body is not UTF-8.") from error
    except InvalidValue as error:
        raise ApiProblem(400, f"The body is {error.message}.") from error
    for text in _texts(value, 0):
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ApiProblem(400, "The body holds half a surrogate pair.")
    return value


def _texts(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ApiProblem(400, f"The body is nested deeper than {_DEEPEST} levels.")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)


def _files() -> Files:
    request.max_content_length = access.settings().api_deployment_megabytes * _MEBIBYTE
    if request.mimetype != "multipart/form-data":
        raise ApiProblem(415, f"The body must be multipart/form-data, not {request.mimetype or 'untyped'}.")
    return Files({name: list(files) for name, files in request.files.lists()}, request.form.to_dict())


def _answer(operation: Operation, found: Any) -> Response:
    if isinstance(found, Response):
        return found
    if isinstance(found, Answer):
        content, status, content_type = found.content, found.status, found.content_type
    else:
        content, status, content_type = found, operation.success, operation.media_type
    if content is None:
        return Response(status=204 if status == 200 else status)
    return Response(_written(content), status, content_type=content_type)


def _written(content: Any) -> str | bytes:
    if isinstance(content, str | bytes):
        return content
    if isinstance(content, BaseModel):
        return exact_json.dumps(content.model_dump(by_alias=True))
    return exact_json.dumps([item.model_dump(by_alias=True) for item in content])
