"""`kill -9` of a real process in the middle of its work: what was acknowledged is there, nothing happened twice, the chain holds.

`LIUZHUAN_FAULT_ROUNDS` sets how often the process is killed (short form: 4).
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = int(os.environ.get("LIUZHUAN_FAULT_ROUNDS", "4"))

pytestmark = pytest.mark.faults


def lines_until_killed(url: str, rest: random.Random) -> list[tuple[str, int]]:
    """Run the clerk, kill it after a random number of acknowledgements and a random instant more; return what it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.clerk", url], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    patience = rest.randint(4, 30)
    for line in process.stdout:
        said.append(line)
        if len(said) > patience:
            break
    threading.Event().wait(rest.random() * 0.02)
    process.kill()
    said += process.stdout.readlines()
    trouble = process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    process.wait()
    assert trouble == ""
    assert said, "the clerk never got ready"
    whole = [line for line in said if line.endswith("\n")]
    return [(word, int(key)) for word, key in (line.split() for line in whole) if word != "ready"]


def cases(engine: Engine, folder: Path) -> Iterator[tuple[int, str]]:
    with sqlite3.connect(folder / "cases.db") as connection:
        rows = connection.execute("SELECT key, bpmn_process_id FROM process_instance ORDER BY key").fetchall()
    connection.close()
    yield from rows


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cases.db"
    rest = random.Random(20260924)
    acknowledged: list[tuple[str, int]] = []
    for _ in range(ROUNDS):
        acknowledged += lines_until_killed(url, rest)
        with Engine.open(url) as engine:
            engine.run_due()
            check(engine, tmp_path, acknowledged)
    assert len(acknowledged) >= ROUNDS * 3


def check(engine: Engine, folder: Path, acknowledged: list[tuple[str, int]]) -> None:
    completed: Counter[int] = Counter()
    known = dict(cases(engine, folder))
    for key, process in known.items():
        events = engine.journal(key)
        completed.update(event.payload["key"] for event in events if event.kind == "TaskCompleted")
        armed = {event.payload["key"] for event in events if event.kind == "TimerArmed"}
        gone = Counter(event.payload["key"] for event in events if event.kind in {"TimerFired", "TimerDisarmed"})
        assert all(gone[timer] == 1 for timer in armed), "a timer was lost, or fired twice"
        if process == "P":
            check_called(engine, key, [event.kind for event in events])
    for word, key in acknowledged:
        if word == "completed":
            assert completed[key] == 1, "an acknowledged completion is not there"
        else:
            assert key in known
    assert set(completed.values()) <= {1}, "a task was completed twice"
    for key in (key for word, key in acknowledged if word == "published"):
        assert engine.subscriptions(key) == (), "an acknowledged message was lost: the case waits for it"
        assert engine.instance(key).state == "ACTIVE" or engine.variables(key)["paid"] is True
    verdict = engine.verify()
    assert verdict.ok, verdict.as_text()
    with sqlite3.connect(folder / "cases.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        open_rows = connection.execute("SELECT key FROM user_task WHERE state = 'COMPLETED'").fetchall()
    connection.close()
    assert {key for (key,) in open_rows} == set(completed), "the live rows and the journal disagree"


def check_called(engine: Engine, key: int, kinds: list[str]) -> None:
    """A call activity has one child, started once; its end reached the caller once."""
    children = engine.children(key)
    assert len(children) == kinds.count("CallStarted") == kinds.count("ChildStarted")
    ended = sum(1 for child in children if child.state == "COMPLETED")
    waiting = [item.element_id for item in engine.element_instances(key) if item.state == "ACTIVE"]
    assert ("a" in waiting) == (len(children) == 1 and ended == 0)
