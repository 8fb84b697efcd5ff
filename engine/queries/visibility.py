"""Which scopes' variables a person may not read yet: those of live sub-processes and multi-instances with `visibleTo`."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from engine import feel
from engine.definitions import Element
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import Directory, Person
from engine.store.library import ProcessVersion
from engine.store.rights import may_see_scope
from engine.store.tables import element_instance
from engine.store.variables import view

_LIVE = select(element_instance.c.key, element_instance.c.element_id).where(
    element_instance.c.instance_key == bindparam("instance"), element_instance.c.key != bindparam("instance")
)


def hidden_scopes(ctx: Context, reading: Reading, version: ProcessVersion, instance_key: int, who: Person) -> frozenset[int]:
    """Return the keys of the live scopes of an instance whose variables a person may not read yet."""
    elements = version.process.elements
    if who.is_auditor or not any(element.visible_to is not None for element in elements.values()):
        return frozenset()
    hidden = set()
    for row in reading.all(_LIVE, {"instance": instance_key}):
        element: Element | None = elements.get(row.element_id)
        while element is not None:
            if not may_see_scope(who, _visible_to(ctx, reading, element, instance_key, row.key)):
                hidden.add(row.key)
                break
            element = elements.get(element.parent_id) if element.parent_id is not None else None
    return frozenset(hidden)


def _visible_to(ctx: Context, reading: Reading, element: Element, instance_key: int, scope_key: int) -> list[str] | None:
    term = element.visible_to
    if term is None:
        return None
    if term.expression is None:
        return [word.strip() for word in term.text.split(",") if word.strip()]
    surroundings = feel.Environment(now=reading.now, time_zone=ctx.settings.time_zone, directory=Directory(reading))
    value = term.expression.evaluate(view(reading, instance_key, scope_key), surroundings)
    if isinstance(value, str):
        return [value]
    return [str(word) for word in value] if isinstance(value, list) else []  # what cannot be computed is seen by nobody
