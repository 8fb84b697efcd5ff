"""Events ⇄ a journal row's content: every dataclass of `kernel.advance` and `history.events`.

A row's text is a JSON list: the command's name, then the events. An event is a list: its code and its fields in the order of its
layout (`layouts`), then, in an object, the fields that the layout does not name. A class without a layout is named by its name.
So a new kind of event needs nothing here or there: it is a dataclass in one of the two modules, of fields that are texts,
numbers, truth values, moments, tuples, mappings, JSON values, or None.

    [9,1879048192,"review"]     [5,"decision","approved"]     ["NoteAdded",{"text":"…"}]

- Fields at the end that are empty, and empty by default, are left out.
- Keys (`key`, `*_key`) are written as their distance from the case's key, moments as microseconds from the row's moment.
- People are written as user keys where the user is known, as the text given where not.
- A value longer than `LARGE` bytes is left out and named by digest (`{"$blob": "<sha256>", "size": n}`), in a mapping each value
  by itself; the content is the variable's own (see `store.exact_json`), so that journal and live rows share it. An object of a
  case's own that could be taken for that is wrapped in `$value`.

Rows of the first release spell all of it out; they are read, never written.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.errors import Defect, InvalidValue
from engine.history import canonical, events, layouts, packing
from engine.kernel import advance
from engine.kernel.advance import Change
from engine.store import exact_json

LARGE = 4096
"""Length in bytes from which a field's JSON is stored once, by digest."""

PEOPLE = frozenset({"absent", "assignee", "candidate_users", "excluded_users", "recipients", "recipient", "substitutes", "user"})
"""Names of the fields that hold usernames."""

PutBlob = Callable[[str, bytes], None]
GetBlob = Callable[[str], bytes]
_MICROSECOND = timedelta(microseconds=1)
# What has no Decimal and no moment within takes json's own, fast way; the text is the same.
_SMALL = frozenset({int, bool, type(None), Decimal, float})
_FAST = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Place:
    """What a row's content is written relative to: its case's key and its moment."""

    instance_key: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: str  # key | moment | person | plain (never large) | value | values (a mapping, each value by itself)
    restore: Callable[[Any], Any]
    left_out: Any  # how it is written where it may be left out; MISSING where it is always written


@dataclass(frozen=True, slots=True)
class _Form:
    """How one class is written: `code` and `ordered` by its layout, `named` are the fields behind it, `within` its mappings."""

    event: type[Change]
    code: int | str
    ordered: tuple[_Field, ...]
    named: tuple[_Field, ...]
    by_name: Mapping[str, _Field]
    within: frozenset[str]


def encode(
    place: Place, command: str, changes: Iterable[Change], user_key: Callable[[str], int | None], put_blob: PutBlob
) -> bytes:
    """Return a row's content.

    Args:
        command: the command's name.
        user_key: the key of a username, None where there is no such user.
        put_blob: is handed (digest, content) of every large field; it stores what it does not have yet.
    Raises:
        Defect: an event is of a class that is none of ours.
        InvalidValue: a value cannot be said in JSON or in UTF-8.
    """
    items: list[Any] = [command]
    try:
        items += [_encode(change, place, user_key, put_blob) for change in changes]
        return packing.pack(_dumps(items).encode())
    except UnicodeEncodeError as error:
        raise InvalidValue("the text holds characters that are no Unicode text") from error


def decode(place: Place, payload: bytes, username: Callable[[int], str], get_blob: GetBlob) -> tuple[str, tuple[Change, ...]]:
    """Return the command and the events of a journal row.

    Args:
        username: the username of a user key.
        get_blob: the content of a digest.
    Raises:
        Defect: the row or one of its events is of a kind that this version does not know.
    """
    command, items = _items(payload)
    return command, tuple(_decode(item, place, username, get_blob) for item in items)


def text(payload: bytes) -> str:
    """Return a row's text, to be searched through before it is decoded, or to be shown beside it.

    Raises:
        Defect: the row is of a kind that this version does not know, or damaged.
    """
    return packing.unpack(payload).decode(errors="surrogateescape")


def may_name(place: Place, payload: bytes, key: int) -> bool:
    """Whether a row may name an element instance, task or job; one that may is to be decoded."""
    found = text(payload)
    return f",{key - place.instance_key}" in found or str(key) in found


def digests(payload: bytes) -> set[str]:
    """Return the digests of the large values that a row's events name."""
    found: set[str] = set()
    if '"$blob"' in text(payload):
        for item in _items(payload)[1]:
            written = list(_written(item))
            within = _within(item)
            values = [value for _, value in written]
            values += [inner for name, value in written if name in within for inner in value.values()]
            found.update(value["$blob"] for value in values if _is_reference(value))
    return found


