"""Reads Camunda Form JSON into a `Form`; what cannot be executed as it stands is refused by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from engine import feel
from engine.errors import FeelSyntaxError, InvalidValue
from engine.forms import attributes as known
from engine.forms.model import Check, Component, Finding, Form, Options, Setting
from engine.forms.patterns import compiled

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_COMPONENTS = 2_000
MAX_OPTIONS = 5_000
NEWEST_SCHEMA = 19


def read(content: bytes, resource: str = "") -> Form:
    """Read the bytes of a `.form` file. Never raises: what is wrong stands in the form's findings, and it is not `ok` then.

    Args:
        content: JSON in UTF-8, as Camunda Modeler writes it.
        resource: name of the file, for the findings.
    """
    reader = _Reader(resource)
    schema = reader.parse(content)
    if schema is not None:
        reader.check_head(schema)
    components: tuple[Component, ...] = ()
    if schema is not None and not reader.findings_of("refused"):
        reader.names = frozenset(_names(schema))
        components = reader.components(schema.get("components"), depth=1)
        _check_paths(components, reader)
    form_id = schema.get("id") if schema is not None else ""
    return Form(
        id=form_id if isinstance(form_id, str) else "",
        hash=hashlib.sha256(content).hexdigest(),
        resource=resource,
        schema=schema or {},
        components=components,
        findings=tuple(reader.findings),
    )


class _Reader:
    """Collects findings while reading one file."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.findings: list[Finding] = []
        self.names: frozenset[str] = frozenset()
        self._ids: set[str] = set()
        self._count = 0

    def findings_of(self, verdict: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict == verdict]

    def find(
        self,
        verdict: Literal["executed", "kept", "refused", "warning"],
        raw: Mapping[str, Any],
        attribute: str | None = None,
        reason: str = "",
    ) -> None:
        """Note a verdict on a component (or on the form) or one of its attributes."""
        label = raw.get("label") or raw.get("dateLabel") or raw.get("timeLabel") or ""
        kind = str(raw.get("type", ""))
        self.findings.append(Finding(verdict, self.resource, str(raw.get("id", "")), str(label)[:100], kind, attribute, reason))

    # --- the file -------------------------------------------------------------------------------------------------

    def parse(self, content: bytes) -> dict[str, Any] | None:
        """Return the file's JSON object, or None with a refusal."""
        if len(content) > MAX_BYTES:
            self.find("refused", {}, None, f"表单文件超过 {MAX_BYTES} 字节 (the form is too large)")
            return None
        try:
            schema = json.loads(
                content.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=_object, parse_constant=_constant
            )
        except (ValueError, RecursionError) as error:
            self.find("refused", {}, None, f"不是可以读取的 JSON (not JSON): {error}")
            return None
        if not isinstance(schema, dict):
            self.find("refused", {}, None, "表单应为 JSON 对象 (a form must be a JSON object)")
            return None
        return schema

    def check_head(self, schema: dict[str, Any]) -> None:
        """Look at the form's own attributes."""
        if not isinstance(schema.get("id"), str) or not schema["id"].strip():
            self.find("refused", schema, "id", "表单没有 id (a form needs an id)")
        if schema.get("type", "default") != "default":
            self.find("refused", schema, "type", "表单的 type 应为 default (the type must be default)")
        if not isinstance(schema.get("components"), list):
            self.find("refused", schema, "components", "表单没有 components 列表 (a form needs a list of components)")
        version = schema.get("schemaVersion", NEWEST_SCHEMA)
        if not isinstance(version, int) or version > NEWEST_SCHEMA:
            self.find("warning", schema, "schemaVersion", f"比已知版本 {NEWEST_SCHEMA} 新 (newer than {NEWEST_SCHEMA})")
        for name in sorted(set(schema) - known.FORM):
            self.find("warning", schema, name, "未知属性，没有作用 (unknown attribute, without effect)")

    # --- components -----------------------------------------------------------------------------------------------

    def components(self, raws: Any, depth: int) -> tuple[Component, ...]:
        """Read a list of components."""
        if not isinstance(raws, list):
            return ()
        read = []
        for raw in raws:
            self._count += 1
            if self._count > MAX_COMPONENTS:
                self.find("refused", {}, None, f"组件超过 {MAX_COMPONENTS} 个 (too many components)")
                break
            if not isinstance(raw, dict):
                self.find("refused", {}, None, "components 中的每一项应为对象 (a component must be an object)")
                continue
            component = self.component(raw, depth)
            if component is not None:
                read.append(component)
        return tuple(read)

    def component(self, raw: dict[str, Any], depth: int) -> Component | None:
        """Read one component and all in it; None with a refusal."""
        kind = raw.get("type")
        if kind not in known.TYPES:
            self.find("refused", raw, "type", f"不支持的组件类型 (unknown component type): {kind}")
            return None
        if depth > MAX_DEPTH:
            self.find("refused", raw, None, f"组件嵌套超过 {MAX_DEPTH} 层 (components are nested too deeply)")
            return None
        self._check_id(raw)
        self.find("executed" if kind in known.VALUES | known.CONTAINERS else "kept", raw)
        for name in sorted(set(raw) - {"id", "type"}):
            self._judge_attribute(raw, name)
        validate = self._mapping(raw, "validate")
        properties = self._mapping(raw, "properties")
        return Component(
            type=kind,
            id=str(raw.get("id", "")),
            path=self._path(raw),
            label=_label(raw),
            label_en=str(properties.get("label:en", "")),
            rule=str(properties["rule"]) if properties.get("rule") else None,
            hide=self._hide(raw),
            readonly=self._setting(raw, raw, "readonly", bool),
            disabled=raw.get("disabled") is True,
            required=self._setting(raw, validate, "required", bool),
            minimum=self._setting(raw, validate, "min", _number),
            maximum=self._setting(raw, validate, "max", _number),
            min_length=self._setting(raw, validate, "minLength", _number),
            max_length=self._setting(raw, validate, "maxLength", _number),
            pattern=self._pattern(raw, validate),
            check=self._check(raw, properties),
            expression=self._expression(raw, raw.get("expression"), "expression") if kind == "expression" else None,
            options=self._options(raw) if kind in known.CHOICES else None,
            accept=self._setting(raw, raw, "accept", str) if kind == "filepicker" else None,
            multiple=self._setting(raw, raw, "multiple", bool) if kind == "filepicker" else False,
            components=self.components(raw.get("components"), depth + 1) if kind in known.CONTAINERS else (),
            attributes=raw,
        )

    def _check_id(self, raw: dict[str, Any]) -> None:
        if raw.get("id") in self._ids:
            self.find("refused", raw, "id", f"id 重复 (the id is used twice): {raw.get('id')}")
        if raw.get("id"):
            self._ids.add(str(raw["id"]))

    def _judge_attribute(self, raw: dict[str, Any], name: str) -> None:
        kind = raw["type"]
        if name in {"validate", "properties", "conditional"} and isinstance(raw[name], Mapping):
            for inner in sorted(raw[name]):
                verdict, reason = known.judge(kind, f"{name}.{inner}")
                self.find(verdict, raw, f"{name}.{inner}", reason)
            return
        verdict, reason = known.judge(kind, name)
        self.find(verdict, raw, name, reason)

    def _mapping(self, raw: dict[str, Any], name: str) -> Mapping[str, Any]:
        value = raw.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.find("refused", raw, name, "应为对象 (must be an object)")
        return value if isinstance(value, Mapping) else {}

    def _path(self, raw: dict[str, Any]) -> tuple[str, ...]:
        name = "path" if raw["type"] in known.CONTAINERS else "key"
        text = raw.get(name)
        if raw["type"] not in known.VALUES | known.CONTAINERS or (raw["type"] == "group" and text in {None, ""}):
            return ()
        if not isinstance(text, str) or not text or not all(text.split(".")):
            self.find("refused", raw, name, f"需要 {name} (needs a {name}, parts joined by dots)")
            return ()
        return tuple(text.split("."))

    # --- expressions ----------------------------------------------------------------------------------------------

    def _expression(self, raw: dict[str, Any], text: Any, attribute: str) -> feel.Expression | None:
        if not isinstance(text, str) or not text.strip().removeprefix("=").strip():
            self.find("refused", raw, attribute, "应为 FEEL 表达式 (must be a FEEL expression)")
            return None
        try:
            return feel.compile_expression(text, self.names)
        except FeelSyntaxError as error:
            where = f"第 {error.line} 行第 {error.column} 列"
            self.find(
                "refused", raw, attribute, f"FEEL 表达式有误，{where} (line {error.line}, column {error.column}): {error.message}"
            )
            return None

    def _setting(self, raw: dict[str, Any], holder: Mapping[str, Any], name: str, convert: Callable[[Any], Any]) -> Setting:
        value = holder.get(name)
        attribute = name if holder is raw else f"validate.{name}"
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.lstrip().startswith("="):
            return self._expression(raw, value, attribute)
        if convert is bool and not isinstance(value, bool):
            self.find("refused", raw, attribute, "应为 true、false 或以 = 开头的表达式 (true, false or an expression)")
            return None
        try:
            return convert(value)  # type: ignore[no-any-return]  # one of bool, str, _number
        except (ValueError, ArithmeticError):
            self.find("refused", raw, attribute, f"应为数字 (must be a number): {value}")
            return None

    def _hide(self, raw: dict[str, Any]) -> feel.Expression | None:
        text = self._mapping(raw, "conditional").get("hide")
        if text is None or text == "":
            return None
        if not isinstance(text, str) or not text.lstrip().startswith("="):
            self.find("refused", raw, "conditional.hide", "条件应以 = 开头 (the condition must begin with =)")
            return None
        return self._expression(raw, text, "conditional.hide")

    def _check(self, raw: dict[str, Any], properties: Mapping[str, Any]) -> Check | None:
        if "check" not in properties:
            return None
        expression = self._expression(raw, properties["check"], "properties.check")
        if expression is None:
            return None
        return Check(expression, str(properties.get("checkMessage", "")), str(properties.get("checkMessage:en", "")))

    def _pattern(self, raw: dict[str, Any], validate: Mapping[str, Any]) -> str | None:
        pattern = validate.get("pattern")
        if pattern is None or pattern == "":
            return None
        try:
            compiled(str(pattern))
        except InvalidValue as error:
            self.find("refused", raw, "validate.pattern", error.message)
            return None
        return str(pattern)

    def _options(self, raw: dict[str, Any]) -> Options | None:
        if raw.get("valuesExpression"):
            expression = self._expression(raw, raw["valuesExpression"], "valuesExpression")
            return None if expression is None else Options(expression=expression)
        if raw.get("valuesKey"):
            return Options(key=str(raw["valuesKey"]))
        values = raw.get("values")
        if not isinstance(values, list):
            self.find("refused", raw, "values", "没有选项来源：values、valuesKey 或 valuesExpression (no source of options)")
            return None
        if len(values) > MAX_OPTIONS:
            self.find("refused", raw, "values", f"选项超过 {MAX_OPTIONS} 个 (too many options)")
            return None
        return Options(values=tuple(option_values(values)))


