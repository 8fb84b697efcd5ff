"""An evaluation of decisions under way: FEEL's run, and the trace of what was decided and why."""

from __future__ import annotations

from typing import Any

from engine.errors import EvaluationFailed
from engine.feel.environment import Environment, Run
from engine.feel.text import to_text
from engine.feel.values import to_json

MAX_TRACE = 500


class DecisionRun(Run):
    """A run that may keep a trace.

    Attributes:
        trace: what each decision did, in order of completion (the first five hundred); None where nobody asked.
    """

    def __init__(self, environment: Environment | None, traced: bool = False) -> None:
        super().__init__(environment)
        self.trace: list[dict[str, Any]] | None = [] if traced else None

    @property
    def warned(self) -> int:
        """How many warnings there are so far."""
        return len(self._warnings or ())

    def note(self, entry: dict[str, Any], before: int) -> None:
        """Add an entry to the trace.

        Args:
            entry: as JSON; the messages of warnings since are added to it, if any.
            before: how many warnings there were before (`warned`).
        """
        if self.trace is None or len(self.trace) > MAX_TRACE:
            return
        if len(self.trace) == MAX_TRACE:
            self.trace.append({"kind": "cut", "name": f"只记前 {MAX_TRACE} 步 (only the first steps are kept)"})
            return
        if self.warned > before:
            entry["warnings"] = [warning.message for warning in self.warnings[before:]]
        self.trace.append(entry)


def traceable(value: Any) -> Any:
    """Return a value as JSON; what JSON has no form for as text."""
    try:
        return to_json(value)
    except EvaluationFailed:
        return to_text(value)
