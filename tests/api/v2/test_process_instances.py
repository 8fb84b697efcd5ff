"""Process instances through /v2: start, search, get, cancel, and where they stood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.clock import TurnedClock
from engine.facade import Engine
from engine.queries import process_search
from engine.store.outages import UNAVAILABLE

from .conftest import ApiClient
from .test_foundation import problem
from .test_tokens import issue

Api = Callable[..., ApiClient]
FORM = {"purpose": "参会", "amount": 120.5, "items": [{"what": "车票", "price": 100}], "receipts": None}

STRAIGHT = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  id="d" targetNamespace="x" xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="Camunda Cloud"
  modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="straight" name="直通" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:sequenceFlow id="to-sum" sourceRef="start" targetRef="sum" />
    <bpmn:scriptTask id="sum"><bpmn:extensionElements>
      <zeebe:script expression="=a + 1" resultVariable="b" />
    </bpmn:extensionElements></bpmn:scriptTask>
    <bpmn:sequenceFlow id="to-end" sourceRef="sum" targetRef="end" />
    <bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>"""


@pytest.fixture
def straight(engine: Engine) -> str:
    """A process that needs nobody."""
    engine.deploy({"straight.bpmn": STRAIGHT}, by="root")
    return "straight"


def start(client: ApiClient, **more: object) -> str:
    """Start an expense claim as somebody; return its key."""
    body = {"processDefinitionId": "expense", "variables": FORM, **more}
    key = client.ask("POST", "/process-instances", body)["processInstanceKey"]
    assert isinstance(key, str)
    return key


def test_a_clerk_starts_what_the_clerk_may_start(api: Api, engine: Engine) -> None:
    body = {"processDefinitionId": "expense", "variables": FORM, "tags": ["urgent"], "businessId": "B-1"}
    found = api("anna").ask("POST", "/process-instances", body)
    assert found["processDefinitionId"] == "expense"
    assert found["processDefinitionVersion"] == 1
    assert (found["tags"], found["businessId"], found["variables"]) == (["urgent"], "B-1", {})
    assert engine.instance(int(found["processInstanceKey"])).started_by == "anna"


def test_whom_it_is_not_offered_to_may_not(api: Api) -> None:
    problem(api("chris").post("/process-instances", {"processDefinitionId": "expense", "variables": FORM}), 403)


def test_the_start_form_is_checked_for_people(api: Api) -> None:
    found = problem(api("anna").post("/process-instances", {"processDefinitionId": "expense", "variables": {}}), 400)
    assert "purpose" in {item["field"] for item in found["errors"]}


@pytest.mark.parametrize(
    "more", [{"startInstructions": [{"elementId": "decide"}]}, {"processDefinitionId": "expense", "processDefinitionVersion": 1}]
)
def test_only_administrators_choose_place_and_version(api: Api, engine: Engine, more: dict[str, object]) -> None:
    from .. import model

    engine.deploy(model.resources() | {"expense.bpmn": model.bpmn(version=2)}, by="root")
    body = {"processDefinitionId": "expense", "variables": FORM, **more}
    problem(api("anna").post("/process-instances", body), 403)
    key = int(api("root").ask("POST", "/process-instances", body)["processInstanceKey"])
    assert engine.tasks(instance=key)[0].element_id == ("decide" if "startInstructions" in more else "check")


