"""A client that goes away while it waits for jobs: nothing is taken for it. On a live server, since only that knows."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import waitress

from engine.facade import Engine
from engine.settings import Settings
from tests.unit.commands.office import line
from tests.unit.kernel.drawing import draw, service
from webui.app import create_app
from webui.v2 import polling

from ..conftest import PASSWORD


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine.open(f"sqlite:///{tmp_path / 'cases.db'}") as opened:
        opened.add_group("admin", "系统管理员")
        opened.add_user("root", "管理员甲", groups=["admin"], password=PASSWORD)
        opened.deploy({"p.bpmn": draw(line(("w", service("w"))))}, by="root")
        yield opened


def until(true: object) -> None:
    """Look again and again, half a minute at most; the suite's own limit is longer."""
    end = time.monotonic() + 30
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end


def test_nothing_is_taken_for_a_client_that_hung_up(engine: Engine, tmp_path: Path) -> None:
    app = create_app(engine, Settings(data_directory=str(tmp_path)))
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=2, channel_request_lookahead=1)
    serving = threading.Thread(target=server.run)
    serving.start()
    polls = polling.polls(app, engine)
    body = json.dumps({"type": "work", "timeout": 60_000, "maxJobsToActivate": 1, "requestTimeout": 60_000})
    sender = base64.b64encode(f"root:{PASSWORD}".encode()).decode()
    with socket.create_connection(("127.0.0.1", int(server.effective_port))) as client:
        head = f"POST /v2/jobs/activation HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {sender}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall((head + body).encode())
        until(lambda: polls.waiting == 1)
    until(lambda: polls.waiting == 0)  # long before its minute is over
    case = engine.start("P")
    assert [event.kind for event in engine.journal(case) if event.kind == "JobActivated"] == []
    assert len(engine.activate_jobs("work", "w")) == 1
    server.close()
    serving.join()
