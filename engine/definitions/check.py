"""Checks all files of one deployment together: what they mean one by one, and what they ask of each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import dmn, feel
from engine.definitions.model import Process
from engine.definitions.reader import read_bpmn
from engine.definitions.report import Finding, Report
from engine.errors import FeelSyntaxError, LiuzhuanError

MAX_FORM_BYTES = 1_000_000
MAX_FORM_DEPTH = 30


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
    for name, data in resources.items():
        suffix = name.rpartition(".")[2].lower()
        if suffix in {"bpmn", "xml"}:
            file = read_bpmn(data, name)
            contents.findings += file.findings
            contents.processes += [(name, process) for process in file.processes]
        elif suffix == "dmn":
            _decisions(contents, name, data)
        elif suffix == "form":
            _form(contents, name, data)
        else:
            reason = "只部署 .bpmn、.dmn 与 .form 文件 / only .bpmn, .dmn and .form files are deployed"
            contents.findings.append(Finding("refused", name, reason=reason))
    if not resources:
        contents.findings.append(Finding("refused", "", reason="没有文件 / no files"))
    contents.findings += _across(contents)
    return Report(tuple(contents.findings))


def _decisions(contents: _Contents, name: str, data: bytes) -> None:
    try:
        model = dmn.load(data)
    except LiuzhuanError as error:
        contents.findings.append(
            Finding(
                "refused",
                name,
                error.element_id or "",
                error.element_name or "",
                "dmn",
                reason=error.message,
                line=error.line or 0,
            )
        )
        return
    for decision_id, info in model.decisions.items():
        contents.decisions.add(decision_id)
        contents.findings.append(Finding("executed", name, decision_id, info.name, "decision"))


def _form(contents: _Contents, name: str, data: bytes) -> None:
    def refuse(reason: str, component: Mapping[str, Any] | None = None, attribute: str | None = None) -> None:
        part = component or {}
        contents.findings.append(
            Finding(
                "refused",
                name,
                str(part.get("id", "")),
                str(part.get("label", "")),
                str(part.get("type", "form")),
                attribute,
                reason,
            )
        )

    if len(data) > MAX_FORM_BYTES:
        return refuse(f"表单超过 {MAX_FORM_BYTES} 字节 / the form is too large")
    try:
        schema = json.loads(data)
    except (ValueError, RecursionError) as error:
        return refuse(f"不是 JSON：{error} / not JSON")
    if not isinstance(schema, dict) or not isinstance(schema.get("id"), str) or not isinstance(schema.get("components"), list):
        return refuse("不是 Camunda 表单：缺少 id 或 components / not a Camunda Form: no id or components")
    if schema["id"] in contents.forms:
        refuse(f"表单标识 {schema['id']} 重复 / the form id is there twice")
    contents.forms.add(schema["id"])
    try:
        for component in _components(schema, 0):
            contents.findings.append(
                Finding(
                    "executed",
                    name,
                    str(component.get("id", "")),
                    str(component.get("label", "")),
                    str(component.get("type", "")),
                )
            )
            for attribute, text in _expressions(component):
                try:
                    feel.compile_expression(text.removeprefix("="))
                except FeelSyntaxError as error:
                    refuse(f"FEEL 表达式有误（第 {error.column} 列）：{error.message}：{text}", component, attribute)
    except RecursionError:
        refuse(f"组件嵌套超过 {MAX_FORM_DEPTH} 层 / components nested too deep")
    return None


def _components(schema: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > MAX_FORM_DEPTH:
        raise RecursionError
    for component in schema.get("components") or ():
        if isinstance(component, dict):
            yield component
            yield from _components(component, depth + 1)


def _expressions(component: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the places of a component that hold FEEL: those that start with `=`, and what is always FEEL."""
    conditional, properties = component.get("conditional"), component.get("properties")
    candidates = dict(component)
    if isinstance(conditional, dict):
        candidates["conditional.hide"] = conditional.get("hide")
    if isinstance(properties, dict):
        candidates["properties.check"] = properties.get("check")
    if isinstance(component.get("validate"), dict):
        candidates |= {f"validate.{k}": v for k, v in component["validate"].items()}
    for name, value in candidates.items():
        if isinstance(value, str) and (value.startswith("=") or (name == "properties.check" and value)):
            yield name, value


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
