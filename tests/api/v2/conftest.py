"""Clients of /v2: each call sends a person's name and password, or a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from engine.store import exact_json

from ..conftest import PASSWORD


class ApiClient:
    """A program that calls /v2 as somebody."""

    def __init__(self, app: Flask, username: str | None = None, token: str | None = None) -> None:
        self.client = app.test_client(use_cookies=False)
        self.headers: dict[str, str] = {}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        elif username is not None:
            pair = base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
            self.headers["Authorization"] = f"Basic {pair}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        """Call an operation with a JSON body (or `data=` as it is)."""
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.open(f"/v2{path}", method=method, headers=self.headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        """Call a GET."""
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """Call a POST."""
        return self.call("POST", path, body, **more)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Call an operation that must answer this status; return what it sent, numbers exact."""
        response = self.call(method, path, body)
        assert response.status_code == status, response.text
        return exact_json.loads(response.text) if response.text else None

    def search(self, path: str, **body: Any) -> list[Any]:
        """Return the items of a search."""
        items = self.ask("POST", path, body)["items"]
        assert isinstance(items, list)
        return items


@pytest.fixture
def api(app: Flask) -> Callable[..., ApiClient]:
    """Return a function that makes a client: `api("anna")`, `api(token="lz_…")`, `api()` for nobody."""

    def make(username: str | None = None, token: str | None = None) -> ApiClient:
        return ApiClient(app, username, token)

    return make
