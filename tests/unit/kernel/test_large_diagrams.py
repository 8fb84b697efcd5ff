"""Long, deep and wide diagrams, and loops of thousands of rounds: right, and at a cost that does not grow with what is past."""

from __future__ import annotations

import itertools
import time
from datetime import datetime
from typing import Any

import pytest

from engine import definitions, feel
from engine.kernel import Advance, Instance, Surroundings
from engine.kernel import advance as a
from tests.unit.kernel.drawing import START, chain, draw, element, end, flow, read, start, user

NOW = datetime.fromisoformat(START)


class Run:
    """An instance that stays in memory, loaded anew from its rows and variables when asked; counts what it is told."""

    def __init__(self, process: definitions.Process, **variables: Any) -> None:
        self.process, self.keys = process, itertools.count(1)
        self.surroundings = Surroundings(NOW, self.keys, feel.Environment(now=NOW, time_zone="Asia/Shanghai"))
        self.tasks: dict[int, str] = {}
        self.completed: dict[str, int] = {}
        self.incidents: list[str] = []
        self.rows: dict[int, a.ElementRow] = {}
        self.variables: dict[tuple[int, str], Any] = {}
        self.state = "ACTIVE"
        self.instance = Instance.create(process, next(self.keys), self.surroundings)
        self.take(self.instance.start(variables))

    def take(self, advance: Advance) -> None:
        for change in advance.changes:
            if isinstance(change, a.TaskCreated):
                self.tasks[change.key] = change.element_id
            elif isinstance(change, a.TaskCompleted | a.TaskCancelled):
                del self.tasks[change.key]
            elif isinstance(change, a.ElementCompleted):
                self.completed[change.element_id] = self.completed.get(change.element_id, 0) + 1
            elif isinstance(change, a.IncidentRaised):
                self.incidents.append(change.element_id)
            elif isinstance(change, a.InstanceEnded):
                self.state = change.state
        for key in advance.rows_gone:
            del self.rows[key]
        self.rows.update(advance.rows_put)
        self.variables = {place: value for place, value in self.variables.items() if place[0] not in advance.scopes_gone}
        self.variables.update(advance.variables_put)

    def reload(self) -> None:
        self.instance = Instance.load(self.process, self.rows.values(), self.variables, self.surroundings)

    def do(self, **variables: Any) -> None:
        self.instance.use(self.surroundings)
        self.take(self.instance.complete_task(next(iter(self.tasks)), variables))

    def is_over(self) -> bool:
        return self.state == "COMPLETED" and not (self.tasks or self.rows or self.incidents)


def test_a_line_of_ten_thousand_elements() -> None:
    names = [f"n{i}" for i in range(9_900)]
    middle = len(names) // 2
    body = start() + "".join(element("task", name) for name in names) + user("t") + end()
    run = Run(read(body + chain("s", *names[:middle], "t", *names[middle:], "e")))
    run.reload()
    run.do()
    assert run.is_over()
    assert len(run.completed) == len(names) + 4


def nested(depth: int) -> str:
    inner = start("s0") + user("t") + end("e0") + chain("s0", "t", "e0")
    for i in range(1, depth):
        inner = start(f"s{i}") + element("subProcess", f"u{i}", inner) + end(f"e{i}") + chain(f"s{i}", f"u{i}", f"e{i}")
    return inner


def test_ninety_sub_processes_in_each_other() -> None:
    run = Run(read(nested(90)))
    run.reload()
    run.do()
    assert run.is_over()
    deep = definitions.read_bpmn(draw(nested(120)), "deep.bpmn")
    assert [f.verdict for f in deep.findings] == ["refused"]


WAIT = "<b:activationCondition>=activationCount = 1000</b:activationCondition>"


@pytest.mark.parametrize(
    ("split", "join"),
    [
        ("parallelGateway", element("parallelGateway", "j")),
        ("inclusiveGateway", element("inclusiveGateway", "j")),
        ("parallelGateway", element("complexGateway", "j", WAIT)),
    ],
    ids=["parallel", "inclusive", "complex"],
)
def test_a_thousand_paths_meet_once(split: str, join: str) -> None:
    condition = "true" if split == "inclusiveGateway" else None
    paths = "".join(user(f"t{i}") + flow("f", f"t{i}", condition) + flow(f"t{i}", "j") for i in range(1000))
    run = Run(read(start() + element(split, "f") + paths + join + end() + chain("s", "f") + chain("j", "e")))
    for _ in range(500):
        run.do()
    run.reload()
    for _ in range(499):
        run.do()
    assert "e" not in run.completed
    run.do()
    assert run.is_over()
    assert (run.completed["j"], run.completed["e"]) == (1, 1)


def in_a_loop(block: str, first: str, last: str) -> definitions.Process:
    gateways = element("exclusiveGateway", "x") + element("exclusiveGateway", "y", default="out")
    back = flow("y", "x", "n < rounds") + flow("y", "e", flow_id="out")
    return read(start() + gateways + end() + block + chain("s", "x", first) + chain(last, "y") + back)


def block(kind: str) -> str:
    condition = "true" if kind == "inclusiveGateway" else None
    inner = element(kind, "f") + user("t") + element("task", "n1") + element(kind, "j")
    return inner + flow("f", "t", condition) + flow("f", "n1", condition) + flow("t", "j") + flow("n1", "j")


ROUNDS = {
    "a task": in_a_loop(user("t"), "t", "t"),
    "a parallel block": in_a_loop(block("parallelGateway"), "f", "j"),
    "an inclusive block": in_a_loop(block("inclusiveGateway"), "f", "j"),
}


@pytest.mark.parametrize("name", ROUNDS)
def test_thousands_of_rounds_leave_nothing_behind(name: str) -> None:
    rounds = 5000 if name == "a task" else 1000
    run = Run(ROUNDS[name], n=0, rounds=rounds)
    rows = len(run.rows)
    for n in range(1, rounds):
        run.do(n=n)
        assert len(run.rows) == rows
    run.reload()
    run.do(n=rounds)
    assert run.is_over()
    assert run.completed["t"] == rounds


@pytest.mark.parametrize("kind", ["parallelGateway", "inclusiveGateway"])
def test_six_blocks_of_four_one_after_the_other_start_in_five_milliseconds(kind: str) -> None:
    condition = "true" if kind == "inclusiveGateway" else None
    body, last = start(), "s"
    for i in range(6):
        body += element(kind, f"f{i}") + element(kind, f"j{i}") + flow(last, f"f{i}")
        for k in range(4):
            body += element("task", f"n{i}{k}") + flow(f"f{i}", f"n{i}{k}", condition) + flow(f"n{i}{k}", f"j{i}")
        last = f"j{i}"
    process = read(body + user("t") + flow(last, "t"))
    took = []
    for _ in range(5):
        begun = time.thread_time()
        run = Run(process)
        took.append(time.thread_time() - begun)
        assert list(run.tasks.values()) == ["t"]
        assert run.completed["j5"] == 1
    assert min(took) < 0.005
