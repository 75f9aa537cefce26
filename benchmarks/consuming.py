"""Consume and decode, nothing else: a bare loop, the hub's runtime, and stock Faust.

Run as a process of its own: ``python -m benchmarks.consuming WHAT BROKER TOPIC RECORDS``; prints
the records per second, from the first record to the last.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import aiokafka
import faust
from fastavro import schemaless_reader

from hub.batches import Claim
from hub.log import configure_logging
from hub.transport import new_app
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, decode_batch


class Stopwatch:
    """Counts records and says when all have come."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen = 0
        self._began = 0.0
        self.done = asyncio.Event()
        self.rate = 0.0

    def count(self, records: int) -> None:
        """Note that ``records`` more were decoded."""
        if not self._seen:
            self._began = time.perf_counter()
            self._first = records
        self._seen += records
        if self._seen >= self._expected:
            self.rate = (self._seen - self._first) / (time.perf_counter() - self._began)
            self.done.set()


class FromTheStart:
    """Positions of a run that keeps none: every partition from its beginning."""

    def claim(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Claim]:
        """See `hub.batches.PositionStore`."""
        return {partition: Claim(0, 1) for partition in partitions}

    def release(self, partitions: Iterable[tuple[str, int]]) -> None:
        """See `hub.batches.PositionStore`."""


def with_fastavro(topic: str) -> Callable[[list[bytes]], None]:
    """Return what decodes a batch by fastavro."""
    schema = TOPICS[topic].parsed

    def decode(values: list[bytes]) -> None:
        for value in values:
            stream = BytesIO(value)
            stream.seek(5)
            schemaless_reader(stream, schema, None)

    return decode


def with_codec(topic: str) -> Callable[[list[bytes]], None]:
    """Return what decodes a batch by the hub's codec, with every check that it makes."""
    contract = TOPICS[topic]

    def decode(values: list[bytes]) -> None:
        for content in decode_batch(contract, values):
            assert isinstance(content, Decoded)

    return decode


async def bare(broker: str, topic: str, watch: Stopwatch) -> None:
    """A loop of aiokafka's getmany and fastavro."""
    decode = with_fastavro(topic)
    consumer = aiokafka.AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        group_id=f"bench-{uuid.uuid4()}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        while not watch.done.is_set():
            for records in (await consumer.getmany(timeout_ms=1000, max_records=2000)).values():
                decode([record.value for record in records])
                watch.count(len(records))
    finally:
        await consumer.stop()


async def hub(broker: str, topic: str, watch: Stopwatch, decode: Any) -> None:
    """The hub's Faust runtime with an agent that only decodes."""
    with tempfile.TemporaryDirectory() as folder:
        app = new_app(
            group=f"bench-{uuid.uuid4()}",
            brokers=[broker],
            positions=FromTheStart(),
            datadir=str(Path(folder)),
            instance=None,
        )

        async def agent(stream: Any) -> None:
            async for event in stream.noack().events():
                decode([record.value for record in event.value.records])
                watch.count(len(event.value.records))
                event.ack()

        app.agent(app.batches(topic), name="bench")(agent)
        await app.start()
        await watch.done.wait()
        await app.stop()


async def stock(broker: str, topic: str, watch: Stopwatch) -> None:
    """Faust as it comes, its fastest way: raw values, `take` of 2,000, fastavro."""
    decode = with_fastavro(topic)
    with tempfile.TemporaryDirectory() as folder:
        app = faust.App(
            f"bench-{uuid.uuid4()}",
            broker=f"aiokafka://{broker}",
            datadir=folder,
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=4 * 1024 * 1024,
            stream_buffer_maxsize=16_384,
            cython_optimizations=True,
        )
        source = app.topic(topic, key_serializer="raw", value_serializer="raw")

        async def agent(stream: Any) -> None:
            async for values in stream.take(2_000, within=0.5):
                decode(values)
                watch.count(len(values))

        app.agent(source, name="bench")(agent)
        await app.start()
        await watch.done.wait()
        await app.stop()


async def main(what: str, broker: str, topic: str, records: int) -> float:
    """Run one of them and return its rate."""
    watch = Stopwatch(records)
    if what == "bare":
        await bare(broker, topic, watch)
    elif what == "hub":
        await hub(broker, topic, watch, with_fastavro(topic))
    elif what == "hub+codec":
        await hub(broker, topic, watch, with_codec(topic))
    elif what == "stock":
        await stock(broker, topic, watch)
    else:
        raise SystemExit(f"what to measure is bare, hub, hub+codec or stock, not {what!r}")
    return watch.rate


if __name__ == "__main__":
    configure_logging("CRITICAL")
    print(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))
