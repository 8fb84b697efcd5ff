"""Statements handed to the driver as they are find and change the same as SQLAlchemy's way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from engine.store import Store, prepared
from engine.store.tables import draft, substitution, user
from engine.store.upsert import upsert

NOW = datetime(2026, 9, 24, 1, 2, 3, 4, tzinfo=UTC)
BY_NAME = select(user.c.key, user.c.active, user.c.created_at).where(user.c.username == bindparam("who"))
ADD = insert(user)
SET = update(user).where(user.c.key == bindparam("place")).values(name=bindparam("new"), active=bindparam("on"))
GONE = delete(user).where(user.c.key == bindparam("place"), user.c.external)
ROW = {"username": "anna", "name": "安娜", "active": True, "session_epoch": 0, "external": False, "created_at": NOW}
ALL = select(user).order_by(user.c.key).limit(bindparam("most"))
IN_LIST = select(user.c.key).where(user.c.key.in_(bindparam("keys", expanding=True)))
STAND_IN = insert(substitution)
SCOPES = select(substitution.c.groups, substitution.c.from_at)


@pytest.fixture(params=[False, True], ids=["prepared", "sqlalchemy"])
def store(request: pytest.FixtureRequest) -> Store:
    store = Store("sqlite://")
    store.migrate()
    if request.param:
        event.listen(store.engine, "before_cursor_execute", lambda *_: None)
    return store


def used(store: Store) -> bool:
    """Whether statements take the short way here."""
    with store.read() as reading:
        return not prepared.watched(reading._connection) and BY_NAME in prepared._PREPARED


def both(store: Store, number: int) -> dict[str, Any]:
    """Do everything once; the second time it is prepared."""
    found: dict[str, Any] = {}
    with store.begin() as tx:
        tx.execute(ADD, {"key": number, **ROW, "username": f"anna{number}"})
        tx.execute(ADD, [{"key": number + place, **ROW, "username": f"b{number + place}"} for place in (1, 2)])
        (row,) = tx.all(BY_NAME, {"who": f"anna{number}"})
        key, active, created_at = row
        found["row"] = (key - number, active, created_at, row.active, row._asdict().keys() == {"key", "active", "created_at"})
        found["scalar"] = tx.scalar(BY_NAME, {"who": f"anna{number}"}) == number
        found["none"] = (tx.one(BY_NAME, {"who": "x"}), tx.scalar(BY_NAME, {"who": "x"}), tx.all(BY_NAME, {"who": "x"}))
        found["changed"] = tx.execute(SET, {"place": number, "new": "新", "on": False}).rowcount
        found["several"] = tx.execute(SET, [{"place": number + place, "new": "新", "on": False} for place in (1, 2)]).rowcount
        found["read"] = [
            (row.name, row.active) for row in tx.execute(BY_NAME.add_columns(user.c.name), {"who": f"b{number + 1}"})
        ]
        found["limited"] = len(tx.all(ALL, {"most": 2}))
        found["in"] = [row.key - number for row in tx.all(IN_LIST, {"keys": [number, number + 1]})]
        found["gone"] = tx.execute(GONE, {"place": number}).rowcount
        scope = {"key": number, "absent": f"anna{number}", "substitute": f"b{number + 1}", "from_at": NOW, "until_at": NOW}
        tx.execute(STAND_IN, {**scope, "groups": ["a", "中"], "created_at": NOW})
        found["json"] = {(tuple(row.groups), row.from_at) for row in tx.execute(SCOPES)}
        statement = upsert(tx, draft, ("data", "saved_at"))
        found["upsert"] = isinstance(statement.table.name, str)
    return found


def test_both_ways_find_the_same(store: Store) -> None:
    first, second, third, fourth = (both(store, number) for number in (10, 20, 30, 40))
    assert first == second == third == fourth
    assert first["row"] == (0, True, NOW, True, True)
    assert first["changed"] == 1
    assert first["several"] == 2
    assert first["json"] == {(("a", "中"), NOW)}
    assert first["in"] == [0, 1]
    assert first["gone"] == 0


def test_what_the_database_refuses_is_raised_as_sqlalchemy_raises_it_and_rolled_back(store: Store) -> None:
    both(store, 10)
    both(store, 20)

    def twice() -> None:
        with store.begin() as tx:
            tx.execute(ADD, {"key": 50, **ROW, "username": "cleo"})
            tx.execute(ADD, {"key": 51, **ROW, "username": "cleo"})

    with pytest.raises(IntegrityError):
        twice()
    with store.read() as reading:
        assert reading.one(BY_NAME, {"who": "cleo"}) is None


def test_a_value_that_is_forgotten_is_an_error(store: Store) -> None:
    for number in (10, 20, 30):
        both(store, number)
    with store.read() as reading, pytest.raises((KeyError, StatementError)):
        reading.one(BY_NAME, {})


def test_statements_are_prepared_unless_somebody_listens(store: Store) -> None:
    both(store, 10)
    both(store, 20)
    assert used(store) is not bool(store.engine.dispatch.before_cursor_execute)


def test_what_follows_a_commit_does_not_follow_a_rollback(store: Store) -> None:
    seen: list[str] = []

    def fails() -> None:
        with store.begin() as tx:
            tx.after_commit(lambda: seen.append("no"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with store.begin() as tx:
        tx.after_commit(lambda: seen.append("yes"))
        assert seen == []
    assert seen == ["yes"]
