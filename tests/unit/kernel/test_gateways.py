"""Gateways: exclusive, parallel, inclusive, event-based; links."""

from __future__ import annotations

import pytest

from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play, chain, element, end, event, flow, message, read, script, start, timer, user


def xor(element_id: str, default: str | None = None) -> str:
    return element("exclusiveGateway", element_id, default=default)


def par(element_id: str) -> str:
    return element("parallelGateway", element_id)


def inc(element_id: str, default: str | None = None) -> str:
    return element("inclusiveGateway", element_id, default=default)


CHOICE = (
    start()
    + xor("g", "fd")
    + user("a")
    + user("b")
    + user("c")
    + end()
    + flow("s", "g")
    + flow("g", "a", "=x > 10")
    + flow("g", "b", "x > 5")
    + flow("g", "c", flow_id="fd")
    + chain("a", "e")
    + chain("b", "e")
    + chain("c", "e")
)


@pytest.mark.parametrize(("x", "name"), [(11, "a"), (6, "b"), (1, "c")])
def test_exclusive_takes_the_first_that_holds(x: int, name: str) -> None:
    assert Play(CHOICE, x=x).names == [name]


def test_a_condition_that_is_no_boolean_is_an_incident() -> None:
    play = Play(CHOICE)
    assert [i.kind for i in play.incidents] == ["EXTRACT_VALUE_ERROR"]
    play.resolve("g", x=6)
    assert play.names == ["b"]


def test_no_condition_holds_and_no_default() -> None:
    body = start() + xor("g") + user("a") + user("b") + flow("s", "g") + flow("g", "a", "x = 1") + flow("g", "b", "x = 2")
    play = Play(body, x=3)
    assert [(i.element_id, i.kind) for i in play.incidents] == [("g", "CONDITION_ERROR")]
    play.resolve("g")
    assert len(play.incidents) == 1, "still wrong: a new incident"
    play.resolve("g", x=2)
    assert play.names == ["b"]
    assert play.entered.count("g") == 1


def test_parallel_split_and_join() -> None:
    body = start() + par("p") + user("a") + user("b") + par("q") + user("z") + end()
    play = Play(body + chain("s", "p", "a", "q", "z", "e") + chain("p", "b", "q"))
    assert play.names == ["a", "b"]
    play.do("a", v1=1)
    assert play.names == ["b"]
    play.do("b", v2=2)
    assert play.names == ["z"]
    play.do("z")
    assert play.completed
    assert play.vars == {"v1": 1, "v2": 2}


def test_a_join_counts_tokens_by_flow_not_by_number() -> None:
    # two tokens come over the same flow: they must not open the join alone
    body = start() + par("p") + xor("m") + user("a") + user("b") + par("q") + user("z") + end()
    body += chain("s", "p", "m", "a", "q", "z", "e") + chain("p", "m") + chain("p", "b", "q")
    play = Play(body)
    assert play.names == ["a", "a", "b"]
    play.do("a")
    play.do("a")
    assert "z" not in play.names
    play.do("b")
    assert play.names == ["z"]
    play.do("z")
    assert not play.completed, "one token still waits at the join"


def test_a_parallel_block_in_a_loop_two_thousand_rounds() -> None:
    body = start() + xor("m") + par("p") + user("a") + user("b") + par("q") + script("i", "n", "n + 1") + xor("g", "fe") + end()
    body += (
        chain("s", "m", "p", "a", "q", "i", "g")
        + chain("p", "b", "q")
        + flow("g", "m", "n < 2000")
        + flow("g", "e", flow_id="fe")
    )
    play = Play(body, n=0)
    for _ in range(2000):
        play.do("a")
        play.do("b")
        assert len(play.rows) <= 4
        play.changes = play.changes[-30:]
    assert play.completed
    assert play.vars["n"] == 2000


def test_serial_parallel_blocks_do_not_explode() -> None:
    body, last = start(), "s"
    for i in range(6):
        body += par(f"p{i}") + par(f"q{i}") + flow(last, f"p{i}")
        for k in range(4):
            body += user(f"u{i}{k}") + chain(f"p{i}", f"u{i}{k}", f"q{i}")
        last = f"q{i}"
    play = Play(body + end() + flow(last, "e"))
    assert len(play.rows) == 5
    while not play.completed:
        play.do(play.names[0])
    assert len(play.of(a.TaskCompleted)) == 24


