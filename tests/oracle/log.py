"""Reads every committed record of the event topics from a broker, without the hub's own clients."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.oracle.contracts import contracts

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated function, which tests take for an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, TopicPartition


#: Topic, partition and offset.
Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in the log; `value` is None for a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    """Nothing follows from them: those of the log are not kept."""

    @property
    def place(self) -> Place:
        """Topic, partition and offset."""
        return (self.topic, self.partition, self.offset)

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


def read_log(
    bootstrap_servers: str | list[str],
    topics: Iterable[str] | None = None,
    *,
    seconds: float = 120,
) -> list[Record]:
    """Read the given topics (by default all event topics) from beginning to end, read_committed.

    Returns the records by topic, partition and offset. A topic that does not exist is empty.
    Raises TimeoutError where the end is not reached within `seconds`.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        group_id=None,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
    )
    try:
        return _read_to_the_end(consumer, sorted(topics or contracts()), time.monotonic() + seconds)
    finally:
        consumer.close()


def _read_to_the_end(consumer: Any, topics: list[str], deadline: float) -> list[Record]:
    partitions = []
    for topic in topics:
        for number in sorted(consumer.partitions_for_topic(topic) or ()):
            partitions.append(TopicPartition(topic, number))
    if not partitions:
        return []
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    records = []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        if time.monotonic() > deadline:
            places = {str(tp): (consumer.position(tp), ends[tp]) for tp in partitions}
            raise TimeoutError(f"the log was not read to its end: {places}")
        for batch in consumer.poll(timeout_ms=500).values():
            for record in batch:
                records.append(
                    Record(
                        record.topic,
                        record.partition,
                        record.offset,
                        record.key,
                        record.value,
                    )
                )
    records.sort(key=lambda record: record.place)
    return [record for record in records if record.offset < ends[_partition_of(record)]]


def _partition_of(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
