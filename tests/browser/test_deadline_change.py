"""A manager changes deadlines in the files, as Camunda Modeler saves them, and deploys them on the page of definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from lxml import etree
from playwright.sync_api import FilePayload, Page, expect

from engine.facade import Engine
from engine.queries.records import Task
from engine.settings import Settings

from . import processes
from .conftest import Person
from .processes import moment, turn, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]
HOSPITAL_LIMITS = "本院时限（可以缩短，不能放宽）"
EVENT = {
    "项目编号": "IIT-2026-007",
    "研究风险等级": "中",
    "发生中心": "本中心",
    "主要研究者": "研究者 1 号",
    "受试者编号": "S-017",
    "事件发生时间": "2026-11-20T15:30",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return processes.settings_in(tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with processes.opened(settings, moment("2026-11-20T18:05")) as opened:
        yield opened


def test_the_next_case_follows_the_new_figure_the_running_one_keeps_its_own(person: Seat, engine: Engine) -> None:
    investigator, manager = person("investigator-1"), person("admin")
    running = register(investigator, engine, "2026-11-20T18:00")
    assert running.due_at == moment("2026-11-21T18:00")
    table = changed(download(manager, HOSPITAL_LIMITS), "sae_hospital_limits-rule-1-out-3", "24", "16")
    deploy(manager, {"sae-deadlines.dmn": table}, versions={HOSPITAL_LIMITS: 2})
    manager.page.get_by_role("link", name=HOSPITAL_LIMITS).click()
    manager.settle()
    manager.page.get_by_role("link", name="与上一版比较").first.click()
    expect(manager.page.get_by_text(re.compile(r"^\+\s*<text>16</text>"))).to_be_visible()
    following = register(investigator, engine, "2026-11-20T18:00")
    assert following.due_at == moment("2026-11-21T10:00")
    investigator.open("/?tab=mine")
    expect(investigator.page.get_by_text("2026-11-21 10:00")).to_be_visible()
    expect(investigator.page.get_by_text("2026-11-21 18:00")).to_be_visible()
    turn(engine, "2026-11-21T10:00")
    assert overdue(engine, following) == 1
    assert overdue(engine, running) == 0
    turn(engine, "2026-11-21T18:00")
    assert overdue(engine, running) == 1


def test_a_changed_timer_holds_for_cases_started_afterwards(person: Seat, engine: Engine) -> None:
    manager = person("admin")
    before = engine.start("sae-escalation", by="investigator-1")
    model = changed(download(manager, "严重不良事件上报与升级"), "opened-12h", "PT12H", "PT6H")
    deploy(manager, {"sae-escalation.bpmn": model}, versions={"严重不良事件上报与升级": 2})
    after = engine.start("sae-escalation", by="investigator-1")
    turn(engine, "2026-11-21T00:05")
    assert [alert.due_at for alert in engine.alerts(after)] == [moment("2026-11-21T00:05")]
    assert engine.alerts(before) == ()
    turn(engine, "2026-11-21T06:05")
    assert [alert.due_at for alert in engine.alerts(before)] == [moment("2026-11-21T06:05")]
    show(manager, "严重不良事件上报与升级")
    expect(manager.page.get_by_role("row", name="第 2 版").get_by_role("cell", name="1", exact=True)).to_be_visible()


def test_a_timer_that_cannot_be_read_is_refused_and_nothing_changes(person: Seat, engine: Engine) -> None:
    manager = person("admin")
    model = changed(download(manager, "严重不良事件上报与升级"), "opened-12h", "PT12H", "12 小时")
    upload(manager, {"sae-escalation.bpmn": model})
    expect(manager.page.get_by_text("现行版本不变")).to_be_visible()
    expect(manager.page.get_by_text("打开满 12 小时").first).to_be_visible()
    manager.troubles.clear()  # the 422 itself
    show(manager, "严重不良事件上报与升级")
    expect(manager.page.get_by_text("第 2 版")).to_have_count(0)


def register(investigator: Person, engine: Engine, aware_at: str) -> Task:
    """Open a report, register the event, and return the task of the initial report."""
    case = engine.start("sae-escalation", by="investigator-1")
    (task,) = engine.tasks(instance=case)
    investigator.open(f"/tasks/{task.key}")
    write(investigator, {**EVENT, "研究团队知悉时间": aware_at})
    investigator.finish()
    (initial,) = engine.tasks(instance=case)
    return initial


def overdue(engine: Engine, task: Task) -> int:
    return sum(alert.kind == "overdue" for alert in engine.alerts(task.process_instance_key))


def download(manager: Person, name: str) -> bytes:
    """Return the file in force, as the page of the definition hands it out."""
    show(manager, name)
    with manager.page.expect_download() as started:
        manager.page.get_by_role("link", name="下载文件").click()
    return Path(started.value.path()).read_bytes()


def show(manager: Person, name: str) -> None:
    """Open the newest version of a definition from the list."""
    manager.open("/definitions")
    for folded in manager.page.locator("details:not([open]) > summary").all()[::-1]:
        folded.click()
    manager.page.get_by_role("link", name=name).first.click()
    manager.settle()


def changed(file: bytes, within: str, old: str, new: str) -> bytes:
    """Write a figure anew within the element that has an id."""
    document = etree.fromstring(file)
    (element,) = [part for part in document.iter() if part.get("id") == within]
    (figure,) = [part for part in element.iter() if part.text == old]
    figure.text = new
    return etree.tostring(document, encoding="UTF-8", xml_declaration=True)


def upload(manager: Person, files: Mapping[str, bytes]) -> Page:
    manager.open("/definitions")
    uploads: list[FilePayload] = [
        {"name": name, "mimeType": "application/xml", "buffer": content} for name, content in files.items()
    ]
    manager.page.get_by_label("文件").set_input_files(uploads)
    manager.page.get_by_role("button", name="部署", exact=True).click()
    return manager.page


def deploy(manager: Person, files: Mapping[str, bytes], versions: Mapping[str, int]) -> None:
    """Deploy by upload; the report says what is executed, and which versions are in force."""
    page = upload(manager, files)
    expect(page.get_by_text("部署成功。")).to_be_visible()
    for name, version in versions.items():
        expect(page.get_by_role("listitem").filter(has_text=name)).to_contain_text(f"第 {version} 版")
    expect(page.locator("summary", has_text="拒绝")).to_have_count(0)
