"""The deployment report: a verdict for every element, attribute and extension of the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal

Verdict = Literal["executed", "kept", "refused", "warning"]

_WORDS = {
    "zh": {
        "executed": "执行",
        "kept": "保留",
        "refused": "拒绝",
        "warning": "提示",
        "line": "第 {} 行",
        "ok": "可以部署",
        "not_ok": "不能部署",
    },
    "en": {
        "executed": "executed",
        "kept": "kept",
        "refused": "refused",
        "warning": "warning",
        "line": "line {}",
        "ok": "can be deployed",
        "not_ok": "cannot be deployed",
    },
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is done with one element or attribute.

    Attributes:
        verdict: executed = it has its effect; kept = documentation or layout; refused = the file is not deployed;
            warning = it is deployed, and this should be known.
        resource: name of the file.
        element_id: id of the BPMN element (or of the nearest one around), "" where none has one.
        element_type: tag name, with the prefix `zeebe:` or `camunda:` for extensions.
        attribute: the attribute, or None for the element itself.
        reason: why, in Chinese and English; empty where the verdict says it all.
        line: line in the file, 0 = unknown.
    """

    verdict: Verdict
    resource: str
    element_id: str = ""
    element_name: str = ""
    element_type: str = ""
    attribute: str | None = None
    reason: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one deployment."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not any(f.verdict == "refused" for f in self.findings)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """The refusals, in the order of the files."""
        return tuple(f for f in self.findings if f.verdict == "refused")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The warnings, in the order of the files."""
        return tuple(f for f in self.findings if f.verdict == "warning")

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {"ok": self.ok, "findings": [dict(zip(_FIELDS, _fields(f), strict=True)) for f in self.findings]}

    def as_text(self, lang: str = "zh", *, everything: bool = False) -> str:
        """Return the report for people, one finding a line; refusals and warnings only, unless `everything`."""
        words = _WORDS["en" if lang.startswith("en") else "zh"]
        shown = [f for f in self.findings if everything or f.verdict in {"refused", "warning"}]
        counts = "，".join(f"{words[v]} {n}" for v, n in _counts(self.findings).items() if n)
        return "\n".join([f"{words['ok' if self.ok else 'not_ok']}（{counts}）", *(_line(f, words) for f in shown)])


# By hand: `dataclasses.asdict` copies deeply, which takes longer than reading a large diagram.
_FIELDS = tuple(field.name for field in fields(Finding))
_fields = attrgetter(*_FIELDS)


def _counts(findings: Iterable[Finding]) -> dict[str, int]:
    counts = {"executed": 0, "kept": 0, "refused": 0, "warning": 0}
    for finding in findings:
        counts[finding.verdict] += 1
    return counts


def _line(finding: Finding, words: dict[str, str]) -> str:
    where = f"{finding.element_type} {finding.element_id}".strip()
    if finding.element_name:
        where += f"「{finding.element_name}」"
    if finding.attribute:
        where += f" @{finding.attribute}"
    place = f"{finding.resource} {words['line'].format(finding.line)}" if finding.line else finding.resource
    return f"[{words[finding.verdict]}] {place} {where}: {finding.reason}".rstrip(": ")
