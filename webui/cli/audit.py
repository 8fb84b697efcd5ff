"""`liuzhuan audit verify` and `liuzhuan audit export`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.settings import Settings
from webui.cli.output import answer, json_option


@click.group()
def audit() -> None:
    """Prove that the journal was not changed, and hand it over."""


@audit.command()
@click.option(
    "--pack",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Verify an exported evidence pack, without the database.",
)
@click.option("--anchor", help="Hash of a checkpoint that was noted elsewhere: the chain must contain it.")
@json_option
def verify(pack: Path | None, anchor: str | None, as_json: bool) -> None:
    """Check every row of the journal against its chain and the checkpoints; exit 1 where something was changed."""
    from engine.history.evidence import verify_pack
    from webui.wiring import open_engine

    if pack:
        proof = verify_pack(pack.read_bytes(), anchor)
    else:
        with open_engine(Settings.read()) as engine:
            proof = engine.verify(anchor)
    answer(proof, proof.as_text(), as_json)
    sys.exit(0 if proof.ok else 1)


@audit.command()
@click.argument("case_key", type=int)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["pack", "csv", "xes"]),
    default="pack",
    show_default=True,
    help="Evidence pack (zip), CSV, or XES (IEEE 1849).",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; CASE_KEY with a fitting ending otherwise.",
)
def export(case_key: int, kind: str, output: Path | None) -> None:
    """Write a case's history (its key: CASE_KEY) to a file."""
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        content = engine.export(case_key, kind)
    target = output or Path(f"{case_key}.{'zip' if kind == 'pack' else kind}")
    target.write_bytes(content)
    click.echo(str(target))
