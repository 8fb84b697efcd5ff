"""Forms for showing: schema and hash, and the labels that they give to variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from engine import forms
from engine.errors import NotFound
from engine.queries.records import Fact, FormView
from engine.store import Reading
from engine.store.context import Context
from engine.store.library import ProcessVersion, resolve
from engine.store.tables import form_definition


def form_view(ctx: Context, reading: Reading, form_key: int | None) -> FormView | None:
    """Return a form version for showing, None where there is none."""
    if form_key is None:
        return None
    form = read_form(ctx, reading, form_key)
    return FormView(form.id, form.hash, form.schema)


def newest_form(ctx: Context, reading: Reading, form_id: str | None) -> FormView | None:
    """Return the newest version of a form for showing, None where there is none."""
    if form_id is None:
        return None
    try:
        return form_view(ctx, reading, resolve(reading, "form", form_id))
    except NotFound:
        return None


def read_form(ctx: Context, reading: Reading, form_key: int) -> forms.Form:
    """Return a form, read once per version."""
    version = ctx.library.form(reading, form_key)
    return ctx.library.compiled(("read-form", version.digest), lambda: forms.read(version.content, version.form_id))


def labels(ctx: Context, reading: Reading, version: ProcessVersion) -> dict[str, tuple[str, str]]:
    """Return the labels (Chinese, English) of variables by name: from the forms of a process.

    The process's properties `label:<name>` and `label:<name>:en` label variables that stand in no form, and come before forms.
    """
    newest = _form_keys(reading, version)
    own = _own_labels(version.process.properties)
    return ctx.library.compiled(("labels", version.key, newest), lambda: _labels(ctx, reading, newest) | own)


def variable_labels(ctx: Context, definition_key: int) -> Mapping[str, tuple[str, str]]:
    """Return what a process version's variables are called (Chinese, English): see `labels`.

    Raises:
        NotFound: there is no such version.
    """
    with ctx.store.read() as reading:
        return labels(ctx, reading, ctx.library.process(reading, definition_key))


def option_labels(ctx: Context, definition_key: int) -> Mapping[str, Mapping[str, str]]:
    """Return what the options of choice fields are called: variable → value → label, from the forms of a process version.

    The process's properties `option:<variable>:<value>` say it for variables that no form lets people choose.

    Raises:
        NotFound: there is no such version.
    """
    with ctx.store.read() as reading:
        version = ctx.library.process(reading, definition_key)
        newest = _form_keys(reading, version)
        given = version.process.properties
        return ctx.library.compiled(("option-labels", version.key, newest), lambda: _option_labels(ctx, reading, newest, given))


def facts(labelled: Mapping[str, tuple[str, str]], names: Iterable[str], variables: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the named variables that have a value, with their labels."""
    found = [name for name in names if variables.get(name) is not None]
    return tuple(Fact(name, *labelled.get(name, (name, name)), variables[name]) for name in found)


def _form_keys(reading: Reading, version: ProcessVersion) -> tuple[int, ...]:
    ids = sorted({element.form_id for element in version.process.elements.values() if element.form_id is not None})
    return tuple(sorted(_newest_keys(reading, ids).values()))


def _own_labels(properties: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    given = {name.removeprefix("label:"): value for name, value in properties.items() if name.startswith("label:")}
    return {name: (label, given.get(f"{name}:en", label)) for name, label in given.items() if not name.endswith(":en")}


def _option_labels(
    ctx: Context, reading: Reading, form_keys: Iterable[int], properties: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}

    for name, label in properties.items():
        if name.startswith("option:"):
            variable, _, value = name.removeprefix("option:").partition(":")
            found.setdefault(variable, {})[value] = label

    def visit(components: object) -> None:
        for part in components if isinstance(components, list) else ():
            for option in part.get("values") or ():
                if isinstance(option, Mapping) and isinstance(part.get("key"), str):
                    found.setdefault(part["key"], {}).setdefault(str(option.get("value")), str(option.get("label")))
            visit(part.get("components"))

    for key in form_keys:
        visit(read_form(ctx, reading, key).schema.get("components"))
    return found


def _newest_keys(reading: Reading, ids: list[str]) -> dict[str, int]:
    if not ids:
        return {}
    statement = (
        select(form_definition.c.form_id, form_definition.c.key)
        .where(form_definition.c.form_id.in_(ids))
        .order_by(form_definition.c.version)
    )
    return {row.form_id: row.key for row in reading.all(statement)}


def _labels(ctx: Context, reading: Reading, form_keys: Iterable[int]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for key in form_keys:
        form = read_form(ctx, reading, key)
        english = form.labels("en")
        for name, label in form.labels().items():
            found.setdefault(name, (label or name, english.get(name) or label or name))
    return found
