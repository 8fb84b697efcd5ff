"""Process instances: start, search, get, cancel, where they stand and stood."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

from flask import request
from pydantic import Field, StringConstraints, model_validator

from engine import commands, queries
from engine.kernel.advance import FlowTaken
from engine.queries import process_search
from engine.queries.searching import Condition, PageRequest, Search
from engine.store.transactions import Found
from webui import access
from webui.v2 import incidents
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem, Overloaded
from webui.v2.process_definitions import definition
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    Integer,
    IntegerFilter,
    Key,
    KeyFilter,
    Model,
    Moment,
    MomentFilter,
    OperationReference,
    Operators,
    OwnTenant,
    SearchRequest,
    SearchResponse,
    StringFilter,
    Variables,
    filter_of,
)

router = Router("Process instance")

WAITERS = threading.BoundedSemaphore(4)
"""Requests that wait for a completion hold a thread each: so many at once."""
_WAIT = 10_000  # milliseconds, where the client does not say
_LONGEST_WAIT = 60_000

State = Literal["ACTIVE", "COMPLETED", "SUSPENDED", "TERMINATED"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]


# --- start ------------------------------------------------------------------------------------------------------------


class StartInstruction(Model):
    """Start before this element, instead of the start event."""

    element_id: Id


class RuntimeInstruction(Model):
    """What Camunda calls a runtime instruction: refused by name."""

    type: str | None = None
    after_element_id: Id


class ProcessInstanceCreation(Model):
    """A request to start an instance: by id (the newest version, or one by number or tag), or by key."""

    process_definition_id: Id | None = None
    process_definition_key: Key | None = None
    process_definition_version: Integer | None = None
    process_definition_version_tag: Id | None = None
    variables: Variables | None = None
    tenant_id: OwnTenant = None
    operation_reference: OperationReference = None
    start_instructions: list[StartInstruction] | None = Field(default=None, max_length=100)
    runtime_instructions: list[RuntimeInstruction] | None = Field(default=None, max_length=100)
    await_completion: bool | None = None
    fetch_variables: list[Id] | None = Field(default=None, max_length=1000)
    request_timeout: int | None = Field(default=None, ge=0, le=2**31 - 1)
    tags: list[Tag] | None = Field(default=None, max_length=10)
    business_id: Id | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ProcessInstanceCreation:
        if (self.process_definition_id is None) == (self.process_definition_key is None):
            raise ValueError("takes either processDefinitionId or processDefinitionKey")
        if self.process_definition_version_tag is not None and (
            self.process_definition_key is not None or self.process_definition_version is not None
        ):
            raise ValueError("takes processDefinitionVersionTag with processDefinitionId alone")
        return self


class CreateProcessInstanceResult(Model):
    """An instance that was started; `variables` are filled where its completion was awaited."""

    process_definition_id: str
    process_definition_version: int
    tenant_id: str
    variables: dict[str, Any]
    process_definition_key: Key
    process_instance_key: Key
    tags: list[str]
    business_id: str | None


@router.post("/process-instances", scope="start", errors=(404, 409, 501, 504))
def create_process_instance(caller: Caller, body: ProcessInstanceCreation) -> CreateProcessInstanceResult:
    """Start a process instance; the header `Idempotency-Key` makes a repeated request give the first answer."""
    if body.runtime_instructions:
        raise ApiProblem(501, "Liuzhuan does not implement runtime instructions.", field="runtimeInstructions")
    version = body.process_definition_version
    which = commands.Which(
        key=body.process_definition_key,
        bpmn_process_id=body.process_definition_id,
        version=None if version == -1 else version,  # Camunda's word for the newest
        version_tag=body.process_definition_version_tag,
    )
    once = request.headers.get("Idempotency-Key")
    if once is not None and not 1 <= len(once) <= 255:
        raise ApiProblem(400, "Idempotency-Key takes 1 to 255 characters.", field="Idempotency-Key")
    awaits = bool(body.await_completion)
    if awaits and not WAITERS.acquire(blocking=False):
        raise Overloaded("too many requests wait for a completion; try again")
    try:
        created = access.run(
            commands.create_instance,
            which,
            caller.username,
            body.variables,
            business_id=body.business_id,
            unique=access.settings().unique_business_ids,
            tags=body.tags or (),
            at=[item.element_id for item in body.start_instructions or ()],
            processes=caller.processes,
            idempotency_key=once,
        )
        values = _outcome(created.key, body) if awaits else {}
    finally:
        if awaits:
            WAITERS.release()
    return CreateProcessInstanceResult(
        process_definition_id=created.bpmn_process_id,
        process_definition_version=created.version,
        tenant_id=TENANT,
        variables=values,
        process_definition_key=created.definition_key,
        process_instance_key=created.key,
        tags=list(created.tags),
        business_id=created.business_id,
    )


def _outcome(key: int, body: ProcessInstanceCreation) -> dict[str, Any]:
    """Wait until an instance has ended; return its variables, or those asked for.

    Raises:
        ApiProblem: 504, it took too long (it goes on); 409, it was cancelled.
    """
    milliseconds = min(body.request_timeout or _WAIT, _LONGEST_WAIT)
    end = time.monotonic() + milliseconds / 1000
    pause = 0.01
    while (state := access.ask(queries.find_instance, key).state) == "ACTIVE":
        left = end - time.monotonic()
        if left <= 0:
            raise ApiProblem(
                504,
                f"Process instance {key} has not completed within {milliseconds} ms; it goes on.",
                processInstanceKey=str(key),
            )
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.2)
    if state != "COMPLETED":
        raise ApiProblem(409, f"Process instance {key} was terminated.", processInstanceKey=str(key))
    found = access.ask(queries.variables, key)
    wanted = body.fetch_variables
    return found if not wanted else {name: found[name] for name in wanted if name in found}


# --- search and get ---------------------------------------------------------------------------------------------------

StateFilter = filter_of("ProcessInstanceStateOperators", State, like=True)
ElementState = Literal["ACTIVE", "COMPLETED", "TERMINATED"]


class VariableFilter(Model):
    """A variable of the instance itself: its value as JSON text."""

    name: Id
    value: StringFilter


class ProcessInstanceFields(Filter):
    """What process instances are searched by; `elementId` finds what is live there, with `elementInstanceState` ACTIVE."""

    process_definition_id: StringFilter = None
    process_definition_name: StringFilter = None
    process_definition_version: IntegerFilter = None
    process_definition_version_tag: StringFilter = None
    process_definition_key: KeyFilter = None
    start_date: MomentFilter = None
    end_date: MomentFilter = None
    state: StateFilter = None  # type: ignore[valid-type]  # made, not written
    has_incident: bool | None = None
    suspended_date: MomentFilter = None
    tenant_id: StringFilter = None
    variables: list[VariableFilter] | None = Field(default=None, max_length=50)
    process_instance_key: KeyFilter = None
    parent_process_instance_key: KeyFilter = None
    parent_element_instance_key: KeyFilter = None
    error_message: StringFilter = None
    element_instance_state: Literal["ACTIVE"] | None = None
    element_id: StringFilter = None
    tags: list[Tag] | None = Field(default=None, max_length=10)
    business_id: StringFilter = None

    APART: ClassVar[frozenset[str]] = frozenset({"variables", "element_instance_state", "element_id", "tags", "or_"})
    MISSING: ClassVar[frozenset[str]] = frozenset(
        {"batchOperationId", "batchOperationKey", "hasElementInstanceIncident", "hasRetriesLeft", "incidentErrorHashCode"}
    )

    @model_validator(mode="after")
    def _live(self) -> ProcessInstanceFields:
        if self.element_id is not None and self.element_instance_state is None:
            raise ApiProblem(
                501,
                "elementId is searched among live element instances only: add elementInstanceState ACTIVE.",
                field="filter.elementId",
            )
        if self.element_instance_state is not None and self.element_id is None:
            raise ValueError("takes elementInstanceState with elementId")
        return self

    def conditions(self) -> tuple[Condition, ...]:
        """Return the engine's conditions."""
        found = [*super().conditions(), *(Condition("tag", "eq", tag) for tag in self.tags or ())]
        for item in self.variables or ():
            if isinstance(item.value, Operators):
                found += [Condition("variable", each.operator, (item.name, each.value)) for each in item.value.conditions("")]
            else:
                found.append(Condition("variable", "eq", (item.name, item.value)))
        if isinstance(self.element_id, Operators):
            found += self.element_id.conditions("live_element_id")
        elif self.element_id is not None:
            found.append(Condition("live_element_id", "eq", self.element_id))
        return tuple(found)


