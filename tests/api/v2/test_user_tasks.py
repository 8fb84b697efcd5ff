"""User tasks over /v2: found, read, handed over, changed, completed; by the same rights as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine import commands, queries
from engine.clock import TurnedClock
from engine.facade import Engine
from engine.queries import user_tasks

from ..conftest import PASSWORD
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]
DAY = timedelta(days=1)


def keys(items: list[Any]) -> list[str]:
    return [item["userTaskKey"] for item in items]


@pytest.fixture
def task(engine: Engine, case: int) -> int:
    """The check of a case of Anna's, which nobody has claimed."""
    return engine.tasks(instance=case)[0].key


def found(api: Api, **filter_: Any) -> list[str]:
    return keys(api("root").search("/user-tasks/search", filter=filter_))


def test_a_task_is_told_with_everything_the_sdk_wants(api: Api, case: int, task: int) -> None:
    item = api("anna").ask("GET", f"/user-tasks/{task}")
    assert item["state"] == "CREATED"
    assert (item["name"], item["elementId"], item["processDefinitionId"]) == ("核对票据", "check", "expense")
    assert (item["assignee"], item["candidateGroups"], item["candidateUsers"]) == (None, ["clerk"], [])
    assert (item["processInstanceKey"], item["rootProcessInstanceKey"]) == (str(case), str(case))
    assert item["elementInstanceKey"] == item["userTaskKey"] == str(task)
    assert (item["creationDate"], item["dueDate"]) == ("2026-11-20T02:00:00.000Z", "2026-11-20T05:00:00.000Z")
    assert (item["businessId"], item["processName"], item["priority"], item["tags"]) == ("EX-2026-001", "报销", 50, [])
    assert item["formKey"].isdigit()
    assert api("anna").search("/user-tasks/search") == [item]


@pytest.mark.parametrize(
    "filter_",
    [
        {"state": "CREATED"},
        {"state": {"$in": ["CREATED", "CANCELED"]}},
        {"state": {"$neq": "COMPLETED"}},
        {"assignee": {"$exists": False}},
        {"businessId": "EX-2026-001"},
        {"priority": {"$gte": 50, "$lt": 51}},
        {"elementId": "check"},
        {"name": {"$like": "核对*"}},
        {"candidateGroup": "clerk"},
        {"candidateGroup": {"$like": "cl*k"}},
        {"candidateGroup": {"$in": ["chair", "clerk"]}},
        {"candidateGroup": {"$neq": "chair"}},
        {"candidateUser": {"$exists": False}},
        {"tenantId": "<default>"},
        {"processDefinitionId": "expense"},
        {"creationDate": {"$lte": "2026-11-20T10:00:00+08:00"}},
        {"completionDate": {"$exists": False}},
        {"followUpDate": {"$exists": False}},
        {"dueDate": {"$gt": "2026-11-20T04:59:00Z"}},
        {"processInstanceVariables": [{"name": "purpose", "value": '"参会"'}, {"name": "amount", "value": "120.5"}]},
        {"processInstanceVariables": [{"name": "purpose", "value": {"$like": "*会*"}}]},
        {"$or": [{"assignee": "nobody"}, {"elementId": "check"}]},
    ],
)
def test_filters_that_hold(api: Api, task: int, filter_: dict[str, Any]) -> None:
    assert found(api, **filter_) == [str(task)]


@pytest.mark.parametrize(
    "filter_",
    [
        {"state": "COMPLETED"},
        {"state": "CREATING"},
        {"assignee": "anna"},
        {"candidateGroup": "cler"},
        {"candidateGroup": {"$neq": "clerk"}},
        {"candidateUser": "anna"},
        {"tenantId": "other"},
        {"dueDate": {"$lt": "2026-11-20T05:00:00Z"}},
        {"followUpDate": {"$exists": True}},
        {"processInstanceVariables": [{"name": "purpose", "value": '"别的"'}]},
        {"localVariables": [{"name": "purpose", "value": {"$exists": True}}]},
        {"tags": ["urgent"]},
        {"$or": [{"assignee": "nobody"}]},
    ],
)
def test_filters_that_do_not_hold(api: Api, task: int, filter_: dict[str, Any]) -> None:
    assert found(api, **filter_) == []


def test_keys_are_searched_by(api: Api, case: int, task: int) -> None:
    definition = api("root").ask("GET", f"/user-tasks/{task}")["processDefinitionKey"]
    for name, value in (
        ("userTaskKey", task),
        ("elementInstanceKey", task),
        ("processInstanceKey", case),
        ("processDefinitionKey", definition),
    ):
        assert found(api, **{name: str(value)}) == [str(task)]
        assert found(api, **{name: "1"}) == []


