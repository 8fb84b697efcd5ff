"""What the engine carries on this machine, with a commit each: every row of the table of what it is to reach.

    python -m benchmarks.engine [--quick]

SQLite in a file, WAL, synchronous=FULL, one thread. What is compared is measured by turns in this one run, so that a slower or
busier machine changes both sides. "Bare" is a transaction of one row of 2,000 bytes (more than a completion's values) on the same
disk. The inbox has a benchmark of its own.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event

from engine import Engine, commands, jobs, queries
from engine.clock import TurnedClock
from engine.errors import LiuzhuanError
from engine.jobs import due

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'targetNamespace="bench"><process id="{id}" isExecutable="true">{body}</process></definitions>'
)
WORDS = ("材料", "齐全", "同意", "补充", "伦理", "审查", "方案", "知情", "病例", "统计")
WORDS += ("修改", "通过", "专家", "意见", "合同", "经费", "数据", "安全", "报告", "管理")
PEER = {
    "start": "SpiffArena 8–11/s",
    "completion": "SpiffArena 8–11/s",
    "statements": "SpiffArena 82–91 and 5",
    "bytes": "SpiffArena 21–30 KB",
    "timers": "SpiffArena 6/s",
}


# --- diagrams ---------------------------------------------------------------------------------------------------------


def task(name: str, inner: str = "") -> str:
    """A user task for a group."""
    offered = '<extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="clerk"/></extensionElements>'
    return f'<userTask id="{name}" name="{name}">{offered}{inner}</userTask>'


def flow(source: str, target: str) -> str:
    """A sequence flow."""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def chain(*names: str) -> str:
    """Flows from one to the next."""
    return "".join(flow(*pair) for pair in itertools.pairwise(names))


def diagram(process_id: str, body: str) -> str:
    """A file with one process."""
    return HEAD.format(id=process_id, body='<startEvent id="s"/>' + body)


def line(process_id: str, count: int) -> str:
    """Start, so many user tasks, end."""
    names = [f"t{number}" for number in range(count)]
    return diagram(process_id, "".join(map(task, names)) + '<endEvent id="e"/>' + chain("s", *names, "e"))


def parallel_loop() -> str:
    """A parallel block in a loop, without end."""
    gateways = '<exclusiveGateway id="x"/><parallelGateway id="p"/><parallelGateway id="q"/>'
    flows = chain("s", "x", "p", "a", "q", "x") + chain("p", "b", "q")
    return diagram("parallel-loop", gateways + task("a") + task("b") + flows)


def calling() -> str:
    """A call activity in a loop, without end; what it calls has nothing to wait for."""
    called = '<zeebe:calledElement processId="called" propagateAllChildVariables="false"/>'
    call = f'<callActivity id="c"><extensionElements>{called}</extensionElements></callActivity>'
    return diagram("calling", '<exclusiveGateway id="x"/>' + task("t") + call + chain("s", "x", "t", "c", "x"))


def siblings() -> str:
    """A parallel multi-instance user task that collects results."""
    settings = 'inputCollection="=xs" inputElement="x" outputCollection="out" outputElement="=n"'
    inner = f"<extensionElements><zeebe:loopCharacteristics {settings}/></extensionElements>"
    tag = "multiInstanceLoopCharacteristics"
    body = task("u", f"<{tag}>{inner}</{tag}>") + '<endEvent id="e"/>' + chain("s", "u", "e")
    return diagram("siblings", body)


def timed() -> str:
    """A task with a non-interrupting timer."""
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    late = f'<boundaryEvent id="b" attachedToRef="t" cancelActivity="false">{timer}</boundaryEvent><endEvent id="late"/>'
    return diagram("timed", task("t") + late + '<endEvent id="e"/>' + chain("s", "t", "e") + flow("b", "late"))


def blocks() -> str:
    """Six serial blocks of four parallel branches."""
    body, last = "", "s"
    for i in range(6):
        body += f'<parallelGateway id="p{i}"/><parallelGateway id="q{i}"/>' + flow(last, f"p{i}")
        body += "".join(task(f"u{i}{k}") + chain(f"p{i}", f"u{i}{k}", f"q{i}") for k in range(4))
        last = f"q{i}"
    return diagram("blocks", body + '<endEvent id="e"/>' + flow(last, "e"))


DIAGRAMS = {
    "twelve.bpmn": line("twelve", 10),
    "loop.bpmn": diagram("loop", '<exclusiveGateway id="x"/>' + task("t") + chain("s", "x", "t", "x")),
    "parallel-loop.bpmn": parallel_loop(),
    "called.bpmn": diagram("called", '<endEvent id="e"/>' + chain("s", "e")),
    "calling.bpmn": calling(),
    "siblings.bpmn": siblings(),
    "timed.bpmn": timed(),
    "blocks.bpmn": blocks(),
}


# --- measuring --------------------------------------------------------------------------------------------------------


def row(what: str, target: str, measured: str, met: bool, peer: str = "") -> None:
    """Print a row: what, what it is to reach, what it is, whether it is met, and the peer's published figure."""
    print(f"{what:60} {target:26} {measured:46} {'met' if met else 'NOT MET':8} {peer}", flush=True)


