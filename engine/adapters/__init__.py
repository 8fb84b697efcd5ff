"""Ways out to the world: they implement `ports` and are chosen in webui's wiring."""

from __future__ import annotations

from engine.adapters.smtp import SmtpMailer
from engine.adapters.webhook import SignedWebhook

__all__ = ["SignedWebhook", "SmtpMailer"]
