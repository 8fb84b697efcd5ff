"""Ways out to the world: they implement `ports` and are chosen in webui's wiring."""

from __future__ import annotations

from engine.adapters.smtp import SmtpMailer
from engine.adapters.webhook import SignedWebhook
from engine.ports import Ports
from engine.settings import Settings

__all__ = ["SignedWebhook", "SmtpMailer", "ports_of"]


def ports_of(settings: Settings) -> Ports:
    """Return the adapters that the settings ask for; a way out that is not configured is None."""
    mailer = SmtpMailer(
        settings.mail_host,
        settings.mail_port,
        settings.mail_sender,
        user=settings.mail_user,
        password=settings.mail_password,
        starttls=settings.mail_starttls,
    )
    webhook = SignedWebhook(settings.webhook_allow, settings.webhook_secret)
    return Ports(mailer if settings.mail_host else None, webhook if settings.webhook_url else None)
