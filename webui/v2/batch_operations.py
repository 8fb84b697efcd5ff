"""Batch operations: how far they are, what failed, and holding them; they are started in `corrections`. Administrators only."""

from __future__ import annotations

from typing import Literal

from engine import commands
from engine.queries import batch_search
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.corrections import OperationType
from webui.v2.routing import Router
from webui.v2.schemas import (
    Filter,
    Key,
    KeyFilter,
    Model,
    Moment,
    SearchRequest,
    SearchResponse,
    StringFilter,
    filter_of,
)

router = Router("Batch operation")

State = Literal["ACTIVE", "CANCELED", "COMPLETED", "CREATED", "FAILED", "PARTIALLY_COMPLETED", "SUSPENDED"]
ItemState = Literal["ACTIVE", "CANCELED", "COMPLETED", "FAILED", "SKIPPED"]
ActorType = Literal["ANONYMOUS", "CLIENT", "UNKNOWN", "USER"]
TypeFilter = filter_of("BatchOperationTypeOperators", OperationType, like=True)
StateFilter = filter_of("BatchOperationStateOperators", State, like=True)
ItemStateFilter = filter_of("BatchOperationItemStateOperators", Literal["ACTIVE", "CANCELED", "COMPLETED", "FAILED"], like=True)


class BatchOperationFilter(Filter):
    """What batches are searched by."""

    batch_operation_key: KeyFilter = None
    operation_type: TypeFilter = None  # type: ignore[valid-type]  # made, not written
    state: StateFilter = None  # type: ignore[valid-type]  # made, not written
    actor_type: ActorType | None = None
    actor_id: StringFilter = None


class BatchOperationSearch(
    SearchRequest[
        BatchOperationFilter,
        Literal["actorId", "actorType", "batchOperationKey", "endDate", "operationType", "startDate", "state"],
    ]
):
    """A search of batches."""


class BatchOperationError(Model):
    """What kept a batch from being begun; ours have none: what fails in a case stands at its item."""

    partition_id: int
    type: Literal["QUERY_FAILED", "RESULT_BUFFER_SIZE_EXCEEDED"]
    message: str


class BatchOperationResult(Model):
    """How far a batch is."""

    batch_operation_key: Key
    state: State
    batch_operation_type: OperationType | None
    start_date: Moment | None
    end_date: Moment | None
    actor_type: ActorType | None
    actor_id: str | None
    operations_total_count: int
    operations_failed_count: int
    operations_completed_count: int
    errors: list[BatchOperationError]


class BatchOperationItemFilter(Filter):
    """What the items of batches are searched by."""

    batch_operation_key: KeyFilter = None
    item_key: KeyFilter = None
    process_instance_key: KeyFilter = None
    state: ItemStateFilter = None  # type: ignore[valid-type]  # made, not written
    operation_type: TypeFilter = None  # type: ignore[valid-type]  # made, not written


class BatchOperationItemSearch(
    SearchRequest[
        BatchOperationItemFilter,
        Literal["batchOperationKey", "itemKey", "processedDate", "processInstanceKey", "state"],
    ]
):
    """A search of the items of batches."""


class BatchOperationItemResult(Model):
    """A process instance of a batch; `errorMessage`: why it was refused."""

    operation_type: OperationType
    batch_operation_key: Key
    item_key: Key
    process_instance_key: Key | None
    root_process_instance_key: Key | None
    state: ItemState
    processed_date: Moment | None
    error_message: str | None


@router.post("/batch-operations/search", scope="admin")
def search_batch_operations(caller: Caller, body: BatchOperationSearch | None) -> SearchResponse[BatchOperationResult]:
    """Search batches."""
    wanted = (body or BatchOperationSearch()).search()
    page = access.ask(batch_search.search_batches, caller.username, wanted, processes=caller.processes)
    return SearchResponse[BatchOperationResult].of([_batch(row) for row in page.rows], page)


@router.get("/batch-operations/{batchOperationKey}", scope="admin", errors=(404,))
def get_batch_operation(caller: Caller, batch_operation_key: Key) -> BatchOperationResult:
    """Get how far a batch is."""
    return _batch(_find(caller, batch_operation_key))


@router.post("/batch-operation-items/search", scope="admin")
def search_batch_operation_items(
    caller: Caller, body: BatchOperationItemSearch | None
) -> SearchResponse[BatchOperationItemResult]:
    """Search the items of batches."""
    wanted = (body or BatchOperationItemSearch()).search()
    page = access.ask(batch_search.search_batch_items, caller.username, wanted, processes=caller.processes)
    return SearchResponse[BatchOperationItemResult].of([_item(row) for row in page.rows], page)


@router.post("/batch-operations/{batchOperationKey}/cancellation", scope="admin", errors=(404, 409))
def cancel_batch_operation(caller: Caller, batch_operation_key: Key) -> None:
    """Leave out what a batch has not done yet."""
    _find(caller, batch_operation_key)
    access.run(commands.cancel_batch, batch_operation_key, caller.username)


@router.post("/batch-operations/{batchOperationKey}/suspension", scope="admin", errors=(404, 409))
def suspend_batch_operation(caller: Caller, batch_operation_key: Key) -> None:
    """Hold a batch, until it is resumed or cancelled."""
    _find(caller, batch_operation_key)
    access.run(commands.suspend_batch, batch_operation_key, caller.username)


@router.post("/batch-operations/{batchOperationKey}/resumption", scope="admin", errors=(404, 409))
def resume_batch_operation(caller: Caller, batch_operation_key: Key) -> None:
    """Let a suspended batch go on."""
    _find(caller, batch_operation_key)
    access.run(commands.resume_batch, batch_operation_key, caller.username)


def _find(caller: Caller, key: int) -> Found:
    return access.ask(batch_search.find_batch, key, caller.username, processes=caller.processes)


def _batch(row: Found) -> BatchOperationResult:
    return BatchOperationResult(
        batch_operation_key=row.key,
        state=row.state,
        batch_operation_type=row.operation_type,
        start_date=row.created_at,
        end_date=row.ended_at,
        actor_type="USER" if row.created_by is not None else None,
        actor_id=row.created_by,
        operations_total_count=row.total,
        operations_failed_count=row.failed,
        operations_completed_count=row.done,
        errors=[],
    )


def _item(row: Found) -> BatchOperationItemResult:
    return BatchOperationItemResult(
        operation_type=row.operation_type,
        batch_operation_key=row.batch_key,
        item_key=row.instance_key,
        process_instance_key=row.instance_key,
        root_process_instance_key=row.root_key,
        state=row.state,
        processed_date=row.done_at,
        error_message=row.message,
    )
