"""The long form of the fuzz tests: `make fuzz` (SECONDS=600, TARGET=feel or dmn).

With atheris (a development tool of its own, never a dependency) coverage guides the search; where it cannot be had, bytes are
random. Inputs that found something new are kept in `var/fuzz/<target>/`, one that fails is written beside them and named.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

MODULES = {"feel": "tests.unit.feel.fuzzing", "dmn": "tests.unit.dmn.fuzzing"}
MAX_BYTES = 600


def guided(target: str, seconds: int, kept: Path) -> None:
    """Let atheris search; it ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["engine.feel", "engine.dmn"], enable_loader_override=False):
        check = importlib.import_module(MODULES[target]).check_bytes
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-timeout=30", "-rss_limit_mb=1500", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={kept}-", str(kept)], check)
    atheris.Fuzz()


def unguided(check: Callable[[bytes], None], seconds: int, kept: Path) -> int:
    """Try random bytes; return how many."""
    source = random.Random(time.time_ns())
    until = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < until:
        data = source.randbytes(source.randrange(MAX_BYTES))
        tried += 1
        try:
            check(data)
        except BaseException:
            kept.with_name(f"{kept.name}-failed").write_bytes(data)
            raise
    return tried


def main() -> None:
    """Read the command line and search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=sorted(MODULES), default="feel")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--again", type=Path, help="try one input that failed")
    arguments = parser.parse_args()
    kept = Path("var/fuzz") / arguments.target
    kept.mkdir(parents=True, exist_ok=True)
    if arguments.again is None and importlib.util.find_spec("atheris"):
        guided(arguments.target, arguments.seconds, kept)
    check = importlib.import_module(MODULES[arguments.target]).check_bytes
    if arguments.again is not None:
        check(arguments.again.read_bytes())
        return
    sys.stderr.write(f"{unguided(check, arguments.seconds, kept)} inputs, nothing failed (without atheris: not guided)\n")


if __name__ == "__main__":
    main()
