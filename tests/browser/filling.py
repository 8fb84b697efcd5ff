"""Fills any Camunda form in a browser from values, as a person would: by its fields, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page

from engine import feel

ZONE = ZoneInfo("Asia/Shanghai")


class Form:
    """The form that is open on a page. `variables`: what its expressions read."""

    def __init__(self, page: Page, variables: Mapping[str, Any]) -> None:
        self.page = page
        self.variables = variables
        place = page.locator("[data-schema]")
        self.schema = json.loads(place.get_attribute("data-schema") or "{}")

    def fill(self, values: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> None:
        """Fill every field that has a value; twice, since a value may bring out fields before it."""
        uploads = dict(files)
        for _ in range(2):
            self._components(self.schema["components"], values, uploads, "")

    def _components(self, parts: Sequence[Mapping[str, Any]], values: Mapping[str, Any], files: dict[str, Any], row: str) -> None:
        for part in parts:
            if part["type"] == "group":
                inner = values.get(part["path"], {}) if part.get("path") else values
                self._components(part["components"], inner, files, row)
            elif part["type"] == "dynamiclist":
                if part["path"] in values:
                    self._rows(part, values[part["path"]], files)
            elif part.get("key") in files:
                self._upload(part, files, row)
            elif part.get("key") in values:
                self._field(part, values[part["key"]], row)

    def _rows(self, part: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], files: dict[str, Any]) -> None:
        box = self.page.locator(".fjs-form-field-grouplike").filter(has=self.page.locator("label", has_text=part["label"])).last
        if not box.is_visible():
            return
        remove = box.get_by_role("button", name="移除第")
        while remove.count() > len(rows):
            remove.last.click()
        while remove.count() < len(rows):
            box.get_by_role("button", name="添加一行").click()
        for index, values in enumerate(rows):
            self._components(part["components"], values, files, f"_{index}")

    def _upload(self, part: Mapping[str, Any], files: dict[str, Any], row: str) -> None:
        control = self._control(part, row)
        if control.count() == 0:
            return
        for name in files.pop(part["key"]):
            control.set_input_files({"name": name, "mimeType": "application/pdf", "buffer": f"%PDF-1.4 {name}".encode()})
            self.page.locator(".file-list").get_by_role("link", name=name).first.wait_for()

    def _field(self, part: Mapping[str, Any], value: Any, row: str) -> None:
        fill = _FILL.get(part["type"])
        if fill is not None and value is not None:
            fill(self, part, value, row)

    def _control(self, part: Mapping[str, Any], row: str, option: str = "") -> Locator:
        return self.page.locator(f'[id^="fjs-form-"][id$="-{part["id"]}{row}{option}"]')

    # --- kinds of fields

    def _text(self, part: Mapping[str, Any], value: Any, row: str) -> None:
        self._set(self._control(part, row), str(value))

    def _moment(self, part: Mapping[str, Any], value: str, row: str) -> None:
        if part.get("subtype", "date") == "datetime":
            value = datetime.fromisoformat(value).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
        self._set(self._control(part, row), value)

    def _set(self, control: Locator, text: str) -> None:
        if control.count() and control.input_value() != text:
            control.fill(text)

    def _checkbox(self, part: Mapping[str, Any], value: bool, row: str) -> None:
        control = self._control(part, row)
        if control.count():
            control.set_checked(value)

    def _select(self, part: Mapping[str, Any], value: Any, row: str) -> None:
        control = self._control(part, row)
        if control.count():
            option = control.locator(f"option[data-value='{json.dumps(value, ensure_ascii=False)}']")
            control.select_option(option.get_attribute("value"))

    def _radio(self, part: Mapping[str, Any], value: Any, row: str) -> None:
        self._choose(part, [value], row)

    def _choose(self, part: Mapping[str, Any], chosen: Sequence[Any], row: str) -> None:
        options = self._options(part)
        for value in chosen:
            control = self._control(part, row, f"-{options.index(value)}")
            if control.count():
                control.check()

    def _options(self, part: Mapping[str, Any]) -> list[Any]:
        found = part.get("values") or self.variables.get(part.get("valuesKey", ""))
        if found is None:
            found = feel.evaluate(part["valuesExpression"], self.variables)
        return [option["value"] if isinstance(option, Mapping) else option for option in found]


_FILL: Mapping[str, Callable[[Form, Mapping[str, Any], Any, str], None]] = {
    "textfield": Form._text,
    "textarea": Form._text,
    "number": Form._text,
    "datetime": Form._moment,
    "checkbox": Form._checkbox,
    "select": Form._select,
    "radio": Form._radio,
    "checklist": Form._choose,
}