class ProcessInstanceFilter(ProcessInstanceFields):
    """What process instances are searched by; of `$or`, one group holds besides."""

    or_: list[ProcessInstanceFields] | None = Field(default=None, alias="$or", max_length=50)


class ProcessInstanceSearch(
    SearchRequest[
        ProcessInstanceFilter,
        Literal[
            "businessId",
            "endDate",
            "hasIncident",
            "parentElementInstanceKey",
            "parentProcessInstanceKey",
            "processDefinitionId",
            "processDefinitionKey",
            "processDefinitionName",
            "processDefinitionVersion",
            "processDefinitionVersionTag",
            "processInstanceKey",
            "startDate",
            "state",
            "suspendedDate",
            "tenantId",
        ],
    ]
):
    """A search of process instances."""

    def wanted(self) -> Search:
        """Return the engine's search."""
        return self.search(any_of=self.filter.or_ if self.filter else None)


class ProcessInstanceResult(Model):
    """A process instance."""

    process_definition_id: str
    process_definition_name: str | None
    process_definition_version: int
    process_definition_version_tag: str | None
    start_date: Moment
    end_date: Moment | None
    state: State
    suspended_date: Moment | None
    has_incident: bool
    tenant_id: str
    process_instance_key: Key
    process_definition_key: Key
    parent_process_instance_key: Key | None
    parent_element_instance_key: Key | None
    root_process_instance_key: Key | None
    tags: list[str]
    business_id: str | None


