"""Events that a person may trigger by hand: the form to fill."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.queries import forms
from engine.queries.instances import offers_of
from engine.queries.records import OfferPage
from engine.queries.rows import INSTANCES, instance_of
from engine.store.context import Context
from engine.store.directory import person
from engine.store.rights import is_offered
from engine.store.tables import message_subscription, process_instance
from engine.store.variables import view

_SUBSCRIPTION = select(message_subscription).where(message_subscription.c.key == bindparam("subscription"))


def offer(ctx: Context, subscription_key: int, who: str) -> OfferPage:
    """Return the form of an event that is offered to a person.

    Raises:
        NotFound: the event does not wait any more, or is not offered to this person.
    """
    with ctx.store.read() as reading:
        row = reading.one(_SUBSCRIPTION, {"subscription": subscription_key})
        case = reading.one(INSTANCES.where(process_instance.c.key == row.instance_key)) if row is not None else None
        if row is None or case is None or not is_offered(person(reading, who), row.offered_to):
            raise NotFound(f"事件 {subscription_key} 已不再等待（the event does not wait any more）")
        version = ctx.library.process(reading, case.definition_key)
        return OfferPage(
            offer=offers_of(version, [row])[0],
            instance=instance_of(reading, case),
            form=forms.newest_form(ctx, reading, row.form_id),
            variables=view(reading, row.instance_key, row.key),
        )
