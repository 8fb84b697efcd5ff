"""Whatever a file holds: it is refused with an error of the engine's own, or read, checked and evaluated."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import dmn
from tests.unit.dmn import fuzzing
from tests.unit.feel.fuzzing import Choices


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.binary(min_size=8, max_size=200))
def test_changed_files(data: bytes) -> None:
    fuzzing.check_bytes(data)


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    fuzzing.check_model(data, Choices(b""))


def test_the_files_themselves_are_read() -> None:
    assert len(fuzzing.FILES) > 10
    for xml in fuzzing.FILES:
        assert dmn.load(xml).decisions
        fuzzing.check_model(xml, Choices(b""))
