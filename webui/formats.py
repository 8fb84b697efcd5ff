"""How moments, dues and values are written on a page. All moments are shown in the hospital's time zone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, current_app

from webui.i18n import text

_SOON = timedelta(hours=24)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?:@[A-Za-z_/+-]+)?")


@dataclass(frozen=True, slots=True)
class Due:
    """A due moment for people: `words` (还有 3 小时), `tone` (late | soon | later | none) and the moment itself."""

    words: str
    tone: str
    at: str


def init(app: Flask) -> None:
    """Offer the formats to templates."""
    app.add_template_filter(moment, "moment")
    app.add_template_filter(day, "day")
    app.add_template_filter(iso, "iso")
    app.add_template_filter(span, "span")
    app.add_template_filter(value_text, "value_text")
    app.add_template_filter(count_text, "count_text")
    app.add_template_filter(size_text, "size_text")
    app.add_template_filter(prose, "prose")


def zone() -> ZoneInfo:
    """Return the hospital's time zone."""
    return ZoneInfo(str(current_app.config["TIME_ZONE"]))


def moment(at: datetime | None) -> str:
    """Return `2026-11-20 18:05` in the hospital's time zone; an empty text for None."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M") if at else ""


def second(at: datetime) -> str:
    """Return `2026-11-20 18:05:09`: where the order of events matters."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S")


def day(at: datetime | None) -> str:
    """Return `2026-11-20` in the hospital's time zone; an empty text for None."""
    return at.astimezone(zone()).strftime("%Y-%m-%d") if at else ""


def iso(at: datetime | None) -> str:
    """Return the moment as machines read it, for `<time datetime>`."""
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def due(at: datetime | None, now: datetime) -> Due:
    """Return how far off a due moment is: in days from two days on, in hours from one hour on, else in minutes."""
    if at is None:
        return Due("", "none", "")
    left = at - now
    if left <= timedelta(0):
        return Due(text("已逾期 %(span)s", span=span(-left)), "late", moment(at))
    words = text("还有 %(span)s", span=span(left))
    return Due(words, "soon" if left <= _SOON else "later", moment(at))


def span(length: timedelta | float) -> str:
    """Return a length of time (or seconds) in one unit: `2 天`, `3 小时`, `5 分钟`, `不到 1 分钟`."""
    minutes = int((length.total_seconds() if isinstance(length, timedelta) else length) // 60)
    if minutes >= 2 * 24 * 60:
        return text("%(count)d 天", count=minutes // (24 * 60))
    if minutes >= 60:
        return text("%(count)d 小时", count=minutes // 60)
    if minutes >= 1:
        return text("%(count)d 分钟", count=minutes)
    return text("不到 1 分钟")


def count_text(number: int) -> str:
    """Return a count as inboxes show it: 99+ beyond 99."""
    return "99+" if number > 99 else str(number)


def size_text(size: int) -> str:
    """Return a file's size in B, KB or MB."""
    if size < 1024:
        return f"{size} B"
    if size < 1024 * 1024:
        return f"{size / 1024:.0f} KB"
    return f"{size / 1024 / 1024:.1f} MB"


def value_text(value: Any) -> str:
    """Return a variable's value as a person reads it; structures become JSON."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, bool):
        return text("是") if value else text("否")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return _moment_text(value) or value
    if is_file(value):
        return str(value["name"])
    if isinstance(value, Sequence):
        if all(not isinstance(item, Mapping | list) or is_file(item) for item in value):
            return text("、").join(value_text(item) for item in value)
        return text("%(count)d 项", count=len(value))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def is_file(value: Any) -> bool:
    """Whether a value is a file as a filepicker field stores it."""
    return isinstance(value, Mapping) and {"name", "digest"} <= set(value)


def _moment_text(value: str) -> str | None:
    """Return a moment written in ISO 8601 with a zone as the page shows moments, or None when the text is something else."""
    if not _MOMENT.fullmatch(value):
        return None
    written, _, zone_name = value.partition("@")
    try:
        at = datetime.fromisoformat(written)
        if zone_name:
            at = at.replace(tzinfo=ZoneInfo(zone_name))
    except (ValueError, ZoneInfoNotFoundError):
        return None
    return moment(at) if at.tzinfo else at.strftime("%Y-%m-%d %H:%M")


def prose(source: str) -> str:
    """Return a text in which moments in ISO 8601 are written as the page writes moments."""
    return _MOMENT.sub(lambda found: _moment_text(found.group()) or found.group(), source)
