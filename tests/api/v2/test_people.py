"""Users, groups, roles and the tenant through /v2: as on the pages, administrators alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.facade import Engine

from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]


def test_users_are_searched(api: Api) -> None:
    root = api("root")
    found = root.search("/users/search", filter={"username": {"$like": "a*"}}, sort=[{"field": "username", "order": "DESC"}])
    assert found == [
        {"username": "audrey", "name": "审计甲", "email": None},
        {"username": "anna", "name": "安娜", "email": None},
    ]
    either = {"$or": [{"username": "ben"}, {"name": "外人"}]}
    assert [item["username"] for item in root.search("/users/search", filter=either)] == ["ben", "dora"]
    assert root.ask("GET", "/users/ben")["name"] == "本"
    problem(root.get("/users/nobody"), 404)


def test_a_user_is_added_changed_and_signs_in(engine: Engine, api: Api) -> None:
    root = api("root")
    body = {"username": "eva", "password": "correct horse", "name": "伊娃", "email": "eva@example.org"}
    assert root.ask("POST", "/users", body, status=201) == {"username": "eva", "name": "伊娃", "email": "eva@example.org"}
    assert api("eva").get("/topology").status_code == 200
    problem(root.post("/users", body), 409)
    assert problem(root.post("/users", {"username": "e", "password": "short"}), 400)["detail"]
    changed = root.ask("PUT", "/users/eva", {"name": "夏娃"})
    assert changed == {"username": "eva", "name": "夏娃", "email": "eva@example.org"}
    assert root.ask("PUT", "/users/eva", {"email": ""})["email"] is None
    root.ask("PUT", "/users/eva", {"password": "another password"})
    assert api("eva").get("/topology").status_code == 401
    problem(root.call("PUT", "/users/nobody", {"name": "x"}), 404)
    problem(root.call("DELETE", "/users/eva"), 501)


def test_groups_are_added_renamed_and_filled(engine: Engine, api: Api) -> None:
    root = api("root")
    made = root.ask("POST", "/groups", {"groupId": "panel", "name": "评审组"}, status=201)
    assert made == {"groupId": "panel", "name": "评审组", "description": None}
    problem(root.post("/groups", {"groupId": "panel", "name": "又一个"}), 409)
    problem(root.post("/groups", {"groupId": "a b", "name": "x"}), 400)
    assert problem(root.post("/groups", {"groupId": "x", "name": "x", "description": "?"}), 501)["field"] == "description"
    assert root.ask("PUT", "/groups/panel", {"name": "专家组"})["name"] == "专家组"
    problem(root.call("PUT", "/groups/nothing", {"name": "x"}), 404)
    root.ask("PUT", "/groups/panel/users/ben", status=204)
    root.ask("PUT", "/groups/panel/users/dora", status=204)
    problem(root.call("PUT", "/groups/panel/users/ben"), 409)
    problem(root.call("PUT", "/groups/panel/users/nobody"), 404)
    problem(root.call("PUT", "/groups/nothing/users/ben"), 404)
    assert root.search("/groups/panel/users/search", sort=[{"field": "username"}]) == [{"username": "ben"}, {"username": "dora"}]
    assert next(item.groups for item in engine.users() if item.username == "ben") == ("clerk", "panel")
    root.ask("DELETE", "/groups/panel/users/ben", status=204)
    problem(root.call("DELETE", "/groups/panel/users/ben"), 404)
    assert next(item.groups for item in engine.users() if item.username == "ben") == ("clerk",)
    assert [item["groupId"] for item in root.search("/groups/search", filter={"name": {"$in": ["专家组", "经办"]}})] == [
        "clerk",
        "panel",
    ]
    problem(root.post("/groups/nothing/users/search"), 404)


def test_an_english_name_stays_when_a_group_is_renamed(engine: Engine, api: Api) -> None:
    engine.add_group("clerk", "经办", "Clerks")
    api("root").ask("PUT", "/groups/clerk", {"name": "办事员"})
    assert [(item.name, item.name_en) for item in engine.groups() if item.id == "clerk"] == [("办事员", "Clerks")]


def test_roles_are_groups_of_the_same_id(engine: Engine, api: Api) -> None:
    root = api("root")
    assert [item["roleId"] for item in root.search("/roles/search", sort=[{"field": "roleId"}])] == ["admin", "auditor"]
    assert root.ask("GET", "/roles/auditor")["name"] == "Auditor"
    problem(root.get("/roles/clerk"), 404)
    assert root.search("/roles/auditor/users/search") == [{"username": "audrey"}]
    assert root.search("/roles/auditor/groups/search") == [{"groupId": "auditor"}]
    root.ask("PUT", "/roles/auditor/users/dora", status=204)
    assert [item["username"] for item in root.search("/groups/auditor/users/search")] == ["audrey", "dora"]
    root.ask("DELETE", "/roles/auditor/users/dora", status=204)
    assert [item["roleId"] for item in root.search("/groups/admin/roles/search")] == ["admin"]
    assert root.search("/groups/clerk/roles/search") == []


def test_nobody_takes_themselves_out_of_the_administrators(engine: Engine, api: Api) -> None:
    root = api("root")
    problem(root.call("DELETE", "/groups/admin/users/root"), 400)
    problem(root.call("DELETE", "/roles/admin/users/root"), 400)
    assert root.search("/groups/admin/users/search") == [{"username": "root"}]


def test_there_is_one_tenant(api: Api) -> None:
    anna, root = api("anna"), api("root")
    assert [item["tenantId"] for item in anna.search("/tenants/search")] == ["<default>"]
    assert anna.search("/tenants/search", filter={"tenantId": "other"}) == []
    assert anna.ask("GET", "/tenants/%3Cdefault%3E")["name"] == "Default"
    problem(anna.get("/tenants/other"), 404)
    assert len(root.search("/tenants/%3Cdefault%3E/users/search")) == 6
    assert {item["groupId"] for item in root.search("/tenants/%3Cdefault%3E/groups/search")} == {
        "admin",
        "auditor",
        "clerk",
        "chair",
    }
    assert len(root.search("/tenants/%3Cdefault%3E/roles/search")) == 2
    problem(root.post("/tenants", {"tenantId": "x", "name": "x"}), 501)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/search"),
        ("GET", "/users/ben"),
        ("PUT", "/users/ben"),
        ("POST", "/groups/search"),
        ("GET", "/groups/clerk"),
        ("POST", "/groups/clerk/users/search"),
        ("POST", "/groups/clerk/roles/search"),
        ("PUT", "/groups/clerk/users/dora"),
        ("DELETE", "/groups/clerk/users/ben"),
        ("POST", "/roles/admin/users/search"),
        ("POST", "/roles/admin/groups/search"),
        ("PUT", "/roles/admin/users/anna"),
        ("POST", "/tenants/%3Cdefault%3E/users/search"),
        ("POST", "/tenants/%3Cdefault%3E/groups/search"),
    ],
)
def test_people_are_for_administrators(method: str, path: str, engine: Engine, api: Api) -> None:
    before = engine.users()
    for who in ("anna", "audrey"):
        problem(api(who).call(method, path, {} if method != "GET" else None), 403)
    assert engine.users() == before


def test_what_is_missing_or_wrong_is_named(api: Api) -> None:
    root = api("root")
    assert problem(root.post("/users", {"username": "eva"}), 400)["field"] == "password"
    problem(root.post("/users", {"username": "a b", "password": "correct horse"}), 400)
    problem(api("anna").post("/users", {"username": "eva", "password": "correct horse"}), 403)
    problem(api("anna").post("/groups", {"groupId": "g", "name": "g"}), 403)
    assert problem(root.post("/users/search", {"filter": {"age": 3}}), 400)["field"] == "filter.age"
