"""A real browser on a real server (loopback, a free port), with an engine in memory and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from engine.clock import TurnedClock
from engine.commands import passwords
from engine.facade import Engine
from engine.settings import Settings

from ..api import model
from ..provide_browser import chromium
from .serving import served

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "correct horse"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Person:
    """Somebody at a browser of their own; whatever goes wrong in it is noted."""

    def __init__(self, context: BrowserContext, address: str, username: str) -> None:
        self.context = context
        self.address = address
        self.username = username
        self.page: Page = context.new_page()
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda message: self.troubles.append(message.text) if message.type == "error" else None)

    def sign_in(self) -> None:
        """Sign in by the page."""
        self.open("/sign-in")
        self.page.get_by_label("用户名").fill(self.username)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_role("heading", name="收件箱")).to_be_visible()

    def open(self, place: str) -> None:
        """Go to a page and wait for what its scripts draw."""
        self.page.goto(self.address + place)
        self.settle()

    def settle(self) -> None:
        """Wait until forms, diagrams and replay are there."""
        for kind in ("[data-schema]", "[data-diagram-url]", "[data-replay-url]", "[data-decision-url]"):
            for place in self.page.locator(kind).all():
                expect(place).to_have_attribute("data-ready", "true", timeout=15_000)

    def take(self, task: str) -> None:
        """Claim a task out of the group's list and open it."""
        self.open("/?tab=groups")
        self.page.get_by_role("button", name=f"认领 {task}").first.click()
        self.open("/?tab=mine")
        self.page.get_by_role("link", name=task).first.click()
        self.settle()

    def finish(self, button: str = "完成任务") -> None:
        """Submit the open task."""
        self.page.get_by_role("button", name=button).click()
        expect(self.page.get_by_text("任务已完成。")).to_be_visible()

    def faults(self) -> list[str]:
        """Return what axe finds on the page that is open."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{fault['id']}: {node['html'][:200]}" for fault in found["violations"] for node in fault["nodes"]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium())
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=str(tmp_path), database_url=f"sqlite:///{tmp_path / 'liuzhuan.db'}", session_minutes=60)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine.open(settings.database_url, clock=NOW, settings=settings) as opened:
        for group, name in (("admin", "系统管理员"), ("auditor", "审计"), ("clerk", "经办"), ("chair", "主任")):
            opened.add_group(group, name)
        for username, name, groups in (
            ("root", "管理员甲", ["admin", "auditor"]),
            ("anna", "安娜", ["clerk"]),
            ("ben", "本", ["clerk"]),
            ("chris", "主任丙", ["chair"]),
        ):
            opened.add_user(username, name, groups=groups, password=PASSWORD)
        opened.deploy(model.resources(), by="root")
        yield opened


@pytest.fixture
def clock(engine: Engine) -> TurnedClock:
    assert isinstance(engine.clock, TurnedClock)
    return engine.clock


@pytest.fixture
def address(engine: Engine, settings: Settings) -> Iterator[str]:
    with served(engine, settings) as place:
        yield place


@pytest.fixture
def person(browser: Browser, address: str) -> Iterator[Callable[..., Person]]:
    """Return a function that seats somebody at a browser, signed in."""
    contexts = []
    seated: list[Person] = []

    def seat(username: str, *, narrow: bool = False) -> Person:
        context = browser.new_context(viewport=NARROW if narrow else WIDE, locale="zh-CN", timezone_id="UTC")
        context.set_default_timeout(10_000)
        contexts.append(context)
        somebody = Person(context, address, username)
        somebody.sign_in()
        seated.append(somebody)
        return somebody

    yield seat
    troubles = [trouble for somebody in seated for trouble in somebody.troubles]
    for context in contexts:
        context.close()
    assert troubles == []
