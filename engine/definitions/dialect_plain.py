"""Plain BPMN, without any engine's extensions: what the standard alone says of scripts and of messages that are sent.

A script in FEEL sets the entries of the context that it evaluates to; a message without payload is published by its name.
"""

from __future__ import annotations

from types import MappingProxyType

from engine.definitions.model import Job, Script, Term
from engine.definitions.reading import Draft, Reading
from engine.definitions.xml import Node

PUBLISH = "publish-message"
_RETRIES = Term("3")


def apply(reading: Reading, draft: Draft) -> None:
    """Read a script task's script, a send task's message, or that of an event which throws."""
    node = draft.node
    if "job" in draft.values or "script" in draft.values:
        return
    if node.name == "scriptTask":
        _script(reading, draft, node)
    elif node.name == "sendTask":
        _sent(reading, draft, node)
    elif node.name in {"intermediateThrowEvent", "endEvent"}:
        for definition in node.all("messageEventDefinition"):
            _sent(reading, draft, definition)


def _script(reading: Reading, draft: Draft, node: Node) -> None:
    script, language = node.child("script"), node.get("scriptFormat") or ""
    if script is None:
        return
    if "feel" not in language.casefold():
        reading.refuse(node, f"只执行 FEEL 脚本，不执行「{language}」/ only FEEL scripts are executed", "scriptFormat")
        return
    expression = reading.expression(script.executed(), script.text)
    if expression is not None:
        draft.values["script"] = Script(expression, None)


def _sent(reading: Reading, draft: Draft, node: Node) -> None:
    if ("", "messageRef") not in node.attributes:
        return
    message = reading.reference(node, "messageRef", "message")
    if message is None:
        return
    message.executed().keep("id", "itemRef")
    name = message.get("name")
    if not name:
        reading.refuse(message, "消息没有名称 / the message has no name")
        return
    draft.values["job"] = Job(Term(PUBLISH), _RETRIES, MappingProxyType({"messageName": name}))
