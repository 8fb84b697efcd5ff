"""The command group and what all commands share."""

from __future__ import annotations

import sys

import click

from engine.errors import LiuzhuanError
from webui.cli import audit, cases, changes, doctor, evaluation, models, serving, tokens, users
from webui.cli.output import exit_code, fail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="liuzhuan")
def commands() -> None:
    """Liuzhuan (流转): run BPMN, DMN and forms from Camunda Modeler, with an inbox, timers and an audit trail.

    Settings come from environment variables; `liuzhuan doctor` lists them with what is in force.
    """


for command in (
    serving.serve,
    changes.migrate,
    models.deploy,
    models.check,
    models.scenario,
    cases.start,
    cases.tasks,
    audit.audit,
    users.user,
    tokens.token,
    doctor.doctor,
    evaluation.feel,
    evaluation.dmn,
):
    commands.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        commands.main(arguments, prog_name="liuzhuan", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LiuzhuanError as error:
        fail(error)
        sys.exit(exit_code(error))
