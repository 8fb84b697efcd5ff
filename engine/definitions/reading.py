"""What the reading of one file has in common: its findings, its root references, and how texts become terms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, cast, overload

from engine import feel
from engine.definitions import juel
from engine.definitions.model import Element, Flow, Term
from engine.definitions.report import Finding, Verdict
from engine.definitions.xml import BPMN, CAMUNDA, ZEEBE, Node
from engine.errors import FeelSyntaxError

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PREFIX = {BPMN: "", ZEEBE: "zeebe:", CAMUNDA: "camunda:"}

# parts of an element that may have an id of their own: a finding names the element that people see
_PARTS = {
    f"{kind}EventDefinition"
    for kind in ("timer", "message", "signal", "error", "escalation", "terminate", "link", "conditional", "compensate", "cancel")
} | {
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
    "timeDate",
    "timeDuration",
    "timeCycle",
    "conditionExpression",
    "completionCondition",
    "loopCondition",
    "activationCondition",
    "complexBehaviorDefinition",
    "loopCardinality",
    "extensionElements",
}


@dataclass(slots=True, eq=False)
class Draft:
    """An element while it is read: what `Element` needs, in `values`, until `freeze`."""

    node: Node
    id: str
    name: str
    type: str
    parent_id: str | None
    values: dict[str, Any] = field(default_factory=dict)
    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)
    boundaries: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The BPMN tag name; a transaction is a sub-process that can do more."""
        return "subProcess" if self.node.name == "transaction" else self.node.name

    def freeze(self) -> Element:
        """Return the element, immutable."""
        return Element(
            id=self.id,
            name=self.name,
            type=self.type,
            parent_id=self.parent_id,
            line=self.node.line,
            incoming=tuple(self.incoming),
            outgoing=tuple(self.outgoing),
            boundaries=tuple(self.boundaries),
            children=tuple(self.children),
            **self.values,
        )


