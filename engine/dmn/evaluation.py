"""One evaluation of a model's graph: values of elements, each worked out once, in the order of their requirements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.dmn import elements as e
from engine.dmn.itemtypes import from_outside
from engine.dmn.run import DecisionRun, traceable
from engine.feel.environment import Run
from engine.feel.scope import MISSING, OuterScope, Scope
from engine.feel.types import FeelType, coerce
from engine.feel.values import Callable_

if TYPE_CHECKING:
    from engine.dmn.model import Element, Model


class GraphScope(Scope):
    """The scope of one element: what it requires; and, for names that no element has, the variables from outside.

    Models drawn in Camunda Modeler often use process variables without drawing an input for each.
    """

    __slots__ = ("declared", "outside")

    def __init__(self, values: Mapping[str, Any], outside: Scope, declared: frozenset[str], run: Run) -> None:
        super().__init__(values, None, run)
        self.outside = outside
        self.declared = declared

    def resolve(self, name: str, value: Any, fallback: Any) -> Any:
        if value is not MISSING:
            return value
        if name in self.declared:
            if fallback is None:
                self.run.warn(f"“{name}” 没有连到此决策 (not among the requirements)", name)
            return fallback
        return self.outside.resolve(name, self.outside.vars.get(name, MISSING), fallback)


class Evaluation:
    """Works out values of elements.

    Args:
        context: inputs by name.
        run: shared by everything that is evaluated on the way.
        paths: by identity, the names of the imports that lead to each model.
        given: values of elements that are known already (a decision service's inputs).
    """

    def __init__(
        self,
        context: Mapping[str, Any],
        run: DecisionRun,
        paths: Mapping[int, tuple[str, ...]],
        given: Mapping[int, Any] | None = None,
    ) -> None:
        self.outside = OuterScope(context, run)
        self.run = run
        self.paths = paths
        self.values: dict[int, Any] = dict(given or {})

    def result(self, element: Element) -> Any:
        """Return the value of a decision; of a service or knowledge model: its result for the context's inputs."""
        source = element.source
        if isinstance(source, e.DecisionService):
            inputs = [self._outside_value(place.source.name, place.kind, place.model) for place in service_inputs(element)]
            return ServiceFunction(element, self).invoke(self.run, inputs)
        if isinstance(source, e.KnowledgeModel):
            function = self.value(element)
            if not isinstance(function, Callable_) or source.function is None:
                return None
            names = [entry.name or "" for entry in source.function.parameters]
            return function.invoke(self.run, [self._outside_value(name, None, element.model) for name in names])
        for required in element.model.order(element):
            self.value(required)
        return self.value(element)

    def value(self, element: Element) -> Any:
        """Return the value of an element, worked out once."""
        key = id(element)
        if key not in self.values:
            self.values[key] = self._work_out(element)
        return self.values[key]

    def _outside_value(self, name: str, kind: FeelType | None, model: Model) -> Any:
        value = self._found_in_imports(name, self.paths.get(id(model), ()))
        if value is MISSING:
            value = self.outside.resolve(name, self.outside.vars.get(name, MISSING), None)
        if kind is None:
            return value
        fitted, fits = coerce(from_outside(value, kind), kind)
        if not fits:
            self.run.warn(f"输入 “{name}” 应为 {kind} (an input of another type, or not an allowed value)", name)
        return fitted

    def _found_in_imports(self, name: str, path: tuple[str, ...]) -> Any:
        """Return an imported model's input, given as an entry of a context named like the import."""
        place: Any = MISSING
        for index, step in enumerate((*path, name) if path else ()):
            place = self.outside.resolve(step, self.outside.vars.get(step), None) if index == 0 else place.get(step, MISSING)
            if index < len(path) and not isinstance(place, dict):
                return MISSING
        return place

    def _work_out(self, element: Element) -> Any:
        source = element.source
        if isinstance(source, e.InputData):
            return self._outside_value(source.name, element.kind, element.model)
        if isinstance(source, e.DecisionService):
            return ServiceFunction(element, self)
        if element.compiled is None:
            return None
        if isinstance(source, e.KnowledgeModel):
            return element.compiled(self._scope(element, {source.name: MISSING}))
        scope, before = self._scope(element, {}), self.run.warned
        value = element.compiled(scope)
        if element.kind is not None:
            value, fits = coerce(value, element.kind)
            if not fits:
                self.run.warn(f"决策 “{source.name}” 的值应为 {element.kind} (a result of another type)", source.name)
        self._note(source, value, before)
        return value

    def _note(self, source: e.DrgElement, value: Any, before: int) -> None:
        """Keep what a decision without a table decided; a table tells more itself."""
        if self.run.trace is None or not isinstance(source, e.Decision) or isinstance(source.expression, e.DecisionTable):
            return
        expression = source.expression.text.source.strip() if isinstance(source.expression, e.LiteralExpression) else ""
        entry = {"kind": "decision", "id": source.id, "name": source.title, "expression": expression, "value": traceable(value)}
        self.run.note(entry, before)

    def _scope(self, element: Element, own: dict[str, Any]) -> GraphScope:
        names: dict[str, Any] = {}
        for prefix, required in element.model.requirements(element):
            place = names
            if prefix:
                place = names.setdefault(prefix, {})
            value = self.value(required)
            place[required.source.name] = value
            place.setdefault(required.source.id, value)
            if isinstance(required.source, e.Decision):
                place.setdefault(required.source.title, value)
        scope = GraphScope(names, self.outside, element.model.declared, self.run)
        for name in own:  # a function that calls itself
            names[name] = element.compiled(scope) if element.compiled is not None else None
        return scope


def service_inputs(element: Element) -> list[Element]:
    """Return a decision service's parameters: input data, then input decisions."""
    source = element.source
    assert isinstance(source, e.DecisionService)
    found: list[Element] = []
    for href in (*source.input_data, *source.input_decisions):
        target = element.model.resolve(href)
        if target is not None:
            found.append(target[0].elements[target[1]])
    return found


class ServiceFunction(Callable_):
    """A decision service as a function of its inputs."""

    __slots__ = ("element", "outer")

    def __init__(self, element: Element, outer: Evaluation) -> None:
        self.element = element
        self.outer = outer

    @property
    def parameter_types(self) -> tuple[FeelType | None, ...]:
        return tuple(place.kind for place in service_inputs(self.element))

    @property
    def result_type(self) -> FeelType | None:
        from engine.feel.types import FunctionType, plain

        kind = None if self.element.kind is None else plain(self.element.kind)
        return kind.result if isinstance(kind, FunctionType) else kind

    def invoke(self, run: Run, arguments: list[Any]) -> Any:
        inputs = service_inputs(self.element)
        name = self.element.source.name
        if len(arguments) != len(inputs):
            run.warn(f"决策服务 {name} 需要 {len(inputs)} 个输入 (wrong number of inputs)", name)
            return None
        given: dict[int, Any] = {}
        for place, argument in zip(inputs, arguments, strict=True):
            value = argument
            if place.kind is not None:
                value, fits = coerce(argument, place.kind)
                if not fits:  # as with inputs from outside: the input is null, and the service decides without it
                    run.warn(f"决策服务 {name} 的输入 “{place.source.name}” 应为 {place.kind} (an input of another type)", name)
            given[id(place)] = value
        assert isinstance(run, DecisionRun)
        run.enter()
        try:
            result = self._decide(Evaluation({}, run, self.outer.paths, given))
        finally:
            run.leave()
        kind = self.result_type
        if kind is not None:
            result, fits = coerce(result, kind)
            if not fits:
                run.warn(f"决策服务 {name} 的结果应为 {kind} (a result of another type)", name)
        return result

    def _decide(self, evaluation: Evaluation) -> Any:
        source, model = self.element.source, self.element.model
        assert isinstance(source, e.DecisionService)
        results: dict[str, Any] = {}
        for href in source.outputs:
            target = model.resolve(href)
            if target is not None:
                place = target[0].elements[target[1]]
                results[place.source.name] = evaluation.value(place)
        return next(iter(results.values()), None) if len(source.outputs) == 1 else results

    def invoke_named(self, run: Run, arguments: dict[str, Any]) -> Any:
        names = [place.source.name for place in service_inputs(self.element)]
        if set(arguments) != set(names):
            run.warn(f"决策服务 {self.element.source.name} 没有这样的输入 (no such inputs): {', '.join(arguments)}")
            return None
        return self.invoke(run, [arguments[name] for name in names])
