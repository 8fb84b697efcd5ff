"""Mail over SMTP."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from engine.clock import Clock, SystemClock
from engine.ports import DeliveryFailed, Mail

TIMEOUT_SECONDS = 20


class SmtpMailer:
    """Hands mails to an SMTP server, a connection each; a timeout ends a server that does not answer.

    A mail's `Message-ID` is made of its idempotency key, so that the copy of a second try is recognised as one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        user: str = "",
        password: str = "",
        starttls: bool = True,
        clock: Clock | None = None,
        timeout: float = TIMEOUT_SECONDS,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """Configure; nothing is connected yet.

        Args:
            sender: address in the From line, and domain of the Message-ID.
            user, password: signs in where a user is given; only after STARTTLS, or where STARTTLS was switched off.
            starttls: go on encrypted, or not at all.
            context: makes the TLS settings: certificates are verified by default.
        """
        self._host, self._port, self._sender = host, port, sender
        self._user, self._password, self._starttls = user, password, starttls
        self._clock = clock or SystemClock()
        self._timeout = timeout
        self._context = context

    def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises:
            DeliveryFailed: an address is none, or the server could not be reached, is not encrypted, or refuses.
        """
        message = self._message(mail)
        try:
            with smtplib.SMTP(self._host, self._port, timeout=self._timeout) as server:
                if self._starttls:
                    server.starttls(context=self._context())
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message, from_addr=self._sender, to_addrs=[mail.to])
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(f"{self._host}:{self._port}: {error}") from error

    def _message(self, mail: Mail) -> EmailMessage:
        if _breaks_lines(mail.to) or _breaks_lines(self._sender) or "@" not in mail.to:
            raise DeliveryFailed(f"not a mail address: {mail.to!r}")
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = " ".join(mail.subject.split())  # a line break would begin a header of somebody else's
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{hashlib.sha256(mail.idempotency_key.encode()).hexdigest()[:40]}@{_domain(self._sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _breaks_lines(address: str) -> bool:
    return any(character in address for character in "\r\n\0,<>") or not address.strip()


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2] or "localhost"
