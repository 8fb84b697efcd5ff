"""Tokens that are confined to processes or lack a scope, at what administrators do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine import commands
from engine.facade import Engine

from .conftest import ApiClient
from .test_corrections import NESTED
from .test_foundation import problem

Api = Callable[..., ApiClient]


@pytest.fixture
def panel(engine: Engine, case: int) -> int:
    """A case of another process than the expense claim that also runs."""
    engine.deploy({"panel.bpmn": NESTED}, by="root")
    return engine.start("panel", by="root")


def confined(engine: Engine, api: Api, *scopes: str) -> ApiClient:
    """Return an administrator's client that is confined to the expense claims."""
    until = engine.clock.now() + timedelta(days=1)
    return api(token=commands.issue_token(engine.context, "root", "t", scopes, until, processes=["expense"], by="root"))


def test_other_processes_do_not_exist_for_it(engine: Engine, panel: int, case: int, api: Api) -> None:
    client = confined(engine, api, "admin", "read")
    for what in ("suspension", "resumption", "modification", "incident-resolution"):
        problem(client.post(f"/process-instances/{panel}/{what}", {}), 404)
    target = str(engine.definition_key("panel"))
    moved = client.post(f"/process-instances/{case}/migration", {"targetProcessDefinitionKey": target, "mappingInstructions": []})
    assert problem(moved, 404)["field"] == "targetProcessDefinitionKey"
    client.ask("POST", f"/process-instances/{case}/suspension", status=204)
    problem(client.post("/expression/evaluation", {"expression": "1", "scopeKey": str(panel)}), 404)


def test_its_batches_hold_its_processes_alone(engine: Engine, panel: int, case: int, api: Api) -> None:
    client, root = confined(engine, api, "admin"), api("root")
    everything = root.ask("POST", "/process-instances/suspension", {"filter": {}})["batchOperationKey"]
    mine = client.ask("POST", "/process-instances/cancellation", {"filter": {}})["batchOperationKey"]
    assert [item["batchOperationKey"] for item in client.search("/batch-operations/search")] == [mine]
    assert {item["processInstanceKey"] for item in client.search("/batch-operation-items/search")} == {str(case)}
    problem(client.get(f"/batch-operations/{everything}"), 404)
    problem(client.post(f"/batch-operations/{everything}/cancellation"), 404)
    engine.run_due()
    assert (engine.instance(case).state, engine.instance(panel).state) == ("TERMINATED", "ACTIVE")
    assert len(root.search("/batch-operations/search")) == 2


def test_without_the_scope_an_administrators_token_changes_nothing(engine: Engine, case: int, api: Api) -> None:
    client = confined(engine, api, "read", "tasks", "start")
    before = len(engine.journal(case))
    for path in (f"/process-instances/{case}/suspension", "/process-instances/cancellation", "/batch-operations/search"):
        problem(client.post(path, {"filter": {}} if path.endswith("s/cancellation") else {}), 403)
    problem(client.post("/users", {"username": "eva", "password": "correct horse"}), 403)
    problem(client.call("PUT", "/groups/clerk/users/dora"), 403)
    assert len(engine.journal(case)) == before
    writes = confined(engine, api, "admin")
    problem(writes.post("/users/search"), 403)


def test_a_confined_token_manages_no_people(engine: Engine, case: int, api: Api) -> None:
    client = confined(engine, api, "admin", "read")
    before = engine.users(), engine.groups()
    problem(client.post("/users", {"username": "eva", "password": "correct horse"}), 403)
    problem(client.call("PUT", "/users/root", {"password": "correct horse"}), 403)
    problem(client.post("/groups", {"groupId": "g", "name": "g"}), 403)
    problem(client.call("PUT", "/groups/clerk", {"name": "x"}), 403)
    for path in ("/groups/admin/users/dora", "/roles/admin/users/dora"):
        problem(client.call("PUT", path), 403)
    for path in ("/groups/clerk/users/ben", "/roles/auditor/users/audrey"):
        problem(client.call("DELETE", path), 403)
    assert (engine.users(), engine.groups()) == before
