"""`liuzhuan deploy`, `check`, `scenario`: what modellers type."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from engine.errors import DeploymentRefused
from engine.settings import Settings
from webui.cli.output import answer, json_option

_PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))


def _resources(paths: Iterable[Path]) -> dict[str, bytes]:
    from engine.scenarios.reading import ScenarioError
    from engine.scenarios.runner import RESOURCES, resources_below

    files: dict[str, bytes] = {}
    for path in paths:
        for name, content in (resources_below([path]) if path.is_dir() else {path.name: path.read_bytes()}).items():
            if name in files:
                raise ScenarioError(f"{path}: another file is named {name} too; names must differ within a deployment")
            files[name] = content
    if not files:
        raise click.UsageError(f"no {', '.join(RESOURCES)} file there")
    return files


@click.command()
@_PATHS
@click.option("--by", default="admin", show_default=True, help="Username in the journal.")
@json_option
def deploy(paths: tuple[Path, ...], by: str, as_json: bool) -> None:
    """Deploy the BPMN, DMN and form files at PATHS together, or none of them; print the report."""
    from webui.wiring import open_engine

    files = _resources(paths)
    with open_engine(Settings.read()) as engine:
        try:
            report = engine.deploy(files, by=by)
        except DeploymentRefused as error:
            answer(error.report.as_json(), error.report.as_text(), as_json)
            sys.exit(1)
    answer(report.as_json(), report.as_text(), as_json)


@click.command()
@_PATHS
@click.option("--all", "everything", is_flag=True, help="Print what is executed and kept, too.")
@json_option
def check(paths: tuple[Path, ...], everything: bool, as_json: bool) -> None:
    """Check the BPMN, DMN and form files at PATHS as a deployment would; nothing is deployed."""
    from engine.facade import check_resources

    report = check_resources(_resources(paths))
    answer(report.as_json(), report.as_text(everything=everything), as_json)
    sys.exit(0 if report.ok else 1)


@click.command()
@_PATHS
@json_option
def scenario(paths: tuple[Path, ...], as_json: bool) -> None:
    """Run the scenario files at or below PATHS on a turned clock through the real engine."""
    from engine.scenarios import read_scenarios, run_all
    from webui.wiring import FORMS, PROCESSES

    scenarios = list(read_scenarios(paths))
    processes = _processes_of(paths) or PROCESSES
    forms = processes.parent / "forms" if (processes.parent / "forms").is_dir() else FORMS
    failed, found = 0, []
    for outcome in run_all(scenarios, processes, forms):
        failed += not outcome.passed
        found.append(
            {
                "scenario": str(outcome.scenario.path),
                "title": outcome.scenario.title,
                "rules": outcome.scenario.rules,
                "passed": outcome.passed,
                "failures": outcome.failures,
                "seconds": round(outcome.seconds, 3),
            }
        )
        if not as_json:
            sign = "ok  " if outcome.passed else "FAIL"
            click.echo(f"{sign} {outcome.seconds:5.2f} s  {outcome.scenario.name}  {outcome.scenario.title}")
            for failure in outcome.failures:
                click.echo(f"     {failure}")
    answer(found, f"{len(scenarios) - failed} passed, {failed} failed", as_json)
    sys.exit(1 if failed or not scenarios else 0)


def _processes_of(paths: Iterable[Path]) -> Path | None:
    """Return the folder that holds organisation.yaml at or above the paths, if there is one."""
    for path in paths:
        for folder in (path.resolve(), *path.resolve().parents):
            if (folder / "organisation.yaml").is_file():
                return folder
    return None
