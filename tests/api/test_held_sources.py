"""A source that is held or paused keeps its own callers waiting, and no others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from sinks import cursors
from tests.api.doors import Door, deliver

pytestmark = pytest.mark.stack

TICKET = json.dumps({"number": "T1", "opened": "2026-03-02 09:15:00", "state": "new"}).encode()


@contextmanager
def held(door: Door, source: str) -> Iterator[None]:
    with cursors.source_lock(door.database_url, source):
        yield


def publish(door: Door, number: str, source: str) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    with door.client() as client:
        answer = client.post("/v1/events/invoice", json=door.invoice(number, source=source))
    return answer, time.monotonic() - began


def test_events_of_a_held_source_are_put_off_and_those_of_others_published(door: Door) -> None:
    busy, free = f"busy-{door.name}", f"free-{door.name}"
    publish(door, "W0", free)
    with held(door, busy), ThreadPoolExecutor(8) as pool:
        put_off = pool.submit(publish, door, "W1", busy)
        time.sleep(0.2)
        others = [pool.submit(publish, door, f"F{number}", free) for number in range(6)]
        answers = [one.result() for one in others]
        assert [answer.status_code for answer, _ in answers] == [202] * 6
        assert max(seconds for _, seconds in answers) < 4
        answer, _ = put_off.result()
        assert answer.status_code == 503
        assert busy in answer.json()["detail"] and "retry-after" in answer.headers
    answer, _ = publish(door, "W1", busy)
    assert answer.status_code == 202


def test_an_event_of_a_source_that_is_held_for_a_moment_is_published_then(door: Door) -> None:
    busy = f"moment-{door.name}"
    with ThreadPoolExecutor(1) as pool:
        with held(door, busy):
            waiting = pool.submit(publish, door, "W2", busy)
            time.sleep(0.5)
            assert not waiting.done()
        assert waiting.result()[0].status_code == 202


def test_a_delivery_of_a_held_source_is_put_off_in_time(door: Door) -> None:
    assert deliver(door, TICKET, "held-0").status_code == 202
    with held(door, door.desk):
        answer = deliver(door, TICKET, "held-1")
    assert answer.status_code == 503
    assert "is being read by another process" in answer.json()["detail"]
    assert deliver(door, TICKET, "held-1").status_code == 202


def test_a_paused_webhook_is_told_so_until_it_is_resumed(door: Door) -> None:
    with door.connection() as connection:
        cursors.pause(connection, door.desk)
    answer = deliver(door, TICKET, "paused-1")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:headrace:problem:paused"
    assert f"sources resume {door.desk}" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "60"
    with door.connection() as connection:
        cursors.resume(connection, door.desk)
    assert deliver(door, TICKET, "paused-1").status_code == 202


def test_a_webhook_that_reuses_its_id_is_told_of_its_own_header(door: Door) -> None:
    assert deliver(door, TICKET, "reused-1").status_code == 202
    answer = deliver(door, TICKET.replace(b"T1", b"T2"), "reused-1")
    assert answer.status_code == 409
    assert "webhook-id" in answer.json()["detail"]
    assert "Idempotency-Key" not in answer.json()["detail"]
