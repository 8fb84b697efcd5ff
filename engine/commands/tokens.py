"""Tokens with which programs sign in to the API: issued by administrators, shown once, kept as SHA-256, scoped, expiring."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, insert, select, update

from engine import history
from engine.errors import Conflict, InvalidValue, NotFound
from engine.history.events import UserChanged
from engine.store.context import Context
from engine.store.directory import person
from engine.store.rights import check_administers
from engine.store.tables import api_token

SCOPES = {
    "read": "read what the owner may see",
    "start": "start process instances, publish messages, broadcast signals",
    "tasks": "work on user tasks",
    "jobs": "activate, complete and fail jobs",
    "deploy": "deploy and delete resources",
    "admin": "what administrators do: cancel, modify, migrate, resolve incidents, manage people",
}
"""What a token may be allowed. It never allows more than its owner may do."""

PREFIX = "lz_"
LONGEST = timedelta(days=366)
"""Longest life of a token."""

_ADD = insert(api_token)
_BY_KEY = select(api_token).where(api_token.c.key == bindparam("token"))
_REVOKE = (
    update(api_token).where(api_token.c.key == bindparam("token")).values(revoked_at=bindparam("at"), revoked_by=bindparam("who"))
)
_USED = update(api_token).where(api_token.c.key == bindparam("token")).values(used_at=bindparam("at"))


def issue_token(
    ctx: Context,
    username: str,
    name: str,
    scopes: Collection[str],
    expires_at: datetime,
    *,
    processes: Collection[str] | None = None,
    by: str | None = None,
) -> str:
    """Issue a token and return it: it begins with `lz_`, and cannot be read again.

    Args:
        username: whose it is; what is done with it, this person does.
        name: what it is for.
        scopes: names of `SCOPES`.
        expires_at: aware moment, at most `LONGEST` from now.
        processes: ids of the processes that it is confined to; None = all.
    Raises:
        NotFound: there is no such active user.
        NotAllowed: `by` is no administrator.
        InvalidValue: the name, a scope or the moment is not allowed.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    if not 1 <= len(name.strip()) <= 100:
        raise InvalidValue("请填写令牌用途，最多 100 字（a name of 1 to 100 characters is needed）", field="name")
    if not scopes or (unknown := sorted(set(scopes) - SCOPES.keys())):
        given = ", ".join(unknown) if scopes else "–"
        raise InvalidValue(f"权限范围不合规：{given}（scopes are {', '.join(SCOPES)}）", field="scopes")
    with ctx.store.begin() as tx:
        check_administers(tx, by)
        person(tx, username)
        if not tx.now < expires_at <= tx.now + LONGEST:
            raise InvalidValue("有效期必须在今后一年以内（must expire within a year）", field="expires_at")
        key = next(ctx.keys)
        tx.execute(
            _ADD,
            {
                "key": key,
                "digest": digest(token),
                "name": name.strip(),
                "username": username,
                "scopes": sorted(set(scopes)),
                "processes": sorted(set(processes)) if processes else None,
                "created_at": tx.now,
                "created_by": by,
                "expires_at": expires_at,
                "revoked_at": None,
                "revoked_by": None,
                "used_at": None,
            },
        )
        told = {"token": str(key), "name": name.strip(), "scopes": sorted(set(scopes)), "expires_at": expires_at.isoformat()}
        history.append(tx, history.NO_INSTANCE, "issue_token", [UserChanged(username, "token-issued", told)], actor=by)
    return token


def revoke_token(ctx: Context, key: int, by: str | None = None) -> None:
    """Let a token be good for nothing from now on. People revoke their own, administrators everybody's.

    Raises:
        NotFound: there is no such token.
        NotAllowed: it is somebody else's, and `by` is no administrator.
        Conflict: it was revoked before.
    """
    with ctx.store.begin() as tx:
        row = tx.one(_BY_KEY, {"token": key})
        if row is None:
            raise NotFound(f"没有令牌 {key}（no such token）")
        check_administers(tx, None if by == row.username else by)
        if row.revoked_at is not None:
            raise Conflict(f"令牌 {row.name} 已吊销（it was revoked before）")
        tx.execute(_REVOKE, {"token": key, "at": tx.now, "who": by})
        told = {"token": str(key), "name": row.name}
        history.append(tx, history.NO_INSTANCE, "revoke_token", [UserChanged(row.username, "token-revoked", told)], actor=by)


def note_use(ctx: Context, key: int) -> None:
    """Note that a token is used now."""
    with ctx.store.begin() as tx:
        tx.execute(_USED, {"token": key, "at": tx.now})


def digest(token: str) -> str:
    """Return what a token is kept as: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
