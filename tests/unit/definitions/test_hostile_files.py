"""Files that mean harm, or are only huge: refused by name, fast; nothing else happens."""

from __future__ import annotations

import time

import pytest

from engine import definitions
from engine.definitions.xml import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS
from tests.unit.kernel.drawing import chain, draw, element, end, flow, script, start, user

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">'


def refusal(data: bytes, within: float = 0.5) -> str:
    begun = time.thread_time()
    file = definitions.read_bpmn(data, "t.bpmn")
    assert time.thread_time() - begun < within
    assert not file.ok
    assert not file.processes
    return "\n".join(f.reason for f in file.findings if f.verdict == "refused")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY x "boom">]>',
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        "<!DOCTYPE a>",
    ],
)
def test_document_types_and_entities(head: str) -> None:
    inner = '<process id="P" isExecutable="true"><documentation>&x;</documentation></process>'
    data = f'<?xml version="1.0"?>{head}{HEAD}{inner}</definitions>'
    assert "entities are not taken" in refusal(data.encode())
    assert refusal(data.encode("utf-16"))


def test_deep_nesting() -> None:
    deep = MAX_DEPTH + 20
    assert "nested deeper" in refusal((HEAD + "<subProcess>" * deep + "</subProcess>" * deep + "</definitions>").encode())
    assert refusal((HEAD + "<a>" * 100_000 + "</a>" * 100_000 + "</definitions>").encode())


def test_a_hundred_thousand_elements() -> None:
    for count in (MAX_ELEMENTS + 1, 50_000, 100_000):
        tasks = "".join(f'<userTask id="u{i}"/>' for i in range(count))
        data = f'{HEAD}<process id="P" isExecutable="true">{tasks}</process></definitions>'.encode()
        assert f"more than {MAX_ELEMENTS} elements" in refusal(data)


def test_too_many_bytes() -> None:
    assert "larger than" in refusal(draw(f"<b:documentation>{'x' * MAX_BYTES}</b:documentation>"))


def test_as_many_elements_as_are_allowed_are_read_in_time() -> None:
    body, last = start(), "s"
    for i in range(4000):
        body += user(f"u{i}") + flow(last, f"u{i}")
        last = f"u{i}"
    begun = time.thread_time()
    file = definitions.read_bpmn(draw(body + end() + flow(last, "e")), "t.bpmn")
    assert file.ok
    assert time.thread_time() - begun < 2


def test_an_expression_nested_without_end_is_refused() -> None:
    said = refusal_of_model(script("k", "x", "(" * 5000 + "1" + ")" * 5000))
    assert "k" in said


def refusal_of_model(inner: str) -> str:
    begun = time.thread_time()
    file = definitions.read_bpmn(draw(start() + inner + end() + chain("s", "k", "e")), "t.bpmn")
    assert time.thread_time() - begun < 2
    return "\n".join(f"{f.element_id} {f.reason}" for f in file.findings if f.verdict == "refused")


@pytest.mark.parametrize(
    "code", ["__import__('os').system('id')", "().__class__", "lambda: 1", "exec('1')", "a[b := 1]", "{{7*7}}"]
)
def test_no_python_from_a_model(code: str) -> None:
    gate = element("exclusiveGateway", "k", default="d") + user("u")
    body = start() + gate + end() + flow("s", "k") + flow("k", "u", code) + flow("k", "e", flow_id="d")
    file = definitions.read_bpmn(draw(body), "t.bpmn")
    assert not file.ok or file.processes[0].flows  # FEEL may be able to read it as names and calls; nothing was run either way


def test_an_element_of_too_many_attributes_is_refused_at_once() -> None:
    many = " ".join(f'a{i}="1"' for i in range(50_000))
    started = time.thread_time()
    file = definitions.read_bpmn(draw(f"<b:task id='q' {many}/>"), "a.bpmn")
    assert not file.ok
    assert "200" in file.findings[0].reason
    assert time.thread_time() - started < 2
