"""Users, groups, roles and the one tenant, for administrators, as on the pages.

Nobody is deleted: what people did stays, so that deletions answer 501. There are two roles, each given to the members of the
group of the same id: `admin` and `auditor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine import commands
from engine.errors import InvalidValue, NotFound
from engine.queries import people_search
from engine.queries.listed import search_listed
from engine.queries.searching import Search
from engine.store.directory import ADMIN, AUDITOR
from engine.store.transactions import Found
from webui import access
from webui.v2.authentication import Caller
from webui.v2.cluster import TenantResult
from webui.v2.problems import ApiProblem
from webui.v2.routing import Router
from webui.v2.schemas import TENANT, Filter, Id, Model, SearchRequest, SearchResponse, StringFilter, Text

router = Router("User, group, role, tenant")

Password = Annotated[str, StringConstraints(max_length=1000)]
Name = Annotated[Text, Field(min_length=1)]


class UserFields(Filter):
    """What users are searched by."""

    username: StringFilter = None
    name: StringFilter = None
    email: StringFilter = None


class UserFilter(UserFields):
    """What users are searched by; of `$or`, one group holds besides."""

    or_: list[UserFields] | None = Field(default=None, alias="$or", max_length=50)

    APART = frozenset({"or_"})


class UserSearch(SearchRequest[UserFilter, Literal["email", "name", "username"]]):
    """A search of users."""

    def wanted(self) -> Search:
        """Return the engine's search."""
        return self.search(any_of=self.filter.or_ if self.filter else None)


class UserResult(Model):
    """A user."""

    username: str
    name: str | None
    email: str | None


class UserRequest(Model):
    """A user to be added."""

    username: Id
    password: Password
    name: Name | None = None
    email: Id | None = None


class UserUpdateRequest(Model):
    """What is changed of a user; an empty `email` takes it away."""

    password: Password | None = None
    name: Name | None = None
    email: Text | None = None


class GroupFields(Filter):
    """What groups are searched by."""

    group_id: StringFilter = None
    name: StringFilter = None


class GroupFilter(GroupFields):
    """What groups are searched by; of `$or`, one group of conditions holds besides."""

    or_: list[GroupFields] | None = Field(default=None, alias="$or", max_length=50)

    APART = frozenset({"or_"})


class GroupSearch(SearchRequest[GroupFilter, Literal["groupId", "name"]]):
    """A search of groups."""

    def wanted(self) -> Search:
        """Return the engine's search."""
        return self.search(any_of=self.filter.or_ if self.filter else None)


class GroupResult(Model):
    """A group; ours have no description."""

    name: str
    group_id: str
    description: str | None


class GroupCreateRequest(Model):
    """A group to be added."""

    group_id: Id
    name: Name
    description: Text | None = None


class GroupUpdateRequest(Model):
    """What is changed of a group."""

    name: Name
    description: Text | None = None


class NoFilter(Filter):
    """There is nothing to search by."""


class MemberSearch(SearchRequest[NoFilter, Literal["username"]]):
    """A search of members."""


class MemberResult(Model):
    """A member."""

    username: str


class GroupIdSearch(SearchRequest[NoFilter, Literal["groupId"]]):
    """A search of groups that have something."""


class GroupIdResult(Model):
    """A group that has something."""

    group_id: str


class RoleFields(Filter):
    """What roles are searched by."""

    role_id: StringFilter = None
    name: StringFilter = None


class RoleFilter(RoleFields):
    """What roles are searched by; of `$or`, one group holds besides."""

    or_: list[RoleFields] | None = Field(default=None, alias="$or", max_length=50)

    APART = frozenset({"or_"})


class RoleSearch(SearchRequest[RoleFilter, Literal["name", "roleId"]]):
    """A search of roles."""

    def wanted(self) -> Search:
        """Return the engine's search."""
        return self.search(any_of=self.filter.or_ if self.filter else None)


class RoleResult(Model):
    """A role."""

    name: str
    role_id: str
    description: str | None


class TenantFilter(Filter):
    """What tenants are searched by."""

    tenant_id: Id | None = None
    name: Id | None = None


class TenantSearch(SearchRequest[TenantFilter, Literal["key", "name", "tenantId"]]):
    """A search of tenants: there is one."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: what its members may do is said in `engine.store.rights`."""

    role_id: str
    name: str
    description: str


ROLES = (
    Role(ADMIN, "Administrator", "administers users, definitions, cases, the calendar"),
    Role(AUDITOR, "Auditor", "reads every case and the journal"),
)


@dataclass(frozen=True, slots=True)
class _Tenant:
    tenant_id: str = TENANT
    name: str = "Default"
    key: int = 1


# --- users ------------------------------------------------------------------------------------------------------------


@router.post("/users/search", scope="read")
def search_users(caller: Caller, body: UserSearch | None) -> SearchResponse[UserResult]:
    """Search users."""
    page = access.ask(people_search.search_users, caller.username, (body or UserSearch()).wanted())
    return SearchResponse[UserResult].of([_user(row) for row in page.rows], page)


