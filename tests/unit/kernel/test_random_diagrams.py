"""Random well-structured diagrams, random interleavings: the kernel does what the reference model does, step for step.

`Play` stores and loads the instance after every call, so this is also the test that saving and loading change nothing.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play, message, read
from tests.unit.kernel.reference import (
    Block,
    Booked,
    Copies,
    Each,
    Loop,
    Loose,
    Model,
    Race,
    Repeat,
    Seq,
    Shout,
    SomeOf,
    Split,
    Sub,
    Task,
    Timed,
    Undo,
    Watched,
    diagram,
)

ROOT = (
    '<b:error id="E" errorCode="ALARM"/>',
    message("M", "m"),
    '<b:escalation id="L" escalationCode="L"/>',
    '<b:escalationEventDefinition id="LD" escalationRef="L"/>',
)
MAX_STEPS = 60


def _common(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    some = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Seq, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda blocks: Split("parallel", blocks), some),
        some.flatmap(lambda b: st.builds(lambda i: Split("exclusive", b, [i]), st.integers(0, len(b) - 1))),
        some.flatmap(
            lambda b: st.builds(
                lambda taken: Split("inclusive", b, sorted(taken)), st.sets(st.integers(0, len(b) - 1), min_size=1)
            )
        ),
        st.builds(Loop, inner, st.integers(1, 3)),
        st.builds(Sub, inner),
        st.builds(Sub, inner, inner),
        st.builds(Each, inner, st.integers(0, 3), st.booleans()),
        st.builds(Timed, st.booleans(), inner),
        st.builds(Race, st.lists(inner, min_size=2, max_size=3)),
        st.builds(Watched, inner, st.booleans(), inner),
        st.builds(Repeat, inner, st.integers(0, 3), st.booleans()),
        st.builds(Copies, inner, st.integers(1, 3)),
        st.builds(Loose, some, st.booleans(), st.booleans()),
        some.flatmap(lambda b: st.builds(lambda n: SomeOf(b, n), st.integers(1, len(b)))),
    )


def _larger(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    return st.one_of(_common(inner), st.builds(Shout, inner, st.integers(1, 3), inner))


blocks = st.recursive(st.builds(Task), _larger, max_leaves=8)


def _larger_or_cancelled(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    # Not among them: a multi-instance that throws. What its handler finds done is a race with its own completion.
    return st.one_of(_common(inner), st.builds(lambda body, handler: Sub(body, handler, cancels=True), inner, inner))


undone = st.recursive(
    st.one_of(st.builds(Task), st.builds(Booked), st.builds(Booked), st.builds(Undo)), _larger_or_cancelled, max_leaves=10
)


def agree(play: Play, model: Model) -> None:
    assert not play.incidents
    assert Counter(t.element_id for t in play.tasks) == model.open
    assert Counter(t.element_id for t in play.timers) == model.timers
    assert Counter(m.element_id for m in play.messages) == model.messages
    assert play.completed == model.done


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(blocks, st.data())
def test_the_kernel_and_the_reference_agree(block: Block, data: st.DataObject) -> None:
    compare(block, data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(undone, st.data())
def test_the_kernel_and_the_reference_agree_on_what_is_undone(block: Block, data: st.DataObject) -> None:
    compare(Seq([block, Undo(), Task(), Undo()]), data)


def compare(block: Block, data: st.DataObject) -> None:
    body, variables = diagram(block)
    model = Model(block)
    play = Play(read(body, *ROOT), **variables)
    agree(play, model)
    for _ in range(MAX_STEPS):
        if play.completed:
            break
        acts = [("complete", n) for n in sorted(model.open)] + [("fire", n) for n in sorted(model.timers)]
        acts += [("send", n) for n in sorted(model.messages)]
        act, name = data.draw(st.sampled_from(acts))
        if act == "complete":
            play.do(name)
            model.complete(name)
        elif act == "send":
            play.send(name)
            model.send(name)
        else:
            play.fire(name)
            model.fire(name)
        agree(play, model)
    if play.completed:
        assert play.nothing_left()
        entered, left = play.of(a.ElementEntered), play.of(a.ElementCompleted) + play.of(a.ElementTerminated)
        assert sorted(e.key for e in entered) == sorted(e.key for e in left), "what was entered was left, once"
