"""The demonstration: deploys processes/ and forms/, and makes one account per role."""

from __future__ import annotations

import secrets

from engine.facade import Engine
from engine.scenarios.organisation import read_organisation
from engine.scenarios.runner import resources_below
from engine.settings import Settings
from webui.wiring import FORMS, PROCESSES


def prepare(engine: Engine, settings: Settings) -> str:
    """Make what the demonstration needs where it is not there yet; return the lines to show.

    The accounts share one password: LIUZHUAN_DEMO_PASSWORD, or a random one that is shown at the first start only.
    """
    organisation = read_organisation(PROCESSES / "organisation.yaml")
    known = {user.username for user in engine.users()}
    first = not any(person.username in known for person in organisation.people)
    password = settings.demo_password or (secrets.token_urlsafe(9) if first else "")
    organisation.enter(engine, password=password or None)
    if settings.demo_password and not first:
        for person in organisation.people:
            engine.set_password(person.username, settings.demo_password)
    engine.deploy(resources_below([PROCESSES, FORMS]), by="admin")
    names = "admin, auditor-1, " + ", ".join(
        f"{group.id}-1" for group in organisation.groups if group.id not in {"admin", "auditor"}
    )
    secret = password or "the one shown at the first start (set LIUZHUAN_DEMO_PASSWORD to choose it anew)"
    return f"Demo accounts 演示账号：{names}\nPassword 密码：{secret}"
