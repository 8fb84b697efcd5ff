"""Joins the settings, the adapters and the engine. The only place that chooses an implementation of a port."""

from __future__ import annotations

from pathlib import Path

from engine.adapters.smtp import SmtpMailer
from engine.adapters.webhook import SignedWebhook
from engine.clock import Clock
from engine.facade import Engine
from engine.ports import Ports
from engine.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = ROOT / "processes"
FORMS = ROOT / "forms"


def ports(settings: Settings) -> Ports:
    """Return the adapters that the settings configure."""
    return Ports(mailer=_mailer(settings) if settings.mail_host else None, webhook=_webhook(settings))


def _mailer(settings: Settings) -> SmtpMailer:
    return SmtpMailer(
        settings.mail_host,
        settings.mail_port,
        sender=settings.mail_sender,
        user=settings.mail_user,
        password=settings.mail_password,
        starttls=settings.mail_starttls,
    )


def _webhook(settings: Settings) -> SignedWebhook | None:
    return SignedWebhook(settings.webhook_allow, settings.webhook_secret) if settings.webhook_url else None


def open_engine(settings: Settings, clock: Clock | None = None) -> Engine:
    """Open the engine on the settings' database, migrating it where it is behind."""
    prepare_data_directory(settings)
    return Engine.open(settings.database_url, clock=clock, settings=settings, ports=ports(settings))


def prepare_data_directory(settings: Settings) -> Path:
    """Make the folder for the embedded database and the key, readable by its owner alone."""
    folder = Path(settings.data_directory)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
