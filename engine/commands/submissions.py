"""What people submit in forms, checked by the server: against the form's schema, its version, and the forbidden patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from engine import feel, forms
from engine.commands.attachments import files_in
from engine.definitions import Element, Process
from engine.errors import StaleForm
from engine.store import Reading
from engine.store.context import Context
from engine.store.library import resolve
from engine.store.tables import attachment

_STAGED = select(attachment).where(attachment.c.digest == bindparam("digest"), attachment.c.staged_by == bindparam("who"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submission that the form accepts: the data to keep, and by which version of the form (None = there is none)."""

    data: dict[str, Any]
    form_id: str | None = None
    form_hash: str = ""


def read_form(ctx: Context, reading: Reading, form_key: int) -> forms.Form:
    """Return a form, read once per version."""
    version = ctx.library.form(reading, form_key)
    return ctx.library.compiled(("read-form", version.digest), lambda: forms.read(version.content, version.form_id))


def latest_form_key(reading: Reading, form_id: str | None) -> int | None:
    """Return the newest version of a form, None where the element has no form.

    Raises:
        NotFound: it is not deployed.
    """
    return None if form_id is None else resolve(reading, "form", form_id)


def accept(
    ctx: Context,
    reading: Reading,
    form_key: int | None,
    data: Mapping[str, Any],
    variables: Mapping[str, Any],
    *,
    process: Process,
    element: Element | None,
    environment: feel.Environment,
    by: str | None,
    form_hash: str | None = None,
    decides: bool = False,
) -> Accepted:
    """Check a submission; without a form it is taken as it is.

    Args:
        variables: what the form may read: options, initial values, conditions.
        form_hash: the version that the person saw; None = not compared.
        decides: it is a decision: what is required must have been submitted (see `forms.validate`).
    Raises:
        InvalidSubmission: lists every problem with the field's label and rule.
        StaleForm: the person saw another version of the form.
    """
    if form_key is None:
        return Accepted(dict(data))
    form = read_form(ctx, reading, form_key)
    if form_hash is not None and form_hash != form.hash:
        raise StaleForm("表单已更新，请核对后重新提交（the form is another version by now; check and submit again）")
    patterns = _forbidden(process, element, variables, environment)
    kept = forms.validate(
        form,
        data,
        variables,
        files=_files(reading, data, by),
        environment=environment,
        forbidden_patterns=patterns,
        decides=decides,
    )
    return Accepted({name: feel.to_json(value) for name, value in kept.items()}, form.id, form.hash)


def _forbidden(
    process: Process, element: Element | None, variables: Mapping[str, Any], environment: feel.Environment
) -> tuple[forms.ForbiddenPattern, ...]:
    found: tuple[forms.ForbiddenPattern, ...] = ()
    term = process.forbidden_patterns
    texts = [
        term.text if term is not None else "",
        element.properties.get("forbiddenPatterns", "") if element is not None else "",
    ]
    for text in filter(None, texts):
        value = feel.compile_expression(text).evaluate(variables, environment)
        found += forms.forbidden_patterns(feel.to_json(value))
    return found


def _files(reading: Reading, data: Mapping[str, Any], by: str | None) -> dict[str, forms.File]:
    found = {}
    for item in files_in(data.values()):
        row = reading.one(_STAGED, {"digest": item["digest"], "who": by or ""})
        if row is not None:
            found[row.digest] = forms.File(row.digest, row.name, row.size, row.content_type)
    return found
