"""Deployment: all files of it, or none. The same content stays the same version; running instances keep theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select

from engine import definitions, dmn, forms, history, kernel
from engine.commands.surroundings import without_instance
from engine.definitions import Element, Event, Finding, Process, Report
from engine.errors import DeploymentRefused, InvalidValue
from engine.history.events import Deployed
from engine.store import Transaction, search
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import (
    blob,
    decision_definition,
    deployment,
    deployment_definition,
    deployment_resource,
    form_definition,
    process_definition,
    start_event,
)
from engine.store.transactions import Found
from engine.store.upsert import insert_new

_ADD_DEPLOYMENT = insert(deployment)
_ADD_RESOURCE = insert(deployment_resource)
_ADD_MEMBER = insert(deployment_definition)
_RESOURCES = select(deployment_resource).where(deployment_resource.c.deployment_key == bindparam("deployment"))
_ADD_START = insert(start_event)


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as a deployment left it.

    Attributes:
        kind: process | decision | form.
        id: bpmn_process_id, decision id or form id.
        new: whether this deployment brought the version; False = the content was there already.
    """

    kind: str
    id: str
    key: int
    version: int
    version_tag: str | None
    name: str
    resource: str
    new: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed: the report, and every definition with its version."""

    key: int
    report: Report
    definitions: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A definition in a file."""

    kind: str
    id: str
    name: str
    version_tag: str | None
    resource: str
    process: Process | None = None
    imports: frozenset[str] = frozenset()  # names of the files a decision's file imports


_TABLES: dict[str, tuple[Table, str]] = {
    "process": (process_definition, "bpmn_process_id"),
    "decision": (decision_definition, "decision_id"),
    "form": (form_definition, "form_id"),
}
_NEWEST = {
    kind: select(table).where(table.c[column] == bindparam("id")).order_by(table.c.version.desc()).limit(1)
    for kind, (table, column) in _TABLES.items()
}


def check_resources(resources: Mapping[str, bytes]) -> Report:
    """Answer the report that a deployment of these files would give; nothing is changed."""
    report = definitions.check(resources)
    read = {name: forms.read(content, name) for name, content in resources.items() if name.lower().endswith(".form")}
    found = [
        Finding(
            verdict=item.verdict,
            resource=item.resource,
            element_id=item.element_id,
            element_name=item.element_name,
            element_type=item.element_type,
            attribute=item.attribute,
            reason=item.reason,
            line=item.line,
        )
        for form in read.values()
        for item in form.findings
    ]
    return Report((*report.findings, *found))


def deploy(ctx: Context, resources: Mapping[str, bytes], by: str | None = None) -> Deployment:
    """Deploy files together: name → content, `.bpmn`, `.dmn` and `.form`.

    Raises:
        DeploymentRefused: a file has refusals; it carries the report, and nothing was changed.
        NotAllowed: `by` is no administrator.
    """
    report = check_resources(resources)
    if not report.ok:
        raise DeploymentRefused(report.as_text(), report=report)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in resources.items()}
    models = dmn.ModelFiles({name: content for name, content in resources.items() if name.lower().endswith(".dmn")})
    found = [item for name, content in resources.items() for item in _read(name, content, models)]
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        key = next(ctx.keys)
        tx.execute(_ADD_DEPLOYMENT, {"key": key, "deployed_at": tx.now, "deployed_by": by, "report": report.as_json()})
        tx.execute(
            insert_new(tx, blob),
            [{"digest": digests[name], "size": len(content), "content": content} for name, content in resources.items()],
        )
        tx.execute(_ADD_RESOURCE, [{"deployment_key": key, "name": name, "digest": digests[name]} for name in resources])
        deployed = [_put(ctx, tx, key, item, digests) for item in found]
        if deployed:
            tx.execute(
                _ADD_MEMBER,
                [
                    {"deployment_key": key, "kind": item.kind, "definition_id": item.id, "definition_key": item.key}
                    for item in deployed
                ],
            )
        for item, definition in zip(found, deployed, strict=True):
            if item.process is not None and definition.new:
                register_starts(ctx, tx, item.process, definition.key, report)
        versions = {f"{item.kind}:{item.id}": item.version for item in deployed}
        history.append(tx, history.NO_INSTANCE, "deploy", [Deployed(key, digests, versions)], actor=by)
    return Deployment(key, report, tuple(deployed))


