"""Signing in and out, sessions that end, and what protects them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from engine.clock import TurnedClock
from engine.facade import Engine

from .conftest import PASSWORD, Visitor

Visit = Callable[..., Visitor]


def test_whoever_is_not_signed_in_is_asked_to(visit: Visit) -> None:
    response = visit().get("/cases?q=x")
    assert response.status_code == 303
    assert response.location == "/sign-in?next=/cases?q%3Dx"


def test_signing_in_leads_where_the_person_wanted_to_go(visit: Visit) -> None:
    assert visit().sign_in("anna", next="/cases?q=x").location == "/cases?q=x"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_elsewhere(visit: Visit, elsewhere: str) -> None:
    assert visit().sign_in("anna", next=elsewhere).location == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(visit: Visit) -> None:
    wrong, unknown = visit().sign_in("anna", "wrong password"), visit().sign_in("nobody", "wrong password")
    assert wrong.status_code == unknown.status_code == 401
    assert "用户名或密码不正确" in wrong.text
    assert "用户名或密码不正确" in unknown.text


def test_guessing_is_throttled(visit: Visit, clock: TurnedClock) -> None:
    guesser = visit()
    statuses = [guesser.sign_in("anna", f"guess number {n}").status_code for n in range(8)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert guesser.sign_in("anna").status_code == 429  # the right one, too
    clock.advance(timedelta(hours=1))
    assert guesser.sign_in("anna").status_code == 303


def test_a_session_ends_after_an_hour_without_a_request(visit: Visit, clock: TurnedClock) -> None:
    anna = visit("anna")
    for _ in range(3):
        clock.advance(timedelta(minutes=50))
        assert anna.get("/").status_code == 200
    clock.advance(timedelta(minutes=61))
    assert anna.get("/").status_code == 303


def test_polling_does_not_keep_a_session_alive(visit: Visit, clock: TurnedClock) -> None:
    anna = visit("anna")
    for _ in range(3):
        clock.advance(timedelta(minutes=25))
        status = anna.get("/alerts/bell", **{"HX-Request": "true"}).status_code
    assert status == 401


def test_a_new_password_ends_all_sessions(visit: Visit, engine: Engine) -> None:
    anna = visit("anna")
    engine.set_password("anna", "another horse")
    assert anna.get("/").status_code == 303


def test_a_planted_cookie_does_not_survive_signing_in(visit: Visit, app: Flask) -> None:
    victim = visit()
    with victim.client.session_transaction() as planted:
        planted["planted"] = "by an attacker"
    victim.sign_in("anna")
    with victim.client.session_transaction() as session:
        assert "planted" not in session
        assert session["username"] == "anna"


def test_signing_out_needs_the_token_and_ends_the_session(visit: Visit) -> None:
    anna = visit("anna")
    anna.get("/")
    assert anna.client.post("/sign-out").status_code == 400
    assert anna.post("/sign-out").status_code == 303
    assert anna.get("/").status_code == 303


def test_the_cookie_is_hidden_from_scripts_and_other_sites(visit: Visit) -> None:
    cookie = visit().sign_in("anna").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_whoever_signs_in_again_gets_a_new_token_for_the_page_that_is_open(visit: Visit, clock: TurnedClock) -> None:
    anna = visit("anna")
    anna.get("/")
    clock.advance(timedelta(hours=2))
    form = {"csrf_token": anna.token, "username": "anna", "password": PASSWORD, "again": "1"}
    response = anna.client.post("/sign-in", data=form, headers={"X-Sign-In-Again": "1", "Accept": "application/json"})
    assert response.status_code == 200
    anna.token = response.json["csrf_token"]
    assert anna.post("/alerts/read").status_code == 303


def test_the_language_switch_stays(visit: Visit) -> None:
    anna = visit("anna")
    anna.get("/")
    assert anna.post("/language/en", back="/start").location == "/start"
    page = anna.get("/start").text
    assert '<html lang="en">' in page
    assert "Start a case" in page
    assert "Expense claim" in page
