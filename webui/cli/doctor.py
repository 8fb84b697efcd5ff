"""`liuzhuan doctor`: the settings in force, and what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from engine.errors import LiuzhuanError
from engine.settings import Settings
from webui.cli.output import answer, json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Print the settings in force and check that everything needed is there; exit 1 where something is wrong."""
    try:
        settings = Settings.read()
    except LiuzhuanError as error:
        answer({"settings": [], "faults": [error.message]}, f"✗ {error.message}", as_json)
        sys.exit(1)
    faults = list(_faults(settings))
    lines = [f"{name:32} {value or '-':44} {meaning}" for name, value, meaning in settings.in_force()]
    lines += ["", *(f"✗ {fault}" for fault in faults)] if faults else ["", "✓ nothing wrong found"]
    listed = [{"name": name, "value": value, "meaning": meaning} for name, value, meaning in settings.in_force()]
    answer({"settings": listed, "faults": faults}, "\n".join(lines), as_json)
    sys.exit(1 if faults else 0)


def _faults(settings: Settings) -> Iterator[str]:
    yield from _database(settings)
    static = Path(__file__).resolve().parent.parent / "static" / "dist"
    if not static.is_dir() or not any(static.glob("*.js")):
        yield "the browser bundle is not built: run `make assets`"
    if settings.mail_host and not settings.mail_starttls and settings.mail_password:
        yield "LIUZHUAN_MAIL_STARTTLS is off: the mail password would cross the network in the clear"
    if settings.webhook_url and not settings.webhook_allow:
        yield "LIUZHUAN_WEBHOOK_ALLOW is empty: no webhook will be sent"
    if settings.webhook_url and not settings.webhook_secret:
        yield "LIUZHUAN_WEBHOOK_SECRET is not set: receivers cannot tell that a webhook is ours"


def _database(settings: Settings) -> Iterator[str]:
    from webui.wiring import open_engine

    try:
        with open_engine(settings) as engine:
            if not any("admin" in user.groups and user.active for user in engine.users()):
                yield "there is no administrator: liuzhuan user add NAME --admin"
            year = engine.clock.now().year
            if engine.calendar.provisional(year):
                yield f"the working days of {year} are not published in the calendar: deadlines are provisional"
            if count := len(engine.incidents()):
                yield f"{count} incidents wait for an administrator"
    except LiuzhuanError as error:
        yield f"the database cannot be used: {error.message}"
    except OSError as error:
        yield f"the database cannot be reached: {error}"
