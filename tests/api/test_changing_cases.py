"""Administrators' pages: migrating running cases, correcting where one stands, and one thing done to many."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine import queries
from engine.facade import Engine

from ..unit.commands.office import line, task
from ..unit.kernel.drawing import draw
from . import model
from .conftest import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def second(engine: Engine) -> int:
    """A second version of the process, in which the check is called something else; its definition key."""
    files = model.resources()
    (name,) = [name for name in files if name.endswith(".bpmn") and b'id="expense"' in files[name]]
    content = files[name]
    content = content.encode() if isinstance(content, str) else content
    engine.deploy({name: content.replace("核对票据".encode(), "复核票据".encode()) + b"<!-- 2 -->"}, by="root")
    return queries.definitions(engine.context, "expense")[0].key


@pytest.fixture
def first(engine: Engine, second: int) -> int:
    return queries.definitions(engine.context, "expense")[1].key


def test_only_administrators_get_there(visit: Visit, case: int, first: int) -> None:
    anna = visit("anna")
    for place in (f"/definitions/process/{first}/migrate", f"/cases/{case}/modify", "/admin/batches", "/admin/batches/new"):
        assert anna.get(place).status_code == 403
    assert "迁移" not in anna.get(f"/cases/{case}").text


def test_cases_are_migrated_from_the_process_s_page(
    visit: Visit, engine: Engine, case: int, check: int, first: int, second: int
) -> None:
    root = visit("root")
    assert f"/definitions/process/{first}/migrate" in root.get(f"/definitions/process/{first}").text
    page = root.get(f"/definitions/process/{first}/migrate").text
    for word in ("预览：1 / 1 件可以迁移", "核对票据", "复核票据", "待办任务", "第 2 版"):
        assert word in page
    assert root.post(f"/definitions/process/{first}/migrate", target=second, reason=" ").status_code == 422
    assert engine.instance(case).version == 1
    started = root.post(f"/definitions/process/{first}/migrate", target=second, reason="新规定")
    assert started.status_code == 303
    assert "已处理 0 件，共 1 件" in root.get(started.location).text
    engine.run_due()
    progress = root.get(started.location, **{"HX-Request": "true"}).text
    assert "全部处理完：1 件成功，0 件没有成功。" in progress
    assert "<html" not in progress
    assert "新规定" in root.get("/admin/batches").text
    (found,) = engine.tasks(instance=case)
    assert (found.key, found.assignee, found.name) == (check, "ben", "复核票据")
    page = root.get(f"/cases/{case}").text
    assert "迁移到其他版本" in page
    assert "第 1 版 → 第 2 版，原因：新规定" in page


def test_the_mapping_is_adjusted_by_the_select_boxes(visit: Visit, engine: Engine, case: int, first: int, second: int) -> None:
    root = visit("root")
    page = root.get(f"/definitions/process/{first}/migrate?map.check=decide").text
    assert 'name="map.check" value="decide"' in page
    started = root.post(f"/definitions/process/{first}/migrate", target=second, reason="跳过核对", **{"map.check": "decide"})
    engine.run_due()
    assert engine.tasks(instance=case)[0].element_id == "decide"
    assert started.status_code == 303


def test_one_case_alone_and_what_cannot_be_migrated(visit: Visit, engine: Engine, case: int, first: int) -> None:
    root = visit("root")
    engine.deploy({"other.bpmn": draw(line(("u", task("u"))), process_id="other")}, by="root")
    (other,) = queries.definitions(engine.context, "other")
    page = root.get(f"/definitions/process/{first}/migrate?case={case}&target={other.key}").text
    assert "只迁移这一件" in page
    assert "1 件不能迁移" in page
    assert "目标流程没有元素" in page
    assert "the target has no such element" in root.get(f"/definitions/process/{first}/migrate?target={other.key}&lang=en").text
    assert "开始迁移" not in page


def test_replay_draws_each_step_on_its_own_diagram(visit: Visit, engine: Engine, case: int, first: int, second: int) -> None:
    engine.migrate(case, mapping={"check": "decide"}, by="root", reason="新规定")
    frames = visit("anna").get(f"/cases/{case}/replay/frames").json["frames"]
    assert f"/definitions/process/{first}/" in frames[0]["diagram"]
    assert f"/definitions/process/{second}/" in frames[-1]["diagram"]
    assert ["check", "decide"] in frames[-1]["moved"]
    assert any("核对票据" in line for line in frames[0]["lines"])


def test_a_case_is_put_somewhere_else_after_a_look_at_the_effect(visit: Visit, engine: Engine, case: int) -> None:
    root = visit("root")
    page = root.get(f"/cases/{case}/modify").text
    key = engine.tasks(instance=case)[0].key
    assert f'value="{key}"' in page
    assert 'data-picks="activate"' in page
    given = {"activate": "decide", "terminate": str(key), "process": "expense", "variables": 'opinion = "免核"'}
    effect = root.post(f"/cases/{case}/modify", act="preview", **given).text
    assert "执行后会这样" in effect
    assert "任务取消：核对票据" in effect
    assert engine.tasks(instance=case)[0].key == key
    assert root.post(f"/cases/{case}/modify", act="run", reason=" ", **given).status_code == 422
    assert root.post(f"/cases/{case}/modify", act="run", reason="急件", **given).status_code == 303
    assert engine.tasks(instance=case)[0].element_id == "decide"
    assert engine.variables(case)["opinion"] == "免核"
    wrong = root.post(f"/cases/{case}/modify", act="preview", activate="nothing")
    assert wrong.status_code == 422
    assert "不能从元素" in wrong.text


def test_many_are_suspended_from_the_list(visit: Visit, engine: Engine, case: int) -> None:
    root = visit("root")
    links = re.findall(r'href="(/admin/batches/new\?[^"]*)"', root.get("/cases?q=报销").text)
    assert len(links) == 3
    page = root.get(links[0].replace("&amp;", "&")).text
    assert "1 件符合" in page
    started = root.post("/admin/batches/new", kind="suspend", q="报销", process="", state="", element="", reason="审计")
    assert started.status_code == 303
    engine.run_due()
    assert engine.instance(case).suspended_reason == "审计"
    assert root.post("/admin/batches/new", kind="explode", q="", process="", state="", element="", reason="x").status_code == 422
    assert (
        root.post("/admin/batches/new", kind="suspend", q="没有", process="", state="", element="", reason="x").status_code == 422
    )
