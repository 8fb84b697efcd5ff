"""Decision definitions, and the files that hold them (Camunda's requirements): search, get, the file, evaluate."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from engine import queries
from engine.queries import decisions
from engine.queries.decisions import Decided, DecisionVersionView, RequirementsVersion
from engine.store import exact_json
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Answer, Router
from webui.v2.schemas import TENANT, Filter, Id, Integer, Key, Model, OwnTenant, SearchRequest, SearchResponse, Variables

router = Router("Decision definition")


class DecisionDefinitionFilter(Filter):
    """What versions of decisions are searched by."""

    decision_definition_id: Id | None = None
    name: Id | None = None
    is_latest_version: bool | None = None
    version: Integer | None = None
    decision_requirements_id: Id | None = None
    tenant_id: OwnTenant = None
    decision_definition_key: Key | None = None
    decision_requirements_key: Key | None = None
    decision_requirements_name: Id | None = None
    decision_requirements_version: Integer | None = None


class DecisionDefinitionSearch(
    SearchRequest[
        DecisionDefinitionFilter,
        Literal[
            "decisionDefinitionId",
            "decisionDefinitionKey",
            "decisionRequirementsId",
            "decisionRequirementsKey",
            "decisionRequirementsName",
            "decisionRequirementsVersion",
            "name",
            "tenantId",
            "version",
        ],
    ]
):
    """A search of versions of decisions."""


class DecisionDefinitionResult(Model):
    """A version of a decision."""

    decision_definition_id: str
    decision_definition_key: Key
    decision_requirements_id: str
    decision_requirements_key: Key
    decision_requirements_name: str
    decision_requirements_version: int
    name: str
    tenant_id: str
    version: int


class DecisionRequirementsFilter(Filter):
    """What files with decisions are searched by."""

    decision_requirements_name: Id | None = None
    decision_requirements_id: Id | None = None
    decision_requirements_key: Key | None = None
    version: Integer | None = None
    tenant_id: OwnTenant = None
    resource_name: Id | None = None


class DecisionRequirementsSearch(
    SearchRequest[
        DecisionRequirementsFilter,
        Literal["decisionRequirementsId", "decisionRequirementsKey", "decisionRequirementsName", "tenantId", "version"],
    ]
):
    """A search of files with decisions."""


class DecisionRequirementsResult(Model):
    """A file with decisions."""

    decision_requirements_id: str
    decision_requirements_key: Key
    decision_requirements_name: str
    resource_name: str
    tenant_id: str
    version: int


class DecisionEvaluationRequest(Model):
    """Which decision is evaluated (by id: its newest version), and with what."""

    decision_definition_id: Id | None = None
    decision_definition_key: Key | None = None
    variables: Variables | None = None
    tenant_id: OwnTenant = None

    @model_validator(mode="after")
    def _one_decision(self) -> DecisionEvaluationRequest:
        if (self.decision_definition_id is None) is (self.decision_definition_key is None):
            raise ValueError("takes one of decisionDefinitionId and decisionDefinitionKey")
        return self


class EvaluatedInput(Model):
    """An input of a table, its value as JSON text."""

    input_id: str
    input_name: str
    input_value: str


class EvaluatedOutput(Model):
    """An output of a rule, its value as JSON text."""

    output_id: str
    output_name: str
    output_value: str
    rule_id: str | None
    rule_index: int | None


class MatchedRule(Model):
    """A rule that matched; the first row has the index 1."""

    rule_id: str
    rule_index: int
    evaluated_outputs: list[EvaluatedOutput]


class EvaluatedDecision(Model):
    """What one decision did."""

    decision_definition_id: str
    decision_definition_name: str
    decision_definition_version: int
    decision_definition_type: str
    output: str
    tenant_id: str
    matched_rules: list[MatchedRule]
    evaluated_inputs: list[EvaluatedInput]
    decision_definition_key: Key
    decision_evaluation_instance_key: str


class EvaluateDecisionResult(Model):
    """The result of a decision, and why; an evaluation that failed says at which decision."""

    decision_definition_id: str
    decision_definition_key: Key
    decision_definition_name: str
    decision_definition_version: int
    decision_evaluation_key: Key
    decision_instance_key: Key
    decision_requirements_id: str
    decision_requirements_key: Key
    evaluated_decisions: list[EvaluatedDecision]
    failed_decision_definition_id: str | None
    failure_message: str | None
    output: str
    tenant_id: str


@router.post("/decision-definitions/search", scope="read")
def search_decision_definitions(
    caller: Caller, body: DecisionDefinitionSearch | None
) -> SearchResponse[DecisionDefinitionResult]:
    """Search versions of decisions."""
    wanted = body or DecisionDefinitionSearch()
    found, page = access.ask(decisions.search_decisions, wanted.search())
    return SearchResponse[DecisionDefinitionResult].of([_definition(item) for item in found], page)


@router.get("/decision-definitions/{decisionDefinitionKey}", scope="read", errors=(404,))
def get_decision_definition(caller: Caller, decision_definition_key: Key) -> DecisionDefinitionResult:
    """Get a version of a decision."""
    return _definition(access.ask(decisions.find_decision, decision_definition_key))


@router.get("/decision-definitions/{decisionDefinitionKey}/xml", scope="read", errors=(404,), media_type="text/xml")
def get_decision_definition_xml(caller: Caller, decision_definition_key: Key) -> Answer:
    """Get the DMN file of a decision."""
    access.ask(decisions.find_decision, decision_definition_key)
    _, content = access.ask(queries.definition_file, decision_definition_key, "decision")
    return Answer(content, content_type="text/xml")


@router.post("/decision-definitions/evaluation", scope="read", errors=(404,))
def evaluate_decision(caller: Caller, body: DecisionEvaluationRequest) -> EvaluateDecisionResult:
    """Evaluate a decision with variables; administrators only, nothing is written."""
    found = access.ask(
        decisions.evaluate_decision,
        caller.username,
        body.variables or {},
        key=body.decision_definition_key,
        decision_id=body.decision_definition_id,
    )
    definition = found.definition
    return EvaluateDecisionResult(
        decision_definition_id=definition.decision_definition_id,
        decision_definition_key=definition.decision_definition_key,
        decision_definition_name=definition.name,
        decision_definition_version=definition.version,
        decision_evaluation_key=found.key,
        decision_instance_key=found.key,
        decision_requirements_id=definition.decision_requirements_id,
        decision_requirements_key=definition.decision_requirements_key,
        evaluated_decisions=[_evaluated(item, f"{found.key}-{number}") for number, item in enumerate(found.decided, 1)],
        failed_decision_definition_id=found.failed_id,
        failure_message=found.failure,
        output=exact_json.dumps(found.result),
        tenant_id=TENANT,
    )


@router.post("/decision-requirements/search", scope="read")
def search_decision_requirements(
    caller: Caller, body: DecisionRequirementsSearch | None
) -> SearchResponse[DecisionRequirementsResult]:
    """Search files with decisions."""
    wanted = body or DecisionRequirementsSearch()
    found, page = access.ask(decisions.search_requirements, wanted.search())
    return SearchResponse[DecisionRequirementsResult].of([_requirements(item) for item in found], page)


@router.get("/decision-requirements/{decisionRequirementsKey}", scope="read", errors=(404,))
def get_decision_requirements(caller: Caller, decision_requirements_key: Key) -> DecisionRequirementsResult:
    """Get a file with decisions."""
    found, _ = access.ask(decisions.find_requirements, decision_requirements_key)
    return _requirements(found)


@router.get("/decision-requirements/{decisionRequirementsKey}/xml", scope="read", errors=(404,), media_type="text/xml")
def get_decision_requirements_xml(caller: Caller, decision_requirements_key: Key) -> Answer:
    """Get the content of a file with decisions."""
    _, content = access.ask(decisions.find_requirements, decision_requirements_key)
    return Answer(content, content_type="text/xml")


def evaluated_inputs(decided: Decided) -> list[EvaluatedInput]:
    """Return the inputs of a decision's table."""
    return [
        EvaluatedInput(input_id=cell.id, input_name=cell.name, input_value=exact_json.dumps(cell.value))
        for cell in decided.inputs
    ]


