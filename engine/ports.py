"""What the engine asks of the outside world. Implementations live in `adapters/` and are chosen in webui's wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A message by mail. `idempotency_key` is the same at every retry: a receiver can drop the second copy."""

    to: str
    subject: str
    text: str
    idempotency_key: str


class Mailer(Protocol):
    """Sends mail; raises `DeliveryFailed` when it could not be handed over."""

    def send(self, mail: Mail) -> None: ...


class Webhook(Protocol):
    """Posts JSON to an address of the allow-list; raises `DeliveryFailed` when not answered with 2xx."""

    def post(self, url: str, body: bytes, idempotency_key: str) -> None: ...


class DeliveryFailed(Exception):
    """The message could not be handed over; it is tried again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The adapters in force. None means that this way out is not configured."""

    mailer: Mailer | None = None
    webhook: Webhook | None = None
