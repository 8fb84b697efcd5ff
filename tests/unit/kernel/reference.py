"""A small, independent model of what well-structured diagrams mean: residual blocks, no tokens, nothing of the kernel.

A block knows how to draw itself and how to run: `start` it, ask what is `open`, and tell a leaf that it was completed or that its
timer fired. Blocks that are run are copies, so one drawing can be run many times.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.unit.kernel.drawing import boundary, each, element, end, event, ext, flow, io, script, start, timer, undone_by, user

_births = itertools.count()  # what was there first is acted on first, here as in the kernel


class Names:
    """Makes ids."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}{next(self._count)}"


@dataclass
class Drawn:
    """A drawn block: its XML, and the elements at its two ends."""

    xml: str
    first: str
    last: str


@dataclass
class Run:
    """What runs: open leaves by (name, index), and what detached handlers add to the scope around."""

    done: bool = False

    def open(self) -> Iterator[tuple[str, Run]]:
        """Yield (task id, leaf)."""
        yield from ()

    def timers(self) -> Iterator[tuple[str, Run]]:
        """Yield (boundary event id, leaf)."""
        yield from ()

    def messages(self) -> Iterator[tuple[str, Run]]:
        """Yield (event id, what takes the message)."""
        yield from ()

    def take(self, name: str) -> None:
        """Take a message."""


@dataclass
class Block:
    """A part of a diagram with one way in and one way out."""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        raise NotImplementedError

    def run(self, scope: Scope) -> Run:
        raise NotImplementedError


@dataclass
class Done:
    """Something completed that can be undone: a task by its handler, or a scope by what is in it."""

    handler: str = ""
    inside: list[Done] = field(default_factory=list)
    order: int = field(default_factory=_births.__next__)
    claimed: bool = False
    begun: bool = False


def abandon(log: list[Done]) -> None:
    """Who undoes these is gone: what it had begun is lost, the rest can be undone still."""
    for done in list(log):
        abandon(done.inside)
        done.claimed = False
        if done.begun and not done.inside:
            log.remove(done)
        done.begun = False


