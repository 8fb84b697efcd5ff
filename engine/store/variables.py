"""Variables as a scope sees them: its own, then those of the scopes around it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from engine.store import exact_json
from engine.store.tables import blob, element_instance, variable
from engine.store.transactions import Reading

_PARENTS = select(element_instance.c.key, element_instance.c.parent_key).where(
    element_instance.c.instance_key == bindparam("instance")
)
# All variables of an instance; a large value's text is a blob.
VARIABLES = (
    select(variable.c.scope_key, variable.c.name, variable.c.value, blob.c.content)
    .join_from(variable, blob, blob.c.digest == variable.c.digest, isouter=True)
    .where(variable.c.instance_key == bindparam("instance"))
)


def by_scope(reading: Reading, instance_key: int) -> dict[int, dict[str, Any]]:
    """Return the variables of every scope of an instance, without the kernel's own."""
    found: dict[int, dict[str, Any]] = {}
    for scope_key, name, value, content in reading.execute(VARIABLES, {"instance": instance_key}):
        if not name.startswith("#"):  # the kernel's own
            found.setdefault(scope_key, {})[name] = value if content is None else exact_json.loads(bytes(content).decode())
    return found


def scopes(reading: Reading, instance_key: int, scope_key: int) -> list[int]:
    """Return the keys of a scope and of those around it, the innermost first, the instance last."""
    parents = {row.key: row.parent_key for row in reading.execute(_PARENTS, {"instance": instance_key})}
    found: list[int] = []
    key: int | None = scope_key
    while key is not None and key not in found:
        found.append(key)
        key = parents.get(key)
    return found if instance_key in found else [*found, instance_key]


def view(reading: Reading, instance_key: int, scope_key: int | None = None) -> dict[str, Any]:
    """Return the variables that a scope sees (default: the instance itself); inner ones hide outer ones of the same name."""
    variables = by_scope(reading, instance_key)
    seen: dict[str, Any] = {}
    for key in reversed(scopes(reading, instance_key, scope_key or instance_key)):
        seen.update(variables.get(key, {}))
    return seen
