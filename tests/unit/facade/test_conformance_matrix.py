"""Every kind of event at every place where it can interrupt, or not: what runs before, beside and after it.

Each case is played with a fresh engine on the same database for every command, and in plain BPMN.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.unit.facade.conformance import draw, event_sub, in_plain_bpmn, net, play_stored, sub
from tests.unit.kernel.drawing import element, end, event, ext, message, start, timer, z

ROOT = (
    message("m", "m"),
    '<b:signal id="sg" name="sg"/><b:error id="E1" errorCode="E1"/><b:escalation id="X1" escalationCode="X1"/>',
)
CONDITION = "<b:conditionalEventDefinition><b:condition>=x</b:condition></b:conditionalEventDefinition>"
LATE = timer("PT1H")

# kind -> (what catches it, what makes it happen from outside; None: the end event behind t5 throws it)
KINDS: dict[str, tuple[str, str | None]] = {
    "message": (event("message", "m"), "send m k"),
    "signal": (event("signal", "sg"), "signal sg"),
    "timer": (LATE, "turn PT1H"),
    "condition": (CONDITION, "set x=true"),
    "multiple, by its message": (event("message", "m") + LATE, "send m k"),
    "multiple, by its timer": (event("message", "m") + LATE, "turn PT1H"),
    "parallel multiple": (event("message", "m") + event("signal", "sg"), "signal sg\nran -\nsend m k"),
    "thrown signal": (event("signal", "sg"), None),
    "error": (event("error", "E1"), None),
    "any error": (event("error"), None),
    "escalation": (event("escalation", "X1"), None),
    "any escalation": (event("escalation"), None),
}
THROWN = {
    "thrown signal": event("signal", "sg"),
    "error": event("error", "E1"),
    "any error": event("error", "E1"),
    "escalation": event("escalation", "X1"),
    "any escalation": event("escalation", "X1"),
}
PLACES = (
    "boundary of a task",
    "boundary of a sub-process",
    "boundary of a transaction",
    "boundary of a sub-process in a sub-process",
    "boundary of a multi-instance",
    "boundary of a call activity",
    "event sub-process of the process",
    "event sub-process of a sub-process",
    "event sub-process of a called process",
)
ALIKE = {"multiple, by its timer", "any error", "any escalation"}  # as their neighbours: at two places only
TWO_PLACES = {"boundary of a sub-process", "event sub-process of a called process"}
CASES = [
    (kind, place, interrupting)
    for kind, place, interrupting in itertools.product(KINDS, PLACES, (True, False))
    if not (kind in THROWN and place == "boundary of a task") and not ("error" in kind and not interrupting)
    if kind in THROWN or kind == "message" or place != "event sub-process of a called process"
    if kind not in ALIKE or place in TWO_PLACES
]


def inner(kind: str, more: str = "") -> str:
    """What runs: t1 and t5 side by side; behind t5 something may be thrown."""
    thrown = end("e5", THROWN[kind]) if kind in THROWN else ""
    return net("s1 > p1 > t1 > e1", "p1 > t5 > e5", more=thrown + more)


def after_boundary(kind: str, host: str, *, interrupting: bool, more: str = "") -> str:
    given = {"parallelMultiple": "true"} if kind.startswith("parallel") else {}
    cancels = str(interrupting).lower()
    caught = element("boundaryEvent", "b", KINDS[kind][0], attachedToRef=host, cancelActivity=cancels, **given)
    return net(f"s > {host} > n9 > e", "b > n1 > t2 > n2 > e2", more=more + caught)


def in_event_sub(kind: str, *, interrupting: bool) -> str:
    given = {"parallelMultiple": "true"} if kind.startswith("parallel") else {}
    begun = start("s2", KINDS[kind][0], isInterrupting=str(interrupting).lower(), **given)
    return event_sub("v", net("s2 > n1 > t2 > n2 > e2", more=begun))


def many(count: int) -> str:
    return (
        f"<b:multiInstanceLoopCharacteristics><b:loopCardinality>{count}</b:loopCardinality></b:multiInstanceLoopCharacteristics>"
    )


def model(kind: str, place: str, *, interrupting: bool) -> list[bytes]:
    """The files of a case: called ones first."""
    boundary_of = {
        "boundary of a sub-process": sub("u", inner(kind)),
        "boundary of a transaction": element("transaction", "u", inner(kind)),
        "boundary of a sub-process in a sub-process": sub("u", net("s3 > w > e3", more=sub("w", inner(kind)))),
        "boundary of a multi-instance": sub("u", many(2) + inner(kind)),
        "boundary of a call activity": element("callActivity", "u", ext(z("calledElement", processId="C"))),
    }
    called = draw(inner(kind), *ROOT, process_id="C")
    if place == "boundary of a task":
        return [draw(after_boundary(kind, "t1", interrupting=interrupting), *ROOT)]
    if place in boundary_of:
        body = after_boundary(kind, "u", interrupting=interrupting, more=boundary_of[place])
        return [called, draw(body, *ROOT)]
    handler = in_event_sub(kind, interrupting=interrupting)
    if place == "event sub-process of the process":
        return [draw(inner(kind) + handler, *ROOT)]
    if place == "event sub-process of a sub-process":
        return [draw(net("s > u > n9 > e", more=sub("u", inner(kind) + handler)), *ROOT)]
    body = net("s > u > n9 > e", more=boundary_of["boundary of a call activity"])
    return [draw(inner(kind) + handler, *ROOT, process_id="C"), draw(body, *ROOT)]


def expected(kind: str, place: str, *, interrupting: bool) -> str:
    """The script of a case."""
    thrown, called, is_boundary = kind in THROWN, "call" in place, place.startswith("boundary")
    times = 2 if place.endswith("multi-instance") else 1
    t5 = [] if place == "boundary of a task" else ["t5"] * (times - thrown)
    within, without = ("case >", "case <") if called else ("active", "active")
    lines = ["start x=false"]
    lines += [within, "do t5", without] if thrown else [KINDS[kind][1] or ""]
    left = [] if interrupting else ["t1"] * times + t5
    if called and not is_boundary:  # all happens in the called process
        lines += [within, "ran n1", f"open {' '.join(['t2', *left])}", *(f"do {t}" for t in left), "active", "do t2", "ended"]
        return "\n".join([*lines, "ran n1 n2", without, "ran n9", "ended"])
    lines += ["ran n1", f"open {' '.join(['t2', *([] if called else left)])}"]
    if interrupting:
        after = [] if is_boundary or "of the process" in place else ["n9"]
        return "\n".join([*lines, "do t2", f"ran n1 n2 {' '.join(after)}".strip(), "ended"])
    lines += [within, *(f"do {t}" for t in left), without]
    if thrown and times == 2:  # the second instance threw, too
        return "\n".join([*lines, "ran n1 n1 n9", "do t2", "do t2", "ran n1 n1 n9 n2 n2", "ended"])
    lines += ["open t2", "active"]
    if is_boundary:
        return "\n".join([*lines, "ran n1 n9", "do t2", "ran n1 n9 n2", "ended"])
    return "\n".join([*lines, "ran n1", "do t2", "ran n1 n2" + ("" if "of the process" in place else " n9"), "ended"])


def name_of(case: tuple[str, str, bool]) -> str:
    return f"{case[0]}, {case[1]}, {'interrupting' if case[2] else 'not interrupting'}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_as_camunda_8_writes_it(case: tuple[str, str, bool], tmp_path: Path) -> None:
    kind, place, interrupting = case
    files = model(kind, place, interrupting=interrupting)
    play_stored(tmp_path, files, expected(kind, place, interrupting=interrupting))


PLAIN = [case for case in CASES if case[1] in {"boundary of a sub-process", "event sub-process of a sub-process"}]


@pytest.mark.parametrize("case", PLAIN, ids=name_of)
def test_in_plain_bpmn(case: tuple[str, str, bool], tmp_path: Path) -> None:
    kind, place, interrupting = case
    file = in_plain_bpmn(model(kind, place, interrupting=interrupting)[-1])
    assert file is not None
    script = expected(kind, place, interrupting=interrupting).replace("send m k", "send m")
    play_stored(tmp_path, [file], script, restarting=False)
