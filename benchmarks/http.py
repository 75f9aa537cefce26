"""The HTTP door under load: single events one by one, and batches, each answered once published."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvloop
import yaml

from benchmarks import documents
from benchmarks.end_to_end import percentile
from benchmarks.measured import Figure, say
from hub.garbage import collecting_rarely
from ops.embedded.ports import LOOPBACK, choose_ports
from ops.stack import Addresses
from schemas.plain import to_plain

SINGLE_PER_SECOND = 1_000
SINGLE_P99_MS = 50.0
BATCH_PER_SECOND = 6_000
BATCH = 500

_START_S = 30.0
_WARM_UP = 500
_CALLERS = 64
#: At a steady rate there is always one that waits for nothing.
_CONNECTIONS = 128
_BATCHES_AT_ONCE = 3


def measure(addresses: Addresses, *, singles: int = 15_000, batched: int = 60_000) -> list[Figure]:
    """Measure the door in a process of its own; the load comes from this one.

    Args:
        addresses: of broker and database, with topics and tables.
        singles: events sent one by one: as fast as they are answered, and as many again at a
            steady rate, whatever comes back.
        batched: events sent in batches, as fast as they are answered.
    """
    # Made before: the load alone runs beside the door.
    fast, steady = _bodies(singles, 10_000_000), _bodies(singles, 20_000_000)
    batches = _batches(batched, 30_000_000)
    # The loop that costs least, and no garbage: the door has the same cores.
    with (
        served(addresses) as port,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as load,
        collecting_rarely(),
    ):
        load.run(_at_a_rate(port, _bodies(_WARM_UP, 0), SINGLE_PER_SECOND / 2))
        say("HTTP: single events as fast as they are answered …")
        single_rate = load.run(_as_fast_as_can_be(port, fast, _CALLERS))
        say("HTTP: single events at a steady rate …")
        seconds = load.run(_at_a_rate(port, steady, SINGLE_PER_SECOND))
        say("HTTP: batches …")
        batch_rate = load.run(_as_fast_as_can_be(port, batches, _BATCHES_AT_ONCE)) * BATCH
    steadily = f"HTTP, a single event while {SINGLE_PER_SECOND:,}/s are offered"
    return [
        Figure(
            f"HTTP, single events of {_CALLERS} callers",
            *(single_rate, "events/s", "limit"),
            target=SINGLE_PER_SECOND,
        ),
        Figure(f"{steadily}, p50", percentile(seconds, 0.5) * 1_000, "ms"),
        Figure(
            f"{steadily}, p99",
            *(percentile(seconds, 0.99) * 1_000, "ms", "limit"),
            target=SINGLE_P99_MS,
            at_least=False,
        ),
        Figure(
            f"HTTP, batches of {BATCH}, {_BATCHES_AT_ONCE} at once",
            *(batch_rate, "events/s", "limit"),
            target=BATCH_PER_SECOND,
        ),
    ]


@contextmanager
def served(addresses: Addresses) -> Iterator[int]:
    """The door's process; gives its port."""
    port = choose_ports(["api"], {})["api"]
    with tempfile.TemporaryDirectory(prefix="headrace-bench-http-") as folder:
        config = Path(folder) / "headrace.yaml"
        servers = list(addresses.cluster.bootstrap_servers)
        config.write_text(
            yaml.safe_dump(
                {
                    "company": {"name": "Bench", "base_currency": "EUR", "time_zone": "UTC"},
                    "kafka": {
                        "bootstrap_servers": servers,
                        "security": {"protocol": "PLAINTEXT"},
                    },
                    "database": addresses.database_url,
                    "api": {"port": port, "authentication": False},
                }
            )
        )
        with (Path(folder) / "api.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ops.cli", "api", "--config", str(config)],
                stdout=log,
                stderr=log,
            )
            try:
                _wait_for(port, process)
                yield port
            finally:
                process.terminate()
                process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            httpx.get(f"http://{LOOPBACK}:{port}/healthz", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _documents(number: int, first: int) -> Iterator[dict[str, Any]]:
    """Invoices that nobody has seen, without versions: the hub settles them."""
    chance = random.Random(7)
    for index in range(number):
        document: dict[str, Any] = to_plain(documents.invoice(first + index, chance))
        del document["version"]
        yield document


def _bodies(number: int, first: int) -> list[bytes]:
    return [_request(json.dumps(one).encode()) for one in _documents(number, first)]


def _batches(number: int, first: int) -> list[bytes]:
    several = list(_documents(number, first))
    return [
        _request(json.dumps(several[start : start + BATCH]).encode())
        for start in range(0, number, BATCH)
    ]


def _request(body: bytes) -> bytes:
    head = (
        "POST /v1/events/invoice HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _at_a_rate(port: int, requests: Sequence[bytes], per_second: float) -> list[float]:
    """Send at a steady rate, whatever comes back; the seconds that each answer took.

    A request's time counts from when it was due, so that a door that stalls is not asked less. The
    first is due when all connections stand.
    """
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    taken: list[float] = []
    standing = asyncio.Barrier(_CONNECTIONS + 1)

    async def caller() -> None:
        async with _connected(port) as (reader, writer):
            await standing.wait()
            while True:
                due, request = await waiting.get()
                writer.write(request)
                await _answered(reader)
                taken.append(time.perf_counter() - due)
                waiting.task_done()

    async def offer() -> None:
        await standing.wait()
        began = time.perf_counter()
        for index, request in enumerate(requests):
            due = began + index / per_second
            pause = due - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            waiting.put_nowait((due, request))
        await waiting.join()

    offering = asyncio.create_task(offer())
    callers = [asyncio.create_task(caller()) for _ in range(_CONNECTIONS)]
    # A caller ends by its failure alone.
    ended, _ = await asyncio.wait([offering, *callers], return_when=asyncio.FIRST_COMPLETED)
    for one in (offering, *callers):
        one.cancel()
    await asyncio.wait([offering, *callers])
    for one in ended:
        one.result()
    return taken


async def _as_fast_as_can_be(port: int, requests: Sequence[bytes], at_once: int) -> float:
    """Send each request when another is answered; requests per second."""
    left = iter(requests)

    async def caller() -> None:
        async with _connected(port) as (reader, writer):
            for request in left:
                writer.write(request)
                await writer.drain()
                await _answered(reader)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return len(requests) / (time.perf_counter() - began)


@asynccontextmanager
async def _connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    (length,) = (line for line in lines if line.startswith(b"content-length:"))
    body = await reader.readexactly(int(length.partition(b":")[2]))
    if not head.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(f"{head.decode()}{body[:500].decode()}")
