"""Setting variables in an element instance, or outwards from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.commands.instances import lock_to_correct
from engine.commands.values import clean
from engine.errors import Conflict
from engine.store.context import Context
from engine.store.variables import by_scope, scopes


def set_element_variables(
    ctx: Context, instance_key: int, scope_key: int, variables: Mapping[str, Any], by: str | None, *, local: bool = False
) -> None:
    """Set variables in a live element instance (or in the instance itself).

    Args:
        local: in this very scope; False: each in the innermost scope around it that has it, in the instance where none has.
    Raises:
        NotFound: there is no such instance or scope.
        NotAllowed: `by` is no administrator.
        Conflict: the instance or the element instance has ended.
        InvalidValue: a name or a value cannot be stored.
    """
    with ctx.store.begin() as tx:
        unit = lock_to_correct(ctx, tx, instance_key, by)
        values = clean(variables)
        if scope_key not in unit.kernel.keys:
            raise Conflict(f"元素实例 {scope_key} 已结束（the element instance has ended）")
        places: dict[int, dict[str, Any]] = {}
        if local:
            places[scope_key] = values
        else:
            known, around = by_scope(tx, instance_key), scopes(tx, instance_key, scope_key)
            for name, value in values.items():
                place = next((key for key in around if name in known.get(key, ())), instance_key)
                places.setdefault(place, {})[name] = value
        for place, some in places.items():
            unit.apply(unit.kernel.set_variables(place, some))
        unit.commit("set_variables", actor=by)
