"""Deployments, and the files that were deployed."""

from __future__ import annotations

from engine import commands, queries
from engine.commands import Definition
from engine.errors import InvalidValue
from engine.queries import deployed
from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
from webui.v2.routing import Answer, Files, Router
from webui.v2.schemas import TENANT, Key, Model, OperationReference, only_tenant

router = Router("Resource")


class DeployedProcess(Model):
    """A process of a deployment."""

    process_definition_id: str
    process_definition_version: int
    resource_name: str
    tenant_id: str
    process_definition_key: Key


class DeployedDecision(Model):
    """A decision of a deployment."""

    decision_definition_id: str
    version: int
    name: str
    tenant_id: str
    decision_requirements_id: str
    decision_definition_key: Key
    decision_requirements_key: Key


class DeployedRequirements(Model):
    """A file with decisions of a deployment."""

    decision_requirements_id: str
    decision_requirements_name: str
    version: int
    resource_name: str
    tenant_id: str
    decision_requirements_key: Key


class DeployedForm(Model):
    """A form of a deployment."""

    form_id: str
    version: int
    resource_name: str
    tenant_id: str
    form_key: Key


class DeployedResource(Model):
    """A file of another kind: there are none, Liuzhuan refuses what it cannot run."""

    resource_id: str
    resource_name: str
    version: int
    tenant_id: str
    resource_key: Key


class DeploymentMetadata(Model):
    """One thing that was deployed: one of the fields is set."""

    process_definition: DeployedProcess | None = None
    decision_definition: DeployedDecision | None = None
    decision_requirements: DeployedRequirements | None = None
    form: DeployedForm | None = None
    resource: DeployedResource | None = None


class DeploymentResult(Model):
    """What was deployed; what was there already has the key and version it had."""

    deployment_key: Key
    tenant_id: str
    deployments: list[DeploymentMetadata]


class ResourceResult(Model):
    """A file of a deployment."""

    resource_name: str
    version: int
    version_tag: str | None
    resource_id: str
    tenant_id: str
    resource_key: Key


class DeletionRequest(Model):
    """A request to delete a resource."""

    operation_reference: OperationReference = None
    delete_history: bool | None = None


class BatchOperation(Model):
    """Never there: history is never deleted."""

    batch_operation_key: Key
    batch_operation_type: str


class DeletionResult(Model):
    """What was deleted."""

    resource_key: Key
    batch_operation: BatchOperation | None


@router.post("/deployments", scope="deploy", errors=(403,))
def create_deployment(caller: Caller, files: Files) -> DeploymentResult:
    """Deploy files together: all of them, or none."""
    if caller.processes is not None:
        raise ApiProblem(403, "A token that is confined to processes does not deploy.")
    if unknown := sorted((files.files.keys() - {"resources"}) | (files.fields.keys() - {"tenantId"})):
        raise ApiProblem(400, f"{unknown[0]}: unknown field", field=unknown[0])
    try:
        only_tenant(files.fields.get("tenantId") or None)
    except ValueError as error:
        raise ApiProblem(400, f"tenantId: {error}", field="tenantId") from error
    contents: dict[str, bytes] = {}
    for file in files.files.get("resources", []):
        name = file.filename or ""
        if not name or len(name) > 255 or "\x00" in name:
            raise InvalidValue("文件要有名称（each file needs a name of 1 to 255 characters）", field="resources")
        if name in contents:
            raise InvalidValue(f"两个文件同名：{name}（two files have this name）", field="resources")
        contents[name] = file.stream.read()
    if not contents:
        raise InvalidValue("没有文件（there are no files in resources）", field="resources")
    deployment = access.run(commands.deploy, contents, caller.username)
    requirements = access.ask(deployed.requirements, [item.key for item in deployment.definitions if item.kind == "decision"])
    parts = [
        DeploymentMetadata(
            decision_requirements=DeployedRequirements(
                decision_requirements_id=item.id,
                decision_requirements_name=item.name,
                version=item.version,
                resource_name=item.resource_name,
                tenant_id=TENANT,
                decision_requirements_key=item.key,
            )
        )
        for item in {item.key: item for item in requirements.values()}.values()
    ]
    parts += [_part(item, requirements) for item in deployment.definitions]
    return DeploymentResult(deployment_key=deployment.key, tenant_id=TENANT, deployments=parts)


def _part(item: Definition, requirements: dict[int, deployed.Requirements]) -> DeploymentMetadata:
    if item.kind == "process":
        process = DeployedProcess(
            process_definition_id=item.id,
            process_definition_version=item.version,
            resource_name=item.resource,
            tenant_id=TENANT,
            process_definition_key=item.key,
        )
        return DeploymentMetadata(process_definition=process)
    if item.kind == "form":
        form = DeployedForm(
            form_id=item.id, version=item.version, resource_name=item.resource, tenant_id=TENANT, form_key=item.key
        )
        return DeploymentMetadata(form=form)
    decision = DeployedDecision(
        decision_definition_id=item.id,
        version=item.version,
        name=item.name or item.id,
        tenant_id=TENANT,
        decision_requirements_id=requirements[item.key].id,
        decision_definition_key=item.key,
        decision_requirements_key=requirements[item.key].key,
    )
    return DeploymentMetadata(decision_definition=decision)


@router.get("/resources/{resourceKey}", scope="read", errors=(404,))
def get_resource(caller: Caller, resource_key: Key) -> ResourceResult:
    """Get what is known of a deployed file, by the key of a process, decision or form in it."""
    found = access.ask(deployed.find, resource_key, processes=caller.processes)
    return ResourceResult(
        resource_name=found.resource_name,
        version=found.version,
        version_tag=found.version_tag,
        resource_id=found.id,
        tenant_id=TENANT,
        resource_key=found.key,
    )


@router.get("/resources/{resourceKey}/content", scope="read", errors=(404,), media_type="application/octet-stream")
def get_resource_content(caller: Caller, resource_key: Key) -> Answer:
    """Get a deployed file, byte for byte."""
    found = access.ask(deployed.find, resource_key, processes=caller.processes)
    content = access.ask(queries.definition_file, found.key, found.kind)[1]
    return Answer(content, content_type="application/json" if found.kind == "form" else "text/xml; charset=utf-8")


@router.get("/resources/{resourceKey}/content/binary", scope="read", errors=(404,), media_type="application/octet-stream")
def get_resource_content_binary(caller: Caller, resource_key: Key) -> Answer:
    """Get a deployed file, byte for byte, as a download."""
    found = access.ask(deployed.find, resource_key, processes=caller.processes)
    return Answer(access.ask(queries.definition_file, found.key, found.kind)[1], content_type="application/octet-stream")


@router.post("/resources/{resourceKey}/deletion", scope="deploy", errors=(404, 409, 501))
def delete_resource(caller: Caller, resource_key: Key, body: DeletionRequest | None) -> DeletionResult:
    """Delete a definition: nothing starts on it any more. What ran on it keeps its history."""
    if body is not None and body.delete_history:
        raise ApiProblem(501, "Liuzhuan keeps the history of what ran.", field="deleteHistory")
    found = access.ask(deployed.find, resource_key, processes=caller.processes)
    if caller.processes is not None and found.kind != "process":
        raise ApiProblem(403, "A token that is confined to processes deletes processes alone.")
    access.run(commands.delete_definition, found.key, caller.username)
    return DeletionResult(resource_key=found.key, batch_operation=None)
