"""Jobs of service tasks: workers take, complete and fail them; whoever may see the case searches them.

Work on jobs is for tokens with the scope `jobs`, which administrators issue, and for administrators themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from flask import current_app
from pydantic import Field

from engine.commands import jobs as commands
from engine.errors import NotFound
from engine.jobs.due import BUILT_IN
from engine.queries import job_search
from engine.queries.searching import Search
from engine.store.transactions import Found
from webui import access
from webui.v2 import polling
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
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
    OwnTenant,
    SearchRequest,
    SearchResponse,
    StringFilter,
    Text,
    Variables,
    filter_of,
)

router = Router("Job")

MOST = 1_000
"""Jobs in one activation, whatever a client asks for."""
DEFAULT_WAIT = 10.0
"""Seconds that an activation waits for jobs where the client leaves it to us."""

_LONGEST = commands.LONGEST // timedelta(milliseconds=1)

Kind = Literal["AD_HOC_SUB_PROCESS", "BPMN_ELEMENT", "EXECUTION_LISTENER", "TASK_LISTENER"]
ListenerEvent = Literal[
    "ASSIGNING", "BEFORE_ALL", "CANCEL", "CANCELING", "COMPLETING", "CREATING", "END", "START", "UNSPECIFIED", "UPDATING"
]
State = Literal[
    "CANCELED",
    "COMPLETED",
    "CREATED",
    "ERROR_THROWN",
    "FAILED",
    "MIGRATED",
    "PRIORITY_UPDATED",
    "RETRIES_UPDATED",
    "TIMED_OUT",
    "TIMEOUT_UPDATED",
]
_ENDED = frozenset({"CANCELED", "COMPLETED"})
Milliseconds = Annotated[int, Field(ge=1, le=_LONGEST)]

# --- working on jobs --------------------------------------------------------------------------------------------------


class JobActivation(Model):
    """A request for jobs.

    `requestTimeout` in ms: 0 = the server's default, less = do not wait. `fetchVariable`: empty = all variables.
    """

    type: Id
    worker: Annotated[Text, Field(max_length=255)] = ""
    timeout: Milliseconds
    max_jobs_to_activate: Annotated[int, Field(ge=1, le=2**31 - 1)]
    fetch_variable: list[Text] | None = None
    request_timeout: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    tenant_ids: list[OwnTenant] | None = None
    tenant_filter: Literal["ASSIGNED", "PROVIDED"] | None = None
    with_lease: bool | None = None


class ActivatedJob(Model):
    """A job that the worker has until `deadline` (milliseconds since 1970)."""

    type: str
    process_definition_id: str
    process_definition_version: int
    element_id: str
    custom_headers: Variables
    worker: str
    retries: int
    deadline: int
    variables: Variables
    tenant_id: str
    physical_tenant_id: str
    job_key: Key
    process_instance_key: Key
    process_definition_key: Key
    element_instance_key: Key
    kind: Kind
    listener_event_type: ListenerEvent
    user_task: None
    tags: list[str]
    root_process_instance_key: Key | None
    business_id: str | None
    priority: int
    job_lease_token: str | None


class JobActivationResponse(Model):
    """The jobs that were taken."""

    jobs: list[ActivatedJob]


class _Fenced(Model):
    job_lease_token: Text | None = None


class JobCompletion(_Fenced):
    """The end of a job. `result` is for listeners' and ad-hoc sub-processes' jobs, which we do not have."""

    variables: Variables | None = None
    result: Variables | None = None
    business_id: Text | None = None


class JobFailure(_Fenced):
    """A failure: `retries` left (0 where it is not given), the pause before the next try in ms."""

    retries: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    error_message: Text | None = None
    retry_back_off: Annotated[int, Field(ge=0, le=_LONGEST)] | None = None
    variables: Variables | None = None


class JobError(_Fenced):
    """A BPMN error."""

    error_code: Id
    error_message: Text | None = None
    variables: Variables | None = None


class JobChangeset(Model):
    """What is changed: retries left; the timeout in ms from now."""

    retries: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    timeout: Milliseconds | None = None
    priority: Integer | None = None


class JobUpdate(_Fenced):
    """A change of a job."""

    changeset: JobChangeset
    operation_reference: OperationReference = None


def check_worker(caller: Caller) -> None:
    """Check that somebody may work on jobs: a token (its scope is checked before) or an administrator.

    Raises:
        ApiProblem: 403.
    """
    if caller.scopes is None and not caller.person.is_admin:
        raise ApiProblem(403, "Jobs are worked on with a token of the scope 'jobs', or by administrators.")


@router.post("/jobs/activation", scope="jobs")
def activate_jobs(caller: Caller, body: JobActivation) -> JobActivationResponse:
    """Take jobs of a type, waiting for some where there are none."""
    check_worker(caller)
    if body.with_lease:
        raise ApiProblem(501, "Liuzhuan does not implement job leases.", field="withLease")
    if body.type in BUILT_IN:
        raise ApiProblem(400, f"The engine does jobs of the type {body.type!r} itself.", field="type")
    ctx = access.context()
    most, timeout = min(body.max_jobs_to_activate, MOST), timedelta(milliseconds=body.timeout)

    def look() -> list[commands.ActivatedJob]:
        if not commands.are_offered(ctx, body.type, caller.processes):
            return []
        return commands.take_jobs(ctx, body.type, body.worker, most, timeout, caller.username, processes=caller.processes)

    seconds = body.request_timeout / 1000 if body.request_timeout else DEFAULT_WAIT
    places = polling.polls(current_app, access.engine())
    taken = places.poll(look, seconds, polling.client_gone())
    shown = access.ask(job_search.shown_to_worker, caller.username, taken, body.fetch_variable or None) if taken else {}
    return JobActivationResponse(jobs=[_activated(job, shown[job.key]) for job in taken])


@router.post("/jobs/{jobKey}/completion", scope="jobs", errors=(404, 409, 501))
def complete_job(caller: Caller, job_key: Key, body: JobCompletion | None) -> None:
    """Complete a job with its variables."""
    given = body or JobCompletion()
    _check(caller, job_key, given)
    for name in ("result", "business_id"):
        if getattr(given, name) is not None:
            field = "businessId" if name == "business_id" else name
            raise ApiProblem(501, f"Liuzhuan does not implement {field} of a job's completion.", field=field)
    access.run(commands.complete_job, job_key, given.variables, caller.username)


@router.post("/jobs/{jobKey}/failure", scope="jobs", errors=(404, 409, 501))
def fail_job(caller: Caller, job_key: Key, body: JobFailure | None) -> None:
    """Say that a job failed; without retries left, its element holds an incident."""
    given = body or JobFailure()
    _check(caller, job_key, given)
    pause = timedelta(milliseconds=given.retry_back_off or 0)
    retries, message = given.retries or 0, given.error_message or ""
    access.run(commands.fail_job, job_key, retries, message, pause, given.variables, caller.username)


@router.post("/jobs/{jobKey}/error", scope="jobs", errors=(404, 409, 501))
def throw_job_error(caller: Caller, job_key: Key, body: JobError) -> None:
    """End a job by a BPMN error."""
    _check(caller, job_key, body)
    message = body.error_message or ""
    access.run(commands.throw_job_error, job_key, body.error_code, message, body.variables, caller.username)


@router.patch("/jobs/{jobKey}", scope="jobs", errors=(404, 409, 501))
def update_job(caller: Caller, job_key: Key, body: JobUpdate) -> None:
    """Change a job's retries, or the time that its worker has."""
    _check(caller, job_key, body)
    changes = body.changeset
    if changes.priority is not None:
        raise ApiProblem(501, "Liuzhuan does not implement priorities of jobs.", field="changeset.priority")
    if changes.retries is None and changes.timeout is None:
        raise ApiProblem(400, "The changeset is empty.", field="changeset")
    timeout = timedelta(milliseconds=changes.timeout) if changes.timeout is not None else None
    access.run(commands.update_job, job_key, retries=changes.retries, timeout=timeout, by=caller.username)


