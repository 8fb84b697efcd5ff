"""What administrators do to process instances through /v2: suspend, resume, modify, migrate, resolve; one and many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.facade import Engine

from .. import model
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]

NESTED = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="t" modeler:executionPlatform="Camunda Cloud"
  modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="panel" name="评审" isExecutable="true">
    <bpmn:startEvent id="start" /><bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="each" />
    <bpmn:subProcess id="each" name="每位">
      <bpmn:multiInstanceLoopCharacteristics>
        <bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="=[1, 2]" inputElement="n" /></bpmn:extensionElements>
      </bpmn:multiInstanceLoopCharacteristics>
      <bpmn:startEvent id="in" /><bpmn:sequenceFlow id="g1" sourceRef="in" targetRef="read" />
      <bpmn:userTask id="read" name="阅读"><bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements></bpmn:userTask>
      <bpmn:sequenceFlow id="g2" sourceRef="read" targetRef="score" />
      <bpmn:userTask id="score" name="打分"><bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements></bpmn:userTask>
      <bpmn:sequenceFlow id="g3" sourceRef="score" targetRef="out" /><bpmn:endEvent id="out" />
    </bpmn:subProcess>
    <bpmn:sequenceFlow id="f2" sourceRef="each" targetRef="end" /><bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>"""


def live(engine: Engine, case: int) -> list[str]:
    """Return the elements at which a case stands, its scopes left out."""
    return [
        item.element_id
        for item in engine.element_instances(case)
        if item.state == "ACTIVE" and item.type not in {"PROCESS", "SUB_PROCESS", "MULTI_INSTANCE_BODY", "EVENT_SUB_PROCESS"}
    ]


def finished(engine: Engine, root: ApiClient, started: Any) -> Any:
    """Let a batch's work be done; return its record."""
    engine.run_due()
    return root.ask("GET", f"/batch-operations/{started['batchOperationKey']}")


# --- one --------------------------------------------------------------------------------------------------------------


def test_an_instance_is_suspended_once_and_resumed_once(engine: Engine, case: int, api: Api) -> None:
    root = api("root")
    root.ask("POST", f"/process-instances/{case}/suspension", {"operationReference": 17}, status=204)
    assert "operationReference 17" in (engine.instance(case).suspended_reason or "")
    assert root.ask("GET", f"/process-instances/{case}")["state"] == "SUSPENDED"
    problem(root.post(f"/process-instances/{case}/suspension"), 409)
    root.ask("POST", f"/process-instances/{case}/resumption", status=204)
    problem(root.post(f"/process-instances/{case}/resumption"), 409)
    assert root.ask("GET", f"/process-instances/{case}")["state"] == "ACTIVE"
    assert [event.kind for event in engine.journal(case)][-2:] == ["Suspended", "Resumed"]


@pytest.mark.parametrize("what", ["suspension", "resumption", "modification", "migration", "incident-resolution"])
def test_only_administrators_correct_and_strangers_know_of_nothing(what: str, case: int, api: Api) -> None:
    body = {"targetProcessDefinitionKey": "1", "mappingInstructions": []} if what == "migration" else {}
    before = api("root").ask("GET", f"/process-instances/{case}")
    if what != "migration":  # which names a definition that nobody has
        problem(api("anna").post(f"/process-instances/{case}/{what}", body), 403)
    problem(api("dora").post(f"/process-instances/{case}/{what}", body), 404)
    problem(api("root").post(f"/process-instances/1/{what}", body), 404)
    assert api("root").ask("GET", f"/process-instances/{case}") == before


def test_an_ended_instance_is_not_corrected(engine: Engine, case: int, api: Api) -> None:
    engine.cancel(case, by="root", reason="试")
    root = api("root")
    problem(root.post(f"/process-instances/{case}/suspension"), 409)
    problem(root.post(f"/process-instances/{case}/modification", {"activateInstructions": [{"elementId": "decide"}]}), 409)


