"""Authorizations, read only: the rights of roles and groups are said in the engine and in the models, not in records."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from engine.queries import authorizations
from engine.queries.authorizations import Authorization
from engine.queries.searching import Condition
from webui import access
from webui.v2.authentication import Caller
from webui.v2.routing import Router
from webui.v2.schemas import Filter, Id, Key, Model, SearchRequest, SearchResponse

router = Router("Authorization")

OwnerType = Literal["CLIENT", "GROUP", "MAPPING_RULE", "ROLE", "UNSPECIFIED", "USER"]
ResourceType = Literal[
    "AUDIT_LOG",
    "AUTHORIZATION",
    "BACKUP",
    "BATCH",
    "CLUSTER_VARIABLE",
    "COMPONENT",
    "DECISION_DEFINITION",
    "DECISION_REQUIREMENTS_DEFINITION",
    "DOCUMENT",
    "EXPORTER",
    "EXPRESSION",
    "GLOBAL_LISTENER",
    "GROUP",
    "MAPPING_RULE",
    "MESSAGE",
    "PROCESS_DEFINITION",
    "RESOURCE",
    "ROLE",
    "SECRET",
    "SYSTEM",
    "TENANT",
    "USER",
    "USER_TASK",
]


class AuthorizationFilter(Filter):
    """What authorizations are searched by; one of the lists' texts has to fit."""

    owner_id: Id | None = None
    owner_type: OwnerType | None = None
    resource_ids: list[Id] | None = Field(default=None, max_length=1000)
    resource_property_names: list[Id] | None = Field(default=None, max_length=1000)
    resource_type: ResourceType | None = None

    APART: ClassVar[frozenset[str]] = frozenset({"resource_ids", "resource_property_names"})

    def conditions(self) -> tuple[Condition, ...]:
        """Return the engine's conditions."""
        found = list(super().conditions())
        if self.resource_ids is not None:
            found.append(Condition("resource_id", "in", self.resource_ids))
        if self.resource_property_names is not None:
            found.append(Condition("resource_property_name", "in", self.resource_property_names))
        return tuple(found)


class AuthorizationSearch(
    SearchRequest[
        AuthorizationFilter,
        Literal["ownerId", "ownerType", "resourceId", "resourcePropertyName", "resourceType"],
    ]
):
    """A search of authorizations."""


class AuthorizationResult(Model):
    """What the members of a role or a group may do; `*` means all of the type."""

    owner_id: str
    owner_type: OwnerType
    resource_type: ResourceType
    resource_id: str | None
    resource_property_name: str | None
    permission_types: list[str]
    authorization_key: Key


@router.post("/authorizations/search", scope="read")
def search_authorizations(caller: Caller, body: AuthorizationSearch | None) -> SearchResponse[AuthorizationResult]:
    """Search authorizations; administrators only."""
    wanted = (body or AuthorizationSearch()).search()
    found, page = access.ask(authorizations.search_authorizations, caller.username, wanted)
    return SearchResponse[AuthorizationResult].of([_result(item) for item in found], page)


@router.get("/authorizations/{authorizationKey}", scope="read", errors=(404,))
def get_authorization(caller: Caller, authorization_key: Key) -> AuthorizationResult:
    """Get an authorization; administrators only."""
    return _result(access.ask(authorizations.find_authorization, caller.username, authorization_key))


@router.post("/authentication/me/authorizations/search", scope=None)
def search_own_authorizations(caller: Caller, body: AuthorizationSearch | None) -> SearchResponse[AuthorizationResult]:
    """Search the authorizations of who asks, as the person has them; a token may be confined to less."""
    wanted = (body or AuthorizationSearch()).search()
    found, page = access.ask(authorizations.search_own_authorizations, caller.username, wanted)
    return SearchResponse[AuthorizationResult].of([_result(item) for item in found], page)


def _result(item: Authorization) -> AuthorizationResult:
    return AuthorizationResult.model_validate(
        {
            "owner_id": item.owner_id,
            "owner_type": item.owner_type,
            "resource_type": item.resource_type,
            "resource_id": item.resource_id,
            "resource_property_name": item.resource_property_name,
            "permission_types": list(item.permission_types),
            "authorization_key": item.authorization_key,
        }
    )
