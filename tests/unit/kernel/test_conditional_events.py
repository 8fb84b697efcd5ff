"""Conditional events: fire when their condition becomes true, and only then."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernel import advance as a
from tests.unit.kernel.drawing import (
    Play,
    boundary,
    chain,
    each,
    element,
    end,
    event,
    ext,
    flow,
    io,
    message,
    script,
    start,
    timer,
    user,
    z,
)


def condition(text: str, **filtered: str) -> str:
    given = ext(z("conditionalFilter", **filtered)) if filtered else ""
    return f"<b:conditionalEventDefinition>{given}<b:condition>{text}</b:condition></b:conditionalEventDefinition>"


def catch(element_id: str, inner: str) -> str:
    return element("intermediateCatchEvent", element_id, inner)


def put(play: Play, scope: int | None = None, **variables: Any) -> None:
    play.take(play.instance.set_variables(scope or play.key, variables))


def test_a_catch_event_waits_until_its_condition_is_true() -> None:
    play = Play(start() + catch("c", condition("=amount > 10")) + user("u") + end() + chain("s", "c", "u", "e"))
    assert [c.condition for c in play.of(a.ConditionAwaited)] == ["=amount > 10"]
    put(play, amount=5)
    put(play, other=50)
    put(play, amount=None)
    assert play.names == []
    put(play, amount=11)
    assert play.names == ["u"]
    assert [(c.element_id, c.kind) for c in play.of(a.EventReceived)] == [("c", "conditional")]
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_a_condition_that_is_true_already_passes_at_once() -> None:
    play = Play(start() + catch("c", condition("=ok")) + user("u") + end() + chain("s", "c", "u", "e"), ok=True)
    assert play.names == ["u"]


def test_an_interrupting_boundary_event_acts_at_once() -> None:
    inner = start("s2") + script("a", "x", "1") + script("b", "y", "1") + user("i") + end("e2") + chain("s2", "a", "b", "i", "e2")
    body = start() + element("subProcess", "sp", inner) + boundary("c", "sp", condition("=x = 1")) + user("out") + end()
    play = Play(body + chain("s", "sp", "e") + chain("c", "out", "e"))
    assert play.names == ["out"]
    assert "y" not in play.vars, "nothing more of the sub-process ran"


def test_a_boundary_event_does_not_undo_the_completion_that_made_it_true() -> None:
    body = start() + user("u") + boundary("c", "u", condition("=x = 1")) + user("out") + user("after") + end()
    play = Play(body + chain("s", "u", "after", "e") + chain("c", "out", "e"))
    play.do("u", x=1)
    assert play.names == ["after"]


def test_a_non_interrupting_boundary_event_fires_at_each_change_to_true() -> None:
    body = start() + user("u") + boundary("c", "u", condition("=level > 2"), interrupting=False) + user("look") + end()
    play = Play(body + chain("s", "u", "e") + chain("c", "look", "e"))
    for level, open_ in ((1, 0), (3, 1), (4, 1), (2, 1), (5, 2), (None, 2), (9, 3)):
        put(play, level=level)
        assert play.names == ["look"] * open_ + ["u"]
    play.do("u")
    put(play, level=0)
    put(play, level=9)
    assert play.names == ["look"] * 3
    assert "conditional" not in {row.data.get("wait") for row in play.rows.values()}


def test_a_condition_true_when_armed_fires_once() -> None:
    body = start() + user("u") + boundary("c", "u", condition("=ok"), interrupting=False) + user("look") + end()
    play = Play(body + chain("s", "u", "e") + chain("c", "look", "e"), ok=True)
    put(play, ok=True)
    put(play, other=1)
    assert play.names == ["look", "u"]


def test_event_sub_processes() -> None:
    def body(interrupting: str) -> str:
        on = element("startEvent", "h-s", condition("=alarm"), isInterrupting=interrupting)
        handler = element("subProcess", "h", on + user("h-u") + end("h-e") + chain("h-s", "h-u", "h-e"), triggeredByEvent="true")
        return start() + user("u") + end() + chain("s", "u", "e") + handler

    play = Play(body("true"))
    put(play, alarm=True)
    assert play.names == ["h-u"]
    play.do("h-u")
    assert play.completed
    play = Play(body("false"))
    put(play, alarm=True)
    put(play, alarm=False)
    put(play, alarm=True)
    assert play.names == ["h-u", "h-u", "u"]


def test_behind_an_event_based_gateway() -> None:
    body = (
        start() + element("eventBasedGateway", "g") + catch("c", condition("=ok")) + catch("t", timer("PT1H")) + user("u") + end()
    )
    body += chain("s", "g", "c", "u", "e") + flow("g", "t") + flow("t", "e")
    play = Play(body)
    put(play, ok=True)
    assert play.names == ["u"]
    assert not play.timers
    play = Play(body, ok=True)
    assert play.names == ["u"]
    assert not play.timers
    play = Play(body)
    play.fire("t")
    assert play.completed
    assert play.nothing_left()


def test_only_variables_that_it_sees_wake_it() -> None:
    inner = start("s2") + catch("c", condition("=x = item")) + user("u") + end("e2") + chain("s2", "c", "u", "e2")
    play = Play(start() + element("subProcess", "sp", each("[1,2]", "item") + inner) + end() + chain("s", "sp", "e"))
    scopes = sorted({c.scope_key for c in play.of(a.ElementEntered) if c.element_id == "c"})
    put(play, scopes[0], x=2)
    assert play.names == []
    put(play, scopes[1], x=2)
    assert play.names == ["u"]


def test_the_filter_says_which_variables_and_changes_count() -> None:
    body = (
        start()
        + user("u")
        + boundary("c", "u", condition("=a + b > 2", variableNames="a", variableEvents="update"), interrupting=False)
    )
    play = Play(body + user("look") + end() + chain("s", "u", "e") + chain("c", "look", "e"), b=1)
    put(play, b=9)
    put(play, a=9)
    assert play.names == ["u"], "it was created, not updated"
    put(play, a=8)
    assert play.names == ["look", "u"]


def test_a_condition_that_is_no_condition_is_an_incident_at_the_event() -> None:
    body = start() + user("u") + boundary("c", "u", condition("=x")) + user("out") + end()
    play = Play(body + chain("s", "u", "e") + chain("c", "out", "e"))
    put(play, x="yes")
    assert [i.element_id for i in play.incidents] == ["c"]
    assert play.names == ["u"]
    play.resolve("c", x=True)
    assert play.names == ["out"]
    play = Play(body + chain("s", "u", "e") + chain("c", "out", "e"))
    put(play, x="yes")
    play.do("u")
    assert play.completed
    assert play.nothing_left()


def test_a_loop_of_conditions_ends_with_the_step_budget() -> None:
    on = element("startEvent", "h-s", condition("=x"), isInterrupting="false")
    handler = element(
        "subProcess",
        "h",
        on + script("off", "x", "false") + script("on", "x", "true") + end("h-e") + chain("h-s", "off", "on", "h-e"),
        triggeredByEvent="true",
    )
    play = Play(start() + user("u") + end() + chain("s", "u", "e") + handler, budget=200)
    put(play, x=True)
    assert [i.kind for i in play.incidents] == ["STEP_BUDGET"]


def test_variables_of_a_message_wake_it() -> None:
    body = (
        start()
        + element("parallelGateway", "p")
        + catch("m", event("message", "M"))
        + catch("c", condition("=got"))
        + user("u")
        + end()
    )
    play = Play(body + chain("s", "p", "m", "e") + chain("p", "c", "u", "e"), message("M", "m"))
    play.send("m", got=True)
    assert play.names == ["u"]


def test_local_variables_of_input_mappings_are_seen() -> None:
    body = start() + user("u", io({"x": "=1"})) + boundary("c", "u", condition("=x = 1")) + user("out") + end()
    assert Play(body + chain("s", "u", "e") + chain("c", "out", "e")).names == ["out"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from([None, 0, 1, 2])), max_size=12))
def test_a_condition_fires_as_often_as_it_becomes_true(settings_: list[tuple[str, int | None]]) -> None:
    body = start() + user("u") + boundary("c", "u", condition("=x > y"), interrupting=False) + user("look") + end()
    play = Play(body + chain("s", "u", "e") + chain("c", "look", "e"))
    known: dict[str, int | None] = {"x": None, "y": None}
    held, times = False, 0
    for name, value in settings_:
        known[name] = value
        put(play, **{name: value})
        x, y = known["x"], known["y"]
        holds = x is not None and y is not None and x > y
        times += holds and not held
        held = holds
        assert play.names == ["look"] * times + ["u"]


def test_camunda_7_writes_conditions_in_its_own_way() -> None:
    given_ = (
        '<b:conditionalEventDefinition c:variableName="x" c:variableEvents="create, update"><b:condition>${x > 1}</b:condition>'
    )
    catching = element("intermediateCatchEvent", "c", given_ + "</b:conditionalEventDefinition>")
    waits = element("userTask", "u", **{"c:assignee": "anna"})
    play = Play(start() + catching + waits + end() + chain("s", "c", "u", "e"))
    put(play, x=2)
    assert play.names == ["u"]
