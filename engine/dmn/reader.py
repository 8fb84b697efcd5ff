"""DMN XML → records. Any prefix, DMN 1.1 to 1.5; no entities, no DTD, no network; limits on size, elements and depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from lxml import etree

from engine.dmn import elements as e
from engine.dmn.structure import EXPRESSIONS, findings
from engine.errors import InvalidDecisionModel

MAX_BYTES = 10_000_000
MAX_ELEMENTS = 100_000
MAX_DEPTH = 100
NAMESPACES = frozenset(
    {
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
        "https://www.omg.org/spec/DMN/20240513/MODEL/",
    }
)
CAMUNDA = "{http://camunda.org/schema/1.0/dmn}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
XML_SCHEMA = "http://www.w3.org/2001/XMLSchema"
_is_feel = re.compile(r"/FEEL(/|$)", re.IGNORECASE).search

Element = etree._Element  # noqa: SLF001  (lxml's only name for the type)


def line_of(element: Element) -> int:
    """Return the line of an element in the file, from 1; 0 where lxml does not know."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else 0


def parse(xml: bytes) -> Element:
    """Return the root element of a DMN file.

    Raises:
        InvalidDecisionModel: too large, not well-formed, with a DTD, too deep, too many elements, or not DMN.
    """
    if len(xml) > MAX_BYTES:
        raise InvalidDecisionModel(f"文件超过 {MAX_BYTES} 字节 (the file is too large)")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidDecisionModel(f"不是有效的 XML (not well-formed): {error}", line=line) from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise InvalidDecisionModel("不接受带 DOCTYPE 的文件 (a DTD is not accepted)", line=1)
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise InvalidDecisionModel(f"文件超过 {MAX_ELEMENTS} 个元素或 {MAX_DEPTH} 层 (too many elements, or too deep)")
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        raise InvalidDecisionModel("不是 DMN 文件：根元素应为 DMN 1.1–1.5 的 definitions (not a DMN file)", line=line_of(root))
    return root


def read(xml: bytes) -> e.Definitions:
    """Return what a DMN file says.

    Raises:
        InvalidDecisionModel: see `parse`.
    """
    root = parse(xml)
    return _Reader(root).definitions(root)


