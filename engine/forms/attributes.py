"""Which component types and attributes of Camunda Forms there are, and what the engine does with each."""

from __future__ import annotations

from typing import Literal

TEXTS = frozenset({"textfield", "textarea"})
CHOICES = frozenset({"checklist", "radio", "select", "taglist"})
VALUES = TEXTS | CHOICES | {"number", "checkbox", "datetime", "expression", "filepicker"}
CONTAINERS = frozenset({"group", "dynamiclist"})
SHOWN = frozenset({"text", "html", "image", "iframe", "separator", "spacer", "button", "table", "documentPreview"})
TYPES = VALUES | CONTAINERS | SHOWN

FORM = frozenset(
    {
        "id",
        "type",
        "components",
        "schemaVersion",
        "executionPlatform",
        "executionPlatformVersion",
        "exporter",
        "versionTag",
        "properties",
    }
    | {"name", "$schema", "generated"}
)

# What the server executes, beside what the browser does with it.
_EXECUTED = {
    **dict.fromkeys(("conditional.hide", "properties.rule", "properties.check"), TYPES),
    **dict.fromkeys(("properties.checkMessage", "properties.checkMessage:en", "properties.label:en"), TYPES),
    **dict.fromkeys(("key", "properties.freeText"), VALUES),
    **dict.fromkeys(("readonly", "disabled", "defaultValue", "validate.required"), VALUES - {"expression"}),
    "path": CONTAINERS,
    "components": CONTAINERS,
    **dict.fromkeys(("validate.minLength", "validate.maxLength", "validate.pattern", "validate.patternErrorMessage"), TEXTS),
    "validate.validationType": TEXTS,
    **dict.fromkeys(("validate.min", "validate.max", "decimalDigits", "serializeToString"), frozenset({"number"})),
    **dict.fromkeys(("values", "valuesKey", "valuesExpression"), CHOICES),
    **dict.fromkeys(("subtype", "timeSerializingFormat", "disallowPassedDates"), frozenset({"datetime"})),
    **dict.fromkeys(("isRepeating", "allowAddRemove", "defaultRepetitions"), frozenset({"dynamiclist"})),
    "expression": frozenset({"expression"}),
    **dict.fromkeys(("multiple", "accept"), frozenset({"filepicker"})),
}

# What only the browser shows.
_KEPT = frozenset(
    {
        "label",
        "description",
        "appearance",
        "layout",
        "dateLabel",
        "timeLabel",
        "timeInterval",
        "use24h",
        "increment",
        "searchable",
        "text",
    }
    | {
        "content",
        "source",
        "alt",
        "url",
        "height",
        "maxHeight",
        "title",
        "dataSource",
        "columns",
        "columnsExpression",
        "rowCount",
        "action",
    }
    | {
        "showOutline",
        "disableCollapse",
        "nonCollapsedItems",
        "verticalAlignment",
        "security",
        "computeOn",
        "endpoint",
        "readonly",
    }
    | {"disabled", "validate", "properties", "conditional", "versionTag", "clearOnHide"}
)


def judge(kind: str, attribute: str) -> tuple[Literal["executed", "kept", "warning"], str]:
    """Return the verdict on an attribute of a component type, and why."""
    if kind in _EXECUTED.get(attribute, frozenset()):
        return "executed", ""
    if attribute.startswith("properties."):
        return "kept", "自定义属性 (a property of the modeler's own)"
    if attribute in _KEPT:
        return "kept", "由浏览器显示 (shown by the browser)"
    return "warning", "对此组件没有作用 (without effect on this component)"
