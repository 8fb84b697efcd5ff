"""A data set transferred by licence, in the browser: from the disclosure form to the report of completion, to the cent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine.facade import Engine
from engine.settings import Settings

from . import processes
from .conftest import Person
from .processes import Walk, add_row, sign, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]
SCENARIO = "data-transfer/scenarios/s1-licence-one-million.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return processes.settings_in(tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with processes.opened(settings, processes.moment("2026-03-02T09:00")) as opened:
        yield opened


def test_a_licence_for_one_million(person: Seat, engine: Engine) -> None:
    walk = Walk(engine, SCENARIO)
    disclose(person("researcher-1"))
    case = engine.tasks()[0].process_instance_key
    deliberate(person, walk)
    decide_the_plan(person, walk)
    distribute(person, walk)
    finish(person, walk, case)


def disclose(researcher: Person) -> None:
    researcher.open("/start/data-transfer")
    write(researcher, {"成果类型": "数据集或数据库", "成果名称": "心衰队列衍生数据集"})
    add_row(researcher, "主交付物")
    write(
        researcher, {"种类": "数据集或数据库", "名称": "主数据集", "已取得登记证书": True, "申报的权属凭证": "数据知识产权登记"}
    )
    write(
        researcher,
        {"种类": "元数据（字典、描述、接口手册、指南、白皮书）", "名称": "数据字典", "申报的权属凭证": "技术秘密备案"},
        row=1,
    )
    write(
        researcher,
        {
            "副交付物（登记与证明材料）": ["质量报告", "伦理意见"],
            "所有权意向": "归医院",
            "使用权意向": "团队长期使用",
            "收益权意向": "按协议",
            "数据产生环节": "研发",
            "数据级别": "二级（衍生）",
            "加工程度": "研究性加工",
            "已登记为": "未登记",
            "数据来源": "本院心衰专病队列",
            "数据类型": "结构化随访数据",
            "数据规模": "12000",
            "单位": "例",
            "价值评估": "可用于心衰再入院风险预测",
            "合规情况与使用限制": "仅限科研用途",
            "姓名": "研究者二",
            "账号（本院人员）": "researcher-2",
        },
    )
    researcher.page.get_by_role("button", name="提交并发起").click()
    expect(researcher.page.get_by_text("已发起。")).to_be_visible()


def deliberate(person: Seat, walk: Walk) -> None:
    walk.until("deliberation")
    committee = person("academic-committee-1")
    committee.take("集体评议列入清单")
    write(committee, {"评议结论": "列入清单", "理由": "符合职务科技成果认定条件", "会议纪要": b"%PDF-1.4 minutes"})
    sign(committee)
    walk.until("publish")
    office = person("transfer-office-1")
    office.take("发布公示")
    write(office, {"公示链接": "https://hospital.example/notice/1", "发布日期": "2026-03-04"})
    office.finish()


def decide_the_plan(person: Seat, walk: Walk) -> None:
    walk.until("leadership-decision")
    leadership = person("leadership-1")
    leadership.take("集体决策实施方案")
    expect(leadership.page.get_by_text("普通许可五年").first).to_be_visible()
    write(leadership, {"决策": "同意", "理由": "集体研究同意", "会议纪要": b"%PDF-1.4 minutes"})
    sign(leadership)


def distribute(person: Seat, walk: Walk) -> None:
    walk.until("receipt")
    finance = person("finance-1")
    finance.take("登记到账与成本")
    write(
        finance,
        {
            "到账金额": "1000000.00",
            "到账日期": "2026-04-10",
            "知识产权费用": "23456.78",
            "评估与交易费用": "50000",
            "合同税费": "30000",
            "其他直接费用": "20000",
            "管理费": "40000",
            "运行分摊": "26543.22",
            "科研人力与投入": "10000",
        },
    )
    finance.finish()
    walk.until("distribution-plan")
    office = person("transfer-office-1")
    office.take("拟订分配方案")
    expect(office.page.get_by_text("净收入 800000 元")).to_be_visible()
    expect(office.page.get_by_text("奖励总额 560000")).to_be_visible()
    expect(processes.frame(office.page, "姓名").locator("input")).to_have_count(3)  # as agreed with the inventors
    office.finish()


def finish(person: Seat, walk: Walk, case: int) -> None:
    walk.until("payment")
    finance = person("finance-1")
    finance.take("发放奖励并附凭证")
    for line in ("甲：280000", "乙：168000", "丙：112000"):
        expect(finance.page.get_by_text(line)).to_be_visible()
    write(finance, {"发放日期": "2026-05-08", "发放凭证": b"%PDF-1.4 voucher"})
    finance.finish()
    walk.until("completion-report")
    office = person("transfer-office-1")
    office.take("报告转化完成")
    write(office, {"报告日期": "2026-05-08", "回执号": "WJ-2"})
    office.finish()
    researcher = person("researcher-1", narrow=True)
    researcher.open(f"/cases/{case}")
    expect(researcher.page.get_by_text("已完成").first).to_be_visible()
    expect(researcher.page.get_by_text("净收入（元）")).to_be_visible()
    for figure in ("123456.78", "76543.22", "800000", "560000"):  # direct and indirect cost, net income, reward pool
        expect(researcher.page.get_by_role("definition").get_by_text(figure, exact=True).first).to_be_visible()
