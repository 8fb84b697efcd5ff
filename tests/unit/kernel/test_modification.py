"""Correcting where an instance stands: activated before elements, terminated, moved."""

from __future__ import annotations

import pytest

from engine.errors import InvalidValue, NotFound
from engine.kernel import Activation
from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play, boundary, chain, each, element, end, flow, props, script, start, timer, user

INNER = start("s2") + user("a") + user("b") + end("e2") + chain("s2", "a", "b", "e2")


def sub(inner: str = INNER, *more: str) -> str:
    return start() + element("subProcess", "sp", "".join(more) + inner) + user("after") + end() + chain("s", "sp", "after", "e")


def modify(play: Play, *activate: Activation | str, terminate: tuple[int | str, ...] = ()) -> list[a.Change]:
    return play.take(play.instance.modify(activate, terminate))


def test_a_token_is_moved_within_its_scope() -> None:
    play = Play(sub())
    changes = modify(play, "b", terminate=("a",))
    assert play.names == ["b"]
    assert [type(c).__name__ for c in changes][:2] == ["TaskCancelled", "ElementTerminated"]
    play.do("b")
    assert play.names == ["after"]


def test_a_scope_in_which_all_was_terminated_is_terminated_too() -> None:
    play = Play(sub())
    modify(play, terminate=("a",))
    assert play.ended
    assert play.ended.state == "TERMINATED"
    assert [c.element_id for c in play.of(a.ElementTerminated)] == ["a", "sp", "P"]
    assert play.nothing_left()


def test_another_token_keeps_the_instance() -> None:
    play = Play(start() + user("a") + user("b") + end() + flow("s", "a") + flow("s", "b") + flow("a", "e") + flow("b", "e"))
    modify(play, terminate=("a",))
    assert play.names == ["b"]
    play.do("b")
    assert play.completed


def test_scopes_are_opened_with_their_boundary_events_and_variables() -> None:
    body = (
        start()
        + user("t")
        + element("subProcess", "sp", INNER)
        + boundary("late", "sp", timer("PT1H"))
        + end()
        + chain("s", "t", "sp", "e")
        + flow("late", "e")
    )
    play = Play(body)
    modify(play, Activation("b", variables={"sp": {"x": 1}, "P": {"y": 2}}), terminate=("t",))
    scope = next(row.key for row in play.rows.values() if row.element_id == "sp")
    assert play.variables[scope, "x"] == 1
    assert play.vars["y"] == 2
    assert [t.element_id for t in play.timers] == ["late"]
    with pytest.raises(InvalidValue, match="is not in that scope"):
        play.instance.modify([Activation("b", variables={"t": {"z": 1}})])


def test_variables_are_there_when_the_element_is_entered() -> None:
    play = Play(start() + user("t") + script("x", "twice", "n * 2") + user("u") + end() + chain("s", "t", "x", "u", "e"))
    modify(play, Activation("x", variables={"P": {"n": 21}}), terminate=("t",))
    assert play.vars["twice"] == 42


def many(inner: str = INNER) -> str:
    loop = each("[1,2]", "item", collect="all", result="item")
    return start() + element("subProcess", "sp", inner + loop) + user("after") + end() + chain("s", "sp", "after", "e")


def test_in_a_multi_instance_the_scope_is_chosen() -> None:
    play = Play(many())
    with pytest.raises(InvalidValue, match="name one"):
        play.instance.modify(["b"])
    inner = [row.key for row in play.rows.values() if row.element_id == "sp" and "i" in row.data]
    modify(play, Activation("b", inner[1]))
    assert play.names == ["a", "a", "b"]
    assert play.rows[play.one(play.tasks, "b").key].parent_key == inner[1]
    modify(play, terminate=("a",))
    assert play.names == ["b"]
    play.do("b")
    assert play.vars["all"] == [None, 2]
    assert play.names == ["after"]


def test_all_instances_of_an_element_are_terminated_and_single_ones() -> None:
    play = Play(many())
    first = play.tasks[0].key
    modify(play, terminate=(first,))
    assert len(play.tasks) == 1
    modify(play, "after", terminate=("sp",))
    assert play.names == ["after"]


def test_a_token_that_waits_at_a_join_can_be_taken_away() -> None:
    body = start() + element("parallelGateway", "g") + user("a") + user("b") + element("parallelGateway", "j") + end()
    play = Play(body + flow("s", "g") + flow("g", "a") + flow("g", "b") + flow("a", "j") + flow("b", "j") + flow("j", "e"))
    play.do("a")
    modify(play, "a", terminate=("j",))
    assert play.names == ["a", "b"]
    play.do("a")
    play.do("b")
    assert play.completed


def test_what_cannot_be_is_refused() -> None:
    play = Play(
        sub(
            INNER,
            element(
                "subProcess",
                "es",
                element("startEvent", "es-s", timer("PT1H")) + user("es-u") + chain("es-s", "es-u"),
                triggeredByEvent="true",
            ),
        )
    )
    for wrong in ("nothing", "P", "es", "es-u"):
        with pytest.raises(InvalidValue):
            play.instance.modify([wrong])
        play.reload()
    with pytest.raises(InvalidValue, match="no such live scope"):
        play.instance.modify([Activation("b", play.tasks[0].key)])
    with pytest.raises(NotFound):
        play.instance.modify(terminate=["after"])
    with pytest.raises(NotFound):
        play.instance.modify(terminate=[999])


def test_moving_respects_clocks() -> None:
    body = start() + user("t", props(stops="h")) + user("h") + boundary("late", "h", timer("PT2H")) + end()
    play = Play(body + flow("s", "t") + flow("s", "h") + flow("t", "e") + flow("h", "e") + flow("late", "e"))
    assert not play.timers
    modify(play, terminate=("t",))
    assert [t.element_id for t in play.timers] == ["late"]