def _result(row: Found, tags: list[str]) -> ProcessInstanceResult:
    return ProcessInstanceResult(
        process_definition_id=row.bpmn_process_id,
        process_definition_name=row.name or None,
        process_definition_version=row.version,
        process_definition_version_tag=row.version_tag,
        start_date=row.started_at,
        end_date=row.ended_at,
        state=row.state,
        suspended_date=row.suspended_at,
        has_incident=bool(row.has_incident),
        tenant_id=TENANT,
        process_instance_key=row.key,
        process_definition_key=row.definition_key,
        parent_process_instance_key=row.parent_key,
        parent_element_instance_key=row.parent_element_key,
        root_process_instance_key=row.root_key,
        tags=tags,
        business_id=row.business_id,
    )


def visible(caller: Caller, key: int) -> Found:
    """Return a process instance that the caller may see.

    Raises:
        NotFound: there is none, or the caller may not know of it.
    """
    return access.ask(process_search.find_process_instance, key, caller.username, processes=caller.processes)


@router.post("/process-instances/search", scope="read", errors=(501,))
def search_process_instances(caller: Caller, body: ProcessInstanceSearch | None) -> SearchResponse[ProcessInstanceResult]:
    """Search process instances."""
    wanted = (body or ProcessInstanceSearch()).wanted()
    page = access.ask(process_search.search_process_instances, caller.username, wanted, processes=caller.processes)
    tags = access.ask(process_search.tags_of, [row.key for row in page.rows])
    return SearchResponse[ProcessInstanceResult].of([_result(row, tags[row.key]) for row in page.rows], page)


@router.get("/process-instances/{processInstanceKey}", scope="read", errors=(404,))
def get_process_instance(caller: Caller, process_instance_key: Key) -> ProcessInstanceResult:
    """Get a process instance."""
    row = visible(caller, process_instance_key)
    return _result(row, access.ask(process_search.tags_of, [row.key])[row.key])


# --- what becomes of it -----------------------------------------------------------------------------------------------


class CancelRequest(Model):
    """A request to cancel an instance."""

    operation_reference: OperationReference = None


@router.post("/process-instances/{processInstanceKey}/cancellation", scope="admin", errors=(404, 409))
def cancel_process_instance(caller: Caller, process_instance_key: Key, body: CancelRequest | None) -> None:
    """Cancel a process instance, and what it called."""
    visible(caller, process_instance_key)
    reason = "通过 API 终止（cancelled through the API）"
    access.run(commands.cancel_instance, process_instance_key, caller.username, reason)


class CallHierarchyEntry(Model):
    """An instance on the way from the outermost to the one asked for."""

    process_instance_key: Key
    process_definition_key: Key
    process_definition_name: str


@router.get("/process-instances/{processInstanceKey}/call-hierarchy", scope="read", errors=(404,))
def get_process_instance_call_hierarchy(caller: Caller, process_instance_key: Key) -> list[CallHierarchyEntry]:
    """Get the instances that called this one, the outermost first, itself last."""
    visible(caller, process_instance_key)
    return [
        CallHierarchyEntry(
            process_instance_key=row.key,
            process_definition_key=row.definition_key,
            process_definition_name=row.name or row.bpmn_process_id,
        )
        for row in access.ask(process_search.callers, process_instance_key)
        if caller.processes is None or row.bpmn_process_id in caller.processes
    ]


