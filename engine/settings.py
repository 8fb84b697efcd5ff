"""Settings: one frozen object, read once from environment variables named LIUZHUAN_…

Secrets may come from a file: `LIUZHUAN_SECRET_KEY_FILE=/run/secrets/key` is read where `LIUZHUAN_SECRET_KEY` is not set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import SettingsError

PREFIX = "LIUZHUAN_"


def _setting(default: Any, meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"meaning": meaning, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a hospital can set. Names in the environment: `LIUZHUAN_` and the field's name in capitals."""

    database_url: str = _setting("sqlite:///var/liuzhuan.db", "SQLAlchemy URL of the database (SQLite or PostgreSQL)")
    time_zone: str = _setting("Asia/Shanghai", "IANA name of the zone in which local dates and working days are counted")
    sqlite_synchronous: str = _setting("FULL", "SQLite's synchronous mode: FULL, NORMAL or EXTRA")
    secret_key: str = _setting("", "key that signs sessions; made and kept under var/ where it is not set", secret=True)
    data_directory: str = _setting("var", "folder for the embedded database, the key and what is kept between starts")
    demo_password: str = _setting("", "password of the demo accounts; a random one, shown once, where it is not set", secret=True)
    session_minutes: int = _setting(480, "minutes without a request after which a session ends")
    secure_cookies: bool = _setting(False, "send cookies over HTTPS only; set it behind a TLS proxy")
    trusted_proxies: int = _setting(0, "number of reverse proxies in front whose X-Forwarded-* headers are believed")
    upload_megabytes: int = _setting(20, "largest request body in MiB, attachments included")
    api_json_megabytes: int = _setting(4, "largest JSON body that /v2 takes, in MiB")
    api_deployment_megabytes: int = _setting(20, "largest deployment that /v2 takes, in MiB")
    unique_business_ids: bool = _setting(False, "refuse to start a case through /v2 whose business id a running case has")
    step_budget: int = _setting(10_000, "elements one command may enter before an endless loop is called one")
    checkpoint_seconds: int = _setting(60, "longest time between two checkpoints of the journal")
    mail_host: str = _setting("", "SMTP server; empty: no mail is sent")
    mail_port: int = _setting(25, "SMTP port")
    mail_sender: str = _setting("", "sender's address of mails")
    mail_user: str = _setting("", "SMTP user name")
    mail_password: str = _setting("", "SMTP password", secret=True)
    mail_starttls: bool = _setting(True, "use STARTTLS with the SMTP server")
    webhook_url: str = _setting("", "address that receives alerts as JSON; empty: none")
    webhook_allow: tuple[str, ...] = _setting((), "host names that webhooks may post to, comma-separated")
    webhook_secret: str = _setting("", "key of the HMAC header of webhooks", secret=True)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables.

        Raises:
            SettingsError: a value cannot be read, or a variable named LIUZHUAN_… is not a setting.
        """
        source = os.environ if environment is None else environment
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        allowed = set(known) | {f"{name}_FILE" for name in known}
        values: dict[str, Any] = {}
        for name in sorted(source):
            if name.startswith(PREFIX) and name not in allowed:
                raise SettingsError(f"{name} is not a setting; `liuzhuan doctor` lists them", field=name)
        for name, spec in known.items():
            text = source.get(name)
            if text is None and (path := source.get(f"{name}_FILE")):
                text = _read_file(path, name)
            if text is not None:
                values[spec.name] = _convert(name, text, getattr(cls(), spec.name))
        settings = cls(**values)
        settings.validate()
        return settings

    def validate(self) -> None:
        """Check what a single value's type does not say.

        Raises:
            SettingsError: names the setting and what is wrong with it.
        """
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"LIUZHUAN_TIME_ZONE: no such time zone: {self.time_zone!r}", field="time_zone") from error
        if self.sqlite_synchronous.upper() not in {"FULL", "NORMAL", "EXTRA"}:
            raise SettingsError("LIUZHUAN_SQLITE_SYNCHRONOUS: FULL, NORMAL or EXTRA", field="sqlite_synchronous")
        megabytes = ("upload_megabytes", "api_json_megabytes", "api_deployment_megabytes")
        for name in (*megabytes, "session_minutes", "step_budget", "checkpoint_seconds", "mail_port"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{PREFIX}{name.upper()}: must be greater than 0", field=name)
        if self.mail_host and not self.mail_sender:
            raise SettingsError("LIUZHUAN_MAIL_SENDER: needed where LIUZHUAN_MAIL_HOST is set", field="mail_sender")

    def in_force(self) -> list[tuple[str, str, str]]:
        """Return (variable, value, meaning) of every setting; secrets show only whether they are set."""
        return [(PREFIX + f.name.upper(), self._shown(f.name, f.metadata["secret"]), f.metadata["meaning"]) for f in fields(self)]

    def _shown(self, name: str, secret: bool) -> str:
        value = getattr(self, name)
        if secret:
            return "(set)" if value else "(not set)"
        return ",".join(value) if isinstance(value, tuple) else _without_password(str(value))


def _without_password(text: str) -> str:
    if "://" not in text or "@" not in text:
        return text
    scheme, rest = text.split("://", 1)
    credentials, place = rest.rsplit("@", 1)
    return f"{scheme}://{credentials.split(':', 1)[0]}:***@{place}"


def _read_file(path: str, name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE: cannot be read: {error}", field=name) from error


def _convert(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
        if text.strip().lower() not in words:
            raise SettingsError(f"{name}: true or false, not {text!r}", field=name)
        return words[text.strip().lower()]
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError as error:
            raise SettingsError(f"{name}: a whole number, not {text!r}", field=name) from error
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
