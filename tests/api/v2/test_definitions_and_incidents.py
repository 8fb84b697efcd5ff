"""Deployments, resources, process definitions and incidents through /v2."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine.facade import Engine
from webui.app import create_app

from .. import model
from ..conftest import PASSWORD
from .conftest import ApiClient
from .test_foundation import problem
from .test_process_instances import FORM, STRAIGHT, start
from .test_tokens import issue

Api = Callable[..., ApiClient]
FAILING = STRAIGHT.replace("=a + 1", "=if a = &quot;x&quot; then (function(y) y) else a")


def deploy(client: ApiClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    """Deploy files as Camunda's clients do."""
    data: dict[str, Any] = {"resources": [(io.BytesIO(content), name) for name, content in files], **fields}
    return client.call("POST", "/deployments", data=data, content_type="multipart/form-data")


def test_files_are_deployed_together(api: Api, engine: Engine) -> None:
    form = json.dumps({"type": "default", "id": "hello", "components": [], "schemaVersion": 16}).encode()
    found = deploy(api("root"), ("straight.bpmn", STRAIGHT.encode()), ("hello.form", form), tenantId="<default>").get_json()
    process, shown = found["deployments"]
    assert process["processDefinition"]["processDefinitionId"] == "straight"
    assert process["processDefinition"]["processDefinitionKey"] == str(engine.definition_key("straight"))
    assert process["form"] is None
    assert shown["form"]["formId"] == "hello"
    again = deploy(api("root"), ("straight.bpmn", STRAIGHT.encode())).get_json()
    assert again["deployments"][0] == process
    assert again["deploymentKey"] != found["deploymentKey"]


def test_a_refusal_deploys_nothing_and_names_the_element(api: Api, engine: Engine) -> None:
    broken = STRAIGHT.replace('targetRef="end"', 'targetRef="nowhere"').replace("straight", "broken")
    found = problem(deploy(api("root"), ("good.bpmn", STRAIGHT.encode()), ("broken.bpmn", broken.encode())), 400)
    assert found["errors"]
    assert all(item["resource"] == "broken.bpmn" for item in found["errors"])
    assert api("root").search("/process-definitions/search", filter={"processDefinitionId": "straight"}) == []


def test_what_a_deployment_must_be(api: Api, engine: Engine) -> None:
    root = api("root")
    problem(deploy(root), 400)
    problem(deploy(root, ("", b"x")), 400)
    problem(deploy(root, ("a.bpmn", STRAIGHT.encode()), ("a.bpmn", STRAIGHT.encode())), 400)
    assert problem(deploy(root, ("a.bpmn", STRAIGHT.encode()), tenantId="other"), 400)["field"] == "tenantId"
    assert problem(deploy(root, ("a.bpmn", STRAIGHT.encode()), colour="red"), 400)["field"] == "colour"
    problem(root.post("/deployments", {}), 415)
    problem(deploy(api("anna"), ("a.bpmn", STRAIGHT.encode())), 403)
    problem(deploy(api(token=issue(engine, "root", "read")), ("a.bpmn", STRAIGHT.encode())), 403)


def test_what_is_too_large_is_413(api: Api) -> None:
    large = b"--x\r\n" + b" " * (20 * 1024 * 1024)
    problem(api("root").call("POST", "/deployments", data=large, content_type="multipart/form-data; boundary=x"), 413)
    body = {"processDefinitionId": "expense", "variables": {"a": "x" * (4 * 1024 * 1024)}}
    problem(api("root").post("/process-instances", body), 413)


def test_what_is_no_json_is_refused(api: Api) -> None:
    root = api("root")
    deep = b'{"variables": {"a": ' + b"[" * 150 + b"]" * 150 + b"}}"
    for body in (b"{", b"\xff", b'{"processDefinitionId":"\\ud800"}', b"[" * 100_000, b'{"variables": {"a": NaN}}', deep):
        problem(root.call("POST", "/process-instances", data=body, content_type="application/json"), 400)
    problem(root.call("POST", "/process-instances", data="{}", content_type="text/plain"), 415)


