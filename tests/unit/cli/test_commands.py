"""The command line as people and programs type it: answers, `--json`, exit codes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from webui.cli import main

BPMN = """<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0">
<b:process id="leave" name="请假" isExecutable="true"><b:startEvent id="s"/><b:userTask id="approve" name="审批">
<b:extensionElements><z:userTask/><z:assignmentDefinition candidateGroups="boss"/></b:extensionElements></b:userTask>
<b:endEvent id="e"/><b:sequenceFlow id="f1" sourceRef="s" targetRef="approve"/>
<b:sequenceFlow id="f2" sourceRef="approve" targetRef="e"/></b:process></b:definitions>"""

DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="grade" name="分级"><decisionTable hitPolicy="UNIQUE"><input id="i" label="分"><inputExpression><text>points</text>
</inputExpression></input><output id="o" name="grade"/>
<rule id="r1"><inputEntry><text>&gt;= 5</text></inputEntry><outputEntry><text>"high"</text></outputEntry></rule>
<rule id="r2"><inputEntry><text>&lt; 5</text></inputEntry><outputEntry><text>"low"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> object:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "HOST", "LIUZHUAN_SESSION_MINUTES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIUZHUAN_DATABASE_URL", f"sqlite:///{tmp_path / 'cases.db'}")
    (tmp_path / "leave.bpmn").write_text(BPMN, encoding="utf-8")
    (tmp_path / "grade.dmn").write_text(DMN, encoding="utf-8")

    def command(*arguments: str) -> Said:
        code = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return command


def test_every_command_explains_itself(run: Run) -> None:
    from webui.cli.main import commands

    assert run("--help").code == 0
    for name in commands.commands:
        said = run(name, "--help")
        assert said.code == 0
        assert "Usage: liuzhuan" in said.out


def test_feel_is_exact_and_says_its_warnings(run: Run) -> None:
    assert run("feel", "0.1 + 0.2").out.strip() == "0.3"
    assert run("feel", "net income * 0.7", "--context", '{"net income": 800000.00}', "--json").value == {
        "value": 560000.0,
        "warnings": [],
    }
    assert run("feel", 'add working days(date("2026-09-30"), 15)').out.strip() == "2026-10-27"
    unknown = run("feel", "x + 1")
    assert unknown.code == 0
    assert unknown.out.strip() == "null"
    assert "x" in unknown.err


def test_feel_says_where_a_syntax_error_is(run: Run) -> None:
    said = run("feel", "1 +\n  * 2")
    assert said.code == 1
    assert "line 2" in said.err


def test_dmn_shows_the_result_and_the_rules_that_matched(run: Run) -> None:
    said = run("dmn", "grade.dmn", "--decision", "grade", "--context", '{"points": 7}', "--json")
    assert said.code == 0
    assert isinstance(said.value, dict)
    assert said.value["value"] == "high"
    assert "r1" in json.dumps(said.value["trace"])
    assert run("dmn", "grade.dmn", "--decision", "other").code != 0


def test_a_wrong_command_line_is_told_with_2(run: Run) -> None:
    assert run("feel").code == 2
    assert run("feel", "1", "--context", "{").code == 2
    assert run("feel", "1", "--context", "[1]").code == 2
    assert run("check", "not-there.bpmn").code == 2


def test_check_reports_and_refuses(run: Run, tmp_path: Path) -> None:
    good = run("check", "leave.bpmn", "grade.dmn")
    assert good.code == 0
    (tmp_path / "bad.bpmn").write_text(BPMN.replace('targetRef="e"', 'targetRef="nowhere"'), encoding="utf-8")
    bad = run("check", "bad.bpmn")
    assert bad.code == 1
    assert "nowhere" in bad.out
    assert run("check", "bad.bpmn", "--json").code == 1


def test_a_case_from_deployment_to_proof(run: Run, tmp_path: Path) -> None:
    assert run("migrate").code == 0
    added = run("user", "add", "anna", "--admin", "--group", "boss", "--random-password", "--json")
    assert added.code == 0
    assert isinstance(added.value, dict)
    assert added.value["password"]
    assert run("deploy", "leave.bpmn", "--by", "anna").code == 0
    started = run("start", "leave", "--variables", '{"days": 3}', "--by", "anna", "--json")
    assert started.code == 0
    assert isinstance(started.value, dict)
    key = started.value["key"]
    assert isinstance(key, str)
    assert "审批" in run("tasks", "--group", "boss").out
    assert run("tasks", "--user", "anna", "--json").value
    assert run("audit", "verify").code == 0
    assert run("audit", "export", key, "-o", "pack.zip").code == 0
    assert run("audit", "verify", "--pack", "pack.zip").code == 0
    proof = run("audit", "verify", "--json").value
    assert isinstance(proof, dict)
    assert run("audit", "verify", "--anchor", proof["last_checkpoint"]).code == 0
    assert run("audit", "verify", "--anchor", "f" * 64).code == 1
    assert run("audit", "verify", "--pack", "pack.zip", "--anchor", "f" * 64).code == 1
    assert run("audit", "export", key, "--format", "csv").code == 0
    assert (tmp_path / f"{key}.csv").stat().st_size > 0


def test_one_changed_byte_is_found(run: Run, tmp_path: Path) -> None:
    run("user", "add", "anna", "--admin", "--password", "long enough password")
    run("deploy", "leave.bpmn", "--by", "anna")
    run("start", "leave", "--variables", '{"days": 3}', "--by", "anna")
    with sqlite3.connect(tmp_path / "cases.db") as database:
        key, payload = database.execute(
            "SELECT instance_key, payload FROM journal WHERE seq = 1 AND instance_key <> 0"
        ).fetchone()
        other = payload[:-1] + bytes([payload[-1] ^ 1])
        database.execute("UPDATE journal SET payload = ? WHERE instance_key = ? AND seq = 1", (other, key))
    database.close()
    said = run("audit", "verify")
    assert said.code == 1


def test_a_refused_deployment_changes_nothing_and_says_why(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.bpmn").write_text(
        BPMN.replace("<b:endEvent", '<b:callActivity id="c" name="复杂"/><b:endEvent'), encoding="utf-8"
    )
    said = run("deploy", "bad.bpmn")
    assert said.code == 1
    assert "复杂" in said.out
    assert run("start", "leave").code == 3


def test_doctor_lists_settings_and_finds_what_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("doctor")
    assert "LIUZHUAN_DATABASE_URL" in said.out
    assert said.code == 1
    assert "no administrator" in said.out
    monkeypatch.setenv("LIUZHUAN_SESSION_MINUTES", "soon")
    wrong = run("doctor")
    assert wrong.code == 1
    assert "LIUZHUAN_SESSION_MINUTES" in wrong.out


def test_people_are_changed_from_the_command_line(run: Run) -> None:
    run("user", "add", "ben", "--password", "long enough password", "--group", "finance")
    assert run("user", "groups", "ben", "nowhere").code == 3
    assert run("user", "groups", "ben").code == 0
    assert "finance" not in run("user", "list").out
    assert run("user", "password", "ben", "--password", "another long password").code == 0
    assert run("user", "deactivate", "ben").code == 0
    assert run("user", "password", "nobody", "--password", "another long password").code == 3


def test_a_scenario_that_does_not_hold_is_told(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "processes" / "leave" / "scenarios"
    folder.mkdir(parents=True)
    (tmp_path / "forms").mkdir()
    (tmp_path / "processes" / "organisation.yaml").write_text("groups: [{id: boss, name: 主任}]\n", encoding="utf-8")
    (tmp_path / "processes" / "leave" / "leave.bpmn").write_text(BPMN, encoding="utf-8")
    scenario = """title: 审批
