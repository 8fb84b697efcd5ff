"""Validates a submission against a form, as the server alone decides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.errors import Defect, InvalidSubmission, Problem
from engine.feel import Environment
from engine.forms import messages
from engine.forms.fields import Field, Path, collect, unfold, unknown, visible
from engine.forms.model import Form
from engine.forms.patterns import ForbiddenPattern
from engine.forms.settling import Place, evaluate, settle
from engine.forms.validating import File, Rules, problems

MAX_PROBLEMS = 100


def validate(
    form: Form,
    data: Any,
    context: Mapping[str, Any] | None = None,
    *,
    files: Mapping[str, File] | None = None,
    now: datetime | None = None,
    environment: Environment | None = None,
    forbidden_patterns: Sequence[ForbiddenPattern] = (),
    decides: bool = False,
) -> dict[str, Any]:
    """Return the data to keep of a submission.

    Hidden fields are dropped, readonly and disabled ones keep the server's value, expression fields are computed here; a field
    that was not submitted keeps the server's value, as the browser would have shown it, or gets its default.

    Args:
        data: the submitted JSON object.
        context: the variables that the task sees: the form's initial data, options and what expressions read.
        files: uploaded files by digest; None = files are not looked up.
        now: the present moment; the environment's by default.
        environment: time zone, calendar and directory for expressions.
        forbidden_patterns: what no free text may contain (`patterns.forbidden_patterns`).
        decides: the submission is a decision (a signed task): every required field must have been submitted; neither an earlier
            value of the same name nor a default stands in for it.
    Raises:
        InvalidSubmission: lists every problem, each with the field's path, label and rule.
        EvaluationFailed: an expression went beyond its limits.
    """
    if not form.ok:
        raise Defect(f"the form {form.id} was refused at deployment")
    surroundings = environment or Environment()
    if now is not None:
        surroundings = replace(surroundings, now=now)
    if not isinstance(data, Mapping):
        raise InvalidSubmission([_problem("", form.id, None, "not_object", {})])
    known = context or {}
    fields = unfold(form.components, data, known, surroundings.zone)
    if endless := [item for item in visible(fields) if item.problem is not None and item.problem[0] == "too_many_cells"]:
        raise InvalidSubmission(
            [_problem(_place(item), _label(item), item, *item.problem) for item in endless[:1] if item.problem]
        )
    settled = settle(fields, known, surroundings)
    local = surroundings.local_now
    rules = Rules(surroundings, files, forbidden_patterns, local.date() if local is not None else None, decides)
    found = [_unknown(path) for path in unknown(form.components, data)]
    found += _look(fields, Place(settled, known, settled), rules)
    if found:
        raise InvalidSubmission(found[:MAX_PROBLEMS])
    return collect(fields, {})


_WHOLE_FORM = "表单"  # what a check on a text stands for: a text has no label of its own


def _look(fields: list[Field], place: Place, rules: Rules) -> Iterator[Problem]:
    for item in fields:
        if item.hidden:
            continue
        wrong = [_problem(_place(item), _label(item), item, *found) for found in problems(item, place, rules)]
        yield from wrong
        if not wrong:
            yield from _checked(item, place, rules)
        yield from _look(item.children, place, rules)
        for index, row in enumerate(item.rows):
            yield from _look(row, place.row(index, collect(row, {}, len(item.path) + 1)), rules)


def _checked(item: Field, place: Place, rules: Rules) -> Iterator[Problem]:
    check = item.component.check
    if check is None or evaluate(check.expression, place, rules.environment) is not False:
        return
    chinese, english = messages.say("check")
    yield Problem(
        field=_place(item),
        label=_label(item),
        message=check.message or chinese,
        rule=item.component.rule,
        message_en=check.message_en or check.message or english,
    )


def _problem(path: str, label: str, item: Field | None, key: str, values: dict[str, Any]) -> Problem:
    chinese, english = messages.say(key, **values)
    return Problem(path, label, chinese, item.component.rule if item is not None else None, english)


def _unknown(path: Path) -> Problem:
    return _problem(_text(path), _text(path), None, "unknown", {})


def _label(item: Field) -> str:
    rows = "".join(f"（第 {part + 1} 行）" for part in item.path if isinstance(part, int))
    named = item.component.label if item.component.label != item.component.type else _WHOLE_FORM
    return named + rows


def _place(item: Field) -> str:
    return _text(item.path) or item.component.id


def _text(path: Path) -> str:
    """Write a path as people and programs read it: `members[2].share`; rows count from 1, as in FEEL."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
