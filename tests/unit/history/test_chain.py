"""The chains: every changed byte, lost row, cut tail and changed content is found, in the database and in a pack."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from engine import history
from engine.clock import TurnedClock
from engine.errors import Defect, InvalidValue, NotFound
from engine.history import canonical, checkpoints, codec, journal, packing
from engine.history.chain import GENESIS, Checkpoint, JournalRow
from engine.history.codec import LARGE
from engine.history.events import NoteAdded, TaskClaimed
from engine.history.evidence import DatabaseSource, Pack, export, verify_pack
from engine.history.verification import Verdict, as_json, verify
from engine.kernel.advance import VariableSet
from engine.store import Store
from engine.store.tables import blob, checkpoint, user
from engine.store.tables import journal as journal_table

NOW = datetime(2026, 9, 24, 1, tzinfo=UTC)
CASES = (11, 12, 13)
SPELLED_OUT = b"\x01test\n" + '[{"event":"NoteAdded","text":"引号"}]'.encode()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NOW)


@pytest.fixture
def store(clock: TurnedClock) -> Store:
    store = Store("sqlite://", clock)
    store.migrate()
    with store.begin() as tx:
        row = {
            "key": 7,
            "username": "anna",
            "name": "安娜",
            "active": True,
            "session_epoch": 0,
            "external": False,
            "created_at": NOW,
        }
        tx.execute(user.insert(), row)
    return store


def write(store: Store, clock: TurnedClock, *keys: int, value: Any = 1) -> None:
    for key in keys:
        clock.advance(timedelta(seconds=1))
        with store.begin() as tx:
            changes = [VariableSet(key, "金额", value), TaskClaimed(key, "t", "anna"), NoteAdded('引\u2028号"\n')]
            history.append(tx, key, "test", changes, actor="anna")


def cover(store: Store, *, everything: bool = False) -> Checkpoint | None:
    with store.begin() as tx:
        return checkpoints.write(tx, everything=everything)


def proof(store: Store, **more: Any) -> Verdict:
    with store.read() as reading:
        return verify(DatabaseSource(reading), **more)


def kinds(verdict: Verdict) -> set[str]:
    return {fault.kind for fault in verdict.faults}


@pytest.fixture
def full(store: Store, clock: TurnedClock) -> Store:
    """Three cases of three rows each, covered by two checkpoints, and one row behind them."""
    write(store, clock, *CASES, *CASES)
    cover(store)
    write(store, clock, *CASES, value="长" * LARGE)
    cover(store)
    write(store, clock, CASES[0])
    return store


def change(store: Store, statement: Any) -> None:
    with store.begin() as tx:
        tx.execute(statement)


def test_what_was_written_is_read_and_proved(full: Store) -> None:
    verdict = proof(full)
    assert verdict.ok, verdict.as_text()
    assert (verdict.rows, verdict.instances, verdict.checkpoints) == (10, 3, 2)
    assert verdict.tail == [(CASES[0], 4, 4)]
    assert "尚未被检查点覆盖" in verdict.as_text()
    with full.read() as reading:
        entries = history.entries(reading, CASES[1])
        assert [entry.seq for entry in entries] == [1, 2, 3]
        assert entries[0].actor == "anna"
        assert entries[0].events == (
            VariableSet(CASES[1], "金额", 1),
            TaskClaimed(CASES[1], "t", "anna"),
            NoteAdded('引\u2028号"\n'),
        )
        assert entries[2].events[0] == VariableSet(CASES[1], "金额", "长" * LARGE)
        assert [entry.seq for entry in history.entries(reading, CASES[1], after=2)] == [3]
        assert reading.scalar(select(blob.c.size)) > LARGE


def test_one_row_per_command_tied_to_the_one_before(full: Store) -> None:
    with full.read() as reading:
        rows = journal.rows(reading, CASES[0])
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert [row.previous_hash for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]
    assert all("anna" not in codec.text(row.payload) for row in rows), "people stand in it by key"
    assert {row.actor_key for row in rows} == {7}


@pytest.mark.parametrize("seq", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "column",
    [column.name for column in journal_table.c],
)
def test_a_change_in_any_column_of_any_row_is_found(full: Store, column: str, seq: int) -> None:
    with full.read() as reading:
        before = next(row for row in journal.rows(reading, CASES[0]) if row.seq == seq)
    value = getattr(before, column)
    if isinstance(value, datetime):
        changed: Any = value + timedelta(microseconds=1)
    elif isinstance(value, str):
        changed = value[:-2] + f"{int(value[-2], 16) ^ 1:x}" + value[-1]
    elif isinstance(value, bytes):
        changed = value[:-1] + bytes([value[-1] ^ 1])
    else:
        changed = (value or 0) + (100 if column in {"instance_key", "seq"} else 1)
    place = journal_table.c.instance_key == CASES[0], journal_table.c.seq == seq
    change(full, update(journal_table).where(*place).values({column: changed}))
    verdict = proof(full)
    if column in {"instance_key", "seq"}:  # the row is in another place: missing here, or at the head that was covered
        assert not verdict.ok or seq == 4, "behind the last checkpoint nobody knows how long a chain was"
    else:
        assert {(fault.instance_key, fault.seq) for fault in verdict.faults} & {(CASES[0], seq), (CASES[0], seq + 1)}


def test_every_byte_that_is_stored_is_under_a_seal(full: Store) -> None:
    place = "instance_key = 11 AND seq = 2"
    with full.read() as reading:
        stored = reading.one(
            text(f"SELECT CAST(payload AS BLOB) AS payload, CAST(hash AS BLOB) AS hash FROM journal WHERE {place}")
        )
    assert stored is not None
    for column, content in (("payload", stored.payload), ("hash", stored.hash)):
        for index in range(len(content)):
            for bit in (1, 128):
                changed = content[:index] + bytes([content[index] ^ bit]) + content[index + 1 :]
                change(full, text(f"UPDATE journal SET {column} = :changed WHERE {place}").bindparams(changed=changed))
                assert (11, 2) in {(fault.instance_key, fault.seq) for fault in proof(full).faults}, (column, index, bit)
        change(full, text(f"UPDATE journal SET {column} = :content WHERE {place}").bindparams(content=content))
    assert proof(full).ok


@pytest.mark.parametrize("column", ["payload", "hash"])
@pytest.mark.parametrize("content", ["CAST('x' AS TEXT)", "7", "x''"])
def test_what_is_no_content_is_found(full: Store, column: str, content: str) -> None:
    change(full, text(f"UPDATE journal SET {column} = {content} WHERE instance_key = 11 AND seq = 2"))
    assert (11, 2) in {(fault.instance_key, fault.seq) for fault in proof(full).faults}


def test_a_value_of_another_kind_is_found(full: Store) -> None:
    change(full, text("UPDATE journal SET at = 'noon' WHERE instance_key = 12 AND seq = 2"))
    assert "unreadable" in kinds(proof(full))


@pytest.mark.parametrize("heads", ["", "[", "{}", "[[1]]", '[["a","b","c"]]'])
def test_heads_that_are_none_are_a_changed_checkpoint(full: Store, heads: str) -> None:
    change(full, text("UPDATE checkpoint SET heads = :heads WHERE number = 2").bindparams(heads=heads))
    assert "checkpoint-changed" in kinds(proof(full))


@given(st.data())
@pytest.mark.parametrize("payload", [SPELLED_OUT, packing.pack('["test",["NoteAdded",{"text":"引号"}]]'.encode())])
def test_every_byte_of_a_row_is_under_its_seal(payload: bytes, data: st.DataObject) -> None:
    row = JournalRow(11, 1, NOW, 7, None, payload, GENESIS).sealed()
    place = data.draw(st.integers(0, len(payload) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != payload[place]))
    try:
        assert replace(row, payload=payload[:place] + bytes([other]) + payload[place + 1 :]).seal() != row.hash
    except InvalidValue:
        assert payload is SPELLED_OUT, "bytes that are no text cannot have been written"


def test_rows_of_the_first_release_are_proved_as_they_were_sealed(store: Store, clock: TurnedClock) -> None:
    row = JournalRow(11, 1, NOW, 7, None, SPELLED_OUT, GENESIS).sealed()
    said = '{"actor":7,"at":"2026-09-24T01:00:00Z","command":"test","events":[{"event":"NoteAdded","text":"引号"}],'
    said += '"instance":11,"on_behalf_of":null,"seq":1}'
    assert row.hash == hashlib.sha256((GENESIS + said).encode()).hexdigest()
    with store.begin() as tx:
        columns = ("instance_key", "seq", "at", "actor_key", "on_behalf_of_key", "payload", "hash")
        tx.execute(journal_table.insert(), {name: getattr(row, name) for name in columns})
    write(store, clock, 11)
    cover(store)
    assert proof(store).ok
    assert verify_pack(packed(store, 11)).ok
    with store.read() as reading:
        assert [entry.events[0] for entry in history.entries(reading, 11)] == [NoteAdded("引号"), VariableSet(11, "金额", 1)]
    line = canonical.dumps(
        {
            **{
                name: getattr(row, name)
                for name in ("instance_key", "seq", "at", "actor_key", "on_behalf_of_key", "previous_hash")
            },
            "command": "test",
            "payload": '[{"event":"NoteAdded","text":"引号"}]',
            "hash": row.hash,
        }
    )
    assert JournalRow.from_line(line) == row, "as packs of the first release wrote it"


def test_a_lost_row_is_found(full: Store) -> None:
    change(full, delete(journal_table).where(journal_table.c.instance_key == CASES[1], journal_table.c.seq == 2))
    assert "row-missing" in kinds(proof(full))


def test_a_tail_cut_before_a_checkpoint_is_found_and_behind_it_is_named(full: Store) -> None:
    change(full, delete(journal_table).where(journal_table.c.instance_key == CASES[0], journal_table.c.seq == 4))
    assert proof(full).ok, "behind the last checkpoint nothing can tell; the tail is named beforehand"
    change(full, delete(journal_table).where(journal_table.c.instance_key == CASES[0], journal_table.c.seq == 3))
    assert kinds(proof(full)) == {"row-missing"}


def test_a_lost_case_is_found(full: Store) -> None:
    change(full, delete(journal_table).where(journal_table.c.instance_key == CASES[2]))
    assert kinds(proof(full)) == {"case-missing"}


def test_a_chain_computed_anew_does_not_agree_with_its_checkpoints(full: Store) -> None:
    with full.read() as reading:
        rows = journal.rows(reading, CASES[1])
    with full.begin() as tx:
        previous = GENESIS
        for row in rows:
            forged = replace(row, payload=packing.pack(b'["forged"]'), previous_hash=previous).sealed()
            previous = forged.hash
            place = journal_table.c.instance_key == CASES[1], journal_table.c.seq == row.seq
            tx.execute(update(journal_table).where(*place).values(payload=forged.payload, hash=forged.hash))
    assert kinds(proof(full)) == {"head-changed"}


def test_a_changed_or_lost_content_is_found(full: Store) -> None:
    change(full, update(blob).values(content=b"other"))
    assert kinds(proof(full)) == {"blob-changed"}
    change(full, delete(blob))
    assert kinds(proof(full)) == {"blob-missing"}


def test_changed_and_lost_checkpoints_are_found(full: Store) -> None:
    anchor = proof(full).last_checkpoint
    change(full, update(checkpoint).where(checkpoint.c.number == 1).values(at=NOW))
    assert kinds(proof(full)) == {"checkpoint-changed"}
    change(full, delete(checkpoint).where(checkpoint.c.number == 1))
    assert "checkpoint-missing" in kinds(proof(full))
    change(full, delete(checkpoint))
    assert proof(full).ok, "without an anchor nothing tells that there were checkpoints"
    assert kinds(proof(full, anchor=anchor)) == {"anchor-missing"}


def test_an_anchor_noted_elsewhere_is_found_in_the_chain(full: Store) -> None:
    anchor = proof(full).last_checkpoint
    cover(full)
    assert proof(full, anchor=anchor).ok
    assert proof(full).tail == []


def test_checkpoints_cover_what_went_on_since_the_last_one(store: Store, clock: TurnedClock) -> None:
    assert cover(store) is None
    write(store, clock, *CASES)
    first = cover(store)
    assert first is not None
    assert [head[:2] for head in first.heads] == [(key, 1) for key in CASES]
    assert cover(store) is None
    write(store, clock, CASES[0], CASES[0])
    second = cover(store)
    assert second is not None
    assert [head[:2] for head in second.heads] == [(CASES[0], 3)]
    assert second.previous_hash == first.hash


def test_rows_of_a_clock_that_was_set_back_are_covered_at_the_next_start(store: Store, clock: TurnedClock) -> None:
    write(store, clock, CASES[0])
    cover(store)
    clock.advance(timedelta(days=-1))
    write(store, clock, CASES[1])
    clock.advance(timedelta(days=2))
    write(store, clock, CASES[2])
    recent = cover(store)
    assert recent is not None
    assert [head[0] for head in recent.heads] == [CASES[2]]
    assert proof(store).tail == [(CASES[1], 1, 1)]
    cover(store, everything=True)
    assert proof(store).tail == []


def test_a_stranger_cannot_act(store: Store) -> None:
    with pytest.raises(Defect, match="nobody"), store.begin() as tx:
        history.append(tx, 11, "test", [], actor="nobody")
    with store.read() as reading, pytest.raises(NotFound):
        journal.get_blob(reading, "0" * 64)


def test_the_verdict_for_programs(full: Store) -> None:
    change(full, delete(journal_table).where(journal_table.c.instance_key == CASES[1], journal_table.c.seq == 2))
    said = as_json(proof(full))
    assert '"ok":false' in said
    assert f'"processInstanceKey":"{CASES[1]}"' in said


# --- evidence packs -------------------------------------------------------------------------------------------------


def packed(store: Store, *keys: int) -> bytes:
    with store.read() as reading:
        return export(reading, keys)


def repacked(content: bytes, changes: dict[str, bytes | None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            kept = changes.get(name, old.read(name))
            if kept is not None:
                new.writestr(name, kept)
        for name, added in changes.items():
            if name not in old.namelist() and added is not None:
                new.writestr(name, added)
    return out.getvalue()


def test_a_pack_is_proved_without_the_database(full: Store) -> None:
    content = packed(full, CASES[0])
    anchor = proof(full).last_checkpoint
    full.close()
    verdict = verify_pack(content, anchor)
    assert verdict.ok, verdict.as_text()
    assert (verdict.rows, verdict.instances, verdict.tail) == (4, 1, [(CASES[0], 4, 4)])
    entries = Pack.open(content).entries(CASES[0])
    assert entries[2].events[0] == VariableSet(CASES[0], "金额", "长" * LARGE)
    assert entries[0].actor == "anna"
    assert Pack.open(content).entries(99) == []


def test_a_pack_says_by_itself_how_its_rows_are_read(full: Store) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(full, CASES[0]))) as archive:
        events, dictionary = json.loads(archive.read("events.json")), archive.read("dictionary-2.bin")
        lines = [json.loads(line) for line in archive.read("journal.jsonl").splitlines()]
    for line in lines:
        payload = base64.b64decode(line["payload"])
        assert payload[0] == 2
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS, dictionary).decompress(payload[1:])
        assert unpacked.decode() == line["text"]
    named = [events[str(item[0])] for line in lines for item in json.loads(line["text"])[1:] if isinstance(item[0], int)]
    assert ["VariableSet", "name", "value", "scope_key"] in named


def test_a_pack_is_the_same_bytes_for_the_same_content(full: Store) -> None:
    assert packed(full, *CASES) == packed(full, *reversed(CASES))


def test_any_changed_byte_of_a_pack_s_files_is_found(full: Store) -> None:
    content = packed(full, CASES[0])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name, data in files.items():
        for place in (0, len(data) // 2, len(data) - 1):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            try:
                verdict = verify_pack(repacked(content, {name: changed}))
            except InvalidValue:
                continue
            assert not verdict.ok or name == "manifest.json", (name, place)


def test_a_forger_who_also_writes_the_manifest_is_still_found(full: Store) -> None:
    import json

    content = packed(full, CASES[0])
    pack = Pack.open(content)
    lines = pack.files["journal.jsonl"].decode().split("\n")

    def forged(kept: list[str]) -> Verdict:
        journal_file = "\n".join(kept).encode()
        manifest = json.loads(json.dumps(dict(pack.manifest)))
        manifest["files"]["journal.jsonl"] = hashlib.sha256(journal_file).hexdigest()
        return verify_pack(repacked(content, {"journal.jsonl": journal_file, "manifest.json": json.dumps(manifest).encode()}))

    assert forged(lines).ok
    assert not forged([lines[0].replace("test", "tset", 1), *lines[1:]]).ok
    assert not forged([lines[0].replace('"seq":1', '"seq": 1'), *lines[1:]]).ok
    assert not forged(lines[1:]).ok
    assert not forged([*lines[:2], ""]).ok, "a tail cut before a checkpoint"


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_pack_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue):
        verify_pack(content)