def test_by_key_and_by_an_unknown_key(api: Api, engine: Engine) -> None:
    key = engine.definition_key("expense")
    found = api("anna").ask("POST", "/process-instances", {"processDefinitionKey": str(key), "variables": FORM})
    assert found["processDefinitionKey"] == str(key)
    problem(api("root").post("/process-instances", {"processDefinitionKey": "1"}), 404)
    problem(api("root").post("/process-instances", {"processDefinitionId": "nothing"}), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"processDefinitionId": "expense", "processDefinitionKey": "1"}, None),
        ({"processDefinitionId": 7}, "processDefinitionId"),
        ({"processDefinitionKey": 7}, "processDefinitionKey"),
        ({"processDefinitionKey": "x"}, "processDefinitionKey"),
        ({"processDefinitionId": "expense", "variables": []}, "variables"),
        ({"processDefinitionId": "expense", "awaitCompletion": "yes"}, "awaitCompletion"),
        ({"processDefinitionId": "expense", "colour": "red"}, "colour"),
        ({"processDefinitionId": "expense", "tenantId": "other"}, "tenantId"),
        ({"processDefinitionId": "expense", "startInstructions": [{"elementId": 1}]}, "startInstructions[0].elementId"),
        ({"processDefinitionId": "expense", "tags": ["!"]}, "tags"),
    ],
)
def test_a_wrong_request_names_the_field(api: Api, body: dict[str, object], field: str | None) -> None:
    found = problem(api("root").post("/process-instances", body), 400)
    assert found.get("field") in {field, ""} if field is None else found["field"] == field


def test_runtime_instructions_are_refused_by_name(api: Api) -> None:
    body = {
        "processDefinitionId": "expense",
        "runtimeInstructions": [{"type": "TERMINATE_PROCESS_INSTANCE", "afterElementId": "x"}],
    }
    assert problem(api("root").post("/process-instances", body), 501)["field"] == "runtimeInstructions"


def test_a_completion_is_awaited_with_exact_variables(api: Api, straight: str) -> None:
    body = {"processDefinitionId": straight, "awaitCompletion": True, "variables": {"a": 0.1, "c": 1}}
    assert str(api("root").ask("POST", "/process-instances", body)["variables"]["b"]) == "1.1"
    found = api("root").ask("POST", "/process-instances", {**body, "fetchVariables": ["c"]})
    assert found["variables"] == {"c": 1}


def test_a_completion_that_does_not_come_is_504(api: Api) -> None:
    body = {"processDefinitionId": "expense", "variables": FORM, "awaitCompletion": True, "requestTimeout": 20}
    found = problem(api("root").post("/process-instances", body), 504)
    assert api("root").ask("GET", f"/process-instances/{found['processInstanceKey']}")["state"] == "ACTIVE"


def test_a_repeated_request_gives_the_first_answer(api: Api) -> None:
    client = api("anna")
    client.headers["Idempotency-Key"] = "once"
    assert start(client, tags=["a"]) == start(client, tags=["a"])
    assert len(client.search("/process-instances/search")) == 1


def test_search_by_plain_values_and_operators(api: Api, engine: Engine, clock: TurnedClock) -> None:
    root = api("root")
    first = start(root, businessId="A-1", tags=["red"])
    clock.advance(timedelta(hours=1))
    second = start(root, businessId="A_2", variables=FORM | {"colour": "blue", "n": 1.5})
    engine.suspend(int(second), by="root", reason="x")

    def keys(**wanted: object) -> list[str]:
        return [item["processInstanceKey"] for item in root.search("/process-instances/search", filter=wanted)]

    assert keys() == [first, second]
    assert keys(processInstanceKey=first) == [first]
    assert keys(processInstanceKey={"$in": [first, "1"]}) == [first]
    assert keys(processInstanceKey={"$notIn": [first]}) == [second]
    assert keys(state="ACTIVE") == [first]
    assert keys(state={"$in": ["SUSPENDED", "COMPLETED"]}) == [second]
    assert keys(businessId={"$like": "A_?"}) == [second]
    assert keys(businessId={"$like": "A*"}) == [first, second]
    assert keys(businessId={"$neq": "A-1"}) == [second]
    assert keys(suspendedDate={"$exists": False}) == [first]
    assert keys(startDate={"$gt": "2026-11-20T10:30:00+08:00"}) == [second]
    assert keys(startDate={"$lte": "2026-11-20T02:00:00Z"}) == [first]
    assert keys(tags=["red"]) == [first]
    assert keys(variables=[{"name": "colour", "value": '"blue"'}]) == [second]
    assert keys(variables=[{"name": "n", "value": {"$in": ["1.5", "7"]}}]) == [second]
    assert keys(elementId="check", elementInstanceState="ACTIVE") == [first, second]
    assert keys(hasIncident=True) == []
    assert keys(processDefinitionVersion={"$gte": 1}, tenantId="<default>") == [first, second]
    assert keys(**{"$or": [{"businessId": "A-1"}, {"state": "SUSPENDED"}]}) == [first, second]
    assert keys(state="ACTIVE", **{"$or": [{"businessId": "A_2"}, {"tags": ["red"]}]}) == [first]


