"""Every example of docs/feel.md has the value shown, and every built-in function is named there."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import feel

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "feel.md").read_text("utf-8")
VARIABLES = "变量："


class Weekdays:
    """Monday to Friday are worked."""

    def is_working_day(self, day: date) -> bool:
        return day.isoweekday() <= 5

    def add_working_days(self, start: date, days: int) -> date:
        while days:
            start += timedelta(days=1)
            days -= self.is_working_day(start)
        return start

    def working_days_between(self, start: date, end: date) -> int:
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


class People:
    """Two members of the ethics committee."""

    def users_in_group(self, group_id: str) -> Sequence[Mapping[str, Any]]:
        li = {"id": "li", "name": "李", "groups": ["ethics-committee"], "attributes": {"training": []}}
        wu = {"id": "wu", "name": "吴", "groups": ["ethics-committee"], "attributes": {"training": ["safety"]}}
        return [li, wu] if group_id == "ethics-committee" else []

    def user(self, username: str) -> Mapping[str, Any] | None:
        return next((person for person in self.users_in_group("ethics-committee") if person["id"] == username), None)


SURROUNDINGS = feel.Environment(now=datetime(2026, 11, 20, 2, tzinfo=UTC), calendar=Weekdays(), directory=People())


def blocks(kind: str) -> Iterator[list[str]]:
    """Yield the lines of the page's blocks of a kind."""
    for body in re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        yield [line for line in body.splitlines() if line.strip()]


def examples(kind: str) -> Iterator[Any]:
    """Yield variables, expression and value of the examples in blocks of a kind."""
    for lines in blocks(kind):
        variables: dict[str, Any] = {}
        for line in lines:
            if line.startswith(VARIABLES):
                variables = feel.evaluate(line.removeprefix(VARIABLES))
                continue
            text, _, expected = line.rpartition(" → ")
            yield pytest.param(variables, text, expected, id=text)


@pytest.mark.parametrize(("variables", "text", "expected"), [*examples("feel"), *examples("feel processes")])
def test_example_has_the_value_shown(variables: dict[str, Any], text: str, expected: str) -> None:
    value, warnings = feel.compile_expression(text, feel.special_names(variables)).evaluate_with_warnings(variables, SURROUNDINGS)
    wanted = feel.evaluate(expected, {}, SURROUNDINGS)
    assert value == wanted
    assert type(value) is type(wanted)
    assert not warnings


@pytest.mark.parametrize("line", [line for lines in blocks("feel cells") for line in lines])
def test_cell_says_what_is_shown(line: str) -> None:
    match = re.fullmatch(r"(.+?) (不?通过) (.+)", line)
    assert match is not None
    assert feel.unary_test(match[3], feel.evaluate(match[1])) is (match[2] == "通过")


@pytest.mark.parametrize("text", [example.values[1] for example in examples("feel processes")])
def test_examples_of_processes_stand_in_them(text: str) -> None:
    whole = re.sub(r"\}\.\w+$", "}", str(text))
    assert any(whole in html.unescape(path.read_text("utf-8")) for path in (ROOT / "processes").glob("*/*.bpmn"))


def test_there_are_examples() -> None:
    assert len(list(examples("feel"))) > 50
    assert len(list(examples("feel processes"))) >= 7


def test_every_built_in_function_is_named() -> None:
    listed = set(re.findall(r"`([a-z0-9 ]+)`", PAGE[PAGE.index("## 内置函数一览") : PAGE.index("参数可按名称写")]))
    assert listed == feel.function_names()
