"""Looks at every visible field of a settled submission: required, limits, patterns, options, dates, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.feel import Environment
from engine.forms.fields import MISSING, Field
from engine.forms.patterns import EMAIL, PHONE, ForbiddenPattern, contains
from engine.forms.reading import option_values
from engine.forms.settling import Place, evaluate
from engine.forms.values import same

MAX_FILES = 100
_BROWSER_KINDS = {"image/*": "image/", "audio/*": "audio/", "video/*": "video/"}

Found = tuple[str, dict[str, Any]]  # key of a message and its values


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file that waits to be bound to the case.

    Attributes:
        digest: SHA-256 of its content, in hexadecimal.
        size: length in bytes.
    """

    digest: str
    name: str
    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What a submission is looked at with.

    Attributes:
        files: uploaded files by digest; None = files are not looked up.
        forbidden: what no free text may contain.
        today: the local date.
        decides: whether the submission is a decision: what is required must have been submitted, an earlier value does not do.
    """

    environment: Environment
    files: Mapping[str, File] | None
    forbidden: Sequence[ForbiddenPattern]
    today: date | None
    decides: bool = False


def problems(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    """Yield what is wrong with one visible field, the most basic first; a locked field is never wrong."""
    if item.locked or item.component.type in {"group", "expression"} or not item.component.path:
        return
    if item.problem is not None:
        yield item.problem
        return
    empty = _empty(item)
    unsaid = empty or (rules.decides and not item.submitted)
    if unsaid and evaluate(item.component.required, place, rules.environment) is True:
        yield _REQUIRED.get(item.component.type, "required"), {}
    elif not empty:
        yield from _CHECKS.get(item.component.type, _nothing)(item, place, rules)


def _empty(item: Field) -> bool:
    if item.component.type == "checkbox":
        return item.value is not True
    return (
        item.value is MISSING
        or item.value is None
        or item.value in ("", [])
        or (isinstance(item.value, str) and not item.value.strip())
    )


def _text(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    component, text = item.component, item.value
    validate = component.attributes.get("validate") or {}
    length = len(text.strip())
    shortest, longest = (evaluate(limit, place, rules.environment) for limit in (component.min_length, component.max_length))
    if _is_number(shortest) and length < shortest:
        yield "too_short", {"limit": shortest, "length": length}
    if _is_number(longest) and length > longest:
        yield "too_long", {"limit": longest, "length": length}
    if component.pattern is not None and not contains(component.pattern, text):
        said = validate.get("patternErrorMessage")
        yield ("pattern_said", {"message": said}) if said else ("pattern", {"pattern": component.pattern})
    kind = validate.get("validationType")
    if kind in _KINDS and not contains(_KINDS[kind], text.strip()):
        yield kind, {}
    if component.free_text:
        yield from _forbidden(text, rules)


def _forbidden(text: str, rules: Rules) -> Iterator[Found]:
    for pattern in rules.forbidden:
        if pattern.is_in(text):
            yield "forbidden", {"what": pattern.label}


def _number(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    number = Decimal(item.value)
    least, most = (evaluate(limit, place, rules.environment) for limit in (item.component.minimum, item.component.maximum))
    if _is_number(least) and number < least:
        yield "too_small", {"limit": least}
    if _is_number(most) and number > most:
        yield "too_large", {"limit": most}


def _choice(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    options = _options(item, place, rules)
    if options is None:
        yield "no_options", {}
        return
    chosen = item.value if item.component.type in {"checklist", "taglist"} else [item.value]
    if not all(any(same(value, option) for option in options) for value in chosen):
        yield "not_choice", {}


def _options(item: Field, place: Place, rules: Rules) -> Sequence[Any] | None:
    source = item.component.options
    if source is None or source.values is not None:
        return source.values if source is not None else None
    found = evaluate(source.expression, place, rules.environment) if source.key is None else _variable(place, source.key)
    return list(option_values(list(found))) if isinstance(found, list | tuple) else None


def _variable(place: Place, name: str) -> Any:
    # Options come from the server: a submitted field of that name must not stand in for them.
    value: Any = place.context
    for part in name.split("."):
        value = value[part] if isinstance(value, Mapping) and part in value else None
    return value


def _temporal(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    attributes = item.component.attributes
    if attributes.get("disallowPassedDates") is not True or attributes.get("subtype", "date") == "time" or rules.today is None:
        return
    if _day(item.value, rules) < rules.today:
        yield "passed", {}


def _day(text: str, rules: Rules) -> date:
    if "T" not in text:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is None else moment.astimezone(rules.environment.zone)).date()


def _files(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    component = item.component
    several = evaluate(component.multiple, place, rules.environment) is True
    if len(item.value) > (MAX_FILES if several else 1):
        yield ("too_many_files", {"limit": MAX_FILES}) if several else ("one_file", {})
        return
    accept = evaluate(component.accept, place, rules.environment)
    for entry in item.value:
        file = _uploaded(entry, item, rules)
        if file is None:
            yield "not_uploaded", {"name": entry["name"]}
            continue
        entry.update(file)
        if isinstance(accept, str) and accept.strip() and not _accepted(entry, accept):
            yield "file_kind", {"name": entry["name"], "accept": accept}
        yield from _forbidden(entry["name"], rules)


def _uploaded(entry: Mapping[str, Any], item: Field, rules: Rules) -> dict[str, Any] | None:
    """Return size and kind as the server knows them: of an upload, or of a file that the case holds already."""
    if rules.files is None:
        return {}
    file = rules.files.get(entry["digest"])
    if file is not None:
        return {"size": file.size, "contentType": file.content_type}
    held = item.initial if isinstance(item.initial, list | tuple) else ()
    for known in held:
        if isinstance(known, Mapping) and known.get("digest") == entry["digest"]:
            return {"size": known.get("size"), "contentType": known.get("contentType")}
    return None


def _accepted(entry: Mapping[str, Any], accept: str) -> bool:
    name, kind = str(entry["name"]).lower(), str(entry.get("contentType") or "").lower()
    for part in (part.strip().lower() for part in accept.split(",")):
        if part.startswith(".") and name.endswith(part):
            return True
        if part == kind or (part in _BROWSER_KINDS and kind.startswith(_BROWSER_KINDS[part])):
            return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _nothing(item: Field, place: Place, rules: Rules) -> Iterator[Found]:
    return iter(())


_KINDS = {"email": EMAIL, "phone": PHONE}
_REQUIRED = {
    "checkbox": "required_checkbox",
    "checklist": "required_choice",
    "taglist": "required_choice",
    "filepicker": "required_file",
}
_CHECKS: dict[str, Callable[[Field, Place, Rules], Iterator[Found]]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "radio": _choice,
    "select": _choice,
    "checklist": _choice,
    "taglist": _choice,
    "datetime": _temporal,
    "filepicker": _files,
}
