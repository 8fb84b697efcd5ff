"""Loops, behaviours, quantities and complex gateways through the facade: stored, read and journalled at every step."""

from __future__ import annotations

from engine import Engine
from tests.unit.commands.office import line, office, task
from tests.unit.kernel.drawing import chain, draw, element, end, event, flow, start, user

LOOP = "<b:standardLoopCharacteristics><b:loopCondition>=not(ok)</b:loopCondition></b:standardLoopCharacteristics>"


def do(engine: Engine, case: int, element_id: str, **variables: object) -> None:
    found = next(t for t in engine.tasks(instance=case) if t.element_id == element_id)
    engine.complete(found.key, variables, by="anna")


def names(engine: Engine, case: int) -> list[str]:
    return sorted(t.element_id for t in engine.tasks(instance=case))


def test_a_task_is_repeated_until_it_is_right() -> None:
    engine = office()
    engine.deploy({"p.bpmn": draw(line(("t", task(inner=LOOP))))})
    case = engine.start("P")
    for ok in (False, False, True):
        (open_one,) = engine.tasks(instance=case)
        engine.complete(open_one.key, {"ok": ok}, by="anna")
    assert engine.instance(case).state == "COMPLETED"
    assert [e.state for e in engine.element_instances(case) if e.element_id == "t"] == ["COMPLETED"] * 4


def test_a_complex_join_keeps_its_reset_between_commands() -> None:
    engine = office()
    condition = "<b:activationCondition>=activationCount >= 2</b:activationCondition>"
    body = start() + element("parallelGateway", "f") + element("complexGateway", "g", condition) + task("v") + end()
    body += flow("s", "f") + flow("g", "v") + flow("v", "e")
    body += "".join(task(t) + flow("f", t) + flow(t, "g") for t in "xyz")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    do(engine, case, "z")
    do(engine, case, "x")
    assert names(engine, case) == ["v", "y"]
    do(engine, case, "v")
    do(engine, case, "y")
    assert engine.instance(case).state == "COMPLETED"
    assert len([e for e in engine.element_instances(case) if e.element_id == "v"]) == 1


def test_tokens_gather_between_commands() -> None:
    engine = office()
    body = start() + element("parallelGateway", "f") + user("t", startQuantity=3, completionQuantity=2) + task("v") + end()
    body += flow("s", "f") + flow("t", "v") + flow("v", "e") + "".join(task(x) + flow("f", x) + flow(x, "t") for x in "xyz")
    engine.deploy({"p.bpmn": draw(body)})
    case = engine.start("P")
    for name in "xyz":
        assert "t" not in names(engine, case)
        do(engine, case, name)
    assert names(engine, case) == ["t"]
    engine.complete(engine.tasks(instance=case)[0].key, {}, by="root")
    assert names(engine, case) == ["v", "v"]


def test_a_signal_of_a_multi_instance_reaches_other_cases() -> None:
    engine = office()
    root = '<b:signal id="S" name="vote"/>', '<b:signalEventDefinition id="SD" signalRef="S"/>'
    loop = '<b:multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="SD"><b:loopCardinality>2</b:loopCardinality>'
    engine.deploy({"p.bpmn": draw(line(("t", task(inner=loop + "</b:multiInstanceLoopCharacteristics>"))), *root)})
    waits = start() + element("intermediateCatchEvent", "c", event("signal", "S")) + task("w") + end() + chain("s", "c", "w", "e")
    engine.deploy({"q.bpmn": draw(waits, *root, process_id="Q")})
    other = engine.start("Q")
    case = engine.start("P")
    do(engine, case, "t")
    assert names(engine, other) == ["w"]
    do(engine, case, "t")
    assert engine.instance(case).state == "COMPLETED"
