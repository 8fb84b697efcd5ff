"""The chain of hashes: what a journal row and a checkpoint are, and how each is tied to the one before. Needs no database."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.errors import Defect, InvalidValue
from engine.history import canonical, codec
from engine.store.types import to_microseconds

GENESIS = "0" * 64
"""What stands for the previous hash in a chain's first link."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What one command did to one case.

    Attributes:
        instance_key: the case; 0 for what belongs to no case (deployments, people, the calendar).
        seq: 1, 2, 3 … within the case.
        actor_key, on_behalf_of_key: user keys; None = the engine itself, nobody.
        payload: the command and its events as they are stored; the first byte names the format (see `packing`, `codec`).
        previous_hash, hash: SHA-256 in hexadecimal. The previous one is not stored with the row: it is the row's before.
    """

    instance_key: int
    seq: int
    at: datetime
    actor_key: int | None
    on_behalf_of_key: int | None
    payload: bytes
    previous_hash: str
    hash: str = ""

    @property
    def place(self) -> codec.Place:
        """What the payload is written relative to."""
        return codec.Place(self.instance_key, self.at)

    def sealed(self) -> JournalRow:
        """Return the row with its hash."""
        return replace(self, hash=self.seal())

    def seal(self) -> str:
        """Return the hash that belongs to this content: SHA-256 of the previous hash (32 bytes), of the row's other columns as a
        JSON list `[instance, seq, at in microseconds, actor, on behalf of]` without spaces, and of the payload as it is stored.

        Raises:
            InvalidValue: a column is of another kind than it should be.
        """
        if self.payload[:1] == b"\x01":
            return self._seal_spelled_out()
        columns = (self.instance_key, self.seq, to_microseconds(self.at), self.actor_key, self.on_behalf_of_key)
        try:
            head = bytes.fromhex(self.previous_hash)
        except ValueError as error:
            raise InvalidValue(f"not a hash: {self.previous_hash!r}") from error
        return hashlib.sha256(head + canonical.dumps(columns).encode() + self.payload).hexdigest()

    def _seal_spelled_out(self) -> str:
        # As the first release did: the previous hash in hexadecimal and the whole row as canonical JSON.
        command, _, payload = self.payload[1:].decode(errors="surrogateescape").partition("\n")
        actor, at, command, instance, behalf, seq = map(
            canonical.dumps, (self.actor_key, self.at, command, self.instance_key, self.on_behalf_of_key, self.seq)
        )
        head = f'{{"actor":{actor},"at":{at},"command":{command},"events":'
        tail = f',"instance":{instance},"on_behalf_of":{behalf},"seq":{seq}}}'
        return digest(self.previous_hash, head + payload + tail)

    def as_line(self) -> str:
        """Return the row as one line of an evidence pack: canonical JSON, the payload in base64, beside it what it says.

        Raises:
            Defect: the payload is damaged, or of a later version.
        """
        values = {name: getattr(self, name) for name in self.__slots__}
        written = {"payload": base64.b64encode(self.payload).decode(), "text": codec.text(self.payload)}
        return canonical.dumps({**values, **written})

    @classmethod
    def from_line(cls, line: str) -> JournalRow:
        """Read a line of an evidence pack; packs of the first release spelled the payload out.

        Raises:
            InvalidValue: the line is not exactly what `as_line` writes.
        """
        value = canonical.loads(line)
        if isinstance(value, dict) and "command" in value:
            return cls._from_first_line(line)
        values = _values(line, (*cls.__slots__, "text"))
        try:
            payload = base64.b64decode(values["payload"], validate=True)
            row = cls(**{name: values[name] for name in cls.__slots__ if name != "payload"}, payload=payload)
            written = row.as_line()
        except (TypeError, ValueError, Defect) as error:
            raise InvalidValue(f"the payload cannot be read: {error}") from error
        if written != line:
            raise InvalidValue("the line is not written canonically")
        return row

    @classmethod
    def _from_first_line(cls, line: str) -> JournalRow:
        names = (*cls.__slots__, "command")
        values = _values(line, names)
        if canonical.dumps({name: values[name] for name in names}) != line:
            raise InvalidValue("the line is not written canonically")
        try:
            content = b"\x01" + f"{values.pop('command')}\n{values['payload']}".encode()
        except UnicodeEncodeError as error:
            raise InvalidValue("the text holds characters that are no Unicode text") from error
        return cls(**{**values, "payload": content})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A link of the global chain over the cases' heads.

    Attributes:
        number: 1, 2, 3 …
        heads: (instance key, seq, hash) of every case that went on since the checkpoint before.
    """

    number: int
    at: datetime
    heads: tuple[tuple[int, int, str], ...]
    previous_hash: str
    hash: str = ""

    def sealed(self) -> Checkpoint:
        """Return the checkpoint with its hash."""
        return replace(self, hash=self.seal())

    def seal(self) -> str:
        """Return the hash that belongs to this content."""
        return digest(self.previous_hash, canonical.dumps({"at": self.at, "heads": self.heads, "number": self.number}))

    def as_line(self) -> str:
        """Return the checkpoint as one line of an evidence pack."""
        return canonical.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_line(cls, line: str) -> Checkpoint:
        """Read a line of an evidence pack.

        Raises:
            InvalidValue: the line is not exactly what `as_line` writes.
        """
        values = _values(line, cls.__slots__)
        try:
            heads = tuple((int(instance), int(seq), str(head)) for instance, seq, head in values["heads"])
        except (TypeError, ValueError) as error:
            raise InvalidValue("the heads cannot be read") from error
        checkpoint = cls(**{**values, "heads": heads})
        if checkpoint.as_line() != line:
            raise InvalidValue("the line is not written canonically")
        return checkpoint


def digest(previous_hash: str, text: str) -> str:
    """Return SHA-256 of the previous hash and a canonical text, in hexadecimal.

    Raises:
        InvalidValue: the text holds half a surrogate pair, which UTF-8 cannot say.
    """
    try:
        return hashlib.sha256(previous_hash.encode("ascii") + text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise InvalidValue("the text holds characters that are no Unicode text") from error


def _values(line: str, names: tuple[str, ...]) -> dict[str, Any]:
    value = canonical.loads(line)
    if not isinstance(value, dict) or value.keys() != set(names):
        raise InvalidValue(f"a line must hold exactly {', '.join(names)}")
    try:
        return {**value, "at": datetime.fromisoformat(value["at"])}
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"not a moment: {value['at']!r}") from error
