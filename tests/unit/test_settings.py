from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings


def test_defaults_are_in_force_where_nothing_is_set() -> None:
    settings = Settings.read({})
    assert settings.time_zone == "Asia/Shanghai"
    assert settings.sqlite_synchronous == "FULL"


def test_values_are_read_by_type() -> None:
    settings = Settings.read(
        {
            "LIUZHUAN_SESSION_MINUTES": "30",
            "LIUZHUAN_SECURE_COOKIES": "yes",
            "LIUZHUAN_WEBHOOK_ALLOW": "a.example, b.example",
            "PATH": "ignored",
        }
    )
    assert (settings.session_minutes, settings.secure_cookies) == (30, True)
    assert settings.webhook_allow == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIUZHUAN_SESSION_MINUTES", "soon"),
        ("LIUZHUAN_SESSION_MINUTES", "0"),
        ("LIUZHUAN_SECURE_COOKIES", "perhaps"),
        ("LIUZHUAN_TIME_ZONE", "Mars/Olympus"),
        ("LIUZHUAN_SQLITE_SYNCHRONOUS", "OFF"),
        ("LIUZHUAN_SESSION_MINUTE", "30"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.read({name: value})
    assert name in refusal.value.message


def test_a_secret_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("s3cret\n", encoding="utf-8")
    settings = Settings.read({"LIUZHUAN_SECRET_KEY_FILE": str(secret)})
    assert settings.secret_key == "s3cret"
    assert "s3cret" not in str(settings.in_force())


def test_a_missing_secret_file_is_said() -> None:
    with pytest.raises(SettingsError, match="LIUZHUAN_SECRET_KEY_FILE"):
        Settings.read({"LIUZHUAN_SECRET_KEY_FILE": "/nowhere/key"})


def test_passwords_in_database_urls_are_not_shown() -> None:
    shown = {name: value for name, value, _ in Settings(database_url="postgresql://u:pw@db/x").in_force()}
    assert shown["LIUZHUAN_DATABASE_URL"] == "postgresql://u:***@db/x"
