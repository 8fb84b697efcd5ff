"""Events that a person may trigger by hand: the form to fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.queries import forms
from engine.queries.records import FormView
from engine.store.context import Context
from engine.store.directory import person
from engine.store.rights import is_offered
from engine.store.tables import message_subscription
from engine.store.variables import view

_SUBSCRIPTION = select(message_subscription).where(message_subscription.c.key == bindparam("subscription"))


@dataclass(frozen=True, slots=True)
class EventForm:
    """An offered event's form (None = it is triggered without one) and what the form may read."""

    subscription_key: int
    process_instance_key: int
    element_id: str
    name: str
    form: FormView | None
    variables: Mapping[str, Any]


def event_form(ctx: Context, subscription_key: int, who: str) -> EventForm:
    """Return the form of an event that is offered to a person.

    Raises:
        NotFound: the event does not wait any more, or is not offered to this person.
    """
    with ctx.store.read() as reading:
        row = reading.one(_SUBSCRIPTION, {"subscription": subscription_key})
        if row is None or not is_offered(person(reading, who), row.offered_to):
            raise NotFound(f"事件 {subscription_key} 已不再等待（the event does not wait any more）")
        form = forms.newest_form(ctx, reading, row.form_id)
        variables = view(reading, row.instance_key, row.key)
        return EventForm(row.key, row.instance_key, row.element_id, row.name or row.message, form, variables)
