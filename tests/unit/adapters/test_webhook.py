"""Webhooks: allow-list, no redirects, signature, idempotency key, timeouts."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engine.adapters import SignedWebhook
from engine.adapters.webhook import SIGNATURE_HEADER
from engine.ports import DeliveryFailed


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    received: list[tuple[str, dict[str, str], bytes]]
    status = 204


class Talk(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver(("127.0.0.1", 0), Talk)
    running.received = []
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def url(receiver: Receiver, path: str = "/alerts?x=1") -> str:
    return f"http://127.0.0.1:{receiver.server_address[1]}{path}"


def test_a_post_is_signed_and_carries_its_key(receiver: Receiver) -> None:
    body = '{"kind":"逾期"}'.encode()
    SignedWebhook(["127.0.0.1"], "secret").post(url(receiver), body, "webhook:1")
    ((path, headers, received),) = receiver.received
    assert (path, received) == ("/alerts?x=1", body)
    assert headers["Idempotency-Key"] == "webhook:1"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers[SIGNATURE_HEADER] == "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    SignedWebhook([f"127.0.0.1:{receiver.server_address[1]}"]).post(url(receiver), b"{}", "k\r\nX-Evil: 1")
    ((_, headers, _),) = receiver.received
    assert SIGNATURE_HEADER not in headers
    assert "X-Evil" not in headers


@pytest.mark.parametrize("status", [302, 404, 500])
def test_only_2xx_is_a_delivery_and_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(DeliveryFailed, match=str(status)):
        SignedWebhook(["127.0.0.1"]).post(url(receiver), b"{}", "k")
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest",
        "http://127.0.0.1.evil.example/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://user:pw@127.0.0.1/",
        "http:///x",
        "http://127.0.0.1:port/",
        "http://[",
    ],
)
def test_no_other_address_is_posted_to(receiver: Receiver, address: str) -> None:
    with pytest.raises(DeliveryFailed):
        SignedWebhook(["127.0.0.1"]).post(address, b"{}", "k")
    assert receiver.received == []


def test_a_receiver_that_does_not_answer_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DeliveryFailed):
            SignedWebhook(["127.0.0.1"], timeout=0.1).post(address, b"{}", "k")
