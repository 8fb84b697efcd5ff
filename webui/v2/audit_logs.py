"""The audit log: who did what, told from the journal; its entries can be proved with `liuzhuan audit verify`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from engine.errors import InvalidValue, NotFound
from engine.queries import audit_log, process_search
from engine.queries.audit_log import Operation
from engine.queries.element_search import find_element
from engine.queries.listed import fulfilling
from engine.queries.searching import Condition, PageRequest, Search
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Key,
    KeyFilter,
    Model,
    Moment,
    MomentFilter,
    SearchRequest,
    SearchResponse,
    StringFilter,
    filter_of,
    page_of,
)
from webui.v2.user_tasks import task_of
from webui.v2.variables import LongKey

router = Router("Audit log")

_CASES = 300
"""Journals that a search reads which names no process instance."""

EntityType = Literal[
    "AUTHORIZATION",
    "BATCH",
    "CLIENT",
    "DECISION",
    "GROUP",
    "INCIDENT",
    "JOB",
    "MAPPING_RULE",
    "PROCESS_INSTANCE",
    "RESOURCE",
    "ROLE",
    "TENANT",
    "USER",
    "USER_TASK",
    "VARIABLE",
]
OperationType = Literal[
    "ASSIGN",
    "CANCEL",
    "COMPLETE",
    "CREATE",
    "DELETE",
    "EVALUATE",
    "MIGRATE",
    "MODIFY",
    "RESOLVE",
    "RESUME",
    "SUSPEND",
    "UNASSIGN",
    "UNKNOWN",
    "UPDATE",
]
ActorType = Literal["ANONYMOUS", "CLIENT", "UNKNOWN", "USER"]
Category = Literal["ADMIN", "DEPLOYED_RESOURCES", "USER_TASKS"]
Outcome = Literal["FAIL", "SUCCESS"]

_OperationFilter = filter_of("OperationTypeOperators", OperationType, like=True)
_OutcomeFilter = filter_of("AuditLogResultOperators", Outcome, like=True)
_ActorFilter = filter_of("ActorTypeOperators", ActorType, like=True)
_EntityFilter = filter_of("EntityTypeOperators", EntityType, like=True)
_CategoryFilter = filter_of("CategoryOperators", Category, like=True)


class AuditLogFilter(Filter):
    """What the audit log is searched by."""

    audit_log_key: filter_of("AuditLogKeyOperators", LongKey) = None  # type: ignore[valid-type]  # made, not written
    process_definition_key: KeyFilter = None
    process_instance_key: KeyFilter = None
    element_instance_key: KeyFilter = None
    operation_type: _OperationFilter = None  # type: ignore[valid-type]  # made, not written
    result: _OutcomeFilter = None  # type: ignore[valid-type]  # made, not written
    timestamp: MomentFilter = None
    actor_id: StringFilter = None
    actor_type: _ActorFilter = None  # type: ignore[valid-type]  # made, not written
    entity_key: StringFilter = None
    entity_type: _EntityFilter = None  # type: ignore[valid-type]  # made, not written
    tenant_id: StringFilter = None
    category: _CategoryFilter = None  # type: ignore[valid-type]  # made, not written
    deployment_key: KeyFilter = None
    process_definition_id: StringFilter = None
    job_key: KeyFilter = None
    user_task_key: KeyFilter = None
    entity_description: StringFilter = None

    MISSING: ClassVar[frozenset[str]] = frozenset(
        {
            "agentElementId",
            "formKey",
            "resourceKey",
            "batchOperationType",
            "decisionRequirementsId",
            "decisionRequirementsKey",
            "decisionDefinitionId",
            "decisionDefinitionKey",
            "decisionEvaluationKey",
            "relatedEntityKey",
            "relatedEntityType",
            "inboundChannelType",
            "inboundChannelToolName",
        }
    )


SortField = Literal[
    "actorId",
    "actorType",
    "auditLogKey",
    "batchOperationKey",
    "batchOperationType",
    "category",
    "decisionDefinitionId",
    "decisionDefinitionKey",
    "decisionEvaluationKey",
    "decisionRequirementsId",
    "decisionRequirementsKey",
    "elementInstanceKey",
    "entityKey",
    "entityType",
    "inboundChannelToolName",
    "inboundChannelType",
    "jobKey",
    "operationType",
    "processDefinitionId",
    "processDefinitionKey",
    "processInstanceKey",
    "result",
    "tenantId",
    "timestamp",
    "userTaskKey",
]


class AuditLogSearch(SearchRequest[AuditLogFilter, SortField]):
    """A search of the audit log."""


class UserTaskAuditLogFilter(Filter):
    """What a task's audit log is searched by."""

    operation_type: _OperationFilter = None  # type: ignore[valid-type]  # made, not written
    result: _OutcomeFilter = None  # type: ignore[valid-type]  # made, not written
    timestamp: MomentFilter = None
    actor_type: _ActorFilter = None  # type: ignore[valid-type]  # made, not written
    actor_id: StringFilter = None


class UserTaskAuditLogSearch(SearchRequest[UserTaskAuditLogFilter, SortField]):
    """A search of a task's audit log."""


