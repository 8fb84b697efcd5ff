"""Events ⇄ canonical JSON: every dataclass of `kernel.advance` and `history.events`, by its class's name.

An event is an object whose `event` names its class; the other keys are its fields. Fields that are empty and empty by
default are left out. A field longer than `LARGE` bytes is left out of the journal and named by digest
(`{"$blob": "<sha256>", "size": n}`); an object of a case's own that could be taken for that is wrapped in `$value`.
People are written as user keys where the user is known, as the text given where not.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any

from engine.errors import Defect
from engine.history import canonical, events
from engine.kernel import advance
from engine.kernel.advance import Change

LARGE = 4096
"""Length in bytes from which a field's canonical JSON is stored once, by digest."""

PEOPLE = frozenset({"absent", "assignee", "candidate_users", "excluded_users", "recipients", "recipient", "substitutes", "user"})
"""Names of the fields that hold usernames."""

PutBlob = Callable[[str, bytes], None]
GetBlob = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    person: bool
    restore: Callable[[Any], Any]
    left_out: Any  # the empty default that is not written; MISSING where the field is always written


def encode(changes: Iterable[Change], user_key: Callable[[str], int | None], put_blob: PutBlob) -> str:
    """Return the canonical JSON list of events.

    Args:
        user_key: the key of a username, None where there is no such user.
        put_blob: is handed (digest, content) of every large field; it stores what it does not have yet.
    """
    return "[" + ",".join(_encode(change, user_key, put_blob) for change in changes) + "]"


def decode(payload: str, username: Callable[[int], str], get_blob: GetBlob) -> list[Change]:
    """Return the events of a journal row.

    Args:
        username: the username of a user key.
        get_blob: the content of a digest.
    Raises:
        Defect: an event is of a class that this version does not know.
    """
    return [_decode(item, username, get_blob) for item in canonical.loads(payload)]


def digests(payload: str) -> set[str]:
    """Return the digests of the large values that a row's events name."""
    found: set[str] = set()
    if '"$blob"' in payload:
        for item in canonical.loads(payload):
            found.update(value["$blob"] for value in item.values() if _is_reference(value))
    return found


def people(payload: str) -> set[int]:
    """Return the keys of the users that a row's events name."""
    found: set[int] = set()
    for item in canonical.loads(payload):
        for name in PEOPLE & item.keys():
            value = item[name]
            found.update(key for key in (value if isinstance(value, list) else [value]) if isinstance(key, int))
    return found


def names() -> tuple[str, ...]:
    """Return the names of all kinds of events."""
    return tuple(sorted(_CLASSES))


def _encode(change: Change, user_key: Callable[[str], int | None], put_blob: PutBlob) -> str:
    name = type(change).__name__
    if _CLASSES.get(name) is not type(change):
        raise Defect(f"an event of unknown class {name} cannot be written to the journal")
    parts = []
    for spec in _FIELDS[name]:
        if spec.name == "event":  # between the fields, where it belongs in the order of keys
            parts.append(f'"event":"{name}"')
            continue
        value = getattr(change, spec.name)
        if spec.left_out is MISSING or value != spec.left_out:
            written = (
                repr(value) if type(value) is int else _encode_field(_people(value, user_key) if spec.person else value, put_blob)
            )
            parts.append(f'"{spec.name}":{written}')
    return "{" + ",".join(parts) + "}"


def _encode_field(value: Any, put_blob: PutBlob) -> str:
    text = canonical.dumps(value)
    if len(text) * 4 > LARGE:  # the cheap question first: a character is at most four bytes
        content = text.encode()
        if len(content) > LARGE:
            digest = hashlib.sha256(content).hexdigest()
            put_blob(digest, content)
            return canonical.dumps({"$blob": digest, "size": len(content)})
    if isinstance(value, Mapping) and ("$blob" in value or "$value" in value):
        return '{"$value":' + text + "}"
    return text


def _decode(item: Mapping[str, Any], username: Callable[[int], str], get_blob: GetBlob) -> Change:
    name = item["event"]
    if name not in _CLASSES:
        raise Defect(f"the journal holds an event of unknown class {name}; it was written by a later version")
    values = {}
    for spec in _FIELDS[name]:
        if spec.name == "event" or spec.name not in item:
            continue
        value = _decode_field(item[spec.name], get_blob)
        values[spec.name] = spec.restore(_usernames(value, username) if spec.person else value)
    return _CLASSES[name](**values)


def _decode_field(value: Any, get_blob: GetBlob) -> Any:
    if _is_reference(value):
        return canonical.loads(get_blob(value["$blob"]).decode())
    if isinstance(value, dict) and value.keys() == {"$value"}:
        return value["$value"]
    return value


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"$blob", "size"}


def _people(value: Any, user_key: Callable[[str], int | None]) -> Any:
    if isinstance(value, str):
        key = user_key(value) if value else None
        return value if key is None else key
    return [_people(item, user_key) for item in value] if isinstance(value, Sequence) else value


def _usernames(value: Any, username: Callable[[int], str]) -> Any:
    if isinstance(value, int):
        return username(value)
    return [_usernames(item, username) for item in value] if isinstance(value, list) else value


def _read_moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _restorer(hint: Any) -> Callable[[Any], Any]:
    """Return what turns a field's JSON back into its declared type."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        (inner,) = (_restorer(part) for part in typing.get_args(hint) if part is not type(None))
        return lambda value: None if value is None else inner(value)
    if typing.get_origin(hint) is tuple:
        return tuple
    if hint is datetime:
        return _read_moment
    if hint is float:
        return float
    if typing.get_args(hint)[-1:] == (float,):
        return lambda value: {key: float(number) for key, number in value.items()}
    return lambda value: value


def _default(spec: Any) -> Any:
    default = spec.default_factory() if spec.default_factory is not MISSING else spec.default
    return default if default in (None, "", (), {}) or default is False else MISSING


def _fields(event: type[Change]) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(event)
    known = [_Field(f.name, f.name in PEOPLE, _restorer(hints[f.name]), _default(f)) for f in fields(event)]
    return tuple(sorted([*known, _Field("event", False, str, MISSING)], key=lambda spec: spec.name))


def _concrete(module: types.ModuleType) -> dict[str, type[Change]]:
    found = {name: item for name, item in vars(module).items() if isinstance(item, type) and issubclass(item, Change)}
    return {name: item for name, item in found.items() if item not in {Change, events.Event}}


_CLASSES: dict[str, type[Change]] = _concrete(advance) | _concrete(events)
_FIELDS: dict[str, tuple[_Field, ...]] = {name: _fields(item) for name, item in _CLASSES.items()}
