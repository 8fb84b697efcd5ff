"""What all operations share: who asks, what is refused, how it is said, and the document that describes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from engine.commands import passwords
from engine.facade import Engine
from webui.v2 import missing, openapi, routers
from webui.v2.routing import PLACE

from ..conftest import PASSWORD
from .conftest import ApiClient

Api = Callable[..., ApiClient]


def problem(response: Any, status: int) -> Any:
    """Check that a response is problem details, and return them."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    found = json.loads(response.text)
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["instance"].startswith("/v2/")
    return found


def test_topology_names_one_broker(api: Api) -> None:
    found = api("anna").ask("GET", "/topology")
    assert found["clusterSize"] == len(found["brokers"]) == 1
    assert found["brokers"][0]["partitions"] == [{"partitionId": 1, "role": "leader", "health": "healthy", "state": "active"}]
    assert found["gatewayVersion"].startswith("8.")


def test_status_and_license_ask_nobody_to_sign_in(api: Api) -> None:
    assert api().get("/status").status_code == 204
    assert api().ask("GET", "/license")["validLicense"] is True


def test_me(api: Api) -> None:
    found = api("root").ask("GET", "/authentication/me")
    assert (found["username"], found["displayName"], found["groups"]) == ("root", "管理员甲", ["admin"])


def test_without_a_password_the_answer_says_how_to_sign_in(api: Api) -> None:
    response = api().get("/topology")
    problem(response, 401)
    assert 'Basic realm="Liuzhuan"' in response.headers["WWW-Authenticate"]
    assert "Bearer" in response.headers["WWW-Authenticate"]


def test_a_session_cookie_signs_nobody_in_here(visit: Callable[..., Any]) -> None:
    assert visit("root").client.get("/v2/topology").status_code == 401


def test_a_wrong_password_is_refused_and_guessing_is_braked(app: Flask, api: Api) -> None:
    client = app.test_client()
    for _ in range(passwords.FREE_FAILURES):
        assert client.get("/v2/topology", auth=("anna", "wrong password")).status_code == 401
    assert client.get("/v2/topology", auth=("anna", PASSWORD)).status_code == 429


def test_a_password_is_checked_once_and_forgotten_when_it_changes(
    api: Api, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = api("anna")
    assert anna.get("/topology").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "_matches", lambda *_: pytest.fail("checked again"))
        assert anna.get("/topology").status_code == 200
    engine.set_password("anna", "another password")
    assert anna.get("/topology").status_code == 401


def test_a_locked_account_is_out_at_once(api: Api, engine: Engine) -> None:
    anna = api("anna")
    assert anna.get("/topology").status_code == 200
    engine.deactivate("anna")
    assert anna.get("/topology").status_code == 401


@pytest.mark.parametrize("path", ["/nothing", "/process-instances/1/nothing", "/nothing/../x"])
def test_unknown_paths_are_404(api: Api, path: str) -> None:
    problem(api("anna").get(path), 404)


def test_another_method_is_405_with_what_is_allowed(api: Api) -> None:
    response = api("anna").call("DELETE", "/topology")
    problem(response, 405)
    assert "GET" in response.headers["Allow"]


def test_what_camunda_has_and_we_do_not_is_501_by_name(api: Api) -> None:
    found = problem(api("anna").call("PUT", "/clock", {}), 501)
    assert "PUT /v2/clock" in found["detail"]
    problem(api().call("PUT", "/clock", {}), 401)


def test_every_operation_of_camunda_is_known_to_the_router(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for path, methods in missing.CAMUNDA.items():
        for method in methods.split():
            endpoint, _ = adapter.match(f"/v2{PLACE.sub('1', path)}", method)
            assert endpoint.startswith("v2.")


def test_an_unknown_query_parameter_is_named(api: Api) -> None:
    assert problem(api("anna").get("/topology?verbose=1"), 400)["field"] == "verbose"


def test_the_document_describes_every_operation(api: Api) -> None:
    document = json.loads(api().get("/openapi.json").text)
    assert document["openapi"] == "3.1.0"
    operations = [operation for router in routers.all_routers() for operation in router.operations]
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(operation.method, operation.path) for operation in operations}
    assert len({operation.id for operation in operations}) == len(operations)
    assert openapi.document(operations) == document


def test_every_operation_is_one_of_camundas() -> None:
    for router in routers.all_routers():
        for operation in router.operations:
            assert operation.method in missing.CAMUNDA.get(operation.path, "").split(), f"{operation.method} {operation.path}"
