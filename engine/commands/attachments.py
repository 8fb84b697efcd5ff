"""Attachments: staged by digest before the command that binds them to a case; the content is stored once.

What is never bound is collected a day later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, and_, bindparam, delete, exists, select

from engine.errors import InvalidValue
from engine.store import Reading, Transaction, exact_json
from engine.store.context import Context
from engine.store.tables import attachment, attachment_binding, blob, draft, metadata, start_draft
from engine.store.upsert import insert_new, upsert

ORPHANED = timedelta(hours=24)
"""How long an upload waits for the submission that binds it."""

_AT_ONCE = 50  # orphans collected by one transaction

_STAGED = select(attachment).where(attachment.c.digest == bindparam("digest")).order_by(attachment.c.staged_at.desc())
_BOUND = select(attachment_binding).where(attachment_binding.c.digest == bindparam("digest"))
_IN_A_DRAFT = (
    exists(select(drafts.c.saved_at).where(drafts.c.data.cast(Text).contains(attachment.c.digest)))
    for drafts in (draft, start_draft)
)
# Uploads that no case and no draft holds, staged before a moment.
_ORPHANS = (
    select(attachment.c.digest, attachment.c.staged_by)
    .where(
        attachment.c.staged_at < bindparam("before"),
        ~exists(select(attachment_binding.c.digest).where(attachment_binding.c.digest == attachment.c.digest)),
        *(~held for held in _IN_A_DRAFT),
    )
    .limit(_AT_ONCE)
)
_UNSTAGE = delete(attachment).where(attachment.c.digest == bindparam("gone"), attachment.c.staged_by == bindparam("who"))
_CONTENT = select(blob.c.content).where(blob.c.digest == bindparam("digest"))
_DISCARD = delete(blob).where(
    blob.c.digest == bindparam("gone"),
    and_(
        *(
            ~exists(select(key.parent).where(key.parent == blob.c.digest))
            for table in metadata.sorted_tables
            for key in table.foreign_keys
            if key.column is blob.c.digest
        )
    ),
)


def stage_attachment(ctx: Context, name: str, content_type: str, content: bytes, by: str) -> dict[str, Any]:
    """Store an upload and return what a file field holds: `{name, size, digest, contentType}`.

    Raises:
        InvalidValue: it is empty, or larger than the setting `upload_megabytes` allows.
    """
    limit = ctx.settings.upload_megabytes * 1024 * 1024
    if not content or len(content) > limit:
        raise InvalidValue(f"附件为空或超过 {ctx.settings.upload_megabytes} MB（empty or too large）", field=name)
    digest = hashlib.sha256(content).hexdigest()
    with ctx.store.begin() as tx:
        tx.execute(insert_new(tx, blob), {"digest": digest, "size": len(content), "content": content})
        row = {"digest": digest, "staged_by": by, "name": name, "content_type": content_type, "size": len(content)}
        tx.execute(upsert(tx, attachment, ("name", "content_type", "staged_at")), {**row, "staged_at": tx.now})
    return {"name": name, "size": len(content), "digest": digest, "contentType": content_type}


def discard_orphans(ctx: Context) -> int:
    """Discard uploads of the day before and earlier that no case and no draft holds; return how many went, 50 at most.

    A content goes with its last upload, unless something else has the same: a file of a case, a deployed file, a large value. The
    journal names its large values by digest alone, and they are JSON texts: what reads as JSON is kept.
    """
    with ctx.store.begin() as tx:
        orphans = tx.all(_ORPHANS, {"before": tx.now - ORPHANED})
        for orphan in orphans:
            tx.execute(_UNSTAGE, {"gone": orphan.digest, "who": orphan.staged_by})
            if not _reads_as_json(tx.scalar(_CONTENT, {"digest": orphan.digest})):
                tx.execute(_DISCARD, {"gone": orphan.digest})
        return len(orphans)


def bind_attachments(tx: Transaction, instance_key: int, scope_key: int, values: Iterable[Any], by: str | None) -> None:
    """Bind the files that a submission's values name to the case.

    Raises:
        InvalidValue: a file was not staged by this person, or its size is not what was staged.
    """
    rows = []
    for item in files_in(values):
        staged = _staged(tx, item, instance_key, by)
        rows.append(
            {
                "instance_key": instance_key,
                "scope_key": scope_key,
                "digest": item["digest"],
                "name": str(item.get("name") or staged.name),
                "content_type": staged.content_type,
                "size": staged.size,
                "bound_by": by,
                "bound_at": tx.now,
            }
        )
    if rows:
        tx.execute(insert_new(tx, attachment_binding), rows)


def files_in(values: Iterable[Any]) -> Iterable[Mapping[str, Any]]:
    """Yield every file (`{name, size, digest, …}`) within form values, at any depth."""
    for value in values:
        if isinstance(value, Mapping):
            if isinstance(value.get("digest"), str) and "size" in value and "name" in value:
                yield value
            else:
                yield from files_in(value.values())
        elif isinstance(value, list | tuple):
            yield from files_in(value)


def _staged(reading: Reading, item: Mapping[str, Any], instance_key: int, by: str | None) -> Any:
    mine = [row for row in reading.all(_STAGED, {"digest": item["digest"]}) if by is None or row.staged_by == by]
    bound = [row for row in reading.all(_BOUND, {"digest": item["digest"]}) if row.instance_key == instance_key]
    found = next(iter([*mine, *bound]), None)
    if found is None or found.size != item["size"]:
        raise InvalidValue(f"附件 {item['name']} 未上传，请重新上传（not uploaded; upload it again）", field=str(item["name"]))
    return found


def _reads_as_json(content: bytes) -> bool:
    try:
        exact_json.loads(bytes(content).decode())
    except (UnicodeDecodeError, InvalidValue):
        return False
    return True
