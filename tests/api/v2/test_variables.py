"""Variables over /v2: searched, read, set in a scope or outwards; what is hidden stays hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import commands
from engine.facade import Engine

from . import rounds
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]


def values(items: list[Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in items}


def test_values_are_json_texts(api: Api, case: int) -> None:
    found = api("anna").search("/variables/search", filter={"processInstanceKey": str(case)}, sort=[{"field": "name"}])
    told = values(found)
    assert (told["purpose"], told["amount"], told["receipts"], told["applicant"]) == ('"参会"', "120.5", "null", '"anna"')
    assert {item["scopeKey"] for item in found} == {item["rootProcessInstanceKey"] for item in found} == {str(case)}


@pytest.mark.parametrize(
    "filter_",
    [
        {"name": "purpose"},
        {"name": {"$like": "pur*"}},
        {"value": '"参会"'},
        {"value": {"$like": '"参*'}},
        {"value": {"$in": ['"参会"']}},
        {"name": {"$in": ["purpose"]}, "isTruncated": False},
        {"name": "purpose", "tenantId": "<default>"},
    ],
)
def test_filters(api: Api, case: int, filter_: dict[str, Any]) -> None:
    assert [item["name"] for item in api("anna").search("/variables/search", filter=filter_)] == ["purpose"]


def test_a_variable_is_found_by_its_key(api: Api, engine: Engine, case: int) -> None:
    anna = api("anna")
    (item,) = anna.search("/variables/search", filter={"name": "amount"})
    key = item["variableKey"]
    one = anna.ask("GET", f"/variables/{key}")
    assert one == {name: value for name, value in item.items() if name != "isTruncated"}
    assert anna.search("/variables/search", filter={"variableKey": {"$in": [key]}}) == [item]
    problem(api("dora").get(f"/variables/{key}"), 404)
    problem(anna.get(f"/variables/{int(key) + 1}"), 404)
    problem(anna.get("/variables/x"), 400)
    problem(anna.get(f"/variables/{'9' * 25}"), 404)


def test_large_values_are_cut_unless_asked_for(api: Api, engine: Engine, case: int) -> None:
    text = "字" * 9_000
    commands.set_variables(engine.context, case, {"long": text}, "root")
    anna = api("anna")
    (item,) = anna.search("/variables/search", filter={"isTruncated": True})
    assert (item["name"], len(item["value"]), item["isTruncated"]) == ("long", 8191, True)
    whole = anna.ask("POST", "/variables/search?truncateValues=false", {"filter": {"name": "long"}})["items"][0]
    assert (whole["value"], whole["isTruncated"]) == (f'"{text}"', False)
    assert anna.ask("GET", f"/variables/{item['variableKey']}")["value"] == f'"{text}"'
    assert anna.search("/variables/search", filter={"value": f'"{text[:3000]}"'}) == []


def test_pages_by_cursor(api: Api, case: int) -> None:
    anna, seen = api("anna"), []
    page: dict[str, Any] = {"limit": 2}
    while items := (answer := anna.ask("POST", "/variables/search", {"page": page}))["items"]:
        seen += [item["name"] for item in items]
        page = {"limit": 2, "after": answer["page"]["endCursor"]}
    assert seen == sorted(seen) == ["amount", "applicant", "items", "purpose", "receipts"]


def test_strangers_find_nothing(api: Api, case: int) -> None:
    assert api("dora").search("/variables/search") == []


def test_set_here_or_outwards(api: Api, engine: Engine, case: int) -> None:
    root, task = api("root"), engine.tasks(instance=case)[0].key
    root.ask("PUT", f"/element-instances/{task}/variables", {"variables": {"amount": 7, "note": "x"}, "local": True}, 204)
    assert values(root.search("/variables/search", filter={"scopeKey": str(task)})) == {"amount": "7", "note": '"x"'}
    body = {"variables": {"amount": 8, "purpose": "改", "fresh": 1}}
    root.ask("PUT", f"/element-instances/{task}/variables", body, 204)
    own = {"amount": "8", "note": '"x"'}
    assert values(root.search("/variables/search", filter={"scopeKey": str(task)})) == own
    outer = values(root.search("/variables/search", filter={"scopeKey": str(case)}))
    assert (outer["amount"], outer["purpose"], outer["fresh"]) == ("120.5", '"改"', "1")
    root.ask("PUT", f"/element-instances/{case}/variables", {"variables": {"amount": 9}}, 204)
    assert engine.variables(case)["amount"] == 9


def test_only_administrators_set_variables(api: Api, engine: Engine, case: int) -> None:
    body = {"variables": {"amount": 1}}
    problem(api("anna").call("PUT", f"/element-instances/{case}/variables", body), 403)
    problem(api("dora").call("PUT", f"/element-instances/{case}/variables", body), 404)
    assert problem(api("root").call("PUT", f"/element-instances/{case}/variables", {}), 400)["field"] == "variables"
    problem(api("root").call("PUT", f"/element-instances/{case}/variables", {"variables": {"#x": 1}}), 400)
    engine.cancel(case, by="root", reason="x")
    problem(api("root").call("PUT", f"/element-instances/{case}/variables", body), 409)


# --- hidden scopes ----------------------------------------------------------------------------------------------------


def test_a_blind_round_is_hidden_from_all_but_its_members(api: Api, engine: Engine) -> None:
    instance, task = rounds.start(engine)
    for username, seen in (("ben", True), ("audrey", True), ("chris", False), ("root", False)):
        client = api(username)
        found = values(client.search("/variables/search", filter={"processInstanceKey": str(instance)}))
        assert ("score" in found) == seen, username
        by_value = client.search("/user-tasks/search", filter={"localVariables": [{"name": "mark", "value": "3"}]})
        assert bool(by_value) == seen, username
        path = f"/user-tasks/{task}/effective-variables/search"
        assert ({"score", "mark"} <= values(client.search(path)).keys()) == seen, username
