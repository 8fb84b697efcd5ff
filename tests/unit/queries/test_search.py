"""Searching tasks and cases: what is found, by whom, however it is written; kept in step; safe; by index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from engine import Engine, commands, jobs, queries
from engine.queries import case_list, inbox_search
from engine.store import Store, migration, search
from engine.store.search import Question, Words
from tests.unit.commands.office import NOW, line, office, one_task, open_task, task
from tests.unit.kernel.drawing import draw, props


@pytest.fixture
def engine() -> Engine:
    engine = office()
    engine.deploy({"p.bpmn": one_task(name="伦理审查", process={"subject": "=title"})})
    return engine


def start(engine: Engine, title: str = "", number: str | None = None, process: str = "P") -> int:
    return engine.start(process, {"title": title}, by="anna", business_id=number)


def tasks(engine: Engine, who: str, words: str, tab: str = "groups", **more: Any) -> list[int]:
    return [found.process_instance_key for found in queries.inbox(engine.context, who, tab, words, **more).tasks]


def cases(engine: Engine, who: str, words: str = "", **more: Any) -> list[int]:
    return [found.key for found in queries.instances(engine.context, who, search=words, **more).instances]


@pytest.fixture(params=["few", "many"])
def pile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small piles are compared one by one; larger ones ask the index. Both must find the same."""
    if request.param == "many":
        monkeypatch.setattr(inbox_search, "_FEW", -1)
    return str(request.param)


@pytest.mark.usefixtures("pile")
@pytest.mark.parametrize(
    "words",
    [
        "心脏支架",
        "脏支",
        "支架 0012",
        "IIT-2026-0012",
        "iit-2026-0012",
        "ＩＩＴ－２０２６",
        "6-0012",
        "012",
        "aBc",
        "100%",
        "Straße",
        "STRASSE",
    ],
)
def test_however_it_is_written(engine: Engine, words: str) -> None:
    one = start(engine, "心脏支架 ＡＢＣ 100% Straße", "IIT-2026-0012")
    start(engine, "肿瘤 1000", "IIT-2025-0099")
    assert tasks(engine, "anna", words) == [one]
    assert cases(engine, "anna", words) == [one]


@pytest.mark.usefixtures("pile")
@pytest.mark.parametrize(
    "words",
    [
        '"',
        '""',
        "'",
        "*",
        "支架*",
        "支 AND 架",
        "NOT 支架",
        "NEAR(支架)",
        "grams:支架",
        "^支架",
        "支架)",
        "(",
        "-",
        "{",
        "%",
        "_",
        "\\",
        "\0",
        "x\ny",
    ],
)
def test_signs_are_looked_for_and_never_understood(engine: Engine, words: str) -> None:
    start(engine, "支架的研究", "N-1")
    same = start(engine, f"写着 {words}".replace("\n", " "), "N2")
    found = tasks(engine, "anna", words)
    assert found == ([same] if words != "-" else [same, *(set(tasks(engine, "anna", "N-1")))])
    assert cases(engine, "anna", words) == found


@pytest.mark.usefixtures("pile")
def test_short_words_and_nothing(engine: Engine) -> None:
    one, other = start(engine, "张三", "N1"), start(engine, "李四", "N2")
    assert tasks(engine, "anna", "张") == [one]
    assert tasks(engine, "anna", "n2") == [other]
    assert tasks(engine, "anna", "王") == tasks(engine, "anna", "张四") == []
    assert sorted(tasks(engine, "anna", "   ")) == [one, other]


@pytest.mark.usefixtures("pile")
def test_the_newest_case_first_and_in_pages(engine: Engine) -> None:
    keys = [start(engine, "支架") for _ in range(60)]
    assert tasks(engine, "anna", "支架") == keys[:9:-1]
    assert tasks(engine, "anna", "支架", page=2) == keys[9::-1]
    assert tasks(engine, "root", "审查", tab="all", page=2) == keys[9::-1]
    assert cases(engine, "anna", "支架", page=2) == keys[9::-1]


