"""An observational study in the browser: from the application to the start-up, reviewed blind, never by its applicant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine.facade import Engine
from engine.settings import Settings

from . import processes
from .conftest import PASSWORD, Person
from .processes import add_row, complete, look, sign, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]
TITLE = "冠心病患者长期预后队列研究"
DOCUMENTS = (
    "研究方案",
    "知情同意书",
    "病例报告表",
    "统计分析计划",
    "数据管理计划",
    "风险控制计划（含 SAE 处置）",
    "经费预算",
    "团队简历与培训证书",
)
ASPECTS = ("科学性", "可行性", "观察设计与研究人群", "偏倚与混杂控制", "数据来源与质量", "结局指标", "统计分析", "预算")
MARKS = ("soundness", "feasibility", "design_type", "bias_control", "data_quality", "endpoints", "statistics", "budget")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return processes.settings_in(tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with processes.opened(settings, processes.moment("2026-03-02T09:00")) as opened:
        everywhere = ("investigator", "research-office", "science-reviewer", "science-chair", "ethics-committee", "ethics-chair")
        attributes = {"expertise": ["clinical"], "team": ["gastroenterology"]}
        opened.add_user("expert-pi", "孙十", groups=everywhere, attributes=attributes, password=PASSWORD)
        yield opened


def test_an_observational_study(person: Seat, engine: Engine) -> None:
    applicant = person("expert-pi")
    apply(applicant)
    accept_and_grade(person, applicant)
    review_blind(person, applicant, engine)
    review_ethics(person, applicant, engine)
    start_up(person, applicant, engine)


def apply(applicant: Person) -> None:
    applicant.open("/start/iit-review")
    write(
        applicant,
        {
            "项目名称": TITLE,
            "科室": "心内科",
            "研究类别": "观察性",
            "干预方式": "无（观察性）",
            "中心": "单中心",
            "本中心同类研究经验": "丰富",
            "经费（元）": "0",
            "计划例数": "120",
            "计划开始日期": "2026-06-01",
            "计划结束日期": "2028-05-31",
            "每例随访（月）": "12",
            "PI 的 GCP 证书有效期至": "2027-12-31",
            "PI 的研究经验": "主持或参加过临床研究",
            "本院每年符合条件的患者数": "400",
            "预计每月入组": "10",
            "每例访视次数": "4",
            "每月随访能力（次）": "80",
            "每例预算（元）": "2000",
            "风险控制计划已写明": ["预期事件", "风险最小化措施", "SAE 处置", "揭盲", "退出标准", "终止规则"],
        },
    )
    for row, kind in enumerate(DOCUMENTS):
        write(applicant, {"类别": kind, "版本": "1.0"}, row=row)
    add_row(applicant, "其他研究者")
    write(applicant, {"账号": "investigator-3", "分工": "协助随访"})
    applicant.page.get_by_role("button", name="提交并发起").click()
    expect(applicant.page.get_by_text("已发起。")).to_be_visible()


def sees_nothing_to_do(applicant: Person) -> None:
    """Though of the group: whoever applied is not offered the review, and cannot reach it by its address."""
    applicant.open("/?tab=groups")
    expect(applicant.page.get_by_text(TITLE)).to_have_count(0)
    expect(applicant.page.locator("[data-claim]")).to_have_count(0)


def accept_and_grade(person: Seat, applicant: Person) -> None:
    sees_nothing_to_do(applicant)
    office = person("research-office-1")
    office.take("审核完整性")
    write(office, {"结论": "受理"})
    office.finish()
    sees_nothing_to_do(applicant)
    office.take("核定等级")
    expect(office.page.get_by_text("分级表建议：低")).to_be_visible()
    write(office, {"核定等级": "低"})
    sign(office)


def review_blind(person: Seat, applicant: Person, engine: Engine) -> None:
    experts = [task.assignee for task in engine.tasks(element_id="declare-conflict")]
    assert len(experts) == 2
    assert "expert-pi" not in experts
    first, second = person(experts[0]), person(experts[1])
    for expert in (first, second):
        look(expert, "申报利益冲突")
        write(expert, {"与本项目是否有利益冲突": "无利益冲突"})
        expert.finish()
    look(first, "填写观察性研究意见")
    write(first, dict.fromkeys(ASPECTS, "符合"))
    write(first, {"统计分析": "小意见", "统计分析：说明": "缺失数据的处理请写明"})
    first.finish()
    look(second, "填写观察性研究意见")
    expect(second.page.get_by_text("缺失数据的处理")).to_have_count(0)
    (task,) = engine.tasks(element_id="review-observational")
    second.open(f"/cases/{task.process_instance_key}")
    expect(second.page.get_by_text("缺失数据的处理")).to_have_count(0)
    complete(engine, "review-observational", second.username, dict.fromkeys(MARKS, "meets"))
    sees_nothing_to_do(applicant)
    chair = person("science-chair-1")
    chair.take("下审查结论")
    expect(chair.page.get_by_text("缺失数据的处理请写明").first).to_be_visible()
    write(chair, {"结论": "通过", "理由": "设计合理"})
    sign(chair)


def review_ethics(person: Seat, applicant: Person, engine: Engine) -> None:
    sees_nothing_to_do(applicant)
    office = person("ethics-office-1")
    office.take("受理伦理审查")
    expect(office.page.get_by_text("建议审查方式：快速审查")).to_be_visible()
    write(office, {"结论": "受理", "科学性意见是否已落实": "已落实", "审查方式": "快速审查", "理由": "材料齐全"})
    office.finish()
    for task in engine.tasks(element_id="expedited-review"):
        assert task.assignee is not None
        assert task.assignee != "expert-pi"
        complete(engine, "expedited-review", task.assignee, {"opinion": "approve", "opinion_reason": "最小风险"})
    sees_nothing_to_do(applicant)
    chair = person("ethics-chair-1")
    chair.take("签发伦理决定")
    expect(chair.page.get_by_text("审查方式：快速审查")).to_be_visible()
    write(chair, {"决定": "同意", "理由": "快速审查一致同意"})
    sign(chair)


def start_up(person: Seat, applicant: Person, engine: Engine) -> None:
    sees_nothing_to_do(applicant)
    office = person("research-office-1")
    office.take("登记备案")
    expect(office.page.get_by_text(TITLE).first).to_be_visible()
    write(office, {"医学研究登记备案号": "MR-1", "备案日期": "2026-03-02"})
    office.finish()
    leadership = person("leadership-1")
    leadership.take("批准立项")
    expect(leadership.page.get_by_text("伦理决定：同意")).to_be_visible()
    write(leadership, {"结论": "立项", "理由": "同意"})
    sign(leadership)
    look(applicant, "召开启动会")
    write(applicant, {"启动会日期": "2026-03-02", "姓名": "研究者 3 号", "内容": "方案与 GCP"})
    applicant.finish()
    applicant.open("/cases")
    applicant.page.get_by_role("link", name="IIT-2026-0001").click()
    applicant.settle()
    expect(applicant.page.get_by_role("link", name="实施研究").first).to_be_visible()
