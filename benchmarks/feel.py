"""FEEL and decision tables: how long a condition, a table and the reading of an expression take.

Run: `.venv/bin/python -m benchmarks.feel`. Plain Python's `eval` stands beside it (only here: the engine never uses it), and
the peers from PyPI that happen to be importable (`bkflow-feel`, `pySFeel`; no dependency of ours). Each line is the median of
rounds of this one run; ratios compare lines of the same run, so a slower machine changes both sides.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from html import escape
from typing import Any

from engine import dmn, feel
from engine.feel.compiler import Compiler
from engine.feel.functions import BUILT_IN_NAMES
from engine.feel.parser import Parser

CONTEXT: dict[str, Any] = {f"v{n}": n for n in range(7)} | {"amount": Decimal(1500), "status": "open", "days": 12}
CONDITION = 'amount > 1000 and status = "open" and days <= 15'
LONG = 'if count(items[price > 100 and category = "device"]) > 3 then "committee" else "office"'
HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" namespace="urn:benchmark">'


def median(function: Callable[[], object], calls: int, rounds: int = 15) -> float:
    """Return the median time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times) * 1e6


def table() -> dmn.Model:
    """Return a table of 50 rules with four inputs."""
    columns = "".join(
        f'<input><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression></input>'
        for name, kind in (("amount", "number"), ("status", "string"), ("days", "number"), ("v1", "number"))
    )
    rules = "".join(
        "<rule>"
        + "".join(
            f"<inputEntry><text>{escape(cell)}</text></inputEntry>"
            for cell in (f"[{n * 100}..{n * 100 + 100})", '"open", "held"', f"<= {n + 20}", "-")
        )
        + f"<outputEntry><text>{n} + days</text></outputEntry></rule>"
        for n in range(50)
    )
    decision = f'<decisionTable hitPolicy="UNIQUE">{columns}<output name="o" typeRef="number"/>{rules}</decisionTable>'
    return dmn.load(f'{HEAD}<decision id="d" name="d">{decision}</decision></definitions>')


def peers() -> dict[str, Callable[[], object]]:
    """Return the peers at hand, each evaluating the condition."""
    found: dict[str, Callable[[], object]] = {}
    numbers = {name: int(value) if isinstance(value, Decimal) else value for name, value in CONTEXT.items()}
    if importlib.util.find_spec("bkflow_feel"):
        parse = importlib.import_module("bkflow_feel.api").parse_expression
        found["bkflow-feel"] = lambda: parse(CONDITION, numbers)
    if importlib.util.find_spec("pySFeel"):
        parser = importlib.import_module("pySFeel").SFeelParser()
        for name, value in numbers.items():
            parser.sFeelParse(f"{name} <- {value!r}".replace("'", '"'))
        found["pySFeel"] = lambda: parser.sFeelParse(CONDITION)
    return found


def main() -> None:
    """Measure and print."""
    expression = feel.compile_expression(CONDITION)
    code = compile(CONDITION.replace(" = ", " == "), "condition", "eval")
    plain = median(lambda: eval(code, {}, CONTEXT), 20_000)
    lines: list[tuple[str, float, str]] = [("Python eval, compiled", plain, "")]
    ours = median(lambda: expression.evaluate(CONTEXT), 20_000)
    lines.append(("condition of 3 clauses over 10 variables, compiled", ours, "goal 2"))
    lines.append(("the same by text (cached)", median(lambda: feel.evaluate(CONDITION, CONTEXT), 10_000), ""))
    for name, function in peers().items():
        lines.append((f"the same by {name}", median(function, 30, 5), ""))
    for label, text in (("reading and compiling the condition", CONDITION), ("reading and compiling a longer one", LONG)):
        compile_text = lambda text=text: Compiler().compile(Parser(text, (), BUILT_IN_NAMES).expression_only())  # noqa: E731
        lines.append((label, median(compile_text, 300), "goal 300"))
    model = table()
    context = CONTEXT | {"amount": 4950}
    assert model.evaluate("d", context) == 61
    lines.append(("table of 50 rules and 4 inputs", median(lambda: model.evaluate("d", context), 1000), "goal 150"))
    lines.append(("the same with its explanation", median(lambda: model.explain("d", context), 1000), ""))
    print(f"{'':52} {'µs':>10} {'× eval':>9}")
    for label, microseconds, goal in lines:
        print(f"{label:52} {microseconds:10.2f} {microseconds / plain:9.1f}  {goal}")


if __name__ == "__main__":
    sys.exit(main())
