"""axe finds nothing on any page, wide and narrow, and nothing is wider than a narrow screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import queries
from engine.facade import Engine

from .conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TABLE = Path(__file__).parents[2] / "processes" / "data-transfer" / "reward-share.dmn"
PAGES = (
    "/",
    "/?tab=groups",
    "/?tab=all",
    "/start",
    "/start/expense",
    "/cases",
    "/cases/{case}",
    "/cases/{case}/replay",
    "/tasks/{task}",
    "/alerts",
    "/account",
    "/definitions",
    "/definitions/process/{process}",
    "/definitions/form/{form}",
    "/definitions/decision/{decision}",
    "/statistics",
    "/audit",
    "/admin/users",
    "/admin/users/anna",
    "/admin/groups",
    "/admin/calendar?year=2026",
    "/admin/incidents",
    "/admin/settings",
    "/nowhere",
)


@pytest.fixture
def places(engine: Engine) -> list[str]:
    engine.deploy({TABLE.name: TABLE.read_bytes()}, by="root")
    engine.submit("expense", {"purpose": "参会", "amount": 12, "items": [{"what": "车票", "price": 12}]}, by="anna")
    task = engine.tasks()[0]
    engine.claim(task.key, by="ben")
    keys = {
        "case": task.process_instance_key,
        "task": task.key,
        "process": task.process_definition_key,
        "form": task.form_key,
        "decision": queries.resources(engine.context, "decision")[0].key,
    }
    return [page.format(**keys) for page in PAGES]


@pytest.mark.parametrize("narrow", [False, True])
def test_pages(person: Callable[..., Person], places: list[str], narrow: bool) -> None:
    root = person("root", narrow=narrow)
    found = {}
    for place in places:
        root.open(place)
        if faults := root.faults():
            found[place] = faults
        width = root.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if width > 0:
            found.setdefault(place, []).append(f"{width} px wider than the screen")
    root.troubles = [trouble for trouble in root.troubles if "404" not in trouble]
    assert found == {}


def test_the_form_that_is_filled_in(person: Callable[..., Person], engine: Engine, places: list[str]) -> None:
    ben = person("ben", narrow=True)
    ben.open(next(place for place in places if place.startswith("/tasks/")))
    ben.page.get_by_role("button", name="完成任务").click()
    assert ben.faults() == []
    ben.page.get_by_role("button", name="菜单").click()
    assert ben.faults() == []


def test_the_sign_in_page(person: Callable[..., Person]) -> None:
    anna = person("anna")
    anna.page.get_by_role("button", name="退出").click()
    assert anna.faults() == []
