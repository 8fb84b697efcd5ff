"""Variables: search and get; large values are cut in searches, as Camunda does."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from engine.queries import variable_search
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Key,
    KeyFilter,
    Model,
    SearchRequest,
    SearchResponse,
    StringFilter,
    filter_of,
)

router = Router("Variable")

_DIGITS = re.compile(r"[0-9]{1,25}")


def _read(value: Any, info: ValidationInfo) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and not info.context:
        return value
    raise ValueError("must be a key: a string of at most 25 digits")


LongKey = Annotated[
    int,
    BeforeValidator(_read),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,25}$", "maxLength": 25}),
]
"""Names a scope and what in it: longer than other keys."""

SortField = Literal["name", "processInstanceKey", "scopeKey", "tenantId", "value", "variableKey"]


class Truncation(Model):
    """Whether values of more than 8,191 characters are cut."""

    truncate_values: bool = True


class VariableSearchFilter(Filter):
    """What variables are searched by; values as JSON text."""

    name: StringFilter = None
    value: StringFilter = None
    tenant_id: StringFilter = None
    is_truncated: bool | None = None
    variable_key: filter_of("VariableKeyOperators", LongKey) = None  # type: ignore[valid-type]  # made, not written
    scope_key: KeyFilter = None
    process_instance_key: KeyFilter = None


class VariableSearch(SearchRequest[VariableSearchFilter, SortField]):
    """A search of variables."""


class VariableSearchResult(Model):
    """A variable, its value (JSON text) perhaps cut."""

    name: str
    value: str
    is_truncated: bool
    tenant_id: str
    variable_key: LongKey
    scope_key: Key
    process_instance_key: Key
    root_process_instance_key: Key | None


class VariableResult(Model):
    """A variable with its whole value (JSON text)."""

    name: str
    value: str
    tenant_id: str
    variable_key: LongKey
    scope_key: Key
    process_instance_key: Key
    root_process_instance_key: Key | None


def found_variable(row: Found, query: Truncation) -> VariableSearchResult:
    """Return what a search tells of a variable."""
    cut = query.truncate_values and len(row.text) > variable_search.TRUNCATED
    return VariableSearchResult(
        **_common(row),
        value=row.text[: variable_search.TRUNCATED] if cut else row.text,
        is_truncated=cut,
    )


def _common(row: Found) -> dict[str, Any]:
    return {
        "name": row.name,
        "tenant_id": TENANT,
        "variable_key": variable_search.variable_key(row.scope_key, row.name),
        "scope_key": row.scope_key,
        "process_instance_key": row.instance_key,
        "root_process_instance_key": row.root_key,
    }


@router.post("/variables/search", scope="read")
def search_variables(caller: Caller, query: Truncation, body: VariableSearch | None) -> SearchResponse[VariableSearchResult]:
    """Search variables."""
    wanted = (body or VariableSearch()).search()
    page = access.ask(variable_search.search_variables, caller.username, wanted, processes=caller.processes)
    return SearchResponse[VariableSearchResult].of([found_variable(row, query) for row in page.rows], page)


@router.get("/variables/{variableKey}", scope="read", errors=(404,))
def get_variable(caller: Caller, variable_key: LongKey) -> VariableResult:
    """Get a variable."""
    row = access.ask(variable_search.find_variable, variable_key, caller.username, processes=caller.processes)
    return VariableResult(**_common(row), value=row.text)
