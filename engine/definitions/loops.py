"""How often activities run: standard loops, multi-instances, and how many tokens they take and give."""

from __future__ import annotations

from dataclasses import replace

from engine.definitions import dialect_camunda7, dialect_zeebe, events
from engine.definitions.model import AdHoc, Implicit, Loop, StandardLoop, Term
from engine.definitions.reading import Draft, Reading, child_expression
from engine.definitions.xml import BPMN, ZEEBE, Node

MAX_QUANTITY = 1000
_BEHAVIOURS = ("None", "One", "All", "Complex")
_EVENT_OF = {"None": ("noneBehaviorEventRef", "each"), "One": ("oneBehaviorEventRef", "first")}
_DATA = ("loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem")


def read(reading: Reading, draft: Draft) -> None:
    """Read the loop or multi-instance of an activity, and its quantities."""
    for name in ("startQuantity", "completionQuantity"):
        _quantity(reading, draft, name)
    standard = draft.node.child("standardLoopCharacteristics")
    many = draft.node.child("multiInstanceLoopCharacteristics")
    if standard is not None and many is not None:
        reading.refuse(many, "一个活动不能既循环又多实例 / an activity has either a loop or multiple instances")
    elif standard is not None:
        _standard(reading, draft, standard)
    elif many is not None:
        _multiple(reading, draft, many)


def ad_hoc(reading: Reading, draft: Draft) -> None:
    """Read how an ad-hoc sub-process runs."""
    node = draft.node
    ordering = node.get("ordering") or "Parallel"
    if ordering not in {"Parallel", "Sequential"}:
        reading.refuse(node, "ordering 应为 Parallel 或 Sequential / must be Parallel or Sequential", "ordering")
    condition = child_expression(reading, node, "completionCondition")
    cancel = dialect_zeebe.flag(reading, node, "cancelRemainingInstances", True)
    found = AdHoc(ordering == "Sequential", condition=condition, cancel_remaining=cancel)
    extensions = node.child("extensionElements")
    zeebe = extensions.child("adHoc", ZEEBE) if extensions else None
    if zeebe is not None:
        element, collection = (
            reading.expression(zeebe, zeebe.get("outputElement"), "outputElement"),
            zeebe.get("outputCollection"),
        )
        _together(reading, zeebe, collection, element)
        found = replace(
            found,
            active=reading.expression(zeebe, zeebe.get("activeElementsCollection"), "activeElementsCollection"),
            output_collection=collection or None,
            output_element=element,
            output_local=_output_local(element),
        )
    draft.values["ad_hoc"] = found


def _quantity(reading: Reading, draft: Draft, name: str) -> None:
    node = draft.node
    text = node.get(name)
    if text is None:
        return
    if draft.tag not in dialect_zeebe.ACTIVITIES:
        reading.refuse(node, f"只有活动可以有 {name} / only activities have a {name}", name)
    elif not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_QUANTITY):
        reading.refuse(node, f"{name} 应为 1 到 {MAX_QUANTITY} 的整数 / must be a whole number from 1 to {MAX_QUANTITY}", name)
    else:
        draft.values["start_quantity" if name == "startQuantity" else "completion_quantity"] = int(text)


def _standard(reading: Reading, draft: Draft, node: Node) -> None:
    before = len(reading.problems)
    node.executed().keep("id")
    maximum = node.get("loopMaximum")
    if maximum is not None and not (maximum.isascii() and maximum.isdigit() and int(maximum) > 0):
        reading.refuse(node, f"loopMaximum 应为正整数：{maximum} / loopMaximum must be a positive whole number", "loopMaximum")
    test_before = dialect_zeebe.flag(reading, node, "testBefore", False)
    condition = child_expression(reading, node, "loopCondition")
    if len(reading.problems) > before:
        return
    if condition is None and maximum is None:
        reading.refuse(node, "标准循环应有 loopCondition 或 loopMaximum / a standard loop needs a loopCondition or a loopMaximum")
        return
    draft.values["loop"] = StandardLoop(condition, test_before, None if maximum is None else int(maximum))


def _multiple(reading: Reading, draft: Draft, node: Node) -> None:
    before = len(reading.problems)
    node.executed().keep("id")
    sequential = dialect_zeebe.flag(reading, node, "isSequential", False)
    condition = child_expression(reading, node, "completionCondition")
    cardinality = child_expression(reading, node, "loopCardinality")
    throws = _throws(reading, draft, node)
    loop = Loop(sequential, cardinality=cardinality, condition=condition, throws=throws)
    extensions = node.child("extensionElements")
    zeebe = extensions.child("loopCharacteristics", ZEEBE) if extensions else None
    if extensions is not None:
        extensions.judge("kept")
    if zeebe is not None:
        loop = _zeebe_loop(reading, loop, zeebe.executed())
    elif reading.dialect == "camunda":
        loop = dialect_camunda7.loop(reading, loop, node)
    if loop.collection is not None and loop.cardinality is not None:
        reading.refuse(
            node.child("loopCardinality") or node,
            "输入集合与 loopCardinality 只能有一个 / an input collection and a loopCardinality cannot stand together",
        )
    has_number = loop.collection is not None or loop.cardinality is not None
    _data(reading, node, has_number=has_number)
    if not has_number and len(reading.problems) == before:
        reading.refuse(zeebe or node, "多实例缺少输入集合 / the multi-instance has no input collection")
    draft.values["loop"] = loop