def people(payload: bytes) -> set[int]:
    """Return the keys of the users that a row's events name."""
    found: set[int] = set()
    for item in _items(payload)[1]:
        for name, value in _written(item):
            if name in PEOPLE:
                found.update(key for key in (value if isinstance(value, list) else [value]) if isinstance(key, int))
    return found


def names() -> tuple[str, ...]:
    """Return the names of all kinds of events."""
    return tuple(sorted(_CLASSES))


# --- writing ----------------------------------------------------------------------------------------------------------


def _dumps(items: list[Any]) -> str:
    try:
        return _FAST.encode(items)
    except (TypeError, ValueError):
        return canonical.dumps(items)


def _encode(change: Change, place: Place, user_key: Callable[[str], int | None], put_blob: PutBlob) -> list[Any]:
    form = _FORMS.get(type(change))
    if form is None:
        raise Defect(f"an event of unknown class {type(change).__name__} cannot be written to the journal")
    item: list[Any] = [form.code]
    length = 1
    for spec in form.ordered:
        value = _write(getattr(change, spec.name), spec, place, user_key, put_blob)
        item.append(value)
        if spec.left_out is MISSING or value != spec.left_out:
            length = len(item)
    more = {}
    for spec in form.named:
        value = _write(getattr(change, spec.name), spec, place, user_key, put_blob)
        if spec.left_out is MISSING or value != spec.left_out:
            more[spec.name] = value
    if more:
        item.append(more)
    else:
        del item[length:]
    return item


def _write(value: Any, spec: _Field, place: Place, user_key: Callable[[str], int | None], put_blob: PutBlob) -> Any:
    if spec.kind == "key":
        return value if value is None else value - place.instance_key
    if spec.kind == "moment":
        return value if value is None else (value - place.at) // _MICROSECOND
    if spec.kind == "person":
        return _people(value, user_key)
    if spec.kind == "values":
        return {name: _outside(item, put_blob) for name, item in value.items()} if value else value
    return _outside(value, put_blob) if spec.kind == "value" else value


def _outside(value: Any, put_blob: PutBlob) -> Any:
    """Return a value as it is written: a large one is handed to the blobs."""
    kind = type(value)
    if (kind is str and len(value) * 6 < LARGE) or kind in _SMALL:
        return value
    if value:
        content = exact_json.dumps(value).encode()
        if len(content) > LARGE:
            digest = exact_json.digest(content)
            put_blob(digest, content)
            return {"$blob": digest, "size": len(content)}
    return {"$value": value} if isinstance(value, Mapping) and ("$blob" in value or "$value" in value) else value


def _people(value: Any, user_key: Callable[[str], int | None]) -> Any:
    if isinstance(value, str):
        key = user_key(value) if value else None
        return value if key is None else key
    return [_people(item, user_key) for item in value] if value and isinstance(value, Sequence) else value


def definition_digests(payload: bytes) -> set[str]:
    """Return the digests of the definitions that a row says the case began in, or went on in."""
    if payload[0] == packing.SPELLED_OUT and "definition_hash" not in text(payload):
        return set()
    items = (item for item in _items(payload)[1] if _is_named(item, "InstanceStarted", "InstanceMigrated"))
    return {str(value) for item in items for name, value in _written(item) if name == "definition_hash" and value}


# --- reading ----------------------------------------------------------------------------------------------------------


def _items(payload: bytes) -> tuple[str, list[Any]]:
    """Return the command and the events as they are written."""
    unpacked = text(payload)
    if payload[0] == packing.SPELLED_OUT:
        command, _, content = unpacked.partition("\n")
        return command, canonical.loads(content)
    command, *items = canonical.loads(unpacked)
    return command, items


def _is_named(item: Any, *names: str) -> bool:
    head = item["event"] if isinstance(item, Mapping) else item[0]
    layout = layouts.BY_CODE.get(head)
    return (head if layout is None else layout.name) in names


def _written(item: Any) -> Iterable[tuple[str, Any]]:
    """Yield the fields of a written event: (name, value as written)."""
    if isinstance(item, Mapping):
        yield from item.items()
        return
    head, values = item[0], item[1:]
    layout = layouts.BY_CODE.get(head)
    ordered = layout.fields if layout is not None else ()
    yield from zip(ordered, values, strict=False)
    if len(values) > len(ordered):
        yield from values[-1].items()


def _within(item: Any) -> frozenset[str]:
    """Return the names of a written event's fields whose values stand by themselves."""
    if isinstance(item, Mapping):  # the first release named such a field as a whole
        return frozenset()
    layout = layouts.BY_CODE.get(item[0])
    event = _CLASSES.get(item[0] if layout is None else layout.name)
    return frozenset() if event is None else _FORMS[event].within


