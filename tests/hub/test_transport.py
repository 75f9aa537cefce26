"""Faust's transport in batches, against a real broker."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Iterator
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
    """Positions as a database would keep them; whoever commits a batch moves them."""

    def __init__(self) -> None:
        self.positions: dict[tuple[str, int], int] = {}
        self.released: list[tuple[str, int]] = []

    def claim(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Claim]:
        return {partition: Claim(self.positions.get(partition, 0), 1) for partition in partitions}

    def release(self, partitions: Iterable[tuple[str, int]]) -> None:
        self.released += partitions

    def commit(self, batch: RecordBatch) -> None:
        self.positions[batch.topic, batch.partition] = batch.end


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
) -> list[RecordBatch]:
    """Let an app take batches, each committed at once, until there are ``enough``."""
    batches: list[RecordBatch] = []

    async def run() -> None:
        done = asyncio.Event()
        app = new_app(
            group=f"tests-{uuid.uuid4()}",
            brokers=broker.bootstrap_servers,
            positions=kept,
            datadir=str(folder),
            instance=None,
            max_poll_records=FETCH,
        )

        async def take(stream: Any) -> None:
            async for event in stream.noack().events():
                if not done.is_set():
                    batches.append(event.value)
                    kept.commit(event.value)
                event.ack()
                if enough(batches):
                    done.set()

        for topic in topics:
            app.agent(app.batches(topic), name=f"take.{topic}")(take)
        await app.start()
        try:
            await asyncio.wait_for(done.wait(), 60)
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

    batches = consumed(broker, [topic], Kept(), tmp_path, lambda seen: seen[-1].end == end)

    assert [batch.start for batch in batches] == [0, *(batch.end for batch in batches[:-1])]
    values = [record.value.decode() for record in records(batches)]
    assert values == [f"{n}.{part}" for n in range(30) if n % 3 for part in range(10)]


def test_a_new_app_goes_on_where_the_last_batch_was_committed(
    broker: Cluster, topics: tuple[str, str], tmp_path: Path
) -> None:
    topic, _ = topics
    fill(broker, topic, 1_500)
    kept = Kept()
    first = consumed(broker, [topic], kept, tmp_path, lambda seen: len(seen) == 3)
    assert kept.released == [(topic, 0)]
    rest = consumed(broker, [topic], kept, tmp_path, lambda seen: seen[-1].end == 1_500)
    numbers = [int(record.value) for record in records([*first, *rest])]
    assert numbers == list(range(1_500))


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
