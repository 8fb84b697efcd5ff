"""Which scopes' variables a person may not read yet: those of live sub-processes and multi-instances with `visibleTo`.

What was called from within such a scope, and what happened in it before, is hidden with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from engine import feel, history
from engine.definitions import Element
from engine.kernel.advance import ElementEntered
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import Directory, Person
from engine.store.library import ProcessVersion
from engine.store.rights import may_see_scope
from engine.store.tables import element_instance, process_instance
from engine.store.transactions import Found
from engine.store.variables import view

_LIVE = (
    select(element_instance.c.key, element_instance.c.parent_key, element_instance.c.element_id, element_instance.c.data)
    .where(element_instance.c.instance_key == bindparam("instance"), element_instance.c.key != bindparam("instance"))
    .order_by(element_instance.c.key)  # a scope before what lives in it
)
_caller = process_instance.alias("caller")
_CALLER = (
    select(_caller.c.key, _caller.c.definition_key, process_instance.c.parent_element_key)
    .join(_caller, _caller.c.key == process_instance.c.parent_key)
    .where(process_instance.c.key == bindparam("instance"))
)


def hidden_scopes(ctx: Context, reading: Reading, version: ProcessVersion, instance_key: int, who: Person) -> frozenset[int]:
    """Return the keys of an instance's scopes, live and past, whose variables a person may not read yet.

    The instance's own key is among them where it was called from within a hidden scope.
    """
    if who.is_auditor:
        return frozenset()
    hidden = _live(ctx, reading, version, instance_key, who)
    caller = reading.one(_CALLER, {"instance": instance_key})
    if caller is not None:
        calling = ctx.library.process(reading, caller.definition_key)
        if caller.parent_element_key in hidden_scopes(ctx, reading, calling, caller.key, who):
            hidden.add(instance_key)
    if hidden:
        for entry in history.entries(reading, instance_key):  # scopes are entered before what lives in them
            hidden.update(event.key for event in entry.events if isinstance(event, ElementEntered) and event.scope_key in hidden)
    return frozenset(hidden)


def in_hidden_scopes(ctx: Context, reading: Reading, rows: Sequence[Found], who: Person) -> frozenset[int]:
    """Return the keys of those rows that are about elements whose scopes' variables a person may not read yet.

    Args:
        rows: with `key` (an element instance's), `instance_key` (None = of no case) and `definition_key`.
    """
    hidden: dict[int | None, frozenset[int]] = {None: frozenset()}
    for row in rows:
        if row.instance_key not in hidden:
            version = ctx.library.process(reading, row.definition_key)
            hidden[row.instance_key] = hidden_scopes(ctx, reading, version, row.instance_key, who)
    return frozenset(row.key for row in rows if row.key in hidden[row.instance_key])


def _live(ctx: Context, reading: Reading, version: ProcessVersion, instance_key: int, who: Person) -> set[int]:
    elements = version.process.elements
    hidden: set[int] = set()
    if not any(element.visible_to is not None for element in elements.values()):
        return hidden
    for row in reading.all(_LIVE, {"instance": instance_key}):
        if row.parent_key in hidden:
            hidden.add(row.key)
            continue
        if "kept" in row.data:  # it has closed, and can be undone
            continue
        element: Element | None = elements.get(row.element_id)
        while element is not None:
            if not may_see_scope(who, _visible_to(ctx, reading, element, instance_key, row.key)):
                hidden.add(row.key)
                break
            element = elements.get(element.parent_id) if element.parent_id is not None else None
    return hidden


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