@pytest.mark.usefixtures("pile")
def test_names_of_tasks_and_processes_count(engine: Engine) -> None:
    engine.deploy(
        {
            "q.bpmn": draw(
                line(("t", task("t", name="Kick-off 会议")), process_properties=props(subject="=title")), process_id="Quality"
            )
        }
    )
    first, second = start(engine, "支架"), start(engine, "支架", process="Quality")
    assert tasks(engine, "anna", "审查") == [first]
    assert tasks(engine, "anna", "kick 支架") == [second]
    assert tasks(engine, "anna", "quality") == cases(engine, "anna", "QUALITY") == [second]
    assert cases(engine, "anna", "审查") == []  # a case is not called as its task is


@pytest.mark.usefixtures("pile")
def test_who_finds_what(engine: Engine) -> None:
    engine.deploy(
        {
            "q.bpmn": draw(
                line(("t", task("t", props(excludedUsers='=["anna"]'))), process_properties=props(subject="=title")),
                process_id="Q",
            )
        }
    )
    mine, barred = start(engine, "支架"), start(engine, "支架", process="Q")
    assert tasks(engine, "anna", "支架") == [mine]
    assert tasks(engine, "bo", "支架") == [barred, mine]
    assert tasks(engine, "carl", "支架") == tasks(engine, "carl", "支架", tab="all") == []
    assert tasks(engine, "root", "支架", tab="all") == [barred, mine]
    assert cases(engine, "carl", "支架") == []
    engine.claim(open_task(engine, mine).key, by="anna")
    assert tasks(engine, "bo", "支架") == [barred]
    assert tasks(engine, "anna", "支架", tab="mine") == [mine]
    engine.substitute("anna", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    assert tasks(engine, "carl", "支架", tab="mine") == [mine]
    assert cases(engine, "carl", "支架") == [barred, mine]  # started by anna
    engine.suspend(mine, by="root", reason="核查")
    (found,) = queries.inbox(engine.context, "anna", "mine", "支架").tasks
    assert found.suspended_reason == "核查"
    assert cases(engine, "root", "支架", state="suspended") == [mine]


@pytest.mark.usefixtures("pile")
def test_the_index_keeps_step(engine: Engine) -> None:
    engine.deploy(
        {"p.bpmn": draw(line(("t", task()), ("u", task("u")), process_properties=props(subject="=title")), process_id="P")}
    )
    case = start(engine, "旧的标题", "N-000001")
    engine.complete(open_task(engine, case).key, {"title": "新的标题"}, by="anna")
    assert tasks(engine, "anna", "旧的标题") == cases(engine, "anna", "旧的标题") == []
    assert tasks(engine, "anna", "新的标题") == cases(engine, "anna", "新的标题") == [case]
    assert tasks(engine, "anna", "新的标题", tab="done") == [case]
    engine.complete(open_task(engine, case).key, {}, by="anna")
    assert tasks(engine, "anna", "新的标题") == []
    assert cases(engine, "anna", "新的标题") == [case]


def test_what_is_too_common_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_FEW": -1, "OWN": 3, "FARTHEST": 2, "_STEPS": (1, 1)}.items():
        monkeypatch.setattr(inbox_search, name, value)
    first = start(engine, "支架")
    engine.deploy({"q.bpmn": draw(line(("t", task(group="chair")), process_properties=props(subject="=title")), process_id="Q")})
    for _ in range(5):
        start(engine, "支架", process="Q")
        start(engine, "别的")
    page = queries.inbox(engine.context, "anna", "groups", "支架")
    assert (page.tasks, page.complete) == ((), False)
    page = queries.inbox(engine.context, "anna", "groups", "架")  # too short for the index: among the most urgent
    assert ([found.process_instance_key for found in page.tasks], page.complete) == ([first], False)
    assert queries.inbox(engine.context, "carl", "groups", "支架").complete is False
    monkeypatch.setattr(inbox_search, "FARTHEST", 10)
    page = queries.inbox(engine.context, "anna", "groups", "支架")
    assert ([found.process_instance_key for found in page.tasks], page.complete) == ([first], True)


def test_a_list_of_cases_that_ends_early_holds_one_s_own(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_list, "FARTHEST", 2)
    monkeypatch.setattr(case_list, "_PORTION", 2)
    own = engine.start("P", {"title": "支架"}, by="carl")
    for _ in range(5):
        start(engine, "支架")
    for words in ("", "支架"):
        found = queries.instances(engine.context, "carl", search=words)
        assert ([case.key for case in found.instances], found.complete) == ([own], False)
    assert queries.instances(engine.context, "root").complete


def test_lists_of_cases_by_process_and_state(engine: Engine) -> None:
    engine.deploy({"q.bpmn": one_task(process_id="Q")})
    keys = {(process, number): start(engine, process=process) for number in range(3) for process in ("P", "Q")}
    engine.complete(open_task(engine, keys["P", 0]).key, by="anna")
    engine.cancel(keys["Q", 1], by="root", reason="作废")
    newest = sorted(keys.values(), reverse=True)
    assert cases(engine, "root") == cases(engine, "anna") == newest
    assert cases(engine, "root", bpmn_process_id="P") == [keys["P", number] for number in (2, 1, 0)]
    assert cases(engine, "root", state="ACTIVE") == [key for key in newest if key not in {keys["P", 0], keys["Q", 1]}]
    assert cases(engine, "root", state="TERMINATED", bpmn_process_id="Q") == [keys["Q", 1]]
    assert cases(engine, "root", state="COMPLETED", bpmn_process_id="Q") == cases(engine, "root", state="suspended") == []


# --- by index -----------------------------------------------------------------------------------------------------------

PAGES: dict[str, Callable[[Engine], object]] = {
    **{
        f"inbox {who} {tab} {words}": lambda engine, who=who, tab=tab, words=words: queries.inbox(engine.context, who, tab, words)
        for who in ("anna", "root", "carl")
        for tab in ("mine", "groups", "overdue", "done", "all")
        for words in ("", "支架", "架", "支架 没有的", "审查")
    },
    **{
        f"cases {who} {words} {process} {state}": lambda engine, who=who, words=words, process=process, state=state: (
            queries.instances(engine.context, who, search=words, bpmn_process_id=process, state=state)
        )
        for who in ("anna", "root", "carl")
        for words in ("", "支架", "架")
        for process in (None, "P")
        for state in (None, "ACTIVE", "COMPLETED", "suspended")
    },
    "alerts": lambda engine: (queries.alerts(engine.context, "anna"), queries.unread_alerts(engine.context, "anna")),
    "what is due": lambda engine: (jobs.due.due_timers(engine.context, 20), jobs.due.next_due(engine.context)),
}
LARGE = "process_instance|user_task|task_candidate|timer|job|alert|alert_recipient|message_subscription|member|other"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = office(f"sqlite:///{tmp_path_factory.mktemp('plans')}/plans.db")
    engine.deploy({"p.bpmn": one_task(name="伦理审查", process={"subject": "=title"})})
    for number in range(8):
        start(engine, "支架" if number % 2 else "肿瘤")
    engine.substitute("bo", by="carl", starts_at=NOW, ends_at=NOW + timedelta(days=1))
    yield engine
    engine.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_goes_through_a_table(filed: Engine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_search, "_FEW", -1)
    monkeypatch.setattr(case_list, "FARTHEST", 1)  # the ways for many as well
    said: list[tuple[str, Any]] = []

    def heard(*arguments: Any) -> None:
        said.append((arguments[2], arguments[3]))

    event.listen(filed.context.store.engine, "before_cursor_execute", heard)
    PAGES[name](filed)
    event.remove(filed.context.store.engine, "before_cursor_execute", heard)
    with filed.context.store.read() as reading:
        for statement, parameters in said:
            if statement.startswith("SELECT"):
                plan = reading._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                scans = [row[3] for row in plan if re.match(rf"SCAN ({LARGE})\b", row[3])]
                assert all(_in_order(scan, statement) for scan in scans), f"{statement}\n{plan}"


def _in_order(scan: str, statement: str) -> bool:
    """Whether it is read in the order that was asked for, as far as the limit: then it ends with the page."""
    return " LIMIT " in statement and ("USING" in scan or 'ORDER BY process_instance."key" DESC' in statement)


def test_a_completion_writes_nothing_to_the_index(engine: Engine) -> None:
    engine.deploy(
        {"p.bpmn": draw(line(("t", task()), ("u", task("u")), process_properties=props(subject="=title")), process_id="P")}
    )
    case = start(engine, "支架")
    said: list[str] = []

    def heard(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(engine.context.store.engine, "before_cursor_execute", heard)
    commands.complete_task(engine.context, open_task(engine, case).key, {}, "anna")
    event.remove(engine.context.store.engine, "before_cursor_execute", heard)
    assert said
    assert not any("case_search" in statement for statement in said)


# --- the other database ---------------------------------------------------------------------------------------------------


class PostgreSQL:
    dialect = "postgresql"


def test_questions_compile_on_postgresql() -> None:
    asked = Question(((("支架", "架的"), ()), (("abc",), ("d1", "d2")), ((), ("d3",))))
    cases = asked.cases(PostgreSQL())  # type: ignore[arg-type]  # asked for its dialect alone
    statements = [inbox_search._hits(cases, tab) for tab in inbox_search._TAB] + [inbox_search._extent(cases), search._put()]
    for statement in statements:
        assert "case_search" in str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"render_postcompile": False}))
    written = str(cases.compile(dialect=postgresql.dialect()))
    assert written.count("@>") == 2
    assert written.count("&&") == 2
    assert asked.expression == '("支架" AND "架的") AND ("abc" OR "d1" OR "d2") AND ("d3")'