def test_elements_are_entered_with_variables_and_ended_by_id_and_key(engine: Engine, case: int, api: Api) -> None:
    body = {
        "activateInstructions": [
            {
                "elementId": "decide",
                "variableInstructions": [{"variables": {"amount": 7.25}}, {"variables": {"note": "改"}, "scopeId": "expense"}],
                "ancestorElementInstanceKey": "-1",
            }
        ],
        "terminateInstructions": [{"elementId": "check"}],
    }
    root = api("root")
    root.ask("POST", f"/process-instances/{case}/modification", body, status=204)
    assert live(engine, case) == ["decide"]
    assert (engine.variables(case)["note"], str(engine.variables(case)["amount"])) == ("改", "7.25")
    task = engine.tasks(instance=case)[0].key
    back = {"activateInstructions": [{"elementId": "check"}], "terminateInstructions": [{"elementInstanceKey": str(task)}]}
    root.ask("POST", f"/process-instances/{case}/modification", back, status=204)
    assert live(engine, case) == ["check"]


def test_what_cannot_be_modified_is_refused_and_nothing_changes(engine: Engine, case: int, api: Api) -> None:
    root = api("root")
    path = f"/process-instances/{case}/modification"
    before = len(engine.journal(case))
    problem(root.post(path, {}), 400)
    problem(root.post(path, {"activateInstructions": [{"elementId": "nowhere"}]}), 400)
    problem(root.post(path, {"terminateInstructions": [{"elementId": "pay"}]}), 404)
    problem(root.post(path, {"terminateInstructions": [{"elementId": "pay", "elementInstanceKey": "1"}]}), 400)
    source = {"sourceType": "byName", "sourceElementId": "check"}
    found = problem(root.post(path, {"moveInstructions": [{"sourceElementInstruction": source, "targetElementId": "pay"}]}), 400)
    assert found["field"].startswith("moveInstructions[0].sourceElementInstruction")
    assert len(engine.journal(case)) == before


def test_a_move_stays_within_the_scope_of_each_source(engine: Engine, api: Api) -> None:
    engine.deploy({"panel.bpmn": NESTED}, by="root")
    case = engine.start("panel", by="root")
    first, second = [item for item in engine.element_instances(case) if item.element_id == "read"]
    root = api("root")
    path = f"/process-instances/{case}/modification"
    by_key = {"sourceType": "byKey", "sourceElementInstanceKey": str(first.key)}
    root.ask("POST", path, {"moveInstructions": [{"sourceElementInstruction": by_key, "targetElementId": "score"}]}, status=204)
    assert live(engine, case) == ["read", "score"]
    scored = next(item for item in engine.element_instances(case) if item.element_id == "score")
    assert scored.scope_key == first.scope_key
    parent = {
        "sourceElementInstruction": {"sourceType": "byId", "sourceElementId": "read"},
        "targetElementId": "score",
        "ancestorScopeInstruction": {"ancestorScopeType": "sourceParent"},
    }
    root.ask("POST", path, {"moveInstructions": [parent]}, status=204)
    assert {
        item.scope_key for item in engine.element_instances(case) if item.state == "ACTIVE" and item.element_id == "score"
    } == {
        first.scope_key,
        second.scope_key,
    }
    back = {
        "sourceElementInstruction": {"sourceType": "byId", "sourceElementId": "score"},
        "targetElementId": "read",
        "variableInstructions": [{"variables": {"again": True}, "scopeId": "each"}],
    }
    root.ask("POST", path, {"moveInstructions": [back]}, status=204)
    assert live(engine, case) == ["read", "read"]
    direct = {
        "sourceElementInstruction": {"sourceType": "byId", "sourceElementId": "read"},
        "targetElementId": "score",
        "ancestorScopeInstruction": {"ancestorScopeType": "direct", "ancestorElementInstanceKey": str(second.scope_key)},
    }
    root.ask("POST", path, {"moveInstructions": [direct]}, status=204)
    scopes = [item.scope_key for item in engine.element_instances(case) if item.state == "ACTIVE" and item.element_id == "score"]
    assert scopes == [second.scope_key, second.scope_key]
    only = {**direct, "ancestorScopeInstruction": {"ancestorScopeType": "direct", "ancestorElementInstanceKey": "-1"}}
    only["sourceElementInstruction"] = {"sourceType": "byId", "sourceElementId": "score"}
    root.ask("POST", path, {"moveInstructions": [{**only, "targetElementId": "read"}]}, status=204)
    assert live(engine, case) == ["read", "read"]


