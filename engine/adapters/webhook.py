"""Alerts as JSON to an address of the hospital's choice, signed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
from collections.abc import Collection
from urllib.parse import urlsplit

from engine.ports import DeliveryFailed

TIMEOUT_SECONDS = 10

SIGNATURE_HEADER = "X-Liuzhuan-Signature"
"""`sha256=` and the HMAC-SHA-256 of the body with the shared secret, in hexadecimal."""


class SignedWebhook:
    """Posts JSON to hosts of an allow-list. Redirects are not followed: an answer other than 2xx is a failure."""

    def __init__(self, allowed_hosts: Collection[str], secret: str = "", *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Configure.

        Args:
            allowed_hosts: names of hosts that may be posted to (`alerts.hospital.example` or `127.0.0.1:8080`); no other is.
            secret: key of the HMAC; without one the header is left out.
        """
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._secret = secret.encode()
        self._timeout = timeout

    def post(self, url: str, body: bytes, idempotency_key: str) -> None:
        """Post a body.

        Raises:
            DeliveryFailed: the address is not allowed, cannot be reached, or does not answer with 2xx.
        """
        connection, path = self._connect(url)
        try:
            connection.request("POST", path, body, self._headers(body, idempotency_key))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeliveryFailed(f"{url}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise DeliveryFailed(f"{url}: answered {status}")

    def _connect(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError as error:
            raise DeliveryFailed(f"not an address: {url!r}") from error
        if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
            raise DeliveryFailed(f"not an address to post to: {url!r}")
        if host not in self._allowed and f"{host}:{port}" not in self._allowed:
            raise DeliveryFailed(f"{host} is not among the allowed hosts (LIUZHUAN_WEBHOOK_ALLOW)")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=ssl.create_default_context()), path
        return http.client.HTTPConnection(host, port, timeout=self._timeout), path

    def _headers(self, body: bytes, idempotency_key: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": _one_line(idempotency_key)}
        if self._secret:
            headers[SIGNATURE_HEADER] = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return headers


def _one_line(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")
