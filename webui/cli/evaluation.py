"""`liuzhuan feel` and `liuzhuan dmn`: try an expression or a decision without a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webui.cli.output import answer, json_option, read_object, to_json

if TYPE_CHECKING:
    from engine.feel import Environment


@click.command()
@click.argument("expression")
@click.option("--context", default="{}", help="Names and values as a JSON object, @file, or - for standard input.")
@json_option
def feel(expression: str, context: str, as_json: bool) -> None:
    """Evaluate a FEEL EXPRESSION and print its value; warnings go to standard error."""
    from engine import feel as language

    names = read_object(context, "--context")
    compiled = language.compile_expression(expression, language.special_names(names))
    value, warnings = compiled.evaluate_with_warnings(names, _environment())
    for warning in warnings:
        click.echo(f"warning: {warning.message}", err=True)
    answer({"value": _shown(value), "warnings": [w.message for w in warnings]}, language.to_text(value), as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--decision", required=True, help="Id or name of the decision.")
@click.option("--context", default="{}", help="Inputs as a JSON object, @file, or - for standard input.")
@json_option
def dmn(file: Path, decision: str, context: str, as_json: bool) -> None:
    """Evaluate a decision of a DMN FILE and print its result and the rules that matched."""
    from engine import dmn as decisions

    result = decisions.load(file.read_bytes()).explain(decision, read_object(context, "--context"), _environment())
    value = _shown(result.value)
    answer({"value": value, "trace": result.trace}, to_json(value), as_json)


def _environment() -> Environment:
    """Return what a case would evaluate in, without a database: the present moment, the zone, the published calendar."""
    from engine.calendars import Calendar
    from engine.clock import SystemClock
    from engine.feel import Environment
    from engine.settings import Settings

    return Environment(now=SystemClock().now(), time_zone=Settings.read().time_zone, calendar=Calendar.published())


def _shown(value: object) -> object:
    """Return the value as JSON; what JSON has no form for (functions, ranges) as FEEL text."""
    from engine import feel as language
    from engine.errors import EvaluationFailed

    try:
        return language.to_json(value)
    except EvaluationFailed:
        return language.to_text(value)
