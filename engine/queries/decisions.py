"""Decisions as programs ask for them: definitions, the files that hold them (requirements), evaluating one, and past evaluations.

The requirements of Camunda are a file of a deployment here; its first decision lends it key and version (see `deployed`).
Everybody who is signed in may read definitions and files, as on the pages. Administrators evaluate, since expressions may ask
for people and their attributes. Past evaluations are read from the journals of cases, for those who may see the case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine import feel, history
from engine.dmn import Model
from engine.dmn.elements import Decision, DecisionTable, LiteralExpression
from engine.errors import EvaluationFailed, InvalidValue, NotFound
from engine.history.events import InstanceMigrated, InstanceStarted
from engine.kernel.advance import DecisionEvaluated
from engine.queries import process_search
from engine.queries.instances import journal
from engine.queries.listed import search_listed
from engine.queries.searching import Condition, Page, PageRequest, Search
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import Directory
from engine.store.library import resolve
from engine.store.rights import check_administers
from engine.store.tables import blob, decision_definition
from engine.store.transactions import Found

MOST_CASES = 500
"""Journals that a search of past evaluations reads at most."""

_ALL = select(decision_definition).order_by(decision_definition.c.key)
_BY_KEY = select(decision_definition).where(decision_definition.c.key == bindparam("key"))
_FILE = select(blob.c.content).where(blob.c.digest == bindparam("digest"))


@dataclass(frozen=True, slots=True)
class RequirementsVersion:
    """A file with decisions; key and version are those of the first decision in it."""

    decision_requirements_key: int
    decision_requirements_id: str
    decision_requirements_name: str
    resource_name: str
    version: int
    digest: str
    tenant_id: str = process_search.TENANT


@dataclass(frozen=True, slots=True)
class DecisionVersionView:
    """A version of a decision, with the file that holds it. `type`: DECISION_TABLE | LITERAL_EXPRESSION | UNKNOWN."""

    decision_definition_key: int
    decision_definition_id: str
    name: str
    version: int
    is_latest_version: bool
    type: str
    requirements: RequirementsVersion
    tenant_id: str = process_search.TENANT

    @property
    def decision_requirements_key(self) -> int:
        """The file's key."""
        return self.requirements.decision_requirements_key

    @property
    def decision_requirements_id(self) -> str:
        """The file's id."""
        return self.requirements.decision_requirements_id

    @property
    def decision_requirements_name(self) -> str:
        """The file's name."""
        return self.requirements.decision_requirements_name

    @property
    def decision_requirements_version(self) -> int:
        """The file's version."""
        return self.requirements.version


