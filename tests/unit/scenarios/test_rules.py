from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.scenarios import rules

BPMN = """<d:definitions xmlns:d="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0">
<d:process id="p"><d:userTask id="check" name="核对"><d:extensionElements><z:properties>
<z:property name="rule" value="X1.1, X1.2"/></z:properties></d:extensionElements></d:userTask></d:process></d:definitions>"""
DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="table" name="表"><decisionTable>
<rule id="r"><annotationEntry><text>X1.3: 说明 Y9.9</text></annotationEntry></rule></decisionTable></decision></definitions>"""
SCENARIO = """\
title: t
rule: [X1.1, X1.2, X1.3, X1.4]
process: p
given: {now: 2026-01-01T00:00+08:00}
steps: []
"""


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    folder = tmp_path / "processes" / "p"
    (folder / "scenarios").mkdir(parents=True)
    forms = tmp_path / "forms" / "p"
    forms.mkdir(parents=True)
    (folder / "p.bpmn").write_text(BPMN, encoding="utf-8")
    (folder / "p.dmn").write_text(DMN, encoding="utf-8")
    form = {"components": [{"type": "group", "components": [{"key": "k", "label": "份额", "properties": {"rule": "X1.4"}}]}]}
    (forms / "p.form").write_text(json.dumps(form), encoding="utf-8")
    (folder / "rules.yaml").write_text("X1.1: a\nX1.2: b\nX1.3: c\nX1.4: d\n", encoding="utf-8")
    (folder / "scenarios" / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path / "processes"


def test_rules_are_found_in_diagrams_tables_and_forms(processes: Path) -> None:
    assert rules.main(["--write", str(processes)]) == 0
    assert rules.main(["--check", str(processes)]) == 0
    page = (processes / "p" / "README.md").read_text(encoding="utf-8")
    assert "核对 `check`" in page
    assert "份额 `k`" in page
    assert "scenarios/s.yaml" in page


def test_a_rule_without_element_or_scenario_fails(processes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = processes / "p" / "rules.yaml"
    table.write_text(table.read_text(encoding="utf-8") + "X2.1: e\n", encoding="utf-8")
    assert rules.main(["--check", str(processes)]) == 1
    said = capsys.readouterr().err
    assert "X2.1 has no element" in said
    assert "X2.1 has no scenario" in said


def test_an_exemption_needs_a_rule_and_is_shown_with_its_reason(processes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = processes / "p"
    (folder / "rules.yaml").write_text("X1.1: a\nX1.2: b\nX1.3: c\nX1.4: d\nX2.1: e\n", encoding="utf-8")
    (folder / "exemptions.yaml").write_text("X2.1: 由别的系统办理\n", encoding="utf-8")
    assert rules.main(["--write", str(processes)]) == 0
    assert rules.main(["--check", str(processes)]) == 0
    assert "由别的系统办理" in (folder / "README.md").read_text(encoding="utf-8")
    (folder / "exemptions.yaml").write_text("X9.9: 无\n", encoding="utf-8")
    assert rules.main(["--check", str(processes)]) == 1
    assert "there is no rule X9.9" in capsys.readouterr().err


def test_a_page_that_is_not_as_generated_fails(processes: Path) -> None:
    assert rules.main(["--check", str(processes)]) == 1


def test_an_unknown_rule_is_named(processes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = processes / "p" / "p.bpmn"
    path.write_text(BPMN.replace("X1.2", "X1.2, X7.7"), encoding="utf-8")
    assert rules.main(["--check", str(processes)]) == 1
    assert "X7.7" in capsys.readouterr().err