@dataclass
class Scope(Run):
    """A process, sub-process or inner instance: done when its body and all detached handlers are.

    `log`: what completed in it. `around`: of an event sub-process, the scope it belongs to, which it tells what completed in it.
    """

    parts: list[Run] = field(default_factory=list)
    log: list[Done] = field(default_factory=list)
    around: Scope | None = None
    told: bool = False

    def open(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.messages()

    def settle(self) -> None:
        for part in list(self.parts):
            settle(part)
        self.done = all(p.done for p in self.parts)
        if self.done and self.around is not None and not self.told:
            self.told = True
            remember(self.around.log, self.log)


def remember(log: list[Done], inside: list[Done]) -> None:
    """Write down that a scope completed in which something can be undone."""
    if inside:
        log.append(Done(inside=inside))


def settle(run: Run) -> None:
    """Let a run see what its parts did."""
    inner = getattr(run, "settle", None)
    if inner is not None:
        inner()


@dataclass
class Leaf(Run):
    """An open user task, perhaps with a boundary timer."""

    task: str = ""
    on: str | None = None
    fired: bool = False
    born: int = field(default_factory=_births.__next__)

    def open(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield self.task, self

    def timers(self) -> Iterator[tuple[str, Run]]:
        if not self.done and self.on and not self.fired:
            yield self.on, self


@dataclass
class Task(Block):
    """A user task."""

    task: str = ""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        self.task = names("u")
        return Drawn(user(self.task), self.task, self.task)

    def run(self, scope: Scope) -> Run:
        return Leaf(task=self.task)


@dataclass
class _Booked(Run):
    leaf: Leaf = field(default_factory=Leaf)
    handler: str = ""
    scope: Scope = field(default_factory=Scope)

    def settle(self) -> None:
        if self.leaf.done and not self.done:
            self.done = True
            self.scope.log.append(Done(self.handler))

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from self.leaf.open()


@dataclass
class Booked(Block):
    """A user task that another user task undoes."""

    task: str = ""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        self.task = names("u")
        handler = f"-{self.task}"
        return Drawn(
            user(self.task) + undone_by(self.task, user(handler, isForCompensation="true"), handler), self.task, self.task
        )

    def run(self, scope: Scope) -> Run:
        return _Booked(leaf=Leaf(task=self.task), handler=f"-{self.task}", scope=scope)


@dataclass
class _Undoing(Run):
    logs: list[list[Done]] = field(default_factory=list)
    left: list[Done] = field(default_factory=list)
    current: Run | None = None

    def settle(self) -> None:
        while not self.done:
            if self.current is not None:
                settle(self.current)
                if not self.current.done:
                    return
                self._forget(self.left.pop())
            self.current = None
            if not self.left:
                self.done = True
                return
            last = self.left[-1]
            last.begun = True
            self.current = undoing([last.inside]) if last.inside else Leaf(task=last.handler)

    def _forget(self, done: Done) -> None:
        for log in self.logs:
            if done in log:
                log.remove(done)

    def open(self) -> Iterator[tuple[str, Run]]:
        if self.current is not None and not self.done:
            yield from self.current.open()


def undoing(logs: list[list[Done]]) -> _Undoing:
    """Undo what nobody else is about to undo, the last first."""
    free = sorted((done for log in logs for done in log if not done.claimed), key=lambda done: done.order)
    for done in free:
        done.claimed = True
    return _Undoing(logs=logs, left=free)


@dataclass
class Undo(Block):
    """A compensation throw event."""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        name = names("i")
        return Drawn(element("intermediateThrowEvent", name, event("compensate")), name, name)

    def run(self, scope: Scope) -> Run:
        return undoing([scope.log] if scope.around is None else [scope.log, scope.around.log])


@dataclass
class _Seq(Run):
    blocks: list[Block] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    at: int = -1
    current: Run = field(default_factory=lambda: Run(done=True))

    def settle(self) -> None:
        settle(self.current)
        while self.current.done and not self.done:
            self.at += 1
            if self.at == len(self.blocks):
                self.done = True
            else:
                self.current = self.blocks[self.at].run(self.scope)
                settle(self.current)

    def open(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield from self.current.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield from self.current.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield from self.current.messages()


@dataclass
class Seq(Block):
    """One after the other."""

    blocks: list[Block] = field(default_factory=list)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        drawn = [b.draw(names, variables) for b in self.blocks]
        flows = "".join(flow(x.last, y.first) for x, y in itertools.pairwise(drawn))
        return Drawn("".join(d.xml for d in drawn) + flows, drawn[0].first, drawn[-1].last)

    def run(self, scope: Scope) -> Run:
        return _Seq(blocks=self.blocks, scope=scope)


@dataclass
class _All(Run):
    parts: list[Run] = field(default_factory=list)

    def settle(self) -> None:
        for part in self.parts:
            settle(part)
        self.done = all(p.done for p in self.parts)

    def open(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        for part in self.parts:
            yield from part.messages()


@dataclass
class Split(Block):
    """Branches between two gateways of a kind: all (parallel), one (exclusive), or some (inclusive)."""

    kind: str = "parallel"
    blocks: list[Block] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        split, join, variable = names("g"), names("j"), names("c")
        drawn = [b.draw(names, variables) for b in self.blocks]
        conditional = self.kind != "parallel"
        if conditional:
            variables[variable] = self.taken
        xml = element(f"{self.kind}Gateway", split) + element(f"{self.kind}Gateway", join)
        for i, part in enumerate(drawn):
            condition = f"=list contains({variable}, {i})" if conditional else None
            xml += part.xml + flow(split, part.first, condition) + flow(part.last, join)
        return Drawn(xml, split, join)

    def run(self, scope: Scope) -> Run:
        chosen = {"parallel": range(len(self.blocks)), "exclusive": self.taken[:1], "inclusive": self.taken}[self.kind]
        return _All(parts=[self.blocks[i].run(scope) for i in chosen])


@dataclass
class Loop(Block):
    """A body that is run a number of times."""

    body: Block = field(default_factory=Task)
    times: int = 2

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        # In a sub-process of its own, so that each round of an outer loop and each instance counts for itself.
        sub, first, merge, gate, count, variable, last = (names(p) for p in ("sp", "s", "m", "g", "k", "n", "e"))
        body = self.body.draw(names, variables)
        out = names("f")
        inner = (
            start(first)
            + element("exclusiveGateway", merge)
            + element("exclusiveGateway", gate, default=out)
            + end(last)
            + body.xml
        )
        inner += (
            script(count, variable, f"{variable} + 1") + flow(first, merge) + flow(merge, body.first) + flow(body.last, count)
        )
        inner += flow(count, gate) + flow(gate, merge, f"={variable} < {self.times}") + flow(gate, last, flow_id=out)
        return Drawn(element("subProcess", sub, ext(io({variable: "=0"})) + inner), sub, sub)

    def run(self, scope: Scope) -> Run:
        inside = Scope()
        inside.parts.append(_Seq(blocks=[self.body] * self.times, scope=inside))
        return _Guard(inside=inside, outer=scope)


@dataclass
class _Guard(Run):
    """A scope that an error may replace by a handler."""

    inside: Scope = field(default_factory=Scope)
    alarm: Leaf | None = None
    handler: Block | None = None
    handling: Run | None = None
    outer: Scope = field(default_factory=Scope)
    cancels: bool = False
    log: list[Done] | None = None  # where its completion is written down; None = in the scope around

    def settle(self) -> None:
        if self.handling is None and self.alarm is not None and self.alarm.done:
            assert self.handler is not None
            if self.cancels:
                harvest_all(self.inside.parts, self.inside.log)
                self.handling = _Cancelling(undo=undoing([self.inside.log]), handler=self.handler, outer=self.outer)
            else:
                self.handling = self.handler.run(self.outer)
        if self.handling is not None:
            settle(self.handling)
            self.done = self.handling.done
        else:
            settle(self.inside)
            if self.inside.done and not self.done:
                remember(self.outer.log if self.log is None else self.log, self.inside.log)
            self.done = self.inside.done

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.inside).open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.inside).timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.inside).messages()


@dataclass
class _Cancelling(Run):
    undo: _Undoing = field(default_factory=_Undoing)
    handler: Block = field(default_factory=Block)
    outer: Scope = field(default_factory=Scope)
    handling: Run | None = None

    def settle(self) -> None:
        settle(self.undo)
        if self.undo.done and self.handling is None:
            self.handling = self.handler.run(self.outer)
        if self.handling is not None:
            settle(self.handling)
            self.done = self.handling.done

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.undo).open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.undo).timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.undo).messages()


