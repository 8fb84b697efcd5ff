"""Ad-hoc sub-processes: people choose what starts in them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import check_active
from engine.errors import InstanceSuspended, NotAllowed
from engine.store.context import Context
from engine.store.directory import person
from engine.store.rights import may_start_in
from engine.store.suspension import suspension


def start_in_ad_hoc(ctx: Context, instance_key: int, ad_hoc_key: int, elements: Sequence[str], by: str | None = None) -> None:
    """Start elements of an ad-hoc sub-process, again where they ran before; in a sequential one they queue up.

    Args:
        ad_hoc_key: key of the ad-hoc sub-process's element instance.
        elements: ids of elements in it that no flow leads to.
        by: who chose them: an administrator, or somebody the sub-process is offered to (`offeredTo`); None = the system.
    Raises:
        NotFound: the ad-hoc sub-process does not live any more.
        NotAllowed: it is not offered to this person.
        InvalidValue: an element is not in it, or has a flow that leads to it.
        Conflict: it is about to complete, or the case has ended.
        InstanceSuspended: the case is suspended.
    """
    with ctx.store.begin() as tx:
        unit = InstanceUnit.lock(ctx, tx, instance_key)
        check_active(unit)
        element = unit.kernel.element(ad_hoc_key)
        locked = suspension(tx, unit.row, ad_hoc_key)
        if locked is not None:
            raise InstanceSuspended(f"事项已暂停：{locked.reason}（the case is suspended）", element_id=element.id)
        if by is not None and not may_start_in(person(tx, by), element):
            raise NotAllowed("您不能在这里开始活动（it is not offered to you）", element_id=element.id)
        unit.apply(unit.kernel.start_in_ad_hoc(ad_hoc_key, elements))
        unit.commit("start_in_ad_hoc", actor=by)