INCLUSIVE = (
    start()
    + inc("o", "fd")
    + user("a")
    + user("b")
    + user("c")
    + inc("j")
    + user("z")
    + end()
    + flow("s", "o")
    + flow("o", "a", "=x > 1")
    + flow("o", "b", "=x > 2")
    + flow("o", "c", flow_id="fd")
    + chain("a", "j")
    + chain("b", "j")
    + chain("c", "j", "z", "e")
)


@pytest.mark.parametrize(("x", "names"), [(3, ["a", "b"]), (2, ["a"]), (0, ["c"])])
def test_inclusive_split_and_join(x: int, names: list[str]) -> None:
    play = Play(INCLUSIVE, x=x)
    assert play.names == names
    for i, name in enumerate(names):
        assert "z" not in play.names
        play.do(name)
        assert ("z" in play.names) == (i == len(names) - 1)
    play.do("z")
    assert play.completed
    assert play.entered.count("z") == 1


def test_an_inclusive_join_waits_for_a_token_that_takes_a_detour() -> None:
    body = start() + inc("o") + user("a") + user("b") + user("b2") + inc("j") + user("z") + end()
    body += flow("s", "o") + flow("o", "a", "=true") + flow("o", "b", "=true") + chain("a", "j", "z", "e") + chain("b", "b2", "j")
    play = Play(body)
    play.do("a")
    play.do("b")
    assert play.names == ["b2"]
    play.do("b2")
    assert play.names == ["z"]


def test_an_inclusive_join_does_not_wait_for_a_token_that_left_by_a_boundary_event() -> None:
    late = element("boundaryEvent", "late", timer("PT1H"), attachedToRef="b")
    body = start() + inc("o") + user("a") + user("b") + late + inc("j") + user("z") + end() + end("e2")
    body += (
        flow("s", "o")
        + flow("o", "a", "=true")
        + flow("o", "b", "=true")
        + chain("a", "j", "z", "e")
        + chain("b", "j")
        + chain("late", "e2")
    )
    play = Play(body)
    play.do("a")
    assert play.names == ["b"]
    play.fire("late")
    assert play.names == ["z"]


EVENTS = (
    start()
    + element("eventBasedGateway", "g")
    + element("intermediateCatchEvent", "t1", timer("PT1H"))
    + element("intermediateCatchEvent", "t2", timer("PT2H"))
    + element("intermediateCatchEvent", "m", event("message", "M"))
    + element("receiveTask", "r", messageRef="R")
    + user("u1")
    + user("u2")
    + user("u3")
    + user("u4")
    + end()
    + chain("s", "g", "t1", "u1", "e")
    + chain("g", "t2", "u2", "e")
    + chain("g", "m", "u3", "e")
    + chain("g", "r", "u4", "e")
)
ROOT = (message("M", "paid", "=order"), message("R", "refused", "=order"))


def test_an_event_based_gateway_takes_the_first_event() -> None:
    play = Play(EVENTS, *ROOT, order="o-1")
    assert {t.element_id: t.due_at.hour for t in play.timers} == {"t1": 2, "t2": 3}, "two timers have two due times"
    assert {(m.element_id, m.correlation_key) for m in play.messages} == {("m", "o-1"), ("r", "o-1")}
    assert "t1" not in play.entered, "what is not chosen is never entered"
    play.send("m", amount=5)
    assert play.names == ["u3"]
    assert not play.timers
    assert not play.messages
    assert play.vars["amount"] == 5
    play.do("u3")
    assert play.completed
    assert play.entered == ["P", "s", "g", "m", "u3", "e"]


def test_an_event_based_gateway_by_timer_and_by_receive_task() -> None:
    play = Play(EVENTS, *ROOT, order="o-1")
    play.fire("t2")
    assert play.names == ["u2"]
    play = Play(EVENTS, *ROOT, order="o-1")
    play.send("r")
    assert play.names == ["u4"]


def test_a_link_goes_on_at_its_catch_event() -> None:
    link = '<b:linkEventDefinition name="L"/>'
    body = (
        start()
        + user("u")
        + element("intermediateThrowEvent", "out", link)
        + element("intermediateCatchEvent", "in", link)
        + user("v")
    )
    play = Play(read(body + end() + chain("s", "u", "out") + chain("in", "v", "e")))
    play.do("u")
    assert play.names == ["v"]
    assert play.entered == ["P", "s", "u", "out", "in", "v"]