def harvest_all(runs: list[Run], log: list[Done]) -> None:
    """A transaction is cancelled: what running scopes in it did is undone with what the transaction itself did."""
    abandon(log)
    for run in runs:
        _harvest(run, log)


def _harvest(run: Run, log: list[Done]) -> None:
    if run.done:
        return
    if isinstance(run, _Guard) and isinstance(run.handling, _Cancelling) and not run.handling.undo.done:
        _harvest_scope(run.inside, [], log)
    elif (isinstance(run, _Guard) and run.handling is None) or isinstance(run, _Watched):
        _harvest_scope(run.inside, run.inside.parts, log)
    elif isinstance(run, Scope):
        _harvest_scope(run, run.parts, log)
    else:
        if isinstance(run, _Every):
            log += run.log
        for name in ("current", "chosen", "run", "handling"):
            if isinstance(inner := getattr(run, name, None), Run) and not isinstance(run, _Undoing):
                _harvest(inner, log)
        for part in run.parts if isinstance(run, _All) else ():
            _harvest(part, log)


def _harvest_scope(scope: Scope, parts: list[Run], log: list[Done]) -> None:
    harvest_all(parts, scope.log)
    if scope.log:
        log.append(Done(inside=scope.log, order=max(done.order for done in scope.log)))


@dataclass
class Sub(Block):
    """A sub-process; with `handler`, a task in it may end it by an error that is caught at its boundary.

    With `cancels` it is a transaction, which that task cancels.
    """

    body: Block = field(default_factory=Task)
    handler: Block | None = None
    alarm: str = ""
    cancels: bool = False

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last, merge = names("sp"), names("s"), names("e"), names("m")
        body = self.body.draw(names, variables)
        inner = start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
        xml = element("exclusiveGateway", merge) + flow(sub, merge)
        if self.handler is not None:
            self.alarm, failed, caught = names("u"), names("e"), names("b")
            thrown = event("cancel") if self.cancels else event("error", "E")
            inner += user(self.alarm) + end(failed, thrown) + flow(first, self.alarm) + flow(self.alarm, failed)
            handler = self.handler.draw(names, variables)
            xml += boundary(caught, sub, thrown) + handler.xml + flow(caught, handler.first) + flow(handler.last, merge)
        return Drawn(xml + element("transaction" if self.cancels else "subProcess", sub, inner), sub, merge)

    def run(self, scope: Scope) -> Run:
        inside = Scope()
        inside.parts.append(self.body.run(inside))
        alarm = None
        if self.handler is not None:
            alarm = Leaf(task=self.alarm)
            inside.parts.append(alarm)
        return _Guard(inside=inside, alarm=alarm, handler=self.handler, outer=scope, cancels=self.cancels)


