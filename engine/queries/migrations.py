"""What a migration would do: to one case, and to many; and how far batches are. For administrators and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from engine.definitions import Process
from engine.errors import NotFound, Obstacle
from engine.kernel import ElementRow, Instructions, Plan, candidates, plan
from engine.queries.records import Instance, Task
from engine.queries.rows import INSTANCES, TASKS, instance_of, tasks_of
from engine.store import Reading
from engine.store.cases import CaseFilter, running
from engine.store.context import Context
from engine.store.library import ProcessVersion
from engine.store.tables import IS_OPEN, batch, batch_item, element_instance, process_instance, timer, user, user_task

PREVIEWED = 1000
"""Cases of a set that a preview looks at; more are migrated all the same, each checked in its own transaction."""

_AT_ONCE = 200
_ROWS = (
    select(element_instance)
    .where(element_instance.c.instance_key.in_(bindparam("instances", expanding=True)))
    .order_by(element_instance.c.instance_key, element_instance.c.key)
)
_INSTANCES = INSTANCES.where(process_instance.c.key.in_(bindparam("instances", expanding=True))).order_by(process_instance.c.key)
_TASKS = TASKS.where(user_task.c.instance_key == bindparam("instance"), IS_OPEN).order_by(user_task.c.due_sort)
_TIMERS = select(timer.c.key, timer.c.due_at).where(timer.c.instance_key == bindparam("instance"))


@dataclass(frozen=True, slots=True)
class InstancePreview:
    """What a migration would do to one case.

    Attributes:
        tasks: the open tasks by key, which stay what they are: assignee, candidates, due date, drafts.
        due: the timers' due times by key, which stay.
    """

    instance: Instance
    plan: Plan
    tasks: Mapping[int, Task]
    due: Mapping[int, datetime]


@dataclass(slots=True)
class ElementPreview:
    """What a migration would do at one element, in a set of cases.

    Attributes:
        element_id: by which an instruction names it.
        type: Camunda's word; `waits`: task | job | timer | …
        listens: it may also be left unmapped: it is opened anew then.
        target_id: where it goes; None = nowhere.
        choices: (id, name) of the target's elements of its kind.
        cases: how many cases have it; `refused` how many of them cannot be migrated because of it.
        closed: in how many it is closed.
        why: the obstacles' messages.
    """

    element_id: str
    name: str
    type: str
    waits: str
    listens: bool
    target_id: str | None
    target_name: str
    choices: tuple[tuple[str, str], ...]
    cases: int = 0
    closed: int = 0
    refused: int = 0
    why: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MigrationPreview:
    """What a migration would do to a set of cases of one version.

    Attributes:
        cases: how many were looked at; `more`: whether there are more than that.
        possible: how many of them can be migrated.
        elements: where they stand, in the order of the source's diagram.
        opened: subscriptions that are opened, with the number of cases.
        refused: cases that cannot be migrated, with the obstacles; the first hundred.
    """

    cases: int
    more: bool
    possible: int
    elements: tuple[ElementPreview, ...]
    opened: tuple[tuple[str, str, int], ...]
    refused: tuple[tuple[Instance, tuple[Obstacle, ...]], ...]


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A case of a batch. `state`: WAITING | SUSPENDED | CANCELED | DONE | FAILED."""

    instance: Instance
    state: str
    message: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One thing done to many cases.

    Attributes:
        kind: migrate | modify | cancel | suspend | resume | retry.
        parameters: of a migration: `definition_key`, `instructions`.
        failures: the cases in which it was refused, with the reason; at most 200.
        cancelled: the cases that were left out.
    """

    key: int
    kind: str
    reason: str
    parameters: Mapping[str, Any]
    created_at: datetime
    created_by: str | None
    created_by_name: str | None
    total: int
    done: int
    failed: int
    failures: tuple[BatchItem, ...] = ()
    cancelled: int = 0

    @property
    def waiting(self) -> int:
        """How many cases are not done yet."""
        return self.total - self.done - self.failed - self.cancelled


# --- previews ---------------------------------------------------------------------------------------------------------


def preview_migration(
    ctx: Context, instance_key: int, definition_key: int, instructions: Instructions | None = None
) -> InstancePreview:
    """Return what migrating a case to another definition would do; nothing is changed.

    Raises:
        NotFound: there is no such case or definition.
        InvalidValue: an instruction names an element that is not there.
    """
    with ctx.store.read() as reading:
        known = _instances(reading, [instance_key])
        if not known:
            raise NotFound(f"没有案件 {instance_key}（no such case）")
        instance = known[0]
        source = ctx.library.process(reading, instance.process_definition_key).process
        target = ctx.library.process(reading, definition_key).process
        rows = [row for _, found in _rows(reading, [instance_key]) for row in found]
        tasks = tasks_of(ctx, reading, reading.all(_TASKS, {"instance": instance_key}))
        due = {row.key: row.due_at for row in reading.all(_TIMERS, {"instance": instance_key})}
        return InstancePreview(instance, plan(source, target, rows, instructions), {task.key: task for task in tasks}, due)


def preview_migrations(
    ctx: Context,
    source_key: int,
    definition_key: int,
    instructions: Instructions | None = None,
    *,
    keys: Sequence[int] = (),
    cases: CaseFilter | None = None,
) -> MigrationPreview:
    """Return what migrating cases of one version would do; nothing is changed.

    Args:
        source_key: the definition that they run now; cases of others are left out.
        keys: these cases; none and no filter = all that run.
        cases: or those that a filter means now.
    Raises:
        NotFound: there is no such definition.
        InvalidValue: an instruction names an element that is not there.
    """
    with ctx.store.read() as reading:
        source = ctx.library.process(reading, source_key)
        target = ctx.library.process(reading, definition_key)
        wanted = cases if cases is not None or keys else CaseFilter(definition_key=source_key, called=True)
        found = dict.fromkeys([*keys, *(running(reading, wanted, PREVIEWED + 1) if wanted is not None else ())])
        mine = [item for item in _instances(reading, list(found)[: PREVIEWED + 1]) if item.process_definition_key == source_key]
        shown = [item for item in mine if item.state == "ACTIVE"][:PREVIEWED]
        summary = _Summary(source, target, instructions or {})
        plan(source.process, target.process, (), instructions)  # the instructions are checked where there is no case, too
        for key, rows in _rows(reading, [item.key for item in shown]):
            summary.add(key, plan(source.process, target.process, rows, instructions))
        by_key = {item.key: item for item in shown}
        return MigrationPreview(
            cases=len(shown),
            more=len(mine) > len(shown),
            possible=summary.possible,
            elements=summary.in_order(),
            opened=tuple((element_id, name, count) for (element_id, name), count in summary.opened.items()),
            refused=tuple((by_key[key], obstacles) for key, obstacles in summary.refused[:100]),
        )


class _Summary:
    """Adds up the plans of many cases."""

    def __init__(self, source: ProcessVersion, target: ProcessVersion, instructions: Instructions) -> None:
        self.source: Process = source.process
        self.target: Process = target.process
        self.instructions = instructions
        self.possible = 0
        self.elements: dict[str, ElementPreview] = {}
        self.opened: dict[tuple[str, str], int] = {}
        self.refused: list[tuple[int, tuple[Obstacle, ...]]] = []

    def add(self, key: int, found: Plan) -> None:
        """Add one case."""
        for move in found.moves:
            if move.instruction != self.source.id:
                self._element(move.instruction, move.waits, listens=move.listens)
        for closing in found.closed:
            self._element(closing.instruction, closing.waits, listens=True)
        for obstacle in found.obstacles:
            self._element(obstacle.element_id, "", listens=False)
        for element_id in {move.instruction for move in found.moves} - {self.source.id}:
            self.elements[element_id].cases += 1
        for element_id in {closing.instruction for closing in found.closed}:
            self.elements[element_id].cases += 1
            self.elements[element_id].closed += 1
        for element_id in {obstacle.element_id for obstacle in found.obstacles}:
            self.elements[element_id].cases += 1
            self.elements[element_id].refused += 1
        for obstacle in found.obstacles:
            self.elements[obstacle.element_id].why[obstacle.message] = None
        for place in {(opening.element_id, opening.name) for opening in found.opened}:
            self.opened[place] = self.opened.get(place, 0) + 1
        if found.possible:
            self.possible += 1
        else:
            self.refused.append((key, tuple(found.obstacles)))

    def in_order(self) -> tuple[ElementPreview, ...]:
        """Return the elements in the order of the source's file."""
        return tuple(self.elements[element_id] for element_id in self.source.elements if element_id in self.elements)

    def _element(self, element_id: str, waits: str, *, listens: bool) -> None:
        known = self.elements.get(element_id)
        if known is not None:
            known.waits = known.waits or waits
            known.listens = known.listens or listens
            return
        element = self.source.elements[element_id]
        to = self.instructions.get(element_id, element_id)
        goal = self.target.elements.get(to) if to is not None else None
        listens = listens or element.type in {"BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}
        self.elements[element_id] = ElementPreview(
            element_id=element_id,
            name=element.name,
            type=element.type,
            waits=waits,
            listens=listens,
            target_id=goal.id if goal is not None else None,
            target_name=goal.name if goal is not None else "",
            choices=tuple((choice.id, choice.name) for choice in candidates(self.source, self.target, element_id)),
        )


def _instances(reading: Reading, keys: Sequence[int]) -> list[Instance]:
    found: list[Instance] = []
    for chunk in _chunks(keys):
        found += [instance_of(reading, row) for row in reading.all(_INSTANCES, {"instances": chunk})]
    return found


def _rows(reading: Reading, keys: Sequence[int]) -> Iterator[tuple[int, list[ElementRow]]]:
    for chunk in _chunks(keys):
        rows: dict[int, list[ElementRow]] = {key: [] for key in chunk}
        for instance_key, key, parent_key, element_id, state, data in reading.execute(_ROWS, {"instances": chunk}):
            rows[instance_key].append(ElementRow(key, parent_key, element_id, state, data))
        yield from rows.items()


def _chunks(keys: Sequence[int]) -> Iterable[list[int]]:
    return (list(keys[first : first + _AT_ONCE]) for first in range(0, len(keys), _AT_ONCE))


def count_running(ctx: Context, wanted: CaseFilter) -> tuple[int, bool]:
    """Return how many running cases a filter means, counted up to a thousand, and whether there are more."""
    with ctx.store.read() as reading:
        found = len(running(reading, wanted, PREVIEWED + 1))
    return min(found, PREVIEWED), found > PREVIEWED


def elements_to_enter(ctx: Context, definition_key: int) -> tuple[tuple[str, str, str], ...]:
    """Return (id, name, type) of the elements of a definition that a case may be made to enter, in the file's order."""
    with ctx.store.read() as reading:
        process = ctx.library.process(reading, definition_key).process
    never = {"PROCESS", "BOUNDARY_EVENT", "EVENT_SUB_PROCESS"}
    return tuple(
        (element.id, element.name, element.type)
        for element in process.elements.values()
        if element.type not in never and not element.for_compensation
    )


# --- batches ----------------------------------------------------------------------------------------------------------

_COUNTS = (
    select(batch_item.c.batch_key, batch_item.c.state, func.count().label("cases"))
    .where(batch_item.c.batch_key.in_(bindparam("batches", expanding=True)))
    .group_by(batch_item.c.batch_key, batch_item.c.state)
)
_BATCHES = (
    select(batch, user.c.name.label("created_by_name"))
    .join(user, user.c.username == batch.c.created_by, isouter=True)
    .order_by(batch.c.key.desc())
)
_FAILED = (
    select(batch_item)
    .where(batch_item.c.batch_key == bindparam("batch"), batch_item.c.state == "FAILED")
    .order_by(batch_item.c.instance_key)
    .limit(200)
)


def find_batch(ctx: Context, key: int) -> Batch:
    """Return how far a batch is, and what failed.

    Raises:
        NotFound: there is none.
    """
    with ctx.store.read() as reading:
        row = reading.one(_BATCHES.where(batch.c.key == key))
        if row is None:
            raise NotFound(f"没有批量操作 {key}（no such batch）")
        failed = {item.instance_key: item for item in reading.all(_FAILED, {"batch": key})}
        failures = tuple(
            BatchItem(found, item.state, item.message, item.done_at)
            for found in _instances(reading, list(failed))
            for item in [failed[found.key]]
        )
        return _batch(row, _counts(reading, [key]).get(key, {}), failures)


def batches(ctx: Context, most: int = 50) -> tuple[Batch, ...]:
    """Return the newest batches, without their failures."""
    with ctx.store.read() as reading:
        rows = reading.all(_BATCHES.limit(most))
        counts = _counts(reading, [row.key for row in rows])
        return tuple(_batch(row, counts.get(row.key, {}), ()) for row in rows)


def _counts(reading: Reading, keys: Sequence[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for row in reading.all(_COUNTS, {"batches": list(keys)}):
        found.setdefault(row.batch_key, {})[row.state] = row.cases
    return found


def _batch(row: Any, counts: Mapping[str, int], failures: tuple[BatchItem, ...]) -> Batch:
    return Batch(
        key=row.key,
        kind=row.kind,
        reason=row.reason,
        parameters=row.parameters or {},
        created_at=row.created_at,
        created_by=row.created_by,
        created_by_name=row.created_by_name,
        total=sum(counts.values()),
        done=counts.get("DONE", 0),
        failed=counts.get("FAILED", 0),
        failures=failures,
        cancelled=counts.get("CANCELED", 0),
    )
