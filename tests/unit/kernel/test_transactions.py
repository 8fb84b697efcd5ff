"""Transactions: cancelled, what they did is undone, and they are left by their cancel boundary event; errors undo nothing."""

from __future__ import annotations

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
    service,
    start,
    timer,
    undone_by,
    user,
)

ERROR = '<b:error id="E" errorCode="LOST"/>'
SIGNAL = '<b:signal id="S" name="alarm"/>'


def undo_task(host: str, *extensions: str) -> str:
    return undone_by(host, user(f"-{host}", *extensions, isForCompensation="true"), f"-{host}")


def undo_job(host: str) -> str:
    handler = service(f"-{host}").replace("<b:serviceTask", '<b:serviceTask isForCompensation="true"')
    return undone_by(host, handler, f"-{host}")


def transaction(inner: str, *more: str) -> str:
    """A transaction `t` whose cancel boundary event leads to `sorry`, its normal end to `after`."""
    body = (
        start() + element("transaction", "t", inner) + boundary("c", "t", event("cancel")) + user("sorry") + user("after") + end()
    )
    return body + "".join(more) + chain("s", "t", "after", "e") + chain("c", "sorry", "e")


BOOK = (
    start("s2") + user("hotel") + user("flight") + element("exclusiveGateway", "x", default="ok") + end("e2")
    + end("e3", event("cancel"))
    + chain("s2", "hotel", "flight", "x") + flow("x", "e3", "=not(paid)") + flow("x", "e2", flow_id="ok")
    + undo_task("hotel") + undo_task("flight")
)  # fmt: skip


def test_a_cancelled_transaction_undoes_what_it_did_and_is_left_by_its_boundary() -> None:
    play = Play(transaction(BOOK))
    play.do("hotel")
    play.do("flight", paid=False)
    assert play.names == ["-flight"]
    play.do("-flight")
    play.do("-hotel")
    assert play.names == ["sorry"]
    ended = [c for c in play.changes if isinstance(c, a.ElementTerminated | a.ElementCompleted) and c.element_id == "t"]
    assert ended == [a.ElementTerminated(ended[0].key, "t", "c")]
    play.do("sorry")
    assert play.completed
    assert play.nothing_left()


def test_a_transaction_that_completes_is_left_normally_and_can_be_undone_from_outside() -> None:
    play = Play(transaction(BOOK))
    play.do("hotel")
    play.do("flight", paid=True)
    assert play.names == ["after"]
    body = start() + element("transaction", "t", BOOK) + boundary("c", "t", event("cancel")) + user("sorry")
    body += element("endEvent", "undo", event("compensate")) + chain("s", "t", "undo") + chain("c", "sorry")
    play = Play(body)
    play.do("hotel")
    play.do("flight", paid=True)
    for task in ("-flight", "-hotel"):
        assert play.names == [task]
        play.do(task)
    assert play.completed


def test_cancelling_ends_what_runs_and_undoes_what_running_sub_processes_did() -> None:
    deep = (
        start("s3")
        + user("seat")
        + user("meal")
        + end("e4")
        + chain("s3", "seat", "meal", "e4")
        + undo_task("seat", io({"seen": "=row"}))
    )
    inner = (
        start("s2")
        + element("subProcess", "trip", ext(io({"row": "=12"})) + deep)
        + user("car")
        + user("stop")
        + end("e3", event("cancel"))
    )
    inner += (
        flow("s2", "trip") + flow("s2", "car") + flow("s2", "stop") + flow("stop", "e3") + undo_task("car") + undo_task("trip")
    )
    play = Play(transaction(inner))
    play.do("car")
    play.do("seat")
    play.do("stop")
    assert play.names == ["-seat"], "the trip did not complete: its own handler has nothing to undo, but the seat is booked"
    assert play.instance.view(play.tasks[0].key)["seen"] == 12
    play.do("-seat")
    play.do("-car")
    assert play.names == ["sorry"]
    assert {c.element_id: c.by for c in play.of(a.ElementTerminated)} == {"meal": "e3", "trip": "e3", "t": "c"}


