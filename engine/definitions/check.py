"""Checks all files of one deployment together: what they mean one by one, and what they ask of each other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine import dmn
from engine.definitions.model import Process
from engine.definitions.reader import read_bpmn
from engine.definitions.report import Finding, Report
from engine.errors import LiuzhuanError

MAX_FORM_BYTES = 1_000_000


@dataclass(slots=True)
class _Contents:
    processes: list[tuple[str, Process]] = field(default_factory=list)
    decisions: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def check(resources: Mapping[str, bytes]) -> Report:
    """Answer the deployment report of some files: `.bpmn`, `.dmn`, `.form`.

    What a process calls and this deployment does not hold is a warning: it must exist already, or exist when it is called.
    """
    contents = _Contents()
    models = dmn.ModelFiles({name: data for name, data in resources.items() if name.lower().endswith(".dmn")})
    for name, data in resources.items():
        suffix = name.rpartition(".")[2].lower()
        if suffix in {"bpmn", "xml"}:
            file = read_bpmn(data, name)
            contents.findings += file.findings
            contents.processes += [(name, process) for process in file.processes]
        elif suffix == "dmn":
            _decisions(contents, name, models)
        elif suffix == "form":
            _form(contents, name, data)
        else:
            reason = "只部署 .bpmn、.dmn 与 .form 文件 / only .bpmn, .dmn and .form files are deployed"
            contents.findings.append(Finding("refused", name, reason=reason))
    if not resources:
        contents.findings.append(Finding("refused", "", reason="没有文件 / no files"))
    contents.findings += _across(contents)
    return Report(tuple(contents.findings))


def _decisions(contents: _Contents, name: str, models: dmn.ModelFiles) -> None:
    try:
        model, _ = models.load(name)
        problems = model.check()
    except LiuzhuanError as error:
        where = (error.element_id or "", error.element_name or "", "dmn", None)
        contents.findings.append(Finding("refused", name, *where, error.message, error.line or 0))
        return
    for found in problems:
        element = (found.element_id, found.element_name, "dmn")
        contents.findings.append(Finding(found.verdict, name, *element, found.attribute, found.reason, found.line))
    for decision_id, info in model.decisions.items():
        contents.decisions.add(decision_id)
        contents.findings.append(Finding("executed", name, decision_id, info.name, info.kind))


def _form(contents: _Contents, name: str, data: bytes) -> None:
    """Note the form's id; what stands in the form is read and judged by `engine.forms`, which the commands ask beside this."""
    form_id = None
    if len(data) <= MAX_FORM_BYTES:
        with contextlib.suppress(ValueError, RecursionError):
            schema = json.loads(data)
            form_id = schema.get("id") if isinstance(schema, dict) else None
    if not isinstance(form_id, str):
        reason = "不是 Camunda 表单，或没有 id，或太大 / not a Camunda Form, without id, or too large"
        contents.findings.append(Finding("refused", name, element_type="form", reason=reason))
        return
    if form_id in contents.forms:
        reason = f"表单标识 {form_id} 重复 / the form id is there twice"
        contents.findings.append(Finding("refused", name, form_id, element_type="form", attribute="id", reason=reason))
    contents.forms.add(form_id)
    contents.findings.append(Finding("executed", name, form_id, element_type="form"))


def _across(contents: _Contents) -> Iterator[Finding]:
    ids: dict[str, str] = {}
    for name, process in contents.processes:
        if process.id in ids:
            reason = f"流程 {process.id} 在 {ids[process.id]} 中已有 / the process is in two files"
            yield Finding("refused", name, process.id, process.name, "process", "id", reason)
        ids[process.id] = name
    for name, process in contents.processes:
        for element in process.elements.values():
            called: list[tuple[str, str, str]] = []
            if element.form and element.form.id and element.form.id not in contents.forms:
                called.append(("formId", element.form.id, "表单 / form"))
            if element.decision and element.decision.id.static and element.decision.id.static not in contents.decisions:
                called.append(("decisionId", element.decision.id.static, "决策 / decision"))
            if element.call and element.call.process_id.static and element.call.process_id.static not in ids:
                called.append(("processId", element.call.process_id.static, "流程 / process"))
            for attribute, target, kind in called:
                reason = f"{kind} {target} 不在此次部署中，必须已经部署 / is not in this deployment: it must exist already"
                yield Finding("warning", name, element.id, element.name, element.type, attribute, reason, element.line)
