"""Whatever a stranger sends is answered with a problem that says what is wrong with it."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.front_door import MOST_AT_ONCE
from connectors.pushed.documents import UnfitDocument, read_document
from tests.api.doors import Door

pytestmark = pytest.mark.stack


def publish(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    given = {"content-type": "application/json", **headers}
    return client.post("/v1/events/invoice", content=body, headers=given)


def of(door: Door, **changes: str) -> bytes:
    """An invoice with some values written as they are given."""
    document = door.invoice("H1", **{name: f"@{name}@" for name in changes})
    text = json.dumps(document)
    for name, written in changes.items():
        text = text.replace(f'"@{name}@"', written)
    return text.encode()


@pytest.mark.parametrize(
    ("written", "status", "code"),
    [
        ("1e400", 422, "out_of_range"),
        ("1E+999999", 422, "out_of_range"),
        ("1e99999999999999999999", 400, "broken_json"),
        ("NaN", 400, "broken_json"),
        ("-Infinity", 400, "broken_json"),
        ('"NaN"', 422, "not_a_number"),
        ('"1.234,50-"', 422, "not_a_number"),
        ('"١٢"', 422, "not_a_number"),
        ("9" * 5_000, 400, "broken_json"),
        ("9" * 400, 422, "out_of_range"),
        ("0.0000000001", 422, "too_fine"),
        ("true", 422, "not_a_number"),
        ("[" * 10_000 + "]" * 10_000, 400, "broken_json"),
        ("[" * 40 + "]" * 40, 400, "broken_json"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_numbers_that_are_none_are_refused(
    door: Door, client: httpx.Client, written: str, status: int, code: str
) -> None:
    answer = publish(client, of(door, gross=written))
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:headrace:problem:{code}")
    if status == 422:
        assert answer.json()["errors"][0]["pointer"] == "/gross"


@pytest.mark.parametrize(
    ("field", "written", "code"),
    [
        ("invoiced_on", '"2026-02-30"', "not_a_date"),
        ("invoiced_on", '"20260228"', "not_a_date"),
        ("occurred_at", '"2026-03-02T09:15:00"', "not_an_instant"),
        ("occurred_at", '"0001-01-01T00:00:00+23:59"', "not_an_instant"),
        ("version", "0", "version"),
        ("version", "9223372036854775808", "not_whole"),
        ("version", "1.5", "not_whole"),
        ("company", '"a\\u0000b"', "not_a_text"),
        ("company", "17", "not_a_text"),
        ("lines", "{}", "not_a_list"),
        ("customer", '"K-17"', "not_an_object"),
        ("gros", "1", "unknown_field"),
        ("source", json.dumps("s" * 5_000), "source"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    door: Door, client: httpx.Client, field: str, written: str, code: str
) -> None:
    answer = publish(client, of(door, **{field: written}))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", code)


@pytest.mark.parametrize("written", ["-1e-3000000", "0." + "0" * 3_000 + "1"], ids=["e", "long"])
def test_a_number_is_told_within_bounds(door: Door, client: httpx.Client, written: str) -> None:
    whole = Decimal(f"1{'0' * 1_000}.5")
    with pytest.raises(UnfitDocument) as unfit:
        read_document("invoice", {"gross": whole})
    assert all(len(one.reason) < 200 for one in unfit.value.problems)
    answer = publish(client, of(door, gross=written))
    assert answer.status_code in (400, 422) and len(answer.content) < 1_000


def test_half_a_sign_is_refused(door: Door, client: httpx.Client) -> None:
    assert publish(client, of(door, company='"\\ud800"')).status_code == 422


def test_a_field_of_ten_megabytes_is_too_large(door: Door, client: httpx.Client) -> None:
    answer = publish(client, of(door, company=json.dumps("x" * 10_000_000)))
    assert answer.status_code == 413
    packed = gzip.compress(of(door, company=json.dumps("x" * 10_000_000)))
    within = publish(client, packed, **{"content-encoding": "gzip"})
    # Within the bounds of the body, and beyond those of a record or a text.
    assert within.status_code == 422
    assert publish(client, of(door)).status_code == 202


def test_a_bomb_is_not_inflated(door: Door, client: httpx.Client) -> None:
    bomb = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9)
    assert len(bomb) < 1_000_000
    answer = publish(client, bomb, **{"content-encoding": "gzip"})
    assert answer.status_code == 413
    assert answer.json()["limit"] == 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "application/json; charset=gb18030"}, 415, "unsupported_charset"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"content-type": "text/xml"}, 415, "unsupported_media_type"),
        ({"content-encoding": "br"}, 415, "unsupported_encoding"),
    ],
)
def test_what_is_not_taken_is_named(
    door: Door, client: httpx.Client, headers: dict[str, str], status: int, code: str
) -> None:
    answer = publish(client, of(door), **headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:headrace:problem:{code}")
    assert answer.headers["content-type"] == "application/problem+json"


def test_bytes_that_are_no_utf8_are_refused(client: httpx.Client) -> None:
    answer = publish(client, '{"id": "Müller"}'.encode("latin-1"))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:headrace:problem:broken_json")


def test_an_unknown_type_is_told_the_known_ones(client: httpx.Client) -> None:
    for name in ("bill", "decision", "%00"):
        answer = client.post(f"/v1/events/{name}", json={})
        assert answer.status_code == 404
        assert "invoice" in answer.json()["types"]
    topic = client.post("/v1/events/finance.invoice.v1", json={})
    assert topic.status_code == 422
    assert client.get("/v1/events/invoice").status_code == 405
    assert client.get("/nowhere").headers["content-type"] == "application/problem+json"


def test_too_many_events_at_once_are_refused(door: Door, client: httpx.Client) -> None:
    answer = publish(client, json.dumps([{}] * 10_001).encode())
    assert (answer.status_code, answer.json()["limit"]) == (413, 10_000)


def test_a_body_that_grows_beyond_what_it_said_is_cut_off(door: Door) -> None:
    def endless() -> Any:
        for _ in range(20):
            yield b" " * 1_000_000

    with door.client() as client:
        headers = {"content-type": "application/json"}
        try:
            answer = client.post("/v1/events/invoice", content=endless(), headers=headers)
        except httpx.WriteError:
            return
        assert answer.status_code == 413


def test_more_requests_than_run_at_once_are_told_when_to_come_back(
    door: Door, client: httpx.Client
) -> None:
    begun = (
        f"POST /v1/events/invoice HTTP/1.1\r\nHost: 127.0.0.1:{door.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    ).encode()
    with ExitStack() as several:
        for _ in range(MOST_AT_ONCE):
            waiting = several.enter_context(socket.create_connection(("127.0.0.1", door.port)))
            waiting.sendall(begun)
        until(lambda: publish(client, of(door)).status_code == 503)
        overloaded = publish(client, of(door))
        assert overloaded.headers["content-type"] == "application/problem+json"
        assert overloaded.json()["type"] == "urn:headrace:problem:unavailable"
        assert int(overloaded.headers["retry-after"]) > 0
    until(lambda: client.get("/healthz").status_code == 200)
    assert publish(client, of(door)).status_code == 202


def test_connections_that_ask_nothing_take_no_place(door: Door, client: httpx.Client) -> None:
    with ExitStack() as several:
        for _ in range(MOST_AT_ONCE + 1):
            several.enter_context(socket.create_connection(("127.0.0.1", door.port)))
        assert publish(client, of(door)).status_code == 202


def test_a_caller_who_goes_away_in_the_middle_harms_nobody(
    door: Door, client: httpx.Client
) -> None:
    with socket.create_connection(("127.0.0.1", door.port)) as caller:
        caller.sendall(
            b"POST /v1/events/invoice HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
        )
    assert publish(client, of(door)).status_code == 202
    assert "Exception in ASGI application" not in door.log()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)
