"""XML read without trusting it: no entities, no DTD, no network, and limits on size, depth and number of elements.

What comes out is a tree of our own (`Node`), in which every element and attribute gets a verdict while it is read; what has
none at the end was not understood, and `unjudged` finds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from lxml import etree

from engine.errors import Refused

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
MODELER = "http://camunda.org/schema/modeler/1.0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

MAX_BYTES = 10_000_000
MAX_DEPTH = 100
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 200

Name = tuple[str, str]  # namespace ("" = none), local name


class UnreadableXml(Refused):
    """The file is not XML that can be taken."""


@dataclass(slots=True, eq=False)
class Node:
    """One element of the file.

    Attributes:
        attributes: by (namespace, local name); attributes without prefix have the namespace "".
        text: its own text, before, between and behind its children, stripped.
        line: line in the file, 1-based.
        verdicts: what was decided about the element (key None) and its attributes: (verdict, reason).
    """

    namespace: str
    name: str
    attributes: dict[Name, str]
    text: str
    line: int
    parent: Node | None
    children: list[Node]
    verdicts: dict[Name | None, tuple[str, str]]

    def get(self, name: str, namespace: str = "") -> str | None:
        """Return an attribute's value and note that it is executed."""
        key = namespace, name
        value = self.attributes.get(key)
        if value is not None:
            self.verdicts.setdefault(key, ("executed", ""))
        return value

    def keep(self, *names: str, namespace: str = "", reason: str = "") -> None:
        """Note that attributes are kept, not executed."""
        for name in names:
            if (namespace, name) in self.attributes:
                self.verdicts.setdefault((namespace, name), ("kept", reason))

    def judge(self, verdict: str, reason: str = "", attribute: str | None = None, namespace: str = "") -> None:
        """Set the verdict on the element or one attribute; a later refusal replaces what was said before."""
        key = None if attribute is None else (namespace, attribute)
        if key not in self.verdicts or verdict == "refused":
            self.verdicts[key] = (verdict, reason)

    def executed(self) -> Node:
        """Note that the element is executed; return it."""
        self.judge("executed")
        return self

    def keep_all(self, reason: str) -> None:
        """Note that the element and everything in it is kept."""
        for node in self.walk():
            node.judge("kept", reason)
            for key in node.attributes:
                node.verdicts.setdefault(key, ("kept", ""))

    def walk(self) -> Iterator[Node]:
        """Yield the element and everything in it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def child(self, name: str, namespace: str = BPMN) -> Node | None:
        """Return the first child of that name, or None."""
        return next((c for c in self.children if c.name == name and c.namespace == namespace), None)

    def all(self, name: str, namespace: str = BPMN) -> Iterator[Node]:
        """Yield the children of that name."""
        return (c for c in self.children if c.name == name and c.namespace == namespace)

    @property
    def id(self) -> str | None:
        """The id attribute."""
        return self.attributes.get(("", "id"))


def read(data: bytes) -> Node:
    """Parse a file.

    Raises:
        UnreadableXml: it is not well-formed, has a document type, or is over a limit; says where.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableXml(f"文件有 {len(data)} 字节，上限 {MAX_BYTES} / the file is larger than {MAX_BYTES} bytes")
    # Counted before parsing: a file of a hundred thousand elements shall not cost more than its refusal.
    if data.count(b"<") - data.count(b"</") > 2 * MAX_ELEMENTS:
        raise _too_many()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _doctype()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        message = f"不是合法的 XML：{error.msg} / not well-formed XML"
        raise UnreadableXml(message, line=line, column=column) from error
    if cast("Any", root.getroottree().docinfo).doctype:  # the stubs do not know it
        raise _doctype()
    return _copy(root)


def _copy(root: etree._Element) -> Node:
    top = _node(root, None)
    stack = [(root, top, 1)]
    count = 1
    while stack:
        element, node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise UnreadableXml(f"元素嵌套超过 {MAX_DEPTH} 层 / elements nested deeper than {MAX_DEPTH}", line=node.line)
        for child in element:
            if not isinstance(child.tag, str):  # an entity reference left unresolved
                raise _doctype()
            count += 1
            if count > MAX_ELEMENTS:
                raise _too_many()
            copy = _node(child, node)
            node.children.append(copy)
            if child.tail and not child.tail.isspace():
                node.text = (node.text + child.tail).strip()
            stack.append((child, copy, depth + 1))
    return top


def _node(element: etree._Element, parent: Node | None) -> Node:
    namespace, name = _split(str(element.tag))
    if len(element.attrib) > MAX_ATTRIBUTES:  # lxml looks each one up anew
        line = cast("Any", element).sourceline
        raise UnreadableXml(f"{name} 的属性超过 {MAX_ATTRIBUTES} 个 / more than {MAX_ATTRIBUTES} attributes", line=line)
    attributes = {_split(str(key)): str(value) for key, value in element.attrib.items()}
    return Node(namespace, name, attributes, (element.text or "").strip(), cast("Any", element).sourceline or 0, parent, [], {})


@lru_cache(maxsize=4096)
def _split(tag: str) -> Name:
    if tag.startswith("{"):
        namespace, _, name = tag[1:].partition("}")
        return namespace, name
    return "", tag


def _too_many() -> UnreadableXml:
    return UnreadableXml(f"元素超过 {MAX_ELEMENTS} 个 / more than {MAX_ELEMENTS} elements")


def _doctype() -> UnreadableXml:
    return UnreadableXml("不接受文档类型声明或实体 / a document type or entities are not taken")
