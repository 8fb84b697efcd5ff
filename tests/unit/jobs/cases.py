"""A whole engine in memory on a turned clock, and small processes drawn as text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

from sqlalchemy import select

from engine import history, jobs
from engine.clock import Clock, TurnedClock
from engine.commands import deploy, instances, people
from engine.ports import DeliveryFailed, Mail, Ports
from engine.settings import Settings
from engine.store import Store
from engine.store.context import Context
from engine.store.tables import alert, alert_recipient, incident, job, process_instance, timer
from engine.store.variables import by_scope

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)  # Thursday, 09:00 in Shanghai

_HEAD = (
    '<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" id="D">'
    '<b:process id="{id}" isExecutable="true">'
)


@dataclass(slots=True)
class Mailbox:
    """A mail server and a webhook's receiver; refuses as many times as told."""

    mails: list[Mail] = field(default_factory=list)
    posts: list[tuple[str, bytes, str]] = field(default_factory=list)
    refuse: int = 0

    def send(self, mail: Mail) -> None:
        self._perhaps_refuse()
        self.mails.append(mail)

    def post(self, url: str, body: bytes, idempotency_key: str) -> None:
        self._perhaps_refuse()
        self.posts.append((url, body, idempotency_key))

    def _perhaps_refuse(self) -> None:
        if self.refuse:
            self.refuse -= 1
            raise DeliveryFailed("the server is away")


class World:
    """An engine with a few people."""

    def __init__(
        self, *, url: str = "sqlite://", clock: Clock | None = None, ports: Ports | None = None, **settings: Any
    ) -> None:
        self.clock = TurnedClock(NOW)
        chosen = clock or self.clock
        store = Store(url, chosen)
        store.migrate()
        self.ctx = Context(store=store, clock=chosen, ports=ports or Ports(), settings=Settings(**settings))
        for group_id in ("admin", "office", "leadership"):
            people.add_group(self.ctx, group_id, group_id)
        people.add_user(self.ctx, "root", "管理员", groups=["admin"])
        people.add_user(self.ctx, "anna", "安娜", groups=["office"], email="anna@example.org")
        people.add_user(self.ctx, "bo", "博", groups=["office", "leadership"], email="bo@example.org")

    def deploy(self, *drawings: str) -> None:
        resources = {}
        for number, drawing in enumerate(drawings):
            process_id, _, body = drawing.partition("|")
            resources[f"{number}.bpmn"] = (_HEAD.format(id=process_id) + body + "</b:process></b:definitions>").encode()
        deploy(self.ctx, resources)

    def start(self, process_id: str, variables: Mapping[str, Any] | None = None, **more: Any) -> int:
        key = instances.start_instance(self.ctx, process_id, variables, **more)
        jobs.drain(self.ctx)
        return key

    def turn(self, **by: float) -> int:
        """Turn the clock and do what is due."""
        self.clock.advance(timedelta(**by))
        return jobs.run_due(self.ctx)

    def rows(self, table: Any) -> list[Any]:
        with self.ctx.store.read() as reading:
            return list(reading.all(select(table).order_by(*table.primary_key)))

    @property
    def alerts(self) -> list[Any]:
        return self.rows(alert)

    @property
    def recipients(self) -> list[tuple[str, str | None]]:
        return [(row.username, row.group_id) for row in self.rows(alert_recipient)]

    @property
    def incidents(self) -> list[Any]:
        return self.rows(incident)

    @property
    def jobs(self) -> list[Any]:
        return self.rows(job)

    @property
    def timers(self) -> list[Any]:
        return self.rows(timer)

    def state(self, key: int) -> str:
        return next(row.state for row in self.rows(process_instance) if row.key == key)

    def variables(self, key: int) -> dict[str, Any]:
        with self.ctx.store.read() as reading:
            return by_scope(reading, key).get(key, {})

    def events(self, key: int) -> list[Any]:
        with self.ctx.store.read() as reading:
            return [event for entry in history.entries(reading, key) for event in entry.events]

    def entries(self, key: int) -> list[history.Entry]:
        with self.ctx.store.read() as reading:
            return history.entries(reading, key)


def start() -> str:
    return '<b:startEvent id="start"/>'


def end(element_id: str = "end") -> str:
    return f'<b:endEvent id="{element_id}"/>'


def user(element_id: str) -> str:
    return (
        f'<b:userTask id="{element_id}"><b:extensionElements><z:userTask/>'
        '<z:assignmentDefinition candidateGroups="office"/></b:extensionElements></b:userTask>'
    )


def service(
    element_id: str, job_type: str, inputs: Mapping[str, str] | None = None, *, tag: str = "serviceTask", retries: int = 3
) -> str:
    mapped = "".join(f"<z:input source={quoteattr(source)} target={quoteattr(name)}/>" for name, source in (inputs or {}).items())
    return (
        f'<b:{tag} id="{element_id}"><b:extensionElements><z:taskDefinition type="{job_type}" retries="{retries}"/>'
        f"<z:ioMapping>{mapped}</z:ioMapping></b:extensionElements></b:{tag}>"
    )


def timer_definition(text: str, kind: str = "timeDuration") -> str:
    return f"<b:timerEventDefinition><b:{kind}>{text}</b:{kind}></b:timerEventDefinition>"


def boundary(element_id: str, host: str, text: str, kind: str = "timeDuration") -> str:
    return (
        f'<b:boundaryEvent id="{element_id}" attachedToRef="{host}" cancelActivity="false">'
        f"{timer_definition(text, kind)}</b:boundaryEvent>"
    )


def catch(element_id: str, text: str, kind: str = "timeDuration") -> str:
    return f'<b:intermediateCatchEvent id="{element_id}">{timer_definition(text, kind)}</b:intermediateCatchEvent>'


def flows(*ids: str) -> str:
    pairs = itertools.pairwise(ids)
    return "".join(f'<b:sequenceFlow id="f-{one}-{two}" sourceRef="{one}" targetRef="{two}"/>' for one, two in pairs)


def draw(process_id: str, *parts: str) -> str:
    return f"{process_id}|" + "".join(parts)