def _check(caller: Caller, key: int, given: _Fenced) -> None:
    """Check that the caller may work on a job, and that it is a worker's."""
    check_worker(caller)
    place = access.ask(job_search.job_place, key)
    if place is None:
        raise NotFound(f"没有作业 {key}（no such job: completed or cancelled before?）")
    job_type, process = place
    caller.check_process(process)
    if job_type in BUILT_IN:
        raise ApiProblem(409, f"The engine does jobs of the type {job_type!r} itself.")
    if given.job_lease_token is not None:
        raise ApiProblem(501, "Liuzhuan does not implement job leases.", field="jobLeaseToken")


def _activated(job: commands.ActivatedJob, shown: job_search.Shown) -> ActivatedJob:
    return ActivatedJob(
        type=job.type,
        process_definition_id=job.bpmn_process_id,
        process_definition_version=job.version,
        element_id=job.element_id,
        custom_headers=dict(job.headers),
        worker=job.worker,
        retries=job.retries,
        deadline=int(job.locked_until.timestamp() * 1000),
        variables=dict(shown.variables),
        tenant_id=TENANT,
        physical_tenant_id=TENANT,
        job_key=job.key,
        process_instance_key=job.process_instance_key,
        process_definition_key=job.process_definition_key,
        element_instance_key=job.key,
        kind="BPMN_ELEMENT",
        listener_event_type="UNSPECIFIED",
        user_task=None,
        tags=list(shown.tags),
        root_process_instance_key=job.root_instance_key,
        business_id=job.business_id,
        priority=0,
        job_lease_token=None,
    )


