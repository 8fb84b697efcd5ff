"""Events as the journal's bytes, and canonical JSON: every kind round-trips, byte for byte the same."""

from __future__ import annotations

import dataclasses
import hashlib
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
from engine.history import canonical, codec, events, layouts, packing
from engine.history.chain import digest
from engine.kernel import advance
from engine.kernel.advance import CallStarted, Change, DecisionEvaluated, TaskCompleted, TaskCreated, VariableSet
from engine.store import exact_json

KEYS = {"investigator-1": 7, "expert-9": 8}
NAMES = {key: name for name, key in KEYS.items()}

PACKED = packing.pack(b"[]")
FIRST_LAYOUTS = "2769838f6974beed64a4d4516d37927dfbf812f9a3e21db5456c055abe20d271"
SECOND_DICTIONARY = "1e115a0eac80dfe97e2de91af5da839c8700bf9293e979af69e954f80a31fecf"

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


PLACE = codec.Place(1_000, datetime(2026, 9, 24, 1, tzinfo=UTC))


def written(*changes: Change, blobs: Blobs | None = None) -> bytes:
    return codec.encode(PLACE, "test", changes, KEYS.get, Blobs().put if blobs is None else blobs.put)


def round_trip(change: Change) -> tuple[Change, Blobs, bytes]:
    blobs = Blobs()
    payload = written(change, blobs=blobs)
    command, (read,) = codec.decode(PLACE, payload, NAMES.__getitem__, blobs.__getitem__)
    assert command == "test"
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


def test_a_layout_is_for_ever() -> None:
    """Rows are read by the layout that they were written by: a line may be added, none changed or taken away."""
    said = "\n".join(f"{x.code} {x.name} {' '.join(x.fields)} {dict(x.absent)}" for x in layouts.BY_CODE.values())
    first = said.split("\n")[:38]
    assert hashlib.sha256("\n".join(first).encode()).hexdigest() == FIRST_LAYOUTS
    assert hashlib.sha256(packing.DICTIONARY_2).hexdigest() == SECOND_DICTIONARY
    assert len(layouts.BY_CODE) == len(layouts.BY_NAME) == len(said.split("\n"))
    classes = {kind.__name__: {field.name for field in dataclasses.fields(kind)} for kind in KINDS}
    assert all(set(layout.fields) <= classes[layout.name] for layout in layouts.BY_NAME.values())


def test_what_is_left_out_is_read_as_it_was_meant() -> None:
    """The layout says what a field stands for that is left out: a class's default may change."""
    defaults = {
        (kind.__name__, field.name): field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        for kind in KINDS
        for field in dataclasses.fields(kind)
    }
    for layout in layouts.BY_NAME.values():
        for name, value in layout.absent.items():
            if not name.endswith("_key"):
                assert defaults[layout.name, name] == value
    assert len(codec.text(written(TaskCreated(1_000, "t", "任务")))) < 40


def test_fields_that_a_layout_does_not_name_and_kinds_without_one_are_written_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    shorter = layouts.Layout(9, "TaskCompleted", ("element_id",), {})
    monkeypatch.setitem(layouts.BY_CODE, 9, shorter)
    monkeypatch.setitem(layouts.BY_NAME, "TaskCompleted", shorter)
    monkeypatch.setitem(codec._FORMS, TaskCompleted, codec._form(TaskCompleted))
    read, _, payload = round_trip(TaskCompleted(1_005, "t"))
    assert (codec.text(payload), read) == ('["test",[9,"t",{"key":5}]]', TaskCompleted(1_005, "t"))
    note = events.NoteAdded("改")
    read, _, payload = round_trip(note)
    assert (codec.text(payload), read) == ('["test",["NoteAdded",{"text":"改"}]]', note)


def test_rows_of_the_first_release_are_read() -> None:
    first = (
        '[{"element_id":"t","event":"TaskCompleted","key":1005},'
        '{"assignee":7,"candidate_groups":["clerk"],"due_at":"2026-09-24T02:00:00Z","element_id":"u","event":"TaskCreated",'
        '"form_binding":"latest","key":1006,"name":"初审","priority":50}]'
    )
    payload = b"\x01complete_task\n" + first.encode()
    command, read = codec.decode(PLACE, payload, NAMES.__getitem__, Blobs().__getitem__)
    due_at = datetime(2026, 9, 24, 2, tzinfo=UTC)
    task = TaskCreated(1_006, "u", "初审", "investigator-1", ("clerk",), due_at=due_at)
    assert (command, read) == ("complete_task", (TaskCompleted(1_005, "t"), task))
    assert codec.people(payload) == {7}
    assert codec.may_name(PLACE, payload, 1_006)


@pytest.mark.parametrize(
    "payload", [b"", b"\x07x", b"\x02", b"\x02\xff\xff", packing.pack(b"[]")[:-1], packing.pack(b"[]") + b"x"]
)
def test_what_is_no_row_is_a_defect(payload: bytes) -> None:
    with pytest.raises(Defect):
        codec.text(payload)


def test_people_stand_in_the_payload_by_key() -> None:
    change = TaskCreated(1, "t", "任务", assignee="investigator-1", excluded_users=("expert-9", "nobody-known"))
    read, _, payload = round_trip(change)
    assert read == change
    assert codec.text(payload) == '["test",[7,-999,"t","任务",[],7,[],[8,"nobody-known"]]]'
    assert codec.people(payload) == {7, 8}


def test_large_fields_stand_by_digest_once() -> None:
    change = VariableSet(1, "报告", "长" * codec.LARGE)
    read, blobs, payload = round_trip(change)
    assert read == change
    assert len(blobs) == 1
    assert codec.digests(payload) == set(blobs)
    assert len(payload) < 300


def test_large_values_of_a_mapping_stand_by_themselves_as_the_variables_do() -> None:
    large = {"b": "长" * codec.LARGE, "a": 1}
    blobs = Blobs()
    call = CallStarted(1, "c", "P", "latest", None, {"报告": large, "n": 1, "odd": {"$blob": "x", "size": 1}})
    payload = written(VariableSet(1, "报告", large), call, blobs=blobs)
    assert codec.digests(payload) == set(blobs) == {exact_json.digest(exact_json.dumps(large).encode())}
    assert codec.decode(PLACE, payload, str, blobs.__getitem__)[1] == (VariableSet(1, "报告", large), call)
    inner = written(VariableSet(1, "v", {"x": {"$blob": "x", "size": 1}}))
    assert codec.digests(inner) == set()


def test_a_value_that_looks_like_a_reference_stays_a_value() -> None:
    for value in ({"$blob": "x", "size": 1}, {"$value": 2}, {"$value": {"$blob": "x", "size": 1}}):
        change = VariableSet(1, "v", value)
        read, blobs, payload = round_trip(change)
        assert read == change
        assert not blobs
        assert codec.digests(payload) == set()


def test_events_of_a_later_version_and_strangers_are_defects() -> None:
    with pytest.raises(Defect, match="FromTheFuture"):
        codec.decode(PLACE, packing.pack(b'["test",["FromTheFuture"]]'), str, lambda _: b"")
    with pytest.raises(Defect, match="later"):
        codec.decode(PLACE, packing.pack(b'["test",["NoteAdded",{"later":1}]]'), str, lambda _: b"")

    class Strange(Change):
        pass

    with pytest.raises(Defect, match="Strange"):
        written(Strange())


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
