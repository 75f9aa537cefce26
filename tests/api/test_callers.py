"""Callers need a token with the scope, do not call too often, and hold up nobody's end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.problems import Problem
from api.rates import Rates
from connectors.mapping import load_mapping
from hub.kafka import Cluster, ensure_topics
from hub.settings import Api, Company, Settings
from ops.embedded.database import EmbeddedDatabase
from ops.running import commands
from schemas.catalogue import TOPICS
from tests.api.doors import ROOT, Door, deliver, fresh_database, opened
from tests.cli.shop import environment

pytestmark = pytest.mark.stack


def headrace(door: Door, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "ops.cli", *words],
        cwd=door.folder,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def guarded(
    broker: Cluster, database_server: EmbeddedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    """A door that asks for tokens."""
    ensure_topics(broker, TOPICS.values(), 2)
    folder: Path = tmp_path_factory.mktemp("guarded")
    with fresh_database(database_server) as url:
        settings = {"authentication": True, "requests_per_second": 20}
        with opened(Door(folder, broker, url, settings)) as door:
            yield door


def publish(door: Door, token: str | None) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
    with door.client(headers=headers) as client:
        return client.post("/v1/events/invoice", json=door.invoice("T1"))


def test_a_token_lets_in_until_it_is_revoked(guarded: Door) -> None:
    assert publish(guarded, None).status_code == 401
    made = headrace(guarded, "token", "create", "till")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    until(lambda: publish(guarded, token).status_code == 202)
    for wrong in (token[:-1], token + "x", token.upper(), "x", "headrace_", "é"):
        assert publish(guarded, wrong).status_code == 401
    assert token.rpartition("_")[2] not in str(guarded.query("SELECT * FROM api_tokens"))
    assert token.encode() not in (guarded.folder / "api.log").read_bytes()
    assert headrace(guarded, "token", "create", "till").returncode == 2
    assert headrace(guarded, "token", "revoke", "till").returncode == 0
    until(lambda: publish(guarded, token).status_code == 401, seconds=5)
    assert headrace(guarded, "token", "revoke", "till").returncode == 1
    listed = json.loads(headrace(guarded, "token", "list", "--json").stdout)["tokens"]
    assert [(one["name"], bool(one["revoked_at"])) for one in listed] == [("till", True)]


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_credentials_beyond_ascii_are_refused(guarded: Door, scheme: str) -> None:
    with guarded.client(headers={"authorization": f"{scheme} é".encode("latin-1")}) as client:
        answer = client.post("/v1/events/invoice", json=guarded.invoice("T2"))
    assert (answer.status_code, answer.json()["type"]) == (
        401,
        "urn:headrace:problem:unauthorized",
    )


def test_calls_that_are_not_signed_leave_the_sender_its_own(guarded: Door) -> None:
    with guarded.client() as client:
        statuses = [
            client.post(f"/v1/hooks/{guarded.desk}", json={}).status_code for _ in range(80)
        ]
    assert set(statuses) == {401, 429}
    good = {"number": "T5", "opened": "2026-01-02", "state": "new"}
    assert deliver(guarded, json.dumps(good).encode(), "m20").status_code == 202


def test_a_token_without_the_scope_is_refused(guarded: Door) -> None:
    token = headrace(guarded, "token", "create", "reader", "--scope", "read").stdout.strip()
    until(lambda: publish(guarded, token).status_code == 403)
    assert headrace(guarded, "token", "create", "x", "--scope", "all").returncode == 2


def test_a_token_for_some_sources_publishes_for_no_other(guarded: Door) -> None:
    own, other = guarded.invoice("T6"), guarded.invoice("T7") | {"source": "elsewhere"}
    words = ("token", "create", "bound", "--source", own["source"], "--source", "second")
    made = headrace(guarded, *words)
    assert f"It may publish, for {own['source']}, second alone." in made.stderr
    headers = {"authorization": f"Bearer {made.stdout.strip()}"}
    with guarded.client(headers=headers) as client:
        until(lambda: client.post("/v1/events/invoice", json=own).status_code == 202)
        for body in (other, [own | {"id": "T8"}, other]):
            refused = client.post("/v1/events/invoice", json=body)
            assert (refused.status_code, refused.json()["source"]) == (403, "elsewhere")
            assert refused.json()["type"] == "urn:headrace:problem:foreign_source"
            assert "'bound' may not publish for the source 'elsewhere'" in refused.json()["detail"]
        # Nothing of the batch was taken: its first document is new.
        taken = client.post("/v1/events/invoice", json=[own | {"id": "T8"}])
    assert taken.json()["accepted"] == 1, taken.text
    listed = json.loads(headrace(guarded, "token", "list", "--json").stdout)["tokens"]
    assert {one["name"]: one["sources"] for one in listed}["bound"] == [own["source"], "second"]


def test_a_token_for_any_source_says_so_when_it_is_made(guarded: Door) -> None:
    made = headrace(guarded, "token", "create", "anything")
    assert "It may publish, for any source; --source NAME" in made.stderr
    reader = headrace(guarded, "token", "create", "r", "--scope", "read", "--source", "shop")
    assert (reader.returncode, "scope publish" in reader.stderr) == (2, True)


def test_who_calls_too_often_is_told_to_wait(guarded: Door) -> None:
    token = headrace(guarded, "token", "create", "busy").stdout.strip()
    until(lambda: publish(guarded, token).status_code == 202)
    with guarded.client(headers={"authorization": f"Bearer {token}"}) as client:
        answers = [client.post("/v1/events/nothing-such", json={}) for _ in range(3)]
        answers += [client.post("/v1/events/invoice", content=b"{}") for _ in range(80)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused and int(refused[0].headers["retry-after"]) >= 1


def test_up_starts_the_door_where_it_is_configured_and_a_bounded_run_does_not() -> None:
    company = Company(name="Shop", base_currency="EUR", time_zone="UTC")
    with_door, without = Settings(company=company, api=Api()), Settings(company=company)
    following = [one.name for one in commands(with_door, None, bounded=False)]
    assert "api" in following
    assert "api" not in [one.name for one in commands(with_door, None, bounded=True)]
    assert "api" not in [one.name for one in commands(without, None, bounded=False)]


def test_a_bucket_fills_at_its_rate() -> None:
    now = [0.0]
    rates = Rates(2.0, clock=lambda: now[0])
    rates.count("a")
    rates.count("a")
    with pytest.raises(Problem):
        rates.count("a")
    rates.count("b")
    now[0] = 0.5
    rates.count("a")


@pytest.mark.parametrize(
    ("api", "told"),
    [
        ({"host": "0.0.0.0"}, "token create"),
        ({"host": "0.0.0.0", "authentication": False}, "loopback"),
    ],
)
def test_no_door_is_open_to_others_without_a_token(
    broker: Cluster, database_url: str, tmp_path: Path, api: dict[str, object], told: str
) -> None:
    settings = {"authentication": True, **api}
    door = Door(tmp_path, broker, database_url, settings)
    assert door.launch().wait(60) == 78
    assert told in door.log()


def test_a_webhook_is_mapped_and_what_it_cannot_map_is_kept(door: Door) -> None:
    good = {"number": "T1", "opened": "2026-01-02", "state": "new"}
    first = deliver(door, json.dumps(good).encode(), "m1")
    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    again = deliver(door, json.dumps(good).encode(), "m1")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert deliver(door, b"{}", "m1").status_code == 409
    several = [{**good, "number": "T2"}, {**good, "number": "T3", "state": "odd"}, 7]
    kept = deliver(door, json.dumps(several).encode(), "m2", "/tickets").json()
    assert (kept["status"], kept["records"]) == ("kept", 3)
    assert {one["place"]: one["code"] for one in kept["rejected"]} == {
        "http:m2:2": "unknown_value",
        "http:m2:3": "broken_json",
    }
    cases = door.published("service.case.v1")
    assert sorted(one["id"] for one in cases) == ["T1", "T2"]
    letters = door.query(
        "SELECT code, place, mapping, mapping_version FROM dead_letters ORDER BY place"
    )
    version = load_mapping(str(door.folder / "tickets.yaml"), door.desk).version
    assert letters == [
        ("unknown_value", "http:m2:2", "tickets/1", version),
        ("broken_json", "http:m2:3", "tickets/1", version),
    ]
    broken = deliver(door, b'{"number": ', "m3").json()
    assert broken["rejected"][0]["code"] == "broken_json"


def test_a_webhook_that_is_not_signed_or_not_known_is_refused(door: Door) -> None:
    with door.client() as client:
        assert client.post(f"/v1/hooks/{door.desk}", json={}).status_code == 401
        assert client.post(f"/v1/hooks/{door.erp}", json={}).status_code == 404
    assert deliver(door, b"{}", "m9", "/nothing").status_code == 404


@pytest.mark.parametrize("seconds", [-400, 400, None])
def test_what_no_secret_can_have_signed_is_refused_before_its_body_is_read(
    door: Door, seconds: int | None
) -> None:
    stamp = "nan" if seconds is None else str(int(time.time()) + seconds)
    head = (
        f"POST /v1/hooks/{door.desk} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n"
        "Content-Type: application/json\r\nwebhook-id: m\r\nwebhook-signature: v1,AAAA\r\n"
        f"webhook-timestamp: {stamp}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as caller:
        caller.sendall(head.encode())
        assert caller.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_large_delivery_is_verified_and_inflated(door: Door) -> None:
    records = [
        {"number": f"L{number}", "opened": "2026-01-02", "state": "new"} for number in range(2_000)
    ]
    body = json.dumps(records).encode()
    assert deliver(door, body, "m30").json()["records"] == 2_000
    packed = deliver(door, body, "m31", packed=True)
    assert (packed.status_code, packed.json()["records"]) == (202, 2_000)


def test_a_dead_letter_of_a_webhook_is_replayed_once_the_mapping_is_mended(door: Door) -> None:
    deliver(door, b'{"number": "T9", "opened": "2026-01-02", "state": "late"}', "m10")
    mapping = door.folder / "tickets.yaml"
    mended = mapping.read_text().replace("new: minor", "new: minor, late: major")
    mapping.write_text(mended)
    ids = door.query("SELECT id FROM dead_letters WHERE place = 'http:m10:1'")
    done = headrace(door, "dead-letters", "replay", str(ids[0][0]))
    assert done.returncode == 0, done.stderr + done.stdout
    (case,) = [one for one in door.published("service.case.v1") if one["id"] == "T9"]
    assert case["severity"] == "major"


def test_a_door_that_is_told_to_stop_finishes_what_runs(door: Door) -> None:
    answers: list[int] = []

    def send(number: int) -> None:
        events = [door.invoice(f"S{number}-{index}") for index in range(1_000)]
        answers.append(
            httpx.post(
                f"{door.address}/v1/events/invoice", json=events, timeout=30, trust_env=False
            ).status_code
        )

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.25)
    assert door.stop() == 0
    for thread in threads:
        thread.join()
    door.start()
    assert answers == [202, 202, 202]
    found = {one["id"] for one in door.published("finance.invoice.v1") if one["id"][0] == "S"}
    assert len(found) == 3_000


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.2)
