"""The inbox: tabs, order, pages, counts, search, rights."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import Engine, queries
from engine.errors import InvalidValue, NotFound
from engine.queries.inbox import PAGE
from tests.unit.commands.office import NOW, line, office, one_task, open_task, task, turn
from tests.unit.kernel.drawing import draw, props, z


@pytest.fixture
def engine() -> Engine:
    engine = office()
    engine.deploy({"p.bpmn": one_task(z("taskSchedule", dueDate="=due"), name="审查", process={"subject": "=title"})})
    return engine


def start(engine: Engine, hours: float | None = None, **variables: object) -> int:
    due = (NOW + timedelta(hours=hours)).isoformat() if hours is not None else None
    return engine.start("P", {"due": due, "title": "无", **variables}, by="anna", business_id=variables.get("number"))


def shown(engine: Engine, who: str, tab: str, **more: object) -> list[int]:
    return [found.process_instance_key for found in queries.inbox(engine.context, who, tab, **more).tasks]


def test_the_most_urgent_first_and_those_without_a_date_last(engine: Engine) -> None:
    late, none, soon = start(engine, 48), start(engine), start(engine, 1)
    assert shown(engine, "anna", "groups") == [soon, late, none]
    assert shown(engine, "carl", "groups") == []


def test_tabs(engine: Engine) -> None:
    first, second, third = (start(engine, hours) for hours in (1, 2, 72))
    engine.claim(open_task(engine, first).key, by="anna")
    engine.complete(open_task(engine, third).key, by="anna")
    turn(engine, hours=1.5)
    assert shown(engine, "anna", "mine") == [first]
    assert shown(engine, "anna", "groups") == [second]
    assert shown(engine, "anna", "overdue") == [first]
    assert shown(engine, "anna", "done") == [third]
    assert shown(engine, "bo", "overdue") == []
    assert shown(engine, "root", "all") == [first, second]
    assert shown(engine, "audrey", "all") == [first, second]
    counts = queries.inbox(engine.context, "anna").counts
    assert {tab: str(count) for tab, count in counts.items()} == {"mine": "1", "groups": "1", "overdue": "1"}


def test_pages_and_counts_that_stop(engine: Engine) -> None:
    cases = [start(engine, 1 + number / 100) for number in range(PAGE * 2 + 5)]
    pages = [queries.inbox(engine.context, "anna", "groups", page=number) for number in (1, 2, 3)]
    assert [found.process_instance_key for page in pages for found in page.tasks] == cases
    assert [page.has_next for page in pages] == [True, True, False]
    assert str(pages[0].counts["groups"]) == "99+"


def test_a_task_offered_twice_is_shown_once(engine: Engine) -> None:
    engine.set_groups("anna", ["clerk", "chair"])
    engine.deploy({"q.bpmn": draw(line(("t", task(group="clerk,chair"))), process_id="Q")})
    case = engine.start("Q")
    assert shown(engine, "anna", "groups") == [case]


def test_the_excluded_do_not_see_it(engine: Engine) -> None:
    engine.deploy({"q.bpmn": draw(line(("t", task("t", props(excludedUsers='=["anna"]')))), process_id="Q")})
    engine.start("Q")
    assert shown(engine, "anna", "groups") == []
    assert len(shown(engine, "bo", "groups")) == 1
    assert str(queries.inbox(engine.context, "anna").counts["groups"]) == "0"


def test_a_substitute_sees_what_the_absent_would(engine: Engine) -> None:
    mine, theirs = start(engine, 1), start(engine, 2)
    engine.claim(open_task(engine, mine).key, by="anna")
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    assert shown(engine, "carl", "mine") == [mine]
    assert shown(engine, "carl", "groups") == [theirs]


def test_search_by_business_id_process_subject_and_task(engine: Engine) -> None:
    one = start(engine, 1, title="心脏支架 100%", number="SAE-2026-0001")
    start(engine, 2, title="肿瘤", number="SAE-2026-0002")
    for words in ("0001", "支架", "心脏 0001", "100%"):
        assert shown(engine, "anna", "groups", search=words) == [one], words
    assert len(shown(engine, "anna", "groups", search="审查")) == 2
    assert shown(engine, "anna", "groups", search="没有这个") == []
    assert shown(engine, "carl", "groups", search="支架") == []
    engine.complete(open_task(engine, one).key, by="anna")
    assert shown(engine, "anna", "done", search="支架") == [one]


def test_nonsense_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidValue):
        queries.inbox(engine.context, "anna", "everything")
    with pytest.raises(NotFound):
        queries.inbox(engine.context, "nobody")