def test_an_instance_is_migrated_with_mappings(engine: Engine, case: int, api: Api) -> None:
    renamed = model.bpmn(version=2).replace(b'"check"', b'"audit"')
    engine.deploy({"expense.bpmn": renamed}, by="root")
    target = str(engine.definition_key("expense"))
    root = api("root")
    path = f"/process-instances/{case}/migration"
    task = engine.tasks(instance=case)[0].key
    unmapped = problem(root.post(path, {"targetProcessDefinitionKey": target, "mappingInstructions": []}), 400)
    assert unmapped["errors"][0]["field"] == "check"
    mapping = {"sourceElementId": "check", "targetElementId": "audit"}
    twice = {"targetProcessDefinitionKey": target, "mappingInstructions": [mapping, mapping]}
    problem(root.post(path, twice), 400)
    unknown = {"targetProcessDefinitionKey": "1", "mappingInstructions": [mapping]}
    assert problem(root.post(path, unknown), 404)["field"] == "targetProcessDefinitionKey"
    problem(root.post(path, {"targetProcessDefinitionKey": target}), 400)
    root.ask("POST", path, {"targetProcessDefinitionKey": target, "mappingInstructions": [mapping]}, status=204)
    assert [(item.key, item.element_id) for item in engine.tasks(instance=case)] == [(task, "audit")]


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cases(engine: Engine) -> list[int]:
    """Three cases that wait for their checks."""
    items = [{"what": "车票", "price": 100}]
    data = {"purpose": "参会", "amount": 120.5, "items": items, "receipts": None}
    return [engine.submit("expense", data, by="anna") for _ in range(3)]


def test_many_are_cancelled_each_for_itself_with_progress(engine: Engine, cases: list[int], api: Api) -> None:
    root = api("root")
    engine.cancel(cases[0], by="root", reason="先结束")
    started = root.ask("POST", "/process-instances/cancellation", {"filter": {"processDefinitionId": "expense"}})
    assert started["batchOperationType"] == "CANCEL_PROCESS_INSTANCE"
    key = started["batchOperationKey"]
    found = root.ask("GET", f"/batch-operations/{key}")
    assert (found["state"], found["operationsTotalCount"], found["operationsCompletedCount"]) == ("ACTIVE", 2, 0)
    assert (found["endDate"], found["actorType"], found["actorId"], found["errors"]) == (None, "USER", "root", [])
    engine.run_due()
    done = root.ask("GET", f"/batch-operations/{key}")
    assert (done["state"], done["operationsCompletedCount"], done["operationsFailedCount"]) == ("COMPLETED", 2, 0)
    assert done["endDate"] is not None
    assert [engine.instance(item).state for item in cases] == ["TERMINATED"] * 3
    items = root.search("/batch-operation-items/search", filter={"batchOperationKey": key}, sort=[{"field": "itemKey"}])
    assert [(item["processInstanceKey"], item["state"]) for item in items] == [(str(item), "COMPLETED") for item in cases[1:]]
    problem(root.post("/process-instances/cancellation", {"filter": {"processDefinitionId": "expense"}}), 400)


def test_many_are_suspended_and_resumed(engine: Engine, cases: list[int], api: Api) -> None:
    root = api("root")
    one = {"filter": {"processInstanceKey": {"$in": [str(key) for key in cases[:2]]}}}
    finished(engine, root, root.ask("POST", "/process-instances/suspension", one))
    assert [engine.instance(key).suspended_at is not None for key in cases] == [True, True, False]
    done = finished(engine, root, root.ask("POST", "/process-instances/resumption", {"filter": {}}))
    assert (done["operationsTotalCount"], done["state"]) == (2, "COMPLETED")
    assert [engine.instance(key).suspended_at for key in cases] == [None] * 3


