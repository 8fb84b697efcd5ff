"""Jobs through /v2: taken, completed, failed, searched; by whom, and what they see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine import history
from engine.clock import TurnedClock
from engine.facade import Engine
from tests.unit.commands.office import line, task
from tests.unit.kernel.drawing import boundary, chain, draw, element, end, event, ext, flow, io, props, service, start, z
from webui.v2.polling import Polls
from webui.v2.problems import Overloaded

from .conftest import ApiClient
from .test_foundation import problem
from .test_tokens import issue

Api = Callable[..., ApiClient]

HEADERS = z("taskHeaders", z("header", key="to", value="bank"))
PAYMENT = draw(
    line(("pay", service("pay", HEADERS, io({"amount": "=sum * 2"}), job="payment")))
    + boundary("bad", "pay", event("error", "E"))
    + task("mend")
    + flow("bad", "mend"),
    '<b:error id="E" errorCode="NO_MONEY"/>',
    process_id="payment",
)
INNER = start("s2") + service("w", job="count") + end("e2") + chain("s2", "w", "e2")
HIDDEN = element("subProcess", "sub", ext(props(visibleTo="chair"), io({"vote": "=7"})) + INNER)
SECRET = draw(start() + HIDDEN + end() + chain("s", "sub", "e"), process_id="secret")
ONCE = {"requestTimeout": -1}


@pytest.fixture
def worker(api: Api, engine: Engine) -> ApiClient:
    """A program with a token for jobs; its owner is a clerk."""
    engine.deploy({"payment.bpmn": PAYMENT}, by="root")
    return api(token=issue(engine, "anna", "jobs", "read"))


@pytest.fixture
def paying(engine: Engine, worker: ApiClient) -> int:
    """A case that waits for the worker."""
    return engine.start("payment", {"sum": 21}, by="anna")


def activate(client: ApiClient, job_type: str = "payment", timeout: int = 60_000, most: int = 5, **more: Any) -> list[Any]:
    """Take jobs without waiting."""
    body = {"type": job_type, "worker": "w1", "timeout": timeout, "maxJobsToActivate": most, **ONCE, **more}
    jobs = client.ask("POST", "/jobs/activation", body)["jobs"]
    assert isinstance(jobs, list)
    return jobs


def test_a_worker_takes_a_job_and_completes_it(worker: ApiClient, engine: Engine, clock: TurnedClock, paying: int) -> None:
    (job,) = activate(worker)
    assert job["variables"] == {"sum": 21, "amount": 42}
    assert (job["customHeaders"], job["retries"], job["worker"]) == ({"to": "bank"}, 3, "w1")
    assert (job["processInstanceKey"], job["processDefinitionId"], job["elementId"]) == (str(paying), "payment", "pay")
    assert job["deadline"] == int((clock.now() + timedelta(minutes=1)).timestamp() * 1000)
    assert activate(worker) == []
    assert worker.ask("POST", f"/jobs/{job['jobKey']}/completion", {"variables": {"paid": True}}, 204) is None
    assert engine.instance(paying).state == "COMPLETED"
    assert engine.variables(paying)["paid"] is True
    problem(worker.post(f"/jobs/{job['jobKey']}/completion"), 404)


def test_the_journal_names_the_worker_and_its_person(worker: ApiClient, engine: Engine, paying: int) -> None:
    (job,) = activate(worker)
    worker.ask("POST", f"/jobs/{job['jobKey']}/completion", {}, 204)
    with engine.context.store.read() as reading:
        told = [(entry.command, entry.actor) for entry in history.entries(reading, paying)]
    assert told[-2:] == [("activate_jobs", "anna"), ("complete_job", "anna")]


def test_only_the_variables_asked_for_are_sent(worker: ApiClient, paying: int) -> None:
    assert paying
    (job,) = activate(worker, fetchVariable=["amount", "none"])
    assert job["variables"] == {"amount": 42}


def test_a_failure_leaves_retries_and_a_pause_then_an_incident(
    worker: ApiClient, engine: Engine, clock: TurnedClock, paying: int
) -> None:
    (job,) = activate(worker)
    failure = {"retries": 1, "retryBackOff": 30_000, "errorMessage": "down", "variables": {"seen": 1}}
    worker.ask("POST", f"/jobs/{job['jobKey']}/failure", failure, 204)
    assert activate(worker) == []
    (found,) = worker.search("/jobs/search", filter={"state": "FAILED", "hasFailedWithRetriesLeft": True})
    assert (found["errorMessage"], found["retries"]) == ("down", 1)
    clock.advance(timedelta(seconds=30))
    (again,) = activate(worker)
    assert (again["retries"], again["variables"]["seen"]) == (1, 1)
    worker.ask("POST", f"/jobs/{job['jobKey']}/failure", {"errorMessage": "still down"}, 204)
    (incident,) = engine.incidents(paying)
    assert (incident.kind, incident.message) == ("JOB_NO_RETRIES", "still down")
    problem(worker.post(f"/jobs/{job['jobKey']}/failure", {"retries": 1}), 409)
    worker.ask("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"retries": 2}}, 204)
    assert activate(worker) == []
    engine.resolve_incident(incident.key, by="root")
    assert activate(worker)[0]["retries"] == 2


def test_a_bpmn_error_goes_where_the_model_says(worker: ApiClient, engine: Engine, paying: int) -> None:
    (job,) = activate(worker)
    error = {"errorCode": "NO_MONEY", "errorMessage": "empty", "variables": {"left": 0}}
    worker.ask("POST", f"/jobs/{job['jobKey']}/error", error, 204)
    assert [found.element_id for found in engine.tasks(instance=paying)] == ["mend"]


def test_an_unknown_error_waits_for_somebody(worker: ApiClient, engine: Engine, paying: int) -> None:
    (job,) = activate(worker)
    worker.ask("POST", f"/jobs/{job['jobKey']}/error", {"errorCode": "OTHER"}, 204)
    assert engine.incidents(paying)[0].kind == "UNHANDLED_ERROR_EVENT"
    assert [found["state"] for found in worker.search("/jobs/search")] == ["ERROR_THROWN"]


def test_a_timeout_can_be_prolonged(worker: ApiClient, clock: TurnedClock, paying: int) -> None:
    assert paying
    (job,) = activate(worker)
    worker.ask("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"timeout": 120_000}}, 204)
    clock.advance(timedelta(seconds=119))
    assert activate(worker) == []
    clock.advance(timedelta(seconds=1))
    assert [found["state"] for found in worker.search("/jobs/search")] == ["TIMED_OUT"]
    problem(worker.call("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"timeout": 1}}), 409)
    assert len(activate(worker)) == 1


# --- who


def test_a_password_works_on_jobs_for_administrators_alone(api: Api, worker: ApiClient, paying: int) -> None:
    assert paying
    body = {"type": "payment", "timeout": 1000, "maxJobsToActivate": 1, **ONCE}
    problem(api("anna").post("/jobs/activation", body), 403)
    problem(api("audrey").post("/jobs/activation", body), 403)
    key = worker.search("/jobs/search")[0]["jobKey"]
    problem(api("anna").post(f"/jobs/{key}/completion"), 403)
    assert len(activate(api("root"))) == 1


def test_a_token_needs_the_scope(api: Api, engine: Engine, worker: ApiClient) -> None:
    assert worker
    response = api(token=issue(engine, "root", "read", "tasks")).post(
        "/jobs/activation", {"type": "payment", "timeout": 1, "maxJobsToActivate": 1}
    )
    problem(response, 403)


def test_a_confined_token_knows_of_no_other_process(api: Api, engine: Engine, worker: ApiClient, paying: int) -> None:
    assert paying
    other = api(token=issue(engine, "root", "jobs", "read", processes=["expense"]))
    assert activate(other) == []
    assert other.search("/jobs/search") == []
    (job,) = activate(worker)
    for method, path, body in (
        ("POST", "completion", {}),
        ("POST", "failure", {}),
        ("POST", "error", {"errorCode": "X"}),
        ("PATCH", "", {"changeset": {"retries": 1}}),
    ):
        problem(other.call(method, f"/jobs/{job['jobKey']}/{path}".rstrip("/"), body), 404)


def test_hidden_scopes_stay_hidden(api: Api, engine: Engine) -> None:
    engine.deploy({"secret.bpmn": SECRET}, by="root")
    engine.start("secret", {"open": 1}, by="anna")
    clerk, chair = (api(token=issue(engine, name, "jobs", "read")) for name in ("anna", "chris"))
    (job,) = activate(clerk, "count", timeout=1000)
    assert job["variables"] == {"open": 1}
    clerk.ask("POST", f"/jobs/{job['jobKey']}/failure", {"retries": 1, "errorMessage": "the vote was 7"}, 204)
    assert [found["errorMessage"] for found in clerk.search("/jobs/search")] == [None]
    assert clerk.search("/jobs/search", filter={"errorMessage": {"$like": "*7*"}}) == []
    (job,) = activate(chair, "count")
    assert job["variables"] == {"open": 1, "vote": 7}


def test_jobs_of_cases_that_a_person_may_not_see_are_not_found(api: Api, worker: ApiClient, paying: int) -> None:
    assert paying
    assert worker.search("/jobs/search")
    assert api("dora").search("/jobs/search") == []
    assert len(api("root").search("/jobs/search", filter={"type": "payment", "retries": {"$gte": 3}, "worker": ""})) == 0
    assert len(api("root").search("/jobs/search", filter={"type": {"$like": "pay*"}}, sort=[{"field": "deadline"}])) == 1


# --- bad input


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"timeout": 1, "maxJobsToActivate": 1}, "type"),
        ({"type": "x", "maxJobsToActivate": 1}, "timeout"),
        ({"type": "x", "timeout": 0, "maxJobsToActivate": 1}, "timeout"),
        ({"type": "x", "timeout": 1, "maxJobsToActivate": 0}, "maxJobsToActivate"),
        ({"type": "x", "timeout": "1", "maxJobsToActivate": 1}, "timeout"),
        ({"type": "x", "timeout": 1, "maxJobsToActivate": 1, "tenantIds": ["other"]}, "tenantIds[0]"),
        ({"type": "x", "timeout": 1, "maxJobsToActivate": 1, "more": 1}, "more"),
        ({"type": "notify", "timeout": 1, "maxJobsToActivate": 1}, "type"),
    ],
)
def test_bad_activations_name_the_field(worker: ApiClient, body: dict[str, Any], field: str) -> None:
    assert problem(worker.post("/jobs/activation", {**body, **ONCE}), 400)["field"] == field


def test_what_we_do_not_have_is_not_ignored(worker: ApiClient, paying: int) -> None:
    assert paying
    body = {"type": "payment", "timeout": 1000, "maxJobsToActivate": 1, "withLease": True, **ONCE}
    assert problem(worker.post("/jobs/activation", body), 501)["field"] == "withLease"
    (job,) = activate(worker)
    key = job["jobKey"]
    denied = {"result": {"type": "userTask", "denied": True}}
    assert problem(worker.post(f"/jobs/{key}/completion", denied), 501)["field"] == "result"
    assert problem(worker.post(f"/jobs/{key}/completion", {"businessId": "B"}), 501)["field"] == "businessId"
    assert problem(worker.post(f"/jobs/{key}/failure", {"jobLeaseToken": "t"}), 501)["field"] == "jobLeaseToken"
    changed = worker.call("PATCH", f"/jobs/{key}", {"changeset": {"priority": 1}})
    assert problem(changed, 501)["field"] == "changeset.priority"
    problem(worker.call("PATCH", f"/jobs/{key}", {"changeset": {}}), 400)
    problem(worker.post("/jobs/search", {"filter": {"state": "COMPLETED"}}), 501)
    problem(worker.post("/jobs/search", {"filter": {"errorCode": "X"}}), 501)
    problem(worker.post("/jobs/1/completion"), 404)


def test_the_engines_own_jobs_are_no_workers_business(api: Api, engine: Engine) -> None:
    engine.deploy({"n.bpmn": draw(line(("n", service("n", job="notify"))), process_id="N")}, by="root")
    engine.start("N", by="root")  # what it should tell is not said: tried again, later
    (job,) = api("root").search("/jobs/search")
    problem(api("root").post(f"/jobs/{job['jobKey']}/completion"), 409)


# --- waiting


def test_a_waiting_worker_is_woken_by_a_new_job(worker: ApiClient, engine: Engine) -> None:
    begun = time.monotonic()
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(activate(worker, requestTimeout=30_000)))
    waiting.start()
    case = engine.start("payment", {"sum": 1}, by="anna")
    waiting.join()
    assert [job["processInstanceKey"] for job in found] == [str(case)]
    assert time.monotonic() - begun < 20


def test_who_finds_nothing_in_time_gets_nothing(worker: ApiClient) -> None:
    assert activate(worker, requestTimeout=1) == []


class Seconds:
    """A clock for polls that goes on at every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_a_poll_ends_when_its_time_is_over() -> None:
    polls = Polls(clock=Seconds(20.0))
    polls.wake()
    looks: list[int] = []

    def look() -> list[int]:
        looks.append(1)
        polls.wake()
        return []

    assert polls.poll(look, 50) == []
    assert 2 <= len(looks) <= 4
    assert polls.waiting == 0


def test_nothing_is_taken_for_a_client_that_has_gone() -> None:
    polls = Polls()
    looks: list[int] = []

    def look() -> list[int]:
        looks.append(1)
        polls.wake()
        return [] if len(looks) == 1 else [1]

    assert polls.poll(look, 50, gone=lambda: True) == []


def test_the_longest_waiting_poll_gives_up_its_place_but_not_at_once() -> None:
    clock, seated = Seconds(), threading.Event()
    polls = Polls(places=1, clock=clock)
    answers: list[list[int]] = []

    def look() -> list[int]:
        seated.set()
        return []

    first = threading.Thread(target=lambda: answers.append(polls.poll(look, 60)))
    first.start()
    seated.wait()
    while not polls.waiting:  # it looks before it sits down
        pass
    with pytest.raises(Overloaded):
        polls.poll(list, 60)
    clock.now = 5.0
    again = [[], [7]]

    def find() -> list[int]:
        polls.wake()
        return again.pop(0)

    assert polls.poll(find, 60) == [7]
    first.join()
    assert answers == [[]]
    assert polls.waiting == 0