def test_what_running_sub_processes_did_is_undone_in_the_order_in_which_it_was_done() -> None:
    deep = start("s3") + user("seat") + user("meal") + end("e4") + chain("s3", "seat", "meal", "e4") + undo_task("seat")
    inner = start("s2") + element("subProcess", "trip", deep) + user("car") + user("stop") + end("e3", event("cancel"))
    inner += flow("s2", "trip") + flow("s2", "car") + flow("s2", "stop") + flow("stop", "e3") + undo_task("car")
    for first, second in (("car", "seat"), ("seat", "car")):
        play = Play(transaction(inner))
        play.do(first)
        play.do(second)
        play.do("stop")
        assert play.names == [f"-{second}"]
        play.do(f"-{second}")
        assert play.names == [f"-{first}"]
        play.do(f"-{first}")
        assert play.names == ["sorry"]


def test_a_running_multi_instance_in_a_cancelled_transaction() -> None:
    inner = start("s2") + user("seat", inner=each("[1,2,3]", "x")) + user("stop") + end("e3", event("cancel"))
    inner += flow("s2", "seat") + chain("s2", "stop", "e3") + undo_task("seat")
    play = Play(transaction(inner))
    play.do("seat")
    play.do("seat")
    play.do("stop")
    play.do("-seat")
    assert play.names == ["-seat"]
    play.do("-seat")
    assert play.names == ["sorry"]
    play.do("sorry")
    assert play.nothing_left()


def test_cancelling_without_anything_to_undo() -> None:
    play = Play(transaction(start("s2") + user("u") + end("e3", event("cancel")) + chain("s2", "u", "e3")))
    play.do("u")
    assert play.names == ["sorry"]


def test_an_error_leaves_a_transaction_without_undoing_anything() -> None:
    inner = start("s2") + user("u") + service("w") + end("e2") + chain("s2", "u", "w", "e2") + undo_task("u")
    play = Play(transaction(inner, boundary("b", "t", event("error", "E")), user("fix"), flow("b", "fix")), ERROR)
    play.do("u")
    play.fail("w", "LOST")
    assert play.names == ["fix"]
    play.do("fix")
    assert play.completed
    assert "-u" not in play.entered


def test_an_event_sub_process_may_cancel() -> None:
    handler = (
        start("h-s", event("error", "E"))
        + user("h-u")
        + end("h-e", event("cancel"))
        + chain("h-s", "h-u", "h-e")
        + undo_task("h-u")
    )
    inner = start("s2") + user("u") + service("w") + end("e2") + chain("s2", "u", "w", "e2") + undo_task("u")
    play = Play(transaction(inner + element("subProcess", "h", handler, triggeredByEvent="true")), ERROR)
    play.do("u")
    play.fail("w", "LOST")
    play.do("h-u")
    assert play.names == ["-h-u"]
    play.do("-h-u")
    assert play.names == ["-u"]
    play.do("-u")
    assert play.names == ["sorry"]
    play.do("sorry")
    assert play.nothing_left()


def test_nothing_but_an_error_disturbs_a_transaction_that_is_being_cancelled() -> None:
    handler = element("startEvent", "h-s", event("signal", "S"), isInterrupting="false") + user("h-u") + chain("h-s", "h-u")
    inner = start("s2") + user("u") + end("e3", event("cancel")) + chain("s2", "u", "e3") + undo_job("u")
    inner += element("subProcess", "h", handler, triggeredByEvent="true")
    caught = (
        boundary("late", "t", timer("PT1H"))
        + boundary("b", "t", event("error"))
        + user("fix")
        + flow("late", "fix")
        + flow("b", "fix")
    )
    play = Play(transaction(inner, caught), SIGNAL)
    play.do("u")
    assert not play.timers
    assert not play.signals
    play.work("-u")
    assert play.names == ["sorry"]
    play = Play(transaction(inner, caught), SIGNAL)
    play.do("u")
    play.fail("-u", "BROKEN")
    assert play.names == ["fix"], "a transaction that cannot be cancelled is left by its error event: a hazard"


def test_a_cancelled_transaction_can_be_tried_again() -> None:
    body = (
        start()
        + element("exclusiveGateway", "m")
        + element("transaction", "t", BOOK)
        + boundary("c", "t", event("cancel"))
        + end()
    )
    play = Play(body + chain("s", "m", "t", "e") + flow("c", "m"))
    play.do("hotel")
    play.do("flight", paid=False)
    play.do("-flight")
    play.do("-hotel")
    play.do("hotel")
    play.do("flight", paid=True)
    assert play.completed
    assert play.nothing_left()