def test_many_are_moved_and_what_fails_is_told(engine: Engine, cases: list[int], api: Api) -> None:
    task = engine.tasks(instance=cases[0])[0].key
    engine.claim(task, by="ben")
    engine.complete(task, {"opinion": "齐全"}, by="ben")
    root = api("root")
    body = {"filter": {}, "moveInstructions": [{"sourceElementId": "check", "targetElementId": "decide"}]}
    started = root.ask("POST", "/process-instances/modification", body)
    done = finished(engine, root, started)
    assert (done["batchOperationType"], done["operationsCompletedCount"], done["operationsFailedCount"]) == (
        "MODIFY_PROCESS_INSTANCE",
        2,
        1,
    )
    assert [live(engine, key) for key in cases] == [["decide"]] * 3
    failed = {"batchOperationKey": started["batchOperationKey"], "state": "FAILED"}
    (item,) = root.search("/batch-operation-items/search", filter=failed)
    assert item["processInstanceKey"] == str(cases[0])
    assert "check" in item["errorMessage"] or "元素" in item["errorMessage"]
    problem(root.post("/process-instances/modification", {"filter": {}, "moveInstructions": []}), 400)


def test_many_are_migrated(engine: Engine, cases: list[int], api: Api) -> None:
    engine.deploy({"expense.bpmn": model.bpmn(version=2)}, by="root")
    target = str(engine.definition_key("expense"))
    root = api("root")
    plan = {"targetProcessDefinitionKey": target, "mappingInstructions": []}
    done = finished(engine, root, root.ask("POST", "/process-instances/migration", {"filter": {}, "migrationPlan": plan}))
    assert (done["batchOperationType"], done["operationsCompletedCount"]) == ("MIGRATE_PROCESS_INSTANCE", 3)
    assert {engine.instance(key).version for key in cases} == {2}
    unknown = {"filter": {}, "migrationPlan": {**plan, "targetProcessDefinitionKey": "1"}}
    problem(root.post("/process-instances/migration", unknown), 404)


def test_incidents_of_one_and_of_many_are_tried_again(engine: Engine, api: Api) -> None:
    broken = model.bpmn(version=2, pay="=assert(amount, amount > 1000)")
    engine.deploy({"expense.bpmn": broken}, by="root")
    cases = [engine.start("expense", {"amount": 1}, by="root", at=["pay"]) for _ in range(2)]
    assert [len(engine.incidents(key)) for key in cases] == [1, 1]
    root = api("root")
    for key in cases:
        engine.set_variables(key, {"amount": 5000}, by="root")
    done = finished(engine, root, root.ask("POST", f"/process-instances/{cases[0]}/incident-resolution", {}))
    assert (done["batchOperationType"], done["operationsTotalCount"], done["state"]) == ("RESOLVE_INCIDENT", 1, "COMPLETED")
    assert [engine.instance(key).state for key in cases] == ["COMPLETED", "ACTIVE"]
    done = finished(engine, root, root.ask("POST", "/process-instances/incident-resolution", {"filter": {}}))
    assert (done["operationsTotalCount"], done["operationsCompletedCount"]) == (1, 1)
    assert engine.instance(cases[1]).state == "COMPLETED"


