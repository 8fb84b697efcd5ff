"""The chain of hashes: what a journal row and a checkpoint are, and how each is tied to the one before. Needs no database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.errors import InvalidValue
from engine.history import canonical

GENESIS = "0" * 64
"""What stands for the previous hash in a chain's first link."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What one command did to one case.

    Attributes:
        instance_key: the case; 0 for what belongs to no case (deployments, people, the calendar).
        seq: 1, 2, 3 … within the case.
        actor_key, on_behalf_of_key: user keys; None = the engine itself, nobody.
        command: the command's name, e.g. `complete_task`.
        payload: canonical JSON list of events, as stored.
        previous_hash, hash: SHA-256 in hexadecimal.
    """

    instance_key: int
    seq: int
    at: datetime
    actor_key: int | None
    on_behalf_of_key: int | None
    command: str
    payload: str
    previous_hash: str
    hash: str = ""

    def sealed(self) -> JournalRow:
        """Return the row with its hash: SHA-256 of the previous hash and the row's canonical JSON."""
        return replace(self, hash=self.seal())

    def seal(self) -> str:
        """Return the hash that belongs to this content."""
        actor, at, command, instance, behalf, seq = map(
            canonical.dumps, (self.actor_key, self.at, self.command, self.instance_key, self.on_behalf_of_key, self.seq)
        )
        head = f'{{"actor":{actor},"at":{at},"command":{command},"events":'
        tail = f',"instance":{instance},"on_behalf_of":{behalf},"seq":{seq}}}'
        return digest(self.previous_hash, head + self.payload + tail)  # the payload as it is: every byte of it counts

    def as_line(self) -> str:
        """Return the row as one line of an evidence pack: canonical JSON, the payload as text."""
        return canonical.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_line(cls, line: str) -> JournalRow:
        """Read a line of an evidence pack.

        Raises:
            InvalidValue: the line is not exactly what `as_line` writes.
        """
        row = cls(**_values(line, cls.__slots__))
        if row.as_line() != line:
            raise InvalidValue("the line is not written canonically")
        return row


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
