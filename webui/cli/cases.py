"""`liuzhuan start` and `liuzhuan tasks`."""

from __future__ import annotations

import click

from engine.settings import Settings
from webui.cli.output import answer, json_option, read_object


@click.command()
@click.argument("process_id")
@click.option("--variables", default="{}", help="Variables as a JSON object, @file, or - for standard input.")
@click.option("--business-id", help="Business id; made by the process's pattern where it is not given.")
@click.option("--by", help="Username of the starter.")
@json_option
def start(process_id: str, variables: str, business_id: str | None, by: str | None, as_json: bool) -> None:
    """Start a case of PROCESS_ID (newest version) and print its key."""
    from webui.wiring import open_engine

    values = read_object(variables, "--variables")
    with open_engine(Settings.read()) as engine:
        key = engine.start(process_id, values, business_id=business_id, by=by)
        case = engine.instance(key)
    answer(case, str(key), as_json)


@click.command()
@click.option("--user", "username", help="Tasks this person may work on.")
@click.option("--assignee", help="Tasks assigned to this person.")
@click.option("--group", help="Tasks offered to this group.")
@click.option("--case", "case_key", type=int, help="Tasks of this case (its key).")
@json_option
def tasks(username: str | None, assignee: str | None, group: str | None, case_key: int | None, as_json: bool) -> None:
    """List open tasks, the most urgent first."""
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        found = engine.tasks(instance=case_key, assignee=assignee, group=group, for_user=username)
    lines = []
    for task in found:
        due = task.due_at.isoformat() if task.due_at else "-"
        lines.append(f"{task.key}  {due:32}  {task.assignee or ','.join(task.candidate_groups):24}  {task.name}")
    answer(found, "\n".join(lines) or "no open task", as_json)
