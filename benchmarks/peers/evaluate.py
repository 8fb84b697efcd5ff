"""What the peers make of some expressions and a table, in a process of its own: cases come in as JSON, results go out as JSON.

Run by `benchmarks/feel.py` on what `make bench` installs into `.venv/peers`. Nothing of it is imported by the product.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

Case = dict[str, Any]
SECONDS = 1.0


def measured(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return a function's result, and the median time of a call in microseconds, over about a second."""
    result = function()
    times: list[float] = []
    until = time.process_time() + SECONDS
    while len(times) < 5 or (time.process_time() < until and len(times) < 1000):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return result, statistics.median(times) * 1e6


def bkflow_feel(case: Case) -> Callable[[], Any]:
    """Return the evaluation of an expression by bkflow-feel."""
    parse_expression = import_module("bkflow_feel.api").parse_expression

    return lambda: parse_expression(case["text"], case["context"], raise_exception=True)


def pysfeel(case: Case) -> Callable[[], Any]:
    """Return the evaluation of an expression by pySFeel; variables are assigned beforehand, for they last."""
    parser = import_module("pySFeel").SFeelParser()
    for name, value in case["context"].items():
        parser.sFeelParse(f"{name} <- {json.dumps(value)}")

    def evaluate() -> Any:
        status, value = parser.sFeelParse(case["text"])
        if status.get("errors"):
            raise ValueError(status["errors"][0])
        return value

    return evaluate


def bkflow_dmn(case: Case) -> Callable[[], Any]:
    """Return the evaluation of a table by bkflow-dmn, which has a form of its own for tables."""
    inputs = {"cols": [{"id": name} for name in case["inputs"]], "rows": case["cells"]}
    outputs = {"cols": [{"id": "o"}], "rows": [[output] for output in case["outputs"]]}
    model = import_module("bkflow_dmn.data_model")
    table = model.SingleDecisionTable(title="table", hit_policy="Unique", inputs=inputs, outputs=outputs)
    return lambda: table.decide(case["context"])[0]["o"]


def pydmnrules(case: Case) -> Callable[[], Any]:
    """Return the evaluation of a DMN file by pyDMNrules."""
    model = import_module("pyDMNrules").DMN()
    status = model.useXML(case["xml"])
    if status.get("errors"):
        raise ValueError(status["errors"][0])
    data = {name: case["context"][name] for name in case["inputs"]}
    return lambda: model.decide(data)[1]["Result"]["d"]


PEERS = {
    "expression": {"bkflow-feel": bkflow_feel, "pySFeel (GPL)": pysfeel},
    "table": {"bkflow-dmn": bkflow_dmn, "pyDMNrules (GPL)": pydmnrules},
}


def attempt(name: str, prepare: Callable[[Case], Callable[[], Any]], case: Case) -> dict[str, Any]:
    """Return what a peer makes of a case: its time, its value and whether that is right, or why there is none."""
    try:
        value, microseconds = measured(prepare(case))
    except Exception as error:  # whatever a peer raises is its answer
        return {"peer": name, "case": case["label"], "failed": f"{type(error).__name__}: {error}"[:60].split("\n")[0]}
    right = value == case["expected"]
    return {"peer": name, "case": case["label"], "microseconds": microseconds, "value": repr(value)[:30], "right": right}


def main() -> None:
    """Read cases, write results."""
    logging.disable()
    cases: list[Case] = json.load(sys.stdin)
    results = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for case in cases:
            results += [attempt(name, prepare, case) for name, prepare in PEERS[case["kind"]].items()]
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