@router.get("/users/{username}", scope="read", errors=(404,))
def get_user(caller: Caller, username: Id) -> UserResult:
    """Get a user."""
    return _user(access.ask(people_search.find_user, caller.username, username))


@router.post("/users", scope="admin", success=201, errors=(409,))
def create_user(caller: Caller, body: UserRequest) -> UserResult:
    """Add a user."""
    _check_manages(caller)
    access.run(commands.add_user, body.username, body.name, email=body.email, password=body.password, by=caller.username)
    return _user(access.ask(people_search.find_user, caller.username, body.username))


@router.put("/users/{username}", scope="admin", errors=(404,))
def update_user(caller: Caller, username: Id, body: UserUpdateRequest) -> UserResult:
    """Change a user's name, address or password; with a password all sessions of the user end."""
    _check_manages(caller)
    before = access.ask(people_search.find_user, caller.username, username)
    if body.password is not None:  # first: it may be refused
        access.run(commands.set_password, username, body.password, by=caller.username)
    if body.name is not None or body.email is not None:
        email = before.email if body.email is None else body.email or None
        access.run(commands.set_name, username, body.name or before.name, email, by=caller.username)
    return _user(access.ask(people_search.find_user, caller.username, username))


# --- groups -----------------------------------------------------------------------------------------------------------


@router.post("/groups/search", scope="read")
def search_groups(caller: Caller, body: GroupSearch | None) -> SearchResponse[GroupResult]:
    """Search groups."""
    page = access.ask(people_search.search_groups, caller.username, (body or GroupSearch()).wanted())
    return SearchResponse[GroupResult].of([_group(row) for row in page.rows], page)


@router.get("/groups/{groupId}", scope="read", errors=(404,))
def get_group(caller: Caller, group_id: Id) -> GroupResult:
    """Get a group."""
    return _group(access.ask(people_search.find_group, caller.username, group_id))


@router.post("/groups", scope="admin", success=201, errors=(409, 501))
def create_group(caller: Caller, body: GroupCreateRequest) -> GroupResult:
    """Add a group."""
    _check_manages(caller)
    _no_description(body.description)
    access.run(commands.add_group, body.group_id, body.name, by=caller.username, new=True)
    return _group(access.ask(people_search.find_group, caller.username, body.group_id))


@router.put("/groups/{groupId}", scope="admin", errors=(404, 501))
def update_group(caller: Caller, group_id: Id, body: GroupUpdateRequest) -> GroupResult:
    """Change a group's name."""
    _check_manages(caller)
    _no_description(body.description)
    before = access.ask(people_search.find_group, caller.username, group_id)
    access.run(commands.add_group, group_id, body.name, before.name_en, by=caller.username)
    return _group(access.ask(people_search.find_group, caller.username, group_id))


@router.post("/groups/{groupId}/users/search", scope="read", errors=(404,))
def search_users_for_group(caller: Caller, group_id: Id, body: MemberSearch | None) -> SearchResponse[MemberResult]:
    """Search a group's members."""
    access.ask(people_search.find_group, caller.username, group_id)
    return _members(caller, group_id, body)


@router.put("/groups/{groupId}/users/{username}", scope="admin", errors=(404, 409))
def assign_user_to_group(caller: Caller, group_id: Id, username: Id) -> None:
    """Let a user belong to a group."""
    _check_manages(caller)
    access.run(commands.join_group, username, group_id, by=caller.username)


@router.delete("/groups/{groupId}/users/{username}", scope="admin", errors=(404,))
def unassign_user_from_group(caller: Caller, group_id: Id, username: Id) -> None:
    """Let a user belong to a group no longer; nobody takes themselves out of the administrators."""
    _check_manages(caller)
    _leave(caller, group_id, username)


@router.post("/groups/{groupId}/roles/search", scope="read", errors=(404,))
def search_roles_for_group(caller: Caller, group_id: Id, body: RoleSearch | None) -> SearchResponse[RoleResult]:
    """Search the roles that a group's members have."""
    access.ask(people_search.find_group, caller.username, group_id)
    return _roles([role for role in ROLES if role.role_id == group_id], body)


# --- roles ------------------------------------------------------------------------------------------------------------


@router.post("/roles/search", scope="read")
def search_roles(caller: Caller, body: RoleSearch | None) -> SearchResponse[RoleResult]:
    """Search roles."""
    return _roles(list(ROLES), body)


@router.get("/roles/{roleId}", scope="read", errors=(404,))
def get_role(caller: Caller, role_id: Id) -> RoleResult:
    """Get a role."""
    return _role_result(_role(role_id))


@router.post("/roles/{roleId}/users/search", scope="read", errors=(404,))
def search_users_for_role(caller: Caller, role_id: Id, body: MemberSearch | None) -> SearchResponse[MemberResult]:
    """Search the users who have a role."""
    return _members(caller, _role(role_id).role_id, body)


@router.post("/roles/{roleId}/groups/search", scope="read", errors=(404,))
def search_groups_for_role(caller: Caller, role_id: Id, body: GroupIdSearch | None) -> SearchResponse[GroupIdResult]:
    """Search the groups whose members have a role: the one of the same id."""
    role = _role(role_id)
    access.ask(people_search.search_groups, caller.username, Search())  # who may not see groups is told so
    wanted = (body or GroupIdSearch()).search()
    found, page = search_listed([GroupIdResult(group_id=role.role_id)], wanted, key="group_id")
    return SearchResponse[GroupIdResult].of(found, page)