def milliseconds(act: Callable[[], object], times: int = 1) -> list[float]:
    """Return how long each of some calls took."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def by_turns(first: Callable[[], object], second: Callable[[], object], times: int) -> tuple[float, float]:
    """Return the medians of two acts in milliseconds, done by turns."""
    pairs = [(milliseconds(first)[0], milliseconds(second)[0]) for _ in range(times)]
    one, other = zip(*pairs, strict=True)
    return statistics.median(one), statistics.median(other)


def forms() -> Iterator[dict[str, object]]:
    """Yield forms of about 150 bytes of JSON, each another."""
    chance = random.Random(7)
    while True:
        words = "".join(chance.choices(WORDS, k=14))
        yield {
            "decision": chance.choice(["approved", "rejected"]),
            "remarks": words,
            "amount": chance.randrange(99_999),
            "ok": True,
        }


FORMS = forms()


class Bare:
    """Transactions of one row of 2,000 bytes on the same disk."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE t (key INTEGER PRIMARY KEY, content TEXT)")

    def write(self) -> None:
        """Write one."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO t (content) VALUES (?)", ("x" * 2000,))
        self._connection.execute("COMMIT")


def opened(folder: Path) -> Engine:
    """An engine on a file, with a clerk and the diagrams."""
    engine = Engine.open(f"sqlite:///{folder}/bench.db", clock=TurnedClock(NOW))
    engine.add_group("clerk")
    engine.add_user("anna", groups=["clerk"])
    engine.deploy(dict(DIAGRAMS))
    return engine


def start(engine: Engine, process_id: str, **variables: object) -> int:
    """Start a case and do what it leaves to be done."""
    key = commands.start_instance(engine.context, process_id, variables or next(FORMS), by="anna")
    jobs.drain(engine.context)
    return key


def open_tasks(engine: Engine, case: int) -> list[int]:
    """The keys of a case's open tasks."""
    return [found.key for found in queries.find_tasks(engine.context, instance=case, most=2000)]


# --- the rows ---------------------------------------------------------------------------------------------------------


def starts_and_completions(engine: Engine, bare: Bare, count: int) -> None:
    """Starts and completions a second against the bare disk."""
    ctx = engine.context

    def begin() -> None:
        keys.append(commands.start_instance(ctx, "twelve", next(FORMS), by="anna"))

    def complete() -> None:
        commands.complete_task(ctx, next(tasks), next(FORMS), "anna")

    keys: list[int] = []
    begin()
    for what, act in (("start", begin), ("completion", complete)):
        tasks = iter([open_tasks(engine, key)[0] for key in keys])
        took, idle = by_turns(act, bare.write, count)
        rate, ratio = 1000 / took, idle / took
        text = "start to first task, with commit" if what == "start" else "completion of a user task, with commit"
        row(text, "≥ 400/s, ≥ 10 % of bare", f"{rate:.0f}/s, {ratio:.0%} of bare ({1000 / idle:.0f}/s)", rate >= 400, PEER[what])


