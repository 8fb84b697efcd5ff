"""Starting an instance as a program asks for it, on behalf of a person: by key, version or tag, with tags, at chosen elements.

What a person may not do on a page they may not do here: a process is started by those it is offered to, its start form is checked
for them, and only administrators choose an older version, where it starts, or leave the form out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from engine.commands import attachments, idempotency, submissions
from engine.commands.instances import begin, check_may_start, new_unit
from engine.commands.starting import start_by_hand
from engine.commands.surroundings import environment
from engine.commands.values import clean
from engine.errors import Conflict, InvalidValue, NotAllowed, NotFound
from engine.history.events import FormSubmitted
from engine.store import Transaction
from engine.store.context import Context
from engine.store.directory import Person, person
from engine.store.library import ProcessVersion, process_key, resolve
from engine.store.tables import IS_ACTIVE, instance_tag, process_definition, process_instance

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_\-:.]{0,99}")
MOST_TAGS = 10

_ADD_TAG = insert(instance_tag)
_LOCK = select(process_definition.c.key).where(process_definition.c.key == bindparam("definition")).with_for_update()
_SAME = select(process_instance.c.key).where(
    process_instance.c.bpmn_process_id == bindparam("process"),
    process_instance.c.business_id == bindparam("number"),
    process_instance.c.parent_key.is_(None),
    IS_ACTIVE,
)


@dataclass(frozen=True, slots=True)
class Which:
    """Which version of a process: its key, or its id with a version or a version tag (neither: the newest)."""

    key: int | None = None
    bpmn_process_id: str | None = None
    version: int | None = None
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """What was started; the instance's key with what it runs."""

    key: int
    definition_key: int
    bpmn_process_id: str
    version: int
    business_id: str | None
    tags: tuple[str, ...]


def create_instance(
    ctx: Context,
    which: Which,
    by: str,
    variables: Mapping[str, Any] | None = None,
    *,
    business_id: str | None = None,
    unique: bool = False,
    tags: Sequence[str] = (),
    at: Sequence[str] = (),
    processes: Collection[str] | None = None,
    idempotency_key: str | None = None,
) -> Created:
    """Start an instance for a person.

    Args:
        unique: refuse a business id that another running case of the process has.
        tags: at most `MOST_TAGS` words for searches.
        at: ids of elements to start before, instead of the start event.
        processes: the processes that the person's token is confined to; None = all.
        idempotency_key: the same key again gives the first answer.
    Raises:
        NotFound: there is no such process, version or element.
        NotAllowed: the process is not offered to the person, or only administrators may do it this way.
        InvalidSubmission: the variables break the start form.
        InvalidValue: a tag or a value cannot be stored.
        Conflict: the business id is taken.
    """
    wanted = _tags(tags)
    with ctx.store.begin() as tx:
        answer = idempotency.answer(tx, by, idempotency_key)
        if answer is not None:
            return Created(**{**answer, "tags": tuple(answer["tags"])})
        version = _version(ctx, tx, which)
        process = version.process
        if processes is not None and process.id not in processes:
            raise NotFound(f"没有流程 {process.id}（the token is confined to other processes）")
        who = person(tx, by)
        check_may_start(who, version)
        if unique and business_id is not None:
            tx.execute(_LOCK, {"definition": version.key})
            if tx.one(_SAME, {"process": process.id, "number": business_id}) is not None:
                raise Conflict(f"编号 {business_id} 已有在办事项（a running case has this business id）", field="businessId")
        key, number = _start(ctx, tx, version, who, variables or {}, business_id, at)
        if wanted:
            tx.execute(_ADD_TAG, [{"instance_key": key, "tag": tag} for tag in wanted])
        created = Created(key, version.key, process.id, version.version, number, tuple(wanted))
        if idempotency_key is not None:
            told = {name: getattr(created, name) for name in Created.__slots__}
            idempotency.remember(tx, by, idempotency_key, told | {"tags": wanted})
        return created


def _start(
    ctx: Context,
    tx: Transaction,
    version: ProcessVersion,
    who: Person,
    variables: Mapping[str, Any],
    business_id: str | None,
    at: Sequence[str],
) -> tuple[int, str | None]:
    """Start it, with the start form's check for those who are no administrators; return key and business id."""
    if who.is_admin:
        unit = new_unit(ctx, tx, version.key, business_id=business_id, by=who.username)
        begin(unit, variables, by=who.username, at=at)
        unit.commit("start_instance", actor=who.username)
        return unit.key, unit.row["business_id"]
    if at:
        raise NotAllowed("只有管理员可以从指定元素开始（only administrators choose where an instance starts）")
    if version.key != process_key(tx, version.process.id):
        raise NotAllowed("只有管理员可以发起旧版本（only administrators start an older version）")
    start = start_by_hand(version.process)
    accepted = submissions.accept(
        ctx,
        tx,
        submissions.latest_form_key(tx, start.form_id),
        clean(variables),
        {},
        process=version.process,
        element=start,
        environment=environment(ctx, tx),
        by=who.username,
    )
    unit = new_unit(ctx, tx, version.key, business_id=business_id, by=who.username)
    submitted = (FormSubmitted(None, start.id, accepted.form_id, accepted.form_hash),) if accepted.form_id is not None else ()
    begin(unit, accepted.data, by=who.username, start_event_id=start.id, events=submitted)
    unit.commit("start_instance", actor=who.username)
    attachments.bind_attachments(tx, unit.key, unit.key, accepted.data.values(), who.username)
    return unit.key, unit.row["business_id"]


def _version(ctx: Context, tx: Transaction, which: Which) -> ProcessVersion:
    if which.key is not None:
        version = ctx.library.process(tx, which.key)
        if which.version is not None and which.version != version.version:
            raise NotFound(f"定义 {which.key} 不是第 {which.version} 版（the definition has another version）")
        return version
    name = which.bpmn_process_id or ""
    if which.version_tag is not None:
        return ctx.library.process(tx, resolve(tx, "process", name, "versionTag", version_tag=which.version_tag))
    return ctx.library.process(tx, process_key(tx, name, which.version))


def _tags(tags: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(tags))
    if len(found) > MOST_TAGS:
        raise InvalidValue(f"标签最多 {MOST_TAGS} 个（at most {MOST_TAGS} tags）", field="tags")
    for tag in found:
        if not _TAG.fullmatch(tag):
            raise InvalidValue(f"标签不合规：{tag!r}（a letter, then letters, digits, _ - : .; at most 100）", field="tags")
    return found
