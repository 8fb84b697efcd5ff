"""When timers are due: dates, durations, cycles and cron texts, counted on the calendar of the deployment's time zone.

A timer's state is small JSON in its task's memo:
    due: ISO moment; left: firings that remain, this one included (-1 = without end); text: what it was computed from;
    anchor, n: a cycle's grid (occurrence n = anchor + n × duration); at: when it was computed; held: seconds that remain
    while its clock stands still (then there is no due).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.definitions import iso8601
from engine.definitions.cron import cron, is_cron
from engine.definitions.model import Timer
from engine.kernel.evaluation import Evaluation, shown
from engine.kernel.trouble import EXTRACT_VALUE_ERROR, Trouble
from engine.kernel.variables import Value


@dataclass(frozen=True, slots=True)
class Due:
    """A timer's next firing. `skipped` are moments of a cycle that are past and will not fire."""

    at: datetime
    left: int
    text: str
    anchor: datetime | None = None
    n: int = 0

    def memo(self, now: datetime) -> dict[str, Any]:
        """Return the state to store."""
        found: dict[str, Any] = {"due": self.at.isoformat(), "left": self.left, "text": self.text, "at": now.isoformat()}
        if self.anchor is not None:
            found |= {"anchor": self.anchor.isoformat(), "n": self.n}
        return found


def first(timer: Timer, view: Mapping[str, Value], evaluation: Evaluation, now: datetime) -> Due:
    """Return a timer's first firing, which may lie in the past.

    Raises:
        Trouble: the expression failed, or its value is no date, duration or cycle.
    """
    if timer.kind == "date":
        moment = evaluation.moment(timer.value, view)
        return Due(moment, 1, moment.isoformat())
    value = evaluation.value(timer.value, view)
    word = "时长" if timer.kind == "duration" else "周期"
    if not isinstance(value, str):
        raise Trouble(EXTRACT_VALUE_ERROR, f"{timer.value.text} 应为{word}，结果是 {shown(value)} / is not a {timer.kind}")
    try:
        if timer.kind == "duration":
            return Due(iso8601.duration(value).after(now, evaluation.zone), 1, value)
        if is_cron(value):
            due = _cron(value, now, evaluation)
            if due is None:
                raise ValueError(f"cron 不会再触发 / it never fires again: {value}")
            return due
        cycle = iso8601.cycle(value)
        if cycle.start is None:
            anchor, n = now, 1
        else:
            anchor, n = iso8601.moment(cycle.start, evaluation.zone), 0
        return Due(cycle.duration.after(anchor, evaluation.zone, n), cycle.repetitions, value, anchor, n)
    except ValueError as error:
        raise Trouble(EXTRACT_VALUE_ERROR, f"{timer.value.text}：{error}") from error


def _cron(text: str, moment: datetime, evaluation: Evaluation) -> Due | None:
    at = cron(text).after(moment, evaluation.zone)
    return None if at is None else Due(at, -1, text)


def following(state: Mapping[str, Any], evaluation: Evaluation, now: datetime) -> Due | None:
    """Return a cycle's next firing after `now`, on its grid; what fell due meanwhile is skipped. None when it is exhausted."""
    left = int(state["left"])
    if left == -1 and is_cron(str(state["text"])):
        return _cron(str(state["text"]), max(now, datetime.fromisoformat(state["due"])), evaluation)
    if left == 1 or "anchor" not in state:
        return None
    duration = iso8601.cycle(state["text"]).duration
    anchor, n = datetime.fromisoformat(state["anchor"]), int(state["n"])
    step = _steps(duration, anchor, n, evaluation, now)
    at = _occurrence(duration, anchor, n + step, evaluation)
    if (left > 0 and step >= left) or at is None:
        return None
    return Due(at, left - step if left > 0 else -1, state["text"], anchor, n + step)


def _occurrence(duration: iso8601.Duration, anchor: datetime, n: int, evaluation: Evaluation) -> datetime | None:
    """Return the n-th occurrence; None when it lies beyond the calendar."""
    try:
        return duration.after(anchor, evaluation.zone, n)
    except ValueError:
        return None


def _steps(duration: iso8601.Duration, anchor: datetime, n: int, evaluation: Evaluation, now: datetime) -> int:
    """Return how many occurrences to go on from the n-th to the first that lies after now, at least 1; found by bisection."""

    def is_past(step: int) -> bool:
        at = _occurrence(duration, anchor, n + step, evaluation)
        return at is not None and at <= now

    low, high = 0, 1
    while is_past(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if is_past(middle):
            low = middle
        else:
            high = middle
    return high
