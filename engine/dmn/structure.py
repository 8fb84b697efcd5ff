"""What a DMN file's structure leaves to be desired: unknown elements, missing parts, ids that occur twice.

Source: DMN 1.5's XML Schema (DMN15.xsd), which the files of earlier versions fit as far as they go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from engine.dmn.findings import Finding

Element = etree._Element  # noqa: SLF001  (lxml's only name for the type)

EXPRESSIONS = frozenset(
    {
        "literalExpression", "decisionTable", "context", "list", "relation", "invocation", "functionDefinition",
        "conditional", "filter", "for", "every", "some",
    }
)  # fmt: skip
GRAPH = frozenset({"decision", "inputData", "businessKnowledgeModel", "decisionService", "knowledgeSource"})
KNOWN = EXPRESSIONS | GRAPH | frozenset(
    {
        "definitions", "import", "itemDefinition", "itemComponent", "typeRef", "allowedValues", "typeConstraint", "functionItem",
        "parameters", "description", "extensionElements", "text", "importedValues", "importedElement", "question",
        "allowedAnswers", "variable", "informationRequirement", "requiredDecision", "requiredInput", "knowledgeRequirement",
        "requiredKnowledge", "authorityRequirement", "requiredAuthority", "supportedObjective", "impactedPerformanceIndicator",
        "decisionMaker", "decisionOwner", "usingProcess", "usingTask", "encapsulatedLogic", "formalParameter",
        "outputDecision", "encapsulatedDecision", "inputDecision", "contextEntry", "column", "row", "binding", "parameter",
        "if", "then", "else", "in", "match", "return", "satisfies", "input", "inputExpression", "inputValues", "output",
        "outputValues", "defaultOutputEntry", "annotation", "rule", "inputEntry", "outputEntry", "annotationEntry", "type",
        "owner", "locationURI", "performanceIndicator", "organizationUnit", "businessContextElement", "impactingDecision",
        "decisionMade", "decisionOwned", "elementCollection", "drgElement", "textAnnotation", "association", "group",
        "sourceRef", "targetRef", "extensionAttribute", "expression", "artifact", "itemDefinitionRef",
    }
)  # fmt: skip
# parent → the parts that it must have
PARTS = {
    "conditional": ("if", "then", "else"),
    "filter": ("in", "match"),
    "for": ("in", "return"),
    "every": ("in", "satisfies"),
    "some": ("in", "satisfies"),
    "binding": ("parameter",),
}
HOLDERS = frozenset(
    {
        "decision", "contextEntry", "binding", "encapsulatedLogic", "functionDefinition", "invocation",
        "if", "then", "else", "in", "match", "return", "satisfies",
    }
)  # fmt: skip
NEED_EXPRESSION = HOLDERS - {"decision", "binding", "encapsulatedLogic", "functionDefinition"}
NEED_NAME = frozenset({"formalParameter", "column", "parameter", "itemDefinition", "itemComponent", "variable"})
REFERENCES = frozenset(
    {"requiredDecision", "requiredInput", "requiredKnowledge", "outputDecision", "encapsulatedDecision", "inputDecision"}
)


def findings(root: Element) -> Iterator[Finding]:
    """Yield what is wrong with a file's elements, in the file's order."""
    namespace = etree.QName(root).namespace
    ids: dict[str, int] = {}
    for element in root.iter(f"{{{namespace}}}*"):
        yield from _of_element(element)
        identifier = element.get("id")
        if identifier is None:
            continue
        if identifier in ids:
            # two elements of the graph: requirements cannot tell them apart; others: only messages cannot
            verdict = "refused" if _is_graph_element(element) else "warning"
            reason = f"标识 {identifier} 出现两次，第一次在第 {ids[identifier]} 行：请改其中一个 (the id occurs twice)"
            yield _finding(element, "id", reason, verdict)
        ids.setdefault(identifier, _line(element))


def _of_element(element: Element) -> Iterator[Finding]:
    tag = _tag(element)
    if tag not in KNOWN:
        yield _finding(element, tag, f"DMN 没有元素 {tag}，不能执行：请删去或改正 (no such element in DMN)")
        return
    prefix = str(element.tag).removesuffix(tag)
    children = [_tag(child) for child in element if str(child.tag).startswith(prefix)]
    for part in PARTS.get(tag, ()):
        if part not in children:
            yield _finding(element, part, f"{tag} 缺少 {part} (a part is missing)")
    if tag in HOLDERS:
        count = sum(child in EXPRESSIONS for child in children)
        if count > 1:
            yield _finding(element, "expression", f"{tag} 里有 {count} 个表达式，只能有一个 (more than one expression)")
        elif not count and tag in NEED_EXPRESSION:
            yield _finding(element, "expression", f"{tag} 里没有表达式，值为 null (no expression: null)", "warning")
    if not element.get("name") and _is_graph_element(element):
        if element.get("id"):
            yield _finding(element, "name", f"{tag} 没有名称，以标识代替 (no name: the id stands in)", "warning")
        else:
            yield _finding(element, "name", f"{tag} 既没有名称也没有标识 (neither name nor id)")
    if tag in NEED_NAME and not element.get("name") and not _in_a_graph_element(element, tag):
        yield _finding(element, "name", f"{tag} 没有名称 (a name is missing)")
    if (tag in REFERENCES or (tag == "inputData" and _parent(element) == "decisionService")) and not element.get("href"):
        yield _finding(element, "href", f"{tag} 没有 href，不知引用哪个元素 (a reference without href)")
    if tag == "definitions" and not element.get("namespace"):
        yield _finding(element, "namespace", "definitions 没有 namespace，别的模型不能导入它 (no namespace)", "warning")
    if tag == "decisionService" and "outputDecision" not in children:
        yield _finding(element, "outputDecision", "决策服务没有输出决策，值为空 (the service has no output decision)")


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_graph_element(element: Element) -> bool:
    return _tag(element) in GRAPH and _parent(element) == "definitions"


def _in_a_graph_element(element: Element, tag: str) -> bool:
    """Tell whether a variable may go without a name: the element's own stands in."""
    return tag == "variable" and _parent(element) in GRAPH


def _parent(element: Element) -> str:
    parent = element.getparent()
    return "" if parent is None else _tag(parent)


def _line(element: Element) -> int:
    line: Any = element.sourceline
    return line if isinstance(line, int) else 0


def _finding(element: Element, attribute: str, reason: str, verdict: Any = "refused") -> Finding:
    place: Element | None = element
    identifier = name = ""
    while place is not None and not (identifier and name):
        identifier = identifier or place.get("id", "")
        name = name or place.get("label") or place.get("name") or ""
        place = place.getparent()
    return Finding(verdict, identifier, name, attribute, reason, _line(element))
