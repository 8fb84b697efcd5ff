"""Runs cases of the DMN TCK and compares values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from engine import dmn
from engine.errors import LiuzhuanError
from engine.feel import Date, DateTime, DaysDuration, MonthsDuration, Time
from engine.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from engine.feel.text import to_text

TEST = "{http://www.omg.org/spec/DMN/20160719/testcase}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True)
class Outcome:
    """One expected value: where it stands, what was expected, what came."""

    level: str
    case: str
    test: str
    result: str
    expected: str
    actual: str
    passed: bool

    @property
    def key(self) -> str:
        """Name it in one line."""
        return f"{self.case} {self.test} {self.result}"


def run_all(root: Path) -> list[Outcome]:
    """Run every case below a folder."""
    outcomes: list[Outcome] = []
    for tests in sorted(root.glob("compliance-level-*/*/*.xml")):
        outcomes += run_file(tests)
    return outcomes


def run_file(tests: Path) -> list[Outcome]:
    """Run one file of cases."""
    level, case = tests.parent.parent.name.removeprefix("compliance-level-"), tests.parent.name
    document = etree.parse(str(tests)).getroot()
    model_file = tests.parent / (document.findtext(f"{TEST}modelName") or "")
    outcomes: list[Outcome] = []
    try:
        model: dmn.Model | None = dmn.load(model_file.read_bytes(), resolver(tests.parent))
    except LiuzhuanError as error:
        model, reason = None, str(error)
    for test in document.iter(f"{TEST}testCase"):
        context = {node.get("name", ""): value_of(node) for node in test.findall(f"{TEST}inputNode")}
        for node in test.findall(f"{TEST}resultNode"):
            expected_node = node.find(f"{TEST}expected")
            expected = None if expected_node is None else value_of(expected_node)
            name = node.get("name", "")
            if model is None:
                actual: Any = reason
                passed = False
            else:
                try:
                    actual = evaluate(model, test.get("invocableName"), name, context)
                    passed = same(expected, actual)
                except LiuzhuanError as error:
                    actual, passed = f"{type(error).__name__}: {error}", False
            outcomes.append(Outcome(level, case, test.get("id", ""), name, show(expected), show(actual), passed))
    return outcomes


def evaluate(model: dmn.Model, invocable: str | None, name: str, context: dict[str, Any]) -> Any:
    """Return a result: of a decision; or of a service, of which one result among several is named like its decision."""
    actual = model.evaluate(invocable or name, context)
    several = invocable not in (None, name) and isinstance(actual, dict) and name in actual
    return actual[name] if several else actual


def resolver(folder: Path) -> Any:
    """Return a resolver of imports among the files of a folder."""
    by_namespace = {etree.parse(str(file)).getroot().get("namespace"): file for file in folder.glob("*.dmn")}

    def resolve(namespace: str, _location: str | None) -> bytes | None:
        file = by_namespace.get(namespace)
        return None if file is None else file.read_bytes()

    return resolve


def value_of(node: Any) -> Any:
    """Read a value of a case."""
    listed = node.find(f"{TEST}list")
    if listed is not None:
        return None if listed.get(f"{XSI}nil") == "true" else [value_of(item) for item in listed.findall(f"{TEST}item")]
    components = node.findall(f"{TEST}component")
    if components:
        return {component.get("name"): value_of(component) for component in components}
    value = node.find(f"{TEST}value")
    if value is None or value.get(f"{XSI}nil") == "true":
        return None
    kind = (value.get(f"{XSI}type") or "string").split(":")[-1]
    text = value.text or ""
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return Decimal(text.strip())
    if kind == "boolean":
        return text.strip() == "true"
    readers: dict[str, Any] = {"date": parse_date, "time": parse_time, "dateTime": parse_date_time, "duration": parse_duration}
    return readers[kind](text.strip()) if kind in readers else text


def same(expected: Any, actual: Any) -> bool:
    """Compare as the TCK does: numbers nearly (8 decimals), the rest exactly."""
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(expected - actual) < Decimal("0.00000001") or expected == actual
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(same(e, a) for e, a in zip(expected, actual, strict=True))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[key], actual[key]) for key in expected)
    if isinstance(expected, (Date, Time, DateTime, DaysDuration, MonthsDuration)):
        return type(expected) is type(actual) and expected == actual
    return type(expected) is type(actual) and expected == actual


def show(value: Any) -> str:
    """Write a value in one line."""
    return to_text(value, quoted=True) if not isinstance(value, (list, dict)) else to_text(value)


if __name__ == "__main__":
    import sys

    results = run_all(Path(sys.argv[1]))
    for level in sorted({outcome.level for outcome in results}):
        mine = [outcome for outcome in results if outcome.level == level]
        print(f"level {level}: {sum(outcome.passed for outcome in mine)} of {len(mine)}")
    for outcome in results:
        if not outcome.passed:
            print(outcome.key, "| expected", outcome.expected[:120], "| got", outcome.actual[:120])
