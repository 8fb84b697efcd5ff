"""Camunda's client library for Python, as its users install it, works against a live server of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import waitress

from engine.facade import Engine
from engine.settings import Settings
from webui.app import create_app

HERE = Path(__file__).parent
LIBRARY = HERE.parent.parent / ".venv" / "clients"
PASSWORD = "correct horse"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine.open(f"sqlite:///{tmp_path / 'cases.db'}") as opened:
        opened.add_group("admin", "系统管理员")
        opened.add_user("root", "管理员甲", groups=["admin"], password=PASSWORD)
        yield opened


@pytest.fixture
def address(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """A server as `liuzhuan serve` runs it, on loopback."""
    app = create_app(engine, Settings(data_directory=str(tmp_path)))
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8, channel_request_lookahead=1)
    serving = threading.Thread(target=server.run)
    serving.start()
    with engine.driver():
        yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    serving.join()


def test_an_integrators_program_runs_unmodified(address: str, engine: Engine) -> None:
    assert LIBRARY.is_dir(), "`make .venv/clients` installs Camunda's client library (`make test` does it)"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(LIBRARY),
        "CAMUNDA_REST_ADDRESS": address,
        "CAMUNDA_AUTH_STRATEGY": "BASIC",
        "CAMUNDA_BASIC_AUTH_USERNAME": "root",
        "CAMUNDA_BASIC_AUTH_PASSWORD": PASSWORD,
    }
    command = [sys.executable, str(HERE / "python_program.py"), str(HERE / "order.bpmn")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    jobs, case = seen.pop("jobs"), int(seen.pop("case"))
    assert seen == {
        "version": "8.9.0",
        "deployed": ["order"],
        "poor": "COMPLETED",
        "incident": {"type": "JOB_NO_RETRIES", "message": "the bank is gone"},
        "tasks": ["check", "check", "check"],
        "good": "COMPLETED",
        "correlated": True,
        "nobody": True,
        "again": "refused",
    }
    handed = sorted((job["number"], -job["retries"]) for job in jobs)
    assert handed == [("broken", -3), ("broken", -2), ("good", -2), ("poor", -2), ("slow", -2), ("slow", -1)]
    assert all((job["amount"], job["currency"]) == (21, "CNY") for job in jobs)
    told = [(event.kind, event.actor) for event in engine.journal(case)]
    assert [told.count((kind, "root")) for kind in ("JobActivated", "JobCompleted", "TaskCompleted", "EventReceived")] == [
        1,
        1,
        1,
        1,
    ]
    assert engine.variables(case) == {
        "number": "good",
        "price": Decimal("10.5"),
        "count": 2,
        "charged": 21,
        "checked": True,
        "by": "rail",
    }
