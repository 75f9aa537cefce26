"""Large bodies are read in a process of their own: the same answers, and the door outlives it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import httpx
import psutil
import pytest

from api.events import SMALL_BYTES
from tests.api.doors import Door

pytestmark = pytest.mark.stack

EVENTS = "/v1/events/invoice"


def large(door: Door, name: str, number: int = 200) -> list[dict[str, Any]]:
    """Invoices whose body is not small."""
    return [door.invoice(f"{name}-{index}") for index in range(number)]


def readers(door: Door) -> list[psutil.Process]:
    """The processes in which the door has bodies read."""
    assert door.process is not None
    children = psutil.Process(door.process.pid).children(recursive=True)
    return [one for one in children if "spawn_main" in " ".join(one.cmdline())]


@pytest.fixture
def reader(door: Door, client: httpx.Client) -> psutil.Process:
    """A process that reads: the first large body makes it, and it is there a while after that."""
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline, door.log()
        before = {one: sum(one.cpu_times()[:2]) for one in readers(door)}
        time.sleep(0.3)
        # One that works while nobody asks is still starting.
        idle = [one for one, used in before.items() if sum(one.cpu_times()[:2]) == used]
        name = f"warm-{time.monotonic_ns()}"
        assert client.post(EVENTS, json=large(door, name, 2_000)).status_code == 202
        for one in idle:
            if sum(one.cpu_times()[:2]) > before[one]:
                return one


@pytest.mark.usefixtures("reader")
def test_events_that_were_read_apart_are_the_ones_that_were_sent(
    door: Door, client: httpx.Client
) -> None:
    sent = large(door, "apart")
    sent[7]["customer"] = {"source": door.shop, "id": "K-18"}
    sent[9]["currency"] = "EURO"
    answer = client.post(EVENTS, json=sent)
    assert answer.status_code == 207, answer.text
    items = answer.json()["items"]
    assert [item["index"] for item in items if item["status"] == "rejected"] == [9]
    assert items[9]["errors"][0]["pointer"] == "/9/currency"
    published = {one["id"]: one for one in door.published("finance.invoice.v1")}
    assert published["apart-7"]["customer"] == {"source": door.shop, "id": "K-18"}
    assert {item["version"] for item in items if "version" in item} == {
        published[item["id"]]["version"] for item in items if "version" in item
    }
    again = client.post(EVENTS, json=sent)
    assert again.json()["repeated"] == len(sent) - 1


@pytest.mark.usefixtures("reader")
def test_large_body_that_is_no_json_is_refused_with_its_place(client: httpx.Client) -> None:
    body = b"[" + b" " * SMALL_BYTES + b"{]"
    answer = client.post(EVENTS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:headrace:problem:broken_json"


@pytest.mark.usefixtures("reader")
def test_more_events_than_are_taken_at_once_are_refused_with_the_limit(
    client: httpx.Client,
) -> None:
    answer = client.post(EVENTS, json=[{}] * 10_001)
    assert (answer.status_code, answer.json()["limit"]) == (413, 10_000)


def test_door_goes_on_when_a_process_that_reads_is_killed(
    door: Door, client: httpx.Client, reader: psutil.Process
) -> None:
    reader.kill()
    reader.wait(10)
    deadline = time.monotonic() + 30
    while (answer := client.post(EVENTS, json=large(door, "after"))).status_code != 202:
        assert answer.status_code == 500, answer.text
        assert time.monotonic() < deadline
    assert answer.json()["accepted"] + answer.json()["repeated"] == 200
    assert client.post(EVENTS, json=door.invoice("small")).status_code == 202


def test_process_that_reads_ends_with_a_door_that_is_killed(
    door: Door, reader: psutil.Process
) -> None:
    assert door.process is not None
    # Ctrl-C reaches all processes of a terminal; the door decides when this one ends.
    os.kill(reader.pid, signal.SIGINT)
    time.sleep(0.2)
    assert reader.is_running()
    door.kill()
    psutil.wait_procs([reader], timeout=10)
    assert not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE
    door.start()
