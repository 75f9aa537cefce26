"""Behind the door a disk is full: callers are told to come back, and each event counts once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import make_url

from hub.kafka import ensure_topics
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from schemas.catalogue import TOPICS
from tests.api.doors import Door, fresh_database, opened
from tests.full_disk import DiskOfDatabase, fill_disk_of_broker
from tests.stack import remove_data_folder, temporary_data_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

INVOICES = "finance.invoice.v1"
#: More than the full disk of a broker has room for.
EVENTS = 3_000


@pytest.fixture(scope="module")
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker that these tests may ill-treat, with the topics."""
    folder = temporary_data_folder()
    server = EmbeddedBroker(folder)
    ensure_topics(server.cluster(server.acquire()), TOPICS.values(), 1)
    yield server
    server.release()
    remove_data_folder(folder)


@pytest.fixture
def door(
    own_broker: EmbeddedBroker, database_server: EmbeddedDatabase, tmp_path: Path
) -> Iterator[Door]:
    """A door before it."""
    ports = own_broker.running_ports()
    assert ports is not None
    with fresh_database(database_server) as url:
        with opened(Door(tmp_path, own_broker.cluster(ports), url)) as made:
            yield made


def batch(door: Door) -> list[dict[str, Any]]:
    """Invoices with letters that no compression makes few."""
    letters = random.Random(8)
    return [door.invoice(str(one), company=letters.randbytes(60).hex()) for one in range(EVENTS)]


def send(client: httpx.Client, body: Any) -> httpx.Response:
    return client.post("/v1/events/invoice", json=body, headers={"idempotency-key": "one key"})


def assert_told_to_come_back(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "urn:headrace:problem:unavailable"
    assert int(answer.headers["retry-after"]) > 0


def taken_in_the_end(client: httpx.Client, body: Any) -> dict[str, Any]:
    """The answer to a caller who comes back until there is one."""
    deadline = time.monotonic() + 90
    while (answer := send(client, body)).status_code != 202:
        assert answer.status_code in (409, 503), answer.text
        assert time.monotonic() < deadline
        time.sleep(0.5)
    found: dict[str, Any] = answer.json()
    return found


def test_full_disk_of_the_database_is_told_and_the_event_counts_once_when_there_is_room(
    door: Door, database_server: EmbeddedDatabase
) -> None:
    disk = DiskOfDatabase(database_server, make_url(door.database_url).database or "")
    event = door.invoice("D1")
    with door.client() as client:
        disk.fill()
        assert_told_to_come_back(send(client, event))
        assert client.get("/healthz").status_code == 200
        disk.free()
        version = taken_in_the_end(client, event)["version"]
    assert "No space left on device" in door.log()
    assert [(one["id"], one["version"]) for one in door.published(INVOICES)] == [("D1", version)]


def test_full_disk_of_the_broker_is_told_and_a_batch_counts_once_when_there_is_room(
    door: Door, own_broker: EmbeddedBroker
) -> None:
    events = batch(door)
    process = own_broker.process
    assert process is not None
    with door.client() as client:
        fill_disk_of_broker(own_broker)
        assert_told_to_come_back(send(client, events))
        psutil.Process(process.pid).wait(30)
        assert client.get("/readyz").json()["broker"] != "ok"
        own_broker.acquire()
        answered = taken_in_the_end(client, events)["items"]
    # What the broker had taken before it was full may come again, under the same version.
    found = {(one["id"], one["version"], one["company"]) for one in door.published(INVOICES)}
    assert len(found) == EVENTS
    assert {(id, version) for id, version, _ in found} == {
        (one["id"], one["version"]) for one in answered
    }
    assert {company for _, _, company in found} == {one["company"] for one in events}
