"""Which modules hold endpoints: a new one is added here, by name."""

from __future__ import annotations

from importlib import import_module

from webui.v2.routing import Router

MODULES = (
    "audit_logs",
    "authorizations",
    "batch_operations",
    "cluster",
    "corrections",
    "decision_instances",
    "decisions",
    "deployments",
    "element_instances",
    "expressions",
    "forms",
    "incidents",
    "jobs",
    "messages",
    "people",
    "process_definitions",
    "process_instances",
    "user_tasks",
    "variables",
)


def all_routers() -> list[Router]:
    """Return the routers of all modules."""
    return [import_module(f"webui.v2.{name}").router for name in MODULES]
