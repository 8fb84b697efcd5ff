"""Mail and webhooks: after commit, once, with retries; the last failure is an incident that can be retried."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine import jobs
from engine.commands import deploy, incidents, messages, people, substitutions, tasks
from engine.history.events import DeliveryFailed, DeliverySent
from engine.jobs import deliveries
from engine.ports import DeliveryFailed as NotDelivered
from engine.ports import Ports
from engine.store.tables import job, process_instance, user_task
from tests.unit.jobs.cases import NOW, Mailbox, World, draw, end, flows, service, start, user
from tests.unit.kernel import drawing

ALERT = {"toGroups": '=["office"]', "kind": "overdue", "subject": '="逾期：" + title', "text": "请处理"}


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def world(box: Mailbox) -> World:
    return alerting_world(box)


def alerting_world(box: Mailbox) -> World:
    world = World(ports=Ports(mailer=box, webhook=box), webhook_url="https://hospital.example/alerts")
    tell = service("tell", "notify", {**ALERT, "channels": "=channels"})
    world.deploy(draw("alerting", start(), tell, end(), flows("start", "tell", "end")))
    world.deploy(draw("waiting", start(), tell, user("wait"), flows("start", "tell", "wait")))
    return world


def test_everyone_with_an_address_gets_one_mail(world: World, box: Mailbox) -> None:
    people.add_user(world.ctx, "carl", "卡尔", groups=["office"])
    key = world.start("alerting", {"title": "报告", "channels": ["inbox", "mail"]}, business_id="SAE-1")
    assert [(mail.to, mail.subject) for mail in box.mails] == [
        ("anna@example.org", "[SAE-1] 逾期：报告"),
        ("bo@example.org", "[SAE-1] 逾期：报告"),
    ]
    assert "请处理" in box.mails[0].text
    assert "2026-09-24 09:00 +0800" in box.mails[0].text
    assert len({mail.idempotency_key for mail in box.mails}) == 2
    assert [username for username, _ in world.recipients] == ["anna", "bo", "carl"]
    sent = [(event.channel, event.recipient) for event in world.events(key) if isinstance(event, DeliverySent)]
    assert sent == [("mail", "anna"), ("mail", "bo")]
    assert world.jobs == []
    assert box.posts == []


def test_a_substitute_s_mail_says_for_whom_it_is(world: World, box: Mailbox) -> None:
    people.add_user(world.ctx, "carl", "卡尔", email="carl@example.org")
    substitutions.add_substitution(world.ctx, "bo", "carl", NOW, NOW + timedelta(days=1))
    world.start("alerting", {"title": "报告", "channels": ["mail"]})
    assert {mail.to: "代理博" in mail.text for mail in box.mails} == {
        "anna@example.org": False,
        "bo@example.org": False,
        "carl@example.org": True,
    }


def test_a_webhook_gets_the_alert_as_json(world: World, box: Mailbox) -> None:
    key = world.start("alerting", {"title": "报告", "channels": ["webhook"]}, business_id="SAE-1")
    ((url, body, idempotency_key),) = box.posts
    (alert,) = world.alerts
    assert (url, idempotency_key) == ("https://hospital.example/alerts", f"webhook:{alert.key}")
    content = json.loads(body)
    assert (content["kind"], content["businessId"], content["processInstanceKey"]) == ("overdue", "SAE-1", str(key))
    assert box.mails == []


def test_only_the_inbox(world: World, box: Mailbox) -> None:
    world.start("alerting", {"title": "x", "channels": ["inbox"]})
    assert (box.mails, box.posts, len(world.alerts)) == ([], [], 1)


def test_without_a_mail_server_nothing_waits_for_one() -> None:
    world = World()
    world.deploy(
        draw(
            "alerting",
            start(),
            service("tell", "notify", {"subject": "x", "toUsers": '=["bo"]'}),
            end(),
            flows("start", "tell", "end"),
        )
    )
    world.start("alerting")
    assert world.jobs == []


def test_a_server_that_is_away_is_tried_again_and_the_key_stays(world: World, box: Mailbox) -> None:
    box.refuse = 2
    world.start("alerting", {"title": "x", "channels": ["mail"]})
    assert box.mails == []
    keys = {row.idempotency_key for row in world.jobs}
    world.turn(seconds=10)
    assert {mail.idempotency_key for mail in box.mails} == keys
    assert world.jobs == []
    assert world.incidents == []


@pytest.mark.parametrize("process_id", ["alerting", "waiting"])
def test_the_last_failure_is_an_incident_and_can_be_retried(world: World, box: Mailbox, process_id: str) -> None:
    """Also of a case that went on, or ended, without it."""
    box.refuse = 1000
    key = world.start(process_id, {"title": "x", "channels": ["webhook"]})
    state = world.state(key)
    for _ in range(20):
        world.turn(hours=1)
    (incident,) = world.incidents
    assert (incident.kind, incident.element_id) == ("DELIVERY_FAILED", "tell")
    assert "the server is away" in incident.message
    assert [event.channel for event in world.events(key) if isinstance(event, DeliveryFailed)] == ["webhook"]
    box.refuse = 0
    incidents.resolve_incident(world.ctx, incident.key, "root")
    jobs.drain(world.ctx)
    assert len(box.posts) == 1
    assert world.incidents == []
    assert world.jobs == []
    assert world.state(key) == state


def test_an_address_that_went_away_is_not_waited_for(world: World, box: Mailbox) -> None:
    box.refuse = 1000
    world.start("alerting", {"title": "x", "channels": ["mail"]})
    people.set_active(world.ctx, "anna", False)
    people.set_active(world.ctx, "bo", False)
    world.turn(seconds=30)
    assert (world.jobs, world.incidents) == ([], [])


def test_a_delivery_under_way_is_left_alone(world: World, box: Mailbox) -> None:
    box.refuse = 1
    world.start("alerting", {"title": "x", "channels": ["webhook"]})
    (row,) = world.jobs
    with world.ctx.store.begin() as tx:
        world.clock.advance(timedelta(hours=1))
        tx.execute(update(job).values(locked_until=world.clock.now() + timedelta(minutes=1)))
    assert not deliveries.deliver(world.ctx, row.key)
    assert jobs.next_due(world.ctx) == world.clock.now() + timedelta(minutes=1)
    world.turn(minutes=2)
    assert len(box.posts) == 1
    assert not deliveries.deliver(world.ctx, row.key)


class SlowOnce(Mailbox):
    """Answers the first post only after its lease has run out and another driver has delivered it; with an error."""

    world: World

    def post(self, url: str, body: bytes, idempotency_key: str) -> None:
        super().post(url, body, idempotency_key)
        if len(self.posts) == 1:
            self.world.clock.advance(deliveries.LEASE)
            assert deliveries.deliver(self.world.ctx, self.world.jobs[0].key)
            raise NotDelivered("too late")


def test_what_comes_back_after_its_lease_ran_out_takes_nothing_away() -> None:
    slow = SlowOnce()
    slow.world = alerting_world(slow)
    key = slow.world.start("alerting", {"title": "x", "channels": ["webhook"]})
    assert (len(slow.posts), slow.world.jobs, slow.world.incidents) == (2, [], [])
    assert [event.channel for event in slow.world.events(key) if isinstance(event, DeliverySent)] == ["webhook"]


def test_a_late_delivery_of_an_ended_case_starts_no_further_case(world: World, box: Mailbox) -> None:
    told = drawing.io({"toGroups": '=["office"]', "subject": "x", "channels": '=["webhook"]'})
    body = drawing.start(inner=drawing.event("message", "m")) + drawing.service("tell", told, job="notify")
    body += drawing.user("wait", drawing.z("assignmentDefinition", candidateGroups="office")) + drawing.end()
    model = drawing.draw(
        body + drawing.chain("s", "tell", "wait", "e"), drawing.message("m", "go", None), process_id="by-message"
    )
    deploy(world.ctx, {"m.bpmn": model})
    box.refuse = 1
    for _ in range(3):
        messages.publish_message(world.ctx, "go", "A", ttl=timedelta(days=1))
        jobs.drain(world.ctx)
    (first,) = world.rows(user_task)
    tasks.complete_task(world.ctx, first.key, by="anna")
    jobs.drain(world.ctx)
    assert [row.state for row in world.rows(process_instance)] == ["COMPLETED", "ACTIVE"]
    world.turn(hours=1)  # the first case's webhook goes out at last
    assert len(box.posts) == 2
    assert [row.state for row in world.rows(process_instance)] == ["COMPLETED", "ACTIVE"]
