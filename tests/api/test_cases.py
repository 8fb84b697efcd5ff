"""Starting a case, its page, its tables, replay, offered actions, attachments, alerts, audit, administration."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

from engine.facade import Engine
from tests.unit.kernel.drawing import chain, draw, element, end, start, user

from . import model
from .conftest import Visitor
from .test_tasks import attribute

Visit = Callable[..., Visitor]


def test_only_what_one_may_start_is_offered(visit: Visit) -> None:
    assert "报销" in visit("anna").get("/start").text
    assert "没有您可以发起的流程" in visit("dora").get("/start").text
    assert visit("dora").get("/start/expense").status_code == 404


def test_a_case_begins_with_its_form_and_its_draft(visit: Visit, engine: Engine) -> None:
    anna = visit("anna")
    assert attribute(anna.get("/start/expense").text, "schema")["id"] == "expense-start"
    places = anna.send_json("/start/expense/draft", {"purpose": "写到一半"}).json
    page = anna.get(places["location"]).text
    assert attribute(page, "values")["purpose"] == "写到一半"
    assert "未提交的草稿" in anna.get("/start").text
    refused = anna.submit(places["submit_url"], {"purpose": "买书", "amount": 0.5})
    assert refused.status_code == 422
    assert attribute(refused.text, "problems")[0]["label"] == "总额（元）"
    started = anna.submit(places["submit_url"], {"purpose": "买书", "amount": 88.8, "items": [{"what": "书", "price": 88.8}]})
    assert re.fullmatch(r"/cases/\d+", started.location)
    assert "未提交的草稿" not in anna.get("/start").text
    assert "EX-2026-001" in anna.get(started.location).text


def test_a_refused_start_is_kept_as_a_draft(visit: Visit) -> None:
    anna = visit("anna")
    anna.get("/start/expense")
    refused = anna.submit("/start/expense", {"purpose": "买书", "amount": 0.5})
    assert refused.status_code == 422
    place = re.search(r"/start/expense\?draft=\d+", visit("anna").get("/start").text)
    assert place is not None
    assert attribute(anna.get(place.group()).text, "values")["purpose"] == "买书"
    assert f'action="{place.group()}"' in refused.text
    anna.submit(place.group(), {"purpose": "买书", "amount": 0.1})
    assert visit("anna").get("/start").text.count("/start/expense?draft=") == 1


def test_the_case_page_tells_its_story(visit: Visit, case: int, check: int) -> None:
    page = visit("anna").get(f"/cases/{case}").text
    for word in ("报销 参会", "事由", "总额（元）", "120.5", "明细", "车票", "核对票据", "本", "发起"):
        assert word in page
    assert "/suspend" not in page


def test_a_table_as_csv_holds_no_formula(visit: Visit, case: int) -> None:
    response = visit("anna").get(f"/cases/{case}/tables/items.csv")
    assert response.mimetype == "text/csv"
    assert response.data.decode("utf-8-sig").splitlines() == ["名目,金额", "车票,100", "'=1+1,-20.5"]
    assert visit("anna").get(f"/cases/{case}/tables/amount.csv").status_code == 404


def test_replay_says_who_did_what_when(visit: Visit, engine: Engine, case: int, decision: int) -> None:
    frames = visit("chris").get(f"/cases/{case}/replay/frames").json["frames"]
    assert frames[0]["who"] == "安娜"
    assert frames[0]["entered"][:2] == ["start", "check"] or "check" in frames[0]["entered"]
    completed = next(frame for frame in frames if frame["what"] == "完成任务：核对票据")
    assert (completed["who"], completed["at"]) == ("本", "2026-11-20 10:00:00")
    assert ["核对意见", "票据齐全"] in completed["values"]
    assert "check" in completed["completed"]
    assert "check-decide" in completed["flows"]


def test_an_offered_action_is_for_those_it_is_offered_to(visit: Visit, engine: Engine, case: int, decision: int) -> None:
    chris = visit("chris")
    offer = re.search(rf"/cases/{case}/offers/\d+", chris.get(f"/cases/{case}").text)
    assert offer is not None
    assert attribute(chris.get(offer.group()).text, "schema")["id"] == "expense-question"
    assert chris.submit(offer.group(), {"question_text": ""}).status_code == 422
    assert chris.submit(offer.group(), {"question_text": "为何坐飞机？"}).status_code == 303
    assert any(item.element_id == "answered" for item in engine.element_instances(case))
    assert "询问申请人" not in visit("ben").get(f"/cases/{case}").text
    assert visit("ben").get(offer.group()).status_code == 404


def test_elements_of_an_ad_hoc_sub_process_are_started_on_the_case_page(visit: Visit, engine: Engine) -> None:
    inner = (
        user("call").replace('id="call"', 'id="call" name="打电话"')
        + user("write")
        + "<b:completionCondition>=false</b:completionCondition>"
    )
    body = start() + element("adHocSubProcess", "ask", inner, name="询问") + end() + chain("s", "ask", "e")
    engine.deploy({"asking.bpmn": draw(body, process_id="asking")}, by="root")
    case = engine.start("asking", by="root")
    root = visit("root")
    page = root.get(f"/cases/{case}").text
    assert "询问：可以开始" in page
    place = re.search(rf"/cases/{case}/ad-hoc/\d+", page)
    assert place is not None
    root.post(place.group(), element="call")
    assert [task.name for task in engine.tasks(instance=case)].count("打电话") == 2
    assert "开始：打电话" in root.get(f"/cases/{case}").text


def test_an_administrator_suspends_resumes_and_ends_a_case(visit: Visit, engine: Engine, case: int) -> None:
    root = visit("root")
    root.get(f"/cases/{case}")
    assert root.post(f"/cases/{case}/suspend", reason=" ").status_code == 422
    root.post(f"/cases/{case}/suspend", reason="等待审计")
    assert "等待审计" in root.get(f"/cases/{case}").text
    root.post(f"/cases/{case}/resume", reason="审计完成")
    root.post(f"/cases/{case}/cancel", reason="重复提交")
    assert engine.instance(case).state == "TERMINATED"
    assert "重复提交" in root.get(f"/cases/{case}").text
    anna = visit("anna")
    anna.get("/")
    assert anna.post(f"/cases/{case}/suspend", reason="x").status_code == 403


# --- attachments


def upload(visitor: Visitor, name: str, content: bytes) -> Any:
    visitor.get("/")
    form = {"file": (io.BytesIO(content), name), "csrf_token": visitor.token}
    return visitor.client.post("/files", data=form, headers={"Accept": "application/json"})


def test_a_file_is_uploaded_named_in_a_form_and_downloaded(visit: Visit, engine: Engine) -> None:
    anna = visit("anna")
    file = upload(anna, "发票<1>.html", b"<script>alert(1)</script>").json
    assert file["size"] == 25
    data = {"purpose": "参会", "amount": 9, "items": [], "receipts": [file]}
    place = anna.submit("/start/expense", data).location
    assert "发票&lt;1&gt;.html" in anna.get(place).text
    ben = visit("ben")
    response = ben.get(f"/files/{file['digest']}")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert visit("dora").get(f"/files/{file['digest']}").status_code == 404


def test_a_file_that_is_too_large_is_refused_in_words(visit: Visit) -> None:
    anna = visit("anna")
    anna.get("/")
    headers = {"Accept": "application/json", "X-CSRFToken": anna.token}
    kind = "multipart/form-data; boundary=x"
    response = anna.client.post("/files", data=b"x" * (2 * 1024 * 1024), content_type=kind, headers=headers)
    assert response.status_code == 413
    assert "超过了允许的大小" in response.json["detail"]


# --- definitions


def deploy(visitor: Visitor, files: dict[str, bytes], **fields: str) -> Any:
    visitor.get("/definitions")
    uploads = [(io.BytesIO(content), name) for name, content in files.items()]
    return visitor.client.post("/definitions/deploy", data={"files": uploads, "csrf_token": visitor.token, **fields})


def test_a_changed_process_is_deployed_with_its_report_and_compared(visit: Visit, engine: Engine, case: int) -> None:
    root = visit("root")
    changed = model.bpmn(due='=now() + duration("PT5H")', version=2)
    checked = deploy(root, {"expense.bpmn": changed}, only_check="1")
    assert "这次没有部署" in checked.text
    report = deploy(root, {"expense.bpmn": changed}).text
    assert "部署成功" in report
    place = re.search(r"/definitions/process/\d+", report)
    assert place is not None
    page = root.get(place.group()).text
    assert "第 2 版" in page
    assert "第 1 版" in page
    difference = root.get(f"{place.group()}/changes").text
    assert "PT5H" in difference
    assert "PT3H" in difference
    file = root.get(f"{place.group()}/file")
    assert file.data == changed
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_a_refused_deployment_names_element_and_reason_and_changes_nothing(visit: Visit, engine: Engine) -> None:
    response = deploy(visit("root"), {"expense.bpmn": model.bpmn(pay="=amount +")})
    assert response.status_code == 422
    assert "没有部署" in response.text
    assert "pay" in response.text
    assert "第 2 版" not in visit("root").get("/definitions").text
    broken = deploy(visit("root"), {"broken.bpmn": b"<not xml"})
    assert broken.status_code == 422


def test_deploying_is_for_administrators(visit: Visit) -> None:
    assert deploy(visit("anna"), model.resources()).status_code == 403


# --- incidents


def test_an_incident_is_seen_corrected_and_retried(visit: Visit, engine: Engine) -> None:
    # A function cannot be a variable's value: the script fails until there is a rate.
    engine.deploy({"expense.bpmn": model.bpmn(pay="=if rate = null then (function(x) x) else amount * rate")})
    case = engine.start("expense", {"purpose": "参会", "amount": 10, "rate": None, "applicant": "anna"}, at=["pay"], by="root")
    root = visit("root")
    place = re.search(r"/admin/incidents/\d+", root.get("/admin/incidents").text)
    assert place is not None
    assert "计算付款" in root.get(place.group()).text
    assert root.post(f"{place.group()}/resolve", variables="no equals sign").status_code == 422
    again = root.post(f"{place.group()}/resolve", variables="")
    assert "仍然出错" in root.get(again.location).text
    assert root.post(f"{again.location}/resolve", variables="rate = 2").location == f"/cases/{case}"
    assert engine.instance(case).state == "COMPLETED"
    assert engine.variables(case)["paid"] == 20


# --- audit


def test_an_auditor_verifies_and_takes_the_evidence(visit: Visit, case: int, decision: int) -> None:
    audrey = visit("audrey")
    audrey.get("/audit")
    assert "没有发现改动" in audrey.post("/audit/verify").text
    pack = audrey.get("/audit/export?business=EX-2026-001&format=pack")
    assert zipfile.is_zipfile(io.BytesIO(pack.data))
    assert audrey.get(f"/audit/cases/{case}/csv").mimetype == "text/csv"
    assert b"<log" in audrey.get(f"/audit/cases/{case}/xes").data
    assert audrey.get("/audit/export?business=none").status_code == 404
    assert visit("anna").get(f"/audit/cases/{case}/pack").status_code == 403


# --- administration


def test_people_are_added_and_changed(visit: Visit, engine: Engine) -> None:
    root = visit("root")
    root.get("/admin/users")
    assert root.post("/admin/users", username="a b", name="错").status_code == 422
    assert root.post("/admin/users", username="anna", name="重").status_code == 409
    added = root.post("/admin/users", username="eve", name="夏娃", groups=["clerk", "chair"], password="a new password")
    assert added.location == "/admin/users/eve"
    root.post("/admin/users/eve/attributes", attributes="expertise=clinical, pharmacy\nteam=cardio")
    root.post("/admin/users/eve/groups", groups=["clerk"])
    found = next(user for user in engine.users() if user.username == "eve")
    assert found.groups == ("clerk",)
    assert found.attributes == {"expertise": ("clinical", "pharmacy"), "team": ("cardio",)}
    root.post("/admin/users/eve/active", active="")
    assert visit().sign_in("eve", "a new password").status_code == 401
    assert root.post("/admin/users/root/active", active="").status_code == 422


def test_a_years_notice_is_entered(visit: Visit, engine: Engine) -> None:
    root = visit("root")
    assert "暂按周一至周五" in root.get("/admin/calendar?year=2031").text
    refused = root.post("/admin/calendar/year", year="2031", source="国办发 1 号", days="2031-01-01 元旦")
    assert refused.status_code == 422
    assert "2031-01-01 元旦" in refused.text
    root.post("/admin/calendar/year", year="2031", source="国办发 1 号", days="2031-01-01 休 元旦\n2031-01-04 班")
    page = root.get("/admin/calendar?year=2031").text
    assert "元旦" in page
    assert "暂按周一至周五" not in page


def test_settings_do_not_show_secrets(visit: Visit) -> None:
    page = visit("root").get("/admin/settings").text
    assert "LIUZHUAN_DATABASE_URL" in page
    assert "(not set)" in page


def test_statistics(visit: Visit, decision: int) -> None:
    page = visit("root").get("/statistics").text
    assert "核对票据" in page
    assert "100%" in page


def test_alerts_are_listed_and_marked_as_read(visit: Visit) -> None:
    anna = visit("anna")
    assert "没有提醒" in anna.get("/alerts").text
    assert anna.post("/alerts/read").status_code == 303
