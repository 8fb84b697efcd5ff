"""Evidence packs: a zip with everything that proves a case's history, verified without the database."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from engine.errors import InvalidValue
from engine.history import canonical, checkpoints, codec, journal, layouts, packing
from engine.history.chain import Checkpoint, JournalRow
from engine.history.verification import Fault, Verdict, verify
from engine.store import Reading
from engine.store.tables import attachment_binding, form_definition, process_definition, process_instance, user

FORMAT = "liuzhuan-evidence-2"
READABLE = frozenset({FORMAT, "liuzhuan-evidence-1"})
MAX_UNPACKED = 2_000_000_000
"""Bytes a pack may unpack to: a hostile zip must not fill the memory."""

_INSTANCE = select(process_instance).where(process_instance.c.key == bindparam("key"))
_CHILDREN = select(process_instance.c.key).where(process_instance.c.root_key == bindparam("key")).order_by(process_instance.c.key)
_DEFINITION = select(process_definition).where(process_definition.c.key == bindparam("key"))
_DEFINITIONS = select(process_definition.c.digest).where(process_definition.c.digest == bindparam("digest")).limit(1)
_FORMS = select(form_definition).where(form_definition.c.deployment_key == bindparam("key")).order_by(form_definition.c.form_id)
_ATTACHMENTS = select(attachment_binding.c.digest).where(attachment_binding.c.instance_key == bindparam("key"))
_PEOPLE = select(user.c.key, user.c.username, user.c.name)

_README = """\
证据包 Evidence pack
====================
journal.jsonl      案件的全部历史，每行一条命令 / the cases' whole history, one command a line
checkpoints.jsonl  全局检查点链 / the global chain of checkpoints
blobs/             大值、附件和所部署文件，文件名即其 SHA-256 / large values, attachments, deployed files, named by SHA-256
people.json        用户编号与姓名 / user keys and names
events.json        journal.jsonl 里各事件代号的名称和字段 / names and fields of the events' codes in journal.jsonl
dictionary-2.bin   解压 payload 用的预置词典 / the preset dictionary that payloads are packed with
manifest.json      其余文件的 SHA-256 / SHA-256 of the other files

验证 / verify:  liuzhuan audit verify --pack PACK.zip
hash = SHA-256(previous_hash + [instance_key,seq,at,actor_key,on_behalf_of_key] + payload)
    previous_hash: 32 字节 / 32 bytes;  [...]: JSON, 无空格 / without spaces, at = microseconds since 1970-01-01 UTC
    payload: base64 解码后的字节，一字不改 / the bytes behind the base64, as they are. text 是其内容 / is what it says:
    0x02 + DEFLATE (RFC 1951) with the preset dictionary dictionary-2.bin; events: events.json; keys of elements = distance from
    the case's key / 元素编号为与案件编号之差
    payload 以 0x01 开头的行 / rows whose payload begins with 0x01:
    SHA-256(previous_hash in hexadecimal + canonical JSON {actor, at, command, events, instance, on_behalf_of, seq})