def test_tasks_are_found_by_their_instances_tags(api: Api) -> None:
    variables = {"purpose": "参会", "amount": 5, "items": [{"what": "x"}]}
    body = {"processDefinitionId": "expense", "tags": ["urgent", "travel"], "variables": variables}
    started = api("anna").ask("POST", "/process-instances", body)
    assert [item["processInstanceKey"] for item in api("root").search("/user-tasks/search", filter={"tags": ["travel"]})] == [
        started["processInstanceKey"]
    ]
    assert found(api, tags=["travel", "other"]) == []


def test_a_variables_value_that_is_no_json_is_named(api: Api, task: int) -> None:
    body = {"filter": {"processInstanceVariables": [{"name": "purpose", "value": "参会"}]}}
    assert problem(api("root").post("/user-tasks/search", body), 400)["field"] == "filter.processInstanceVariables"


def test_sorted_and_paged_by_cursor(api: Api, engine: Engine, clock: TurnedClock) -> None:
    cases = []
    for amount in (1, 2, 3):
        clock.advance(DAY)
        cases.append(
            engine.submit("expense", {"purpose": f"第{amount}次", "amount": amount, "items": [{"what": "x"}]}, by="anna")
        )
    root = api("root")
    for field in ("creationDate", "dueDate", "businessId"):
        sort = [{"field": field, "order": "DESC"}]
        first = root.ask("POST", "/user-tasks/search", {"sort": sort, "page": {"limit": 2}})
        assert [int(item["processInstanceKey"]) for item in first["items"]] == cases[:0:-1]
        assert first["page"]["totalItems"] == 3
        after = {"limit": 2, "after": first["page"]["endCursor"]}
        assert [int(item["processInstanceKey"]) for item in root.search("/user-tasks/search", sort=sort, page=after)] == cases[:1]


def test_people_find_the_tasks_of_cases_they_may_see(api: Api, task: int) -> None:
    assert keys(api("ben").search("/user-tasks/search")) == [str(task)]  # it is offered to clerks
    assert keys(api("audrey").search("/user-tasks/search")) == [str(task)]
    assert api("dora").search("/user-tasks/search") == []
    problem(api("dora").get(f"/user-tasks/{task}"), 404)


def test_what_may_not_be_known_cannot_be_touched(api: Api, task: int) -> None:
    dora = api("dora")
    for method, path, body in (
        ("POST", "assignment", {"assignee": "dora"}),
        ("DELETE", "assignee", None),
        ("PATCH", "", {"changeset": {"priority": 1}}),
        ("POST", "completion", {"variables": {}}),
        ("GET", "form", None),
        ("POST", "variables/search", {}),
        ("POST", "effective-variables/search", {}),
    ):
        problem(dora.call(method, f"/user-tasks/{task}/{path}".rstrip("/"), body), 404)


def test_a_token_of_another_process_finds_nothing(api: Api, engine: Engine, task: int) -> None:
    def token(process: str) -> str:
        expires_at = engine.clock.now() + DAY
        return commands.issue_token(engine.context, "ben", "test", ["read", "tasks"], expires_at, processes=[process])

    assert keys(api(token=token("expense")).search("/user-tasks/search")) == [str(task)]
    other = api(token=token("expense-other"))
    assert other.search("/user-tasks/search") == []
    problem(other.post(f"/user-tasks/{task}/assignment", {"assignee": "ben"}), 404)


def test_the_form_in_force_when_the_task_was_created(api: Api, task: int) -> None:
    form = api("ben").ask("GET", f"/user-tasks/{task}/form")
    assert (form["formId"], form["version"], form["tenantId"]) == ("expense-check", 1, "<default>")
    assert '"核对意见"' in form["schema"]
    assert form["formKey"] == api("ben").ask("GET", f"/user-tasks/{task}")["formKey"]


def test_candidates_are_found_whether_or_not_somebody_has_the_task(api: Api, engine: Engine, check: int) -> None:
    assert found(api, candidateGroup="clerk") == found(api, candidateGroup="clerk", assignee="ben") == [str(check)]
    engine.complete(check, {"opinion": "齐全"}, by="ben")
    assert found(api, candidateGroup="clerk", state="COMPLETED") == [str(check)]
    assert found(api, candidateGroup="clerk", state="CREATED") == []


def test_ones_own_task_is_found_among_many_of_others(
    api: Api, engine: Engine, check: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_tasks, "SURELY", 0)  # as if thousands of others came first
    assert keys(api("ben").search("/user-tasks/search")) == [str(check)]
    assert keys(api("anna").search("/user-tasks/search")) == [str(check)]  # who started the case
    assert keys(api("chris").search("/user-tasks/search")) == [str(check)]  # an action in it is offered to the chair
    assert api("dora").search("/user-tasks/search") == []


