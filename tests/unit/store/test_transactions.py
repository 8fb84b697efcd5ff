"""The one transaction: all or nothing, one writer, consistent reading, telling who drives due work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from engine.clock import TurnedClock
from engine.errors import SettingsError
from engine.keys import NODES
from engine.store import Store
from engine.store.leases import LASTS, lease_node, release_node
from engine.store.tables import counter, node_lease
from engine.store.upsert import insert_new, upsert

NOW = datetime(2026, 9, 1, tzinfo=UTC)
ADD = insert(counter)
COUNT = select(counter.c.value).where(counter.c.name == "n")


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/t.db"
    store = Store(url, TurnedClock(NOW))
    store.migrate()
    yield store
    store.close()


def test_an_error_rolls_everything_back(store: Store) -> None:
    def fail() -> None:
        with store.begin() as tx:
            tx.execute(ADD, {"name": "n", "value": 1})
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as reading:
        assert reading.scalar(COUNT) is None
        assert reading.now == NOW


def test_writers_take_turns(store: Store) -> None:
    def add() -> None:
        for _ in range(20):
            with store.begin() as tx:
                value = tx.scalar(COUNT) or 0
                tx.execute(upsert(tx, counter, ("value",)), {"name": "n", "value": value + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as reading:
        assert reading.scalar(COUNT) == 80


def test_what_is_there_stays(store: Store) -> None:
    with store.begin() as tx:
        for value in (1, 2):
            tx.execute(insert_new(tx, counter), {"name": "n", "value": value})
        assert tx.scalar(COUNT) == 1


def test_reading_is_one_moment(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/t.db", TurnedClock(NOW))
    store.migrate()
    with store.read() as reading:
        assert reading.scalar(COUNT) is None
        with store.begin() as tx:
            tx.execute(ADD, {"name": "n", "value": 1})
        assert reading.scalar(COUNT) is None
    store.close()


def test_listeners_hear_of_due_work_after_the_commit(store: Store) -> None:
    heard: list[datetime] = []
    store.on_due(heard.append)
    with store.begin() as tx:
        tx.falls_due(NOW + timedelta(hours=2))
        tx.falls_due(NOW + timedelta(hours=1))
        assert heard == []
    assert heard == [NOW + timedelta(hours=1)]


def test_sqlite_is_set_up_for_safety(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/t.db")
    with store.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    store.close()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "not a url"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Store(url)


def test_nodes_are_leased_and_given_back(store: Store) -> None:
    assert [lease_node(store, f"p{n}") for n in range(3)] == [0, 1, 2]
    release_node(store, 1, "another")
    release_node(store, 0, "p0")
    assert lease_node(store, "p4") == 0


def test_a_lease_that_ran_out_may_be_of_a_process_that_lives(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(insert(node_lease), {"node": 0, "owner": "up for long", "expires_at": NOW - timedelta(days=1)})
    assert lease_node(store, "new") == 1


def test_when_all_nodes_are_taken_the_oldest_is_given_out_again(store: Store) -> None:
    with store.begin() as tx:
        rows = [{"node": node, "owner": "x", "expires_at": NOW + LASTS - timedelta(seconds=node)} for node in range(NODES)]
        tx.execute(insert(node_lease), rows)
    assert lease_node(store, "late") == NODES - 1