class SequenceFlowResult(Model):
    """A sequence flow that was taken."""

    sequence_flow_id: str
    process_instance_key: Key
    root_process_instance_key: Key | None
    process_definition_key: Key | None
    process_definition_id: str | None
    element_id: str
    tenant_id: str


class SequenceFlowsResult(Model):
    """The sequence flows that were taken, each once."""

    items: list[SequenceFlowResult]


@router.get("/process-instances/{processInstanceKey}/sequence-flows", scope="read", errors=(404,))
def get_process_instance_sequence_flows(caller: Caller, process_instance_key: Key) -> SequenceFlowsResult:
    """Get the sequence flows that an instance took."""
    row = visible(caller, process_instance_key)
    entries = access.ask(queries.journal, process_instance_key, caller.username)
    taken = dict.fromkeys(event.flow_id for entry in entries for event in entry.events if isinstance(event, FlowTaken))
    return SequenceFlowsResult(
        items=[
            SequenceFlowResult(
                sequence_flow_id=f"{row.key}_{flow_id}",
                process_instance_key=row.key,
                root_process_instance_key=row.root_key,
                process_definition_key=row.definition_key,
                process_definition_id=row.bpmn_process_id,
                element_id=flow_id,
                tenant_id=TENANT,
            )
            for flow_id in taken
        ]
    )


class ElementStatistics(Model):
    """How many instances of an element there are and were."""

    element_id: str
    active: int
    canceled: int
    incidents: int
    completed: int


class ElementStatisticsResult(Model):
    """Counts by element."""

    items: list[ElementStatistics]


@router.get("/process-instances/{processInstanceKey}/statistics/element-instances", scope="read", errors=(404,))
def get_process_instance_statistics(caller: Caller, process_instance_key: Key) -> ElementStatisticsResult:
    """Count an instance's element instances by element."""
    visible(caller, process_instance_key)
    return _element_statistics(_element_counts(process_instance_key))


def _element_counts(instance_key: int) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for item in access.ask(queries.element_states, instance_key):
        counts.setdefault(item.element_id, Counter())[item.state] += 1
    for incident in access.ask(queries.incidents, instance_key):
        counts.setdefault(incident.element_id, Counter())["INCIDENT"] += 1
    return counts


def _element_statistics(counts: dict[str, Counter[str]]) -> ElementStatisticsResult:
    return ElementStatisticsResult(
        items=[
            ElementStatistics(
                element_id=element_id,
                active=found["ACTIVE"],
                canceled=found["TERMINATED"],
                incidents=found["INCIDENT"],
                completed=found["COMPLETED"],
            )
            for element_id, found in counts.items()
        ]
    )


class DefinitionStatisticsRequest(Model):
    """Which instances of a definition are counted."""

    filter: ProcessInstanceFields | None = None


_COUNTED = 1_000


@router.post("/process-definitions/{processDefinitionKey}/statistics/element-instances", scope="read", errors=(404, 501))
def get_process_definition_statistics(
    caller: Caller, process_definition_key: Key, body: DefinitionStatisticsRequest | None
) -> ElementStatisticsResult:
    """Count the element instances of a definition's instances by element: at most 1,000 instances."""
    definition(caller, process_definition_key)
    given = body.filter.conditions() if body is not None and body.filter is not None else ()
    conditions = (*given, Condition("process_definition_key", "eq", process_definition_key))
    wanted = Search(conditions, page=PageRequest(limit=_COUNTED + 1))
    rows = access.ask(process_search.search_process_instances, caller.username, wanted, processes=caller.processes).rows
    if len(rows) > _COUNTED:
        raise ApiProblem(400, f"More than {_COUNTED} instances are meant: narrow the filter.", field="filter")
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for element_id, found in _element_counts(row.key).items():
            counts.setdefault(element_id, Counter()).update(found)
    return _element_statistics(counts)


# --- its incidents ----------------------------------------------------------------------------------------------------


@router.post("/process-instances/{processInstanceKey}/incidents/search", scope="read", errors=(404, 501))
def search_process_instance_incidents(
    caller: Caller, process_instance_key: Key, body: incidents.IncidentSearch | None
) -> SearchResponse[incidents.IncidentResult]:
    """Search the incidents of an instance and of those that it called."""
    visible(caller, process_instance_key)
    wanted = incidents.wanted(body or incidents.IncidentSearch())
    page = access.ask(
        process_search.search_incidents, caller.username, wanted, below=process_instance_key, processes=caller.processes
    )
    return SearchResponse[incidents.IncidentResult].of([incidents.result(row) for row in page.rows], page)
