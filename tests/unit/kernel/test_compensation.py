"""Compensation: what completed activities leave behind, and how it is undone: the last first, each once."""

from __future__ import annotations

import pytest

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
    service,
    start,
    timer,
    undone_by,
    user,
    z,
)

ERROR = '<b:error id="E" errorCode="LOST"/>'
SIGNAL = '<b:signal id="S" name="alarm"/>'


def sub(element_id: str, inner: str, **attributes: object) -> str:
    return element("subProcess", element_id, inner, **attributes)


def throw(element_id: str = "undo", activity: str | None = None, tag: str = "intermediateThrowEvent", **more: str) -> str:
    given = {"activityRef": activity, **more}
    attributes = "".join(f' {name}="{value}"' for name, value in given.items() if value is not None)
    return element(tag, element_id, f"<b:compensateEventDefinition{attributes}/>")


def undo_task(host: str, *extensions: str) -> str:
    """A user task `-host` that undoes an activity."""
    return undone_by(host, user(f"-{host}", *extensions, isForCompensation="true"), f"-{host}")


def undo_sub(element_id: str, inner: str) -> str:
    """A compensation event sub-process around some elements that begin at `<id>-1`."""
    drawn = start(f"{element_id}-s", event("compensate")) + inner + flow(f"{element_id}-s", f"{element_id}-1")
    return sub(element_id, drawn, triggeredByEvent="true")


def test_completed_activities_are_undone_one_by_one_the_last_first() -> None:
    body = start() + user("u") + user("v") + user("w") + throw() + user("after") + end()
    body += undo_task("u") + undo_task("v") + undo_task("w")
    play = Play(body + chain("s", "u", "v", "w", "undo", "after", "e"))
    play.do("u")
    play.do("v")
    play.do("w")
    assert play.names == ["-w"]
    play.do("-w")
    assert play.names == ["-v"]
    play.do("-v")
    play.do("-u")
    assert play.names == ["after"]
    play.do("after")
    assert play.completed
    assert play.nothing_left()


def test_what_did_not_complete_is_not_undone() -> None:
    body = start() + user("u") + boundary("b", "u", timer("PT1H")) + user("v") + throw() + user("after") + end()
    body += undo_task("u") + undo_task("v")
    play = Play(body + chain("s", "u", "v", "undo", "after", "e") + flow("b", "v"))
    play.fire("b")
    play.do("v")
    assert play.names == ["-v"]
    play.do("-v")
    assert play.names == ["after"]


def test_a_throw_without_anything_to_undo_passes() -> None:
    play = Play(start() + throw() + user("after") + end() + chain("s", "undo", "after", "e"))
    assert play.names == ["after"]


def test_each_run_of_a_loop_is_undone_once() -> None:
    body = start() + element("exclusiveGateway", "m") + user("u") + element("exclusiveGateway", "x", default="on")
    body += throw() + throw("again") + end() + undo_task("u", io({"round": "=n"}))
    body += chain("s", "m", "u", "x") + flow("x", "m", "=n < 3") + flow("x", "undo", flow_id="on") + chain("undo", "again", "e")
    play = Play(body, n=0)
    for n in (1, 2, 3):
        play.do("u", n=n)
    for _ in range(3):
        play.do("-u")
    assert play.completed
    assert play.entered.count("-u") == 3
    assert play.nothing_left()


def test_one_activity_is_undone_when_it_is_named() -> None:
    body = start() + user("u") + user("v") + throw(activity="u") + throw("rest") + end() + undo_task("u") + undo_task("v")
    play = Play(body + chain("s", "u", "v", "undo", "rest", "e"))
    play.do("u")
    play.do("v")
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["-v"]
    play.do("-v")
    assert play.completed


def test_a_compensation_end_event_waits_until_all_is_undone() -> None:
    body = start() + user("u") + throw("undo", tag="endEvent") + undo_task("u")
    play = Play(body + chain("s", "u", "undo"))
    play.do("u")
    assert play.names == ["-u"]
    assert not play.completed
    play.do("-u")
    assert play.completed
    done = [c.element_id for c in play.of(a.ElementCompleted)]
    assert done[-4:] == ["-u", "b-u", "undo", "P"]


def test_a_throw_that_does_not_wait() -> None:
    body = start() + user("u") + throw(waitForCompletion="false") + user("after") + end() + undo_task("u")
    play = Play(body + chain("s", "u", "undo", "after", "e"))
    play.do("u")
    assert play.names == ["-u", "after"]
    play.do("after")
    assert not play.completed, "what is undone keeps the process open"
    play.do("-u")
    assert play.completed


