"""The peer: Quix Streams does the worker's job, with the hub's own decoding and SQL in its sink.

Run as a process of its own, in the environment of ``benchmarks/quix.lock``:
``python -m benchmarks.quix BROKER DATABASE_URL``; it works until it is told to stop.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from hub.garbage import collecting_rarely
from hub.kafka import Cluster, log_ranges, topic_ids
from hub.money import use_exact_arithmetic
from hub.policy import Policy
from schemas.catalogue import DOCUMENTS
from sinks.database import connect
from sinks.facts import FACTS
from sinks.positions import GROUP, LogState, Partition, Positions
from sinks.session import Session
from streams.catalogue import streams
from streams.ingest import Ingest, Prepared, Span, prepare

TOPICS = (DOCUMENTS["invoice"].name, DOCUMENTS["payment"].name)

#: Records between two checkpoints, over all partitions, and the most of a transaction, as of the
#: hub's. What else was tried stands in docs/decisions/0008.
COMMIT_EVERY = 12_000
BATCH_RECORDS = 3_000

CONSUMER = {
    "fetch.wait.max.ms": 50,
    "max.partition.fetch.bytes": 2 * 1024 * 1024,
    "queued.max.messages.kbytes": 64 * 1024,
    "isolation.level": "read_committed",
}


class LedgerSink(BatchingSink):
    """Commits the batch of a partition as a worker of the hub does, position included."""

    def __init__(self, url: str, positions: Positions) -> None:
        super().__init__()
        all_streams = streams(Policy())
        tables = [FACTS, *(table for stream in all_streams for table in stream.staging)]
        self._positions = positions
        self._ingest = Ingest(all_streams, positions)
        self._session = Session(url, name="bench-quix", tables=tables)

    def write(self, batch: SinkBatch) -> None:
        """See `BatchingSink`; the items of a batch have what `Ingest` asks of a record."""
        epoch = self._positions.claims[batch.topic, batch.partition].epoch
        for chunk in batch.iter_chunks(BATCH_RECORDS):
            records = list(chunk)
            start, end = records[0].offset, records[-1].offset + 1
            span = Span(batch.topic, batch.partition, epoch, start, end, records)
            self._session.run(partial(self._commit, prepared=prepare(batch.topic, [span])))

    def _commit(self, connection: psycopg.Connection[Any], prepared: Prepared) -> None:
        self._ingest.commit(connection, prepared)


class ClaimingApplication(Application):
    """An application that claims its partitions when they are assigned, as a worker does."""

    positions: Positions

    def _on_assign(self, consumer: Any, partitions: list[Any]) -> None:
        self.positions.claim([(one.topic, one.partition) for one in partitions])
        super()._on_assign(consumer, partitions)


def positions_in(cluster: Cluster, url: str) -> Positions:
    """Return the positions of the workers' group."""

    def read_log(partitions: Iterable[Partition]) -> Mapping[Partition, LogState]:
        wanted = list(partitions)
        ids = topic_ids(cluster, {topic for topic, _ in wanted})
        return {
            partition: LogState(ids[partition[0]], *bounds)
            for partition, bounds in log_ranges(cluster, wanted).items()
        }

    return Positions(lambda: connect(url, name="bench-quix"), read_log, GROUP, "quix")


@collecting_rarely()
def run(broker: str, url: str) -> None:
    """Process invoices and payments from the beginning of their topics until told to stop."""
    use_exact_arithmetic()
    positions = positions_in(Cluster((broker,)), url)
    with TemporaryDirectory(prefix="headrace-bench-") as folder:
        app = ClaimingApplication(
            broker_address=broker,
            consumer_group=f"bench-{uuid.uuid4()}",
            auto_offset_reset="earliest",
            commit_every=COMMIT_EVERY,
            commit_interval=1.0,
            consumer_extra_config=CONSUMER,
            state_dir=folder,
            auto_create_topics=False,
            use_changelog_topics=False,
            loglevel="ERROR",
        )
        app.positions = positions
        sink = LedgerSink(url, positions)
        for name in TOPICS:
            topic = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
            app.dataframe(topic).sink(sink)
        app.run()
    positions.release(list(positions.claims))


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2])
