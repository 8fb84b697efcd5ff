"""What every answer carries, and what is refused whoever asks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from webui import lint

from .conftest import Visitor

Visit = Callable[..., Visitor]


def test_health(visit: Visit) -> None:
    for place in ("/healthz", "/readyz"):
        response = visit().get(place)
        assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_scripts_come_from_our_own_files_alone(visit: Visit) -> None:
    policy = visit("anna").get("/").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == "'self'"
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == rules["default-src"] == "'self'"


def test_private_pages_are_not_kept(visit: Visit) -> None:
    headers = visit("anna").get("/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_no_page_carries_a_script_or_a_handler_inline() -> None:
    assert lint.main([]) == 0


@pytest.mark.parametrize("rule", ["POST"])
def test_every_change_needs_the_token(visit: Visit, app: Flask, rule: str) -> None:
    root = visit("root")
    rules = [r for r in app.url_map.iter_rules() if rule in (r.methods or set())]
    places = [r.rule for r in rules if not r.rule.startswith("/v2/")]  # that takes no cookies
    assert len(places) > 20
    for place in places:
        concrete = re.sub(r"<int:\w+>", "1", place).replace("<username>", "anna")
        concrete = concrete.replace("<process_id>", "expense").replace("<language>", "en")
        assert root.client.post(concrete).status_code == 400, place


@pytest.mark.parametrize(
    "place",
    [
        "/admin",
        "/admin/users",
        "/admin/groups",
        "/admin/calendar",
        "/admin/incidents",
        "/admin/settings",
        "/admin/users/anna",
        "/audit",
    ],
)
def test_administration_is_for_administrators(visit: Visit, place: str) -> None:
    assert visit("anna").get(place).status_code == 403
    assert visit("root").get(place).status_code == 200


def test_a_wrong_address_is_said_in_words(visit: Visit) -> None:
    response = visit("anna").get("/nowhere")
    assert response.status_code == 404
    assert "没有找到" in response.text


def test_a_script_gets_problem_details(visit: Visit) -> None:
    response = visit("anna").get("/tasks/1", Accept="application/json")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert response.json["code"] == "not-found"
