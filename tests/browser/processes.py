"""The real processes, forms and people in a browser: an engine that holds them, and forms filled by their labels."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Locator, Page, expect

from engine.clock import TurnedClock
from engine.facade import Engine
from engine.scenarios import read_scenario, runner
from engine.scenarios.organisation import read_organisation
from engine.scenarios.reading import Act
from engine.settings import Settings

from .conftest import PASSWORD, Person

ROOT = Path(__file__).parents[2]
PROCESSES, FORMS = ROOT / "processes", ROOT / "forms"
Answer = str | bool | bytes | Sequence[str]
"""What is written into a field: text or an option's label, a tick, a document, several options."""
_FOLDER = TemporaryDirectory(prefix="liuzhuan-browser-")


def moment(text: str) -> datetime:
    """Return the moment that the hospital's clocks show as `2026-11-20T18:05`."""
    return datetime.fromisoformat(f"{text}+08:00")


@cache
def _template() -> Path:
    """Return a database with everything deployed and everybody entered, made once."""
    file = Path(_FOLDER.name) / "template.db"
    settings = Settings(sqlite_synchronous="NORMAL")
    with Engine.open(f"sqlite:///{file}", clock=moment("2026-01-01T08:00"), settings=settings) as engine:
        read_organisation(PROCESSES / "organisation.yaml").enter(engine, password=PASSWORD)
        engine.deploy(runner.resources_below([PROCESSES, FORMS]), by="admin")
    return file


def settings_in(folder: Path) -> Settings:
    """Return settings with sessions that outlive the months a case takes."""
    return Settings(data_directory=str(folder), database_url=f"sqlite:///{folder / 'liuzhuan.db'}", session_minutes=1_000_000)


@contextmanager
def opened(settings: Settings, now: datetime) -> Iterator[Engine]:
    """Yield an engine on the real processes and people, its clock standing at `now`."""
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    shutil.copyfile(_template(), file)
    with Engine.open(settings.database_url, clock=now, settings=settings) as engine:
        yield engine


def clock(engine: Engine) -> TurnedClock:
    """Return an engine's clock, to be turned."""
    assert isinstance(engine.clock, TurnedClock)
    return engine.clock


def turn(engine: Engine, text: str) -> None:
    """Turn the clock to the hospital's `2026-11-20T18:05`, doing on the way what is due, each at its time."""
    runner.pass_time(engine, clock(engine), moment(text))
    engine.run_due()


class Walk:
    """A scenario of `processes/` whose steps are done without the browser, except those that a test does in it."""

    def __init__(self, engine: Engine, path: str) -> None:
        self.engine = engine
        self.scenario = read_scenario(PROCESSES / path)
        self._steps = iter(self.scenario.steps)

    def until(self, element: str) -> None:
        """Do the steps before the one that completes a task at an element; the time is then that step's, the task is open."""
        for step in self._steps:
            if step.at is not None:
                runner.pass_time(self.engine, clock(self.engine), step.at)
            act = step.act
            if act is not None and act.kind == "complete" and act.target == element:
                return
            if act is not None:
                self._do(act)
        raise AssertionError(f"no step completes {element}")

    def _do(self, act: Act) -> None:
        values = act.options.get("with") or {}
        if act.kind == "complete":
            complete(
                self.engine,
                act.target,
                act.options["by"],
                values,
                *act.options.get("files") or (),
                where=act.options.get("where"),
            )
        else:
            assert act.kind == "message", f"{act.kind} is not done here"
            self.engine.publish(act.target, str(act.options["key"]), values)


def complete(
    engine: Engine, element: str, by: str, values: Mapping[str, Any], *files: str, where: Mapping[str, Any] | None = None
) -> None:
    """Complete an open task without the browser; `files`: fields that get a document, `where`: variables that the task sees."""
    tasks = [task for task in engine.tasks(element_id=element) if engine.may_work(task.key, by)]
    task = next(task for task in tasks if (where or {}).items() <= engine.variables(task.key).items())
    if task.assignee is None:
        engine.claim(task.key, by=by)
    documents = {field: [engine.attach(f"{field}.pdf", "application/pdf", b"%PDF-1.4", by=by)] for field in files}
    engine.complete(task.key, {**values, **documents}, by=by, password=PASSWORD)


def write(person: Person, answers: Mapping[str, Answer], row: int = 0) -> None:
    """Fill fields of the open form by their labels, as a person would; `row` (from 0) where several have the same label."""
    for label, answer in answers.items():
        _write(frame(person.page, label).nth(row), answer)


def add_row(person: Person, rows_label: str) -> None:
    """Add a row to a list."""
    person.page.locator(".fjs-form-field-dynamiclist", has_text=rows_label).get_by_role("button", name="添加").click()


def look(person: Person, task: str) -> None:
    """Open a task that is one's own already."""
    person.open("/?tab=mine")
    person.page.get_by_role("link", name=task, exact=True).first.click()
    person.settle()


def sign(person: Person) -> None:
    """Sign and finish the open task."""
    person.page.get_by_label("再次输入密码以签名").fill(PASSWORD)
    person.finish("签名并完成")


def frame(page: Page, label: str) -> Locator:
    """Return the frames (label, control, errors) of all fields with a label."""
    said = page.locator("label.fjs-form-field-label", has_text=re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$"))
    of_field = "contains(concat(' ', @class, ' '), ' fjs-form-field ')"
    return said.locator(f"xpath=ancestor::*[{of_field}][1][not(.//*[{of_field}])]")  # not a group or a list


def _write(frame: Locator, answer: Answer) -> None:
    control = frame.locator("input, select, textarea").first
    kind = control.evaluate("control => control.type")
    if isinstance(answer, bool):
        control.set_checked(answer)
    elif isinstance(answer, bytes):
        control.set_input_files({"name": "附件.pdf", "mimeType": "application/pdf", "buffer": answer})
        expect(frame.get_by_role("link", name="附件.pdf")).to_be_visible()
    elif kind in {"radio", "checkbox"}:
        for option in [answer] if isinstance(answer, str) else answer:
            frame.get_by_label(option, exact=True).check()
    elif kind == "select-one":
        control.select_option(label=str(answer))
    else:
        control.fill(str(answer))
