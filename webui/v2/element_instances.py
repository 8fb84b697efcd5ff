"""Element instances: search, get, their incidents, setting variables, starting what people choose in ad-hoc sub-processes.

They are told from the journal, case by case: where there are many cases, a search names its process instance.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from engine import commands
from engine.commands.scoped_variables import set_element_variables
from engine.errors import InvalidValue, NotFound
from engine.queries import element_search, process_search
from engine.queries.element_search import ElementFound
from engine.queries.listed import fulfilling
from engine.queries.searching import Condition, PageRequest, Search
from webui import access
from webui.v2.authentication import Caller
from webui.v2.incidents import IncidentResult, IncidentSearch
from webui.v2.problems import ApiProblem
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    Key,
    Model,
    Moment,
    MomentFilter,
    OperationReference,
    OwnTenant,
    SearchRequest,
    SearchResponse,
    StringFilter,
    Variables,
    filter_of,
    page_of,
)

router = Router("Element instance")

_CASES = 300
"""Journals that a search reads which names no process instance."""

Type = Literal[
    "AD_HOC_SUB_PROCESS",
    "AD_HOC_SUB_PROCESS_INNER_INSTANCE",
    "BOUNDARY_EVENT",
    "BUSINESS_RULE_TASK",
    "CALL_ACTIVITY",
    "END_EVENT",
    "EVENT_BASED_GATEWAY",
    "EVENT_SUB_PROCESS",
    "EXCLUSIVE_GATEWAY",
    "INCLUSIVE_GATEWAY",
    "INTERMEDIATE_CATCH_EVENT",
    "INTERMEDIATE_THROW_EVENT",
    "MANUAL_TASK",
    "MULTI_INSTANCE_BODY",
    "PARALLEL_GATEWAY",
    "PROCESS",
    "RECEIVE_TASK",
    "SCRIPT_TASK",
    "SEND_TASK",
    "SEQUENCE_FLOW",
    "SERVICE_TASK",
    "START_EVENT",
    "SUB_PROCESS",
    "TASK",
    "UNKNOWN",
    "UNSPECIFIED",
    "USER_TASK",
]
_TYPES: frozenset[str] = frozenset(Type.__args__)  # type: ignore[attr-defined]  # of a Literal
State = Literal["ACTIVE", "COMPLETED", "TERMINATED"]


class ElementInstanceFields(Filter):
    """What element instances are searched by."""

    process_definition_id: Id | None = None
    state: filter_of("ElementInstanceStateOperators", State, like=True) = None  # type: ignore[valid-type]  # made, not written
    type: Type | None = None
    element_id: StringFilter = None
    element_name: StringFilter = None
    has_incident: bool | None = None
    tenant_id: OwnTenant = None
    element_instance_key: Key | None = None
    process_instance_key: Key | None = None
    process_definition_key: Key | None = None
    incident_key: Key | None = None
    start_date: MomentFilter = None
    end_date: MomentFilter = None
    element_instance_scope_key: Key | None = None

    APART: ClassVar[frozenset[str]] = frozenset({"or_"})


class ElementInstanceFilter(ElementInstanceFields):
    """What element instances are searched by; of `$or`, one group holds besides."""

    or_: list[ElementInstanceFields] | None = Field(default=None, alias="$or", max_length=50)


class ElementInstanceSearch(
    SearchRequest[
        ElementInstanceFilter,
        Literal[
            "elementId",
            "elementInstanceKey",
            "elementName",
            "endDate",
            "incidentKey",
            "processDefinitionId",
            "processDefinitionKey",
            "processInstanceKey",
            "startDate",
            "state",
            "tenantId",
            "type",
        ],
    ]
):
    """A search of element instances."""


class ElementInstanceResult(Model):
    """An element instance."""

    process_definition_id: str | None
    start_date: Moment
    end_date: Moment | None
    element_id: str
    element_name: str
    type: Type
    state: State
    has_incident: bool
    tenant_id: str
    element_instance_key: Key
    process_instance_key: Key
    root_process_instance_key: Key | None
    process_definition_key: Key | None
    incident_key: Key | None


def _result(found: ElementFound) -> ElementInstanceResult:
    return ElementInstanceResult(
        process_definition_id=found.case.bpmn_process_id,
        start_date=found.entered_at,
        end_date=found.ended_at,
        element_id=found.element_id,
        element_name=found.name,
        type=found.type if found.type in _TYPES else "UNKNOWN",  # type: ignore[arg-type]  # a word of Type
        state=found.state,  # type: ignore[arg-type]  # a word of State
        has_incident=found.incident_key is not None,
        tenant_id=TENANT,
        element_instance_key=found.key,
        process_instance_key=found.case.key,
        root_process_instance_key=found.case.root_key,
        process_definition_key=found.case.definition_key,
        incident_key=found.incident_key,
    )


def element_of(caller: Caller, key: int) -> ElementFound:
    """Return an element instance that the caller may know of.

    Raises:
        NotFound: there is none.
    """
    return access.ask(element_search.find_element, key, caller.username, processes=caller.processes)


@router.post("/element-instances/search", scope="read")
def search_element_instances(caller: Caller, body: ElementInstanceSearch | None) -> SearchResponse[ElementInstanceResult]:
    """Search element instances, live and past; where there are many cases, `filter.processInstanceKey` is needed."""
    given = body or ElementInstanceSearch()
    filter_ = given.filter or ElementInstanceFilter()
    scopes: dict[int, int | None] = {}
    results: list[ElementInstanceResult] = []
    for key in _instances(caller, filter_):
        found = access.ask(element_search.elements_of, key, caller.username, processes=caller.processes)
        scopes |= {item.key: item.scope_key for item in found}
        results += map(_result, found)

    def read(item: ElementInstanceResult, name: str) -> Any:
        return scopes[item.element_instance_key] if name == "element_instance_scope_key" else getattr(item, name)

    wanted = Search(filter_.conditions(), tuple(group.conditions() for group in filter_.or_ or ()))
    return page_of(fulfilling(results, wanted, read), given)


def _instances(caller: Caller, filter_: ElementInstanceFilter) -> list[int]:
    if filter_.process_instance_key is not None:
        return [filter_.process_instance_key]
    for key in (filter_.element_instance_key, filter_.element_instance_scope_key):
        if key is not None:
            try:
                return [element_of(caller, key).case.key]
            except NotFound:
                return []
    named = ("process_definition_id", "process_definition_key")
    conditions = tuple(Condition(name, "eq", value) for name in named if (value := getattr(filter_, name)) is not None)
    wanted = Search(conditions, page=PageRequest(limit=_CASES))
    page = access.ask(process_search.search_process_instances, caller.username, wanted, processes=caller.processes)
    if page.total > _CASES or page.more:
        raise InvalidValue(
            f"案件太多，请给出 processInstanceKey（more than {_CASES} process instances: name one）",
            field="filter.processInstanceKey",
        )
    return [row.key for row in page.rows]


@router.get("/element-instances/{elementInstanceKey}", scope="read", errors=(404,))
def get_element_instance(caller: Caller, element_instance_key: Key) -> ElementInstanceResult:
    """Get an element instance."""
    return _result(element_of(caller, element_instance_key))


@router.post("/element-instances/{elementInstanceKey}/incidents/search", scope="read", errors=(404,))
def search_element_instance_incidents(
    caller: Caller, element_instance_key: Key, body: IncidentSearch | None
) -> SearchResponse[IncidentResult]:
    """Search the incidents of an element instance and of what lives in it, resolved ones included."""
    given = body or IncidentSearch()
    found = access.ask(element_search.incidents_in, element_instance_key, caller.username, processes=caller.processes)
    results = [
        IncidentResult(
            process_definition_id=item.case.bpmn_process_id,
            error_type=item.kind if item.kind in process_search.ERROR_TYPES else "UNKNOWN",  # type: ignore[arg-type]  # checked
            error_message=item.message,
            element_id=item.element_id,
            creation_time=item.raised_at,
            state="ACTIVE" if item.resolved_at is None else "RESOLVED",
            tenant_id=TENANT,
            incident_key=item.key,
            process_definition_key=item.case.definition_key,
            process_instance_key=item.case.key,
            root_process_instance_key=item.case.root_key,
            element_instance_key=item.element_key,
            job_key=item.element_key if item.kind == "JOB_NO_RETRIES" else None,
        )
        for item in found
    ]
    return page_of(fulfilling(results, given.search()), given)


# --- changing ---------------------------------------------------------------------------------------------------------


class SetVariables(Model):
    """Variables to set. `local` true: in this scope; false: where each is, outwards, and in the instance where it is nowhere."""

    variables: Variables
    local: bool = False
    operation_reference: OperationReference = None


class AdHocActivity(Model):
    """An element to start."""

    element_id: Id
    variables: Variables | None = None


class AdHocActivation(Model):
    """What is to start in an ad-hoc sub-process."""

    elements: list[AdHocActivity] = Field(min_length=1, max_length=100)
    cancel_remaining_instances: bool = False


@router.put("/element-instances/{elementInstanceKey}/variables", scope="admin", errors=(404, 409))
def create_element_instance_variables(caller: Caller, element_instance_key: Key, body: SetVariables) -> None:
    """Set variables in a live element instance or in a process instance, as administrators may."""
    found = element_of(caller, element_instance_key)
    access.run(set_element_variables, found.case.key, element_instance_key, body.variables, caller.username, local=body.local)


@router.post(
    "/element-instances/ad-hoc-activities/{adHocSubProcessInstanceKey}/activation", scope="tasks", errors=(404, 409, 501)
)
def activate_ad_hoc_sub_process_activities(caller: Caller, ad_hoc_sub_process_instance_key: Key, body: AdHocActivation) -> None:
    """Start elements of an ad-hoc sub-process that is offered to the caller."""
    for place, item in enumerate(body.elements):
        if item.variables:
            raise ApiProblem(501, "Elements are started without variables of their own.", field=f"elements[{place}].variables")
    if body.cancel_remaining_instances:
        raise ApiProblem(501, "What runs in the sub-process is not cancelled by this.", field="cancelRemainingInstances")
    found = element_of(caller, ad_hoc_sub_process_instance_key)
    chosen = [item.element_id for item in body.elements]
    access.run(commands.start_in_ad_hoc, found.case.key, ad_hoc_sub_process_instance_key, chosen, caller.username)
