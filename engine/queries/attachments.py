"""Attachments of cases, for those who may see the case."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from engine.errors import NotFound
from engine.store.context import Context
from engine.store.rights import actor, may_see_instance
from engine.store.tables import attachment, attachment_binding, blob

_BOUND = (
    select(attachment_binding, blob.c.content)
    .join(blob, blob.c.digest == attachment_binding.c.digest)
    .where(attachment_binding.c.digest == bindparam("digest"))
)
_STAGED = (
    select(attachment, blob.c.content)
    .join(blob, blob.c.digest == attachment.c.digest)
    .where(attachment.c.digest == bindparam("digest"), attachment.c.staged_by == bindparam("who"))
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file with its content."""

    digest: str
    name: str
    content_type: str
    content: bytes


def attachment_content(ctx: Context, digest: str, who: str) -> Attachment:
    """Return a file that a person uploaded, or that belongs to a case they may see.

    Raises:
        NotFound: there is no such file, or this person may not know of it.
    """
    with ctx.store.read() as reading:
        acting = actor(reading, who)
        own = reading.one(_STAGED, {"digest": digest, "who": who})
        if own is not None:
            return Attachment(digest, own.name, own.content_type, bytes(own.content))
        for row in reading.all(_BOUND, {"digest": digest}):
            if may_see_instance(reading, acting, row.instance_key):
                return Attachment(digest, row.name, row.content_type, bytes(row.content))
    raise NotFound("没有此附件（no such attachment）")
