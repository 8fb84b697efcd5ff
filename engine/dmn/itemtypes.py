"""Item definitions → FEEL types; and values from outside made fit for them.

Source: DMN 1.5, 7.3.3 (item definitions), 10.3.2.9 (types).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.dmn.elements import ItemDefinition, Text
from engine.errors import FeelSyntaxError
from engine.feel.lexer import END
from engine.feel.names import NameTable, needs_scope
from engine.feel.parser import Parser
from engine.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from engine.feel.types import (
    ANY,
    SIMPLE,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    RangeType,
    Restricted,
    Simple,
    Unknown,
    plain,
)

# What other modelers write: Camunda 7's numbers, XML Schema's and Java's words.
_ALIASES = {
    "integer": "number",
    "long": "number",
    "double": "number",
    "decimal": "number",
    "int": "number",
    "datetime": "date and time",
    "days and time duration": "days and time duration",
    "daytimeduration": "days and time duration",
    "yearmonthduration": "years and months duration",
}
_BUILT_IN_TYPES = frozenset(SIMPLE) - {"duration", "Null"}

Test = Callable[[Any], bool]


class ItemTypes:
    """The types of one model.

    Attributes:
        by_name: item definitions as types, imported ones under `import.name`.
        names: those of their names that have spaces or symbols.
        items: this model's item definitions by name.
    """

    def __init__(
        self,
        items: Iterable[ItemDefinition],
        imported: Mapping[str, FeelType],
        compile_test: Callable[[Text], Test | None],
    ) -> None:
        definitions = list(items)
        self.items = {item.name: item for item in definitions}
        self.by_name: dict[str, FeelType] = dict(imported)
        self._compile_test = compile_test
        shells = {item.name: Restricted(item.name) for item in definitions}
        self.by_name.update(shells)
        self.names = NameTable(filter(needs_scope, self.by_name))
        for item in definitions:
            shells[item.name].base.append(self._of_item(item, item.name))
        circular = _circular(shells.values())
        for shell in shells.values():
            if id(shell) in circular:
                shell.base[:] = [ANY]

    def resolve(self, reference: str | None) -> FeelType | None:
        """Return the type of a `typeRef`; None where nothing is declared (any value)."""
        if reference is None:
            return None
        found = self.by_name.get(reference)
        if found is None:
            bare = reference.removeprefix("feel:").removeprefix("feel.").removeprefix("xsd:")
            found = self.by_name.get(bare.replace(":", "."))
            if found is None and bare in _BUILT_IN_TYPES:
                found = SIMPLE[bare]
            if found is None and bare.lower() in _ALIASES:
                found = SIMPLE[_ALIASES[bare.lower()]]
            if found is None and bare.lower() == "any":
                return None
            if found is None and "<" in bare:
                found = self._written(bare)
        return Unknown(reference) if found is None else found

    def _written(self, text: str) -> FeelType | None:
        """Return a type written as FEEL writes it (`list<number>`), or None if it cannot be read or names an unknown one."""
        try:
            parser = Parser(text, types=self.by_name, type_names=self.names)
            kind = parser.type()
        except FeelSyntaxError:
            return None
        return None if parser.tokens[parser.index].kind != END or has_unknown(kind) else kind

    def allowed(self, reference: str | None, component: str | None = None) -> Text | None:
        """Return the allowed values that a `typeRef` (or one of its components) brings along, as they were written."""
        seen: set[str] = set()
        item = self.items.get(reference or "")
        if component is not None:
            while item is not None and not item.components and item.name not in seen:
                seen.add(item.name)
                item = self.items.get(item.type_ref or "")
            item = None if item is None else next((part for part in item.components if part.name == component), None)
        while item is not None and item.allowed is None and item.name not in seen and not item.is_collection:
            seen.add(item.name)
            item = self.items.get(item.type_ref or "")
        return None if item is None or item.is_collection else item.allowed

    def _of_item(self, item: ItemDefinition, name: str) -> FeelType:
        """Return the type that an item definition (or component) means."""
        base: FeelType
        if item.function_parameters is not None:
            parameters = tuple(self.resolve(kind) or ANY for _, kind in item.function_parameters)
            base = FunctionType(parameters, self.resolve(item.function_result) or ANY)
        elif item.components:
            base = ContextType(tuple((part.name, self._of_item(part, part.name)) for part in item.components))
        else:
            base = self.resolve(item.type_ref) or ANY
        if item.allowed is not None:
            base = self._tested(name, base, item.allowed)
        if item.is_collection:
            base = ListType(base)
        if item.constraint is not None:
            base = self._tested(name, base, item.constraint)
        return base

    def _tested(self, name: str, base: FeelType, text: Text) -> FeelType:
        test = self._compile_test(text)
        return base if test is None else Restricted(name, [base], [test])


def has_unknown(kind: FeelType) -> bool:
    """Tell whether a written type names one that there is not."""
    if isinstance(kind, (ListType, RangeType)):
        return has_unknown(kind.item)
    if isinstance(kind, ContextType):
        return any(has_unknown(entry) for _, entry in kind.entries)
    if isinstance(kind, FunctionType):
        return has_unknown(kind.result) or any(map(has_unknown, kind.parameters))
    return isinstance(kind, Unknown)


def _circular(shells: Iterable[Restricted]) -> set[int]:
    """Return (by identity) the definitions that are only a chain of names leading back to itself."""
    found: set[int] = set()
    done: set[int] = set()
    for shell in shells:
        path: dict[int, None] = {}
        kind: FeelType = shell
        while isinstance(kind, Restricted) and kind.base and id(kind) not in done:
            if id(kind) in path:
                found |= set(path)
                break
            path[id(kind)] = None
            kind = kind.base[0]
        done |= set(path)
    return found


_READ: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "days and time duration": parse_duration,
    "years and months duration": parse_duration,
}


def from_outside(value: Any, kind: FeelType, depth: int = 20) -> Any:
    """Return a FEEL value with ISO strings read as the temporal values that the type asks for.

    Process variables are JSON, which has no dates; an input declared as one is read from its text.
    """
    target = plain(kind)
    if isinstance(target, Simple):
        if isinstance(value, str) and target.name in _READ:
            found = _READ[target.name](value)
            return value if found is None else found
    elif isinstance(target, ListType) and depth:
        if isinstance(value, list):
            return [from_outside(item, target.item, depth - 1) for item in value]
        return from_outside(value, target.item, depth - 1)
    elif isinstance(target, ContextType) and isinstance(value, dict) and depth:
        kinds = dict(target.entries)
        return {key: from_outside(entry, kinds[key], depth - 1) if key in kinds else entry for key, entry in value.items()}
    return value
