"""Inbox, searches, case list and due timers at 1,000, 100,000 and 1,000,000 open tasks.

    python benchmarks/inbox.py [--quick]

SQLite in a file. Cases, tasks and timers are written directly, in large batches; measured are the pages' own queries. One person
has some 120 tasks of their own and is in three groups that hold half of all tasks. Subjects are made of 2,000 words, so that a
word stands in the same share of cases at every size: a rare one has one hit among 1,000 tasks and a full page among a million,
which is why such searches have no limit to their ratio here (nor those that are cut off at the worst). What each finds is the
same at every size otherwise. `严重` stands in a fifth of all cases, none of which is the person's.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Integer, Table, bindparam, cast, func, insert, select

from engine import Engine, queries
from engine.clock import TurnedClock
from engine.jobs import due
from engine.store import Transaction, search
from engine.store.tables import process_instance, task_candidate, timer, user_task
from engine.store.types import to_microseconds

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)
HAN = "心脏肿瘤儿科护理影像药物病理麻醉骨眼中医康复感染免疫血液神经呼吸消化内分泌肾尿妇产皮肤口腔急诊"
GROUPS = {"office": 25, "ethics": 15, "pharmacy": 10, **{f"group-{number}": 2 for number in range(25)}}
MINE = ("office", "ethics", "pharmacy")
SEVERE = frozenset(f"group-{number}" for number in range(10))
PROCESSES = {"IIT": ("研究者发起的临床研究", "伦理审查"), "SAE": ("安全性事件报告", "事件核实")}
PROCESS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="bench"><process id="{id}" name="{name}" isExecutable="true">
 <startEvent id="s"/><userTask id="t" name="{task}"><extensionElements><zeebe:userTask/>
 <zeebe:assignmentDefinition candidateGroups="office"/></extensionElements></userTask><endEvent id="e"/>
 <sequenceFlow id="f" sourceRef="s" targetRef="t"/><sequenceFlow id="g" sourceRef="t" targetRef="e"/></process></definitions>"""
GROWING = ("more the more", "worst")
BATCH = 10_000
WRITTEN = {table: insert(table) for table in (process_instance, user_task, task_candidate, timer)}  # each compiled once
FIRST, COPIED = 1_000, 100_000
SHIFTED = ("key", "root_key", "instance_key", "scope_key", "task_key")
INDEXED = select(process_instance).where(process_instance.c.key.between(bindparam("first"), bindparam("last")))
Calls = Mapping[str, tuple[int, Callable[[], object]]]
Rows = dict[Table, list[dict[str, Any]]]


