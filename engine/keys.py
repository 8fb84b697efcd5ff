"""Keys: 64-bit, time-ordered integers; 41 bits of milliseconds since 2026, 10 bits of node, 12 bits of sequence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NODES = 1 << 10
_SEQUENCES = 1 << 12


class Keys(Iterator[int]):
    """Makes keys of one node; safe for threads; never the same twice, never smaller than the one before."""

    def __init__(self, node: int = 0) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node must be between 0 and {NODES - 1}: {node}")
        self._node = node
        self._lock = threading.Lock()
        self._last = 0

    def __next__(self) -> int:
        # The machine's clock, not the engine's: a turned clock must not bring an old key back.
        with self._lock:
            tick = max(time.time_ns() // 1_000_000 - EPOCH_MS, 0) * _SEQUENCES
            self._last = max(tick, self._last + 1)
            milliseconds, sequence = divmod(self._last, _SEQUENCES)
            return (milliseconds * NODES + self._node) * _SEQUENCES + sequence
