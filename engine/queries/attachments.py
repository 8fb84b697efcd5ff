"""Attachments of cases, for those who may see the case and the scope that they came with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.queries.records import Attachment
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import Actor, actor, may_see_instance
from engine.store.tables import attachment, attachment_binding, blob, process_instance

_BOUND = (
    select(attachment_binding, blob.c.content)
    .join(blob, blob.c.digest == attachment_binding.c.digest)
    .where(attachment_binding.c.digest == bindparam("digest"))
)
_OF_CASE = (
    select(attachment_binding)
    .where(attachment_binding.c.instance_key == bindparam("instance"))
    .order_by(attachment_binding.c.bound_at, attachment_binding.c.name)
)
_DEFINITION = select(process_instance.c.definition_key).where(process_instance.c.key == bindparam("instance"))
_STAGED = (
    select(attachment, blob.c.content)
    .join(blob, blob.c.digest == attachment.c.digest)
    .where(attachment.c.digest == bindparam("digest"), attachment.c.staged_by == bindparam("who"))
)


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file with its content."""

    digest: str
    name: str
    content_type: str
    content: bytes


def attachments(ctx: Context, key: int, who: str) -> tuple[Attachment, ...]:
    """Return the files bound to a case, in order of time, without those of scopes that this person may not read yet.

    Raises:
        NotFound: this person may not know of the case.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        if not may_see_instance(reading, acting, key):
            raise NotFound(f"没有案件 {key}（no such case）")
        hidden = _hidden(ctx, reading, acting, key)
        rows = [row for row in reading.all(_OF_CASE, {"instance": key}) if row.scope_key not in hidden]
        return tuple(Attachment(row.digest, row.name, row.content_type, row.size, row.bound_by, row.bound_at) for row in rows)


def attachment_content(ctx: Context, digest: str, who: str) -> FileContent:
    """Return a file that a person uploaded, or that belongs to a case they may see.

    Raises:
        NotFound: there is no such file, or this person may not know of it.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        own = reading.one(_STAGED, {"digest": digest, "who": who})
        if own is not None:
            return FileContent(digest, own.name, own.content_type, bytes(own.content))
        for row in reading.all(_BOUND, {"digest": digest}):
            seen = may_see_instance(reading, acting, row.instance_key)
            if seen and row.scope_key not in _hidden(ctx, reading, acting, row.instance_key):
                return FileContent(digest, row.name, row.content_type, bytes(row.content))
    raise NotFound("没有此附件（no such attachment）")


def _hidden(ctx: Context, reading: Reading, acting: Actor, instance_key: int) -> frozenset[int]:
    version = ctx.library.process(reading, reading.scalar(_DEFINITION, {"instance": instance_key}))
    return hidden_scopes(ctx, reading, version, instance_key, acting.person)