def _decode(item: Any, place: Place, username: Callable[[int], str], get_blob: GetBlob) -> Change:
    spelled_out = isinstance(item, Mapping)
    head = item["event"] if spelled_out else item[0]
    layout = layouts.BY_CODE.get(head)
    name = head if layout is None else layout.name
    event = _CLASSES.get(name)
    if event is None:
        raise Defect(f"the journal holds an event of unknown class {name}; it was written by a later version")
    form = _FORMS[event]
    written = dict(_written(item))
    values = {}
    if layout is not None:
        written = {**layout.absent, **written}
    for field_name, value in written.items():
        spec = form.by_name.get(field_name)
        if spec is None:
            if spelled_out and field_name == "event":
                continue
            raise Defect(f"the journal holds {name}.{field_name}, which this version does not know")
        values[field_name] = _read(value, spec, None if spelled_out else place, username, get_blob)
    return event(**values)


def _read(value: Any, spec: _Field, place: Place | None, username: Callable[[int], str], get_blob: GetBlob) -> Any:
    if value is None:
        return None
    if place is not None and spec.kind == "key":
        return value + place.instance_key
    if place is not None and spec.kind == "values":
        return spec.restore({name: _inside(item, get_blob) for name, item in value.items()})
    if spec.kind == "moment":
        return datetime.fromisoformat(value) if place is None else place.at + value * _MICROSECOND
    if spec.kind == "person":
        return spec.restore(_usernames(value, username))
    return spec.restore(_inside(value, get_blob))


def _inside(value: Any, get_blob: GetBlob) -> Any:
    """Return a value as it was before it was written."""
    if _is_reference(value):
        return canonical.loads(get_blob(value["$blob"]).decode())
    return value["$value"] if isinstance(value, dict) and value.keys() == {"$value"} else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"$blob", "size"}


def _usernames(value: Any, username: Callable[[int], str]) -> Any:
    if isinstance(value, int):
        return username(value)
    return [_usernames(item, username) for item in value] if isinstance(value, list) else value


# --- the classes ------------------------------------------------------------------------------------------------------


def _bare(hint: Any) -> Any:
    """Return a field's declared type without `| None`."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        (inner,) = (part for part in typing.get_args(hint) if part is not type(None))
        return inner
    return hint


def _kind(name: str, hint: Any) -> str:
    if hint is datetime:
        return "moment"
    if name in PEOPLE:
        return "person"
    if hint is int and (name == "key" or name.endswith("_key")):
        return "key"
    if typing.get_origin(hint) is Mapping:
        return "values"
    return "plain" if hint in {int, bool} or typing.get_origin(hint) is tuple or name in {"element_id", "flow_id"} else "value"


def _restorer(hint: Any) -> Callable[[Any], Any]:
    """Return what turns a field's JSON back into its declared type."""
    if typing.get_origin(hint) is tuple:
        return tuple
    if hint is float:
        return float
    if typing.get_args(hint)[-1:] == (float,):
        return lambda value: {key: float(number) for key, number in value.items()}
    return lambda value: value


def _empty(spec: Any) -> Any:
    """Return how an empty default is written; MISSING where the default is not empty."""
    default = spec.default_factory() if spec.default_factory is not MISSING else spec.default
    if default is None or default is False or default in ("", (), {}):
        return default
    return MISSING


def _form(event: type[Change]) -> _Form:
    hints = {name: _bare(hint) for name, hint in typing.get_type_hints(event).items()}
    layout = layouts.BY_NAME.get(event.__name__)
    absent = layout.absent if layout is not None else {}
    specs = {
        f.name: _Field(f.name, _kind(f.name, hints[f.name]), _restorer(hints[f.name]), absent.get(f.name, _empty(f)))
        for f in fields(event)
    }
    within = frozenset(name for name, spec in specs.items() if spec.kind == "values")
    if layout is None:
        return _Form(event, event.__name__, (), tuple(specs.values()), specs, within)
    ordered = tuple(specs[name] for name in layout.fields)
    named = tuple(spec for name, spec in specs.items() if name not in layout.fields)
    return _Form(event, layout.code, ordered, named, specs, within)


def _concrete(module: types.ModuleType) -> dict[str, type[Change]]:
    found = {name: item for name, item in vars(module).items() if isinstance(item, type) and issubclass(item, Change)}
    return {name: item for name, item in found.items() if item not in {Change, events.Event}}


_CLASSES: dict[str, type[Change]] = _concrete(advance) | _concrete(events)
_FORMS: dict[type[Change], _Form] = {event: _form(event) for event in _CLASSES.values()}
