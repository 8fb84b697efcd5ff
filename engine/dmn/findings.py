"""What the checks of a model have to say, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a decision model.

    Attributes:
        verdict: "refused" (it must not be deployed) or "warning".
        element_id: the element's id, or the nearest one around it.
        element_name: its name or label.
        attribute: what of it is meant: "text", "typeRef", "href", "rules", ….
        reason: what is wrong, in plain words.
        line: line in the file, from 1.
        column: column in the expression's own line, from 1, for syntax errors.
        code: a stable word for programs: "syntax", "unknown-name", "type", "reference", "gap", "overlap", "cell",
            "value", "structure".
    """

    verdict: Literal["refused", "warning"]
    element_id: str
    element_name: str
    attribute: str
    reason: str
    line: int
    column: int | None = None
    code: str = "structure"
