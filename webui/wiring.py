"""Joins the settings, the adapters and the engine. The only place that chooses an implementation of a port."""

from __future__ import annotations

from pathlib import Path

from engine.adapters.mail import SmtpMailer
from engine.adapters.webhook import WebhookPoster
from engine.facade import Engine

from engine.clock import Clock
from engine.ports import Ports
from engine.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = ROOT / "processes"
FORMS = ROOT / "forms"


def ports(settings: Settings) -> Ports:
    """Return the adapters that the settings configure."""
    mailer = SmtpMailer.from_settings(settings) if settings.mail_host else None
    webhook = WebhookPoster.from_settings(settings) if settings.webhook_url else None
    return Ports(mailer=mailer, webhook=webhook)


def open_engine(settings: Settings, clock: Clock | None = None) -> Engine:
    """Open the engine on the settings' database, migrating it where it is behind."""
    prepare_data_directory(settings)
    return Engine.open(settings.database_url, clock=clock, settings=settings, ports=ports(settings))


def prepare_data_directory(settings: Settings) -> Path:
    """Make the folder for the embedded database and the key, readable by its owner alone."""
    folder = Path(settings.data_directory)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
