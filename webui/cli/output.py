"""How commands answer: text for people, `--json` for programs, errors with what is wrong, where and by which rule."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.errors import Conflict, InvalidSubmission, LiuzhuanError, NotAllowed, NotFound, Refused

F = TypeVar("F", bound=Callable[..., Any])

_EXIT_CODES = ((NotFound, 3), (Conflict, 4), (NotAllowed, 5), (Refused, 1))


def json_option(function: F) -> F:
    """Add `--json` to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(function)


def answer(value: Any, text: str, as_json: bool) -> None:
    """Print the value as JSON or the text."""
    click.echo(to_json(value) if as_json else text)


def to_json(value: Any) -> str:
    """Return JSON text; keys that are 64-bit ids become strings, decimals keep their exact text."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=2)


class _Exact(float):
    """A decimal that `json` writes with its own digits."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __new__(cls, text: str) -> _Exact:
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return self._text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _keyed(item.name, getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _Exact(format(value, "f"))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _keyed(name: str, value: Any) -> Any:
    is_key = isinstance(value, int) and not isinstance(value, bool) and (name == "key" or name.endswith("_key"))
    return str(value) if is_key else _plain(value)


def exit_code(error: LiuzhuanError) -> int:
    """Return the exit code that belongs to an error."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


def fail(error: LiuzhuanError) -> None:
    """Print an error to standard error."""
    where = ", ".join(
        f"{word} {value}"
        for word, value in (
            ("element", error.element_id),
            ("named", error.element_name),
            ("field", error.field),
            ("line", error.line),
            ("column", error.column),
            ("rule", error.rule),
        )
        if value is not None
    )
    click.echo(f"{error.message}{f' ({where})' if where else ''}", err=True)
    if isinstance(error, InvalidSubmission):
        for problem in error.problems:
            click.echo(
                f"  {problem.field}: {problem.label}: {problem.message}{f' [{problem.rule}]' if problem.rule else ''}", err=True
            )


def read_json(text: str, what: str) -> Any:
    """Parse JSON given on the command line (`@file` reads a file, `-` standard input); numbers stay exact.

    Raises:
        click.BadParameter: it is not JSON.
    """
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{what} is not JSON: {error}") from error


def read_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object given on the command line.

    Raises:
        click.BadParameter: it is not a JSON object.
    """
    value = read_json(text, what)
    if not isinstance(value, dict):
        raise click.BadParameter(f"{what} must be a JSON object")
    return value
