"""What an evaluation may ask of its surroundings, how much it may cost, and what it had to say."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from engine.clock import SystemClock
from engine.errors import EvaluationFailed


class Calendar(Protocol):
    """Working days, as an administrator's table has them."""

    def add_working_days(self, start: date, days: int, /) -> date:
        """Return the last day of a period of working days; the start day is not counted."""
        ...

    def working_days_between(self, start: date, end: date, /) -> int:
        """Count the working days after `start`, up to and including `end`."""
        ...

    def is_working_day(self, day: date, /) -> bool:
        """Tell whether people work on this day."""
        ...


class Directory(Protocol):
    """People and groups, as models may see them."""

    def users_in_group(self, group_id: str, /) -> Sequence[Mapping[str, Any]]:
        """Return the users of a group: contexts with id, name, groups, attributes."""
        ...

    def user(self, username: str, /) -> Mapping[str, Any] | None:
        """Return one user, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may cost. What goes beyond ends with `EvaluationFailed`.

    Attributes:
        steps: iterations, invocations and list items touched.
        seconds: wall-clock time, looked at every few hundred steps.
        depth: invocations inside each other.
        list_items: length of one list.
        string_length: length of one string, in characters.
    """

    steps: int = 1_000_000
    seconds: float = 1.5
    depth: int = 60
    list_items: int = 100_000
    string_length: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Environment:
    """The surroundings of an evaluation.

    Attributes:
        now: the present moment (aware); None: the machine's clock, where an expression asks for it.
        time_zone: the zone in which `now()` and `today()` answer and local days begin; an IANA name or a ZoneInfo.
        calendar: working days; None means that the working-day functions are null.
        directory: people and groups for `users in group` and `user`.
        limits: what an evaluation may cost.
        random_bits: source of `uuid()` and `random number()`: a function from a number of bits to an integer.
    """

    now: datetime | None = None
    time_zone: str | ZoneInfo = "Asia/Shanghai"
    calendar: Calendar | None = None
    directory: Directory | None = None
    limits: Limits = field(default_factory=Limits)
    random_bits: Callable[[int], int] = secrets.randbits

    def __post_init__(self) -> None:
        """Refuse what would only fail where an expression asks for it.

        Raises:
            TypeError: `now` is no datetime, or `limits` are none.
        """
        if self.now is not None and not isinstance(self.now, datetime):
            raise TypeError(f"now 应为 datetime，却是 {type(self.now).__name__} (now has to be a datetime)")
        if not isinstance(self.limits, Limits):
            raise TypeError(f"limits 应为 Limits，却是 {type(self.limits).__name__} (limits have to be Limits)")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return self.time_zone if isinstance(self.time_zone, ZoneInfo) else ZoneInfo(self.time_zone)

    @property
    def local_now(self) -> datetime:
        """The present moment in the environment's zone."""
        moment = SystemClock().now() if self.now is None else self.now
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(self.zone)


class FeelWarning(NamedTuple):
    """Why something became null.

    Attributes:
        message: what happened, in plain words.
        source: the part of the expression or the function concerned, if known.
    """

    message: str
    source: str = ""


class FeelError(Exception):
    """An operation has no result: it becomes null and this message a warning. Never leaves `engine.feel`."""


MAX_WARNINGS = 100
CHECK_EVERY = 256
FREE_LENGTH = 64  # characters that cost no step
DEFAULT = Environment()


class Run:
    """One evaluation under way: its surroundings, what it may still spend, the warnings so far."""

    # Defaults of the class: most evaluations set none of them, and making a run is half of what a condition costs.
    steps = 0
    until = 0
    started = 0.0
    depth = 0
    _warnings: list[FeelWarning] | None = None

    def __init__(self, environment: Environment | None = None) -> None:
        self.environment = environment or DEFAULT

    @property
    def limits(self) -> Limits:
        """What the evaluation may cost."""
        return self.environment.limits

    @property
    def warnings(self) -> tuple[FeelWarning, ...]:
        """Why parts became null, in order."""
        return tuple(self._warnings or ())

    def warn(self, message: str, source: str = "") -> None:
        """Note why something became null (the first hundred are kept)."""
        if self._warnings is None:
            self._warnings = []
        if len(self._warnings) < MAX_WARNINGS:
            self._warnings.append(FeelWarning(message, source))

    def charge(self, steps: int = 1) -> None:
        """Spend steps.

        Raises:
            EvaluationFailed: the steps or the time are used up.
        """
        self.steps += steps
        if self.steps >= self.until:
            self._look_at_limits()

    def _look_at_limits(self) -> None:
        if self.steps > self.limits.steps:
            raise EvaluationFailed(f"表达式超过 {self.limits.steps} 步，已停止 (the expression takes too many steps)")
        self.check_time()
        self.until = min(self.steps + CHECK_EVERY, self.limits.steps + 1)

    def check_time(self) -> None:
        """Refuse to go on when the time is up; for what may take long although it is one step."""
        moment = time.monotonic()
        if not self.started:
            self.started = moment
        elif moment - self.started > self.limits.seconds:
            raise EvaluationFailed(f"表达式超过 {self.limits.seconds} 秒，已停止 (the expression takes too long)")

    def check_items(self, count: int) -> None:
        """Refuse a list that would become too long."""
        if count > self.limits.list_items:
            raise EvaluationFailed(f"列表超过 {self.limits.list_items} 项 (a list becomes longer than allowed)")

    def check_text(self, length: int) -> None:
        """Refuse a string that would become too long; one that may costs steps by its length."""
        self.charge(length // FREE_LENGTH)
        if length > self.limits.string_length:
            raise EvaluationFailed(f"字符串超过 {self.limits.string_length} 个字符 (a string becomes longer than allowed)")

    def enter(self) -> None:
        """Begin an invocation; `leave` ends it."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise EvaluationFailed(f"函数嵌套调用超过 {self.limits.depth} 层 (functions call each other too deeply)")
        self.charge()

    def leave(self) -> None:
        """End an invocation."""
        self.depth -= 1
