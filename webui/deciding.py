"""Why a decision was made as it was, told in sentences: the rules that matched, with their inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webui import formats
from webui.i18n import text

MOST_TABLES = 12


def name_of(decision_id: str, trace: Any) -> str:
    """Return a decision's name as its trace has it, or its id."""
    return next((str(step["name"]) for step in _steps(trace) if step.get("id") == decision_id and step.get("name")), decision_id)


def why(trace: Any) -> list[str]:
    """Return sentences on what the tables of a decision did, in order.

    Args:
        trace: as `engine.dmn` gives it (`DecisionResult.trace`); None where it may not be shown.
    """
    tables = [step for step in _steps(trace) if step.get("kind") == "decision table"]
    told = [_table(step, named=len(tables) > 1) for step in tables[:MOST_TABLES]]
    if len(tables) > MOST_TABLES:
        told.append(text("另有 %(count)d 张表，见日志", count=len(tables) - MOST_TABLES))
    warnings = dict.fromkeys(str(warning) for step in _steps(trace) for warning in step.get("warnings") or ())
    return told + [text("注意：%(warning)s", warning=warning) for warning in warnings]


def _steps(trace: Any) -> Iterator[Mapping[str, Any]]:
    for step in trace if isinstance(trace, Sequence) and not isinstance(trace, str) else ():
        if isinstance(step, Mapping):
            yield step


def _table(step: Mapping[str, Any], *, named: bool) -> str:
    inputs = _pairs({str(column.get("label") or column.get("expression")): column.get("value") for column in step["inputs"]})
    matched = step["matched"]
    if not matched:
        line = text("没有规则命中（%(inputs)s）", inputs=inputs)
    else:
        line = text(
            "规则 %(rules)s 命中：%(inputs)s → %(outputs)s",
            rules=text("、").join(str(rule["index"]) for rule in matched),
            inputs=inputs,
            outputs=text("；").join(_pairs(rule["outputs"]) for rule in matched),
        )
        notes = dict.fromkeys(str(note) for rule in matched for note in rule["annotations"])
        if notes:
            line = text("%(line)s（%(notes)s）", line=line, notes=text("；").join(notes))
    return text("「%(table)s」%(line)s", table=step["name"], line=line) if named else line


def _pairs(values: Mapping[str, Any]) -> str:
    return text("，").join(f"{label} = {formats.value_text(value)}" for label, value in values.items()) or text("无输入")
