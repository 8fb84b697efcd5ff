"""Who asks: HTTP Basic with the password of the sign-in page, or a bearer token. Cookies count for nothing here.

A password is checked by the command of the sign-in page, with its brake on guessing. Since that is slow on purpose, a password
found right is remembered for `_REMEMBERED` seconds, in memory alone, as a digest under a key of this process; it is forgotten
when the account's session epoch rises (password changed, account locked). Whoever asks is read anew each time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import Flask, current_app, request

from engine import commands, errors, queries
from engine.commands import tokens
from engine.store.directory import Person
from webui import access
from webui.v2.problems import ApiProblem, Overloaded

_REALM = 'Basic realm="Liuzhuan", charset="UTF-8"'
_REMEMBERED = 60.0
_MOST = 1_000
_CHECKS_AT_ONCE = 4  # each takes 19 MiB and a core
_LONGEST_WAIT = 5.0
_NOTED = timedelta(minutes=5)  # how often the use of a token is written down
_EXTENSION = "liuzhuan-v2-passwords"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may ask for.

    Attributes:
        scopes: names of `engine.commands.tokens.SCOPES` that the token has; None = all (a password).
        processes: the processes that the token is confined to; None = all.
    """

    person: Person
    scopes: frozenset[str] | None = None
    processes: frozenset[str] | None = None

    @property
    def username(self) -> str:
        """The person's username: what commands take as `by`, queries as `who`."""
        return self.person.username

    def check_scope(self, scope: str) -> None:
        """Check that the token is allowed something.

        Raises:
            ApiProblem: 403.
        """
        if self.scopes is not None and scope not in self.scopes:
            raise ApiProblem(403, f"The token lacks the scope {scope!r}.")

    def check_process(self, bpmn_process_id: str) -> None:
        """Check that the token is not confined to other processes.

        Raises:
            NotFound: it is; what it may not touch does not exist for it.
        """
        if self.processes is not None and bpmn_process_id not in self.processes:
            raise errors.NotFound(f"没有流程 {bpmn_process_id}（the token is confined to other processes）")


def _api_token(text: str) -> Caller | None:
    """Return whose token of ours this is; None = it is of another kind."""
    if not text.startswith(tokens.PREFIX):
        return None
    token = access.ask(queries.find_token, tokens.digest(text))
    person = access.find_person(token.username) if token is not None and token.live else None
    if token is None or person is None or not person.active:
        raise unauthenticated("The token is unknown, expired or revoked.", "invalid_token")
    if token.used_at is None or access.now() - token.used_at >= _NOTED:
        commands.note_use(access.context(), token.key)
    return Caller(person, frozenset(token.scopes), frozenset(token.processes) if token.processes is not None else None)


TOKEN_READERS: list[Callable[[str], Caller | None]] = [_api_token]
"""Each is asked in turn whose a bearer token is; None = not one of its kind. An invalid one raises `unauthenticated`."""


def init(app: Flask) -> None:
    """Give the application a memory of passwords."""
    app.extensions[_EXTENSION] = _Passwords()


def unauthenticated(
    detail: str = "Sign in with a user name and password, or with a bearer token.", error: str = ""
) -> ApiProblem:
    """Return the answer to whom we do not know."""
    bearer = f'Bearer realm="Liuzhuan"{f", error={chr(34)}{error}{chr(34)}" if error else ""}'
    return ApiProblem(401, detail, headers={"WWW-Authenticate": f"{_REALM}, {bearer}"})


def identify() -> Caller:
    """Return who asks.

    Raises:
        ApiProblem: 401, 503.
        SignInThrottled: too many wrong passwords.
    """
    given = request.authorization
    if given is None:
        raise unauthenticated()
    if given.type == "basic":
        return _by_password(given.username or "", given.password or "")
    if given.type == "bearer" and given.token:
        for read in TOKEN_READERS:
            caller = read(given.token)
            if caller is not None:
                return caller
        raise unauthenticated("The bearer token is not valid.", "invalid_token")
    raise unauthenticated()


def _by_password(username: str, password: str) -> Caller:
    if not username or "\x00" in username or len(username) > 255:
        raise unauthenticated("Wrong user name or password.")
    passwords = cast(_Passwords, current_app.extensions[_EXTENSION])
    digest = passwords.digest(username, password)
    person = access.find_person(username)
    if person is not None and person.active and passwords.knows(digest, person.session_epoch):
        return Caller(person)
    with passwords.turn():
        try:
            checked = commands.sign_in(access.context(), username, password)
        except errors.SignInThrottled:
            raise
        except errors.NotAllowed as error:
            raise unauthenticated("Wrong user name or password.") from error
    passwords.remember(digest, checked.session_epoch)
    return Caller(checked)


class _Passwords:
    """Digests of passwords found right lately; safe for threads."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_CHECKS_AT_ONCE)

    def digest(self, username: str, password: str) -> bytes:
        """Return what a name and password are remembered by."""
        return hmac.digest(self._key, f"{len(username)}:{username}:{password}".encode(errors="surrogatepass"), hashlib.sha256)

    def knows(self, digest: bytes, epoch: int) -> bool:
        """Whether this was right a moment ago, and the account's epoch is the same."""
        with self._lock:
            found = self._known.get(digest)
        return found is not None and found[0] == epoch and found[1] > time.monotonic()

    def remember(self, digest: bytes, epoch: int) -> None:
        """Remember what was found right."""
        with self._lock:
            self._known[digest] = (epoch, time.monotonic() + _REMEMBERED)
            self._known.move_to_end(digest)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def turn(self) -> _Turn:
        """Wait for one of the few places where a password is checked."""
        return _Turn(self._turns)


class _Turn:
    def __init__(self, turns: threading.BoundedSemaphore) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        if not self._turns.acquire(timeout=_LONGEST_WAIT):
            raise Overloaded("too many passwords are being checked; try again")

    def __exit__(self, *_: object) -> None:
        self._turns.release()
