"""Every path of the Camunda 8 Orchestration Cluster REST API (8.9) with its methods; what no module here has, answers 501.

A path that Camunda adds later is unknown here, and answers 404.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Blueprint, Response

from webui.v2 import authentication
from webui.v2.problems import answer, answer_error
from webui.v2.routing import PLACE, Operation

CAMUNDA = {
    "/agent-definitions/search": "POST",
    "/agent-definitions/{agentDefinitionKey}": "GET",
    "/agent-instances": "POST",
    "/agent-instances/search": "POST",
    "/agent-instances/{agentInstanceKey}": "GET PATCH",
    "/agent-instances/{agentInstanceKey}/history/search": "POST",
    "/audit-logs/search": "POST",
    "/audit-logs/{auditLogKey}": "GET",
    "/authentication/me": "GET",
    "/authentication/me/authorizations/search": "POST",
    "/authorizations": "POST",
    "/authorizations/search": "POST",
    "/authorizations/{authorizationKey}": "DELETE GET PUT",
    "/backups/history": "GET POST",
    "/backups/history/{backupId}": "DELETE GET",
    "/backups/runtime": "GET POST",
    "/backups/runtime/state": "DELETE GET",
    "/backups/runtime/state/sync": "POST",
    "/backups/runtime/{backupId}": "DELETE GET",
    "/batch-operation-items/search": "POST",
    "/batch-operations/search": "POST",
    "/batch-operations/{batchOperationKey}": "GET",
    "/batch-operations/{batchOperationKey}/cancellation": "POST",
    "/batch-operations/{batchOperationKey}/resumption": "POST",
    "/batch-operations/{batchOperationKey}/suspension": "POST",
    "/clock": "PUT",
    "/clock/reset": "POST",
    "/cluster-variables/global": "POST",
    "/cluster-variables/global/{name}": "DELETE GET PUT",
    "/cluster-variables/search": "POST",
    "/cluster-variables/tenants/{tenantId}": "POST",
    "/cluster-variables/tenants/{tenantId}/{name}": "DELETE GET PUT",
    "/conditionals/evaluation": "POST",
    "/correlated-message-subscriptions/search": "POST",
    "/decision-definitions/evaluation": "POST",
    "/decision-definitions/search": "POST",
    "/decision-definitions/{decisionDefinitionKey}": "GET",
    "/decision-definitions/{decisionDefinitionKey}/xml": "GET",
    "/decision-instances/deletion": "POST",
    "/decision-instances/search": "POST",
    "/decision-instances/{decisionEvaluationInstanceKey}": "GET",
    "/decision-instances/{decisionEvaluationKey}/deletion": "POST",
    "/decision-requirements/search": "POST",
    "/decision-requirements/{decisionRequirementsKey}": "GET",
    "/decision-requirements/{decisionRequirementsKey}/xml": "GET",
    "/deployments": "POST",
    "/documents": "POST",
    "/documents/batch": "POST",
    "/documents/{documentId}": "DELETE GET",
    "/documents/{documentId}/links": "POST",
    "/element-instances/ad-hoc-activities/{adHocSubProcessInstanceKey}/activation": "POST",
    "/element-instances/search": "POST",
    "/element-instances/wait-states/search": "POST",
    "/element-instances/{elementInstanceKey}": "GET",
    "/element-instances/{elementInstanceKey}/incidents/search": "POST",
    "/element-instances/{elementInstanceKey}/variables": "PUT",
    "/exporting": "GET",
    "/exporting/pause": "POST",
    "/exporting/resume": "POST",
    "/expression/evaluation": "POST",
    "/forms/{formKey}": "GET",
    "/global-task-listeners": "POST",
    "/global-task-listeners/search": "POST",
    "/global-task-listeners/{id}": "DELETE GET PUT",
    "/groups": "POST",
    "/groups/search": "POST",
    "/groups/{groupId}": "DELETE GET PUT",
    "/groups/{groupId}/clients/search": "POST",
    "/groups/{groupId}/clients/{clientId}": "DELETE PUT",
    "/groups/{groupId}/mapping-rules/search": "POST",
    "/groups/{groupId}/mapping-rules/{mappingRuleId}": "DELETE PUT",
    "/groups/{groupId}/roles/search": "POST",
    "/groups/{groupId}/users/search": "POST",
    "/groups/{groupId}/users/{username}": "DELETE PUT",
    "/incidents/search": "POST",
    "/incidents/statistics/process-instances-by-definition": "POST",
    "/incidents/statistics/process-instances-by-error": "POST",
    "/incidents/{incidentKey}": "GET",
    "/incidents/{incidentKey}/resolution": "POST",
    "/jobs/activation": "POST",
    "/jobs/batch-update": "POST",
    "/jobs/search": "POST",
    "/jobs/statistics/by-types": "POST",
    "/jobs/statistics/by-workers": "POST",
    "/jobs/statistics/errors": "POST",
    "/jobs/statistics/global": "GET",
    "/jobs/statistics/time-series": "POST",
    "/jobs/{jobKey}": "PATCH",
    "/jobs/{jobKey}/completion": "POST",
    "/jobs/{jobKey}/error": "POST",
    "/jobs/{jobKey}/failure": "POST",
    "/license": "GET",
    "/mapping-rules": "POST",
    "/mapping-rules/search": "POST",
    "/mapping-rules/{mappingRuleId}": "DELETE GET PUT",
    "/message-subscriptions/search": "POST",
    "/messages/correlation": "POST",
    "/messages/publication": "POST",
    "/mode": "PATCH",
    "/process-definitions/search": "POST",
    "/process-definitions/statistics/message-subscriptions": "POST",
    "/process-definitions/statistics/process-instances": "POST",
    "/process-definitions/statistics/process-instances-by-version": "POST",
    "/process-definitions/{processDefinitionKey}": "GET",
    "/process-definitions/{processDefinitionKey}/form": "GET",
    "/process-definitions/{processDefinitionKey}/statistics/element-instances": "POST",
    "/process-definitions/{processDefinitionKey}/variable-names/search": "POST",
    "/process-definitions/{processDefinitionKey}/xml": "GET",
    "/process-instances": "POST",
    "/process-instances/cancellation": "POST",
    "/process-instances/deletion": "POST",
    "/process-instances/incident-resolution": "POST",
    "/process-instances/migration": "POST",
    "/process-instances/modification": "POST",
    "/process-instances/resumption": "POST",
    "/process-instances/search": "POST",
    "/process-instances/suspension": "POST",
    "/process-instances/{processInstanceKey}": "GET",
    "/process-instances/{processInstanceKey}/business-id-assignment": "POST",
    "/process-instances/{processInstanceKey}/call-hierarchy": "GET",
    "/process-instances/{processInstanceKey}/cancellation": "POST",
    "/process-instances/{processInstanceKey}/deletion": "POST",
    "/process-instances/{processInstanceKey}/incident-resolution": "POST",
    "/process-instances/{processInstanceKey}/incidents/search": "POST",
    "/process-instances/{processInstanceKey}/migration": "POST",
    "/process-instances/{processInstanceKey}/modification": "POST",
    "/process-instances/{processInstanceKey}/resumption": "POST",
    "/process-instances/{processInstanceKey}/sequence-flows": "GET",
    "/process-instances/{processInstanceKey}/statistics/element-instances": "GET",
    "/process-instances/{processInstanceKey}/statistics/wait-states": "GET",
    "/process-instances/{processInstanceKey}/suspension": "POST",
    "/resources/search": "POST",
    "/resources/{resourceKey}": "GET",
    "/resources/{resourceKey}/content": "GET",
    "/resources/{resourceKey}/content/binary": "GET",
    "/resources/{resourceKey}/deletion": "POST",
    "/restore": "GET POST",
    "/roles": "POST",
    "/roles/search": "POST",
    "/roles/{roleId}": "DELETE GET PUT",
    "/roles/{roleId}/clients/search": "POST",
    "/roles/{roleId}/clients/{clientId}": "DELETE PUT",
    "/roles/{roleId}/groups/search": "POST",
    "/roles/{roleId}/groups/{groupId}": "DELETE PUT",
    "/roles/{roleId}/mapping-rules/search": "POST",
    "/roles/{roleId}/mapping-rules/{mappingRuleId}": "DELETE PUT",
    "/roles/{roleId}/users/search": "POST",
    "/roles/{roleId}/users/{username}": "DELETE PUT",
    "/secrets/list": "POST",
    "/secrets/resolve": "POST",
    "/setup/user": "POST",
    "/signals/broadcast": "POST",
    "/status": "GET",
    "/system/configuration": "GET",
    "/system/usage-metrics": "GET",
    "/tenants": "POST",
    "/tenants/search": "POST",
    "/tenants/{tenantId}": "DELETE GET PUT",
    "/tenants/{tenantId}/clients/search": "POST",
    "/tenants/{tenantId}/clients/{clientId}": "DELETE PUT",
    "/tenants/{tenantId}/groups/search": "POST",
    "/tenants/{tenantId}/groups/{groupId}": "DELETE PUT",
    "/tenants/{tenantId}/mapping-rules/search": "POST",
    "/tenants/{tenantId}/mapping-rules/{mappingRuleId}": "DELETE PUT",
    "/tenants/{tenantId}/roles/search": "POST",
    "/tenants/{tenantId}/roles/{roleId}": "DELETE PUT",
    "/tenants/{tenantId}/users/search": "POST",
    "/tenants/{tenantId}/users/{username}": "DELETE PUT",
    "/topology": "GET",
    "/user-tasks/search": "POST",
    "/user-tasks/{userTaskKey}": "GET PATCH",
    "/user-tasks/{userTaskKey}/assignee": "DELETE",
    "/user-tasks/{userTaskKey}/assignment": "POST",
    "/user-tasks/{userTaskKey}/audit-logs/search": "POST",
    "/user-tasks/{userTaskKey}/completion": "POST",
    "/user-tasks/{userTaskKey}/effective-variables/search": "POST",
    "/user-tasks/{userTaskKey}/form": "GET",
    "/user-tasks/{userTaskKey}/variables/search": "POST",
    "/users": "POST",
    "/users/search": "POST",
    "/users/{username}": "DELETE GET PUT",
    "/variables/search": "POST",
    "/variables/{variableKey}": "GET",
}
"""Path below /v2 → methods, separated by blanks."""


def left_out(operations: Iterable[Operation]) -> list[tuple[str, str]]:
    """Return (method, path) of what Camunda has and the operations have not."""
    ours = {(operation.method, PLACE.sub("{}", operation.path)) for operation in operations}
    return [
        (method, path)
        for path, methods in CAMUNDA.items()
        for method in methods.split()
        if (method, PLACE.sub("{}", path)) not in ours
    ]


def register(bp: Blueprint, operations: Iterable[Operation]) -> None:
    """Answer 501 where Camunda has an operation and we do not."""
    for number, (method, path) in enumerate(left_out(operations)):
        bp.add_url_rule(
            PLACE.sub(r"<\1>", path),
            f"missing_{number}",
            _refusal(method, path),
            methods=[method],
            provide_automatic_options=False,
        )


def _refusal(method: str, path: str) -> Callable[..., Response]:
    def refuse(**_: str) -> Response:
        try:
            authentication.identify()
        except Exception as error:
            return answer_error(error)
        return answer(501, f"Liuzhuan does not implement {method} /v2{path}.", operation=f"{method} /v2{path}")

    return refuse
