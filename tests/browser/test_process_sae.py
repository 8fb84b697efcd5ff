"""A serious adverse event in the browser: from opening the report to the closed loop, late at first, as eight people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine.facade import Engine
from engine.settings import Settings

from . import processes
from .conftest import Person
from .processes import complete, look, sign, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return processes.settings_in(tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with processes.opened(settings, processes.moment("2026-11-20T18:05")) as opened:
        yield opened


def test_from_the_report_to_the_closed_loop(person: Seat, engine: Engine) -> None:
    investigator = person("investigator-1")
    case = open_and_register(investigator, engine)
    miss_the_deadline(person, investigator, engine)
    report(investigator)
    review(person, engine)
    close(person, investigator, engine)
    look_back(person, case)


def open_and_register(investigator: Person, engine: Engine) -> int:
    investigator.open("/start")
    investigator.page.get_by_role("button", name="发起：严重不良事件上报与升级").click()
    look(investigator, "登记事件与知悉时间")
    expect(investigator.page.get_by_text("还有 24 小时").first).to_be_visible()
    write(
        investigator,
        {
            "项目编号": "IIT-2026-007",
            "项目名称": "某降压药联合治疗研究",
            "研究风险等级": "中",
            "发生中心": "本中心",
            "主要研究者": "研究者 1 号",
            "受试者编号": "S-017",
            "事件发生时间": "2026-11-20T15:30",
            "研究团队知悉时间": "2026-11-20T18:00",
        },
    )
    investigator.finish()
    (task,) = engine.tasks()
    assert task.element_id == "initial-report"
    assert task.due_at == processes.moment("2026-11-21T18:00")
    return task.process_instance_key


def miss_the_deadline(person: Seat, investigator: Person, engine: Engine) -> None:
    office = person("ethics-office-1")
    expect(office.page.get_by_role("link", name="提醒，没有未读")).to_be_visible()
    with engine.driver():
        processes.clock(engine).set(processes.moment("2026-11-21T18:01"))
        reload_until(office, "提醒，1 条未读")
    office.open("/alerts")
    expect(office.page.get_by_text("逾期").first).to_be_visible()
    expect(office.page.get_by_text("2026-11-21 18:00").first).to_be_visible()
    investigator.open("/?tab=overdue")
    expect(investigator.page.get_by_role("link", name="提交初始报告")).to_be_visible()


def reload_until(somebody: Person, bell: str) -> None:
    """Look again and again until the bell says it: nobody but the driver does what is due."""
    until = time.monotonic() + 15
    while somebody.page.get_by_role("link", name=bell).count() == 0:
        assert time.monotonic() < until, "the alert did not appear by itself"
        somebody.open("/")


def report(investigator: Person) -> None:
    look(investigator, "提交初始报告")
    expect(investigator.page.get_by_text("已超过时限。")).to_be_visible()
    write(
        investigator,
        {
            "不良事件名称": "肝功能异常",
            "编码术语（MedDRA 首选术语）": "药物性肝损伤",
            "严重性（可多选）": ["导致住院或住院时间延长"],
            "严重程度分级": "3 级 重度",
            "与干预措施的关系（WHO-UMC）": "不太可能",
            "判断理由": "入组前已有脂肪肝，停药前指标已升高",
            "预期性": "预期",
            "对干预措施采取的措施": "无变化",
            "对事件的处理": "保肝治疗，住院观察",
            "转归": "好转中",
            "是否破盲": "非盲法研究",
        },
    )
    investigator.page.get_by_role("button", name="完成任务").click()
    expect(investigator.page.locator("[data-summary]")).to_contain_text("迟报原因：必填")
    write(investigator, {"迟报原因": "周末值班人员交接延误"})
    investigator.finish()


def review(person: Seat, engine: Engine) -> None:
    officer = person("qc-officer-1")
    officer.take("核对报告完整性")
    write(officer, {"核对结论": "完整，接受", "理由（退回时写明缺什么）": "内容完整"})
    sign(officer)
    office = person("ethics-office-1")
    office.take("安排审查委员")
    write(office, {"审查委员": ["伦理委员会 1 号（已受安全性培训）", "伦理委员会 2 号"]})
    office.finish()
    for username in ("ethics-committee-1", "ethics-committee-2"):
        member = person(username)
        look(member, "填写审查工作表")
        write(
            member,
            {
                "风险受益比": "未改变",
                "知情同意书是否需要更新": "否",
                "保护受试者的措施": "继续监测肝功能",
                "建议": "继续研究",
                "理由": "风险受益比未变",
            },
        )
        member.finish()
    chair = person("ethics-chair-1")
    chair.take("作出伦理决定")
    expect(chair.page.get_by_text("继续监测肝功能").first).to_be_visible()
    write(chair, {"决定": "继续研究", "理由": "风险受益比未改变，研究可以继续"})
    sign(chair)


def close(person: Seat, investigator: Person, engine: Engine) -> None:
    look(investigator, "制定纠正与预防措施")
    write(
        investigator, {"原因": "入组前肝功能筛查不严", "措施": "修订筛选流程并培训", "责任人": "张医生", "完成期限": "2026-12-10"}
    )
    investigator.finish()
    follow_up = {
        "report_kind": "final",
        "follow_up_text": "转氨酶恢复正常，已出院",
        "seriousness": ["hospitalisation"],
        "grade": "3",
        "relation": "unlikely",
        "relation_reason": "随访结果支持原判断",
        "outcome": "recovered",
        "ended_on": "2026-11-21",
    }
    complete(engine, "follow-up-report", "investigator-1", follow_up)
    complete(engine, "verify-capa", "qc-officer-1", {"capa_verified": "yes", "capa_note": "已查看新流程与签到表"})
    officer = person("qc-officer-2")
    officer.take("确认闭环")
    write(officer, {"结案说明": "各项均已落实"})
    sign(officer)


def look_back(person: Seat, case: int) -> None:
    auditor = person("auditor-1")
    auditor.open(f"/cases/{case}/replay")
    page = auditor.page
    page.keyboard.press("End")
    expect(page.locator(".is-done[data-element-id=close-event]")).to_have_count(1)
    expect(page.get_by_text("确认闭环").first).to_be_visible()
    page.keyboard.press("Home")
    page.get_by_role("button", name="播放").click()
    expect(page.locator(".is-done[data-element-id=register-event]")).to_have_count(1)
    auditor.open("/audit")
    page.get_by_role("button", name="验证全部历史").click()
    expect(page.get_by_text("没有发现改动")).to_be_visible()
