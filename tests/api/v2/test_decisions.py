"""Decisions through /v2: definitions, the files that hold them, evaluations, and what cases decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from engine import commands
from engine.facade import Engine
from engine.queries import deployed

from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]

DMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="grants" name="资助" namespace="http://camunda.org/schema/1.0/dmn">
  <decision id="tier" name="档次">
    <decisionTable id="tier-table" hitPolicy="FIRST">
      <input id="in-amount" label="金额"><inputExpression id="ie" typeRef="number"><text>amount</text></inputExpression></input>
      <output id="out-tier" name="tier" typeRef="string" />
      <rule id="r-big"><inputEntry id="c1"><text>&gt;= {limit}</text></inputEntry><outputEntry id="o1"><text>"big"</text></outputEntry></rule>
      <rule id="r-small"><inputEntry id="c2"><text>-</text></inputEntry><outputEntry id="o2"><text>"small"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="reviewers" name="评审人数">
    <informationRequirement id="ir"><requiredDecision href="#tier" /></informationRequirement>
    <variable name="reviewers" typeRef="number" />
    <literalExpression id="le"><text>if tier = "big" then 3 else 1</text></literalExpression>
  </decision>
  <decision id="endless" name="没完">
    <literalExpression id="le2"><text>count(for a in 1..100000, b in 1..100000 return 1)</text></literalExpression>
  </decision>
</definitions>"""  # noqa: E501  (a file as Modeler writes it)
PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="d" targetNamespace="t" modeler:executionPlatform="Camunda Cloud"
  modeler:executionPlatformVersion="8.7.0">
  <bpmn:process id="grant" name="资助" isExecutable="true">
    <bpmn:startEvent id="start" /><bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="decide" />
    <bpmn:businessRuleTask id="decide" name="定人数">
      <bpmn:extensionElements><zeebe:calledDecision decisionId="reviewers" resultVariable="reviewers" /></bpmn:extensionElements>
    </bpmn:businessRuleTask>
    <bpmn:sequenceFlow id="f2" sourceRef="decide" targetRef="end" /><bpmn:endEvent id="end" />
  </bpmn:process>
