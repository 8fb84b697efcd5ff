"""What happened: the journal and its hash chains, replay to any moment, verification, export."""

from __future__ import annotations

from engine.history.journal import NO_INSTANCE, Entry, append, entries

__all__ = ["NO_INSTANCE", "Entry", "append", "entries"]