def test_words_in_texts() -> None:
    words = Words.of("心脏 ＩＩＴ")
    assert words.among(["iit 心脏", "心脏", "IIT-1\n心脏"]) == [True, False, True]
    assert words.among(["IIT\x1e心脏", "心脏"]) == [True, False]
    assert words.in_texts("心脏", None, "IIT")
    assert not Words.of("  ")


def test_cases_of_the_release_before_are_found_after_the_migration(tmp_path: Path) -> None:
    url, content = f"sqlite:///{tmp_path}/old.db", one_task(name="伦理审查")
    store = Store(url)
    config = migration.configuration()
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for table, values in {
            "blob": ("d" * 64, len(content), content),
            "deployment": (1, 1, None, "{}"),
            "process_definition": (2, "P", 1, None, "审批", "d" * 64, "p.bpmn", 1, 1),
        }.items():
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
        connection.exec_driver_sql(
            "INSERT INTO process_instance (key, definition_key, bpmn_process_id, business_id, subject, state, started_at, "
            "root_key, deployment_key, time_zone, revision, journal_seq, journal_hash) "
            "VALUES (7, 2, 'P', 'N-000001', '心脏支架', 'ACTIVE', 1, 7, 1, 'Asia/Shanghai', 1, 0, X'')"
        )
    store.close()
    with office(url) as engine:
        for words in ("支架", "n-000001"):
            assert cases(engine, "root", words) == [7]
        with engine.context.store.read() as reading:
            asked = search.question(reading, Words.of("审查"), tasks=True)
            assert asked is not None
            found = reading.all(asked.cases(reading).select(), asked.parameters(reading, search.NEWEST, 5))
        assert [row.instance_key for row in found] == [7]