def test_resources_are_read_by_the_key_of_what_is_in_them(api: Api, engine: Engine) -> None:
    key = engine.definition_key("expense")
    found = api("anna").ask("GET", f"/resources/{key}")
    assert (found["resourceId"], found["version"]) == ("expense", 1)
    assert api("anna").get(f"/resources/{key}/content").data == model.bpmn()
    assert api("anna").get(f"/resources/{key}/content/binary").data == model.bpmn()
    problem(api("anna").get("/resources/1"), 404)


def test_process_definitions(api: Api, engine: Engine) -> None:
    engine.deploy(model.resources() | {"expense.bpmn": model.bpmn(version=2)}, by="root")
    anna = api("anna")
    found = anna.search("/process-definitions/search", sort=[{"field": "version", "order": "DESC"}])
    assert [(item["processDefinitionId"], item["version"]) for item in found] == [("expense", 2), ("expense", 1)]
    assert found[0]["hasStartForm"] is True
    assert len(anna.search("/process-definitions/search", filter={"isLatestVersion": True, "hasStartForm": True})) == 1
    assert anna.search("/process-definitions/search", filter={"hasStartForm": False}) == []
    key = found[0]["processDefinitionKey"]
    assert anna.ask("GET", f"/process-definitions/{key}") == found[0]
    response = anna.get(f"/process-definitions/{key}/xml")
    assert response.mimetype == "text/xml"
    assert response.data == model.bpmn(version=2)
    form = anna.ask("GET", f"/process-definitions/{key}/form")
    assert form["formId"] == "expense-start"
    assert json.loads(form["schema"])["components"]
    for part in ("", "/xml", "/form"):
        problem(anna.get(f"/process-definitions/1{part}"), 404)
    assert problem(anna.get("/process-definitions/abc"), 400)["field"] == "processDefinitionKey"


def test_a_process_without_a_start_form_answers_204(api: Api, engine: Engine) -> None:
    engine.deploy({"straight.bpmn": STRAIGHT}, by="root")
    key = engine.definition_key("straight")
    assert api("anna").get(f"/process-definitions/{key}/form").status_code == 204


def test_running_instances_are_counted(api: Api, case: int) -> None:
    found = api("anna").search("/process-definitions/statistics/process-instances")
    assert [(item["processDefinitionId"], item["activeInstancesWithoutIncidentCount"]) for item in found] == [("expense", 1)]
    assert api("dora").search("/process-definitions/statistics/process-instances") == []
    wanted = {"processDefinitionId": "expense"}
    found = api("root").search("/process-definitions/statistics/process-instances-by-version", filter=wanted)
    assert [item["processDefinitionVersion"] for item in found] == [1]


@pytest.fixture
def failed(engine: Engine) -> int:
    """A case whose script fails."""
    engine.deploy({"straight.bpmn": FAILING}, by="root")
    key = engine.start("straight", {"a": "x"}, by="root")
    assert engine.incidents(key)
    return key


def test_incidents_are_found_and_resolved(api: Api, engine: Engine, failed: int) -> None:
    root = api("root")
    (found,) = root.search("/incidents/search", filter={"processInstanceKey": str(failed), "state": "ACTIVE"})
    assert (found["elementId"], found["processDefinitionId"], found["jobKey"]) == ("sum", "straight", None)
    assert root.ask("GET", f"/incidents/{found['incidentKey']}") == found
    assert root.search(f"/process-instances/{failed}/incidents/search") == [found]
    assert root.search("/process-instances/search", filter={"hasIncident": True})[0]["hasIncident"] is True
    assert root.search("/incidents/search", filter={"errorType": {"$neq": found["errorType"]}}) == []
    problem(api("anna").get(f"/incidents/{found['incidentKey']}"), 404)
    problem(api("anna").post(f"/incidents/{found['incidentKey']}/resolution", {}), 404)
    problem(root.post("/incidents/search", {"filter": {"state": "RESOLVED"}}), 501)
    engine.set_variables(failed, {"a": 1}, by="root")
    root.ask("POST", f"/incidents/{found['incidentKey']}/resolution", {}, status=204)
    assert root.ask("GET", f"/process-instances/{failed}")["state"] == "COMPLETED"
    problem(root.post(f"/incidents/{found['incidentKey']}/resolution", {}), 404)


