"""A recorded walk: real cases taken through the product by several people in a real browser, on a turned clock.

`make docs` runs it; it writes the guides' screenshots to docs/images/. Nothing is mocked: the engine runs on a database of its
own, the pages are served over loopback, and alerts rise because the clock is turned. It fails where a page does not show what
the guides say it shows.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import waitress
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine import jobs  # noqa: E402 - the checkout may not be installed
from engine.clock import TurnedClock  # noqa: E402
from engine.facade import Engine  # noqa: E402
from engine.scenarios.organisation import read_organisation  # noqa: E402
from engine.scenarios.runner import pass_time, resources_below  # noqa: E402
from engine.settings import Settings  # noqa: E402
from tests.provide_browser import chromium  # noqa: E402
from webui.app import create_app  # noqa: E402
from webui.wiring import FORMS, PROCESSES, open_engine  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PASSWORD = "a walk through the product"
PEOPLE = (
    "admin",
    "auditor-1",
    "researcher-1",
    "transfer-office-1",
    "investigator-1",
    "qc-officer-1",
    "ethics-office-1",
    "ethics-committee-1",
    "ethics-committee-2",
    "ethics-chair-1",
    "department-head-1",
)
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
PATIENCE = 20_000  # ms

EVENT = {
    "project_no": "IIT-2026-007",
    "project_title": "某降压药联合治疗研究",
    "study_risk": "medium",
    "centre": "own",
    "pi": "investigator-1",
    "subject_code": "S-017",
    "onset_at": "2026-11-20T15:30",
    "aware_at": "2026-11-20T18:00",
}
REPORT = {
    "event_term": "肝功能异常",
    "coded_term": "药物性肝损伤",
    "seriousness": ["hospitalisation"],
    "grade": "3",
    "relation": "unlikely",
    "relation_reason": "入组前已有脂肪肝，停药前指标已升高",
    "expectedness": "expected",
    "intervention_action": "none",
    "treatment_given": "保肝治疗，住院观察",
    "outcome": "recovering",
    "unblinded": "not-blinded",
}
WORKSHEET = {
    "risk_benefit": "unchanged",
    "consent_update": "no",
    "measures": "继续监测肝功能",
    "proposal": "go-on",
    "proposal_reason": "风险受益比未变",
}
ACHIEVEMENT = {
    "achievement_type": "dataset",
    "title": "心衰队列衍生数据集",
    "deliverables": [
        {"kind": "dataset", "name": "主数据集", "certified": True, "registration": "data-ip"},
        {"kind": "metadata", "name": "数据字典", "certified": False, "registration": "know-how"},
    ],
    "secondary_deliverables": ["quality-report", "ethics-opinion"],
    "rights_ownership": "归医院",
    "rights_use": "团队长期使用",
    "rights_proceeds": "按协议",
    "data_origin": "research",
    "data_level": "derived",
    "data_processing": "research",
    "registered_as": "none",
    "data_source": "本院心衰专病队列",
    "data_type": "结构化随访数据",
    "data_size": 12000,
    "data_unit": "cases",
    "personal_information": False,
    "genetic_information": False,
    "security_information": False,
    "value_assessment": "可用于心衰再入院风险预测",
    "compliance_restrictions": "仅限科研用途",
    "team": [{"name": "研究者二", "username": "researcher-2"}],
}

FEE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
 targetNamespace="http://liuzhuan.example/fee">
 <process id="fee" name="版面费报销" isExecutable="true">
  <startEvent id="begin"/><sequenceFlow id="to-wait" sourceRef="begin" targetRef="wait"/>
  <intermediateCatchEvent id="wait" name="等待复核期"><timerEventDefinition>
   <timeDuration>=duration("P1D") * review_days</timeDuration>
  </timerEventDefinition></intermediateCatchEvent>
  <sequenceFlow id="to-end" sourceRef="wait" targetRef="done"/><endEvent id="done"/>
 </process>
</definitions>"""


class Stage:
    """The running product: an engine on a turned clock, its pages on loopback."""

    def __init__(self, engine: Engine, clock: TurnedClock, address: str) -> None:
        self.engine = engine
        self.clock = clock
        self.address = address
        self.pictures: set[str] = set()

    def turn(self, local: str) -> None:
        """Let time pass until a moment in Shanghai; what falls due on the way fires at its own time."""
        pass_time(self.engine, self.clock, datetime.fromisoformat(f"{local}+08:00"))
        jobs.write_checkpoint(self.engine.context)  # as the driver does every minute

    def case(self, business_id: str) -> int:
        """Return the key of a case by its business id."""
        keys = {task.process_instance_key for task in self.engine.tasks() if task.business_id == business_id}
        if len(keys) != 1:
            raise SystemExit(f"no one open case {business_id}: {keys}")
        return keys.pop()


