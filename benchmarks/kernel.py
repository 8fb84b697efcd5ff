"""The kernel in memory: completions a second, and that a step costs the same however long the instance has run.

Run: `.venv/bin/python -m benchmarks.kernel`. No database: what is measured is reading, moving tokens, saving and loading rows.
Every line is measured in this one run; ratios compare lines of the same run, so a slower machine changes both sides.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from engine import definitions, feel
from engine.definitions.reader import read_anew
from engine.kernel import Advance, ElementRow, Instance, Surroundings
from engine.kernel import advance as a

NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
HEAD = '<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0">'


def el(tag: str, element_id: str, inner: str = "", **attributes: str) -> str:
    given = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return f'<b:{tag} id="{element_id}"{given}>{inner}</b:{tag}>'


def user(element_id: str, inner: str = "") -> str:
    extensions = (
        '<b:extensionElements><z:userTask/><z:assignmentDefinition candidateGroups="office,finance"/></b:extensionElements>'
    )
    return el("userTask", element_id, extensions + inner)


def script(element_id: str, variable: str, expression: str) -> str:
    text = f'<z:script expression="={expression}" resultVariable="{variable}"/>'
    return el("scriptTask", element_id, f"<b:extensionElements>{text}</b:extensionElements>")


def flow(source: str, target: str, condition: str = "", flow_id: str = "") -> str:
    inner = f"<b:conditionExpression>={condition}</b:conditionExpression>" if condition else ""
    return el("sequenceFlow", flow_id or f"f-{source}-{target}", inner, sourceRef=source, targetRef=target)


def chain(*ids: str) -> str:
    return "".join(flow(x, y) for x, y in itertools.pairwise(ids))


def draw(body: str) -> bytes:
    return f'{HEAD}<b:process id="P" isExecutable="true">{body}</b:process></b:definitions>'.encode()


def read(body: str) -> definitions.Process:
    file = definitions.read_bpmn(draw(body), "bench.bpmn")
    assert file.ok
    return file.processes[0]


def twelve() -> definitions.Process:
    """Twelve nodes: six user tasks, a choice, a script, a boundary timer."""
    timer = "<b:timerEventDefinition><b:timeDuration>P3D</b:timeDuration></b:timerEventDefinition>"
    body = (
        el("startEvent", "s") + "".join(user(f"u{i}") for i in range(6)) + script("k", "net", "amount - 1") + el("endEvent", "e")
    )
    body += (
        el("exclusiveGateway", "g", default="f-g-u3")
        + el("boundaryEvent", "b", timer, attachedToRef="u1")
        + el("endEvent", "late")
    )
    body += (
        chain("s", "u0", "u1", "u2", "k", "g", "u3", "u4", "u5", "e") + flow("g", "u4", "net &lt; 0", "back") + flow("b", "late")
    )
    return read(body)


def loop() -> definitions.Process:
    """A parallel block in a loop: eight elements a round, two of them user tasks."""
    body = (
        el("startEvent", "s")
        + el("exclusiveGateway", "m")
        + el("parallelGateway", "p")
        + user("a")
        + user("b")
        + el("parallelGateway", "q")
    )
    body += script("k", "n", "n + 1") + el("exclusiveGateway", "g", default="out") + el("endEvent", "e")
    body += (
        chain("s", "m", "p", "a", "q", "k", "g")
        + chain("p", "b", "q")
        + flow("g", "m", "n &lt; 1000000")
        + flow("g", "e", flow_id="out")
    )
    return read(body)


def siblings() -> definitions.Process:
    """A parallel multi-instance user task with collected results."""
    characteristics = (
        '<z:loopCharacteristics inputCollection="=xs" inputElement="x" outputCollection="out" outputElement="=vote"/>'
    )
    tag = "b:multiInstanceLoopCharacteristics"
    inner = f"<{tag}><b:extensionElements>{characteristics}</b:extensionElements></{tag}>"
    return read(el("startEvent", "s") + user("u", inner) + el("endEvent", "e") + chain("s", "u", "e"))


class Case:
    """An instance whose rows are kept as a store would."""

    def __init__(self, process: definitions.Process, **variables: object) -> None:
        self.process = process
        self.surroundings = Surroundings(NOW, itertools.count(1), feel.Environment(now=NOW))
        self.rows: dict[int, ElementRow] = {}
        self.variables: dict[tuple[int, str], object] = {}
        self.tasks: dict[int, None] = {}
        self.ended = False
        self.instance = Instance.create(process, next(self.surroundings.keys), self.surroundings)
        self.take(self.instance.start({"amount": 100, "n": 0, **variables}))

    def take(self, advance: Advance) -> None:
        for key in advance.rows_gone:
            del self.rows[key]
        self.rows.update(advance.rows_put)
        self.variables.update(advance.variables_put)
        for change in advance.changes:
            if isinstance(change, a.TaskCreated):
                self.tasks[change.key] = None
            elif isinstance(change, a.TaskCompleted | a.TaskCancelled):
                del self.tasks[change.key]
        self.ended = self.instance.ended

    def load(self) -> None:
        self.instance = Instance.load(self.process, self.rows.values(), self.variables, self.surroundings)

    def complete(self, **variables: object) -> None:
        self.take(self.instance.complete_task(next(iter(self.tasks)), variables))


def per_second(act: Callable[[], object], count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        act()
    return count / (time.perf_counter() - begun)


def milliseconds(act: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found)


def completions(process: definitions.Process, seconds: float, *, loading: bool) -> float:
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        case = Case(process)
        while not case.ended:
            if loading:
                case.load()
            case.complete(verdict="yes", remark="x" * 100)
            done += 1
    return done / (time.perf_counter() - begun)


def flat(process: definitions.Process) -> tuple[float, float]:
    """Median microseconds of a completion (loaded before) with 10 and with 5,000 finished elements behind it."""
    case = Case(process)

    def one() -> None:
        case.load()
        case.complete()

    early = milliseconds(one, 400)
    for _ in range(1300):
        case.complete()
    late = milliseconds(one, 400)
    return early * 1000, late * 1000


def thousand(process: definitions.Process) -> tuple[float, float, float]:
    """Microseconds of a completion with 10 and with 1,000 live siblings, kept in memory; and with loading the thousand."""
    few, many = [Case(process, xs=list(range(12))) for _ in range(50)], Case(process, xs=list(range(1100)))
    next_few = iter(few)
    low = milliseconds(lambda: next(next_few).complete(vote=1), 50) * 1000
    high = milliseconds(lambda: many.complete(vote=1), 50) * 1000

    def loaded() -> None:
        many.load()
        many.complete(vote=1)

    return low, high, milliseconds(loaded, 50) * 1000


def wide(count: int) -> bytes:
    body, last = el("startEvent", "s"), "s"
    for i in range(count):
        body += user(f"u{i}") + flow(last, f"u{i}")
        last = f"u{i}"
    return draw(body + el("endEvent", "e") + flow(last, "e"))


def blocks() -> bytes:
    body, last = el("startEvent", "s"), "s"
    for i in range(6):
        body += el("parallelGateway", f"p{i}") + el("parallelGateway", f"q{i}") + flow(last, f"p{i}")
        body += "".join(user(f"u{i}{k}") + chain(f"p{i}", f"u{i}{k}", f"q{i}") for k in range(4))
        last = f"q{i}"
    return draw(body + el("endEvent", "e") + flow(last, "e"))


def reading(data: bytes) -> float:
    """Milliseconds to read a file with its report, not remembered from the time before."""
    return milliseconds(lambda: read_anew(data, "x.bpmn"))


def row(text: str, measured: str, target: str = "", met: bool | None = None) -> None:
    """Print a row: what, what it is to reach (where the issue says so), what it is, and whether that is met."""
    print(f"{text:62} {target:10} {measured:>12}  {'' if met is None else 'met' if met else 'NOT MET'}".rstrip(), flush=True)


def main() -> None:
    process = twelve()
    row("12-node case, completions/s, instance kept", f"{completions(process, 2, loading=False):.0f}")
    row("12-node case, completions/s, loaded before each", f"{completions(process, 2, loading=True):.0f}")
    row("12-node case, starts to the first task/s", f"{per_second(lambda: Case(process), 1000):.0f}")
    early, late = flat(loop())
    row("parallel block in a loop, 10 elements behind it, µs", f"{early:.0f}")
    row("parallel block in a loop, 5,000 elements behind it, µs", f"{late:.0f}")
    row("    ratio", f"{late / early:.2f} ×", "≤ 1.2 ×", late / early <= 1.2)
    low, high, loaded = thousand(siblings())
    row("multi-instance, 10 live siblings, kept, µs", f"{low:.0f}")
    row("multi-instance, 1,000 live siblings, kept, µs", f"{high:.0f}")
    row("    ratio", f"{high / low:.2f} ×", "≤ 3 ×", high / low <= 3)
    row("multi-instance, 1,000 live siblings, loaded before, µs", f"{loaded:.0f}")
    serial = blocks()
    wide400 = reading(wide(400))
    row("400-node file, read with report, ms", f"{wide400:.1f}", "< 150", wide400 < 150)
    row("6 serial blocks of 4 branches, read with report, ms", f"{reading(serial):.1f}")
    first = definitions.read_bpmn(serial, "x.bpmn").processes[0]
    Case(first)
    started = milliseconds(lambda: Case(first), 50)
    row("6 serial blocks of 4 branches, start, ms", f"{started:.2f}", "< 5", started < 5)
    refused = reading(wide(50_000))
    row("50,000-node file, refused, ms", f"{refused:.1f}", "< 300", refused < 300)


if __name__ == "__main__":
    main()
