"""A door that is killed at any moment loses nothing and doubles nothing; a broker may go away."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hub.kafka import ensure_topics
from ops.embedded.broker import EmbeddedBroker
from ops.embedded.database import EmbeddedDatabase
from schemas.catalogue import TOPICS
from tests.api.doors import Door, fresh_database, opened

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

INVOICES = "finance.invoice.v1"
_CALLERS = 4
_KILLS = 3


class Caller:
    """Sends contents of its own invoices one after the other, each until it is answered.

    Every event says its content in ``company``; ``answered`` are (id, version) by content.
    """

    def __init__(self, door: Door, number: int) -> None:
        self.door = door
        self.number = number
        self.random = random.Random(number)
        self.answered: dict[str, tuple[str, int]] = {}
        self.sent = 0

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            self.sent += 1
            # Few ids, so that contents follow each other under one of them.
            id, content = f"{self.number}-{self.random.randrange(5)}", f"{self.number}.{self.sent}"
            events = [self.door.invoice(id, company=content)]
            if self.random.random() < 0.3:
                other = f"{self.number}-{5 + self.random.randrange(5)}"
                events.append(self.door.invoice(other, company=content))
            self._until_answered(events, key=content)

    def _until_answered(self, events: list[dict[str, object]], key: str) -> None:
        while True:
            try:
                answer = httpx.post(
                    f"{self.door.address}/v1/events/invoice",
                    json=events,
                    headers={"idempotency-key": key},
                    timeout=30,
                    trust_env=False,
                )
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            if answer.status_code in (409, 503):
                time.sleep(0.1)
                continue
            assert answer.status_code == 202, answer.text
            for item in answer.json()["items"]:
                self.answered[f"{key} {item['id']}"] = item["id"], item["version"]
            return


def test_a_door_that_is_killed_loses_nothing_and_doubles_nothing(door: Door) -> None:
    chance = random.Random(4)
    over = threading.Event()
    callers = [Caller(door, number) for number in range(_CALLERS)]
    with ThreadPoolExecutor(_CALLERS) as pool:
        running = [pool.submit(caller.run, over) for caller in callers]
        try:
            for kill in range(1, _KILLS + 1):
                _wait_for(callers, 20 * kill)
                time.sleep(chance.uniform(0.0, 0.5))
                door.kill()
                door.start()
            _wait_for(callers, 20 * (_KILLS + 1))
        finally:
            over.set()
        for one in running:
            one.result()
    answered = {key: found for caller in callers for key, found in caller.answered.items()}
    # Nothing has two versions, and no version two contents.
    assert len(set(answered.values())) == len(answered)
    log = {
        (f"{one['company']} {one['id']}", one["id"], one["version"])
        for one in door.published(INVOICES)
    }
    assert log == {(key, id, version) for key, (id, version) in answered.items()}
    # Each caller waited for its answer: what it sent last of an id is what stands.
    for caller in callers:
        last: dict[str, int] = {}
        for id, version in caller.answered.values():
            assert version > last.get(id, 0)
            last[id] = version


def _wait_for(callers: list[Caller], answers: int) -> None:
    deadline = time.monotonic() + 60
    while sum(len(caller.answered) for caller in callers) < answers:
        assert time.monotonic() < deadline, f"there are no {answers} answers"
        time.sleep(0.02)


def test_while_the_broker_is_away_the_door_says_so_and_works_again_afterwards(
    data_folder: Path, database_server: EmbeddedDatabase, tmp_path: Path
) -> None:
    broker = EmbeddedBroker(data_folder)
    cluster = broker.cluster(broker.acquire())
    ensure_topics(cluster, TOPICS.values(), 1)
    with fresh_database(database_server) as url, opened(Door(tmp_path, cluster, url)) as door:
        with door.client() as client:
            key = {"idempotency-key": "while it was away"}

            def publish() -> httpx.Response:
                return client.post("/v1/events/invoice", json=door.invoice("W1"), headers=key)

            assert client.post("/v1/events/invoice", json=door.invoice("W0")).status_code == 202
            assert client.get("/readyz").status_code == 200
            broker.release()
            began = time.monotonic()
            away = publish()
            assert away.status_code == 503, away.text
            assert int(away.headers["retry-after"]) > 0
            assert time.monotonic() - began < 20
            assert client.get("/readyz").json()["broker"] != "ok"
            assert client.get("/healthz").status_code == 200
            broker.acquire()
            deadline = time.monotonic() + 60
            while (answer := publish()).status_code != 202:
                assert answer.status_code in (409, 503), answer.text
                assert time.monotonic() < deadline
                time.sleep(0.5)
            version = answer.json()["version"]
            found = {one["version"] for one in door.published(INVOICES) if one["id"] == "W1"}
            assert found == {version}
    broker.release()
