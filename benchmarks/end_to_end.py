"""The whole way of an event, from the topic to the committed views: rate, memory and latency."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks import documents
from hub.kafka import log_ranges, partitions_of
from ops.stack import Addresses
from schemas.catalogue import DOCUMENTS
from schemas.codec import encode
from schemas.keys import record_key
from sinks.database import connect

TOPICS = [DOCUMENTS["invoice"].name, DOCUMENTS["payment"].name]

#: How often it is asked which documents are committed; a latency is too long by at most that.
POLL_S = 0.002
#: How long a worker may go without committing what it should before the measurement has failed.
COMMITTED_WITHIN_S = 30.0
STOPPED_WITHIN_S = 30.0


class NotCommitted(Exception):
    """Documents did not get as far as the committed views in time: there is nothing to measure."""


Commands = Sequence[Sequence[str]]


def workers_of(config: Path, number: int = 1) -> Commands:
    """Return the commands of ``number`` workers of the hub that ``config`` describes."""
    headrace = str(Path(sys.executable).with_name("headrace"))
    return [
        (headrace, "worker", "--config", str(config), "--slot", str(slot)) for slot in range(number)
    ]


@contextmanager
def running(commands: Commands) -> Iterator[list[psutil.Process]]:
    """Run processes that work until they are told to stop."""
    started = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    try:
        yield [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                # What went wrong before is told, not that it could not be stopped either.
                process.kill()
                process.wait()


def drain(addresses: Addresses, commands: Commands) -> tuple[float, float]:
    """Let the processes of ``commands`` process what the topics hold beyond the positions.

    Returns:
        Events per second from when every process has its partitions to the last commit, and the
        largest memory of a process in MB (resident set).

    Raises:
        NotCommitted: nothing was committed for ``COMMITTED_WITHIN_S``.
    """
    expected = sum(
        end
        for _, end in log_ranges(
            addresses.cluster, partitions_of(addresses.cluster, TOPICS)
        ).values()
    )
    memory = 0.0
    with connect(addresses.database_url, name="bench") as connection:
        connection.autocommit = True
        with running(commands) as processes:
            began, seen_first, seen = 0.0, 0, 0
            moved_at = time.perf_counter()
            while seen < expected:
                time.sleep(0.02)
                before, seen = seen, _committed(connection)
                if seen > before:
                    moved_at = time.perf_counter()
                elif time.perf_counter() - moved_at > COMMITTED_WITHIN_S:
                    raise NotCommitted(
                        f"{seen:,} of {expected:,} documents are committed, and none for"
                        f" {COMMITTED_WITHIN_S:.0f} s: see the workers' logs"
                    )
                if not began and _owners(connection) == len(commands):
                    began, seen_first = time.perf_counter(), seen
                memory = max(memory, *(_resident_mb(process) for process in processes))
            rate = (seen - seen_first) / (time.perf_counter() - began)
    return rate, memory


def outcome(addresses: Addresses) -> tuple[Any, ...]:
    """Return what must be the same whoever processed the topics, in whatever order and batches."""
    with connect(addresses.database_url, name="bench") as connection:
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM fact_invoice), (SELECT count(*) FROM fact_payment),
                (SELECT count(*) FROM receivable_allocations WHERE applied > 0),
                (SELECT count(DISTINCT key) FROM outbox WHERE subject = 'customer'),
                (SELECT count(*) FROM dead_letters),
                md5(string_agg(balance::text, ',' ORDER BY customer_key, currency))
            FROM receivable_balances AS balance
            """
        ).fetchone()
    assert row is not None
    return tuple(row)


def _committed(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(position), 0) FROM stream_offsets WHERE topic = ANY(%s)", (TOPICS,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _owners(connection: psycopg.Connection[Any]) -> int:
    """Return how many workers share all partitions; 0 while some belong to none."""
    row = connection.execute(
        """
        SELECT CASE WHEN bool_or(clean) THEN 0 ELSE count(DISTINCT owner) END
        FROM stream_offsets WHERE topic = ANY(%s)
        """,
        (TOPICS,),
    ).fetchone()
    assert row is not None
    return int(row[0] or 0)


def _resident_mb(process: psutil.Process) -> float:
    if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
        raise RuntimeError("a process that should have worked ended: see its log")
    return float(process.memory_info().rss) / 1e6


def latencies(
    addresses: Addresses, config: Path, *, per_second: int, seconds: float
) -> list[float]:
    """Publish invoices at a steady rate while a worker runs.

    Returns:
        Milliseconds from the producer's acknowledgement to the commit of the document's effects,
        one for each document after a warm-up of 3 s.

    Raises:
        NotCommitted: a document was not committed within ``COMMITTED_WITHIN_S`` of the last one.
    """
    acknowledged: dict[str, float] = {}
    took: list[float] = []
    wanted = int(per_second * seconds)
    warm_up = 3 * per_second

    def watch(give_up_at: float) -> None:
        with connect(addresses.database_url, name="bench-watch") as connection:
            connection.autocommit = True
            while len(took) < wanted and time.perf_counter() < give_up_at:
                waiting = list(acknowledged)
                rows = connection.execute(
                    "SELECT key FROM fact_invoice WHERE key = ANY(%s)", (waiting,)
                ).fetchall()
                now = time.perf_counter()
                for (key,) in rows:
                    took.append((now - acknowledged.pop(key)) * 1_000)
                time.sleep(POLL_S)

    with running(workers_of(config)), connect(addresses.database_url, name="bench") as connection:
        connection.autocommit = True
        _wait_for_owner(connection)
        give_up_at = time.perf_counter() + seconds + COMMITTED_WITHIN_S
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(watch, give_up_at)
            _publish_steadily(addresses, wanted, per_second, acknowledged)
            watching.result()
    if len(took) < wanted:
        raise NotCommitted(
            f"of {wanted:,} invoices {len(took):,} were committed within {COMMITTED_WITHIN_S:.0f} s"
            f" of the last, {len(acknowledged):,} were acknowledged only: see worker-0's log"
        )
    return took[warm_up:]


def _wait_for_owner(connection: psycopg.Connection[Any]) -> None:
    give_up_at = time.perf_counter() + COMMITTED_WITHIN_S
    while _owners(connection) != 1:
        if time.perf_counter() > give_up_at:
            raise NotCommitted(f"no worker took the partitions in {COMMITTED_WITHIN_S:.0f} s")
        time.sleep(0.1)


def _publish_steadily(
    addresses: Addresses, wanted: int, per_second: int, acknowledged: dict[str, float]
) -> None:
    """Publish invoices nobody has seen, noting when each key was acknowledged."""
    chance = random.Random(7)
    start_number = int(time.time()) % 10_000_000 + 20_000_000
    topic = DOCUMENTS["invoice"]
    producer = addresses.cluster.producer(linger_ms=0)
    began = time.perf_counter()
    try:
        for index in range(wanted):
            document = documents.invoice(start_number + index, chance)
            key = record_key(documents.SOURCE, document["id"])
            sent = producer.send(
                topic.name,
                key=key.encode(),
                value=encode(topic, document),
                partition=int(document["customer"]["id"][1:]) % documents.PARTITIONS,
            )
            sent.add_callback(lambda _, of=key: acknowledged.__setitem__(of, time.perf_counter()))
            pause = began + (index + 1) / per_second - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
        producer.flush(timeout=COMMITTED_WITHIN_S)
    finally:
        producer.close(timeout=COMMITTED_WITHIN_S)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie."""
    return statistics.quantiles(values, n=1_000)[round(share * 1_000) - 1]