def matched_rules(decided: Decided) -> list[MatchedRule]:
    """Return the rules of a decision's table that matched."""
    return [
        MatchedRule(
            rule_id=rule.id,
            rule_index=rule.index,
            evaluated_outputs=[
                EvaluatedOutput(
                    output_id=cell.id,
                    output_name=cell.name,
                    output_value=exact_json.dumps(cell.value),
                    rule_id=rule.id,
                    rule_index=rule.index,
                )
                for cell in rule.outputs
            ],
        )
        for rule in decided.matched
    ]


def _evaluated(item: Decided, key: str) -> EvaluatedDecision:
    return EvaluatedDecision(
        decision_definition_id=item.definition.decision_definition_id,
        decision_definition_name=item.definition.name,
        decision_definition_version=item.definition.version,
        decision_definition_type=item.definition.type,
        output=exact_json.dumps(item.result),
        tenant_id=TENANT,
        matched_rules=matched_rules(item),
        evaluated_inputs=evaluated_inputs(item),
        decision_definition_key=item.definition.decision_definition_key,
        decision_evaluation_instance_key=key,
    )


def _definition(item: DecisionVersionView) -> DecisionDefinitionResult:
    return DecisionDefinitionResult(
        decision_definition_id=item.decision_definition_id,
        decision_definition_key=item.decision_definition_key,
        decision_requirements_id=item.decision_requirements_id,
        decision_requirements_key=item.decision_requirements_key,
        decision_requirements_name=item.decision_requirements_name,
        decision_requirements_version=item.decision_requirements_version,
        name=item.name,
        tenant_id=TENANT,
        version=item.version,
    )


def _requirements(item: RequirementsVersion) -> DecisionRequirementsResult:
    return DecisionRequirementsResult(
        decision_requirements_id=item.decision_requirements_id,
        decision_requirements_key=item.decision_requirements_key,
        decision_requirements_name=item.decision_requirements_name,
        resource_name=item.resource_name,
        tenant_id=TENANT,
        version=item.version,
    )
