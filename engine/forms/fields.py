"""The fields of one submission: a form's components unfolded over its data, rows of lists included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from engine.forms.model import Component
from engine.forms.values import Unreadable, read_value, same

MISSING: Any = object()
"""Stands for a value that was neither submitted nor known before."""

MAX_ROWS = 1_000
"""Rows of one list."""

MAX_CELLS = 10_000
"""Fields in the rows of all lists of one submission: rows within rows multiply."""

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Field:
    """One component at one place of the data.

    Attributes:
        path: where its value stands, rows counted from 0.
        value: what is kept: submitted, else the server's, else the default; MISSING where there is none.
        initial: the server's value, or MISSING.
        submitted: whether the person sent a value, be it an empty one.
        problem: message key and values where the submitted value could not be read.
        hidden, locked: found while settling: not there for the person, not theirs to change.
        children: fields within a group.
        rows: fields of each row of a dynamic list.
    """

    component: Component
    path: Path
    value: Any = MISSING
    initial: Any = MISSING
    submitted: bool = False
    problem: tuple[str, dict[str, Any]] | None = None
    hidden: bool = False
    locked: bool = False
    children: list[Field] = field(default_factory=list)
    rows: list[list[Field]] = field(default_factory=list)


def unfold(
    components: tuple[Component, ...],
    data: Any,
    initial: Any,
    zone: ZoneInfo,
    prefix: Path = (),
    budget: list[int] | None = None,
    *,
    submitted: bool = True,
) -> list[Field]:
    """Unfold components over submitted data.

    Args:
        data: what was submitted for this scope (form or row); what is no object counts as nothing.
        initial: what the server knows of this scope.
        zone: the zone of local dates and times.
        prefix: where the scope stands.
        budget: how many more fields rows may hold, in a list of one.
        submitted: False where `data` is not the person's but the server's own rows.
    """
    left = [MAX_CELLS] if budget is None else budget
    fields = []
    for component in components:
        path = prefix + component.path
        found = Field(component, path)
        if component.type == "group":
            inner = _at(data, component.path), _at(initial, component.path)
            found.children = unfold(component.components, *inner, zone, path, left, submitted=submitted)
        elif component.path:
            found.initial = _at(initial, component.path)
            value = _at(data, component.path)
            found.submitted = submitted and value is not MISSING
            _fill(found, value, zone, left)
        fields.append(found)
    return fields


def visible(fields: list[Field]) -> Iterator[Field]:
    """Yield the fields that are not hidden, in the order of the form, groups and rows included."""
    for item in fields:
        if not item.hidden:
            yield item
            yield from visible(item.children)
            for row in item.rows:
                yield from visible(row)


def collect(fields: list[Field], data: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Put the values of visible fields into `data`, nested by path from `depth` on, and return it."""
    for item in fields:
        if item.hidden:
            continue
        if item.component.type == "group":
            collect(item.children, data, depth)
        elif item.component.type == "dynamiclist":
            if item.value is not MISSING:
                rows = [collect(row, {}, len(item.path) + 1) for row in item.rows]
                _put(data, item.path[depth:], rows if item.problem is None else item.value)
        elif item.path and item.value is not MISSING:
            _put(data, item.path[depth:], item.value)
    return data


def unknown(components: tuple[Component, ...], data: Any, prefix: Path = ()) -> Iterator[Path]:
    """Yield the paths of submitted values that no component of the form stands for."""
    yield from _strangers(_known(components), data, prefix)


def _fill(found: Field, submitted: Any, zone: ZoneInfo, left: list[int]) -> None:
    component = found.component
    value = submitted
    if value is MISSING:
        value = found.initial if found.initial is not MISSING else component.attributes.get("defaultValue", MISSING)
    if component.type == "expression":
        found.value = MISSING  # computed here, whatever the browser says
    elif component.type == "dynamiclist":
        _fill_rows(found, value, zone, left)
    else:
        try:
            found.value = value if value is MISSING else read_value(component, value, zone)
        except Unreadable as problem:
            found.value, found.problem = value, (problem.key, problem.values)


def _fill_rows(found: Field, value: Any, zone: ZoneInfo, left: list[int]) -> None:
    found.value = value
    if value is MISSING or value is None:
        return
    if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
        found.problem = ("not_list", {})
        return
    if len(value) > MAX_ROWS:
        found.problem = ("too_many_rows", {"limit": MAX_ROWS})
        return
    before = list(found.initial) if isinstance(found.initial, list | tuple) else []
    left[0] -= len(value) * len(found.component.components)
    if left[0] < 0:
        found.problem = ("too_many_cells", {"limit": MAX_CELLS})
        return
    fixed = found.component.attributes.get("allowAddRemove") is False
    if fixed and before and len(value) != len(before):
        found.problem = ("fixed_rows", {"limit": len(before)})
        return
    for index, row in enumerate(value):
        known = _row_before(found.component, row, before, index, fixed)
        place = (*found.path, index)
        found.rows.append(unfold(found.component.components, row, known, zone, place, left, submitted=found.submitted))


def _row_before(component: Component, row: Any, before: list[Any], index: int, fixed: bool) -> Any:
    """Find the server's row that a submitted row stands for: rows may have been removed before it, and none is taken twice."""
    if fixed:
        return before[index] if index < len(before) else MISSING
    guarded = [
        item.path for part in component.components for item in part.walk() if item.path and (item.readonly or item.disabled)
    ]
    order = [index, *(place for place in range(len(before)) if place != index)]
    for place in order:
        if place < len(before) and before[place] is not MISSING:
            given = ((path, _at(row, path)) for path in guarded)
            if all(value is MISSING or same(value, _at(before[place], path)) for path, value in given):
                known, before[place] = before[place], MISSING
                return known
    return MISSING


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(data, Mapping) or part not in data:
            return MISSING
        data = data[part]
    return data


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    *way, last = path
    for part in way:
        data = data.setdefault(str(part), {})
    data[str(last)] = value


_Known = dict[str, Any]  # name → None (a field), a dict (an object), or (dynamic list,)


def _known(components: tuple[Component, ...], known: _Known | None = None, prefix: tuple[str, ...] = ()) -> _Known:
    known = {} if known is None else known
    for component in components:
        path = prefix + component.path
        if component.type == "group":
            _known(component.components, known, path)
        elif component.path:
            level = known
            for part in path[:-1]:
                level = level.setdefault(part, {})
            level[path[-1]] = (component,) if component.type == "dynamiclist" else None
    return known


def _strangers(known: _Known, data: Any, prefix: Path) -> Iterator[Path]:
    if not isinstance(data, Mapping):
        if prefix and data is not None:
            yield prefix
        return
    for name, value in data.items():
        path = (*prefix, str(name))
        if name not in known:
            yield path
        elif isinstance(known[name], dict):
            yield from _strangers(known[name], value, path)
        elif known[name] is not None and isinstance(value, list | tuple):
            for index, row in enumerate(value[:MAX_ROWS]):
                if isinstance(row, Mapping):
                    yield from unknown(known[name][0].components, row, (*path, index))
