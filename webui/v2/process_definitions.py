"""Process definitions: search, get, the file, the start form, how many instances run."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

from pydantic import Field

from engine import queries
from engine.errors import NotFound
from engine.queries import process_search
from engine.queries.searching import Condition, PageRequest, Search
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Answer, Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    Integer,
    Key,
    Model,
    OwnTenant,
    SearchRequest,
    SearchResponse,
    StringFilter,
    page_of,
)

router = Router("Process definition")


class ProcessDefinitionFilter(Filter):
    """What process definitions are searched by."""

    name: StringFilter = None
    is_latest_version: bool | None = None
    resource_name: Id | None = None
    version: Integer | None = None
    version_tag: Id | None = None
    process_definition_id: StringFilter = None
    tenant_id: OwnTenant = None
    process_definition_key: Key | None = None
    has_start_form: bool | None = None
    state: Literal["ACTIVE", "DRAINING", "DELETED"] | None = None

    APART: ClassVar[frozenset[str]] = frozenset({"has_start_form"})


class ProcessDefinitionSearch(
    SearchRequest[
        ProcessDefinitionFilter,
        Literal["name", "processDefinitionId", "processDefinitionKey", "resourceName", "tenantId", "version", "versionTag"],
    ]
):
    """A search of process definitions."""


class ProcessDefinitionResult(Model):
    """A version of a process."""

    name: str | None
    resource_name: str
    version: int
    version_tag: str | None
    process_definition_id: str
    tenant_id: str
    process_definition_key: Key
    has_start_form: bool
    state: Literal["ACTIVE", "DRAINING", "DELETED"]


class FormResult(Model):
    """A form; `schema` is its file's JSON as text."""

    tenant_id: str
    form_id: str
    schema_: str = Field(alias="schema")
    version: int
    form_key: Key


class DefinitionStatistics(Model):
    """How many instances of a process run, all versions together."""

    process_definition_id: str
    tenant_id: str
    latest_process_definition_name: str | None
    has_multiple_versions: bool
    active_instances_without_incident_count: int
    active_instances_with_incident_count: int


class VersionStatistics(Model):
    """How many instances of a version run."""

    process_definition_id: str
    process_definition_key: Key
    process_definition_name: str | None
    tenant_id: str
    process_definition_version: int
    active_instances_with_incident_count: int
    active_instances_without_incident_count: int


def definition(caller: Caller, key: int) -> Found:
    """Return a version of a process that the caller may know of.

    Raises:
        NotFound: there is none.
    """
    wanted = Search((Condition("process_definition_key", "eq", key),), page=PageRequest(limit=1))
    page = access.ask(process_search.search_process_definitions, wanted, processes=caller.processes)
    if not page.rows:
        raise NotFound(f"没有流程定义 {key}（no such process definition）")
    return page.rows[0]


def _result(row: Found, form_id: str | None) -> ProcessDefinitionResult:
    return ProcessDefinitionResult(
        name=row.name or None,
        resource_name=row.resource_name,
        version=row.version,
        version_tag=row.version_tag,
        process_definition_id=row.bpmn_process_id,
        tenant_id=TENANT,
        process_definition_key=row.key,
        has_start_form=form_id is not None,
        state=row.state,
    )


@router.post("/process-definitions/search", scope="read")
def search_process_definitions(caller: Caller, body: ProcessDefinitionSearch | None) -> SearchResponse[ProcessDefinitionResult]:
    """Search process definitions."""
    body = body or ProcessDefinitionSearch()
    page = access.ask(
        process_search.search_process_definitions,
        body.search(),
        has_start_form=body.filter.has_start_form if body.filter else None,
        processes=caller.processes,
    )
    forms = access.ask(process_search.start_forms, [row.key for row in page.rows])
    return SearchResponse[ProcessDefinitionResult].of([_result(row, forms[row.key]) for row in page.rows], page)


class VersionStatisticsFilter(Filter):
    """Of which process."""

    process_definition_id: Id
    tenant_id: OwnTenant = None


