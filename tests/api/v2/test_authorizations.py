"""Authorizations through /v2: the roles' and the candidate starters', worked out, read only."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]
PATH = "/authorizations/search"


def test_starters_of_a_process_are_authorized_by_its_model(api: Api) -> None:
    root = api("root")
    (found,) = root.search(PATH, filter={"ownerType": "GROUP", "resourceIds": ["expense", "other"]})
    assert (found["ownerId"], found["resourceType"], found["permissionTypes"]) == (
        "clerk",
        "PROCESS_DEFINITION",
        ["CREATE_PROCESS_INSTANCE"],
    )
    assert root.ask("GET", f"/authorizations/{found['authorizationKey']}") == found
    problem(root.get("/authorizations/1"), 404)


def test_roles_have_theirs_on_everything(api: Api) -> None:
    root = api("root")
    found = root.search(PATH, filter={"ownerId": "auditor"}, sort=[{"field": "resourceType"}])
    assert [item["resourceType"] for item in found] == ["AUDIT_LOG", "DECISION_DEFINITION", "PROCESS_DEFINITION"]
    assert {(item["ownerType"], item["resourceId"]) for item in found} == {("ROLE", "*")}
    assert root.search(PATH, filter={"resourcePropertyNames": ["assignee"]}) == []


def test_everybody_sees_their_own_and_administrators_all(api: Api) -> None:
    mine = "/authentication/me/authorizations/search"
    assert [item["ownerId"] for item in api("anna").search(mine)] == ["clerk"]
    assert {item["ownerId"] for item in api("audrey").search(mine)} == {"auditor"}
    assert api("dora").search(mine) == []
    for who in ("anna", "audrey"):
        problem(api(who).post(PATH), 403)
        problem(api(who).get("/authorizations/1"), 403)


def test_what_is_written_down_nowhere_is_not_written(api: Api) -> None:
    problem(api("root").post("/authorizations", {}), 501)
    problem(api("root").call("DELETE", "/authorizations/1"), 501)
    assert problem(api("root").post(PATH, {"filter": {"ownerType": "NOBODY"}}), 400)["field"] == "filter.ownerType"