def _read(name: str, content: bytes, models: dmn.ModelFiles) -> Iterator[_Found]:
    suffix = name.rpartition(".")[2].lower()
    if suffix in {"bpmn", "xml"}:
        for process in definitions.read_bpmn(content, name).processes:
            yield _Found("process", process.id, process.name, process.version_tag, name, process)
    elif suffix == "dmn":
        model, imports = models.load(name)
        for decision_id, info in model.decisions.items():
            yield _Found("decision", decision_id, info.name or "", info.version_tag, name, imports=imports)
    else:
        form = forms.read(content, name)
        tag = form.schema.get("versionTag")
        yield _Found("form", form.id, "", tag if isinstance(tag, str) else None, name)


def _put(ctx: Context, tx: Transaction, deployment_key: int, item: _Found, digests: Mapping[str, str]) -> Definition:
    table, column = _TABLES[item.kind]
    digest = digests[item.resource]
    newest: Found | None = tx.one(_NEWEST[item.kind], {"id": item.id})
    if (
        newest is not None
        and newest.deleted_at is None
        and newest.digest == digest
        and _imports_are_the_same(tx, newest, item, digests)
    ):
        return Definition(
            item.kind, item.id, newest.key, newest.version, newest.version_tag, newest.name, item.resource, new=False
        )
    key, version = next(ctx.keys), (newest.version if newest is not None else 0) + 1
    row = {"key": key, column: item.id, "version": version, "version_tag": item.version_tag, "name": item.name or item.id}
    place = {"digest": digest, "resource_name": item.resource, "deployment_key": deployment_key, "deployed_at": tx.now}
    tx.execute(insert(table), {**row, **place})
    if item.process is not None:
        search.name(tx, key, item.process)
    return Definition(item.kind, item.id, key, version, item.version_tag, item.name, item.resource, new=True)


def _imports_are_the_same(tx: Transaction, newest: Found, item: _Found, digests: Mapping[str, str]) -> bool:
    if not item.imports:
        return True
    before = {row.name: row.digest for row in tx.all(_RESOURCES, {"deployment": newest.deployment_key})}
    return all(before.get(name) == digests[name] for name in item.imports)


def register_starts(ctx: Context, tx: Transaction, process: Process, definition_key: int, report: Report) -> None:
    """Let the newest version alone wait for messages, signals and times."""
    tx.execute(delete(start_event).where(start_event.c.bpmn_process_id == process.id))
    rows = []
    for event in process.start_events:
        for trigger in event.event.each if event.event is not None else ():
            if trigger.kind not in {"timer", "message", "signal"}:
                continue
            state, due_at = None, None
            if trigger.kind == "timer":
                state = _first(ctx, tx, process, event, report)
                due_at = datetime.fromisoformat(state["due"]) if state is not None else None
                if state is None or due_at is None or (due_at < tx.now and "anchor" not in state):
                    continue  # a date that is past never comes again
                tx.falls_due(due_at)
            rows.append(
                {
                    "key": next(ctx.keys),
                    "definition_key": definition_key,
                    "bpmn_process_id": process.id,
                    "element_id": event.id,
                    "kind": trigger.kind,
                    "name": _name(trigger),
                    "due_at": due_at,
                    "state": state,
                }
            )
    if rows:
        tx.execute(_ADD_START, rows)


def _first(ctx: Context, tx: Transaction, process: Process, event: Element, report: Report) -> dict[str, Any] | None:
    try:
        return kernel.start_timer(process, event.id, without_instance(ctx, tx))
    except InvalidValue as error:
        finding = Finding("refused", "", event.id, event.name, "startEvent", reason=error.message, line=event.line)
        refused = Report((*report.findings, finding))
        raise DeploymentRefused(refused.as_text(), report=refused, element_id=event.id) from error


def _name(trigger: Event) -> str:
    """The message's or signal's name: static at a start event, since there is no case yet to compute it from."""
    term = trigger.name
    if term is None:
        return ""
    if term.expression is None:
        return term.text
    value = term.expression.evaluate({})
    return value if isinstance(value, str) else ""
