"""What every command and query is handed first: the store, time, keys, settings, ways out, and what is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.clock import Clock
from engine.keys import Keys
from engine.ports import Ports
from engine.settings import Settings
from engine.store.kept import Kept
from engine.store.library import Library
from engine.store.transactions import Store
from engine.store.working_days import WorkingDays


@dataclass(frozen=True, slots=True)
class Context:
    """One engine's surroundings; safe to share between threads.

    Attributes:
        clock: the same as the store's; `now` of a transaction is read from it.
        library: compiled definitions, by content.
        working_days: the calendar in force.
        kept: instances in the kernel, for their next command.
    """

    store: Store
    clock: Clock
    keys: Keys = field(default_factory=Keys)
    settings: Settings = field(default_factory=Settings)
    ports: Ports = field(default_factory=Ports)
    library: Library = field(default_factory=Library)
    working_days: WorkingDays = field(default_factory=WorkingDays)
    kept: Kept = field(default_factory=Kept)