def test_a_completed_sub_process_is_undone_inside_with_its_variables() -> None:
    inner = (
        start("s2") + script("set", "room", "room + 1") + user("u") + user("v") + end("e2") + chain("s2", "set", "u", "v", "e2")
    )
    inner += undo_task("u", io({"seen": "=room"})) + undo_task("v")
    body = start() + sub("sp", ext(io({"room": "=100"})) + inner) + script("later", "room", "5") + throw(activity="sp") + end()
    play = Play(body + chain("s", "sp", "later", "undo", "e"))
    play.do("u")
    play.do("v")
    assert play.names == ["-v"]
    play.do("-v")
    assert play.instance.view(play.tasks[0].key)["seen"] == 101
    play.do("-u", room=7, refunded=True)
    assert play.completed
    assert play.vars == {"room": 5, "refunded": True}, "the sub-process's own variable is not the case's"
    assert play.nothing_left()


def test_nested_sub_processes_are_undone_in_order() -> None:
    deep = start("s3") + user("u") + end("e3") + chain("s3", "u", "e3") + undo_task("u")
    inner = start("s2") + sub("in", deep) + user("v") + end("e2") + chain("s2", "in", "v", "e2") + undo_task("v")
    body = start() + user("t") + sub("sp", inner) + user("w") + throw() + end() + undo_task("t") + undo_task("w")
    play = Play(body + chain("s", "t", "sp", "w", "undo", "e"))
    for task in ("t", "u", "v", "w", "-w", "-v", "-u", "-t"):
        assert play.names == [task]
        play.do(task)
    assert play.completed
    assert play.nothing_left()


def test_a_sub_process_without_anything_to_undo_leaves_nothing() -> None:
    inner = start("s2") + user("u") + end("e2") + chain("s2", "u", "e2")
    body = start() + sub("sp", inner) + user("v") + throw() + end() + undo_task("v")
    play = Play(body + chain("s", "sp", "v", "undo", "e"))
    play.do("u")
    assert {row.element_id for row in play.rows.values()} == {"P", "v"}


def test_a_handler_on_the_sub_process_stands_for_what_is_in_it() -> None:
    inner = start("s2") + user("u") + end("e2") + chain("s2", "u", "e2") + undo_task("u")
    play = Play(start() + sub("sp", inner) + throw() + end() + undo_task("sp") + chain("s", "sp", "undo", "e"))
    play.do("u")
    assert play.names == ["-sp"]
    play.do("-sp")
    assert play.completed
    assert play.nothing_left()


def test_a_compensation_event_sub_process_undoes_its_sub_process_in_its_own_order() -> None:
    own = throw("first", "u") + user("c-1") + throw("second", "v") + end("c-e") + chain("c-1", "first", "second", "c-e")
    inner = start("s2") + user("u") + user("v") + end("e2") + chain("s2", "u", "v", "e2") + undo_task("u") + undo_task("v")
    inner += undo_sub("c", own)
    play = Play(
        start()
        + sub("sp", ext(io({"x": "=41"})) + inner)
        + throw()
        + throw("again")
        + end()
        + chain("s", "sp", "undo", "again", "e")
    )
    play.do("u", x=42)
    play.do("v")
    assert play.names == ["c-1"]
    assert play.instance.view(play.tasks[0].key)["x"] == 42
    for task in ("c-1", "-u", "-v"):
        assert play.names == [task]
        play.do(task)
    assert play.completed
    assert play.nothing_left()


def test_what_a_compensation_event_sub_process_leaves_out_is_not_undone() -> None:
    inner = start("s2") + user("u") + end("e2") + chain("s2", "u", "e2") + undo_task("u")
    inner += undo_sub("c", user("c-1") + end("c-e") + flow("c-1", "c-e"))
    play = Play(start() + sub("sp", inner) + throw() + throw("again") + end() + chain("s", "sp", "undo", "again", "e"))
    play.do("u")
    play.do("c-1")
    assert play.completed
    assert "-u" not in play.entered


def test_inside_a_sub_process_only_its_own_activities_are_undone() -> None:
    inner = start("s2") + user("u") + throw() + end("e2") + chain("s2", "u", "undo", "e2") + undo_task("u")
    play = Play(start() + user("t") + sub("sp", inner) + user("w") + end() + undo_task("t") + chain("s", "t", "sp", "w", "e"))
    play.do("t")
    play.do("u")
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["w"]


