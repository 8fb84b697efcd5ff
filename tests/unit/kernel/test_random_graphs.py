"""Random graphs without any structure, random acts: whatever is drawn, the kernel keeps its books.

What such a graph means is nobody's concern; that nothing is lost, left behind or done twice is.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import definitions
from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    draw,
    each,
    element,
    end,
    event,
    flow,
    message,
    script,
    service,
    start,
    timer,
    user,
)

ROOT = (
    message("M", "m"),
    '<b:signal id="S" name="alarm"/>',
    '<b:error id="E" errorCode="X"/>',
    '<b:escalation id="L" escalationCode="L"/>',
    '<b:signalEventDefinition id="SD" signalRef="S"/>',
)
KINDS = {
    "user": lambda i: user(i),
    "many": lambda i: user(i, inner=each("[1,2]", "x", collect="o", result="x")),
    "steps": lambda i: user(i, inner=each("[1,2]", "x", sequential=True)),
    "script": lambda i: script(i, "n", "n + 1"),
    "job": lambda i: service(i),
    "xor": lambda i: element("exclusiveGateway", i, default=f"d-{i}"),
    "and": lambda i: element("parallelGateway", i),
    "or": lambda i: element("inclusiveGateway", i, default=f"d-{i}"),
    "some": lambda i: element(
        "complexGateway", i, "<b:activationCondition>=activationCount &gt;= 2</b:activationCondition>", default=f"d-{i}"
    ),
    "again": lambda i: user(
        i,
        inner="<b:standardLoopCharacteristics><b:loopCondition>=loopCounter &lt; 2</b:loopCondition>"
        "</b:standardLoopCharacteristics>",
    ),
    "first": lambda i: script(
        i,
        "n",
        "n + 1",
        inner='<b:standardLoopCharacteristics testBefore="true" loopMaximum="2"><b:loopCondition>=n &lt; 6</b:loopCondition>'
        "</b:standardLoopCharacteristics>",
    ),
    "gather": lambda i: user(i, startQuantity=2),
    "spread": lambda i: element("task", i, completionQuantity=2),
    "loud": lambda i: user(
        i,
        inner='<b:multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="SD"><b:loopCardinality>2'
        "</b:loopCardinality></b:multiInstanceLoopCharacteristics>",
    ),
    "ad-hoc": lambda i: element(
        "adHocSubProcess", i, user(f"{i}-x") + user(f"{i}-y") + "<b:completionCondition>=n > 2</b:completionCondition>"
    ),
    "timer": lambda i: element("intermediateCatchEvent", i, timer("PT1H")),
    "message": lambda i: element("intermediateCatchEvent", i, event("message", "M")),
    "signal": lambda i: element("intermediateCatchEvent", i, event("signal", "S")),
    "alarm": lambda i: element("intermediateThrowEvent", i, event("signal", "S")),
    "escalate": lambda i: element("intermediateThrowEvent", i, event("escalation", "L")),
    "end": lambda i: end(i),
    "error": lambda i: end(i, event("error", "E")),
    "terminate": lambda i: end(i, "<b:terminateEventDefinition/>"),
}
ENDS = {"end", "error", "terminate"}
CAUGHT = ["timer", "message", "error", "escalation"]
HOSTS = {"user", "many", "steps", "job", "sub", "again", "loud", "ad-hoc", "gather"}


@st.composite
def scopes(draw_: st.DrawFn, prefix: str = "", depth: int = 0) -> str:
    """The inside of a process or sub-process."""
    kinds = draw_(
        st.lists(st.sampled_from([*KINDS, "user", "and", "or"] + (["sub"] if depth < 2 else [])), min_size=2, max_size=7)
    )
    ids = [f"{prefix}n{i}" for i in range(len(kinds))]
    xml = start(f"{prefix}s") + flow(f"{prefix}s", ids[0])
    for node, kind in zip(ids, kinds, strict=True):
        xml += element("subProcess", node, draw_(scopes(f"{node}-", depth + 1))) if kind == "sub" else KINDS[kind](node)
        if kind in HOSTS:
            for k, on in enumerate(draw_(st.lists(st.sampled_from(CAUGHT), max_size=2, unique=True))):
                trigger = {"timer": timer("PT2H"), "message": event("message", "M")}.get(on) or event(on)
                alone = on == "error" or draw_(st.booleans())
                xml += boundary(f"{node}-b{k}", node, trigger, interrupting=alone) + flow(
                    f"{node}-b{k}", draw_(st.sampled_from(ids))
                )
        if kind in ENDS:
            continue
        targets = draw_(st.lists(st.sampled_from(ids), min_size=1, max_size=3))
        for k, target in enumerate(targets):
            if kind in {"xor", "or", "some"}:
                xml += (
                    flow(node, target, flow_id=f"d-{node}")
                    if k == 0
                    else flow(node, target, draw_(st.sampled_from(["n < 5", "n > 2"])))
                )
            else:
                xml += flow(node, target)
    if draw_(st.booleans()):
        trigger = draw_(st.sampled_from([timer("PT3H"), event("message", "M"), event("error"), event("escalation")]))
        alone = "error" in trigger or draw_(st.booleans())
        inner = element("startEvent", f"{prefix}v-s", trigger, isInterrupting=str(alone).lower()) + user(f"{prefix}v-u")
        xml += element("subProcess", f"{prefix}v", inner + flow(f"{prefix}v-s", f"{prefix}v-u"), triggeredByEvent="true")
    return xml


def books(play: Play) -> None:
    """What was entered and not left lives; what waits belongs to something that lives."""
    left = Counter(c.key for c in play.of(a.ElementCompleted) + play.of(a.ElementTerminated))
    entered = Counter(c.key for c in play.of(a.ElementEntered))
    assert max(left.values(), default=1) == 1
    assert max(entered.values(), default=1) == 1
    living = set(entered) - set(left)
    assert living == {k for k, row in play.rows.items() if row.data.get("on")}
    waiting = [*play.tasks, *play.jobs, *play.timers, *play.messages, *play.signals]
    assert {w.key for w in waiting} <= set(play.rows)
    assert {i.element_key for i in play.incidents} <= set(play.rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scopes(), st.data())
def test_the_books_balance_whatever_is_drawn(body: str, data: st.DataObject) -> None:
    file = definitions.read_bpmn(draw(body, *ROOT), "t.bpmn")
    assert file.ok, [f for f in file.findings if f.verdict == "refused"]
    play = Play(file.processes[0], n=0, budget=80)
    books(play)
    for _ in range(12):
        if play.ended:
            break
        acts = [("complete_task", t.key, {"n": 3}) for t in play.tasks]
        acts += [("complete_job", j.key, {}) for j in play.jobs] + [("throw_error", j.key, "X") for j in play.jobs]
        acts += [("fire_timer", t.key) for t in play.timers]
        acts += [("receive_message", m.key, "m", {"m": 1}) for m in play.messages]
        acts += [("receive_signal", w.key, "alarm", {}) for w in play.signals]
        acts += [("resolve_incident", i.element_key) for i in play.incidents]
        if not acts:
            break
        act, *given_to = data.draw(st.sampled_from(acts))
        play.take(getattr(play.instance, act)(*given_to))
        books(play)
    if not play.ended:
        play.take(play.instance.cancel())
        books(play)
    assert play.nothing_left()
