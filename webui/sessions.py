"""Who is signed in: a signed cookie that holds the username, the account's session epoch and the last moment of activity.

A session ends after the minutes set without a request, when the person signs out, and when the account's epoch is raised
(password changed, account deactivated). Nothing of an earlier session survives a sign-in, so a planted cookie gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import current_app, g, session

from engine.errors import NotAllowed
from webui import access

P = ParamSpec("P")
R = TypeVar("R")

_REFRESH = timedelta(minutes=1)  # how often the cookie is written anew while the person works


class SessionExpired(Exception):
    """Nobody is signed in, or not any more. `username`: who was."""

    def __init__(self, username: str | None = None) -> None:
        self.username = username
        super().__init__("the session has expired")


def sign_in(username: str, epoch: int) -> None:
    """Begin a session; whatever the cookie held before is dropped."""
    language = session.get("language")
    session.clear()
    session.permanent = True
    session.update(username=username, epoch=epoch, seen=_stamp(access.now()))
    if language:
        session["language"] = language


def sign_out() -> None:
    """End this browser's session."""
    session.clear()


def last_username() -> str | None:
    """Return who is or was signed in with this browser, expired or not."""
    return session.get("username")


def read(*, refresh: bool = True) -> access.Person | None:
    """Return the signed-in person, None where there is none or the session is over.

    Args:
        refresh: count this request as activity (polling does not keep a session alive).
    """
    username = session.get("username")
    if not isinstance(username, str):
        return None
    now = access.now()
    seen = datetime.fromtimestamp(int(session.get("seen", 0)), UTC)
    if now - seen > timedelta(minutes=int(current_app.config["SESSION_MINUTES"])):
        return None
    person = access.find_person(username)
    if person is None or not person.active or person.session_epoch != session.get("epoch"):
        return None
    if refresh and now - seen >= _REFRESH:
        session["seen"] = _stamp(now)
    return person


def person() -> access.Person:
    """Return the signed-in person of this request.

    Raises:
        SessionExpired: nobody is signed in.
    """
    if g.get("person") is None:
        raise SessionExpired(last_username())
    return cast(access.Person, g.person)


def username() -> str:
    """Return the signed-in person's username; see `person`."""
    return person().username


def only(*groups: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Guard a view: only members of one of these groups get in."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if person().groups.isdisjoint(groups):
                raise NotAllowed("这一页只供有权限的人员使用（this page needs another role）")
            return view(*args, **kwargs)

        return guarded

    return guard


def _stamp(at: datetime) -> int:
    return int(at.timestamp())
