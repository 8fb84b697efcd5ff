"""Which function does which piece of the engine's own work; each does nothing when its job is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.commands import calls, messages, signals, timers, work
from engine.store.context import Context

OWN_WORK: Mapping[str, Callable[[Context, int], None]] = {
    work.START_CHILD: calls.start_child,
    work.CHILD_ENDED: calls.child_ended,
    work.CHILD_ESCALATED: calls.child_escalated,
    work.CANCEL_INSTANCE: calls.cancel_called,
    work.RECEIVE_MESSAGE: messages.receive_message,
    work.START_BY_MESSAGE: messages.start_by_message,
    work.RECEIVE_SIGNAL: signals.receive_signal,
    work.START_BY_SIGNAL: signals.start_by_signal,
    work.RECOMPUTE: timers.recompute_deadlines,
}
"""Job type → what does it, in one transaction of its own."""
