"""Administrators migrate cases and correct where one stands, with the keyboard, on a wide and on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from engine import queries
from engine.facade import Engine

from ..api import model
from .conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def case(engine: Engine) -> int:
    items = [{"what": "车票", "price": 100}]
    return engine.submit("expense", {"purpose": "参会", "amount": 120.5, "items": items, "receipts": None}, by="anna")


@pytest.mark.parametrize("narrow", [False, True])
def test_cases_are_migrated_by_keyboard_and_replayed_on_two_diagrams(
    person: Callable[..., Person], engine: Engine, case: int, narrow: bool
) -> None:
    files = model.resources()
    (name,) = [name for name in files if name.endswith(".bpmn")]
    engine.deploy(
        {name: files[name].replace(b'"check"', b'"review"').replace("核对票据".encode(), "复核票据".encode())}, by="root"
    )
    old = queries.definitions(engine.context, "expense")[1].key
    root = person("root", narrow=narrow)
    root.open(f"/definitions/process/{old}")
    root.page.get_by_role("link", name="把在办事项迁移到其他版本").press("Enter")
    expect(root.page.get_by_text("1 件不能迁移").first).to_be_visible()
    assert root.faults() == []
    select = root.page.get_by_label("核对票据 迁移到")
    select.focus()
    select.select_option("review")
    expect(root.page.get_by_role("heading", name="预览：1 / 1 件可以迁移")).to_be_visible()
    root.page.get_by_label("原因").fill("新规定")
    root.page.get_by_role("button", name="开始迁移").press("Enter")
    expect(root.page.get_by_text("已处理 0 件，共 1 件")).to_be_visible()
    engine.run_due()
    expect(root.page.get_by_text("全部处理完：1 件成功")).to_be_visible()
    assert root.faults() == []
    root.open(f"/cases/{case}/replay")
    expect(root.page.locator('[data-element-id="check"]').first).to_be_visible()
    root.page.keyboard.press("End")
    expect(root.page.locator('[data-element-id="review"].is-open').first).to_be_visible()
    assert root.page.locator('[data-element-id="check"]').count() == 0
    root.page.keyboard.press("Home")
    expect(root.page.locator('[data-element-id="check"].is-open').first).to_be_visible()


def test_a_case_is_put_before_an_element_that_is_clicked(person: Callable[..., Person], engine: Engine, case: int) -> None:
    root = person("root")
    root.open(f"/cases/{case}")
    root.page.get_by_role("link", name="更正所处位置").press("Enter")
    root.settle()
    root.page.locator('[data-element-id="decide"]').first.click()
    expect(root.page.get_by_label("从这个元素开始")).to_have_value("decide")
    root.page.get_by_label("核对票据").press("Space")
    root.page.get_by_role("button", name="先看结果").press("Enter")
    effect = root.page.get_by_role("status").filter(has_text="执行后会这样")
    expect(effect).to_be_focused()
    expect(effect).to_contain_text("任务取消：核对票据")
    assert root.faults() == []
    root.page.get_by_label("原因").fill("急件")
    root.page.get_by_role("button", name="执行更正").press("Enter")
    expect(root.page.get_by_text("已更正所处位置。")).to_be_visible()
    assert [task.element_id for task in engine.tasks(instance=case)] == ["decide"]