def test_pages_by_cursor_cover_everything_once_in_both_directions(api: Api, clock: TurnedClock) -> None:
    root = api("root")
    made = []
    for number in range(5):
        made.append(start(root, businessId=None if number % 2 else "same"))
        clock.advance(60)
    for sort in ([], [{"field": "businessId", "order": "DESC"}], [{"field": "endDate"}, {"field": "startDate", "order": "DESC"}]):
        whole = [item["processInstanceKey"] for item in root.search("/process-instances/search", sort=sort)]
        assert sorted(whole) == sorted(made)
        forward: list[str] = []
        page: dict[str, object] = {"limit": 2}
        while True:
            found = root.ask("POST", "/process-instances/search", {"sort": sort, "page": page})
            if not found["items"]:
                break
            assert found["page"]["totalItems"] == 5
            forward += [item["processInstanceKey"] for item in found["items"]]
            page = {"limit": 2, "after": found["page"]["endCursor"]}
            last = found["page"]["startCursor"]
        assert forward == whole
        before = root.ask("POST", "/process-instances/search", {"sort": sort, "page": {"limit": 2, "before": last}})
        assert [item["processInstanceKey"] for item in before["items"]] == whole[2:4]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"page": {"after": "!"}}, "page.after"),
        ({"page": {"after": "bm90IGpzb24"}}, "page.after"),
        ({"page": {"after": "WzEsMl0="}}, "page"),
        ({"page": {"after": "WyJ4Il0="}}, "page"),
        ({"page": {"limit": -1}}, "page.limit"),
        ({"page": {"limit": 10001}}, "page.limit"),
        ({"page": {"limit": "1"}}, "page.limit"),
        ({"page": {"from": 1, "after": "WzFd"}}, "page"),
        ({"sort": [{"field": "colour"}]}, "sort[0].field"),
        ({"sort": [{"field": "state", "order": "UP"}]}, "sort[0].order"),
        ({"filter": {"processInstanceKey": 7}}, "filter.processInstanceKey"),
        ({"filter": {"processInstanceKey": {"$in": ["1", "x"]}}}, "filter.processInstanceKey.$in[1]"),
        ({"filter": {"processInstanceKey": {"$gt": "1"}}}, "filter.processInstanceKey.$gt"),
        ({"filter": {"state": "GONE"}}, "filter.state"),
        ({"filter": {"startDate": "2026-11-20T10:00:00"}}, "filter.startDate"),
        ({"filter": {"startDate": "2026-13-20T10:00:00Z"}}, "filter.startDate"),
        ({"filter": {"variables": [{"name": "a", "value": "not json"}]}}, "filter.variables"),
        ({"filter": {"$or": [{"colour": "red"}]}}, "filter.$or[0].colour"),
        ({"filters": {}}, "filters"),
        ([], ""),
    ],
)
def test_a_wrong_search_names_the_field(api: Api, body: object, field: str) -> None:
    found = problem(api("root").post("/process-instances/search", body), 400)
    assert found.get("field", "") == field


@pytest.mark.parametrize("name", ["batchOperationKey", "hasRetriesLeft", "elementId"])
def test_filters_that_we_do_not_have_are_501(api: Api, name: str) -> None:
    assert problem(api("root").post("/process-instances/search", {"filter": {name: "x"}}), 501)["field"] == f"filter.{name}"


