"""`python -m engine.scenarios processes/sae-escalation [more paths]`: run the scenarios and print how they went."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import LiuzhuanError
from engine.scenarios import read_scenarios, run_all


def main(arguments: list[str]) -> int:
    """Run; return 0 where all held, 1 where not, 2 where a file cannot be understood."""
    paths = [Path(argument) for argument in arguments] or [Path("processes")]
    processes = next((p for path in paths for p in (path, *path.resolve().parents) if p.name == "processes"), Path("processes"))
    failed = 0
    try:
        scenarios = list(read_scenarios(paths))
        for outcome in run_all(scenarios, processes, processes.parent / "forms"):
            sign = "ok  " if outcome.passed else "FAIL"
            print(f"{sign} {outcome.seconds:5.2f} s  {outcome.scenario.name}  {outcome.scenario.title}")  # noqa: T201
            for failure in outcome.failures:
                print(f"     {failure}")  # noqa: T201
            failed += not outcome.passed
    except LiuzhuanError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 2
    print(f"{len(scenarios) - failed} passed, {failed} failed")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
