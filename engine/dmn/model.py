"""A decision model that can be evaluated: its requirement graph, compiled once.

Source: DMN 1.5, chapter 6 (requirements), 10.4 (execution semantics of decision services).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import DecimalException
from typing import Any

from engine.dmn import elements as e
from engine.dmn.boxed import BoxedCompiler
from engine.dmn.cycles import refuse_cycles
from engine.dmn.evaluation import Evaluation, service_inputs
from engine.dmn.findings import Finding
from engine.dmn.itemtypes import ItemTypes
from engine.dmn.run import DecisionRun
from engine.dmn.tables import CompiledTable, rule_ids
from engine.errors import EvaluationFailed, NotFound
from engine.feel.closures import Compiled
from engine.feel.environment import Environment, FeelWarning, Run
from engine.feel.names import NameTable, needs_scope
from engine.feel.scope import Scope
from engine.feel.types import FeelType

Imports = Sequence[tuple[str, "Model"]]


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule of a table.

    Attributes:
        index: its row, from 1.
        id: its id in the file.
        annotations: its annotation cells.
        rules: ids of regulations that open the annotations (T6.3, C4, …).
    """

    index: int
    id: str
    annotations: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionInfo:
    """What a decision is, for reports and pages.

    Attributes:
        id: its id.
        name: its name.
        kind: "decision table", "literal expression", "context", … or "decision service".
        hit_policy: of a table.
        inputs: labels of a table's inputs.
        outputs: names of a table's outputs.
        rules: a table's rules.
        requires: ids of the elements that it requires.
        version_tag: as Camunda Modeler writes it, or None.
    """

    id: str
    name: str
    kind: str
    hit_policy: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rules: tuple[RuleInfo, ...]
    requires: tuple[str, ...]
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The value of a decision, and why.

    Attributes:
        value: the value, as FEEL has it.
        trace: what each decision on the way did, in order, as JSON; a table tells the rules that matched.
        warnings: why parts became null.
    """

    value: Any
    trace: list[dict[str, Any]]
    warnings: tuple[FeelWarning, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the graph, compiled.

    Attributes:
        source: as it was written.
        model: the model it belongs to.
        compiled: a decision's value, or what makes a knowledge model's function.
        kind: the declared type of its variable.
        free: names that it takes from its scope, with the text that asks.
        called: those of them that it calls as functions.
        tables: tables inside it.
    """

    source: e.DrgElement
    model: Model
    compiled: Compiled | None
    kind: FeelType | None
    free: Mapping[str, e.Text]
    called: frozenset[str]
    tables: tuple[CompiledTable, ...]


