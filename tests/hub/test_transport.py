"""Faust's transport in batches, against a real broker."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.batches import Claim, RecordBatch
from hub.kafka import Cluster, delete_topics, ensure_topics, log_ranges
from hub.transport import new_app

pytestmark = pytest.mark.stack

#: Records of one fetch: small, so that a topic takes many.
FETCH = 200


@dataclass(frozen=True)
class Wanted:
    name: str
    cleanup: str = "delete"


class Kept:
    """Positions as a database would keep them: fenced by epoch, moved by whoever commits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epochs: dict[tuple[str, int], int] = defaultdict(int)
        self.positions: dict[tuple[str, int], int] = defaultdict(int)
        self.released: list[tuple[str, int]] = []

    def claim(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Claim]:
        with self._lock:
            claims = {}
            for partition in partitions:
                self._epochs[partition] += 1
                claims[partition] = Claim(self.positions[partition], self._epochs[partition])
            return claims

    def release(self, partitions: Iterable[tuple[str, int]]) -> None:
        self.released += partitions

    def commit(self, batch: RecordBatch) -> bool:
        """Move the position behind ``batch``, if it is still its owner's and joins."""
        partition = (batch.topic, batch.partition)
        with self._lock:
            if self._epochs[partition] != batch.epoch:
                return False
            assert batch.start == self.positions[partition], "a batch was lost"
            self.positions[partition] = batch.end
            return True


@pytest.fixture
def topics(broker: Cluster, topic_prefix: str) -> Iterator[tuple[str, str]]:
    names = (f"{topic_prefix}invoices", f"{topic_prefix}payments")
    ensure_topics(broker, [Wanted(name) for name in names], 1)
    yield names
    delete_topics(broker, list(names))


def consumed(
    broker: Cluster,
    topics: Iterable[str],
    kept: Kept,
    folder: Path,
    enough: Callable[[list[RecordBatch]], bool],
    *,
    group: str | None = None,
    pause: float = 0.0,
) -> list[RecordBatch]:
    """Let an app take batches until there are ``enough``; return those that it committed."""
    batches: list[RecordBatch] = []

    async def run() -> None:
        done = asyncio.Event()
        app = new_app(
            group=group or f"tests-{uuid.uuid4()}",
            brokers=broker.bootstrap_servers,
            positions=kept,
            datadir=str(folder),
            instance=None,
            max_poll_records=FETCH,
        )

        async def take(stream: Any) -> None:
            async for event in stream.noack().events():
                await asyncio.sleep(pause)
                if not done.is_set() and kept.commit(event.value):
                    batches.append(event.value)
                event.ack()

        async def watch() -> None:
            while not enough(batches):
                await asyncio.sleep(0.01)
            done.set()

        for topic in topics:
            app.agent(app.batches(topic), name=f"take.{topic}")(take)
        await app.start()
        try:
            await asyncio.wait_for(watch(), 60)
        finally:
            await app.stop()

    asyncio.run(run())
    return batches


def records(batches: Iterable[RecordBatch]) -> list[Any]:
    return [record for batch in batches for record in batch.records]


def fill(broker: Cluster, topic: str, number: int, *, every_ms: int = 1) -> None:
    producer = broker.producer()
    for index in range(number):
        value = str(index).encode()
        producer.send(topic, value=value, partition=0, timestamp_ms=1 + index * every_ms)
    producer.flush()
    producer.close()


def test_batches_join_although_transactions_leave_gaps(
    broker: Cluster, topics: tuple[str, str], tmp_path: Path
) -> None:
    topic, _ = topics
    producer = broker.producer(transactional_id=f"tests-{uuid.uuid4()}")
    producer.init_transactions()
    for number in range(30):
        producer.begin_transaction()
        for part in range(10):
            producer.send(topic, value=f"{number}.{part}".encode(), partition=0)
        producer.flush()
        if number % 3:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    ((_, end),) = log_ranges(broker, [(topic, 0)]).values()
    assert end == 30 * 11, "each transaction ends with a marker"

    batches = consumed(
        broker, [topic], Kept(), tmp_path, lambda seen: bool(seen) and seen[-1].end == end
    )

    assert [batch.start for batch in batches] == [0, *(batch.end for batch in batches[:-1])]
    values = [record.value.decode() for record in records(batches)]
    assert values == [f"{n}.{part}" for n in range(30) if n % 3 for part in range(10)]


def test_a_new_app_goes_on_where_the_last_batch_was_committed(
    broker: Cluster, topics: tuple[str, str], tmp_path: Path
) -> None:
    topic, _ = topics
    fill(broker, topic, 1_500)
    kept = Kept()
    first = consumed(broker, [topic], kept, tmp_path, lambda seen: len(seen) >= 3)
    assert kept.released == [(topic, 0)]
    rest = consumed(broker, [topic], kept, tmp_path, lambda seen: kept.positions[topic, 0] == 1_500)
    numbers = [int(record.value) for record in records([*first, *rest])]
    assert numbers == list(range(1_500))


def test_what_apps_take_that_come_and_go_is_each_record_once(
    broker: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    topic, each = f"{topic_prefix}spread", 5_000
    ensure_topics(broker, [Wanted(topic)], 4)
    producer = broker.producer()
    for index in range(each):
        for partition in range(4):
            producer.send(topic, value=f"{partition}.{index}".encode(), partition=partition)
    producer.flush()
    producer.close()
    kept, group = Kept(), f"tests-{uuid.uuid4()}"

    def everything(_: list[RecordBatch]) -> bool:
        return sum(kept.positions.values()) == 4 * each

    def member(number: int, enough: Callable[[list[RecordBatch]], bool]) -> list[RecordBatch]:
        folder = tmp_path / str(number)
        return consumed(broker, [topic], kept, folder, enough, group=group, pause=0.1)

    with ThreadPoolExecutor(2) as threads:
        stays = threads.submit(member, 0, everything)
        # Comes while the other one is at work, takes a part, and leaves under load.
        leaves = threads.submit(member, 1, lambda seen: len(seen) >= 5)
        taken = [stays.result(), leaves.result()]

    assert all(taken)
    values = [record.value.decode() for record in records([*taken[0], *taken[1]])]
    assert len(values) == 4 * each
    assert set(values) == {f"{part}.{index}" for part in range(4) for index in range(each)}
    delete_topics(broker, [topic])


def test_topics_are_read_in_step_by_the_times_of_their_records(
    broker: Cluster, topics: tuple[str, str], tmp_path: Path
) -> None:
    invoices, payments = topics
    fill(broker, invoices, 6_000)
    fill(broker, payments, 2_000, every_ms=3)

    batches = consumed(
        broker, topics, Kept(), tmp_path, lambda seen: sum(len(b.records) for b in seen) == 8_000
    )

    reached = dict.fromkeys(topics, 0)
    apart = []
    for batch in batches:
        reached[batch.topic] = batch.records[-1].timestamp
        apart.append(abs(reached[invoices] - reached[payments]))
    # One fetch of payments spans 600 ms; a fetch in the consumer's hands holds a whole topic.
    assert max(apart) <= 2 * 3 * FETCH
