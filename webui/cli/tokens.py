"""`liuzhuan token …`: what programs sign in with to /v2."""

from __future__ import annotations

from datetime import timedelta

import click

from engine.settings import Settings
from webui.cli.output import answer, json_option


@click.group()
def token() -> None:
    """Issue and revoke tokens for programs that call /v2."""


@token.command()
@click.argument("username")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, help="read (default), start, tasks, jobs, deploy, admin; repeatable.")
@click.option("--process", "processes", multiple=True, help="Process id that the token is confined to (repeat for several).")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long the token is good.")
@json_option
def issue(username: str, name: str, scopes: tuple[str, ...], processes: tuple[str, ...], days: int, as_json: bool) -> None:
    """Issue a token that acts as USERNAME, and print it: it is shown this once."""
    from engine import commands
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        expires_at = engine.clock.now() + timedelta(days=days)
        made = commands.issue_token(engine.context, username, name, scopes or ("read",), expires_at, processes=processes or None)
    answer({"username": username, "token": made, "expires_at": expires_at}, made, as_json)


@token.command(name="list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens: key, owner, what for, scopes, until when."""
    from engine import queries
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        found = queries.tokens(engine.context)
    lines = [
        f"{item.key:<20} {item.username:20} {item.name:24} {','.join(item.scopes):24} "
        f"{item.expires_at.date()} {'live' if item.live else 'ended'}"
        for item in found
    ]
    answer(found, "\n".join(lines), as_json)


@token.command()
@click.argument("key", type=int)
def revoke(key: int) -> None:
    """Let the token with this KEY be good for nothing from now on."""
    from engine import commands
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        commands.revoke_token(engine.context, key)
    click.echo(f"{key}: revoked")
