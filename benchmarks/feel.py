"""FEEL and decision tables: how long a condition, a table and the reading of an expression take, beside Python and four peers.

Run: `make bench`, or `.venv/bin/python -m benchmarks.feel`. Plain Python's `eval` stands beside our evaluator (only here: the
engine never uses it), and peers from PyPI, which `make bench` installs into `.venv/peers` and which run in a process of their
own. Each line is the median of rounds of one run, in processor time; ratios compare lines of one run, so that a slower machine
changes both sides.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from engine import dmn, feel
from engine.feel.compiler import Compiler
from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.parser import Parser

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv" / "peers"
CONTEXT: dict[str, Any] = {f"v{n}": n for n in range(7)} | {"amount": Decimal(1500), "status": "open", "days": 12}
CONDITION = 'amount > 1000 and status = "open" and days <= 15'
LONG = 'if count(items[price > 100 and category = "device"]) > 3 then "committee" else "office"'
ITEMS = {"items": [{"price": 200, "category": "device"}] * 4}
HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" namespace="urn:benchmark">'
INPUTS = {"amount": "number", "status": "string", "days": "number", "v1": "number"}
RULES = 50
MATCHING = CONTEXT | {"amount": 4950}
# goals in microseconds
GOALS = {"condition": 2.0, "read": 300.0, "table": 150.0}
# expressions for the peers: text, context, value
EXPRESSIONS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "the condition": (CONDITION, CONTEXT | {"amount": 1500}, True),
    "the condition, parenthesised": (
        '(amount > 1000) and (status = "open") and (days <= 15)',
        CONTEXT | {"amount": 1500},
        True,
    ),
    "0.1 + 0.2 = 0.3": ("0.1 + 0.2 = 0.3", {}, True),
    "filter, count and if": (LONG, ITEMS, "committee"),
    "for … return": ("for i in 1..3 return i * 2", {}, [2, 4, 6]),
    "sum of a list": ("sum([0.1, 0.2])", {}, 0.3),
}


def median(function: Callable[[], object], calls: int, rounds: int = 15) -> float:
    """Return the median time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            function()
        times.append((time.process_time() - start) / calls)
    return statistics.median(times) * 1e6


def cells(n: int) -> tuple[str, ...]:
    """Return the cells of a rule."""
    return f"[{n * 100}..{n * 100 + 100})", '"open","held"', f"<={n + 20}", "-"


def table() -> str:
    """Return a DMN file with a table of 50 rules with four inputs."""
    columns = "".join(
        f'<input id="i-{name}" label="{name}"><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression></input>'
        for name, kind in INPUTS.items()
    )
    rules = "".join(
        f'<rule id="r{n}">'
        + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells(n))
        + f"<outputEntry><text>{n} + days</text></outputEntry></rule>"
        for n in range(RULES)
    )
    decision = f'<decisionTable hitPolicy="UNIQUE">{columns}<output name="o" label="o" typeRef="number"/>{rules}</decisionTable>'
    variable = '<variable name="d" typeRef="number"/>'
    return f'{HEAD}<decision id="d" name="d">{variable}{decision}</decision></definitions>'


def read(text: str) -> object:
    """Parse and compile an expression, past the cache."""
    return Compiler().compile(Parser(text, (), BUILT_IN_NAMES).expression_only())


def peers(xml: str) -> list[dict[str, Any]]:
    """Return what the peers make of the expressions and the table; nothing where they are not installed."""
    if not PEERS.is_dir():
        return []
    found: list[dict[str, Any]] = [
        {"kind": "expression", "label": label, "text": text, "context": context, "expected": expected}
        for label, (text, context, expected) in EXPRESSIONS.items()
    ]
    rows = [["" if cell == "-" else cell for cell in cells(n)] for n in range(RULES)]
    outputs = [f"{n} + days" for n in range(RULES)]
    facts = {"inputs": list(INPUTS), "cells": rows, "outputs": outputs, "context": MATCHING}
    found.append({"kind": "table", "label": "the table", "xml": xml, "expected": 61} | facts)
    process = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "peers" / "evaluate.py")],
        input=json.dumps(found, default=float),
        env={**os.environ, "PYTHONPATH": str(PEERS), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(process.stdout)
    return answers


def main() -> None:
    """Measure and print."""
    expression = feel.compile_expression(CONDITION)
    code = compile(CONDITION.replace(" = ", " == "), "condition", "eval")
    plain = median(lambda: eval(code, {}, CONTEXT), 20_000)
    xml = table()
    model = dmn.load(xml)
    assert expression.evaluate(CONTEXT) is True
    assert model.evaluate("d", MATCHING) == 61
    condition = median(lambda: expression.evaluate(CONTEXT), 20_000)
    rules = median(lambda: model.evaluate("d", MATCHING), 1000)
    lines: list[tuple[str, float, str]] = [
        ("Python eval of the condition, compiled", plain, ""),
        ("condition of 3 clauses over 10 variables, compiled", condition, "condition"),
        ("the same by text (cached)", median(lambda: feel.evaluate(CONDITION, CONTEXT), 10_000), ""),
        ("reading and compiling the condition", median(lambda: read(CONDITION), 300), "read"),
        ("reading and compiling a longer expression", median(lambda: read(LONG), 300), "read"),
        (f"table of {RULES} rules and {len(INPUTS)} inputs", rules, "table"),
        ("the same with its explanation", median(lambda: model.explain("d", MATCHING), 1000), ""),
    ]
    print(f"{'':52} {'µs':>10} {'× eval':>9}")
    for label, microseconds, goal in lines:
        verdict = f"  goal < {GOALS[goal]:g}: {'met' if microseconds < GOALS[goal] else 'NOT MET'}" if goal else ""
        print(f"{label:52} {microseconds:10.2f} {microseconds / plain:9.1f}{verdict}")
    ours: dict[str, float] = {"the table": rules}
    for label, (text, context, expected) in EXPRESSIONS.items():
        assert feel.evaluate(text, context) == (Decimal(str(expected)) if isinstance(expected, float) else expected)
        compiled = feel.compile_expression(text)
        ours[label] = median(lambda compiled=compiled, context=context: compiled.evaluate(context), 2000)  # type: ignore[misc]
    print_peers(peers(xml), ours)


def print_peers(results: list[dict[str, Any]], ours: dict[str, float]) -> None:
    """Print the peers' results beside ours."""
    if not results:
        print("\npeers: not installed; `make bench` does so")
        return
    print(f"\n{'peers, the same expressions and table':28} {'peer':16} {'µs':>10} {'× ours':>9}")
    for result in results:
        case, peer = result["case"], result["peer"]
        if "failed" in result:
            print(f"{case:28} {peer:16} {'–':>10} {'–':>9}  cannot: {result['failed']}")
            continue
        microseconds = result["microseconds"]
        remark = "" if result["right"] else f"  wrong: {result['value']}"
        print(f"{case:28} {peer:16} {microseconds:10.1f} {microseconds / ours[case]:9.0f}{remark}")


if __name__ == "__main__":
    main()