class AuditLogResult(Model):
    """An operation."""

    audit_log_key: LongKey
    entity_key: str
    entity_type: EntityType
    operation_type: OperationType
    batch_operation_key: Key | None
    batch_operation_type: str | None
    timestamp: Moment
    actor_id: str | None
    actor_type: ActorType | None
    agent_element_id: str | None
    tenant_id: str | None
    result: Outcome
    category: Category
    process_definition_id: str | None
    process_definition_key: Key | None
    process_instance_key: Key | None
    root_process_instance_key: Key | None
    element_instance_key: Key | None
    job_key: Key | None
    user_task_key: Key | None
    decision_requirements_id: str | None
    decision_requirements_key: Key | None
    decision_definition_id: str | None
    decision_definition_key: Key | None
    decision_evaluation_key: Key | None
    deployment_key: Key | None
    form_key: Key | None
    resource_key: str | None
    related_entity_key: str | None
    related_entity_type: EntityType | None
    entity_description: str | None
    inbound_channel_type: str | None
    inbound_channel_tool_name: str | None


def _result(found: Operation) -> AuditLogResult:
    case = found.case
    nothing: dict[str, Any] = dict.fromkeys(AuditLogResult.model_fields)
    return AuditLogResult(
        **nothing
        | {
            "audit_log_key": found.key,
            "entity_key": found.entity_key,
            "entity_type": found.entity,
            "operation_type": found.operation,
            "timestamp": found.at,
            "actor_id": found.actor,
            "actor_type": "USER" if found.actor is not None else None,
            "tenant_id": TENANT,
            "result": "SUCCESS",
            "category": found.category,
            "process_definition_id": case.bpmn_process_id if case is not None else None,
            "process_definition_key": case.definition_key if case is not None else None,
            "process_instance_key": case.key if case is not None else None,
            "root_process_instance_key": case.root_key if case is not None else None,
            "element_instance_key": found.element_key,
            "job_key": found.job_key,
            "user_task_key": found.task_key,
            "deployment_key": found.deployment_key,
            "entity_description": found.description,
        }
    )


@router.post("/audit-logs/search", scope="read", errors=(501,))
def search_audit_logs(caller: Caller, body: AuditLogSearch | None) -> SearchResponse[AuditLogResult]:
    """Search the audit log; where there are many cases, `filter.processInstanceKey` is needed."""
    given = body or AuditLogSearch()
    wanted = given.search()
    found: list[Operation] = []
    keys = _instances(caller, wanted.conditions)
    if keys is None:
        found += access.ask(audit_log.operations_of_none, caller.username, processes=caller.processes)
        keys = _all_instances(caller, wanted.conditions)
    for key in keys:
        found += access.ask(audit_log.operations_of_case, key, caller.username, processes=caller.processes)
    return page_of(fulfilling(map(_result, found), wanted), given)


def _instances(caller: Caller, conditions: tuple[Condition, ...]) -> list[int] | None:
    """Return the process instances that the conditions name; None = they name none."""
    named = {item.field: item.value for item in conditions if item.operator == "eq"}
    named |= {item.field: item.value for item in conditions if item.operator == "in"}
    if "process_instance_key" in named:
        value = named["process_instance_key"]
        return sorted(set(value)) if isinstance(value, list) else [value]
    for name in ("user_task_key", "element_instance_key", "job_key"):
        if isinstance(named.get(name), int):
            try:
                found = access.ask(find_element, named[name], caller.username, processes=caller.processes)
            except NotFound:
                return []
            return [found.case.key]
    return None


def _all_instances(caller: Caller, conditions: tuple[Condition, ...]) -> list[int]:
    by_definition = tuple(item for item in conditions if item.field in {"process_definition_id", "process_definition_key"})
    wanted = Search(by_definition, page=PageRequest(limit=_CASES))
    page = access.ask(process_search.search_process_instances, caller.username, wanted, processes=caller.processes)
    if page.total > _CASES or page.more:
        raise InvalidValue(
            f"案件太多，请给出 processInstanceKey（more than {_CASES} process instances: name one）",
            field="filter.processInstanceKey",
        )
    return [row.key for row in page.rows]


@router.get("/audit-logs/{auditLogKey}", scope="read", errors=(404,))
def get_audit_log(caller: Caller, audit_log_key: LongKey) -> AuditLogResult:
    """Get an entry of the audit log."""
    return _result(access.ask(audit_log.find_operation, audit_log_key, caller.username, processes=caller.processes))


@router.post("/user-tasks/{userTaskKey}/audit-logs/search", scope="read", errors=(404,))
def search_user_task_audit_logs(
    caller: Caller, user_task_key: Key, body: UserTaskAuditLogSearch | None
) -> SearchResponse[AuditLogResult]:
    """Search what was done with a user task."""
    given = body or UserTaskAuditLogSearch()
    instance_key = task_of(caller, user_task_key).row.instance_key
    found = access.ask(audit_log.operations_of_case, instance_key, caller.username, processes=caller.processes)
    own = [_result(item) for item in found if item.task_key == user_task_key]
    return page_of(fulfilling(own, given.search()), given)