# --- variables --------------------------------------------------------------------------------------------------------


def test_a_tasks_variables_with_those_around_it(api: Api, engine: Engine, case: int, task: int) -> None:
    commands.set_variables(engine.context, case, {"opinion": "草稿", "amount": 5}, "root", scope_key=task)
    ben = api("ben")
    both = ben.search(f"/user-tasks/{task}/variables/search", filter={"name": "amount"}, sort=[{"field": "value"}])
    assert [(item["value"], item["scopeKey"]) for item in both] == [("120.5", str(case)), ("5", str(task))]
    (inner,) = ben.search(f"/user-tasks/{task}/effective-variables/search", filter={"name": {"$in": ["amount"]}})
    assert (inner["value"], inner["scopeKey"], inner["isTruncated"]) == ("5", str(task), False)
    names = [item["name"] for item in ben.search(f"/user-tasks/{task}/effective-variables/search", sort=[{"field": "name"}])]
    assert names == ["amount", "applicant", "items", "opinion", "purpose", "receipts"]


def test_tasks_are_found_by_their_own_variables(api: Api, engine: Engine, case: int, task: int) -> None:
    commands.set_variables(engine.context, case, {"opinion": "草稿"}, "root", scope_key=task)
    assert found(api, localVariables=[{"name": "opinion", "value": '"草稿"'}]) == [str(task)]


# --- handing over -----------------------------------------------------------------------------------------------------


def test_a_candidate_takes_a_task_and_gives_it_back(api: Api, task: int) -> None:
    ben = api("ben")
    ben.ask("POST", f"/user-tasks/{task}/assignment", {"assignee": "ben", "allowOverride": False, "action": "claim"}, 204)
    assert found(api, assignee="ben") == [str(task)]
    ben.ask("POST", f"/user-tasks/{task}/assignment", {"assignee": "ben", "allowOverride": False}, 204)  # it is theirs
    ben.ask("DELETE", f"/user-tasks/{task}/assignee", status=204)
    assert found(api, assignee={"$exists": False}) == [str(task)]


def test_what_somebody_else_has_is_not_taken_from_them(api: Api, engine: Engine, check: int) -> None:
    engine.add_user("cleo", "克", groups=["clerk"], password=PASSWORD)
    refused = problem(api("cleo").post(f"/user-tasks/{check}/assignment", {"assignee": "cleo"}), 409)
    assert "ben" in refused["detail"]
    body = {"assignee": "cleo", "allowOverride": False}
    problem(api("root").post(f"/user-tasks/{check}/assignment", body), 409)
    api("root").ask("POST", f"/user-tasks/{check}/assignment", {"assignee": "cleo"}, 204)
    assert found(api, assignee="cleo") == [str(check)]


def test_who_is_excluded_never_gets_it(api: Api, task: int) -> None:
    for username in ("anna", "root"):
        refused = problem(api(username).post(f"/user-tasks/{task}/assignment", {"assignee": "anna"}), 403)
        assert "利害关系" in refused["detail"]
    problem(api("anna").post(f"/user-tasks/{task}/completion", {"variables": {"opinion": "x"}}), 403)


def test_only_who_has_it_gives_it_back(api: Api, check: int) -> None:
    problem(api("anna").call("DELETE", f"/user-tasks/{check}/assignee"), 403)
    problem(api("root").post(f"/user-tasks/{check}/assignment", {"assignee": "nobody"}), 404)
    assert problem(api("root").post(f"/user-tasks/{check}/assignment", {}), 400)["field"] == "assignee"
    assert problem(api("root").post(f"/user-tasks/{check}/assignment", {"assignee": ""}), 400)["field"] == "assignee"


def test_a_substitute_does_what_the_absent_may(api: Api, engine: Engine, clock: TurnedClock, task: int) -> None:
    problem(api("dora").get(f"/user-tasks/{task}"), 404)
    commands.add_substitution(engine.context, "ben", "dora", clock.now(), clock.now() + DAY, by="root")
    dora = api("dora")
    assert keys(dora.search("/user-tasks/search")) == [str(task)]
    dora.ask("POST", f"/user-tasks/{task}/assignment", {"assignee": "dora"}, 204)
    dora.ask("POST", f"/user-tasks/{task}/completion", {"variables": {"opinion": "代办"}}, 204)
    assert [item.on_behalf_of for item in queries.find_tasks(engine.context, state="COMPLETED")] == ["ben"]


