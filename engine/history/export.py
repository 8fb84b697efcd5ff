"""Exports of history for other tools: XES (IEEE 1849) for process mining, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from sqlalchemy import select

from engine.errors import NotFound
from engine.history import canonical, journal
from engine.history.events import TaskAssigned, TaskClaimed, TaskUnclaimed
from engine.history.journal import Entry
from engine.kernel.advance import (
    Change,
    ElementCompleted,
    ElementEntered,
    ElementTerminated,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
)
from engine.store import Reading
from engine.store.library import Library
from engine.store.tables import process_instance

XES_NAMESPACE = "http://www.xes-standard.org/"

_EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
)

# What happens to an activity, in the words of XES's standard lifecycle model.
_TRANSITIONS: dict[type[Change], str] = {
    ElementEntered: "start",
    ElementCompleted: "complete",
    ElementTerminated: "pi_abort",
    TaskCreated: "schedule",
    TaskClaimed: "assign",
    TaskAssigned: "reassign",
    TaskUnclaimed: "withdraw",
    TaskCompleted: "complete",
    TaskCancelled: "ate_abort",
}

CSV_COLUMNS = (
    "processInstanceKey",
    "businessId",
    "seq",
    "at",
    "actor",
    "onBehalfOf",
    "command",
    "event",
    "elementId",
    "elementName",
    "elementKey",
    "details",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Case:
    """One case to export.

    Attributes:
        names: element id → the element's name.
        entries: its journal, in order.
    """

    instance_key: int
    bpmn_process_id: str
    version: int
    business_id: str | None
    names: dict[str, str]
    entries: Sequence[Entry]


def read_case(reading: Reading, library: Library, instance_key: int) -> Case:
    """Read a case's history for an export.

    Raises:
        NotFound: there is no such process instance.
    """
    row = reading.one(select(process_instance).where(process_instance.c.key == instance_key))
    if row is None:
        raise NotFound(f"没有实例 {instance_key}（no such process instance）")
    version = library.process(reading, row.definition_key)
    names = {element.id: element.name for element in version.process.elements.values() if element.name}
    return Case(instance_key, version.process.id, version.version, row.business_id, names, journal.entries(reading, instance_key))


def xes(cases: Iterable[Case]) -> str:
    """Return the cases as an XES log: a trace per case, an event per change of an activity's or a task's life."""
    text = io.StringIO()
    xml = XMLGenerator(text, "UTF-8", short_empty_elements=True)
    xml.startDocument()
    _open(xml, "log", {"xes.version": "1849-2016", "xes.features": "", "xmlns": XES_NAMESPACE})
    for name, prefix, uri in _EXTENSIONS:
        _empty(xml, "extension", {"name": name, "prefix": prefix, "uri": uri})
    _open(xml, "global", {"scope": "trace"})
    _attribute(xml, "concept:name", "")
    xml.endElement("global")
    _open(xml, "global", {"scope": "event"})
    for key in ("concept:name", "lifecycle:transition"):
        _attribute(xml, key, "")
    _attribute(xml, "time:timestamp", datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    xml.endElement("global")
    _empty(xml, "classifier", {"name": "Activity", "keys": "concept:name lifecycle:transition"})
    _attribute(xml, "lifecycle:model", "standard")
    for case in cases:
        _trace(xml, case)
    xml.endElement("log")
    xml.endDocument()
    return text.getvalue()


def as_csv(cases: Iterable[Case]) -> str:
    """Return every event of the cases as CSV (RFC 4180): one line an event, what is particular to it as JSON in `details`.

    Texts that a spreadsheet would take for a formula are led by an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for case in cases:
        for entry in case.entries:
            for change in entry.events:
                writer.writerow([_cell(value) for value in _line(case, entry, change)])
    return text.getvalue()


def _trace(xml: XMLGenerator, case: Case) -> None:
    _open(xml, "trace", {})
    _attribute(xml, "concept:name", case.business_id or str(case.instance_key))
    _attribute(xml, "liuzhuan:processInstanceKey", str(case.instance_key))
    _attribute(xml, "liuzhuan:bpmnProcessId", case.bpmn_process_id)
    _attribute(xml, "liuzhuan:version", case.version)
    for entry in case.entries:
        for change in entry.events:
            transition = _TRANSITIONS.get(type(change))
            if transition is not None:
                _event(xml, case, entry, change, transition)
    xml.endElement("trace")


def _event(xml: XMLGenerator, case: Case, entry: Entry, change: Any, transition: str) -> None:
    _open(xml, "event", {})
    _attribute(xml, "concept:name", case.names.get(change.element_id) or change.element_id)
    _attribute(xml, "concept:instance", str(change.key))
    _attribute(xml, "lifecycle:transition", transition)
    _attribute(xml, "time:timestamp", entry.at)
    if entry.actor is not None:
        _attribute(xml, "org:resource", entry.actor)
    if entry.on_behalf_of is not None:
        _attribute(xml, "liuzhuan:onBehalfOf", entry.on_behalf_of)
    if isinstance(change, TaskCreated) and change.candidate_groups:
        _attribute(xml, "org:role", ",".join(change.candidate_groups))
    _attribute(xml, "liuzhuan:elementId", change.element_id)
    _attribute(xml, "liuzhuan:seq", entry.seq)
    xml.endElement("event")


def _attribute(xml: XMLGenerator, key: str, value: str | int | datetime) -> None:
    if isinstance(value, datetime):
        _empty(xml, "date", {"key": key, "value": canonical.moment(value).replace("Z", "+00:00")})
    elif isinstance(value, int):
        _empty(xml, "int", {"key": key, "value": str(value)})
    else:
        _empty(xml, "string", {"key": key, "value": _printable(value)})


def _empty(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    _open(xml, name, attributes)
    xml.endElement(name)


def _open(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    xml.startElement(name, AttributesImpl(attributes))


def _printable(text: str) -> str:
    """Leave out what XML 1.0 cannot say."""
    return "".join(
        character for character in text if character in "\t\n\r" or (character >= " " and character not in "\ufffe\uffff")
    )


def _line(case: Case, entry: Entry, change: Change) -> Iterator[Any]:
    values = {field.name: getattr(change, field.name) for field in fields(change)}
    element_id, key = values.pop("element_id", ""), values.pop("key", "")
    yield from (case.instance_key, case.business_id or "", entry.seq, canonical.moment(entry.at))
    yield from (entry.actor or "", entry.on_behalf_of or "", entry.command, type(change).__name__)
    yield from (element_id or "", case.names.get(element_id, ""), key if key is not None else "")
    yield canonical.dumps({name: value for name, value in values.items() if value not in (None, "", (), {}, [])})


def _cell(value: Any) -> str:
    text = str(value)
    return "'" + text if text.startswith(_FORMULA) else text