@dataclass
class Each(Block):
    """A multi-instance sub-process."""

    body: Block = field(default_factory=Task)
    count: int = 2
    sequential: bool = False

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last, variable = names("sp"), names("s"), names("e"), names("xs")
        variables[variable] = list(range(self.count))
        body = self.body.draw(names, variables)
        inner = start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
        return Drawn(element("subProcess", sub, each(variable, "item", sequential=self.sequential) + inner), sub, sub)

    def run(self, scope: Scope) -> Run:
        instance = _Instance(Sub(body=self.body))
        if self.sequential:
            run: Run = _Seq(blocks=[instance] * self.count, scope=scope)
        else:
            run = _All(parts=[instance.run(scope) for _ in range(self.count)])
        return _Every(run=run, log=instance.log, scope=scope)


@dataclass
class _Instance(Block):
    sub: Sub = field(default_factory=Sub)
    log: list[Done] = field(default_factory=list)

    def run(self, scope: Scope) -> Run:
        run = self.sub.run(scope)
        assert isinstance(run, _Guard)
        run.log = self.log
        return run


@dataclass
class _Every(Run):
    """A multi-instance: what its instances did can be undone when all have completed."""

    run: Run = field(default_factory=Run)
    log: list[Done] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)

    def settle(self) -> None:
        settle(self.run)
        if self.run.done and not self.done:
            self.scope.log += self.log
        self.done = self.run.done

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from self.run.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        yield from self.run.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        yield from self.run.messages()


@dataclass
class _Timed(Run):
    leaf: Leaf = field(default_factory=Leaf)
    block: Timed | None = None
    scope: Scope = field(default_factory=Scope)
    handling: Run | None = None
    detached: bool = False

    def settle(self) -> None:
        block = self.block
        assert block is not None
        if self.leaf.fired and self.handling is None and not self.detached:
            handler = block.handler.run(self.scope)
            if block.interrupting:
                self.leaf.done = True
                self.handling = handler
            else:
                self.detached = True
                self.scope.parts.append(handler)
                settle(handler)
        if self.handling is not None:
            settle(self.handling)
        self.done = self.handling.done if self.handling is not None else self.leaf.done

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.leaf).open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.leaf).timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        yield from (self.handling or self.leaf).messages()


@dataclass
class Timed(Block):
    """A task with a boundary timer whose handler replaces it, or goes beside it and ends on its own."""

    interrupting: bool = True
    handler: Block = field(default_factory=Task)
    task: str = ""
    on: str = ""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        self.task, self.on = names("u"), names("b")
        merge, last = names("m"), names("e")
        handler = self.handler.draw(names, variables)
        xml = user(self.task) + boundary(self.on, self.task, timer("PT1H"), interrupting=self.interrupting) + handler.xml
        xml += flow(self.on, handler.first) + element("exclusiveGateway", merge) + flow(self.task, merge)
        if self.interrupting:
            xml += flow(handler.last, merge)
        else:
            xml += end(last) + flow(handler.last, last)
        return Drawn(xml, self.task, merge)

    def run(self, scope: Scope) -> Run:
        return _Timed(leaf=Leaf(task=self.task, on=self.on), block=self, scope=scope)


