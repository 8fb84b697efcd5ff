"""Draws small BPMN files as text, and plays them: stored and loaded again after every call."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine import definitions, feel
from engine.kernel import Advance, Instance, Surroundings
from engine.kernel import advance as a

NAMESPACES = (
    'xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:c="http://camunda.org/schema/1.0/bpmn"'
)
START = "2026-11-02T01:00:00+00:00"  # Monday, 09:00 in Shanghai


# --- drawing


def element(tag: str, element_id: str, inner: str = "", **attributes: object) -> str:
    """One element; attributes that are None are left out."""
    given = "".join(f" {k}={quoteattr(str(v))}" for k, v in attributes.items() if v is not None)
    return f'<b:{tag} id="{element_id}"{given}>{inner}</b:{tag}>'


def ext(*parts: str) -> str:
    """Extension elements."""
    return f"<b:extensionElements>{''.join(parts)}</b:extensionElements>"


def z(tag: str, inner: str = "", **attributes: object) -> str:
    """One `zeebe:` extension."""
    given = "".join(f" {k}={quoteattr(str(v))}" for k, v in attributes.items() if v is not None)
    return f"<z:{tag}{given}>{inner}</z:{tag}>"


def props(**given: str) -> str:
    """`zeebe:properties`."""
    return z("properties", "".join(z("property", name=k, value=v) for k, v in given.items()))


def io(inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> str:
    """`zeebe:ioMapping`: {target: source}."""
    parts = [z("input", source=s, target=t) for t, s in (inputs or {}).items()]
    parts += [z("output", source=s, target=t) for t, s in (outputs or {}).items()]
    return z("ioMapping", "".join(parts))


def flow(source: str, target: str, condition: str | None = None, flow_id: str | None = None) -> str:
    """A sequence flow; without id unless given."""
    inner = f"<b:conditionExpression>{escape(condition)}</b:conditionExpression>" if condition else ""
    given = f' id="{flow_id}"' if flow_id else ""
    return f'<b:sequenceFlow{given} sourceRef="{source}" targetRef="{target}">{inner}</b:sequenceFlow>'


def chain(*ids: str) -> str:
    """Flows from one to the next."""
    return "".join(flow(x, y) for x, y in itertools.pairwise(ids))


def user(element_id: str, *extensions: str, inner: str = "", **attributes: object) -> str:
    """A user task."""
    return element("userTask", element_id, ext(z("userTask"), *extensions) + inner, **attributes)


def script(element_id: str, variable: str, expression: str, *extensions: str, inner: str = "") -> str:
    """A script task."""
    return element(
        "scriptTask", element_id, ext(z("script", expression="=" + expression, resultVariable=variable), *extensions) + inner
    )


def service(element_id: str, *extensions: str, inner: str = "", job: str = "work") -> str:
    """A service task."""
    return element("serviceTask", element_id, ext(z("taskDefinition", type=job), *extensions) + inner)


def start(element_id: str = "s", inner: str = "", **attributes: object) -> str:
    return element("startEvent", element_id, inner, **attributes)


def end(element_id: str = "e", inner: str = "") -> str:
    return element("endEvent", element_id, inner)


def timer(value: str, kind: str = "timeDuration") -> str:
    return f"<b:timerEventDefinition><b:{kind}>{escape(value)}</b:{kind}></b:timerEventDefinition>"


def event(kind: str, reference: str | None = None) -> str:
    given = f' {kind}Ref="{reference}"' if reference else ""
    return f"<b:{kind}EventDefinition{given}/>"


def boundary(element_id: str, host: str, inner: str, *, interrupting: bool = True) -> str:
    return element("boundaryEvent", element_id, inner, attachedToRef=host, cancelActivity=str(interrupting).lower())


def undone_by(host: str, handler: str, handler_id: str, boundary_id: str | None = None) -> str:
    """A compensation boundary event `b-…`, the activity that undoes its host, and the association between them."""
    caught = boundary_id or f"b{handler_id}"
    between = f'<b:association id="{caught}-a" sourceRef="{caught}" targetRef="{handler_id}" associationDirection="One"/>'
    return boundary(caught, host, event("compensate")) + handler + between


def each(
    collection: str,
    item: str | None = None,
    *,
    sequential: bool = False,
    collect: str | None = None,
    result: str | None = None,
    until: str = "",
) -> str:
    """Multi-instance characteristics."""
    loop = z(
        "loopCharacteristics",
        inputCollection="=" + collection,
        inputElement=item,
        outputCollection=collect,
        outputElement=None if result is None else "=" + result,
    )
    condition = f"<b:completionCondition>={escape(until)}</b:completionCondition>" if until else ""
    tag = "b:multiInstanceLoopCharacteristics"
    return f'<{tag} isSequential="{str(sequential).lower()}">{ext(loop)}{condition}</{tag}>'


def message(ref: str, name: str, key: str | None = '="k"') -> str:
    """A root message."""
    inner = ext(z("subscription", correlationKey=key)) if key else ""
    return f'<b:message id="{ref}" name="{name}">{inner}</b:message>'


def draw(body: str, *root: str, process_id: str = "P") -> bytes:
    """A whole file with one process."""
    inner = f'<b:process id="{process_id}" isExecutable="true">{body}</b:process>'
    return f'<?xml version="1.0"?><b:definitions {NAMESPACES} id="D">{inner}{"".join(root)}</b:definitions>'.encode()


def read(body: str, *root: str) -> definitions.Process:
    """The process of a drawing that must not be refused."""
    file = definitions.read_bpmn(draw(body, *root), "t.bpmn")
    assert file.ok, [f for f in file.findings if f.verdict == "refused"]
    return file.processes[0]


# --- playing


def plain(value: Any) -> Any:
    """What a variable is after a round through JSON text with exact numbers."""
    return json.loads(json.dumps(value, default=_number), parse_float=Decimal)


def _number(value: Any) -> Any:
    assert isinstance(value, Decimal), f"not a JSON value: {value!r}"
    return int(value) if value == value.to_integral_value() else float(value)


class Play:
    """One instance on a turned clock; its rows and variables are kept as a store would, from the advances alone."""

    def __init__(
        self,
        process: definitions.Process | str,
        *root: str,
        called: bool = False,
        at: tuple[str, ...] = (),
        event: str | None = None,
        now: str = START,
        decide: Any = None,
        budget: int = 10_000,
        begin: bool = True,
        calendar: Any = None,
        **variables: Any,
    ) -> None:
        self.process = process if isinstance(process, definitions.Process) else read(process, *root)
        self.now = datetime.fromisoformat(now)
        self.keys = itertools.count(1)
        self.decide, self.budget, self.calendar = decide, budget, calendar
        self.rows: dict[int, a.ElementRow] = {}
        self.variables: dict[tuple[int, str], Any] = {}
        self.changes: list[a.Change] = []
        self.last: list[a.Change] = []
        self.instance = Instance.create(self.process, next(self.keys), self.surroundings(), called=called)
        self.key = self.instance.key
        if begin:
            self.take(self.instance.start(variables, event, at))

    def surroundings(self) -> Surroundings:
        environment = feel.Environment(now=self.now, time_zone="Asia/Shanghai", calendar=self.calendar)
        extra = {"decide": self.decide} if self.decide else {}
        return Surroundings(self.now, self.keys, environment, step_budget=self.budget, **extra)

    def take(self, advance: Advance) -> list[a.Change]:
        """Store what happened, and load the instance again from what is stored."""
        for key in advance.rows_gone:
            assert key in self.rows, "a row is gone that never was stored"
            del self.rows[key]
        for scope in advance.scopes_gone:
            self.variables = {k: v for k, v in self.variables.items() if k[0] != scope}
        for key, row in advance.rows_put.items():
            data = json.loads(json.dumps(dict(row.data)))
            self.rows[key] = a.ElementRow(row.key, row.parent_key, row.element_id, row.state, data)
        for place, value in advance.variables_put.items():
            self.variables[place] = plain(value)
        self.last = advance.changes
        self.changes += advance.changes
        if not self.ended:
            self.reload()
        return advance.changes

    def reload(self) -> None:
        """Load from a shuffled store; what is live in memory and what was stored must be the same."""
        live = self.instance._tree
        old = {k: (t.parent_key, t.spec.name, t.state, json.loads(json.dumps(t.memo))) for k, t in live.tasks.items()}
        rows = sorted(self.rows.values(), key=lambda r: -r.key)
        self.instance = Instance.load(self.process, rows, self.variables, self.surroundings())
        tree = self.instance._tree
        new = {k: (t.parent_key, t.spec.name, t.state, t.memo) for k, t in tree.tasks.items()}
        assert new == old
        stored = {(s, n) for s, v in live.variables.items() for n in v}
        assert stored == {p for p in self.variables if p[0] in live.tasks}
        assert {k: set(v) for k, v in tree.attached.items() if v} == {k: set(v) for k, v in live.attached.items() if v}
        assert set(tree.stoppers) == set(live.stoppers)
        assert tree.clocked == live.clocked
        assert set(tree.conditions) == set(live.conditions)

    # --- asking

    @property
    def ended(self) -> a.InstanceEnded | None:
        return next((c for c in self.changes if isinstance(c, a.InstanceEnded)), None)

    @property
    def completed(self) -> bool:
        return self.ended is not None and self.ended.state == "COMPLETED"

    def of(self, kind: type[a.Change]) -> list[Any]:
        return [c for c in self.changes if isinstance(c, kind)]

    def open(self, made: type[a.Change], *over: type[a.Change]) -> list[Any]:
        """Changes of a kind whose keys are not over yet; the newest for each key."""
        found: dict[int, Any] = {}
        for change in self.changes:
            if isinstance(change, made):
                found[change.key] = change
            elif isinstance(change, over):
                found.pop(change.key, None)
        return list(found.values())

    @property
    def tasks(self) -> list[a.TaskCreated]:
        return self.open(a.TaskCreated, a.TaskCompleted, a.TaskCancelled)

    @property
    def jobs(self) -> list[a.JobCreated]:
        return self.open(a.JobCreated, a.JobCompleted, a.JobCancelled)

    @property
    def calls(self) -> list[a.CallStarted]:
        return [c for c in self.open(a.CallStarted, a.CallCancelled) if c.key in self.rows]

    @property
    def timers(self) -> list[a.TimerArmed]:
        return self.open(a.TimerArmed, a.TimerDisarmed, a.TimerFired)

    @property
    def messages(self) -> list[a.MessageAwaited]:
        return self.open(a.MessageAwaited, a.SubscriptionClosed, a.EventReceived)

    @property
    def signals(self) -> list[a.SignalAwaited]:
        return self.open(a.SignalAwaited, a.SubscriptionClosed, a.EventReceived)

    @property
    def incidents(self) -> list[a.IncidentRaised]:
        return self.open(a.IncidentRaised, a.IncidentResolved)

    @property
    def names(self) -> list[str]:
        """Ids of the elements with an open user task, sorted."""
        return sorted(t.element_id for t in self.tasks)

    @property
    def entered(self) -> list[str]:
        return [c.element_id for c in self.of(a.ElementEntered)]

    @property
    def vars(self) -> dict[str, Any]:
        """The instance's own variables."""
        return {n: v for (s, n), v in self.variables.items() if s == self.key}

    def nothing_left(self) -> bool:
        """Whether an ended instance left nothing that waits."""
        inner = {scope for scope, _ in self.variables} - {self.key}
        waiting = self.tasks or self.jobs or self.timers or self.messages or self.signals or self.incidents
        return not (waiting or self.rows or inner)

    # --- doing

    def one(self, things: list[Any], element_id: str) -> Any:
        return next(t for t in things if t.element_id == element_id)

    def do(self, element_id: str, **variables: Any) -> list[a.Change]:
        """Complete the first open user task of an element."""
        return self.take(self.instance.complete_task(self.one(self.tasks, element_id).key, variables))

    def work(self, element_id: str, **variables: Any) -> list[a.Change]:
        """Complete the first open job of an element."""
        return self.take(self.instance.complete_job(self.one(self.jobs, element_id).key, variables))

    def fail(self, element_id: str, code: str, message: str = "", **variables: Any) -> list[a.Change]:
        return self.take(self.instance.throw_error(self.one(self.jobs, element_id).key, code, message, variables))

    def fire(self, element_id: str) -> list[a.Change]:
        """Turn the clock to the timer of an element and fire it."""
        armed = self.one(self.timers, element_id)
        self.turn(max(self.now, armed.due_at))
        return self.take(self.instance.fire_timer(armed.key))

    def send(self, element_id: str, **variables: Any) -> list[a.Change]:
        awaited = self.one(self.messages, element_id)
        return self.take(self.instance.receive_message(awaited.key, awaited.message, variables))

    def signal(self, element_id: str, **variables: Any) -> list[a.Change]:
        awaited = self.one(self.signals, element_id)
        return self.take(self.instance.receive_signal(awaited.key, awaited.signal, variables))

    def resolve(self, element_id: str, **variables: Any) -> list[a.Change]:
        incident = self.one(self.incidents_by_element(), element_id)
        if variables:
            self.take(self.instance.set_variables(self.key, variables))
        return self.take(self.instance.resolve_incident(incident.element_key))

    def incidents_by_element(self) -> list[a.IncidentRaised]:
        return self.incidents

    def turn(self, to: datetime | timedelta | str) -> None:
        """Turn the clock."""
        if isinstance(to, str):
            to = datetime.fromisoformat(to)
        self.now = (self.now + to if isinstance(to, timedelta) else to).astimezone(UTC)
        self.instance.use(self.surroundings())
