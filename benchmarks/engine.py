"""What the engine carries on this machine: starts, completions, growth, stored bytes, the inbox, timers; against the bare disk.

    python benchmarks/engine.py [--quick]

SQLite in a file, WAL, synchronous=FULL, one thread. "Bare" is the rate of transactions of an equal-sized write on the same disk.
"""

from __future__ import annotations

import argparse
import itertools
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import event

from engine import Engine, commands, jobs, queries
from engine.clock import TurnedClock

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'targetNamespace="bench"><process id="{id}" isExecutable="true">{body}</process></definitions>'
)
FORM = {"decision": "approved", "remarks": "材料齐全，同意。" * 6, "amount": 1250, "checked": True}  # about 150 bytes of JSON


def task(name: str) -> str:
    """A user task for a group."""
    offered = '<extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="clerk"/></extensionElements>'
    return f'<userTask id="{name}" name="{name}">{offered}</userTask>'


def flow(source: str, target: str, condition: str = "") -> str:
    """A sequence flow."""
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def twelve() -> str:
    """Start, ten user tasks, end."""
    names = ["s", *(f"t{number}" for number in range(10)), "e"]
    drawn = '<startEvent id="s"/>' + "".join(map(task, names[1:-1])) + '<endEvent id="e"/>'
    return HEAD.format(id="twelve", body=drawn + "".join(flow(*pair) for pair in itertools.pairwise(names)))


def loop() -> str:
    """A task in a loop, without end."""
    body = '<startEvent id="s"/><exclusiveGateway id="x"/>' + task("t") + flow("s", "x") + flow("x", "t") + flow("t", "x")
    return HEAD.format(id="loop", body=body)


def timed() -> str:
    """A task with a non-interrupting timer."""
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    late = f'<boundaryEvent id="b" attachedToRef="t" cancelActivity="false">{timer}</boundaryEvent><endEvent id="late"/>'
    body = '<startEvent id="s"/>' + task("t") + late + '<endEvent id="e"/>' + flow("s", "t") + flow("t", "e") + flow("b", "late")
    return HEAD.format(id="timed", body=body)


def rate(count: int, act: Callable[[int], object]) -> float:
    """Return how often a second something can be done."""
    begun = time.perf_counter()
    for number in range(count):
        act(number)
    return count / (time.perf_counter() - begun)


def median_ms(count: int, act: Callable[[], object]) -> float:
    """Return the median of some calls in milliseconds."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def bare(folder: Path, count: int, size: int) -> float:
    """Return the rate of bare transactions that write `size` bytes."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE t (key INTEGER PRIMARY KEY, content TEXT)")
    content = "x" * size

    def write(_: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t (content) VALUES (?)", (content,))
        connection.execute("COMMIT")

    found = rate(count, write)
    connection.close()
    return found


class Statements:
    """Counts SQL statements."""

    def __init__(self, engine: Engine) -> None:
        self.count = 0
        event.listen(engine.context.store.engine, "before_cursor_execute", self._one)

    def _one(self, *arguments: object) -> None:
        if str(arguments[2]).split()[0] not in {"BEGIN", "COMMIT"}:
            self.count += 1


def opened(folder: Path) -> Engine:
    """An engine on a file, with a clerk and the diagrams."""
    engine = Engine.open(f"sqlite:///{folder}/bench.db", clock=TurnedClock(NOW))
    engine.add_group("clerk")
    engine.add_user("anna", groups=["clerk"])
    engine.deploy({"twelve.bpmn": twelve(), "loop.bpmn": loop(), "timed.bpmn": timed()})
    return engine


def starts_and_completions(engine: Engine, folder: Path, count: int) -> None:
    """Starts and completions a second, statements, stored bytes."""
    ctx = engine.context
    commands.start_instance(ctx, "twelve", FORM, by="anna")
    before = stored(engine)
    started = rate(count, lambda _: commands.start_instance(ctx, "twelve", FORM, by="anna"))
    tasks = [found.key for found in queries.find_tasks(ctx, most=count)]
    for key in tasks:
        commands.claim_task(ctx, key, "anna")
    statements = Statements(engine)
    completed = rate(len(tasks), lambda number: commands.complete_task(ctx, tasks[number], FORM, "anna"))
    against = bare(folder, count, 2000)
    show("start to first task, with commit", f"{started:8.0f} /s   {started / against:6.1%} of bare")
    show("user-task completion, with commit", f"{completed:8.0f} /s   {completed / against:6.1%} of bare ({against:.0f} /s)")
    show("SQL statements in a completion", f"{statements.count / len(tasks):8.1f}")
    while tasks := [found.key for found in queries.find_tasks(ctx, most=1000)]:
        for key in tasks:
            commands.complete_task(ctx, key, FORM, "anna")
    show("stored bytes of a finished case of 12 elements", f"{(stored(engine) - before) / count:8.0f} B")


def stored(engine: Engine) -> int:
    """Return the bytes that the database holds."""
    with engine.context.store.read() as reading:
        connection = reading._connection
        pages, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0 for name in ("page_count", "page_size"))
        return int(pages) * int(size) - int(connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0) * int(size)


def growth(engine: Engine, rounds: int) -> None:
    """The same completion with few and with many finished elements behind it."""
    ctx = engine.context
    case = commands.start_instance(ctx, "loop", by="anna")

    def once() -> None:
        (found,) = queries.find_tasks(ctx, instance=case)
        commands.complete_task(ctx, found.key, {"n": 1}, "anna")

    early = median_ms(100, once)
    for _ in range(rounds):
        once()
    late = median_ms(100, once)
    show(f"completion after {2 * rounds:,} finished elements", f"{late:8.2f} ms  {late / early:6.2f} × the cost at the start")


def inbox(engine: Engine, sizes: tuple[int, ...]) -> None:
    """A page of the inbox with few and with many open tasks."""
    ctx = engine.context
    opened_so_far, first = 0, 0.0
    for size in sizes:
        for _ in range(size - opened_so_far):
            commands.start_instance(ctx, "twelve", {"n": 1}, by="anna")
        opened_so_far = size
        page = median_ms(20, lambda: queries.inbox(ctx, "anna", "groups"))
        first = first or page
        show(f"inbox page, {size:,} open tasks in the group", f"{page:8.1f} ms  {page / first:6.2f} × the first")


def timers(engine: Engine, count: int) -> None:
    """Timers fired a second."""
    ctx = engine.context
    for _ in range(count):
        commands.start_instance(ctx, "timed", by="anna")
    clock = engine.clock
    assert isinstance(clock, TurnedClock)
    clock.advance(timedelta(hours=2))
    begun = time.perf_counter()
    fired = jobs.run_due(ctx)
    show("due timers fired", f"{fired / (time.perf_counter() - begun):8.0f} /s")


def show(what: str, found: str) -> None:
    """Print a line."""
    print(f"{what:52} {found}", flush=True)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    scale = 1 if not parser.parse_args().quick else 10
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with opened(folder) as engine:
            starts_and_completions(engine, folder, 1000 // scale)
            growth(engine, 2500 // scale)
            timers(engine, 1000 // scale)
            inbox(engine, (1000 // scale, 10_000 // scale))


if __name__ == "__main__":
    main()
