"""Runs process instances, in memory: SpiffWorkflow's core moves the tokens, specs of our own say what BPMN means by them.

    instance = Instance.create(process, key, surroundings)
    advance = instance.start({"amount": 100})       # what happened, and the rows to write
    instance = Instance.load(process, rows, variables, surroundings)

No database, no clock, no HTTP: what the kernel needs from outside is in `Surroundings`.
"""

from __future__ import annotations

from engine.kernel.advance import Advance, ElementRow
from engine.kernel.deadlines import start_timer
from engine.kernel.instance import Instance
from engine.kernel.migration import Instructions, Plan, candidates, plan
from engine.kernel.modification import Activation, Move, activation
from engine.kernel.surroundings import Surroundings
from engine.kernel.variables import is_internal

__all__ = [
    "Activation",
    "Advance",
    "ElementRow",
    "Instance",
    "Instructions",
    "Move",
    "Plan",
    "Surroundings",
    "activation",
    "candidates",
    "is_internal",
    "plan",
    "start_timer",
]