rule: X1.1
process: leave
given: {now: 2026-11-20T09:00+08:00}
steps:
  - then: {waiting: approve}
  - do: {complete: approve, by: boss-1}
    then: {state: STATE}
"""
    (folder / "good.yaml").write_text(scenario.replace("STATE", "completed"), encoding="utf-8")
    good = run("scenario", "processes/leave")
    assert good.code == 0, good.out
    assert "1 passed, 0 failed" in good.out
    (folder / "wrong.yaml").write_text(scenario.replace("STATE", "active"), encoding="utf-8")
    wrong = run("scenario", "processes/leave")
    assert wrong.code == 1
    assert "wrong.yaml:7" in wrong.out
    assert "the case is completed, not active" in wrong.out


def test_cases_are_moved_to_another_version(run: Run, tmp_path: Path) -> None:
    assert run("deploy", "leave.bpmn").code == 0
    first, second = (run("start", "leave").out.strip() for _ in range(2))
    (tmp_path / "leave.bpmn").write_text(BPMN.replace('"approve"', '"check"'), encoding="utf-8")
    assert run("deploy", "leave.bpmn").code == 0
    refused = run("migrate", "leave", "--from", "1", "--preview")
    assert refused.code == 1
    assert "0 of 2 cases can be migrated" in refused.out
    assert "the target has no such element" in refused.out
    mapped = ("migrate", "leave", "--from", "1", "--map", '{"approve": "check"}')
    assert "2 of 2 cases can be migrated" in run(*mapped, "--preview").out
    one = run("migrate", "leave", "--case", first, "--map", '{"approve": "check"}', "--reason", "新版", "--json")
    assert (one.code, one.value["done"]) == (0, 1)  # type: ignore[index]
    wrong = run("migrate", "leave", "--from", "1", "--reason", "新版")
    assert (wrong.code, second in wrong.out) == (1, True)
    assert run(*mapped).code == 1
    assert "1 of 1 cases migrated" in run(*mapped, "--reason", "新版").out
    assert run("migrate", "leave").code == 2
    assert run("migrate", "--preview").code == 2