def statements(engine: Engine) -> None:
    """SQL statements and commits in a completion."""
    said = {"statements": 0, "commits": 0}

    def counted(name: str) -> Callable[..., None]:
        def heard(*_: object) -> None:
            said[name] += 1

        return heard

    database = engine.context.store.engine
    listeners = (("before_cursor_execute", counted("statements")), ("commit", counted("commits")))
    case = start(engine, "twelve")
    commands.complete_task(engine.context, open_tasks(engine, case)[0], next(FORMS), "anna")
    key = open_tasks(engine, case)[0]
    for name, heard in listeners:
        event.listen(database, name, heard)
    commands.complete_task(engine.context, key, next(FORMS), "anna")
    for name, heard in listeners:
        event.remove(database, name, heard)
    count, commits = said["statements"], said["commits"]
    what = "SQL statements and commits in a completion"
    row(what, "≤ 12 and 1", f"{count} and {commits}", count <= 12 and commits == 1, PEER["statements"])


def size(folder: Path) -> dict[str, int]:
    """Bytes of the pages that each table and index holds."""
    connection = sqlite3.connect(folder / "bench.db")
    found = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
    connection.close()
    return found


def stored_bytes(engine: Engine, folder: Path, count: int) -> None:
    """Bytes of a finished case, and of a large value."""
    ctx = engine.context
    before = size(folder)
    cases = [start(engine, "twelve") for _ in range(count)]
    for _ in range(10):
        for case in cases:
            commands.complete_task(ctx, open_tasks(engine, case)[0], next(FORMS), "anna")
    grown = {name: (pages - before.get(name, 0)) / count for name, pages in size(folder).items()}
    total, journal = sum(grown.values()), sum(grown[name] for name in grown if "journal" in name)
    what = "stored bytes of a finished case of 12 elements, 11 forms"
    row(what, "≤ 6,000", f"{total:,.0f} (journal {journal:,.0f})", total <= 6000, PEER["bytes"])
    case, blobs = start(engine, "twelve"), size(folder)
    commands.complete_task(ctx, open_tasks(engine, case)[0], {"report": "长" * 34_000}, "anna")
    for _ in range(9):
        commands.complete_task(ctx, open_tasks(engine, case)[0], {"report": "长" * 34_000}, "anna")
    more = sum(size(folder).values()) - sum(blobs.values())
    row("a form value of 102,000 bytes, submitted ten times", "stored once", f"{more:,} bytes", more < 150_000)


def past(engine: Engine, process_id: str, what: str, elements: int) -> None:
    """The same completion with few and with 5,000 finished elements behind it, by turns."""
    ctx = engine.context
    old, *others = (start(engine, process_id, n=1) for _ in range(61))  # begun together: their rows lie as far back

    def once(case: int) -> None:
        commands.complete_task(ctx, waiting[case].pop(), {"n": 1}, "anna")
        jobs.drain(ctx)

    def ready(case: int) -> None:
        if not waiting[case]:
            waiting[case] = open_tasks(engine, case)

    waiting: dict[int, list[int]] = {case: [] for case in (old, *others)}
    finished = 0
    while finished < elements or waiting[old]:  # to the end of a round
        ready(old)
        once(old)
        finished = finished + 2 if process_id != "parallel-loop" else finished + 3
    early, late = [], []
    for young in others:
        for case, found in ((young, early), (old, late)):
            for _ in range(5):  # the sixth is the same of a round in every case
                ready(case)
                once(case)
            ready(case)
            found.append(milliseconds(lambda case=case: once(case))[0])  # type: ignore[misc]
    ratio = statistics.median(late) / statistics.median(early)
    row(
        f"completion, {elements:,} finished elements behind it: {what}",
        "≤ 1.2 ×",
        f"{ratio:.2f} × ({statistics.median(late):.2f} ms)",
        ratio <= 1.2,
    )


