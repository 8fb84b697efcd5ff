"""FEEL expressions through /v2."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from engine.facade import Engine

from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]
PATH = "/expression/evaluation"


def test_an_expression_is_evaluated_exactly(api: Api) -> None:
    root = api("root")
    found = root.ask("POST", PATH, {"expression": "=0.1 + x", "variables": {"x": 0.2}})
    assert (found["expression"], found["result"], found["warnings"]) == ("=0.1 + x", Decimal("0.3"), [])
    assert root.ask("POST", PATH, {"expression": 'date("2026-11-20") + duration("P1D")'})["result"] == "2026-11-21"
    assert root.ask("POST", PATH, {"expression": "{a: [1, 2]}"})["result"] == {"a": [1, 2]}
    assert root.ask("POST", PATH, {"expression": "today()"})["result"] == "2026-11-20"


def test_a_warning_says_why_the_result_is_null(api: Api) -> None:
    found = api("root").ask("POST", PATH, {"expression": '1 + "a"'})
    assert found["result"] is None
    assert found["warnings"][0]["message"]


def test_what_is_no_feel_or_costs_too_much_is_refused(api: Api) -> None:
    root = api("root")
    problem(root.post(PATH, {"expression": "1 +"}), 400)
    problem(root.post(PATH, {"expression": "count(for a in 1..100000, b in 1..100000 return 1)"}), 400)
    problem(root.post(PATH, {"expression": "function(x) x"}), 400)
    assert problem(root.post(PATH, {"variables": {}}), 400)["field"] == "expression"


def test_a_scope_gives_its_variables_and_those_around_it(engine: Engine, case: int, api: Api) -> None:
    root = api("root")
    assert root.ask("POST", PATH, {"expression": "purpose", "scopeKey": str(case)})["result"] == "参会"
    task = engine.tasks(instance=case)[0].key
    body = {"expression": "purpose + applicant", "scopeKey": str(task), "variables": {"applicant": "!"}}
    assert root.ask("POST", PATH, body)["result"] == "参会!"
    assert problem(root.post(PATH, {"expression": "1", "scopeKey": "1"}), 404)["field"] == "scopeKey"


def test_expressions_are_for_administrators(case: int, api: Api) -> None:
    for who in ("anna", "audrey", "dora"):
        problem(api(who).post(PATH, {"expression": "purpose", "scopeKey": str(case)}), 403)


def test_conditionals_and_the_clock_are_not_there(api: Api) -> None:
    root = api("root")
    assert "conditionals" in problem(root.post("/conditionals/evaluation", {"variables": {}}), 501)["detail"]
    problem(root.call("PUT", "/clock", {"timestamp": 0}), 501)
    problem(root.post("/clock/reset"), 501)