</bpmn:definitions>"""


def dmn(limit: int) -> str:
    return DMN.replace("{limit}", str(limit))


@pytest.fixture
def grants(engine: Engine) -> Engine:
    """Two versions of the file of decisions, and a process that asks them."""
    engine.deploy({"grants.dmn": dmn(100)}, by="root")
    engine.deploy({"grants.dmn": dmn(500), "grant.bpmn": PROCESS}, by="root")
    return engine


def test_definitions_are_searched_by_name_version_and_file(grants: Engine, api: Api) -> None:
    anna = api("anna")
    latest = anna.search(
        "/decision-definitions/search", filter={"isLatestVersion": True}, sort=[{"field": "name", "order": "DESC"}]
    )
    assert [item["decisionDefinitionId"] for item in latest] == ["reviewers", "endless", "tier"]
    (first,) = anna.search("/decision-definitions/search", filter={"decisionDefinitionId": "tier", "version": 1})
    assert (first["name"], first["decisionRequirementsId"], first["decisionRequirementsVersion"]) == ("档次", "grants", 1)
    same_file = anna.search("/decision-definitions/search", filter={"decisionRequirementsKey": first["decisionRequirementsKey"]})
    assert {item["decisionDefinitionId"] for item in same_file} == {"tier", "reviewers", "endless"}
    assert anna.ask("GET", f"/decision-definitions/{first['decisionDefinitionKey']}") == first
    problem(anna.get("/decision-definitions/1"), 404)


def test_the_file_comes_back_byte_for_byte(grants: Engine, api: Api) -> None:
    anna = api("anna")
    files = anna.search("/decision-requirements/search", filter={"decisionRequirementsId": "grants"}, sort=[{"field": "version"}])
    assert [(item["version"], item["resourceName"], item["decisionRequirementsName"]) for item in files] == [
        (1, "grants.dmn", "资助"),
        (2, "grants.dmn", "资助"),
    ]
    key = files[0]["decisionRequirementsKey"]
    assert anna.ask("GET", f"/decision-requirements/{key}") == files[0]
    response = anna.get(f"/decision-requirements/{key}/xml")
    assert (response.text, response.mimetype) == (dmn(100), "text/xml")
    (tier,) = anna.search("/decision-definitions/search", filter={"decisionDefinitionId": "tier", "version": 2})
    assert anna.get(f"/decision-definitions/{tier['decisionDefinitionKey']}/xml").text == dmn(500)
    problem(anna.get("/decision-requirements/1/xml"), 404)


def test_pages_of_definitions_go_on_behind_a_cursor_and_before_one(grants: Engine, api: Api) -> None:
    anna = api("anna")
    sort = [{"field": "name", "order": "DESC"}, {"field": "version"}]
    everything = anna.search("/decision-definitions/search", sort=sort)
    seen, page = [], {"limit": 4}
    while True:
        found = anna.ask("POST", "/decision-definitions/search", {"sort": sort, "page": page})
        if not found["items"]:
            break
        seen += found["items"]
        assert found["page"]["totalItems"] == 6
        last, page = found, {"limit": 4, "after": found["page"]["endCursor"]}
    assert seen == everything
    before = {"limit": 3, "before": last["page"]["startCursor"]}
    assert anna.search("/decision-definitions/search", sort=sort, page=before) == everything[1:4]
    foreign = {"sort": [{"field": "name"}], "page": {"after": last["page"]["endCursor"]}}
    problem(anna.post("/decision-definitions/search", foreign), 400)


def test_a_decision_is_evaluated_by_id_and_by_key_and_says_why(grants: Engine, api: Api) -> None:
    root = api("root")
    found = root.ask(
        "POST", "/decision-definitions/evaluation", {"decisionDefinitionId": "reviewers", "variables": {"amount": 300}}
    )
    assert (found["output"], found["decisionDefinitionVersion"], found["failureMessage"]) == ("1", 2, None)
    table, literal = found["evaluatedDecisions"]
    assert (table["decisionDefinitionId"], table["decisionDefinitionType"], table["output"]) == (
        "tier",
        "DECISION_TABLE",
        '"small"',
    )
    assert table["evaluatedInputs"] == [{"inputId": "in-amount", "inputName": "金额", "inputValue": "300"}]
    (rule,) = table["matchedRules"]
    assert (rule["ruleId"], rule["ruleIndex"]) == ("r-small", 2)
    assert [(item["outputId"], item["outputName"], item["outputValue"]) for item in rule["evaluatedOutputs"]] == [
        ("out-tier", "tier", '"small"')
    ]
    assert (literal["decisionDefinitionType"], literal["matchedRules"], literal["output"]) == ("LITERAL_EXPRESSION", [], "1")
    (first,) = root.search("/decision-definitions/search", filter={"decisionDefinitionId": "reviewers", "version": 1})
    by_key = {"decisionDefinitionKey": first["decisionDefinitionKey"], "variables": {"amount": 300}}
    assert root.ask("POST", "/decision-definitions/evaluation", by_key)["output"] == "3"


def test_an_evaluation_beyond_the_limits_says_which_decision_failed(grants: Engine, api: Api) -> None:
    found = api("root").ask("POST", "/decision-definitions/evaluation", {"decisionDefinitionId": "endless"})
    assert found["failedDecisionDefinitionId"] == "endless"
    assert found["failureMessage"]
    assert (found["output"], found["evaluatedDecisions"]) == ("null", [])


def test_what_cannot_be_evaluated_is_refused(grants: Engine, api: Api) -> None:
    root = api("root")
    problem(root.post("/decision-definitions/evaluation", {"decisionDefinitionId": "nobody"}), 404)
    problem(root.post("/decision-definitions/evaluation", {"decisionDefinitionKey": "1"}), 404)
    problem(root.post("/decision-definitions/evaluation", {}), 400)
    problem(root.post("/decision-definitions/evaluation", {"decisionDefinitionId": "tier", "decisionDefinitionKey": "1"}), 400)
    found = problem(root.post("/decision-definitions/evaluation", {"decisionDefinitionId": "tier", "variables": []}), 400)
    assert found["field"] == "variables"
    problem(api("anna").post("/decision-definitions/evaluation", {"decisionDefinitionId": "tier"}), 403)


def test_what_a_case_decided_is_read_from_its_journal(grants: Engine, api: Api) -> None:
    root = api("root")
    case = grants.start("grant", {"amount": 700}, by="root", business_id="G-1")
    other = grants.start("grant", {"amount": 1}, by="root")
    found = root.search("/decision-instances/search", filter={"processInstanceKey": str(case)})
    assert [(item["decisionDefinitionId"], item["result"]) for item in found] == [("tier", '"big"'), ("reviewers", "3")]
    assert {(item["state"], item["businessId"], item["elementInstanceKey"]) for item in found} == {
        ("EVALUATED", "G-1", found[0]["decisionEvaluationKey"])
    }
    assert found[0]["rootDecisionDefinitionKey"] == found[1]["decisionDefinitionKey"]
    one = root.ask("GET", f"/decision-instances/{found[0]['decisionEvaluationInstanceKey']}")
    assert one["matchedRules"][0]["ruleId"] == "r-big"
    assert json.loads(one["evaluatedInputs"][0]["inputValue"]) == 700
    assert len(root.search("/decision-instances/search")) == 4
    tiers = root.search(
        "/decision-instances/search",
        filter={"decisionDefinitionId": "tier"},
        sort=[{"field": "processInstanceKey", "order": "DESC"}],
    )
    assert [item["processInstanceKey"] for item in tiers] == [str(other), str(case)]
    named = root.search(
        "/decision-instances/search", filter={"decisionEvaluationInstanceKey": one["decisionEvaluationInstanceKey"]}
    )
    assert [item["result"] for item in named] == ['"big"']


def test_only_those_who_may_see_the_case_know_what_it_decided(grants: Engine, api: Api) -> None:
    case = grants.start("grant", {"amount": 700}, by="anna")
    key = api("anna").search("/decision-instances/search")[0]["decisionEvaluationInstanceKey"]
    assert len(api("audrey").search("/decision-instances/search", filter={"processInstanceKey": str(case)})) == 2
    assert api("dora").search("/decision-instances/search") == []
    problem(api("dora").get(f"/decision-instances/{key}"), 404)
    problem(api("anna").get(f"/decision-instances/{case}-9"), 404)
    problem(api("anna").get("/decision-instances/nonsense"), 400)


def test_what_would_read_too_many_journals_is_refused_by_name(grants: Engine, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.queries.decisions.MOST_CASES", 2)
    cases = [grants.start("grant", {"amount": 700}, by="root") for _ in range(3)]
    root = api("root")
    assert problem(root.post("/decision-instances/search", {}), 400)["field"] == "filter.processInstanceKey"
    assert len(root.search("/decision-instances/search", filter={"processInstanceKey": str(cases[2])})) == 2


def test_a_case_without_decisions_has_none(case: int, api: Api) -> None:
    assert api("root").search("/decision-instances/search", filter={"processInstanceKey": str(case)}) == []


def test_a_deleted_file_is_gone_but_what_it_decided_stays(grants: Engine, api: Api) -> None:
    root = api("root")
    case = grants.start("grant", {"amount": 700}, by="root")
    (newest,) = root.search("/decision-definitions/search", filter={"decisionDefinitionId": "tier", "isLatestVersion": True})
    commands.delete_definition(grants.context, int(newest["decisionRequirementsKey"]), "root")
    problem(root.get(f"/decision-definitions/{newest['decisionDefinitionKey']}"), 404)
    problem(root.get(f"/decision-definitions/{newest['decisionDefinitionKey']}/xml"), 404)
    problem(root.get(f"/decision-requirements/{newest['decisionRequirementsKey']}"), 404)
    problem(root.post("/decision-definitions/evaluation", {"decisionDefinitionKey": newest["decisionDefinitionKey"]}), 404)
    (before,) = root.search("/decision-definitions/search", filter={"decisionDefinitionId": "tier", "isLatestVersion": True})
    assert before["version"] == 1
    body = {"decisionDefinitionId": "reviewers", "variables": {"amount": 300}}
    assert root.ask("POST", "/decision-definitions/evaluation", body)["output"] == "3"
    decided = root.search("/decision-instances/search", filter={"processInstanceKey": str(case)})
    assert [(item["decisionDefinitionId"], item["decisionDefinitionVersion"]) for item in decided] == [
        ("tier", 2),
        ("reviewers", 2),
    ]


def test_a_token_confined_to_other_processes_knows_of_no_decision_of_a_case(grants: Engine, api: Api) -> None:
    case = grants.start("grant", {"amount": 700}, by="root")
    until = grants.clock.now() + timedelta(days=1)
    token = commands.issue_token(grants.context, "root", "t", ["read"], until, processes=["expense"], by="root")
    confined = api(token=token)
    assert confined.search("/decision-instances/search") == []
    problem(confined.get(f"/decision-instances/{case}-1001"), 404)
    assert api("root").ask("GET", f"/decision-instances/{case}-1001")["decisionDefinitionId"] == "tier"


def test_decisions_lend_their_file_what_deployments_say(grants: Engine, api: Api) -> None:
    for item in api("root").search("/decision-definitions/search"):
        key = int(item["decisionDefinitionKey"])
        told = deployed.requirements(grants.context, [key])[key]
        assert (told.key, told.id, told.name, told.version) == (
            int(item["decisionRequirementsKey"]),
            item["decisionRequirementsId"],
            item["decisionRequirementsName"],
            item["decisionRequirementsVersion"],
        )


VEILED = (
    PROCESS.replace('id="grant"', 'id="veiled"')
    .replace('sourceRef="start" targetRef="decide"', 'sourceRef="start" targetRef="closed"')
    .replace(
        '<bpmn:businessRuleTask id="decide" name="定人数">',
        """<bpmn:subProcess id="closed" name="密"><bpmn:extensionElements><zeebe:properties>
      <zeebe:property name="visibleTo" value="chair" /></zeebe:properties></bpmn:extensionElements>
      <bpmn:startEvent id="in" /><bpmn:sequenceFlow id="g1" sourceRef="in" targetRef="decide" />
      <bpmn:businessRuleTask id="decide" name="定人数">""",
    )
    .replace(
        "</bpmn:businessRuleTask>",
        """</bpmn:businessRuleTask><bpmn:sequenceFlow id="g2" sourceRef="decide" targetRef="wait" />
      <bpmn:userTask id="wait" name="等"><bpmn:extensionElements><zeebe:userTask /></bpmn:extensionElements></bpmn:userTask>
      </bpmn:subProcess>""",
    )
    .replace('sourceRef="decide" targetRef="end"', 'sourceRef="closed" targetRef="end"')
)


def test_what_a_closed_scope_decided_is_told_to_those_it_is_open_to(grants: Engine, api: Api) -> None:
    grants.deploy({"veiled.bpmn": VEILED}, by="root")
    case = grants.start("veiled", {"amount": 700}, by="anna")
    wanted = {"processInstanceKey": str(case)}
    assert api("root").search("/decision-instances/search", filter=wanted) == []
    assert api("anna").search("/decision-instances/search", filter=wanted) == []
    assert len(api("audrey").search("/decision-instances/search", filter=wanted)) == 2
