"""The full-text index: which cases hold some words, the newest first, whatever their number.

A case is indexed once, when it starts, by its business id, its subject and its definition (`put`; again when one of them
changes), not each of its tasks: a completion writes nothing here. Names of processes and user tasks belong to the definition
(`definition_text`, written at deployment), so a case holds them by one piece. What the index finds is to be compared with the
texts themselves (`Words.in_texts`): pieces say where a word may be.

SQLite: `case_search` is an FTS5 table without content and positions, its row id is the case's key. PostgreSQL: a table of the
same name with an array of pieces under a GIN index. Neither belongs to the tables' metadata: see `create` and the migrations.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Subquery,
    Table,
    Text,
    and_,
    bindparam,
    column,
    func,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy.dialects import postgresql

from engine.definitions import Process
from engine.store.grams import fold, grams, telling, words
from engine.store.tables import definition_text

if TYPE_CHECKING:
    from engine.store.transactions import Reading, Transaction

NEWEST = (1 << 63) - 1
"""Before this key are all cases."""

_RECORD = "\x1e"  # between texts
_PROBED = 300
_ASKED = 6  # pieces in one question: each costs a walk through its list
_NAMED = 100  # definitions in one question; a word in more of them does not narrow the search

SQLITE = ("CREATE VIRTUAL TABLE case_search USING fts5(grams, content='', columnsize=0, detail=none, tokenize='ascii')",)
POSTGRESQL = (
    "CREATE TABLE case_search (instance_key BIGINT NOT NULL CONSTRAINT pk_case_search PRIMARY KEY, grams TEXT[] NOT NULL)",
    # Without fastupdate: each search would go through the list of what is not filed yet.
    "CREATE INDEX ix_case_search_grams ON case_search USING gin (grams) WITH (fastupdate = off)",
)

_case_search = Table(
    "case_search",
    MetaData(),
    Column("instance_key", BigInteger, primary_key=True, autoincrement=False),
    Column("grams", postgresql.ARRAY(Text), nullable=False),
)

# --- writing ----------------------------------------------------------------------------------------------------------

_ADD = text("INSERT INTO case_search (rowid, grams) VALUES (:key, :grams)")
_TAKE_BACK = text("INSERT INTO case_search (case_search, rowid, grams) VALUES ('delete', :key, :grams)")
_NAME = insert(definition_text)


@dataclass(frozen=True, slots=True)
class CaseText:
    """What a case is found by."""

    business_id: str | None
    subject: str | None
    definition_key: int

    def grams(self) -> list[str]:
        """Return the pieces, in a fixed order."""
        return [*sorted(grams(self.business_id or "", self.subject or "")), _definition(self.definition_key)]


def create(connection: Connection) -> None:
    """Create the index in a database in memory; others get it from a migration."""
    for statement in SQLITE:
        connection.exec_driver_sql(statement.replace("VIRTUAL TABLE", "VIRTUAL TABLE IF NOT EXISTS"))


def put(tx: Transaction, key: int, before: CaseText | None, now: CaseText) -> None:
    """Index a case, within the transaction that writes it.

    Args:
        before: what it was indexed by so far; None = it is new.
    """
    if tx.dialect == "sqlite":
        if before is not None:
            tx.execute(_TAKE_BACK, {"key": key, "grams": " ".join(before.grams())})
        tx.execute(_ADD, {"key": key, "grams": " ".join(now.grams())})
    else:
        tx.execute(_put(), {"instance_key": key, "grams": now.grams()})


def put_many(tx: Transaction, cases: Sequence[tuple[int, CaseText]]) -> None:
    """Index many new cases at once."""
    if tx.dialect == "sqlite":
        tx.execute(_ADD, [{"key": key, "grams": " ".join(case.grams())} for key, case in cases])
    else:
        tx.execute(_put(), [{"instance_key": key, "grams": case.grams()} for key, case in cases])


def name(tx: Transaction, definition_key: int, process: Process) -> None:
    """Keep what a version of a process is called, and its user tasks: what its cases and tasks are found by."""
    tx.execute(_NAME, named(definition_key, process))


def named(definition_key: int, process: Process) -> dict[str, Any]:
    """Return the row of `definition_text` for a version of a process."""
    tasks = dict.fromkeys(element.name or element.id for element in process.elements.values() if element.type == "USER_TASK")
    return {"definition_key": definition_key, "process": _lines((process.id, process.name)), "tasks": _lines(tasks)}


def _lines(texts: Collection[str]) -> str:
    return "\n".join(fold(item) for item in texts if item)


def _definition(key: int) -> str:
    return f"d{key:x}"  # longer than every piece of a text


@cache
def _put() -> Any:
    statement = postgresql.insert(_case_search)
    return statement.on_conflict_do_update(index_elements=["instance_key"], set_={"grams": statement.excluded.grams})


# --- looking ----------------------------------------------------------------------------------------------------------

_FOUND = (
    text(
        "SELECT rowid AS instance_key FROM case_search WHERE case_search MATCH :expression AND rowid < :before "
        "ORDER BY rowid DESC LIMIT :most"
    )
    .columns(column("instance_key", Integer))
    .subquery("found")
)
_COUNT = text("SELECT count(*) AS n FROM (SELECT 1 FROM case_search WHERE case_search MATCH :expression LIMIT :most)").columns(
    column("n", Integer)
)
_KEYS = (
    select(_case_search.c.instance_key)
    .where(_case_search.c.instance_key < bindparam("before"))
    .order_by(_case_search.c.instance_key.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a search."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, search: str) -> Words:
        """Read what somebody typed."""
        return cls(words(search))

    def __bool__(self) -> bool:
        return bool(self.words)

    def in_texts(self, *texts: str | None) -> bool:
        """Whether each word stands in one of some texts."""
        return self.among(["\n".join(item for item in texts if item)])[0]

    def among(self, texts: Sequence[str]) -> list[bool]:
        """Whether each of some texts holds all words."""
        folded = fold(_RECORD.join(texts)).split(_RECORD)  # at once: many small foldings cost more
        if len(folded) != len(texts):
            folded = [fold(item) for item in texts]
        return [all(word in item for word in self.words) for item in folded]


@dataclass(frozen=True, slots=True)
class Question:
    """What the index is asked: for each word, pieces that must all be there, or else one of some definitions."""

    parts: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def cases(self, reading: Reading) -> Subquery:
        """Return the subquery of keys (`instance_key`), the newest first, with the parameters `before` and `most`."""
        if reading.dialect == "sqlite":
            return _FOUND
        return _KEYS.where(*(self._condition(part) for part in self.parts)).subquery("found")

    def parameters(self, reading: Reading, before: int, most: int) -> dict[str, Any]:
        """Return the parameters of `cases`: keys below `before`, at most so many."""
        if reading.dialect != "sqlite":
            return {"before": before, "most": most}
        return {"before": before, "most": most, "expression": self.expression}

    @property
    def expression(self) -> str:
        """The question in FTS5's words. Pieces are letters and digits only; quoted, none is read as an operator."""
        return " AND ".join(
            "(" + " OR ".join(filter(None, (" AND ".join(map(_quoted, pieces)), *map(_quoted, named)))) + ")"
            for pieces, named in self.parts
        )

    def _condition(self, part: tuple[tuple[str, ...], tuple[str, ...]]) -> ColumnElement[bool]:
        pieces, named = part
        ways = [_case_search.c.grams.contains(_array(pieces))] if pieces else []
        ways += [_case_search.c.grams.overlap(_array(named))] if named else []
        return or_(*ways) if len(ways) > 1 else and_(*ways)


