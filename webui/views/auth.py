"""Signing in and out, the language switch, and keeping what was typed when a session expires under it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer

from engine import commands, errors
from webui import access, i18n, problems, sessions, submissions
from webui.i18n import text

bp = Blueprint("auth", __name__)

_KEPT_SECONDS = 24 * 3600
_KEPT_LARGEST = 1024 * 1024  # characters of a submission that is carried through the sign-in page


@bp.get("/sign-in")
def sign_in() -> Response:
    """The sign-in page."""
    if sessions.read() is not None:
        return _to(_local(request.args.get("next")))
    return _page(expired="next" in request.args, next_url=_local(request.args.get("next"), otherwise=""))


@bp.post("/sign-in")
def sign_in_submit() -> Response:
    """Check the password, begin a session, and go where the person wanted to go."""
    username = request.form.get("username", "").strip()
    try:
        person = access.run(commands.sign_in, username, request.form.get("password", ""))
    except (errors.SignInThrottled, errors.NotAllowed) as error:
        return _refused(error, username)
    sessions.sign_in(person.username, person.session_epoch)
    if request.headers.get("X-Sign-In-Again"):
        return jsonify(csrf_token=generate_csrf())
    kept = _read_kept(request.form.get("kept"), person.username)
    if kept is not None:
        return _restore(kept, person.username)
    return _to(_local(request.form.get("next")))


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this browser's session."""
    sessions.sign_out()
    return _to(url_for("auth.sign_in"))


@bp.post("/language/<language>")
def switch_language(language: str) -> Response:
    """Show everything in another language from now on."""
    response = _to(_local(request.form.get("back")))
    if language in i18n.LANGUAGES:
        response.set_cookie(
            i18n.COOKIE,
            language,
            max_age=365 * 24 * 3600,
            httponly=True,
            samesite="Lax",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        )
    return response


def sign_in_keeping(username: str | None) -> Response:
    """Return the sign-in page for a submission of an expired session: what was typed is carried along, signed."""
    kept = None
    data = request.form.get("data", "")
    draft = submissions.draft_place(request.endpoint, request.view_args or {})
    if username and draft and 0 < len(data) <= _KEPT_LARGEST:
        kept = _serializer().dumps({"username": username, "draft": draft, "data": data})
    back = submissions.page_behind(request.endpoint, request.view_args or {})
    return _page(expired=True, username=username, next_url=back, kept=kept, status=401)


def _restore(kept: dict[str, Any], username: str) -> Response:
    """Save what was typed as the person's draft and show it."""
    try:
        place = submissions.keep(kept["draft"], kept["data"], username)
    except errors.LiuzhuanError as error:
        flash(problems.sentence(error), "error")
        return _to(url_for("inbox.index"))
    flash(text("已重新登录。您填写的内容已恢复，尚未提交，请核对后再提交。"), "warn")
    return _to(place)


def _read_kept(value: str | None, username: str) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        kept: dict[str, Any] = _serializer().loads(value, max_age=_KEPT_SECONDS)
    except BadSignature:
        return None
    return kept if kept.get("username") == username else None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="kept-submission")


def _refused(error: errors.LiuzhuanError, username: str) -> Response:
    throttled = isinstance(error, errors.SignInThrottled)
    message = problems.sentence(error) if throttled else text("用户名或密码不正确。")
    status = 429 if throttled else 401
    if request.headers.get("X-Sign-In-Again"):
        return problems.answer(status, message, code=error.code)
    next_url = _local(request.form.get("next"), otherwise="")
    return _page(username=username, next_url=next_url, kept=request.form.get("kept"), message=message, status=status)


def _page(*, status: int = 200, expired: bool = False, **values: Any) -> Response:
    response = make_response(render_template("auth/sign_in.html", expired=expired, **values))
    response.status_code = status
    return response


def _to(place: str) -> Response:
    return make_response(redirect(place, 303))


def _local(place: str | None, otherwise: str = "/") -> str:
    """Return a place on this site; anything that could lead elsewhere is dropped."""
    if not place or not place.startswith("/") or place.startswith(("//", "/\\")) or "\\" in place:
        return otherwise
    parts = urlsplit(place)
    return place if not parts.scheme and not parts.netloc else otherwise
