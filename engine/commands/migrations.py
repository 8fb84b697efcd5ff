"""Moving running cases to another version (or another definition) of their process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from engine.commands import work
from engine.commands.instance_unit import InstanceUnit
from engine.commands.instances import fixed_bindings, lock_to_correct
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import InstanceMigrated
from engine.kernel import Advance, Instructions
from engine.kernel.advance import ElementMigrated, SubscriptionMigrated, TaskMigrated
from engine.store import Transaction
from engine.store.context import Context
from engine.store.library import resolve
from engine.store.tables import (
    IS_OPEN,
    element_instance,
    incident,
    job,
    message_subscription,
    process_instance,
    signal_subscription,
    timer,
    user_task,
)

_DEFINITION = (
    update(process_instance)
    .where(process_instance.c.key == bindparam("instance"))
    .values(
        definition_key=bindparam("definition"),
        bpmn_process_id=bindparam("process"),
        deployment_key=bindparam("deployment"),
        bindings=bindparam("fixed"),
    )
)
_PLACE = (
    update(element_instance)
    .where(element_instance.c.instance_key == bindparam("instance"), element_instance.c.key == bindparam("element"))
    .values(element_id=bindparam("to"))
)
_MOVED = tuple(
    update(table).where(column == bindparam("element")).values(element_id=bindparam("to"))
    for table, column in (
        (user_task, user_task.c.key),
        (timer, timer.c.key),
        (message_subscription, message_subscription.c.key),
        (signal_subscription, signal_subscription.c.key),
        (job, job.c.element_key),
        (incident, incident.c.element_key),
    )
)
_TASK = (
    update(user_task)
    .where(user_task.c.key == bindparam("task"))
    .values(
        name=bindparam("called"),
        form_id=bindparam("form"),
        form_key=bindparam("form_version"),
        external_form=bindparam("external"),
    )
)
_OFFER = (
    update(message_subscription)
    .where(message_subscription.c.key == bindparam("subscription"))
    .values(
        interrupting=bindparam("interrupts"),
        offered_to=bindparam("groups"),
        form_id=bindparam("form"),
        name=bindparam("called"),
    )
)
_TASKS_OF = (
    update(user_task)
    .where(user_task.c.instance_key == bindparam("instance"), IS_OPEN)
    .values(bpmn_process_id=bindparam("process"))
)
_MESSAGES_OF = (
    update(message_subscription)
    .where(message_subscription.c.instance_key == bindparam("instance"))
    .values(bpmn_process_id=bindparam("process"))
)
# Called instances that are not started yet: their call activity may have another id now.
_CALLS = select(job.c.key, job.c.input).where(
    job.c.instance_key == bindparam("instance"), job.c.element_key.is_(None), job.c.type == bindparam("type")
)
_CALL = update(job).where(job.c.key == bindparam("job")).values(input=bindparam("content"))


def migrate_instance(
    ctx: Context, key: int, definition_key: int, by: str | None, reason: str, instructions: Instructions | None = None
) -> None:
    """Move a running case to another definition; open tasks, drafts, timers and subscriptions stay what they are.

    Args:
        definition_key: the definition it runs from now.
        instructions: source element id → target id, where they differ; see `engine.kernel.migration`.
    Raises:
        MigrationRefused: something in the case cannot be moved (carries the obstacles).
        InvalidValue: there is no reason, or an instruction names an element that is not there.
        NotAllowed: `by` is no administrator.
        Conflict: the case has ended, or runs that definition already.
        NotFound: there is no such case or definition.
    """
    if not reason.strip():
        raise InvalidValue("请填写迁移原因（a reason is needed）", field="reason")
    with ctx.store.begin() as tx:
        migrate(lock_to_correct(ctx, tx, key, by), definition_key, by, reason, instructions or {})


def migrate(unit: InstanceUnit, definition_key: int, by: str | None, reason: str, instructions: Instructions) -> None:
    """Move a locked case to another definition and write it, within a command of its own or a batch's."""
    tx, source = unit.tx, unit.version
    if definition_key == source.key:
        raise Conflict(f"事项已在第 {source.version} 版上运行（the case runs this version already）")
    target = unit.ctx.library.process(tx, definition_key)
    bindings = fixed_bindings(tx, target)
    unit.record(
        InstanceMigrated(
            from_definition_key=source.key,
            from_version=source.version,
            from_bpmn_process_id=source.process.id,
            definition_key=target.key,
            version=target.version,
            bpmn_process_id=target.process.id,
            definition_hash=target.digest,
            reason=reason,
            mappings={before: after or "" for before, after in instructions.items()},
            bindings={name: str(value) for name, value in bindings.items()},
        )
    )
    unit.run_by(target, bindings)
    advance = unit.kernel.migrate(target.process, instructions)
    unit.apply(advance)
    unit.commit("migrate_instance", actor=by)
    definition = {"definition": target.key, "process": target.process.id, "deployment": target.deployment_key}
    tx.execute(_DEFINITION, {**definition, "instance": unit.key, "fixed": bindings or None})
    _move_rows(unit, advance, renamed=source.process.id != target.process.id)


def _move_rows(unit: InstanceUnit, advance: Advance, *, renamed: bool) -> None:
    tx, instance = unit.tx, {"instance": unit.key}
    if places := [{**instance, "element": key, "to": row.element_id} for key, row in advance.rows_put.items()]:
        tx.execute(_PLACE, places)
    moved = {change.key: change.element_id for change in advance.changes if isinstance(change, ElementMigrated)}
    if moved:
        for statement in _MOVED:
            tx.execute(statement, [{"element": key, "to": element_id} for key, element_id in moved.items()])
        for row in tx.all(_CALLS, {**instance, "type": work.START_CHILD}):
            if row.input["element_key"] in moved:
                tx.execute(_CALL, {"job": row.key, "content": {**row.input, "element_id": moved[row.input["element_key"]]}})
    if tasks := [_task(unit, change) for change in advance.changes if isinstance(change, TaskMigrated)]:
        tx.execute(_TASK, tasks)
    if offers := [_offer(change) for change in advance.changes if isinstance(change, SubscriptionMigrated)]:
        tx.execute(_OFFER, offers)
    if renamed:
        for statement in (_TASKS_OF, _MESSAGES_OF):
            tx.execute(statement, {**instance, "process": unit.version.process.id})


def _task(unit: InstanceUnit, change: TaskMigrated) -> dict[str, Any]:
    return {
        "task": change.key,
        "called": change.name,
        "form": change.form_id,
        "form_version": _form_key(unit.tx, change, unit.version.deployment_key),
        "external": change.external_form,
    }


def _form_key(tx: Transaction, change: TaskMigrated, deployment_key: int) -> int | None:
    if change.form_id is None:
        return None
    try:
        tag = change.form_version_tag
        return resolve(tx, "form", change.form_id, change.form_binding, version_tag=tag, deployment_key=deployment_key)
    except NotFound:
        return None  # the task's page says that its form is not deployed


def _offer(change: SubscriptionMigrated) -> dict[str, Any]:
    offered: Sequence[str] | None = change.offered_to or None
    return {
        "subscription": change.key,
        "interrupts": change.interrupting,
        "groups": offered,
        "form": change.form_id,
        "called": change.name,
    }
