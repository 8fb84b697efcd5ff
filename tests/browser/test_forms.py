"""Forms for everybody: questions are heard, lists fit a telephone, no row is blank; the diagram shows one's own task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from engine.facade import Engine
from engine.settings import Settings

from . import processes
from .conftest import Person
from .processes import Walk, add_row, write

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Seat = Callable[..., Person]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return processes.settings_in(tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with processes.opened(settings, processes.moment("2026-11-20T18:05")) as opened:
        yield opened


def test_choices_say_which_question_they_answer(person: Seat) -> None:
    applicant = person("investigator-1")
    applicant.open("/start/iit-review")
    experience = applicant.page.get_by_role("radiogroup", name="PI 的研究经验")
    expect(experience.get_by_role("radio", name="主持或参加过临床研究")).to_be_visible()
    plan = applicant.page.get_by_role("group", name="风险控制计划已写明")
    expect(plan.get_by_role("checkbox", name="预期事件")).to_be_visible()
    assert applicant.faults() == []


def test_texts_that_say_nothing_take_no_room(person: Seat) -> None:
    applicant = person("investigator-1")
    applicant.open("/start/iit-review")
    silent = applicant.page.locator(".fjs-form-field-text:empty")
    assert silent.count() > 0
    for empty in silent.all():
        expect(empty).to_be_hidden()


def test_a_list_of_long_options_fits_a_telephone(person: Seat) -> None:
    researcher = person("researcher-1", narrow=True)
    researcher.open("/start/data-transfer")
    write(researcher, {"成果类型": "数据集或数据库"})
    add_row(researcher, "主交付物")
    assert researcher.page.evaluate("document.documentElement.scrollWidth") <= 390
    for control in researcher.page.locator(".fjs-form-field-dynamiclist select").all():
        box = control.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390


def test_the_diagram_shows_ones_own_task(person: Seat, engine: Engine) -> None:
    engine.start("sae-escalation", by="investigator-1")
    Walk(engine, "sae-escalation/scenarios/qc-return-does-not-stop-clock.yaml").until("qc-check")
    officer = person("qc-officer-1")
    officer.take("核对报告完整性")
    expect(officer.page.locator(".is-own")).to_have_attribute("data-element-id", "qc-check")
    assert lies_within(officer.page.locator(".is-own"), officer.page.locator("[data-canvas]"))


def test_a_diagram_that_cannot_be_drawn_is_not_awaited_for_ever(person: Seat, engine: Engine) -> None:
    case = engine.start("sae-escalation", by="investigator-1")
    officer = person("admin")
    officer.page.route("**/definitions/process/*/file*", lambda route: route.fulfill(body="<nothing/>"))
    officer.page.goto(f"{officer.address}/cases/{case}")
    canvas = officer.page.locator("[data-canvas]")
    expect(canvas).to_contain_text("图形没有显示")
    assert canvas.get_attribute("aria-busy") is None


def lies_within(inner: Locator, outer: Locator) -> bool:
    """Whether one thing on a page lies within another."""
    part, whole = inner.bounding_box(), outer.bounding_box()
    assert part is not None
    assert whole is not None
    beside = whole["x"] <= part["x"] and part["x"] + part["width"] <= whole["x"] + whole["width"]
    return beside and whole["y"] <= part["y"] and part["y"] + part["height"] <= whole["y"] + whole["height"]