@dataclass(slots=True, eq=False)
class Scoped:
    """The drafts and flows of one process."""

    process: Draft
    drafts: dict[str, Draft] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    flow_nodes: dict[str, Node] = field(default_factory=dict)
    associations: list[Node] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Reading:
    """One file being read.

    Attributes:
        dialect: zeebe, camunda or plain.
        references: root elements (messages, errors ...) by id.
        problems: refusals and warnings, in the order they were found.
        refused: ids of the elements that have a refusal.
        dropped: ids of the elements that were refused as a whole: what leads to them says nothing of its own.
        incomplete: ids of the elements that lost a flow or an attached event by that.
    """

    resource: str
    root: Node
    dialect: str
    references: dict[str, Node] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)

    def refuse(self, node: Node, reason: str, attribute: str | None = None, namespace: str = "") -> None:
        """Refuse an element or one of its attributes."""
        node.judge("refused", reason, attribute, namespace)
        finding = self._finding("refused", node, reason, _shown(attribute, namespace))
        self.problems.append(finding)
        self.refused.add(finding.element_id)

    def warn(self, node: Node, reason: str, attribute: str | None = None) -> None:
        """Say what should be known about an element that is deployed all the same."""
        self.problems.append(self._finding("warning", node, reason, attribute))

    def expression(self, node: Node, text: str | None, attribute: str | None = None) -> Term | None:
        """Return the term of a place that always holds FEEL; a leading `=` is optional. None when there is none, or refused."""
        if text is None or not text.strip():
            return None
        if self.dialect == "camunda":
            return self.term(node, text, attribute)
        return self._compile(node, text.strip(), attribute)

    def term(self, node: Node, text: str | None, attribute: str | None = None) -> Term | None:
        """Return the term of a place that holds static text, or FEEL after `=`. None when there is none, or refused."""
        if text is None or not text.strip():
            return None
        text = text.strip()
        if self.dialect == "camunda" and ("${" in text or "#{" in text):
            try:
                return self._compile(node, "=" + juel.to_feel(text), attribute)
            except ValueError as error:
                self.refuse(node, str(error), attribute)
                return None
        return self._compile(node, text, attribute) if text.startswith("=") else Term(text)

    def _compile(self, node: Node, text: str, attribute: str | None) -> Term | None:
        try:
            expression = feel.compile_expression(text.removeprefix("=").strip())
        except FeelSyntaxError as error:
            place = f"第 {error.line} 行第 {error.column} 列 / line {error.line}, column {error.column}"
            self.refuse(node, f"FEEL 表达式有误（{place}）：{error.message}：{_short(text)}", attribute)
            return None
        for name in unknown_functions(expression):
            self.refuse(node, f"没有函数 {name}：{_short(text)} / there is no function of this name", attribute)
        return Term(text, expression)

    def reference(self, node: Node, attribute: str, *names: str) -> Node | None:
        """Return the root element an attribute refers to; a dangling reference is refused."""
        text = node.get(attribute)
        if text is None:
            return None
        local = text.rpartition(":")[2] if text not in self.references else text
        found = self.references.get(local)
        if found is None or found.name not in names:
            self.refuse(node, f"引用的 {'/'.join(names)} 不存在：{text} / no such {'/'.join(names)}", attribute)
            return None
        return found

    def findings(self) -> tuple[Finding, ...]:
        """Return every verdict, in document order, refusals and warnings first at their element."""
        found: list[Finding] = []
        problems: dict[tuple[int, str], list[Finding]] = {}
        for problem in self.problems:
            problems.setdefault((problem.line, problem.element_type), []).append(problem)
        names: dict[int, tuple[str, str]] = {}  # id and name of the element that people see, by the node's identity
        for node in self.root.walk():  # parents first
            kind = _type(node)
            if problems:
                found += problems.pop((node.line, kind), ())
            names[id(node)] = owner = self._shown_as(node, names.get(id(node.parent)))
            for key, (verdict, reason) in node.verdicts.items():
                if verdict != "refused":
                    attribute = None if key is None else _shown(key[1], key[0])
                    found.append(Finding(cast("Verdict", verdict), self.resource, *owner, kind, attribute, reason, node.line))
        for rest in problems.values():
            found += rest
        return tuple(found)

    def _finding(self, verdict: Verdict, node: Node, reason: str, attribute: str | None) -> Finding:
        around = node
        while around.parent is not None and not self._is_shown(around):
            around = around.parent
        owner = self._shown_as(around if self._is_shown(around) else node, None)
        return Finding(verdict, self.resource, *owner, _type(node), attribute, reason, node.line)

    def _is_shown(self, node: Node) -> bool:
        return bool(node.id) and (node.name not in _PARTS or node.parent is self.root)

    def _shown_as(self, node: Node, around: tuple[str, str] | None) -> tuple[str, str]:
        """Return id and name by which people know a node: its own, or those of the element around it."""
        if around is None or not around[0] or self._is_shown(node):
            return node.attributes.get(("", "id"), ""), node.attributes.get(("", "name"), "")
        return around


def unknown_functions(expression: feel.Expression) -> list[str]:
    """Return the names an expression calls that are neither FEEL's functions nor its own; a variable cannot hold a function."""
    unbound = expression.names - feel.function_names()
    if not unbound:
        return []
    text = _STRING.sub('""', expression.text)
    return sorted(n for n in unbound if re.search(rf"(?<![\w.]){re.escape(n)}\s*\(", text))


def check_language(reading: Reading, node: Node) -> None:
    """Refuse an expression that says it is written in another language than FEEL."""
    language = node.get("language")
    if language and "feel" not in language.casefold() and reading.dialect != "camunda":
        reading.refuse(node, f"只执行 FEEL 表达式，不执行 {language} / only FEEL expressions are executed", "language")


def child_expression(reading: Reading, node: Node, name: str) -> Term | None:
    """Return the term of a child element that holds an expression; None when there is none, or it is refused."""
    child = node.child(name)
    if child is None:
        return None
    child.executed().keep("id")
    check_language(reading, child)
    if not child.text:
        reading.refuse(child, "表达式为空 / the expression is empty")
    return reading.expression(child, child.text)


@overload
def local_name(name: str) -> str: ...
@overload
def local_name(name: None) -> None: ...
def local_name(name: str | None) -> str | None:
    """Return a qualified name without its prefix: what it refers to is in the same file, or a process known by its id."""
    return name and name.rpartition(":")[2]


def _type(node: Node) -> str:
    return _PREFIX.get(node.namespace, "") + node.name


def _shown(attribute: str | None, namespace: str) -> str | None:
    return None if attribute is None else _PREFIX.get(namespace, "") + attribute


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "…"
