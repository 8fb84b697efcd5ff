"""The server itself: topology, status, licence, and who asks."""

from __future__ import annotations

from importlib.metadata import version

from flask import request

from webui import access
from webui.v2.authentication import Caller
from webui.v2.problems import Overloaded
from webui.v2.routing import Router
from webui.v2.schemas import TENANT, Model, Moment

router = Router("Cluster")

GATEWAY = "8.9.0"
"""The version of Camunda's API that /v2 speaks; clients decide by it what they may ask for."""


class Partition(Model):
    """A partition: there is one, led by this server."""

    partition_id: int
    role: str
    health: str
    state: str


class BrokerInfo(Model):
    """A server."""

    node_id: int
    broker_id: str
    host: str
    port: int
    partitions: list[Partition]
    version: str


class TopologyResponse(Model):
    """What the cluster consists of."""

    brokers: list[BrokerInfo]
    cluster_id: str | None
    cluster_size: int
    partitions_count: int
    replication_factor: int
    gateway_version: str
    last_completed_change_id: str


class LicenseResponse(Model):
    """Liuzhuan is free software: the licence never ends."""

    valid_license: bool
    license_type: str
    is_commercial: bool
    expires_at: Moment | None


class TenantResult(Model):
    """A tenant."""

    name: str
    tenant_id: str
    description: str | None


class CamundaUserResult(Model):
    """Who asks."""

    username: str
    display_name: str | None
    email: str | None
    authorized_components: list[str]
    tenants: list[TenantResult]
    groups: list[str]
    roles: list[str]
    sales_plan_type: str | None
    c8_links: dict[str, str]
    can_logout: bool


@router.get("/topology", scope=None)
def get_topology(caller: Caller) -> TopologyResponse:
    """Get the topology: one server with one partition."""
    host, _, port = request.host.rpartition(":") if ":" in request.host.rsplit("]")[-1] else (request.host, "", "")
    partition = Partition(partition_id=1, role="leader", health="healthy", state="active")
    broker = BrokerInfo(
        node_id=0,
        broker_id="0",
        host=host,
        port=int(port or (443 if request.is_secure else 80)),
        partitions=[partition],
        version=version("liuzhuan"),
    )
    return TopologyResponse(
        brokers=[broker],
        cluster_id=None,
        cluster_size=1,
        partitions_count=1,
        replication_factor=1,
        gateway_version=GATEWAY,
        last_completed_change_id="-1",
    )


@router.get("/status", scope="open", errors=(503,))
def get_status() -> None:
    """Ask whether the server is ready."""
    if not access.is_ready():
        raise Overloaded("the database does not answer")


@router.get("/license", scope="open")
def get_license() -> LicenseResponse:
    """Get the licence."""
    return LicenseResponse(valid_license=True, license_type="Apache-2.0", is_commercial=False, expires_at=None)


@router.get("/authentication/me", scope=None)
def get_authentication(caller: Caller) -> CamundaUserResult:
    """Get who asks."""
    person = caller.person
    return CamundaUserResult(
        username=person.username,
        display_name=person.name,
        email=None,
        authorized_components=["*"] if person.is_admin else [],
        tenants=[TenantResult(name="Default", tenant_id=TENANT, description=None)],
        groups=sorted(person.groups),
        roles=[role for role in ("admin", "auditor") if role in person.groups],
        sales_plan_type=None,
        c8_links={},
        can_logout=False,
    )
