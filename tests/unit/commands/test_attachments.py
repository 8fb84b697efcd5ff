"""Uploads: bound to a case by the submission that names them, discarded when nothing does."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import Engine, commands, jobs, queries
from engine.errors import NotFound
from engine.store.tables import attachment, blob
from tests.unit.commands.office import form, office, one_task, open_task, turn
from tests.unit.kernel.drawing import z

FILES = {"type": "filepicker", "key": "files", "label": "附件", "multiple": True}


@pytest.fixture
def engine() -> Engine:
    engine = office()
    resources = {"f.form": form("f", FILES), "p.bpmn": one_task(z("formDefinition", formId="f"))}
    engine.deploy(resources)
    return engine


def staged(engine: Engine) -> set[tuple[str, str]]:
    with engine.context.store.read() as reading:
        return {(row.name, row.staged_by) for row in reading.all(select(attachment))}


def kept(engine: Engine, digest: str) -> bool:
    with engine.context.store.read() as reading:
        return reading.one(select(blob.c.digest).where(blob.c.digest == digest)) is not None


def test_an_upload_that_nothing_names_is_discarded_a_day_later(engine: Engine) -> None:
    file = engine.attach("lost.pdf", "application/pdf", b"%PDF \xff", by="anna")
    turn(engine, hours=24)
    assert jobs.tidy(engine.context) == 0
    turn(engine, seconds=1)
    assert jobs.tidy(engine.context) == 1
    assert staged(engine) == set()
    assert not kept(engine, file["digest"])
    with pytest.raises(NotFound):
        queries.attachment_content(engine.context, file["digest"], "anna")


def test_what_a_case_holds_stays(engine: Engine) -> None:
    file = engine.attach("note.pdf", "application/pdf", b"%PDF \xff", by="anna")
    case = engine.start("P")
    engine.complete(open_task(engine, case).key, {"files": [file]}, by="anna")
    engine.attach("copy.pdf", "application/pdf", b"%PDF \xff", by="bo")
    turn(engine, days=30)
    jobs.tidy(engine.context)
    assert kept(engine, file["digest"])
    assert engine.verify().ok


def test_what_a_draft_holds_stays_until_the_draft_goes(engine: Engine) -> None:
    first = engine.attach("first.pdf", "application/pdf", b"%PDF 1 \xff", by="anna")
    second = engine.attach("second.pdf", "application/pdf", b"%PDF 2 \xff", by="root")
    key = open_task(engine, engine.start("P")).key
    engine.save_draft(key, {"files": [first]}, by="anna")
    draft = commands.save_start_draft(engine.context, "P", {"files": [second]}, "root")
    turn(engine, days=2)
    assert jobs.tidy(engine.context) == 0
    commands.discard_start_draft(engine.context, draft, "root")
    assert jobs.tidy(engine.context) == 1
    assert staged(engine) == {("first.pdf", "anna")}


def test_two_people_s_upload_of_one_content_is_discarded_with_the_later_one(engine: Engine) -> None:
    file = engine.attach("one.pdf", "application/pdf", b"%PDF \xff", by="anna")
    turn(engine, hours=20)
    engine.attach("two.pdf", "application/pdf", b"%PDF \xff", by="bo")
    turn(engine, hours=20)
    jobs.tidy(engine.context)
    assert staged(engine) == {("two.pdf", "bo")}
    assert kept(engine, file["digest"])
    turn(engine, hours=20)
    jobs.tidy(engine.context)
    assert not kept(engine, file["digest"])


def test_an_upload_that_equals_a_deployed_file_or_a_journalled_value_takes_nothing_away(engine: Engine) -> None:
    case = engine.start("P", {"long": ["长" * 3000]})
    with engine.context.store.read() as reading:
        contents = [bytes(row.content) for row in reading.all(select(blob))]
    assert len(contents) == 3
    engine.set_variables(case, {"long": "short"})  # the large value stands in the journal alone now
    for number, content in enumerate(contents):
        engine.attach(f"{number}.txt", "text/plain", content, by="anna")
    turn(engine, days=2)
    assert jobs.tidy(engine.context) == 3
    assert staged(engine) == set()
    with engine.context.store.read() as reading:
        assert {bytes(row.content) for row in reading.all(select(blob))} == set(contents)
    assert engine.verify().ok
