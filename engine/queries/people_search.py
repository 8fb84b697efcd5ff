"""Searches of users, groups and members; only administrators see them, as on the pages."""

from __future__ import annotations

from sqlalchemy import select

from engine.errors import NotFound
from engine.queries.searching import Condition, Page, PageRequest, Search, Searchable, search
from engine.store.context import Context
from engine.store.rights import check_administers
from engine.store.tables import group, membership, user
from engine.store.transactions import Found

_USERS = Searchable(
    statement=select(user.c.key, user.c.username, user.c.name, user.c.email, user.c.active),
    columns={"username": user.c.username, "name": user.c.name, "email": user.c.email},
    key=user.c.key,
    nullable=frozenset({"email"}),
)
_GROUPS = Searchable(
    statement=select(group.c.id, group.c.name, group.c.name_en),
    columns={"group_id": group.c.id, "name": group.c.name},
    key=group.c.id,
)
_MEMBERS = Searchable(
    statement=select(membership.c.username, membership.c.group_id),
    columns={"username": membership.c.username, "group_id": membership.c.group_id},
    key=membership.c.username,
)


def search_users(ctx: Context, who: str, wanted: Search) -> Page:
    """Return users: rows of key, username, name, email, active.

    Raises:
        NotAllowed: the person is no administrator.
    """
    return _search(ctx, who, _USERS, wanted)


def find_user(ctx: Context, who: str, username: str) -> Found:
    """Return one user; see `search_users`.

    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such user.
    """
    return _one(search_users(ctx, who, _named("username", username)), f"没有用户 {username}（no such user）")


def search_groups(ctx: Context, who: str, wanted: Search) -> Page:
    """Return groups: rows of id, name, name_en.

    Raises:
        NotAllowed: the person is no administrator.
    """
    return _search(ctx, who, _GROUPS, wanted)


def find_group(ctx: Context, who: str, group_id: str) -> Found:
    """Return one group; see `search_groups`.

    Raises:
        NotAllowed: the person is no administrator.
        NotFound: there is no such group.
    """
    return _one(search_groups(ctx, who, _named("group_id", group_id)), f"没有组 {group_id}（no such group）")


def search_members(ctx: Context, who: str, group_id: str, wanted: Search) -> Page:
    """Return the members of a group: rows of username.

    Raises:
        NotAllowed: the person is no administrator.
    """
    with ctx.store.read() as reading:
        check_administers(reading, who)
        return search(reading, _MEMBERS, wanted, membership.c.group_id == group_id)


def _search(ctx: Context, who: str, family: Searchable, wanted: Search) -> Page:
    with ctx.store.read() as reading:
        check_administers(reading, who)
        return search(reading, family, wanted)


def _named(field: str, name: str) -> Search:
    return Search((Condition(field, "eq", name),), page=PageRequest(limit=1))


def _one(page: Page, missing: str) -> Found:
    if not page.rows:
        raise NotFound(missing)
    return page.rows[0]
