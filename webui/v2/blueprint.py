"""The blueprint: every operation registered, what is missing refused, errors answered."""

from __future__ import annotations

from flask import Blueprint, Flask

from webui.v2 import authentication, missing, openapi, problems, routers
from webui.v2.routing import register


def init(app: Flask) -> None:
    """Add the API to an application that `webui.access` has attached an engine to."""
    bp = Blueprint("v2", __name__, url_prefix="/v2")
    authentication.init(app)
    operations = [operation for router in routers.all_routers() for operation in router.operations]
    for operation in operations:
        register(bp, operation)
    missing.register(bp, operations)
    openapi.register(bp, operations)
    problems.init(bp)
    app.register_blueprint(bp)
