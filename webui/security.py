"""What protects the browser side: the session key, CSRF tokens, headers.

The content security policy allows scripts of our own files alone, nothing inline, nothing evaluated. Styles need
'unsafe-inline' because bpmn-js, dmn-js and form-js set style attributes and insert style elements; images and fonts may be
data: URLs, which the diagrams' markers use. Nothing is loaded from elsewhere.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect

from engine.settings import Settings
from webui import sessions

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_OPEN = {"static", "health.healthz", "health.readyz"}  # neither session nor token
_QUIET = {"alerts.bell"}  # asked by the page itself: no activity of the person

csrf = CSRFProtect()


def init(app: Flask, settings: Settings) -> None:
    """Protect the application."""
    app.secret_key = settings.secret_key or _kept_key(Path(settings.data_directory) / "secret-key")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-liuzhuan" if settings.secure_cookies else "liuzhuan",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=31 * 24 * 3600,  # ours ends earlier, by the engine's clock: see sessions
        SESSION_MINUTES=settings.session_minutes,
        MAX_CONTENT_LENGTH=settings.upload_megabytes * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_CHECK_DEFAULT=False,  # checked below, after the session
        WTF_CSRF_SSL_STRICT=settings.secure_cookies,
    )
    csrf.init_app(app)
    app.before_request(_identify)
    app.after_request(_headers)


def _identify() -> None:
    """Find out who asks; check the token of what changes something."""
    g.person = None
    if request.endpoint in _OPEN or request.endpoint is None or request.blueprint == "v2":
        return  # the API asks for a password or token with each request, and takes no cookie
    g.person = sessions.read(refresh=request.endpoint not in _QUIET)
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if g.person is None and request.blueprint != "auth":
        raise sessions.SessionExpired(sessions.last_username())
    csrf.protect()


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
        headers["Vary"] = "Cookie"
    return response


def _kept_key(path: Path) -> str:
    """Return the key kept in a file, making it at the first start."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_urlsafe(48)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key)
    except FileExistsError:  # another process was faster
        return path.read_text(encoding="ascii")
    return key
