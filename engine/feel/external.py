"""External functions (`function(a) external {java: …}`).

No foreign code is ever run: such a function can be defined, but calling it is null with a warning.
Source: DMN 1.5, 10.3.2.13.3.
"""

from __future__ import annotations

from typing import Any

from engine.feel.environment import Run
from engine.feel.functions import Closure
from engine.feel.types import FeelType


def external_function(parameters: tuple[tuple[str, FeelType | None], ...], description: Any, run: Run) -> Closure:
    """Return a function value for an external function; calling it is null with a warning."""

    def refuse(run: Run, _arguments: dict[str, Any]) -> None:
        run.warn("外部函数不执行 (external functions are not run)", "external")

    return Closure("external", parameters, refuse)