def test_a_batch_is_held_goes_on_and_is_cancelled(engine: Engine, cases: list[int], api: Api) -> None:
    root = api("root")
    key = root.ask("POST", "/process-instances/suspension", {"filter": {}})["batchOperationKey"]
    problem(root.post(f"/batch-operations/{key}/resumption"), 409)
    root.ask("POST", f"/batch-operations/{key}/suspension", status=204)
    engine.run_due()
    assert root.ask("GET", f"/batch-operations/{key}")["state"] == "SUSPENDED"
    assert [engine.instance(item).suspended_at for item in cases] == [None] * 3
    problem(root.post(f"/batch-operations/{key}/suspension"), 409)
    root.ask("POST", f"/batch-operations/{key}/resumption", status=204)
    assert root.ask("GET", f"/batch-operations/{key}")["state"] == "ACTIVE"
    root.ask("POST", f"/batch-operations/{key}/cancellation", status=204)
    engine.run_due()
    found = root.ask("GET", f"/batch-operations/{key}")
    assert (found["state"], found["operationsCompletedCount"]) == ("CANCELED", 0)
    assert engine.batch(int(key)).waiting == 0
    assert [engine.instance(item).suspended_at for item in cases] == [None] * 3
    assert {item["state"] for item in root.search("/batch-operation-items/search")} == {"CANCELED"}
    problem(root.post(f"/batch-operations/{key}/cancellation"), 409)
    problem(root.post("/batch-operations/1/cancellation"), 404)


def test_holding_a_batch_holds_no_other_of_the_same_cases(engine: Engine, cases: list[int], api: Api) -> None:
    root = api("root")
    held = root.ask("POST", "/process-instances/suspension", {"filter": {}})
    root.ask("POST", f"/batch-operations/{held['batchOperationKey']}/suspension", status=204)
    one = {"filter": {"processInstanceKey": str(cases[0])}}
    assert finished(engine, root, root.ask("POST", "/process-instances/cancellation", one))["operationsCompletedCount"] == 1
    assert root.ask("GET", f"/batch-operations/{held['batchOperationKey']}")["state"] == "SUSPENDED"
    root.ask("POST", f"/batch-operations/{held['batchOperationKey']}/resumption", status=204)
    done = finished(engine, root, held)
    assert (done["state"], done["operationsCompletedCount"], done["operationsFailedCount"]) == ("COMPLETED", 2, 1)


def test_batches_are_searched(engine: Engine, cases: list[int], api: Api) -> None:
    root = api("root")
    first = root.ask("POST", "/process-instances/suspension", {"filter": {"processInstanceKey": str(cases[0])}})
    engine.run_due()
    second = root.ask("POST", "/process-instances/cancellation", {"filter": {}})
    newest = root.search("/batch-operations/search", sort=[{"field": "batchOperationKey", "order": "DESC"}])
    assert [item["batchOperationKey"] for item in newest] == [second["batchOperationKey"], first["batchOperationKey"]]
    active = root.search("/batch-operations/search", filter={"state": "ACTIVE", "operationType": {"$like": "CANCEL*"}})
    assert [item["batchOperationKey"] for item in active] == [second["batchOperationKey"]]
    assert root.search("/batch-operations/search", filter={"actorId": "anna"}) == []
    page = root.ask("POST", "/batch-operation-items/search", {"page": {"limit": 3}, "sort": [{"field": "processedDate"}]})
    rest = root.search(
        "/batch-operation-items/search",
        page={"limit": 3, "after": page["page"]["endCursor"]},
        sort=[{"field": "processedDate"}],
    )
    assert (len(page["items"]), len(rest)) == (3, 1)
    assert page["items"][0]["state"] == "COMPLETED"
    problem(root.get("/batch-operations/1"), 404)


def test_batches_are_for_administrators(cases: list[int], api: Api) -> None:
    anna, audrey = api("anna"), api("audrey")
    for path in ("cancellation", "suspension", "resumption", "incident-resolution"):
        problem(anna.post(f"/process-instances/{path}", {"filter": {}}), 403)
    problem(audrey.post("/batch-operations/search"), 403)
    problem(audrey.post("/batch-operation-items/search"), 403)
    problem(audrey.get("/batch-operations/1"), 403)
    problem(api("root").post("/process-instances/cancellation", {}), 400)
    problem(api("root").post("/process-instances/cancellation", {"filter": {"color": "red"}}), 400)


def test_nothing_is_deleted(engine: Engine, case: int, api: Api) -> None:
    engine.cancel(case, by="root", reason="试")
    root = api("root")
    problem(root.post(f"/process-instances/{case}/deletion"), 501)
    problem(root.post("/process-instances/deletion", {"filter": {}}), 501)
