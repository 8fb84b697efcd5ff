"""Liuzhuan's workflow engine: definitions, kernel, journal, jobs; it knows no hospital rule.

`import engine` is light. `engine.Engine` (the facade), `engine.feel` and `engine.dmn` load when they are first used;
`engine.feel` and `engine.dmn` need no database.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import dmn, feel
    from engine.facade import Engine

__all__ = ["Engine", "dmn", "feel"]


def __getattr__(name: str) -> Any:
    if name == "Engine":
        return importlib.import_module("engine.facade").Engine
    if name in {"feel", "dmn"}:
        return importlib.import_module(f"engine.{name}")
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
