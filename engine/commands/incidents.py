"""Incidents: corrected by an administrator, tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from engine.commands import jobs, work
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import check_active
from engine.commands.values import clean
from engine.errors import NotFound
from engine.history.events import IncidentCorrected
from engine.kernel.advance import IncidentResolved
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import incident, job
from engine.store.variables import by_scope, scopes

_INCIDENT = select(incident).where(incident.c.key == bindparam("incident"))
_OF_INSTANCE = select(incident).where(incident.c.instance_key == bindparam("instance")).order_by(incident.c.key)
_REDELIVER = (
    update(job)
    .where(job.c.key == bindparam("delivery"))
    .values(retries=1, due_at=bindparam("at"), worker=None, locked_until=None, chain=0)
)


def resolve_incident(
    ctx: Context, incident_key: int, by: str | None, variables: Mapping[str, Any] | None = None, *, reason: str = ""
) -> None:
    """Correct variables and let the element try again; where it fails again, it holds a new incident.

    Args:
        variables: set where the element sees a variable of that name; new ones in the process instance.
    Raises:
        NotFound: there is no such incident (any more).
        NotAllowed: `by` is no administrator.
    """
    with ctx.store.begin() as tx:
        row = tx.one(_INCIDENT, {"incident": incident_key})
        if row is None:
            raise NotFound(f"没有异常 {incident_key}（no such incident: resolved before?）")
        check_administers(tx, by)
        unit = InstanceUnit.lock(ctx, tx, row.instance_key)
        if row.kind == work.DELIVERY_FAILED:
            _deliver_again(unit, row, by, reason)
            return
        check_active(unit)
        _correct(unit, row.element_key, clean(variables))
        retry(unit, [row], reason)
        unit.commit("resolve_incident", actor=by)


def of_instance(unit: InstanceUnit, element_id: str | None = None, kind: str | None = None) -> list[Row[Any]]:
    """Return the incidents of a locked case (at one element, of one kind), the oldest first; not those of mails and webhooks."""
    rows = unit.tx.all(_OF_INSTANCE, {"instance": unit.key})
    return [
        row
        for row in rows
        if row.kind != work.DELIVERY_FAILED and element_id in {None, row.element_id} and kind in {None, row.kind}
    ]


def retry(unit: InstanceUnit, rows: Sequence[Row[Any]], reason: str) -> None:
    """Let elements of a locked case that hold incidents try again, within a command of its own or a batch's."""
    for row in rows:
        if row.element_key not in unit.kernel.keys:
            continue  # one before it led to its end
        unit.record(IncidentCorrected(row.key, row.element_key, row.element_id, reason))
        waiting = jobs.find_job(unit.tx, row.element_key)
        if waiting is not None and (waiting.due_at is None or waiting.retries < 1):
            jobs.offer_again(unit, waiting)
        unit.apply(unit.kernel.resolve_incident(row.element_key))


def _deliver_again(unit: InstanceUnit, row: Row[Any], by: str | None, reason: str) -> None:
    """Offer a mail or webhook again; the case itself went on without it and may have ended."""
    unit.tx.execute(_REDELIVER, {"delivery": row.element_key, "at": unit.tx.now})
    unit.tx.falls_due(unit.tx.now)
    unit.record(
        IncidentCorrected(row.key, row.element_key, row.element_id, reason),
        IncidentResolved(row.key, row.element_key, row.element_id),
    )
    unit.commit("resolve_incident", actor=by)


def _correct(unit: InstanceUnit, element_key: int, variables: Mapping[str, Any]) -> None:
    if not variables:
        return
    known = by_scope(unit.tx, unit.key)
    around = scopes(unit.tx, unit.key, element_key)
    corrected: dict[int, dict[str, Any]] = {}
    for name, value in variables.items():
        scope = next((key for key in around if name in known.get(key, {})), unit.key)
        corrected.setdefault(scope, {})[name] = value
    for scope, values in corrected.items():
        unit.apply(unit.kernel.set_variables(scope, values))
