"""Reading forms: what Camunda Modeler writes is understood, what cannot be executed is refused by name."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from engine import forms
from engine.forms.reading import MAX_BYTES, MAX_COMPONENTS

FORMS = Path(__file__).parents[3] / "forms"


def form(*components: dict[str, Any], **head: Any) -> forms.Form:
    return forms.read(json.dumps({"id": "f", "type": "default", "components": list(components), **head}).encode(), "f.form")


def refusals(read: forms.Form) -> list[tuple[str, str | None]]:
    return [(finding.element_id, finding.attribute) for finding in read.findings if finding.verdict == "refused"]


def text(key: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": f"id-{key}", "key": key, "label": key, **more}


def test_every_attribute_gets_a_verdict() -> None:
    read = form(
        text(
            label="名称",
            description="…",
            validate={"required": True, "minLength": 2},
            properties={"rule": "T1.1", "owner": "x"},
            layout={"row": "R"},
            strange=1,
        )
    )
    verdicts = {finding.attribute: finding.verdict for finding in read.findings}
    assert verdicts == {
        None: "executed",
        "key": "executed",
        "label": "kept",
        "description": "kept",
        "validate.required": "executed",
        "validate.minLength": "executed",
        "properties.rule": "executed",
        "properties.owner": "kept",
        "layout": "kept",
        "strange": "warning",
    }
    assert all(finding.element_name == "名称" for finding in read.findings)
    assert read.ok


def test_the_hash_is_of_the_bytes() -> None:
    content = b'{"id": "f", "type": "default", "components": []}'
    assert forms.read(content).hash == hashlib.sha256(content).hexdigest()
    assert forms.read(content + b" ").hash != forms.read(content).hash


def test_labels_name_fields_outside_the_form() -> None:
    group = {
        "type": "group",
        "id": "g",
        "path": "study",
        "components": [text("title", properties={"label:en": "Title"}, label="名称")],
    }
    assert form(group).labels("zh") == {"title": "名称"}
    assert form(group).labels("en") == {"title": "Title"}


@pytest.mark.parametrize(
    ("component", "attribute"),
    [
        (text(conditional={"hide": "= 1 +"}), "conditional.hide"),
        (text(conditional={"hide": "always"}), "conditional.hide"),
        (text(readonly="no"), "readonly"),
        (text(readonly="=if"), "readonly"),
        (text(validate={"pattern": "(?=x)"}), "validate.pattern"),
        (text(validate={"minLength": "many"}), "validate.minLength"),
        (text(validate={"required": "yes"}), "validate.required"),
        (text(validate=7), "validate"),
        (text(properties={"check": "= and"}), "properties.check"),
        (text(key=""), "key"),
        (text(key="a..b"), "key"),
        ({"type": "select", "id": "s", "key": "s"}, "values"),
        ({"type": "select", "id": "s", "key": "s", "valuesExpression": "=]"}, "valuesExpression"),
        ({"type": "expression", "id": "e", "key": "e"}, "expression"),
        ({"type": "dynamiclist", "id": "d", "components": []}, "path"),
        ({"type": "hologram", "id": "h", "key": "h"}, "type"),
        ({"type": "number", "id": "n", "key": "n", "validate": {"max": True}}, "validate.max"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_name(component: dict[str, Any], attribute: str) -> None:
    found = refusals(form(component))
    assert found == [(component["id"], attribute)]


def test_a_syntax_error_says_where() -> None:
    (finding,) = [item for item in form(text(conditional={"hide": "=a ="})).findings if item.verdict == "refused"]
    assert "第 1 行" in finding.reason
    assert "line 1" in finding.reason


def test_two_fields_of_one_key_need_conditions() -> None:
    assert refusals(form(text("a"), {**text("a"), "id": "other"})) == [("other", "key")]
    hidden = {"conditional": {"hide": "=x"}}
    assert form(text("a", **hidden), {**text("a", **hidden), "id": "other"}).ok
    assert refusals(form(text("a"), text("a.b"))) == [("id-a.b", "key")]


def test_groups_share_the_form_s_scope_and_rows_have_their_own() -> None:
    row = {"type": "dynamiclist", "id": "d", "path": "people", "components": [{**text("name"), "id": "cell"}]}
    assert form(text("name"), row).ok
    group = {"type": "group", "id": "g", "components": [{**text("name"), "id": "inner"}]}
    assert refusals(form(text("name"), group)) == [("inner", "key")]


def test_an_id_used_twice_is_refused() -> None:
    assert refusals(form(text("a"), {**text("b"), "id": "id-a"})) == [("id-a", "id")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"id": "f", "components": [], "id": "g"}',
        b'{"id": "f", "components": NaN}',
        b'{"id": "", "components": []}',
        b'{"id": "f"}',
        b'{"id": "f", "type": "other", "components": []}',
        b'{"id": "f", "components": [7]}',
        b"[" * 200_000,
        b'{"id": "f", "components": [' + b'{"type":"group","components":[' * 50_000,
        b" " * (MAX_BYTES + 1),
    ],
    ids=range(13),
)
def test_broken_and_hostile_files_are_refused_quickly(content: bytes) -> None:
    begun = time.thread_time()
    read = forms.read(content, "bad.form")
    assert not read.ok
    assert time.thread_time() - begun < 2


def test_deep_and_huge_forms_are_refused() -> None:
    deep: dict[str, Any] = text()
    for level in range(30):
        deep = {"type": "group", "id": f"g{level}", "components": [deep]}
    assert not form(deep).ok
    assert not form(*[text(f"k{n}") for n in range(MAX_COMPONENTS + 1)]).ok


def test_a_newer_schema_is_a_warning() -> None:
    read = form(text(), schemaVersion=99)
    assert read.ok
    assert [finding.attribute for finding in read.findings if finding.verdict == "warning"] == ["schemaVersion"]


@pytest.mark.parametrize("path", sorted(FORMS.rglob("*.form")), ids=lambda path: path.stem)
def test_the_product_s_own_forms_are_executed_as_they_are(path: Path) -> None:
    read = forms.read(path.read_bytes(), path.name)
    assert [finding for finding in read.findings if finding.verdict in {"refused", "warning"}] == []