"""


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """The chains as they stand in the database."""

    reading: Reading

    def rows(self) -> Iterable[JournalRow]:
        """Yield every journal row by case and sequence."""
        return journal.all_rows(self.reading)

    def checkpoints(self) -> Iterable[Checkpoint]:
        """Yield every checkpoint by number."""
        return checkpoints.all_checkpoints(self.reading)

    def blobs(self) -> Iterable[tuple[str, bytes]]:
        """Yield every content with its digest."""
        return journal.all_blobs(self.reading)


def export(reading: Reading, instance_keys: Sequence[int]) -> bytes:
    """Return an evidence pack of cases and of the cases they called.

    Rows that no checkpoint covers yet are in it, and verification names them: write a checkpoint first to have none.
    """
    keys = sorted({child.key for key in instance_keys for child in reading.all(_CHILDREN, {"key": key})} | set(instance_keys))
    rows = [row for key in keys for row in journal.rows(reading, key)]
    files = {
        "journal.jsonl": "".join(row.as_line() + "\n" for row in rows).encode(),
        "checkpoints.jsonl": "".join(item.as_line() + "\n" for item in checkpoints.all_checkpoints(reading)).encode(),
        "people.json": canonical.dumps(_people(reading, rows)).encode(),
        "events.json": canonical.dumps({str(layout.code): [layout.name, *layout.fields] for layout in layouts.ALL}).encode(),
        "dictionary-2.bin": packing.DICTIONARY_2,
        "README.txt": _README.encode(),
    }
    for digest in sorted(_digests(reading, keys, rows)):
        files[f"blobs/{digest}"] = journal.get_blob(reading, digest)
    manifest = {
        "format": FORMAT,
        "exportedAt": reading.now,
        "cases": [_case(reading, key) for key in keys],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"manifest.json": canonical.dumps(manifest).encode(), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, reading.now.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


@dataclass(frozen=True, slots=True)
class Pack:
    """An evidence pack, opened."""

    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]
    instance_keys: frozenset[int]

    @classmethod
    def open(cls, content: bytes) -> Pack:
        """Open the bytes of a pack.

        Raises:
            InvalidValue: it is no evidence pack.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
                    raise InvalidValue("证据包过大 (the pack is too large)")
                files = {item.filename: archive.read(item) for item in archive.infolist()}
            manifest = json.loads(files.pop("manifest.json"))
            if manifest["format"] not in READABLE:
                raise InvalidValue(f"不认识的格式 (unknown format): {manifest['format']}")
            keys = frozenset(int(case["processInstanceKey"]) for case in manifest["cases"])
            return cls(manifest, files, keys)
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
            raise InvalidValue(f"不是证据包 (no evidence pack): {error}") from error

    def rows(self) -> Iterator[JournalRow]:
        """Yield the pack's journal rows."""
        for line in self._lines("journal.jsonl"):
            yield JournalRow.from_line(line)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield the pack's checkpoints."""
        for line in self._lines("checkpoints.jsonl"):
            yield Checkpoint.from_line(line)

    def blobs(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pack's contents with their digests."""
        for name, content in self.files.items():
            if name.startswith("blobs/"):
                yield name.removeprefix("blobs/"), content

    def entries(self, instance_key: int) -> list[journal.Entry]:
        """Return what happened to one of the pack's cases, for replay without the database."""
        names = _Names((item["key"], item["username"]) for item in json.loads(self.files["people.json"]))
        contents = dict(self.blobs())
        found = []
        for row in self.rows():
            if row.instance_key == instance_key:
                command, events = codec.decode(row.place, row.payload, names.__getitem__, contents.__getitem__)
                actor, behalf = (None if key is None else names[key] for key in (row.actor_key, row.on_behalf_of_key))
                found.append(journal.Entry(row.seq, row.at, actor, behalf, command, events, row.hash))
        return found

    def _lines(self, name: str) -> list[str]:
        return self.files[name].decode().removesuffix("\n").split("\n") if self.files.get(name) else []


class _Names(dict[int, str]):
    """Usernames by user key; who is not in the pack is named by the key."""

    def __missing__(self, key: int) -> str:
        return str(key)


def verify_pack(content: bytes, anchor: str | None = None) -> Verdict:
    """Verify an evidence pack alone.

    Raises:
        InvalidValue: it is no evidence pack.
    """
    pack = Pack.open(content)
    faults = list(_changed_files(pack))
    verdict = verify(pack, only=pack.instance_keys, anchor=anchor)
    verdict.faults[:0] = faults
    return verdict


def _changed_files(pack: Pack) -> Iterator[Fault]:
    expected = pack.manifest.get("files")
    expected = expected if isinstance(expected, dict) else {}
    for name in sorted(set(expected) | set(pack.files)):
        content = pack.files.get(name)
        if content is None or hashlib.sha256(content).hexdigest() != expected.get(name):
            yield Fault(
                "file-changed", 0, 0, f"文件 {name} 被改动、缺失或多出 (the file {name} was changed, is missing or was added)"
            )


def _digests(reading: Reading, keys: Sequence[int], rows: Sequence[JournalRow]) -> set[str]:
    digests = {digest for row in rows for digest in codec.digests(row.payload)}
    for digest in {digest for row in rows for digest in codec.definition_digests(row.payload)}:
        digests.update(found.digest for found in reading.all(_DEFINITIONS, {"digest": digest}))
    for key in keys:
        digests.update(found.digest for found in reading.all(_ATTACHMENTS, {"key": key}))
        instance = reading.one(_INSTANCE, {"key": key})
        if instance is not None:
            digests.update(found.digest for found in reading.all(_DEFINITION, {"key": instance.definition_key}))
            digests.update(found.digest for found in reading.all(_FORMS, {"key": instance.deployment_key}))
    return digests


def _case(reading: Reading, key: int) -> dict[str, Any]:
    instance = reading.one(_INSTANCE, {"key": key})
    if instance is None:
        return {"processInstanceKey": str(key)}
    definition = reading.one(_DEFINITION, {"key": instance.definition_key})
    return {
        "processInstanceKey": str(key),
        "businessId": instance.business_id,
        "bpmnProcessId": instance.bpmn_process_id,
        "version": definition.version if definition is not None else None,
        "definitionDigest": definition.digest if definition is not None else None,
        "state": instance.state,
        "startedAt": instance.started_at,
        "endedAt": instance.ended_at,
    }


def _people(reading: Reading, rows: Sequence[JournalRow]) -> list[dict[str, Any]]:
    wanted = {key for row in rows for key in (row.actor_key, row.on_behalf_of_key)}
    for row in rows:
        wanted |= codec.people(row.payload)
    return [{"key": row.key, "username": row.username, "name": row.name} for row in reading.all(_PEOPLE) if row.key in wanted]