@router.put("/roles/{roleId}/users/{username}", scope="admin", errors=(404, 409))
def assign_role_to_user(caller: Caller, role_id: Id, username: Id) -> None:
    """Give a user a role: let them belong to its group."""
    _check_manages(caller)
    access.run(commands.join_group, username, _role(role_id).role_id, by=caller.username)


@router.delete("/roles/{roleId}/users/{username}", scope="admin", errors=(404,))
def unassign_role_from_user(caller: Caller, role_id: Id, username: Id) -> None:
    """Take a role from a user; nobody takes administration from themselves."""
    _check_manages(caller)
    _leave(caller, _role(role_id).role_id, username)


# --- tenants ----------------------------------------------------------------------------------------------------------


@router.post("/tenants/search", scope="read")
def search_tenants(caller: Caller, body: TenantSearch | None) -> SearchResponse[TenantResult]:
    """Search tenants: there is one."""
    found, page = search_listed([_Tenant()], (body or TenantSearch()).search(), key="key")
    return SearchResponse[TenantResult].of([_TENANT_RESULT for _ in found], page)


@router.get("/tenants/{tenantId}", scope="read", errors=(404,))
def get_tenant(caller: Caller, tenant_id: Id) -> TenantResult:
    """Get the tenant."""
    _check_tenant(tenant_id)
    return _TENANT_RESULT


@router.post("/tenants/{tenantId}/users/search", scope="read", errors=(404,))
def search_users_for_tenant(caller: Caller, tenant_id: Id, body: MemberSearch | None) -> SearchResponse[MemberResult]:
    """Search the tenant's users: all there are."""
    _check_tenant(tenant_id)
    page = access.ask(people_search.search_users, caller.username, (body or MemberSearch()).search())
    return SearchResponse[MemberResult].of([MemberResult(username=row.username) for row in page.rows], page)


@router.post("/tenants/{tenantId}/groups/search", scope="read", errors=(404,))
def search_group_ids_for_tenant(caller: Caller, tenant_id: Id, body: GroupIdSearch | None) -> SearchResponse[GroupIdResult]:
    """Search the tenant's groups: all there are."""
    _check_tenant(tenant_id)
    page = access.ask(people_search.search_groups, caller.username, (body or GroupIdSearch()).search())
    return SearchResponse[GroupIdResult].of([GroupIdResult(group_id=row.id) for row in page.rows], page)


@router.post("/tenants/{tenantId}/roles/search", scope="read", errors=(404,))
def search_roles_for_tenant(caller: Caller, tenant_id: Id, body: RoleSearch | None) -> SearchResponse[RoleResult]:
    """Search the tenant's roles: all there are."""
    _check_tenant(tenant_id)
    return _roles(list(ROLES), body)


# --- parts ------------------------------------------------------------------------------------------------------------

_TENANT_RESULT = TenantResult(name="Default", tenant_id=TENANT, description=None)


def _check_manages(caller: Caller) -> None:
    """Check that a token is confined to no processes: whoever manages people could let themselves into all.

    Raises:
        ApiProblem: 403.
    """
    if caller.processes is not None:
        raise ApiProblem(403, "A token that is confined to processes manages no people.")


def _check_tenant(tenant_id: str) -> None:
    if tenant_id != TENANT:
        raise NotFound(f"没有租户 {tenant_id}（there is one tenant: {TENANT}）", field="tenantId")


def _role(role_id: str) -> Role:
    for role in ROLES:
        if role.role_id == role_id:
            return role
    raise NotFound(f"没有角色 {role_id}（no such role）", field="roleId")


def _roles(known: list[Role], body: RoleSearch | None) -> SearchResponse[RoleResult]:
    found, page = search_listed(known, (body or RoleSearch()).wanted(), key="role_id")
    return SearchResponse[RoleResult].of([_role_result(role) for role in found], page)


def _role_result(role: Role) -> RoleResult:
    return RoleResult(name=role.name, role_id=role.role_id, description=role.description)


def _members(caller: Caller, group_id: str, body: MemberSearch | None) -> SearchResponse[MemberResult]:
    page = access.ask(people_search.search_members, caller.username, group_id, (body or MemberSearch()).search())
    return SearchResponse[MemberResult].of([MemberResult(username=row.username) for row in page.rows], page)


def _leave(caller: Caller, group_id: str, username: str) -> None:
    if username == caller.username and group_id == ADMIN:
        raise InvalidValue("不能把自己移出系统管理员组（another administrator has to do this）", field="username")
    access.run(commands.leave_group, username, group_id, by=caller.username)


def _no_description(description: str | None) -> None:
    if description:
        raise ApiProblem(501, "Liuzhuan's groups have no description.", field="description")


def _user(row: Found) -> UserResult:
    return UserResult(username=row.username, name=row.name, email=row.email)


def _group(row: Found) -> GroupResult:
    return GroupResult(name=row.name, group_id=row.id, description=None)
