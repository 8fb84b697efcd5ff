"""Work that leads to work without end, across cases: stopped, named, and the engine goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine import Engine, history
from engine.commands import work
from engine.history.events import StartRefused

FILE = """<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0">
{processes}<b:signal id="sg" name="again"/></b:definitions>"""
ROUND = """<b:process id="P" isExecutable="true"><b:startEvent id="s"/><b:exclusiveGateway id="x"/>{what}
<b:sequenceFlow id="f1" sourceRef="s" targetRef="x"/><b:sequenceFlow id="f2" sourceRef="x" targetRef="again"/>
<b:sequenceFlow id="f3" sourceRef="again" targetRef="x"/></b:process>"""
CALL = """<b:callActivity id="again" name="再来"><b:extensionElements><z:calledElement processId="C"/></b:extensionElements>
</b:callActivity>"""
CHILD = """<b:process id="C" isExecutable="true"><b:startEvent id="cs"/><b:endEvent id="ce"/>
<b:sequenceFlow id="c1" sourceRef="cs" targetRef="ce"/></b:process>"""
COUNT = """<b:serviceTask id="again" name="再数"><b:extensionElements><z:taskDefinition type="count-instances"/><z:ioMapping>
<z:input source="=&quot;P&quot;" target="processId"/></z:ioMapping></b:extensionElements></b:serviceTask>"""
SIGNAL = """<b:process id="S" isExecutable="true"><b:startEvent id="s"><b:signalEventDefinition signalRef="sg"/></b:startEvent>
<b:intermediateThrowEvent id="t"><b:signalEventDefinition signalRef="sg"/></b:intermediateThrowEvent>
<b:intermediateThrowEvent id="u"><b:signalEventDefinition signalRef="sg"/></b:intermediateThrowEvent><b:endEvent id="e"/>
<b:sequenceFlow id="f1" sourceRef="s" targetRef="t"/><b:sequenceFlow id="f2" sourceRef="t" targetRef="u"/>
<b:sequenceFlow id="f3" sourceRef="u" targetRef="e"/></b:process>"""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.open(clock=datetime(2026, 11, 20, 9, tzinfo=UTC)) as opened:
        yield opened


@pytest.mark.parametrize("what", [CALL, COUNT])
def test_a_round_through_the_engines_own_work_ends_in_an_incident(engine: Engine, what: str) -> None:
    engine.deploy({"p.bpmn": FILE.format(processes=ROUND.format(what=what) + CHILD)})
    case = engine.start("P")
    (incident,) = engine.incidents(case)
    assert incident.element_id == "again"
    assert str(work.CHAIN_LIMIT) in incident.message
    engine.resolve_incident(incident.key)  # a retry counts anew: the case goes on, and stops again
    (again,) = engine.incidents(case)
    assert again.key != incident.key
    assert engine.verify().ok


def test_cases_that_start_each_other_by_signals_come_to_an_end(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.deploy({"s.bpmn": FILE.format(processes=SIGNAL)})
    with caplog.at_level(logging.ERROR):
        engine.broadcast("again")
    with engine.context.store.read() as reading:
        written = [event for entry in history.entries(reading, history.NO_INSTANCE) for event in entry.events]
    refused = [event for event in written if isinstance(event, StartRefused)]
    assert refused
    assert refused[0].element_id == "s"
    assert str(work.CHAIN_LIMIT) in caplog.text
    assert engine.next_due() is None