def test_a_person_who_may_see_an_incident_may_not_resolve_it(api: Api, engine: Engine) -> None:
    engine.deploy({"straight.bpmn": FAILING}, by="root")
    engine.start("straight", {"a": "x"}, by="audrey")
    (found,) = api("audrey").search("/incidents/search")
    problem(api("audrey").post(f"/incidents/{found['incidentKey']}/resolution", {}), 403)


def test_the_same_case_is_started_once_where_business_ids_are_unique(api: Api, engine: Engine) -> None:
    assert start(api("root"), businessId="A") != start(api("root"), businessId="A")
    unique = replace(engine.context.settings, unique_business_ids=True)
    with Engine.open("sqlite://", clock=engine.clock, settings=unique) as other:
        other.add_group("admin")
        other.add_user("root", groups=["admin"], password=PASSWORD)
        other.deploy(model.resources(), by="root")
        client = ApiClient(create_app(other, unique), "root")
        key = start(client, businessId="A")
        body = {"processDefinitionId": "expense", "variables": FORM, "businessId": "A"}
        assert problem(client.post("/process-instances", body), 409)["field"] == "businessId"
        client.ask("POST", f"/process-instances/{key}/cancellation", status=204)
        assert start(client, businessId="A") != key


def test_a_definition_is_deleted_when_nothing_runs_on_it(api: Api, engine: Engine) -> None:
    root = api("root")
    first = engine.definition_key("expense")
    engine.deploy(model.resources() | {"expense.bpmn": model.bpmn(version=2)}, by="root")
    second = engine.definition_key("expense")
    key = start(root)
    problem(root.post(f"/resources/{second}/deletion", {}), 409)
    root.ask("POST", f"/process-instances/{key}/cancellation", status=204)
    problem(api("anna").post(f"/resources/{second}/deletion", {}), 403)
    assert problem(root.post(f"/resources/{second}/deletion", {"deleteHistory": True}), 501)["field"] == "deleteHistory"
    assert root.ask("POST", f"/resources/{second}/deletion", {}) == {"resourceKey": str(second), "batchOperation": None}
    problem(root.post(f"/resources/{second}/deletion", {}), 404)
    problem(root.get(f"/resources/{second}"), 404)
    assert engine.definition_key("expense") == first
    assert engine.instance(int(start(root))).version == 1
    assert [item["version"] for item in root.search("/process-definitions/search")] == [1]
    assert [item["version"] for item in root.search("/process-definitions/search", filter={"state": "DELETED"})] == [2]
    assert root.ask("GET", f"/process-instances/{key}/sequence-flows")["items"]  # what ran on it can still be read
    engine.deploy(model.resources() | {"expense.bpmn": model.bpmn(version=2)}, by="root")
    assert engine.instance(int(start(root))).version == 3


def test_start_events_of_the_version_before_wait_again(api: Api, engine: Engine) -> None:
    def waiting(message: str) -> str:
        event = f'<bpmn:startEvent id="start"><bpmn:messageEventDefinition id="m" messageRef="{message}" /></bpmn:startEvent>'
        source = STRAIGHT.replace('<bpmn:startEvent id="start" />', event).replace("=a + 1", "=1")
        return source.replace("<bpmn:process ", f'<bpmn:message id="{message}" name="{message}" />\n  <bpmn:process ', 1)

    for message in ("one", "two"):
        engine.deploy({"straight.bpmn": waiting(message)}, by="root")
    root = api("root")
    newest = engine.definition_key("straight")
    root.ask("POST", f"/resources/{newest}/deletion", {})
    engine.publish("two", "")
    assert root.search("/process-instances/search") == []
    engine.publish("one", "")
    assert [item["processDefinitionVersion"] for item in root.search("/process-instances/search")] == [1]
    root.ask("POST", f"/resources/{engine.definition_key('straight')}/deletion", {})
    engine.publish("one", "")
    assert len(root.search("/process-instances/search")) == 1
    problem(root.post("/process-instances", {"processDefinitionId": "straight"}), 404)
