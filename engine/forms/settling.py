"""Finds a submission's stable state: what is hidden and locked, and what expression fields compute, depends on all the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.feel import Environment, Expression
from engine.feel import to_json as feel_to_json
from engine.forms.fields import MISSING, Field, collect
from engine.forms.model import Setting

MAX_PASSES = 10
"""How often conditions are looked at again because others changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: the whole form's data, and the innermost list row around it.

    As in Camunda Forms an expression sees the form's data over the server's variables, and `this` (the row or form it stands in),
    `parent` (the place around it) and `i` (row numbers from 1).
    """

    data: Mapping[str, Any]
    context: Mapping[str, Any]
    this: Mapping[str, Any]
    parent: Mapping[str, Any] | None = None
    i: tuple[int, ...] = ()

    def names(self) -> Mapping[str, Any]:
        """Return the names an expression may use here."""
        special = {"this": self.this, "parent": self.parent, "i": list(self.i)}
        underscored = {f"_{name}_": value for name, value in special.items()}
        return _Layers((underscored, self.data, self.context, special))

    def row(self, index: int, data: Mapping[str, Any]) -> Place:
        """Return the place of a list's row."""
        return Place(
            self.data, self.context, data, {"this": self.this, "parent": self.parent, "i": list(self.i)}, (*self.i, index + 1)
        )


@dataclass(frozen=True, slots=True)
class _Layers(Mapping[str, Any]):
    """Mappings over each other, the first on top; the server's variables are looked up lazily."""

    layers: tuple[Mapping[str, Any], ...]

    def __getitem__(self, name: str) -> Any:
        for layer in self.layers:
            if name in layer:
                return layer[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for layer in self.layers for name in layer))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def settle(fields: list[Field], context: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    """Decide what is hidden and locked and compute expression fields until nothing changes; return the visible data.

    A condition sees only what is visible, as kept. Conditions that contradict each other stop after `MAX_PASSES`.
    """
    data = collect(fields, {})
    for _ in range(MAX_PASSES):
        changed = _pass(fields, Place(data, context, data), environment, hidden=False)
        data = collect(fields, {})
        if not changed:
            break
    return data


def evaluate(setting: Setting, place: Place, environment: Environment) -> Any:
    """Return the value of a setting: a constant as it is, FEEL evaluated at its place."""
    return setting.evaluate(place.names(), environment) if isinstance(setting, Expression) else setting


def _pass(fields: list[Field], place: Place, environment: Environment, *, hidden: bool) -> bool:
    changed = False
    for item in fields:
        changed |= _look(item, place, environment, hidden)
        changed |= _pass(item.children, place, environment, hidden=item.hidden)
        for index, row in enumerate(item.rows):
            inner = place.row(index, collect(row, {}, len(item.path) + 1))
            changed |= _pass(row, inner, environment, hidden=item.hidden)
    return changed


def _look(item: Field, place: Place, environment: Environment, hidden: bool) -> bool:
    component = item.component
    before = (item.hidden, item.locked, item.value)
    item.hidden = hidden or (component.hide is not None and evaluate(component.hide, place, environment) is True)
    item.locked = component.disabled or evaluate(component.readonly, place, environment) is True
    if component.expression is not None:
        item.value = feel_to_json(evaluate(component.expression, place, environment))
    elif item.locked and component.path and component.type != "group":
        _restore(item)
    return before != (item.hidden, item.locked, item.value)


def _restore(item: Field) -> None:
    """Put the server's value back where the person may not change it."""
    known = item.initial if item.initial is not MISSING else item.component.attributes.get("defaultValue", MISSING)
    item.value, item.problem = known, None
