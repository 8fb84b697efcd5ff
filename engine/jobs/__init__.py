"""Due work: timers, built-in service tasks, work between cases, deliveries; `Driver` does it in the background.

Job types of service tasks that the engine does itself: `notify`, `publish-message`, `count-instances`, `collect-instances`,
`suspend-instance`, `resume-instance`. All others wait for a worker.
"""

from __future__ import annotations

from engine.jobs.driver import Driver
from engine.jobs.due import BATCHES, BUILT_IN, INNER, drain, next_due, run_due
from engine.jobs.housekeeping import tidy, write_checkpoint

__all__ = ["BATCHES", "BUILT_IN", "INNER", "Driver", "drain", "next_due", "run_due", "tidy", "write_checkpoint"]
