"""Decision instances: what decisions did in cases, with the rules that matched, as the journal tells it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from engine.queries import decisions
from engine.queries.decisions import DecisionInstance
from engine.store import exact_json
from webui import access
from webui.v2.authentication import Caller
from webui.v2.decisions import EvaluatedInput, MatchedRule, evaluated_inputs, matched_rules
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    Integer,
    Key,
    KeyFilter,
    Model,
    Moment,
    MomentFilter,
    OwnTenant,
    SearchRequest,
    SearchResponse,
    StringFilter,
    Text,
    filter_of,
)

router = Router("Decision instance")

InstanceKey = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9]{1,10}$")]
State = Literal["EVALUATED", "FAILED", "UNSPECIFIED", "UNKNOWN"]
InstanceKeyFilter = filter_of("DecisionEvaluationInstanceKeyOperators", InstanceKey)
StateFilter = filter_of("DecisionInstanceStateOperators", State, like=True)


class DecisionInstanceFilter(Filter):
    """What past evaluations are searched by."""

    decision_evaluation_instance_key: InstanceKeyFilter = None  # type: ignore[valid-type]  # made, not written
    state: StateFilter = None  # type: ignore[valid-type]  # made, not written
    evaluation_failure: Text | None = None
    evaluation_date: MomentFilter = None
    decision_definition_id: Id | None = None
    decision_definition_name: Id | None = None
    decision_definition_version: Integer | None = None
    decision_definition_type: Literal["DECISION_TABLE", "LITERAL_EXPRESSION", "UNSPECIFIED", "UNKNOWN"] | None = None
    tenant_id: OwnTenant = None
    decision_evaluation_key: Key | None = None
    process_definition_key: Key | None = None
    process_instance_key: Key | None = None
    business_id: StringFilter = None
    decision_definition_key: KeyFilter = None
    element_instance_key: KeyFilter = None
    root_decision_definition_key: KeyFilter = None
    decision_requirements_key: KeyFilter = None


class DecisionInstanceSearch(
    SearchRequest[
        DecisionInstanceFilter,
        Literal[
            "businessId",
            "decisionDefinitionId",
            "decisionDefinitionKey",
            "decisionDefinitionName",
            "decisionDefinitionType",
            "decisionDefinitionVersion",
            "decisionEvaluationInstanceKey",
            "decisionEvaluationKey",
            "elementInstanceKey",
            "evaluationDate",
            "evaluationFailure",
            "processDefinitionKey",
            "processInstanceKey",
            "rootDecisionDefinitionKey",
            "state",
            "tenantId",
        ],
    ]
):
    """A search of past evaluations."""


class DecisionInstanceResult(Model):
    """What one decision did in a case; `result` is JSON text."""

    business_id: str | None
    decision_definition_id: str
    decision_definition_key: Key
    decision_definition_name: str
    decision_definition_type: str
    decision_definition_version: int
    decision_evaluation_instance_key: str
    decision_evaluation_key: Key
    element_instance_key: Key | None
    evaluation_date: Moment
    evaluation_failure: str | None
    process_definition_key: Key | None
    process_instance_key: Key | None
    result: str
    root_decision_definition_key: Key
    root_process_instance_key: Key | None
    state: State
    tenant_id: str


class DecisionInstanceGetResult(DecisionInstanceResult):
    """The same with a table's inputs, and the rules that matched."""

    evaluated_inputs: list[EvaluatedInput]
    matched_rules: list[MatchedRule]


@router.post("/decision-instances/search", scope="read")
def search_decision_instances(caller: Caller, body: DecisionInstanceSearch | None) -> SearchResponse[DecisionInstanceResult]:
    """Search what decisions did in cases; of more than 500 cases, one has to be named (processInstanceKey, businessId)."""
    wanted = body or DecisionInstanceSearch()
    found, page = access.ask(decisions.search_decision_instances, caller.username, wanted.search(), processes=caller.processes)
    return SearchResponse[DecisionInstanceResult].of([DecisionInstanceResult(**_fields(item)) for item in found], page)


@router.get("/decision-instances/{decisionEvaluationInstanceKey}", scope="read", errors=(404,))
def get_decision_instance(caller: Caller, decision_evaluation_instance_key: InstanceKey) -> DecisionInstanceGetResult:
    """Get what one decision did in a case, with the rules that matched."""
    found = access.ask(
        decisions.find_decision_instance, decision_evaluation_instance_key, caller.username, processes=caller.processes
    )
    return DecisionInstanceGetResult(
        **_fields(found), evaluated_inputs=evaluated_inputs(found.decided), matched_rules=matched_rules(found.decided)
    )


def _fields(item: DecisionInstance) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: getattr(item, name) for name in DecisionInstanceResult.model_fields if name not in {"result", "tenant_id"}
    }
    return found | {"result": exact_json.dumps(item.decided.result), "tenant_id": TENANT}
