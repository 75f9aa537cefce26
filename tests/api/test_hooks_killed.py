"""A webhook whose door is killed before it answers is delivered again, and counts once."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.doors import Door, deliver

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

CASES = "service.case.v1"
_SENDERS = 4
_KILLS = 3


def ticket(number: str, state: str = "new") -> dict[str, Any]:
    return {"number": number, "opened": "2026-01-02", "state": state}


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def delivered(door: Door, records: list[dict[str, Any]], id: str) -> httpx.Response:
    """The answer to a delivery that is repeated, as senders do, until there is one."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = deliver(door, json.dumps(records).encode(), id)
            if answer.status_code not in (409, 503):
                return answer
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def cases(door: Door) -> set[tuple[str, int, bytes]]:
    """Id, version and event id of each case: what comes twice under one of these counts once."""
    return {(one["id"], one["version"], told["ce_id"]) for told, one in door.records(CASES)}


def letters(door: Door, id: str) -> list[tuple[Any, ...]]:
    return door.query(
        "SELECT place, code FROM dead_letters WHERE place LIKE %s ORDER BY place", f"http:{id}:%"
    )


@pytest.mark.parametrize("moment", ["published", "committed"])
def test_a_door_killed_between_publishing_and_answering_is_told_again_and_counts_once(
    door: Door, moment: str
) -> None:
    records = [ticket(moment), ticket(f"odd {moment}", "odd")]
    with (
        ThreadPoolExecutor(1) as pool,
        door.connection() as versions,
        door.connection() as keys,
    ):
        # The door publishes, and then waits here for what it would commit.
        versions.execute("LOCK TABLE source_versions IN SHARE ROW EXCLUSIVE MODE")
        first = pool.submit(deliver, door, json.dumps(records).encode(), moment)
        until(lambda: any(id == moment for id, _, _ in cases(door)))
        if moment == "committed":
            keys.execute("SELECT FROM idempotency_keys WHERE key = %s FOR UPDATE", (moment,))
            versions.rollback()
            until(lambda: door.query("SELECT FROM source_versions WHERE key = %s", moment))
        assert not first.done()
        door.kill()
        with pytest.raises(httpx.HTTPError):
            first.result()
    door.start()
    answer = delivered(door, records, moment)
    assert (answer.status_code, answer.json()["status"]) == (202, "kept")
    assert len([one for one in cases(door) if one[0] == moment]) == 1
    assert letters(door, moment) == [(f"http:{moment}:2", "unknown_value")]
    again = delivered(door, records, moment)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")


def test_doors_killed_at_any_moment_lose_no_delivery_and_double_none(door: Door) -> None:
    chance = random.Random(11)
    over = threading.Event()
    answered: list[tuple[str, bool]] = []

    def send(sender: int) -> None:
        own = random.Random(sender)
        number = 0
        while not over.is_set():
            number += 1
            id, kept = f"s{sender}.{number}", own.random() < 0.3
            records = [ticket(id), *([ticket(f"{id} odd", "odd")] if kept else [])]
            answer = delivered(door, records, id)
            assert answer.status_code == 202, answer.text
            answered.append((id, kept))

    def wait_for_answers(count: int) -> None:
        until(lambda: len(answered) >= count)

    with ThreadPoolExecutor(_SENDERS) as pool:
        running = [pool.submit(send, sender) for sender in range(_SENDERS)]
        try:
            for kill in range(1, _KILLS + 1):
                wait_for_answers(15 * kill)
                time.sleep(chance.uniform(0.0, 0.3))
                door.kill()
                door.start()
            wait_for_answers(15 * (_KILLS + 1))
        finally:
            over.set()
        for one in running:
            one.result()
    found = [id for id, _, _ in cases(door) if id.startswith("s")]
    # Each once: nothing has two versions.
    assert sorted(found) == sorted(id for id, _ in answered)
    kept_places = [place for place, _ in letters(door, "s%")]
    assert kept_places == sorted(f"http:{id}:2" for id, kept in answered if kept)