@pytest.mark.parametrize("sequential", [True, False])
def test_each_instance_of_a_multi_instance_is_undone_with_its_own_item(sequential: bool) -> None:
    u = user("u", inner=each("xs", "x", sequential=sequential))
    play = Play(start() + u + throw() + end() + undo_task("u") + chain("s", "u", "undo", "e"), xs=["a", "b", "c"])
    while play.names and play.names[0] == "u":
        play.do("u")
    seen = []
    while play.tasks:
        view = play.instance.view(play.tasks[0].key)
        seen.append((view["x"], view["loopCounter"]))
        assert play.names == ["-u"]
        play.do("-u")
    assert seen == [("c", 3), ("b", 2), ("a", 1)]
    assert play.completed
    assert play.nothing_left()


def test_an_instance_of_a_multi_instance_that_goes_on_is_not_undone() -> None:
    body = (
        start()
        + element("parallelGateway", "p")
        + user("u", inner=each("[1,2]", "x"))
        + user("v")
        + throw()
        + user("after")
        + end()
    )
    play = Play(body + undo_task("u") + chain("s", "p", "u", "e") + chain("p", "v", "undo", "after"))
    play.do("u")
    play.do("v")
    assert play.names == ["after", "u"]


def test_a_multi_instance_sub_process_is_undone_instance_by_instance() -> None:
    inner = start("s2") + user("u") + user("v") + end("e2") + chain("s2", "u", "v", "e2") + undo_task("u") + undo_task("v")
    body = start() + sub("sp", each("xs", "x") + inner) + throw(activity="sp") + end() + chain("s", "sp", "undo", "e")
    play = Play(body, xs=[1, 2])
    for _ in range(2):
        play.do("u")
    for _ in range(2):
        play.do("v")
    seen = []
    while play.tasks:
        seen.append((play.names, play.instance.view(play.tasks[0].key)["x"]))
        play.do(play.names[0])
    assert seen == [(["-v"], 2), (["-u"], 2), (["-v"], 1), (["-u"], 1)]
    assert play.completed
    assert play.nothing_left()


def test_a_multi_instance_that_is_ended_early_or_interrupted() -> None:
    u = user("u", inner=each("[1,2,3]", "x", until="numberOfCompletedInstances = 2"))
    body = start() + u + boundary("b", "u", timer("PT1H")) + throw() + user("after") + end() + undo_task("u")
    body += chain("s", "u", "undo", "after", "e") + flow("b", "undo")
    play = Play(body)
    play.do("u")
    play.do("u")
    play.do("-u")
    play.do("-u")
    assert play.names == ["after"]
    play = Play(body)
    play.do("u")
    play.fire("b")
    assert play.names == ["after"], "it did not complete: nothing is undone"


def test_handlers_of_every_kind() -> None:
    call = element("callActivity", "c", ext(z("calledElement", processId="child")))
    inner = start("s2") + service("deep") + end("e2") + chain("s2", "deep", "e2")
    body = start() + call + user("u") + user("v") + throw() + end() + chain("s", "c", "u", "v", "undo", "e")
    body += undone_by(
        "c", element("callActivity", "-c", ext(z("calledElement", processId="undo-child")), isForCompensation="true"), "-c"
    )
    body += undone_by("u", sub("-u", inner, isForCompensation="true"), "-u")
    body += undone_by("v", user("-v", inner=each("[1,2]", "x"), isForCompensation="true"), "-v")
    play = Play(body)
    play.take(play.instance.child_ended(play.calls[0].key, a.InstanceEnded("COMPLETED", {"ticket": 7})))
    play.do("u")
    play.do("v")
    assert play.names == ["-v", "-v"]
    play.do("-v")
    play.do("-v")
    play.work("deep")
    assert play.calls[0].called_process_id == "undo-child"
    assert play.calls[0].variables["ticket"] == 7
    play.take(play.instance.child_ended(play.calls[0].key, a.InstanceEnded("COMPLETED", {})))
    assert play.completed
    assert play.nothing_left()


def test_parallel_branches_are_undone_in_the_order_in_which_they_completed() -> None:
    body = start() + element("parallelGateway", "p") + element("parallelGateway", "j") + user("u") + user("v") + throw() + end()
    body += undo_task("u") + undo_task("v") + chain("s", "p", "u", "j", "undo", "e") + chain("p", "v", "j")
    play = Play(body)
    play.do("v")
    play.do("u")
    play.do("-u")
    play.do("-v")
    assert play.completed