@dataclass
class _Race(Run):
    block: Race | None = None
    scope: Scope = field(default_factory=Scope)
    chosen: Run | None = None
    born: int = field(default_factory=_births.__next__)

    def settle(self) -> None:
        if self.chosen is not None:
            settle(self.chosen)
            self.done = self.chosen.done

    def take(self, name: str) -> None:
        assert self.block is not None
        self.chosen = self.block.branches[self.block.events.index(name)].run(self.scope)

    def open(self) -> Iterator[tuple[str, Run]]:
        yield from self.chosen.open() if self.chosen else ()

    def timers(self) -> Iterator[tuple[str, Run]]:
        yield from self.chosen.timers() if self.chosen else ()

    def messages(self) -> Iterator[tuple[str, Run]]:
        assert self.block is not None
        yield from self.chosen.messages() if self.chosen else ((event_id, self) for event_id in self.block.events)


@dataclass
class Race(Block):
    """An event-based gateway: the first message decides."""

    branches: list[Block] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        gate, merge = names("g"), names("m")
        self.events = [names("c") for _ in self.branches]
        xml = element("eventBasedGateway", gate) + element("exclusiveGateway", merge)
        for event_id, branch in zip(self.events, self.branches, strict=True):
            drawn = branch.draw(names, variables)
            xml += element("intermediateCatchEvent", event_id, event("message", "M")) + drawn.xml
            xml += flow(gate, event_id) + flow(event_id, drawn.first) + flow(drawn.last, merge)
        return Drawn(xml, gate, merge)

    def run(self, scope: Scope) -> Run:
        return _Race(block=self, scope=scope)


