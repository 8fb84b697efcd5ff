"""The unit of work of one process instance: locked, read, moved by the kernel, written back with its journal row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import LargeBinary, String, Update, bindparam, cast, insert, literal, null, select, union_all, update

from engine import feel, history
from engine import kernel as core
from engine.commands import projection
from engine.commands.surroundings import surroundings
from engine.errors import EvaluationFailed, InstanceChanged, NotFound
from engine.history.chain import GENESIS
from engine.kernel.advance import Advance, Change, ElementRow, InstanceEnded
from engine.store import Transaction, exact_json, search
from engine.store.context import Context
from engine.store.library import ProcessVersion
from engine.store.tables import blob, element_instance, process_instance, variable
from engine.store.types import Key

# The instance, locked: on PostgreSQL by the row, on SQLite the transaction holds the database's one writer's lock.
LOCK = select(process_instance).where(process_instance.c.key == bindparam("instance")).with_for_update()

# All that lives in it, in one statement: element instances, and variables (a large value's text is a blob).
_LIVE = union_all(
    select(
        literal(True).label("is_element"),
        element_instance.c.key,
        element_instance.c.parent_key,
        element_instance.c.element_id.label("name"),
        element_instance.c.state,
        element_instance.c.data,
        cast(null(), LargeBinary).label("content"),
    ).where(element_instance.c.instance_key == bindparam("instance")),
    select(
        literal(False),
        variable.c.scope_key,
        cast(null(), Key),
        variable.c.name,
        cast(null(), String),
        variable.c.value,
        blob.c.content,
    )
    .join_from(variable, blob, blob.c.digest == variable.c.digest, isouter=True)
    .where(variable.c.instance_key == bindparam("instance")),
)
_ADD = insert(process_instance)
_ALWAYS = ("revision", "subject", "journal_seq", "journal_hash")
# What changes now and then; indexes hold some of it, and are written anew whenever a statement sets it.
_RARELY = (
    "state",
    "ended_at",
    "business_id",
    "suspended_at",
    "suspended_by",
    "suspended_reason",
    "suspended_except",
)


def _update(*names: str) -> Update:
    # The revision catches what the lock does not: nobody may have written since the row was read.
    return (
        update(process_instance)
        .where(process_instance.c.key == bindparam("instance"), process_instance.c.revision == bindparam("read_revision"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


_UPDATE = _update(*_ALWAYS)
_UPDATE_ALL = _update(*_ALWAYS, *_RARELY)
_rare = itemgetter(*_RARELY)

_REGROWTH = 1000  # by how much a kept instance may seem to have grown before it is read and weighed anew
_RESTING = core.Surroundings(now=datetime(1970, 1, 1, tzinfo=UTC), keys=iter(()), environment=feel.Environment())


class InstanceUnit:
    """One instance under its lock.

    Attributes:
        row: the instance's columns; commands that change one write it here.
        version: the definition it runs.
        changes: what the command did so far, in order: events of commands and changes of the kernel.
    """

    def __init__(self, ctx: Context, tx: Transaction, row: Mapping[str, Any], *, new: bool = False) -> None:
        self.ctx = ctx
        self.tx = tx
        self.row = dict(row)
        self.key: int = self.row["key"]
        self.version: ProcessVersion = ctx.library.process(tx, self.row["definition_key"])
        self.changes: list[Change] = []
        self._new = new
        self._retold = new  # its subject is to be told anew
        self._found_by = None if new else self._text()  # what the full-text index knows it by
        self._moves = projection.Moves()
        self._kernel: core.Instance | None = None
        self._read_mark = self._mark  # which state of the instance the row says
        self._read_rare = _rare(self.row)
        self._weight = projection.INSTANCE  # of what would be kept in memory; what is overwritten counts again
        self._first_weight = self._weight  # the same when it was read or begun
        self._kept = False
        self._unwritten = False  # the kernel moved, and nothing of it is written yet
        self._surroundings = surroundings(ctx, tx, self.row)
        tx.heads[self.key] = (self.row["journal_seq"], self.row["journal_hash"] or GENESIS)

    @classmethod
    def lock(cls, ctx: Context, tx: Transaction, instance_key: int) -> InstanceUnit:
        """Lock an instance and read it.

        Raises:
            NotFound: there is none.
        """
        row = tx.one(LOCK, {"instance": instance_key})
        if row is None:
            raise NotFound(f"没有实例 {instance_key}（no such process instance）")
        return cls(ctx, tx, row._asdict())

    @property
    def active(self) -> bool:
        """Whether the instance still runs."""
        return bool(self.row["state"] == "ACTIVE")

    @property
    def kernel(self) -> core.Instance:
        """The instance in the kernel, read from its live rows when it is first needed."""
        if self._kernel is None:
            if self._new:
                self._kernel = core.Instance.create(
                    self.version.process, self.key, self._surroundings.kernel, called=self.row["parent_key"] is not None
                )
            else:
                kept = self.ctx.kept.take(self.key, self._read_mark)
                if kept is None:
                    self._kernel = self._load()
                else:
                    (self._kernel, self._first_weight), self._weight = kept
                    self._kernel.use(self._surroundings.kernel)
        return self._kernel

    @property
    def _mark(self) -> tuple[int, int, str]:
        """What tells one state of the instance from another: the journal's head covers everything that ever happened to it."""
        return self.row["definition_key"], self.row["revision"], self.row["journal_hash"]

    def _load(self) -> core.Instance:
        rows: list[ElementRow] = []
        variables: dict[tuple[int, str], Any] = {}
        for is_element, key, parent_key, name, state, value, content in self.tx.execute(_LIVE, {"instance": self.key}):
            if is_element:
                rows.append(ElementRow(key, parent_key, name, state, value))
            else:
                variables[key, name] = value if content is None else exact_json.loads(bytes(content).decode())
        self._weight += projection.weight(rows, variables)
        self._first_weight = self._weight
        return core.Instance.load(self.version.process, rows, variables, self._surroundings.kernel)

    def run_by(self, version: ProcessVersion, bindings: Mapping[str, int]) -> None:
        """Let the instance run another definition from now (migration); the kernel holds it by the one before still."""
        assert self.kernel  # read by the definition before, while it is known
        self.version, self._retold = version, True
        self.row |= {"definition_key": version.key, "bpmn_process_id": version.process.id}
        self.row |= {"deployment_key": version.deployment_key, "bindings": dict(bindings) or None}

    def record(self, *events: Change) -> None:
        """Add events to what the journal will say."""
        self.changes.extend(events)

    def apply(self, advance: Advance) -> None:
        """Take over what a call of the kernel did."""
        self.changes.extend(map(self._shortened, advance.changes))
        self._moves.add(advance)
        self._unwritten = True

    def _shortened(self, change: Change) -> Change:
        # An end hands its variables to a caller; where nobody called, they would only be written down twice.
        return replace(change, variables={}) if isinstance(change, InstanceEnded) and self.row["parent_key"] is None else change

    def commit(self, command: str, *, actor: str | None = None, on_behalf_of: str | None = None) -> None:
        """Write everything: the journal's row, the instance, the live rows, and what is to be done after commit.

        Raises:
            InstanceChanged: somebody else wrote the instance since it was read.
        """
        tx, row = self.tx, self.row
        if any(isinstance(change, InstanceEnded) for change in self.changes):
            row["state"] = next(change.state for change in reversed(self.changes) if isinstance(change, InstanceEnded))
            row["ended_at"] = tx.now
        elif self._moves.variables or self._retold:
            row["subject"] = self._subject()
        entry = history.append(tx, self.key, command, self.changes, actor=actor, on_behalf_of=on_behalf_of)
        row["journal_seq"], row["journal_hash"] = entry.seq, entry.hash
        if self._new:
            tx.execute(_ADD, row)
        else:
            read, row["revision"] = row["revision"], row["revision"] + 1
            usual = _rare(row) == self._read_rare
            new = {f"new_{name}": row[name] for name in (_ALWAYS if usual else _ALWAYS + _RARELY)}
            statement = _UPDATE if usual else _UPDATE_ALL
            if tx.execute(statement, {**new, "instance": self.key, "read_revision": read}).rowcount != 1:
                raise InstanceChanged
            self._read_rare = _rare(row)
        if (text := self._text()) != self._found_by:
            search.put(tx, self.key, self._found_by, text)
            self._found_by = text
        projection.project(self, self._moves, actor=actor, on_behalf_of=on_behalf_of)
        self._weight += projection.weight(self._moves.rows.values(), self._moves.variables)
        if self._new:
            self._first_weight = self._weight
        if not self._kept:
            self._kept = True
            tx.after_commit(self._keep)
        self._new = self._retold = self._unwritten = False

    def _keep(self) -> None:
        """Keep the instance in memory for its next command; what it holds has been committed."""
        kernel = self._kernel
        if kernel is None:
            self.ctx.kept.mark_anew(self.key, self._read_mark, self._mark)
            return
        grown = self._weight > 2 * self._first_weight + _REGROWTH
        if not kernel.ended and not self._unwritten and not grown and kernel.process is self.version.process:
            kernel.use(_RESTING)
            self.ctx.kept.keep(self.key, self._mark, (kernel, self._first_weight), self._weight)

    @property
    def provisional(self) -> bool:
        """Whether a deadline of this command was counted in a year without a published calendar."""
        return self._surroundings.provisional

    def _text(self) -> search.CaseText:
        return search.CaseText(self.row["business_id"], self.row["subject"], self.row["definition_key"])

    def _subject(self) -> str:
        term = self.version.process.subject
        if term is None:
            return str(self.row["subject"] or "")
        if term.expression is None:
            return term.text
        try:
            value = feel.to_json(term.expression.evaluate(self.kernel.view(self.key), self._surroundings.environment))
        except EvaluationFailed:
            return str(self.row["subject"] or "")  # a headline that fails must not stop the case
        return "" if value is None else str(value)[:500]
