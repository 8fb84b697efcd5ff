"""Whether a task is locked because its case is suspended: its own instance, or one that called it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine.store.tables import element_instance, process_instance
from engine.store.transactions import Reading

_INSTANCE = select(
    process_instance.c.key,
    process_instance.c.parent_key,
    process_instance.c.parent_element_key,
    process_instance.c.suspended_at,
    process_instance.c.suspended_by,
    process_instance.c.suspended_reason,
    process_instance.c.suspended_except,
).where(process_instance.c.key == bindparam("instance"))
_PARENT = select(element_instance.c.parent_key).where(
    element_instance.c.instance_key == bindparam("instance"), element_instance.c.key == bindparam("element")
)


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why a case is suspended, since when, by whom (None = by a rule)."""

    reason: str
    since: datetime
    by: str | None


def suspension(reading: Reading, instance: Mapping[str, Any], scope_key: int | None) -> Suspension | None:
    """Return why a scope of an instance is locked, or None.

    Args:
        instance: columns of `process_instance`.
        scope_key: an element instance in it; None = the instance itself. What is excepted from a suspension, and all in it,
            goes on.
    """
    row: Mapping[str, Any] | None = instance
    while row is not None:
        if row["suspended_at"] is not None and not _within(reading, row["key"], scope_key, row["suspended_except"]):
            return Suspension(row["suspended_reason"] or "", row["suspended_at"], row["suspended_by"])
        if row["parent_key"] is None:
            return None
        scope_key = row["parent_element_key"]
        found = reading.one(_INSTANCE, {"instance": row["parent_key"]})
        row = None if found is None else found._asdict()
    return None


def _within(reading: Reading, instance_key: int, scope_key: int | None, excepted: int | None) -> bool:
    while excepted is not None and scope_key is not None:
        if scope_key == excepted:
            return True
        scope_key = reading.scalar(_PARENT, {"instance": instance_key, "element": scope_key})
    return False