@dataclass
class _Watched(Run):
    block: Watched | None = None
    inside: Scope = field(default_factory=Scope)
    stop: Leaf = field(default_factory=Leaf)
    waiting: bool = True
    scope: Scope = field(default_factory=Scope)
    born: int = field(default_factory=_births.__next__)

    def settle(self) -> None:
        settle(self.inside)
        if self.stop.done and self.stop in self.inside.parts:
            self.inside.parts = []
            abandon(self.inside.log)
        if not self.done and all(p.done for p in self.inside.parts):
            self.done = True
            remember(self.scope.log, self.inside.log)

    def take(self, name: str) -> None:
        assert self.block is not None
        if self.block.interrupting:
            abandon(self.inside.log)
        handler = Scope(around=self.inside)
        handler.parts.append(self.block.handler.run(handler))
        if self.block.interrupting:
            self.inside.parts, self.waiting = [handler], False
        else:
            self.inside.parts.append(handler)
            self.born = next(_births)  # it waits anew

    def open(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield from self.inside.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        if not self.done:
            yield from self.inside.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        assert self.block is not None
        if not self.done:
            if self.waiting:
                yield self.block.event, self
            yield from self.inside.messages()


@dataclass
class Watched(Block):
    """A sub-process with a terminate end event beside its body, and an event sub-process that a message starts."""

    body: Block = field(default_factory=Task)
    interrupting: bool = True
    handler: Block = field(default_factory=Task)
    event: str = ""
    stop: str = ""

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last, cut, watch, over = (names(p) for p in ("sp", "s", "e", "e", "sp", "e"))
        self.event, self.stop = names("w"), names("u")
        body, handler = self.body.draw(names, variables), self.handler.draw(names, variables)
        inner = start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
        inner += user(self.stop) + end(cut, "<b:terminateEventDefinition/>") + flow(first, self.stop) + flow(self.stop, cut)
        begin = element("startEvent", self.event, event("message", "M"), isInterrupting=str(self.interrupting).lower())
        watching = begin + handler.xml + end(over) + flow(self.event, handler.first) + flow(handler.last, over)
        inner += element("subProcess", watch, watching, triggeredByEvent="true")
        return Drawn(element("subProcess", sub, inner), sub, sub)

    def run(self, scope: Scope) -> Run:
        inside = Scope()
        stop = Leaf(task=self.stop)
        inside.parts += [self.body.run(inside), stop]
        return _Watched(block=self, inside=inside, stop=stop, scope=scope)


@dataclass
class Repeat(Block):
    """A sub-process with a standard loop that runs a number of times; none at all where it is asked before."""

    body: Block = field(default_factory=Task)
    times: int = 2
    before: bool = False

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last = names("sp"), names("s"), names("e")
        body = self.body.draw(names, variables)
        inner = start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
        condition = f"<b:loopCondition>=loopCounter &lt; {self.times}</b:loopCondition>"
        before = str(self.before).lower()
        inner += f'<b:standardLoopCharacteristics testBefore="{before}">{condition}</b:standardLoopCharacteristics>'
        return Drawn(element("subProcess", sub, inner), sub, sub)

    def run(self, scope: Scope) -> Run:
        times = self.times if self.before else max(self.times, 1)
        instance = _Instance(Sub(body=self.body))
        return _Every(run=_Seq(blocks=[instance] * times, scope=scope), log=instance.log, scope=scope)


@dataclass
class Copies(Block):
    """A task that some tokens leave, a sub-process that each of them runs through, and a task that gathers them."""

    body: Block = field(default_factory=Task)
    count: int = 2
    before: Task = field(default_factory=Task)
    after: Task = field(default_factory=Task)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        self.before.task, self.after.task = names("u"), names("u")
        inside = Loose(blocks=[self.body]).draw(names, variables)
        xml = user(self.before.task, completionQuantity=self.count) + user(self.after.task, startQuantity=self.count)
        xml += inside.xml + flow(self.before.task, inside.first) + flow(inside.last, self.after.task)
        return Drawn(xml, self.before.task, self.after.task)

    def run(self, scope: Scope) -> Run:
        copies = _Together(blocks=[Loose(blocks=[self.body])] * self.count)
        return _Seq(blocks=[self.before, copies, self.after], scope=scope)


@dataclass
class _Together(Block):
    """Several blocks at once, without a drawing of their own."""

    blocks: list[Block] = field(default_factory=list)

    def run(self, scope: Scope) -> Run:
        return _All(parts=[b.run(scope) for b in self.blocks])


@dataclass
class Loose(Block):
    """A sub-process without start event, or an ad-hoc one: sub-processes that no flow leads to, together or one by one."""

    blocks: list[Block] = field(default_factory=list)
    ad_hoc: bool = False
    sequential: bool = False

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        outer, xml = names("sp"), ""
        for block in self.blocks:
            sub, first, last = names("sp"), names("s"), names("e")
            body = block.draw(names, variables)
            xml += element(
                "subProcess", sub, start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
            )
        if not self.ad_hoc:
            return Drawn(element("subProcess", outer, xml), outer, outer)
        ordering = "Sequential" if self.sequential else "Parallel"
        return Drawn(element("adHocSubProcess", outer, xml, ordering=ordering), outer, outer)

    def run(self, scope: Scope) -> Run:
        subs: list[Block] = [Sub(body=block) for block in self.blocks]
        return Sub(body=Seq(subs) if self.ad_hoc and self.sequential else _Together(subs)).run(scope)


@dataclass
class _Some(Run):
    block: SomeOf | None = None
    scope: Scope = field(default_factory=Scope)
    branches: list[Run] = field(default_factory=list)
    then: Run | None = None

    def settle(self) -> None:
        assert self.block is not None
        for branch in self.branches:
            settle(branch)
        if self.then is None and sum(b.done for b in self.branches) >= self.block.needed:
            self.then = self.block.then.run(self.scope)
        if self.then is not None:
            settle(self.then)
        self.done = self.then is not None and self.then.done and all(b.done for b in self.branches)

    def _parts(self) -> list[Run]:
        return [*self.branches, *([self.then] if self.then is not None else [])]

    def open(self) -> Iterator[tuple[str, Run]]:
        for part in self._parts():
            yield from part.open()

    def timers(self) -> Iterator[tuple[str, Run]]:
        for part in self._parts():
            yield from part.timers()

    def messages(self) -> Iterator[tuple[str, Run]]:
        for part in self._parts():
            yield from part.messages()


@dataclass
class SomeOf(Block):
    """A sub-process with parallel branches and a complex gateway that goes on, once, when some of them have come."""

    blocks: list[Block] = field(default_factory=list)
    needed: int = 1
    then: Task = field(default_factory=Task)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last, fork, join = (names(p) for p in ("sp", "s", "e", "g", "j"))
        condition = f"<b:activationCondition>=activationCount &gt;= {self.needed}</b:activationCondition>"
        then = self.then.draw(names, variables)
        xml = start(first) + end(last) + element("parallelGateway", fork) + element("complexGateway", join, condition) + then.xml
        xml += flow(first, fork) + flow(join, then.first) + flow(then.last, last)
        for block in self.blocks:
            drawn = Loose(blocks=[block]).draw(names, variables)
            xml += drawn.xml + flow(fork, drawn.first) + flow(drawn.last, join)
        return Drawn(element("subProcess", sub, xml), sub, sub)

    def run(self, scope: Scope) -> Run:
        return Sub(body=_Branches(self)).run(scope)


@dataclass
class _Branches(Block):
    """What is in the sub-process of a `SomeOf`."""

    block: SomeOf

    def run(self, scope: Scope) -> Run:
        return _Some(block=self.block, scope=scope, branches=[Loose(blocks=[b]).run(scope) for b in self.block.blocks])


@dataclass
class _Shouts(_All):
    block: Shout | None = None
    scope: Scope = field(default_factory=Scope)
    heard: int = 0

    def settle(self) -> None:
        assert self.block is not None
        super().settle()
        while self.heard < sum(p.done for p in self.parts):
            self.heard += 1
            self.scope.parts.append(self.block.handler.run(self.scope))
            settle(self.scope.parts[-1])


@dataclass
class Shout(Block):
    """A multi-instance that throws an escalation whenever one of its instances completes, and what that starts beside it."""

    body: Block = field(default_factory=Task)
    count: int = 2
    handler: Block = field(default_factory=Task)

    def draw(self, names: Names, variables: dict[str, object]) -> Drawn:
        sub, first, last, caught, over = names("sp"), names("s"), names("e"), names("b"), names("e")
        body, handler = self.body.draw(names, variables), self.handler.draw(names, variables)
        loop = f'<b:multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="LD"><b:loopCardinality>{self.count}'
        inner = loop + "</b:loopCardinality></b:multiInstanceLoopCharacteristics>"
        inner += start(first) + end(last) + body.xml + flow(first, body.first) + flow(body.last, last)
        xml = element("subProcess", sub, inner) + boundary(caught, sub, event("escalation", "L"), interrupting=False)
        xml += handler.xml + end(over) + flow(caught, handler.first) + flow(handler.last, over)
        return Drawn(xml, sub, sub)

    def run(self, scope: Scope) -> Run:
        instance = _Instance(Sub(body=self.body))
        shouts = _Shouts(parts=[instance.run(scope) for _ in range(self.count)], block=self, scope=scope)
        return _Every(run=shouts, log=instance.log, scope=scope)


@dataclass
class Model:
    """The reference run of a whole diagram."""

    block: Block
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        self.scope.parts.append(self.block.run(self.scope))
        self.scope.settle()

    @property
    def done(self) -> bool:
        return self.scope.done

    @property
    def open(self) -> Counter[str]:
        return Counter(name for name, _ in self.scope.open())

    @property
    def timers(self) -> Counter[str]:
        return Counter(name for name, _ in self.scope.timers())

    def complete(self, name: str) -> None:
        self._oldest(self.scope.open(), name).done = True
        self._settle()

    def fire(self, name: str) -> None:
        self._oldest(self.scope.timers(), name).fired = True
        self._settle()

    @staticmethod
    def _oldest(leaves: Iterator[tuple[str, Run]], name: str) -> Leaf:
        return min((x for n, x in leaves if n == name and isinstance(x, Leaf)), key=lambda x: x.born)

    @property
    def messages(self) -> Counter[str]:
        return Counter(name for name, _ in self.scope.messages())

    def send(self, name: str) -> None:
        takers = [x for n, x in self.scope.messages() if n == name and isinstance(x, _Race | _Watched)]
        min(takers, key=lambda x: x.born).take(name)
        self._settle()

    def _settle(self) -> None:
        before = None
        while before != (before := (self.open, self.timers, self.messages, self.scope.done)):
            self.scope.settle()


def diagram(block: Block) -> tuple[str, dict[str, object]]:
    """Return a process body that contains a block, and the variables it needs."""
    variables: dict[str, object] = {}
    drawn = block.draw(Names(), variables)
    body = start() + end() + drawn.xml + flow("s", drawn.first) + flow(drawn.last, "e")
    return body, variables
