"""What is kept in memory: by mark, within a limit, taken out once."""

from __future__ import annotations

from engine.store.kept import Kept


def test_it_comes_out_once_and_only_for_its_mark() -> None:
    kept = Kept(100)
    kept.keep(1, "a", "one", 10)
    assert kept.take(1, "a") == ("one", 10)
    assert kept.take(1, "a") is None
    kept.keep(1, "a", "one", 10)
    assert kept.take(1, "b") is None
    assert kept.take(1, "a") is None, "what was of another mark is forgotten"
    assert kept.weight == 0


def test_the_mark_moves_on_where_only_the_mark_changed() -> None:
    kept = Kept(100)
    kept.keep(1, "a", "one", 10)
    kept.mark_anew(1, "x", "y")
    kept.mark_anew(2, "a", "b")
    kept.mark_anew(1, "a", "b")
    assert kept.take(1, "a") is None
    kept.keep(1, "b", "one", 10)
    assert kept.take(1, "b") == ("one", 10)


def test_the_least_recently_used_go_first_and_the_weight_stays_within_the_limit() -> None:
    kept = Kept(100)
    for key in range(50):
        kept.keep(key, "a", key, 30)
        assert kept.weight <= 100
    assert [key for key in range(50) if kept.take(key, "a")] == [47, 48, 49]
    kept.keep(1, "a", "heavy", 101)
    assert kept.take(1, "a") is None
    kept.keep(2, "a", "two", 60)
    kept.keep(2, "b", "two again", 50)
    assert kept.weight == 50
