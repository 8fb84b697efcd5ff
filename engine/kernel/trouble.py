"""What stops an element: it becomes an incident at the element, never an exception out of the kernel."""

from __future__ import annotations

EXTRACT_VALUE_ERROR = "EXTRACT_VALUE_ERROR"
CONDITION_ERROR = "CONDITION_ERROR"
IO_MAPPING_ERROR = "IO_MAPPING_ERROR"
DECISION_EVALUATION_ERROR = "DECISION_EVALUATION_ERROR"
CALLED_ELEMENT_ERROR = "CALLED_ELEMENT_ERROR"
UNHANDLED_ERROR_EVENT = "UNHANDLED_ERROR_EVENT"
STEP_BUDGET = "STEP_BUDGET"


class Trouble(Exception):
    """An element cannot go on. `kind` is the incident's kind, `message` says what is wrong and what to do."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(message)
