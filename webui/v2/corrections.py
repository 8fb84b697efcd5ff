"""What administrators do to process instances: suspend, resume, modify, migrate, resolve incidents; one, or many as a batch.

Ended instances are not deleted: what happened stays in the journal, by law, so that Camunda's deletions answer 501.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from engine import commands
from engine.commands.batches import MOST
from engine.errors import InvalidValue
from engine.kernel import Activation, Move
from engine.queries import batch_search, process_search
from engine.queries.searching import Condition, PageRequest, Search
from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
from webui.v2.process_instances import ProcessInstanceFilter, visible
from webui.v2.routing import Router
from webui.v2.schemas import Id, Key, Model, OperationReference, Variables

router = Router("Process instance operation")

_RUNNING = ("ACTIVE", "SUSPENDED")


class OperationRequest(Model):
    """What such an operation takes."""

    operation_reference: OperationReference = None


class VariableInstruction(Model):
    """Variables that are set before an element is entered: in the scope of this id; without one, in the process instance."""

    variables: Variables
    scope_id: Annotated[str, Field(max_length=255)] | None = None


class ActivateInstruction(Model):
    """Enter an element, within a live scope where several fit."""

    element_id: Id
    variable_instructions: list[VariableInstruction] | None = Field(default=None, max_length=100)
    ancestor_element_instance_key: Literal["-1"] | Key | None = None


class TerminateInstruction(Model):
    """End all of an element (by id), or one element instance (by key)."""

    element_id: Id | None = None
    element_instance_key: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TerminateInstruction:
        if (self.element_id is None) is (self.element_instance_key is None):
            raise ValueError("takes one of elementId and elementInstanceKey")
        return self


class SourceById(Model):
    """All instances of an element."""

    source_type: Literal["byId"]
    source_element_id: Id


class SourceByKey(Model):
    """One element instance."""

    source_type: Literal["byKey"]
    source_element_instance_key: Key


class DirectScope(Model):
    """The target is entered within this live scope."""

    ancestor_scope_type: Literal["direct"]
    ancestor_element_instance_key: Literal["-1"] | Key


class InferredScope(Model):
    """The target is entered within the nearest scope around the source that is also around the target."""

    ancestor_scope_type: Literal["inferred"]


class SourceParentScope(Model):
    """The target is entered within the scope that the source lives in."""

    ancestor_scope_type: Literal["sourceParent"]


class MoveInstruction(Model):
    """End a source, and enter the target for each of its instances."""

    source_element_instruction: Annotated[SourceById | SourceByKey, Field(discriminator="source_type")]
    target_element_id: Id
    ancestor_scope_instruction: (
        Annotated[DirectScope | InferredScope | SourceParentScope, Field(discriminator="ancestor_scope_type")] | None
    ) = None
    variable_instructions: list[VariableInstruction] | None = Field(default=None, max_length=100)


class ModificationRequest(OperationRequest):
    """How a process instance is corrected."""

    activate_instructions: list[ActivateInstruction] | None = Field(default=None, max_length=1000)
    move_instructions: list[MoveInstruction] | None = Field(default=None, max_length=1000)
    terminate_instructions: list[TerminateInstruction] | None = Field(default=None, max_length=1000)


class MappingInstruction(Model):
    """What is at the source stands at the target afterwards; elements of the same id need none."""

    source_element_id: Id
    target_element_id: Id


class MigrationPlan(Model):
    """To which definition, and what stands where there."""

    target_process_definition_key: Key
    mapping_instructions: list[MappingInstruction] = Field(max_length=1000)

    @model_validator(mode="after")
    def _each_once(self) -> MigrationPlan:
        sources = [item.source_element_id for item in self.mapping_instructions]
        if len(sources) != len(set(sources)):
            raise ValueError("maps a sourceElementId twice")
        return self

    def instructions(self) -> dict[str, str | None]:
        """Return the engine's instructions."""
        return {item.source_element_id: item.target_element_id for item in self.mapping_instructions}


class MigrationRequest(MigrationPlan):
    """How a process instance is migrated."""

    operation_reference: OperationReference = None


# --- one --------------------------------------------------------------------------------------------------------------


@router.post("/process-instances/{processInstanceKey}/suspension", scope="admin", errors=(404, 409))
def suspend_process_instance(caller: Caller, process_instance_key: Key, body: OperationRequest | None) -> None:
    """Suspend a process instance, with everything it called: its tasks are locked."""
    visible(caller, process_instance_key)
    reason = _reason("暂停", "suspended", body)
    access.run(commands.suspend_instance, process_instance_key, caller.username, reason, once=True)