# --- searching --------------------------------------------------------------------------------------------------------


class JobFilter(Filter):
    """What jobs are searched by."""

    MISSING = frozenset({"endTime", "errorCode", "lastUpdateTime"})

    deadline: MomentFilter = None
    denied_reason: StringFilter = None
    element_id: StringFilter = None
    element_instance_key: KeyFilter = None
    error_message: StringFilter = None
    has_failed_with_retries_left: bool | None = None
    is_denied: bool | None = None
    job_key: KeyFilter = None
    kind: filter_of("JobKindOperators", Kind, like=True) = None  # type: ignore[valid-type]  # made, not written
    listener_event_type: filter_of("ListenerEventOperators", ListenerEvent, like=True) = None  # type: ignore[valid-type]
    priority: IntegerFilter = None
    process_definition_id: StringFilter = None
    process_definition_key: KeyFilter = None
    process_instance_key: KeyFilter = None
    retries: IntegerFilter = None
    state: filter_of("JobStateOperators", State, like=True) = None  # type: ignore[valid-type]
    tenant_id: StringFilter = None
    type: StringFilter = None
    worker: StringFilter = None
    creation_time: MomentFilter = None


class JobSearch(
    SearchRequest[
        JobFilter,
        Literal[
            "creationTime",
            "deadline",
            "deniedReason",
            "elementId",
            "elementInstanceKey",
            "endTime",
            "errorCode",
            "errorMessage",
            "hasFailedWithRetriesLeft",
            "isDenied",
            "jobKey",
            "kind",
            "listenerEventType",
            "priority",
            "processDefinitionId",
            "processDefinitionKey",
            "processInstanceKey",
            "retries",
            "state",
            "tenantId",
            "type",
            "worker",
        ],
    ]
):
    """A search of jobs."""


class JobResult(Model):
    """A job that waits."""

    custom_headers: Variables
    deadline: Moment | None
    denied_reason: str | None
    element_id: str | None
    element_instance_key: Key
    end_time: Moment | None
    error_code: str | None
    error_message: str | None
    has_failed_with_retries_left: bool
    is_denied: bool | None
    job_key: Key
    kind: Kind
    listener_event_type: ListenerEvent
    process_definition_id: str | None
    process_definition_key: Key | None
    process_instance_key: Key
    root_process_instance_key: Key | None
    business_id: str | None
    retries: int
    state: State
    tenant_id: str
    type: str
    worker: str
    creation_time: Moment | None
    last_update_time: Moment | None
    priority: int


@router.post("/jobs/search", scope="read", errors=(501,))
def search_jobs(caller: Caller, body: JobSearch | None) -> SearchResponse[JobResult]:
    """Search the jobs that wait."""
    found = access.ask(job_search.search_jobs, caller.username, _wanted(body or JobSearch()), processes=caller.processes)
    items = [_result(row, row.key in found.veiled) for row in found.page.rows]
    return SearchResponse[JobResult].of(items, found.page)


def _wanted(body: JobSearch) -> Search:
    search = body.search()
    for item in search.conditions:
        values: list[Any] = item.value if isinstance(item.value, list) else [item.value]
        if item.field == "state" and item.operator in {"eq", "in"} and _ENDED.intersection(values):
            raise ApiProblem(501, "Jobs that ended are kept in the journal, not searched here.", field="filter.state")
    return search


def _result(row: Found, veiled: bool) -> JobResult:
    return JobResult(
        custom_headers=dict(row.headers or {}),
        deadline=row.locked_until,
        denied_reason=None,
        element_id=row.element_id,
        element_instance_key=row.element_key,
        end_time=None,
        error_code=None,
        error_message=None if veiled else row.error_message,
        has_failed_with_retries_left=bool(row.failed_with_retries),
        is_denied=None,
        job_key=row.key,
        kind="BPMN_ELEMENT",
        listener_event_type="UNSPECIFIED",
        process_definition_id=row.bpmn_process_id,
        process_definition_key=row.definition_key,
        process_instance_key=row.instance_key,
        root_process_instance_key=row.root_key,
        business_id=row.business_id,
        retries=row.retries,
        state=row.state,
        tenant_id=TENANT,
        type=row.type,
        worker=row.worker or "",
        creation_time=row.created_at,
        last_update_time=None,
        priority=0,
    )
