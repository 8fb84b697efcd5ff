"""Every line of `standard/*.txt` is an expression and one with the same value, under the paragraph of DMN 1.5 that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import feel


def cases() -> Iterator[tuple[str, str, str]]:
    for file in sorted(Path(__file__).with_name("standard").glob("*.txt")):
        paragraph = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                paragraph = line[2:]
            elif line:
                expression, _, expected = line.partition("  ==>  ")
                yield paragraph, expression, expected


@pytest.mark.parametrize(("paragraph", "expression", "expected"), list(cases()))
def test_value_is_the_standards(paragraph: str, expression: str, expected: str) -> None:
    value, wanted = feel.evaluate(expression), feel.evaluate(expected)
    assert type(value) is type(wanted), paragraph
    assert feel.to_text(value, quoted=True) == feel.to_text(wanted, quoted=True), paragraph
