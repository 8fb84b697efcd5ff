"""Moving a running instance to another definition: what goes where, what cannot and why."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from engine.definitions import Process
from engine.errors import InvalidValue, MigrationRefused
from engine.kernel import Plan, plan
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
    message,
    props,
    read,
    script,
    service,
    start,
    timer,
    undone_by,
    user,
    z,
)


def move(play: Play, target: Process | str, *root: str, **mapping: str | None) -> list[a.Change]:
    """Migrate a played instance; ids are written with `_` for `-`."""
    process = target if isinstance(target, Process) else read(target, *root)
    instructions = {k.replace("_", "-"): v for k, v in mapping.items()}
    advance = play.instance.migrate(process, instructions)
    play.process = process
    return play.take(advance)


def planned(play: Play, target: str, *root: str, **mapping: str | None) -> Plan:
    instructions = {k.replace("_", "-"): v for k, v in mapping.items()}
    return plan(play.process, read(target, *root), play.rows.values(), instructions)


def refusal(play: Play, target: str, *root: str, **mapping: str | None) -> str:
    """Why it cannot be moved; nothing was changed then."""
    before = dict(play.rows)
    found = planned(play, target, *root, **mapping)
    with pytest.raises(MigrationRefused) as refused:
        play.instance.migrate(read(target, *root), {k.replace("_", "-"): v for k, v in mapping.items()})
    assert refused.value.obstacles == tuple(found.obstacles)
    assert play.rows == before
    return refused.value.message


def line(*parts: str, ids: Iterable[str]) -> str:
    return start() + "".join(parts) + end() + chain("s", *ids, "e")


ONE = line(user("t", name="甲"), ids=["t"])


# --- what moves


def test_an_open_task_goes_on_in_the_new_version() -> None:
    play = Play(ONE)
    key = play.tasks[0].key
    changes = move(play, line(user("t", name="乙"), user("more"), ids=["t", "more"]))
    assert changes == [a.TaskMigrated(key, "t", "乙")]
    assert [t.key for t in play.tasks] == [key]
    play.do("t")
    assert play.names == ["more"]


def test_an_element_of_another_id_is_mapped_by_an_instruction() -> None:
    play = Play(ONE)
    changes = move(play, line(user("u"), ids=["u"]), t="u")
    key = play.tasks[0].key
    assert changes[0] == a.ElementMigrated(key, "u", "t")
    assert play.rows[key].element_id == "u"
    play.do("t")  # the task keeps its key
    assert play.completed


def test_a_plan_says_what_moves_without_changing_anything() -> None:
    play = Play(line(user("t", name="甲"), boundary("b", "t", timer("PT1H")), ids=["t"]) + flow("b", "e"))
    found = planned(play, line(user("u", name="乙"), boundary("b", "u", timer("PT9H")), ids=["u"]) + flow("b", "e"), t="u")
    assert found.possible
    assert [(m.element_id, m.target_id, m.target_name, m.waits, m.listens) for m in found.moves if m.type != "PROCESS"] == [
        ("t", "u", "乙", "task", False),
        ("b", "b", "", "timer", True),
    ]
    assert play.names == ["t"]


def test_timers_keep_their_original_due_time() -> None:
    old = line(user("t"), boundary("b", "t", timer("PT1H")), ids=["t"]) + flow("b", "e")
    play = Play(old)
    due = play.timers[0].due_at
    assert move(play, old.replace("PT1H", "PT9H")) == [a.TaskMigrated(play.tasks[0].key, "t", "t")]
    assert [t.due_at for t in play.timers] == [due]
    play.fire("b")
    assert play.completed


def test_a_timer_that_is_not_kept_is_counted_anew() -> None:
    old = line(user("t"), boundary("b", "t", timer("PT1H")), ids=["t"]) + flow("b", "e")
    play = Play(old)
    play.turn("2026-11-02T01:30:00+00:00")
    move(play, old.replace("PT1H", "PT9H"), b=None)
    assert [t.due_at.isoformat() for t in play.timers] == ["2026-11-02T10:30:00+00:00"]


def test_events_that_the_target_has_not_are_closed_and_new_ones_opened() -> None:
    root = message("M", "m")
    old = line(user("t"), boundary("gone", "t", timer("PT1H")), ids=["t"]) + flow("gone", "e")
    new = line(user("t"), boundary("new", "t", event("message", "M")), user("x"), ids=["t"]) + chain("new", "x", "e")
    play = Play(old)
    found = planned(play, new, root)
    assert [(c.element_id, c.waits) for c in found.closed] == [("gone", "timer")]
    assert [(o.element_id, o.waits) for o in found.opened] == [("new", "message")]
    move(play, new, root)
    assert not play.timers
    play.send("new")
    assert play.names == ["x"]
    play.do("x")
    assert play.nothing_left()


def test_an_event_that_fired_before_is_not_opened_again() -> None:
    body = line(user("t"), boundary("b", "t", timer("PT1H"), interrupting=False), user("x"), ids=["t"]) + chain("b", "x")
    play = Play(body)
    play.fire("b")
    move(play, body)
    assert not play.timers
    play.do("x")
    play.do("t")
    assert play.completed


def test_a_cycle_goes_on_where_it_was() -> None:
    body = line(user("t"), boundary("b", "t", timer("R3/PT1H", "timeCycle"), interrupting=False), ids=["t"])
    play = Play(body)
    play.fire("b")
    before = [(t.due_at, t.repetitions) for t in play.timers]
    move(play, body)
    assert [(t.due_at, t.repetitions) for t in play.timers] == before
    play.fire("b")
    play.fire("b")
    assert not play.timers


def test_a_message_keeps_its_name_and_key_and_shows_what_the_target_says() -> None:
    body = line(user("t"), boundary("b", "t", event("message", "M")), ids=["t"]) + flow("b", "e")
    play = Play(body, message("M", "old"))
    changes = move(play, body, message("M", "new"))
    assert [(c.element_id, c.interrupting) for c in changes if isinstance(c, a.SubscriptionMigrated)] == [("b", True)]
    assert [m.message for m in play.messages] == ["old"]
    play.send("b")
    assert play.completed


def test_event_sub_processes_are_kept_closed_and_opened() -> None:
    def process(*subs: str) -> str:
        inner = "".join(
            element(
                "subProcess",
                name,
                element("startEvent", f"{name}-s", timer("PT5H")) + end(f"{name}-e") + flow(f"{name}-s", f"{name}-e"),
                triggeredByEvent="true",
            )
            for name in subs
        )
        return ONE + inner

    play = Play(process("kept", "gone"))
    due = play.one(play.timers, "kept-s").due_at
    play.turn("2026-11-02T02:00:00+00:00")
    found = planned(play, process("kept", "new"))
    assert [m.element_id for m in found.moves if m.listens] == ["kept-s"]
    move(play, process("kept", "new"))
    assert sorted(t.element_id for t in play.timers) == ["kept-s", "new-s"]
    assert play.one(play.timers, "kept-s").due_at == due
    play.fire("kept-s")
    assert play.completed
    assert play.nothing_left()


def test_an_event_based_gateway_keeps_what_it_waits_for() -> None:
    def process(*events: str) -> str:
        drawn = "".join(
            element("intermediateCatchEvent", name, timer("PT5H")) + flow("g", name) + flow(name, "e") for name in events
        )
        return start() + element("eventBasedGateway", "g") + drawn + end() + flow("s", "g")

    play = Play(process("c1", "c2"))
    due = play.timers[0].due_at
    play.turn("2026-11-02T02:00:00+00:00")
    move(play, process("c1", "c3"))
    assert {t.element_id: t.due_at == due for t in play.timers} == {"c1": True, "c3": False}
    play.fire("c1")
    assert play.completed
    assert play.nothing_left()
    assert play.of(a.FlowTaken)[-2].flow_id in play.process.flows


def test_multi_instances_keep_body_items_and_results() -> None:
    def process(task: str, more: str = "", extra: tuple[str, ...] = ()) -> str:
        loop = each("[1,2,3]", "item", collect="all", result="item", sequential=True)
        return line(user(task, inner=loop), more, ids=[task, *extra])

    play = Play(process("t"))
    play.do("t")
    move(play, process("u", user("after"), ("after",)), t="u")
    assert [t.loop_counter for t in play.tasks] == [2]
    play.do("t")
    play.do("u")
    assert play.vars["all"] == [1, 2, 3]
    assert play.names == ["after"]


def test_tasks_in_sub_processes_move_with_their_scopes() -> None:
    def process(sub: str, task: str) -> str:
        inner = start("s2") + user(task) + end("e2") + chain("s2", task, "e2")
        return line(element("subProcess", sub, inner), ids=[sub])

    play = Play(process("sp", "t"))
    assert "flow scope changed" in refusal(play, process("box", "t"))
    move(play, process("box", "u"), sp="box", t="u")
    play.do("t")
    assert play.completed


def test_jobs_incidents_and_calls_stay_as_they_are() -> None:
    calls = element("callActivity", "c", ext(z("calledElement", processId="other")))
    body = (
        start()
        + element("parallelGateway", "g")
        + service("w")
        + calls
        + script("x", "y", "1")
        + end()
        + flow("s", "g")
        + "".join(flow("g", one) + flow(one, "e") for one in ("w", "c"))
        + flow("g", "bad")
        + element("exclusiveGateway", "bad")
        + flow("bad", "x", "no > 1")
        + flow("x", "e")
    )
    play = Play(body)
    job, call, incident = play.jobs[0].key, play.calls[0].key, play.incidents[0]
    assert not move(play, body)
    assert (play.jobs[0].key, play.calls[0].key, play.incidents[0]) == (job, call, incident)
    play.resolve("bad", no=2)
    play.work("w")
    play.take(play.instance.child_ended(call, a.InstanceEnded("COMPLETED", {})))
    assert play.completed
    assert play.vars["y"] == 1


def test_what_failed_is_tried_again_as_the_new_version_says() -> None:
    play = Play(line(script("x", "y", "assert(1, false)"), ids=["x"]))
    assert play.incidents
    move(play, line(script("x", "y", "7"), ids=["x"]))
    play.resolve("x")
    assert play.completed
    assert play.vars["y"] == 7


def test_clocks_stand_still_as_the_target_says() -> None:
    def process(stops: str) -> str:
        held = user("h", ext_or_nothing(stops))
        return (
            start()
            + user("t")
            + held
            + boundary("b", "t", timer("PT4H"))
            + end()
            + flow("s", "t")
            + flow("s", "h")
            + flow("t", "e")
            + flow("h", "e")
            + flow("b", "e")
        )

    def ext_or_nothing(stops: str) -> str:
        return props(stops=stops) if stops else ""

    play = Play(process("t"))
    assert not play.timers
    play.turn("2026-11-02T02:00:00+00:00")
    move(play, process(""))
    assert [t.due_at.isoformat() for t in play.timers] == ["2026-11-02T06:00:00+00:00"]
    assert any(isinstance(c, a.ClockResumed) for c in play.last)
    play.turn("2026-11-02T03:00:00+00:00")
    move(play, process("t"))
    assert not play.timers
    play.turn("2026-11-03T03:00:00+00:00")
    play.do("h")
    assert [t.due_at.isoformat() for t in play.timers] == ["2026-11-03T06:00:00+00:00"]


# --- joins


def split(*branches: str, join: str = "j", ids: bool = False) -> str:
    body = start() + element("parallelGateway", "g") + element("parallelGateway", join) + user("after") + end() + flow("s", "g")
    for branch in branches:
        body += user(branch) + flow("g", branch) + flow(branch, join, flow_id=f"f-{branch}" if ids else None)
    return body + chain(join, "after", "e")


def test_tokens_wait_at_the_join_of_the_target() -> None:
    play = Play(split("t1", "t2", ids=True))
    play.do("t1")
    move(play, split("t1", "t2", "t3", ids=True))
    play.do("t2")
    assert play.names == []  # it waits for the third flow, by which nothing comes: as the new diagram says
    play = Play(split("t1", "t2"))
    play.do("t1")
    move(play, split("t1", "t2", join="k"), j="k")
    play.do("t2")
    assert play.names == ["after"]


def test_a_join_with_fewer_flows_or_another_flow_is_refused() -> None:
    play = Play(split("t1", "t2", "t3", ids=True))
    play.do("t1")
    assert "fewer flows" in refusal(play, split("t1", "t2", ids=True))
    other = split("x1", "x2", "x3", ids=True)
    assert "the flow by which it came" in refusal(play, other, t2="x2", t3="x3")
    move(play, other, t2="x2", t3="x3", f_t1="f-x1")
    play.do("t2")
    play.do("t3")
    assert play.names == ["after"]


def test_an_inclusive_join_looks_again_in_the_new_diagram() -> None:
    def process(third: str) -> str:
        body = (
            start() + element("parallelGateway", "g") + element("inclusiveGateway", "j") + user("after") + end() + flow("s", "g")
        )
        for branch, to in (("t1", "j"), ("t2", third), ("t3", "j")):
            body += user(branch) + flow("g", branch) + flow(branch, to)
        return body + chain("j", "after", "e") + (flow("e0", "j") + user("e0") if third == "e" else "")

    play = Play(process("j"))
    play.do("t1")
    play.do("t3")
    assert play.names == ["t2"]
    move(play, process("e"))  # nothing that lives leads to the join any more
    assert play.names == ["after", "t2"]


# --- what cannot be moved


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (line(user("u"), ids=["u"]), "the target has no such element"),
        (line(service("t"), ids=["t"]), "the type differs"),
        (line(user("t", inner=each("[1]", "i")), ids=["t"]), "the multi-instance kind differs"),
        (
            line(element("subProcess", "sp", start("s2") + user("t") + end("e2") + chain("s2", "t", "e2")), ids=["sp"]),
            "its flow scope changed",
        ),
    ],
)
def test_elements_that_differ_are_refused_by_id_and_name(target: str, said: str) -> None:
    message_ = refusal(Play(ONE), target)
    assert said in message_
    assert "「甲」t" in message_


def test_sequential_and_parallel_are_different_kinds() -> None:
    play = Play(line(user("t", inner=each("[1,2]", "i")), ids=["t"]))
    target = line(user("t", inner=each("[1,2]", "i", sequential=True)), ids=["t"])
    assert "multi-instance" in refusal(play, target)


def test_a_script_is_not_a_job() -> None:
    play = Play(line(script("x", "y", "assert(1, false)"), ids=["x"]))
    target = line(element("scriptTask", "x", ext(z("taskDefinition", type="w"))), ids=["x"])
    assert "another way" in refusal(play, target)


def test_another_event_type_is_refused_unless_it_is_opened_anew() -> None:
    old = line(user("t"), boundary("b", "t", timer("PT1H")), ids=["t"]) + flow("b", "e")
    new = line(user("t"), boundary("b", "t", event("message", "M")), ids=["t"]) + flow("b", "e")
    play = Play(old)
    assert "the event type differs" in refusal(play, new, message("M", "m"))
    move(play, new, message("M", "m"), b=None)
    assert not play.timers
    play.send("b")
    assert play.completed


def test_a_boundary_event_on_another_host_is_refused() -> None:
    old = line(user("t"), user("u"), boundary("b", "t", timer("PT1H")), ids=["t", "u"]) + flow("b", "e")
    new = line(user("t"), user("u"), boundary("b", "u", timer("PT1H")), ids=["t", "u"]) + flow("b", "e")
    assert "attached elsewhere" in refusal(Play(old), new)


def test_two_events_cannot_become_one() -> None:
    drawn = boundary("b1", "t", timer("PT1H")) + boundary("b2", "t", timer("PT2H"))
    play = Play(line(user("t"), drawn, ids=["t"]) + flow("b1", "e") + flow("b2", "e"))
    target = line(user("t"), boundary("b1", "t", timer("PT1H")), ids=["t"]) + flow("b1", "e")
    assert "another event goes there" in refusal(play, target, b2="b1")


def test_instructions_must_name_what_is_there() -> None:
    play = Play(ONE)
    for mapping in ({"nobody": "t"}, {"t": "nobody"}):
        with pytest.raises(InvalidValue, match="nobody"):
            plan(play.process, play.process, play.rows.values(), mapping)


def test_an_active_element_cannot_be_left_unmapped() -> None:
    assert "it needs a target" in refusal(Play(ONE), ONE, t=None)


# --- what newer elements keep


def test_what_completed_can_be_undone_as_the_target_says() -> None:
    def process(task: str, host: str = "") -> str:
        throw = element("intermediateThrowEvent", "undo", "<b:compensateEventDefinition/>")
        handler = user("back", isForCompensation="true")
        body = line(user(task), user("w"), throw, ids=[task, "w", "undo"])
        return body + (undone_by(host or task, handler, "back", "cb") if host != "-" else "")

    play = Play(process("t"))
    play.do("t")
    assert "the target has no such element" in refusal(play, process("t", "-"))
    assert "attached elsewhere" in refusal(play, process("t", "w"))
    move(play, process("u"), t="u")
    play.do("w")
    assert play.names == ["back"]
    play.do("back")
    assert play.completed
    assert play.nothing_left()


def test_a_multiple_event_is_kept_with_all_its_parts() -> None:
    def process(*parts: str) -> str:
        return line(user("t"), boundary("b", "t", "".join(parts)), ids=["t"]) + flow("b", "e")

    late, hello = timer("PT5H"), event("message", "M")
    play = Play(process(late, hello), message("M", "m"))
    due = play.timers[0].due_at
    play.turn("2026-11-02T02:00:00+00:00")
    assert "the event type differs" in refusal(play, process(hello, late), message("M", "m"))
    move(play, process(timer("PT9H"), hello), message("M", "m"))
    assert [t.due_at for t in play.timers] == [due]
    move(play, process(hello, late), message("M", "m"), b=None)
    assert [t.due_at.isoformat() for t in play.timers] == ["2026-11-02T07:00:00+00:00"]
    play.send("b")
    assert play.completed
    assert play.nothing_left()


def test_another_condition_is_looked_at_at_once() -> None:
    def process(condition: str) -> str:
        drawn = f"<b:conditionalEventDefinition><b:condition>={condition}</b:condition></b:conditionalEventDefinition>"
        return line(user("t"), boundary("b", "t", drawn), ids=["t"]) + flow("b", "e")

    play = Play(process("n = 1"), n=2)
    move(play, process("n = 1"))
    assert play.names == ["t"]
    move(play, process("n = 2"))
    assert play.completed


def test_an_ad_hoc_sub_process_starts_what_is_left_where_it_goes() -> None:
    def process(second: str) -> str:
        inner = ext(z("adHoc", activeElementsCollection=None)) + user("a") + user(second)
        return line(element("adHocSubProcess", "ah", inner, ordering="Sequential"), ids=["ah"])

    play = Play(process("b"))
    assert play.names == ["a"]
    assert "cannot start there" in refusal(play, process("c"))
    move(play, process("c"), b="c")
    play.do("a")
    assert play.names == ["c"]
    play.do("c")
    assert play.completed
