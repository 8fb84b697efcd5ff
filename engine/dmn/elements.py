"""A DMN file as it was written: plain records, without any meaning worked out."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.dmn.findings import Finding


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of FEEL and where it stands.

    Attributes:
        source: the text; "" where the element is empty.
        line: line of the element in the file.
        id: id of the element, or of the nearest one around it that has one.
        name: name or label of that element.
        language: the expression language it declares, if any.
    """

    source: str
    line: int
    id: str
    name: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Boxed:
    """Base of expressions. `type_ref` is the declared type of the result, if any."""

    type_ref: str | None
    id: str
    line: int


@dataclass(frozen=True, slots=True)
class LiteralExpression(Boxed):
    """FEEL text; `imported` if it stands in another file (importedValues), which is not read."""

    text: Text
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a context (its name None: the result), a binding, or a parameter."""

    name: str | None
    type_ref: str | None
    value: Boxed | None


@dataclass(frozen=True, slots=True)
class ContextExpression(Boxed):
    """Entries, each seeing the ones before it."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ListExpression(Boxed):
    """Expressions side by side."""

    items: tuple[Boxed | None, ...]


@dataclass(frozen=True, slots=True)
class Relation(Boxed):
    """A list of contexts, written as rows under columns (entries without values)."""

    columns: tuple[Entry, ...]
    rows: tuple[tuple[Boxed | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Invocation(Boxed):
    """A call with named arguments."""

    function: Boxed | None
    bindings: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Boxed):
    """A function; `kind` is FEEL, Java or PMML."""

    kind: str
    parameters: tuple[Entry, ...]
    body: Boxed | None


@dataclass(frozen=True, slots=True)
class Conditional(Boxed):
    """if, then, else."""

    condition: Boxed | None
    then: Boxed | None
    otherwise: Boxed | None


@dataclass(frozen=True, slots=True)
class FilterExpression(Boxed):
    """The items of a list that match."""

    source: Boxed | None
    match: Boxed | None


@dataclass(frozen=True, slots=True)
class Iteration(Boxed):
    """`kind` is for, every or some."""

    kind: str
    variable: str
    source: Boxed | None
    body: Boxed | None


@dataclass(frozen=True, slots=True)
class Input:
    """A table's input column. `variable` is the name under which Camunda's cells see the value, besides `?`."""

    id: str
    label: str
    expression: Text
    type_ref: str | None
    allowed: Text | None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """A table's output column."""

    id: str
    name: str | None
    label: str
    type_ref: str | None
    allowed: Text | None
    default: Text | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A table's row. `annotations` are its annotation cells (Modeler's is the rule's description)."""

    id: str
    line: int
    tests: tuple[Text, ...]
    outputs: tuple[Text, ...]
    annotations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable(Boxed):
    """Rules: tests over inputs, and outputs."""

    hit_policy: str
    aggregation: str | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A named type."""

    name: str
    type_ref: str | None
    is_collection: bool
    components: tuple[ItemDefinition, ...]
    allowed: Text | None
    constraint: Text | None
    function_parameters: tuple[tuple[str, str | None], ...] | None
    function_result: str | None


@dataclass(frozen=True, slots=True)
class Import:
    """Another model, whose names appear after `name.`; `type` is the namespace of its language."""

    name: str
    namespace: str
    location: str | None
    line: int
    type: str = ""


@dataclass(frozen=True, slots=True)
class DrgElement:
    """Base of what a requirement can lead to. `name` is the name of its variable, under which others see it."""

    id: str
    name: str
    type_ref: str | None
    line: int


@dataclass(frozen=True, slots=True)
class InputData(DrgElement):
    """A value given from outside."""


@dataclass(frozen=True, slots=True)
class Decision(DrgElement):
    """A decision: its expression and the hrefs of what it requires; `version_tag` is Camunda's."""

    title: str
    expression: Boxed | None
    requires: tuple[str, ...]
    version_tag: str | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeModel(DrgElement):
    """A business knowledge model: a function that decisions call."""

    function: FunctionDefinition | None
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionService(DrgElement):
    """Decisions that are called as one, by hrefs."""

    outputs: tuple[str, ...]
    encapsulated: tuple[str, ...]
    input_decisions: tuple[str, ...]
    input_data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """A whole file, and what its structure leaves to be desired."""

    id: str
    name: str
    namespace: str
    items: tuple[ItemDefinition, ...]
    imports: tuple[Import, ...]
    elements: tuple[DrgElement, ...]
    component_names: frozenset[str] = field(default_factory=frozenset)
    findings: tuple[Finding, ...] = ()
