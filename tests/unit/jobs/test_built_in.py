"""Built-in service tasks: alerts with their due time, messages, questions across cases; failures, retries, incidents."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import jobs, queries
from engine.commands import incidents, instances, people, substitutions, tasks
from engine.errors import InvalidValue
from engine.history.events import AlertRaised, JobFailed, MessagePublished, Resumed, Suspended
from engine.jobs.inputs import Inputs
from engine.store.tables import alert_recipient, user_task
from tests.unit.jobs.cases import NOW, World, boundary, catch, draw, end, flows, service, start, user

NOTIFY = {
    "toGroups": '=["office"]',
    "toUsers": '=["bo", null]',
    "kind": "overdue",
    "subject": '="逾期：" + title',
    "text": "请处理",
}


SCRIPT = (
    '<b:scriptTask id="add"><b:extensionElements><z:script expression="=1" resultVariable="x"/></b:extensionElements>'
    "</b:scriptTask>"
)


@pytest.fixture
def world() -> World:
    return World()


def alerting(process_id: str = "alerting", **inputs: str) -> str:
    return draw(
        process_id,
        start(),
        user("work"),
        end(),
        boundary("late", "work", "PT24H"),
        service("tell", "notify", {**NOTIFY, **inputs}),
        end("told"),
        flows("start", "work", "end"),
        flows("late", "tell", "told"),
    )


def test_an_alert_carries_the_timer_s_due_time_and_the_actual_one(world: World) -> None:
    world.deploy(alerting())
    key = world.start("alerting", {"title": "报告"})
    world.turn(hours=23, minutes=59)
    assert world.alerts == []
    world.turn(hours=2)
    (alert,) = world.alerts
    assert (alert.kind, alert.subject, alert.text, alert.element_id) == ("overdue", "逾期：报告", "请处理", "tell")
    assert alert.due_at == NOW + timedelta(hours=24)
    assert alert.raised_at == NOW + timedelta(hours=25, minutes=59)
    assert world.recipients == [("anna", "office"), ("bo", None)]
    (raised,) = [event for event in world.events(key) if isinstance(event, AlertRaised)]
    assert (raised.due_at, raised.late_seconds) == (NOW + timedelta(hours=24), 119 * 60)
    assert (raised.recipients, raised.groups) == (("bo", "anna"), ("office",))
    assert world.jobs == []
    assert world.turn(hours=48) == 0


def test_an_alert_without_a_timer_behind_it_has_no_due_time(world: World) -> None:
    world.deploy(draw("plain", start(), service("tell", "notify", NOTIFY), end(), flows("start", "tell", "end")))
    key = world.start("plain", {"title": "x"})
    assert [alert.due_at for alert in world.alerts] == [None]
    assert world.state(key) == "COMPLETED"


def test_the_nearest_of_several_timers_is_meant(world: World) -> None:
    """Two timers are due at once after downtime; each alert has its own."""
    world.deploy(
        draw(
            "two",
            start(),
            user("work"),
            end(),
            *(boundary(f"at-{hours}", "work", f"PT{hours}H") for hours in (20, 24)),
            *(service(f"tell-{hours}", "notify", NOTIFY) for hours in (20, 24)),
            *(end(f"end-{hours}") for hours in (20, 24)),
            flows("start", "work", "end"),
            *(flows(f"at-{hours}", f"tell-{hours}", f"end-{hours}") for hours in (20, 24)),
        )
    )
    world.start("two", {"title": "x"})
    world.turn(hours=25)
    assert [(alert.element_id, alert.due_at) for alert in world.alerts] == [
        ("tell-20", NOW + timedelta(hours=20)),
        ("tell-24", NOW + timedelta(hours=24)),
    ]


def test_the_due_time_goes_along_through_other_jobs_and_decisions_on_the_way(world: World) -> None:
    world.deploy(
        draw(
            "long",
            start(),
            user("work"),
            end(),
            boundary("late", "work", "PT24H"),
            service("count", "count-instances", {"processId": "long"}),
            service("first", "notify", {**NOTIFY, "subject": "first"}),
            SCRIPT,
            service("second", "notify", {**NOTIFY, "subject": "second"}),
            end("told"),
            flows("start", "work", "end"),
            flows("late", "count", "first", "add", "second", "told"),
        )
    )
    world.start("long")
    world.turn(hours=30)
    assert [(alert.subject, alert.due_at) for alert in world.alerts] == [
        ("first", NOW + timedelta(hours=24)),
        ("second", NOW + timedelta(hours=24)),
    ]


def test_a_person_s_work_after_a_timer_ends_its_reach(world: World) -> None:
    world.deploy(
        draw(
            "p",
            start(),
            catch("wait", "PT1H"),
            user("look"),
            service("tell", "notify", NOTIFY),
            end(),
            flows("start", "wait", "look", "tell", "end"),
        )
    )
    world.start("p", {"title": "x"})
    world.turn(hours=2)
    tasks.complete_task(world.ctx, world.rows(user_task)[0].key, {}, "anna")
    jobs.drain(world.ctx)
    assert [alert.due_at for alert in world.alerts] == [None]


def test_where_nobody_would_be_told_administrators_are(world: World) -> None:
    world.deploy(draw("p", start(), service("tell", "notify", {"subject": "x"}), end(), flows("start", "tell", "end")))
    world.start("p")
    assert world.recipients == [("root", "admin")]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({}, [("anna", "office", None), ("bo", None, None), ("carl", "office", "anna")]),
        ({"groups": ["office"]}, [("anna", "office", None), ("bo", None, None), ("carl", "office", "anna")]),
        ({"groups": ["leadership"]}, [("anna", "office", None), ("bo", None, None)]),
        ({"processes": ["alerting"]}, [("anna", "office", None), ("bo", None, None), ("carl", "office", "anna")]),
        ({"processes": ["other"]}, [("anna", "office", None), ("bo", None, None)]),
    ],
)
def test_who_stands_in_for_a_recipient_is_told_within_the_scope(
    world: World, scope: dict[str, list[str]], told: list[tuple[str, str | None, str | None]]
) -> None:
    people.add_user(world.ctx, "carl", "卡尔")
    groups, processes = scope.get("groups"), scope.get("processes")
    substitutions.add_substitution(world.ctx, "anna", "carl", NOW, NOW + timedelta(days=2), groups=groups, processes=processes)
    world.deploy(alerting())
    case = world.start("alerting", {"title": "伦理审查"})
    world.turn(hours=24)
    assert [(row.username, row.group_id, row.on_behalf_of) for row in world.rows(alert_recipient)] == told
    (raised,) = [event for event in world.events(case) if isinstance(event, AlertRaised)]
    absent = [row for row in told if row[2] is not None]
    assert (raised.substitutes, raised.absent) == (tuple(row[0] for row in absent), tuple(row[2] for row in absent))
    assert set(raised.recipients) == {row[0] for row in told}
    mine, _ = queries.alerts(world.ctx, "carl")
    assert [(item.on_behalf_of, item.groups, item.users) for item in mine] == [("anna", ("office",), ("bo",))] * len(absent)


def test_a_substitute_is_not_told_before_after_or_against_an_interest(world: World) -> None:
    for name in ("later", "ended", "interested", "gone"):
        people.add_user(world.ctx, name)
        begins = NOW + timedelta(hours=25 if name == "later" else 0)
        key = substitutions.add_substitution(world.ctx, "anna", name, begins, NOW + timedelta(days=2))
        if name == "ended":
            substitutions.end_substitution(world.ctx, key)
    people.set_active(world.ctx, "gone", active=False)
    excluding = (
        '<z:properties><z:property name="excludedUsers" value="=[&quot;interested&quot;]"/></z:properties></b:extensionElements>'
    )
    world.deploy(alerting().replace("</b:extensionElements>", excluding, 1))
    world.start("alerting", {"title": "伦理审查"})
    world.turn(hours=24)
    assert world.recipients == [("anna", "office"), ("bo", None)]


def test_wrong_inputs_are_an_incident_at_once_and_can_be_corrected(world: World) -> None:
    world.deploy(
        draw(
            "p", start(), service("tell", "notify", {"subject": "=title", "kind": "=kind"}), end(), flows("start", "tell", "end")
        )
    )
    key = world.start("p", {"kind": "shouting", "title": "x"})
    (incident,) = world.incidents
    assert (incident.kind, incident.element_id) == ("JOB_NO_RETRIES", "tell")
    assert "shouting" in incident.message
    assert [event.retries for event in world.events(key) if isinstance(event, JobFailed)] == [0]
    incidents.resolve_incident(world.ctx, incident.key, "root", {"kind": "info"})
    jobs.drain(world.ctx)
    assert world.incidents == []
    assert [alert.kind for alert in world.alerts] == ["info"]


def test_failures_are_tried_again_with_doubling_pauses_then_an_incident(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[datetime] = []

    def fail(task: Any) -> dict[str, Any]:
        tries.append(world.clock.now())
        raise OSError("away")

    monkeypatch.setitem(jobs.BUILT_IN, "notify", fail)
    world.deploy(draw("p", start(), service("tell", "notify", NOTIFY, retries=4), end(), flows("start", "tell", "end")))
    key = world.start("p", {"title": "x"})
    for _ in range(10):
        world.turn(seconds=10)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(tries)]
    assert pauses == [10, 10, 20]
    (incident,) = world.incidents
    assert "OSError: away" in incident.message
    monkeypatch.undo()
    incidents.resolve_incident(world.ctx, incident.key, "root")
    jobs.drain(world.ctx)
    assert world.state(key) == "COMPLETED"
    assert world.incidents == []


def test_publish_message_reaches_another_case(world: World) -> None:
    world.deploy(
        draw(
            "sender",
            start(),
            service(
                "send",
                "publish-message",
                {"messageName": "go", "correlationKey": "=no", "variables": "={x: 1.10}", "timeToLive": "PT1H"},
            ),
            end(),
            flows("start", "send", "end"),
        )
    )
    key = world.start("sender", {"no": 7})
    (published,) = [event for event in world.events(key) if isinstance(event, MessagePublished)]
    assert (published.name, published.correlation_key, published.variables) == ("go", "7", {"x": Decimal("1.10")})
    assert jobs.tidy(world.ctx) == 0
    world.clock.advance(timedelta(hours=2))
    assert jobs.tidy(world.ctx) == 1


def asking(job_type: str, **inputs: str) -> str:
    return draw(
        "asking", start(), service("ask", job_type, {"processId": "case", **inputs}), user("look"), flows("start", "ask", "look")
    )


@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        ({}, 3),
        ({"states": '=["COMPLETED"]'}, 1),
        ({"states": "ACTIVE, COMPLETED"}, 3),
        ({"where": "={term: term}"}, 2),
        ({"where": "={term: term, n: 2.0}"}, 1),
        ({"where": '={unknown: "x"}'}, 0),
        ({"elementId": "after"}, 1),
        ({"elementId": "af"}, 0),
        ({"startedFrom": "2026-09-24T10:00:00"}, 2),
        ({"startedFrom": "2026-09-24", "startedTo": "2026-09-24T11:00:00+08:00"}, 2),
    ],
)
def test_counting_cases(world: World, inputs: dict[str, str], count: int) -> None:
    world.deploy(
        draw("case", start(), catch("wait", "=d"), user("after"), end(), flows("start", "wait", "after", "end")),
        asking("count-instances", **inputs),
    )
    first = world.start("case", {"term": "皮疹", "n": 1, "d": "PT1H"})
    world.turn(hours=1)
    world.start("case", {"term": "皮疹", "n": 2, "d": "PT9H"})
    world.turn(hours=1)
    third = world.start("case", {"term": "发热", "n": 3, "d": "PT9H"})
    instances.modify_instance(world.ctx, third, None, "test", activate=["end"], terminate=[world.timers[-1].key])
    asked = world.start("asking", {"term": "皮疹"})
    assert world.state(first) == "ACTIVE"
    assert world.variables(asked)["count"] == count


def test_collecting_cases(world: World) -> None:
    world.deploy(
        draw("case", start(), user("wait"), end(), flows("start", "wait", "end")),
        asking("collect-instances", variables='=["n", "m"]', resultVariable="found"),
    )
    first = world.start("case", {"n": Decimal("1.50")}, business_id="A-1")
    world.turn(minutes=1)
    instances.cancel_instance(world.ctx, world.start("case", {"m": "x"}), None, "test")
    found = world.variables(world.start("asking"))["found"]
    assert found == [
        {
            "businessId": "A-1",
            "key": str(first),
            "state": "ACTIVE",
            "startedAt": "2026-09-24T01:00:00Z",
            "endedAt": None,
            "n": Decimal("1.50"),
            "m": None,
        },
        {**found[1], "businessId": None, "state": "TERMINATED", "endedAt": "2026-09-24T01:01:00Z", "n": None, "m": "x"},
    ]


def test_suspending_and_resuming_from_within(world: World) -> None:
    world.deploy(
        draw(
            "p",
            start(),
            service("stop", "suspend-instance", {"reason": "审查"}),
            user("look"),
            service("go", "resume-instance", {"reason": "完毕"}),
            end(),
            flows("start", "stop", "look", "go", "end"),
        )
    )
    key = world.start("p")
    assert [(event.reason, event.except_scope) for event in world.events(key) if isinstance(event, Suspended)] == [("审查", None)]
    instances.modify_instance(world.ctx, key, None, "test", activate=["go"])
    jobs.drain(world.ctx)
    assert [event.reason for event in world.events(key) if isinstance(event, Resumed)] == ["完毕"]


def test_a_called_process_starts_and_ends_by_the_engine_s_own_work(world: World) -> None:
    call = (
        '<b:callActivity id="call"><b:extensionElements><z:calledElement processId="child" propagateAllChildVariables="true"/>'
        "</b:extensionElements></b:callActivity>"
    )
    world.deploy(
        draw("child", start(), catch("wait", "PT1H"), end(), flows("start", "wait", "end")),
        draw("parent", start(), call, end(), flows("start", "call", "end")),
    )
    key = world.start("parent")
    assert world.state(key) == "ACTIVE"
    world.turn(hours=1)
    assert world.state(key) == "COMPLETED"
    assert world.jobs == []


def test_own_work_that_fails_is_kept_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from engine.jobs import due

    called = '<b:extensionElements><z:calledElement processId="child"/></b:extensionElements>'
    call = f'<b:callActivity id="call">{called}</b:callActivity>'
    world.deploy(
        draw("child", start(), end(), flows("start", "end")), draw("parent", start(), call, end(), flows("start", "call", "end"))
    )

    def broken(ctx: Any, key: int) -> None:
        raise OSError("disk")

    monkeypatch.setattr(due, "OWN", {"liuzhuan:start-child": broken})
    key = world.start("parent")
    assert "disk" in caplog.text
    assert [row.error_message for row in world.jobs] == ["disk"]
    monkeypatch.undo()
    world.turn(seconds=10)
    assert world.state(key) == "COMPLETED"


# --- inputs ---------------------------------------------------------------------------------------------------------


def test_inputs() -> None:
    read = Inputs(
        "t", "e", {"list": ["a", None, "a", 1], "text": "a, b,", "number": 5, "context": {"x": 1}, "d": "P1DT2H", "flag": True}
    )
    assert read.texts("list") == ("a", "1")
    assert read.texts("text") == ("a", "b")
    assert read.texts("missing", ("x",)) == ("x",)
    assert read.text("number") == "5"
    assert read.context("context") == {"x": 1}
    assert read.duration("d") == timedelta(days=1, hours=2)
    assert read.duration("missing") is None
    from zoneinfo import ZoneInfo

    moments = Inputs("t", "e", {"a": "2026-09-24", "b": "2026-09-24T01:00:00Z", "c": "soon"})
    assert moments.moment("a", ZoneInfo("Asia/Shanghai")) == datetime(2026, 9, 23, 16, tzinfo=UTC)
    assert moments.moment("b", ZoneInfo("Asia/Shanghai")) == datetime(2026, 9, 24, 1, tzinfo=UTC)
    for ask in (
        lambda: read.text("list"),
        lambda: read.text("missing"),
        lambda: read.text("flag"),
        lambda: read.texts("number"),
        lambda: read.context("text"),
        lambda: read.duration("text"),
        lambda: moments.moment("c", ZoneInfo("UTC")),
    ):
        with pytest.raises(InvalidValue) as refused:
            ask()
        assert refused.value.element_id == "e"
        assert refused.value.field


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01", "2026-09-30T16:00+00:00"),
        ("2026-10-01T08:00", "2026-10-01T00:00+00:00"),
        ("2026-10-01T00:00:00@Asia/Shanghai", "2026-09-30T16:00+00:00"),
        ("2026-10-01T00:00:00Z", "2026-10-01T00:00+00:00"),
    ],
)
def test_a_moment_is_read_however_feel_writes_it(text: str, moment: str) -> None:
    found = Inputs("count-instances", "count", {"startedFrom": text}).moment("startedFrom", ZoneInfo("Asia/Shanghai"))
    assert found == datetime.fromisoformat(moment)


def test_what_is_no_moment_is_named() -> None:
    with pytest.raises(InvalidValue, match="startedFrom"):
        Inputs("count-instances", "count", {"startedFrom": "2026-13-01"}).moment("startedFrom", ZoneInfo("Asia/Shanghai"))
