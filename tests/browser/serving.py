"""Serves an engine's pages on a free loopback port while a test runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import waitress
from waitress import wasyncore

from engine.facade import Engine
from engine.settings import Settings
from webui.app import create_app


@contextmanager
def served(engine: Engine, settings: Settings) -> Iterator[str]:
    """Yield the address at which the engine's pages answer."""
    server = waitress.create_server(create_app(engine, settings), host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # Closed by the serving thread itself: closed by this one, it might just then wait on sockets that are gone.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
