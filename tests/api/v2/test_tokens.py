"""Tokens: issued by administrators, shown once, stored hashed, scoped, expiring, revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine import commands, history, queries
from engine.clock import TurnedClock
from engine.errors import InvalidValue, NotAllowed, NotFound
from engine.facade import Engine
from engine.store.tables import api_token

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
