"""Deleting what was deployed: nothing starts on it any more. What ran on it keeps its diagram, its form and its history."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, update

from engine import history
from engine.commands.deploy import register_starts
from engine.definitions import Report
from engine.errors import Conflict, NotFound
from engine.history.events import DefinitionsDeleted
from engine.store import Transaction
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import IS_ACTIVE, decision_definition, form_definition, process_definition, process_instance, start_event
from engine.store.transactions import Found

_KINDS = (
    ("process", process_definition, process_definition.c.bpmn_process_id),
    ("decision", decision_definition, decision_definition.c.decision_id),
    ("form", form_definition, form_definition.c.form_id),
)
_RUNNING = (
    select(func.count())
    .select_from(process_instance)
    .where(process_instance.c.definition_key == bindparam("definition"), IS_ACTIVE)
)
_NEWEST = (
    select(process_definition.c.key, process_definition.c.version)
    .where(process_definition.c.bpmn_process_id == bindparam("id"), process_definition.c.deleted_at.is_(None))
    .order_by(process_definition.c.version.desc())
    .limit(1)
    .with_for_update()
)


def delete_definition(ctx: Context, key: int, by: str | None = None) -> None:
    """Delete the version of a process or form with this key, or the file of the decision with this key: all decisions in it.

    Where the newest version of a process goes, the one before is the newest again, with its start events.

    Raises:
        NotFound: there is no such definition (any more).
        NotAllowed: `by` is no administrator.
        Conflict: instances of the process still run.
    """
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        for kind, table, name in _KINDS:
            there = select(table, name.label("id")).where(table.c.deleted_at.is_(None))
            row = tx.one(there.where(table.c.key == key))
            if row is None:
                continue
            rows = [row]
            if kind == "process":
                _check_idle(tx, row)
            if kind == "decision":
                rows = list(
                    tx.all(there.where(table.c.deployment_key == row.deployment_key, table.c.resource_name == row.resource_name))
                )
            newest = tx.one(_NEWEST, {"id": row.id}) if kind == "process" else None
            tx.execute(update(table).where(table.c.key.in_([each.key for each in rows])).values(deleted_at=tx.now))
            if newest is not None and newest.key == key:
                _step_back(ctx, tx, row)
            versions = {f"{kind}:{each.id}": each.version for each in rows}
            history.append(tx, history.NO_INSTANCE, "delete_definition", [DefinitionsDeleted(versions)], actor=by)
            return
    raise NotFound(f"没有资源 {key}（no such resource）")


def _check_idle(tx: Transaction, row: Found) -> None:
    running = tx.scalar(_RUNNING, {"definition": row.key})
    if running:
        raise Conflict(
            f"「{row.name}」第 {row.version} 版有 {running} 件在办事项，不能删除（instances of it still run: {running}）"
        )


def _step_back(ctx: Context, tx: Transaction, row: Found) -> None:
    """Let the version before wait for messages, signals and times again, or nothing at all."""
    before = tx.one(_NEWEST, {"id": row.id})
    if before is not None:
        register_starts(ctx, tx, ctx.library.process(tx, before.key).process, before.key, Report(()))
    else:
        tx.execute(start_event.delete().where(start_event.c.bpmn_process_id == row.id))