class Model:
    """A decision model.

    Attributes:
        id, name, namespace: of the file.
        decisions: what decisions and services there are, by id.
        elements: the graph, by id.
        imports: imported models, each with the name under which it is seen; "" for one whose names are seen as this model's own.
        declared: names of all elements; a decision sees only those that it requires.
    """

    def __init__(self, definitions: e.Definitions, imports: Imports, findings: list[Finding]) -> None:
        self.definitions = definitions
        self.id, self.name, self.namespace = definitions.id, definitions.name, definitions.namespace
        self.imports = imports
        self.findings = findings
        findings.extend(definitions.findings)
        imported = {
            f"{prefix}.{name}" if prefix else name: kind
            for prefix, model in imports
            for name, kind in model.types.by_name.items()
        }
        self._shared_names = NameTable(self._entry_names())
        self.types: ItemTypes = ItemTypes(definitions.items, imported, self._allowed_values)
        self.sources = {element.id: element for element in definitions.elements}
        self.declared = frozenset(element.name for element in definitions.elements)
        refuse_cycles(self.sources, self.namespace)
        self.elements: dict[str, Element] = {}
        for element in definitions.elements:
            self.elements[element.id] = self._compile(element)
        self._orders: dict[str, tuple[Element, ...]] = {}
        self._by_name: dict[str, Element] = {}
        for compiled in self.elements.values():
            self._by_name.setdefault(compiled.source.name, compiled)
            if isinstance(compiled.source, e.Decision):
                self._by_name.setdefault(compiled.source.title, compiled)
        for prefix, model in imports:
            for name, found in model._by_name.items():  # noqa: SLF001  (a model's own kind)
                self._by_name.setdefault(f"{prefix}.{name}" if prefix else name, found)
        self.decisions: Mapping[str, DecisionInfo] = {
            element.source.id: self._info(element)
            for element in self.elements.values()
            if isinstance(element.source, (e.Decision, e.DecisionService))
        }

    # --- for users --------------------------------------------------------------------------------------------------

    def evaluate(self, decision_id: str, context: Mapping[str, Any] | None = None, env: Environment | None = None) -> Any:
        """Return the value of a decision, as FEEL has it (`feel.to_json` makes it a variable).

        Args:
            decision_id: id or name of a decision or a decision service (or a business knowledge model).
            context: inputs by name.
            env: the surroundings: time, calendar, directory, limits.
        Raises:
            NotFound: no such decision.
            EvaluationFailed: a limit was exceeded, or an `assert` does not hold.
        """
        return self._run(decision_id, context or {}, DecisionRun(env))

    def explain(
        self, decision_id: str, context: Mapping[str, Any] | None = None, env: Environment | None = None
    ) -> DecisionResult:
        """Return the value of a decision with its trace and warnings. Arguments and errors as of `evaluate`."""
        run = DecisionRun(env, traced=True)
        value = self._run(decision_id, context or {}, run)
        return DecisionResult(value, run.trace or [], run.warnings)

    def find(self, decision_id: str) -> Element:
        """Return an element by id or name.

        Raises:
            NotFound: no such element.
        """
        element = self.elements.get(decision_id) or self._by_name.get(" ".join(decision_id.split()))
        if element is None or isinstance(element.source, e.InputData):
            raise NotFound(f"模型 {self.name} 中没有决策 {decision_id} (no such decision)")
        return element

    def variables(self, decision_id: str) -> frozenset[str]:
        """Return the names that a decision takes from outside (process variables), those of its requirements included.

        Raises:
            NotFound: no such decision.
        """
        element = self.find(decision_id)
        names: set[str] = set()
        if isinstance(element.source, e.DecisionService):
            return frozenset(given.source.name for given in service_inputs(element))
        for place in (*self.order(element), element):
            own: set[str] = set()
            for _, required in place.model.requirements(place):
                own |= {required.source.name, required.source.id}
                if isinstance(required.source, e.InputData):
                    names.add(required.source.name)
            names |= set(place.free) - own - place.model.declared - {prefix for prefix, _ in place.model.imports}
        return frozenset(names)

    def check(self) -> tuple[Finding, ...]:
        """Return what is wrong with the model: syntax, unknown names, types, references, gaps and overlaps of tables."""
        from engine.dmn.checks import check

        return (*self.findings, *check(self))

    def _run(self, decision_id: str, context: Mapping[str, Any], run: DecisionRun) -> Any:
        element = self.find(decision_id)
        try:
            return Evaluation(context, run, self.paths()).result(element)
        except (RecursionError, DecimalException):
            raise EvaluationFailed(
                f"决策 {decision_id} 嵌套太深或数字无效 (nested too deeply, or an invalid number)",
                element_id=element.source.id,
                element_name=element.source.name,
            ) from None

    # --- the graph --------------------------------------------------------------------------------------------------

    def resolve(self, href: str) -> tuple[Model, str] | None:
        """Return the model and the id that an href (`#id` or `namespace#id`) leads to, or None."""
        namespace, _, identifier = href.rpartition("#")
        if namespace in ("", self.namespace):
            return (self, identifier) if identifier in self.sources else None
        for _, model in self.imports:
            if model.namespace == namespace and identifier in model.sources:
                return model, identifier
        return None

    def requirements(self, element: Element) -> Iterator[tuple[str, Element]]:
        """Yield the import's name ("" for this model's own) and each element that an element requires."""
        for href in requires(element.source):
            found = element.model.resolve(href)
            if found is not None:
                prefix = ""
                if found[0] is not element.model:
                    prefix = next(name for name, model in element.model.imports if model is found[0])
                yield prefix, found[0].elements[found[1]]

    def order(self, element: Element) -> tuple[Element, ...]:
        """Return the decisions that an element requires, directly or not, in an order in which they can be evaluated."""
        known = self._orders.get(element.source.id)
        if known is not None:
            return known
        done: dict[int, Element] = {}
        pending: list[tuple[Element, bool]] = [(element, False)]
        while pending:
            place, ready = pending.pop()
            if id(place) in done:
                continue
            if ready:
                done[id(place)] = place
                continue
            pending.append((place, True))
            if isinstance(place.source, e.DecisionService):  # a function: what is in it waits for its arguments
                continue
            pending.extend((required, False) for _, required in place.model.requirements(place) if id(required) not in done)
        order = tuple(found for found in done.values() if isinstance(found.source, e.Decision) and found is not element)
        self._orders[element.source.id] = order
        return order

    def paths(self) -> dict[int, tuple[str, ...]]:
        """Return, by identity, the names of imports that lead from this model to each imported one."""
        found: dict[int, tuple[str, ...]] = {}
        pending: list[tuple[Model, tuple[str, ...]]] = [(self, ())]
        while pending:
            model, path = pending.pop()
            if id(model) not in found:
                found[id(model)] = path
                pending.extend((imported, (*path, name) if name else path) for name, imported in model.imports)
        return found

    # --- compiling --------------------------------------------------------------------------------------------------

    def _allowed_values(self, text: e.Text) -> Callable[[Any], bool] | None:
        compiler = BoxedCompiler((text.id, text.name), self._shared_names, _NO_TYPES, self.findings)
        compiled = compiler.tests(text)

        def test(value: Any) -> bool:
            run = Run()
            return compiled(Scope({"?": value}, Scope({}, None, run), run)) is True

        return test

    def _entry_names(self) -> Iterator[str]:
        """Yield the names with spaces or symbols that may follow a dot: entries of types, elements of imports."""
        yield from filter(needs_scope, self.definitions.component_names)
        for prefix, model in self.imports:
            yield from filter(needs_scope, (prefix, *model.definitions.component_names, *model.declared))

    def _names(self, element: e.DrgElement) -> NameTable:
        """Return the names that an element's expressions can see."""
        names: set[str] = set()
        for href in requires(element):
            found = self.resolve(href)
            if found is None:
                reason = f"引用 {href} 没有指向任何元素 (the reference leads nowhere)"
                where = (element.id, element.name, "href", reason, element.line)
                self.findings.append(Finding("refused", *where, None, "reference"))
                continue
            target = found[0].sources[found[1]]
            names |= {target.name, target.id}
        return NameTable(filter(needs_scope, names), self._shared_names)

    def _compile(self, element: e.DrgElement) -> Element:
        owner = (element.id, element.title if isinstance(element, e.Decision) else element.name)
        compiler = BoxedCompiler(owner, self._names(element), self.types, self.findings, element.type_ref)
        kind = compiler.declared(element.type_ref, element.id, element.line)
        compiled: Compiled | None = None
        if isinstance(element, e.Decision):
            if element.expression is None:
                reason = "决策没有逻辑 (the decision has no logic)"
                self.findings.append(Finding("warning", element.id, owner[1], "expression", reason, element.line))
            compiled = compiler.boxed(element.expression)
        elif isinstance(element, e.KnowledgeModel) and element.function is not None:
            result = None if _is_function(kind) else kind
            own = compiler.declared(element.function.type_ref, element.id, element.line)
            compiled = compiler.function(element.function, element.name, own or result)
            if _is_function(kind):
                kind = None
        called = frozenset(compiler.compiler.called)
        return Element(element, self, compiled, kind, compiler.free, called, tuple(compiler.tables))

    def _info(self, element: Element) -> DecisionInfo:
        source = element.source
        expression = source.expression if isinstance(source, e.Decision) else None
        table = expression if isinstance(expression, e.DecisionTable) else None
        kind = "decision service" if expression is None and isinstance(source, e.DecisionService) else _kind(expression)
        rules = tuple(
            RuleInfo(index, rule.id, rule.annotations, rule_ids(rule.annotations))
            for index, rule in enumerate(() if table is None else table.rules, 1)
        )
        return DecisionInfo(
            source.id,
            source.title if isinstance(source, e.Decision) else source.name,
            kind,
            None if table is None else table.hit_policy,
            () if table is None else tuple(column.label for column in table.inputs),
            () if table is None else tuple(column.name or column.label for column in table.outputs),
            rules,
            tuple(href.rpartition("#")[2] for href in requires(source)),
            source.version_tag if isinstance(source, e.Decision) else None,
        )


_NO_TYPES = ItemTypes((), {}, lambda text: None)


def requires(element: e.DrgElement) -> tuple[str, ...]:
    """Return the hrefs of what an element requires."""
    if isinstance(element, (e.Decision, e.KnowledgeModel)):
        return element.requires
    if isinstance(element, e.DecisionService):
        return (*element.outputs, *element.encapsulated, *element.input_data, *element.input_decisions)
    return ()


def _is_function(kind: FeelType | None) -> bool:
    from engine.feel.types import FunctionType, plain

    return kind is not None and isinstance(plain(kind), FunctionType)


def _kind(expression: e.Boxed | None) -> str:
    if expression is None:
        return "none"
    words = type(expression).__name__.removesuffix("Expression")
    text = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in words).strip()
    return "literal expression" if text == "literal" else text
