"""`liuzhuan migrate`: the database's tables to this version; or running cases to another version of their process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from engine.settings import Settings
from webui.cli.output import answer, json_option, read_object
from webui.cli.serving import migrate_tables

if TYPE_CHECKING:
    from engine.facade import Engine
    from engine.queries import Batch, MigrationPreview


@click.command()
@click.argument("process_id", required=False)
@click.option("--from", "source", type=int, help="Version that the cases run now; needed without --case.")
@click.option("--to", "target", type=int, help="Version to move to; the newest where it is not given.")
@click.option("--to-process", help="Id of another process to move to.")
@click.option("--case", "keys", type=int, multiple=True, help="Key of a case; may be given several times. None: all of --from.")
@click.option("--search", default="", help="Only cases with these words in number or subject.")
@click.option("--map", "mapping", default="{}", help='Ids that differ: {"old": "new", "event": null} as JSON, @file, or -.')
@click.option("--reason", default="", help="Why; it goes into each case's history.")
@click.option("--by", default="admin", show_default=True, help="Username in the journal.")
@click.option("--preview", is_flag=True, help="Show what moves where and what cannot; change nothing.")
@json_option
def migrate(
    process_id: str | None,
    source: int | None,
    target: int | None,
    to_process: str | None,
    keys: tuple[int, ...],
    search: str,
    mapping: str,
    reason: str,
    by: str,
    preview: bool,
    as_json: bool,
) -> None:
    """Bring the database's tables to this version. With PROCESS_ID: move its running cases to another version of the process.

    Each case is moved by itself: those that cannot be are listed, the others go on; the exit code is 1 then.
    """
    from webui.wiring import open_engine

    if process_id is None:
        if preview or keys or source is not None or target is not None:
            raise click.UsageError("PROCESS_ID is needed to migrate cases")
        migrate_tables(as_json)
        return
    instructions = read_object(mapping, "--map")
    if source is None and not keys:
        raise click.UsageError("--from (the version that the cases run now) or --case is needed")
    with open_engine(Settings.read()) as engine:
        goal = engine.definition_key(to_process or process_id, target)
        if preview:
            found = _preview(engine, process_id, source, goal, instructions, keys, search)
            answer(found, _preview_text(found), as_json)
            sys.exit(0 if found.possible == found.cases else 1)
        batch = _run(engine, process_id, source, goal, instructions, keys, search, by, reason)
    answer(batch, _batch_text(batch), as_json)
    sys.exit(1 if batch.failed else 0)


def _preview(
    engine: Engine,
    process_id: str,
    source: int | None,
    goal: int,
    mapping: dict[str, Any],
    keys: tuple[int, ...],
    search: str,
) -> MigrationPreview:
    from engine.store.cases import CaseFilter

    if keys:
        at = engine.instance(keys[0]).process_definition_key
        return engine.preview_migrations(at, goal, mapping=mapping, keys=keys)
    at = engine.definition_key(process_id, source)
    return engine.preview_migrations(at, goal, mapping=mapping, cases=CaseFilter(search, definition_key=at, called=True))


def _run(
    engine: Engine,
    process_id: str,
    source: int | None,
    goal: int,
    mapping: dict[str, Any],
    keys: tuple[int, ...],
    search: str,
    by: str,
    reason: str,
) -> Batch:
    from engine.commands import Change
    from engine.store.cases import CaseFilter

    change = Change("migrate", goal, mapping)
    if keys:
        return engine.change_many(change, keys=keys, by=by, reason=reason)
    at = engine.definition_key(process_id, source)
    return engine.change_many(change, cases=CaseFilter(search, definition_key=at, called=True), by=by, reason=reason)


def _preview_text(found: MigrationPreview) -> str:
    lines = [f"{found.possible} of {found.cases} cases can be migrated" + (" (the first thousand)" if found.more else "")]
    for row in found.elements:
        to = row.target_id or "-"
        note = f"{row.refused} refused" if row.refused else f"{row.closed} closed" if row.closed else "kept"
        lines.append(f"  {row.element_id:32} -> {to:32} {row.waits or row.type:16} {row.cases:6}  {note}")
        lines += [f"      {why}" for why in row.why]
    lines += [f"  {'(opened)':32} -> {element_id:32} {'':16} {count:6}" for element_id, _, count in found.opened]
    lines += [f"  refused: {instance.key} {instance.business_id or ''}".rstrip() for instance, _ in found.refused]
    return "\n".join(lines)


def _batch_text(batch: Batch) -> str:
    lines = [f"{batch.done} of {batch.total} cases migrated, {batch.failed} refused"]
    lines += [f"  {item.instance.key} {item.instance.business_id or ''}: {item.message}" for item in batch.failures]
    return "\n".join(lines)
