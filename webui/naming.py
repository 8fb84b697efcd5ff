"""What ids are called on a page: elements, groups, people, tasks and processes, in the person's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g

from engine import queries
from engine.store.context import Context
from webui import access
from webui.i18n import is_english, text
from webui.telling import Names


def localized(name: str, name_en: str) -> str:
    """Return the English name where the person reads English and there is one."""
    return name_en if is_english() and name_en else name


def groups() -> Mapping[str, str]:
    """Return group id → name; read once per request."""
    if "group_names" not in g:
        g.group_names = {group.id: localized(group.name, group.name_en) for group in access.ask(queries.groups)}
    names: Mapping[str, str] = g.group_names
    return names


def people() -> Mapping[str, str]:
    """Return username → name; read once per request."""
    if "people_names" not in g:
        g.people_names = {user.username: user.name for user in access.ask(queries.users)}
    names: Mapping[str, str] = g.people_names
    return names


def group_names(ids: Iterable[str]) -> str:
    """Return the names of groups, joined."""
    known = groups()
    return text("、").join(known.get(group_id, group_id) for group_id in ids)


def person_name(username: str | None) -> str | None:
    """Return a person's name, None for nobody."""
    return None if username is None else people().get(username, username)


def elements(definition_key: int) -> Mapping[str, str]:
    """Return element id → name for one version of a process."""
    return access.ask(_elements, definition_key, is_english())


def _elements(ctx: Context, definition_key: int, english: bool) -> Mapping[str, str]:
    def read() -> Mapping[str, str]:
        with ctx.store.read() as reading:
            process = ctx.library.process(reading, definition_key).process
        names = {}
        for element in process.elements.values():
            names[element.id] = (element.properties.get("name:en") if english else None) or element.name
        return names

    return ctx.library.compiled(("element-names", definition_key, english), read)


def names(definition_key: int) -> Names:
    """Return everything that the telling of a journal needs; read once per request and version."""
    kept: dict[int, Names] = g.setdefault("names", {})
    if definition_key not in kept:
        kept[definition_key] = Names(elements(definition_key), people(), groups(), labels(definition_key))
    return kept[definition_key]


def _options(definition_key: int) -> Mapping[str, Mapping[str, str]]:
    kept: dict[int, Mapping[str, Mapping[str, str]]] = g.setdefault("option_labels", {})
    if definition_key not in kept:
        kept[definition_key] = access.ask(queries.option_labels, definition_key)
    return kept[definition_key]


def process(definition_key: int, name: str) -> str:
    """Return a process's name, the English one where the person reads English and the model has it."""
    return access.ask(_english_name, definition_key) or name if is_english() else name


def _english_name(ctx: Context, definition_key: int) -> str:
    with ctx.store.read() as reading:
        return ctx.library.process(reading, definition_key).process.properties.get("name:en", "")


def labels(definition_key: int) -> Mapping[str, str]:
    """Return variable → its label in the forms of one version of a process."""
    known = access.ask(queries.variable_labels, definition_key)
    return {name: localized(label, label_en) or name for name, (label, label_en) in known.items()}


def readable(definition_key: int, name: str, value: Any) -> Any:
    """Return a variable's value in words: the label of a chosen option, the name of a person; the rest as it is."""
    options, known = _options(definition_key).get(name, {}), people()

    def word(item: Any) -> Any:
        if not isinstance(item, str):
            return item
        return options.get(item) or known.get(item, item)

    return [word(item) for item in value] if isinstance(value, list) else word(value)