def test_a_person_finds_what_the_person_may_see(api: Api, case: int) -> None:
    assert [item["processInstanceKey"] for item in api("anna").search("/process-instances/search")] == [str(case)]
    assert api("ben").search("/process-instances/search")  # it is offered to the clerks
    assert api("dora").search("/process-instances/search") == []
    problem(api("dora").get(f"/process-instances/{case}"), 404)
    for part in ("sequence-flows", "call-hierarchy", "statistics/element-instances"):
        problem(api("dora").get(f"/process-instances/{case}/{part}"), 404)
    problem(api("dora").post(f"/process-instances/{case}/incidents/search", {}), 404)


def test_a_confined_token_knows_its_processes_alone(api: Api, engine: Engine, straight: str) -> None:
    start(api("root"))
    client = api(token=issue(engine, "root", "read", "start", processes=["straight"]))
    assert client.search("/process-instances/search") == []
    assert [item["processDefinitionId"] for item in client.search("/process-definitions/search")] == ["straight"]
    problem(client.post("/process-instances", {"processDefinitionId": "expense", "variables": FORM}), 404)
    client.ask("POST", "/process-instances", {"processDefinitionId": straight, "variables": {"a": 1}})
    assert len(client.search("/process-instances/search")) == 1
    problem(client.post("/process-instances/1/cancellation", {}), 403)


def test_cancellation(api: Api, case: int, engine: Engine) -> None:
    problem(api("anna").post(f"/process-instances/{case}/cancellation", {}), 403)
    api("root").ask("POST", f"/process-instances/{case}/cancellation", status=204)
    found = api("root").ask("GET", f"/process-instances/{case}")
    assert found["state"] == "TERMINATED"
    assert found["endDate"].endswith("Z")
    problem(api("root").post(f"/process-instances/{case}/cancellation", {}), 409)
    problem(api("root").post("/process-instances/1/cancellation", {}), 404)


def test_where_it_stands(api: Api, case: int) -> None:
    flows = api("anna").ask("GET", f"/process-instances/{case}/sequence-flows")["items"]
    assert [item["elementId"] for item in flows] == ["start-check"]
    counts = api("anna").ask("GET", f"/process-instances/{case}/statistics/element-instances")["items"]
    assert {item["elementId"]: (item["active"], item["completed"]) for item in counts} == {"start": (0, 1), "check": (1, 0)}
    hierarchy = api("anna").ask("GET", f"/process-instances/{case}/call-hierarchy")
    assert [item["processInstanceKey"] for item in hierarchy] == [str(case)]


def test_statistics_of_a_definition_count_what_the_person_may_see(api: Api, case: int, engine: Engine) -> None:
    other = start(api("root"))
    engine.cancel(int(other), by="root", reason="x")
    place = f"/process-definitions/{engine.definition_key('expense')}/statistics/element-instances"
    counts = {item["elementId"]: item for item in api("root").ask("POST", place, {})["items"]}
    assert (counts["start"]["completed"], counts["check"]["active"], counts["check"]["canceled"]) == (2, 1, 1)
    counts = {item["elementId"]: item for item in api("root").ask("POST", place, {"filter": {"state": "ACTIVE"}})["items"]}
    assert (counts["check"]["active"], counts["check"]["canceled"]) == (1, 0)
    assert api("dora").ask("POST", place, {})["items"] == []
    problem(api("root").post("/process-definitions/1/statistics/element-instances", {}), 404)


def test_a_database_that_does_not_answer_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise UNAVAILABLE[0]("SELECT 1", {}, Exception("database is locked"))

    client = api("root")
    client.get("/topology")
    monkeypatch.setattr(process_search, "search_process_instances", locked)
    response = client.post("/process-instances/search", {})
    problem(response, 503)
    assert response.headers["Retry-After"] == "1"
