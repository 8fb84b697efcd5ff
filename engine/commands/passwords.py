"""Passwords: argon2id, and signing in with a brake on guessing."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select

from engine.errors import InvalidValue, NotAllowed, SignatureWrong, SignInThrottled
from engine.store import Reading
from engine.store.context import Context
from engine.store.directory import Person, person
from engine.store.tables import sign_in_attempt, user
from engine.store.upsert import upsert

MIN_LENGTH = 8
FREE_FAILURES = 5
"""Wrong passwords in a row that cost nothing; each further one doubles the wait, from 30 seconds to 15 minutes."""
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN = timedelta(hours=12)

# Source: OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 iterations, 1 lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

_SECRET = select(user.c.password_hash).where(user.c.username == bindparam("username"), user.c.active)
_ATTEMPTS = select(sign_in_attempt).where(sign_in_attempt.c.username == bindparam("username"))


def hashed(password: str) -> str:
    """Return the argon2id hash of a password.

    Raises:
        InvalidValue: it is shorter than 8 characters.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidValue(f"密码至少 {MIN_LENGTH} 个字符（at least {MIN_LENGTH} characters）", field="password")
    return _HASHER.hash(password)


def sign_in(ctx: Context, username: str, password: str) -> Person:
    """Check a password and return the user; a wrong one and an unknown name look the same.

    Raises:
        NotAllowed: name or password are wrong.
        SignInThrottled: too many failures; wait.
    """
    if not _verified(ctx, username, password):
        raise NotAllowed("用户名或密码不正确（wrong user name or password）")
    with ctx.store.read() as reading:
        return person(reading, username)


def check_signature(ctx: Context, username: str, password: str) -> None:
    """Check that who signs knows their password.

    Raises:
        SignatureWrong: the password is wrong.
        SignInThrottled: too many failures; wait.
    """
    if not _verified(ctx, username, password):
        raise SignatureWrong("密码不正确，未签名（the password is wrong; nothing was signed）", field="password")


def _verified(ctx: Context, username: str, password: str) -> bool:
    # The slow part runs outside any transaction: hashing must not hold the writer's lock.
    with ctx.store.read() as reading:
        _check_not_blocked(reading, username)
        secret = reading.scalar(_SECRET, {"username": username})
        failures = _failures(reading, username)
    good = _matches(secret or _nobody(), password) and secret is not None
    if good and failures:
        with ctx.store.begin() as tx:
            tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.username == username))
    elif not good:
        with ctx.store.begin() as tx:
            count = _failures(tx, username) + 1
            row = {
                "username": username[:255],
                "failures": count,
                "last_at": tx.now,
                "blocked_until": _blocked_until(tx.now, count),
            }
            tx.execute(upsert(tx, sign_in_attempt, ("failures", "last_at", "blocked_until")), row)
    return good


def _matches(secret: str, password: str) -> bool:
    try:
        return _HASHER.verify(secret, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """A hash that nobody has: an unknown name takes as long as a wrong password."""
    return _HASHER.hash("nobody's password")


def _failures(reading: Reading, username: str) -> int:
    row = reading.one(_ATTEMPTS, {"username": username[:255]})
    return 0 if row is None or row.last_at < reading.now - _FORGOTTEN else int(row.failures)


def _check_not_blocked(reading: Reading, username: str) -> None:
    row = reading.one(_ATTEMPTS, {"username": username[:255]})
    if row is not None and row.blocked_until is not None and row.blocked_until > reading.now:
        seconds = int((row.blocked_until - reading.now).total_seconds()) + 1
        raise SignInThrottled(f"尝试次数过多，请 {seconds} 秒后再试（too many failed attempts; wait {seconds} seconds）")


def _blocked_until(now: datetime, failures: int) -> datetime | None:
    if failures < FREE_FAILURES:
        return None
    doubled: timedelta = _FIRST_WAIT * 2 ** min(failures - FREE_FAILURES, 10)
    return now + min(doubled, _LONGEST_WAIT)