@dataclass(frozen=True, slots=True)
class Cell:
    """An input of a table, or an output of one of its rules, with its value as JSON."""

    id: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule that matched. `index`: its row, from 1."""

    id: str
    index: int
    outputs: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What one decision did within an evaluation."""

    definition: DecisionVersionView
    result: Any
    inputs: tuple[Cell, ...]
    matched: tuple[MatchedRule, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation that somebody asked for; it is kept nowhere.

    Attributes:
        decided: the decisions on the way, the one asked for last.
        failure: why it failed; None = it did not. `failed_id`: the decision that did.
    """

    key: int
    definition: DecisionVersionView
    result: Any
    decided: tuple[Decided, ...]
    failure: str | None = None
    failed_id: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionInstance:
    """What one decision did within an evaluation of a case.

    Attributes:
        decision_evaluation_instance_key: the case's key, and where in its journal: a thousand times the how many-th evaluation,
            plus the how many-th decision in it.
        decision_evaluation_key: the element instance that asked.
        process_definition_key: what the case ran then.
    """

    decision_evaluation_instance_key: str
    decision_evaluation_key: int
    decided: Decided
    root_decision_definition_key: int
    evaluation_date: datetime
    element_instance_key: int
    process_instance_key: int
    root_process_instance_key: int
    process_definition_key: int
    business_id: str | None
    number: int
    state: str = "EVALUATED"
    evaluation_failure: str | None = None
    tenant_id: str = process_search.TENANT

    @property
    def decision_definition_id(self) -> str:
        """The decision's id."""
        return self.decided.definition.decision_definition_id

    @property
    def decision_definition_key(self) -> int:
        """The decision's version's key."""
        return self.decided.definition.decision_definition_key

    @property
    def decision_definition_name(self) -> str:
        """The decision's name."""
        return self.decided.definition.name

    @property
    def decision_definition_version(self) -> int:
        """The decision's version."""
        return self.decided.definition.version

    @property
    def decision_definition_type(self) -> str:
        """What kind of decision it is."""
        return self.decided.definition.type

    @property
    def decision_requirements_key(self) -> int:
        """The file's key."""
        return self.decided.definition.decision_requirements_key

    @property
    def place(self) -> str:
        """By which instances are in order: the case, and where in its journal."""
        return f"{self.process_instance_key:019d}-{self.number:09d}"


# --- definitions ------------------------------------------------------------------------------------------------------


def search_decisions(ctx: Context, wanted: Search) -> tuple[list[DecisionVersionView], Page]:
    """Return versions of decisions."""
    with ctx.store.read() as reading:
        return search_listed(_Catalogue(ctx, reading).decisions, wanted, key="decision_definition_key")


def find_decision(ctx: Context, key: int) -> DecisionVersionView:
    """Return a version of a decision.

    Raises:
        NotFound: there is none.
    """
    with ctx.store.read() as reading:
        return _Catalogue(ctx, reading).decision(key)


def search_requirements(ctx: Context, wanted: Search) -> tuple[list[RequirementsVersion], Page]:
    """Return files with decisions."""
    with ctx.store.read() as reading:
        return search_listed(_Catalogue(ctx, reading).requirements, wanted, key="decision_requirements_key")


def find_requirements(ctx: Context, key: int) -> tuple[RequirementsVersion, bytes]:
    """Return a file with decisions, and its content byte for byte.

    Raises:
        NotFound: there is none.
    """
    with ctx.store.read() as reading:
        for found in _Catalogue(ctx, reading).requirements:
            if found.decision_requirements_key == key:
                return found, bytes(reading.scalar(_FILE, {"digest": found.digest}))
    raise NotFound(f"没有决策文件 {key}（no such decision requirements）")


class _Catalogue:
    """Versions of decisions with the files that hold them; what was deleted is known for what it decided before.

    Attributes:
        decisions, requirements: those that are not deleted.
    """

    def __init__(self, ctx: Context, reading: Reading) -> None:
        self._ctx, self._reading = ctx, reading
        rows = reading.all(_ALL)
        files: dict[tuple[int, str], RequirementsVersion] = {}
        there = [row for row in rows if row.deleted_at is None]
        newest: dict[str, int] = {row.decision_id: row.version for row in sorted(there, key=lambda row: int(row.version))}
        decisions = []
        for row in rows:
            file, types = self._file(row)
            place = (row.deployment_key, row.resource_name)
            files.setdefault(place, RequirementsVersion(row.key, *file, row.resource_name, row.version, row.digest))
            decisions.append(
                DecisionVersionView(
                    decision_definition_key=row.key,
                    decision_definition_id=row.decision_id,
                    name=row.name,
                    version=row.version,
                    is_latest_version=newest.get(row.decision_id) == row.version,
                    type=types.get(row.decision_id, "UNKNOWN"),
                    requirements=files[place],
                )
            )
        self._all = tuple(decisions)
        self._by_key = {row.key: item for row, item in zip(rows, decisions, strict=True) if row.deleted_at is None}
        self.decisions = tuple(self._by_key.values())
        self.requirements = tuple({item.decision_requirements_key: item.requirements for item in self.decisions}.values())

    def decision(self, key: int) -> DecisionVersionView:
        """Return a version of a decision.

        Raises:
            NotFound: there is none.
        """
        if key not in self._by_key:
            raise NotFound(f"没有决策 {key}（no such decision definition）")
        return self._by_key[key]

    def version(self, decision_id: str, version: int) -> DecisionVersionView | None:
        """Return a version of a decision by its id, deleted ones too."""
        found = (item for item in self._all if item.decision_definition_id == decision_id and item.version == version)
        return next(found, None)

    def decided(self, root: DecisionVersionView, trace: Any) -> Iterator[Decided]:
        """Yield what the decisions of a trace did, in order of completion; knowledge models in between are left out."""
        for step in trace if isinstance(trace, Sequence) and not isinstance(trace, str) else ():
            definition = self._named(root, str(step.get("id")))
            if definition is None:
                continue
            model = self._ctx.library.decision(self._reading, definition.decision_definition_key).model
            inputs, matched = _table(_expression(model, definition.decision_definition_id), step)
            yield Decided(definition, step.get("value"), inputs, matched)

    def _named(self, root: DecisionVersionView, decision_id: str) -> DecisionVersionView | None:
        """Return the version of a decision that an evaluation of another used: of the same file, or of an imported one."""
        candidates = [item for item in self._all if item.decision_definition_id == decision_id]
        same_file = [item for item in candidates if item.requirements is root.requirements]
        earlier = [item for item in candidates if item.decision_definition_key <= root.decision_definition_key]
        found = same_file or earlier[-1:] or candidates
        return found[-1] if found else None

    def _file(self, row: Found) -> tuple[tuple[str, str], Mapping[str, str]]:
        def read() -> tuple[tuple[str, str], Mapping[str, str]]:
            model = self._ctx.library.decision(self._reading, row.key).model
            types = {decision_id: _type(_expression(model, decision_id)) for decision_id in model.decisions}
            identifier = model.id or row.resource_name
            return (identifier, model.name or identifier), types

        return self._ctx.library.compiled(("requirements", row.digest), read)


def _expression(model: Model, decision_id: str) -> object:
    source = model.sources.get(decision_id)
    return source.expression if isinstance(source, Decision) else None


def _type(expression: object) -> str:
    if isinstance(expression, DecisionTable):
        return "DECISION_TABLE"
    return "LITERAL_EXPRESSION" if isinstance(expression, LiteralExpression) else "UNKNOWN"


def _table(expression: object, step: Mapping[str, Any]) -> tuple[tuple[Cell, ...], tuple[MatchedRule, ...]]:
    """Return a table's inputs and the rules that matched, as a trace tells them, with the ids of the file's columns."""
    if not isinstance(expression, DecisionTable):
        return (), ()
    columns = {output.name or output.label: output for output in expression.outputs}
    inputs = tuple(
        Cell(column.id, str(told.get("label") or told.get("expression")), told.get("value"))
        for column, told in zip(expression.inputs, step.get("inputs") or (), strict=False)
    )
    matched = tuple(
        MatchedRule(
            str(rule.get("id") or ""),
            int(rule["index"]),
            tuple(
                Cell(columns[name].id if name in columns else name, name, value)
                for name, value in (rule.get("outputs") or {}).items()
            ),
        )
        for rule in step.get("matched") or ()
    )
    return inputs, matched


# --- evaluating -------------------------------------------------------------------------------------------------------


def environment(ctx: Context, reading: Reading) -> feel.Environment:
    """Return FEEL's surroundings at the reading's moment, outside any case; its limits are the engine's."""
    return feel.Environment(
        now=reading.now,
        time_zone=ctx.settings.time_zone,
        calendar=ctx.working_days.calendar(reading),
        directory=Directory(reading),
    )


def evaluate_decision(
    ctx: Context, who: str, variables: Mapping[str, Any], *, key: int | None = None, decision_id: str | None = None
) -> Evaluation:
    """Evaluate a version of a decision (its key), or the newest of an id; nothing is written.

    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such decision.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        catalogue = _Catalogue(ctx, reading)
        definition = catalogue.decision(key if key is not None else resolve(reading, "decision", decision_id or ""))
        model = ctx.library.decision(reading, definition.decision_definition_key).model
        evaluation_key = next(ctx.keys)
        try:
            found = model.explain(definition.decision_definition_id, variables, environment(ctx, reading))
            result = feel.to_json(found.value)
        except EvaluationFailed as error:
            failed = error.element_id or definition.decision_definition_id
            return Evaluation(evaluation_key, definition, None, (), error.message, failed)
        return Evaluation(evaluation_key, definition, result, tuple(catalogue.decided(definition, found.trace)))


# --- past evaluations -------------------------------------------------------------------------------------------------


def search_decision_instances(
    ctx: Context, who: str, wanted: Search, *, processes: Collection[str] | None = None
) -> tuple[list[DecisionInstance], Page]:
    """Return what decisions did in cases that a person may see.

    Args:
        processes: only in cases of these process ids; None = all.
    Raises:
        InvalidValue: more than `MOST_CASES` cases would have to be read.
    """
    cases = process_search.search_process_instances(ctx, who, _cases(wanted.conditions), processes=processes).rows
    if len(cases) > MOST_CASES:
        raise InvalidValue(
            f"要查的案件超过 {MOST_CASES} 件：请限定 processInstanceKey 或 businessId"
            "（too many cases would have to be read: filter by processInstanceKey or businessId）",
            field="filter.processInstanceKey",
        )
    return search_listed(_of_cases(ctx, cases, who), wanted, key="place")


def find_decision_instance(ctx: Context, key: str, who: str, *, processes: Collection[str] | None = None) -> DecisionInstance:
    """Return what one decision did in a case.

    Raises:
        NotFound: there is no such evaluation, or the person may not know of it.
    """
    instance, _, _ = key.partition("-")
    row = process_search.find_process_instance(ctx, int(instance), who, processes=processes)
    for item in _of_cases(ctx, [row], who):
        if item.decision_evaluation_instance_key == key:
            return item
    raise NotFound(f"没有决策记录 {key}（no such decision instance）")


def _cases(conditions: Sequence[Condition]) -> Search:
    """Return the search of the cases whose journals may hold what is wanted."""
    kept = [item for item in conditions if item.field in {"process_instance_key", "business_id"}]
    for item in conditions:
        if item.field == "decision_evaluation_instance_key" and item.operator in {"eq", "in"}:
            texts = [item.value] if item.operator == "eq" else item.value
            kept.append(Condition("process_instance_key", "in", [int(text.partition("-")[0]) for text in texts]))
        if item.field == "evaluation_date" and item.operator in {"lt", "lte", "eq"}:
            kept.append(Condition("start_date", "lte", item.value))
    return Search(tuple(kept), page=PageRequest(limit=MOST_CASES + 1))


def _of_cases(ctx: Context, cases: Sequence[Found], who: str) -> list[DecisionInstance]:
    journals = [(row, journal(ctx, row.key, who)) for row in cases]
    with ctx.store.read() as reading:
        catalogue = _Catalogue(ctx, reading)
        return [item for row, entries in journals for item in _of_case(catalogue, row, entries)]


def _of_case(catalogue: _Catalogue, case: Found, entries: Sequence[history.Entry]) -> Iterator[DecisionInstance]:
    """Yield what the journal of a case tells of decisions; an evaluation that the person may not know yet is left out."""
    definition_key, evaluations = case.definition_key, 0
    for entry in entries:
        for event in entry.events:
            if isinstance(event, InstanceStarted | InstanceMigrated):
                definition_key = event.definition_key
            if not isinstance(event, DecisionEvaluated):
                continue
            evaluations += 1
            root = catalogue.version(event.decision_id, event.version)
            if root is None:
                continue
            for index, decided in enumerate(catalogue.decided(root, event.trace), 1):
                number = evaluations * 1000 + index
                yield DecisionInstance(
                    decision_evaluation_instance_key=f"{case.key}-{number}",
                    decision_evaluation_key=event.key,
                    decided=decided,
                    root_decision_definition_key=root.decision_definition_key,
                    evaluation_date=entry.at,
                    element_instance_key=event.key,
                    process_instance_key=case.key,
                    root_process_instance_key=case.root_key,
                    process_definition_key=definition_key,
                    business_id=case.business_id,
                    number=number,
                )
