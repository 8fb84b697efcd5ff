"""Message subscriptions that are open, of cases and of start events, as programs search them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, literal, null, select, union_all

from engine.queries.searching import Page, Search, Searchable, search
from engine.queries.visibility import in_hidden_scopes
from engine.store.context import Context
from engine.store.rights import actor, sees_every_case, visible_cases
from engine.store.tables import message_subscription, process_definition, process_instance, start_event
from engine.store.transactions import Found
from engine.store.types import Key

TENANT = "<default>"
"""The one tenant there is, as Camunda names it."""

_ALL = union_all(
    select(
        message_subscription.c.key.label("key"),
        literal("PROCESS_EVENT", String).label("type"),
        message_subscription.c.bpmn_process_id.label("bpmn_process_id"),
        process_instance.c.definition_key.label("definition_key"),
        message_subscription.c.instance_key.label("instance_key"),
        process_instance.c.root_key.label("root_key"),
        process_instance.c.business_id.label("business_id"),
        message_subscription.c.element_id.label("element_id"),
        message_subscription.c.key.label("element_key"),
        message_subscription.c.message.label("message"),
        message_subscription.c.correlation_key.label("correlation_key"),
        message_subscription.c.opened_at.label("opened_at"),
        process_definition.c.name.label("process_name"),
        process_definition.c.version.label("version"),
    )
    .join(process_instance, process_instance.c.key == message_subscription.c.instance_key)
    .join(process_definition, process_definition.c.key == process_instance.c.definition_key),
    select(
        start_event.c.key,
        literal("START_EVENT", String),
        start_event.c.bpmn_process_id,
        start_event.c.definition_key,
        cast(null(), Key),
        cast(null(), Key),
        cast(null(), String),
        start_event.c.element_id,
        cast(null(), Key),
        start_event.c.name,
        cast(null(), String),
        process_definition.c.deployed_at,
        process_definition.c.name,
        process_definition.c.version,
    )
    .join(process_definition, process_definition.c.key == start_event.c.definition_key)
    .where(start_event.c.kind == "message"),
).subquery("subscription")

_SUBSCRIPTIONS = Searchable(
    statement=select(_ALL),
    columns={
        "business_id": _ALL.c.business_id,
        "message_subscription_key": _ALL.c.key,
        "process_definition_key": _ALL.c.definition_key,
        "process_definition_id": _ALL.c.bpmn_process_id,
        "process_definition_name": _ALL.c.process_name,
        "process_definition_version": _ALL.c.version,
        "process_instance_key": _ALL.c.instance_key,
        "element_id": _ALL.c.element_id,
        "element_instance_key": _ALL.c.element_key,
        "message_subscription_state": literal("CREATED", String),
        "message_subscription_type": _ALL.c.type,
        "last_updated_date": _ALL.c.opened_at,
        "message_name": _ALL.c.message,
        "correlation_key": _ALL.c.correlation_key,
        "tenant_id": literal(TENANT, String),
        "tool_name": literal(None, String),
        "inbound_connector_type": literal(None, String),
    },
    key=_ALL.c.key,
    nullable=frozenset(
        {
            "business_id",
            "process_instance_key",
            "element_instance_key",
            "correlation_key",
            "tool_name",
            "inbound_connector_type",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """A page of subscriptions. `veiled`: keys of those whose correlation key the person may not read: it is of a hidden scope."""

    page: Page
    veiled: frozenset[int]


def search_message_subscriptions(
    ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None
) -> SubscriptionPage:
    """Return the subscriptions that wait for a message, in cases that a person may see, and those of start events.

    Args:
        processes: only those of these processes; None = all.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        fields = {*(item.field for item in wanted.conditions), *(item.field for item in wanted.order)}
        probes = "correlation_key" in fields

        def visible(rows: Sequence[Found]) -> Sequence[Found]:
            roots = sorted({row.root_key for row in rows if row.root_key is not None})
            seen = visible_cases(reading, acting, roots) if roots else set()
            rows = [row for row in rows if row.root_key is None or row.root_key in seen]
            hidden = in_hidden_scopes(ctx, reading, rows, acting.person) if probes else frozenset()
            return [row for row in rows if row.key not in hidden]

        everything = sees_every_case(acting) and (acting.person.is_auditor or not probes)
        restrictions = [] if processes is None else [_ALL.c.bpmn_process_id.in_(sorted(processes))]
        page = search(reading, _SUBSCRIPTIONS, wanted, *restrictions, visible=None if everything else visible)
        return SubscriptionPage(page, in_hidden_scopes(ctx, reading, page.rows, acting.person))
