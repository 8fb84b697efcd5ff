"""Messages and signals: published, correlated, broadcast; the subscriptions that wait for messages.

They reach cases of any process. So they are for tokens with the scope `start` that are confined to no process, which
administrators issue, and for administrators themselves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from engine import commands
from engine.commands import messages
from engine.queries import message_search
from engine.queries.searching import Search
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import ApiProblem
from webui.v2.routing import Router
from webui.v2.schemas import (
    TENANT,
    Filter,
    Id,
    IntegerFilter,
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
    Variables,
    filter_of,
)

router = Router("Message")

_LONGEST = timedelta(days=3660) // timedelta(milliseconds=1)

SubscriptionState = Literal["CORRELATED", "CREATED", "DELETED", "MIGRATED"]
SubscriptionType = Literal["PROCESS_EVENT", "START_EVENT"]
Name = Annotated[Text, Field(max_length=255)]

# --- sending ----------------------------------------------------------------------------------------------------------


class MessageCorrelation(Model):
    """A message for who waits for it now."""

    name: Id
    correlation_key: Name = ""
    variables: Variables | None = None
    tenant_id: OwnTenant = None
    business_id: Text | None = None


class MessagePublication(MessageCorrelation):
    """A message that may wait: `timeToLive` in ms; while it waits, no other of its name, key and `messageId` is published."""

    time_to_live: Annotated[int, Field(ge=0, le=_LONGEST)] | None = None
    message_id: Name | None = None


class MessagePublicationResponse(Model):
    """The message that was published."""

    tenant_id: str
    message_key: Key


class MessageCorrelationResponse(Model):
    """The message, and the process instance that got it or was started by it."""

    tenant_id: str
    message_key: Key
    process_instance_key: Key


class SignalBroadcast(Model):
    """A signal for all who wait for it."""

    signal_name: Id
    variables: Variables | None = None
    tenant_id: OwnTenant = None


class SignalBroadcastResponse(Model):
    """The signal that was broadcast."""

    tenant_id: str
    signal_key: Key


@router.post("/messages/publication", scope="start", errors=(409, 501))
def publish_message(caller: Caller, body: MessagePublication) -> MessagePublicationResponse:
    """Publish a message; its receivers go on by themselves."""
    _check_sender(caller)
    _check_business_id(body)
    lasts = timedelta(milliseconds=body.time_to_live or 0)
    key = access.run(
        commands.publish_message,
        body.name,
        body.correlation_key,
        body.variables,
        lasts,
        body.message_id or None,
        caller.username,
    )
    return MessagePublicationResponse(tenant_id=TENANT, message_key=key)


@router.post("/messages/correlation", scope="start", errors=(404, 501))
def correlate_message(caller: Caller, body: MessageCorrelation) -> MessageCorrelationResponse:
    """Hand a message to who waits for it now."""
    _check_sender(caller)
    _check_business_id(body)
    key, instance = access.run(messages.correlate_message, body.name, body.correlation_key, body.variables, caller.username)
    return MessageCorrelationResponse(tenant_id=TENANT, message_key=key, process_instance_key=instance)


@router.post("/signals/broadcast", scope="start")
def broadcast_signal(caller: Caller, body: SignalBroadcast) -> SignalBroadcastResponse:
    """Broadcast a signal to all who wait for it."""
    _check_sender(caller)
    access.run(commands.broadcast_signal, body.signal_name, body.variables, caller.username)
    return SignalBroadcastResponse(tenant_id=TENANT, signal_key=next(access.context().keys))


def _check_sender(caller: Caller) -> None:
    if caller.processes is not None:
        raise ApiProblem(403, "The token is confined to processes; messages and signals reach all of them.")
    if caller.scopes is None and not caller.person.is_admin:
        raise ApiProblem(403, "Messages and signals are sent with a token of the scope 'start', or by administrators.")


def _check_business_id(body: MessageCorrelation) -> None:
    if body.business_id is not None:
        raise ApiProblem(501, "Liuzhuan does not implement business ids of messages.", field="businessId")


# --- subscriptions ----------------------------------------------------------------------------------------------------


class MessageSubscriptionFilter(Filter):
    """What subscriptions are searched by."""

    MISSING = frozenset({"inboundConnectorType", "toolName"})

    business_id: StringFilter = None
    message_subscription_key: KeyFilter = None
    process_definition_key: KeyFilter = None
    process_definition_id: StringFilter = None
    process_definition_name: StringFilter = None
    process_definition_version: IntegerFilter = None
    process_instance_key: KeyFilter = None
    element_id: StringFilter = None
    element_instance_key: KeyFilter = None
    message_subscription_state: filter_of("SubscriptionStateOperators", SubscriptionState, like=True) = None  # type: ignore[valid-type]
    message_subscription_type: filter_of("SubscriptionTypeOperators", SubscriptionType, like=True) = None  # type: ignore[valid-type]
    last_updated_date: MomentFilter = None
    message_name: StringFilter = None
    correlation_key: StringFilter = None
    tenant_id: StringFilter = None


class MessageSubscriptionSearch(
    SearchRequest[
        MessageSubscriptionFilter,
        Literal[
            "businessId",
            "correlationKey",
            "elementId",
            "elementInstanceKey",
            "inboundConnectorType",
            "lastUpdatedDate",
            "messageName",
            "messageSubscriptionKey",
            "messageSubscriptionState",
            "messageSubscriptionType",
            "processDefinitionId",
            "processDefinitionName",
            "processDefinitionVersion",
            "processInstanceKey",
            "tenantId",
            "toolName",
        ],
    ]
):
    """A search of subscriptions."""


class MessageSubscriptionResult(Model):
    """A subscription that is open. Extension properties of tools and connectors are not told."""

    business_id: str | None
    message_subscription_key: Key
    process_definition_id: str
    process_definition_key: Key | None
    process_definition_name: str | None
    process_definition_version: int | None
    process_instance_key: Key | None
    root_process_instance_key: Key | None
    element_id: str
    element_instance_key: Key | None
    message_subscription_state: SubscriptionState
    message_subscription_type: SubscriptionType
    last_updated_date: Moment
    message_name: str
    correlation_key: str | None
    tool_properties: Variables
    tool_name: str | None
    inbound_connector_type: str | None
    tenant_id: str


@router.post("/message-subscriptions/search", scope="read", errors=(501,))
def search_message_subscriptions(
    caller: Caller, body: MessageSubscriptionSearch | None
) -> SearchResponse[MessageSubscriptionResult]:
    """Search the subscriptions that are open."""
    wanted = _wanted(body or MessageSubscriptionSearch())
    found = access.ask(message_search.search_message_subscriptions, caller.username, wanted, processes=caller.processes)
    items = [_result(row, row.key in found.veiled) for row in found.page.rows]
    return SearchResponse[MessageSubscriptionResult].of(items, found.page)


def _wanted(body: MessageSubscriptionSearch) -> Search:
    search = body.search()
    for item in search.conditions:
        values: list[Any] = item.value if isinstance(item.value, list) else [item.value]
        if item.field == "message_subscription_state" and item.operator in {"eq", "in"} and set(values) != {"CREATED"}:
            detail = "Subscriptions that have closed are kept in the journal, not searched here."
            raise ApiProblem(501, detail, field="filter.messageSubscriptionState")
    return search


def _result(row: Found, veiled: bool) -> MessageSubscriptionResult:
    return MessageSubscriptionResult(
        business_id=row.business_id,
        message_subscription_key=row.key,
        process_definition_id=row.bpmn_process_id,
        process_definition_key=row.definition_key,
        process_definition_name=row.process_name or None,
        process_definition_version=row.version,
        process_instance_key=row.instance_key,
        root_process_instance_key=row.root_key,
        element_id=row.element_id,
        element_instance_key=row.element_key,
        message_subscription_state="CREATED",
        message_subscription_type=row.type,
        last_updated_date=row.opened_at,
        message_name=row.message,
        correlation_key=None if veiled else row.correlation_key,
        tool_properties={},
        tool_name=None,
        inbound_connector_type=None,
        tenant_id=TENANT,
    )
