"""What the kernel is given from outside at each call: the moment, keys, the FEEL environment, and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import feel

STEP_BUDGET = 10_000
SECONDS = 1.0

Decide = Callable[[str, str, str | None, Mapping[str, Any]], tuple[Any, int, Any]]


def no_decisions(decision_id: str, binding: str, version_tag: str | None, context: Mapping[str, Any]) -> tuple[Any, int, Any]:
    """Refuse every decision: for instances that call none.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"没有决策 {decision_id} / there is no decision {decision_id}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world around one call of the kernel.

    Attributes:
        now: the transaction's moment, aware, UTC.
        keys: makes keys for new element instances and incidents.
        environment: what FEEL sees (its `now` is the same moment, with the deployment's time zone and calendar).
        decide: evaluates (decision id, binding, version tag, variables) to (value, version, trace as JSON).
        step_budget: elements a call may pass before the rest becomes an incident.
        seconds: computing time (of the thread) a call may take before the rest becomes an incident: a loop of slow expressions.
    """

    now: datetime
    keys: Iterator[int]
    environment: feel.Environment
    decide: Decide = no_decisions
    step_budget: int = STEP_BUDGET
    seconds: float = SECONDS