class Load:
    """Writes open tasks, one a case, each with a timer that waits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.count = 0
        self._random = random.Random(2026)
        self.words = ["".join(self._random.sample(HAN, 2)) for _ in range(2000)]
        self._groups = self._random.sample(list(GROUPS), 1000, counts=[weight * 10 for weight in GROUPS.values()])
        self._definitions = {found.bpmn_process_id: found for found in queries.definitions(engine.context)}

    def until(self, count: int) -> None:
        """Write until there are so many: the first 100,000 one by one, then copies of these."""
        while self.count + COPIED - FIRST <= count and self.count >= COPIED:
            self._copy()
        for begin in range(self.count, count, BATCH):
            rows: Rows = {table: [] for table in WRITTEN}
            for number in range(begin, min(begin + BATCH, count)):
                self._case(number, rows)
            with self.engine.context.store.begin() as tx:
                for table, found in rows.items():
                    tx.execute(WRITTEN[table], found)
                self._index(tx, [row["key"] for row in rows[process_instance]])
        self.count = count

    def _copy(self) -> None:
        """Copy the cases after the first thousand (which hold the person's own), with other keys and numbers."""
        with self.engine.context.store.begin() as tx:
            first, last, end = (
                tx.scalar(select(process_instance.c.key).order_by(process_instance.c.key).offset(place).limit(1))
                for place in (FIRST, COPIED - 1, self.count - 1)
            )
            shift = end - first + 1_000_000
            number = func.printf("%07d", cast(func.substr(process_instance.c.business_id, 10), Integer) + self.count - FIRST)
            changed = {process_instance: {"business_id": func.substr(process_instance.c.business_id, 1, 9).concat(number)}}
            for table in WRITTEN:
                new = {name: table.c[name] + shift for name in SHIFTED if name in table.c} | changed.get(table, {})
                case = table.c.task_key if table is task_candidate else table.c.get("instance_key", table.c.key)
                rows = select(*(new.get(column.name, column) for column in table.c)).where(case.between(first, last + 1000))
                tx.execute(insert(table).from_select([column.name for column in table.c], rows))
            keys = tx.all(select(process_instance.c.key).where(process_instance.c.key > end))
            for begin in range(0, len(keys), BATCH):
                self._index(tx, [row.key for row in keys[begin : begin + BATCH]])
        self.count += len(keys)

    def _index(self, tx: Transaction, keys: list[int]) -> None:
        cases = tx.all(INDEXED, {"first": keys[0], "last": keys[-1]})
        search.put_many(tx, [(row.key, search.CaseText(row.business_id, row.subject, row.definition_key)) for row in cases])

    def _case(self, number: int, rows: Rows) -> None:
        keys, chance = self.engine.context.keys, self._random
        group = self._groups[number % len(self._groups)]
        process = "SAE" if group in SEVERE else "IIT"
        definition = self._definitions[process]
        key = next(keys)
        words = chance.choices(self.words, k=3)
        subject = "".join(("严重" if group in SEVERE else "", "支架" if number % 10 == 0 else "", *words, "的多中心观察"))
        rows[process_instance].append(
            {
                "key": key,
                "definition_key": definition.key,
                "bpmn_process_id": process,
                "business_id": f"{process}-2026-{number:07d}",
                "subject": subject,
                "state": "ACTIVE",
                "started_at": NOW,
                "started_by": "bo",
                "root_key": key,
                "deployment_key": definition.deployment_key,
                "time_zone": "Asia/Shanghai",
                "revision": 1,
                "journal_seq": 0,
                "journal_hash": "",
            }
        )
        own = number < 1000 and number % 8 == 0
        due_at = NOW + timedelta(minutes=chance.randrange(-25_000, 75_000))
        open_task = {
            "key": next(keys),
            "instance_key": key,
            "bpmn_process_id": process,
            "element_id": "t",
            "scope_key": key,
            "name": PROCESSES[process][1],
            "state": "OPEN",
            "assignee": "anna" if own else None,
            "candidate_groups": [group],
            "priority": 50,
            "due_at": due_at,
            "due_sort": to_microseconds(due_at),
            "signed": False,
            "has_draft": False,
            "provisional": False,
            "created_at": NOW,
            "ended_at": None,
            "ended_by": None,
        }
        rows[user_task].append(open_task)
        if not own:
            offered = {"kind": "group", "name": group, "due_sort": open_task["due_sort"], "task_key": open_task["key"]}
            rows[task_candidate].append(offered)
        if number < 1000 and number % 4 == 0:
            done = {"key": next(keys), "state": "COMPLETED", "assignee": "anna", "ended_at": NOW, "ended_by": "anna"}
            rows[user_task].append(open_task | done)
        waiting = {"key": next(keys), "instance_key": key, "element_id": "b", "due_at": due_at + timedelta(days=365)}
        rows[timer].append({**waiting, "repetitions": 0, "text": "", "provisional": False, "held": False})


def measured(engine: Engine, load: Load) -> Calls:
    """What is measured: name → limit in ms, call."""
    ctx = engine.context

    def inbox(who: str, tab: str, words: str = "", page: int = 1) -> Callable[[], object]:
        return lambda: queries.inbox(ctx, who, tab, words, page)

    def cases(who: str, **more: Any) -> Callable[[], object]:
        return lambda: queries.instances(ctx, who, **more)

    rare, other = load.words[7], load.words[11]
    return {
        "own page of 50": (5, inbox("anna", "mine")),
        "page of three large groups": (10, inbox("anna", "groups")),
        "the same, page 3": (10, inbox("anna", "groups", page=3)),
        "overdue": (10, inbox("anna", "overdue")),
        "done": (10, inbox("anna", "done")),
        "all, as an administrator": (10, inbox("root", "all")),
        "search: business id": (50, inbox("anna", "groups", "IIT-2026-0000013")),
        "search: end of a business id": (50, inbox("anna", "groups", "0000013")),
        "search: nothing found": (50, inbox("anna", "groups", "zebra")),
        "search: a word in a tenth of all cases": (50, inbox("anna", "groups", "支架")),
        "search: a word in all cases": (50, inbox("anna", "groups", "多中心观察")),
        "search: the task's name": (50, inbox("anna", "groups", "伦理审查")),
        "search: all, as an administrator": (50, inbox("root", "all", "支架")),
        "search: own tasks": (50, inbox("anna", "mine", "支架")),
        "search: done": (50, inbox("anna", "done", "观察")),
        "more the more there are: a word in 0.15 %": (50, inbox("anna", "groups", rare)),
        "more the more there are: two such words": (50, inbox("anna", "groups", f"{rare} {other}")),
        "worst: in a fifth of all cases, none mine": (50, inbox("anna", "groups", "严重")),
        "worst: one character": (50, inbox("anna", "groups", HAN[0])),
        "cases, as an administrator": (50, cases("root")),
        "cases: search, as an administrator": (50, cases("root", search="支架")),
        "cases: of a process, suspended": (50, cases("root", bpmn_process_id="SAE", state="suspended")),
        "cases, as one who sees few": (50, cases("carl")),
        "cases: search, as one of the groups": (50, cases("anna", search="支架")),
        "alerts": (10, lambda: queries.alerts(ctx, "anna")),
        "what is due: nothing, all timers wait": (5, lambda: (due.due_timers(ctx, 20), due.next_due(ctx))),
    }


@dataclass(frozen=True)
class Timing:
    """Milliseconds: median and 95th percentile by the clock, median of processor time; the median at 1,000 tasks beside it."""

    median: float
    late: float
    processor: float
    small: float

    @classmethod
    def of(cls, act: Callable[[], object], at_first: Callable[[], object], most: int) -> Timing:
        """Measure calls in turn with the same call at 1,000 tasks, so that a busy machine changes both; slow ones less often."""
        act(), at_first()
        taken: list[tuple[float, float, float]] = []
        begun = time.perf_counter()
        while len(taken) < most and (len(taken) < 5 or time.perf_counter() - begun < 4):
            started, used = time.perf_counter(), time.process_time()
            act()
            ended, free = time.perf_counter(), time.process_time()
            at_first()
            taken.append((ended - started, free - used, time.perf_counter() - ended))
        by_clock, processor, small = (sorted(1000 * one for one in column) for column in zip(*taken, strict=True))
        late = by_clock[math.ceil(len(by_clock) * 0.95) - 1]
        return cls(statistics.median(by_clock), late, statistics.median(processor), statistics.median(small))


def report(size: int, small: Calls, large: Calls, most: int) -> bool:
    """Measure and print the figures of one size; return whether all targets were met."""
    good = True
    print(f"\n{size:,} open tasks".ljust(46), *(f"{name:>9}" for name in ("median", "p95", "cpu", "limit", "× 1,000")), sep="")
    for name, (limit, act) in large.items():
        timing = Timing.of(act, small[name][1], most)
        ratio = timing.median / timing.small
        met = timing.median <= limit and (ratio <= 1.5 or name.startswith(GROWING))
        good = good and met
        times = "".join(f"{value:6.1f} ms" for value in (timing.median, timing.late, timing.processor))
        print(f"  {name:43}{times}{limit:6} ms{ratio:9.2f}  {'met' if met else 'NOT MET'}", flush=True)
    return good


def opened(folder: str) -> Engine:
    """An engine on a file, with people and processes."""
    engine = Engine.open(f"sqlite:///{folder}/inbox.db", clock=TurnedClock(NOW))
    for group in (*GROUPS, "admin"):
        engine.add_group(group)
    for person, groups in {"anna": MINE, "bo": ("group-24",), "carl": (), "root": ("admin",)}.items():
        engine.add_user(person, person.title(), groups=list(groups))
    drawn = {f"{name}.bpmn": PROCESS.format(id=name, name=title, task=task) for name, (title, task) in PROCESSES.items()}
    engine.deploy(drawn)
    return engine


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a tenth of the tasks, fewer repetitions")
    quick = parser.parse_args().quick
    folders = tempfile.TemporaryDirectory(), tempfile.TemporaryDirectory()
    with folders[0] as small, folders[1] as large, opened(small) as first, opened(large) as engine:
        few, load, good = Load(first), Load(engine), True
        few.until(1_000)
        for size in (1_000, 10_000) if quick else (1_000, 100_000, 1_000_000):
            begun = time.perf_counter()
            load.until(size)
            written = time.perf_counter() - begun
            good = report(size, measured(first, few), measured(engine, load), 10 if quick else 40) and good
            print(f"  ({written:.0f} s to write them)")
        print("\nall targets met" if good else "\nsome targets NOT MET")


if __name__ == "__main__":
    main()
