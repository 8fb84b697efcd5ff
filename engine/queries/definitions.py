"""Definitions: versions with what runs on them, their files, and what a person may start."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, bindparam, func, select

from engine.definitions import Element
from engine.errors import NotFound
from engine.queries import forms
from engine.queries.records import ProcessVersionView, ResourceVersionView, Startable, StartDraft, StartPage
from engine.store.context import Context
from engine.store.directory import person
from engine.store.library import ProcessVersion, process_key
from engine.store.rights import may_start
from engine.store.tables import (
    IS_ACTIVE,
    blob,
    decision_definition,
    deployment,
    form_definition,
    process_definition,
    process_instance,
    start_draft,
)
from engine.store.transactions import Found

_RUNNING = (
    select(func.count())
    .select_from(process_instance)
    .where(process_instance.c.definition_key == process_definition.c.key, IS_ACTIVE)
    .correlate(process_definition)
    .scalar_subquery()
)
_VERSIONS = (
    select(process_definition, deployment.c.deployed_by, _RUNNING.label("running"))
    .join(deployment, deployment.c.key == process_definition.c.deployment_key)
    .where(process_definition.c.deleted_at.is_(None))
    .order_by(process_definition.c.bpmn_process_id, process_definition.c.version.desc())
)
_NEWEST = (
    select(process_definition.c.bpmn_process_id, func.max(process_definition.c.version).label("version"))
    .where(process_definition.c.deleted_at.is_(None))
    .group_by(process_definition.c.bpmn_process_id)
)
_DRAFTS = select(start_draft).where(start_draft.c.username == bindparam("who")).order_by(start_draft.c.saved_at.desc())
_RESOURCES: Mapping[str, tuple[Table, str]] = {
    "decision": (decision_definition, "decision_id"),
    "form": (form_definition, "form_id"),
    "process": (process_definition, "bpmn_process_id"),
}


def definitions(ctx: Context, bpmn_process_id: str | None = None) -> tuple[ProcessVersionView, ...]:
    """Return all versions of all processes, or of one, the newest version first."""
    statement = _VERSIONS
    if bpmn_process_id is not None:
        statement = statement.where(process_definition.c.bpmn_process_id == bpmn_process_id)
    with ctx.store.read() as reading:
        found, last = [], None
        for row in reading.all(statement):
            found.append(
                ProcessVersionView(
                    key=row.key,
                    bpmn_process_id=row.bpmn_process_id,
                    name=row.name,
                    version=row.version,
                    version_tag=row.version_tag,
                    resource_name=row.resource_name,
                    digest=row.digest,
                    deployment_key=row.deployment_key,
                    deployed_at=row.deployed_at,
                    deployed_by=row.deployed_by,
                    running=row.running,
                    newest=row.bpmn_process_id != last,
                )
            )
            last = row.bpmn_process_id
        return tuple(found)


def process_names(ctx: Context) -> dict[str, str]:
    """Return the names of all processes by id, in order of their names."""
    names = select(process_definition.c.bpmn_process_id, process_definition.c.name).order_by(process_definition.c.version)
    with ctx.store.read() as reading:
        found = {row.bpmn_process_id: row.name for row in reading.all(names)}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def resources(ctx: Context, kind: str) -> tuple[ResourceVersionView, ...]:
    """Return all versions of all decisions or forms (`kind`: decision | form), the newest version first."""
    table, column = _RESOURCES[kind]
    there = select(table).where(table.c.deleted_at.is_(None)).order_by(table.c[column], table.c.version.desc())
    with ctx.store.read() as reading:
        return tuple(
            ResourceVersionView(
                kind=kind,
                key=row.key,
                id=getattr(row, column),
                name=row.name,
                version=row.version,
                version_tag=row.version_tag,
                resource_name=row.resource_name,
                digest=row.digest,
                deployed_at=row.deployed_at,
            )
            for row in reading.all(there)
        )


def definition_file(ctx: Context, key: int, kind: str = "process") -> tuple[str, bytes]:
    """Return name and content of the file of a definition version (`kind`: process | decision | form), byte for byte.

    Raises:
        NotFound: there is no such version.
    """
    table, _ = _RESOURCES[kind]
    statement = (
        select(table.c.resource_name, blob.c.content).join(blob, blob.c.digest == table.c.digest).where(table.c.key == key)
    )
    with ctx.store.read() as reading:
        row = reading.one(statement)
        if row is None:
            raise NotFound(f"没有定义 {key}（no such definition）")
        return row.resource_name, bytes(row.content)


def definition_xml(ctx: Context, key: int) -> str:
    """Return the BPMN file of a process version as text.

    Raises:
        NotFound: there is no such version.
    """
    return definition_file(ctx, key)[1].decode("utf-8", errors="replace")


def deployment_report(ctx: Context, deployment_key: int) -> Mapping[str, object]:
    """Return a deployment's report as JSON.

    Raises:
        NotFound: there is no such deployment.
    """
    with ctx.store.read() as reading:
        report: Mapping[str, object] | None = reading.scalar(
            select(deployment.c.report).where(deployment.c.key == deployment_key)
        )
        if report is None:
            raise NotFound(f"没有部署 {deployment_key}（no such deployment）")
        return report


def start_list(ctx: Context, who: str) -> tuple[Startable, ...]:
    """Return the processes that a person may start by hand, by name, with their unfinished start forms."""
    with ctx.store.read() as reading:
        starter = person(reading, who)
        drafts = [_draft(row) for row in reading.all(_DRAFTS, {"who": who})]
        found = []
        for row in reading.all(_NEWEST):
            version = ctx.library.process(reading, process_key(reading, row.bpmn_process_id, row.version))
            start = _start_by_hand(version)
            if start is not None and may_start(starter, version):
                found.append(_startable(version, start, drafts))
        return tuple(sorted(found, key=lambda item: item.name))


def start_page(ctx: Context, bpmn_process_id: str, who: str, draft_key: int | None = None) -> StartPage:
    """Return a process's start form for a person, with the draft named or their newest.

    Raises:
        NotFound: there is no such process, the person may not start it, or has no such draft.
    """
    with ctx.store.read() as reading:
        version = ctx.library.process(reading, process_key(reading, bpmn_process_id))
        start = _start_by_hand(version)
        if start is None or not may_start(person(reading, who), version):
            raise NotFound(f"没有可发起的流程 {bpmn_process_id}（no process that you may start）")
        drafts = [_draft(row) for row in reading.all(_DRAFTS, {"who": who}) if row.bpmn_process_id == bpmn_process_id]
        draft = next((item for item in drafts if draft_key is None or item.key == draft_key), None)
        if draft_key is not None and draft is None:
            raise NotFound(f"没有草稿 {draft_key}（no such draft）")
        return StartPage(_startable(version, start, drafts), forms.newest_form(ctx, reading, start.form_id), draft)


def _start_by_hand(version: ProcessVersion) -> Element | None:
    for event in version.process.start_events:
        if event.event is None or event.event.kind == "none":
            return event
    return None


def _startable(version: ProcessVersion, start: Element, drafts: list[StartDraft]) -> Startable:
    process = version.process
    return Startable(
        bpmn_process_id=process.id,
        name=process.name or process.id,
        name_en=process.properties.get("name:en", ""),
        documentation=process.documentation,
        version=version.version,
        process_definition_key=version.key,
        form_id=start.form_id,
        drafts=tuple(draft for draft in drafts if draft.bpmn_process_id == process.id),
    )


def _draft(row: Found) -> StartDraft:
    return StartDraft(row.key, row.bpmn_process_id, row.created_at, row.saved_at, row.data)
