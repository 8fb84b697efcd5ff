"""Definitions, read from the database and compiled once: a version's content never changes, so it is kept by its key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Select, Table, bindparam, select

from engine import definitions, dmn
from engine.definitions import Process
from engine.errors import Defect, NotFound
from engine.store.tables import (
    blob,
    decision_definition,
    deployment_definition,
    deployment_resource,
    form_definition,
    process_definition,
)
from engine.store.transactions import Reading

_KEPT = 1024
T = TypeVar("T")

_TABLES: dict[str, tuple[Table, str]] = {
    "process": (process_definition, "bpmn_process_id"),
    "decision": (decision_definition, "decision_id"),
    "form": (form_definition, "form_id"),
}


def _by_key(table: Table) -> Select[Any]:
    return select(table, blob.c.content).join(blob, blob.c.digest == table.c.digest).where(table.c.key == bindparam("key"))


def _latest(table: Table, id_column: str) -> Select[Any]:
    """The newest version that is not deleted."""
    there = select(table.c.key).where(table.c[id_column] == bindparam("id"), table.c.deleted_at.is_(None))
    return there.order_by(table.c.version.desc()).limit(1)


_BY_KEY = {kind: _by_key(table) for kind, (table, _) in _TABLES.items()}
_LATEST = {kind: _latest(table, column) for kind, (table, column) in _TABLES.items()}
_TAGGED = {
    kind: _latest(table, column).where(table.c.version_tag == bindparam("tag")) for kind, (table, column) in _TABLES.items()
}
_VERSION = select(process_definition.c.key).where(
    process_definition.c.bpmn_process_id == bindparam("id"),
    process_definition.c.version == bindparam("version"),
    process_definition.c.deleted_at.is_(None),
)
_IN_DEPLOYMENT = {
    kind: select(deployment_definition.c.definition_key)
    .join(table, table.c.key == deployment_definition.c.definition_key)
    .where(
        deployment_definition.c.deployment_key == bindparam("deployment"),
        deployment_definition.c.kind == bindparam("kind"),
        deployment_definition.c.definition_id == bindparam("id"),
        table.c.deleted_at.is_(None),
    )
    for kind, (table, _) in _TABLES.items()
}
_TOGETHER = (
    select(deployment_resource.c.name, deployment_resource.c.digest, blob.c.content)
    .join(blob, blob.c.digest == deployment_resource.c.digest)
    .where(deployment_resource.c.deployment_key == bindparam("deployment"))
)


@dataclass(frozen=True, slots=True)
class ProcessVersion:
    """A version of a process, compiled.

    Attributes:
        digest: SHA-256 of its file.
        deployment_key: the deployment that brought this version.
    """

    key: int
    version: int
    digest: str
    deployment_key: int
    process: Process


@dataclass(frozen=True, slots=True)
class DecisionVersion:
    """A version of a decision, compiled; `model` holds all decisions of its file."""

    key: int
    decision_id: str
    version: int
    model: dmn.Model


@dataclass(frozen=True, slots=True)
class FormVersion:
    """A version of a form: `digest` is what a submission names, `content` the file as it was deployed."""

    key: int
    form_id: str
    version: int
    digest: str
    content: bytes


class Library:
    """Keeps the compiled definitions used last; safe for threads."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._items: OrderedDict[object, Any] = OrderedDict()

    def compiled(self, key: object, make: Callable[[], T]) -> T:
        """Return what `make` made for this key before, or let it make it now (twice at worst, when two threads ask at once)."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                found: T = self._items[key]
                return found
        made = make()
        with self._lock:
            self._items[key] = made
            while len(self._items) > self._kept:
                self._items.popitem(last=False)
        return made

    def process(self, reading: Reading, key: int) -> ProcessVersion:
        """Return the version of a process with this definition key.

        Raises:
            NotFound: there is none.
        """
        return self.compiled(("process", key), lambda: _read_process(reading, key))

    def decision(self, reading: Reading, key: int) -> DecisionVersion:
        """Return the version of a decision with this definition key.

        Raises:
            NotFound: there is none.
        """
        return self.compiled(("decision", key), lambda: _read_decision(reading, key))

    def form(self, reading: Reading, key: int) -> FormVersion:
        """Return the version of a form with this definition key.

        Raises:
            NotFound: there is none.
        """
        return self.compiled(("form", key), lambda: _read_form(reading, key))


def resolve(
    reading: Reading,
    kind: str,
    definition_id: str,
    binding: str = "latest",
    *,
    version_tag: str | None = None,
    deployment_key: int | None = None,
) -> int:
    """Return the definition key that a binding names now.

    Args:
        kind: process | decision | form.
        binding: latest | deployment (the version that came with `deployment_key`) | versionTag (the newest so tagged).
    Raises:
        NotFound: there is no such definition.
    """
    if binding == "deployment" and deployment_key is not None:
        key = reading.scalar(_IN_DEPLOYMENT[kind], {"deployment": deployment_key, "kind": kind, "id": definition_id})
    elif binding == "versionTag":
        key = reading.scalar(_TAGGED[kind], {"id": definition_id, "tag": version_tag})
    else:
        key = reading.scalar(_LATEST[kind], {"id": definition_id})
    if key is None:
        words = {"process": "流程", "decision": "决策", "form": "表单"}
        raise NotFound(
            f"没有已部署的{words[kind]} {definition_id}（no such {kind}, binding {binding} {version_tag or ''}）".replace(
                " ）", "）"
            )
        )
    return int(key)


def process_key(reading: Reading, bpmn_process_id: str, version: int | None = None) -> int:
    """Return the definition key of a process's newest version, or of the version named.

    Raises:
        NotFound: there is none.
    """
    if version is None:
        return resolve(reading, "process", bpmn_process_id)
    key = reading.scalar(_VERSION, {"id": bpmn_process_id, "version": version})
    if key is None:
        raise NotFound(f"流程 {bpmn_process_id} 没有第 {version} 版（no such version）")
    return int(key)


# Compiling is a function of the content alone: several engines in one process (scenarios, tests) share it.


@lru_cache(maxsize=256)
def _processes(content: bytes, name: str) -> tuple[Process, ...]:
    return definitions.read_bpmn(content, name).processes


@lru_cache(maxsize=256)
def _decisions(content: bytes) -> dmn.Model:
    return dmn.load(content)


def _row(reading: Reading, kind: str, key: int) -> Any:
    row = reading.one(_BY_KEY[kind], {"key": key})
    if row is None:
        raise NotFound(f"no {kind} definition {key}")
    return row


def _read_process(reading: Reading, key: int) -> ProcessVersion:
    row = _row(reading, "process", key)
    for process in _processes(bytes(row.content), row.resource_name):
        if process.id == row.bpmn_process_id:
            return ProcessVersion(row.key, row.version, row.digest, row.deployment_key, process)
    raise Defect(f"the file of process definition {key} does not hold {row.bpmn_process_id}")


def _read_decision(reading: Reading, key: int) -> DecisionVersion:
    row = _row(reading, "decision", key)
    content = bytes(row.content)
    if b"import" in content:  # the files it imports came with it
        rows = reading.all(_TOGETHER, {"deployment": row.deployment_key})
        files = {each.name: bytes(each.content) for each in rows if each.name.lower().endswith(".dmn")}
        model, _ = dmn.ModelFiles(files).load(row.resource_name)
    else:
        model = _decisions(content)
    return DecisionVersion(row.key, row.decision_id, row.version, model)


def _read_form(reading: Reading, key: int) -> FormVersion:
    row = _row(reading, "form", key)
    return FormVersion(row.key, row.form_id, row.version, row.digest, row.content)