class DefinitionStatisticsSearch(
    SearchRequest[
        Filter, Literal["activeInstancesWithIncidentCount", "activeInstancesWithoutIncidentCount", "processDefinitionId"]
    ]
):
    """Counts by process; the filter has no fields."""


class VersionStatisticsSearch(
    SearchRequest[
        VersionStatisticsFilter,
        Literal[
            "activeInstancesWithIncidentCount",
            "activeInstancesWithoutIncidentCount",
            "processDefinitionId",
            "processDefinitionKey",
            "processDefinitionName",
            "processDefinitionVersion",
        ],
    ]
):
    """Counts by version of one process."""

    filter: VersionStatisticsFilter


@router.post("/process-definitions/statistics/process-instances", scope="read")
def get_process_definition_instance_statistics(
    caller: Caller, body: DefinitionStatisticsSearch | None
) -> SearchResponse[DefinitionStatistics]:
    """Count the running instances of each process."""
    by_process: dict[str, list[Found]] = {}
    for row in access.ask(process_search.count_active, caller.username, processes=caller.processes):
        by_process.setdefault(row.bpmn_process_id, []).append(row)
    versions = Counter(item.bpmn_process_id for item in access.ask(queries.definitions))
    names = access.ask(queries.process_names)
    items = [
        DefinitionStatistics(
            process_definition_id=name,
            tenant_id=TENANT,
            latest_process_definition_name=names.get(name) or None,
            has_multiple_versions=versions[name] > 1,
            active_instances_without_incident_count=sum(row.without_incident for row in rows),
            active_instances_with_incident_count=sum(row.with_incident for row in rows),
        )
        for name, rows in by_process.items()
    ]
    return page_of(items, body or DefinitionStatisticsSearch())


@router.post("/process-definitions/statistics/process-instances-by-version", scope="read")
def get_process_definition_instance_version_statistics(
    caller: Caller, body: VersionStatisticsSearch
) -> SearchResponse[VersionStatistics]:
    """Count the running instances of each version of a process."""
    items = [
        VersionStatistics(
            process_definition_id=row.bpmn_process_id,
            process_definition_key=row.key,
            process_definition_name=row.name or None,
            tenant_id=TENANT,
            process_definition_version=row.version,
            active_instances_with_incident_count=row.with_incident,
            active_instances_without_incident_count=row.without_incident,
        )
        for row in access.ask(process_search.count_active, caller.username, processes=caller.processes)
        if row.bpmn_process_id == body.filter.process_definition_id
    ]
    return page_of(items, body)


@router.get("/process-definitions/{processDefinitionKey}", scope="read", errors=(404,))
def get_process_definition(caller: Caller, process_definition_key: Key) -> ProcessDefinitionResult:
    """Get a process definition."""
    row = definition(caller, process_definition_key)
    return _result(row, access.ask(process_search.start_forms, [row.key])[row.key])


@router.get("/process-definitions/{processDefinitionKey}/xml", scope="read", errors=(404,), media_type="text/xml")
def get_process_definition_xml(caller: Caller, process_definition_key: Key) -> Answer:
    """Get the BPMN file of a process definition, as it was deployed."""
    definition(caller, process_definition_key)
    return Answer(access.ask(queries.definition_file, process_definition_key)[1], content_type="text/xml; charset=utf-8")


@router.get("/process-definitions/{processDefinitionKey}/form", scope="read", errors=(404,))
def get_start_process_form(caller: Caller, process_definition_key: Key) -> FormResult | None:
    """Get the start form of a process definition."""
    definition(caller, process_definition_key)
    form_id = access.ask(process_search.start_forms, [process_definition_key])[process_definition_key]
    if form_id is None:
        return None
    newest = next((item for item in access.ask(queries.resources, "form") if item.id == form_id), None)
    if newest is None:
        raise NotFound(f"没有已部署的表单 {form_id}（the start form is not deployed）")
    content = access.ask(queries.definition_file, newest.key, "form")[1].decode("utf-8", errors="replace")
    return FormResult(tenant_id=TENANT, form_id=form_id, schema=content, version=newest.version, form_key=newest.key)
