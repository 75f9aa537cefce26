"""A door that asks for no token is called by this machine's programs, and by no page elsewhere."""

from __future__ import annotations

import json

import httpx
import pytest

from api.local_callers import LocalCallers
from api.problems import Problem
from tests.api.doors import Door


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8470"},
        {"host": "127.0.0.2"},
        {"host": "localhost:9999"},
        {"host": "LOCALHOST"},
        {"host": "[::1]:8470"},
        {"host": "localhost", "origin": "http://localhost:3000", "sec-fetch-site": "same-site"},
        {"host": "localhost", "sec-fetch-site": "none"},
    ],
    ids=str,
)
def test_this_machine_is_let_in(headers: dict[str, str]) -> None:
    LocalCallers("127.0.0.1").check("GET", headers)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unknown_host"),
        ({"host": "rebound.example:8470"}, "unknown_host"),
        ({"host": "localhost.rebound.example"}, "unknown_host"),
        ({"host": "127.0.0.1.rebound.example"}, "unknown_host"),
        ({"host": "[::1"}, "unknown_host"),
        ({"host": "192.0.2.1"}, "unknown_host"),
        ({"host": "localhost", "origin": "https://shop.example"}, "cross_site"),
        ({"host": "localhost", "origin": "null"}, "cross_site"),
        ({"host": "localhost", "origin": ""}, "cross_site"),
        ({"host": "localhost", "sec-fetch-site": "cross-site"}, "cross_site"),
    ],
    ids=str,
)
def test_pages_of_elsewhere_are_kept_out(headers: dict[str, str], code: str) -> None:
    with pytest.raises(Problem) as refused:
        LocalCallers("127.0.0.1").check("GET", headers)
    assert (refused.value.status, refused.value.code) == (403, code)


@pytest.mark.stack
@pytest.mark.parametrize("path", ["/v1/events/invoice", "/v1/events", "/subjects/x-value/versions"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "rebound.example"}, 403),
        ({"origin": "https://shop.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": ""}, 415),
    ],
    ids=str,
)
def test_the_door_keeps_them_out_at_every_address(
    door: Door, client: httpx.Client, path: str, headers: dict[str, str], status: int
) -> None:
    given = {"content-type": "application/json", **headers}
    body = json.dumps(door.invoice("L1")).encode()
    answer = client.post(path, content=body, headers={k: v for k, v in given.items() if v})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.stack
def test_the_door_is_read_by_this_machine_alone(client: httpx.Client) -> None:
    assert client.get("/subjects").status_code == 200
    assert client.get("/subjects", headers={"host": "rebound.example"}).status_code == 403
