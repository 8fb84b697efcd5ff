"""Incidents: search, get, resolve; those that are resolved stand in the journal, not here."""

from __future__ import annotations

from typing import Literal

from engine import commands
from engine.queries import process_search
from engine.queries.searching import Search
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Key,
    KeyFilter,
    Model,
    Moment,
    MomentFilter,
    OperationReference,
    SearchRequest,
    SearchResponse,
    StringFilter,
    filter_of,
)

router = Router("Incident")

ErrorType = Literal[
    "AD_HOC_SUB_PROCESS_NO_RETRIES",
    "CALLED_DECISION_ERROR",
    "CALLED_ELEMENT_ERROR",
    "CONDITION_ERROR",
    "DECISION_EVALUATION_ERROR",
    "EXECUTION_LISTENER_NO_RETRIES",
    "EXTRACT_VALUE_ERROR",
    "FORM_NOT_FOUND",
    "IO_MAPPING_ERROR",
    "JOB_NO_RETRIES",
    "MESSAGE_SIZE_EXCEEDED",
    "RESOURCE_NOT_FOUND",
    "SECRET_RESOLUTION_ERROR",
    "TASK_LISTENER_NO_RETRIES",
    "UNHANDLED_ERROR_EVENT",
    "UNKNOWN",
    "UNSPECIFIED",
]
State = Literal["ACTIVE", "MIGRATED", "PENDING", "RESOLVED", "UNKNOWN"]


class IncidentFilter(Filter):
    """What incidents are searched by."""

    process_definition_id: StringFilter = None
    error_type: filter_of("ErrorTypeOperators", ErrorType, like=True) = None  # type: ignore[valid-type]  # made, not written
    error_message: StringFilter = None
    element_id: StringFilter = None
    creation_time: MomentFilter = None
    state: filter_of("IncidentStateOperators", State, like=True) = None  # type: ignore[valid-type]  # made, not written
    tenant_id: StringFilter = None
    incident_key: KeyFilter = None
    process_definition_key: KeyFilter = None
    process_instance_key: KeyFilter = None
    element_instance_key: KeyFilter = None
    job_key: KeyFilter = None


class IncidentSearch(
    SearchRequest[
        IncidentFilter,
        Literal[
            "creationTime",
            "elementId",
            "elementInstanceKey",
            "errorMessage",
            "errorType",
            "incidentKey",
            "jobKey",
            "processDefinitionId",
            "processDefinitionKey",
            "processInstanceKey",
            "state",
            "tenantId",
        ],
    ]
):
    """A search of incidents."""


class IncidentResult(Model):
    """An incident that waits to be resolved."""

    process_definition_id: str
    error_type: ErrorType
    error_message: str
    element_id: str
    creation_time: Moment
    state: State
    tenant_id: str
    incident_key: Key
    process_definition_key: Key
    process_instance_key: Key
    root_process_instance_key: Key | None
    element_instance_key: Key
    job_key: Key | None


class IncidentResolution(Model):
    """A request to resolve an incident."""

    operation_reference: OperationReference = None


def result(row: Found) -> IncidentResult:
    """Return what is told of an incident."""
    return IncidentResult(
        process_definition_id=row.bpmn_process_id,
        error_type=row.error_type,
        error_message=row.message,
        element_id=row.element_id,
        creation_time=row.raised_at,
        state="ACTIVE",
        tenant_id=TENANT,
        incident_key=row.key,
        process_definition_key=row.definition_key,
        process_instance_key=row.instance_key,
        root_process_instance_key=row.root_key,
        element_instance_key=row.element_key,
        job_key=row.job_key,
    )


def wanted(body: IncidentSearch) -> Search:
    """Return the engine's search.

    Raises:
        ApiProblem: 501, it asks for incidents that are resolved: they are in the journal alone.
    """
    search = body.search()
    for item in search.conditions:
        values = item.value if isinstance(item.value, list) else [item.value]
        if item.field == "state" and item.operator in {"eq", "in"} and "RESOLVED" in values:
            raise ApiProblem(501, "Resolved incidents are kept in the journal, not searched here.", field="filter.state")
    return search


@router.post("/incidents/search", scope="read", errors=(501,))
def search_incidents(caller: Caller, body: IncidentSearch | None) -> SearchResponse[IncidentResult]:
    """Search the incidents that wait to be resolved."""
    search = wanted(body or IncidentSearch())
    page = access.ask(process_search.search_incidents, caller.username, search, processes=caller.processes)
    return SearchResponse[IncidentResult].of([result(row) for row in page.rows], page)


@router.get("/incidents/{incidentKey}", scope="read", errors=(404,))
def get_incident(caller: Caller, incident_key: Key) -> IncidentResult:
    """Get an incident."""
    return result(access.ask(process_search.find_incident, incident_key, caller.username, processes=caller.processes))


@router.post("/incidents/{incidentKey}/resolution", scope="admin", errors=(404, 409))
def resolve_incident(caller: Caller, incident_key: Key, body: IncidentResolution | None) -> None:
    """Let the element try again; where it fails again, it holds a new incident."""
    access.ask(process_search.find_incident, incident_key, caller.username, processes=caller.processes)
    access.run(commands.resolve_incident, incident_key, caller.username)
