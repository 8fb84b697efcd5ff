"""Tokens of the API: what administrators see of them, and whose one is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from engine.store.context import Context
from engine.store.tables import api_token
from engine.store.transactions import Found

_ALL = select(api_token).order_by(api_token.c.key.desc())
_BY_DIGEST = select(api_token).where(api_token.c.digest == bindparam("digest"))


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token, without what it is made of.

    Attributes:
        processes: those it is confined to; None = all.
        used_at: the last time, to within some minutes.
        live: neither expired nor revoked at the moment of asking.
    """

    key: int
    name: str
    username: str
    scopes: tuple[str, ...]
    processes: tuple[str, ...] | None
    created_at: datetime
    created_by: str | None
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    live: bool


def tokens(ctx: Context) -> tuple[ApiToken, ...]:
    """Return all tokens, the newest first: for administrators."""
    with ctx.store.read() as reading:
        return tuple(_token(row, reading.now) for row in reading.all(_ALL))


def find_token(ctx: Context, digest: str) -> ApiToken | None:
    """Return the token with this SHA-256 (hexadecimal), or None."""
    with ctx.store.read() as reading:
        row = reading.one(_BY_DIGEST, {"digest": digest})
        return None if row is None else _token(row, reading.now)


def _token(row: Found, now: datetime) -> ApiToken:
    return ApiToken(
        key=row.key,
        name=row.name,
        username=row.username,
        scopes=tuple(row.scopes),
        processes=tuple(row.processes) if row.processes is not None else None,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        live=row.revoked_at is None and now < row.expires_at,
    )