class _Reader:
    """Reads elements of one DMN namespace.

    Attributes:
        language: the expression language of the file, where an expression names none.
        imports: the file's imports by namespace.
    """

    def __init__(self, root: Element) -> None:
        self.namespace = etree.QName(root).namespace or ""
        self.prefix = f"{{{self.namespace}}}"
        self.target = root.get("namespace", "")
        self.language = root.get("expressionLanguage", "")
        self.imports = {i.get("namespace"): i.get("name", "") for i in self.children(root, "import")}

    # --- small things -----------------------------------------------------------------------------------------------

    def children(self, element: Element, *names: str) -> Iterator[Element]:
        """Yield the children of these names, in order."""
        yield from element.iterchildren(*[self.prefix + name for name in names])

    def child(self, element: Element | None, name: str) -> Element | None:
        """Return the first child of a name."""
        return None if element is None else element.find(self.prefix + name)

    def tag(self, element: Element) -> str:
        """Return the local name."""
        return etree.QName(element).localname

    def content(self, element: Element | None) -> str:
        """Return the text of an element's `text` child."""
        found = self.child(element, "text")
        return "" if found is None else "".join(str(part) for part in found.itertext())

    def text(self, element: Element, name: str = "") -> e.Text:
        """Return an element's FEEL."""
        place: Element | None = element
        while place is not None and place.get("id") is None:
            place = place.getparent()
        label = name or element.get("label") or element.get("name") or ""
        identifier = "" if place is None else place.get("id", "")
        language = element.get("expressionLanguage", self.language)
        content = self.child(element, "text")
        return e.Text(self.content(element), line_of(element if content is None else content), identifier, label, language)

    def optional_text(self, parent: Element, tag: str, name: str = "") -> e.Text | None:
        """Return the FEEL of a child, or None if there is none or it is empty."""
        element = self.child(parent, tag)
        if element is None:
            return None
        text = self.text(element, name)
        return text if text.source.strip() else None

    def type_ref(self, element: Element | None) -> str | None:
        """Return the declared type: an attribute, or (in item definitions) a child."""
        if element is None:
            return None
        given = element.get("typeRef")
        if given is None:
            child = self.child(element, "typeRef")
            given = "".join(str(part) for part in child.itertext()) if child is not None else None
        return self.qualified(element, _normal(given)) or None if given else None

    def qualified(self, element: Element, name: str) -> str:
        """Return a type's name as FEEL writes it; DMN 1.1 wrote XML's qualified names, with a prefix for a namespace."""
        prefix, colon, local = name.partition(":")
        namespace = element.nsmap.get(prefix) if colon else None
        if namespace is None:
            return name
        if namespace == self.target or _is_feel(namespace):
            return local
        if namespace == XML_SCHEMA:
            return f"xsd:{local}"
        alias = self.imports.get(namespace)
        return name if alias is None else f"{alias}.{local}" if alias else local

    # --- the file ---------------------------------------------------------------------------------------------------

    def definitions(self, root: Element) -> e.Definitions:
        """Read the root."""
        items = tuple(self.item(item) for item in self.children(root, "itemDefinition"))
        imports = tuple(map(self._import, self.children(root, "import")))
        found: list[e.DrgElement] = []
        for element in root:
            reader = self._drg.get(self.tag(element)) if isinstance(element.tag, str) else None
            if reader is not None and etree.QName(element).namespace == self.namespace:
                found.append(reader(self, element))
        names = frozenset(name for item in items for name in _component_names(item))
        return e.Definitions(
            root.get("id", ""), root.get("name", ""), self.target, items, imports, tuple(found), names, tuple(findings(root))
        )

    def _import(self, element: Element) -> e.Import:
        name, kind = _normal(element.get("name", "")), element.get("importType", "")
        return e.Import(name, element.get("namespace", ""), element.get("locationURI"), line_of(element), kind)

    def item(self, element: Element) -> e.ItemDefinition:
        """Read an item definition or component."""
        function = self.child(element, "functionItem")
        parameters: tuple[tuple[str, str | None], ...] | None = None
        if function is not None:
            parameters = tuple((_normal(p.get("name", "")), self.type_ref(p)) for p in self.children(function, "parameters"))
        name = _normal(element.get("name", ""))
        return e.ItemDefinition(
            name,
            self.type_ref(element),
            element.get("isCollection") in ("true", "1"),
            tuple(self.item(component) for component in self.children(element, "itemComponent")),
            self.optional_text(element, "allowedValues", name),
            self.optional_text(element, "typeConstraint", name),
            parameters,
            None if function is None else self._output_type(function),
        )

    def _output_type(self, function: Element) -> str | None:
        given = function.get("outputTypeRef")
        return self.qualified(function, _normal(given)) if given else None

    def _head(self, element: Element) -> tuple[str, str, str | None, int]:
        variable = self.child(element, "variable")
        name = _normal(element.get("name", "")) or element.get("id", "")
        seen_as = name if variable is None else _normal(variable.get("name", "")) or name
        identifier = element.get("id") or f"{self.tag(element)}-{name}"  # an id is optional, but hrefs need one
        return identifier, seen_as, self.type_ref(variable), line_of(element)

    def _requirements(self, element: Element) -> tuple[str, ...]:
        hrefs: list[str] = []
        for requirement in self.children(element, "informationRequirement", "knowledgeRequirement"):
            for target in self.children(requirement, "requiredInput", "requiredDecision", "requiredKnowledge"):
                hrefs.append(target.get("href", ""))
        return tuple(hrefs)

    def _input_data(self, element: Element) -> e.DrgElement:
        return e.InputData(*self._head(element))

    def _decision(self, element: Element) -> e.DrgElement:
        title = _normal(element.get("name", "")) or element.get("id", "")
        extension = element.find(f"{self.prefix}extensionElements/{ZEEBE}versionTag")
        tag = element.get(f"{CAMUNDA}versionTag") if extension is None else extension.get("value")
        return e.Decision(*self._head(element), title, self.boxed_in(element), self._requirements(element), tag)

    def _knowledge(self, element: Element) -> e.DrgElement:
        logic = self.child(element, "encapsulatedLogic")
        function = None if logic is None else self._function(logic)
        return e.KnowledgeModel(*self._head(element), function, self._requirements(element))

    def _service(self, element: Element) -> e.DrgElement:
        def hrefs(name: str) -> tuple[str, ...]:
            return tuple(reference.get("href", "") for reference in self.children(element, name))

        return e.DecisionService(
            *self._head(element),
            hrefs("outputDecision"),
            hrefs("encapsulatedDecision"),
            hrefs("inputDecision"),
            hrefs("inputData"),
        )

    _drg: ClassVar[dict[str, Callable[[_Reader, Element], e.DrgElement]]] = {
        "inputData": _input_data,
        "decision": _decision,
        "businessKnowledgeModel": _knowledge,
        "decisionService": _service,
    }

    # --- expressions ------------------------------------------------------------------------------------------------

    def boxed_in(self, element: Element | None) -> e.Boxed | None:
        """Return the expression inside an element."""
        if element is None:
            return None
        found = next(self.children(element, *EXPRESSIONS), None)
        return None if found is None else self.boxed(found)

    def boxed(self, element: Element) -> e.Boxed:
        """Read an expression."""
        return self._boxed[self.tag(element)](self, element)

    def _base(self, element: Element) -> tuple[str | None, str, int]:
        given = element.get("typeRef")
        kind = self.qualified(element, _normal(given)) if given else None
        return kind or None, self.text(element).id, line_of(element)

    def _literal(self, element: Element) -> e.Boxed:
        imported = self.child(element, "importedValues") is not None
        return e.LiteralExpression(*self._base(element), self.text(element, _label_around(element)), imported)

    def _context(self, element: Element) -> e.Boxed:
        entries = tuple(self._entry(entry, "variable") for entry in self.children(element, "contextEntry"))
        return e.ContextExpression(*self._base(element), entries)

    def _entry(self, element: Element, tag: str) -> e.Entry:
        variable = self.child(element, tag)
        name = None if variable is None else _normal(variable.get("name", "")) or None
        return e.Entry(name, self.type_ref(variable), self.boxed_in(element))

    def _list(self, element: Element) -> e.Boxed:
        return e.ListExpression(*self._base(element), tuple(map(self.boxed, self.children(element, *EXPRESSIONS))))

    def _relation(self, element: Element) -> e.Boxed:
        columns = tuple(
            e.Entry(_normal(column.get("name", "")), self.type_ref(column), None) for column in self.children(element, "column")
        )
        rows = tuple(tuple(map(self.boxed, self.children(row, *EXPRESSIONS))) for row in self.children(element, "row"))
        return e.Relation(*self._base(element), columns, rows)

    def _invocation(self, element: Element) -> e.Boxed:
        bindings = tuple(self._entry(binding, "parameter") for binding in self.children(element, "binding"))
        return e.Invocation(*self._base(element), self.boxed_in(element), bindings)

    def _function(self, element: Element) -> e.FunctionDefinition:
        parameters = tuple(
            e.Entry(_normal(p.get("name", "")), self.type_ref(p), None) for p in self.children(element, "formalParameter")
        )
        return e.FunctionDefinition(*self._base(element), element.get("kind", "FEEL"), parameters, self.boxed_in(element))

    def _conditional(self, element: Element) -> e.Boxed:
        parts = (self.boxed_in(self.child(element, name)) for name in ("if", "then", "else"))
        return e.Conditional(*self._base(element), *parts)

    def _filter(self, element: Element) -> e.Boxed:
        parts = (self.boxed_in(self.child(element, name)) for name in ("in", "match"))
        return e.FilterExpression(*self._base(element), *parts)

    def _iteration(self, element: Element) -> e.Boxed:
        kind = self.tag(element)
        body = self.boxed_in(self.child(element, "return" if kind == "for" else "satisfies"))
        variable = _normal(element.get("iteratorVariable", ""))
        return e.Iteration(*self._base(element), kind, variable, self.boxed_in(self.child(element, "in")), body)

    def _table(self, element: Element) -> e.Boxed:
        outputs = tuple(self._output(output) for output in self.children(element, "output"))
        inputs = tuple(self._input(column) for column in self.children(element, "input"))
        return e.DecisionTable(
            *self._base(element),
            element.get("hitPolicy", "UNIQUE"),
            element.get("aggregation"),
            inputs,
            outputs,
            tuple(self._rule(rule, number, inputs, outputs) for number, rule in enumerate(self.children(element, "rule"), 1)),
        )

    def _input(self, element: Element) -> e.Input:
        expression = self.child(element, "inputExpression")
        label = element.get("label") or self.content(expression).strip()
        text = self.text(element, label) if expression is None else self.text(expression, label)
        allowed = self.optional_text(element, "inputValues", label)
        variable = _normal(element.get(f"{CAMUNDA}inputVariable", "")) or None
        return e.Input(element.get("id", ""), label, text, self.type_ref(expression), allowed, variable)

    def _output(self, element: Element) -> e.Output:
        name = element.get("name")
        label = element.get("label") or name or ""
        return e.Output(
            element.get("id", ""),
            _normal(name) if name else None,
            label,
            self.type_ref(element),
            self.optional_text(element, "outputValues", label),
            self.optional_text(element, "defaultOutputEntry", label),
        )

    def _rule(self, element: Element, number: int, inputs: tuple[e.Input, ...], outputs: tuple[e.Output, ...]) -> e.Rule:
        def cells(tag: str, columns: tuple[e.Input, ...] | tuple[e.Output, ...]) -> tuple[e.Text, ...]:
            found: list[e.Text] = []
            for index, entry in enumerate(self.children(element, tag)):
                label = columns[index].label if index < len(columns) else ""
                found.append(self.text(entry, f"规则 {number} {label}".rstrip()))
            return tuple(found)

        tests, results = cells("inputEntry", inputs), cells("outputEntry", outputs)
        description = self.child(element, "description")
        notes = [] if description is None else ["".join(str(part) for part in description.itertext()).strip()]
        notes += [self.content(entry).strip() for entry in self.children(element, "annotationEntry")]
        return e.Rule(element.get("id", ""), line_of(element), tests, results, tuple(filter(None, notes)))

    _boxed: ClassVar[dict[str, Callable[[_Reader, Element], e.Boxed]]] = {
        "literalExpression": _literal,
        "decisionTable": _table,
        "context": _context,
        "list": _list,
        "relation": _relation,
        "invocation": _invocation,
        "functionDefinition": _function,
        "conditional": _conditional,
        "filter": _filter,
        "for": _iteration,
        "every": _iteration,
        "some": _iteration,
    }


def _normal(name: str) -> str:
    """Return a name with white space made single."""
    return " ".join(name.split())


def _label_around(element: Element) -> str:
    place: Element | None = element
    while place is not None:
        label = place.get("label") or place.get("name")
        if label:
            return label
        place = place.getparent()
    return ""


def _component_names(item: e.ItemDefinition) -> Iterator[str]:
    for component in item.components:
        yield component.name
        yield from _component_names(component)