def live(engine: Engine, many: int) -> None:
    """A completion with 10 and with 1,000 live siblings, by turns."""
    ctx = engine.context
    few = [iter(open_tasks(engine, start(engine, "siblings", xs=list(range(12)), n=1))) for _ in range(40)]
    crowd = iter(open_tasks(engine, start(engine, "siblings", xs=list(range(many + 60)), n=1)))
    for tasks in (*few, crowd):
        commands.complete_task(ctx, next(tasks), {"n": 1}, "anna")
    places = iter(few)

    def one() -> None:
        commands.complete_task(ctx, next(next(places)), {"n": 1}, "anna")

    low, high = by_turns(one, lambda: commands.complete_task(ctx, next(crowd), {"n": 1}, "anna"), 40)
    row(f"completion with {many:,} live siblings, against 10", "≤ 3 ×", f"{high / low:.2f} × ({high:.2f} ms)", high / low <= 3)


def timers(engine: Engine, folder: Path, count: int, waiting: int) -> None:
    """Timers fired a second; what a million that wait cost a node that looks for due ones."""
    ctx = engine.context
    case = 0
    for _ in range(count):
        case = commands.start_instance(ctx, "timed", by="anna")
    clock = engine.clock
    assert isinstance(clock, TurnedClock)
    clock.advance(timedelta(hours=2))
    begun = time.perf_counter()
    fired = jobs.run_due(ctx)
    rate = fired / (time.perf_counter() - begun)
    row("due timers fired", "≥ 300/s", f"{rate:.0f}/s", rate >= 300, PEER["timers"])

    def look(node: Engine) -> None:
        due.next_due(node.context)
        due.due_timers(node.context, 20)

    with sqlite3.connect(folder / "bench.db") as connection:
        far = int((clock.now() + timedelta(days=30)).timestamp() * 1_000_000)
        rows = ((number, case, "b", far + number, 1, "P30D", 0) for number in range(1, waiting + 1))
        columns = '"key", instance_key, element_id, due_at, repetitions, text, provisional'
        connection.executemany(f"INSERT INTO timer ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        plan = connection.execute('EXPLAIN QUERY PLAN SELECT "key" FROM timer WHERE due_at <= 1 ORDER BY due_at, "key" LIMIT 20')
        indexed = all("ix_timer_due_at" in step[3] for step in plan.fetchall())
    connection.close()
    (folder / "idle").mkdir()
    with opened(folder / "idle") as idle:
        few, many = by_turns(lambda: look(idle), lambda: look(engine), 400)
    measured = f"{few:.2f} ms → {many:.2f} ms a look, by index: {indexed}"
    row(
        f"an idle node's look at {waiting:,} waiting timers, against none",
        "by index, ≤ 1.2 ×",
        measured,
        indexed and many <= few * 1.2,
    )


def definitions(engine: Engine) -> None:
    """Deploying, starting and refusing large diagrams."""
    numbers = itertools.count()

    def deploy() -> None:
        engine.deploy({"wide.bpmn": line(f"wide{next(numbers)}", 398)})

    deploy()
    took = statistics.median(milliseconds(deploy, 7))
    row("deploying a 400-node diagram, with its report", "< 150 ms", f"{took:.0f} ms", took < 150)
    start(engine, "blocks")
    took = statistics.median(milliseconds(lambda: commands.start_instance(engine.context, "blocks", {"n": 1}, by="anna"), 50))
    row("starting 6 serial blocks of 4 parallel branches", "< 5 ms", f"{took:.2f} ms", took < 5)
    huge = [line(f"huge{number}", 49_998) for number in range(5)]  # each another: nothing is remembered

    def refused() -> None:
        try:
            engine.deploy({"huge.bpmn": huge.pop()})
        except LiuzhuanError:
            return
        raise AssertionError("a file of 50,000 nodes was deployed")

    took = statistics.median(milliseconds(refused, 5))
    row("refusing a file of 50,000 nodes", "< 300 ms", f"{took:.0f} ms", took < 300)


# --- memory -----------------------------------------------------------------------------------------------------------

STRIDE = 1_000_000_000_000
CLONED = {
    "process_instance": ("key", "root_key"),
    "element_instance": ("instance_key", "key", "parent_key"),
    "variable": ("instance_key", "scope_key"),
    "user_task": ("key", "instance_key", "scope_key"),
    "task_candidate": ("task_key",),
    "timer": ("key", "instance_key"),
}


def waiting_instances(folder: Path, case: int, count: int) -> None:
    """Copy one waiting case's live rows so many times, as rows of other cases."""
    connection = sqlite3.connect(folder / "bench.db")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    for table, keys in CLONED.items():
        names = [found[1] for found in connection.execute(f"PRAGMA table_info({table})").fetchall()]
        values = [f'"{name}" - {case} + n.i * {STRIDE}' if name in keys else f'"{name}"' for name in names]
        own = {
            "process_instance": f"key = {case}",
            "task_candidate": f"task_key IN (SELECT key FROM user_task WHERE instance_key = {case})",
        }
        where = own.get(table, f"instance_key = {case}")
        columns = ", ".join(f'"{name}"' for name in names)
        connection.execute(f"INSERT INTO {table} ({columns}) {numbers} SELECT {', '.join(values)} FROM {table}, n WHERE {where}")
    connection.commit()
    connection.close()


def resident(folder: str) -> None:
    """Work as a node does for a while and print the resident memory in bytes: run in a process of its own."""
    with Engine.open(f"sqlite:///{folder}/bench.db", clock=TurnedClock(NOW + timedelta(hours=3))) as engine:
        ctx = engine.context
        for _ in range(1500):
            commands.start_instance(ctx, "timed", next(FORMS), by="anna")
        for found in queries.find_tasks(ctx, most=1000):
            commands.complete_task(ctx, found.key, next(FORMS), "anna")
        for _ in range(20):
            queries.inbox(ctx, "anna", "groups")
            jobs.drain(ctx)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        print(pages * 4096)


def memory(folder: Path, count: int) -> None:
    """The resident memory of a node with many waiting instances, against one with none."""

    def node(number: int) -> float:
        place = folder / f"node{number}"
        place.mkdir()
        with opened(place) as engine:
            case = commands.start_instance(engine.context, "timed", next(FORMS), by="anna") if number else 0
        if number:
            waiting_instances(place, case, number)
        asked = [sys.executable, "-m", "benchmarks.engine", "--resident", str(place)]
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
        return int(answer.stdout.split()[-1]) / 1e6

    none, many = node(0), node(count)
    measured = f"{many:.0f} MB, {many - none:+.1f} MB"
    row(f"memory of a node with {count:,} waiting instances", "≤ 110 MB, ≤ 5 MB more", measured, many <= 110 and many - none <= 5)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--resident", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.resident:
        resident(given.resident)
        return
    scale = 1 if not given.quick else 10
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with opened(folder) as engine:
            starts_and_completions(engine, Bare(folder), 1000 // scale)
            statements(engine)
            for process_id, what in (
                ("loop", "a loop"),
                ("parallel-loop", "a parallel block in a loop"),
                ("calling", "called cases"),
            ):
                past(engine, process_id, what, 5000 // scale)
            live(engine, 1000)
            stored_bytes(engine, folder, 500 // scale)
            definitions(engine)
            timers(engine, folder, 500 // scale, 1_000_000 // scale)
        memory(folder, 100_000 // scale)


if __name__ == "__main__":
    main()
