"""The facade: what an embedding program does in ten lines, on a file and in memory, from several threads."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import engine as package
from engine import Engine, facade
from engine.clock import SystemClock, TurnedClock
from engine.errors import NotFound, TaskNotOpen
from engine.ports import Ports
from engine.settings import Settings
from tests.unit.commands.office import NOW, line, one_task, task
from tests.unit.kernel.drawing import boundary, draw, element, end, event, flow, io, message, script, service, timer

CAUGHT = element("intermediateCatchEvent", "c", event("message", "m"))
DIAGRAM = draw(
    line(
        ("x", script("x", "double", "amount * 2")),
        ("t", task()),
        ("c", element("intermediateCatchEvent", "c", event("message", "m"))),
    )
    + boundary("b", "t", timer("PT1H"), interrupting=False)
    + end("late")
    + flow("b", "late"),
    message("m", "paid", "=order"),
)


def test_ten_lines() -> None:
    engine = Engine.open("sqlite://", clock=TurnedClock(NOW))
    report = engine.deploy({"p.bpmn": DIAGRAM.decode()}, by="anna")
    case = engine.start("P", {"amount": Decimal("1.05"), "order": "A", "count": 3}, business_id="B-1", by="anna")
    (found,) = engine.tasks(instance=case)
    engine.claim(found.key, by="ben")
    engine.clock.set(NOW + timedelta(hours=1))  # type: ignore[attr-defined]  # it was opened with a clock that turns
    assert engine.run_due() == 1
    engine.complete(found.key, {"approved": True}, by="ben")
    engine.publish("paid", "A", {"paid_on": "2026-10-01"}, ttl=timedelta(days=1))
    assert report.ok
    assert engine.variables(case) == {
        "amount": Decimal("1.05"),
        "double": Decimal("2.10"),
        "order": "A",
        "count": 3,
        "approved": True,
        "paid_on": "2026-10-01",
    }
    assert [(item.element_id, item.type, item.state) for item in engine.element_instances(case)] == [
        ("s", "START_EVENT", "COMPLETED"),
        ("x", "SCRIPT_TASK", "COMPLETED"),
        ("t", "USER_TASK", "COMPLETED"),
        ("b", "BOUNDARY_EVENT", "COMPLETED"),
        ("late", "END_EVENT", "COMPLETED"),
        ("c", "INTERMEDIATE_CATCH_EVENT", "COMPLETED"),
        ("e", "END_EVENT", "COMPLETED"),
    ]
    assert engine.incidents(case) == ()
    assert [event.actor for event in engine.journal(case) if event.kind == "TaskCompleted"] == ["ben"]
    assert engine.verify().ok
    engine.close()


def test_a_file_is_migrated_when_it_is_new_and_found_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cases.db"
    with Engine.open(url, clock=NOW) as engine:
        engine.deploy({"p.bpmn": one_task()}, by="anna")
        case = engine.start("P", {"x": 1})
    with Engine.open(url, clock=lambda: NOW) as engine:
        assert engine.variables(case) == {"x": 1}
        engine.complete(engine.tasks()[0].key, by="ben")
        assert engine.instance(case).state == "COMPLETED"
    assert facade.migrate(url)


def test_two_engines_on_one_file_never_make_one_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cases.db"
    with Engine.open(url) as one, Engine.open(url) as other:
        one.deploy({"p.bpmn": one_task()})
        keys = [engine.start("P") for _ in range(20) for engine in (one, other)]
        assert len(set(keys)) == 40
        assert isinstance(one.clock, SystemClock)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_threads_share_an_engine(tmp_path: Path, where: str) -> None:
    engine = Engine.open("sqlite://" if where == "memory" else f"sqlite:///{tmp_path}/t.db", clock=TurnedClock(NOW))
    engine.deploy({"p.bpmn": one_task()})
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(10):
                case = engine.start("P", {"by": name}, by=name)
                (found,) = engine.tasks(instance=case)
                engine.complete(found.key, {"done": True}, by=name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"user-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert engine.tasks() == ()
    assert engine.verify().ok
    engine.close()


@pytest.mark.parametrize("where", ["memory", "file"])
def test_of_many_who_complete_at_the_same_instant_one_wins(tmp_path: Path, where: str) -> None:
    engine = Engine.open("sqlite://" if where == "memory" else f"sqlite:///{tmp_path}/t.db", clock=TurnedClock(NOW))
    engine.deploy({"p.bpmn": one_task()})
    case = engine.start("P")
    (found,) = engine.tasks(instance=case)
    together = threading.Barrier(8)
    ended: list[str] = []

    def complete(name: str) -> None:
        together.wait()
        try:
            engine.complete(found.key, {"by": name}, by=name)
            ended.append(name)
        except TaskNotOpen:
            ended.append("late")

    threads = [threading.Thread(target=complete, args=(f"user-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("late") == 7
    assert engine.variables(case)["by"] in ended
    engine.close()


def test_conditions_of_tasks_hold_together() -> None:
    engine = Engine.open()
    engine.deploy({"p.bpmn": one_task(), "q.bpmn": draw(line(("t", task(group="chair"))), process_id="Q")})
    one, other = engine.start("P"), engine.start("Q")
    assert [item.process_instance_key for item in engine.tasks(group="clerk")] == [one]
    engine.claim(engine.tasks(group="chair")[0].key, by="ben")
    assert [item.process_instance_key for item in engine.tasks(assignee="ben")] == [other]
    assert [item.process_instance_key for item in engine.tasks(group="chair")] == [other]
    assert engine.tasks(instance=one, assignee="ben") == ()


def test_what_is_not_there() -> None:
    engine = Engine.open()
    for read in (engine.variables, engine.element_instances, engine.journal, engine.instance):
        with pytest.raises(NotFound):
            read(1)
    assert engine.incidents(1) == ()
    assert engine.children(1) == ()


def test_variables_of_a_task() -> None:
    engine = Engine.open()
    engine.deploy({"p.bpmn": one_task()})
    engine.start("P", {"x": 1})
    (found,) = engine.tasks()
    assert engine.variables(found.key) == {"x": 1}
    engine.complete(found.key, {"x": 2})
    assert engine.variables(found.key) == {"x": 2}


def test_the_driver_fires_by_itself() -> None:
    engine = Engine.open()
    body = line(("t", task())) + boundary("b", "t", timer("PT0S")) + end("late") + flow("b", "late")
    engine.deploy({"p.bpmn": draw(body)})
    ended = threading.Event()
    with engine.driver():
        case = engine.start("P")
        for _ in range(200):
            if engine.instance(case).state == "COMPLETED":
                ended.set()
                break
            ended.wait(0.02)
    assert ended.is_set()
    engine.close()


def test_the_package_is_light_and_lazy() -> None:
    assert package.Engine is Engine
    with pytest.raises(AttributeError):
        package.Nothing  # noqa: B018 - that is the point


class Wire:
    """A webhook's receiver."""

    def __init__(self) -> None:
        self.posts: list[str] = []

    def post(self, url: str, body: bytes, idempotency_key: str) -> None:
        self.posts.append(idempotency_key)


def test_nobody_waits_for_a_mail_server() -> None:
    wire = Wire()
    settings = Settings(webhook_url="https://hospital.example/alerts")
    told = io({"toUsers": '=["anna"]', "subject": "请查收", "channels": '=["webhook"]'})
    with Engine.open("sqlite://", clock=TurnedClock(NOW), ports=Ports(webhook=wire), settings=settings) as engine:
        engine.deploy({"p.bpmn": draw(line(("n", service("n", told, job="notify"))))})
        case = engine.start("P", by="anna")
        assert engine.instance(case).state == "COMPLETED"
        engine.drain()
        assert wire.posts == []
        assert engine.next_due() == NOW
        engine.run_due()
        assert len(wire.posts) == 1
        assert engine.next_due() is None
