"""Small models drawn from one line per path, and cases played through the facade by short scripts on a turned clock.

A path: `s > t1 > x > t2 > e`; what an id is, its first letter says (`KINDS`), unless the element is drawn by hand.
`x > t2 ? amount > 1` ends with a flow that has a condition, `x > t3 default` with the default flow.

A script: one command or one assertion a line, see `Player`.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import Engine
from engine.clock import TurnedClock
from engine.definitions import iso8601
from engine.errors import DeploymentRefused, LiuzhuanError
from engine.store.tables import process_instance
from tests.unit.kernel.drawing import draw, element, end, flow, start, user

NOW = datetime.fromisoformat("2026-11-02T01:00:00+00:00")  # Monday, 09:00 in Shanghai
KINDS = {"x": "exclusiveGateway", "p": "parallelGateway", "o": "inclusiveGateway", "g": "eventBasedGateway", "n": "task"}


def net(*paths: str, more: str = "") -> str:
    """Draw the flows of some paths, and the elements on them that `more` does not draw."""
    drawn = set(re.findall(r'<b:(?!sequenceFlow)\w+ id="(\w+)"', more))
    flows, defaults, ids = [], {}, []
    for path in paths:
        line, _, condition = path.partition(" ? ")
        line, _, _ = line.partition(" default")
        names = [name.strip() for name in line.split(">")]
        ids += names
        for source, target in itertools.pairwise(names):
            special = target == names[-1] and (condition or path.endswith(" default"))
            flow_id = f"{source}_{target}" if special else None
            if path.endswith(" default"):
                defaults[source] = flow_id
            flows.append(flow(source, target, condition if special else None, flow_id))
    auto = [_auto(name, defaults.get(name)) for name in dict.fromkeys(ids) if name not in drawn]
    return "".join(auto) + more + "".join(flows)


def _auto(name: str, default: str | None) -> str:
    if name.startswith("s"):
        return start(name)
    if name.startswith("e"):
        return end(name)
    if name.startswith("t"):
        return user(name, default=default)
    return element(KINDS[name[0]], name, default=default)


def sub(element_id: str, inner: str, **attributes: object) -> str:
    """An embedded sub-process."""
    return element("subProcess", element_id, inner, **attributes)


def event_sub(element_id: str, inner: str) -> str:
    """An event sub-process."""
    return element("subProcess", element_id, inner, triggeredByEvent="true")


def catch(element_id: str, inner: str) -> str:
    return element("intermediateCatchEvent", element_id, inner)


def throw(element_id: str, inner: str) -> str:
    return element("intermediateThrowEvent", element_id, inner)


def engine_with(*files: bytes, now: datetime = NOW, url: str = "sqlite://") -> Engine:
    """An engine with files deployed one after the other."""
    engine = Engine.open(url, clock=TurnedClock(now))
    for number, file in enumerate(files):
        engine.deploy({f"f{number}.bpmn": file}, by="manager")
    return engine


def refusals(*files: bytes) -> list[tuple[str | None, str | None, str]]:
    """What a deployment is refused for: (element id, its name, reason); empty when it is not."""
    engine = Engine.open("sqlite://", clock=TurnedClock(NOW))
    try:
        engine.deploy({f"f{number}.bpmn": file for number, file in enumerate(files)}, by="manager")
    except DeploymentRefused as refused:
        report = refused.report
        return [(f.element_id, f.element_name, f.reason) for f in report.findings if f.verdict == "refused"]
    finally:
        engine.close()
    return []


class Player:
    """Plays scripts.

    Commands: `start x=1` (case A, then B …), `start! id x=1` (another process), `do t1 x=1`, `job n x=1`,
    `fail n` (no retries left), `error n CODE x=1`, `turn PT1H`, `to 2026-11-03T00:00Z`, `send m key x=1`,
    `keep m key x=1` (it waits a day), `signal s x=1`, `set x=1`, `retry n x=1`, `cancel`, `suspend`, `resume`,
    `case B` (go on with another case; `case <`: the caller of this one, `case >`: the last one it called).

    Assertions: `open t1 t2` (`open -`: none), `vars x=1`, `unset x`, `done e 2` (times completed), `ended`, `active`,
    `terminated`, `incident n KIND`, `calm` (no incident), `cases P 2` (how many of a process),
    `ran n1 n2 n2` (the traces, tasks named n…, that completed, in this order; with bars, `ran n1 | n2 n3`, the order between
    two bars does not count), `stuck` (nobody can do anything, and nothing failed), `refused <line>` (the command is refused,
    or the assertion does not hold).
    """

    def __init__(self, engine: Engine, process_id: str = "P") -> None:
        self.engine = engine
        self.process_id = process_id
        self.cases: list[int] = []
        self.key = 0

    def play(self, script: str) -> Player:
        for number, line in enumerate(script.strip().splitlines(), 1):
            if line.strip():
                try:
                    self.line(line.strip())
                except Exception as error:
                    error.add_note(f"line {number}: {line.strip()}")
                    raise
        return self

    def line(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        getattr(self, "_" + verb.replace("!", "_other"))(*self.words(rest))

    @staticmethod
    def words(text: str) -> list[Any]:
        """Words, and name=JSON pairs collected in a dict at the end."""
        names, values = [], {}
        for word in text.split():
            name, is_value, value = word.partition("=")
            if is_value:
                values[name] = json.loads(value)
            else:
                names.append(word)
        return [*names, values]

    # --- commands

    def _start(self, values: dict[str, Any]) -> None:
        self._start_other(self.process_id, values)

    def _start_other(self, process_id: str, values: dict[str, Any]) -> None:
        self.key = self.engine.start(process_id, values, by="anna")
        self.cases.append(self.key)

    def _case(self, which: str, _: Any) -> None:
        if which == "<":
            parent = self.engine.instance(self.key).parent_key
            assert parent is not None
            self.key = parent
        elif which == ">":
            self.key = self.engine.children(self.key)[-1].key
        else:
            self.key = self.cases[ord(which) - ord("A")]

    def _do(self, element_id: str, values: dict[str, Any]) -> None:
        tasks = sorted(self.engine.tasks(instance=self.key, element_id=element_id), key=lambda task: task.key)
        assert tasks, f"no open task at {element_id}"
        self.engine.complete(tasks[0].key, values, by="anna")

    def waiting_job(self, element_id: str) -> int:
        found = [e for e in self.engine.element_instances(self.key) if e.element_id == element_id and e.state == "ACTIVE"]
        return next(e.key for e in found if e.type != "MULTI_INSTANCE_BODY")

    def _job(self, element_id: str, values: dict[str, Any]) -> None:
        self.engine.complete_job(self.waiting_job(element_id), values)

    def _fail(self, element_id: str, _: Any) -> None:
        self.engine.fail_job(self.waiting_job(element_id), 0, "failed")

    def _error(self, element_id: str, code: str, values: dict[str, Any]) -> None:
        self.engine.throw_error(self.waiting_job(element_id), code, "thrown", values)

    def _turn(self, duration: str, _: Any) -> None:
        now = self.engine.clock.now()
        self._to(iso8601.duration(duration).after(now, now.tzinfo).isoformat(), {})  # type: ignore[arg-type]

    def _to(self, moment: str, _: Any) -> None:
        clock = self.engine.clock
        assert isinstance(clock, TurnedClock)
        clock.set(datetime.fromisoformat(moment))
        self.engine.run_due()

    def _send(self, name: str, *rest: Any) -> None:
        self.engine.publish(name, *rest[:-1], variables=rest[-1])

    def _keep(self, name: str, *rest: Any) -> None:
        self.engine.publish(name, *rest[:-1], variables=rest[-1], ttl=timedelta(days=1))

    def _signal(self, name: str, values: dict[str, Any]) -> None:
        self.engine.broadcast(name, values)

    def _set(self, values: dict[str, Any]) -> None:
        self.engine.set_variables(self.key, values)

    def _retry(self, element_id: str, values: dict[str, Any]) -> None:
        incident = next(i for i in self.engine.incidents(self.key) if i.element_id == element_id)
        self.engine.resolve_incident(incident.key, by="admin", variables=values or None)

    def _cancel(self, _: Any) -> None:
        self.engine.cancel(self.key, by="admin", reason="wrong case")

    def _suspend(self, _: Any) -> None:
        self.engine.suspend(self.key, by="admin", reason="pause")

    def _resume(self, _: Any) -> None:
        self.engine.resume(self.key, by="admin", reason="on")

    def _refused(self, verb: str, *rest: Any) -> None:
        try:
            getattr(self, "_" + verb)(*rest)
        except (LiuzhuanError, AssertionError):
            return
        raise AssertionError("not refused")

    # --- assertions

    def _open(self, *names: Any) -> None:
        expected = [] if names[0] == "-" else sorted(names[:-1])
        assert sorted(task.element_id for task in self.engine.tasks(instance=self.key)) == expected

    def _vars(self, values: dict[str, Any]) -> None:
        found = self.engine.variables(self.key)
        assert {name: found.get(name, "(unset)") for name in values} == values

    def _unset(self, *names: Any) -> None:
        assert not set(names[:-1]) & set(self.engine.variables(self.key))

    def _done(self, element_id: str, times: str, _: Any) -> None:
        states = [e.state for e in self.engine.element_instances(self.key) if e.element_id == element_id]
        found = [state for state in states if state == "COMPLETED"]
        assert len(found) == int(times), f"{element_id} completed {len(found)} times"

    def _state(self, state: str) -> None:
        assert (self.engine.instance(self.key).state, self.engine.incidents(self.key)) == (state, ())

    def _ran(self, *names: Any) -> None:
        found = [j.element_id for j in self.engine.journal(self.key) if j.kind == "ElementCompleted"]
        traced = [str(name) for name in found if str(name).startswith("n")]
        expected = [] if names[0] == "-" else list(names[:-1])
        if "|" not in expected:
            assert traced == expected
            return
        for is_bar, group in itertools.groupby(expected, lambda name: name == "|"):
            if not is_bar:
                together = sorted(group)
                assert sorted(traced[: len(together)]) == together, names
                del traced[: len(together)]
        assert not traced

    def _stuck(self, _: Any) -> None:
        self._state("ACTIVE")
        assert not self.engine.tasks(instance=self.key)
        assert not self.engine.subscriptions(self.key)
        assert self.engine.next_due() is None

    def _ended(self, _: Any) -> None:
        self._state("COMPLETED")
        assert {e.state for e in self.engine.element_instances(self.key)} <= {"COMPLETED", "TERMINATED"}
        assert not self.engine.tasks(instance=self.key)
        assert not self.engine.subscriptions(self.key)

    def _terminated(self, _: Any) -> None:
        self._state("TERMINATED")

    def _active(self, _: Any) -> None:
        assert self.engine.instance(self.key).state == "ACTIVE"

    def _incident(self, element_id: str, kind: str, _: Any) -> None:
        assert [(i.element_id, i.kind) for i in self.engine.incidents(self.key)] == [(element_id, kind)]

    def _calm(self, _: Any) -> None:
        assert self.engine.incidents(self.key) == ()

    def _cases(self, process_id: str, times: str, _: Any) -> None:
        with self.engine.context.store.read() as reading:
            rows = reading.all(select(process_instance.c.key).where(process_instance.c.bpmn_process_id == process_id))
        assert len(rows) == int(times), f"{len(rows)} cases of {process_id}"


COMMANDS = {
    "start", "start!", "do", "job", "fail", "error", "turn", "to", "send", "keep", "signal", "set", "retry", "cancel", "suspend",
    "resume",
}  # fmt: skip


class Stored(Player):
    """Plays scripts on a database in a file; `restarting`: with a fresh engine for every command."""

    def __init__(self, url: str, *, restarting: bool) -> None:
        self.url, self.restarting = url, restarting
        super().__init__(Engine.open(url, clock=TurnedClock(NOW)))

    def line(self, line: str) -> None:
        if self.restarting and line.partition(" ")[0] in COMMANDS:
            now = self.engine.clock.now()
            self.engine.close()
            self.engine = Engine.open(self.url, clock=TurnedClock(now))
        super().line(line)


@cache
def _empty_database(folder: Path) -> Path:
    """A database without cases, made once: making the tables takes longer than a case."""
    path = folder / "empty.db"
    Engine.open(f"sqlite:///{path}", clock=TurnedClock(NOW)).close()
    return path


def play_stored(folder: Path, files: Iterable[bytes], script: str, *, restarting: bool = True) -> None:
    """Deploy and play on a database in a file, by default with a fresh engine for every command, and check the proof."""
    path = folder / "cases.db"
    shutil.copy(_empty_database(folder.parent), path)
    player = Stored(f"sqlite:///{path}", restarting=restarting)
    for number, file in enumerate(files):
        player.engine.deploy({f"f{number}.bpmn": file}, by="manager")
    player.play(script)
    assert player.engine.verify().ok
    player.engine.close()


def in_plain_bpmn(file: bytes) -> bytes | None:
    """The same file in the standard's own words; None where it says something that they cannot say."""
    text = re.sub(r"<z:userTask></z:userTask>|<z:userTask/>", "", file.decode())
    text = re.sub(r'<z:subscription correlationKey=(\'[^\']*\'|"[^"]*")></z:subscription>', "", text)
    text = text.replace("<b:extensionElements></b:extensionElements>", "")
    text = re.sub(r"(<b:(?:conditionExpression|condition|completionCondition|loopCondition|activationCondition)>)=", r"\1", text)
    return None if "<z:" in text else text.encode()


def play(file: bytes, script: str, *others: bytes) -> Player:
    """Deploy (the others first), play, and check the proof."""
    engine = engine_with(*others, file)
    player = Player(engine).play(script)
    assert engine.verify().ok
    engine.close()
    return player


__all__ = [
    "NOW", "Player", "Stored", "catch", "draw", "engine_with", "event_sub", "in_plain_bpmn", "net", "play", "play_stored",
    "refusals", "sub", "throw",
]  # fmt: skip
