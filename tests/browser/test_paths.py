"""Paths through the pages, as several people, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from engine.clock import TurnedClock
from engine.facade import Engine

from ..api import model
from .conftest import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]


def start(anna: Person) -> None:
    """Start a case with the start form."""
    anna.open("/start")
    anna.page.get_by_role("link", name="填写：报销").click()
    anna.settle()
    anna.page.get_by_label("事由").fill("参会")
    anna.page.get_by_label("总额（元）").fill("120.5")
    anna.page.get_by_label("名目").fill("车票")
    anna.page.get_by_label("金额").fill("120.5")
    anna.page.get_by_label("票据").set_input_files({"name": "车票.txt", "mimeType": "text/plain", "buffer": b"ticket"})
    expect(anna.page.get_by_role("link", name="车票.txt")).to_be_visible()
    anna.page.get_by_role("button", name="提交并发起").click()
    expect(anna.page.get_by_text("已发起。")).to_be_visible()


def test_a_case_goes_from_start_to_end_as_three_people(person: Seat, engine: Engine) -> None:
    anna, ben, chris = person("anna"), person("ben"), person("chris")
    start(anna)
    ben.take("核对票据")
    expect(ben.page.get_by_text("事由：参会")).to_be_visible()
    ben.page.get_by_label("核对意见").fill("票据齐全")
    ben.page.get_by_label("核对时间").fill("2026-11-20T10:05")
    ben.finish()
    chris.take("审批")
    chris.page.get_by_label("同意", exact=True).check()
    chris.page.get_by_label("理由").fill("符合规定")
    chris.page.get_by_label("再次输入密码以签名").fill(PASSWORD)
    chris.finish("签名并完成")
    case = engine.tasks()
    assert case == ()
    chris.open("/?tab=done")
    expect(chris.page.get_by_role("link", name="审批")).to_be_visible()
    anna.open("/cases")
    anna.page.get_by_role("link", name="EX-2026-001").click()
    anna.settle()
    expect(anna.page.get_by_text("已完成").first).to_be_visible()
    # Typed in the hospital's time, whatever the browser's.
    expect(anna.page.get_by_text("2026-11-20 10:05", exact=True)).to_be_visible()
    expect(anna.page.get_by_role("link", name="车票.txt").first).to_be_visible()


def test_replay_plays_the_case_on_its_diagram(person: Seat, engine: Engine) -> None:
    anna, root = person("anna"), person("root")
    start(anna)
    task = engine.tasks()[0]
    engine.complete(task.key, {"opinion": "票据齐全"}, by="ben")
    root.open(f"/cases/{task.process_instance_key}/replay")
    page = root.page
    expect(page.locator(".is-open[data-element-id=check]")).to_have_count(1)
    page.keyboard.press("End")
    expect(page.locator(".is-done[data-element-id=check]")).to_have_count(1)
    expect(page.locator(".is-open[data-element-id=decide]")).to_have_count(1)
    expect(page.get_by_text("完成任务：核对票据")).to_be_visible()
    expect(page.get_by_text("票据齐全")).to_be_visible()
    page.get_by_role("button", name="后退一步").click()
    expect(page.locator(".is-open[data-element-id=check]")).to_have_count(1)
    page.get_by_role("button", name="播放").click()
    expect(page.locator(".is-open[data-element-id=decide]")).to_have_count(1)
    expect(page.locator(".bjs-powered-by")).to_be_visible()


def test_errors_stand_at_their_fields_and_in_a_summary_that_has_the_focus(person: Seat, engine: Engine) -> None:
    anna, chris = person("anna"), person("chris")
    start(anna)
    engine.complete(engine.tasks()[0].key, {"opinion": "齐"}, by="ben")
    chris.take("审批")
    page = chris.page
    page.get_by_label("再次输入密码以签名").fill(PASSWORD)
    page.get_by_role("button", name="签名并完成").click()
    summary = page.locator("[data-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("表单有 2 处需要更正")
    summary.get_by_role("link", name="理由：必填").click()
    expect(page.get_by_label("理由")).to_be_focused()
    page.keyboard.type("符合规定")  # and submitted at once: the last keystrokes count
    page.get_by_label("同意", exact=True).check()
    page.get_by_role("button", name="签名并完成").click()
    expect(page.get_by_text("任务已完成。")).to_be_visible()


def test_what_the_server_refuses_stands_at_the_field(person: Seat, engine: Engine) -> None:
    phone = '=[{pattern: "1[3-9][0-9]{9}", label: "手机号"}]'
    engine.deploy({"expense.bpmn": model.bpmn(version=2, forbiddenPatterns=phone)})
    anna = person("anna")
    anna.open("/start/expense")
    page = anna.page
    page.get_by_label("事由").fill("电话 13912345678")
    page.get_by_label("总额（元）").fill("5")
    page.get_by_label("名目").fill("x")
    page.get_by_role("button", name="提交并发起").click()
    expect(page.locator("[data-summary]")).to_contain_text("手机号")
    expect(page.locator(".fjs-form-field-error")).to_contain_text("手机号")
    expect(page.get_by_label("事由")).to_have_value("电话 13912345678")
    anna.troubles.clear()  # the 422 itself


def test_a_click_is_not_lost_when_an_error_line_appears(person: Seat) -> None:
    anna = person("anna")
    anna.open("/start/expense")
    page = anna.page
    page.get_by_label("事由").focus()
    before = page.get_by_label("总额（元）").bounding_box()
    page.keyboard.press("Tab")
    expect(page.locator(".fjs-form-field-error").first).to_have_text("必填")
    assert page.get_by_label("总额（元）").bounding_box() == before


def test_a_draft_is_kept_while_it_is_typed(person: Seat) -> None:
    anna = person("anna")
    anna.open("/start/expense")
    page = anna.page
    page.get_by_label("事由").fill("写到一半")
    expect(page.get_by_text("草稿已保存")).to_be_visible()
    assert "draft=" in page.url
    page.reload()
    anna.settle()
    expect(page.get_by_label("事由")).to_have_value("写到一半")


def test_an_expired_session_is_renewed_on_the_page(person: Seat, clock: TurnedClock) -> None:
    anna = person("anna")
    anna.open("/start/expense")
    page = anna.page
    clock.advance(timedelta(hours=2))
    page.get_by_label("事由").fill("写了一小时")
    dialog = page.get_by_role("dialog", name="会话已过期")
    expect(dialog).to_be_visible()
    dialog.get_by_label("密码").fill(PASSWORD)
    dialog.get_by_role("button", name="登录").click()
    expect(page.get_by_text("草稿已保存")).to_be_visible()
    expect(page.get_by_label("事由")).to_have_value("写了一小时")
    anna.troubles.clear()  # the 401 itself


def test_the_inbox_from_the_keyboard(person: Seat, engine: Engine) -> None:
    for purpose in ("买书", "参会", "打印"):
        engine.submit("expense", {"purpose": purpose, "amount": 1, "items": []}, by="anna")
    ben = person("ben")
    ben.open("/?tab=groups")
    page = ben.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-row-link]").first).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_text("已认领。")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="键盘快捷键")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="键盘快捷键")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("打印")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("[data-row-link]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="核对票据")).to_be_visible()


def test_a_manager_deploys_a_changed_deadline_and_it_takes_effect(person: Seat, engine: Engine) -> None:
    root = person("root")
    root.open("/definitions")
    page = root.page
    changed = model.bpmn(due='=now() + duration("PT45M")', version=2)
    page.get_by_label("文件").set_input_files({"name": "expense.bpmn", "mimeType": "application/xml", "buffer": changed})
    page.get_by_role("button", name="部署", exact=True).click()
    expect(page.get_by_text("部署成功。")).to_be_visible()
    page.get_by_role("link", name=re.compile("报销")).click()
    root.settle()
    expect(page.get_by_text("第 2 版").first).to_be_visible()
    engine.submit("expense", {"purpose": "急件", "amount": 1, "items": []}, by="anna")
    ben = person("ben")
    ben.open("/?tab=groups")
    expect(ben.page.get_by_text("还有 45 分钟")).to_be_visible()
