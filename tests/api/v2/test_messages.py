"""Messages, signals and subscriptions through /v2."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine import history
from engine.clock import TurnedClock
from engine.facade import Engine
from tests.unit.commands.office import line
from tests.unit.kernel.drawing import chain, draw, element, end, event, ext, io, message, props, start

from .conftest import ApiClient
from .test_foundation import problem
from .test_tokens import issue

Api = Callable[..., ApiClient]

WAITS = draw(
    line(("wait", element("intermediateCatchEvent", "wait", event("message", "M")))),
    message("M", "paid", "=order"),
    process_id="waits",
)
BEGINS = draw(
    start(inner=event("message", "M")) + element("userTask", "t") + end() + chain("s", "t", "e"),
    message("M", "ordered", None),
    process_id="begins",
)
LISTENS = draw(
    line(("wait", element("intermediateCatchEvent", "wait", event("signal", "S")))),
    '<b:signal id="S" name="alarm"/>',
    process_id="listens",
)
INNER = start("s2") + element("intermediateCatchEvent", "wait", event("message", "M")) + end("e2") + chain("s2", "wait", "e2")
SECRET = draw(
    start()
    + element("subProcess", "sub", ext(props(visibleTo="chair"), io({"vote": '="seven"'})) + INNER)
    + end()
    + chain("s", "sub", "e"),
    message("M", "counted", "=vote"),
    process_id="secret",
)


@pytest.fixture
def sender(api: Api, engine: Engine) -> ApiClient:
    """A program with a token that starts processes and sends messages; its owner is a clerk."""
    engine.deploy({"w.bpmn": WAITS, "b.bpmn": BEGINS, "l.bpmn": LISTENS}, by="root")
    return api(token=issue(engine, "anna", "start", "read"))


def test_a_message_finds_its_receiver(sender: ApiClient, engine: Engine) -> None:
    case, other = (engine.start("waits", {"order": order}, by="anna") for order in ("C-1", "C-2"))
    body = {"name": "paid", "correlationKey": "C-1", "variables": {"sum": 5}}
    assert sender.ask("POST", "/messages/publication", body)["messageKey"].isdigit()
    assert (engine.instance(case).state, engine.instance(other).state) == ("COMPLETED", "ACTIVE")
    assert engine.variables(case)["sum"] == 5
    with engine.context.store.read() as reading:
        entry = history.entries(reading, case)[-1]
    assert (entry.command, entry.actor) == ("receive_message", "anna")


def test_a_message_waits_as_long_as_it_lives(sender: ApiClient, engine: Engine, clock: TurnedClock) -> None:
    body = {"name": "paid", "correlationKey": "C-1", "timeToLive": 60_000, "messageId": "m1"}
    sender.ask("POST", "/messages/publication", body)
    problem(sender.post("/messages/publication", body), 409)
    sender.ask("POST", "/messages/publication", {**body, "messageId": "m2"})
    sender.ask("POST", "/messages/publication", {**body, "correlationKey": "C-2"})
    assert engine.instance(engine.start("waits", {"order": "C-1"}, by="anna")).state == "COMPLETED"
    clock.advance(timedelta(minutes=1))
    assert engine.instance(engine.start("waits", {"order": "C-1"}, by="anna")).state == "ACTIVE"
    sender.ask("POST", "/messages/publication", {"name": "paid", "correlationKey": "C-9", "messageId": "m1"})
    sender.ask("POST", "/messages/publication", {"name": "paid", "correlationKey": "C-9", "messageId": "m1"})  # lived for no time


def test_a_correlation_says_who_got_it(sender: ApiClient, engine: Engine) -> None:
    case = engine.start("waits", {"order": "C-1"}, by="anna")
    found = sender.ask("POST", "/messages/correlation", {"name": "paid", "correlationKey": "C-1", "variables": {"sum": 1}})
    assert (found["processInstanceKey"], found["tenantId"]) == (str(case), "<default>")
    assert engine.instance(case).state == "COMPLETED"
    problem(sender.post("/messages/correlation", {"name": "paid", "correlationKey": "C-1"}), 404)
    engine.start("waits", {"order": "C-1"}, by="anna")  # what nobody got does not wait


def test_a_correlation_may_start_a_case(sender: ApiClient, engine: Engine) -> None:
    found = sender.ask("POST", "/messages/correlation", {"name": "ordered", "variables": {"n": 3}})
    case = int(found["processInstanceKey"])
    assert (engine.instance(case).state, engine.variables(case)) == ("ACTIVE", {"n": 3})


def test_a_signal_reaches_all(sender: ApiClient, engine: Engine) -> None:
    cases = [engine.start("listens", by="anna") for _ in range(2)]
    found = sender.ask("POST", "/signals/broadcast", {"signalName": "alarm", "variables": {"loud": True}})
    assert found["signalKey"].isdigit()
    assert [(engine.instance(case).state, engine.variables(case)) for case in cases] == [("COMPLETED", {"loud": True})] * 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/messages/publication", {"name": "paid"}),
        ("/messages/correlation", {"name": "paid"}),
        ("/signals/broadcast", {"signalName": "alarm"}),
    ],
)
def test_who_may_send(api: Api, engine: Engine, sender: ApiClient, path: str, body: dict[str, str]) -> None:
    assert sender
    problem(api("anna").post(path, body), 403)
    problem(api(token=issue(engine, "root", "read", "jobs")).post(path, body), 403)
    problem(api(token=issue(engine, "root", "start", processes=["waits"])).post(path, body), 403)
    assert api("root").post(path, body).status_code in {200, 404}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/messages/publication", {}, "name"),
        ("/messages/publication", {"name": ""}, "name"),
        ("/messages/publication", {"name": "x", "timeToLive": -1}, "timeToLive"),
        ("/messages/publication", {"name": "x", "tenantId": "other"}, "tenantId"),
        ("/messages/publication", {"name": "x", "correlationKey": "k" * 256}, "correlationKey"),
        ("/messages/correlation", {"name": "x", "timeToLive": 1}, "timeToLive"),
        ("/messages/correlation", {"name": "x", "variables": []}, "variables"),
        ("/signals/broadcast", {"name": "x"}, "signalName"),
    ],
)
def test_bad_input_names_the_field(sender: ApiClient, path: str, body: dict[str, object], field: str) -> None:
    found = problem(sender.post(path, body), 400)
    assert field in {item["field"] for item in found["errors"]}


def test_a_business_id_is_not_ignored(sender: ApiClient) -> None:
    assert problem(sender.post("/messages/correlation", {"name": "x", "businessId": "B"}), 501)["field"] == "businessId"


# --- subscriptions


def test_subscriptions_of_cases_and_of_start_events(sender: ApiClient, api: Api, engine: Engine) -> None:
    case = engine.start("waits", {"order": "C-1"}, by="anna")
    (found,) = sender.search("/message-subscriptions/search", filter={"messageSubscriptionType": "PROCESS_EVENT"})
    assert (found["messageName"], found["correlationKey"], found["elementId"]) == ("paid", "C-1", "wait")
    assert (found["processInstanceKey"], found["messageSubscriptionState"]) == (str(case), "CREATED")
    (found,) = sender.search("/message-subscriptions/search", filter={"messageName": {"$like": "order*"}})
    assert (found["processDefinitionId"], found["messageSubscriptionType"]) == ("begins", "START_EVENT")
    assert (found["processInstanceKey"], found["correlationKey"]) == (None, None)
    both = api("root").search("/message-subscriptions/search", sort=[{"field": "messageName", "order": "DESC"}])
    assert [item["messageName"] for item in both] == ["paid", "ordered"]
    assert [item["messageName"] for item in api("dora").search("/message-subscriptions/search")] == ["ordered"]
    confined = api(token=issue(engine, "root", "read", processes=["waits"]))
    assert [item["messageName"] for item in confined.search("/message-subscriptions/search")] == ["paid"]


def test_correlation_keys_of_hidden_scopes_stay_hidden(api: Api, engine: Engine) -> None:
    engine.deploy({"s.bpmn": SECRET}, by="root")
    engine.start("secret", by="anna")
    (seen,) = api("audrey").search("/message-subscriptions/search", filter={"correlationKey": "seven"})
    assert seen["correlationKey"] == "seven"
    (found,) = api("anna").search("/message-subscriptions/search", filter={"messageName": "counted"})
    assert found["correlationKey"] is None
    assert api("root").search("/message-subscriptions/search", filter={"correlationKey": "seven"}) == []


def test_closed_subscriptions_are_not_searched(api: Api) -> None:
    problem(api("root").post("/message-subscriptions/search", {"filter": {"messageSubscriptionState": "CORRELATED"}}), 501)
    problem(api("root").post("/correlated-message-subscriptions/search", {}), 501)
