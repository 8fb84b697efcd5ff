"""Element instances over /v2: live and past, their incidents, what people choose in ad-hoc sub-processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import commands
from engine.facade import Engine
from webui.v2 import element_instances

from .. import model
from ..conftest import PASSWORD
from . import ad_hoc
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]
BEHIND = {"opinion": "票据齐全"}


def ids(items: list[Any]) -> list[str]:
    return [item["elementId"] for item in items]


def search(api: Api, case: int, who: str = "anna", **filter_: Any) -> list[Any]:
    return api(who).search("/element-instances/search", filter={"processInstanceKey": str(case), **filter_})


def test_live_and_past_in_order(api: Api, engine: Engine, case: int, check: int) -> None:
    found = search(api, case)
    assert [(item["elementId"], item["type"], item["state"]) for item in found] == [
        ("expense", "PROCESS", "ACTIVE"),
        ("start", "START_EVENT", "COMPLETED"),
        ("check", "USER_TASK", "ACTIVE"),
    ] or ids(found)[0] == "expense"
    task = next(item for item in found if item["elementId"] == "check")
    assert (task["elementInstanceKey"], task["elementName"], task["endDate"]) == (str(check), "核对票据", None)
    assert (task["hasIncident"], task["incidentKey"], task["processDefinitionId"]) == (False, None, "expense")
    engine.complete(check, BEHIND, by="ben")
    (task,) = search(api, case, elementId="check")
    assert (task["state"], task["endDate"]) == ("COMPLETED", "2026-11-20T02:00:00.000Z")


@pytest.mark.parametrize(
    "filter_",
    [
        {"elementId": "check"},
        {"elementId": {"$like": "che*"}},
        {"type": "USER_TASK"},
        {"type": "USER_TASK", "state": "ACTIVE"},
        {"elementName": "核对票据"},
        {"elementId": {"$in": ["check", "x"]}, "hasIncident": False, "endDate": {"$exists": False}},
        {"elementId": "check", "startDate": {"$lte": "2026-11-20T02:00:00Z"}},
        {"$or": [{"elementId": "check"}, {"elementId": "nothing"}]},
    ],
)
def test_filters(api: Api, case: int, check: int, filter_: dict[str, Any]) -> None:
    assert ids(search(api, case, **filter_)) == ["check"]


def test_by_scope_and_by_key(api: Api, case: int, check: int) -> None:
    anna = api("anna")
    inner = anna.search("/element-instances/search", filter={"elementInstanceScopeKey": str(case)})
    assert "check" in ids(inner)
    assert "expense" not in ids(inner)
    assert ids(anna.search("/element-instances/search", filter={"elementInstanceKey": str(check)})) == ["check"]
    assert anna.search("/element-instances/search", filter={"elementInstanceKey": "1"}) == []


def test_got_by_key_even_when_past(api: Api, case: int) -> None:
    for item in search(api, case):
        assert api("anna").ask("GET", f"/element-instances/{item['elementInstanceKey']}") == item
        problem(api("dora").get(f"/element-instances/{item['elementInstanceKey']}"), 404)
    problem(api("anna").get("/element-instances/12"), 404)


def test_strangers_find_nothing(api: Api, case: int) -> None:
    assert search(api, case, "dora") == []
    assert api("dora").search("/element-instances/search") == []


def test_without_a_process_instance_few_cases_are_looked_through(api: Api, case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "check" in ids(api("anna").search("/element-instances/search", filter={"processDefinitionId": "expense"}))
    monkeypatch.setattr(element_instances, "_CASES", 0)
    assert problem(api("anna").post("/element-instances/search", {}), 400)["field"] == "filter.processInstanceKey"


def test_sorted_and_paged(api: Api, case: int, check: int) -> None:
    anna = api("anna")
    body = {"filter": {"processInstanceKey": str(case)}, "sort": [{"field": "elementId", "order": "DESC"}], "page": {"limit": 1}}
    first = anna.ask("POST", "/element-instances/search", body)
    everything = sorted(ids(search(api, case)), reverse=True)
    assert ids(first["items"]) == everything[:1]
    assert first["page"]["totalItems"] == len(everything)
    after = anna.ask("POST", "/element-instances/search", {**body, "page": {"limit": 1, "after": first["page"]["endCursor"]}})
    assert ids(after["items"]) == everything[1:2]


def test_incidents_in_an_element_and_in_what_is_around_it(api: Api, engine: Engine) -> None:
    engine.deploy(model.resources(pay="=function(x) x", version=2), by="root")  # no value that can be stored
    data = {"purpose": "参会", "amount": 5, "items": [{"what": "x"}]}
    case = engine.submit("expense", data, by="anna")
    engine.complete(engine.tasks(instance=case)[0].key, BEHIND, by="ben")
    task = engine.tasks(instance=case)[0].key
    commands.complete_task(engine.context, task, {"decision": "approve", "reason": "可以"}, "chris", password=PASSWORD)
    (pay,) = search(api, case, elementId="pay")
    assert pay["hasIncident"]
    assert search(api, case, type="PROCESS")[0]["incidentKey"] == pay["incidentKey"]
    for key in (pay["elementInstanceKey"], str(case)):
        (incident,) = api("anna").search(f"/element-instances/{key}/incidents/search")
        assert (incident["incidentKey"], incident["state"], incident["elementId"]) == (pay["incidentKey"], "ACTIVE", "pay")
        assert api("anna").search(f"/element-instances/{key}/incidents/search", filter={"state": "RESOLVED"}) == []
    assert api("anna").search(f"/element-instances/{task}/incidents/search") == []
    problem(api("dora").post(f"/element-instances/{case}/incidents/search", {}), 404)


# --- ad-hoc sub-processes ---------------------------------------------------------------------------------------------


def test_people_start_what_is_offered_to_them(api: Api, engine: Engine) -> None:
    case, key = ad_hoc.start(engine)
    path = f"/element-instances/ad-hoc-activities/{key}/activation"
    problem(api("dora").post(path, {"elements": [{"elementId": "call"}]}), 404)
    problem(api("chris").post(path, {"elements": [{"elementId": "call"}]}), 403)
    api("ben").ask("POST", path, {"elements": [{"elementId": "call"}, {"elementId": "visit"}]}, 204)
    assert sorted(item.element_id for item in engine.tasks(instance=case)) == ["call", "visit", "wait"]
    problem(api("ben").post(path, {"elements": [{"elementId": "nothing"}]}), 400)
    problem(api("ben").post(path, {"elements": []}), 400)


def test_what_ad_hoc_activation_does_not_do_is_said(api: Api, engine: Engine) -> None:
    _, key = ad_hoc.start(engine)
    path = f"/element-instances/ad-hoc-activities/{key}/activation"
    body: dict[str, Any] = {"elements": [{"elementId": "call", "variables": {"x": 1}}]}
    assert problem(api("ben").post(path, body), 501)["field"] == "elements[0].variables"
    body = {"elements": [{"elementId": "call"}], "cancelRemainingInstances": True}
    assert problem(api("ben").post(path, body), 501)["field"] == "cancelRemainingInstances"
    problem(api("ben").post("/element-instances/ad-hoc-activities/12/activation", {"elements": [{"elementId": "call"}]}), 404)
