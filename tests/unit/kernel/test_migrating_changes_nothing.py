"""Every test of the kernel once more, moved to a definition that says the same after every call: nothing may change by that."""

from __future__ import annotations

import dataclasses
import importlib

import pytest

from engine.kernel import Advance
from engine.kernel import advance as a
from tests.unit.kernel.drawing import Play

MODULES = (
    "camunda7_and_plain",
    "compensation",
    "complex_and_adhoc",
    "conditional_events",
    "event_corners",
    "gateways",
    "loops",
    "multi_instance",
    "multiple_events",
    "scopes_and_events",
    "tasks_and_flows",
    "timers_and_clocks",
    "transactions",
    "variables_and_incidents",
)

for _name in MODULES:
    _module = importlib.import_module(f"tests.unit.kernel.test_{_name}")
    for _test, _function in vars(_module).items():
        if _test.startswith("test_") and callable(_function):
            globals()[f"{_test}__{_name}"] = _function


@pytest.fixture(autouse=True)
def _migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every played instance be moved to a twin of its definition, and back at the next call."""
    taken = Play.take
    twins = {}

    def take(play: Play, advance: Advance) -> list[a.Change]:
        changes = taken(play, advance)
        if play.ended or "hurried" in play.instance._tree.root.memo:  # a person's act begins the count of timers anew
            return changes
        process = play.process
        twin = twins.setdefault(process, dataclasses.replace(process))
        twins[twin] = process
        moved = play.instance.migrate(twin)
        told = [change for change in moved.changes if not isinstance(change, a.TaskMigrated | a.SubscriptionMigrated)]
        assert not told
        assert (moved.rows_put, moved.rows_gone, moved.variables_put, moved.scopes_gone) == ({}, set(), {}, set())
        play.process = twin
        play.reload()
        return changes

    monkeypatch.setattr(Play, "take", take)