def option_values(options: list[Any]) -> Iterator[Any]:
    """Yield the values of a list of options: plain values, or objects with `value` (and `label`)."""
    for option in options:
        if isinstance(option, Mapping):
            if "value" in option:
                yield option["value"]
        elif option is not None:
            yield option


def _check_paths(components: tuple[Component, ...], reader: _Reader, prefix: tuple[str, ...] = ()) -> None:
    """Refuse two fields of one place, unless each has a condition; and fields inside other fields."""
    leaves: dict[tuple[str, ...], Component] = {}
    for path, component in _placed(components, prefix, reader):
        other = leaves.setdefault(path, component)
        if other is not component and (other.hide is None or component.hide is None):
            reason = f"与「{other.label}」使用同一个 key (the key of another field): {'.'.join(path)}"
            reader.find("refused", component.attributes, "key", reason)
    for path, component in leaves.items():
        if any(path[:length] in leaves for length in range(1, len(path))):
            reason = f"位于另一个字段之内 (inside another field): {'.'.join(path)}"
            reader.find("refused", component.attributes, "key", reason)


def _placed(
    components: tuple[Component, ...], prefix: tuple[str, ...], reader: _Reader
) -> Iterator[tuple[tuple[str, ...], Component]]:
    for component in components:
        if component.type == "group":
            yield from _placed(component.components, prefix + component.path, reader)
        elif component.path:
            yield prefix + component.path, component
        if component.type == "dynamiclist":
            _check_paths(component.components, reader)


def _names(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that expressions may use, for names that FEEL could misread."""
    yield from ("this", "parent", "i")
    waiting: list[Any] = [schema]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, Mapping):
            continue
        for place in ("key", "path", "valuesKey"):
            if isinstance(item.get(place), str) and item[place]:
                yield from item[place].split(".")
        if isinstance(item.get("components"), list):
            waiting += item["components"]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a key twice")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _label(raw: Mapping[str, Any]) -> str:
    """Return what the component is called; a label that only the browser computes is replaced by the key."""
    shown = (raw.get(name) for name in ("label", "dateLabel", "timeLabel"))
    fixed = (label for label in shown if isinstance(label, str) and label.strip() and not label.startswith("="))
    return next(fixed, None) or str(raw.get("key") or raw.get("path") or raw.get("type"))


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError(value)
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 30 else number
