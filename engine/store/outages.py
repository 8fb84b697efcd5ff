"""Errors that say that the database does not answer in time: nothing was changed, and asking again later may succeed."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError, TimeoutError  # noqa: A004 - the pool names its own so

UNAVAILABLE = (OperationalError, TimeoutError)
"""Locked for too long, out of connections, not reachable."""
