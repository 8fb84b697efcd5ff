"""Mail: real bytes to a small server on the loopback; nothing a mail says can add a header."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

import pytest

from engine.adapters import SmtpMailer
from engine.clock import TurnedClock
from engine.ports import DeliveryFailed, Mail


class Server(socketserver.ThreadingTCPServer):
    """Speaks just enough SMTP; keeps what it was told."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), Talk)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Talk(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline():
            command = line.decode().strip()
            self.server.commands.append(command)
            verb = command.split(":")[0].split(" ")[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                message = email.message_from_bytes(b"".join(lines), policy=default)
                assert isinstance(message, EmailMessage)
                self.server.mails.append(message)
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say(self.server.answers.get(verb, "250 ok"))

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def mailer(server: Server, *, starttls: bool = False, user: str = "") -> SmtpMailer:
    clock = TurnedClock(datetime(2026, 9, 24, 1, tzinfo=UTC))
    return SmtpMailer(
        "127.0.0.1",
        server.port,
        "liuzhuan@hospital.example",
        starttls=starttls,
        user=user,
        password="secret",
        clock=clock,
        timeout=5,
    )


def test_a_mail_arrives_as_it_was_written(server: Server) -> None:
    mail = Mail("anna@hospital.example", "逾期：报告", "请处理。\n.\n完", "mail:1:anna")
    mailer(server).send(mail)
    mailer(server).send(mail)
    first, second = server.mails
    assert first["Subject"] == "逾期：报告"
    assert first.get_content().replace("\r\n", "\n") == "请处理。\n.\n完\n"
    assert (first["From"], first["To"]) == ("liuzhuan@hospital.example", "anna@hospital.example")
    assert first["Date"].datetime == datetime(2026, 9, 24, 1, tzinfo=UTC)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@hospital.example>")
    mailer(server).send(Mail(mail.to, mail.subject, mail.text, "mail:2:anna"))
    assert server.mails[2]["Message-ID"] != first["Message-ID"]


def test_a_subject_cannot_add_a_header(server: Server) -> None:
    mailer(server).send(Mail("anna@hospital.example", "x\r\nBcc: evil@example.org", "text", "k"))
    assert server.mails[0]["Bcc"] is None
    assert server.mails[0]["Subject"] == "x Bcc: evil@example.org"


@pytest.mark.parametrize("address", ["", "anna", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>"])
def test_what_is_no_address_is_refused(server: Server, address: str) -> None:
    with pytest.raises(DeliveryFailed, match="not a mail address"):
        mailer(server).send(Mail(address, "x", "x", "k"))
    assert server.commands == []


def test_without_encryption_nothing_is_sent_where_it_is_asked_for(server: Server) -> None:
    with pytest.raises(DeliveryFailed, match="STARTTLS"):
        mailer(server, starttls=True, user="u").send(Mail("a@b.cn", "x", "x", "k"))
    assert not any("AUTH" in command or "MAIL" in command for command in server.commands)


def test_a_refusal_is_a_failed_delivery(server: Server) -> None:
    server.answers["RCPT"] = "550 no such mailbox"
    with pytest.raises(DeliveryFailed, match="no such mailbox"):
        mailer(server).send(Mail("a@b.cn", "x", "x", "k"))


def test_a_server_that_is_not_there_is_a_failed_delivery(server: Server) -> None:
    gone = SmtpMailer("127.0.0.1", server.port, "s@h.example", starttls=False, timeout=5)
    server.shutdown()
    server.server_close()
    with pytest.raises(DeliveryFailed):
        gone.send(Mail("a@b.cn", "x", "x", "k"))
