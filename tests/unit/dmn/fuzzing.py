"""DMN files out of bytes: those of `processes/` and small ones of every kind of expression, with parts changed at random."""

from __future__ import annotations

import time
from pathlib import Path

from engine import dmn
from engine.errors import EvaluationFailed, InvalidDecisionModel, NotFound
from tests.unit.dmn.models import decision, definitions, input_data, literal, table
from tests.unit.feel.fuzzing import MAX_SECONDS, SURROUNDINGS, Choices, check_value, context, expression, unary_tests

PROCESSES = Path(__file__).parents[3] / "processes"


def _boxed() -> bytes:
    one, two = literal("a + 1"), literal('"x"')
    entry = f'<contextEntry><variable name="n" typeRef="number"/>{one}</contextEntry>'
    function = f'<functionDefinition><formalParameter name="p" typeRef="number"/>{literal("p * 2")}</functionDefinition>'
    call = f'<invocation>{literal("twice")}<binding><parameter name="p"/>{one}</binding></invocation>'
    loop = f'<for iteratorVariable="i"><in>{literal("[1, 2]")}</in><return>{literal("i + a")}</return></for>'
    return definitions(
        '<itemDefinition name="share"><typeRef>number</typeRef><allowedValues><text>[0..1]</text></allowedValues>'
        "</itemDefinition>",
        '<itemDefinition name="person" isCollection="true"><itemComponent name="s"><typeRef>share</typeRef></itemComponent>'
        "</itemDefinition>",
        f'<businessKnowledgeModel id="twice" name="twice"><variable name="twice"/><encapsulatedLogic><formalParameter name="p"/>'
        f"{literal('p * 2')}</encapsulatedLogic></businessKnowledgeModel>",
        input_data("a", "number"),
        decision("d", f"<context>{entry}<contextEntry>{two}</contextEntry></context>", "input:a"),
        decision("e", f"<list>{one}{two}</list>", "input:a decision:d"),
        decision("f", call, "input:a knowledge:twice decision:e"),
        decision("g", f"<conditional><if>{literal('a > 1')}</if><then>{one}</then><else>{two}</else></conditional>", "input:a"),
        decision("h", loop, "input:a decision:g"),
        decision("i", f'<context><contextEntry><variable name="t"/>{function}</contextEntry></context>', "decision:h"),
        decision("j", f'<relation><column name="x"/><row>{one}</row></relation>', "input:a", "person"),
        decision("k", f"<filter><in>{literal('[1, 2, 3]')}</in><match>{literal('item > a')}</match></filter>", "input:a"),
        decision(
            "l",
            table("COLLECT", {"a": "number", "d": ""}, {"o": "number"}, ["< 5; -; -> 1", "[5..9]; not(1); -> a + 1"], "SUM"),
            "input:a decision:d",
        ),
        '<decisionService id="s" name="s"><outputDecision href="#d"/><inputData href="#a"/></decisionService>',
    )


FILES = (_boxed(), *(path.read_bytes() for path in sorted(PROCESSES.glob("*/*.dmn"))))
PARTS = (
    *(b"", b"<", b">", b"/>", b'"', b"&", b"&lt;", b"&#0;", b"\xff\xfe", b"\x00", b"&x;", b"<![CDATA[", b"]]>", b"<!--", b"-->"),
    *(b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<?p ?>", b"<text>", b"</text>", b"<rule/>", b"<typeRef>person</typeRef>", b"1e9999"),
    *(b"<inputEntry><text>1</text></inputEntry>", b"<allowedValues><text>1,2</text></allowedValues>", b'hitPolicy="ANY"'),
    *(b'hitPolicy="OUTPUT ORDER"', b'typeRef="date"', b'aggregation="COUNT"', b'href="#d"', b'href="#i"', b'id="d"', b'name="d"'),
    *(b'isCollection="true"', b"<import namespace='urn:x' name='x' importType='dmn'/>", b'xmlns="urn:none"'),
    *(b"for i in 1..1000000000 return i", "金额".encode(), b'expressionLanguage="java"'),
)


def mutated(choices: Choices, xml: bytes) -> bytes:
    """Return a file with parts cut out, doubled, moved or replaced, mostly at the borders of tags and texts."""
    for _ in range(1 + choices.below(4)):
        start = choices.below(len(xml) + 1)
        if choices.below(3):
            start = max(xml.find(choices.of((b"<", b">", b'"')), start), 0)
        end = min(len(xml), start + choices.below(200))
        if choices.below(2):
            end = max(xml.find(choices.of((b"<", b">", b'"')), start + 1), start)
        elsewhere = choices.below(len(xml) + 1)
        kind = choices.below(6)
        part = xml[start:end]
        if kind == 0:
            part = choices.of(PARTS)
        elif kind == 1:
            part = part * 2
        elif kind == 2:
            part = xml[elsewhere : elsewhere + choices.below(400)]
        elif kind == 3:
            part = expression(choices, 3).replace("<", "&lt;").encode("utf-8", "replace")
        elif kind == 4:
            part = unary_tests(choices).replace("<", "&lt;").encode("utf-8", "replace")
        else:
            part = b""
        xml = xml[:start] + part + xml[end:]
    return xml


def check_model(xml: bytes, choices: Choices) -> None:
    """Read a file: it is refused, or it is a model that can be checked and whose decisions have FEEL's values."""
    began = time.process_time()
    try:
        model = dmn.load(xml)
    except InvalidDecisionModel:
        return
    for finding in model.check():
        assert finding.reason
    variables = context(choices) | {"a": choices.of((1, 5, 20, None, "x"))}
    for identifier in model.decisions:
        try:
            check_value(model.evaluate(identifier, variables, SURROUNDINGS))
            assert model.explain(identifier, variables, SURROUNDINGS).trace is not None
        except (EvaluationFailed, NotFound):
            continue
    assert time.process_time() - began < 3 * MAX_SECONDS


def check_bytes(data: bytes) -> None:
    """Make a file and variables out of bytes and check them."""
    choices = Choices(data)
    check_model(mutated(choices, choices.of(FILES)), choices)