def _data(reading: Reading, node: Node, *, has_number: bool) -> None:
    for child in node.children:
        if child.namespace != BPMN or child.name not in _DATA:
            continue
        if has_number:
            child.keep_all("数据关联不执行 / data associations are not executed")
        else:
            reason = f"不执行 {child.name}，请用输入集合或 loopCardinality / use an input collection or a loopCardinality"
            reading.refuse(child, reason)


def _throws(reading: Reading, draft: Draft, node: Node) -> tuple[Implicit, ...]:
    behaviour = node.get("behavior") or "All"
    if behaviour not in _BEHAVIOURS:
        reading.refuse(node, f"behavior 应为 {'、'.join(_BEHAVIOURS)} / must be one of them", "behavior")
    found: list[Implicit] = []
    for name, (attribute, when) in _EVENT_OF.items():
        if name != behaviour:
            node.keep(attribute, reason=f"只在 behavior={name} 时有作用 / has an effect with behavior={name} only")
            continue
        text = node.get(attribute)
        definition = _definition(reading, text or "")
        if definition is None:
            reason = f"behavior={name} 需要 {attribute} 指向一个事件定义 / needs {attribute} to name an event definition"
            reading.refuse(node, reason, attribute if text else "behavior")
        elif event := events.thrown(reading, draft, definition):
            found.append(Implicit("each" if when == "each" else "first", event))
    for child in node.all("complexBehaviorDefinition"):
        if behaviour != "Complex":
            child.keep_all("只在 behavior=Complex 时有作用 / has an effect with behavior=Complex only")
        elif complex_one := _complex(reading, draft, child):
            found.append(complex_one)
    if behaviour == "Complex" and not any(node.all("complexBehaviorDefinition")):
        reason = "behavior=Complex 需要 complexBehaviorDefinition / needs a complexBehaviorDefinition"
        reading.refuse(node, reason, "behavior")
    return tuple(found)


def _complex(reading: Reading, draft: Draft, node: Node) -> Implicit | None:
    node.executed().keep("id")
    condition = child_expression(reading, node, "condition")
    holder = node.child("event")
    if condition is None:
        if node.child("condition") is None:
            reading.refuse(node, "复杂行为没有条件 / the complex behaviour has no condition")
        return None
    if holder is None:
        reading.refuse(node, "复杂行为没有事件 / the complex behaviour has no event to throw")
        return None
    holder.executed().keep("id", "name")
    definitions = [c for c in holder.children if c.namespace == BPMN and c.name.endswith("EventDefinition")]
    for reference in holder.all("eventDefinitionRef"):
        reference.executed()
        if (target := _definition(reading, reference.text)) is not None:
            definitions.append(target)
    if len(definitions) != 1:
        reading.refuse(holder, "复杂行为应有且只有一个事件定义 / a complex behaviour throws exactly one event")
        return None
    event = events.thrown(reading, draft, definitions[0])
    return Implicit("condition", event, condition) if event else None


def _definition(reading: Reading, text: str) -> Node | None:
    """Return an event definition by its id, wherever it stands."""
    name = text.rpartition(":")[2]
    found = reading.references.get(name) or next((n for n in reading.root.walk() if name and n.id == name), None)
    return found if found is not None and found.name.endswith("EventDefinition") else None


def _zeebe_loop(reading: Reading, loop: Loop, node: Node) -> Loop:
    collection = reading.expression(node, node.get("inputCollection"), "inputCollection")
    output_collection = node.get("outputCollection") or None
    output_element = reading.expression(node, node.get("outputElement"), "outputElement")
    _together(reading, node, output_collection, output_element)
    return replace(
        loop,
        collection=collection,
        element=node.get("inputElement") or None,
        output_collection=output_collection,
        output_element=output_element,
        output_local=_output_local(output_element),
    )


def _together(reading: Reading, node: Node, collection: str | None, element: Term | None) -> None:
    if (not collection) != (element is None):
        reading.refuse(node, "outputCollection 与 outputElement 必须一起给出 / must be given together")


def _output_local(term: Term | None) -> str | None:
    """Return the variable at the head of an output element like `vote` or `vote.result`."""
    if term is None or term.expression is None:
        return None
    text = term.text.removeprefix("=").strip()
    head = text.split(".")[0].strip()
    return head if all(part.strip().isidentifier() for part in text.split(".")) and head in term.expression.names else None
