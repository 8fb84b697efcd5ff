"""A process that works until it is killed: starts cases, completes tasks, lets timers fire; says what was done.

    python -m tests.faults.clerk DATABASE_URL

A line is written to standard output after the engine answered: what it names must be there after any crash.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from engine import Engine
from tests.unit.commands.office import line, task
from tests.unit.kernel.drawing import boundary, draw, element, end, event, ext, flow, message, timer, z

CHILD = draw(line(("u", task("u"))), process_id="child")
CALL = element("callActivity", "a", ext(z("calledElement", processId="child")))
WAITS = element("intermediateCatchEvent", "c", event("message", "m"))
CASE = draw(
    line(("t", task()), ("a", CALL), ("c", WAITS))
    + boundary("b", "t", timer("PT0.005S"), interrupting=False)
    + end("reminded")
    + flow("b", "reminded"),
    message("m", "paid", "=order"),
)


def say(word: str, key: int) -> None:
    """Acknowledge."""
    sys.stdout.write(f"{word} {key}\n")
    sys.stdout.flush()


def work(engine: Engine) -> None:
    """Work on one case after the other, without end."""
    number = 0
    while True:
        number += 1
        order = f"{os.getpid()}-{number}"  # of its own: the next clerk counts from one again
        case = engine.start("P", {"order": order}, by="anna")
        say("started", case)
        for found in engine.tasks():
            engine.run_due()
            engine.complete(found.key, {"number": number}, by="anna")
            say("completed", found.key)
        engine.publish("paid", order, {"paid": True}, ttl=timedelta(hours=1))
        say("published", case)


if __name__ == "__main__":
    with Engine.open(sys.argv[1]) as opened:
        opened.deploy({"p.bpmn": CASE, "child.bpmn": CHILD}, by="anna")
        say("ready", 0)
        work(opened)
