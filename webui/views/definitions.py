"""Definitions: versions, diagrams and tables, deployment with its report, what changed between versions."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request

from engine import commands, errors, queries
from engine.definitions import Report
from engine.queries.records import ProcessVersionView, ResourceVersionView
from webui import access, naming, sessions
from webui.i18n import text

bp = Blueprint("definitions", __name__, url_prefix="/definitions")

KINDS = ("process", "decision", "form")
_TYPES = {"process": "application/xml", "decision": "application/xml", "form": "application/json"}
_FILES_AT_ONCE = 200
_View = ProcessVersionView | ResourceVersionView


@bp.get("")
def index() -> str:
    """The newest versions of everything deployed."""
    titles = {"process": text("流程"), "decision": text("决策"), "form": text("表单")}
    kinds = [(kind, titles[kind], _newest(kind)) for kind in KINDS]
    return render_template("definitions/index.html", kinds=kinds, may_deploy=sessions.person().is_admin)


@bp.get("/<kind>/<int:key>")
def show(kind: str, key: int) -> str:
    """One version: its diagram, table or form, and the other versions."""
    found = _version(kind, key)
    versions = [_row(kind, item) for item in _versions(kind) if _id(item) == _id(found)]
    standing: Counter[str] = Counter()
    schema = ""
    if kind == "process":
        standing = _standing(found)
    if kind == "form":
        schema = access.ask(queries.definition_file, key, kind)[1].decode("utf-8", errors="replace")
    return render_template(
        "definitions/show.html",
        kind=kind,
        definition=_row(kind, found),
        versions=versions,
        counts=bool(standing),
        may_migrate=kind == "process" and len(versions) > 1 and sessions.person().is_admin,
        states={"badges": {element_id: str(count) for element_id, count in standing.items()}},
        schema=schema,
    )


@bp.get("/<kind>/<int:key>/file")
def file(kind: str, key: int) -> Response:
    """The file of a version, byte for byte."""
    if kind not in KINDS:
        abort(404)
    name, content = access.ask(queries.definition_file, key, kind)
    response = make_response(content)
    response.headers["Content-Type"] = f"{_TYPES[kind]}; charset=utf-8"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if request.args.get("download"):
        response.headers.set("Content-Disposition", "attachment", filename=name.rpartition("/")[2])
    return response


@bp.get("/<kind>/<int:key>/changes")
def changes(kind: str, key: int) -> str:
    """What changed from the version before: the lines of the file, layout left out."""
    found = _version(kind, key)
    before = next((item for item in _versions(kind) if _id(item) == _id(found) and item.version == found.version - 1), None)
    if before is None:
        raise errors.NotFound(text("这是第一版，没有可比较的上一版。"))
    return render_template(
        "definitions/changes.html",
        kind=kind,
        definition=_row(kind, found),
        before=_row(kind, before),
        lines=_difference(_lines(kind, before.key), _lines(kind, key)),
    )


@bp.post("/deploy")
@sessions.only("admin")
def deploy() -> Response:
    """Deploy the uploaded files, or only check them; the report says what is done with every element."""
    uploads = [item for item in request.files.getlist("files") if item.filename]
    if not uploads or len(uploads) > _FILES_AT_ONCE:
        raise errors.InvalidValue(text("请选择 1 到 %(most)s 个文件。", most=_FILES_AT_ONCE))
    resources = {(item.filename or "").replace("\\", "/").rpartition("/")[2]: item.read() for item in uploads}
    only_check = bool(request.form.get("only_check"))
    deployed: list[dict[str, Any]] = []
    try:
        if only_check:
            report: Report = commands.check_resources(resources)
        else:
            result = access.run(commands.deploy, resources, by=sessions.username())
            report = result.report
            deployed = [
                {"kind": item.kind, "key": item.key, "id": item.id, "name": item.name, "version": item.version}
                for item in result.definitions
            ]
    except errors.DeploymentRefused as error:
        report = error.report
    return _report_page(report, deployed, only_check)


def _report_page(report: Report, deployed: list[dict[str, Any]], only_check: bool) -> Response:
    groups: dict[str, list[Any]] = {"refused": [], "warning": [], "executed": [], "kept": []}
    for finding in report.findings:
        groups[finding.verdict].append(finding)
    verdicts = [
        ("refused", text("拒绝"), text("引擎不能照此执行，必须修改。"), True),
        ("warning", text("提示"), text("可以部署，但请知悉。"), True),
        ("executed", text("执行"), text("引擎会照此执行。"), False),
        ("kept", text("保留"), text("说明与布局，原样保留，不影响执行。"), False),
    ]
    page = render_template(
        "definitions/report.html",
        groups=groups,
        verdicts=verdicts,
        refused=not report.ok,
        only_check=only_check,
        deployed=deployed,
    )
    response = make_response(page)
    response.status_code = 200 if report.ok else 422
    return response


# --- versions -----------------------------------------------------------------------------------------------------------


def _versions(kind: str) -> tuple[_View, ...]:
    if kind == "process":
        return access.ask(queries.definitions)
    if kind not in KINDS:
        abort(404)
    return access.ask(queries.resources, kind)


def _version(kind: str, key: int) -> _View:
    found = next((item for item in _versions(kind) if item.key == key), None)
    if found is None:
        raise errors.NotFound(f"没有定义 {key}（no such definition）")
    return found


def _newest(kind: str) -> list[dict[str, Any]]:
    newest: dict[str, _View] = {}
    for item in _versions(kind):
        newest.setdefault(_id(item), item)
    return [_row(kind, item) for item in newest.values()]


def _id(item: _View) -> str:
    return item.bpmn_process_id if isinstance(item, ProcessVersionView) else item.id


def _row(kind: str, item: _View) -> dict[str, Any]:
    process = item if isinstance(item, ProcessVersionView) else None
    return {
        "kind": kind,
        "key": item.key,
        "id": _id(item),
        "name": naming.process(item.key, item.name) if process else item.name,
        "version": item.version,
        "version_tag": item.version_tag,
        "resource_name": item.resource_name,
        "digest": item.digest,
        "deployed_at": item.deployed_at,
        "deployed_by": naming.person_name(process.deployed_by) if process else None,
        "running": process.running if process else None,
    }


def _standing(found: _View) -> Counter[str]:
    """How many open tasks stand at each element of a process's version."""
    tasks = access.ask(queries.find_tasks, most=10_000)
    return Counter(task.element_id for task in tasks if task.process_definition_key == found.key)


def _lines(kind: str, key: int) -> list[str]:
    _, content = access.ask(queries.definition_file, key, kind)
    source = content.decode("utf-8", errors="replace")
    for mark in ("<bpmndi:BPMNDiagram", "<dmndi:DMNDI"):
        source = source.partition(mark)[0]
    return [line.rstrip() for line in source.splitlines()]


def _difference(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "place"}
    lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
    return [(kinds.get(line[:1], "same"), line) for line in lines]
