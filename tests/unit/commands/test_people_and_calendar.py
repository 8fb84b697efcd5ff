"""Accounts, signing in, groups; the calendar and the deadlines that follow it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import Engine, commands, history, queries
from engine.clock import TurnedClock
from engine.errors import Conflict, InvalidValue, NotAllowed, NotFound, SignInThrottled
from tests.unit.commands.office import PASSWORD, line, office, open_task, task
from tests.unit.kernel.drawing import boundary, draw, end, flow, timer, z


@pytest.fixture
def engine() -> Engine:
    return office()


def later(engine: Engine, **by: float) -> None:
    clock = engine.clock
    assert isinstance(clock, TurnedClock)
    clock.advance(timedelta(**by))


def test_signing_in(engine: Engine) -> None:
    engine.set_password("anna", PASSWORD)
    person = commands.sign_in(engine.context, "anna", PASSWORD)
    assert (person.username, person.groups) == ("anna", frozenset({"clerk"}))
    for name, password in (("anna", "wrong"), ("nobody", PASSWORD), ("bo", PASSWORD)):
        with pytest.raises(NotAllowed) as refused:
            commands.sign_in(engine.context, name, password)
        assert "wrong user name or password" in refused.value.message
    engine.deactivate("anna")
    with pytest.raises(NotAllowed):
        commands.sign_in(engine.context, "anna", PASSWORD)


def test_a_person_whom_a_program_vouches_for_is_journalled(engine: Engine) -> None:
    engine.publish("anything", by="somebody")
    with engine.context.store.read() as reading:
        last = history.entries(reading, history.NO_INSTANCE)[-1]
    assert (last.command, last.actor, [(event.user, event.what) for event in last.events]) == (
        "vouch_for",
        None,
        [("somebody", "vouched-for")],
    )


def test_guessing_is_slowed_down_and_forgiven(engine: Engine) -> None:
    engine.set_password("anna", PASSWORD)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            commands.sign_in(engine.context, "anna", "wrong")
    with pytest.raises(SignInThrottled):
        commands.sign_in(engine.context, "anna", PASSWORD)
    later(engine, seconds=31)
    with pytest.raises(NotAllowed):
        commands.sign_in(engine.context, "anna", "wrong")
    later(engine, seconds=31)
    with pytest.raises(SignInThrottled):
        commands.sign_in(engine.context, "anna", PASSWORD)
    later(engine, seconds=31)
    assert commands.sign_in(engine.context, "anna", PASSWORD)
    assert commands.sign_in(engine.context, "anna", PASSWORD)


def test_accounts(engine: Engine) -> None:
    with pytest.raises(Conflict):
        engine.add_user("anna")
    with pytest.raises(InvalidValue):
        engine.add_user("with blank")
    with pytest.raises(InvalidValue):
        engine.add_user("dora", password="short")
    with pytest.raises(NotFound):
        engine.add_user("dora", groups=["no-such-group"])
    with pytest.raises(NotFound):
        engine.set_groups("nobody", [])
    engine.add_user("dora", "朵拉", attributes={"team": ["a", "b"]}, email="d@example.org", password=PASSWORD)
    epoch = queries.who_is(engine.context, "dora").session_epoch
    commands.end_sessions(engine.context, "dora", by="root")
    assert queries.who_is(engine.context, "dora").session_epoch == epoch + 1
    commands.set_attributes(engine.context, "dora", {"team": ["c"]}, by="root")
    commands.set_name(engine.context, "dora", "多拉", by="root")
    found = next(user for user in queries.users(engine.context) if user.username == "dora")
    assert (found.name, found.attributes, found.can_sign_in) == ("多拉", {"team": ("c",)}, True)


def test_whom_a_program_vouched_for_gets_an_account(engine: Engine) -> None:
    commands.vouch_for(engine.context, "emil")
    key = queries.who_is(engine.context, "emil").key
    engine.add_user("emil", "Emil", password=PASSWORD)
    person = queries.who_is(engine.context, "emil")
    assert (person.key, person.external) == (key, False)


def test_groups_and_their_members(engine: Engine) -> None:
    engine.add_group("clerk", "办事员", "Clerks")
    engine.set_groups("carl", ["clerk", "chair"])
    found = {group.id: group for group in queries.groups(engine.context)}
    assert (found["clerk"].name, found["clerk"].members, found["chair"].members) == ("办事员", 3, 1)


def test_administration_is_in_the_journal(engine: Engine) -> None:
    with engine.context.store.read() as reading:
        commands_so_far = [entry.command for entry in history.entries(reading, history.NO_INSTANCE)]
    assert commands_so_far.count("add_user") == 5
    assert engine.verify().ok


# --- calendar

DEADLINE = '=end of day(add working days(date("2030-09-24"), 3))'


def waiting(engine: Engine) -> int:
    body = line(("t", task("t", z("taskSchedule", dueDate=DEADLINE))))
    body += boundary("b", "t", timer(DEADLINE, "timeDate"), interrupting=False) + end("x") + flow("b", "x")
    engine.deploy({"p.bpmn": draw(body)})
    return engine.start("P")


def test_provisional_deadlines_are_computed_anew_when_the_year_is_entered(engine: Engine) -> None:
    case = waiting(engine)
    before = open_task(engine, case)
    assert before.provisional
    assert before.due_at == engine.next_due()
    holidays = {date(2030, 9, 25): False, date(2030, 9, 28): True}
    assert commands.enter_year(engine.context, 2030, holidays, source="国办发明电〔2029〕1 号", by="root") == 1
    engine.drain()
    after = open_task(engine, case)
    assert not after.provisional
    assert after.due_at == engine.next_due() == before.due_at + timedelta(days=1)
    assert [event.payload["provisional"] for event in engine.journal(case) if event.kind == "DeadlineRecomputed"] == [
        False,
        False,
    ]
    assert commands.set_day(engine.context, date(2030, 9, 26), False, by="root") == 0
    assert not engine.calendar.provisional(2030)


def test_days_of_another_year_are_refused(engine: Engine) -> None:
    with pytest.raises(InvalidValue):
        commands.enter_year(engine.context, 2030, {date(2031, 1, 1): False}, source="x")
