"""An evaluation of decisions under way: FEEL's run, and the trace of what was decided and why."""

from __future__ import annotations

from typing import Any

from engine.errors import EvaluationFailed
from engine.feel.environment import Environment, Run
from engine.feel.text import to_text
from engine.feel.values import to_json


class DecisionRun(Run):
    """A run that may keep a trace.

    Attributes:
        trace: what each decision did, in order of completion; None where nobody asked.
    """

    def __init__(self, environment: Environment | None, traced: bool = False) -> None:
        super().__init__(environment)
        self.trace: list[dict[str, Any]] | None = [] if traced else None


def traceable(value: Any) -> Any:
    """Return a value as JSON; what JSON has no form for as text."""
    try:
        return to_json(value)
    except EvaluationFailed:
        return to_text(value)
