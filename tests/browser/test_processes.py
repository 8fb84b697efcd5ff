"""Each process from its start to its end, as all its people, in a real browser.

A scenario of `processes/` is played as `liuzhuan scenario` plays it, with the same expectations after each step; but what people
complete, they complete on the task's page: they claim, fill in the form, sign, and submit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.errors import InvalidSubmission, Problem
from engine.facade import Engine
from engine.scenarios import Scenario, acts, read_scenarios, run
from engine.scenarios.organisation import read_organisation
from engine.scenarios.reading import Act
from engine.scenarios.runner import Template, resources_below

from .conftest import WIDE
from .filling import Form
from .serving import served

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = ROOT / "processes"
PLAYED = {
    "data-transfer": "s1-licence-one-million",
    "iit-review": "s1-interventional-drug",
    "sae-escalation": "capa-until-verified",
}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


@pytest.fixture
def template() -> Iterator[Template]:
    made = Template(resources_below([PROCESSES, ROOT / "forms"]), read_organisation(PROCESSES / "organisation.yaml"))
    yield made
    made.close()


class House:
    """The people of a scenario, each at a browser of their own, at one server."""

    def __init__(self, browser: Browser, tmp_path: Path) -> None:
        self.browser = browser
        self.folder = tmp_path
        self.pages: dict[str, Page] = {}
        self.troubles: list[str] = []
        self.address = ""
        self.open_things = ExitStack()

    def open(self, engine: Engine) -> None:
        """Serve the scenario's engine."""
        self.address = self.open_things.enter_context(served(engine, engine.context.settings))

    def close(self) -> None:
        """Send everybody home."""
        for page in self.pages.values():
            page.context.close()
        self.open_things.close()

    def page_at(self, place: str, username: str) -> Page:
        """Return somebody's page at a place; days may have passed, so that they sign in again."""
        if username not in self.pages:
            page = self.browser.new_context(viewport=WIDE, locale="zh-CN", timezone_id="UTC").new_page()
            page.on("pageerror", lambda error: self.troubles.append(str(error)))
            self.pages[username] = page
        page = self.pages[username]
        page.goto(self.address + place)
        if "/sign-in" in page.url:
            page.get_by_label("用户名").fill(username)
            page.get_by_label("密码").fill(acts.PASSWORD)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url(self.address + place)
        return page

    def complete(self, engine: Engine, act: Act, case: int, folder: Path) -> None:
        """Complete a task on its page."""
        if not self.address:
            self.open(engine)
        task = acts._open_task(engine, act, case)
        page = self.page_at(f"/tasks/{task.key}", act.options.get("by") or task.assignee)
        if page.locator("#submission").count() == 0:
            page.get_by_role("button", name="认领", exact=True).click()
            page.locator("#submission").wait_for()  # the page of the claimed task, not the one before it
        if page.locator("[data-schema]").count():
            expect(page.locator("[data-schema]")).to_have_attribute("data-ready", "true")
            Form(page, engine.variables(task.key)).fill(act.options.get("with") or {}, act.options.get("files") or {})
        if page.get_by_label("再次输入密码以签名").count():
            page.get_by_label("再次输入密码以签名").fill(acts.PASSWORD)
        page.get_by_role("button", name="完成").click()
        done = page.get_by_text("任务已完成。")
        expect(done.or_(page.locator("[data-summary]:not([hidden])"))).to_be_visible()
        if not done.is_visible():
            raise _refusal(page)


def _refusal(page: Page) -> InvalidSubmission:
    found: list[dict[str, Any]] = json.loads(page.locator("[data-schema]").get_attribute("data-problems") or "[]")
    said = page.locator("[data-summary]").inner_text()
    problems = [Problem(item["field"], item["label"], item["message"], item["rule"]) for item in found]
    return InvalidSubmission(problems or [Problem("", "", said)])


@pytest.fixture
def house(browser: Browser, tmp_path: Path) -> Iterator[House]:
    opened = House(browser, tmp_path)
    yield opened
    opened.close()
    assert opened.troubles == []


def scenario_of(process: str) -> Scenario:
    found = read_scenarios([PROCESSES / process])
    return next(scenario for scenario in found if scenario.name == PLAYED[process])


@pytest.mark.parametrize("process", [pytest.param(name, marks=pytest.mark.xdist_group(f"browser-{name}")) for name in PLAYED])
def test_main_path(process: str, template: Template, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    performers: dict[str, Callable[..., Any]] = acts._PERFORM  # type: ignore[assignment]
    monkeypatch.setitem(performers, "complete", house.complete)
    outcome = run(scenario_of(process), template)
    assert outcome.passed, "\n".join(outcome.failures)
