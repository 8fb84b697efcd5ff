"""What a command costs: statements, bytes, what is kept in memory; and that the kept is never trusted too far."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from engine import Engine, commands
from engine.commands import projection
from engine.errors import LiuzhuanError
from engine.jobs import due
from tests.unit.commands.office import line, office, open_task, task
from tests.unit.kernel.drawing import draw, element, end, flow, start

FORM = {"decision": "approved", "remarks": "材料齐全，同意。" * 4, "amount": 1250, "checked": True}
SERIAL = draw(line(*((f"t{number}", task(f"t{number}")) for number in range(10))), process_id="serial")
PARALLEL = draw(
    start()
    + element("parallelGateway", "split")
    + element("parallelGateway", "join")
    + "".join(task(f"t{number}") + flow("split", f"t{number}") + flow(f"t{number}", "join") for number in range(12))
    + task("last")
    + end()
    + flow("s", "split")
    + flow("join", "last")
    + flow("last", "e"),
    process_id="parallel",
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cost.db"


@pytest.fixture
def engine(path: str) -> Iterator[Engine]:
    with office(path) as engine:
        engine.deploy({"serial.bpmn": SERIAL, "parallel.bpmn": PARALLEL})
        yield engine


def once(engine: Engine, case: int, **variables: Any) -> None:
    engine.complete(open_task(engine, case).key, {**FORM, **variables}, by="anna")


def statements(engine: Engine, act: Any) -> list[str]:
    """The statements that one act takes; BEGIN and COMMIT are not among them."""
    said: list[str] = []

    def heard(*arguments: Any) -> None:
        said.append(str(arguments[2]))

    event.listen(engine.context.store.engine, "before_cursor_execute", heard)
    act()
    event.remove(engine.context.store.engine, "before_cursor_execute", heard)
    return said


def test_a_completion_takes_twelve_statements_at_most_and_reads_no_live_rows_again(engine: Engine) -> None:
    case = engine.start("serial", FORM, by="anna")
    once(engine, case)
    key = open_task(engine, case).key
    said = statements(engine, lambda: complete(engine, key))
    assert len(said) <= 12, "\n".join(said)
    assert not reads_live_rows(said)
    engine.context.kept.take(case, None)  # forgotten, as after a restart
    key = open_task(engine, case).key
    said = statements(engine, lambda: complete(engine, key))
    assert reads_live_rows(said)
    assert len(said) <= 12, "\n".join(said)


def reads_live_rows(said: list[str]) -> bool:
    return any(one.startswith("SELECT") and "FROM element_instance" in one for one in said)


def complete(engine: Engine, key: int) -> None:
    commands.complete_task(engine.context, key, FORM, "anna")


def test_two_processes_see_each_other_s_changes(engine: Engine, path: str) -> None:
    case = engine.start("serial", {"who": []}, by="anna")
    with Engine.open(path, clock=engine.clock) as other:
        for number in range(10):
            once((engine, other)[number % 2], case, **{f"v{number}": number, "last": number})
        assert engine.instance(case).state == "COMPLETED"
        variables = engine.variables(case)
        assert [variables[f"v{number}"] for number in range(10)] == list(range(10))
        assert engine.verify().ok


def test_an_error_on_the_way_leaves_nothing_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    case = engine.start("serial", FORM, by="anna")
    once(engine, case)
    before = open_task(engine, case)

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(projection, "project", breaks)
        with pytest.raises(RuntimeError):
            engine.complete(before.key, {"lost": 1}, by="anna")
    assert open_task(engine, case).key == before.key
    once(engine, case)
    assert open_task(engine, case).element_id == "t2"
    assert "lost" not in engine.variables(case)


def test_claiming_between_completions_keeps_what_is_kept(engine: Engine) -> None:
    case = engine.start("serial", FORM, by="anna")
    once(engine, case)
    engine.claim(open_task(engine, case).key, "bo")
    engine.unclaim(open_task(engine, case).key, "bo")
    key = open_task(engine, case).key
    assert not reads_live_rows(statements(engine, lambda: complete(engine, key)))


def test_threads_complete_one_case_s_tasks_each_once(engine: Engine) -> None:
    case = engine.start("parallel", FORM, by="anna")
    keys = [found.key for found in engine.tasks(instance=case)]
    done: list[int] = []

    def work() -> None:
        for key in keys:
            try:
                engine.complete(key, {f"by{key}": 1}, by="anna")
            except LiuzhuanError:
                continue
            done.append(key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(keys)
    assert open_task(engine, case).element_id == "last"
    assert all(engine.variables(case)[f"by{key}"] == 1 for key in keys)


@pytest.mark.parametrize("value", ["长" * 34_000, {"z": ["x" * 50_000, "y" * 50_000], "a": 1}], ids=["text", "context"])
def test_a_large_form_value_is_stored_once(engine: Engine, tmp_path: Path, value: Any) -> None:
    case = engine.start("serial", FORM, by="anna")
    once(engine, case)
    before = large(tmp_path)  # the deployment's report

    def added() -> dict[str, int]:
        return {table: count - before.get(table, 0) for table, count in large(tmp_path).items() if count != before.get(table)}

    once(engine, case, report=value)
    once(engine, case, copy=value)
    once(engine, case, report=value)
    assert engine.variables(case)["report"] == value
    assert added() == {"blob": 1}
    for _ in range(6):
        once(engine, case)
    assert added() == {"blob": 1}
    assert sum(change.payload.get("value") == value for change in engine.journal(case)) == 3
    assert engine.verify().ok


def large(folder: Path) -> dict[str, int]:
    """How many values of more than 20,000 bytes each table holds."""
    connection = sqlite3.connect(folder / "cost.db")
    found = {}
    for (table,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
    ).fetchall():
        for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
            query = f'SELECT count(*) FROM {table} WHERE length(CAST("{column[1]}" AS BLOB)) > 20000'
            count = connection.execute(query).fetchone()[0]
            if count:
                found[table] = found.get(table, 0) + count
    connection.close()
    return found


def test_a_finished_case_takes_six_kilobytes(engine: Engine, tmp_path: Path) -> None:
    def size() -> int:
        connection = sqlite3.connect(tmp_path / "cost.db")
        (pages,) = connection.execute("SELECT sum(pgsize) FROM dbstat").fetchone()
        connection.close()
        return int(pages)

    before, cases = size(), 60
    for number in range(cases):
        said = f"{number} 材料齐全，数据与合同一致，请科研处按程序办理。"
        case = engine.start("serial", {**FORM, "remarks": said}, by="anna")
        for step in range(10):
            said = f"{step} 经审查，知情同意书第 {number} 条已按专家的意见修改。"
            once(engine, case, remarks=said, amount=number * step)
    assert len(json.dumps({**FORM, "remarks": said}, ensure_ascii=False).encode()) > 140
    assert (size() - before) / cases <= 6_000


@pytest.mark.parametrize("name", ["_TIMERS", "_NEXT_TIMER", "_NEXT_START", "_next_job", "_jobs"])
@pytest.mark.usefixtures("engine")
def test_due_work_is_found_by_index(tmp_path: Path, name: str) -> None:
    found = getattr(due, name)
    statement = found(due.EVERYTHING) if callable(found) else found
    said = statement.compile(dialect=sqlite_dialect())
    with sqlite3.connect(tmp_path / "cost.db") as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {said}", [0] * len(said.positiontup)).fetchall()]
    connection.close()
    steps = [step for step in plan if "timer" in step or "start_event" in step or "job" in step]
    assert steps
    assert all("INDEX" in step for step in steps), plan


def test_a_case_that_goes_round_stays_kept_and_light(engine: Engine) -> None:
    body = element("exclusiveGateway", "x") + task("t") + flow("s", "x") + flow("x", "t") + flow("t", "x")
    engine.deploy({"round.bpmn": draw(start() + body, process_id="round")})
    case = engine.start("round", FORM, by="anna")
    for _ in range(300):
        once(engine, case)
        assert engine.context.kept.weight < 2_000
    key = open_task(engine, case).key
    assert not reads_live_rows(statements(engine, lambda: complete(engine, key)))
