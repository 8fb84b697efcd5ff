"""Proof that nothing was changed: the chains are computed again and compared, from a database or an evidence pack."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from engine.errors import LiuzhuanError
from engine.history import canonical, codec
from engine.history.chain import GENESIS, Checkpoint, JournalRow

_Item = TypeVar("_Item")


class Source(Protocol):
    """Where the chains are read from."""

    def rows(self) -> Iterable[JournalRow]:
        """Yield journal rows by case and sequence."""
        ...

    def checkpoints(self) -> Iterable[Checkpoint]:
        """Yield checkpoints by number."""
        ...

    def blobs(self) -> Iterable[tuple[str, bytes]]:
        """Yield every content with its digest: large values, attachments, deployed files."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was changed, lost or added.

    Attributes:
        kind: row-changed | row-missing | row-out-of-place | blob-changed | blob-missing | checkpoint-changed | checkpoint-missing
            | case-missing | head-changed | anchor-missing | file-changed | unreadable.
        instance_key, seq: which journal row; 0 where it is none.
        message: in Chinese and English.
    """

    kind: str
    instance_key: int
    seq: int
    message: str


@dataclass(slots=True)
class Verdict:
    """What verification found.

    Attributes:
        rows, instances, checkpoints: how much was looked at.
        faults: what does not hold; empty = everything is as it was written.
        tail: (instance key, first, last sequence) of the rows that no checkpoint covers yet: a cut there would not be seen.
        last_checkpoint: hash of the newest checkpoint, to be kept elsewhere as an anchor.
    """

    rows: int = 0
    instances: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)
    tail: list[tuple[int, int, int]] = field(default_factory=list)
    last_checkpoint: str = GENESIS

    @property
    def ok(self) -> bool:
        """Whether nothing was changed."""
        return not self.faults

    def as_text(self) -> str:
        """Return the verdict for people, in Chinese and English."""
        words = ("完好", "intact") if self.ok else ("发现改动", "CHANGED")
        chinese = f"{words[0]}：{self.instances} 个案件，{self.rows} 条记录，{self.checkpoints} 个检查点"
        english = f"{words[1]}: {self.instances} cases, {self.rows} rows, {self.checkpoints} checkpoints"
        lines = [f"{chinese} ({english})", *(f"- {fault.message}" for fault in self.faults)]
        count = sum(last - first + 1 for _, first, last in self.tail)
        if count:
            lines.append(f"最新 {count} 条记录尚未被检查点覆盖 (the newest {count} rows are not covered by a checkpoint yet):")
            lines += [f"  {instance}: {first}–{last}" for instance, first, last in self.tail]
        lines.append(f"检查点锚 (anchor): {self.last_checkpoint}")
        return "\n".join(lines)


def verify(source: Source, *, only: frozenset[int] | None = None, anchor: str | None = None) -> Verdict:
    """Compute every hash again and compare.

    Found: a changed byte in any journal row, a row missing or out of place, a tail cut before a checkpoint, a whole case gone
    that a checkpoint covers, a changed content, a lost large value, a changed checkpoint.

    Args:
        only: the cases that the source holds; None = all. Checkpoints' words on others are not held against it.
        anchor: hash of a checkpoint noted elsewhere: the chain must contain it.
    """
    verdict = Verdict()
    heads = _checkpoints(source, only, anchor, verdict)
    contents = _contents(source, verdict)
    last_seq: dict[int, int] = {}
    covered: dict[int, int] = {}
    previous: JournalRow | None = None
    for row in _readable(source.rows(), verdict):
        if previous is None or previous.instance_key != row.instance_key:
            verdict.instances += 1
            previous = None
        _row(row, previous, contents, verdict)
        expected = heads.get(row.instance_key, {}).pop(row.seq, None)
        if expected is not None:
            covered[row.instance_key] = max(row.seq, covered.get(row.instance_key, 0))
            if expected != row.hash:
                _fault(verdict, "head-changed", row.instance_key, row.seq, "与检查点不符", "differs from its checkpoint")
        last_seq[row.instance_key] = row.seq
        previous = row
    for instance, missing in heads.items():
        for seq in missing:
            kind = "row-missing" if instance in last_seq else "case-missing"
            _fault(verdict, kind, instance, seq, "检查点记有此条，但已不存在", "a checkpoint covers it, but it is gone")
    verdict.tail = [(key, covered.get(key, 0) + 1, last) for key, last in last_seq.items() if last > covered.get(key, 0)]
    return verdict


def _checkpoints(source: Source, only: frozenset[int] | None, anchor: str | None, verdict: Verdict) -> dict[int, dict[int, str]]:
    heads: dict[int, dict[int, str]] = {}
    previous_hash, number, anchored = GENESIS, 0, anchor in {None, GENESIS}
    for checkpoint in _readable(source.checkpoints(), verdict):
        verdict.checkpoints += 1
        if checkpoint.number != number + 1:
            text = f"检查点 {number + 1} 缺失 (checkpoint {number + 1} is missing)"
            verdict.faults.append(Fault("checkpoint-missing", 0, 0, text))
        if not _agrees(checkpoint) or checkpoint.previous_hash != previous_hash:
            text = f"检查点 {checkpoint.number} 被改动 (checkpoint {checkpoint.number} was changed)"
            verdict.faults.append(Fault("checkpoint-changed", 0, 0, text))
        for instance, seq, head in checkpoint.heads:
            if only is None or instance in only:
                heads.setdefault(instance, {})[seq] = head
        previous_hash, number = checkpoint.hash, checkpoint.number
        anchored = anchored or checkpoint.hash == anchor
    verdict.last_checkpoint = previous_hash
    if not anchored:
        text = f"检查点链中没有锚 {anchor} (the anchor is not in the chain of checkpoints)"
        verdict.faults.append(Fault("anchor-missing", 0, 0, text))
    return heads


def _contents(source: Source, verdict: Verdict) -> Set[str]:
    contents = set()
    for digest, content in _readable(source.blobs(), verdict):
        contents.add(digest)
        if hashlib.sha256(content).hexdigest() != digest:
            text = f"内容 {digest} 被改动 (the content {digest} was changed)"
            verdict.faults.append(Fault("blob-changed", 0, 0, text))
    return contents


def _row(row: JournalRow, previous: JournalRow | None, contents: Set[str], verdict: Verdict) -> None:
    verdict.rows += 1
    seq, previous_hash = (previous.seq, previous.hash) if previous is not None else (0, GENESIS)
    if row.seq != seq + 1:
        _fault(verdict, "row-missing", row.instance_key, seq + 1, "缺失", "is missing")
        return  # what this row is tied to is not there: whether it is as it was, nobody can say
    if row.previous_hash != previous_hash:
        _fault(verdict, "row-out-of-place", row.instance_key, row.seq, "与前一条不相连", "is not tied to the row before")
    if not _agrees(row):
        _fault(verdict, "row-changed", row.instance_key, row.seq, "内容被改动", "was changed")
        return
    try:
        named = codec.digests(row.payload)
    except LiuzhuanError as error:
        _fault(verdict, "unreadable", row.instance_key, row.seq, f"无法读取：{error}", f"cannot be read: {error}")
        return
    for digest in sorted(named - contents):
        _fault(
            verdict,
            "blob-missing",
            row.instance_key,
            row.seq,
            f"所引内容 {digest} 缺失",
            f"names content {digest}, which is gone",
        )


def _readable(items: Iterable[_Item], verdict: Verdict) -> Iterator[_Item]:
    """Yield what can be read; what cannot is a fault, and so is all behind it that checkpoints know of."""
    waiting = iter(items)
    while True:
        try:
            item = next(waiting)
        except StopIteration:
            return
        except Exception as error:  # a damaged file, a value of another kind: whatever it is, it was not written by us
            verdict.faults.append(Fault("unreadable", 0, 0, f"无法读取 (cannot be read): {error}"))
            return
        yield item


def _agrees(link: JournalRow | Checkpoint) -> bool:
    try:
        return link.hash == link.seal()
    except (LiuzhuanError, UnicodeEncodeError):  # what stands there is no text, or no moment
        return False


def _fault(verdict: Verdict, kind: str, instance: int, seq: int, chinese: str, english: str) -> None:
    where = f"案件 {instance} 第 {seq} 条记录"
    verdict.faults.append(Fault(kind, instance, seq, f"{where}{chinese} (row {seq} of case {instance} {english})"))


def as_json(verdict: Verdict) -> str:
    """Return the verdict for programs; keys as text."""
    return canonical.dumps(
        {
            "ok": verdict.ok,
            "rows": verdict.rows,
            "instances": verdict.instances,
            "checkpoints": verdict.checkpoints,
            "lastCheckpoint": verdict.last_checkpoint,
            "faults": [
                {"kind": fault.kind, "processInstanceKey": str(fault.instance_key), "seq": fault.seq, "message": fault.message}
                for fault in verdict.faults
            ],
            "uncovered": [{"processInstanceKey": str(key), "from": first, "to": last} for key, first, last in verdict.tail],
        }
    )
