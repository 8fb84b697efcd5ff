"""The application on an engine in memory, with a clock that tests turn, and people who click."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.test import TestResponse

from engine.clock import TurnedClock
from engine.commands import passwords
from engine.facade import Engine
from engine.settings import Settings
from webui.app import create_app

from . import model

PASSWORD = "correct horse"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # Friday, 10:00 in Shanghai


class Visitor:
    """A browser as far as the server knows: it keeps cookies, and sends the token of the last page with each form."""

    def __init__(self, app: Flask, username: str | None = None) -> None:
        self.client = app.test_client()
        self.token = ""
        if username is not None:
            assert self.sign_in(username).status_code == 303

    def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> TestResponse:
        """Open the sign-in page and send it."""
        self.get("/sign-in")
        return self.post("/sign-in", username=username, password=password, **more)

    def get(self, place: str, **headers: str) -> TestResponse:
        """Open a page."""
        response = self.client.get(place, headers=headers)
        found = re.search(r'name="csrf-token" content="([^"]+)"', response.text) if response.mimetype == "text/html" else None
        if found:
            self.token = found.group(1)
        return response

    def post(self, place: str, **fields: Any) -> TestResponse:
        """Send a form."""
        return self.client.post(place, data={"csrf_token": self.token, **fields})

    def submit(self, place: str, data: dict[str, Any], **fields: Any) -> TestResponse:
        """Send a Camunda form."""
        return self.post(place, data=json.dumps(data, ensure_ascii=False), **fields)

    def send_json(self, place: str, data: Any) -> TestResponse:
        """Do as a page's script does."""
        headers = {"X-CSRFToken": self.token, "Accept": "application/json"}
        return self.client.post(place, data=json.dumps(data), content_type="application/json", headers=headers)


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes passwords dear to guess makes tests slow; the real cost is measured elsewhere."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_directory=str(tmp_path), database_url="sqlite://", session_minutes=60, upload_megabytes=1)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine.open("sqlite://", clock=NOW, settings=settings) as opened:
        for group, name in (("admin", "系统管理员"), ("auditor", "审计"), ("clerk", "经办"), ("chair", "主任")):
            opened.add_group(group, name)
        for username, name, groups in (
            ("root", "管理员甲", ["admin"]),
            ("audrey", "审计甲", ["auditor"]),
            ("anna", "安娜", ["clerk"]),
            ("ben", "本", ["clerk"]),
            ("chris", "主任丙", ["chair"]),
            ("dora", "外人", []),
        ):
            opened.add_user(username, name, groups=groups, password=PASSWORD)
        opened.deploy(model.resources(), by="root")
        yield opened


@pytest.fixture
def clock(engine: Engine) -> TurnedClock:
    assert isinstance(engine.clock, TurnedClock)
    return engine.clock


@pytest.fixture
def app(engine: Engine, settings: Settings) -> Flask:
    return create_app(engine, settings)


@pytest.fixture
def visit(app: Flask) -> Callable[..., Visitor]:
    """Return a function that opens a browser, signed in as somebody."""

    def open_browser(username: str | None = None) -> Visitor:
        return Visitor(app, username)

    return open_browser


@pytest.fixture
def case(engine: Engine) -> int:
    """A case that Anna started; its check waits for a clerk."""
    items = [{"what": "车票", "price": 100}, {"what": "=1+1", "price": -20.5}]
    return engine.submit("expense", {"purpose": "参会", "amount": 120.5, "items": items, "receipts": None}, by="anna")


@pytest.fixture
def check(engine: Engine, case: int) -> int:
    """The check of that case, claimed by Ben."""
    key = engine.tasks(instance=case)[0].key
    engine.claim(key, by="ben")
    return key


@pytest.fixture
def decision(engine: Engine, case: int, check: int) -> int:
    """The decision of that case, claimed by Chris."""
    engine.complete(check, {"opinion": "票据齐全"}, by="ben")
    key = engine.tasks(instance=case)[0].key
    engine.claim(key, by="chris")
    return key
