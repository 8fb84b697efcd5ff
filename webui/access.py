"""The views' only way to the engine: one command or one query at a time.

What a command leaves behind (messages, called processes, due work) is done before the answer, so that the page that follows
already shows where the case stands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from flask import current_app

from engine.settings import Settings
from engine.store import directory
from engine.store.context import Context
from engine.store.directory import Person

if TYPE_CHECKING:
    from engine.facade import Engine

__all__ = ["Person", "ask", "attach", "context", "engine", "find_person", "is_ready", "now", "run", "settings"]

P = ParamSpec("P")
R = TypeVar("R")
_EXTENSION = "liuzhuan"


def attach(engine: Engine, extensions: dict[str, object]) -> None:
    """Let an application's views reach this engine."""
    extensions[_EXTENSION] = engine


def engine() -> Engine:
    """Return the engine of this application."""
    return cast("Engine", current_app.extensions[_EXTENSION])


def context() -> Context:
    """Return what commands and queries are handed first."""
    return engine().context


def settings() -> Settings:
    """Return the settings in force."""
    return context().settings


def now() -> datetime:
    """Return the present moment by the engine's clock."""
    return context().clock.now()


def run(command: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one command, then what it left to be done."""
    result = command(context(), *args, **kwargs)
    engine().drain()
    return result


def ask(query: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Ask one query."""
    return query(context(), *args, **kwargs)


def find_person(username: str) -> Person | None:
    """Return a user with the groups, or None."""
    with context().store.read() as reading:
        return directory.find_person(reading, username)


def is_ready() -> bool:
    """Whether the database answers."""
    try:
        find_person("")
    except Exception:
        current_app.logger.exception("the database does not answer")
        return False
    return True
