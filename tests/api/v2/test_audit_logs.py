"""The audit log over /v2, and forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import commands
from engine.facade import Engine
from webui.v2 import audit_logs

from . import rounds
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]


def did(items: list[Any]) -> list[tuple[str, str]]:
    return [(item["entityType"], item["operationType"]) for item in items]


def test_what_was_done_with_a_task(api: Api, engine: Engine, check: int) -> None:
    engine.unclaim(check, by="ben")
    api("root").ask("PATCH", f"/user-tasks/{check}", {"changeset": {"priority": 90}}, 204)
    engine.assign(check, "ben", by="root")
    engine.complete(check, {"opinion": "齐全"}, by="ben")
    path = f"/user-tasks/{check}/audit-logs/search"
    found = api("anna").search(path)
    assert [(item["operationType"], item["actorId"]) for item in found] == [
        ("ASSIGN", "ben"),
        ("UNASSIGN", "ben"),
        ("UPDATE", "root"),
        ("ASSIGN", "root"),
        ("COMPLETE", "ben"),
    ]
    assert {item["category"] for item in found} == {"USER_TASKS"}
    assert {item["userTaskKey"] for item in found} == {item["entityKey"] for item in found} == {str(check)}
    assert len(api("anna").search(path, filter={"operationType": "ASSIGN", "actorId": "root"})) == 1
    newest = api("anna").search(path, sort=[{"field": "auditLogKey", "order": "DESC"}], page={"limit": 1})
    assert did(newest) == [("USER_TASK", "COMPLETE")]
    problem(api("dora").post(path, {}), 404)


def test_what_was_done_with_a_case(api: Api, engine: Engine, case: int) -> None:
    commands.set_variables(engine.context, case, {"amount": 1}, "root")
    engine.suspend(case, by="root", reason="核查")
    engine.resume(case, by="root")
    engine.cancel(case, by="root", reason="撤回")
    anna = api("anna")
    found = anna.search("/audit-logs/search", filter={"processInstanceKey": str(case)})
    assert did(found) == [
        ("PROCESS_INSTANCE", "CREATE"),
        ("VARIABLE", "UPDATE"),
        ("PROCESS_INSTANCE", "SUSPEND"),
        ("PROCESS_INSTANCE", "RESUME"),
        ("PROCESS_INSTANCE", "CANCEL"),
    ]
    assert (found[1]["entityDescription"], found[1]["actorId"], found[1]["actorType"]) == ("amount", "root", "USER")
    for item in found:
        assert anna.ask("GET", f"/audit-logs/{item['auditLogKey']}") == item
        problem(api("dora").get(f"/audit-logs/{item['auditLogKey']}"), 404)
    problem(anna.get("/audit-logs/1"), 404)


def test_what_belongs_to_no_case_is_for_administrators_and_auditors(api: Api, case: int) -> None:
    def admin(username: str) -> set[tuple[str, str]]:
        return set(did(api(username).search("/audit-logs/search", filter={"entityType": {"$in": ["USER", "RESOURCE"]}})))

    assert admin("audrey") == admin("root") == {("USER", "CREATE"), ("RESOURCE", "CREATE")}
    assert admin("anna") == set()
    (first,) = api("root").search("/audit-logs/search", filter={"entityType": "RESOURCE"})
    assert first["deploymentKey"] == first["entityKey"]
    problem(api("anna").get(f"/audit-logs/{first['auditLogKey']}"), 404)


def test_hidden_variables_are_not_named_and_keys_stay(api: Api, engine: Engine) -> None:
    case, task = rounds.start(engine)
    engine.suspend(case, by="root", reason="x")
    body = {"filter": {"processInstanceKey": str(case)}}
    seen = {who: api(who).ask("POST", "/audit-logs/search", body)["items"] for who in ("ben", "chris")}
    assert ("VARIABLE", "UPDATE") in did(seen["ben"])
    assert ("VARIABLE", "UPDATE") not in did(seen["chris"])
    assert seen["ben"][-1] == seen["chris"][-1]
    assert str(task)


def test_filters_that_we_do_not_have(api: Api, monkeypatch: pytest.MonkeyPatch, case: int) -> None:
    refused = problem(api("root").post("/audit-logs/search", {"filter": {"inboundChannelType": "MCP"}}), 501)
    assert refused["field"] == "filter.inboundChannelType"
    monkeypatch.setattr(audit_logs, "_CASES", 0)
    assert problem(api("root").post("/audit-logs/search", {}), 400)["field"] == "filter.processInstanceKey"


def test_a_form_by_its_key(api: Api, engine: Engine, case: int) -> None:
    task = engine.tasks(instance=case)[0].key
    form = api("dora").ask("GET", f"/forms/{api('anna').ask('GET', f'/user-tasks/{task}')['formKey']}")
    assert (form["formId"], form["version"]) == ("expense-check", 1)
    assert form == api("anna").ask("GET", f"/user-tasks/{task}/form")
    problem(api("dora").get("/forms/12"), 404)
