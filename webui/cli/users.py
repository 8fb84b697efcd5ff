"""`liuzhuan user …`: people, from the command line. The first administrator is made here."""

from __future__ import annotations

import secrets

import click

from engine.settings import Settings
from webui.cli.output import answer, json_option


@click.group()
def user() -> None:
    """Add and change people."""


@user.command()
@click.argument("username")
@click.option("--name", help="Name that people see; the username where it is not given.")
@click.option("--group", "groups", multiple=True, help="Group the person belongs to (repeat for several).")
@click.option("--admin", is_flag=True, help="Make the person an administrator.")
@click.option("--email", help="Address for mails.")
@click.option("--password", envvar="LIUZHUAN_USER_PASSWORD", help="Password; asked for where it is not given.")
@click.option("--random-password", is_flag=True, help="Make a random password and print it once.")
@json_option
def add(
    username: str,
    name: str | None,
    groups: tuple[str, ...],
    admin: bool,
    email: str | None,
    password: str | None,
    random_password: bool,
    as_json: bool,
) -> None:
    """Add a person. Groups that are not there yet are made."""
    from webui.wiring import open_engine

    made = secrets.token_urlsafe(12) if random_password else None
    secret = made or password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    wanted = (*groups, *(("admin",) if admin else ()))
    with open_engine(Settings.read()) as engine:
        known = {group.id for group in engine.groups()}
        for group in wanted:
            if group not in known:
                engine.add_group(group, group)
        engine.add_user(username, name or username, groups=wanted, email=email, password=secret)
    answer(
        {"username": username, "groups": wanted, "password": made},
        f"{username} added{f'; password: {made}' if made else ''}",
        as_json,
    )


@user.command(name="password")
@click.argument("username")
@click.option("--password", envvar="LIUZHUAN_USER_PASSWORD", help="New password; asked for where it is not given.")
def set_password(username: str, password: str | None) -> None:
    """Set a person's password; sessions that are open end."""
    from webui.wiring import open_engine

    secret = password or click.prompt("New password", hide_input=True, confirmation_prompt=True)
    with open_engine(Settings.read()) as engine:
        engine.set_password(username, secret)
    click.echo(f"{username}: password set")


@user.command()
@click.argument("username")
@click.argument("groups", nargs=-1)
def groups(username: str, groups: tuple[str, ...]) -> None:
    """Set the GROUPS a person belongs to (none: takes all away)."""
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        engine.set_groups(username, groups)
    click.echo(f"{username}: {', '.join(groups) or 'no group'}")


@user.command()
@click.argument("username")
def deactivate(username: str) -> None:
    """Lock a person out; what they did stays."""
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        engine.deactivate(username)
    click.echo(f"{username}: deactivated")


@user.command(name="list")
@json_option
def list_users(as_json: bool) -> None:
    """List people and their groups."""
    from webui.wiring import open_engine

    with open_engine(Settings.read()) as engine:
        people = engine.users()
    answer(people, "\n".join(f"{person.username:24} {person.name:20} {', '.join(person.groups)}" for person in people), as_json)
