"""A case as its pages show it: where it stands on the diagram, its variables as readable facts, its lists as tables."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from engine.queries.records import ElementInstance, Fact, Incident, Instance, InstancePage, ScopeVariable, Task
from webui import access, formats, naming
from webui.i18n import text

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BODY = "MULTI_INSTANCE_BODY"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value with the name and the label of its variable."""

    name: str
    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class Table:
    """A variable that is a list of objects, as a table. `columns`: key and label; `rows`: the values in that order."""

    name: str
    label: str
    columns: tuple[Shown, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """A variable that is an object: its parts as facts."""

    label: str
    facts: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A case's variables: plain values that a form labels, the other plain values, lists of objects, and objects."""

    labelled: list[Shown]
    others: list[Shown]
    tables: list[Table]
    structures: list[Structure]


def summary_of_case(
    instance: Instance,
    *,
    facts: Sequence[Fact] = (),
    elements: Sequence[ElementInstance] = (),
    tasks: Sequence[Task] = (),
    incidents: Sequence[Incident] = (),
) -> dict[str, Any]:
    """Return what the head of a page says about a case, and its states on the diagram."""
    end = instance.ended_at or access.now()
    return {
        "key": instance.key,
        "business_id": instance.business_id,
        "process_id": instance.bpmn_process_id,
        "definition_key": instance.process_definition_key,
        "process_name": naming.process(instance.process_definition_key, instance.process_name),
        "version": instance.version,
        "subject": instance.subject,
        "state": instance.state,
        "suspended": instance.suspended_reason is not None,
        "suspended_reason": instance.suspended_reason,
        "started_at": instance.started_at,
        "started_by": instance.started_by_name or instance.started_by,
        "ended_at": instance.ended_at,
        "gross": (end - instance.started_at).total_seconds(),
        "diagram_url": url_for("definitions.file", kind="process", key=instance.process_definition_key),
        "states": states(elements, tasks, incidents),
        "standing": _standing(instance, elements),
        "summary": [_shown(fact, instance.process_definition_key) for fact in facts if not isinstance(fact.value, Mapping)],
    }


def states(elements: Iterable[ElementInstance], tasks: Iterable[Task], incidents: Iterable[Incident]) -> dict[str, Any]:
    """Return which elements of the diagram are done, open, late and faulty; `badges` counts those active several times."""
    now = access.now()
    elements = list(elements)
    late = {task.element_id for task in tasks if task.is_overdue(now)}
    faulty = {incident.element_id for incident in incidents}
    active = Counter(element.element_id for element in elements if element.state == "ACTIVE" and element.type != _BODY)
    open_ = {element.element_id for element in elements if element.state == "ACTIVE"}
    done = {element.element_id for element in elements if element.state == "COMPLETED"}
    return {
        "done": sorted(done - open_ - faulty),
        "open": sorted(open_ - late - faulty),
        "late": sorted(late & open_ - faulty),
        "incident": sorted(faulty),
        "badges": {element_id: str(count) for element_id, count in active.items() if count > 1},
    }


def _standing(instance: Instance, elements: Iterable[ElementInstance]) -> list[str]:
    """Names of the elements that a case waits at: tasks and events, not the scopes around them nor what only listens."""
    names = naming.elements(instance.process_definition_key)
    scopes = {"PROCESS", "SUB_PROCESS", "EVENT_SUB_PROCESS", _BODY, "BOUNDARY_EVENT"}
    waiting = [element.element_id for element in elements if element.state == "ACTIVE" and element.type not in scopes]
    return [names[element_id] for element_id in dict.fromkeys(waiting) if names.get(element_id)]


# --- variables ----------------------------------------------------------------------------------------------------------


def facts_of(page: InstancePage) -> Facts:
    """Return a case's own variables; those of the summary come first."""
    first = [fact.name for fact in page.facts]
    own = [variable for variable in page.variables if variable.scope_key == page.instance.key]
    own.sort(key=lambda variable: first.index(variable.name) if variable.name in first else len(first))
    key = page.instance.process_definition_key
    labels = naming.labels(key)
    found = Facts([], [], [], [])
    for variable in own:
        shown = _shown(variable, key)
        if _is_table(shown.value):
            found.tables.append(table(shown, labels, key))
        elif isinstance(shown.value, Mapping) and not formats.is_file(shown.value):
            parts = tuple(_part(str(name), part, labels, key) for name, part in shown.value.items())
            found.structures.append(Structure(shown.label, parts))
        else:
            (found.labelled if shown.label != shown.name else found.others).append(shown)
    return found


def table_named(page: InstancePage, name: str) -> Table | None:
    """Return a case's variable as a table, None where it is none."""
    return next((found for found in facts_of(page).tables if found.name == name), None)


def table(shown: Shown, labels: Mapping[str, str], definition_key: int) -> Table:
    """Return a list of objects as a table; its columns in the order in which they first appear."""
    keys = list(dict.fromkeys(key for row in shown.value for key in row))
    columns = tuple(Shown(key, labels.get(f"{shown.name}.{key}", labels.get(key, key)), None) for key in keys)
    rows = tuple(tuple(naming.readable(definition_key, key, row.get(key)) for key in keys) for row in shown.value)
    return Table(shown.name, shown.label, columns, rows)


def csv_of(found: Table) -> str:
    """Return a table as CSV that no spreadsheet program takes for formulas, with a byte order mark so that Excel reads UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(column.label) for column in found.columns])
    for row in found.rows:
        writer.writerow([_cell(formats.value_text(value) if value is not None else "") for value in row])
    return "\ufeff" + out.getvalue()


def _cell(value: str) -> str:
    """Return a cell's text; one that a spreadsheet would calculate is preceded by an apostrophe, plain numbers stay."""
    if value.startswith(_FORMULA) and not _is_number(value):
        return "'" + value
    return value


def _is_number(value: str) -> bool:
    return value.removeprefix("-").removeprefix("+").replace(".", "", 1).isdigit()


def _shown(variable: Fact | ScopeVariable, definition_key: int) -> Shown:
    label = naming.localized(variable.label, variable.label_en) or variable.name
    return Shown(variable.name, label, naming.readable(definition_key, variable.name, variable.value))


def _part(name: str, value: Any, labels: Mapping[str, str], definition_key: int) -> Shown:
    return Shown(name, labels.get(name, name), naming.readable(definition_key, name, value))


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, Mapping) for item in value)
        and not all(formats.is_file(item) for item in value)
    )


def task_row(task: Task, *, may_open: bool) -> dict[str, Any]:
    """Return a task as a row of a case's page."""
    return {
        "key": task.key,
        "name": naming.localized(task.name, task.name_en),
        "state": task.state,
        "assignee": naming.person_name(task.ended_by) or task.assignee_name or task.assignee,
        "groups": naming.group_names(task.candidate_groups),
        "behalf": naming.person_name(task.on_behalf_of),
        "due": formats.due(task.due_at, access.now()),
        "due_at": task.due_at,
        "ended_at": task.ended_at,
        "still": False,
        "may_open": may_open,
    }


def state_choices() -> list[tuple[str, str]]:
    """Return the states that cases can be searched by."""
    return [
        ("ACTIVE", text("进行中")),
        ("suspended", text("已暂停")),
        ("COMPLETED", text("已完成")),
        ("TERMINATED", text("已终止")),
    ]