@contextmanager
def staged() -> Iterator[Stage]:
    """Open the product on a database of its own with the shipped processes, forms and people; close it afterwards."""
    with tempfile.TemporaryDirectory(prefix="liuzhuan-walk-") as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/walk.db", data_directory=folder, sqlite_synchronous="NORMAL")
        clock = TurnedClock(datetime.fromisoformat("2026-11-16T09:00+08:00"))
        with open_engine(settings, clock) as engine:
            read_organisation(PROCESSES / "organisation.yaml").enter(engine)
            for username in PEOPLE:
                engine.set_password(username, PASSWORD)
            engine.deploy(resources_below([PROCESSES, FORMS]), by="admin")
            server = waitress.create_server(create_app(engine, settings), host="127.0.0.1", port=0, threads=8)
            serving = threading.Thread(target=server.run, daemon=True)
            serving.start()
            try:
                yield Stage(engine, clock, f"http://127.0.0.1:{server.effective_port}")
            finally:
                server.close()
                serving.join(timeout=10)


class Person:
    """Somebody at a browser."""

    def __init__(self, stage: Stage, browser: Browser, username: str, viewport: Mapping[str, int] = WIDE) -> None:
        self.stage = stage
        self.username = username
        self.context = browser.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        self.context.clock.set_fixed_time(stage.clock.now())
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.go("/")

    def __enter__(self) -> Person:
        self.sign_in()
        return self

    def __exit__(self, *trouble: object) -> None:
        self.context.close()

    def sign_in(self) -> None:
        """Sign in on the page that asks for it."""
        self.page.locator("#username").fill(self.username)
        self.page.locator("#password").fill(PASSWORD)
        self.press("登录")
        expect(self.page.locator(".bell")).to_be_visible()

    def upload(self, name: str, content: str) -> None:
        """Choose a file for deployment."""
        self.page.locator("#files").set_input_files({"name": name, "mimeType": "text/xml", "buffer": content.encode()})

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(f"{self.stage.address}{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the form and the diagram of the page are drawn."""
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE)

    def press(self, name: str) -> None:
        """Press the button of this name and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).first.click()
        self.settle()

    def finish(self, refused: str | None = None) -> None:
        """Submit the form, signing where the task asks for it; it is taken, or refused naming a rule."""
        signature = self.page.locator("#submission #password")
        if signature.count():
            signature.fill(PASSWORD)
        with self.page.expect_navigation():
            self.page.locator("#submission button[type=submit]").first.click()
        self.settle()
        if refused:
            expect(self.page.locator("[data-summary]")).to_contain_text(refused)
        else:
            expect(self.page.locator("#messages .notice-ok")).to_be_visible()

    def follow(self, name: str) -> None:
        """Follow the first link of this name in the page's content."""
        self.page.locator("main").get_by_role("link", name=name).first.click()
        self.settle()

    def type(self, values: Mapping[str, Any]) -> None:
        """Type values (by field key) into the form, as `with:` of a scenario names them."""
        schema = json.loads(self.page.locator("[data-schema]").get_attribute("data-schema") or "{}")
        components = {component.get("key"): component for component in _all_components(schema)}
        for key, value in values.items():
            self._type_one(components[key], value)

    def _type_one(self, component: Mapping[str, Any], value: Any) -> None:
        kind, ident = component["type"], component["id"]
        if kind in {"radio", "checklist"}:
            choices = [option["value"] for option in component.get("values", ())]
            for wanted in value if isinstance(value, list) else [value]:
                at = choices.index(wanted) if choices else int(wanted)
                self.page.locator(f"[id$='-{ident}-{at}']").check()
            return
        field = self.page.locator(f"[id^='fjs-form-'][id$='-{ident}']")
        if kind == "select":
            choices = [option["value"] for option in component.get("values", ())]
            field.select_option(index=1 + (choices.index(value) if choices else 0))
        else:
            field.fill(str(value))

    def shoot(self, name: str, at: Locator | None = None, height: int | None = None) -> None:
        """Write what the window shows (scrolled to a place, perhaps only its upper part) to docs/images/."""
        self.settle()
        if at is not None:
            at.evaluate("place => window.scrollTo(0, place.getBoundingClientRect().top + window.scrollY - 80)")
        else:
            self.page.evaluate("window.scrollTo(0, 0)")
        size = self.page.viewport_size or WIDE
        shown = min(height or size["height"], size["height"])
        above = max(0.0, (at.bounding_box() or {"y": 80.0})["y"] - 80) if at is not None else 0.0
        clip = {"x": 0, "y": min(above, size["height"] - shown), "width": size["width"], "height": shown}
        self.page.screenshot(path=IMAGES / f"{name}.png", clip=clip, animations="disabled")  # type: ignore[arg-type]  # a mapping of the four keys
        self.stage.pictures.add(f"{name}.png")
        print(f"  {name}.png", flush=True)

    def shoot_english(self, path: str, name: str, height: int | None = None) -> None:
        """Write the same page in English."""
        self.go(f"{path}{'&' if '?' in path else '?'}lang=en")
        self.shoot(name, height=height)
        self.go(path)

    def claim(self, task: str) -> None:
        """Find a task among the groups' and take it."""
        self.go("/?tab=groups")
        self.follow(task)
        self.press("认领")

    def replay_to(self, step: int) -> None:
        """Move the replay's slider to a step, counted from 1."""
        self.page.locator("#slider").fill(str(step - 1))
        expect(self.page.locator("[data-position]")).to_contain_text(re.compile(f"第 {step} 步|Step {step} of"))

    def card(self, heading: str) -> Locator:
        """Return the part of the page that has this heading."""
        return self.page.locator("section", has=self.page.get_by_role("heading", name=heading)).first