@router.post("/process-instances/{processInstanceKey}/resumption", scope="admin", errors=(404, 409))
def resume_process_instance(caller: Caller, process_instance_key: Key, body: OperationRequest | None) -> None:
    """Let a suspended process instance go on."""
    visible(caller, process_instance_key)
    access.run(commands.resume_instance, process_instance_key, caller.username, _reason("恢复", "resumed", body))


@router.post("/process-instances/{processInstanceKey}/modification", scope="admin", errors=(404, 409))
def modify_process_instance(caller: Caller, process_instance_key: Key, body: ModificationRequest) -> None:
    """Correct where a process instance stands: enter elements, end element instances, move from one to another."""
    process_id = visible(caller, process_instance_key).bpmn_process_id
    access.run(
        commands.modify_instance,
        process_instance_key,
        caller.username,
        _reason("修改", "modified", body),
        activate=[
            Activation(
                item.element_id,
                _key(item.ancestor_element_instance_key),
                _variables(item.variable_instructions, process_id),
            )
            for item in body.activate_instructions or ()
        ],
        terminate=[
            item.element_id if item.element_id is not None else item.element_instance_key or 0
            for item in body.terminate_instructions or ()
        ],
        moves=[_move(item, process_id) for item in body.move_instructions or ()],
    )


@router.post("/process-instances/{processInstanceKey}/migration", scope="admin", errors=(404, 409))
def migrate_process_instance(caller: Caller, process_instance_key: Key, body: MigrationRequest) -> None:
    """Move a running process instance to another definition."""
    visible(caller, process_instance_key)
    _check_target(caller, body.target_process_definition_key)
    access.run(
        commands.migrate_instance,
        process_instance_key,
        body.target_process_definition_key,
        caller.username,
        _reason("迁移", "migrated", body),
        body.instructions(),
    )


# --- many -------------------------------------------------------------------------------------------------------------

OperationType = Literal[
    "ADD_VARIABLE",
    "CANCEL_PROCESS_INSTANCE",
    "DELETE_DECISION_DEFINITION",
    "DELETE_DECISION_INSTANCE",
    "DELETE_PROCESS_DEFINITION",
    "DELETE_PROCESS_INSTANCE",
    "MIGRATE_PROCESS_INSTANCE",
    "MODIFY_PROCESS_INSTANCE",
    "RESOLVE_INCIDENT",
    "RESUME_PROCESS_INSTANCE",
    "SUSPEND_PROCESS_INSTANCE",
    "UPDATE_JOB",
    "UPDATE_VARIABLE",
]


class BatchRequest(OperationRequest):
    """Which process instances: all conditions hold. An empty filter means all that run."""

    filter: ProcessInstanceFilter


class BatchMigrationRequest(BatchRequest):
    """Which process instances are migrated, and how."""

    migration_plan: MigrationPlan


class BatchMove(Model):
    """End an element, and enter another for each of its instances."""

    source_element_id: Id
    target_element_id: Id


class BatchModificationRequest(BatchRequest):
    """Which process instances are modified, and how."""

    move_instructions: list[BatchMove] = Field(min_length=1, max_length=100)


class BatchOperationCreatedResult(Model):
    """A batch that was started: see its progress at /batch-operations/{batchOperationKey}."""

    batch_operation_key: Key
    batch_operation_type: OperationType


@router.post("/process-instances/cancellation", scope="admin", errors=(501,))
def cancel_process_instances_batch_operation(caller: Caller, body: BatchRequest) -> BatchOperationCreatedResult:
    """Cancel many process instances, each in a transaction of its own."""
    return _start(caller, commands.Change("cancel"), body, _state(*_RUNNING))


@router.post("/process-instances/suspension", scope="admin", errors=(501,))
def suspend_process_instances_batch_operation(caller: Caller, body: BatchRequest) -> BatchOperationCreatedResult:
    """Suspend many process instances, each in a transaction of its own."""
    return _start(caller, commands.Change("suspend"), body, _state("ACTIVE"))


@router.post("/process-instances/resumption", scope="admin", errors=(501,))
def resume_process_instances_batch_operation(caller: Caller, body: BatchRequest) -> BatchOperationCreatedResult:
    """Let many suspended process instances go on, each in a transaction of its own."""
    return _start(caller, commands.Change("resume"), body, _state("SUSPENDED"))


