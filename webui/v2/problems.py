"""What goes wrong, as problem details (RFC 9457): a table from the engine's errors to statuses, and the field's path named."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from engine import errors
from engine.store import exact_json
from engine.store.outages import UNAVAILABLE

# From the most special class to the most general: the first that fits counts.
STATUS: Mapping[type[errors.LiuzhuanError], int] = {
    errors.SignInThrottled: 429,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Refused: 400,
    errors.EvaluationFailed: 400,
    errors.CalendarMissing: 400,
    errors.Defect: 500,
}

_TITLES = {int(status): status.name for status in HTTPStatus} | {400: "INVALID_ARGUMENT", 409: "INVALID_STATE"}


class ApiProblem(Exception):
    """An answer that is no success.

    Args:
        title: a stable word for programs; the status's name where it is not given.
        field: path of the field that is wrong, e.g. `filter.processInstanceKey`.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str = "",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status, self.detail, self.title, self.field = status, detail, title, field
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(detail)


class Overloaded(ApiProblem):
    """Too much is asked at once; the client waits and asks again."""

    def __init__(self, detail: str = "too many requests at this moment; try again", *, seconds: int = 1) -> None:
        super().__init__(503, detail, title="RESOURCE_EXHAUSTED", headers={"Retry-After": str(seconds)})


def init(bp: Blueprint) -> None:
    """Let the blueprint answer errors that its operations did not."""
    bp.register_error_handler(Exception, answer_error)


def status_of(error: errors.LiuzhuanError) -> int:
    """Return the HTTP status of an engine's error."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def answer_error(error: Exception) -> Response:
    """Return the problem details of an error; a defect's inside is logged, not told."""
    match error:
        case ApiProblem():
            response = answer(error.status, error.detail, title=error.title, field=error.field, **error.more)
            response.headers.update(error.headers)
            return response
        case ValidationError():
            return _invalid(error)
        case errors.LiuzhuanError():
            return _engine_error(error)
        case HTTPException():
            return http_error(error)
    if isinstance(error, UNAVAILABLE):
        current_app.logger.warning("the database does not answer", exc_info=error)
        return answer_error(Overloaded("the database does not answer in time; nothing was changed, try again"))
    current_app.logger.exception("a defect", exc_info=error)
    return answer(500, "An internal error; nothing was changed.")


def answer(status: int, detail: str, *, title: str = "", field: str | None = None, **more: Any) -> Response:
    """Return problem details."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title or _TITLES.get(status, "ERROR"),
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if field is not None:
        body["field"] = field
    body |= {name: value for name, value in more.items() if value is not None}
    return Response(exact_json.dumps(body), status, content_type="application/problem+json")


def http_error(error: HTTPException) -> Response:
    """Return the problem details of an error of HTTP itself (404, 405, 413, …)."""
    status = error.code or 500
    details = {
        404: f"There is no {request.method} {request.path} in this API.",
        405: f"{request.path} does not take {request.method}.",
        413: f"The body is larger than {request.max_content_length} bytes.",
    }
    response = answer(status, details.get(status, str(error.description or "")))
    original = error.get_response()
    for name in ("Allow", "Retry-After"):
        if name in original.headers:
            response.headers[name] = original.headers[name]
    return response


def _invalid(error: ValidationError) -> Response:
    """Name each field that is wrong, in the order in which they were found; the first is `field`."""
    found = [{"field": _path(item["loc"]), "message": _said(item)} for item in error.errors(include_url=False)[:20]]
    detail = "; ".join(f"{item['field']}: {item['message']}" if item["field"] else item["message"] for item in found)
    return answer(400, detail, field=found[0]["field"] if found else None, errors=found)


def _said(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "unknown field"
    return str(item["msg"]).removeprefix("Value error, ")


def _path(location: tuple[Any, ...]) -> str:
    """`("filter", "state", "$operators", "$in", 0)` → `filter.state.$in[0]`."""
    text = ""
    for part in location:
        if part in {"$operators", "$value"}:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _finding(item: Any) -> dict[str, Any]:
    """Return one refusal of a deployment's report."""
    place = f"{item.element_id}.{item.attribute}" if item.attribute else item.element_id
    named = {"elementId": item.element_id, "elementName": item.element_name, "elementType": item.element_type}
    return {"field": place, "message": item.reason, "resource": item.resource, "line": item.line, **named}


def _engine_error(error: errors.LiuzhuanError) -> Response:
    status = status_of(error)
    if status >= 500:
        current_app.logger.exception("a defect of the engine", exc_info=error)
        return answer(500, "An internal error; nothing was changed.")
    more: dict[str, Any] = {"code": error.code, "elementId": error.element_id, "rule": error.rule}
    if isinstance(error, errors.InvalidSubmission):
        more["errors"] = [{"field": item.field, "message": item.message_en or item.message} for item in error.problems]
    if isinstance(error, errors.MigrationRefused):
        more["errors"] = [{"field": item.element_id, "message": item.message} for item in error.obstacles]
    if isinstance(error, errors.DeploymentRefused) and error.report is not None:
        more["errors"] = [_finding(item) for item in error.report.refusals]
    response = answer(status, error.message, field=error.field, **more)
    if status == 429:
        response.headers["Retry-After"] = "30"
    return response