def test_an_error_in_a_handler_goes_outwards_and_what_was_not_begun_can_be_undone_still() -> None:
    inner = start("s2") + user("t") + user("u") + throw() + end("e2") + chain("s2", "t", "u", "undo", "e2") + undo_task("t")
    inner += undone_by("u", service("-u").replace("<b:serviceTask", '<b:serviceTask isForCompensation="true"'), "-u")
    handler = start("h-s", event("error", "E")) + throw("rest") + end("h-e") + chain("h-s", "rest", "h-e")
    play = Play(
        start()
        + sub("sp", inner + sub("h", handler, triggeredByEvent="true"))
        + user("after")
        + end()
        + chain("s", "sp", "after", "e"),
        ERROR,
    )
    play.do("t")
    play.do("u")
    play.fail("-u", "LOST")
    assert play.names == ["-t"], "what failed is not undone again"
    play.do("-t")
    assert play.names == ["after"]


def test_an_error_in_a_handler_that_nobody_catches_is_an_incident() -> None:
    body = start() + user("u") + throw() + user("after") + end() + chain("s", "u", "undo", "after", "e")
    play = Play(body + undone_by("u", service("-u").replace("<b:serviceTask", '<b:serviceTask isForCompensation="true"'), "-u"))
    play.do("u")
    play.fail("-u", "LOST")
    assert [(i.element_id, i.kind) for i in play.incidents] == [("-u", "UNHANDLED_ERROR_EVENT")]
    play.resolve("-u")
    play.work("-u")
    assert play.names == ["after"]


def test_an_error_from_undoing_a_completed_sub_process_is_not_its_own() -> None:
    inner = start("s2") + user("u") + end("e2") + chain("s2", "u", "e2")
    inner += undone_by("u", service("-u").replace("<b:serviceTask", '<b:serviceTask isForCompensation="true"'), "-u")
    body = start() + sub("sp", inner) + boundary("b", "sp", event("error")) + user("wrong") + throw() + end() + flow("b", "wrong")
    play = Play(body + chain("s", "sp", "undo", "e"))
    play.do("u")
    play.fail("-u", "LOST")
    assert [i.element_id for i in play.incidents] == ["-u"]


def test_an_interrupted_throw_ends_what_undoes_and_the_rest_stays_to_be_undone() -> None:
    inner = start("s2") + user("t") + user("u") + throw() + end("e2") + chain("s2", "t", "u", "undo", "e2")
    inner += undo_task("t") + undo_task("u")
    stop = start("h-s", event("signal", "S")) + throw("rest") + user("h-u") + end("h-e") + chain("h-s", "rest", "h-u", "h-e")
    play = Play(start() + sub("sp", inner + sub("h", stop, triggeredByEvent="true")) + end() + chain("s", "sp", "e"), SIGNAL)
    play.do("t")
    play.do("u")
    assert play.names == ["-u"]
    play.signal("h-s")
    assert play.names == ["-t"]
    play.do("-t")
    assert play.names == ["h-u"]
    play.do("h-u")
    assert play.completed


def test_an_event_sub_process_undoes_what_its_scope_did() -> None:
    inner = start("s2") + user("u") + user("v") + end("e2", event("error", "E")) + chain("s2", "u", "v", "e2") + undo_task("u")
    handler = start("h-s", event("error", "E")) + throw("rest", "u") + end("h-e") + chain("h-s", "rest", "h-e")
    play = Play(
        start()
        + sub("sp", inner + sub("h", handler, triggeredByEvent="true"))
        + user("after")
        + end()
        + chain("s", "sp", "after", "e"),
        ERROR,
    )
    play.do("u")
    play.do("v")
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["after"]


def test_what_a_completed_event_sub_process_did_is_undone() -> None:
    on = element("startEvent", "h-s", event("message", "M"), isInterrupting="false")
    handler = on + user("h-u") + end("h-e") + chain("h-s", "h-u", "h-e") + undo_task("h-u")
    body = start() + user("u") + throw() + user("after") + end() + undo_task("u") + sub("h", handler, triggeredByEvent="true")
    play = Play(body + chain("s", "u", "undo", "after", "e"), message("M", "m"))
    play.send("h-s")
    play.do("h-u")
    play.do("u")
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["-h-u"]
    play.do("-h-u")
    assert play.names == ["after"]
    assert len(play.messages) == 1, "it still waits for messages"