def _all_components(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in schema.get("components", ()):
        yield component
        yield from _all_components(component)


# --- the walk, chapter by chapter


def others_cases(stage: Stage) -> None:
    """Let other cases stand in the inboxes: a transfer at the office's check, another at the deliberation."""
    engine = stage.engine
    stage.turn("2026-11-17T09:00")
    engine.start("data-transfer", ACHIEVEMENT, by="researcher-1")
    second = {**ACHIEVEMENT, "title": "卒中影像标注数据集", "data_source": "本院卒中中心"}
    case = engine.start("data-transfer", second, by="researcher-2")
    stage.turn("2026-11-18T10:00")
    (check,) = engine.tasks(instance=case)
    engine.claim(check.key, by="transfer-office-2")
    engine.complete(check.key, {"office_outcome": "pass", "deliberating_body": "academic-committee"}, by="transfer-office-2")


def report_an_event(stage: Stage, browser: Browser) -> None:
    """The investigator opens a report, registers the event, and is told what does not fit."""
    stage.turn("2026-11-20T18:05")
    somebody = Person(stage, browser, "investigator-1")
    somebody.shoot("sign-in", height=520)
    with somebody as investigator:
        investigator.go("/start")
        investigator.shoot("start", height=560)
        investigator.press("发起：严重不良事件上报与升级")
        investigator.type(EVENT)
        expect(investigator.page.locator("[data-draft-status]")).to_contain_text("草稿已保存")
        investigator.shoot("task-form")
        investigator.finish()
        investigator.go("/")
        investigator.follow("提交初始报告")
        investigator.type({**REPORT, "grade": "5"})
        investigator.finish(refused="S1.3")
        investigator.shoot("task-refused", height=640)


def miss_the_deadline(stage: Stage, browser: Browser) -> None:
    """Nobody submits: the reminders and the overdue alert rise by themselves."""
    stage.turn("2026-11-21T18:01")
    with Person(stage, browser, "department-head-1") as head:
        expect(head.page.locator(".bell")).to_have_attribute("aria-label", re.compile("未读"))
        head.go("/alerts")
        expect(head.page.locator("main")).to_contain_text("逾期")
        head.shoot("alerts", height=420)
        head.shoot_english("/alerts", "alerts.en", height=420)
    with Person(stage, browser, "investigator-1", NARROW) as investigator:
        investigator.go("/?tab=overdue")
        investigator.shoot("narrow-inbox")
        investigator.follow("提交初始报告")
        investigator.shoot("narrow-task")
    with Person(stage, browser, "investigator-1") as investigator:
        investigator.go("/?tab=overdue")
        expect(investigator.page.locator("main")).to_contain_text("逾期")
        investigator.shoot("inbox-overdue", height=520)
        investigator.follow("提交初始报告")
        investigator.type({**REPORT, "late_reason": "周末值班人员交接延误"})
        investigator.finish()


def review_the_report(stage: Stage, browser: Browser) -> None:
    """Quality control claims and accepts, the ethics office assigns, two members review, the chair signs."""
    stage.turn("2026-11-21T19:30")
    with Person(stage, browser, "qc-officer-1") as officer:
        officer.go("/?tab=groups")
        officer.shoot("inbox", height=520)
        officer.shoot_english("/?tab=groups", "inbox.en", height=520)
        officer.follow("核对报告完整性")
        officer.shoot("task-claim", height=640)
        officer.press("认领")
        officer.type({"qc_decision": "accept", "qc_reason": "内容完整"})
        officer.finish()
    stage.turn("2026-11-23T09:10")
    with Person(stage, browser, "ethics-office-1") as office:
        office.claim("安排审查委员")
        office.type({"reviewers": ["0", "1"]})
        office.finish()
    stage.turn("2026-11-23T14:00")
    for username in ("ethics-committee-1", "ethics-committee-2"):
        with Person(stage, browser, username) as member:
            member.go("/")
            member.follow("填写审查工作表")
            member.type(WORKSHEET)
            member.finish()


def decide_with_a_signature(stage: Stage, browser: Browser) -> None:
    """The chair signs the decision; the officer is away next week and names who stands in."""
    stage.turn("2026-11-23T16:30")
    with Person(stage, browser, "ethics-chair-1") as chair:
        chair.claim("作出伦理决定")
        chair.type({"ethics_decision": "go-on", "ethics_reason": "风险受益比未改变，研究可以继续"})
        chair.page.locator("#password").fill(PASSWORD)
        chair.shoot("task-sign", at=chair.page.locator("fieldset", has=chair.page.locator("#password")), height=560)
        chair.finish()
    with Person(stage, browser, "qc-officer-1") as officer:
        officer.go("/account")
        officer.page.locator("#substitute").select_option("qc-officer-2")
        officer.page.locator("#from").fill("2026-11-30T08:00")
        officer.page.locator("#until").fill("2026-12-04T18:00")
        officer.press("设置代理")
        officer.shoot("substitution", height=760)


def look_at_the_case(stage: Stage, browser: Browser) -> None:
    """What anybody concerned sees of the case."""
    key = stage.case("SAE-2026-0001")
    with Person(stage, browser, "investigator-1") as investigator:
        investigator.go(f"/cases/{key}")
        investigator.page.get_by_role("button", name="适合窗口").first.click()
        investigator.shoot("case", height=860)
        investigator.shoot("case-facts", at=investigator.card("任务"))


def change_a_deadline(stage: Stage, browser: Browser) -> None:
    """The manager deploys a file that cannot be run, then a shorter deadline; a new case has it, the old one keeps its own."""
    process = (PROCESSES / "sae-escalation" / "sae-escalation.bpmn").read_text(encoding="utf-8")
    table = (PROCESSES / "sae-escalation" / "sae-deadlines.dmn").read_text(encoding="utf-8")
    broken = _once(process, '+ duration(&#34;PT24H&#34;)" />', '+ duration(&#34;PT24H&#34;" />')
    shorter = _once(table, "<text>24</text>", "<text>22</text>", after='<decision id="sae_hospital_limits"')
    stage.turn("2026-11-24T09:00")
    with Person(stage, browser, "admin") as admin:
        admin.go("/definitions")
        admin.shoot("definitions", height=760)
        admin.upload("sae-escalation.bpmn", broken)
        admin.press("部署")
        expect(admin.page.locator("main")).to_contain_text("没有部署")
        admin.shoot("report-refused", height=620)
        admin.go("/definitions?lang=en")
        admin.upload("sae-escalation.bpmn", broken)
        admin.press("Deploy")
        admin.shoot("report-refused.en", height=620)
        admin.go("/definitions")
        admin.upload("sae-deadlines.dmn", shorter)
        admin.press("部署")
        expect(admin.page.locator("main")).to_contain_text("部署成功")
        admin.shoot("report-deployed", height=620)
        admin.page.locator("main section li").filter(has_text="sae_hospital_limits").get_by_role("link").click()
        admin.settle()
        admin.follow("与上一版比较")
        admin.shoot("changes", height=420)
    _check_both_deadlines(stage)


def _check_both_deadlines(stage: Stage) -> None:
    """A case begun after the deployment is due after 22 hours; the one begun before keeps its own deadline."""
    engine = stage.engine
    case = engine.start("sae-escalation", by="investigator-2")
    (register,) = engine.tasks(instance=case)
    aware = stage.clock.now() - timedelta(hours=1)
    event = {**EVENT, "pi": "investigator-2", "onset_at": aware.isoformat(), "aware_at": aware.isoformat()}
    engine.complete(register.key, {**event, "dmc_in_place": False}, by="investigator-2")
    (report,) = engine.tasks(instance=case, element_id="initial-report")
    before = engine.variables(stage.case("SAE-2026-0001"))["deadlines"]["report_hours"]
    if report.due_at != aware + timedelta(hours=22) or before != 24:
        raise SystemExit(f"the changed deadline: due {report.due_at}, known {aware}; the first case has {before} hours")


def _once(text: str, old: str, new: str, after: str = "") -> str:
    start = text.index(after)
    if old not in text[start:]:
        raise SystemExit(f"the shipped files changed: {old} is not there")
    return text[:start] + text[start:].replace(old, new, 1)


def audit_the_case(stage: Stage, browser: Browser) -> None:
    """The auditor plays the case back and verifies the journal."""
    key = stage.case("SAE-2026-0001")
    stage.turn("2026-11-24T10:00")
    with Person(stage, browser, "auditor-1") as auditor:
        auditor.go(f"/cases/{key}/replay")
        steps = int(auditor.page.locator("#slider").get_attribute("max") or 0) + 1
        overdue = round(steps * 0.4)
        auditor.replay_to(overdue)
        auditor.shoot("replay")
        signatures = auditor.page.locator("[data-signatures] li")
        for step in range(steps, overdue, -1):
            auditor.replay_to(step)
            if signatures.count():
                break
        expect(signatures.first).to_contain_text("ethics-chair-1")
        auditor.shoot("replay-signature", at=auditor.page.locator("[data-when]").first, height=420)
        auditor.go(f"/cases/{key}/replay?lang=en")
        auditor.replay_to(overdue)
        auditor.shoot("replay.en")
        auditor.go("/audit")
        auditor.press("验证全部历史")
        expect(auditor.page.locator(".notice-ok")).to_be_visible()
        auditor.shoot("audit-verify", height=620)


def administer(stage: Stage, browser: Browser) -> None:
    """People, the calendar, an expression that failed and is corrected."""
    stage.engine.deploy({"fee.bpmn": FEE}, by="admin")
    stage.engine.start("fee", {"amount": 1200.5}, business_id="FEE-2026-0001", by="admin")
    with Person(stage, browser, "admin") as admin:
        admin.go("/admin/users")
        admin.shoot("admin-users", height=560)
        admin.go("/admin/calendar?year=2027")
        admin.shoot("admin-calendar", height=760)
        admin.go("/admin/incidents")
        admin.follow("等待复核期")
        admin.page.locator("#variables").fill("review_days = 3")
        admin.shoot("incident", height=760)
        with admin.page.expect_navigation():
            admin.page.get_by_role("button", name="更正并重试").click()
    if stage.engine.incidents():
        raise SystemExit("the incident is still there after its variable was corrected")


CHAPTERS = (
    report_an_event,
    miss_the_deadline,
    review_the_report,
    decide_with_a_signature,
    look_at_the_case,
    change_a_deadline,
    audit_the_case,
    administer,
)


def main() -> None:
    """Take the walk and say what it cost."""
    begun = time.monotonic()
    IMAGES.mkdir(exist_ok=True)
    with staged() as stage, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-background-networking"])
        try:
            others_cases(stage)
            for chapter in CHAPTERS:
                print(chapter.__name__.replace("_", " "), flush=True)
                chapter(stage, browser)
        finally:
            browser.close()
    files = list(IMAGES.glob("*.png"))
    for file in files:
        if file.name not in stage.pictures:
            file.unlink()  # of an earlier walk
    size = sum((IMAGES / name).stat().st_size for name in stage.pictures)
    print(f"{len(stage.pictures)} pictures, {size / 1e6:.1f} MB, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
