"""Attachments: staged by digest before the command that binds them to a case; the content is stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select

from engine.errors import InvalidValue
from engine.store import Reading, Transaction
from engine.store.context import Context
from engine.store.tables import attachment, attachment_binding, blob
from engine.store.upsert import insert_new, upsert

_STAGED = select(attachment).where(attachment.c.digest == bindparam("digest")).order_by(attachment.c.staged_at.desc())
_BOUND = select(attachment_binding).where(attachment_binding.c.digest == bindparam("digest"))


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
