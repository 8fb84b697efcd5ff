"""Every error the engine raises, in one tree.

LiuzhuanError
├── Refused                     what was handed in cannot be taken: nothing was changed
│   ├── DeploymentRefused       a file of a deployment has refusals (carries the report)
│   ├── FeelSyntaxError         an expression cannot be parsed (line, column)
│   ├── InvalidDecisionModel    a DMN file cannot be read as a model
│   ├── InvalidSubmission       a form submission breaks its schema (carries the problems)
│   ├── InvalidValue            a value handed to a command is of the wrong kind or out of range
│   ├── MigrationRefused        a case cannot be moved to another definition (carries the obstacles)
│   └── SettingsError           a setting is wrong
├── NotFound                    no such thing, or the actor may not know that it exists
├── Conflict                    somebody was faster, or the thing is in another state
│   ├── TaskAlreadyClaimed
│   ├── TaskNotOpen             completed or cancelled meanwhile
│   ├── InstanceChanged         the revision read is not the revision stored
│   ├── InstanceSuspended
│   └── StaleForm               the form was another version than the task's
├── NotAllowed                  the actor may not do this
│   ├── Excluded                an interest in the case (excludedUsers)
│   ├── SignatureRequired       completion needs the password again
│   ├── SignatureWrong
│   └── SignInThrottled
├── EvaluationFailed            an expression or decision failed while running (becomes an incident)
├── CalendarMissing             a year has no published calendar
└── Defect                      ours: an invariant does not hold; everything is rolled back

The class docstring is the default message. Every error has a `code` (its class name in kebab case) and may
say where (`element_id`, `element_name`, `field`, `line`, `column`) and by which rule (`rule`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class LiuzhuanError(Exception):
    """Something went wrong."""

    def __init__(
        self,
        message: str | None = None,
        *,
        element_id: str | None = None,
        element_name: str | None = None,
        field: str | None = None,
        rule: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").split("\n")[0]
        self.element_id = element_id
        self.element_name = element_name
        self.field = field
        self.rule = rule
        self.line = line
        self.column = column
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The error's stable name, for programs: `task-already-claimed`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class Refused(LiuzhuanError):
    """This cannot be taken; nothing was changed."""


class DeploymentRefused(Refused):
    """The deployment was refused; the running versions stay."""

    def __init__(self, message: str | None = None, *, report: Any = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.report = report


class FeelSyntaxError(Refused):
    """The expression cannot be read as FEEL."""

    def __init__(self, message: str, *, text: str = "", line: int = 1, column: int = 1, **where: Any) -> None:
        super().__init__(message, line=line, column=column, **where)
        self.text = text


class InvalidDecisionModel(Refused):
    """The decision model cannot be read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a submission.

    Attributes:
        field: path of the field in the data, e.g. `members[2].share`.
        label: the field's label as the person sees it.
        message: what is wrong and what to do, in Chinese.
        rule: the rule's id that the field or the form carries, if any.
        message_en: the same in English.
    """

    field: str
    label: str
    message: str
    rule: str | None = None
    message_en: str = ""


class InvalidSubmission(Refused):
    """The form has errors."""

    def __init__(self, problems: Sequence[Problem], message: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__(message or "；".join(f"{p.label}：{p.message}" for p in self.problems))


class InvalidValue(Refused):
    """The value is of the wrong kind or out of range."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why one element of a case cannot be moved to another definition.

    Attributes:
        message: names the element and says what differs, `中文 / English`.
        key: the element instance's.
    """

    element_id: str
    element_name: str
    message: str
    key: int


class MigrationRefused(Refused):
    """The case cannot be moved to that definition."""

    def __init__(self, obstacles: Sequence[Obstacle], message: str | None = None) -> None:
        self.obstacles = tuple(obstacles)
        first = self.obstacles[0] if self.obstacles else None
        super().__init__(
            message or "；".join(dict.fromkeys(obstacle.message for obstacle in obstacles)),
            element_id=first.element_id if first else None,
            element_name=first.element_name if first else None,
        )


class SettingsError(Refused):
    """A setting is wrong."""


class NotFound(LiuzhuanError):
    """There is no such thing."""


class Conflict(LiuzhuanError):
    """Somebody was faster; look again."""


class TaskAlreadyClaimed(Conflict):
    """The task is already claimed."""

    def __init__(self, message: str | None = None, *, by: str | None = None, **where: Any) -> None:
        super().__init__(message or (f"任务已由 {by} 认领" if by else None), **where)
        self.by = by


class TaskNotOpen(Conflict):
    """The task is not open any more."""


class InstanceChanged(Conflict):
    """The case was changed meanwhile; read it again."""


class InstanceSuspended(Conflict):
    """The case is suspended."""


class StaleForm(Conflict):
    """The form belongs to another version than the task's."""


class NotAllowed(LiuzhuanError):
    """You may not do this."""


class Excluded(NotAllowed):
    """Whoever has an interest in the case may not do this task."""


class SignatureRequired(NotAllowed):
    """This decision is signed: the password is needed again."""


class SignatureWrong(NotAllowed):
    """The password is wrong; the decision was not signed."""


class SignInThrottled(NotAllowed):
    """Too many failed attempts; wait before the next."""


class EvaluationFailed(LiuzhuanError):
    """An expression or a decision failed."""


class CalendarMissing(LiuzhuanError):
    """The year has no published calendar of working days."""


class Defect(LiuzhuanError):
    """A defect of the engine: an invariant does not hold."""