# --- completing -------------------------------------------------------------------------------------------------------


def test_completed_with_variables_exactly_once(api: Api, engine: Engine, case: int, check: int) -> None:
    ben = api("ben")
    ben.ask("POST", f"/user-tasks/{check}/completion", {"variables": {"opinion": "票据齐全"}, "action": "complete"}, 204)
    assert engine.variables(case)["opinion"] == "票据齐全"
    item = ben.ask("GET", f"/user-tasks/{check}")
    assert (item["state"], item["completionDate"]) == ("COMPLETED", "2026-11-20T02:00:00.000Z")
    problem(ben.post(f"/user-tasks/{check}/completion", {"variables": {"opinion": "又一次"}}), 409)
    assert engine.variables(case)["opinion"] == "票据齐全"


def test_a_submission_that_breaks_the_form_names_the_field(api: Api, engine: Engine, case: int, check: int) -> None:
    refused = problem(api("ben").post(f"/user-tasks/{check}/completion", {"variables": {"checked_at": "x"}}), 400)
    assert {item["field"] for item in refused["errors"]} == {"variables.opinion", "variables.checked_at"}
    assert refused["field"] in {"variables.opinion", "variables.checked_at"}
    assert [item.key for item in engine.tasks(instance=case)] == [check]
    problem(api("ben").post(f"/user-tasks/{check}/completion", {}), 400)


def test_a_signed_decision_is_not_completed_here(api: Api, engine: Engine, decision: int) -> None:
    body = {"variables": {"decision": "approve", "reason": "符合规定"}}
    refused = problem(api("chris").post(f"/user-tasks/{decision}/completion", body), 403)
    assert "密码" in refused["detail"]
    assert refused["elementId"] == "decide"


def test_a_suspended_case_is_locked(api: Api, engine: Engine, case: int, check: int) -> None:
    commands.suspend_instance(engine.context, case, "root", "核查")
    for method, path, body in (
        ("POST", "completion", {"variables": {"opinion": "x"}}),
        ("DELETE", "assignee", None),
        ("POST", "assignment", {"assignee": "ben"}),
    ):
        assert "暂停" in problem(api("ben").call(method, f"/user-tasks/{check}/{path}", body), 409)["detail"]


# --- changing ---------------------------------------------------------------------------------------------------------


def test_an_administrator_changes_what_a_task_says(api: Api, engine: Engine, case: int, task: int) -> None:
    root = api("root")
    change = {
        "dueDate": "2026-12-01T08:00:00+08:00",
        "followUpDate": "2026-11-30T00:00:00Z",
        "candidateGroups": ["chair"],
        "candidateUsers": ["dora"],
        "priority": 80,
    }
    root.ask("PATCH", f"/user-tasks/{task}", {"changeset": change, "action": "escalate"}, 204)
    item = root.ask("GET", f"/user-tasks/{task}")
    assert (item["dueDate"], item["followUpDate"]) == ("2026-12-01T00:00:00.000Z", "2026-11-30T00:00:00.000Z")
    assert (item["candidateGroups"], item["candidateUsers"], item["priority"]) == (["chair"], ["dora"], 80)
    assert keys(api("dora").search("/user-tasks/search")) == [str(task)]
    assert api("ben").search("/user-tasks/search") == []
    (event,) = [item for item in engine.journal(case) if item.kind == "TaskChanged"]
    assert (event.actor, event.payload["reason"], event.payload["priority"]) == ("root", "escalate", 80)
    root.ask("PATCH", f"/user-tasks/{task}", {"changeset": {"dueDate": "", "candidateUsers": []}}, 204)
    item = root.ask("GET", f"/user-tasks/{task}")
    assert (item["dueDate"], item["candidateUsers"], item["candidateGroups"]) == (None, [], ["chair"])


def test_only_administrators_change_tasks(api: Api, task: int) -> None:
    problem(api("ben").call("PATCH", f"/user-tasks/{task}", {"changeset": {"priority": 1}}), 403)
    for change, field in (({"priority": 101}, "changeset.priority"), ({"assignee": "x"}, "changeset.assignee")):
        assert problem(api("root").call("PATCH", f"/user-tasks/{task}", {"changeset": change}), 400)["field"] == field


def test_a_new_due_date_moves_the_task_in_the_inbox(api: Api, engine: Engine, clock: TurnedClock, task: int) -> None:
    api("root").ask("PATCH", f"/user-tasks/{task}", {"changeset": {"dueDate": "2026-11-20T02:30:00Z"}}, 204)
    clock.advance(timedelta(hours=1))
    assert [item.key for item in queries.inbox(engine.context, "ben", "overdue").tasks] == [task]