def test_a_terminate_end_event_does_not_forget_what_the_sub_process_did() -> None:
    inner = start("s2") + user("u") + end("e2", event("terminate")) + user("v") + chain("s2", "u", "e2") + flow("s2", "v")
    play = Play(start() + sub("sp", inner + undo_task("u")) + throw() + end() + chain("s", "sp", "undo", "e"))
    play.do("u")
    assert play.names == ["-u"]


def test_an_inclusive_join_does_not_wait_for_what_is_over() -> None:
    inner = start("s2") + user("u") + end("e2") + chain("s2", "u", "e2") + undo_task("u")
    body = (
        start() + sub("sp", inner) + element("inclusiveGateway", "o") + user("a") + user("b") + element("inclusiveGateway", "j")
    )
    body += user("after") + end() + flow("s", "sp") + flow("sp", "o") + flow("o", "a", "=true") + flow("o", "b", "=true")
    play = Play(body + chain("a", "j", "after", "e") + flow("b", "j"))
    play.do("u")
    play.do("a")
    play.do("b")
    assert play.names == ["after"]


def test_activities_without_handlers_leave_nothing() -> None:
    body = (
        start()
        + element("exclusiveGateway", "m")
        + user("u")
        + user("v")
        + element("exclusiveGateway", "x", default="on")
        + end()
    )
    body += undo_task("v") + chain("s", "m", "u", "x") + flow("x", "m", "=again") + flow("x", "v", flow_id="on") + chain("v", "e")
    play = Play(body)
    for _ in range(20):
        play.do("u", again=True)
    assert len(play.rows) == 2


def test_a_handler_that_is_terminated_by_hand_is_over_and_the_next_is_undone() -> None:
    body = start() + user("u") + user("v") + throw() + user("after") + end() + undo_task("u") + undo_task("v")
    play = Play(body + chain("s", "u", "v", "undo", "after", "e"))
    play.do("u")
    play.do("v")
    play.take(play.instance.modify(terminate=[play.tasks[0].key]))
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["after"]


def test_each_run_of_a_standard_loop_is_undone_when_the_loop_has_ended() -> None:
    loop = "<b:standardLoopCharacteristics><b:loopCondition>=n &lt; 3</b:loopCondition></b:standardLoopCharacteristics>"
    body = start() + user("u", inner=loop) + throw() + user("after") + end() + undo_task("u")
    play = Play(body + chain("s", "u", "undo", "after", "e"), n=0)
    for n in (1, 2, 3):
        play.do("u", n=n)
    rounds = []
    while play.names == ["-u"]:
        rounds.append(play.instance.view(play.tasks[0].key)["loopCounter"])
        play.do("-u")
    assert rounds == [3, 2, 1]
    assert play.names == ["after"]


def test_an_ad_hoc_sub_process_is_undone_like_any_other() -> None:
    inner = user("u") + user("v") + undo_task("u") + undo_task("v")
    body = start() + element("adHocSubProcess", "sp", inner) + throw() + end()
    play = Play(body + chain("s", "sp", "undo", "e"))
    play.do("v")
    play.do("u")
    play.do("-u")
    play.do("-v")
    assert play.completed
    assert play.nothing_left()


def test_a_handler_may_itself_undo_what_it_did() -> None:
    inner = start("s2") + user("a") + user("b") + throw("back") + end("e2") + chain("s2", "a", "b", "back", "e2") + undo_task("a")
    body = start() + user("u") + throw() + throw("again") + end()
    body += undone_by("u", sub("-u", inner, isForCompensation="true"), "-u")
    play = Play(body + chain("s", "u", "undo", "again", "e"))
    for task in ("u", "a", "b", "-a"):
        assert play.names == [task]
        play.do(task)
    assert play.completed, "what a handler does is not undone from outside"
    assert play.nothing_left()


def test_what_can_be_undone_waits_as_it_was_however_long() -> None:
    body = start() + user("u", io({"room": "=room"})) + script("later", "room", "0") + user("v") + throw() + end()
    play = Play(body + undo_task("u", io({"seen": "=room"})) + chain("s", "u", "later", "v", "undo", "e"), room=12)
    play.do("u")
    assert play.names == ["v"]
    play.do("v")
    assert play.instance.view(play.tasks[0].key)["seen"] == 12
    shown = [c for c in play.of(a.VariableSet) if (c.name, c.value) == ("room", 12)]
    entered = next(c.key for c in play.of(a.ElementEntered) if c.element_id == "b-u")
    assert shown[-1].scope_key == entered, "the journal says with which variables it is undone"
