"""Events and canonical JSON: every kind round-trips, byte for byte the same."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Defect, InvalidValue
from engine.history import canonical, codec, events
from engine.history.chain import digest
from engine.kernel import advance
from engine.kernel.advance import Change, DecisionEvaluated, TaskCreated, VariableSet

KEYS = {"investigator-1": 7, "expert-9": 8}
NAMES = {key: name for name, key in KEYS.items()}

KINDS = [
    item
    for module in (advance, events)
    for _, item in inspect.getmembers(module, inspect.isclass)
    if issubclass(item, Change) and item not in {Change, events.Event}
]

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


class Blobs(dict[str, bytes]):
    """A blob table in memory."""

    def put(self, name: str, content: bytes) -> None:
        self[name] = content


def round_trip(change: Change) -> tuple[Change, Blobs, str]:
    blobs = Blobs()
    payload = codec.encode([change], KEYS.get, blobs.put)
    (read,) = codec.decode(payload, NAMES.__getitem__, blobs.__getitem__)
    return read, blobs, payload


def sample(hint: Any, name: str) -> Any:
    """Return a value of a field's type that is not empty."""
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        return sample(next(item for item in arguments if item is not type(None)), name)
    if name in codec.PEOPLE:
        return ("investigator-1", "a stranger") if typing.get_origin(hint) is tuple else "expert-9"
    if typing.get_origin(hint) is tuple:
        return ("一", "b")
    if typing.get_origin(hint) is Mapping:
        return {"金额": {str: "x", float: 1.5}.get(arguments[1], Decimal("280000.00"))}
    samples = {
        int: 5,
        str: "文本",
        bool: True,
        datetime: datetime(2026, 9, 24, 1, 2, 3, 4, tzinfo=UTC),
        Any: [Decimal("1.10"), None],
    }
    return samples[hint]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_event_round_trips(kind: type[Change]) -> None:
    hints = typing.get_type_hints(kind)
    full = kind(**{field.name: sample(hints[field.name], field.name) for field in dataclasses.fields(kind)})
    assert round_trip(full)[0] == full
    required = [f for f in dataclasses.fields(kind) if f.default is f.default_factory]  # both MISSING
    least = kind(**{field.name: sample(hints[field.name], field.name) for field in required})
    assert round_trip(least)[0] == least


def test_no_kind_is_forgotten_and_no_field_shadows_the_kind() -> None:
    assert codec.names() == tuple(sorted(kind.__name__ for kind in KINDS))
    assert not any(field.name == "event" for kind in KINDS for field in dataclasses.fields(kind))


def test_people_stand_in_the_payload_by_key() -> None:
    change = TaskCreated(1, "t", "任务", assignee="investigator-1", excluded_users=("expert-9", "nobody-known"))
    read, _, payload = round_trip(change)
    assert read == change
    assert "investigator-1" not in payload
    assert '"assignee":7' in payload
    assert '"excluded_users":[8,"nobody-known"]' in payload


def test_large_fields_stand_by_digest_once() -> None:
    change = VariableSet(1, "报告", "长" * codec.LARGE)
    read, blobs, payload = round_trip(change)
    assert read == change
    assert len(blobs) == 1
    assert codec.digests(payload) == set(blobs)
    assert len(payload) < 300


def test_a_value_that_looks_like_a_reference_stays_a_value() -> None:
    for value in ({"$blob": "x", "size": 1}, {"$value": 2}, {"$value": {"$blob": "x", "size": 1}}):
        change = VariableSet(1, "v", value)
        read, blobs, payload = round_trip(change)
        assert read == change
        assert not blobs
        assert codec.digests(payload) == set()


def test_events_of_a_later_version_and_strangers_are_defects() -> None:
    with pytest.raises(Defect, match="FromTheFuture"):
        codec.decode('[{"event":"FromTheFuture"}]', str, lambda _: b"")

    class Strange(Change):
        pass

    with pytest.raises(Defect, match="Strange"):
        codec.encode([Strange()], KEYS.get, Blobs().put)


@given(values)
def test_any_json_value_round_trips_with_its_digits(value: Any) -> None:
    read, _, payload = round_trip(DecisionEvaluated(1, "e", "d", 3, value, None))
    assert isinstance(read, DecisionEvaluated)
    assert read.result == value
    assert round_trip(read)[2] == payload


@given(st.dictionaries(texts, st.integers(), max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical.dumps(dict(reversed(list(value.items())))) == canonical.dumps(value)


def test_canonical_text() -> None:
    local = datetime(2026, 9, 24, 9, tzinfo=timezone(timedelta(hours=8)))
    value = {"b": Decimal("1.10"), "a": [True, None, 0.1], "金": '\n"中', "t": local, "d": date(2026, 1, 2), "h": time(9, 30)}
    assert canonical.dumps(value) == (
        '{"a":[true,null,0.1],"b":1.10,"d":"2026-01-02","h":"09:30:00","t":"2026-09-24T01:00:00Z","金":"\\n\\"中"}'
    )


@pytest.mark.parametrize(
    "value",
    [Decimal("NaN"), float("inf"), {1: 2}, object(), datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue):
        canonical.dumps(value)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidValue, match="Unicode"):
        digest("0", canonical.dumps("\ud800"))