def question(reading: Reading, wanted: Words, *, tasks: bool) -> Question | None:
    """Return what to ask the index for some words; None = they are too short for it, or stand nearly everywhere.

    A rare piece is asked for alone: walking the long lists of the others beside it would cost more than comparing the texts.

    Args:
        tasks: names of user tasks count too, not only those of processes.
    """
    parts: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    rarest: tuple[int, str] = (_PROBED, "")
    left = _ASKED
    for word in wanted.words:
        pieces = telling(word)
        named = _definitions_named(reading, word, tasks)
        if not pieces or len(named) > _NAMED:
            continue
        if not named:
            rarest = min(rarest, *((_count(reading, piece), piece) for piece in pieces))
            if rarest[0] == 0:
                break
        asked = tuple(pieces[:left]) if left else ()
        left -= len(asked)
        if asked:
            parts.append((asked, tuple(_definition(key) for key in named)))
    if rarest[0] < _PROBED:
        return Question((((rarest[1],), ()),))
    return Question(tuple(parts)) if parts else None


def _definitions_named(reading: Reading, word: str, tasks: bool) -> list[int]:
    ways = [definition_text.c.process.contains(word, autoescape=True)]
    if tasks:
        ways.append(definition_text.c.tasks.contains(word, autoescape=True))
    return [row.definition_key for row in reading.all(select(definition_text.c.definition_key).where(or_(*ways)))]


def _count(reading: Reading, piece: str) -> int:
    if reading.dialect == "sqlite":
        return int(reading.scalar(_COUNT, {"expression": _quoted(piece), "most": _PROBED}))
    holding = select(_case_search.c.instance_key).where(_case_search.c.grams.contains(_array([piece])))
    return int(reading.scalar(select(func.count()).select_from(holding.limit(_PROBED).subquery())))


def _array(pieces: Sequence[str]) -> postgresql.array[str]:
    """Written out, not bound: PostgreSQL plans by how rare a piece is."""
    written: list[Any] = [bindparam(None, piece, type_=Text, literal_execute=True) for piece in pieces]
    return postgresql.array(written)


def _quoted(piece: str) -> str:
    return f'"{piece}"'
