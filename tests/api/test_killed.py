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


def test_a_large_request_that_was_broken_off_goes_on_where_it_was_and_has_one_effect(
    door: Door,
) -> None:
    # Every invoice comes three times, each in another share: it goes back to what it was.
    contents = ("draft", "corrected", "draft")
    events = [
        door.invoice(f"large-{number}", company=content)
        for content in contents
        for number in range(2_000)
    ]
    key = f"large of {door.name}"
    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(_answer_to, door, events, key)
        _until_some_was_taken(door, key)
        door.kill()
        standing = "SELECT taken IS NOT NULL, answer IS NULL FROM idempotency_keys WHERE key = %s"
        assert door.query(standing, key) == [(True, True)], "it was not killed in the middle"
        door.start()
        answer = answering.result()
    assert answer.json()["accepted"] == len(events), answer.text[:500]
    told = [
        (one["id"], one["version"], event["company"])
        for one, event in zip(answer.json()["items"], events, strict=True)
    ]
    log = {
        (one["id"], one["version"], one["company"])
        for one in door.published(INVOICES)
        if one["id"].startswith("large-")
    }
    assert log == set(told) and len(log) == len(told)
    # The highest version counts, and it is of the last content.
    newest = {id: company for id, _, company in sorted(log, key=lambda one: one[1])}
    assert len(newest) == 2_000 and set(newest.values()) == {"draft"}
    again = _answer_to(door, events, key)
    assert again.content == answer.content and again.headers["idempotent-replayed"] == "true"


def _answer_to(door: Door, events: list[dict[str, object]], key: str) -> httpx.Response:
    """The answer to a request that is sent until it has one."""
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline, "there is no answer"
        try:
            answer = httpx.post(
                f"{door.address}/v1/events/invoice",
                json=events,
                headers={"idempotency-key": key},
                timeout=30,
                trust_env=False,
            )
        except httpx.HTTPError:
            time.sleep(0.05)
            continue
        if answer.status_code not in (409, 503):
            assert answer.status_code == 202, answer.text[:500]
            return answer
        time.sleep(0.1)


def _until_some_was_taken(door: Door, key: str) -> None:
    deadline = time.monotonic() + 30
    taken = "SELECT FROM idempotency_keys WHERE key = %s AND taken IS NOT NULL"
    with door.connection() as connection:
        connection.autocommit = True
        while connection.execute(taken, (key,)).fetchone() is None:
            assert time.monotonic() < deadline, "no share was taken"
            time.sleep(0.005)


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
