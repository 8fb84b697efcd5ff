"""Tokens: issued by administrators, shown once, stored hashed, scoped, expiring, revoked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import commands, history, queries
from engine.clock import TurnedClock
from engine.errors import InvalidValue, NotAllowed, NotFound
from engine.facade import Engine
from engine.store.tables import api_token
from webui.cli.main import commands as commands_of_the_line

from ..conftest import Visitor
from .conftest import ApiClient
from .test_foundation import problem

Api = Callable[..., ApiClient]


def issue(engine: Engine, username: str = "anna", *scopes: str, by: str = "root", **more: object) -> str:
    """Issue a token that lasts a week."""
    wanted = scopes or ("read",)
    return commands.issue_token(engine.context, username, "测试", wanted, engine.clock.now() + timedelta(days=7), by=by, **more)  # type: ignore[arg-type]


def test_a_token_acts_as_its_owner(api: Api, engine: Engine) -> None:
    assert api(token=issue(engine)).ask("GET", "/authentication/me")["username"] == "anna"


def test_what_is_stored_is_not_the_token(engine: Engine) -> None:
    token = issue(engine)
    with engine.context.store.read() as reading:
        row = reading.one(api_token.select())
    assert row is not None
    assert token.removeprefix("lz_") not in str(row)
    assert row.digest != token


def test_a_token_ends(api: Api, engine: Engine, clock: TurnedClock) -> None:
    client = api(token=issue(engine))
    clock.advance(timedelta(days=7))
    response = client.get("/topology")
    problem(response, 401)
    assert "invalid_token" in response.headers["WWW-Authenticate"]


def test_a_revoked_token_is_good_for_nothing(api: Api, engine: Engine) -> None:
    client = api(token=issue(engine))
    assert client.get("/topology").status_code == 200
    commands.revoke_token(engine.context, queries.tokens(engine.context)[0].key, "anna")
    problem(client.get("/topology"), 401)


def test_a_locked_owner_locks_the_token(api: Api, engine: Engine) -> None:
    client = api(token=issue(engine))
    engine.deactivate("anna")
    problem(client.get("/topology"), 401)


def test_an_unknown_token_is_refused(api: Api) -> None:
    problem(api(token="lz_" + "x" * 43).get("/topology"), 401)
    problem(api(token="of.another.kind").get("/topology"), 401)


def test_its_use_is_noted(api: Api, engine: Engine) -> None:
    client = api(token=issue(engine))
    assert queries.tokens(engine.context)[0].used_at is None
    client.get("/topology")
    assert queries.tokens(engine.context)[0].used_at == engine.clock.now()


def test_only_administrators_issue_tokens(engine: Engine) -> None:
    with pytest.raises(NotAllowed):
        issue(engine, by="anna")
    with pytest.raises(NotFound):
        issue(engine, "nobody")


def test_scopes_and_life_are_limited(engine: Engine) -> None:
    with pytest.raises(InvalidValue, match="scopes"):
        issue(engine, "anna", "everything")
    with pytest.raises(InvalidValue, match="year"):
        commands.issue_token(engine.context, "anna", "x", ["read"], engine.clock.now() + timedelta(days=400), by="root")


def test_somebody_elses_token_is_not_revoked(engine: Engine) -> None:
    issue(engine)
    with pytest.raises(NotAllowed):
        commands.revoke_token(engine.context, queries.tokens(engine.context)[0].key, "ben")


def test_the_journal_tells_who_issued_and_revoked(engine: Engine) -> None:
    issue(engine)
    commands.revoke_token(engine.context, queries.tokens(engine.context)[0].key, "root")
    with engine.context.store.read() as reading:
        told = [entry.command for entry in history.entries(reading, history.NO_INSTANCE)]
    assert told[-2:] == ["issue_token", "revoke_token"]


def test_an_administrator_issues_and_revokes_a_token_on_a_page(visit: Callable[..., Visitor], api: Api) -> None:
    root = visit("root")
    assert "还没有令牌" in root.get("/admin/tokens").text
    wanted = {"username": "anna", "name": "对账程序", "scopes": ["read", "tasks"], "days": "30", "processes": "expense"}
    page = root.post("/admin/tokens", **wanted)
    found = re.search(r"<code>(lz_[\w-]+)</code>", page.text)
    assert found is not None
    assert found.group(1) not in root.get("/admin/tokens").text
    client = api(token=found.group(1))
    assert client.ask("GET", "/authentication/me")["username"] == "anna"
    place = re.search(r'action="(/admin/tokens/\d+/revoke)"', root.get("/admin/tokens").text)
    assert place is not None
    assert root.post(place.group(1)).status_code == 303
    problem(client.get("/topology"), 401)
    assert "已吊销" in root.get("/admin/tokens").text


def test_a_wrong_token_form_says_what_is_wrong(visit: Callable[..., Visitor]) -> None:
    root = visit("root")
    root.get("/admin/tokens")
    wanted = {"username": "anna", "name": "x", "scopes": ["read"], "days": "400", "processes": ""}
    assert root.post("/admin/tokens", **wanted).status_code == 422
    assert root.post("/admin/tokens", **{**wanted, "days": "9", "username": "nobody"}).status_code == 404
    assert visit("anna").get("/admin/tokens").status_code == 403


def test_tokens_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUZHUAN_DATABASE_URL", f"sqlite:///{tmp_path}/x.db")
    monkeypatch.setenv("LIUZHUAN_DATA_DIRECTORY", str(tmp_path))
    run = CliRunner()
    assert run.invoke(commands_of_the_line, ["user", "add", "anna", "--password", "long enough"]).exit_code == 0
    issued = run.invoke(commands_of_the_line, ["token", "issue", "anna", "--name", "night job", "--scope", "jobs"])
    assert issued.output.strip().startswith("lz_")
    listed = run.invoke(commands_of_the_line, ["token", "list"]).output
    assert "night job" in listed
    assert issued.output.strip() not in listed
    assert run.invoke(commands_of_the_line, ["token", "revoke", listed.split()[0]]).exit_code == 0
    assert "ended" in run.invoke(commands_of_the_line, ["token", "list"]).output
