"""Variables as programs search them (see `searching`): of live scopes, and of ended instances those of the instance itself.

A person finds the variables that the pages of their cases show; on a task that is theirs, also those of a hidden scope around it.
A variable has no key of its own: it is named by its scope's key and a digest of its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, bindparam, cast, false, func, literal, not_, or_, select, true

from engine.errors import NotFound
from engine.queries.searching import Condition, Page, Search, Searchable, compared, search
from engine.queries.user_tasks import TENANT, compared_json, find_user_task, value_text
from engine.queries.visibility import hidden_scopes
from engine.store import Reading
from engine.store.context import Context
from engine.store.rights import Actor, actor, may_work, sees_every_case, visible_cases
from engine.store.tables import blob, element_instance, process_instance, user_task, variable
from engine.store.transactions import Found
from engine.store.variables import scopes

TRUNCATED = 8191
"""Characters of a value's JSON text that a search shows."""

_NAME_BITS = 20

_IS_INSTANCE = select(process_instance.c.key).where(process_instance.c.key == bindparam("key"))
_OF_TASK = select(user_task.c.instance_key).where(user_task.c.key == bindparam("key"))
_OF_ELEMENT = select(element_instance.c.instance_key).where(element_instance.c.key == bindparam("key"))
_NAMES = select(variable.c.scope_key, variable.c.name).where(variable.c.instance_key == bindparam("instance"))


def variable_key(scope_key: int, name: str) -> int:
    """Return the key of a variable; of at most 25 digits."""
    return scope_key << _NAME_BITS | _digest(name)


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big") >> (64 - _NAME_BITS)


def instance_of_element(reading: Reading, key: int) -> int | None:
    """Return the instance of a live element instance, of a task, or of the instance's own key; None = it is none of these."""
    for statement in (_IS_INSTANCE, _OF_TASK, _OF_ELEMENT):
        found = reading.scalar(statement, {"key": key})
        if found is not None:
            return int(found)
    return None


def search_variables(ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None) -> Page:
    """Return variables that a person may read: rows of instance_key, root_key, scope_key, name, and `text`, the value's JSON."""
    with ctx.store.read() as reading:
        return _search(reading, wanted, _only(processes), _visible(ctx, reading, actor(reading, who)))


def find_variable(ctx: Context, key: int, who: str, *, processes: Collection[str] | None = None) -> Found:
    """Return one variable; see `search_variables`.

    Raises:
        NotFound: there is none, or the person may not read it.
    """
    found = search_variables(ctx, who, Search((Condition("variable_key", "eq", key),)), processes=processes)
    if not found.rows:
        raise NotFound(f"没有变量 {key}（no such variable）")
    return found.rows[0]


def search_task_variables(
    ctx: Context, task_key: int, who: str, wanted: Search, *, effective: bool, processes: Collection[str] | None = None
) -> Page:
    """Return the variables of a task's own scope and of those around it; see `search_variables`.

    Args:
        effective: of several of the same name the innermost alone.
    Raises:
        NotFound: there is no such task, or the person may not know of it.
    """
    task = find_user_task(ctx, task_key, who, processes=processes)
    with ctx.store.read() as reading:
        acting, instance_key = actor(reading, who), task.row.instance_key
        seen = scopes(reading, instance_key, task_key if task.row.state == "OPEN" else instance_key)
        if not may_work(acting, task.row):
            version = ctx.library.process(reading, task.case.definition_key)
            hidden = hidden_scopes(ctx, reading, version, instance_key, acting.person)
            seen = [key for key in seen if key not in hidden]
        places: ColumnElement[bool] = variable.c.scope_key.in_(seen)
        if effective:
            places = _innermost(reading, instance_key, seen)
        return _search(reading, wanted, [variable.c.instance_key == instance_key, places], None)


def _innermost(reading: Reading, instance_key: int, seen: Sequence[int]) -> ColumnElement[bool]:
    names: dict[int, set[str]] = {}
    for row in reading.all(_NAMES, {"instance": instance_key}):
        names.setdefault(row.scope_key, set()).add(row.name)
    taken: set[str] = set()
    places = []
    for key in seen:
        own = names.get(key, set()) - taken
        taken |= own
        places.append(and_(variable.c.scope_key == key, variable.c.name.in_(sorted(own))))
    return or_(false(), *places)


def _search(
    reading: Reading,
    wanted: Search,
    restrictions: Sequence[ColumnElement[bool]],
    visible: Callable[[Sequence[Found]], Sequence[Found]] | None,
) -> Page:
    text = value_text(reading)
    place = cast(variable.c.scope_key, Text) + literal(":") + variable.c.name
    family = Searchable(
        statement=select(
            variable.c.instance_key,
            variable.c.scope_key,
            variable.c.name,
            process_instance.c.root_key,
            process_instance.c.definition_key,
            text.label("text"),
        )
        .join_from(variable, process_instance, process_instance.c.key == variable.c.instance_key)
        .join(blob, blob.c.digest == variable.c.digest, isouter=True),
        columns={
            "name": variable.c.name,
            "value": text,
            "scope_key": variable.c.scope_key,
            "process_instance_key": variable.c.instance_key,
            "variable_key": place,
            "tenant_id": literal(TENANT),
        },
        key=place,
        special={
            "value": lambda item: compared_json(text, item, item.value, "filter.value"),
            "variable_key": lambda item: _by_key(reading, item),
            "is_truncated": lambda item: (func.length(text) > TRUNCATED) == (true() if item.value else false()),
        },
    )
    own = not_(variable.c.name.startswith("#"))  # the kernel's own are nobody's
    return search(reading, family, wanted, own, *restrictions, visible=visible)


def _by_key(reading: Reading, item: Condition) -> ColumnElement[bool]:
    if item.operator == "exists":
        return true() if item.value else false()
    found = []
    for key in item.value if isinstance(item.value, list) else [item.value]:
        scope, digest = key >> _NAME_BITS, key & ((1 << _NAME_BITS) - 1)
        instance = instance_of_element(reading, scope) if scope < 1 << 63 else None
        rows = reading.all(_NAMES, {"instance": instance}) if instance is not None else ()
        found += [
            and_(variable.c.instance_key == instance, variable.c.scope_key == scope, variable.c.name == row.name)
            for row in rows
            if row.scope_key == scope and _digest(row.name) == digest
        ]
    one = or_(false(), *found)
    return not_(one) if item.operator in {"neq", "not_in"} else one


def _only(processes: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if processes is None else [compared(process_instance.c.bpmn_process_id, "in", sorted(processes))]


def _visible(ctx: Context, reading: Reading, acting: Actor) -> Callable[[Sequence[Found]], Sequence[Found]] | None:
    if acting.person.is_auditor:
        return None
    hidden: dict[int, frozenset[int]] = {}

    def hidden_in(row: Any) -> frozenset[int]:
        if row.instance_key not in hidden:
            version = ctx.library.process(reading, row.definition_key)
            hidden[row.instance_key] = hidden_scopes(ctx, reading, version, row.instance_key, acting.person)
        return hidden[row.instance_key]

    def seen(rows: Sequence[Found]) -> Sequence[Found]:
        roots = sorted({row.root_key for row in rows})
        known = set(roots) if sees_every_case(acting) else visible_cases(reading, acting, roots)
        return [row for row in rows if row.root_key in known and row.scope_key not in hidden_in(row)]

    return seen