@router.post("/process-instances/migration", scope="admin", errors=(404, 501))
def migrate_process_instances_batch_operation(caller: Caller, body: BatchMigrationRequest) -> BatchOperationCreatedResult:
    """Move many process instances to another definition, each in a transaction of its own."""
    plan = body.migration_plan
    _check_target(caller, plan.target_process_definition_key)
    change = commands.Change("migrate", plan.target_process_definition_key, plan.instructions())
    return _start(caller, change, body, _state(*_RUNNING))


@router.post("/process-instances/modification", scope="admin", errors=(501,))
def modify_process_instances_batch_operation(caller: Caller, body: BatchModificationRequest) -> BatchOperationCreatedResult:
    """Move the tokens of many process instances, each in a transaction of its own."""
    moves = [(item.source_element_id, item.target_element_id) for item in body.move_instructions]
    return _start(caller, commands.Change("modify", moves=moves), body, _state(*_RUNNING))


@router.post("/process-instances/incident-resolution", scope="admin", errors=(501,))
def resolve_incidents_batch_operation(caller: Caller, body: BatchRequest) -> BatchOperationCreatedResult:
    """Let the elements of many process instances that hold incidents try again, each in a transaction of its own."""
    return _start(caller, commands.Change("retry"), body, _state(*_RUNNING), Condition("has_incident", "eq", True))


@router.post("/process-instances/{processInstanceKey}/incident-resolution", scope="admin", errors=(404,))
def resolve_process_instance_incidents(caller: Caller, process_instance_key: Key) -> BatchOperationCreatedResult:
    """Let the elements of a process instance that hold incidents try again, as a batch of one."""
    visible(caller, process_instance_key)
    return _started(caller, commands.Change("retry"), [process_instance_key], None)


def _start(caller: Caller, change: commands.Change, body: BatchRequest, *more: Condition) -> BatchOperationCreatedResult:
    any_of = tuple(item.conditions() for item in body.filter.or_ or ())
    wanted = Search((*body.filter.conditions(), *more), any_of, page=PageRequest(limit=MOST + 1))
    if not caller.person.is_admin and not caller.person.external:
        raise ApiProblem(403, "Administrators only.")
    page = access.ask(process_search.search_process_instances, caller.username, wanted, processes=caller.processes)
    if len(page.rows) > MOST:
        raise ApiProblem(400, f"The filter means more than {MOST} process instances.", field="filter")
    if not page.rows:
        raise InvalidValue("没有符合条件的案件（no process instance that can be changed so fits the filter）", field="filter")
    return _started(caller, change, [row.key for row in page.rows], body)


def _started(
    caller: Caller, change: commands.Change, keys: list[int], body: OperationRequest | None
) -> BatchOperationCreatedResult:
    reason = _reason("批量操作", "a batch", body)
    key = access.run(commands.start_batch, change, caller.username, reason, keys=keys)
    return BatchOperationCreatedResult(
        batch_operation_key=key, batch_operation_type=cast(OperationType, batch_search.TYPES[change.kind])
    )


def _state(*states: str) -> Condition:
    return Condition("state", "in", list(states))


# --- parts ------------------------------------------------------------------------------------------------------------


def _reason(chinese: str, english: str, body: OperationRequest | MigrationRequest | None) -> str:
    """Return the reason that the journal keeps: Camunda's API asks for none."""
    reference = body.operation_reference if body is not None else None
    said = f"，operationReference {reference}" if reference is not None else ""
    return f"通过 API {chinese}（{english} through the API{said}）"


def _check_target(caller: Caller, definition_key: int) -> None:
    """Check that a definition is there, and is none that the caller's token may not touch.

    Raises:
        NotFound: it is not.
    """
    wanted = Search((Condition("process_definition_key", "eq", definition_key),), page=PageRequest(limit=1))
    found: Any = access.ask(process_search.search_process_definitions, wanted, processes=caller.processes).rows
    if not found:
        raise ApiProblem(404, f"There is no process definition {definition_key}.", field="targetProcessDefinitionKey")


def _key(given: int | str | None) -> int | None:
    return given if isinstance(given, int) else None  # -1: none


def _variables(given: list[VariableInstruction] | None, process_id: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in given or ():
        found.setdefault(item.scope_id or process_id, {}).update(item.variables)
    return found


def _move(item: MoveInstruction, process_id: str) -> Move:
    source, scope = item.source_element_instruction, item.ancestor_scope_instruction
    within: int | str = "inferred"
    if isinstance(scope, SourceParentScope):
        within = "source"
    elif isinstance(scope, DirectScope):
        within = _key(scope.ancestor_element_instance_key) or "only"
    return Move(
        source.source_element_id if isinstance(source, SourceById) else source.source_element_instance_key,
        item.target_element_id,
        within,
        _variables(item.variable_instructions, process_id),
    )
