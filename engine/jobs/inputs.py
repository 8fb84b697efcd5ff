"""Reads the inputs of built-in jobs: what a model's input mappings and task headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.definitions import iso8601
from engine.errors import InvalidValue

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?(?:T(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)


class Inputs:
    """The inputs of one job; task headers stand in for inputs that the model does not map.

    Every method raises `InvalidValue`, naming the input, when its value is of the wrong kind.
    """

    def __init__(self, job_type: str, element_id: str, values: Mapping[str, Any]) -> None:
        self._type = job_type
        self._element_id = element_id
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self._values.get(name)
        if value is None or value == "":
            if default is None:
                raise self.wrong(name, "缺少 (is missing)")
            return default
        if isinstance(value, bool | list | Mapping):
            raise self.wrong(name, "应为文字 (must be a text)")
        return str(value)

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts, without nulls and repetitions; one text may be a comma-separated list."""
        value = self._values.get(name)
        if value is None:
            return default
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or any(isinstance(item, list | Mapping) for item in items):
            raise self.wrong(name, "应为文字列表 (must be a list of texts)")
        written = (str(item).strip() for item in items if item is not None)
        return tuple(dict.fromkeys(item for item in written if item))

    def context(self, name: str) -> dict[str, Any]:
        """Return a context; empty where it is missing."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(name, "应为上下文 (must be a context)")
        return dict(value)

    def duration(self, name: str) -> timedelta | None:
        """Return a duration of weeks, days, hours, minutes and seconds; None where it is missing."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found is not None else {}
        if not parts:
            raise self.wrong(name, "应为时长，如 PT1H 或 P3D (must be a duration such as PT1H)")
        return timedelta(**parts)

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        """Return an aware moment; a date or a time without offset is meant in the zone; None where it is missing."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        text = str(value)
        try:
            if _DATE.fullmatch(text):
                return datetime.combine(date.fromisoformat(text), time.min, zone)
            return iso8601.moment(text, zone)
        except ValueError:
            raise self.wrong(name, "应为日期或时间 (must be a date, or a date and time)") from None

    def wrong(self, name: str, what: str) -> InvalidValue:
        """Return the error that says what is wrong with an input."""
        return InvalidValue(f"{self._type} 的输入 {name} {what}", element_id=self._element_id, field=name)
