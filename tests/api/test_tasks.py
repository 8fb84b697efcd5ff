"""The inbox and a task: claimed, filled in, refused with what was typed kept, signed, completed once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from engine.clock import TurnedClock
from engine.facade import Engine

from . import model
from .conftest import PASSWORD, Visitor

Visit = Callable[..., Visitor]


def attribute(page: str, name: str) -> Any:
    """Return the JSON of a data attribute of a page."""
    found = re.search(rf'data-{name}="([^"]*)"', page)
    assert found is not None, name
    return json.loads(html.unescape(found.group(1)))


# --- the inbox


def test_the_inbox_says_how_much_time_is_left(visit: Visit, case: int, clock: TurnedClock) -> None:
    ben = visit("ben")
    assert "还有 3 小时" in ben.get("/?tab=groups").text
    clock.advance(timedelta(hours=3, days=2))
    page = visit("ben").get("/?tab=overdue").text
    assert "已逾期 2 天" in page
    assert "EX-2026-001" in page


def test_a_task_is_overdue_from_its_due_moment_on(visit: Visit, engine: Engine, case: int, clock: TurnedClock) -> None:
    due_at = engine.tasks()[0].due_at
    assert due_at is not None
    clock.advance(due_at - clock.now())
    page = visit("ben").get("/?tab=overdue").text
    assert "EX-2026-001" in page
    assert "已逾期" in page


def test_who_applied_is_not_offered_the_check(visit: Visit, case: int) -> None:
    assert "核对票据" not in visit("anna").get("/?tab=groups").text
    assert "核对票据" in visit("ben").get("/?tab=groups").text
    assert "核对票据" not in visit("dora").get("/?tab=groups").text


def test_search_finds_by_business_id_subject_and_process(visit: Visit, case: int) -> None:
    ben = visit("ben")
    for word in ("EX-2026-001", "参会", "报销"):
        assert "核对票据" in ben.get(f"/?tab=groups&q={word}").text
    nothing = ben.get("/?tab=groups&q=<script>")
    assert "没有符合" in nothing.text
    assert "<script>”" not in nothing.text


def test_htmx_gets_the_list_alone(visit: Visit, case: int) -> None:
    part = visit("ben").get("/?tab=groups", **{"HX-Request": "true"}).text
    assert "<html" not in part
    assert "核对票据" in part


def test_claiming_and_giving_back(visit: Visit, engine: Engine, case: int) -> None:
    key = engine.tasks(instance=case)[0].key
    ben = visit("ben")
    ben.get("/?tab=groups")
    assert ben.post(f"/tasks/{key}/claim", back="/?tab=groups").location == "/?tab=groups"
    assert engine.tasks(instance=case)[0].assignee == "ben"
    ben.post(f"/tasks/{key}/unclaim")
    assert engine.tasks(instance=case)[0].assignee is None


def test_a_stale_claim_is_a_conflict_in_words(visit: Visit, engine: Engine, check: int) -> None:
    engine.add_user("bob", "波", groups=["clerk"], password=PASSWORD)
    bob = visit("bob")
    bob.get("/")
    response = bob.post(f"/tasks/{check}/claim")
    assert response.status_code in {403, 409}
    assert engine.tasks(assignee="ben")


def test_what_one_may_not_know_of_is_not_found(visit: Visit, check: int, case: int) -> None:
    dora = visit("dora")
    assert dora.get(f"/tasks/{check}").status_code == 404
    assert dora.get(f"/cases/{case}").status_code == 404
    assert dora.get(f"/cases/{case}/replay/frames").status_code == 404


# --- filling in


def test_the_page_holds_form_facts_and_course(visit: Visit, check: int) -> None:
    page = visit("ben").get(f"/tasks/{check}").text
    assert attribute(page, "schema")["id"] == "expense-check"
    assert attribute(page, "values")["purpose"] == "参会"
    assert attribute(page, "states")["open"] == ["check"]
    for word in ("总额（元）", "120.5", "安娜", "任务到达：核对票据"):
        assert word in page


def test_a_refused_submission_comes_back_with_what_was_typed(visit: Visit, engine: Engine, decision: int) -> None:
    chris = visit("chris")
    chris.get(f"/tasks/{decision}")
    response = chris.submit(f"/tasks/{decision}/complete", {"decision": "approve", "reason": "短"}, password=PASSWORD)
    assert response.status_code == 422
    problem = attribute(response.text, "problems")[0]
    assert (problem["field"], problem["label"], problem["rule"]) == ("reason", "理由", "C4")
    assert attribute(response.text, "values")["reason"] == "短"
    assert engine.tasks(assignee="chris")


def test_a_signed_decision_needs_the_password(visit: Visit, engine: Engine, case: int, decision: int) -> None:
    chris = visit("chris")
    assert "含义：本人作出“审批”的决定" in chris.get(f"/tasks/{decision}").text
    data = {"decision": "approve", "reason": "符合规定"}
    for password, sentence in (("", "再次输入密码"), ("wrong password", "密码不正确")):
        response = chris.submit(f"/tasks/{decision}/complete", data, password=password)
        assert response.status_code == 422
        assert sentence in response.text
        assert attribute(response.text, "values")["reason"] == "符合规定"
    assert chris.submit(f"/tasks/{decision}/complete", data, password=PASSWORD).status_code == 303
    assert engine.instance(case).state == "COMPLETED"
    signatures = [frame["signatures"] for frame in chris.get(f"/cases/{case}/replay/frames").json["frames"]]
    assert any("主任丙（chris）" in line and "审批" in line for lines in signatures for line in lines)


def test_a_second_completion_is_a_conflict_and_keeps_what_was_typed(visit: Visit, engine: Engine, check: int) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    engine.complete(check, {"opinion": "第一次"}, by="ben")
    response = ben.submit(f"/tasks/{check}/complete", {"opinion": "第二次，写了很多"})
    assert response.status_code == 409
    assert "没有丢失" in response.text
    assert attribute(response.text, "values")["opinion"] == "第二次，写了很多"
    assert engine.variables(engine.tasks(group="chair")[0].process_instance_key)["opinion"] == "第一次"


def test_a_form_of_an_old_version_is_shown_anew(visit: Visit, engine: Engine, check: int) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    response = ben.submit(f"/tasks/{check}/complete", {"opinion": "写了很多"}, form_hash="0" * 64)
    assert response.status_code == 409
    assert attribute(response.text, "values")["opinion"] == "写了很多"
    assert 'name="form_hash" value="0000' not in response.text


def test_what_is_no_form_is_refused(visit: Visit, check: int) -> None:
    ben = visit("ben")
    ben.get("/")
    for nonsense in ("[1]", "{", '"text"'):
        assert ben.post(f"/tasks/{check}/complete", data=nonsense).status_code == 422


def test_a_task_of_a_suspended_case_is_locked_and_says_why(visit: Visit, engine: Engine, case: int, check: int) -> None:
    engine.suspend(case, by="root", reason="等待审计")
    ben = visit("ben")
    page = ben.get(f"/tasks/{check}").text
    assert "等待审计" in page
    assert 'id="submission"' not in page
    assert ben.submit(f"/tasks/{check}/complete", {"opinion": "x"}).status_code == 409


# --- drafts and expired sessions


def test_a_draft_comes_back(visit: Visit, check: int) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    assert ben.send_json(f"/tasks/{check}/draft", {"opinion": "写到一半"}).json == {"saved": True}
    assert attribute(ben.get(f"/tasks/{check}").text, "values")["opinion"] == "写到一半"
    assert "有草稿" in ben.get("/").text


def test_what_was_refused_is_there_again_when_the_task_is_opened(visit: Visit, decision: int) -> None:
    chris = visit("chris")
    chris.get(f"/tasks/{decision}")
    typed = {"decision": "reject", "reason": "金额不符"}
    assert chris.submit(f"/tasks/{decision}/complete", typed, password="wrong").status_code in {403, 422}
    values = attribute(visit("chris").get(f"/tasks/{decision}").text, "values")
    assert {name: values[name] for name in typed} == typed


def test_a_draft_after_the_session_asks_to_sign_in(visit: Visit, check: int, clock: TurnedClock) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    clock.advance(timedelta(hours=2))
    response = ben.send_json(f"/tasks/{check}/draft", {"opinion": "写到一半"})
    assert response.status_code == 401
    assert response.json["code"] == "session-expired"


def test_what_was_typed_survives_an_expired_session(visit: Visit, engine: Engine, check: int, clock: TurnedClock) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    clock.advance(timedelta(hours=2))
    refused = ben.submit(f"/tasks/{check}/complete", {"opinion": "写了一小时"})
    assert refused.status_code == 401
    assert "已保留" in refused.text
    ben.token = re.search(r'csrf-token" content="([^"]+)"', refused.text)[1]  # type: ignore[index]
    kept = re.search(r'name="kept" value="([^"]+)"', refused.text)[1]  # type: ignore[index]
    back = ben.post("/sign-in", username="ben", password=PASSWORD, kept=kept)
    assert back.location == f"/tasks/{check}"
    page = ben.get(back.location).text
    assert attribute(page, "values")["opinion"] == "写了一小时"
    assert "尚未提交" in page
    assert engine.tasks(assignee="ben")


def test_what_was_typed_is_restored_to_nobody_else(visit: Visit, check: int, clock: TurnedClock) -> None:
    ben = visit("ben")
    ben.get(f"/tasks/{check}")
    clock.advance(timedelta(hours=2))
    refused = ben.submit(f"/tasks/{check}/complete", {"opinion": "本的秘密"})
    kept = re.search(r'name="kept" value="([^"]+)"', refused.text)[1]  # type: ignore[index]
    ben.token = re.search(r'csrf-token" content="([^"]+)"', refused.text)[1]  # type: ignore[index]
    assert ben.post("/sign-in", username="chris", password=PASSWORD, kept=kept).location == "/"


# --- substitution and handing on


def test_a_substitute_acts_in_the_others_name(visit: Visit, engine: Engine, case: int, decision: int, clock: TurnedClock) -> None:
    chris = visit("chris")
    chris.get("/account")
    period = {"from": "2026-11-20T09:00", "until": "2026-11-25T09:00"}
    assert chris.post("/account/substitutions", substitute="ben", **period).status_code == 303
    ben = visit("ben")
    assert "审批" in ben.get("/").text
    ben.get(f"/tasks/{decision}")
    ben.post(f"/tasks/{decision}/claim")
    ben.submit(f"/tasks/{decision}/complete", {"decision": "reject", "reason": "金额不符"}, password=PASSWORD)
    assert engine.instance(case).state == "COMPLETED"
    assert "本（代 主任丙）" in visit("chris").get(f"/cases/{case}").text


def test_a_substitution_that_ends_before_it_begins_is_refused_with_what_was_typed(visit: Visit) -> None:
    chris = visit("chris")
    chris.get("/account")
    response = chris.post("/account/substitutions", substitute="ben", **{"from": "2026-11-25T09:00", "until": "2026-11-20T09:00"})
    assert response.status_code == 422
    assert 'value="2026-11-25T09:00"' in response.text


def test_a_task_is_handed_on_to_those_it_is_offered_to(visit: Visit, engine: Engine, check: int) -> None:
    engine.add_user("bob", "波", groups=["clerk"])
    ben = visit("ben")
    page = ben.get(f"/tasks/{check}").text
    assert 'value="bob"' in page
    assert 'value="anna"' not in page  # she applied
    assert ben.post(f"/tasks/{check}/assign", to="bob").status_code == 303
    assert engine.tasks(assignee="bob")


def test_people_whose_language_is_english_see_english_names(visit: Visit, check: int) -> None:
    page = visit("ben").get(f"/tasks/{check}?lang=en").text
    assert "Check receipts" in page
    assert "Complete task" in page


def test_the_model_is_what_the_tests_say(engine: Engine) -> None:
    assert engine.deploy(model.resources()).ok
